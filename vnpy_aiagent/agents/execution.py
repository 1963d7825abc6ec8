"""The execution agent: signals become parent orders and intents; durable intents are sent; fills are booked.

An intent is on the disk before it is sent, and the trading state is looked at immediately before sending.
What is not certain is never sent again.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime

from vnpy.trader.object import OrderData, TradeData

from vnpy_aiagent.agents.approval import ApprovalDesk
from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.day_counts import DayCounts
from vnpy_aiagent.agents.hearing import Hearing
from vnpy_aiagent.agents.overtaken import Overtaken
from vnpy_aiagent.agents.routes import OrderRoute, RouteBook
from vnpy_aiagent.agents.sending import RETRY_TIMER, Sender
from vnpy_aiagent.agents.slips import SlipBook
from vnpy_aiagent.agents.work_report import post_done, report_on
from vnpy_aiagent.agents.working import WORK_TIMER, Worker
from vnpy_aiagent.base import EVENT_AI_DURABLE, EVENT_AI_ORDER, EVENT_AI_SIGNAL
from vnpy_aiagent.domain import (
    Activity,
    AgentName,
    ExecutionReport,
    Intent,
    OrderState,
    ParentOrder,
    Severity,
    Side,
    Signal,
    Text,
    TradingState,
    Withheld,
    say,
)
from vnpy_aiagent.execution import TERMINAL, Child, OrderDesk, Parent

__all__ = ["EXPIRE_TIMER", "RETRY_TIMER", "WORK_TIMER", "ExecutionAgent"]

EXPIRE_TIMER = "parent_expires"
KEPT_REPORTS = 100

OnVoid = Callable[[Signal, Text, str], None]
"""Hears of a signal that becomes no order: the signal, why, and the id of the message that says so."""


def _nobody_waits(signal: Signal, reason: Text, cause: str) -> None:
    pass


class ExecutionAgent:
    """Works signals: through the host's gateways (DIRECT), or through a registered CTA strategy (CTA)."""

    def __init__(self, house: AgentContext) -> None:
        """Subscribe to signals, durable intents and broker reports (which the engine forwards)."""
        self.house = house
        self.desk = OrderDesk()
        self.overtaken = Overtaken(house)
        self.approvals = ApprovalDesk(house, self._work, self.overtaken)
        self.on_void: OnVoid = _nobody_waits
        self.slips = SlipBook(house)
        self.routes = RouteBook(house, self.slips)
        self.hearing = Hearing(house, self.desk, self.after_change)
        self.sender = Sender(
            house, self.desk, self.hearing, self.overtaken, self.routes, self.slips, self.after_change
        )
        self.worker = Worker(house, self.sender, self._settle)
        self.reports: deque[ExecutionReport] = deque(maxlen=KEPT_REPORTS)
        self.sent_on_day = self.sender.sent_on_day
        self.foreign_orders = self.hearing.foreign_orders
        self.foreign_fills = self.hearing.foreign_fills
        house.bus.subscribe(EVENT_AI_SIGNAL, self.on_signal)
        house.bus.subscribe(EVENT_AI_DURABLE, self.on_durable)

    def take_counts(self, sent: DayCounts, cancelled: DayCounts) -> None:
        """Orders sent and cancelled by account and day before a restart."""
        self.sender.sent_on_day.update(sent)
        self.sender.cancelled_on_day.update(cancelled)

    # routes

    def register_route(self, account: str, symbol: str, route: OrderRoute) -> None:
        """Let a CTA strategy send the orders of one account and symbol; ConfigError as RouteBook says."""
        self.routes.register(account, symbol, route)

    def release_route(self, account: str, symbol: str, route: OrderRoute) -> None:
        """Take a registered route back; any other route stays."""
        self.routes.release(account, symbol, route)

    # signals

    def on_signal(self, signal: Signal) -> None:
        """Open a parent order and its intent, unless it is void or a human is to be asked first."""
        self.worker.note_arrival(signal)
        overtaken = self.overtaken.why(signal)
        if overtaken is not None:
            self._void(signal, overtaken)
        elif not self.approvals.holds(signal):
            self._work(signal, signal.id)

    def _work(self, signal: Signal, cause: str) -> None:
        house = self.house
        objection = self.overtaken.ownership(signal)
        if objection is not None:
            self._void(signal, objection)
            return
        house.bus.status(AgentName.EXECUTION, Activity.EXECUTING, signal.symbol)
        if signal.protective:
            self._clear_buys(signal.account, signal.symbol)
        order = house.bus.post(
            ParentOrder,
            EVENT_AI_ORDER,
            cause=cause,
            account=signal.account,
            signal_id=signal.id,
            symbol=signal.symbol,
            side=signal.side,
            volume=signal.volume,
            protective=signal.protective,
        )
        parent = self.desk.open(order, signal)
        house.timers.set(signal.valid_until, EXPIRE_TIMER, order.id)
        self.worker.begin(parent)

    def _void(self, signal: Signal, reason: Text) -> None:
        """A signal becomes no order; whoever waits for it hears so."""
        withheld = self.house.bus.post(
            Withheld, cause=signal.id, account=signal.account, intent_id="", reason=reason
        )
        self.house.bus.say_log(reason, Severity.WARNING)
        self.on_void(signal, reason, withheld.id)

    # the broker

    def on_durable(self, intent: Intent) -> None:
        """Send an intent that is on the disk, unless something speaks against it."""
        self.sender.on_durable(intent)

    def on_order(self, data: OrderData) -> None:
        """Fold a broker's order report."""
        self.hearing.on_order(data)

    def on_trade(self, data: TradeData) -> None:
        """Book a fill once."""
        self.hearing.on_trade(data)

    # endings

    def after_change(self, child: Child) -> None:
        """Something was heard of a child: what ended gives its reservation back, and the next may follow."""
        if child.ended:
            self.house.portfolio.books[child.intent.account].release(child.intent.id)
        parent = self.desk.parents.get(child.intent.parent_id)
        if parent is not None:
            self.worker.on_change(parent, child)
            self._settle(parent)

    def _settle(self, parent: Parent) -> None:
        """End a parent of which nothing more can come."""
        order = parent.order
        if not parent.ended or order.id not in self.desk.parents:
            return
        self.worker.forget(parent)
        self.desk.close(parent)
        self.reports.append(report_on(self.house, parent))
        post_done(self.house, parent)
        if not self.desk.parents:
            self.house.bus.status(AgentName.EXECUTION, Activity.COMPLETED, order.symbol)

    def on_tick(self, vt_symbol: str) -> None:
        """A new quote: an order of the symbol may have waited for it."""
        self.worker.on_tick(vt_symbol)

    def on_work(self, parent_id: str) -> None:
        """It is time to look at a parent."""
        parent = self.desk.parents.get(parent_id)
        if parent is not None:
            self.worker.on_timer(parent)

    def on_expired(self, parent_id: str) -> None:
        """A parent's time is up: cancel what still works."""
        parent = self.desk.parents.get(parent_id)
        if parent is not None:
            self.worker.stop(parent, say("信号到期"))
            self.cancel(parent)

    def cancel(self, *parents: Parent) -> None:
        """Cancel the parents' working orders, after which none follows; an intent not yet sent is withheld.

        A cancel that the gateway fails on does not keep the others back; a human is told how many failed.
        """
        failed: list[str] = []
        why = ""
        for parent in parents:
            self.worker.stop(parent, say("已撤销"))
            parent.unwanted = True
        for child in [child for parent in parents for child in parent.children if not child.ended]:
            if not child.vt_orderids and child.state is OrderState.INTENDED:
                self.sender.withhold(child, say("撤销未发送的委托"))
            elif child.vt_orderids and child.state not in TERMINAL:
                self.worker.end_soon(child)
            for vt_orderid in child.vt_orderids:
                try:
                    self.house.broker.cancel(vt_orderid, child.intent.symbol)
                except Exception as error:  # noqa: BLE001 - a gateway's own errors must not keep the rest back
                    failed.append(vt_orderid)
                    why = f"{type(error).__name__}: {error}"
        if failed:
            sentence = say(
                "{count} 笔委托撤单失败，可能仍在场内：{orders}（{why}）；请在柜台核对并撤单",
                count=len(failed),
                orders="、".join(failed),
                why=why,
            )
            self.house.bus.alert(Severity.CRITICAL, sentence)
        for parent in parents:
            self._settle(parent)

    def cancel_unwanted(self, gateway: str, since: datetime) -> None:
        """Cancel what works through a gateway and should not: it was found again, or its cancel got lost.

        `since` is when the gateway's connection came up: what was asked before may not have arrived.
        """
        for parent in list(self.desk.parents.values()):
            lost = [
                child
                for child in parent.open
                if child.intent.gateway == gateway
                and child.vt_orderids
                and child.state not in TERMINAL
                and (child.asked is None or child.asked < since)
            ]
            if lost and self._is_unwanted(parent):
                self.cancel(parent)

    def _is_unwanted(self, parent: Parent) -> bool:
        state, order = self.house.control.state, parent.order
        return (
            parent.unwanted
            or state is TradingState.HALTED
            or (state is TradingState.REDUCING and order.side is Side.BUY)
            or self.house.clock.now() >= parent.signal.valid_until
            or self.house.portfolio.books[order.account].is_handed_over(order.symbol, order.id)
        )

    def _clear_buys(self, account: str, symbol: str) -> None:
        """Take an account's buys back before its stop sells: the two would trade with each other."""
        self.cancel(*[p for p in self.orders_in(account, symbol) if p.order.side is Side.BUY])

    def orders_in(self, account: str, symbol: str) -> list[Parent]:
        """Parents that an account has working in a symbol."""
        parents = self.desk.parents.values()
        return [p for p in parents if p.order.account == account and p.order.symbol == symbol]

    def cancel_sales(self, account: str, symbol: str) -> int:
        """Cancel the sales that a plan has working in a symbol, not the stop's own; returns how many."""
        sales = [
            parent
            for parent in self.orders_in(account, symbol)
            if parent.order.side is Side.SELL and not parent.order.protective
        ]
        self.cancel(*sales)
        return len(sales)

    def cancel_all(self, *, entries_only: bool = False) -> int:
        """Cancel every working order (or every entry); returns how many parents were touched."""
        parents = [
            p for p in list(self.desk.parents.values()) if not entries_only or p.order.side is Side.BUY
        ]
        self.cancel(*parents)
        return len(parents)
