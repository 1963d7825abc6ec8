"""Daily bars from whatever bars a backtester feeds: daily ones as they come, finer ones gathered by day.

A day of finer bars is complete at the bar that was the last of the days before it, or else when the next day
begins. (vnpy's BarGenerator needs a bar at one fixed minute of every day, and joins two days where it is
missing.)
"""

from collections import deque
from dataclasses import dataclass
from datetime import date, datetime, time

from vnpy.trader.constant import Interval
from vnpy.trader.object import BarData

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.domain import MARKET_TZ, BarInterval
from vnpy_aiagent.errors import ConfigError

INTERVALS = (Interval.MINUTE, Interval.HOUR, Interval.DAILY)


@dataclass(slots=True)
class DayBar:
    """One day. Prices in CNY, volume in shares."""

    day: date
    open: float
    high: float
    low: float
    close: float
    volume: float

    def extend(self, bar: BarData) -> None:
        """Take in a later bar of the same day."""
        self.high = max(self.high, bar.high_price)
        self.low = min(self.low, bar.low_price)
        self.close = bar.close_price
        self.volume += bar.volume


class DailyBars:
    """The last `keep` complete days of one symbol, and the day that is being gathered.

    `intraday` says that finer bars come; `day_began`, that the latest bar was the first of its day.
    """

    def __init__(self, vt_symbol: str, keep: int) -> None:
        """Begin empty."""
        self.vt_symbol = vt_symbol
        self.intraday = False
        self.day_began = False
        self._complete: deque[DayBar] = deque(maxlen=keep)
        self._open: DayBar | None = None
        self._latest: datetime | None = None
        self._last_start = time.min

    def __len__(self) -> int:
        """Complete days held."""
        return len(self._complete)

    @property
    def today(self) -> date:
        """Day of the latest bar; RuntimeError before the first."""
        if self._latest is None:
            raise RuntimeError("no bar has come yet")
        return self._latest.date()

    @property
    def last(self) -> DayBar:
        """The latest complete day; IndexError before the first."""
        return self._complete[-1]

    def add(self, bar: BarData) -> bool:
        """Take in a bar; whether a day has become complete. ConfigError for bars of another interval."""
        if bar.interval not in INTERVALS:
            raise ConfigError(
                "AiAgentStrategy is tested on daily, hourly or minute bars; choose one of these"
            )
        self.intraday = bar.interval is not Interval.DAILY
        start = market_time(bar.datetime)
        if self.intraday:
            return self._gather(bar, start)
        self.day_began = True
        self._complete.append(_begin(bar, start.date()))
        return True

    def _gather(self, bar: BarData, start: datetime) -> bool:
        before, self._latest = self._latest, start
        self.day_began = before is None or before.date() != start.date()
        complete = False
        if self.day_began:
            complete = self._close_day()
            self._last_start = max(self._last_start, before.time() if before else time.min)
            self._open = _begin(bar, start.date())
        elif self._open is not None:
            self._open.extend(bar)
        else:
            self._complete[-1].extend(bar)  # a print after the usual last bar
        if before is not None and start.time() >= self._last_start > time.min:
            complete = self._close_day() or complete
        return complete

    def _close_day(self) -> bool:
        if self._open is None:
            return False
        self._complete.append(self._open)
        self._open = None
        return True

    def rescale(self, factor: float) -> None:
        """Put the complete days on another price level, as after an ex-day."""
        for bar in self._complete:
            bar.open, bar.high, bar.low, bar.close = (
                price * factor for price in (bar.open, bar.high, bar.low, bar.close)
            )
            bar.volume /= factor

    def series(self) -> BarSeries:
        """Complete days as a checked series; BadRow for an impossible bar."""
        rows = [(bar.day, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in self._complete]
        return BarSeries.from_rows(self.vt_symbol, BarInterval.DAILY, rows)


def market_time(when: datetime) -> datetime:
    """Market time of a host's time; one without a zone is market time already."""
    return when.replace(tzinfo=MARKET_TZ) if when.tzinfo is None else when.astimezone(MARKET_TZ)


def _begin(bar: BarData, day: date) -> DayBar:
    return DayBar(day, bar.open_price, bar.high_price, bar.low_price, bar.close_price, bar.volume)
