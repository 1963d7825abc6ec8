"""What journaled ex-days say about the present: books, stops, triggers, and what was done already.

The levels move with the message itself, so that a process that ended before it journaled the moved stop and
triggers finds them moved all the same; those that it did journal replace them.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from vnpy_aiagent.domain import (
    MARKET_TZ,
    ClosingPrices,
    CorporateActionApplied,
    Message,
    ReferenceShifted,
    round_to_tick,
)
from vnpy_aiagent.execution.ex_day_claims import claim_of
from vnpy_aiagent.market import CorporateAction, ex_level

if TYPE_CHECKING:
    from vnpy_aiagent.agents.restore import Restored

EX_DAY_KINDS = (CorporateActionApplied, ReferenceShifted, ClosingPrices)
MoveLevel = Callable[[Decimal], Decimal]


def fold_ex_day(result: "Restored", message: Message) -> None:
    """Take one message; others are passed over. ValueError where the book says otherwise than the message."""
    match message:
        case CorporateActionApplied():
            _applied(result, message)
        case ReferenceShifted():
            result.shifted[message.account, message.symbol] = message.day
            _move(result, message.account, message.symbol, message.day, shift_level(message))
        case ClosingPrices():
            result.closing = message
        case _:
            pass


def action_of(message: CorporateActionApplied) -> CorporateAction:
    """The action as it was applied."""
    return CorporateAction(
        vt_symbol=message.symbol,
        ex_date=message.ex_date,
        bonus=message.bonus,
        cash=message.cash,
        rights=message.rights,
        rights_price=message.rights_price,
        adjusts=message.adjusts,
    )


def shift_level(message: ReferenceShifted) -> MoveLevel:
    """How a level moves where only the reference price tells of an ex-day: in proportion."""

    def move(level: Decimal) -> Decimal:
        moved = round_to_tick(level * message.reference / message.close, message.tick)
        return max(message.tick, moved)

    return move


def _applied(result: "Restored", message: CorporateActionApplied) -> None:
    action = action_of(message)
    book = result.books.get(message.account)
    if message.booked and book is not None:
        shares, cash = book.apply_action(action)
        if (shares, cash) != (message.shares, message.amount):
            raise ValueError(
                f"the ex-day of {message.symbol} gave {message.shares} shares and {message.amount} CNY, "
                f"the book says {shares} and {cash}"
            )
    key = message.account, message.symbol, message.ex_date
    if not message.booked and book is not None:
        credited = sum(n for (name, _, *rest), n in result.credited.items() if (name, *rest) == key)
        claim = claim_of(book, action, _day_of(message), credited)
        if claim is not None:
            result.claims.setdefault(key, claim)
    result.applied.add(key)

    def move(level: Decimal) -> Decimal:
        return ex_level(level, action, message.tick)

    _move(result, message.account, message.symbol, message.ex_date, move)


def _move(result: "Restored", account: str, symbol: str, day: date, move: MoveLevel) -> None:
    """Levels from before a day; a later one is right already."""
    key = account, symbol
    update = result.stops.get(key)
    if update is not None and _day_of(update) < day:
        result.stops[key] = update.model_copy(update={"stop": move(update.stop)})
    if key in result.planned_stops:
        result.planned_stops[key] = move(result.planned_stops[key])
    for name, spec in result.triggers.items():
        if (spec.account, spec.symbol) == key and spec.price is not None and _day_of(spec) < day:
            result.triggers[name] = spec.model_copy(update={"price": move(spec.price)})


def _day_of(message: Message) -> date:
    return message.at.astimezone(MARKET_TZ).date()
