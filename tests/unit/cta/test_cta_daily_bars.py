"""Days are gathered from finer bars without a fixed closing minute."""

from datetime import date, datetime
from types import SimpleNamespace

import pytest
from vnpy.trader.constant import Interval

from vnpy_aiagent.cta.daily_bars import DailyBars
from vnpy_aiagent.domain import MARKET_TZ
from vnpy_aiagent.errors import BadRow, ConfigError

FLAT = (10.0, 10.0, 10.0, 10.0)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2024, 1, day, hour, minute, tzinfo=MARKET_TZ)


def feed(lab: SimpleNamespace, days: DailyBars, *moments: datetime) -> list[bool]:
    return [days.add(lab.bar(when, FLAT, Interval.HOUR)) for when in moments]


def test_a_daily_bar_is_a_complete_day(lab):
    days = DailyBars("600000.SSE", 10)
    assert days.add(lab.bar(at(2, 0), (10, 12, 9, 11), Interval.DAILY))
    assert (days.last.day, days.last.open, days.last.close) == (date(2024, 1, 2), 10, 11)
    assert not days.intraday


def test_the_first_day_of_finer_bars_is_complete_when_the_next_begins(lab):
    days = DailyBars("600000.SSE", 10)
    assert feed(lab, days, at(2, 9, 30), at(2, 14)) == [False, False]
    assert feed(lab, days, at(3, 9, 30)) == [True]
    assert days.last.day == date(2024, 1, 2)


def test_later_days_are_complete_at_the_bar_that_was_the_last_before(lab):
    days = DailyBars("600000.SSE", 10)
    feed(lab, days, at(2, 9, 30), at(2, 14))
    assert feed(lab, days, at(3, 9, 30), at(3, 13), at(3, 14)) == [True, False, True]
    assert feed(lab, days, at(4, 9, 30), at(4, 14)) == [False, True]


def test_a_day_that_ends_early_is_complete_when_the_next_begins(lab):
    days = DailyBars("600000.SSE", 10)
    feed(lab, days, at(2, 9, 30), at(2, 14), at(3, 9, 30), at(3, 14))
    assert feed(lab, days, at(4, 9, 30), at(4, 10, 30)) == [False, False]
    assert feed(lab, days, at(5, 9, 30), at(5, 14)) == [True, True]
    assert [row["start"][:10] for row in days.series().records()] == [
        "2024-01-02",
        "2024-01-03",
        "2024-01-04",
        "2024-01-05",
    ]


def test_a_print_after_the_usual_last_bar_belongs_to_its_day(lab):
    days = DailyBars("600000.SSE", 10)
    feed(lab, days, at(2, 9, 30), at(2, 14), at(3, 9, 30), at(3, 14))
    assert not days.add(lab.bar(at(3, 15), (12, 12, 12, 12), Interval.HOUR))
    assert (days.last.day, days.last.close, days.last.high, len(days)) == (date(2024, 1, 3), 12, 12, 2)


def test_a_gathered_day_has_the_first_open_and_the_last_close(lab):
    days = DailyBars("600000.SSE", 10)
    days.add(lab.bar(at(2, 9, 30), (10, 11, 9.5, 10.5), Interval.HOUR, 100))
    days.add(lab.bar(at(2, 14), (10.5, 10.8, 9, 9.2), Interval.HOUR, 50))
    feed(lab, days, at(3, 9, 30))
    last = days.last
    assert (last.open, last.high, last.low, last.close, last.volume) == (10, 11, 9, 9.2, 150)


def test_the_first_bar_of_a_day_is_told(lab):
    days = DailyBars("600000.SSE", 10)
    told = []
    for when in (at(2, 9, 30), at(2, 14), at(3, 9, 30), at(3, 10, 30)):
        feed(lab, days, when)
        told.append(days.day_began)
    assert told == [True, False, True, False]


def test_only_so_many_days_are_kept(lab):
    days = DailyBars("600000.SSE", 3)
    for day in range(2, 12):
        days.add(lab.bar(at(day, 0), FLAT, Interval.DAILY))
    assert len(days.series()) == 3


def test_a_time_in_another_zone_is_taken_at_its_market_day(lab):
    days = DailyBars("600000.SSE", 3)
    days.add(lab.bar(datetime.fromisoformat("2024-01-01T16:00:00+00:00"), FLAT, Interval.DAILY))
    assert days.last.day == date(2024, 1, 2)


def test_bars_of_another_interval_are_refused_with_what_to_do(lab):
    with pytest.raises(ConfigError, match="daily, hourly or minute"):
        DailyBars("600000.SSE", 3).add(lab.bar(at(2, 0), FLAT, Interval.WEEKLY))


def test_an_impossible_bar_is_refused_when_the_days_are_read(lab):
    days = DailyBars("600000.SSE", 3)
    days.add(lab.bar(at(2, 0), (10, 9, 11, 10), Interval.DAILY))
    with pytest.raises(BadRow, match="below low"):
        days.series()
