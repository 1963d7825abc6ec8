"""Similar stretches: known answers, nothing of the future, and no move counted twice."""

from math import sin

import numpy as np
import pytest

from vnpy_aiagent.data.similar import similar_stretches, wilson


def columns(close: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    base = np.array(close)
    return base, base * 1.01, base * 0.99


def repeating(times: int) -> list[float]:
    """A shape of 25 bars that comes again and again, each time on another level and size."""
    prices: list[float] = []
    for turn in range(times):
        size = 1 + turn % 3
        prices += [100.0 + 20 * turn + size * (sin(i / 2) * 3 + i / 5) for i in range(25)]
    return prices


def test_the_same_shape_at_another_level_and_size_is_nearest() -> None:
    close, high, low = columns(repeating(8))
    found = similar_stretches(close, high, low, window=20, horizon=4, count=3)
    assert set(found.places % 25) == {24}
    assert (found.distance < 0.2).all()
    assert (np.diff(found.distance) >= 0).all()


def test_outcomes_are_those_of_the_bars_after_the_stretch() -> None:
    close, high, low = columns(repeating(8))
    found = similar_stretches(close, high, low, window=20, horizon=4, count=2)
    for row, place in enumerate(found.places.tolist()):
        ahead = slice(place + 1, place + 5)
        assert found.after[row] == close[place + 4] / close[place] - 1
        assert found.best[row] == high[ahead].max() / close[place] - 1
        assert found.worst[row] == low[ahead].min() / close[place] - 1


@pytest.mark.parametrize(("window", "horizon"), [(5, 1), (20, 10), (10, 40)])
def test_every_outcome_is_over_and_no_stretch_shares_a_bar_with_the_present(
    window: int, horizon: int
) -> None:
    close, high, low = columns(repeating(8))
    found = similar_stretches(close, high, low, window=window, horizon=horizon, count=50)
    last = len(close) - 1
    assert (found.places + horizon <= last).all()
    assert (found.places < last - window + 1).all()
    gaps = np.diff(np.sort(found.places))
    assert (gaps >= max(window // 2, horizon)).all()
    assert len(found.base) == last - max(window, horizon) - window + 1


@pytest.mark.parametrize("bars", [0, 1, 20, 21, 40])
def test_too_short_a_history_finds_nothing(bars: int) -> None:
    close, high, low = columns(repeating(3)[:bars])
    found = similar_stretches(close, high, low, window=20, horizon=10, count=5)
    assert len(found.places) == len(found.base) == 0


def test_flat_prices_are_a_shape_of_their_own() -> None:
    close, high, low = columns([10.0] * 100)
    found = similar_stretches(close, high, low, window=10, horizon=5, count=3)
    assert found.distance.tolist() == [0.0] * 3
    assert found.after.tolist() == [0.0] * 3
    assert found.places.tolist() == [89, 84, 79], "of equals the later ones"


def test_wilsons_interval_has_its_published_value() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)  # R. Newcombe, Stat. Med. 17 (1998), table I
