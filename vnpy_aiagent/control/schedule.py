"""The timetable: which jobs are due when, on the trading calendar."""

from datetime import datetime, timedelta

from vnpy_aiagent.config import Job
from vnpy_aiagent.domain import MARKET_TZ
from vnpy_aiagent.market import TradingCalendar

SUNDAY = 6
MAX_DAYS_AHEAD = 120


def next_due(job: Job, after: datetime, calendar: TradingCalendar) -> datetime:
    """The job's first due time strictly after a moment (Asia/Shanghai).

    Raises CalendarError past the calendar's known end.
    """
    local = after.astimezone(MARKET_TZ)
    day = local.date()
    for _ in range(MAX_DAYS_AHEAD):
        due = datetime.combine(day, job.at, MARKET_TZ)
        if due > local and _holds(job, due, calendar):
            return due
        day += timedelta(days=1)
    raise ValueError(f"job {job.name} has no due day within {MAX_DAYS_AHEAD} days after {local:%Y-%m-%d}")


def _holds(job: Job, due: datetime, calendar: TradingCalendar) -> bool:
    """Whether the job runs on that day."""
    day = due.date()
    session = calendar.is_session(day)  # raises past the known end, for Sundays as well
    match job.on:
        case "session":
            return session
        case "sunday":
            return day.weekday() == SUNDAY
        case "month_end":
            return session and calendar.is_last_session_of_month(day)
        case "quarter_end":
            return session and calendar.is_last_session_of_quarter(day)
