"""Random trading with the same turnover, shifted entries, the moving average: known edges and known noise."""

import numpy as np
import pytest

from vnpy_aiagent.backtest.chance import (
    Trip,
    curve_of,
    moving_average_weights,
    perturbed_entries,
    random_same_turnover,
)

NOISE = np.random.default_rng(2).normal(0, 0.01, (400, 5))


def test_the_curve_of_weights_by_hand():
    # half in from the first close, all sold at the third; cost 1 % of what is traded
    found = curve_of([[0.5], [0.55 / 1.05], [0.0]], [[9.0], [0.10], [0.0]], 0.01)
    assert found[0] == pytest.approx(1 - 0.01 * 0.5)
    assert found[1] == pytest.approx(found[0] * 1.05)  # drifted to just that weight: nothing traded
    assert found[2] == pytest.approx(found[1] * (1 - 0.01 * 0.55 / 1.05))


def test_weights_that_knew_the_next_day_beat_nearly_all_random_ones():
    weights = np.zeros_like(NOISE)
    weights[:-1] = (NOISE[1:] > 0) / 5
    real = float(curve_of(weights, NOISE, 0.0)[-1] - 1)
    found = random_same_turnover(weights, NOISE, 0.0, real, draws=200, seed=1)
    assert found is not None
    assert found.as_good == pytest.approx(1 / 201)
    assert found.high < real
    assert found.median[-1] - 1 == found.median_return


def test_weights_without_knowledge_lie_inside_the_random_ones():
    places = []
    for seed in range(30):
        weights = np.repeat(np.random.default_rng(seed).random((40, 5)) / 5, 10, axis=0)
        real = float(curve_of(weights, NOISE, 0.001)[-1] - 1)
        found = random_same_turnover(weights, NOISE, 0.001, real, draws=99, seed=seed)
        assert found is not None
        places.append(found.as_good)
    assert 0.2 < np.mean(places) < 0.8


def test_costs_weigh_on_the_random_trades_too():
    weights = np.where(np.arange(400)[:, None] % 2 == 0, 0.2, 0.0) * np.ones((1, 5))
    free, dear = (random_same_turnover(weights, NOISE, cost, 0.0, draws=50) for cost in (0.0, 0.001))
    assert free is not None
    assert dear is not None
    assert dear.median_return < free.median_return - 0.2


def test_the_draws_depend_on_the_seed_alone():
    weights = np.full_like(NOISE, 0.1)
    first, again = (random_same_turnover(weights, NOISE, 0.001, 0.1, draws=20, seed=3) for _ in range(2))
    assert first is not None
    assert again is not None
    assert (first.median == again.median).all()


def test_nothing_held_has_no_random_counterpart():
    assert random_same_turnover(np.zeros((10, 2)), np.zeros((10, 2)), 0.0, 0.0) is None
    assert random_same_turnover(np.ones((2, 1)), np.zeros((2, 1)), 0.0, 0.0) is None
    with pytest.raises(ValueError, match="same shape"):
        random_same_turnover(np.ones((3, 1)), np.zeros((4, 1)), 0.0, 0.0)


def test_a_result_that_lives_on_exact_days_falls_apart_when_entries_move():
    returns = np.zeros((200, 1))
    returns[10::10] = 0.02
    returns[11::10] = -0.02
    exact = [Trip(0, day - 1, day, 0.5) for day in range(10, 190, 10)]
    found = perturbed_entries(exact, returns, max_shift=3, draws=200)
    assert found is not None
    assert found.real == pytest.approx(18 * 0.5 * 0.02)
    assert found.median < found.real / 2
    assert found.as_good == pytest.approx(1 / 201)


def test_an_edge_that_lasts_survives_moved_entries():
    found = perturbed_entries([Trip(0, 20, 120, 1.0)], np.full((200, 1), 0.001), max_shift=5, draws=50)
    assert found is not None
    assert found.low == pytest.approx(found.real) == pytest.approx(1.001**100 - 1)


def test_moved_trips_stay_within_the_data():
    found = perturbed_entries([Trip(0, 0, 9, 1.0)], np.full((10, 1), 0.01), max_shift=5, draws=20)
    assert found is not None
    assert found.low == found.high == pytest.approx(found.real)
    assert perturbed_entries([], np.zeros((10, 1))) is None
    with pytest.raises(ValueError, match="before it leaves"):
        perturbed_entries([Trip(0, 5, 10, 1.0)], np.zeros((10, 1)))


def test_the_moving_average_rule_holds_what_closes_above_its_average():
    levels = np.array([[1.0, 5.0], [2.0, 4.0], [3.0, 3.0], [1.0, 4.0]])
    found = moving_average_weights(levels, window=3)
    assert found.tolist() == [[0.0, 0.0], [0.0, 0.0], [0.5, 0.0], [0.0, 0.5]]
    missing = moving_average_weights([[np.nan], [1.0], [2.0]], window=3)
    assert missing.tolist() == [[0.0]] * 3
