"""Facts in a small SQLite file of the app's folder: written by `aiagent facts import`, read at decisions.

The file is in WAL mode, so a reader in the trading process never waits for an import that goes on. Reading
opens the file read-only, syncs nothing and gives up after a twentieth of a second.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from vnpy_aiagent.data.facts import (
    EVENTS,
    MARKET_SUBJECT,
    Absence,
    EventFact,
    Fact,
    FactView,
    TextCount,
    TextFact,
    ValueFact,
    industry_of,
    latest_events,
    metrics_of,
    open_absences,
)
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.errors import DataError

FILE_NAME = "facts.db"
READ_PATIENCE, WRITE_PATIENCE = 0.05, 10.0
MAX_EVENTS, MAX_TEXTS = 50, 20
PAST_EVENTS = timedelta(days=30)
PROGRESS_EVERY = 200
_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (
    id TEXT PRIMARY KEY,
    vt_symbol TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    day TEXT NOT NULL,
    available_at INTEGER NOT NULL,
    source TEXT NOT NULL,
    content TEXT NOT NULL,
    UNIQUE (vt_symbol, kind, name, day, available_at, source)
);
CREATE INDEX IF NOT EXISTS texts_by_time ON facts (vt_symbol, available_at) WHERE kind = 'text';
"""
_VERSIONS = (
    "SELECT content FROM facts WHERE vt_symbol = ? AND kind = 'value' AND name = ? AND available_at <= ? "
    "ORDER BY day DESC, available_at DESC, source DESC"
)
_LATEST = f"{_VERSIONS} LIMIT 1"
_AHEAD = (
    "SELECT content FROM facts WHERE vt_symbol = ? AND kind = 'event' AND name = ? AND day >= ? "
    "AND available_at <= ? ORDER BY day, available_at LIMIT ?"
)
_RECENT = (
    "SELECT content FROM facts WHERE vt_symbol = ? AND kind = 'text' AND available_at >= ? "
    "AND available_at <= ? ORDER BY available_at DESC, id LIMIT ?"
)
_ABSENT = (
    "SELECT content FROM facts WHERE vt_symbol = ? AND kind = 'absence' AND available_at <= ? "
    "ORDER BY name, available_at DESC, id LIMIT ?"
)
_COUNTS = (
    "SELECT name, source, count(*), max(available_at) FROM facts WHERE vt_symbol = ? AND kind = 'text' "
    "AND available_at >= ? AND available_at <= ? GROUP BY name, source ORDER BY name, source LIMIT ?"
)
MAX_ABSENCES, MAX_COUNTS = 500, 50
_KNOWN_NEXT = "SELECT min(available_at) FROM facts WHERE vt_symbol = ? AND available_at > ?"
_OLDEST_TEXT = (
    "SELECT min(available_at) FROM facts WHERE vt_symbol = ? AND kind = 'text' AND available_at >= ? "
    "AND available_at <= ?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=MARKET_TZ)
FactType = TypeVar("FactType", ValueFact, EventFact, TextFact, Absence)


@dataclass(frozen=True, slots=True)
class Stored:
    """What an import did: `new` rows, `known` ones that were held already, and the contradictions."""

    new: int
    known: int
    refused: tuple[tuple[int, str], ...]


def store_facts(
    path: Path,
    rows: Iterable[tuple[int, Fact]],
    on_progress: Callable[[int], None] = lambda _: None,
) -> Stored:
    """Keep facts, each given with its line number. A later version of a fact stands beside the earlier one.

    A row that says something else than a held row of the same source, moment and key is refused. All rows
    are in one transaction. DataError where the file cannot be written.
    """
    new = known = done = 0
    refused: list[tuple[int, str]] = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=WRITE_PATIENCE)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.executescript(_SCHEMA)
            with database:
                for done, (line, fact) in enumerate(rows, 1):
                    outcome = _insert(database, fact)
                    new += outcome == "new"
                    known += outcome == "known"
                    if outcome == "contradicts":
                        refused.append((line, _contradiction(fact)))
                    if done % PROGRESS_EVERY == 0:
                        on_progress(done)
    except (sqlite3.Error, OSError) as error:
        raise DataError(f"facts cannot be kept in {path} ({error}); check the folder and the disk") from error
    on_progress(done)
    return Stored(new, known, tuple(refused))


