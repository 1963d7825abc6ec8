"""Exact arithmetic of the independent validator: numbers as fractions, ticks, Wilder's average true range."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

Bar = Sequence[float]
"""Open, high, low, close, volume."""


def exact(number: float | int | str | Decimal) -> Fraction:
    """What a number prints as, exactly."""
    return Fraction(str(number))


def on_tick(price: Fraction, tick: Fraction) -> Fraction:
    """The nearest whole number of ticks; the upper one of two that are equally near."""
    whole, rest = divmod(price, tick)
    return (whole + (1 if rest * 2 >= tick else 0)) * tick


def ticks_down(price: Fraction, tick: Fraction) -> Fraction:
    """The highest price on the grid that is not above."""
    return price // tick * tick


def ticks_up(price: Fraction, tick: Fraction) -> Fraction:
    """The lowest price on the grid that is not below."""
    return -(-price // tick) * tick


def shown(price: Fraction | None) -> str | None:
    """A price as a decimal number, without zeros at its end."""
    if price is None:
        return None
    text = f"{Decimal(price.numerator) / Decimal(price.denominator):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def wilder_range(bars: Sequence[Bar], period: int = 14) -> Fraction | None:
    """Average true range at the last bar, rounded to six places; None with no more than `period` bars.

    The first average is the plain mean of `period` true ranges; then (average x 13 + range) / 14.
    """
    if len(bars) <= period:
        return None
    ranges = [
        max(exact(bar[1]), exact(before[3])) - min(exact(bar[2]), exact(before[3]))
        for before, bar in pairwise(bars)
    ]
    average = sum(ranges[:period], Fraction(0)) / period
    for true_range in ranges[period:]:
        average = (average * (period - 1) + true_range) / period
    return Fraction(round(average * 10**6), 10**6)
