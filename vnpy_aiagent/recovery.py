"""After a restart: what the journal says about the present goes back into the agents."""

from vnpy_aiagent.agents import AgentContext, AnalysisAgent, MonitoringAgent
from vnpy_aiagent.agents.cut_short import close_cut_short
from vnpy_aiagent.agents.order_fold import OpenIntent
from vnpy_aiagent.agents.readopt import Readoption
from vnpy_aiagent.agents.restore import Restored
from vnpy_aiagent.base import EVENT_AI_APPROVAL
from vnpy_aiagent.domain import (
    ApprovalAnswered,
    BarInterval,
    OrderState,
    OrderUpdate,
    Severity,
    say,
    to_decimal,
)
from vnpy_aiagent.errors import CalendarError, DataError
from vnpy_aiagent.execution import TERMINAL
from vnpy_aiagent.timetable import SESSION_OPENS


class Recovery:
    """Brings back values, stops, triggers and lessons, and orders at real brokers."""

    def __init__(
        self,
        house: AgentContext,
        monitoring: MonitoringAgent,
        analysis: AnalysisAgent,
        *,
        orders: Readoption | None,
    ) -> None:
        """`orders` None says that they lived in this app's own exchange and died with its process."""
        self.house = house
        self.monitoring = monitoring
        self.analysis = analysis
        self.orders = orders

    def run(self, restored: Restored) -> None:
        """Everything, once, before the first event is handled."""
        self._tell_orphans(restored)
        self._seed_prices()
        self._begin_day(restored)
        self._lessons(restored)
        books = self.house.portfolio.books
        for (account, symbol), update in restored.stops.items():
            if account in books and books[account].managed(symbol):
                self.monitoring.restore_stop(update)
        for (account, symbol), price in restored.planned_stops.items():
            if account in books and books[account].managed(symbol):
                self.monitoring.protect(account, symbol, price)
        for spec in restored.triggers.values():
            if spec.account in books:
                self.monitoring.triggers.restore(spec)
        self._orders(restored)
        self._lapse_approvals(restored)
        self.monitoring.repair()
        self.analysis.limit.restore(restored.replans)
        for fired in restored.unanswered.values():
            if fired.account in books:
                self.analysis.ask_again_later(fired)

    def _orders(self, restored: Restored) -> None:
        if self.orders is None:
            for pending in list(restored.intents.values()):
                self._settle(pending)
            for parent in list(restored.parents.values()):
                close_cut_short(self.house, parent)
            return
        for parent in list(restored.parents.values()):
            self.orders.run(parent)

    def _seed_prices(self) -> None:
        """Holdings are valued by the last daily close until their first tick; no order is priced by it."""
        house, books = self.house, self.house.portfolio.books
        held = {symbol for book in books.values() for symbol in book.positions}
        for symbol in sorted(held.union(house.universe.symbols)):
            try:
                series = house.bars.bars(symbol, BarInterval.DAILY, 1)
            except DataError as error:
                if symbol in held:
                    sentence = say("持仓 {symbol} 没有日线，按成本估值：{why}", symbol=symbol, why=error)
                    house.bus.alert(Severity.WARNING, sentence)
                continue
            if len(series):
                house.portfolio.quotes.seed(symbol, to_decimal(float(series.close[-1])))

    def _begin_day(self, restored: Restored) -> None:
        """The daily loss is measured from the close before today, also where the session is on already.

        Where that close was not journaled (nothing ran), the holdings at their last daily closes stand in.
        """
        house, portfolio, today = self.house, self.house.portfolio, self.house.today()
        try:
            before = house.calendar.previous_session(today)
            began = house.calendar.is_session(today) and house.clock.now().time() >= SESSION_OPENS
        except CalendarError:  # the timetable tells a human, and nothing is traded
            return
        for name, book in portfolio.books.items():
            seeded = book.equity(portfolio.quotes.last_prices)
            book.day_start_equity = restored.closes.get(name, {}).get(before, seeded)
        if began:
            portfolio.session = today

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

    def _lapse_approvals(self, restored: Restored) -> None:
        """What waited for a human when the process ended is never sent."""
        for asked in restored.approvals.values():
            reason = say("重启前没有送出，已作废")
            self.house.bus.post(
                ApprovalAnswered,
                EVENT_AI_APPROVAL,
                cause=asked.id,
                account=asked.account,
                approval_id=asked.id,
                signal_id=asked.signal_id,
                symbol=asked.symbol,
                approved=False,
                by="restart",
                reason=reason,
            )
            sentence = say(
                "{account} {symbol} 有一笔 {volume} 股的下单请求在重启前等待批准，已作废，没有下单",
                account=asked.account,
                symbol=asked.symbol,
                volume=asked.volume,
            )
            self.house.bus.alert(Severity.WARNING, sentence, cause=asked.id, account=asked.account)

    def _settle(self, pending: OpenIntent) -> None:
        """A simulated order died with its exchange, and so did fills of it that had not come."""
        intent = pending.intent
        ended = pending.state in TERMINAL
        self.house.bus.post(
            OrderUpdate,
            cause=intent.id,
            account=intent.account,
            intent_id=intent.id,
            vt_orderid=pending.sent[0] if pending.sent else "",
            state=pending.state if ended else OrderState.CANCELLED,
            traded=pending.filled,
            reason="the process ended before the order did",
        )
