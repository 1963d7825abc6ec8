"""After a restart at a real broker: orders of before are worked on, or wait to learn their fate.

Nothing is sent. An order with ids goes on where it was; an intent without any is UNKNOWN until the
reconciler has looked for it. What it may still trade stays reserved.
"""

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.execution import EXPIRE_TIMER, ExecutionAgent
from vnpy_aiagent.agents.monitoring import MonitoringAgent
from vnpy_aiagent.agents.order_fold import OpenIntent, OpenParent
from vnpy_aiagent.domain import OrderState, Severity, Signal, say
from vnpy_aiagent.execution import TERMINAL, Child
from vnpy_aiagent.execution.states import Report, next_state


class Readoption:
    """Puts restored parents and children back onto the desk."""

    def __init__(self, house: AgentContext, execution: ExecutionAgent, monitoring: MonitoringAgent) -> None:
        """Nothing is adopted before `run`."""
        self.house = house
        self.execution = execution
        self.monitoring = monitoring

    def run(self, restored: OpenParent) -> None:
        """One parent and its children; one of an account that the settings no longer name is left."""
        order, signal = restored.order, restored.signal
        if signal is None or order.account not in self.house.portfolio.books:
            return
        desk = self.execution.desk
        parent = desk.open(order, signal)
        self._plan(restored, signal)
        children = [self._child(item) for item in restored.intents.values()]
        for child, item in zip(children, restored.intents.values(), strict=True):
            desk.restore(child)
            self._fees(item)
            if not child.ended:
                self._hold(child)
        if restored.done:
            desk.close(parent)
            return
        self.execution.worker.adopted(parent)
        self.house.timers.set(max(signal.valid_until, self.house.clock.now()), EXPIRE_TIMER, order.id)
        if all(child.ended for child in children):
            self.execution.cancel(parent)  # nothing is left of it: this ends it

    def _plan(self, restored: OpenParent, signal: Signal) -> None:
        """A late fill finds its plan, also of an entry that has ended."""
        plans = self.monitoring.plans
        plans.remember(signal)
        plans.begin(restored.order)
        if any(item.fills for item in restored.intents.values()):
            plans.note_fill(signal)

    def _child(self, item: OpenIntent) -> Child:
        intent = item.intent
        child = Child(
            intent,
            state=item.state,
            vt_orderids=item.sent,
            reported=max(item.reported, item.filled + item.adjusted),
            filled=item.filled,
            adjusted=item.adjusted,
            turnover=item.turnover,
            reason=item.reason,
        )
        if child.booked >= intent.volume:
            child.state = OrderState.FILLED
        elif item.sent and item.state in (OrderState.INTENDED, OrderState.UNKNOWN):
            child.state = next_state(item.state, Report.SENT)
        elif not item.sent and item.state not in TERMINAL:
            child.state = OrderState.UNKNOWN
        return child

    def _fees(self, item: OpenIntent) -> None:
        """Fees are counted over an order's fills: those of before the restart too."""
        for fill in item.fills:
            order, day = f"{item.intent.gateway}.{fill.orderid}", fill.trading_day
            self.house.portfolio.fill_fees(
                fill.account, order, fill.side, fill.symbol, fill.price, fill.volume, day
            )

    def _hold(self, child: Child) -> None:
        """Reserve what may still trade; tell a human of an order whose fate is open."""
        intent, house = child.intent, self.house
        portfolio, left = house.portfolio, intent.volume - child.booked
        if left > 0:
            held_back = portfolio.reservation(intent.symbol, intent.side, left, intent.price)
            portfolio.books[intent.account].reserve(intent.id, held_back)
        if child.state is OrderState.UNKNOWN:
            self.execution.hearing.tell_state(child, "")
            sentence = say(
                "{account} {symbol} 有一笔委托重启前状态不明，正在与柜台核对；系统不会重发",
                account=intent.account,
                symbol=intent.symbol,
            )
            house.bus.alert(Severity.WARNING, sentence, cause=intent.id, account=intent.account)
