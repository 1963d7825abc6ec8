"""Checking a journal's hash chain from the first entry to the last."""

import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import peewee

from vnpy_aiagent.errors import JournalCorrupt
from vnpy_aiagent.store.chain import GENESIS, encode
from vnpy_aiagent.store.database import (
    StoreDatabase,
    close_database,
    describe,
    first_line,
    open_database,
)
from vnpy_aiagent.store.models import tables_of
from vnpy_aiagent.store.reader import check_format

_PAGE_ROWS = 5_000
_LOWEST = -(2**63)


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check found.

    `entries` is how many rows were found good, `head` the hash of the last good one, `first_bad` the number
    at which the chain breaks, `reason` one sentence (empty when all is well).
    """

    ok: bool
    entries: int
    head: str
    first_bad: int | None
    reason: str


class Told(NamedTuple):
    """What an entry says, and its number."""

    seq: int
    kind: str
    body: str


class _ChainError(Exception):
    """The chain breaks at entry `seq`."""

    def __init__(self, seq: int, reason: str) -> None:
        super().__init__(reason)
        self.seq = seq


def verify(target: str | Path, expected_head: str | None = None) -> Verification:
    """Recompute the whole chain; works beside an active writer.

    Finds changed, missing and reordered rows. A cut-off tail shows against `expected_head`, a head hash noted
    elsewhere (report, alert, log): the journal may have grown since, but must still hold it. Raises
    JournalError where there is no journal to check.
    """
    database = open_database(target, read_only=True)
    try:
        check_format(tables_of(database), describe(target))
        return _check(database, expected_head)
    finally:
        close_database(database)


def verified(target: str | Path, kinds: Collection[str]) -> Iterator[Told]:
    """Entries of some kinds in order, each found whole first: one pass for a check and a reading.

    Raises JournalCorrupt, with what to do, at the entry from which on the journal cannot be trusted;
    JournalError where there is none. What came before it is not to be used alone.
    """
    database = open_database(target, read_only=True)
    count, head = 0, GENESIS
    try:
        check_format(tables_of(database), describe(target))
        for row in _rows(database):
            head = _next_head(count, head, row)
            count += 1
            if row[3] in kinds:
                yield Told(row[0], row[3], row[6])
    except _ChainError as broken:
        raise _corrupt(target, broken.seq, str(broken)) from None
    except (peewee.PeeweeException, sqlite3.Error) as error:
        reason = f"it cannot be read ({first_line(error)})"
        raise _corrupt(target, count + 1, reason) from error
    finally:
        close_database(database)


def _corrupt(target: str | Path, seq: int, reason: str) -> JournalCorrupt:
    return JournalCorrupt(
        f"the journal {describe(target)} cannot be trusted from entry {seq} on: {reason}; look with "
        "`aiagent journal verify`, and restore the file from a copy or set `store.journal` to another one"
    )


def _check(database: StoreDatabase, expected_head: str | None) -> Verification:
    wanted = None if expected_head is None else expected_head.strip().lower()
    count, head, seen = 0, GENESIS, wanted in (None, GENESIS)
    try:
        for row in _rows(database):
            head = _next_head(count, head, row)
            count += 1
            seen = seen or head == wanted
    except _ChainError as broken:
        return Verification(False, count, head, broken.seq, str(broken))
    except (peewee.PeeweeException, sqlite3.Error) as error:
        reason = f"entry {count + 1} cannot be read ({first_line(error)}); restore the journal from a copy"
        return Verification(False, count, head, count + 1, reason)
    if not seen:
        reason = f"the noted head {wanted} is not in the journal: entries after {count} were cut off"
        return Verification(False, count, head, count + 1, reason)
    return Verification(True, count, head, None, "")


def _next_head(count: int, head: str, row: tuple[Any, ...]) -> str:
    """Hash of the next entry if its row is right behind the given head, else _ChainError."""
    seq, *_, prev, stored = row
    expected = count + 1
    if seq != expected:
        text = "is missing" if seq > expected else f"should come next, but there is a row numbered {seq}"
        raise _ChainError(expected, f"entry {expected} {text}")
    if prev != head:
        raise _ChainError(
            seq, f"entry {seq} does not follow the entry before it: rows were changed or reordered"
        )
    try:
        found = sha256(encode(prev, seq, row[1:7])).hexdigest()
    except (TypeError, UnicodeEncodeError):
        found = ""  # a column holds something other than text
    if found != stored:
        raise _ChainError(seq, f"entry {seq} was changed: its hash does not fit its content")
    return found


def _rows(database: StoreDatabase) -> Iterator[tuple[Any, ...]]:
    """Raw rows in order of number, a page at a time."""
    row = tables_of(database).journal
    columns = (row.seq, row.id, row.at, row.kind, row.account, row.cause, row.body, row.prev, row.hash)
    query = row.select(*columns).order_by(row.seq).limit(_PAGE_ROWS)
    after, more = _LOWEST, True
    while more:
        more = False
        with database.guard:
            for found in database.run(query.where(row.seq > after)):
                after, more = found[0], True
                yield found
