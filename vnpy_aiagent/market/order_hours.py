"""What happens to an order or a cancel that is sent at a moment, and how quotes of that moment trade.

| time | orders | cancels | trading |
| --- | --- | --- | --- |
| before 09:15, days without trading | refused | refused | none |
| 09:15-09:20 opening auction | taken | taken | none |
| 09:20-09:25 opening auction | taken | refused | none |
| 09:25-09:30 | queued at the broker, sent on at 09:30 | as orders | the auction's one price |
| 09:30-11:30, 13:00-14:57 | taken, within the price cage | taken | continuous |
| 11:30-13:00 | queued at the broker, sent on at 13:00 | as orders | none |
| 14:57-15:00 closing auction, where there is one | taken | refused | none |
| 14:57-15:00 without one | taken, within the price cage | taken | continuous |
| 15:00-15:05 | after hours: taken; else refused | of after-hours orders | the auction's one price |
| 15:05-15:30 after hours, where there is such trading | taken | taken | the closing price |
| later | refused | refused | none |

Source: trading rules of SSE, SZSE and BSE; from which day a board has a closing auction or trades after hours
stands in `sessions`. That a broker queues what is sent in a pause is the practice of Chinese brokers and no
exchange's rule. An order for the after-hours trading is one that is sent from 15:00: vnpy has no type for it.
The exchanges take such orders during the day too; the simulated one does not.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.market.calendar import TradingCalendar
from vnpy_aiagent.market.futures_hours import futures_open
from vnpy_aiagent.market.rules import InstrumentRules
from vnpy_aiagent.market.sessions import (
    AFTER_HOURS_END,
    AFTERNOON_START,
    MORNING_START,
    Phase,
    has_after_hours,
    has_closing_auction,
    phase_at,
    session_close,
)

CANCELS_END = time(9, 20)
CLOSING_PRICE_WAIT = timedelta(minutes=1)
"""How long after 15:00 the closing auction's price may be told; quote sources poll every few seconds."""


class Taking(StrEnum):
    """What becomes of an order or a cancel: TAKEN by the exchange, QUEUED at the broker, or REFUSED."""

    TAKEN = "TAKEN"
    QUEUED = "QUEUED"
    REFUSED = "REFUSED"


class Trading(StrEnum):
    """How volume trades: NONE, at one AUCTION price, in the CONTINUOUS book, at the FIXED closing price."""

    NONE = "NONE"
    AUCTION = "AUCTION"
    CONTINUOUS = "CONTINUOUS"
    FIXED = "FIXED"


@dataclass(frozen=True, slots=True)
class Handling:
    """What holds at a moment. `order_reason` and `cancel_reason` say in Chinese why something is refused.

    `trading` is how the volume of a quote of that moment was traded. `after_hours`: orders are for the
    fixed-price trading. `closing`: an auction's result is awaited or just out, and day orders outlive it not.
    """

    orders: Taking
    cancels: Taking
    trading: Trading
    order_reason: str = ""
    cancel_reason: str = ""
    after_hours: bool = False
    closing: bool = False


_NO_DAY = Handling(Taking.REFUSED, Taking.REFUSED, Trading.NONE, "今日不是交易日", "今日不是交易日")
_EARLY = Handling(
    Taking.REFUSED,
    Taking.REFUSED,
    Trading.NONE,
    "开盘集合竞价 09:15 起接受委托",
    "开盘集合竞价 09:15 起接受撤单",
)
_OPENING = Handling(Taking.TAKEN, Taking.TAKEN, Trading.NONE)
_OPENING_FIRM = Handling(
    Taking.TAKEN,
    Taking.REFUSED,
    Trading.NONE,
    cancel_reason="开盘集合竞价 09:20 至 09:25 不接受撤单",
)
_PAUSE = Handling(Taking.QUEUED, Taking.QUEUED, Trading.AUCTION)
_CONTINUOUS = Handling(Taking.TAKEN, Taking.TAKEN, Trading.CONTINUOUS)
_LUNCH = Handling(Taking.QUEUED, Taking.QUEUED, Trading.CONTINUOUS)
"""The last trades of the morning are told with a time from 11:30:00 on."""
_CLOSING = Handling(
    Taking.TAKEN,
    Taking.REFUSED,
    Trading.NONE,
    cancel_reason="收盘集合竞价 14:57 至 15:00 不接受撤单",
    closing=True,
)
_CLOSED = "已收盘，今日不再接受委托"
_MATCHED = "已收盘，不再接受撤单"
_AFTER = Handling(Taking.TAKEN, Taking.TAKEN, Trading.FIXED, after_hours=True)
_OVER = Handling(Taking.REFUSED, Taking.REFUSED, Trading.NONE, _CLOSED, _MATCHED)
_FUTURES_SHUT = Handling(Taking.REFUSED, Taking.REFUSED, Trading.NONE, "非交易时段", "非交易时段")
_BY_PHASE = {
    Phase.PRE_OPEN: _EARLY,
    Phase.OPENING_PAUSE: _PAUSE,
    Phase.CONTINUOUS_AM: _CONTINUOUS,
    Phase.LUNCH: _LUNCH,
    Phase.CONTINUOUS_PM: _CONTINUOUS,
    Phase.CLOSING_AUCTION: _CLOSING,
    Phase.AFTER_HOURS: _AFTER,
}


def handling(calendar: TradingCalendar, rules: InstrumentRules, when: datetime) -> Handling:
    """What holds for an instrument at an aware moment; of futures only whether they trade continuously.

    CalendarError outside the calendar, RuleUnknown for boards whose hours are not in the tables.
    """
    if rules.futures is not None:
        return _CONTINUOUS if futures_open(calendar, rules.futures, when) else _FUTURES_SHUT
    exchange = rules.vt_symbol.rpartition(".")[2]
    phase = phase_at(calendar, rules.board, when, exchange)
    moment = when.astimezone(MARKET_TZ)
    at = moment.time()
    if phase is Phase.OPENING_AUCTION:
        return _OPENING if at < CANCELS_END else _OPENING_FIRM
    if phase is not Phase.CLOSED:
        return _BY_PHASE[phase]
    day = moment.date()
    if not calendar.is_session(day):
        return _NO_DAY
    if at < AFTER_HOURS_END:
        auction = has_closing_auction(rules.board, exchange, day)
        return _AT_CLOSE[auction, has_after_hours(rules.board, exchange, day)]
    return _OVER


def due_moments(day: date) -> tuple[datetime, ...]:
    """When something is due by the clock alone: queued orders are sent on, after-hours trading ends."""
    return tuple(
        datetime.combine(day, at, MARKET_TZ) for at in (MORNING_START, AFTERNOON_START, AFTER_HOURS_END)
    )


def last_closing_price(day: date) -> datetime:
    """Until when day orders wait for the closing auction's price."""
    return session_close(day) + CLOSING_PRICE_WAIT


def _at_close(auction: bool, after_hours: bool) -> Handling:
    """From 15:00: the closing price comes, and where there is after-hours trading its orders are taken."""
    taking = Taking.TAKEN if after_hours else Taking.REFUSED
    trading = Trading.AUCTION if auction else Trading.CONTINUOUS
    return Handling(taking, taking, trading, _CLOSED, _MATCHED, after_hours, closing=True)


_AT_CLOSE = {(a, b): _at_close(a, b) for a in (False, True) for b in (False, True)}
