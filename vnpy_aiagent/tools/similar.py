"""Similar stretches of the symbol's own history, and what followed each: a sample, not a forecast."""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from vnpy_aiagent.data.similar import Floats, Similar, similar_stretches, wilson
from vnpy_aiagent.domain import BarInterval
from vnpy_aiagent.errors import ToolError
from vnpy_aiagent.tools.market import bars_of
from vnpy_aiagent.tools.registry import Arguments, Tool, ToolResult
from vnpy_aiagent.tools.snapshot import DecisionSnapshot
from vnpy_aiagent.tools.told import DIGITS, minute

FEWEST_CHOICES = 30
"""Stretches to choose from below which nothing is said."""
MOST_CHOSEN = 20


class SimilarArguments(Arguments):
    """Which stretch is looked for."""

    interval: Literal["MINUTE_30", "HOUR", "DAILY", "WEEKLY"] = "DAILY"
    window: int = Field(20, ge=5, le=60, description="Bars of the stretch, the last one is the present.")
    horizon: int = Field(10, ge=1, le=40, description="Bars after it that count as its outcome.")
    count: int = Field(8, ge=3, le=MOST_CHOSEN, description="How many of the nearest.")


def find_similar(snapshot: DecisionSnapshot, arguments: SimilarArguments) -> ToolResult:
    """The nearest stretches whose outcome is over, and their outcomes beside those of all stretches."""
    series = bars_of(snapshot, BarInterval[arguments.interval])
    window, horizon = arguments.window, arguments.horizon
    found = similar_stretches(
        series.close, series.high, series.low, window=window, horizon=horizon, count=arguments.count
    )
    if len(found.base) < FEWEST_CHOICES:
        need = FEWEST_CHOICES + window + max(window, horizon)
        raise ToolError(
            f"{len(series)} bars leave {len(found.base)} stretches to compare with; a window of {window} and "
            f"a horizon of {horizon} need {need} bars: ask for shorter ones, or do without"
        )
    data = {
        "symbol": snapshot.instrument.vt_symbol,
        "interval": arguments.interval,
        "window": window,
        "horizon": horizon,
        "bars": len(series),
        "sample": _summary(found.after),
        "all_stretches": _summary(found.base),
        "columns": ["end", "distance", "return_after", "best", "worst"],
        "stretches": [
            [minute(series.end_of(int(place))), *_rounded(found, row)]
            for row, place in enumerate(found.places)
        ],
    }
    return ToolResult(data, series.end_of(-1))


def has_bars(snapshot: DecisionSnapshot) -> bool:
    """Whether daily bars are held that could be enough."""
    series = snapshot.bars.get(BarInterval.DAILY)
    return series is not None and len(series) >= FEWEST_CHOICES


def _rounded(found: Similar, row: int) -> list[float]:
    columns = (found.distance, found.after, found.best, found.worst)
    return [round(float(column[row]), DIGITS) for column in columns]


def _summary(after: Floats) -> dict[str, Any]:
    """Returns in ratios; `up_interval` is Wilson's 95 % interval of the share that rose.

    Stretches of all overlap, so no interval is given where there are many: theirs would be too narrow.
    """
    total, up = len(after), int(np.count_nonzero(after > 0))
    low, high = wilson(up, total)
    middle = [round(float(value), DIGITS) for value in np.quantile(after, (0.25, 0.5, 0.75))]
    told: dict[str, Any] = {
        "count": total,
        "up": round(up / total, DIGITS),
        "mean": round(float(after.mean()), DIGITS),
        "quartiles": middle,
    }
    if total <= MOST_CHOSEN:
        told["up_interval"] = [round(low, 4), round(high, 4)]
    return told


SIMILAR_TOOLS = (
    Tool(
        "find_similar",
        "Nearest past stretches of the symbol's returns and what followed: sample size, share up, quartiles.",
        SimilarArguments,
        find_similar,
        has_bars,
        2_500,
    ),
)
