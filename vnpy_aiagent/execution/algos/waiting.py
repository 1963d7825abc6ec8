"""Whether the market is too poor to send into: a wide spread, or little on the opposite side."""

from decimal import Decimal

from vnpy_aiagent.config import PatienceSettings
from vnpy_aiagent.domain import Side, Text, say, to_decimal
from vnpy_aiagent.execution.algos.plan import Market

LEAST_TICKS = 2


def poor(
    side: Side, volume: int, market: Market | None, settings: PatienceSettings, tick: Decimal
) -> Text | None:
    """Why an order of this volume should wait, None where the market is good enough or no book is known.

    A book with one side empty is no reason: at a locked limit an early place in the queue counts.
    """
    if market is None or market.bid is None or market.ask is None:
        return None
    spread, middle = market.ask - market.bid, (market.ask + market.bid) / 2
    if spread > max(middle * to_decimal(settings.max_spread), LEAST_TICKS * tick):
        return say("买卖价差 {spread} 过大", spread=spread)
    depth = market.ask_volume if side is Side.BUY else market.bid_volume
    if depth is not None and depth < volume * settings.min_depth:
        return say("对手盘只有 {depth} 股，委托 {volume} 股", depth=depth, volume=volume)
    return None
