"""Writes the table of docs/injection.md from the figures of the tests; run it as a script."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "injection.md"
BEGIN, END = "<!-- table of the attacks -->", "<!-- end of the table -->"


def main() -> None:
    """Run all attacks and put the table between its marks."""
    sys.path.insert(0, str(ROOT / "tests" / "unit" / "brain"))
    from injection_world import figures, kinds, table

    made = table({kind: figures(kind) for kind in kinds()})
    page = PAGE.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    PAGE.write_text(
        pattern.sub(lambda _: f"{BEGIN}\n\n{made}\n\n{END}", page), encoding="utf-8", newline="\n"
    )


if __name__ == "__main__":
    main()
