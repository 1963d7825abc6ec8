"""Periods of one curve against each other, and two curves of the same days: paper against backtest.

Days are trading days in order, values the equity at their closes (CNY); results are ratios.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from vnpy_aiagent.backtest.metrics import (
    MIN_DAYS,
    NO_SPREAD,
    TRADING_DAYS,
    aligned,
    daily_returns,
    max_drawdown,
    sharpe,
    total_return,
)


@dataclass(frozen=True, slots=True)
class PeriodResult:
    """One stretch of a curve. `days` counts the sessions; the return begins at the close before the first."""

    label: str
    start: date
    end: date
    days: int
    total_return: float
    max_drawdown: float
    sharpe: float | None


def by_year(days: Sequence[date], values: Sequence[float], opening: float) -> list[PeriodResult]:
    """Each calendar year; `opening` is the value (CNY) before the first day."""
    return _grouped(days, values, opening, lambda day: f"{day.year}")


def by_month(days: Sequence[date], values: Sequence[float], opening: float) -> list[PeriodResult]:
    """Each calendar month, labelled as in 2024-01."""
    return _grouped(days, values, opening, lambda day: f"{day.year}-{day.month:02}")


def halves(days: Sequence[date], values: Sequence[float], opening: float) -> list[PeriodResult]:
    """The first and the second half by sessions; none with fewer than two."""
    middle, count = len(days) // 2, len(days)
    if count < 2:
        return []
    return [
        _period("1/2", days, values, opening, 0, middle),
        _period("2/2", days, values, opening, middle, count),
    ]


def same_days_a_year_earlier(
    days: Sequence[date], values: Sequence[float], opening: float, start: date, end: date
) -> tuple[PeriodResult, PeriodResult] | None:
    """The sessions from `start` to `end`, and those between the same dates one year before.

    29 February counts as the 28th. None where either has no session, or where the curve begins after the
    earlier start, so that the two would not be of like length.
    """
    earlier = _year_before(start), _year_before(end)
    if not days or days[0] > earlier[0]:
        return None
    now, before = (
        (bisect_left(days, first), bisect_right(days, last)) for first, last in ((start, end), earlier)
    )
    if now[0] >= now[1] or before[0] >= before[1]:
        return None
    return (
        _period("", days, values, opening, *now),
        _period("-1", days, values, opening, *before),
    )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two curves of the same strategy over the days that both have, each scaled to its first common day.

    `return_gap` is the first's total return minus the second's; `tracking_error` the sample deviation of the
    daily differences x sqrt(242); `worst_day` the day with the largest absolute difference, `worst_gap`.
    """

    days: int
    return_first: float
    return_second: float
    return_gap: float
    correlation: float | None
    tracking_error: float | None
    worst_day: date | None
    worst_gap: float


def compare(
    days: Sequence[date], values: ArrayLike, other_days: Sequence[date], other_values: ArrayLike
) -> Comparison | None:
    """The first curve (paper, say) against the second (backtest); None with fewer than two common days."""
    both, own, other = aligned(days, values, other_days, other_values)
    if len(both) < 2:
        return None
    first, second = daily_returns(own), daily_returns(other)
    gap = first - second
    worst = int(np.argmax(np.abs(gap)))
    varied = len(gap) >= MIN_DAYS and min(float(first.std()), float(second.std())) > NO_SPREAD
    return Comparison(
        days=len(both),
        return_first=total_return(own),
        return_second=total_return(other),
        return_gap=total_return(own) - total_return(other),
        correlation=float(np.corrcoef(first, second)[0, 1]) if varied else None,
        tracking_error=float(gap.std(ddof=1)) * sqrt(TRADING_DAYS) if len(gap) >= MIN_DAYS else None,
        worst_day=both[worst + 1] if abs(float(gap[worst])) > 0 else None,
        worst_gap=float(gap[worst]),
    )


def _grouped(
    days: Sequence[date], values: Sequence[float], opening: float, label: Callable[[date], str]
) -> list[PeriodResult]:
    found, place = [], 0
    for name, group in groupby(days, key=label):
        end = place + sum(1 for _ in group)
        found.append(_period(name, days, values, opening, place, end))
        place = end
    return found


def _period(
    label: str, days: Sequence[date], values: Sequence[float], opening: float, first: int, stop: int
) -> PeriodResult:
    before = values[first - 1] if first else opening
    curve = [before, *values[first:stop]]
    return PeriodResult(
        label,
        days[first],
        days[stop - 1],
        stop - first,
        total_return(curve),
        max_drawdown(curve),
        sharpe(curve),
    )


def _year_before(day: date) -> date:
    leap = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if leap else day.day)
