"""Average true range of daily bars: one definition for the brain and for risk."""

from decimal import Decimal

import numpy as np
import talib

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.domain import to_decimal

ATR_PERIOD = 14


def average_true_range(series: BarSeries) -> Decimal | None:
    """14-bar average true range (Wilder, ta-lib) at the last bar, CNY; None where history is too short."""
    if len(series) <= ATR_PERIOD:
        return None
    high, low, close = (np.ascontiguousarray(column) for column in (series.high, series.low, series.close))
    value = float(talib.ATR(high, low, close, ATR_PERIOD)[-1])
    return to_decimal(round(value, 6)) if np.isfinite(value) and value > 0 else None
