"""The price of the next order: from the signal's limit towards its bound, inside band and cage."""

from decimal import Decimal
from typing import Protocol

from vnpy_aiagent.domain import Side, ceil_to_tick, floor_to_tick
from vnpy_aiagent.execution.algos.plan import Market, Orders, Plan, Task


class PriceRules(Protocol):
    """The part of InstrumentRules that prices are measured by."""

    @property
    def tick_size(self) -> Decimal:
        """Smallest price step (CNY)."""
        ...

    def cage(
        self,
        side: Side,
        best_bid: Decimal | None,
        best_ask: Decimal | None,
        last: Decimal | None,
        prev_close: Decimal | None,
    ) -> Decimal | None:
        """Highest price of a buy, lowest of a sale, in continuous trading; None without a cage."""
        ...


def next_price(
    plan: Plan,
    orders: Orders,
    market: Market | None,
    rules: PriceRules,
    replacements: int,
    stop_slip: Decimal,
) -> Decimal | None:
    """The limit of the next order; None where none lies inside the bounds, the day's band and the cage.

    The first one is the signal's own limit. After each timeout it goes one of `replacements` steps towards
    the signal's bound, but no further than the opposite side asks for. A protective stop goes at least
    `stop_slip` (a ratio) below the last price, and to its bound, the limit down, in the end.
    """
    task, tick = plan.task, rules.tick_size
    price = task.limit if market is None else _wanted(plan, market, tick, replacements, stop_slip)
    if task.side is Side.BUY and orders.most is not None and price > task.limit:
        price = max(task.limit, min(price, floor_to_tick(orders.most, tick)))
    price = min(max(price, task.low), task.high)
    return price if market is None else _inside(task, price, market, rules)


def helps(task: Task, price: Decimal | None, present: Decimal) -> bool:
    """Whether a new limit is nearer to a fill than the present one."""
    if price is None:
        return False
    return price > present if task.side is Side.BUY else price < present


def _wanted(plan: Plan, market: Market, tick: Decimal, replacements: int, stop_slip: Decimal) -> Decimal:
    task = plan.task
    replacements = max(1, replacements) if task.protective else replacements
    step = min(plan.timeouts, replacements)
    if not step:
        return task.limit
    share = Decimal(step) / replacements
    if task.side is Side.BUY:
        reach = floor_to_tick(task.limit + (task.high - task.limit) * share, tick)
        return min(reach, max(task.limit, market.ask or market.last + tick))
    reach = ceil_to_tick(task.limit - (task.limit - task.low) * share, tick)
    if task.protective:
        return min(reach, ceil_to_tick(market.last * (1 - stop_slip), tick))
    return max(reach, min(task.limit, market.bid or max(market.last - tick, tick)))


def _inside(task: Task, price: Decimal, market: Market, rules: PriceRules) -> Decimal | None:
    """The price inside cage and band; None where that leads out of the signal's bounds."""
    cage = rules.cage(task.side, market.bid, market.ask, market.last, market.prev_close)
    if cage is not None:
        price = min(price, cage) if task.side is Side.BUY else max(price, cage)
    if market.limit_up is not None:
        price = min(price, market.limit_up)
    if market.limit_down is not None:
        price = max(price, market.limit_down)
    return price if task.low <= price <= task.high else None
