"""Bars into and out of vnpy's own database, so that VeighNa's apps and this one share their history.

vnpy dates a daily bar at 00:00 and an intraday bar at its start. It stores no missing values: a missing
turnover is saved as 0 and read back as missing. Weekly bars are made from daily ones.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta

import numpy as np
from vnpy.trader.constant import Exchange, Interval
from vnpy.trader.database import DB_TZ, BaseDatabase
from vnpy.trader.object import BarData

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.market_data import Instrument, MarketData, SeriesKey
from vnpy_aiagent.data.symbols import parse_symbol
from vnpy_aiagent.data.times import INTRADAY_SECONDS
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.errors import DataError

Progress = Callable[[int, int], None]

INTERVALS = {
    BarInterval.MINUTE: Interval.MINUTE,
    BarInterval.HOUR: Interval.HOUR,
    BarInterval.DAILY: Interval.DAILY,
}
# These drivers read a stored wall time of DB_TZ as if it were of the machine's own zone (vnpy_sqlite 1.1.3,
# vnpy_postgresql 1.1.2: datetime.fromtimestamp(row.datetime.timestamp(), DB_TZ)).
_MISREADS_ZONE = ("vnpy_sqlite", "vnpy_postgresql")


def import_market_data(data: MarketData, database: BaseDatabase, progress: Progress | None = None) -> int:
    """Save all bars of all instruments (not indices) and return how many; existing ones are replaced.

    `progress` is called with bars done and bars in all after each series. Bars of 5, 15 or 30 minutes,
    which vnpy's database does not know, and a refused save raise DataError.
    """
    unknown = sorted({interval.name for _, interval in data.series if interval not in INTERVALS})
    if unknown:
        raise DataError(
            f"vnpy's database has no place for {', '.join(unknown)} bars; "
            "import bars of MINUTE, HOUR or DAILY"
        )
    total = sum(len(series) for series in data.series.values())
    done = 0
    for _, series in sorted(data.series.items()):
        if not len(series):
            continue
        if not database.save_bar_data(list(to_vnpy_bars(series))):
            raise DataError(
                f"vnpy's database refused the bars of {series.vt_symbol}; check its settings and disk"
            )
        done += len(series)
        if progress is not None:
            progress(done, total)
    return done


def to_vnpy_bars(series: BarSeries, gateway_name: str = "DB") -> Iterator[BarData]:
    """New BarData objects (vnpy_sqlite changes those that it is given), times in Asia/Shanghai."""
    symbol, _, exchange = series.vt_symbol.rpartition(".")
    daily = series.interval is BarInterval.DAILY
    columns = (series.volume, series.turnover, series.open, series.high, series.low, series.close)
    cells = zip(*(np.nan_to_num(column, nan=0.0).tolist() for column in columns), strict=True)
    for index, (volume, turnover, open_price, high, low, close) in enumerate(cells):
        start = series.start_of(index)
        yield BarData(
            gateway_name=gateway_name,
            symbol=symbol,
            exchange=Exchange[exchange],
            datetime=start.replace(hour=0, minute=0) if daily else start,
            interval=INTERVALS[series.interval],
            volume=volume,
            turnover=turnover,
            open_price=open_price,
            high_price=high,
            low_price=low,
            close_price=close,
        )


def release(database: BaseDatabase) -> None:
    """Close the connection that vnpy's SQL drivers opened for the calling thread, before the thread ends."""
    connection = getattr(database, "db", None)
    if connection is not None:
        connection.close()


def load_from_database(
    vt_symbols: Sequence[str],
    start: date,
    end: date,
    interval: BarInterval,
    database: BaseDatabase,
    *,
    may_lack: bool = False,
) -> MarketData:
    """Load bars from `start` to `end`, both days included.

    WEEKLY loads daily bars, 5 to 30 minutes load one-minute bars; `MarketData.bars` makes the rest. A symbol
    without bars raises DataError, or is kept with an empty series where it `may_lack` them; an impossible
    stored bar raises BadRow.
    """
    stored = _stored_interval(interval)
    series: dict[SeriesKey, BarSeries] = {}
    for vt_symbol in sorted({parse_symbol(text) for text in vt_symbols}):
        rows = [row for row in _rows(vt_symbol, start, end, stored, database) if start <= _day(row[0]) <= end]
        if not rows and not may_lack:
            raise DataError(
                f"vnpy's database has no {stored} bars of {vt_symbol} from {start} to {end}; "
                "import them with `aiagent data import` or `aiagent data download`"
            )
        series[vt_symbol, stored] = BarSeries.from_rows(
            vt_symbol, stored, rows, source=f"vnpy's database, {vt_symbol}"
        )
    return MarketData(
        source="vnpy database", instruments={s: Instrument(s) for s, _ in series}, series=series
    )


def _stored_interval(interval: BarInterval) -> BarInterval:
    if interval in INTERVALS:
        return interval
    return BarInterval.DAILY if interval is BarInterval.WEEKLY else BarInterval.MINUTE


def _day(when: datetime) -> date:
    """Day of a bar from its end time."""
    return when.date()


def _rows(
    vt_symbol: str, start: date, end: date, interval: BarInterval, database: BaseDatabase
) -> Iterator[tuple[datetime, float, float, float, float, float, float | None]]:
    """Stored bars as rows of BarSeries.from_rows, from a day before to a day after the range.

    The margin covers drivers that compare stored times with the bounds as text.
    """
    symbol, _, exchange = vt_symbol.rpartition(".")
    length = timedelta(seconds=INTRADAY_SECONDS.get(interval, 0))
    bars = database.load_bar_data(
        symbol,
        Exchange[exchange],
        INTERVALS[interval],
        datetime.combine(start - timedelta(days=1), time(0), MARKET_TZ),
        datetime.combine(end + timedelta(days=2), time(0), MARKET_TZ),
    )
    for bar in bars:
        when = _market_time(bar.datetime, database) + length
        turnover = None if bar.turnover == 0 and bar.volume > 0 else bar.turnover
        yield (when, bar.open_price, bar.high_price, bar.low_price, bar.close_price, bar.volume, turnover)


def _market_time(when: datetime, database: BaseDatabase) -> datetime:
    """A loaded bar's time in Asia/Shanghai, with the drivers' misreading of the zone undone."""
    if when.tzinfo is None:
        return when.replace(tzinfo=DB_TZ).astimezone(MARKET_TZ)
    if type(database).__module__.startswith(_MISREADS_ZONE):
        return when.astimezone().replace(tzinfo=DB_TZ).astimezone(MARKET_TZ)
    return when.astimezone(MARKET_TZ)
