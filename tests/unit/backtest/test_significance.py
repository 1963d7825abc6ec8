"""Bootstrap, Sharpe ratios of many trials, overfitting: published examples, known distributions, edges."""

from math import isfinite, sqrt

import numpy as np
import pytest

from vnpy_aiagent.backtest import significance as chance
from vnpy_aiagent.backtest.trials import judge_trials

# D. Bailey and M. Lopez de Prado, "The Deflated Sharpe Ratio" (2014), section "A Numerical Example": five
# years of 250 days, best of 100 trials at an annual ratio of 2.5, variance of the annual ratios 1/2,
# skewness -3, kurtosis 10.
DAILY = 2.5 / sqrt(250)
VARIANCE = 0.5 / 250


def test_the_deflated_sharpe_ratio_is_that_of_the_published_example():
    assert chance.expected_max_sharpe(100, VARIANCE) == pytest.approx(0.1132, abs=5e-5)
    assert chance.deflated_sharpe(DAILY, 1250, 100, VARIANCE, -3, 10) == pytest.approx(0.9004, abs=5e-5)
    assert chance.deflated_sharpe(DAILY, 1250, 46, VARIANCE, -3, 10) == pytest.approx(0.9505, abs=5e-5)
    assert chance.deflated_sharpe(DAILY, 1250, 88, VARIANCE) == pytest.approx(0.9505, abs=1e-4)


def test_the_probabilistic_sharpe_ratio_is_that_of_the_published_example():
    # "The Sharpe Ratio Efficient Frontier" (2012): 24 months, ratio 0.458, skewness -2.448, kurtosis 10.164
    assert chance.probabilistic_sharpe(0.458, 24) == pytest.approx(0.982, abs=5e-4)
    assert chance.probabilistic_sharpe(0.458, 24, -2.448, 10.164) == pytest.approx(0.913, abs=5e-4)


def test_one_trial_deflates_nothing_and_more_trials_always_more():
    assert chance.deflated_sharpe(DAILY, 1250, 1) == chance.probabilistic_sharpe(DAILY, 1250)
    found = [chance.deflated_sharpe(DAILY, 250, trials) for trials in (1, 2, 10, 100, 1000)]
    assert found == sorted(found, reverse=True)  # type: ignore[type-var]


def test_the_expected_maximum_is_what_many_draws_show():
    draws = np.random.default_rng(3).normal(0, 2.0, (4000, 50)).max(axis=1)
    assert chance.expected_max_sharpe(50, 4.0) == pytest.approx(draws.mean(), rel=0.02)


def test_ratios_that_nothing_defines_are_none():
    assert chance.probabilistic_sharpe(0.1, 1) is None
    assert chance.probabilistic_sharpe(2.0, 100, skewness=5.0, kurtosis=1.0) is None
    assert chance.deflated_sharpe_of([0.01] * 30, 5) is None
    assert chance.deflated_sharpe_of([0.01, -0.01] * 9, 5) is None  # 18 days
    with pytest.raises(ValueError, match="one trial"):
        chance.expected_max_sharpe(0, 1.0)


def test_skewness_and_kurtosis_by_hand():
    # four zeros and a five: mean 1, central moments 4, 12, 52
    assert chance.moments([0.0, 0.0, 0.0, 0.0, 5.0]) == pytest.approx((12 / 8, 52 / 16))
    assert chance.moments([1.0, 1.0]) == (0.0, 3.0)


@pytest.mark.parametrize("kind", ["stationary", "circular"])
def test_a_resample_is_made_of_blocks_of_the_series_joined_end_to_start(kind):
    places = chance.resample(500, resamples=400, block=10, seed=1, kind=kind)
    assert places.shape == (400, 500)
    assert set(np.unique(places)) == set(range(500))
    follows = (np.diff(places, axis=1) % 500) == 1
    assert follows.mean() == pytest.approx(0.9, abs=0.005)  # one place in ten begins a block
    assert np.bincount(places.ravel(), minlength=500).std() < 0.15 * 400


