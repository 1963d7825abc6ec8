"""Opening the database behind a journal: an SQLite file, or PostgreSQL by URL.

A target is the path of an SQLite file, or `postgresql://user@host/database`. Several journals may share one
PostgreSQL database: `?prefix=abc_` puts a prefix on the table names (and so names the journal's lease).
"""

import importlib.util
import os
import re
from collections.abc import Sequence
from pathlib import Path
from threading import RLock
from typing import Any, Literal
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

import peewee

from vnpy_aiagent.errors import JournalError

Sync = Literal["OFF", "NORMAL", "FULL"]
"""What a commit waits for. FULL: the disk, so a commit survives a power cut. NORMAL: survives a crash of the
process, a power cut may take the last commits. OFF: the same promise with fewer syncs at checkpoints; a power
cut may damage the file."""

BUSY_SECONDS = 5.0
"""How long one statement waits for another connection's lock, in seconds."""

_POSTGRES_SCHEMES = ("postgresql", "postgres")
_PREFIX = re.compile(r"[a-z_][a-z0-9_]{0,30}")


class _Store(peewee.Database):
    """What the store adds to peewee's database: one connection for all threads, used under `guard`."""

    table_prefix = ""
    name = ""
    guard: RLock

    def run(self, query: peewee.Node) -> Any:
        """Execute a query and return the driver's own cursor, whose rows are plain tuples."""
        untyped: Any = self
        return untyped.execute(query)

    def run_sql(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Execute a statement with bound values and return the driver's own cursor."""
        untyped: Any = self
        return untyped.execute_sql(sql, values)


class SqliteStore(_Store, peewee.SqliteDatabase):
    """An SQLite file."""


class PostgresStore(_Store, peewee.PostgresqlDatabase):
    """A PostgreSQL database."""


StoreDatabase = SqliteStore | PostgresStore


def is_postgres(target: str | Path) -> bool:
    """Whether a target is a PostgreSQL URL."""
    return isinstance(target, str) and target.split("://", 1)[0] in _POSTGRES_SCHEMES and "://" in target


def split_url(url: str) -> SplitResult:
    """The parts of a PostgreSQL URL; JournalError, which shows no part of it, where it is none."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - looked at here, since a bad port raises only then
    except ValueError:
        raise JournalError(
            "the journal's PostgreSQL address is malformed; write postgresql://user:password@host:5432/name "
            "with special characters of the password as %XX"
        ) from None
    return parts


def describe(target: str | Path) -> str:
    """Name of a target for messages; a password in a URL is left out."""
    if not is_postgres(target):
        return str(target)
    parts = split_url(str(target))
    user, host = parts.username or "", parts.hostname or ""
    return f"postgresql://{user}@{host}{parts.path}" if user else f"postgresql://{host}{parts.path}"


def open_database(
    target: str | Path, *, read_only: bool = False, sync: Sync = "NORMAL", timeout: float = BUSY_SECONDS
) -> StoreDatabase:
    """Connect to a target.

    `timeout` is in seconds: how long a statement waits for a lock (SQLite) or a connection may take
    (PostgreSQL). A read-only SQLite file is never created. Raises JournalError with one sentence.
    """
    if is_postgres(target):
        database: StoreDatabase = _postgres(str(target), read_only, sync, timeout)
    else:
        database = _sqlite(Path(target), read_only, sync, timeout)
    try:
        database.connect()
        database.get_tables()  # SQLite reads the file for the first time here
    except peewee.PeeweeException as error:
        close_database(database)
        raise JournalError(_why_not(target, error)) from error
    return database


def close_database(database: StoreDatabase) -> None:
    """Close the connection, even a broken one; it opens again by itself when it is next used."""
    with database.guard:
        try:
            database.close()
        except peewee.PeeweeException:
            database.dispose()  # the server or the disk is gone: there is nothing left to close in order


DRIVERS = ("peewee", "sqlite3", "psycopg2", "psycopg2.errors")


def first_line(error: BaseException) -> str:
    """First line of a driver's message; of the first error where cleaning up after it failed as well."""
    while error.__context__ is not None and type(error.__context__).__module__ in DRIVERS:
        error = error.__context__
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _sqlite(path: Path, read_only: bool, sync: Sync, timeout: float) -> SqliteStore:
    path = path.expanduser().resolve()
    if path.is_dir():
        raise JournalError(f"{path} is a folder; give the path of a journal file in it")
    if not path.parent.is_dir():
        raise JournalError(f"the folder {path.parent} does not exist; create it or choose another path")
    options: dict[str, Any] = {"timeout": timeout, "check_same_thread": False, "thread_safe": False}
    if read_only:
        if not os.path.isfile(path):
            raise JournalError(
                f"there is no journal at {path}; check the path or start a run that writes one"
            )
        database = SqliteStore(
            f"{path.as_uri()}?{_reading_mode(path)}", uri=True, pragmas={"query_only": 1}, **options
        )
    else:
        pragmas = {"journal_mode": "wal", "synchronous": sync, "foreign_keys": 1}
        database = SqliteStore(str(path), pragmas=pragmas, lock_type="IMMEDIATE", **options)
    database.guard = RLock()
    database.name = str(path)
    return database


def _reading_mode(path: Path) -> str:
    """How to open a file for reading so that nothing is left beside it.

    While a write-ahead log lies there (a writer is active, or died) it is only read. Without one, SQLite
    makes an empty log for a reader too, which it removes at the end only if it may write; where it may not,
    on read-only media, nobody else can write either, and the file is read as it is.
    """
    if path.with_name(path.name + "-wal").exists():
        return "mode=ro"
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return "mode=rw"
    return "mode=ro&immutable=1"


def _postgres(url: str, read_only: bool, sync: Sync, timeout: float) -> PostgresStore:
    if importlib.util.find_spec("psycopg2") is None:
        raise JournalError(
            "PostgreSQL needs the driver psycopg2; install it with pip install 'vnpy_aiagent[postgres]'"
        )
    parts = split_url(url)
    query = dict(parse_qsl(parts.query))
    prefix = query.pop("prefix", "")
    if prefix and not _PREFIX.fullmatch(prefix):
        raise JournalError(f"the table prefix {prefix!r} is not usable; use a-z, 0-9 and _")
    settings = [query.pop("options", ""), f"-c synchronous_commit={'on' if sync == 'FULL' else 'off'}"]
    if read_only:
        settings.append("-c default_transaction_read_only=on")
    query.setdefault("connect_timeout", str(max(2, round(timeout))))
    query.setdefault("tcp_user_timeout", "10000")  # milliseconds until a silent network counts as broken
    query["options"] = " ".join(filter(None, settings))
    dsn = urlunsplit(("postgresql", parts.netloc, parts.path, urlencode(query, quote_via=quote), ""))
    database = PostgresStore(dsn, thread_safe=False, client_encoding="utf8")
    database.guard = RLock()
    database.table_prefix = prefix
    database.name = describe(url)
    return database


def _why_not(target: str | Path, error: BaseException) -> str:
    where, reason = describe(target), first_line(error)
    if "not a database" in reason:
        return f"{where} is not a journal but some other kind of file; check the path"
    if is_postgres(target):
        return f"cannot open the journal at {where} ({reason}); check that the server runs and lets you in"
    return f"cannot open the journal at {where} ({reason}); check the file's permissions and its folder's"
