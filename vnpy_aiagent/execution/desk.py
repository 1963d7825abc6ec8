"""The order desk: parent orders, their children, and what the broker says of them. Pure bookkeeping.

It sends nothing. The execution agent asks it what a broker message means.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from vnpy.trader.object import OrderData, TradeData

from vnpy_aiagent.domain import Intent, OrderState, ParentOrder, ParentState, Signal
from vnpy_aiagent.execution.states import STATUS_REPORTS, TERMINAL, Report, next_state

ZERO = Decimal(0)
MAX_PARKED = 1_000


@dataclass(slots=True)
class Child:
    """One order of ours. `reported` is the broker's cumulative volume, `filled` what fills add up to."""

    intent: Intent
    state: OrderState = OrderState.INTENDED
    vt_orderids: tuple[str, ...] = ()
    reported: int = 0
    filled: int = 0
    turnover: Decimal = ZERO
    reason: str = ""
    parts: dict[str, tuple[OrderState, int]] = field(default_factory=dict)

    def fold(self, vt_orderid: str, report: Report, traded: int) -> tuple[Report, int]:
        """Report and volume of all the orders that this one was split into, after a report on one of them."""
        before, volume = self.parts.get(vt_orderid, (OrderState.SENT, 0))
        self.parts[vt_orderid] = next_state(before, report), max(volume, traded)
        total = sum(part for _, part in self.parts.values())
        states = {part for part, _ in self.parts.values()}
        if len(self.parts) < len(self.vt_orderids) or not states <= TERMINAL:
            return (Report.PARTIAL if total else Report.ACCEPTED), total
        return (Report[states.pop().name] if len(states) == 1 else Report.CANCELLED), total

    @property
    def ended(self) -> bool:
        """Terminal, and every reported share has arrived as a fill."""
        return self.state in TERMINAL and self.filled >= self.reported


@dataclass(slots=True)
class Parent:
    """A signal being worked."""

    order: ParentOrder
    signal: Signal
    children: list[Child] = field(default_factory=list)
    state: ParentState = ParentState.WORKING

    @property
    def filled(self) -> int:
        """Shares filled by all children."""
        return sum(child.filled for child in self.children)

    @property
    def average_price(self) -> Decimal | None:
        """Average fill price, None without a fill."""
        filled = self.filled
        return sum((child.turnover for child in self.children), ZERO) / filled if filled else None

    @property
    def ended(self) -> bool:
        """Whether nothing more can come of its children."""
        return all(child.ended for child in self.children)

    def closing_state(self) -> ParentState:
        """How a parent that has ended ended."""
        if self.filled >= self.order.volume:
            return ParentState.FILLED
        if self.filled:
            return ParentState.DONE_PARTIAL
        rejected = any(child.state is OrderState.REJECTED for child in self.children)
        return ParentState.REJECTED if rejected else ParentState.CANCELLED


class OrderDesk:
    """All parents and children that have not ended, and the map from broker ids to them."""

    def __init__(self) -> None:
        """Begin empty."""
        self.parents: dict[str, Parent] = {}
        self._children: dict[str, Child] = {}
        self._by_order: dict[str, Child] = {}
        self._parked: dict[str, list[OrderData | TradeData]] = {}

    def open(self, order: ParentOrder, signal: Signal) -> Parent:
        """Begin to work a signal."""
        parent = Parent(order, signal)
        self.parents[order.id] = parent
        return parent

    def add(self, intent: Intent) -> Child:
        """Add a child order."""
        child = Child(intent)
        self.parents[intent.parent_id].children.append(child)
        self._children[intent.id] = child
        return child

    def child(self, intent_id: str) -> Child | None:
        """The child of an intent."""
        return self._children.get(intent_id)

    def parent_of(self, child: Child) -> Parent:
        """The parent of a child."""
        return self.parents[child.intent.parent_id]

    def sent(self, intent_id: str, vt_orderids: tuple[str, ...]) -> list[OrderData | TradeData]:
        """Note the broker's ids; returns messages that came early and were parked."""
        child = self._children[intent_id]
        child.vt_orderids = vt_orderids
        child.state = next_state(child.state, Report.SENT)
        early: list[OrderData | TradeData] = []
        for vt_orderid in vt_orderids:
            self._by_order[vt_orderid] = child
            early += self._parked.pop(vt_orderid, [])
        return early

    def withheld(self, intent_id: str) -> Child:
        """The intent was not sent: it ends without a fill."""
        child = self._children[intent_id]
        child.state = next_state(child.state, Report.WITHHELD)
        return child

    def unknown(self, child: Child) -> None:
        """The gateway raised while it had the order: whether it left is open."""
        child.state = next_state(child.state, Report.UNKNOWN)

    def waiting_for(self, data: OrderData) -> Child | None:
        """The child of unknown fate that a broker's report is about, by its own reference."""
        for _, child in self.working():
            known = child.state is OrderState.UNKNOWN and not child.vt_orderids
            if known and data.reference == child.intent.reference:
                return child
        return None

    def owner(self, vt_orderid: str) -> Child | None:
        """The child that a broker's order belongs to, None where it is not ours."""
        return self._by_order.get(vt_orderid)

    def park(self, message: OrderData | TradeData) -> None:
        """Keep a message for an order that is not known (yet); the longest parked order makes room."""
        while len(self._parked) >= MAX_PARKED and message.vt_orderid not in self._parked:
            del self._parked[next(iter(self._parked))]
        self._parked.setdefault(message.vt_orderid, []).append(message)

    def on_order(self, child: Child, data: OrderData) -> bool:
        """Fold a broker's order report into a child; whether anything changed.

        A gateway that counts a fill twice in `traded` cannot report more than was ordered.
        """
        report, volume = STATUS_REPORTS[data.status.name], int(data.traded)
        if len(child.vt_orderids) > 1:
            report, volume = child.fold(data.vt_orderid, report, volume)
        state = next_state(child.state, report)
        traded = max(child.reported, min(volume, child.intent.volume))
        changed = state is not child.state or traded != child.reported
        child.state, child.reported = state, traded
        if data.extra and data.extra.get("reason"):
            child.reason = str(data.extra["reason"])
        return changed

    def on_fill(self, child: Child, price: Decimal, volume: int) -> bool:
        """Add a fill to a child; it may come before or after the order report. Whether the state changed."""
        child.filled += volume
        child.turnover += price * volume
        child.reported = max(child.reported, child.filled)
        before = child.state
        last = child.filled >= child.intent.volume
        child.state = next_state(before, Report.LAST_FILL if last else Report.SOME_FILL)
        return child.state is not before

    def close(self, parent: Parent) -> None:
        """A parent has ended. Its children stay known by id, for late messages."""
        parent.state = parent.closing_state()
        del self.parents[parent.order.id]
        for child in parent.children:
            self._children.pop(child.intent.id, None)

    def working(self) -> Iterator[tuple[Parent, Child]]:
        """Children that have not ended, with their parents."""
        for parent in list(self.parents.values()):
            for child in parent.children:
                if not child.ended:
                    yield parent, child
