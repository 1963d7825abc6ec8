"""The SQLite file in which cache and notes about sources lie."""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from vnpy_aiagent.errors import DataError

FILE_NAME = "sources.db"
PATIENCE = 5.0  # seconds to wait for another process that writes


@contextmanager
def opened(path: Path, schema: str) -> Iterator[sqlite3.Connection]:
    """The file with the tables of `schema`, closed afterwards. DataError for whatever goes wrong inside."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=PATIENCE)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.executescript(schema)
            yield database
    except (sqlite3.Error, zlib.error, OSError, ValueError, TypeError) as error:
        raise DataError(
            f"the cache {path} cannot be used ({type(error).__name__}: {error}); "
            "check the disk, or delete the file: it is filled anew"
        ) from error
