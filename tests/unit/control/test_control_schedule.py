"""When jobs are due, on the real trading calendar."""

from datetime import UTC, datetime, time

import pytest

from vnpy_aiagent.config import DEFAULT_JOBS, Job
from vnpy_aiagent.control import TradingControl, next_due
from vnpy_aiagent.domain import MARKET_TZ, TradingState
from vnpy_aiagent.errors import CalendarError
from vnpy_aiagent.market import TradingCalendar

CALENDAR = TradingCalendar()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=MARKET_TZ)


def job(on: str = "session", due: time = time(9, 35)) -> Job:
    return Job.model_validate({"name": "j", "at": due, "on": on, "task": "review"})


@pytest.mark.parametrize(
    ("on", "after", "due"),
    [
        ("session", "2024-05-06T09:34:59", "2024-05-06T09:35"),
        ("session", "2024-05-06T09:35:00", "2024-05-07T09:35"),  # strictly after
        ("session", "2024-05-10T10:00", "2024-05-13T09:35"),  # over a weekend
        ("session", "2024-04-30T10:00", "2024-05-06T09:35"),  # over Labour Day; Saturdays made up stay closed
        ("session", "2024-02-08T10:00", "2024-02-19T09:35"),  # over the Spring Festival
        ("sunday", "2024-05-06T10:00", "2024-05-12T09:35"),
        ("sunday", "2024-05-12T09:35", "2024-05-19T09:35"),
        ("sunday", "2024-02-08T10:00", "2024-02-11T09:35"),  # a holiday's Sunday is a Sunday
        ("month_end", "2024-03-01T10:00", "2024-03-29T09:35"),  # 30 and 31 March are a weekend
        ("month_end", "2024-03-29T10:00", "2024-04-30T09:35"),
        ("month_end", "2024-09-10T10:00", "2024-09-30T09:35"),
        ("quarter_end", "2024-01-02T10:00", "2024-03-29T09:35"),
        ("quarter_end", "2024-03-29T09:35", "2024-06-28T09:35"),
        ("quarter_end", "2024-09-30T12:00", "2024-12-31T09:35"),
    ],
)
def test_a_job_is_due_at_its_next_day(on: str, after: str, due: str) -> None:
    assert next_due(job(on), at(after), CALENDAR) == at(due)


def test_a_moment_in_another_zone_is_taken_as_what_it_is() -> None:
    evening_in_utc = datetime(2024, 5, 5, 23, 0, tzinfo=UTC)  # Monday 07:00 in Shanghai
    assert next_due(job(), evening_in_utc, CALENDAR) == at("2024-05-06T09:35")


@pytest.mark.parametrize("on", ["session", "sunday", "month_end", "quarter_end"])
def test_past_the_known_calendar_there_is_no_guess(on: str) -> None:
    last = datetime.combine(CALENDAR.last, time(23), MARKET_TZ)
    with pytest.raises(CalendarError, match="extra_years_file"):
        next_due(job(on), last, CALENDAR)


@pytest.mark.parametrize("each", DEFAULT_JOBS, ids=lambda each: each.name)
def test_every_default_job_comes_due(each: Job) -> None:
    due = next_due(each, at("2024-05-06T00:00"), CALENDAR)
    assert due.time() == each.at
    assert next_due(each, due, CALENDAR) > due


def test_trading_begins_active_and_what_is_set_stays() -> None:
    control = TradingControl()
    assert (control.state, control.paused) == (TradingState.ACTIVE, False)
    control.set(TradingState.HALTED, paused=True)
    assert (control.state, control.paused) == (TradingState.HALTED, True)
