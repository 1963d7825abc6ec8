"""What an optimisation's best result is worth, given how many settings were tried."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from vnpy_aiagent.backtest.metrics import TRADING_DAYS, daily_sharpe
from vnpy_aiagent.backtest.significance import (
    Overfitting,
    deflated_sharpe_of,
    expected_max_sharpe,
    overfitting,
)

RETURNS = "daily_returns"
"""Where an optimisation's statistics keep the daily returns of a setting (ratios)."""


@dataclass(frozen=True, slots=True)
class TrialsResult:
    """`trials` settings tried. Sharpe ratios are annual (242 days): that of the best one, and the best that
    as many settings without any edge would have shown. `deflated` is the probability that the best one's true
    ratio is above 0; `overfitting` is None with fewer than two settings or too few days."""

    trials: int
    best_sharpe: float | None
    expected_max: float
    deflated: float | None
    overfitting: Overfitting | None


def judge_trials(results: Sequence[tuple[dict[str, Any], float, dict[str, Any]]]) -> TrialsResult | None:
    """Of what `run_bf_optimization` and `run_ga_optimization` return, the best first; None without results.

    A genetic search tries some settings more than once; each setting counts once. Settings that correlate are
    fewer independent trials than counted, so the deflated ratio is rather too strict than too lenient.
    """
    kept = {repr(sorted(setting.items())): statistics for setting, _, statistics in results}
    if not kept:
        return None
    columns = [np.asarray(statistics.get(RETURNS, ()), dtype=np.float64) for statistics in kept.values()]
    sharpes = [found for column in columns if (found := daily_sharpe(column)) is not None]
    variance = float(np.var(sharpes, ddof=1)) if len(sharpes) > 1 else 0.0
    best = daily_sharpe(columns[0])
    same = len(columns) > 1 and len({len(column) for column in columns}) == 1
    year = sqrt(TRADING_DAYS)
    return TrialsResult(
        trials=len(kept),
        best_sharpe=None if best is None else best * year,
        expected_max=expected_max_sharpe(len(kept), variance) * year,
        deflated=deflated_sharpe_of(columns[0], len(kept), sharpes),
        overfitting=overfitting(np.column_stack(columns)) if same else None,
    )