def _insert(database: sqlite3.Connection, fact: Fact) -> str:
    if database.execute("SELECT 1 FROM facts WHERE id = ?", (fact.id,)).fetchone():
        return "known"
    row = (
        fact.id,
        fact.vt_symbol,
        fact.kind,
        *fact.key,
        _stamp(fact.available_at),
        fact.source,
        fact.model_dump_json(),
    )
    try:
        database.execute("INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    except sqlite3.IntegrityError:
        return "contradicts"
    return "new"


def _contradiction(fact: Fact) -> str:
    return (
        f"{fact.source} said something else of {fact.vt_symbol} {' '.join(fact.key)} at the same moment; "
        "give a restated value its own available_at"
    )


class FactReader:
    """Facts of the file as they were known at a moment. A file that does not exist holds none."""

    def __init__(self, path: Path, text_days: int) -> None:
        """`text_days`: texts older than that many days are not shown."""
        self.path = path
        self.text_age = timedelta(days=text_days)

    def view(self, vt_symbol: str, at: datetime) -> FactView:
        """What was known of the symbol, its industry and the market at `at`.

        DataError where the file is damaged or held too long.
        """
        if not self.path.exists():
            return FactView()
        with self._open() as database:
            return self._view(database, vt_symbol, at)[0]

    def span(self, vt_symbol: str, at: datetime) -> tuple[FactView, datetime]:
        """The view at `at`, and until when it stays the same if nothing is added to the file.

        Until then no held fact becomes known, no text grows too old and no day begins. DataError as of
        `view`, and where there is no file.
        """
        stamp = _stamp(at)
        ends = [_stamp(datetime.combine(at.date() + timedelta(days=1), time(), at.tzinfo))]
        with self._open() as database:
            view, subjects = self._view(database, vt_symbol, at)
            for name in subjects:
                ends += database.execute(_KNOWN_NEXT, (name, stamp)).fetchone()
                (oldest,) = database.execute(
                    _OLDEST_TEXT, (name, _stamp(at - self.text_age), stamp)
                ).fetchone()
                if oldest is not None:
                    ends.append(oldest + self.text_age // timedelta(microseconds=1) + 1)
        first = min(end for end in ends if end is not None)
        return view, at + timedelta(microseconds=first - stamp)

    def _view(
        self, database: sqlite3.Connection, vt_symbol: str, at: datetime
    ) -> tuple[FactView, tuple[str, ...]]:
        """The view, and the subjects that it tells of."""
        stamp = _stamp(at)
        soon = (at.date() - PAST_EVENTS).isoformat()
        span = (_stamp(at - self.text_age), stamp)
        values = _values(database, vt_symbol, stamp)
        industry = industry_of(values)
        subjects = (vt_symbol, *((industry,) if industry else ()), MARKET_SUBJECT)
        of_market = _values(database, MARKET_SUBJECT, stamp)
        of_industry = _values(database, industry, stamp) if industry else ()
        ahead = [
            _rows(database, EventFact, _AHEAD, (vt_symbol, name, soon, stamp, MAX_EVENTS)) for name in EVENTS
        ]
        texts = _rows(database, TextFact, _RECENT, (vt_symbol, *span, MAX_TEXTS))
        absent = [_rows(database, Absence, _ABSENT, (name, stamp, MAX_ABSENCES)) for name in subjects]
        counts = [_counts(database, name, span) for name in subjects]
        events = latest_events((event for found in ahead for event in found), at)
        known: tuple[Fact, ...] = (*values, *of_market, *of_industry, *events, *texts)
        view = FactView(
            values=values,
            events=events,
            texts=tuple(texts),
            market=of_market,
            industry=of_industry,
            absences=open_absences((each for found in absent for each in found), known, at),
            text_counts=tuple(each for found in counts for each in found),
        )
        return view, subjects

    def versions(self, vt_symbol: str, metric: str, at: datetime) -> tuple[ValueFact, ...]:
        """All versions of all periods of one metric that were known at `at`, the latest period first."""
        if not self.path.exists():
            return ()
        with self._open() as database:
            return tuple(_rows(database, ValueFact, _VERSIONS, (vt_symbol, metric, _stamp(at))))

    def connect(self) -> sqlite3.Connection:
        """The file for reading, for the caller's thread. sqlite3.Error where it cannot be opened."""
        address = f"{self.path.absolute().as_uri()}?mode=ro"
        return sqlite3.connect(address, uri=True, timeout=READ_PATIENCE)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection whose reads all see the file as of the first one."""
        try:
            with closing(self.connect()) as database:
                database.execute("BEGIN")
                yield database
        except (sqlite3.Error, ValidationError) as error:
            kind = "rows that are no facts" if isinstance(error, ValidationError) else str(error)
            raise DataError(
                f"facts cannot be read from {self.path} ({kind}); import them again, or remove the file"
            ) from error


def _rows(
    database: sqlite3.Connection, kind: type[FactType], query: str, values: tuple[str | int, ...]
) -> list[FactType]:
    return [_parsed(kind, content) for (content,) in database.execute(query, values)]


@lru_cache(maxsize=2_048)
def _parsed(kind: type[FactType], content: str) -> FactType:
    """Facts never change, and those of the market are read for every symbol."""
    return kind.model_validate_json(content)


def _values(database: sqlite3.Connection, subject: str, stamp: int) -> tuple[ValueFact, ...]:
    found = [_rows(database, ValueFact, _LATEST, (subject, name, stamp)) for name in metrics_of(subject)]
    return tuple(value for values in found for value in values)


def _counts(database: sqlite3.Connection, subject: str, span: tuple[int, int]) -> list[TextCount]:
    rows = database.execute(_COUNTS, (subject, *span, MAX_COUNTS))
    return [
        TextCount(subject, kind, source, count, _EPOCH + timedelta(microseconds=newest))
        for kind, source, count, newest in rows
    ]


def _stamp(moment: datetime) -> int:
    """Microseconds since an epoch, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
