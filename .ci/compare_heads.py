"""Compares the journals of demo runs: `compare_heads.py OUT_DIR OUT_DIR ...`; exit 1 where they differ."""

import json
import sys
from pathlib import Path


def main(folders: list[str]) -> int:
    """Print each run's journal head; the exit status."""
    if len(folders) < 2:
        print("give at least two out folders of aiagent demo", file=sys.stderr)
        return 2
    journals = []
    for folder in folders:
        summary = json.loads(Path(folder, "summary.json").read_text(encoding="utf-8"))
        journals.append(summary["journal"])
        print(f"{folder}: {summary['journal']['entries']} entries, head {summary['journal']['head']}")
    if not journals[0]["head"] or not journals[0]["entries"]:
        print("the first run has an empty journal", file=sys.stderr)
        return 1
    if any(journal != journals[0] for journal in journals[1:]):
        print("the same arguments gave different journals", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
