"""Point-in-time adjustment: bars from before an ex-day on the price level after it.

Indicators and patterns then see no crash where shares were only divided or a dividend was paid. An action
counts from its ex-day on and never earlier, so nothing from the future is used; the latest bars keep their
traded prices.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time

import numpy as np

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.domain.money import to_decimal
from vnpy_aiagent.market.corporate import CorporateAction, ex_factor

_PRICES = ("open", "high", "low", "close", "pre_close")


def adjust(series: BarSeries, daily: BarSeries, actions: Sequence[CorporateAction], on: date) -> BarSeries:
    """The series with prices (CNY) before each ex-day up to `on` put on its level, volumes divided alike.

    `daily` are the symbol's own daily bars as traded, which give the close before each ex-day. An action
    before the first bar, or whose cash exceeds that close, changes nothing. Turnover stays as it was.
    """
    factors = np.ones(len(series))
    for action in actions:
        if action.ex_date > on:
            continue
        opening = int(datetime.combine(action.ex_date, time(0), MARKET_TZ).timestamp())
        at = int(np.searchsorted(daily.start, opening)) - 1
        if at < 0:
            continue
        close = to_decimal(float(daily.close[at]))
        if action.cash >= close:
            continue
        factors[: int(np.searchsorted(series.start, opening))] *= ex_factor(close, action)
    if not len(factors) or factors[0] == 1.0:
        return series
    prices = {name: getattr(series, name) * factors for name in _PRICES}
    return replace(series, volume=series.volume / factors, **prices)
