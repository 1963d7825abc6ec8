"""Which of a broker's orders an intent of unknown fate is. Pure functions.

By the reference where the gateway passes it on; else by symbol, side, price, volume and a time not before
the intent. Nothing is guessed: several candidates stay several.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from vnpy.trader.constant import Direction
from vnpy.trader.object import OrderData

from vnpy_aiagent.domain import MARKET_TZ, Intent, Side, to_decimal

CLOCK_SKEW = timedelta(seconds=5)
"""How far a broker's clock may be behind this machine's."""
DIRECTIONS = {Side.BUY: Direction.LONG, Side.SELL: Direction.SHORT}


def candidates(intent: Intent, orders: Iterable[OrderData], owned: Callable[[str], bool]) -> list[OrderData]:
    """A broker's orders that may be this intent, among those that no intent owns (`owned(vt_orderid)`)."""
    free = [order for order in orders if not owned(order.vt_orderid) and is_alike(intent, order)]
    named = [order for order in free if order.reference == intent.reference]
    if named:
        return named
    return [order for order in free if not order.reference.startswith(own_prefix(intent))]


def own_prefix(intent: Intent) -> str:
    """How references of this app's runs begin; an order with another intent's reference is not this one."""
    return intent.reference.split("-", maxsplit=1)[0] + "-"


def is_alike(intent: Intent, order: OrderData) -> bool:
    """Whether an order could be what the intent asked for, by everything but its reference."""
    return (
        order.gateway_name == intent.gateway
        and order.vt_symbol == intent.symbol
        and order.direction is DIRECTIONS[intent.side]
        and order.volume == intent.volume
        and abs(to_decimal(order.price) - intent.price) * 10_000 < 1
        and is_in_time(intent, order.datetime)
    )


def is_in_time(intent: Intent, when: datetime | None) -> bool:
    """Whether an order's time is not before the intent; one without a time may be."""
    if when is None:
        return True
    at = when if when.tzinfo else when.replace(tzinfo=MARKET_TZ)
    return at >= intent.at - CLOCK_SKEW
