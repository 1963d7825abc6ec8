"""Figures of an equity curve and of trades. Money in CNY, results as ratios (0.1 is 10 %), time in sessions.

A figure that its data do not define (too few days, no variation, no loss to divide by) is None, never
infinite and never NaN. An equity curve begins with the starting cash: n + 1 values give n daily returns.
Annual figures are defined as in empyrical-reloaded 0.7.1, with 242 days a year and a risk-free rate of 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import isfinite, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

TRADING_DAYS = 242
"""Trading days of a year on the mainland exchanges (2010 to 2025: 242 to 245 a year)."""

MIN_DAYS = 20
"""Fewer daily returns than this give no annual figure."""

NO_SPREAD = 1e-12
"""A standard deviation of daily returns at or below this is none: it is rounding."""


def total_return(values: ArrayLike) -> float:
    """Last value / first value - 1; 0 with fewer than two values."""
    equity = _array(values)
    return float(equity[-1] / equity[0] - 1) if len(equity) > 1 else 0.0


def daily_returns(values: ArrayLike) -> Array:
    """Value / value before - 1, for each value but the first."""
    equity = _array(values)
    return equity[1:] / equity[:-1] - 1


def drawdowns(values: ArrayLike) -> Array:
    """At each value: 1 - value / highest value so far. Ratios from 0; values must be positive."""
    equity = _array(values)
    return 1 - equity / np.maximum.accumulate(equity)


def max_drawdown(values: ArrayLike) -> float:
    """The largest drawdown, a ratio from 0; 0 without values."""
    return float(np.max(drawdowns(values), initial=0.0))


def drawdown_length(values: ArrayLike) -> int:
    """Sessions of the longest time below an earlier peak: from the peak until the day that is level with it.

    A fall that has not ended counts until the last value.
    """
    equity = _array(values)
    below = drawdowns(equity) > NO_SPREAD
    longest = since = 0
    for place, under in enumerate(below):
        if not under:
            longest = max(longest, place - since) if place and below[place - 1] else longest
            since = place
    return max(longest, len(equity) - 1 - since) if len(equity) and below[-1] else longest


def annual_return(values: ArrayLike) -> float | None:
    """(last value / first value) ^ (242 / number of returns) - 1; None below 20 days or at a total loss."""
    equity = _array(values)
    days = len(equity) - 1
    if days < MIN_DAYS or equity[0] <= 0 or equity[-1] <= 0:
        return None
    return finite(float((equity[-1] / equity[0]) ** (TRADING_DAYS / days) - 1))


def volatility(values: ArrayLike) -> float | None:
    """Sample standard deviation of daily returns x sqrt(242); None below 20 returns."""
    returns = daily_returns(values)
    return float(np.std(returns, ddof=1) * sqrt(TRADING_DAYS)) if len(returns) >= MIN_DAYS else None


def sharpe(values: ArrayLike) -> float | None:
    """Mean of daily returns / their sample standard deviation x sqrt(242), risk-free rate 0.

    W. Sharpe, "The Sharpe Ratio", Journal of Portfolio Management 21 (1994), eqs. 3 to 6.
    None with fewer than 20 daily returns, or where they do not vary.
    """
    returns = daily_returns(values)
    daily = daily_sharpe(returns) if len(returns) >= MIN_DAYS else None
    return None if daily is None else daily * sqrt(TRADING_DAYS)


def daily_sharpe(returns: ArrayLike) -> float | None:
    """Mean / sample standard deviation of returns, not annual; None below two or without variation."""
    found = _array(returns)
    if len(found) < 2:
        return None
    spread = float(np.std(found, ddof=1))
    return float(np.mean(found)) / spread if spread > NO_SPREAD else None


def sortino(values: ArrayLike) -> float | None:
    """Mean of daily returns / sqrt(mean of min(return, 0)^2) x sqrt(242), target 0.

    F. Sortino and L. Price, "Performance Measurement in a Downside Risk Framework", Journal of Investing 3
    (1994): the mean is over all days, not over the losing ones. None below 20 returns or without a loss.
    """
    returns = daily_returns(values)
    if len(returns) < MIN_DAYS:
        return None
    downside = sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)))
    return float(np.mean(returns)) / downside * sqrt(TRADING_DAYS) if downside > NO_SPREAD else None


def calmar(values: ArrayLike) -> float | None:
    """Annual return / largest drawdown (T. Young, Futures, October 1991); None without a drawdown."""
    annual, fall = annual_return(values), max_drawdown(values)
    return annual / fall if annual is not None and fall > NO_SPREAD else None


def beta(returns: ArrayLike, benchmark: ArrayLike) -> float | None:
    """Covariance of returns with a benchmark's / the benchmark's variance, over the same days.

    None below 20 returns or where the benchmark does not vary. ValueError for different lengths.
    """
    own, other = _array(returns), _array(benchmark)
    if len(own) != len(other):
        raise ValueError(f"{len(own)} returns and {len(other)} of the benchmark: align them by day")
    if len(own) < MIN_DAYS or float(np.std(other)) <= NO_SPREAD:
        return None
    away = other - other.mean()
    return float(np.dot(own - own.mean(), away) / np.dot(away, away))


def alpha(returns: ArrayLike, benchmark: ArrayLike) -> float | None:
    """(1 + mean of (return - beta x benchmark's return)) ^ 242 - 1: Jensen's alpha a year, risk-free rate 0.

    M. Jensen, "The Performance of Mutual Funds in the Period 1945-1964", Journal of Finance 23 (1968), eq. 8.
    """
    slope = beta(returns, benchmark)
    if slope is None:
        return None
    daily = float(np.mean(_array(returns) - slope * _array(benchmark)))
    return finite((1 + daily) ** TRADING_DAYS - 1) if daily > -1 else None


def win_rate(profits: ArrayLike) -> float | None:
    """Share of closed trades with a profit above 0 (net of fees); None without trades."""
    found = _array(profits)
    return float(np.mean(found > 0)) if len(found) else None


def payoff(profits: ArrayLike) -> float | None:
    """Mean profit of the winning trades / mean loss of the losing ones; None where either are missing."""
    found = _array(profits)
    won, lost = found[found > 0], found[found < 0]
    return float(won.mean() / -lost.mean()) if len(won) and len(lost) else None


def profit_factor(profits: ArrayLike) -> float | None:
    """Sum of profits / sum of losses: 0 where all lose, None where none does."""
    found = _array(profits)
    lost = -float(found[found < 0].sum())
    return float(found[found > 0].sum()) / lost if lost > 0 else None


def turnover(amount: float, values: ArrayLike) -> float | None:
    """Half of what was bought and sold (`amount`, CNY) / mean equity, a year: 1 turns it over once."""
    equity = _array(values)
    days, mean = len(equity) - 1, float(np.mean(equity)) if len(equity) else 0.0
    return amount / 2 / mean * TRADING_DAYS / days if days >= MIN_DAYS and mean > 0 else None


def cost_drag(fees: float, values: ArrayLike) -> float | None:
    """Fees (CNY) / mean equity, a year: what the return would be higher by without them."""
    return turnover(2 * fees, values)


def cost_share(fees: float, values: ArrayLike) -> float | None:
    """Fees / profit before fees (CNY): the part of the profit that went to costs; None without a profit.

    Above 1 the fees turned a profit into a loss.
    """
    equity = _array(values)
    gross = float(equity[-1] - equity[0]) + fees if len(equity) else 0.0
    return fees / gross if gross > 0 else None


def exposure(market_values: ArrayLike, equity: ArrayLike) -> float | None:
    """Mean of market value / equity over the days' closes; None without days."""
    held, worth = _array(market_values), _array(equity)
    return finite(float(np.mean(held / worth))) if len(held) and bool(np.all(worth > 0)) else None


def rolling_sharpe(values: ArrayLike, window: int = 60) -> list[float | None]:
    """The Sharpe ratio of the last `window` returns at each value; None before there are so many."""
    equity = _array(values)
    return [sharpe(equity[end - window : end + 1]) if end >= window else None for end in range(len(equity))]


@dataclass(frozen=True, slots=True)
class Trading:
    """What trading came to: both sides' amount and fees (CNY), profit of each closed trade net of fees (CNY),
    market value at each close (CNY)."""

    amount: float = 0.0
    fees: float = 0.0
    profits: Sequence[float] = ()
    market_values: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Performance:
    """All figures of one curve; each is explained at the function of its name. None where undefined."""

    total_return: float
    annual_return: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    max_drawdown: float
    drawdown_days: int
    win_rate: float | None
    payoff: float | None
    profit_factor: float | None
    turnover: float | None
    exposure: float | None
    cost_share: float | None
    cost_drag: float | None
    alpha: float | None
    beta: float | None


def performance(values: ArrayLike, trading: Trading | None = None, benchmark: ArrayLike = ()) -> Performance:
    """Everything about an equity curve; `benchmark` is a curve of the same days, or empty.

    ValueError for values that are not finite or not above 0.
    """
    equity = _array(values)
    if not bool(np.all(np.isfinite(equity) & (equity > 0))):
        raise ValueError("an equity curve needs finite values above 0")
    done, other, returns = trading or Trading(), daily_returns(benchmark), daily_returns(equity)
    compared = len(other) > 0
    return Performance(
        total_return=total_return(equity),
        annual_return=annual_return(equity),
        volatility=volatility(equity),
        sharpe=sharpe(equity),
        sortino=sortino(equity),
        calmar=calmar(equity),
        max_drawdown=max_drawdown(equity),
        drawdown_days=drawdown_length(equity),
        win_rate=win_rate(done.profits),
        payoff=payoff(done.profits),
        profit_factor=profit_factor(done.profits),
        turnover=turnover(done.amount, equity),
        exposure=exposure(done.market_values, equity[-len(done.market_values) :])
        if done.market_values
        else None,
        cost_share=cost_share(done.fees, equity),
        cost_drag=cost_drag(done.fees, equity),
        alpha=alpha(returns, other) if compared else None,
        beta=beta(returns, other) if compared else None,
    )


def aligned(
    days: Sequence[date], values: ArrayLike, other_days: Sequence[date], other_values: ArrayLike
) -> tuple[list[date], Array, Array]:
    """Two dated series on the days that both have, in order."""
    own = dict(zip(days, _array(values), strict=True))
    other = dict(zip(other_days, _array(other_values), strict=True))
    both = sorted(own.keys() & other.keys())
    return both, _array([own[day] for day in both]), _array([other[day] for day in both])


def finite(value: float) -> float | None:
    """The value, None where it overflowed or is no number."""
    return value if isfinite(value) else None


def _array(values: ArrayLike) -> Array:
    return np.asarray(values, dtype=np.float64)
