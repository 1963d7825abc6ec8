"""The append-only, hash-chained journal: everything that happened, in order.

Several processes may read; the one that holds the lease writes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import peewee

from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.store.chain import Draft, Entry, EntryRefused, Head, link
from vnpy_aiagent.store.database import (
    SqliteStore,
    StoreDatabase,
    Sync,
    close_database,
    first_line,
    open_database,
)
from vnpy_aiagent.store.lease import Lease
from vnpy_aiagent.store.models import FORMAT, tables_of
from vnpy_aiagent.store.presence import FilePresence
from vnpy_aiagent.store.reader import JournalReader, check_format
from vnpy_aiagent.store.verify import Verification, verify

__all__ = ["Draft", "Entry", "EntryRefused", "Head", "Journal", "JournalReader", "Verification", "verify"]

_COLUMNS = ("seq", "id", "at", "kind", "account", "cause", "body", "prev", "hash", "wall")
_INSERT_ROWS = 200


class Journal(JournalReader):
    """The writer's view of a journal. Reads go through a connection of their own and never wait for a commit.

    Any thread may append, one at a time; in a running system only the JournalWriter does.
    """

    def __init__(self, reading: StoreDatabase, writing: StoreDatabase, lease: Lease) -> None:
        """Use `Journal.open`."""
        super().__init__(reading)
        self._writing = writing
        self._lease = lease
        self._head: Head | None = None

    @classmethod
    def open(cls, target: str | Path, *, owner: str = "", sync: Sync = "FULL") -> Self:
        """Open a journal for writing, creating its tables where needed.

        `owner` says in words who writes, for the message that others get; `sync` is what a commit waits for.
        Raises JournalLocked while somebody else writes, JournalError where it cannot be opened.
        """
        lease = Lease.acquire(target, owner)
        writing: StoreDatabase | None = None
        try:
            writing = open_database(target, sync=sync)
            _prepare(writing)
            return cls(open_database(target, read_only=True), writing, lease)
        except JournalError:
            if writing is not None:
                close_database(writing)
            lease.release()
            raise

    @property
    def head(self) -> Head:
        """Number and hash of the last committed entry, without asking the disk where it is known."""
        known = self._head
        return super().head if known is None else known

    def append(self, drafts: Sequence[Draft], wall: str | None = None) -> list[Entry]:
        """Chain drafts behind the head and commit them in one transaction: all of them or none.

        `wall` is the machine's time for all of them, outside the hash. Raises EntryRefused where a draft can
        never be stored (its id is taken, its text is unusable), JournalError where the storage failed.
        """
        entries: list[Entry] = []
        with self._writing.guard:
            head = self.head
            for draft in drafts:
                entry = link(head, draft, wall)
                head = Head(entry.seq, entry.hash)
                entries.append(entry)
            self.store(entries)
        return entries

    def store(self, entries: Sequence[Entry]) -> None:
        """Commit entries that were already chained behind the present head; errors as in `append`."""
        if not entries:
            return
        with self._writing.guard:
            if entries[0].prev != self.head.hash:
                raise JournalError("these entries do not follow the journal's head; chain them again")
            try:
                self._lease.ensure()
                self._insert(entries)
            except (peewee.PeeweeException, JournalError) as error:
                self._head = None  # whether the commit went through is known again after reading it
                close_database(self._writing)
                raise self._failure(entries, error) from error
            self._head = Head(entries[-1].seq, entries[-1].hash)

    def presence(self) -> FilePresence | None:
        """What notices that the journal's file is taken away; None for a server's database."""
        return FilePresence(self._writing.name) if isinstance(self._writing, SqliteStore) else None

    def close(self) -> None:
        """Close the connections and give the lease back; doing it twice is harmless."""
        super().close()
        with self._writing.guard:
            close_database(self._writing)
            self._lease.release()

    def _insert(self, entries: Sequence[Entry]) -> None:
        database = self._writing
        table = database.table_prefix + "journal_entry"
        names = ", ".join(f'"{name}"' for name in _COLUMNS)
        marks = f"({', '.join([database.param] * len(_COLUMNS))})"
        with database.atomic():
            for start in range(0, len(entries), _INSERT_ROWS):
                part = entries[start : start + _INSERT_ROWS]
                values = ", ".join([marks] * len(part))
                rows: list[Any] = []
                for entry in part:
                    rows += (
                        entry.seq, entry.id, entry.at, entry.kind, entry.account, entry.cause, entry.body,
                        entry.prev, entry.hash, entry.wall,
                    )  # fmt: skip
                sql = f'INSERT INTO "{table}" ({names}) VALUES {values}'  # noqa: S608 - names are constants
                database.run_sql(sql, rows)

    def _failure(self, entries: Sequence[Entry], error: Exception) -> JournalError:
        """The exception that tells a caller what to do about a failed commit."""
        if isinstance(error, JournalError):
            return error
        if isinstance(error, peewee.IntegrityError):
            seen: set[str] = set()
            for entry in entries:
                if entry.id in seen or self.get(entry.id) is not None:
                    return EntryRefused(
                        f"entry {entry.id!r} is already in the journal; give each entry a new id"
                    )
                seen.add(entry.id)
            return JournalError(
                f"another process wrote to the journal {self._writing.name}; "
                "check what holds it open and start again"
            )
        return JournalError(
            f"cannot write to the journal {self._writing.name} ({first_line(error)}); "
            "check free space and what else holds the file"
        )


def _prepare(database: StoreDatabase) -> None:
    tables = tables_of(database)
    try:
        tables.create()
        meta = tables.meta
        with database.guard:
            meta.insert(key="format", value=FORMAT).on_conflict_ignore().execute()
    except peewee.PeeweeException as error:
        raise JournalError(
            f"cannot create the journal's tables in {database.name} ({first_line(error)}); "
            "check free space and permissions"
        ) from error
    check_format(tables, database.name)
