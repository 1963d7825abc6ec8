"""Trading hours of Chinese futures in Asia/Shanghai, and the trading day that a moment belongs to.

A night session belongs to the next trading day, and there is none before a holiday: it opens only on a
trading day whose successor is the next weekday's session. Intervals include their beginning and exclude their
end.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.market.calendar import TradingCalendar
from vnpy_aiagent.market.dated import DatedRow, in_force
from vnpy_aiagent.market.futures import FuturesRules

NIGHT_START = time(21)
DAY_END = time(18)
"""Between the day session and the night's opening auction; from here a moment belongs to the next day."""

_FRIDAY = 4
Interval = tuple[time, time]


@dataclass(frozen=True, slots=True, kw_only=True)
class FuturesHoursRow(DatedRow):
    """Day intervals of some products of an exchange; no products means all others there."""

    exchanges: tuple[str, ...]
    products: tuple[str, ...] = ()
    intervals: tuple[Interval, ...]


_INDEX = ("IF", "IH", "IC", "IM")
_BONDS = ("TF", "T", "TS", "TL")
_COMMODITY = ("SHFE", "INE", "DCE", "CZCE", "GFEX")

DAY_HOURS: tuple[FuturesHoursRow, ...] = (
    FuturesHoursRow(
        effective=date(2010, 4, 16),
        source="CFFEX trading rules, 2010",
        exchanges=("CFFEX",),
        products=_INDEX,
        intervals=((time(9, 15), time(11, 30)), (time(13), time(15, 15))),
    ),
    FuturesHoursRow(
        effective=date(2016, 1, 1),
        source="CFFEX notice of 2015: index futures trade with the shares",
        exchanges=("CFFEX",),
        products=_INDEX,
        intervals=((time(9, 30), time(11, 30)), (time(13), time(15))),
    ),
    FuturesHoursRow(
        effective=date(2013, 9, 6),
        source="CFFEX contract specifications of bond futures, from memory, unconfirmed",
        confirmed=False,
        exchanges=("CFFEX",),
        products=_BONDS,
        intervals=((time(9, 15), time(11, 30)), (time(13), time(15, 15))),
    ),
    FuturesHoursRow(
        effective=date(2020, 7, 20),
        source="CFFEX notice of 2020: bond futures open at 09:30, from memory, unconfirmed",
        confirmed=False,
        exchanges=("CFFEX",),
        products=_BONDS,
        intervals=((time(9, 30), time(11, 30)), (time(13), time(15, 15))),
    ),
    FuturesHoursRow(
        effective=date(1995, 1, 1),
        source="trading rules of SHFE, DCE and CZCE, from memory, unconfirmed",
        confirmed=False,
        exchanges=_COMMODITY,
        intervals=((time(9), time(10, 15)), (time(10, 30), time(11, 30)), (time(13, 30), time(15))),
    ),
)


def trading_day(calendar: TradingCalendar, when: datetime) -> date:
    """The trading day of an aware moment: the next one from 18:00 on, and on days without trading."""
    moment = _local(when)
    day = moment.date()
    if calendar.is_session(day) and moment.time() < DAY_END:
        return day
    return calendar.next_session(day)


def futures_open(calendar: TradingCalendar, rules: FuturesRules, when: datetime) -> bool:
    """Whether the contract trades continuously at an aware moment."""
    moment = _local(when)
    day, at = moment.date(), moment.time()
    if _in_night(calendar, rules, day, at):
        return True
    if not calendar.is_session(day):
        return False
    return any(begin <= at < end for begin, end in _day_intervals(rules, day))


def openings(calendar: TradingCalendar, rules: FuturesRules, day: date) -> list[datetime]:
    """When continuous trading begins on a date, in order, after breaks and in the evening too."""
    starts = [begin for begin, _ in _day_intervals(rules, day)] if calendar.is_session(day) else []
    if rules.row.night_end is not None and has_night(calendar, day):
        starts.append(NIGHT_START)
    return [datetime.combine(day, start, MARKET_TZ) for start in starts]


def day_end(rules: FuturesRules, day: date) -> time:
    """When the day session ends, and with it the trading day."""
    return max(end for _, end in _day_intervals(rules, day))


def has_night(calendar: TradingCalendar, evening: date) -> bool:
    """Whether a night session opens on this evening: a trading day that no holiday follows."""
    if not calendar.is_session(evening):
        return False
    following = evening + timedelta(days=3 if evening.weekday() == _FRIDAY else 1)
    return calendar.next_session(evening) == following


def _in_night(calendar: TradingCalendar, rules: FuturesRules, day: date, at: time) -> bool:
    end = rules.row.night_end
    if end is None:
        return False
    past_midnight = end < NIGHT_START
    if at >= NIGHT_START:
        return (past_midnight or at < end) and has_night(calendar, day)
    return past_midnight and at < end and has_night(calendar, day - timedelta(days=1))


def _day_intervals(rules: FuturesRules, day: date) -> tuple[Interval, ...]:
    exchange, product = rules.row.exchange, rules.row.product
    named = [row for row in DAY_HOURS if exchange in row.exchanges and product in row.products]
    rows = named or [row for row in DAY_HOURS if exchange in row.exchanges and not row.products]
    return in_force(rows, day, f"trading hours of {product}.{exchange}").intervals


def _local(when: datetime) -> datetime:
    if when.tzinfo is None:
        raise ValueError(f"a moment needs a time zone, {when.isoformat()} has none")
    return when.astimezone(MARKET_TZ)
