"""The quant's part of a debate: what became of similar situations, had the plan been traded in them.

Pure arithmetic on the snapshot's complete daily bars; no model is asked, and nothing after the snapshot's
time is seen. A situation is the close of a bar; its features are those of FEATURES, each less its mean and
divided by its standard deviation over all past bars. A past bar is similar where the root mean square of the
differences is at most MAX_DISTANCE. Only bars whose whole outcome lies before the snapshot count, and of bars
whose outcomes overlap the more similar one.

The outcome: bought at the open of the next bar, held at most `sessions` bars after it. With T+1 nothing is
sold on the bar of the purchase; a stop that was touched there is sold at the next open. Later bars that open
beyond stop or target are sold at the open, else at the stop, else at the target: the stop comes first where
one bar touches both. What is still held is sold at the last close. No fees, no limit-down queues.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from math import isfinite, nan

import numpy as np
import numpy.typing as npt
import talib

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.similar import wilson

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

FEATURES = ("return5", "return20", "to_mean20", "to_mean60", "rsi14", "atr_ratio", "volume_ratio")
WARM_UP = 60
"""Bars before a bar has all its features."""

MAX_DISTANCE = 1.0
MIN_SAMPLES, MAX_SAMPLES = 5, 40
MIN_NORM_BARS = 20
RESAMPLES = 1_000
DIGITS = 6


@dataclass(frozen=True, slots=True)
class TradePlan:
    """What is tried: distances from the entry (ratios; None without one), sessions held at most.

    `t_plus` is 1 where what was bought today cannot be sold today, else 0.
    """

    stop: float | None
    target: float | None
    sessions: int
    t_plus: int = 1


@dataclass(frozen=True, slots=True)
class Sample:
    """One similar situation: its bar, how far it is from the present one, and the plan's return there."""

    place: int
    distance: float
    result: float


@dataclass(frozen=True, slots=True)
class Record:
    """All that was found. `base` are the returns of the plan on every past bar with a whole outcome."""

    bars: int
    features: tuple[str, ...]
    similar: int
    samples: tuple[Sample, ...]
    base: Floats


@dataclass(frozen=True, slots=True)
class Figures:
    """Of a list of returns: how many were gains, and intervals at 95 %. None where nothing can be said."""

    count: int
    hits: int
    hit_rate: float | None
    hit_low: float | None
    hit_high: float | None
    payoff: float | None
    mean: float | None
    mean_low: float | None
    mean_high: float | None


def search(series: BarSeries, plan: TradePlan) -> Record:
    """Situations similar to the last bar's; `series` ends with the last bar that is known."""
    count = len(series)
    last = count - 2 - plan.sessions
    places = np.arange(WARM_UP, last + 1, dtype=np.intp)
    if len(places) < MIN_NORM_BARS:
        return Record(count, (), 0, (), np.empty(0))
    table = features(series)
    names, distances = _distances(table, places)
    base = np.array([outcome(series, place, plan) for place in places.tolist()])
    near = np.flatnonzero(distances <= MAX_DISTANCE)
    order = near[np.lexsort((places[near], distances[near]))]
    kept: list[int] = []
    for each in order.tolist():
        if all(abs(each - other) > plan.sessions for other in kept):
            kept.append(each)
        if len(kept) == MAX_SAMPLES:
            break
    samples = tuple(Sample(int(places[k]), float(distances[k]), float(base[k])) for k in kept)
    return Record(count, names, len(near), samples, base)


def features(series: BarSeries) -> dict[str, Floats]:
    """Each feature at each bar, from that bar and earlier ones alone; NaN where it is not known."""
    close, high, low = (np.ascontiguousarray(column) for column in (series.close, series.high, series.low))
    volume = np.ascontiguousarray(series.volume)
    usual = np.full(len(volume), nan)
    if len(volume) > 20 and np.isfinite(volume).all():
        usual[1:] = talib.SMA(volume, 20)[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "return5": _change(close, 5),
            "return20": _change(close, 20),
            "to_mean20": close / talib.SMA(close, 20) - 1,
            "to_mean60": close / talib.SMA(close, 60) - 1,
            "rsi14": talib.RSI(close, 14),
            "atr_ratio": talib.ATR(high, low, close, 14) / close,
            "volume_ratio": volume / usual,
        }


def outcome(series: BarSeries, place: int, plan: TradePlan) -> float:
    """The plan's return (a ratio, before fees) for a purchase at the open after bar `place`."""
    first, last = place + 1, place + 1 + plan.sessions
    entry = float(series.open[first])
    stop = -np.inf if plan.stop is None else entry * (1 - plan.stop)
    target = np.inf if plan.target is None else entry * (1 + plan.target)
    price = float(series.close[last])
    forced = False
    for bar in range(first, last + 1):
        opened, low, high = float(series.open[bar]), float(series.low[bar]), float(series.high[bar])
        if bar == first and plan.t_plus:
            forced = low <= stop
            continue
        if forced or (bar > first and (opened <= stop or opened >= target)):
            price = opened
            break
        if low <= stop:
            price = stop
            break
        if high >= target:
            price = target
            break
    return price / entry - 1


def figures(results: Floats, *, seed: int) -> Figures:
    """Hit rate (returns above zero) with its Wilson interval, payoff ratio, mean with bootstrap interval."""
    count = len(results)
    if not count:
        return Figures(0, 0, None, None, None, None, None, None, None)
    gains, losses = results[results > 0], results[results < 0]
    low, high = wilson(len(gains), count)
    payoff = float(gains.mean() / -losses.mean()) if len(gains) and len(losses) else None
    mean_low, mean_high = bootstrap_mean(results, seed)
    return Figures(
        count,
        len(gains),
        _rounded(len(gains) / count),
        _rounded(low),
        _rounded(high),
        None if payoff is None else _rounded(payoff),
        _rounded(float(results.mean())),
        mean_low,
        mean_high,
    )


def bootstrap_mean(results: Floats, seed: int) -> tuple[float, float]:
    """The 95 % percentile interval of the mean over RESAMPLES draws with replacement (PCG64 from `seed`)."""
    draws = np.random.default_rng(seed).random((RESAMPLES, len(results)))
    places = np.minimum((draws * len(results)).astype(np.intp), len(results) - 1)
    low, high = np.quantile(results[places].mean(axis=1), (0.025, 0.975))
    return _rounded(float(low)), _rounded(float(high))


def seed_of(content: object) -> int:
    """A seed from JSON content: the same question always draws the same numbers."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return int.from_bytes(sha256(text.encode("utf-8")).digest()[:8], "big")


def _distances(table: dict[str, Floats], places: Places) -> tuple[tuple[str, ...], Floats]:
    """Names of the features that could be compared, and the distance of each place from the last bar."""
    names, squares = [], []
    for name in FEATURES:
        values = table[name]
        now, past = values[-1], values[places]
        if not isfinite(now) or not np.isfinite(past).all():
            continue
        spread = float(past.std())
        if spread <= 1e-12 * max(1.0, float(np.abs(past).max())):
            continue
        names.append(name)
        squares.append(((past - now) / spread) ** 2)
    if not names:
        return (), np.full(len(places), np.inf)
    return tuple(names), np.sqrt(np.mean(squares, axis=0))


def _change(close: Floats, bars: int) -> Floats:
    changed = np.full(len(close), nan)
    changed[bars:] = close[bars:] / close[:-bars] - 1
    return changed


def _rounded(value: float) -> float:
    return round(value, DIGITS)
