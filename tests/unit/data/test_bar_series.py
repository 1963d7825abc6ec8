"""BarSeries: construction, cuts in time, records."""

import json
import pickle
from datetime import UTC, date, datetime
from math import nan

import numpy as np
import pytest

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.errors import BadRow, DataError

SYMBOL = "600519.SSE"


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2024, 1, day, hour, minute, second, tzinfo=MARKET_TZ)


def daily(days: int = 4) -> BarSeries:
    rows = [(date(2024, 1, 2 + i), 10 + i, 11 + i, 9 + i, 10.5 + i, 100.0 * (i + 1)) for i in range(days)]
    return BarSeries.from_rows(SYMBOL, BarInterval.DAILY, rows)


def hourly() -> BarSeries:
    ends = [at(2, 10, 30), at(2, 11, 30), at(2, 14), at(2, 15)]
    return BarSeries.from_rows(SYMBOL, BarInterval.HOUR, [(end, 10, 11, 9, 10, 100) for end in ends])


def test_a_daily_bar_starts_at_0930_and_ends_at_1500_shanghai_time() -> None:
    series = daily()
    assert series.start_of(0) == at(2, 9, 30)
    assert series.end_of(0) == at(2, 15)
    assert series.day_of(0) == date(2024, 1, 2)
    assert series.day_of(-1) == date(2024, 1, 5)


def test_hourly_bars_respect_the_lunch_break() -> None:
    series = hourly()
    assert [series.start_of(i) for i in range(4)] == [at(2, 9, 30), at(2, 10, 30), at(2, 13), at(2, 14)]


def test_summer_time_of_1991_is_known() -> None:
    series = BarSeries.from_rows(SYMBOL, BarInterval.DAILY, [(date(1991, 6, 6), 10, 11, 9, 10, 1)])
    assert series.end_of(0).astimezone(UTC).hour == 6
    assert series.end_of(0).hour == 15


def test_upto_includes_a_bar_from_its_end_on() -> None:
    series = daily()
    assert len(series.upto(at(3, 14, 59, 59))) == 1
    assert len(series.upto(at(3, 15))) == 2
    assert len(series.upto(at(1, 15))) == 0


def test_upto_understands_other_time_zones() -> None:
    assert len(daily().upto(datetime(2024, 1, 3, 7, 0, tzinfo=UTC))) == 2


def test_upto_with_a_naive_time_is_refused() -> None:
    with pytest.raises(DataError, match="no time zone"):
        daily().upto(datetime(2024, 1, 3, 15))  # noqa: DTZ001


def test_upto_gives_views_and_not_copies() -> None:
    series = daily()
    assert np.shares_memory(series.close, series.upto(at(3, 15)).close)


def test_tail_gives_the_last_bars_or_all_of_them() -> None:
    assert daily().tail(2).day_of(0) == date(2024, 1, 4)
    assert len(daily().tail(99)) == 4
    assert len(daily().tail(0)) == 0


def test_between_holds_whole_bars_only() -> None:
    cut = daily().between(at(3, 9, 30), at(4, 15))
    assert [cut.day_of(i).day for i in range(len(cut))] == [3, 4]
    assert len(daily().between(at(3, 9, 30, 1), at(4, 14))) == 0
    assert len(daily().between(at(4, 15), at(3, 9))) == 0


def test_between_leaves_out_a_bar_that_started_a_moment_earlier() -> None:
    assert len(daily().between(at(5, 9, 30).replace(microsecond=1), at(5, 15))) == 0


def test_arrays_are_read_only_also_after_a_copy_through_pickle() -> None:
    series = daily()
    for held in (series, series.tail(1), pickle.loads(pickle.dumps(series))):
        with pytest.raises(ValueError, match="read-only"):
            held.close[0] = 1.0


def test_records_are_json_with_none_for_missing_values() -> None:
    record = json.loads(json.dumps(daily(1).records(), allow_nan=False))[0]
    assert record == {
        "start": "2024-01-02T09:30:00+08:00",
        "end": "2024-01-02T15:00:00+08:00",
        "open": 10.0,
        "high": 11.0,
        "low": 9.0,
        "close": 10.5,
        "volume": 100.0,
        "turnover": None,
        "pre_close": None,
    }


