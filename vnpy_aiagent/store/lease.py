"""The writer's lease: at most one process writes a journal.

It is held by something that the operating system or the server takes back when the process dies, whatever
way it dies: an open exclusive transaction on a small SQLite file beside the journal, or an advisory lock of a
PostgreSQL session. Nothing has to be cleaned up after a crash.
"""

import os
import platform
import sqlite3
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import peewee

from vnpy_aiagent.domain.clock import LiveClock
from vnpy_aiagent.errors import JournalError, JournalLocked
from vnpy_aiagent.store.database import close_database, describe, first_line, is_postgres, open_database
from vnpy_aiagent.store.models import tables_of

_OWNER_KEY = "lease_owner"


class _Hold(Protocol):
    def ensure(self) -> None: ...

    def release(self) -> None: ...


class Lease:
    """The right to write one journal."""

    def __init__(self, hold: _Hold) -> None:
        """Use `Lease.acquire`."""
        self._hold: _Hold | None = hold

    @classmethod
    def acquire(cls, target: str | Path, owner: str = "") -> "Lease":
        """Take the lease of a journal; `owner` says in words who asks.

        Raises JournalLocked, naming the holder, where another process or object holds it, and JournalError
        where it cannot be taken at all.
        """
        text = _owner_text(owner)
        return cls(
            _PostgresHold(str(target), text) if is_postgres(target) else _SqliteHold(Path(target), text)
        )

    def ensure(self) -> None:
        """Check that the lease is still held and take it again if the server lost it.

        Raises JournalLocked if somebody else took it, JournalError if it was released or the server is away.
        """
        if self._hold is None:
            raise JournalError("the journal's lease was released; open the journal again")
        self._hold.ensure()

    def release(self) -> None:
        """Give the lease back; doing it twice is harmless."""
        hold, self._hold = self._hold, None
        if hold is not None:
            hold.release()


class _SqliteHold:
    """An exclusive transaction on `<journal>.lease`, which nothing else ever opens.

    Closing any other handle of that file in this process would drop the lock on POSIX systems. The empty file
    stays after a release: removing it could leave two holders, one of each file.
    """

    def __init__(self, journal: Path, owner: str) -> None:
        path = journal.expanduser().resolve()
        lock = path.with_name(path.name + ".lease")
        self._owner_file = path.with_name(path.name + ".lease.txt")
        self._connection: sqlite3.Connection | None = None
        if not path.parent.is_dir():
            raise JournalError(f"the folder {path.parent} does not exist; create it or choose another path")
        try:
            connection = sqlite3.connect(lock, timeout=0, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise JournalError(f"cannot write {lock} ({first_line(error)}); check its permissions") from error
        try:
            connection.execute("BEGIN EXCLUSIVE")
            self._owner_file.write_text(owner, encoding="utf-8")
        except sqlite3.Error as error:
            connection.close()
            if "locked" in str(error):
                raise JournalLocked(_in_use(str(path), self._holder())) from error
            raise JournalError(f"cannot write {lock} ({first_line(error)}); check its permissions") from error
        except OSError as error:
            connection.close()
            raise JournalError(f"cannot write {self._owner_file} ({error}); check its permissions") from error
        self._connection = connection

    def _holder(self) -> str:
        try:
            return self._owner_file.read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return ""  # the holder has not written it yet; the message says so

    def ensure(self) -> None:
        """The operating system keeps a file lock for as long as the process lives."""

    def release(self) -> None:
        if self._connection is not None:
            with suppress(OSError):  # only words for a message; the lock itself is in the other file
                self._owner_file.unlink(missing_ok=True)
            self._connection.close()
            self._connection = None


class _PostgresHold:
    """A session-level advisory lock; its key comes from the journal's table prefix."""

    def __init__(self, url: str, owner: str) -> None:
        self._url = url
        self._owner = owner
        self._database = open_database(url)
        digest = sha256(f"vnpy_aiagent journal {self._database.table_prefix}".encode()).digest()
        self._key = int.from_bytes(digest[:8], "big", signed=True)
        try:
            self._lock()
        except JournalError:
            close_database(self._database)
            raise

    def _lock(self) -> None:
        try:
            with self._database.guard:
                row = self._database.run_sql("SELECT pg_try_advisory_lock(%s)", (self._key,)).fetchone()
                meta = tables_of(self._database).meta
                if row[0]:
                    self._database.create_tables([meta], safe=True)
                    query = meta.insert(key=_OWNER_KEY, value=self._owner)
                    query.on_conflict(conflict_target=[meta.key], preserve=[meta.value]).execute()
                    return
                held = meta.get_or_none(meta.key == _OWNER_KEY) if self._owner_table_exists() else None
        except peewee.PeeweeException as error:
            raise JournalError(
                f"cannot take the lease of {describe(self._url)} ({first_line(error)}); check the server"
            ) from error
        raise JournalLocked(_in_use(describe(self._url), held.value if held else ""))

    def _owner_table_exists(self) -> bool:
        return f"{self._database.table_prefix}meta" in self._database.get_tables()

    def ensure(self) -> None:
        try:
            with self._database.guard:
                self._database.run_sql("SELECT 1")
        except peewee.PeeweeException:
            close_database(self._database)  # the session is gone and its lock with it: ask for it again
            self._lock()

    def release(self) -> None:
        close_database(self._database)


def _owner_text(owner: str) -> str:
    started = LiveClock().now().isoformat(timespec="seconds")
    return f"{owner or 'a process'}, pid {os.getpid()} on {platform.node()}, started {started}"


def _in_use(where: str, holder: str) -> str:
    who = holder or "another process that has not said who it is"
    return f"the journal {where} is being written by {who}; stop that process or choose another journal"
