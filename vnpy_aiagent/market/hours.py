"""When any instrument trades, and the trading day that a moment belongs to: shares, funds and futures alike.

The hours of shares and funds are those of `sessions`, the hours of futures those of `futures_hours`.
"""

from datetime import date, datetime, timedelta

from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.market import futures_hours
from vnpy_aiagent.market.calendar import TradingCalendar
from vnpy_aiagent.market.rules import InstrumentRules
from vnpy_aiagent.market.sessions import is_continuous, next_continuous, session_close

_DAYS_AHEAD = 30
"""Longer than any holiday of the exchanges."""


def trades(calendar: TradingCalendar, rules: InstrumentRules, when: datetime) -> bool:
    """Whether the instrument trades continuously at an aware moment."""
    if rules.futures is None:
        return is_continuous(calendar, rules.board, when, _exchange(rules))
    return futures_hours.futures_open(calendar, rules.futures, when)


def next_trade(calendar: TradingCalendar, rules: InstrumentRules, when: datetime) -> datetime:
    """The moment itself (Asia/Shanghai) while the instrument trades continuously, else when it next does."""
    if rules.futures is None:
        return next_continuous(calendar, rules.board, when, _exchange(rules))
    moment = when.astimezone(MARKET_TZ)
    if futures_hours.futures_open(calendar, rules.futures, moment):
        return moment
    for ahead in range(_DAYS_AHEAD):
        day = moment.date() + timedelta(days=ahead)
        for start in futures_hours.openings(calendar, rules.futures, day):
            if start > moment:
                return start
    raise ValueError(f"{rules.vt_symbol} has no session within {_DAYS_AHEAD} days of {moment:%Y-%m-%d}")


def trading_day(calendar: TradingCalendar, rules: InstrumentRules, when: datetime) -> date:
    """The trading day of a moment: the date in Asia/Shanghai; a night session's is the next one."""
    if rules.futures is None:
        return when.astimezone(MARKET_TZ).date()
    return futures_hours.trading_day(calendar, when)


def close_of(calendar: TradingCalendar, rules: InstrumentRules, when: datetime) -> datetime:
    """The close of the trading day in which the instrument trades now, or next does."""
    moment = next_trade(calendar, rules, when)
    if rules.futures is None:
        return session_close(moment.date())
    day = futures_hours.trading_day(calendar, moment)
    return datetime.combine(day, futures_hours.day_end(rules.futures, day), MARKET_TZ)


def _exchange(rules: InstrumentRules) -> str:
    return rules.vt_symbol.rpartition(".")[2]
