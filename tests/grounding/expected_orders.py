"""What may be ordered for a judged plan, worked out from the plan's exact prices and the documented rules.

The rules of an account with default limits (docs/settings.md): at most 10 % of equity in a share, 60 % in a
fund, 80 % together; 1 % of equity lost at the stop; 5 % of the mean volume of 20 days; an order at the entry
plus 0.2 %, inside the limit band, worked between 1 % below and above.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from exact_numbers import exact, ticks_down, ticks_up
from house import Situation
from validator import Facts, Judgement

SHARE_CAP, FUND_CAP, ALL_CAP = Fraction(1, 10), Fraction(6, 10), Fraction(8, 10)
STOP_COST, VOLUME_SHARE, SLIPPAGE, ROOM = (
    Fraction(1, 100),
    Fraction(5, 100),
    Fraction(2, 1000),
    Fraction(1, 100),
)
FUNDS = ("51", "15", "56", "58")


@dataclass(frozen=True)
class Books:
    """The account before the order: shares held, cash and equity in CNY."""

    held: int
    cash: Fraction
    equity: Fraction


@dataclass(frozen=True)
class Order:
    """The one order of a plan: prices that it may have, and its volume in shares."""

    buys: bool
    first: Fraction
    lowest: Fraction
    highest: Fraction
    volume: int


def books_of(cash: int, fills: Sequence[tuple[Decimal, int, Decimal]], last: Fraction | None) -> Books:
    """From purchases (price, shares, fees) and the last price."""
    left = exact(cash) - sum(
        (exact(price) * volume + exact(fees) for price, volume, fees in fills), Fraction(0)
    )
    held = sum(volume for _, volume, _ in fills)
    return Books(held, left, left + held * (last or 0))


def order_of(judged: Judgement, facts: Facts, situation: Situation, books: Books) -> Order:
    """The order that a sound plan leads to where risk allows it."""
    assert facts.last is not None
    buys = judged.action in ("BUY", "ADD")
    entry = facts.last if judged.entry is None else judged.entry
    if buys:
        first = _inside(ticks_down(entry * (1 + SLIPPAGE), facts.tick), facts)
        volume = _bought(judged, situation, books, first)
    else:
        first = _inside(ticks_up(facts.last * (1 - SLIPPAGE), facts.tick), facts)
        volume = _sold(judged, situation, books, facts.last)
    return Order(
        buys,
        first,
        _inside(ticks_up(first * (1 - ROOM), facts.tick), facts),
        _inside(ticks_down(first * (1 + ROOM), facts.tick), facts),
        volume,
    )


def _bought(judged: Judgement, situation: Situation, books: Books, limit: Fraction) -> int:
    assert judged.stop is not None
    cap = FUND_CAP if situation.symbol.startswith(FUNDS) else SHARE_CAP
    wanted = int(books.equity * judged.weight / limit) - books.held
    volume = min(
        wanted,
        int(books.equity * cap / limit) - books.held,
        int(books.equity * STOP_COST / (limit - judged.stop)),
        int((books.equity * ALL_CAP - (books.equity - books.cash)) / limit),
        int(sum(exact(bar[4]) for bar in situation.history[-20:]) / 20 * VOLUME_SHARE),
    )
    if volume < situation.least:
        return 0
    return situation.least + (volume - situation.least) // situation.step * situation.step


def _sold(judged: Judgement, situation: Situation, books: Books, last: Fraction) -> int:
    """All for a CLOSE; else what is above the target, in lots, a STAR or BSE sale in steps of its least."""
    if judged.action == "CLOSE":
        return books.held
    above = books.held - int(books.equity * judged.weight / last)
    return above // situation.least * situation.least


def _inside(price: Fraction, facts: Facts) -> Fraction:
    if facts.limit_up is not None and price > facts.limit_up:
        return facts.limit_up
    if facts.limit_down is not None and price < facts.limit_down:
        return facts.limit_down
    return price
