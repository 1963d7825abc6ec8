"""Phases of a trading day in Asia/Shanghai, by board and date.

Intervals include their beginning and exclude their end. The closing auction begins at 14:57 where there is
one; without one, continuous trading runs to 15:00.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.errors import RuleUnknown
from vnpy_aiagent.market.boards import MAIN_BOARDS, Board
from vnpy_aiagent.market.calendar import TradingCalendar
from vnpy_aiagent.market.dated import DatedRow, latest


class Phase(StrEnum):
    """Part of the day. CLOSED also covers days without trading and 15:00 to 15:05."""

    PRE_OPEN = "PRE_OPEN"
    OPENING_AUCTION = "OPENING_AUCTION"
    OPENING_PAUSE = "OPENING_PAUSE"
    CONTINUOUS_AM = "CONTINUOUS_AM"
    LUNCH = "LUNCH"
    CONTINUOUS_PM = "CONTINUOUS_PM"
    CLOSING_AUCTION = "CLOSING_AUCTION"
    AFTER_HOURS = "AFTER_HOURS"
    CLOSED = "CLOSED"


CONTINUOUS = (Phase.CONTINUOUS_AM, Phase.CONTINUOUS_PM)

OPENING_AUCTION_START, OPENING_AUCTION_END = time(9, 15), time(9, 25)
MORNING_START, MORNING_END = time(9, 30), time(11, 30)
AFTERNOON_START, CLOSING_AUCTION_START, CLOSE = time(13, 0), time(14, 57), time(15, 0)
AFTER_HOURS_START, AFTER_HOURS_END = time(15, 5), time(15, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursRow(DatedRow):
    """Boards of an exchange (any, where it is None) that have a phase from `effective`."""

    boards: tuple[Board, ...]
    exchange: str | None = None


CLOSING_AUCTIONS: tuple[HoursRow, ...] = (
    HoursRow(
        effective=date(2006, 7, 1),
        source="SZSE trading rules of 2006, the first day is unconfirmed",
        confirmed=False,
        boards=(Board.SZSE_MAIN, Board.CHINEXT),
    ),
    HoursRow(
        effective=date(2006, 7, 1),
        source="SZSE trading rules of 2006, for funds unconfirmed",
        confirmed=False,
        boards=(Board.ETF,),
        exchange="SZSE",
    ),
    HoursRow(
        effective=date(2018, 8, 20),
        source="SSE trading rules, 2018 revision: closing auction for shares",
        boards=(Board.SSE_MAIN, Board.STAR),
    ),
    HoursRow(effective=date(2021, 11, 15), source="BSE trading rules, 2021", boards=(Board.BSE,)),
    HoursRow(
        effective=date(2026, 7, 6),
        source="SSE trading rules, 2026 revision: closing auction for funds",
        boards=(Board.ETF,),
        exchange="SSE",
    ),
)

AFTER_HOURS: tuple[HoursRow, ...] = (
    HoursRow(
        effective=date(2019, 7, 22),
        source="SSE special rules for trading on STAR, 2019",
        boards=(Board.STAR,),
    ),
    HoursRow(
        effective=date(2020, 8, 24),
        source="SZSE special rules for trading on ChiNext, 2020",
        boards=(Board.CHINEXT,),
    ),
    HoursRow(
        effective=date(2026, 7, 6),
        source="SSE and SZSE trading rules, 2026 revision: fixed-price trading for all shares and ETFs",
        boards=(*MAIN_BOARDS, Board.ETF),
    ),
)


def phase_at(calendar: TradingCalendar, board: Board, when: datetime, exchange: str = "SSE") -> Phase:
    """The phase of an aware moment. `exchange` matters for ETFs alone, whose close differs by it.

    CalendarError outside the calendar, RuleUnknown for boards whose hours are not in the tables.
    """
    if board is Board.CONVERTIBLE_BOND:
        raise RuleUnknown("The trading hours of convertible bonds are not confirmed; use shares or funds.")
    if board is Board.FUTURES:
        raise RuleUnknown(
            "The hours of a futures contract go by its product; take them from its `futures_rules`."
        )
    moment = _local(when)
    day, at = moment.date(), moment.time()
    if not calendar.is_session(day):
        return Phase.CLOSED
    bounds = (
        (OPENING_AUCTION_START, Phase.PRE_OPEN),
        (OPENING_AUCTION_END, Phase.OPENING_AUCTION),
        (MORNING_START, Phase.OPENING_PAUSE),
        (MORNING_END, Phase.CONTINUOUS_AM),
        (AFTERNOON_START, Phase.LUNCH),
    )
    for end, phase in bounds:
        if at < end:
            return phase
    return _afternoon(board, exchange, day, at)


def is_continuous(calendar: TradingCalendar, board: Board, when: datetime, exchange: str = "SSE") -> bool:
    """Whether continuous trading runs at an aware moment."""
    return phase_at(calendar, board, when, exchange) in CONTINUOUS


def next_continuous(
    calendar: TradingCalendar, board: Board, when: datetime, exchange: str = "SSE"
) -> datetime:
    """The moment itself (Asia/Shanghai) while continuous trading runs, else when it next begins.

    That is 13:00 of the day before the afternoon, otherwise 09:30 of the day or of the next session.
    """
    phase = phase_at(calendar, board, when, exchange)
    moment = _local(when)
    day = moment.date()
    if phase in CONTINUOUS:
        return moment
    if phase is Phase.LUNCH:
        return datetime.combine(day, AFTERNOON_START, MARKET_TZ)
    if phase in (Phase.PRE_OPEN, Phase.OPENING_AUCTION, Phase.OPENING_PAUSE):
        return session_open(day)
    return session_open(calendar.next_session(day))


def session_open(day: date) -> datetime:
    """09:30 of a day, when continuous trading begins."""
    return datetime.combine(day, MORNING_START, MARKET_TZ)


def session_close(day: date) -> datetime:
    """15:00 of a day, when its daily bar becomes available."""
    return datetime.combine(day, CLOSE, MARKET_TZ)


def has_closing_auction(board: Board, exchange: str, day: date) -> bool:
    """Whether a board closes by auction on a day, 14:57 to 15:00."""
    return _has(CLOSING_AUCTIONS, board, exchange, day)


def has_after_hours(board: Board, exchange: str, day: date) -> bool:
    """Whether a board trades at the closing price after hours on a day, 15:05 to 15:30."""
    return _has(AFTER_HOURS, board, exchange, day)


def _afternoon(board: Board, exchange: str, day: date, at: time) -> Phase:
    if at < CLOSING_AUCTION_START:
        return Phase.CONTINUOUS_PM
    if at < CLOSE:
        return Phase.CLOSING_AUCTION if has_closing_auction(board, exchange, day) else Phase.CONTINUOUS_PM
    if AFTER_HOURS_START <= at < AFTER_HOURS_END and has_after_hours(board, exchange, day):
        return Phase.AFTER_HOURS
    return Phase.CLOSED


def _has(rows: tuple[HoursRow, ...], board: Board, exchange: str, day: date) -> bool:
    return latest((r for r in rows if board in r.boards and r.exchange in (None, exchange)), day) is not None


def _local(when: datetime) -> datetime:
    if when.tzinfo is None:
        raise ValueError(f"a moment needs a time zone, {when.isoformat()} has none")
    return when.astimezone(MARKET_TZ)
