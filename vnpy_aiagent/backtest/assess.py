"""One curve judged as a whole: figures, how far they could be chance, periods; the same as JSON values."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from numpy.typing import ArrayLike

from vnpy_aiagent.backtest import chance, periods, significance
from vnpy_aiagent.backtest.metrics import (
    Array,
    Performance,
    Trading,
    daily_returns,
    daily_sharpe,
    performance,
)

SEED = 7
"""Of the bootstrap and of random trading: the same run gives the same figures."""


@dataclass(frozen=True)
class Assessment:
    """`intervals` hold 95 % by figure; `probabilistic` and `deflated` are probabilities that the true Sharpe
    ratio is above 0, alone and as the best of `trials`; `random` and `shifted` are None without prices or
    trades; `year_earlier` pairs the last whole year with the one before. `curve` (CNY) begins with the
    starting cash."""

    days: tuple[date, ...]
    curve: tuple[float, ...]
    figures: Performance
    intervals: dict[str, significance.Interval]
    probabilistic: float | None
    deflated: float | None
    trials: int
    random: chance.Chance | None
    shifted: chance.Perturbed | None
    years: tuple[periods.PeriodResult, ...]
    months: tuple[periods.PeriodResult, ...]
    year_earlier: tuple[periods.PeriodResult, periods.PeriodResult] | None


def assess(
    days: Sequence[date],
    curve: Sequence[float],
    trading: Trading,
    *,
    benchmark: ArrayLike = (),
    trials: int = 1,
    sharpes: Sequence[float] = (),
    random: chance.Chance | None = None,
    shifted: chance.Perturbed | None = None,
) -> Assessment:
    """Judge a curve of len(days) + 1 values (CNY). `sharpes` are the daily ratios of the trials.

    ValueError for a curve that is not above 0 throughout.
    """
    figures = performance(curve, trading, benchmark)
    returns = daily_returns(curve)
    own = daily_sharpe(returns) if figures.sharpe is not None else None
    return Assessment(
        days=tuple(days),
        curve=tuple(curve),
        figures=figures,
        intervals=_intervals(returns),
        probabilistic=None
        if own is None
        else significance.probabilistic_sharpe(own, len(returns), *significance.moments(returns)),
        deflated=significance.deflated_sharpe_of(returns, trials, sharpes),
        trials=trials,
        random=random,
        shifted=shifted,
        years=tuple(periods.by_year(days, curve[1:], curve[0])),
        months=tuple(periods.by_month(days, curve[1:], curve[0])),
        year_earlier=_year_earlier(days, curve),
    )


def facts(found: Assessment) -> dict[str, Any]:
    """Ratios to 6 places; null where a figure is undefined."""
    random = found.random
    return {
        **{name: _rounded(value) for name, value in asdict(found.figures).items()},
        "intervals": {
            name: [_rounded(each.low), _rounded(each.high)] for name, each in found.intervals.items()
        },
        "probabilistic_sharpe": _rounded(found.probabilistic),
        "deflated_sharpe": _rounded(found.deflated),
        "trials": found.trials,
        "random": None
        if random is None
        else {
            "draws": random.draws,
            "median_return": _rounded(random.median_return),
            "interval": [_rounded(random.low), _rounded(random.high)],
            "as_good": _rounded(random.as_good),
        },
        "shifted": None
        if found.shifted is None
        else {name: _rounded(value) for name, value in asdict(found.shifted).items()},
        "years": [_period(each) for each in found.years],
        "year_earlier": [_period(each) for each in found.year_earlier or ()],
    }


def _intervals(returns: Array) -> dict[str, significance.Interval]:
    """By figure; a series too short for an interval has none."""
    if not len(returns):
        return {}
    places = significance.resample(len(returns), seed=SEED)
    statistics = {
        "total_return": significance.total_returns_of,
        "annual_return": significance.annual_returns_of,
        "sharpe": significance.sharpes_of,
        "max_drawdown": significance.max_drawdowns_of,
    }
    found = {name: significance.interval(returns, each, places) for name, each in statistics.items()}
    return {name: each for name, each in found.items() if each is not None}


def _year_earlier(
    days: Sequence[date], curve: Sequence[float]
) -> tuple[periods.PeriodResult, periods.PeriodResult] | None:
    if not days:
        return None
    last = days[-1]
    leap = (last.month, last.day) == (2, 29)
    start = last.replace(year=last.year - 1, day=28 if leap else last.day)
    later = next((day for day in days if day > start), last)
    return periods.same_days_a_year_earlier(days, curve[1:], curve[0], later, last)


def _period(found: periods.PeriodResult) -> dict[str, Any]:
    return {
        "start": found.start.isoformat(),
        "end": found.end.isoformat(),
        "return": _rounded(found.total_return),
        "max_drawdown": _rounded(found.max_drawdown),
        "sharpe": _rounded(found.sharpe),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
