"""A clock that lives through a trading day faster than the machine, and skips what nobody needs to see.

    clock = SpeedClock(
        seven,
        (
            Pace(datetime(2025, 10, 14, 9, 10, tzinfo=MARKET_TZ), JUMP),  # the early morning takes no time
            Pace(datetime(2025, 10, 14, 11, 45, tzinfo=MARKET_TZ), 60.0),
        ),
    )
    engine.start(settings, clock)

Timers and the pauses of the quote gateway are kept at the clock's pace. What the machine does itself (model
calls, sockets, the journal's disk) takes its own seconds, so at 60 times the speed a second of computing is a
minute of the market. A jump must hold no deadline: the timetable leaves out a job that comes 15 minutes late.
"""

import math
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vnpy_aiagent.domain.clock import MARKET_TZ

JUMP = math.inf
"""The pace of a span that takes no time."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Up to a market time, so many market seconds pass in each second of the machine."""

    until: datetime
    rate: float


@dataclass(frozen=True, slots=True)
class _Span:
    wall: float  # seconds of the machine since the clock's origin
    market: float  # seconds of the market since the clock's start
    rate: float


class SpeedClock:
    """Market time by the machine's monotonic clock. Clocks of one machine with equal arguments agree."""

    def __init__(
        self,
        start: datetime,
        paces: Sequence[Pace],
        *,
        after: float = 1.0,
        origin: float | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Show `start` at the machine's moment `origin` (default: now), then follow `paces`, then `after`.

        Raises ValueError for a naive time, paces out of order, a rate of 0 or less, or an endless jump.
        """
        if start.tzinfo is None or any(pace.until.tzinfo is None for pace in paces):
            raise ValueError("a clock needs aware datetimes")
        if not 0 < after < math.inf or not all(pace.rate > 0 for pace in paces):
            raise ValueError("rates are above 0, and the last one is no jump")
        self._start = start.astimezone(MARKET_TZ)
        self._monotonic = monotonic
        self._origin = monotonic() if origin is None else origin
        self._spans = [_Span(0.0, 0.0, 1.0)]
        self._lay(paces, after)

    def now(self) -> datetime:
        """Present market time."""
        return self.at(self._monotonic())

    def at(self, moment: float) -> datetime:
        """Market time at a moment of the machine's monotonic clock."""
        return self._start + timedelta(seconds=self._market_seconds(moment))

    def steady_seconds(self) -> float:
        """Market seconds since the start, skipped ones included."""
        return self._market_seconds(self._monotonic())

    def _market_seconds(self, moment: float) -> float:
        wall = moment - self._origin
        span = self._spans[max(0, bisect_right(self._spans, wall, key=lambda span: span.wall) - 1)]
        return span.market + max(0.0, wall - span.wall) * span.rate

    def wall_seconds(self, until: datetime) -> float:
        """Seconds of the machine until the clock shows a time."""
        market = (until - self._start).total_seconds()
        place = max(0, bisect_right(self._spans, market, key=lambda span: span.market) - 1)
        span = self._spans[place]
        at = span.wall + (market - span.market) / span.rate
        if place + 1 < len(self._spans):
            at = min(at, self._spans[place + 1].wall)  # what is skipped is over when the jump is
        return at - (self._monotonic() - self._origin)

    def _lay(self, paces: Sequence[Pace], after: float) -> None:
        """Spans of one rate each; a jump is a gap between two."""
        wall = market = 0.0
        spans: list[_Span] = []
        for pace in paces:
            end = (pace.until - self._start).total_seconds()
            if end <= market:
                raise ValueError(f"the pace until {pace.until} ends before it begins")
            if pace.rate != JUMP:
                spans.append(_Span(wall, market, pace.rate))
                wall += (end - market) / pace.rate
            market = end
        self._spans = [*spans, _Span(wall, market, after)]
