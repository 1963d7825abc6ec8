"""Figures of curves and trades: against empyrical-reloaded 0.7.1, and against numbers worked out by hand."""

import json
from datetime import date
from math import sqrt
from pathlib import Path

import numpy as np
import pytest

from vnpy_aiagent.backtest import metrics
from vnpy_aiagent.backtest.metrics import (
    Trading,
    daily_returns,
    drawdowns,
    max_drawdown,
    performance,
    sharpe,
    total_return,
)

REFERENCE = json.loads(Path(__file__).with_name("empyrical_reference.json").read_text(encoding="utf-8"))


def curve(returns: list[float]) -> np.ndarray:
    return 1_000_000 * np.concatenate([[1.0], np.cumprod(1 + np.asarray(returns))])


@pytest.mark.parametrize("name", REFERENCE["cases"])
def test_every_figure_that_empyrical_knows_is_equal_to_its_own(name: str):
    case = REFERENCE["cases"][name]
    found = performance(curve(case["returns"]), benchmark=curve(REFERENCE["benchmark"]))
    assert len(case["figures"]) == 9
    for figure, expected in case["figures"].items():
        assert getattr(found, figure) == pytest.approx(expected, rel=1e-9), figure


def test_return_is_last_over_first():
    assert total_return([100.0, 90.0, 125.0]) == pytest.approx(0.25)
    assert total_return([100.0]) == 0.0
    assert total_return([]) == 0.0


def test_drawdown_is_measured_from_the_highest_value_so_far():
    assert drawdowns([100.0, 80.0, 120.0, 90.0]) == pytest.approx([0.0, 0.2, 0.0, 0.25])
    assert max_drawdown([100.0, 80.0, 120.0, 90.0]) == pytest.approx(0.25)
    assert max_drawdown([]) == 0.0


@pytest.mark.parametrize(
    ("values", "length"),
    [
        ([], 0),
        ([100.0], 0),
        ([100.0, 101.0, 102.0], 0),
        ([100.0, 90.0, 100.0], 2),  # the peak, the fall, level again
        ([100.0, 90.0, 95.0, 98.0], 3),  # not over yet
        ([100.0, 90.0, 101.0, 99.0, 98.0, 97.0, 102.0, 101.0], 4),
        ([100.0, 100.0, 90.0, 100.0], 2),  # from the last day at the peak
    ],
)
def test_the_length_of_a_drawdown_is_from_its_peak_to_the_day_level_with_it(values: list[float], length: int):
    assert metrics.drawdown_length(values) == length


def test_sharpe_of_alternating_returns_is_mean_over_deviation_times_root_242():
    values = [100.0]
    for day in range(20):
        values.append(values[-1] * (1.03 if day % 2 == 0 else 0.99))
    # ten returns of +3 %, ten of -1 %: mean 1 %, sample deviation 0.02 x sqrt(20 / 19)
    expected = 0.01 / (0.02 * sqrt(20 / 19)) * sqrt(242)
    assert daily_returns(values)[:2] == pytest.approx([0.03, -0.01])
    assert sharpe(values) == pytest.approx(expected)
    # squares of the losses over all twenty days: 10 x 0.0001 / 20
    assert metrics.sortino(values) == pytest.approx(0.01 / sqrt(0.00005) * sqrt(242))


def test_annual_figures_are_not_given_for_fewer_than_twenty_days():
    values = [100.0 * (1.0 + 0.01 * (day % 2)) for day in range(20)]
    found = performance(values, Trading(amount=1000.0, fees=1.0), values)
    assert len(daily_returns(values)) == 19
    annual = (found.sharpe, found.annual_return, found.volatility, found.sortino, found.calmar)
    assert annual == (None,) * 5
    assert (found.turnover, found.cost_drag, found.alpha, found.beta) == (None,) * 4


def test_what_does_not_vary_has_no_ratios():
    for values in ([100.0] * 30, [100.0 * 1.01**day for day in range(30)]):
        found = performance(values, benchmark=values)
        assert (found.sharpe, found.sortino, found.calmar, found.alpha, found.beta) == (None,) * 5
        assert found.max_drawdown == 0.0


@pytest.mark.parametrize("values", [[], [100.0]])
def test_one_value_or_none_gives_zero_return_and_no_ratio(values: list[float]):
    found = performance(values)
    assert (found.total_return, found.max_drawdown, found.drawdown_days) == (0.0, 0.0, 0)
    assert (found.sharpe, found.win_rate, found.payoff, found.profit_factor, found.exposure) == (None,) * 5


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 0.0, -5.0])
def test_a_curve_that_is_no_curve_is_refused(bad: float):
    with pytest.raises(ValueError, match="above 0"):
        performance([100.0, bad])


def test_figures_of_trades_by_hand():
    profits = [300.0, -100.0, 100.0, -200.0, 0.0]
    assert metrics.win_rate(profits) == pytest.approx(0.4)
    assert metrics.payoff(profits) == pytest.approx(200 / 150)
    assert metrics.profit_factor(profits) == pytest.approx(400 / 300)


def test_all_losses_have_no_payoff_and_a_profit_factor_of_zero():
    assert metrics.payoff([-1.0, -2.0]) is None
    assert metrics.profit_factor([-1.0, -2.0]) == 0.0
    assert metrics.win_rate([-1.0, -2.0]) == 0.0


def test_all_gains_have_neither_payoff_nor_profit_factor():
    assert metrics.payoff([1.0, 2.0]) is None
    assert metrics.profit_factor([1.0, 2.0]) is None


def test_turnover_costs_and_exposure_by_hand():
    values = [1000.0] * 243  # a year of flat equity
    assert metrics.turnover(4000.0, values) == pytest.approx(2.0)
    assert metrics.cost_drag(5.0, values) == pytest.approx(0.005)
    assert metrics.cost_share(5.0, [1000.0, 1015.0]) == pytest.approx(0.25)  # 5 of 20 before fees
    assert metrics.cost_share(30.0, [1000.0, 990.0]) == pytest.approx(1.5)  # fees turned a profit into a loss
    assert metrics.cost_share(5.0, [1000.0, 990.0]) is None
    assert metrics.exposure([0.0, 500.0], [1000.0, 1000.0]) == pytest.approx(0.25)


def test_alpha_of_twice_the_benchmark_is_zero_and_its_beta_two():
    benchmark = np.asarray(REFERENCE["benchmark"])
    assert metrics.beta(2 * benchmark, benchmark) == pytest.approx(2.0)
    assert metrics.alpha(2 * benchmark, benchmark) == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(ValueError, match="align"):
        metrics.beta(benchmark, benchmark[1:])


def test_rolling_sharpe_begins_with_the_first_whole_window():
    values = curve(REFERENCE["benchmark"])
    found = metrics.rolling_sharpe(values, 60)
    assert found[:60] == [None] * 60
    assert found[60] == pytest.approx(sharpe(values[:61]))
    assert found[-1] == pytest.approx(sharpe(values[-61:]))


def test_two_series_are_aligned_on_the_days_both_have():
    days = [date(2024, 1, day) for day in (2, 3, 4)]
    both, own, other = metrics.aligned(days, [1.0, 2.0, 3.0], days[1:], [20.0, 30.0])
    assert both == days[1:]
    assert (list(own), list(other)) == ([2.0, 3.0], [20.0, 30.0])
