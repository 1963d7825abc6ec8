"""Sources that do as a test says, on a clock that a test moves."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.data.sources.port import BarRequest, Turn
from vnpy_aiagent.domain.clock import MARKET_TZ, VirtualClock
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.domain.text import say

NOW = datetime(2025, 11, 19, 16, tzinfo=MARKET_TZ)
REQUEST = BarRequest("600519.SSE", BarInterval.DAILY, date(2025, 11, 17), date(2025, 11, 19))


def series(request: BarRequest, now: datetime, close: float = 10.0) -> BarSeries:
    """A bar for each of the request's days that is over at `now`; intraday ones end at 10:30."""
    rows = []
    day = request.start
    while day <= request.end:
        over = datetime(day.year, day.month, day.day, 15, tzinfo=MARKET_TZ)
        if request.interval is not BarInterval.DAILY:
            over = over.replace(hour=10, minute=30)
        if over <= now:
            rows.append((over, close, close + 1, close - 1, close, 1_000.0, close * 1_000, None))
        day += timedelta(days=1)
    return BarSeries.from_rows(request.vt_symbol, request.interval, rows)


@dataclass
class Steady:
    """Seconds that pass when a test says so, and when something sleeps."""

    seconds: float = 100.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


@dataclass
class Source:
    """Answers with bars at `close`, unless it has a fault or lacks something."""

    name: str
    close: float = 10.0
    fault: Exception | None = None
    lack: AbsenceKind | None = None
    is_kept: bool = True
    asked: int = 0
    lags: int = 0
    takes: Callable[[], None] = lambda: None

    def missing(self) -> SourceAbsence | None:
        return None if self.lack is None else absence(self.name, self.lack)

    def fetch(self, request: BarRequest, now: datetime, turn: Turn) -> BarSeries:
        turn()
        self.asked += 1
        self.takes()
        if self.fault is not None:
            raise self.fault
        found = series(request, now, self.close)
        return found.slice(0, len(found) - self.lags)


def absence(source: str, kind: AbsenceKind) -> SourceAbsence:
    return SourceAbsence(source, kind, say("数据来源 {source} 恢复应答", source=f"{source} {kind.name}"))


def unreachable(source: str) -> SourceAbsence:
    return absence(source, AbsenceKind.UNREACHABLE)


def clock(now: datetime = NOW) -> VirtualClock:
    return VirtualClock(now)
