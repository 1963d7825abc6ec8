"""The order desk: parent orders, their children, and what the broker says of them. Pure bookkeeping.

It sends nothing. The execution agent asks it what a broker message means.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from vnpy.trader.object import OrderData, TradeData

from vnpy_aiagent.domain import Intent, OrderState, ParentOrder, ParentState, Side, Signal, Text
from vnpy_aiagent.execution.algos.plan import Plan
from vnpy_aiagent.execution.states import STATUS_REPORTS, TERMINAL, Report, next_state

ZERO = Decimal(0)
MAX_PARKED = 1_000
MAX_CLOSED = 20_000
"""Parents that are kept for late messages: more than an account may send in a day."""


@dataclass(slots=True)
class Child:
    """One order of ours. `reported` is the broker's cumulative volume, `filled` what fills add up to.

    `adjusted` are shares that came into the book by the broker's positions, without a fill; `late` are trades
    of them, by their ids, that were heard of afterwards. `cancels` is how often its cancel was asked for, so
    that what is left is sent anew or given up, `asked` when that was last.
    """

    intent: Intent
    state: OrderState = OrderState.INTENDED
    vt_orderids: tuple[str, ...] = ()
    reported: int = 0
    filled: int = 0
    turnover: Decimal = ZERO
    reason: str = ""
    cancels: int = 0
    asked: datetime | None = None
    written_off: bool = False
    adjusted: int = 0
    late: dict[str, int] = field(default_factory=dict)
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
    def booked(self) -> int:
        """Shares of it that are in the book, by fills and by adjustments."""
        return self.filled + self.adjusted

    @property
    def unheard(self) -> int:
        """Shares that it may have traded without the book's knowing."""
        if self.state is OrderState.INTENDED and not self.vt_orderids:
            return 0
        return max(0, (self.reported if self.state in TERMINAL else self.intent.volume) - self.booked)

    @property
    def missing(self) -> int:
        """Shares among them that the broker reported as traded."""
        return 0 if self.written_off else min(self.unheard, max(0, self.reported - self.booked))

    @property
    def ended(self) -> bool:
        """Terminal, and every reported share has arrived as a fill, or was adjusted."""
        return self.state in TERMINAL and self.booked >= self.reported

    def is_adjusted(self, tradeid: str, volume: int) -> bool:
        """Whether a trade that no fill was booked for is in the book by an adjustment already; notes it."""
        if tradeid in self.late:
            return True
        if sum(self.late.values()) + volume > self.adjusted:
            return False
        self.late[tradeid] = volume
        return True

    @property
    def leaves_volume(self) -> bool:
        """Whether it ended as the app wanted, and what it did not fill is certain to be open.

        Not so one that the broker or another hand ended, that was written off, or that is FILLED by word with
        fewer shares.
        """
        if not self.ended or self.written_off:
            return False
        if self.state is OrderState.FILLED:
            return self.booked >= self.intent.volume
        return self.state is OrderState.CANCELLED and self.cancels > 0


