"""One row of the table of datasets: what is asked, of whom, in which units, and when it is known."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum, auto
from typing import Any, Literal

from vnpy_aiagent.data.fact_sources.rows import Row, end_of
from vnpy_aiagent.data.facts import EventFact, TextFact, ValueFact
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.market import TradingCalendar

Found = ValueFact | EventFact | TextFact
Tables = Sequence[Sequence[Row]]
Arguments = Mapping[str, str]
SESSION_OPEN = time(9, 30)
CLOSED_BY = time(16, 0)
"""From then on the figures of a session are complete."""


class Scope(Enum):
    """What one request covers."""

    SYMBOL = auto()  # one share
    TABLE = auto()  # all shares at once
    MARKET = auto()  # the market as a whole
    INDUSTRY = auto()  # all industries at once


class Known(Enum):
    """How the moment is set from which on a row counts as known."""

    PUBLISHED = auto()  # the end of the day in its column of publication; where that is empty, FETCHED
    STATED = auto()  # the time in its column of publication
    NEXT_SESSION = auto()  # 09:30 of the session after the row's day
    DAY_END = auto()  # the end of the row's day, which must be over (16:00) when it is fetched
    FETCHED = auto()  # the moment at which it was fetched: history counts from then on alone


@dataclass(frozen=True, slots=True)
class Ask:
    """One question: whose facts, and when it is asked. `fetched_at` is when the tables were fetched."""

    now: datetime
    calendar: TradingCalendar
    symbols: tuple[str, ...] = ()
    fetched_at: datetime | None = None

    @property
    def seen(self) -> datetime:
        """When the tables in hand were fetched."""
        return self.fetched_at or self.now

    @property
    def symbol(self) -> str:
        """The one symbol of a question of Scope.SYMBOL."""
        return self.symbols[0]

    @property
    def code(self) -> str:
        """Its six digits."""
        return self.symbol.partition(".")[0]

    def last_session(self, before: time = CLOSED_BY) -> date:
        """The last session that is over; today's from `before` on."""
        today = self.now.date()
        if self.calendar.is_session(today) and self.now.time() >= before:
            return today
        return self.calendar.previous_session(today)

    def quarters(self, count: int) -> list[date]:
        """The last quarter ends before today, the latest first."""
        year, month = self.now.year, (self.now.month - 1) // 3 * 3
        found: list[date] = []
        while len(found) < count:
            if month == 0:
                year, month = year - 1, 12
            found.append(date(year, month, 31 if month in (3, 12) else 30))
            month -= 3
        return found


@dataclass(frozen=True, slots=True)
class Call:
    """One function and the columns that its documentation names, with their units as documented.

    `arguments` gives one mapping a request. Rows carry them as `@name`.
    """

    function: str
    columns: Mapping[str, str]
    arguments: Callable[[Ask], Sequence[Arguments]] = lambda _: ({},)


@dataclass(frozen=True, slots=True)
class Dataset:
    """One row of the table.

    gives: values, events and kinds of texts. fresh: for how long an answer is not asked for again. fallow:
    from which age of its newest row on a source counts as having stopped. covers: of which shares it tells.
    optional: what simply does not happen to most shares, so that its lack is not worth a word.
    """

    name: str
    source: str
    provider: Literal["akshare", "tushare", "site"]
    scope: Scope
    calls: tuple[Call, ...]
    gives: tuple[str, ...]
    known: Known
    read: Callable[[Tables, Ask, "Dataset"], Iterator[Found]]
    fresh: timedelta = timedelta(hours=8)
    fallow: timedelta | None = None
    covers: Callable[[str], bool] = lambda _: True
    optional: tuple[str, ...] = ()
    note: str = ""

    def known_at(self, ask: Ask, *, of: date | None = None, published: date | None = None) -> datetime | None:
        """When a row counts as known; None where the day that it describes is not over yet."""
        if self.known is Known.FETCHED:
            return ask.seen
        if self.known is Known.PUBLISHED:
            return end_of(published) if published is not None else ask.seen
        if of is None:
            return None
        if self.known is Known.NEXT_SESSION:
            return datetime.combine(ask.calendar.next_session(of), SESSION_OPEN, MARKET_TZ)
        return end_of(of) if ask.seen >= datetime.combine(of, CLOSED_BY, MARKET_TZ) else None


@dataclass(frozen=True, slots=True)
class Family:
    """Datasets that stand in for each other, the preferred one first; `name` is the user's word for them."""

    name: str
    datasets: tuple[Dataset, ...]
    gives: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """All that any of them gives."""
        gives = dict.fromkeys(item for dataset in self.datasets for item in dataset.gives)
        object.__setattr__(self, "gives", tuple(gives))

    @property
    def scope(self) -> Scope:
        """Whom its facts are about."""
        return self.datasets[0].scope

    @property
    def optional(self) -> frozenset[str]:
        """What need not be there."""
        return frozenset(item for dataset in self.datasets for item in dataset.optional)


def compact(on: date) -> str:
    """A day as sources want it: 20251030."""
    return f"{on:%Y%m%d}"


def by_symbol(**arguments: Callable[[Ask], str]) -> Callable[[Ask], Sequence[dict[str, Any]]]:
    """Arguments of one request, each made of the question."""
    return lambda ask: ({name: make(ask) for name, make in arguments.items()},)
