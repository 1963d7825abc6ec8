"""Bars shorter than a day that vnpy's database happens to hold, beside the daily ones of a process that runs.

They are extra: what is not there is not asked for anywhere, and stored bars that cannot be used (of another
grid of hours, or impossible) are left out and named.
"""

from dataclasses import replace
from datetime import date, timedelta

from vnpy.trader.database import BaseDatabase

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.market_data import MarketData, SeriesKey
from vnpy_aiagent.data.vnpy_database import INTERVALS, load_from_database
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.domain.text import Text, say
from vnpy_aiagent.errors import DataError

REACH = {BarInterval.HOUR: timedelta(days=120), BarInterval.MINUTE: timedelta(days=12)}
"""How far back they are loaded: enough for the bars that a decision sees, over a week of holidays."""


def with_intraday(data: MarketData, today: date, database: BaseDatabase) -> MarketData:
    """The data with the hourly and one-minute bars that are stored of its symbols up to `today`.

    A symbol without any has none, not even an empty series. `notes` names what was left out.
    """
    found: dict[SeriesKey, BarSeries] = {}
    notes: list[Text] = []
    for vt_symbol, interval in sorted(_stored(database) & _wanted(data)):
        try:
            loaded = load_from_database(
                [vt_symbol], today - REACH[interval], today, interval, database, may_lack=True
            )
        except DataError as error:
            notes.append(say("{symbol} 的分时 K 线没有使用：{error}", symbol=vt_symbol, error=error))
            continue
        found |= {key: series for key, series in loaded.series.items() if len(series)}
    return replace(data, series={**data.series, **found}, notes=(*data.notes, *notes))


def _stored(database: BaseDatabase) -> set[SeriesKey]:
    """What the database says that it holds."""
    names = {theirs: ours for ours, theirs in INTERVALS.items() if ours in REACH}
    return {
        (f"{each.symbol}.{each.exchange.name}", names[each.interval])
        for each in database.get_bar_overview()
        if each.interval in names and each.exchange is not None
    }


def _wanted(data: MarketData) -> set[SeriesKey]:
    """Those of symbols that have daily bars: ex-days are found by these."""
    daily = [
        vt_symbol
        for (vt_symbol, each), bars in data.series.items()
        if each is BarInterval.DAILY and len(bars)
    ]
    return {(vt_symbol, interval) for vt_symbol in daily for interval in REACH}
