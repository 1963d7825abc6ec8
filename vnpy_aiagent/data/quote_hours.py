"""When quotes are worth asking for: the sessions of a trading day and a few minutes around them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from vnpy_aiagent.data.quote_filter import Session
from vnpy_aiagent.errors import CalendarError
from vnpy_aiagent.market import TradingCalendar
from vnpy_aiagent.market.sessions import (
    AFTERNOON_START,
    CLOSE,
    CLOSING_AUCTION_START,
    MORNING_END,
    MORNING_START,
    OPENING_AUCTION_START,
)

MARGIN = timedelta(minutes=5)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class QuoteHours:
    """Polling hours. `always` polls at any time, holidays too."""

    calendar: TradingCalendar
    always: bool = False

    def session(self, now: datetime) -> Session | None:
        """The session for a poll now (Asia/Shanghai), None where there is nothing to ask for.

        Past the known calendar every weekday counts as a trading day: a quote dated another day is dropped
        anyway, and a protective stop needs its prices.
        """
        trades = self._trades(now)
        inside = trades and _inside(now)
        if not (inside or self.always):
            return None
        return Session(now, _continuous_since(now) if trades else None, today_only=inside)

    def knows(self, now: datetime) -> bool:
        """Whether the calendar covers the day."""
        return self.calendar.first <= now.date() <= self.calendar.last

    def _trades(self, now: datetime) -> bool:
        try:
            return self.calendar.is_session(now.date())
        except CalendarError:
            return now.weekday() < _SATURDAY


def _continuous_since(now: datetime) -> datetime | None:
    """Start of the continuous trading that runs now. The closing auction has no trades to be recent."""
    for start, end in ((MORNING_START, MORNING_END), (AFTERNOON_START, CLOSING_AUCTION_START)):
        if start <= now.time() < end:
            return datetime.combine(now.date(), start, now.tzinfo)
    return None


def _inside(now: datetime) -> bool:
    """Within MARGIN of 09:15 to 11:30 or 13:00 to 15:00."""
    spans = ((OPENING_AUCTION_START, MORNING_END), (AFTERNOON_START, CLOSE))
    day = now.date()
    return any(
        datetime.combine(day, start, now.tzinfo) - MARGIN
        <= now
        <= datetime.combine(day, end, now.tzinfo) + MARGIN
        for start, end in spans
    )
