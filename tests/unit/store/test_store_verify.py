"""Verification finds every kind of tampering."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from vnpy_aiagent.store.chain import GENESIS
from vnpy_aiagent.store.database import StoreDatabase, open_database
from vnpy_aiagent.store.journal import Draft, Journal, verify
from vnpy_aiagent.store.models import JournalRow, tables_of

Make = Callable[..., Draft]


@pytest.fixture
def head(target: str, draft: Make) -> str:
    """A closed journal of ten entries; its head, noted elsewhere."""
    with Journal.open(target, sync="OFF") as journal:
        return journal.append([draft(n) for n in range(1, 11)])[-1].hash


@contextmanager
def tampering(target: str) -> Iterator[tuple[StoreDatabase, type[JournalRow]]]:
    """Direct access to the rows."""
    database = open_database(target)
    try:
        yield database, tables_of(database).journal
    finally:
        database.close()


def change(target: str, seq: int, /, **values: Any) -> None:
    with tampering(target) as (database, row):
        database.run(row.update(**values).where(row.seq == seq))


def test_an_untouched_journal_is_in_order(target: str, head: str) -> None:
    result = verify(target, head)
    assert (result.ok, result.entries, result.head, result.first_bad) == (True, 10, head, None)


def test_an_empty_journal_is_in_order(target: str) -> None:
    Journal.open(target).close()
    result = verify(target)
    assert (result.ok, result.entries, result.head) == (True, 0, GENESIS)


@pytest.mark.parametrize("column", ["id", "at", "kind", "account", "cause", "body", "hash"])
def test_a_changed_column_is_found_at_its_row(target: str, head: str, column: str) -> None:
    change(target, 4, **{column: "changed"})
    result = verify(target)
    assert (result.ok, result.entries, result.first_bad) == (False, 3, 4)
    assert "entry 4 was changed" in result.reason


def test_a_cause_that_was_removed_is_found(target: str, head: str) -> None:
    change(target, 4, cause=None)
    assert verify(target).first_bad == 4


def test_a_changed_row_with_a_fitting_new_hash_is_found_at_the_next_row(target: str, draft: Make) -> None:
    with Journal.open(target) as journal:
        journal.append([draft(n) for n in range(1, 5)])
        forged = journal.get("run-0002")
    assert forged is not None
    change(target, 2, hash="0" * 64)
    with tampering(target) as (database, row):
        database.run(row.update(hash=forged.hash, prev=forged.prev).where(row.seq == 2))
        database.run(row.update(prev="1" * 64).where(row.seq == 3))
    result = verify(target)
    assert result.first_bad == 3
    assert "does not follow" in result.reason


def test_a_deleted_row_is_missing(target: str, head: str) -> None:
    with tampering(target) as (database, row):
        database.run(row.delete().where(row.seq == 6))
    result = verify(target)
    assert (result.ok, result.first_bad, result.reason) == (False, 6, "entry 6 is missing")


def test_swapped_rows_are_found_at_the_first_of_them(target: str, head: str) -> None:
    for old, new in ((3, 100), (7, 3), (100, 7)):
        change(target, old, seq=new)
    assert verify(target).first_bad == 3


def test_a_row_put_in_before_the_first_is_found(target: str, head: str) -> None:
    with tampering(target) as (database, row):
        values = {"id": "x", "at": "", "kind": "", "account": "", "body": "", "prev": "", "hash": ""}
        database.run(row.insert(seq=0, **values))
    assert verify(target).first_bad == 1


def test_a_tail_that_was_cut_off_shows_only_against_a_head_noted_elsewhere(target: str, head: str) -> None:
    with tampering(target) as (database, row):
        database.run(row.delete().where(row.seq > 8))
    assert verify(target).ok
    result = verify(target, head)
    assert (result.ok, result.entries, result.first_bad) == (False, 8, 9)
    assert "cut off" in result.reason


def test_a_journal_that_grew_since_its_head_was_noted_is_in_order(
    target: str, head: str, draft: Make
) -> None:
    with Journal.open(target) as journal:
        journal.append([draft(11)])
    assert verify(target, head.upper()).ok
    assert verify(target, GENESIS).ok


def test_bytes_that_are_no_text_are_found_at_their_row(tmp_path: Path, draft: Make) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path) as journal:
        journal.append([draft(n, body='{"text":"买入"}') for n in range(1, 5)])
    with tampering(str(path)) as (database, _):
        database.run_sql("UPDATE journal_entry SET body = CAST(x'ff00ff' AS TEXT) WHERE seq = 3")
    result = verify(path)
    assert (result.ok, result.first_bad) == (False, 3)
    with tampering(str(path)) as (database, _):
        database.run_sql("UPDATE journal_entry SET body = x'ff00ff' WHERE seq = 2")
    assert verify(path).first_bad == 2


def test_a_damaged_file_is_a_finding_and_not_a_crash(tmp_path: Path, draft: Make) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path) as journal:
        journal.append([draft(n, body="x" * 2_000) for n in range(1, 200)])
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(bytes(content))
    result = verify(path)
    assert not result.ok
    assert result.first_bad is not None
    assert 1 < result.first_bad < 200
