"""Trading days, and the user's file of further official years."""

import csv
import gzip
import json
import warnings
from datetime import date, timedelta
from pathlib import Path

import exchange_calendars
import pytest

from vnpy_aiagent.errors import CalendarError, ConfigError
from vnpy_aiagent.market import TradingCalendar, default_calendar

CALENDAR = default_calendar()


def year_file(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "years.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def closed_days(year: int) -> list[str]:
    """New Year's Day and two invented weeks of holidays."""
    spring, autumn = date(year, 2, 8), date(year, 10, 1)
    days = [date(year, 1, 1), *(first + timedelta(days=n) for first in (spring, autumn) for n in range(9))]
    return [day.isoformat() for day in days]


def test_the_known_days_are_those_of_the_installed_package() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package itself warns under this pandas
        official = exchange_calendars.get_calendar("XSHG", start="1999-01-01", end=CALENDAR.last.isoformat())
    assert CALENDAR.sessions(CALENDAR.first, CALENDAR.last) == [day.date() for day in official.sessions]


def test_every_day_on_which_the_index_traded_is_a_session(shared: Path) -> None:
    path = shared / "data" / "long" / "000001.SSE_index_daily.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        traded = [
            day for row in csv.DictReader(file) if (day := date.fromisoformat(row["date"])).year >= 1999
        ]
    assert traded == CALENDAR.sessions(traded[0], traded[-1])


def test_weekends_and_holidays_are_closed() -> None:
    assert CALENDAR.is_session(date(2024, 2, 8))
    assert not CALENDAR.is_session(date(2024, 2, 9))  # New Year's Eve
    assert not CALENDAR.is_session(date(2024, 2, 4))  # a Sunday on which offices worked


def test_steps_jump_over_closed_days() -> None:
    assert CALENDAR.next_session(date(2024, 2, 8)) == date(2024, 2, 19)
    assert CALENDAR.next_session(date(2024, 2, 12)) == date(2024, 2, 19)
    assert CALENDAR.previous_session(date(2024, 2, 19)) == date(2024, 2, 8)
    assert CALENDAR.previous_session(date(2024, 2, 12)) == date(2024, 2, 8)
    assert CALENDAR.session_offset(date(2024, 2, 8), 2) == date(2024, 2, 20)
    assert CALENDAR.session_offset(date(2024, 2, 8), 0) == date(2024, 2, 8)
    assert CALENDAR.session_offset(date(2024, 2, 12), 0) == date(2024, 2, 19)
    assert CALENDAR.session_offset(date(2024, 2, 19), -2) == date(2024, 2, 7)


def test_a_range_includes_both_ends_and_may_be_empty() -> None:
    assert CALENDAR.sessions(date(2024, 2, 8), date(2024, 2, 19)) == [date(2024, 2, 8), date(2024, 2, 19)]
    assert CALENDAR.sessions(date(2024, 2, 9), date(2024, 2, 18)) == []
    assert CALENDAR.sessions(date(2024, 2, 19), date(2024, 2, 8)) == []


def test_months_and_quarters_end_on_their_last_session() -> None:
    assert CALENDAR.month_end(date(2024, 3, 5)) == date(2024, 3, 29)
    assert CALENDAR.quarter_end(date(2024, 1, 2)) == date(2024, 3, 29)
    assert CALENDAR.quarter_end(date(2024, 12, 31)) == date(2024, 12, 31)
    assert CALENDAR.is_last_session_of_month(date(2024, 3, 29))
    assert not CALENDAR.is_last_session_of_month(date(2024, 3, 30))
    assert CALENDAR.is_last_session_of_quarter(date(2024, 9, 30))
    assert not CALENDAR.is_last_session_of_quarter(date(2024, 8, 30))


def test_a_week_ends_on_its_last_session() -> None:
    assert CALENDAR.is_last_session_of_week(date(2024, 1, 5))
    assert not CALENDAR.is_last_session_of_week(date(2024, 1, 4))
    assert not CALENDAR.is_last_session_of_week(date(2024, 1, 6))
    assert CALENDAR.is_last_session_of_week(date(2024, 2, 8))  # a Thursday before a holiday


def test_beyond_the_known_end_the_user_is_told_of_the_file() -> None:
    after = CALENDAR.last + timedelta(days=1)
    for ask in (
        lambda: CALENDAR.is_session(after),
        lambda: CALENDAR.next_session(CALENDAR.last),
        lambda: CALENDAR.sessions(CALENDAR.last, after),
        lambda: CALENDAR.month_end(after),
        lambda: CALENDAR.is_last_session_of_week(after),
    ):
        with pytest.raises(CalendarError, match=r"calendar\.extra_years_file"):
            ask()


def test_before_the_first_day_the_calendar_refuses() -> None:
    with pytest.raises(CalendarError, match="use a later date"):
        CALENDAR.is_session(date(1998, 12, 31))
    with pytest.raises(CalendarError, match="use a later date"):
        CALENDAR.previous_session(date(1999, 1, 4))


def test_a_file_adds_years_with_weekends_implied(tmp_path: Path) -> None:
    year = CALENDAR.last.year + 1
    calendar = TradingCalendar(
        year_file(tmp_path, {str(year): closed_days(year), str(year + 1): closed_days(year + 1)})
    )
    assert calendar.last == date(year + 1, 12, 31)
    assert not calendar.is_session(date(year, 10, 1))
    assert CALENDAR.last < calendar.next_session(CALENDAR.last) <= date(year, 1, 5)
    added = calendar.sessions(date(year, 1, 1), calendar.last)
    assert all(day.weekday() < 5 for day in added)
    assert calendar.sessions(CALENDAR.first, CALENDAR.last) == CALENDAR.sessions(
        CALENDAR.first, CALENDAR.last
    )


def test_the_last_week_of_the_known_years_can_be_judged_where_the_law_decides() -> None:
    last = CALENDAR.previous_session(CALENDAR.last)
    if CALENDAR.is_session(CALENDAR.last):
        last = CALENDAR.last
    if last.weekday() >= 3:  # Thursday: New Year's Day is the Friday
        assert CALENDAR.is_last_session_of_week(last)
    else:
        with pytest.raises(CalendarError):
            CALENDAR.is_last_session_of_week(last)


NEXT = CALENDAR.last.year + 1


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ({}, "holds no years"),
        ([], "holds no years"),
        ({"next": []}, "four digits"),
        ({str(NEXT - 1): closed_days(NEXT - 1)}, "without a gap"),
        ({str(NEXT + 1): closed_days(NEXT + 1)}, "without a gap"),
        ({str(NEXT): "2027-01-01"}, "write a list"),
        ({str(NEXT): [*closed_days(NEXT), "soon"]}, "no date"),
        ({str(NEXT): [*closed_days(NEXT), 5]}, "no date"),
        ({str(NEXT): closed_days(NEXT + 1)}, "no date"),
        ({str(NEXT): closed_days(NEXT)[:4]}, "whole list"),
        ({str(NEXT): []}, "whole list"),
    ],
)
def test_a_wrong_file_is_refused_with_what_to_do(tmp_path: Path, content: object, hint: str) -> None:
    with pytest.raises(ConfigError, match=hint):
        TradingCalendar(year_file(tmp_path, content))


def test_a_missing_or_broken_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        TradingCalendar(tmp_path / "none.json")
    broken = tmp_path / "broken.json"
    broken.write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="not valid JSON"):
        TradingCalendar(broken)
