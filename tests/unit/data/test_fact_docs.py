"""docs/facts.md says what the table of datasets says."""

from pathlib import Path

from vnpy_aiagent.data.fact_sources.catalogue import FAMILIES, table


def test_the_table_of_the_page_is_the_table_of_the_code(repo_root: Path) -> None:
    page = (repo_root / "docs" / "facts.md").read_text(encoding="utf-8")
    start, end = "<!-- table of datasets -->\n\n", "\n\n<!-- end of the table -->"
    assert page.partition(start)[2].partition(end)[0] == table()


def test_every_note_of_a_dataset_is_on_the_page(repo_root: Path) -> None:
    page = (repo_root / "docs" / "facts.md").read_text(encoding="utf-8")
    notes = [d.note for family in FAMILIES for d in family.datasets if d.note]
    assert [note for note in notes if note not in page] == []
