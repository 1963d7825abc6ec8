"""Money and prices: Decimal CNY, half-up rounding, ticks at the edge."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from math import isfinite
from numbers import Real
from typing import SupportsFloat

CENT = Decimal("0.01")


def is_number(value: object) -> bool:
    """Whether a figure is a finite number; gateways have been seen to tell None, text and NaN."""
    if not isinstance(value, Real | Decimal):
        return False
    try:
        return isfinite(value)
    except (OverflowError, ValueError):  # more than a float holds, or a signalling NaN
        return False


def to_decimal(value: SupportsFloat | str) -> Decimal:
    """Exact Decimal of what the number prints as, numpy's numbers included.

    NaN, infinities and text that is no number raise ValueError.
    """
    if type(value) is float and value:  # zero has two signs, which a cache cannot tell apart
        return _of_float(value)
    if isinstance(value, Decimal | int):
        number = Decimal(value)
    else:
        try:
            number = Decimal(value if isinstance(value, str) else repr(float(value)))
        except InvalidOperation:
            raise ValueError(f"{value!r} is not a number") from None
    if not isfinite(number):
        raise ValueError(f"{value!r} is not a finite number")
    return number


@lru_cache(maxsize=1 << 16)
def _of_float(value: float) -> Decimal:
    """Prices repeat: a tick's limits and previous close all day, a bar's close at many ticks."""
    if not isfinite(value):
        raise ValueError(f"{value!r} is not a finite number")
    return Decimal(repr(value))


def cny(value: float | int | str | Decimal) -> Decimal:
    """Amount in CNY, rounded half up to the cent."""
    return to_decimal(value).quantize(CENT, rounding=ROUND_HALF_UP)


def round_to_tick(price: float | Decimal, tick: Decimal) -> Decimal:
    """Price rounded half up to a whole number of ticks (CNY)."""
    return (to_decimal(price) / tick).quantize(Decimal(1), rounding=ROUND_HALF_UP) * tick


def floor_to_tick(price: float | Decimal, tick: Decimal) -> Decimal:
    """Highest price on the tick grid that is not above the given one (CNY)."""
    return (to_decimal(price) / tick).quantize(Decimal(1), rounding=ROUND_FLOOR) * tick


def ceil_to_tick(price: float | Decimal, tick: Decimal) -> Decimal:
    """Lowest price on the tick grid that is not below the given one (CNY)."""
    return (to_decimal(price) / tick).quantize(Decimal(1), rounding=ROUND_CEILING) * tick
