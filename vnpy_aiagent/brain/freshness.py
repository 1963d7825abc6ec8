"""Which evidence is fresh, by the tool that it comes from. The ages are chosen; docs/analysts.md says why.

| tool | fresh while its newest data became available |
| --- | --- |
| get_quote, get_order_book | at most 12 hours ago: in this session |
| get_indicators, get_bars, find_similar, get_market, get_index | on the last closed session or later |
| get_environment, get_money_flow | on one of the last three sessions or later |
| get_policy | at most 30 days ago |
| get_calendar | at most 120 days ago |
| get_fundamentals, get_industry, get_holdings | at most 200 days ago |
| get_special_risk | at most 400 days ago |

No other tool makes a finding fresh.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from vnpy_aiagent.domain import MARKET_TZ, Evidence
from vnpy_aiagent.errors import CalendarError
from vnpy_aiagent.market.calendar import default_calendar

LONGEST_AGE: Mapping[str, timedelta] = {
    "get_quote": timedelta(hours=12),
    "get_order_book": timedelta(hours=12),
    "get_policy": timedelta(days=30),
    "get_calendar": timedelta(days=120),
    "get_fundamentals": timedelta(days=200),
    "get_industry": timedelta(days=200),
    "get_holdings": timedelta(days=200),
    "get_special_risk": timedelta(days=400),
}
SESSIONS_BACK: Mapping[str, int] = {
    "get_indicators": 1,
    "get_bars": 1,
    "find_similar": 1,
    "get_market": 1,
    "get_index": 1,
    "get_environment": 3,
    "get_money_flow": 3,
}
_SATURDAY = 5


def is_fresh(evidence: Evidence, at: datetime) -> bool:
    """Whether evidence is fresh at a moment; never where it holds no dated data."""
    known = evidence.available_at
    if known is None or known > at:
        return False
    if evidence.tool in LONGEST_AGE:
        return at - known <= LONGEST_AGE[evidence.tool]
    if evidence.tool in SESSIONS_BACK:
        today = at.astimezone(MARKET_TZ).date()
        return known.astimezone(MARKET_TZ).date() >= sessions_before(today, SESSIONS_BACK[evidence.tool])
    return False


def newest(evidence: Iterable[Evidence]) -> datetime | None:
    """When the newest of it became available."""
    return max((each.available_at for each in evidence if each.available_at is not None), default=None)


def sessions_before(day: date, count: int) -> date:
    """The trading day so many before a day; weekdays are counted where the calendar does not reach."""
    try:
        return default_calendar().session_offset(day, -count)
    except CalendarError:
        while count:
            day -= timedelta(days=1)
            count -= day.weekday() < _SATURDAY
        return day
