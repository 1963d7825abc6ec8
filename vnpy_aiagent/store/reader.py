"""Reading a journal: from any process, beside an active writer, without a lease."""

from collections.abc import Collection, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import peewee

from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.store.chain import Entry, Head
from vnpy_aiagent.store.database import (
    StoreDatabase,
    close_database,
    describe,
    first_line,
    open_database,
)
from vnpy_aiagent.store.models import FORMAT, Tables, tables_of

PAGE_ROWS = 1_000
"""Rows fetched at a time: a long read keeps no transaction open and never holds the whole journal."""


class JournalReader:
    """Read access to the committed entries of a journal. Threads may share one reader."""

    def __init__(self, database: StoreDatabase) -> None:
        """Use `JournalReader.open`."""
        self._database = database
        self._tables = tables_of(database)
        row = self._tables.journal
        self._columns = (
            row.id, row.at, row.kind, row.account, row.cause, row.body, row.seq, row.prev, row.hash, row.wall,
        )  # fmt: skip

    @classmethod
    def open(cls, target: str | Path) -> Self:
        """Open a journal for reading; a missing file is a JournalError, never a new file."""
        database = open_database(target, read_only=True)
        try:
            check_format(tables_of(database), describe(target))
        except JournalError:
            close_database(database)
            raise
        return cls(database)

    @property
    def head(self) -> Head:
        """Number and hash of the last committed entry."""
        row = self._tables.journal
        found = self._fetch(row.select(row.seq, row.hash).order_by(row.seq.desc()).limit(1))
        return Head(*found[0]) if found else Head()

    def count(self) -> int:
        """How many entries there are."""
        row = self._tables.journal
        return int(self._fetch(row.select(peewee.fn.COUNT(row.seq)))[0][0])

    def get(self, entry_id: str) -> Entry | None:
        """One entry by its id, or None."""
        row = self._tables.journal
        found = self._fetch(row.select(*self._columns).where(row.id == entry_id))
        return Entry(*found[0]) if found else None

    def read(
        self,
        kinds: Collection[str] | None = None,
        after: int = 0,
        until: int | None = None,
        account: str | None = None,
    ) -> Iterator[Entry]:
        """Entries in order, a page at a time.

        `kinds` and `account` choose; `after` (exclusive) and `until` (inclusive) are entry numbers.
        """
        row = self._tables.journal
        query = row.select(*self._columns).order_by(row.seq).limit(PAGE_ROWS)
        if kinds is not None:
            query = query.where(row.kind.in_(sorted(kinds)))
        if until is not None:
            query = query.where(row.seq <= until)
        if account is not None:
            query = query.where(row.account == account)
        while True:
            page = self._fetch(query.where(row.seq > after))
            for found in page:
                yield Entry(*found)
            if len(page) < PAGE_ROWS:
                return
            after = page[-1][6]

    def children(self, entry_id: str) -> list[Entry]:
        """Entries whose cause is the given one, in order."""
        row = self._tables.journal
        found = self._fetch(row.select(*self._columns).where(row.cause == entry_id).order_by(row.seq))
        return [Entry(*each) for each in found]

    def chain(self, entry_id: str) -> list[Entry]:
        """What led to an entry, oldest first, the entry itself last; empty if there is no such entry.

        It ends at an entry without a cause, at a cause that is not in the journal, or where a loop closes.
        """
        found: list[Entry] = []
        seen: set[str] = set()
        wanted: str | None = entry_id
        while wanted is not None and wanted not in seen:
            seen.add(wanted)
            entry = self.get(wanted)
            if entry is None:
                break
            found.append(entry)
            wanted = entry.cause
        return found[::-1]

    def close(self) -> None:
        """Close the connection; doing it twice is harmless."""
        close_database(self._database)

    def __enter__(self) -> Self:
        """The reader itself, closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _fetch(self, query: Any) -> list[tuple[Any, ...]]:
        """All rows of a query as plain tuples; a lost connection is opened again by the next call."""
        with self._database.guard:
            try:
                return list(self._database.run(query).fetchall())
            except (peewee.PeeweeException, OSError) as error:
                close_database(self._database)
                raise JournalError(
                    f"cannot read the journal {self._database.name} ({first_line(error)}); "
                    "check it with 'aiagent journal verify'"
                ) from error


def check_format(tables: Tables, where: str) -> None:
    """Refuse a database that holds no journal, or one that a newer release wrote (JournalError)."""
    try:
        with tables.database.guard:
            if not (tables.exist()):
                raise JournalError(f"{where} holds no journal; check the path or start a run that writes one")
            found = tables.meta.get_or_none(tables.meta.key == "format")
    except peewee.PeeweeException as error:
        raise JournalError(
            f"{where} cannot be read as a journal ({first_line(error)}); check the path"
        ) from error
    if found is not None and found.value != FORMAT:
        raise JournalError(
            f"the journal {where} has format {found.value}, this release reads format {FORMAT}; "
            "open it with the release that wrote it"
        )
