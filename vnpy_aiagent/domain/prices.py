"""PriceRef: a price that a model names without writing a number of its own.

A basis and an offset, which code resolves, rounds to the tick and checks:

| basis      | meaning of `offset`                                                       |
| ---------- | ------------------------------------------------------------------------- |
| LAST       | percent from the last traded price (-1.5 is 1.5 % below)                  |
| PREV_CLOSE | percent from the previous close                                           |
| ENTRY      | percent from the entry price                                              |
| ATR        | multiples of the 14-day average true range from the entry price           |
| BAND       | place inside today's limit band, 0 (limit down) to 1 (limit up)           |
| LEVEL      | percent from a level copied from a tool result, named by its evidence id  |
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from math import isfinite

from pydantic import BaseModel, ConfigDict

from vnpy_aiagent.domain.enums import PriceBasis
from vnpy_aiagent.domain.money import round_to_tick, to_decimal

MAX_PERCENT = 30.0
MAX_LEVEL_PERCENT = 5.0
MAX_ATR = 10.0


class UnresolvedPrice(ValueError):
    """A PriceRef that cannot be turned into a price; the text says why."""


class PriceRef(BaseModel):
    """A price by basis and offset; `level` belongs to basis LEVEL alone, which needs its `evidence`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    basis: PriceBasis
    offset: float = 0.0
    evidence: str | None = None
    level: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PriceContext:
    """What code knows when it resolves a PriceRef. Prices and ATR in CNY; None where not known."""

    tick: Decimal
    last: Decimal | None = None
    prev_close: Decimal | None = None
    entry: Decimal | None = None
    atr: Decimal | None = None
    limit_up: Decimal | None = None
    limit_down: Decimal | None = None


def resolve(ref: PriceRef, context: PriceContext) -> Decimal:
    """Price on the tick grid (CNY). Raises UnresolvedPrice with one sentence; never guesses."""
    if not isfinite(ref.offset):
        raise UnresolvedPrice("the offset is not a finite number")
    if ref.basis is PriceBasis.LEVEL and (ref.level is None or ref.evidence is None):
        raise UnresolvedPrice("basis LEVEL needs a level and its evidence id")
    if ref.basis is not PriceBasis.LEVEL and ref.level is not None:
        raise UnresolvedPrice(f"a level belongs to basis LEVEL, not to {ref.basis}")
    try:
        price = round_to_tick(_raw(ref, context), context.tick)
    except InvalidOperation:
        raise UnresolvedPrice(f"{ref.basis} {ref.offset:+g} gives no price of a sensible size") from None
    if price <= 0:
        raise UnresolvedPrice(f"{ref.basis} {ref.offset:+g} gives a price that is not positive")
    return price


def _raw(ref: PriceRef, context: PriceContext) -> Decimal:
    match ref.basis:
        case PriceBasis.LAST:
            return _percent(ref, _known(context.last, "last price"), MAX_PERCENT)
        case PriceBasis.PREV_CLOSE:
            return _percent(ref, _known(context.prev_close, "previous close"), MAX_PERCENT)
        case PriceBasis.ENTRY:
            return _percent(ref, _known(context.entry, "entry price"), MAX_PERCENT)
        case PriceBasis.LEVEL:
            return _percent(ref, _known(ref.level, "level"), MAX_LEVEL_PERCENT)
        case PriceBasis.ATR:
            if abs(ref.offset) > MAX_ATR:
                raise UnresolvedPrice(f"an offset of {ref.offset:g} ATR is beyond {MAX_ATR:g}")
            entry = _known(context.entry, "entry price")
            return entry + to_decimal(ref.offset) * _known(context.atr, "average true range")
        case PriceBasis.BAND:
            if not 0 <= ref.offset <= 1:
                raise UnresolvedPrice(f"a place in the band lies between 0 and 1, not at {ref.offset:g}")
            low = _known(context.limit_down, "limit-down price")
            return low + to_decimal(ref.offset) * (_known(context.limit_up, "limit-up price") - low)


def _percent(ref: PriceRef, base: Decimal, bound: float) -> Decimal:
    if abs(ref.offset) > bound:
        raise UnresolvedPrice(f"an offset of {ref.offset:g} % from {ref.basis} is beyond {bound:g} %")
    return base * (1 + to_decimal(ref.offset) / 100)


def _known(value: Decimal | None, name: str) -> Decimal:
    if value is None:
        raise UnresolvedPrice(f"the {name} is not known")
    return value