@dataclass(slots=True)
class Parent:
    """A signal being worked.

    `plan` is how, None for one that a restart brought back: it ends with its children. `more` says that
    further children may follow, `over` why none does any more. `unwanted`: its orders were to be cancelled,
    one of unknown fate as soon as it is found. `arrival` is the market's price (CNY) when the
    signal came; `first_fill` and `last_fill` are when fills were heard of; `wake` when it is looked at next.
    """

    order: ParentOrder
    signal: Signal
    children: list[Child] = field(default_factory=list)
    state: ParentState = ParentState.WORKING
    plan: Plan | None = None
    more: bool = False
    over: Text | None = None
    unwanted: bool = False
    arrival: Decimal | None = None
    first_fill: datetime | None = None
    last_fill: datetime | None = None
    wake: datetime | None = None

    @property
    def filled(self) -> int:
        """Shares filled by all children."""
        return sum(child.filled for child in self.children)

    @property
    def booked(self) -> int:
        """Shares of all children in the book, by fills and by adjustments."""
        return sum(child.booked for child in self.children)

    @property
    def average_price(self) -> Decimal | None:
        """Average fill price, None without a fill."""
        filled = self.filled
        return sum((child.turnover for child in self.children), ZERO) / filled if filled else None

    @property
    def ended(self) -> bool:
        """Whether nothing more can come of its children, and none follows."""
        return not self.more and all(child.ended for child in self.children)

    @property
    def open(self) -> list[Child]:
        """Children that have not ended."""
        return [child for child in self.children if not child.ended]

    @property
    def exposed(self) -> int:
        """Shares in the book, and those that may still fill."""
        return self.booked + sum(child.intent.volume - child.booked for child in self.open)

    def closing_state(self) -> ParentState:
        """How a parent that has ended ended."""
        if self.booked >= self.order.volume:
            return ParentState.FILLED
        if self.booked:
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
        self._closed: dict[str, Parent] = {}

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

    def restore(self, child: Child) -> None:
        """Bring back a child of before a restart, whose parent is there again."""
        parent = self.parents[child.intent.parent_id]
        parent.children.append(child)
        self._children[child.intent.id] = child
        for vt_orderid in child.vt_orderids:
            self._by_order[vt_orderid] = child

    def child(self, intent_id: str) -> Child | None:
        """The child of an intent."""
        return self._children.get(intent_id)

    def parent_of(self, child: Child) -> Parent:
        """The parent of a child, one that has ended too: a late fill belongs to its plan."""
        parent_id = child.intent.parent_id
        return self.parents.get(parent_id) or self._closed[parent_id]

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

    def write_off(self, child: Child, reason: str) -> None:
        """The broker knows no such order, or none any more: it has ended.

        Any of its volume may have traded unheard: it stays open until the positions tell (`settle`).
        """
        child.state = next_state(child.state, Report.CANCELLED)
        child.reported, child.reason, child.written_off = child.intent.volume, reason, True

    def adjust(self, child: Child, volume: int) -> None:
        """Shares of an order came into the book by the broker's positions, without a fill."""
        child.adjusted += volume
        child.reported = max(child.reported, child.booked)
        last = child.booked >= child.intent.volume
        child.state = next_state(child.state, Report.LAST_FILL if last else Report.SOME_FILL)

    def settle(self, child: Child) -> None:
        """Positions agree: an ended order has no more fills to come, whatever its reports added up to."""
        child.reported = child.booked

    def has_twin(self, gateway: str, symbol: str, side: Side, price: Decimal, volume: int) -> bool:
        """Whether an intent whose order has no id yet asks for just this."""
        wanted = gateway, symbol, side, price, volume
        for _, child in self.working():
            intent = child.intent
            same = wanted == (intent.gateway, intent.symbol, intent.side, intent.price, intent.volume)
            if same and not child.vt_orderids:
                return True
        return False

    def waiting_for(self, data: OrderData) -> Child | None:
        """The child of unknown fate that a broker's report is about, by its own reference."""
        for _, child in self.working():
            intent = child.intent
            known = child.state is OrderState.UNKNOWN and not child.vt_orderids
            theirs = intent.reference, intent.gateway, intent.symbol
            if known and theirs == (data.reference, data.gateway_name, data.vt_symbol):
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

        A gateway may count a fill twice in `traded` (vnpy_xtp adds each trade to what order reports have
        counted already): it cannot report more than was ordered, and nothing more after the order's end,
        where fills alone count.
        """
        report, volume = STATUS_REPORTS[data.status.name], int(data.traded)
        if len(child.vt_orderids) > 1:
            report, volume = child.fold(data.vt_orderid, report, volume)
        state = next_state(child.state, report)
        over = child.state in TERMINAL
        traded = child.reported if over else max(child.reported, min(volume, child.intent.volume))
        changed = state is not child.state or traded != child.reported
        child.state, child.reported = state, traded
        if isinstance(data.extra, dict) and data.extra.get("reason"):
            child.reason = str(data.extra["reason"])
        return changed

    def on_fill(self, child: Child, price: Decimal, volume: int) -> bool:
        """Add a fill to a child; it may come before or after the order report. Whether the state changed."""
        child.filled += volume
        child.turnover += price * volume
        child.reported = max(child.reported, child.booked)
        before = child.state
        last = child.booked >= child.intent.volume
        child.state = next_state(before, Report.LAST_FILL if last else Report.SOME_FILL)
        return child.state is not before

    def close(self, parent: Parent) -> None:
        """A parent has ended. It and its children stay known by id, for late messages."""
        parent.state = parent.closing_state()
        del self.parents[parent.order.id]
        for child in parent.children:
            self._children.pop(child.intent.id, None)
        self._closed[parent.order.id] = parent
        while len(self._closed) > MAX_CLOSED:
            self._forget(self._closed.pop(next(iter(self._closed))))

    def _forget(self, parent: Parent) -> None:
        for vt_orderid in [item for child in parent.children for item in child.vt_orderids]:
            if self._by_order[vt_orderid].intent.parent_id == parent.order.id:
                del self._by_order[vt_orderid]

    def working(self) -> Iterator[tuple[Parent, Child]]:
        """Children that have not ended, with their parents."""
        for parent in list(self.parents.values()):
            for child in parent.children:
                if not child.ended:
                    yield parent, child
