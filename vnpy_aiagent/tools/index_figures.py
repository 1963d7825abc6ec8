"""What a decision sees of an index: a few figures of its daily bars."""

import numpy as np

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.tools.snapshot import IndexView

DIGITS = 6


def index_view(series: BarSeries) -> IndexView | None:
    """The figures at the last bar of a daily series; None for an empty one."""
    if not len(series):
        return None
    close = series.close
    moves = np.diff(np.log(close[-21:]))
    return IndexView(
        vt_symbol=series.vt_symbol,
        available_at=series.end_of(-1),
        points=round(float(close[-1]), DIGITS),
        return_1d=_change(series, 1),
        return_5d=_change(series, 5),
        return_20d=_change(series, 20),
        above_sma20=_above(series, 20),
        above_sma60=_above(series, 60),
        volatility20=round(float(np.std(moves, ddof=1)), DIGITS) if len(moves) == 20 else None,
        drawdown60=round(float(close[-1] / close[-60:].max() - 1), DIGITS) if len(close) >= 60 else None,
    )


def _change(series: BarSeries, bars: int) -> float | None:
    close = series.close
    return round(float(close[-1] / close[-1 - bars] - 1), DIGITS) if len(close) > bars else None


def _above(series: BarSeries, bars: int) -> float | None:
    close = series.close
    return round(float(close[-1] / close[-bars:].mean() - 1), DIGITS) if len(close) >= bars else None
