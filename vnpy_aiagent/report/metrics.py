"""Figures of an equity curve. Values in CNY, results as ratios (0.1 is 10 %)."""

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from statistics import fmean, stdev

TRADING_DAYS = 242
"""Trading days of a year on the mainland exchanges (2010 to 2025: 242 to 245 a year)."""

MIN_DAYS = 20
"""Fewer daily returns than this give no Sharpe ratio."""

_NO_SPREAD = 1e-12


def total_return(values: Sequence[float]) -> float:
    """Last value / first value - 1; 0 with fewer than two values."""
    return values[-1] / values[0] - 1 if len(values) > 1 else 0.0


def drawdowns(values: Sequence[float]) -> list[float]:
    """At each value: 1 - value / highest value so far. Ratios from 0; values must be positive."""
    result, peak = [], 0.0
    for value in values:
        peak = max(peak, value)
        result.append(1 - value / peak)
    return result


def max_drawdown(values: Sequence[float]) -> float:
    """The largest drawdown, a ratio from 0; 0 without values."""
    return max(drawdowns(values), default=0.0)


def daily_returns(values: Sequence[float]) -> list[float]:
    """Value / value before - 1, for each value but the first."""
    return [after / before - 1 for before, after in pairwise(values)]


def sharpe(values: Sequence[float]) -> float | None:
    """Mean of daily returns / their sample standard deviation x sqrt(242), risk-free rate 0.

    None with fewer than 20 daily returns, or where they do not vary.
    """
    returns = daily_returns(values)
    if len(returns) < MIN_DAYS:
        return None
    spread = stdev(returns)
    return fmean(returns) / spread * sqrt(TRADING_DAYS) if spread > _NO_SPREAD else None
