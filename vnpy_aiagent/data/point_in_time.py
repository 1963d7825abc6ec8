"""Bars as they were known at a moment: the one way for tools and agents to read market data."""

from dataclasses import dataclass
from datetime import datetime

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.market_data import MarketData
from vnpy_aiagent.domain.clock import MARKET_TZ, Clock
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.errors import DataError


@dataclass(frozen=True, slots=True)
class PointInTime:
    """Market data seen through a clock. Each bar carries its availability as its end."""

    data: MarketData
    clock: Clock

    def bars(
        self, vt_symbol: str, interval: BarInterval, count: int, as_of: datetime | None = None
    ) -> BarSeries:
        """The last `count` bars that were complete at `as_of`, by default now, on the price level of its day.

        A later `as_of` than the clock, or a count below 1, raises DataError.
        """
        if count < 1:
            raise DataError(f"{count} bars were asked for; ask for at least 1")
        moment = self._moment(as_of)
        day = moment.astimezone(MARKET_TZ).date()
        return self.data.bars_on(vt_symbol, interval, day).upto(moment).tail(count)

    def available_at(self, series: BarSeries) -> datetime | None:
        """When the whole series had become available (its last bar's end), None where it is empty."""
        return series.end_of(-1) if len(series) else None

    def _moment(self, as_of: datetime | None) -> datetime:
        now = self.clock.now()
        if as_of is None:
            return now
        if as_of.tzinfo is None:
            raise DataError(
                f"the time {as_of.isoformat()} has no time zone; give it one, such as Asia/Shanghai"
            )
        if as_of > now:
            raise DataError(
                f"{as_of.isoformat()} lies after the present {now.isoformat()}; ask for an earlier time"
            )
        return as_of
