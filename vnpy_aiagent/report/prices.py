"""Daily returns of a run's symbols, handed to a report by whoever has the bars: the journal holds none."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from vnpy_aiagent.backtest.metrics import Array
from vnpy_aiagent.data.market_data import MarketData
from vnpy_aiagent.domain import BarInterval

WARM_UP = 60
"""Sessions before the run that a moving average may look back on."""


@dataclass(frozen=True, eq=False)
class Prices:
    """Adjusted closes (CNY on the last day's level), a row a day and a column a symbol.

    A day without a bar repeats the close before; NaN before the first bar.
    """

    days: tuple[date, ...]
    symbols: tuple[str, ...]
    closes: Array

    @classmethod
    def of(cls, data: MarketData, start: date, end: date) -> "Prices | None":
        """Closes from some sessions before `start` up to `end`, adjusted for ex-days; None without bars."""
        columns: dict[str, dict[date, float]] = {}
        for symbol in data.symbols:
            bars = data.bars_on(symbol, BarInterval.DAILY, end)
            columns[symbol] = {
                day: float(bars.close[i]) for i in range(len(bars)) if (day := bars.day_of(i)) <= end
            }
        days = sorted({day for column in columns.values() for day in column})
        first = sum(day < start for day in days)
        days = days[max(0, first - WARM_UP) :]
        if not days or days[-1] < start:
            return None
        symbols = tuple(symbol for symbol, column in columns.items() if column)
        closes = np.array([[columns[symbol].get(day, np.nan) for symbol in symbols] for day in days])
        return cls(tuple(days), symbols, _filled(closes))

    @property
    def returns(self) -> Array:
        """Close / close before - 1; 0 on the first day and where there was no close before."""
        moved = np.zeros_like(self.closes)
        moved[1:] = self.closes[1:] / self.closes[:-1] - 1
        return np.nan_to_num(moved)


def _filled(closes: Array) -> Array:
    for row in range(1, len(closes)):
        closes[row] = np.where(np.isnan(closes[row]), closes[row - 1], closes[row])
    return closes
