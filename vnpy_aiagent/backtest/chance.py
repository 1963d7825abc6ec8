"""What chance would have made of the same trading: random times and symbols, shifted entries; a simple rule.

Prices come as daily returns that include dividends and new shares: a row a day, a column a symbol, the return
from the close before to this close (ratio). Weights are market value / equity at the close of each day.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from vnpy_aiagent.backtest.metrics import Array

DRAWS = 500
AVERAGE_DAYS = 20


@dataclass(frozen=True, slots=True)
class Chance:
    """Random trading beside the real one. `median` is the curve (1 at the start) in the middle of the draws.

    `as_good` is the share of draws whose total return is at least the real one's, counting the real one as
    a draw: (1 + number) / (1 + draws), B. Phipson and G. Smyth, "Permutation P-values Should Never Be Zero",
    Statistical Applications in Genetics and Molecular Biology 9 (2010). 95 % of the draws lie from `low` to
    `high`.
    """

    draws: int
    median: Array
    median_return: float
    low: float
    high: float
    as_good: float


def random_same_turnover(
    weights: ArrayLike,
    returns: ArrayLike,
    cost: float,
    total_return: float,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Chance | None:
    """The account's own schedule of weights at other times in other symbols: same turnover and exposure.

    Each draw turns the weights by a random number of days, end joined to start, and deals the columns to
    random symbols. A day's result is the weights at the close before x the day's returns, less `cost` (fees /
    traded amount) x the change of weights. `total_return` is the real account's. None where nothing was held,
    or with fewer than three days.
    """
    held, moved = _matrix(weights), _matrix(returns)
    if held.shape != moved.shape:
        raise ValueError(f"weights {held.shape} and returns {moved.shape} must have the same shape")
    days, symbols = held.shape
    if days < 3 or not held.any():
        return None
    draw = np.random.default_rng(seed)
    curves = np.empty((draws, days))
    for n in range(draws):
        turned = np.roll(held, int(draw.integers(1, days)), axis=0)[:, draw.permutation(symbols)]
        curves[n] = curve_of(turned, moved, cost)
    ends = curves[:, -1] - 1
    middle = int(np.argsort(ends, kind="stable")[(draws - 1) // 2])
    low, high = np.quantile(ends, [0.025, 0.975])
    as_good = (1 + int((ends >= total_return).sum())) / (1 + draws)
    return Chance(draws, curves[middle], float(ends[middle]), float(low), float(high), as_good)


def curve_of(weights: ArrayLike, returns: ArrayLike, cost: float) -> Array:
    """Growth of 1 with weights set at each close: the first day earns nothing and pays for its purchases."""
    held, moved = _matrix(weights), _matrix(returns)
    before = np.vstack([np.zeros((1, held.shape[1])), held[:-1]])
    gains = (before * moved).sum(axis=1)
    drifted = before * (1 + moved) / np.maximum(1 + gains, 1e-9)[:, None]
    paid = cost * np.abs(held - drifted).sum(axis=1)
    return np.asarray(np.cumprod(np.maximum(1 + gains - paid, 0)), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Trip:
    """A position in column `symbol`, bought at the close of row `entry`, sold at that of row `exit`.

    `weight` is its size / equity at the entry.
    """

    symbol: int
    entry: int
    exit: int
    weight: float


@dataclass(frozen=True, slots=True)
class Perturbed:
    """Sum of weight x return of all trips: as they were, and over draws with shifted entries and exits."""

    real: float
    median: float
    low: float
    high: float
    as_good: float
    draws: int


def perturbed_entries(
    trips: Sequence[Trip],
    returns: ArrayLike,
    *,
    max_shift: int = 5,
    draws: int = DRAWS,
    seed: int = 0,
) -> Perturbed | None:
    """Every trip moved by its own random number of days, from -max_shift to max_shift, its length kept.

    A result that lives on exact days falls apart here; an edge that lasts for days stays. Trips that would
    leave the data are moved to its edge. None without trips. ValueError for a trip outside the data.
    """
    moved = _matrix(returns)
    if not trips:
        return None
    levels = np.log(np.cumprod(1 + moved, axis=0))
    entry, leave, column = (
        np.array([getattr(t, name) for t in trips]) for name in ("entry", "exit", "symbol")
    )
    if entry.min() < 0 or bool((leave < entry).any()) or leave.max() >= len(moved):
        raise ValueError(f"a trip enters before it leaves, within {len(moved)} days")
    sizes = np.array([trip.weight for trip in trips])
    draw = np.random.default_rng(seed)
    shifts = draw.integers(-max_shift, max_shift + 1, (draws, len(trips)))
    shifts = np.clip(shifts, -entry, len(moved) - 1 - leave)

    def worth(shift: Array) -> Array:
        places = shift.astype(np.intp)
        gained = np.exp(levels[leave + places, column] - levels[entry + places, column]) - 1
        return np.asarray((sizes * gained).sum(axis=-1), dtype=np.float64)

    real = float(worth(np.zeros(len(trips))))
    found = worth(shifts.astype(np.float64))
    low, median, high = (float(each) for each in np.quantile(found, [0.025, 0.5, 0.975]))
    return Perturbed(real, median, low, high, (1 + int((found >= real).sum())) / (1 + draws), draws)


def moving_average_weights(levels: ArrayLike, window: int = AVERAGE_DAYS) -> Array:
    """The simplest trend rule: 1 / symbols in each whose close is above its average of `window` days.

    `levels` are adjusted closes, a row a day; the average ends with the day itself, so a weight set at a
    close uses nothing later. 0 before there are `window` closes and where a price is missing (NaN).
    """
    prices = _matrix(levels)
    weights = np.zeros_like(prices)
    for end in range(window, len(prices) + 1):
        mean = prices[end - window : end].mean(axis=0)
        weights[end - 1] = np.where(prices[end - 1] > mean, 1 / prices.shape[1], 0.0)
    return weights


def _matrix(values: ArrayLike) -> Array:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 2:
        raise ValueError("a row a day and a column a symbol")
    return found
