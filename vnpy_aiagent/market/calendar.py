"""Trading days of the Chinese stock exchanges.

Closed days come from exchange_calendars' Shanghai calendar (the exchanges share it), which holds whole
official years; nothing is guessed beyond them. A user adds an official year by a JSON file, named by the
setting `calendar.extra_years_file`, that lists its closed days; weekends are implied:

    {"2027": ["2027-01-01", "2027-02-05", "2027-02-08"]}
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

from exchange_calendars.exchange_calendar_xshg import XSHGExchangeCalendar

from vnpy_aiagent.errors import CalendarError, ConfigError

FIRST = date(1999, 1, 1)
FEWEST_CLOSED_DAYS = 10
_DAY = timedelta(days=1)
_SATURDAY = 5


class TradingCalendar:
    """Trading days from `first` to `last`; every question beyond them raises CalendarError."""

    def __init__(self, extra_years: Path | None = None) -> None:
        """Read the package's official years and the user's file. ConfigError where the file is wrong."""
        closed, self.last = _official()
        self.first = FIRST
        if extra_years is not None:
            added = _extra_years(extra_years, self.last.year)
            closed = closed.union(*added.values())
            self.last = date(max(added, default=self.last.year), 12, 31)
        self._days = [day for day in _weekdays(self.first, self.last) if day not in closed]
        self._set = frozenset(self._days)

    def is_session(self, day: date) -> bool:
        """Whether the exchanges trade on a day."""
        self._require_known(day)
        return day in self._set

    def next_session(self, day: date) -> date:
        """The first trading day after a day."""
        return self.session_offset(day, 1)

    def previous_session(self, day: date) -> date:
        """The last trading day before a day."""
        return self.session_offset(day, -1)

    def session_offset(self, day: date, n: int) -> date:
        """The n-th trading day after a day, before it where n is negative.

        0 is the day itself, the next trading day where it is none.
        """
        self._require_known(day)
        start = bisect_right(self._days, day) - 1 if n > 0 else bisect_left(self._days, day)
        index = start + n
        if index < 0:
            raise CalendarError(
                f"No trading day is known {-n} before {day.isoformat()}, the calendar begins on "
                f"{self.first.isoformat()}; use a later date."
            )
        if index >= len(self._days):
            raise CalendarError(self._beyond(f"Trading day {n} after {day.isoformat()}"))
        return self._days[index]

    def sessions(self, start: date, end: date) -> list[date]:
        """Trading days from start to end, both included; empty where end is before start."""
        self._require_known(start)
        self._require_known(end)
        return self._days[bisect_left(self._days, start) : bisect_right(self._days, end)]

    def month_end(self, day: date) -> date:
        """The last trading day of the day's month."""
        return self._last_before(day, _next_month(day.year, day.month))

    def quarter_end(self, day: date) -> date:
        """The last trading day of the day's quarter."""
        return self._last_before(day, _next_month(day.year, (day.month - 1) // 3 * 3 + 3))

    def is_last_session_of_week(self, day: date) -> bool:
        """Whether a day is a trading day and the week (Monday to Sunday) has none after it."""
        if not self.is_session(day):
            return False
        rest = (day + _DAY * n for n in range(1, 7 - day.weekday()))
        return not any(self._may_trade(later) for later in rest)

    def is_last_session_of_month(self, day: date) -> bool:
        """Whether a day is the last trading day of its month."""
        return self.month_end(day) == day

    def is_last_session_of_quarter(self, day: date) -> bool:
        """Whether a day is the last trading day of its quarter."""
        return self.quarter_end(day) == day

    def _may_trade(self, day: date) -> bool:
        """As is_session; weekends and New Year's Day are closed by law even beyond the known years."""
        if day > self.last and (day.weekday() >= _SATURDAY or (day.month, day.day) == (1, 1)):
            return False
        return self.is_session(day)

    def _last_before(self, day: date, bound: date) -> date:
        self._require_known(day)
        return self._days[bisect_left(self._days, bound) - 1]

    def _require_known(self, day: date) -> None:
        if day > self.last:
            raise CalendarError(self._beyond(day.isoformat()))
        if day < self.first:
            raise CalendarError(
                f"{day.isoformat()} lies before the trading calendar, which begins on "
                f"{self.first.isoformat()}; use a later date."
            )

    def _beyond(self, what: str) -> str:
        return (
            f"{what} lies past the known trading calendar, which ends on {self.last.isoformat()}; "
            "update exchange_calendars, or add the official year by a file named in the setting "
            "calendar.extra_years_file."
        )


@lru_cache(maxsize=1)
def default_calendar() -> TradingCalendar:
    """The calendar of the package's own official years, built once."""
    return TradingCalendar()


def _official() -> tuple[frozenset[date], date]:
    """Closed weekdays and the last day of the official years in the installed package."""
    holidays = XSHGExchangeCalendar.precomputed_holidays()
    return frozenset(day.date() for day in holidays), XSHGExchangeCalendar.bound_max().date()


def _weekdays(first: date, last: date) -> Iterator[date]:
    for n in range((last - first).days + 1):
        day = first + _DAY * n
        if day.weekday() < _SATURDAY:
            yield day


def _next_month(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1)


def _extra_years(path: Path, known: int) -> dict[int, frozenset[date]]:
    """Closed days by year from the user's file, checked; the years must follow the known ones."""
    years = {_year(path, key): days for key, days in _read(path).items()}
    expected = list(range(known + 1, known + 1 + len(years)))
    if sorted(years) != expected:
        raise ConfigError(
            f"The years in {path} must follow {known}, the last official year, without a gap; "
            f"give {', '.join(map(str, expected)) or 'a year'} and no other."
        )
    return {year: _closed_days(path, year, years[year]) for year in expected}


def _read(path: Path) -> Mapping[str, object]:
    try:
        with path.open(encoding="utf-8") as file:
            content = json.load(file)
    except OSError as error:
        raise ConfigError(
            f"The calendar file {path} cannot be read ({error.strerror}); "
            "correct the setting calendar.extra_years_file."
        ) from error
    except ValueError as error:
        raise ConfigError(f"The calendar file {path} is not valid JSON ({error}); correct it.") from error
    if not isinstance(content, dict) or not content:
        raise ConfigError(
            f"The calendar file {path} holds no years; write an object of years and their closed days, "
            'for example {"2027": ["2027-01-01"]}.'
        )
    return content


def _year(path: Path, key: str) -> int:
    if len(key) == 4 and key.isascii() and key.isdigit():
        return int(key)
    raise ConfigError(f"The calendar file {path} names {key!r}, which is no year; write it as four digits.")


def _closed_days(path: Path, year: int, values: object) -> frozenset[date]:
    if not isinstance(values, list):
        raise ConfigError(f"The closed days of {year} in {path} are no list; write a list of ISO dates.")
    days = [_day(path, year, value) for value in values]
    weekdays = frozenset(day for day in days if day.weekday() < _SATURDAY)
    new_year = date(year, 1, 1)
    if new_year.weekday() < _SATURDAY and new_year not in weekdays:
        raise ConfigError(
            f"The closed days of {year} in {path} lack {new_year}; copy the exchange's whole list."
        )
    if len(weekdays) < FEWEST_CLOSED_DAYS:
        raise ConfigError(
            f"The closed days of {year} in {path} are only {len(weekdays)} weekdays, too few for an official "
            "year; copy the exchange's whole list."
        )
    return weekdays


def _day(path: Path, year: int, value: object) -> date:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        day = None
    if day is None or day.year != year:
        raise ConfigError(
            f"The closed day {value!r} in {path} is no date of {year}; write it like {year}-01-01."
        )
    return day
