"""Figures of equity curves against numbers worked out by hand."""

from math import sqrt

import pytest

from vnpy_aiagent.report.metrics import daily_returns, drawdowns, max_drawdown, sharpe, total_return


def test_return_is_last_over_first():
    assert total_return([100.0, 90.0, 125.0]) == pytest.approx(0.25)
    assert total_return([100.0]) == 0.0
    assert total_return([]) == 0.0


def test_drawdown_is_measured_from_the_highest_value_so_far():
    assert drawdowns([100.0, 80.0, 120.0, 90.0]) == pytest.approx([0.0, 0.2, 0.0, 0.25])
    assert max_drawdown([100.0, 80.0, 120.0, 90.0]) == pytest.approx(0.25)
    assert max_drawdown([]) == 0.0


def test_sharpe_of_alternating_returns_is_mean_over_deviation_times_root_242():
    values = [100.0]
    for day in range(20):
        values.append(values[-1] * (1.03 if day % 2 == 0 else 0.99))
    # ten returns of +3 %, ten of -1 %: mean 1 %, sample deviation 0.02 x sqrt(20 / 19)
    expected = 0.01 / (0.02 * sqrt(20 / 19)) * sqrt(242)
    assert daily_returns(values)[:2] == pytest.approx([0.03, -0.01])
    assert sharpe(values) == pytest.approx(expected)


def test_sharpe_is_not_given_for_fewer_than_twenty_days():
    values = [100.0 * (1.0 + 0.01 * (day % 2)) for day in range(20)]
    assert len(daily_returns(values)) == 19
    assert sharpe(values) is None


def test_sharpe_is_not_given_where_nothing_varies():
    assert sharpe([100.0] * 30) is None
    assert sharpe([100.0 * 1.01**day for day in range(30)]) is None
