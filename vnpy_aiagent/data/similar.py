"""Similar stretches of one price history: where returns went the same way before, and what followed.

A stretch is the path of its log returns, summed from its start, less its mean and divided by its standard
deviation: two stretches of the same shape are near each other whatever their size. Distance is the root of
the mean squared difference of two paths.

Nothing is taken of the future: a stretch counts only where its outcome, too, ends at or before the last bar,
and none may share a bar with the present one. Chosen stretches lie apart, so that one move is not counted
many times.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Z95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


@dataclass(frozen=True, slots=True, eq=False)
class Similar:
    """Chosen stretches, nearest first, by the place of their last bar; outcomes as ratios.

    `after` is the return over the horizon, `best` and `worst` the extremes of high and low on the way.
    `base` holds the returns after all stretches that could have been chosen.
    """

    places: Ints
    distance: Floats
    after: Floats
    best: Floats
    worst: Floats
    base: Floats


def similar_stretches(
    close: Floats, high: Floats, low: Floats, *, window: int, horizon: int, count: int
) -> Similar:
    """The `count` stretches of `window` returns nearest to the last one; empty where history is too short.

    Prices above zero, oldest first, of complete bars only. Ties go to the later stretch.
    """
    bars = len(close)
    last = bars - 1 - max(window, horizon)
    places = np.arange(window, last + 1, dtype=np.int64)
    if bars < window + 1 or not len(places):
        return _nothing()
    moves = np.diff(np.log(close))
    paths = _shapes(np.lib.stride_tricks.sliding_window_view(moves, window))
    distances = np.sqrt(np.mean((paths[places - window] - paths[-1]) ** 2, axis=1))
    after = close[places + horizon] / close[places] - 1
    chosen = _apart(places, distances, count, max(window // 2, horizon))
    picked = places[chosen]
    ahead = picked[:, None] + np.arange(1, horizon + 1)
    return Similar(
        places=picked,
        distance=distances[chosen],
        after=after[chosen],
        best=high[ahead].max(axis=1) / close[picked] - 1 if len(picked) else after[chosen],
        worst=low[ahead].min(axis=1) / close[picked] - 1 if len(picked) else after[chosen],
        base=after,
    )


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a rate (E. B. Wilson, 1927); 0 and 1 where there is nothing to count."""
    if total <= 0:
        return 0.0, 1.0
    share, spread = hits / total, Z95 * Z95 / total
    middle = (share + spread / 2) / (1 + spread)
    half = Z95 * sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def _shapes(windows: Floats) -> Floats:
    """Each window of returns as a path with mean 0 and standard deviation 1; a flat one is all zeros."""
    paths = np.cumsum(windows, axis=1)
    paths = paths - paths.mean(axis=1, keepdims=True)
    size = paths.std(axis=1, keepdims=True)
    flat = size < 1e-12
    shaped: Floats = np.where(flat, 0.0, paths / np.where(flat, 1.0, size))
    return shaped


def _apart(places: Ints, distances: Floats, count: int, gap: int) -> Ints:
    """Nearest first, each at least `gap` bars from those chosen before."""
    chosen: list[int] = []
    for index in np.lexsort((-places, distances)).tolist():
        if all(abs(int(places[index] - places[other])) >= gap for other in chosen):
            chosen.append(index)
            if len(chosen) == count:
                break
    return np.array(chosen, dtype=np.int64)


def _nothing() -> Similar:
    empty = np.empty(0, dtype=np.float64)
    return Similar(np.empty(0, dtype=np.int64), empty, empty, empty, empty, empty)