def test_a_resample_depends_on_its_seed_alone():
    first, again, other = (chance.resample(50, resamples=5, seed=seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("bad", [{"count": 0}, {"count": 5, "block": 0.5}, {"count": 5, "resamples": 0}])
def test_nothing_to_draw_from_is_refused(bad):
    with pytest.raises(ValueError, match="bootstrap"):
        chance.resample(bad.pop("count"), **bad)


def test_an_interval_of_the_mean_is_as_wide_as_theory_says():
    returns = np.random.default_rng(5).normal(0.001, 0.01, 1000)
    places = chance.resample(1000, resamples=4000, block=1, seed=2)
    found = chance.interval(returns, lambda rows: rows.mean(axis=1), places)
    assert found is not None
    half = 1.96 * returns.std() / sqrt(1000)
    assert found.low == pytest.approx(returns.mean() - half, abs=0.08 * half)
    assert found.high == pytest.approx(returns.mean() + half, abs=0.08 * half)


def test_blocks_widen_the_interval_where_neighbouring_days_are_alike():
    shocks = np.random.default_rng(6).normal(0, 0.01, 2000)
    returns = np.convolve(shocks, np.ones(10) / 10, mode="valid")
    widths = []
    for block in (1, 30):
        places = chance.resample(len(returns), resamples=500, block=block, seed=2)
        found = chance.interval(returns, lambda rows: rows.mean(axis=1), places)
        assert found is not None
        widths.append(found.high - found.low)
    assert widths[1] > 2 * widths[0]


def test_an_interval_of_a_short_or_flat_series_is_none():
    assert chance.interval([0.01] * 19, chance.sharpes_of, chance.resample(19)) is None
    assert chance.interval([0.01] * 40, chance.sharpes_of, chance.resample(40)) is None


def test_statistics_of_rows_are_those_of_single_curves():
    from vnpy_aiagent.backtest import metrics

    row = np.random.default_rng(8).normal(0, 0.01, (1, 100))
    values = np.concatenate([[1.0], np.cumprod(1 + row[0])])
    assert chance.sharpes_of(row)[0] == pytest.approx(metrics.sharpe(values))
    assert chance.annual_returns_of(row)[0] == pytest.approx(metrics.annual_return(values))
    assert chance.total_returns_of(row)[0] == pytest.approx(metrics.total_return(values))
    assert chance.max_drawdowns_of(row)[0] == pytest.approx(metrics.max_drawdown(values))


def test_the_best_of_noise_is_overfit_about_half_the_time():
    found = [
        chance.overfitting(np.random.default_rng(seed).normal(0, 0.01, (480, 20)), 10) for seed in range(40)
    ]
    assert np.mean([each.probability for each in found if each]) == pytest.approx(0.5, abs=0.07)


def test_a_true_edge_is_hardly_ever_overfit():
    returns = np.random.default_rng(1).normal(0, 0.01, (1000, 50))
    returns[:, 7] += 0.003
    found = chance.overfitting(returns)
    assert found is not None
    assert found.probability < 0.01
    assert found.splits == 12_870


def test_a_setting_made_for_half_the_time_is_found_out():
    days = np.arange(800)
    columns = [np.where(days // 50 == n, 0.01, -0.001) for n in range(16)]  # each shines in one block alone
    found = chance.overfitting(np.column_stack(columns) + np.random.default_rng(0).normal(0, 1e-4, (800, 16)))
    assert found is not None
    assert found.probability > 0.95
    assert found.loss_probability > 0.95


def test_identical_settings_are_no_evidence_either_way():
    column = np.random.default_rng(2).normal(0, 0.01, 320)
    found = chance.overfitting(np.column_stack([column, column]))
    assert found is not None
    assert found.probability == 1.0  # never above the median: no choice was shown to be better


def test_too_little_for_cross_validation_gives_none_and_odd_blocks_are_refused():
    assert chance.overfitting(np.zeros((100, 1))) is None
    assert chance.overfitting(np.zeros((31, 3))) is None
    with pytest.raises(ValueError, match="even"):
        chance.overfitting(np.zeros((100, 3)), blocks=7)
    with pytest.raises(ValueError, match="16"):
        chance.overfitting(np.zeros((100, 3)), blocks=18)


def test_settings_that_never_traded_count_as_trials():
    found = chance.overfitting(np.zeros((100, 3)))
    assert found is not None
    assert isfinite(found.probability)


def result(place: int, returns: np.ndarray) -> tuple[dict[str, int], float, dict[str, list[float]]]:
    return {"window": place}, 0.0, {"daily_returns": [float(each) for each in returns]}


def test_an_optimisation_is_judged_by_how_many_settings_it_tried():
    draw = np.random.default_rng(4)
    columns = sorted((draw.normal(0, 0.01, 480) for _ in range(30)), key=lambda c: -c.mean() / c.std())
    found = judge_trials([result(n, column) for n, column in enumerate(columns)])
    assert found is not None
    assert found.trials == 30
    assert found.best_sharpe is not None
    assert found.best_sharpe > 1  # looks well
    assert found.deflated is not None
    assert found.deflated < 0.8  # and is luck
    assert found.overfitting is not None
    repeated = judge_trials([result(n % 30, columns[n % 30]) for n in range(90)])
    assert repeated == found


def test_an_optimisation_without_results_or_with_one_short_result_is_told_apart():
    assert judge_trials([]) is None
    alone = judge_trials([result(0, np.array([0.01]))])
    assert alone is not None
    assert (alone.trials, alone.best_sharpe, alone.deflated, alone.overfitting) == (1, None, None, None)
