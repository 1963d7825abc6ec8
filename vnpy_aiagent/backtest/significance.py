"""How far a result could be chance: bootstrap, probabilistic and deflated Sharpe ratio, overfitting.

Everything is deterministic: random numbers come from numpy's PCG64 with the given seed. Sharpe ratios in here
are those of one observation (daily), not annual, unless a docstring says so.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil, comb, e, sqrt
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vnpy_aiagent.backtest.metrics import MIN_DAYS, NO_SPREAD, TRADING_DAYS, Array, daily_sharpe

EULER = 0.5772156649015329
"""The Euler-Mascheroni constant."""

RESAMPLES = 1000
BLOCKS = 16
MAX_SPLITS = 12_870
"""Splits of 16 blocks into halves, C(16, 8); more blocks are refused."""

NORMAL = NormalDist()
Statistic = Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval, percentile method; `level` 0.95 leaves 2.5 % outside at each end."""

    low: float
    high: float
    level: float


def resample(
    count: int,
    *,
    resamples: int = RESAMPLES,
    block: float | None = None,
    seed: int = 0,
    kind: Literal["stationary", "circular"] = "stationary",
) -> NDArray[np.intp]:
    """Places of `count` observations drawn in blocks, one row a resample; the series is joined end to start.

    "stationary": blocks of geometric length with mean `block` (D. Politis and J. Romano, "The Stationary
    Bootstrap", JASA 89 (1994), section 2); "circular": blocks of exactly that length, rounded (Politis and
    Romano, "A circular block-resampling procedure for stationary data", 1992). Blocks keep the dependence of
    neighbouring days. By default they are count^(1/3) long, the order that minimises the error of a variance
    (P. Hall, J. Horowitz, B. Jing, Biometrika 82 (1995)). ValueError for nothing to draw from.
    """
    length = max(1.0, count ** (1 / 3)) if block is None else block
    if count < 1 or resamples < 1 or length < 1:
        raise ValueError("a bootstrap needs at least one observation, one resample and blocks of one or more")
    draw = np.random.default_rng(seed)
    if kind == "circular":
        size = min(count, round(length))
        starts = draw.integers(0, count, (resamples, ceil(count / size)))
        places = starts[:, :, None] + np.arange(size)
        return np.asarray(places.reshape(resamples, -1)[:, :count] % count, dtype=np.intp)
    fresh = draw.random((resamples, count)) < 1 / length
    fresh[:, 0] = True
    starts = draw.integers(0, count, (resamples, count))
    columns = np.arange(count)
    began = np.maximum.accumulate(np.where(fresh, columns, 0), axis=1)
    first = np.take_along_axis(starts, began, axis=1)
    return np.asarray((first + columns - began) % count, dtype=np.intp)


def interval(
    returns: ArrayLike, statistic: Statistic, places: NDArray[np.intp], level: float = 0.95
) -> Interval | None:
    """The interval of a statistic of daily returns over the resamples of `places`.

    `statistic` maps rows of returns to one figure each. None below 20 returns, or where it is undefined in
    more than one resample of twenty.
    """
    found = np.asarray(returns, dtype=np.float64)
    if len(found) < MIN_DAYS:
        return None
    with np.errstate(all="ignore"):
        figures = statistic(found[places])
    sound = figures[np.isfinite(figures)]
    if len(sound) < 0.95 * len(figures):
        return None
    low, high = np.quantile(sound, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), level)


def sharpes_of(rows: Array) -> Array:
    """Annual Sharpe ratio of each row of daily returns; NaN without variation."""
    spread = rows.std(axis=-1, ddof=1)
    return np.where(spread > NO_SPREAD, rows.mean(axis=-1) / spread * sqrt(TRADING_DAYS), np.nan)


def annual_returns_of(rows: Array) -> Array:
    """Annual return of each row of daily returns, a ratio."""
    grown = np.prod(1 + rows, axis=-1)
    return np.asarray(np.maximum(grown, 0) ** (TRADING_DAYS / rows.shape[-1]) - 1, dtype=np.float64)


def total_returns_of(rows: Array) -> Array:
    """Total return of each row of daily returns, a ratio."""
    return np.asarray(np.prod(1 + rows, axis=-1) - 1, dtype=np.float64)


def max_drawdowns_of(rows: Array) -> Array:
    """Largest drawdown of each row of daily returns, a ratio from 0."""
    grown = np.cumprod(1 + rows, axis=-1)
    peaks = np.maximum(np.maximum.accumulate(grown, axis=-1), 1.0)
    return np.asarray((1 - grown / peaks).max(axis=-1), dtype=np.float64)


def moments(returns: ArrayLike) -> tuple[float, float]:
    """Skewness and kurtosis (3 for normal returns), from central moments over n; (0, 3) without variation."""
    found = np.asarray(returns, dtype=np.float64)
    away = found - found.mean() if len(found) else found
    spread = float(np.mean(away**2)) if len(found) else 0.0
    if spread <= NO_SPREAD**2:
        return 0.0, 3.0
    return float(np.mean(away**3)) / spread**1.5, float(np.mean(away**4)) / spread**2


def probabilistic_sharpe(
    sharpe: float, count: int, skewness: float = 0.0, kurtosis: float = 3.0, benchmark: float = 0.0
) -> float | None:
    """Probability that the true Sharpe ratio exceeds `benchmark`; ratios of one observation, `count` of them.

    Phi((SR - SR*) sqrt(n - 1) / sqrt(1 - skew SR + (kurt - 1) / 4 SR^2)): D. Bailey and M. Lopez de Prado,
    "The Sharpe Ratio Efficient Frontier", Journal of Risk 15 (2012), eq. 11. None below two observations, or
    where the moments make the variance of the estimate negative.
    """
    variance = 1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2
    if count < 2 or variance <= 0:
        return None
    return NORMAL.cdf((sharpe - benchmark) * sqrt(count - 1) / sqrt(variance))


