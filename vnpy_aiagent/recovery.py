"""After a restart: what the journal says about the present goes back into the agents."""

from vnpy_aiagent.agents import AgentContext, MonitoringAgent
from vnpy_aiagent.agents.restore import OpenIntent, Restored
from vnpy_aiagent.domain import OrderState, OrderUpdate, Severity, say


class Recovery:
    """Brings back stops, triggers and lessons; orders whose fate is open are told to a human."""

    def __init__(self, house: AgentContext, monitoring: MonitoringAgent, *, simulated: bool) -> None:
        """`simulated` says that orders lived in this app's own exchange and died with its process."""
        self.house = house
        self.monitoring = monitoring
        self.simulated = simulated

    def run(self, restored: Restored) -> None:
        """Everything, once, before the first event is handled."""
        self._tell_orphans(restored)
        self._lessons(restored)
        books = self.house.portfolio.books
        for (account, symbol), update in restored.stops.items():
            if account in books and symbol in books[account].positions:
                self.monitoring.restore_stop(update)
        for (account, symbol), price in restored.planned_stops.items():
            if account in books and symbol in books[account].positions:
                self.monitoring.protect(account, symbol, price)
        for spec in restored.triggers.values():
            if spec.account in books:
                self.monitoring.restore_trigger(spec)
        for pending in restored.intents.values():
            self._settle(pending)
        self.monitoring.repair()

    def _lessons(self, restored: Restored) -> None:
        """Trades that no lesson counts yet are left for the next review."""
        lessons = self.house.lessons
        counted = {trade for lesson in restored.lessons for trade in lesson.trades}
        for lesson in restored.lessons:
            lessons.add_lesson(lesson)
        for trade in restored.trades:
            if trade.id in counted:
                lessons.add_trade(trade)
        lessons.drafts()
        for trade in restored.trades:
            if trade.id not in counted:
                lessons.add_trade(trade)

    def _tell_orphans(self, restored: Restored) -> None:
        """Positions of an account that the settings no longer name are watched by nobody."""
        for name, book in restored.books.items():
            if name not in self.house.portfolio.books and book.positions:
                sentence = say(
                    "账户 {account} 有持仓 {held}，但配置里已没有该账户，无人看管；请恢复配置或人工处理",
                    account=name,
                    held="、".join(sorted(book.positions)),
                )
                self.house.bus.alert(Severity.CRITICAL, sentence, account=name)

    def _settle(self, pending: OpenIntent) -> None:
        """A simulated order died with its exchange; a real one is UNKNOWN and never sent again."""
        intent = pending.intent
        self.house.bus.post(
            OrderUpdate,
            cause=intent.id,
            account=intent.account,
            intent_id=intent.id,
            vt_orderid=pending.sent[0] if pending.sent else "",
            state=OrderState.CANCELLED if self.simulated else OrderState.UNKNOWN,
            traded=pending.filled,
            reason="the process ended before the order did",
        )
        if not self.simulated:
            sentence = say(
                "{account} {symbol} 有一笔委托状态不明，请在柜台核对；系统不会重发",
                account=intent.account,
                symbol=intent.symbol,
            )
            self.house.bus.alert(Severity.CRITICAL, sentence, cause=intent.id, account=intent.account)
