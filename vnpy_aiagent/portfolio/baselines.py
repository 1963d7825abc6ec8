"""Baselines to compare accounts with: buy and hold of an index, or of all symbols in equal parts.

Both begin with the same cash at the first close of the run, hold fractions, and pay no fees: they are a
measure, not a strategy that could be traded.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.domain import Text, cny, say

LATE_DAYS = 14
"""A first close later than this after the start is no mere holiday."""


class Baseline:
    """The value of cash spread equally over series at the first close from `start` on."""

    def __init__(
        self, name: str, label: Text, series: Sequence[BarSeries], start: date, cash: Decimal
    ) -> None:
        """Series without a bar from `start` on are left out; what begins later joins at its first close."""
        self.name = name
        self.label = label
        self.cash = cash
        self._closes = [closes for closes in (_closes(bars, start) for bars in series) if closes]

    def value_on(self, day: date) -> Decimal | None:
        """Value (CNY) at a day's close, each series at its latest close; None before the first one."""
        ratios = []
        for days, closes in self._closes:
            at = bisect_right(days, day) - 1
            ratios.append(1.0 if at < 0 else closes[at] / closes[0])
        begun = any(days[0] <= day for days, _ in self._closes)
        return cny(float(self.cash) * sum(ratios) / len(ratios)) if begun else None


def equal_weight(series: Sequence[BarSeries], start: date, cash: Decimal) -> Baseline:
    """All symbols in equal parts."""
    return Baseline("equal_weight", say("等权持有全部标的（不计费用）"), series, start, cash)


def index(name: str, series: BarSeries, start: date, cash: Decimal) -> Baseline:
    """An index; it begins where its data does, and says so where that is late."""
    label = say("指数 {name}（不计费用）", name=name)
    closes = _closes(series, start)
    if closes and (closes[0][0] - start).days > LATE_DAYS:
        label = say("指数 {name}（不计费用，数据自 {day} 起）", name=name, day=closes[0][0])
    return Baseline(f"index {name}", label, [series], start, cash)


Closes = tuple[list[date], list[float]]


def _closes(bars: BarSeries, start: date) -> Closes | None:
    pairs = [(bars.day_of(i), float(bars.close[i])) for i in range(len(bars))]
    kept = [(day, close) for day, close in pairs if day >= start]
    return ([day for day, _ in kept], [close for _, close in kept]) if kept else None
