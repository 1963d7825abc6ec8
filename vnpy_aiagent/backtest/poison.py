"""Poison: what lies after a moment, replaced by values that were never true.

A leak shows only where the false future differs from the true one, so each cut is tried in pairs: with one
seed all later prices lie far above, with the other far below; volumes go their own way.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from random import Random

from vnpy.trader.object import BarData

UP, DOWN = (1.3, 1.8), (0.55, 0.75)
NOISE = 0.05
Band = tuple[float, float]


@dataclass(frozen=True, slots=True, order=True)
class Cut:
    """A moment: all of the bar at position `bar` (from 0) is known, or with `opening` its open alone."""

    bar: int
    opening: bool
    at: datetime


class Poison:
    """Factors for prices and volumes of one cut and seed; the same seed gives the same ones."""

    def __init__(self, cut: Cut, seed: int) -> None:
        """Seeds 2n and 2n + 1 are a pair: the same draw, with prices once above and once below."""
        self.rng = Random(f"{seed // 2}:{cut.bar}:{cut.opening}")  # noqa: S311 - no secret
        above, more = self.rng.random() < 0.5, self.rng.random() < 0.5
        self.above = above != bool(seed % 2)
        self._price = self.rng.uniform(*(UP if self.above else DOWN))
        self._volume = self.rng.uniform(*(UP if more else DOWN)) ** 3

    def price(self) -> float:
        """A factor for the prices of the next bar or row."""
        return self._price * self.rng.uniform(1 - NOISE, 1 + NOISE)

    def volume(self) -> float:
        """A factor for its volume and turnover."""
        return self._volume * self.rng.uniform(1 - NOISE, 1 + NOISE)


def poison_bars(bars: Sequence[BarData], cut: Cut, seed: int, band: Band | None = None) -> list[BarData]:
    """New bars: as they were up to the cut, poisoned after it.

    `band` holds the lowest and highest price (CNY) that the cut's own bar may show where its open alone is
    known. Its volume stays: the backtester gives fills at the open a share of it.
    """
    poison = Poison(cut, seed)
    result = [copy(bar) for bar in bars]
    if cut.opening:
        hide_after_open(result[cut.bar], poison, band)
    for bar in result[cut.bar + 1 :]:
        scale(bar, poison.price(), poison.volume())
    return result


def hide_after_open(bar: BarData, poison: Poison, band: Band | None) -> None:
    """Draw high, low and close anew, on one side of the open and inside the band."""
    first = bar.open_price
    low, high = band or (first * 0.92, first * 1.08)
    edge = high if poison.above else low
    far = round(first + (edge - first) * poison.rng.uniform(0.6, 0.95), 2)
    far = min(max(far, low), high)
    bar.high_price, bar.low_price = max(first, far), min(first, far)
    bar.close_price = far


def scale(bar: BarData, price: float, volume: float) -> None:
    """Multiply a bar's prices and its volume."""
    for name in ("open_price", "high_price", "low_price", "close_price"):
        setattr(bar, name, max(round(getattr(bar, name) * price, 2), 0.01))
    bar.volume = float(round(bar.volume * volume))
    bar.turnover *= price * volume
