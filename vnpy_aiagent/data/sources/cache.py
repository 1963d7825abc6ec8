"""Answers of sources, kept in a small SQLite file for some days, each with where and when it came from.

One row for each source and request. A row past its days stays until it is replaced or pruned: it is used
where every source fails, and is then said to be old. The file may be deleted at any time.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from vnpy_aiagent.data.sources.file import FILE_NAME, opened
from vnpy_aiagent.domain.clock import MARKET_TZ

__all__ = ["FILE_NAME", "AnswerCache", "Kept", "request_key"]

KEEP = timedelta(days=90)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    source TEXT NOT NULL,
    request TEXT NOT NULL,
    fetched_at TEXT NOT NULL,
    available_at TEXT NOT NULL,
    units TEXT NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (source, request)
);
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer with its provenance.

    fetched_at: when the source was asked. available_at: when the newest of its values became known to the
    market. units: by column. payload: JSON values.
    """

    source: str
    request: str
    fetched_at: datetime
    available_at: datetime
    units: Mapping[str, str]
    payload: Any

    def is_fresh(self, now: datetime, days: float) -> bool:
        """Whether it is not older than `days`; one from the future (a clock set back) is not fresh."""
        return timedelta(0) <= now - self.fetched_at <= timedelta(days=days)


class AnswerCache:
    """The file. Each call opens and closes it, so any thread may use it; DataError where that fails."""

    def __init__(self, path: Path) -> None:
        """Nothing is written before the first `put`."""
        self.path = path

    def get(self, source: str, request: str) -> Kept | None:
        """The last answer of a source to a request, however old; None where there is none."""
        if not self.path.exists():
            return None
        with opened(self.path, _SCHEMA) as database:
            row = database.execute(
                "SELECT fetched_at, available_at, units, payload FROM answers "
                "WHERE source = ? AND request = ?",
                (source, request),
            ).fetchone()
            if row is None:
                return None
            return Kept(
                source,
                request,
                _moment(row[0]),
                _moment(row[1]),
                json.loads(row[2]),
                json.loads(zlib.decompress(row[3])),
            )

    def put(self, kept: Kept) -> None:
        """Keep an answer in place of the one before; those older than KEEP are dropped."""
        payload = zlib.compress(json.dumps(kept.payload, ensure_ascii=False, allow_nan=False).encode())
        row = (
            kept.source,
            kept.request,
            _stamp(kept.fetched_at),
            _stamp(kept.available_at),
            json.dumps(dict(kept.units), ensure_ascii=False),
            payload,
        )
        with opened(self.path, _SCHEMA) as database, database:
            database.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)", row)
            database.execute("DELETE FROM answers WHERE fetched_at < ?", (_stamp(kept.fetched_at - KEEP),))


def request_key(**parts: object) -> str:
    """One text for one request, whatever the order of its parts."""
    return json.dumps({name: str(part) for name, part in parts.items()}, sort_keys=True, ensure_ascii=False)


def _moment(stamp: str) -> datetime:
    """A time as `_stamp` wrote it; ValueError for one without a zone."""
    moment = datetime.fromisoformat(stamp)
    if moment.tzinfo is None:
        raise ValueError(f"{stamp} has no time zone")
    return moment


def _stamp(moment: datetime) -> str:
    """Times of one zone, so that they sort as texts."""
    return moment.astimezone(MARKET_TZ).isoformat(timespec="microseconds")