def test_optional_cells_are_kept_where_given() -> None:
    row = (date(2024, 1, 2), 10, 11, 9, 10, 100, 1000.5, 9.9)
    series = BarSeries.from_rows(SYMBOL, BarInterval.DAILY, [row])
    assert (series.turnover[0], series.pre_close[0]) == (1000.5, 9.9)


def test_no_rows_give_an_empty_series() -> None:
    series = BarSeries.from_rows(SYMBOL, BarInterval.DAILY, [])
    assert len(series) == 0
    assert series.records() == []
    assert len(series.upto(at(2, 15))) == 0


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ((10, 9, 9.5, 9.2, 1), "high 9.0 is below low 9.5"),
        ((12, 11, 9, 10, 1), "open 12.0 lies outside low 9.0 to high 11.0"),
        ((10, 11, 9, 8, 1), "close 8.0 lies outside"),
        ((nan, 11, 9, 10, 1), "open nan is not a finite number"),
        ((0, 11, 0, 10, 1), "open 0.0 is not above zero"),
        ((-1, 11, -1, 10, 1), "open -1.0 is not above zero"),
        ((10, float("inf"), 9, 10, 1), "high inf is not a finite number"),
        ((10, 11, 9, 10, -5), "volume -5.0 is negative"),
        ((10, 11, 9, 10, None), "volume nan is not a finite number"),
        ((10, 11, 9, 10, 1, -1), "turnover -1.0"),
        ((10, 11, 9, 10, 1, 1, 0), "pre_close 0.0"),
        (("ten", 11, 9, 10, 1), "could not convert"),
    ],
)
def test_an_impossible_row_is_named_with_its_number(row: tuple[object, ...], text: str) -> None:
    good = (date(2024, 1, 2), 10, 11, 9, 10, 1)
    with pytest.raises(BadRow) as caught:
        BarSeries.from_rows(SYMBOL, BarInterval.DAILY, [good, (date(2024, 1, 3), *row)], source="x.csv")
    assert str(caught.value).startswith("x.csv, line 2: ")
    assert text in str(caught.value)


def test_duplicates_and_unsorted_rows_are_told_apart() -> None:
    def rows(*days: int) -> list[tuple[object, ...]]:
        return [(date(2024, 1, day), 10, 11, 9, 10, 1) for day in days]

    with pytest.raises(BadRow, match=r"line 3: a second bar of 600519.SSE at the same time on 2024-01-03"):
        BarSeries.from_rows(SYMBOL, BarInterval.DAILY, rows(2, 3, 3))
    with pytest.raises(BadRow, match=r"line 3: the bar of 600519.SSE on 2024-01-02 is older"):
        BarSeries.from_rows(SYMBOL, BarInterval.DAILY, rows(3, 4, 2))


def test_an_hourly_bar_off_the_grid_is_refused() -> None:
    with pytest.raises(BadRow, match="2024-01-02 12:30 is not the end of a bar of 60 minutes"):
        BarSeries.from_rows(SYMBOL, BarInterval.HOUR, [(at(2, 12, 30), 10, 11, 9, 10, 1)])


def test_weekly_rows_are_refused() -> None:
    with pytest.raises(BadRow, match="weekly bars are made from daily ones"):
        BarSeries.from_rows(SYMBOL, BarInterval.WEEKLY, [(date(2024, 1, 2), 10, 11, 9, 10, 1)])


def test_an_intraday_bar_needs_its_time() -> None:
    with pytest.raises(BadRow, match="needs its end time"):
        BarSeries.from_rows(SYMBOL, BarInterval.HOUR, [(date(2024, 1, 2), 10, 11, 9, 10, 1)])


def test_columns_of_different_length_are_refused() -> None:
    good = daily()
    with pytest.raises(DataError, match="differ in length"):
        BarSeries(SYMBOL, BarInterval.DAILY, good.start, good.end[:1], *[good.open] * 7)
