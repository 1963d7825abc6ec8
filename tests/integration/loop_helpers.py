"""Whole simulations on real data, read back from their journals; runs with equal arguments are shared."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from vnpy_aiagent.config import Settings, load_settings
from vnpy_aiagent.data import MarketData, load_folder
from vnpy_aiagent.domain import BarInterval, Message, Mode, parse_message
from vnpy_aiagent.simulation import Simulation, SimulationResult
from vnpy_aiagent.store.journal import Entry, JournalReader

MOUTAI = "600519.SSE"
TEN = (
    MOUTAI,
    "600150.SSE",
    "600406.SSE",
    "601012.SSE",
    "601088.SSE",
    "601225.SSE",
    "601600.SSE",
    "601857.SSE",
    "601888.SSE",
    "601988.SSE",
)


@dataclass(frozen=True)
class Played:
    """A finished run: its journal's entries, and the messages in them."""

    simulation: Simulation
    result: SimulationResult
    entries: tuple[Entry, ...]
    messages: dict[str, Message]

    def of(self, kind: type[Message]) -> list[Any]:
        """All messages of a kind, in order."""
        return [message for message in self.messages.values() if isinstance(message, kind)]

    def chain(self, message: Message) -> list[Message]:
        """What led to a message, oldest first, itself last."""
        found = [message]
        while found[-1].cause is not None:
            found.append(self.messages[found[-1].cause])
        return found[::-1]


@cache
def sse50(shared: Path, *, hourly: bool = False) -> MarketData:
    """The fifty symbols."""
    frequency = BarInterval.HOUR if hourly else BarInterval.DAILY
    return load_folder(shared / "data" / "sse50", frequency=frequency)


def settings(**overrides: Any) -> Settings:
    """Settings of a simulation."""
    return load_settings(mode=Mode.SIMULATION, language="zh", **overrides)


def fresh_journal() -> Path:
    """A path where no journal is yet, in the tests' own folder, which is removed at the end."""
    return Path(tempfile.mkdtemp(prefix="run-", dir=Path.cwd())) / "journal.db"


def play(
    data: MarketData,
    *,
    prepare: Callable[[Simulation], None] | None = None,
    settings: Settings | None = None,
    **arguments: Any,
) -> Played:
    """Run a simulation to its end; `prepare` may set timers and models before."""
    journal = fresh_journal()
    simulation = Simulation(data, settings or globals()["settings"](), journal, **arguments)
    if prepare is not None:
        prepare(simulation)
    result = simulation.run()
    return Played(simulation, result, *read(journal))


def read(journal: Path) -> tuple[tuple[Entry, ...], dict[str, Message]]:
    """Entries and messages of a journal."""
    with JournalReader.open(journal) as reader:
        entries = tuple(reader.read())
    return entries, {entry.id: parse_message(entry.kind, entry.body) for entry in entries}


@cache
def year(shared: Path) -> Played:
    """Ten symbols, all of 2025, daily bars."""
    return play(sse50(shared).restrict(TEN))


@cache
def hours(shared: Path) -> Played:
    """Ten symbols, some weeks of hourly bars."""
    return play(sse50(shared, hourly=True).restrict(TEN), frequency=BarInterval.HOUR)


def days(start: date, end: date) -> Iterator[date]:
    """Every day from start to end inclusive."""
    while start <= end:
        yield start
        start += timedelta(days=1)


def at(entry: Entry) -> datetime:
    """An entry's market time."""
    return datetime.fromisoformat(entry.at)
