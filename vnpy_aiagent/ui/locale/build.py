"""Compiles the window's catalogue: python vnpy_aiagent/ui/locale/build.py"""

from pathlib import Path

from vnpy_aiagent.locale.build import compile_mo, read_po

SOURCE = Path(__file__).parent / "en" / "LC_MESSAGES" / "vnpy_aiagent_ui.po"


def build() -> None:
    """Write the .mo beside its .po. ValueError for a broken catalogue."""
    SOURCE.with_suffix(".mo").write_bytes(compile_mo(read_po(SOURCE.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    build()
