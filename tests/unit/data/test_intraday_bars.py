"""Hours and minutes that vnpy's database holds, beside the daily bars of a process that runs."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from vnpy.trader.constant import Exchange, Interval
from vnpy.trader.database import get_database
from vnpy.trader.object import BarData

from vnpy_aiagent.config import Settings
from vnpy_aiagent.data.intraday_bars import with_intraday
from vnpy_aiagent.data.live_bars import LiveBars
from vnpy_aiagent.data.market_data import MarketData
from vnpy_aiagent.data.vnpy_database import load_from_database, release
from vnpy_aiagent.domain import MARKET_TZ, BarInterval
from vnpy_aiagent.domain.clock import VirtualClock
from vnpy_aiagent.wiring import load_universe

SYMBOL, OTHER = "600519.SSE", "600036.SSE"
DAYS = (date(2025, 11, 18), date(2025, 11, 19))
NOON = datetime(2025, 11, 19, 13, 10, tzinfo=MARKET_TZ)
HOURS = ((9, 30), (10, 30), (13, 0), (14, 0))


@pytest.fixture
def database() -> Iterator[Any]:
    found = get_database()
    yield found
    for row in found.get_bar_overview():
        found.delete_bar_data(row.symbol, row.exchange, row.interval)
    release(found)


def stored(when: datetime, interval: Interval, close: float = 10.0) -> BarData:
    return BarData(
        gateway_name="DB",
        symbol="600519",
        exchange=Exchange.SSE,
        datetime=when,
        interval=interval,
        volume=100.0,
        turnover=1_000.0,
        open_price=close,
        high_price=close,
        low_price=close,
        close_price=close,
    )


def at(day: date, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=MARKET_TZ)


def days(database: Any) -> MarketData:
    """Two daily bars of one symbol, none of the other."""
    database.save_bar_data([stored(at(day), Interval.DAILY) for day in DAYS])
    return load_from_database([SYMBOL, OTHER], *DAYS, BarInterval.DAILY, database, may_lack=True)


def morning(day: date) -> list[BarData]:
    return [stored(at(day, 9, 30) + timedelta(minutes=n), Interval.MINUTE, 10 + n / 100) for n in range(120)]


def test_what_is_stored_is_there_and_only_what_is_complete_is_seen(database: Any) -> None:
    data = days(database)
    database.save_bar_data([stored(at(day, *time), Interval.HOUR) for day in DAYS for time in HOURS])
    database.save_bar_data([bar for day in DAYS for bar in morning(day)])
    found = with_intraday(data, DAYS[1], database)
    assert found.notes == ()
    clock = VirtualClock(NOON)
    bars = LiveBars(found, lambda: found, clock)
    hours = bars.bars(SYMBOL, BarInterval.HOUR, 240)
    assert [f"{hours.end_of(n):%d %H:%M}" for n in range(len(hours))] == [
        "18 10:30", "18 11:30", "18 14:00", "18 15:00", "19 10:30", "19 11:30",
    ]  # fmt: skip
    assert len(bars.bars(SYMBOL, BarInterval.MINUTE, 1_200)) == 240
    assert len(bars.bars(SYMBOL, BarInterval.DAILY, 10)) == 1


def test_without_any_stored_nothing_changes_and_none_are_seen(database: Any) -> None:
    data = days(database)
    found = with_intraday(data, DAYS[1], database)
    assert found.digest() == data.digest()
    bars = LiveBars(found, lambda: found, VirtualClock(NOON))
    assert len(bars.bars(SYMBOL, BarInterval.MINUTE, 10)) == len(bars.bars(OTHER, BarInterval.HOUR, 10)) == 0


def test_hours_of_another_grid_are_left_out_and_named_and_the_rest_is_used(database: Any) -> None:
    data = days(database)
    database.save_bar_data([stored(at(DAYS[0], 9, 47), Interval.HOUR)])
    database.save_bar_data(morning(DAYS[0]))
    found = with_intraday(data, DAYS[1], database)
    assert [str(note) for note in found.notes if SYMBOL in str(note)]
    assert {interval for symbol, interval in found.series if symbol == SYMBOL} == {
        BarInterval.DAILY,
        BarInterval.MINUTE,
    }


def test_the_universe_of_a_running_engine_has_them(database: Any) -> None:
    days(database)
    database.save_bar_data(morning(DAYS[0]))
    data = load_universe(Settings(universe=(SYMBOL, OTHER)), VirtualClock(NOON))
    assert len(data.bars(SYMBOL, BarInterval.MINUTE_15)) == 8
    assert (OTHER, BarInterval.MINUTE) not in data.series