def expected_max_sharpe(trials: int, variance: float) -> float:
    """The best Sharpe ratio to expect of `trials` independent strategies without any edge.

    sqrt(V) ((1 - g) Z(1 - 1/N) + g Z(1 - 1/(N e))), g Euler's constant, Z the normal quantile: D. Bailey and
    M. Lopez de Prado, "The Deflated Sharpe Ratio", Journal of Portfolio Management 40 (2014), eq. 1.
    `variance` is that of the trials' Sharpe ratios. 0 for one trial. ValueError for none.
    """
    if trials < 1 or variance < 0:
        raise ValueError("there is at least one trial, and a variance from 0")
    if trials == 1:
        return 0.0
    first, second = NORMAL.inv_cdf(1 - 1 / trials), NORMAL.inv_cdf(1 - 1 / (trials * e))
    return sqrt(variance) * ((1 - EULER) * first + EULER * second)


def deflated_sharpe(
    sharpe: float,
    count: int,
    trials: int,
    variance: float | None = None,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
) -> float | None:
    """Probability that the true Sharpe ratio is above 0, as the best of `trials` (same paper, eq. 2).

    The probabilistic Sharpe ratio against the best that chance would give. `variance` of the trials' ratios;
    without it that of an estimate where there is no edge, 1 / (n - 1). One trial deflates nothing.
    """
    if count < 2:
        return None
    spread = 1 / (count - 1) if variance is None else variance
    return probabilistic_sharpe(sharpe, count, skewness, kurtosis, expected_max_sharpe(trials, spread))


def deflated_sharpe_of(returns: ArrayLike, trials: int, sharpes: Sequence[float] = ()) -> float | None:
    """The deflated Sharpe ratio of daily returns; `sharpes` of the trials (daily) give their variance.

    None with fewer than 20 returns, or where they do not vary.
    """
    found = np.asarray(returns, dtype=np.float64)
    own = daily_sharpe(found) if len(found) >= MIN_DAYS else None
    if own is None:
        return None
    variance = float(np.var(sharpes, ddof=1)) if len(sharpes) > 1 else None
    return deflated_sharpe(own, len(found), trials, variance, *moments(found))


@dataclass(frozen=True, slots=True)
class Overfitting:
    """`probability` that the best in one half of the time is below the median in the other, over `splits`.

    `loss_probability`: that its Sharpe ratio in the other half is below 0.
    """

    probability: float
    loss_probability: float
    splits: int


def overfitting(returns: ArrayLike, blocks: int = BLOCKS) -> Overfitting | None:
    """Probability of backtest overfitting by combinatorially symmetric cross-validation.

    `returns` has a row a day and a column a trial (at least two). Days are cut into `blocks` (even, at most
    16) of equal length, the first few days dropped; for each choice of half of them the trial with the best
    Sharpe ratio there is ranked in the other half: w = rank / (N + 1), overfit where log(w / (1 - w)) <= 0.
    D. Bailey, J. Borwein, M. Lopez de Prado, Q. Zhu, "The Probability of Backtest Overfitting", Journal of
    Computational Finance 20 (2017), section 3. None with fewer than two trials or two days a block.
    """
    found = np.asarray(returns, dtype=np.float64)
    if blocks < 2 or blocks % 2 or comb(blocks, blocks // 2) > MAX_SPLITS:
        raise ValueError(f"blocks are an even number from 2 to {BLOCKS}, not {blocks}")
    if found.ndim != 2 or found.shape[1] < 2 or len(found) < 2 * blocks:
        return None
    days = len(found) // blocks
    parts = found[len(found) - days * blocks :].reshape(blocks, days, -1)
    sums, squares = parts.sum(axis=1), (parts**2).sum(axis=1)
    count, half = days * blocks // 2, blocks // 2
    below = lost = splits = 0
    for chosen in _halves(blocks, half):
        inside = _sharpe_from(chosen @ sums, chosen @ squares, count)
        outside = _sharpe_from((1 - chosen) @ sums, (1 - chosen) @ squares, count)
        best = inside.argmax(axis=1)
        own = np.take_along_axis(outside, best[:, None], axis=1)
        rank = (outside < own).sum(axis=1) + ((outside == own).sum(axis=1) + 1) / 2
        below += int((rank <= (found.shape[1] + 1) / 2).sum())
        lost += int((own[:, 0] < 0).sum())
        splits += len(best)
    return Overfitting(below / splits, lost / splits, splits)


def _halves(blocks: int, half: int, chunk: int = 512) -> Iterator[Array]:
    """Rows of ones for the chosen blocks, some hundred at a time so that memory stays small."""
    rows: list[tuple[int, ...]] = []
    for chosen in combinations(range(blocks), half):
        rows.append(chosen)
        if len(rows) == chunk:
            yield _ones(rows, blocks)
            rows = []
    if rows:
        yield _ones(rows, blocks)


def _ones(rows: Sequence[tuple[int, ...]], blocks: int) -> Array:
    mask = np.zeros((len(rows), blocks))
    np.put_along_axis(mask, np.asarray(rows), 1.0, axis=1)
    return mask


def _sharpe_from(sums: Array, squares: Array, count: int) -> Array:
    """Sharpe ratios from sums; 0 where nothing varies, as a strategy that never traded."""
    mean = sums / count
    spread = np.sqrt(np.maximum(squares / count - mean**2, 0))
    return np.divide(mean, spread, out=np.zeros_like(mean), where=spread > NO_SPREAD)
