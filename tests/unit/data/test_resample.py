"""Coarser bars from finer ones."""

from datetime import date, datetime, timedelta

import pytest

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.resample import resample
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.errors import DataError

SYMBOL = "600519.SSE"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2024, 1, day, hour, minute, tzinfo=MARKET_TZ)


def minutes(day: int = 2) -> BarSeries:
    """A whole session of one-minute bars whose close is the minute's number."""
    ends = [at(day, 9, 30) + timedelta(minutes=m) for m in range(1, 121)]
    ends += [at(day, 13) + timedelta(minutes=m) for m in range(1, 121)]
    rows = [(end, m, m + 1, m - 0.5, m, 1, 10) for m, end in enumerate(ends, 1)]
    return BarSeries.from_rows(SYMBOL, BarInterval.MINUTE, rows)


def days(*numbers: int) -> BarSeries:
    rows = [(date(2024, 1, n), 10 + n, 20 + n, 5 + n, 12 + n, n, None, 9 + n) for n in numbers]
    return BarSeries.from_rows(SYMBOL, BarInterval.DAILY, rows)


@pytest.mark.parametrize(
    ("interval", "count"),
    [
        (BarInterval.MINUTE_5, 48),
        (BarInterval.MINUTE_15, 16),
        (BarInterval.MINUTE_30, 8),
        (BarInterval.HOUR, 4),
        (BarInterval.DAILY, 1),
    ],
)
def test_a_session_has_its_number_of_bars(interval: BarInterval, count: int) -> None:
    assert len(resample(minutes(), interval)) == count


def test_hours_end_at_1030_1130_1400_and_1500() -> None:
    hours = resample(minutes(), BarInterval.HOUR)
    assert [hours.end_of(i) for i in range(4)] == [at(2, 10, 30), at(2, 11, 30), at(2, 14), at(2, 15)]
    assert [hours.start_of(i) for i in range(4)] == [at(2, 9, 30), at(2, 10, 30), at(2, 13), at(2, 14)]


def test_open_high_low_close_volume_and_turnover_come_from_the_constituents() -> None:
    hours = resample(minutes(), BarInterval.HOUR)
    assert (hours.open[1], hours.high[1], hours.low[1], hours.close[1]) == (61, 121, 60.5, 120)
    assert (hours.volume[1], hours.turnover[1]) == (60, 600)


def test_a_bar_under_construction_is_not_available() -> None:
    known = minutes().upto(at(2, 10, 29))
    assert len(resample(known, BarInterval.HOUR).upto(at(2, 10, 29))) == 0
    assert len(resample(known, BarInterval.MINUTE_15).upto(at(2, 10, 29))) == 3


def test_a_missing_last_minute_does_not_make_the_bar_available_earlier() -> None:
    series = minutes().upto(at(2, 10, 20))
    assert resample(series, BarInterval.HOUR).end_of(0) == at(2, 10, 30)


def test_a_week_ends_on_friday_and_takes_the_first_reference_price() -> None:
    weeks = resample(days(2, 3, 4, 5, 8, 9), BarInterval.WEEKLY)
    assert [weeks.end_of(i) for i in range(2)] == [at(5, 15), at(12, 15)]
    assert (weeks.open[0], weeks.close[0], weeks.high[0], weeks.low[0]) == (12, 17, 25, 7)
    assert weeks.pre_close[0] == 11
    assert len(weeks.upto(at(9, 15))) == 1


def test_a_sum_with_a_missing_value_is_missing() -> None:
    weeks = resample(days(2, 3), BarInterval.WEEKLY)
    assert weeks.records()[0]["turnover"] is None
    assert weeks.volume[0] == 5


def test_auction_bars_join_the_nearest_bar_and_delay_it() -> None:
    ends = [at(2, 9, 26), at(2, 9, 31), at(2, 15), at(2, 15, 1)]
    rows = [(end, 10 + i, 11 + i, 9, 10 + i, 1) for i, end in enumerate(ends)]
    hours = resample(BarSeries.from_rows(SYMBOL, BarInterval.MINUTE, rows), BarInterval.HOUR)
    assert len(hours) == 2
    assert (hours.start_of(0), hours.open[0]) == (at(2, 9, 25), 10)
    assert (hours.end_of(1), hours.close[1]) == (at(2, 15, 1), 13)


def test_the_same_interval_is_the_same_series() -> None:
    series = days(2)
    assert resample(series, BarInterval.DAILY) is series


def test_finer_bars_than_the_source_are_refused() -> None:
    with pytest.raises(DataError, match=r"HOUR bars of 600519.SSE cannot be made from DAILY bars"):
        resample(days(2), BarInterval.HOUR)


def test_an_empty_series_stays_empty() -> None:
    empty = resample(days(), BarInterval.WEEKLY)
    assert len(empty) == 0
    assert empty.interval is BarInterval.WEEKLY


def test_days_of_the_summer_time_of_1991_join_their_week() -> None:
    rows = [(date(1991, 6, n), 10, 11, 9, 10, 1) for n in (3, 4, 7)]
    weeks = resample(BarSeries.from_rows(SYMBOL, BarInterval.DAILY, rows), BarInterval.WEEKLY)
    assert len(weeks) == 1
    assert weeks.end_of(0) == datetime(1991, 6, 7, 15, tzinfo=MARKET_TZ)
