"""Notes beside the cache: how each source stands, and where the bars that were stored came from.

`aiagent doctor` and `aiagent data sources` read here what the running process and earlier downloads wrote.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.sources.file import opened
from vnpy_aiagent.data.sources.health import SourceHealth
from vnpy_aiagent.data.sources.port import Provenance, one_line_english
from vnpy_aiagent.domain.clock import MARKET_TZ

_SCHEMA = """
CREATE TABLE IF NOT EXISTS health (source TEXT PRIMARY KEY, at TEXT NOT NULL, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS origins (
    vt_symbol TEXT NOT NULL,
    interval TEXT NOT NULL,
    source TEXT NOT NULL,
    first TEXT NOT NULL,
    last TEXT NOT NULL,
    bars INTEGER NOT NULL,
    provenance TEXT NOT NULL,
    PRIMARY KEY (vt_symbol, interval, source)
);
"""


@dataclass(frozen=True, slots=True)
class HealthNote:
    """A source as a process saw it at `at`; `reason` in English, empty where it answered last."""

    source: str
    at: datetime
    score: float
    healthy: bool
    reason: str


def note_of(state: SourceHealth, at: datetime) -> HealthNote:
    """A source's health as a note."""
    return HealthNote(
        source=state.source,
        at=at.astimezone(MARKET_TZ),
        score=round(state.score, 3),
        healthy=state.is_healthy and state.reason is None,
        reason=one_line_english(state.reason) if state.reason else "",
    )


@dataclass(frozen=True, slots=True)
class Origin:
    """The last download of a symbol from one source: first and last day, bars, and provenance."""

    vt_symbol: str
    interval: str
    source: str
    first: date
    last: date
    bars: int
    provenance: dict[str, Any]


class SourceNotebook:
    """The file. Each call opens and closes it; DataError where that fails."""

    def __init__(self, path: Path) -> None:
        """Nothing is written before the first note."""
        self.path = path

    def note_health(self, states: Iterable[SourceHealth], at: datetime) -> None:
        """Keep how sources stand, in place of the notes before."""
        notes = [note_of(state, at) for state in states]
        rows = [
            (
                note.source,
                note.at.isoformat(),
                json.dumps({"score": note.score, "healthy": note.healthy, "reason": note.reason}),
            )
            for note in notes
        ]
        with opened(self.path, _SCHEMA) as database, database:
            database.executemany("INSERT OR REPLACE INTO health VALUES (?, ?, ?)", rows)

    def health(self) -> tuple[HealthNote, ...]:
        """The notes, by source."""
        if not self.path.exists():
            return ()
        with opened(self.path, _SCHEMA) as database:
            rows = database.execute("SELECT source, at, state FROM health ORDER BY source").fetchall()
            return tuple(
                HealthNote(source, datetime.fromisoformat(at), **json.loads(state))
                for source, at, state in rows
            )

    def note_origin(self, bars: BarSeries, provenance: Provenance) -> None:
        """Keep where a stored series came from."""
        if not len(bars):
            return
        row = (
            bars.vt_symbol,
            bars.interval.name,
            provenance.source,
            bars.day_of(0).isoformat(),
            bars.day_of(-1).isoformat(),
            len(bars),
            json.dumps(provenance.facts(), ensure_ascii=False),
        )
        with opened(self.path, _SCHEMA) as database, database:
            database.execute("INSERT OR REPLACE INTO origins VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def origins(self) -> tuple[Origin, ...]:
        """All notes, by symbol, interval and source."""
        if not self.path.exists():
            return ()
        with opened(self.path, _SCHEMA) as database:
            rows = database.execute(
                "SELECT vt_symbol, interval, source, first, last, bars, provenance FROM origins "
                "ORDER BY vt_symbol, interval, source"
            ).fetchall()
            return tuple(
                Origin(
                    row[0],
                    row[1],
                    row[2],
                    date.fromisoformat(row[3]),
                    date.fromisoformat(row[4]),
                    row[5],
                    json.loads(row[6]),
                )
                for row in rows
            )
