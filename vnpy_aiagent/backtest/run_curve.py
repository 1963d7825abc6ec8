"""The equity curve and the trading of a finished run of the CTA backtesting engine."""

from collections import deque
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from vnpy.trader.constant import Direction

from vnpy_aiagent.backtest.assess import SEED, Assessment, assess
from vnpy_aiagent.backtest.chance import random_same_turnover
from vnpy_aiagent.backtest.metrics import Array, Trading
from vnpy_aiagent.domain.money import to_decimal
from vnpy_aiagent.market.corporate import CorporateAction, ex_factor

if TYPE_CHECKING:
    from vnpy_ctastrategy.backtesting import BacktestingEngine


def curve_of_engine(engine: "BacktestingEngine") -> tuple[list[date], list[float]]:
    """Days, and equity before the first and at the close of each (CNY), after `calculate_result`."""
    days = sorted(engine.daily_results)
    values = [float(engine.capital)]
    for day in days:
        values.append(values[-1] + float(engine.daily_results[day].net_pnl))
    return days, values


def assess_engine(engine: "BacktestingEngine", trials: int = 1) -> Assessment | None:
    """Judge a run of shares against holding the symbol; None without a day, or where equity fell to 0.

    `trials` is how many settings were tried before this one was chosen. ValueError below one.
    """
    days, curve = curve_of_engine(engine)
    if trials < 1:
        raise ValueError(f"at least one setting was tried, not {trials}")
    if not days or min(curve) <= 0:
        return None
    results: list[Any] = [engine.daily_results[day] for day in days]
    closes = [float(each.close_price) for each in results]
    held = [float(each.end_pos) * close for each, close in zip(results, closes, strict=True)]
    amount, fees = (
        float(sum(getattr(each, name) for each in results)) for name in ("turnover", "commission")
    )
    moved = _returns(days, closes, getattr(engine, "corporate_actions", ()))[:, None]
    weights = (np.array(held) / np.array(curve[1:]))[:, None]
    cost = fees / amount if amount else 0.0
    return assess(
        days,
        curve,
        Trading(amount, fees, profits_of(engine.get_all_trades(), float(engine.size), cost), held),
        benchmark=[curve[0], *(curve[0] * np.cumprod(1 + moved[:, 0]))],
        trials=trials,
        random=random_same_turnover(weights, moved, cost, curve[-1] / curve[0] - 1, seed=SEED),
    )


def profits_of(trades: Sequence[Any], size: float, cost: float) -> list[float]:
    """Profit of each sale of a long-only run against the shares it closes, first in first out (CNY).

    `cost` is fees / traded amount, taken off both sides. New shares of an ex-day were paid for with the old
    ones: sold last, they cost nothing.
    """
    lots: deque[list[float]] = deque()
    profits = []
    for trade in trades:
        price = float(trade.price) * size
        if trade.direction is Direction.LONG:
            lots.append([float(trade.volume), price])
            continue
        left, gained = float(trade.volume), float(trade.volume) * price * (1 - cost)
        while left > 0 and lots:
            taken = min(left, lots[0][0])
            gained -= taken * lots[0][1] * (1 + cost)
            left -= taken
            lots[0][0] -= taken
            if lots[0][0] <= 0:
                lots.popleft()
        profits.append(gained)
    return profits


def _returns(days: Sequence[date], closes: Sequence[float], actions: Sequence[CorporateAction]) -> Array:
    """Return of the symbol on each day (ratio), ex-days included; 0 on the first, which has no day before."""
    moved = np.zeros(len(days))
    for place in range(1, len(days)):
        before = closes[place - 1]
        for action in actions:
            if days[place - 1] < action.ex_date <= days[place]:
                before *= ex_factor(to_decimal(before), action)
        moved[place] = closes[place] / before - 1
    return moved
