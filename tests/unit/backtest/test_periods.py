"""Periods of a curve, the same days a year earlier, two curves against each other."""

from datetime import date, timedelta

import numpy as np
import pytest

from vnpy_aiagent.backtest import periods

DAYS = [date(2023, 12, 28), date(2023, 12, 29), date(2024, 1, 2), date(2024, 2, 1), date(2024, 12, 30)]
VALUES = [110.0, 99.0, 198.0, 99.0, 148.5]


def test_years_and_months_begin_at_the_close_before_them():
    years = periods.by_year(DAYS, VALUES, 100.0)
    assert [(each.label, each.days) for each in years] == [("2023", 2), ("2024", 3)]
    assert [each.total_return for each in years] == pytest.approx([-0.01, 0.5])
    assert [each.max_drawdown for each in years] == pytest.approx([0.1, 0.5])
    months = periods.by_month(DAYS, VALUES, 100.0)
    assert [each.label for each in months] == ["2023-12", "2024-01", "2024-02", "2024-12"]
    grown = np.prod([1 + each.total_return for each in months])
    assert grown == pytest.approx(1.485)


def test_halves_split_the_sessions():
    first, second = periods.halves(DAYS, VALUES, 100.0)
    assert (first.end, second.start) == (DAYS[1], DAYS[2])
    assert (first.total_return, second.total_return) == pytest.approx((-0.01, 0.5))
    assert periods.halves(DAYS[:1], VALUES[:1], 100.0) == []


def test_the_same_days_a_year_earlier_are_the_same_dates():
    days = [date(2023, 1, 2) + timedelta(days=n) for n in range(730)]
    values = [100.0 * 1.001**n if n < 365 else 100.0 * 1.001**364 for n in range(730)]
    found = periods.same_days_a_year_earlier(days, values, 100.0, date(2024, 2, 29), date(2024, 3, 31))
    assert found is not None
    now, before = found
    assert (before.start, before.end) == (date(2023, 2, 28), date(2023, 3, 31))
    assert now.total_return == 0.0
    assert before.total_return == pytest.approx(1.001**32 - 1)


def test_without_the_whole_year_before_there_is_no_comparison():
    assert periods.same_days_a_year_earlier(DAYS, VALUES, 100.0, date(2024, 1, 2), date(2024, 2, 1)) is None
    assert periods.same_days_a_year_earlier([], [], 100.0, date(2024, 1, 2), date(2024, 2, 1)) is None
    gap = periods.same_days_a_year_earlier(DAYS, VALUES, 100.0, date(2025, 5, 1), date(2025, 6, 1))
    assert gap is None


def test_paper_is_compared_with_its_backtest_on_the_days_both_have():
    draw = np.random.default_rng(1)
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(61)]
    backtest = 1000 * np.cumprod(1 + draw.normal(0.001, 0.01, 61))
    paper = backtest[1:].copy()
    paper[30:] *= 0.98  # one bad fill
    found = periods.compare(days[1:], paper, days, backtest)
    assert found is not None
    assert found.days == 60
    assert found.return_gap == pytest.approx(found.return_first - found.return_second)
    assert found.return_gap < 0
    assert found.worst_day == days[31]
    assert found.worst_gap == pytest.approx(-0.02 * backtest[31] / backtest[30])
    assert found.correlation is not None
    assert 0.9 < found.correlation < 1
    assert found.tracking_error is not None
    assert found.tracking_error > 0


def test_a_run_agrees_with_itself_and_strangers_have_nothing_in_common():
    same = periods.compare(DAYS, VALUES, DAYS, VALUES)
    assert same is not None
    assert (same.return_gap, same.worst_gap, same.worst_day) == (0.0, 0.0, None)
    assert (same.correlation, same.tracking_error) == (None, None)  # too few days
    assert periods.compare(DAYS[:2], VALUES[:2], DAYS[2:], VALUES[2:]) is None
