"""How well a parent order was worked: its price against the arrival price, how much, and how fast."""

from datetime import datetime
from decimal import Decimal

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.base import EVENT_AI_ORDER
from vnpy_aiagent.domain import Algo, ExecutionReport, OrderState, ParentDone, Side
from vnpy_aiagent.execution import Parent


def report_on(house: AgentContext, parent: Parent) -> ExecutionReport:
    """Journal how a parent that has ended was worked."""
    order, average = parent.order, parent.average_price
    since = parent.signal.at
    return house.bus.post(
        ExecutionReport,
        EVENT_AI_ORDER,
        cause=order.id,
        account=order.account,
        parent_id=order.id,
        signal_id=parent.signal.id,
        symbol=order.symbol,
        side=order.side,
        algo=Algo.LIMIT if parent.plan is None else parent.plan.task.algo,
        state=parent.state,
        volume=order.volume,
        filled=parent.filled,
        arrival=parent.arrival,
        average_price=average,
        slippage=slippage(order.side, parent.arrival, average),
        fill_rate=round(parent.filled / order.volume, 6),
        first_fill=_seconds(since, parent.first_fill),
        last_fill=_seconds(since, parent.last_fill),
        children=len(parent.children),
        cancels=sum(c.state is OrderState.CANCELLED and bool(c.vt_orderids) for c in parent.children),
        reason=parent.over if parent.filled < order.volume else None,
    )


def post_done(house: AgentContext, parent: Parent) -> None:
    """Say that a parent has ended."""
    order = parent.order
    house.bus.post(
        ParentDone,
        EVENT_AI_ORDER,
        cause=order.id,
        account=order.account,
        parent_id=order.id,
        symbol=order.symbol,
        side=order.side,
        state=parent.state,
        filled=parent.filled,
        average_price=parent.average_price,
    )


def slippage(side: Side, arrival: Decimal | None, average: Decimal | None) -> float | None:
    """The average price against the arrival price as a ratio, positive where it was worse for us."""
    if arrival is None or average is None or not arrival:
        return None
    worse = average - arrival if side is Side.BUY else arrival - average
    return round(float(worse / arrival), 6)


def _seconds(since: datetime, until: datetime | None) -> float | None:
    return None if until is None else round((until - since).total_seconds(), 3)
