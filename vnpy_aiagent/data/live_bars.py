"""Bars for a process that runs for days: loaded again while it runs, swapped whole."""

from collections.abc import Callable
from datetime import datetime
from threading import Lock

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.intraday_bars import REACH
from vnpy_aiagent.data.market_data import MarketData
from vnpy_aiagent.data.point_in_time import PointInTime
from vnpy_aiagent.domain.clock import Clock
from vnpy_aiagent.domain.enums import BarInterval


class LiveBars:
    """Point-in-time bars over data that `refresh` loads anew. Reading never waits for loading."""

    def __init__(self, data: MarketData, load: Callable[[], MarketData], clock: Clock) -> None:
        """`load` reads the present data, which may take seconds; it runs in the caller of `refresh`."""
        self._load = load
        self._clock = clock
        self._current = PointInTime(data, clock)
        self._loading = Lock()

    def bars(self, vt_symbol: str, interval: BarInterval, count: int) -> BarSeries:
        """The last `count` bars that are complete now; none of an intraday interval that is not stored."""
        if interval in REACH and (vt_symbol, interval) not in self._current.data.series:
            return BarSeries.from_rows(vt_symbol, interval, [], source=self._current.data.source)
        return self._current.bars(vt_symbol, interval, count)

    def refresh(self) -> None:
        """Load and swap; the old data stays where loading raises."""
        with self._loading:
            self._current = PointInTime(self._load(), self._clock)

    @property
    def data(self) -> MarketData:
        """The data in use now."""
        return self._current.data

    def newest(self) -> datetime | None:
        """When the newest daily bar of any symbol became available, None without bars."""
        data = self._current.data
        ends = [
            series.end_of(-1)
            for (_, interval), series in data.series.items()
            if interval is BarInterval.DAILY and len(series)
        ]
        return max(ends, default=None)
