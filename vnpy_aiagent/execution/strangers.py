"""Trades on orders that are not the app's own: what they did to shares and cash. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from vnpy.trader.constant import Direction
from vnpy.trader.object import TradeData

from vnpy_aiagent.domain import is_number, to_decimal
from vnpy_aiagent.execution.broker_view import is_count


@dataclass(slots=True)
class Strange:
    """Net shares by symbol, the change of cash before fees, and turnover (CNY)."""

    volumes: dict[str, int] = field(default_factory=dict)
    cash: Decimal = Decimal(0)
    turnover: Decimal = Decimal(0)


def strange_sums(trades: Iterable[TradeData]) -> Strange:
    """What strange trades add up to; one with impossible figures explains nothing."""
    found = Strange()
    for trade in trades:
        if not is_count(trade.volume) or not is_number(trade.price) or trade.price <= 0:
            continue
        sign = 1 if trade.direction is Direction.LONG else -1
        amount = to_decimal(trade.price) * int(trade.volume)
        found.volumes[trade.vt_symbol] = found.volumes.get(trade.vt_symbol, 0) + sign * int(trade.volume)
        found.cash -= sign * amount
        found.turnover += amount
    return found
