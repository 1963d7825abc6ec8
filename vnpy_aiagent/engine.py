"""AiAgentEngine: the composition root. Wires the rooms onto vnpy's MainEngine; starts and stops them."""

import gc
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from threading import Lock
from typing import Any

from vnpy.event import Event, EventEngine
from vnpy.trader.constant import Exchange
from vnpy.trader.engine import BaseEngine, MainEngine
from vnpy.trader.event import EVENT_CONTRACT, EVENT_ORDER, EVENT_TICK, EVENT_TRADE
from vnpy.trader.logger import logger
from vnpy.trader.object import CancelRequest, OrderRequest, TickData

from vnpy_aiagent.agents import (
    AgentContext,
    AnalysisAgent,
    Broker,
    Bus,
    ExecutionAgent,
    MonitoringAgent,
    ReviewAgent,
    RiskAgent,
)
from vnpy_aiagent.agents.analysis import ASK_AGAIN_TIMER
from vnpy_aiagent.agents.approval import APPROVAL_TIMER
from vnpy_aiagent.agents.books_check import differences
from vnpy_aiagent.agents.broker_log import BrokerLog
from vnpy_aiagent.agents.ex_days import ExDays
from vnpy_aiagent.agents.ex_reference import CLOSES_TIMER
from vnpy_aiagent.agents.execution import EXPIRE_TIMER, RETRY_TIMER, WORK_TIMER
from vnpy_aiagent.agents.readopt import Readoption
from vnpy_aiagent.agents.restore import Restored
from vnpy_aiagent.agents.risk import HELD_TIMER
from vnpy_aiagent.agents.settlement import DailySettlement, restore_contracts
from vnpy_aiagent.agents.trigger_desk import TIME_TRIGGER
from vnpy_aiagent.base import (
    APP_NAME,
    EVENT_AI_COMMAND,
    EVENT_AI_SLIP,
    EVENT_AI_STATUS,
    EVENT_AI_THINKING,
    EVENT_AI_TIMER,
)
from vnpy_aiagent.brain import BrainAnswer
from vnpy_aiagent.brain.build import mind_facts
from vnpy_aiagent.brain.runner import ProcessRunner
from vnpy_aiagent.config import Settings
from vnpy_aiagent.control import TradingControl
from vnpy_aiagent.domain import (
    AccountOpened,
    Activity,
    AgentName,
    AgentStatus,
    BaselineMark,
    Clock,
    EquityMark,
    IdFactory,
    Mode,
    Route,
    RunEnded,
    RunStarted,
    Severity,
    Text,
    Thinking,
    Timer,
    TradingState,
    say,
)
from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.i18n import show, translator
from vnpy_aiagent.live_accounts import reconciled, require_live_accounts
from vnpy_aiagent.manual import ManualCommands
from vnpy_aiagent.market.order_hours import due_moments, last_closing_price
from vnpy_aiagent.memory import LessonBook
from vnpy_aiagent.other_apps import (
    require_real_orders,
    send_through_host,
    small_limits,
)
from vnpy_aiagent.paper_guard import PaperGuard
from vnpy_aiagent.pool_refresh import PoolRefresher
from vnpy_aiagent.portfolio import AccountBook, Portfolio
from vnpy_aiagent.recovery import Recovery
from vnpy_aiagent.risk import RiskEngine
from vnpy_aiagent.sim.exchange import SimExchange
from vnpy_aiagent.sim.gateway import SimGateway
from vnpy_aiagent.sim.paper import PaperMarket
from vnpy_aiagent.source_checks import SOURCES_TIMER
from vnpy_aiagent.tick_gate import TickGate
from vnpy_aiagent.timetable import CLOSE_TIMER, OPEN_TIMER, SCHEDULE_TIMER, SessionHooks, Timetable
from vnpy_aiagent.wiring import REFRESH_TIMER, LiveThreads, Parts, app_folder, live_parts

ANSWER_TIMER = "brain_answer"
BOOKS_TIMER = "books_check"
EXCHANGE_TIMER = "exchange"
LATE_CLOSE_TIMER = "late_close"
ASK_TIMER = "ask"
EVENT_ANSWER = "eAiAnswer"
KEPT_ALERTS = 100


class AiAgentEngine(ManualCommands, BaseEngine):
    """The app's engine in vnpy. `start` wires everything, `close` takes it down; both may be called once."""

    def __init__(
        self, main_engine: MainEngine, event_engine: EventEngine, parts: Parts | None = None
    ) -> None:
        """As vnpy builds engines. `parts` is for simulation and tests; otherwise settings decide at start."""
        super().__init__(main_engine, event_engine, APP_NAME)
        self._parts = parts
        self._threads: LiveThreads | None = None
        self._gateway: SimGateway | None = None
        self.guard: PaperGuard | None = None
        self.reconciler = None
        self._paper: PaperMarket | None = None
        self._statuses: dict[str, AgentStatus] = {}
        self._alerts: deque[Text] = deque(maxlen=KEPT_ALERTS)
        self._simulated: list[str] = []
        self._disagreeing: set[str] = set()
        self._lock = Lock()
        self._endings = ExitStack()
        self.started = False
        self.closed = False

    # life

    def start(self, settings: Settings | None = None, clock: Clock | None = None) -> None:
        """Open the journal, restore what it says, wire the agents, begin the timetable.

        `clock` stands for the machine's own, for a day at another speed (testing.speed_clock).
        Raises ConfigError, JournalLocked, DataError or another AiAgentError with one sentence. An engine that
        runs already is left as it is; one that was closed does not start again (ConfigError).
        """
        if self.started and not self.closed:
            return
        self._require_not_closed()
        parts = self._parts = self._parts or live_parts(self.main_engine, settings, clock)
        self._translate = translator(parts.settings.display_language)
        self._endings.callback(self._close_writer, parts)
        self._endings.callback(self._post_end)
        self._endings.callback(parts.runner.close)
        try:
            self._wire(parts)
            self.started = True  # a command may be waiting in the inbox, which the threads read
            self._start_threads(parts)
        except BaseException:
            self.started = False
            self._endings.close()
            self._parts = None
            raise

    def close(self) -> None:
        """Stop threads and the brain, write the journal's end. Called by MainEngine.close() too."""
        with self._lock:
            if not self.started or self.closed:
                return
            self.closed = True
        self._endings.close()

    def _post_end(self) -> None:
        if self.started:
            with self.bus.turn:
                self.execution.approvals.lapse("close", say("程序关闭，已作废"))
            self.bus.post(RunEnded, cause=None, run=self.bus.ids.run, reason="closed")

    def _close_writer(self, parts: Parts) -> None:
        if not parts.writer.close():
            # MainEngine.close() has ended the event thread, which vnpy's log events need: write to the logger
            sentence = say("日志未能全部写入磁盘，最后的记录已丢失；请检查磁盘空间与日志文件")
            logger.bind(gateway_name=APP_NAME).critical(show(sentence, self._translate))

    # wiring

    def _wire(self, parts: Parts) -> None:
        restored = parts.restored
        require_live_accounts(self.main_engine, parts.settings, restored)
        ids = IdFactory(f"r{restored.runs + 1}")
        self.control = TradingControl()
        self.control.set(restored.state, paused=restored.paused)
        fatal = () if parts.live else (JournalError,)
        self.bus = Bus(self.event_engine, parts.writer, ids, parts.clock, self._say_log, fatal)
        self._endings.callback(self.bus.unsubscribe_all)
        with self.bus.turn:  # the event thread runs: it must not act on half of what is restored
            self._wire_agents(parts, ids)

    def _wire_agents(self, parts: Parts, ids: IdFactory) -> None:
        restored = parts.restored
        parts.trouble.tell = self._on_trouble
        parts.trouble.halt = self._on_journal_lost
        portfolio = Portfolio(parts.clock, parts.calendar, parts.rules_for)
        self.house = AgentContext(
            settings=parts.settings,
            bus=self.bus,
            clock=parts.clock,
            timers=parts.timers,
            calendar=parts.calendar,
            portfolio=portfolio,
            control=self.control,
            lessons=LessonBook(),
            bars=parts.bars,
            universe=parts.universe,
            broker=Broker(send=self._send, cancel=self._cancel),
            facts=parts.facts,
        )
        self._mind_others(parts)
        self._post_start(ids)
        self._open_accounts(restored)
        self.monitoring = MonitoringAgent(self.house)
        self.execution = ExecutionAgent(self.house)
        self.risk = RiskAgent(self.house, RiskEngine())
        self.risk.waiting_sales = self.execution.approvals.selling
        self.ex_days = ExDays(self.house, self.monitoring, parts.actions, parts.exchange, self._simulated)
        self.ex_days.restore(restored)
        self.risk.ex_day_since = self.ex_days.since
        self.execution.approvals.recheck = self.risk.recheck
        self.analysis = AnalysisAgent(self.house, parts.runner, self._deliver)
        if isinstance(parts.runner, ProcessRunner):
            parts.runner.on_thinking = self._on_thinking
        self.review = ReviewAgent(self.house)
        self.settlement = DailySettlement(self.house, parts.exchange)
        self.monitoring.cancel_sales = self.execution.cancel_sales
        self.monitoring.cancel_signal = self._cancel_signal
        self.execution.overtaken.superseded = self.monitoring.superseded
        self.execution.on_void = self.monitoring.on_void
        self.risk.entries.update(restored.entries)
        self.execution.take_counts(restored.sent, restored.cancelled)
        self.execution.slips.take(restored.slips)
        self.analysis.asked_on_day.update(restored.asked)
        hooks = SessionHooks(self._on_session_open, self._on_session_close, self._on_calendar_end)
        self.timetable = Timetable(self.house, hooks, restored.fired)
        if parts.settings.mode is Mode.PAPER and parts.exchange is not None:
            self._paper = PaperMarket(
                parts.exchange, parts.universe.symbols, self.house.portfolio.rules, parts.settings.sim
            )
        self._subscribe()
        halt = partial(self._stop_all, by="reconcile")
        self.reconciler = reconciled(self, restored, halt, self._timer_handlers)
        orders = Readoption(self.house, self.execution, self.monitoring) if self.reconciler else None
        recovery = Recovery(self.house, self.monitoring, self.analysis, orders=orders)
        recovery.run(restored)
        self._connect_simulated()
        if self.reconciler is not None:
            self.reconciler.start()
        for agent in AgentName:
            if agent is not AgentName.ENGINE:
                self.bus.status(agent, Activity.IDLE)
        self.timetable.begin()

    def _mind_others(self, parts: Parts) -> None:
        """Other gateways get no order outside live mode; what another app would do to ours is told."""
        require_real_orders(self.main_engine, parts.settings.mode)
        if parts.settings.mode is not Mode.LIVE:
            self.guard = PaperGuard(self.main_engine, parts.settings.mode, parts.clock, self._say_log)
            self._endings.callback(self.guard.remove)
            self.guard.install()
            self.bus.subscribe(EVENT_CONTRACT, self.guard.sweep)
        self.tick_gate = TickGate(self.house, self.main_engine, live=parts.live)
        BrokerLog(self.house)
        through_host = any(account.route is Route.CTA for account in parts.settings.accounts)
        if parts.settings.mode is Mode.LIVE or through_host:
            sentence = small_limits(self.main_engine)
            if sentence is not None:
                self.bus.say_log(sentence, Severity.WARNING)

    def _start_threads(self, parts: Parts) -> None:
        if parts.live:
            self._threads = LiveThreads(self, parts)
            self._timer_handlers[REFRESH_TIMER] = self._threads.on_refresh
            if self._threads.checks is not None:
                self._timer_handlers[SOURCES_TIMER] = self._threads.checks.on_timer
            self._endings.callback(self._threads.stop)
            if parts.settings.auto_pool is not None:
                pool = PoolRefresher(self, app_folder(), parts.settings.auto_pool.size)
                self.analysis.refresh_pool = pool.refresh
            self._threads.start()
            # The collector looks through all that lives at every full pass, which stops the event thread for
            # tenths of a second: what is there now lives as long as the engine.
            gc.collect()
            gc.freeze()
            self._endings.callback(gc.unfreeze)

    def adopt_pool(self, symbols: Sequence[str], names: Mapping[str, str]) -> None:
        """Take over an automatic pool, on the event thread: what may be traded is it and the set universe."""
        universe, before = self.parts.universe, set(self.parts.universe.symbols)
        wanted = tuple(sorted({*self.parts.settings.universe, *symbols}))
        universe.names = {s: names.get(s) or universe.names.get(s, "") for s in {*before, *wanted}}
        universe.symbols, universe.pool = wanted, tuple(symbols)
        fresh = [symbol for symbol in wanted if symbol not in before]
        if self._paper is not None:
            self._paper.symbols |= frozenset(fresh)
        if self._gateway is not None:
            self._announce(self._gateway, fresh)
        if self._threads is not None:
            self._threads.subscribe(fresh)

    def _post_start(self, ids: IdFactory) -> None:
        from vnpy_aiagent import __version__

        parts = self.parts
        self.bus.post(
            RunStarted,
            cause=None,
            run=ids.run,
            mode=parts.settings.mode,
            version=__version__,
            model=parts.model_name,
            is_llm=parts.is_llm,
            data=parts.data_label,
            settings=parts.settings.digest(),
            mind=mind_facts(parts.settings.llm, parts.settings.brain),
        )

    def _open_accounts(self, restored: Restored) -> None:
        for account in self.parts.settings.accounts:
            book = restored.books.get(account.name)
            if book is None and self.parts.settings.mode is Mode.LIVE:
                book = AccountBook(account.name, account.style, Decimal(0))  # the reconciler opens it
            elif book is None:
                book = AccountBook(account.name, account.style, account.cash)
                self.bus.post(
                    AccountOpened,
                    cause=None,
                    account=account.name,
                    gateway=account.gateway_name,
                    style=account.style,
                    cash=account.cash,
                )
            book.peak_equity = max(book.peak_equity, restored.peaks.get(account.name, Decimal(0)))
            self.house.portfolio.open(book)

    def _subscribe(self) -> None:
        self._timer_handlers: dict[str, Callable[[Any], object]] = {
            SCHEDULE_TIMER: self.timetable.on_job,
            OPEN_TIMER: self.timetable.on_open,
            CLOSE_TIMER: self.timetable.on_close,
            ANSWER_TIMER: self._on_answer,
            ASK_TIMER: self.analyze,
            ASK_AGAIN_TIMER: self.analysis.ask_again,
            HELD_TIMER: self.risk.on_held,
            EXPIRE_TIMER: self.execution.on_expired,
            APPROVAL_TIMER: self.execution.approvals.on_lapse,
            RETRY_TIMER: self.execution.on_durable,
            WORK_TIMER: self.execution.on_work,
            TIME_TRIGGER: self.monitoring.triggers.on_time,
            BOOKS_TIMER: self._check_books,
            EXCHANGE_TIMER: SimExchange.pass_time,
            LATE_CLOSE_TIMER: self._on_session_close,
            CLOSES_TIMER: self.ex_days.reference.note_closes,
        }
        self.bus.subscribe(EVENT_AI_TIMER, self._on_timer)
        self.bus.subscribe(EVENT_ANSWER, self._on_answer)
        self.bus.subscribe(EVENT_TICK, self._on_tick)
        self.bus.subscribe(EVENT_ORDER, self.execution.on_order)
        self.bus.subscribe(EVENT_TRADE, self.execution.on_trade)
        self.bus.subscribe(EVENT_AI_COMMAND, self._on_command)
        self.bus.subscribe(EVENT_AI_STATUS, self._on_status)
        self.bus.subscribe(EVENT_AI_SLIP, self._on_slip)

    def _connect_simulated(self) -> None:
        """One simulated gateway an account, all on one exchange; contracts are announced once."""
        exchange = self.parts.exchange
        if exchange is None:
            return
        announced = False
        exchange.contracts.calendar = self.parts.calendar
        for account in sorted(self.parts.settings.accounts, key=lambda item: item.route is not Route.CTA):
            if account.gateway and not isinstance(self.main_engine.gateways.get(account.gateway), SimGateway):
                continue
            gateway = self.main_engine.gateways.get(account.gateway_name)
            if gateway is None:
                gateway = self.main_engine.add_gateway(SimGateway, account.gateway_name)
            if not isinstance(gateway, SimGateway):
                continue
            gateway.venue = exchange
            self._simulated.append(account.name)
            book = self.house.portfolio.books[account.name]
            shares = {s: p for s, p in book.positions.items() if p.terms is None}
            holdings = {s: (p.volume, p.bought_on(self.house.today()), p.cost) for s, p in shares.items()}
            lots = {s: p.shares for s, p in shares.items()}
            exchange.restore(account.name, book.cash, holdings, self.house.today(), lots)
            restore_contracts(exchange, book)
            gateway.connect({"account": account.name, "cash": float(account.cash)})
            self._gateway = self._gateway or gateway
            if not announced:
                announced = True  # by the CTA account where there is one: a contract has one gateway there
                self._announce(gateway, self.parts.universe.symbols)

    def _announce(self, gateway: SimGateway, symbols: Iterable[str]) -> None:
        for symbol in symbols:
            name = self.parts.universe.names.get(symbol, "")
            gateway.announce(symbol, name, self.house.portfolio.rules(symbol))

    @property
    def publisher(self) -> SimGateway:
        """The simulated gateway that publishes replayed quotes."""
        if self._gateway is None:
            raise RuntimeError("no account trades on the simulated exchange")
        return self._gateway

    # time

    def _on_timer(self, timer: Timer) -> None:
        handler = self._timer_handlers[timer.name]
        handler(timer.payload)
        self.bus.beat(getattr(handler, "__self__", None))

    def _on_session_open(self, day: date) -> None:
        self.ex_days.open(day)
        exchange = self.parts.exchange
        if exchange is not None:
            exchange.start_session(day)
            for moment in due_moments(day) if exchange.hours is not None else ():
                self.parts.timers.set(moment, EXCHANGE_TIMER, exchange)
        self.house.portfolio.start_session(day)
        self.monitoring.repair()

    def _on_session_close(self, day: date) -> None:
        """Day orders end, accounts and baselines are valued; once the closing auction's price is told."""
        exchange, now = self.parts.exchange, self.parts.clock.now()
        if exchange is not None and exchange.end_session(wait=now < last_closing_price(day)):
            self.parts.timers.set(last_closing_price(day), LATE_CLOSE_TIMER, day)
            return
        self.parts.timers.set(self.parts.clock.now(), BOOKS_TIMER)  # behind the fills that still wait
        self.ex_days.reference.plan_closes(day)
        for name, book in self.house.portfolio.books.items():
            cash, value = self.house.portfolio.mark(name)
            positions = {symbol: position.volume for symbol, position in sorted(book.positions.items())}
            self.bus.post(
                EquityMark,
                cause=None,
                account=name,
                day=day,
                cash=cash,
                market_value=value,
                positions=positions,
            )
            self.review.on_mark(name, day, cash + value)
        for baseline in self.parts.baselines:
            worth = baseline.value_on(day)
            if worth is not None:
                self.bus.post(
                    BaselineMark,
                    cause=None,
                    name=baseline.name,
                    label=baseline.label,
                    day=day,
                    value=worth,
                )

    def _check_books(self, _: object) -> None:
        """After the close contracts are settled, and a simulated book must say what its exchange says."""
        self.settlement.run(self.house.today())
        exchange = self.parts.exchange
        if exchange is None:
            return
        for name in self._simulated:
            found = differences(self.house.portfolio.books[name], exchange.account(name))
            if found:
                self._disagreeing.add(name)
                sentence = say(
                    "{account} 的账本与模拟交易所不一致（账本 / 交易所）：{differences}；"
                    "请核对手工委托，重启后以账本为准",
                    account=name,
                    differences="、".join(found),
                )
                self.bus.alert(Severity.CRITICAL, sentence, account=name)
            else:
                self._disagreeing.discard(name)

    def _on_calendar_end(self, reason: str) -> None:
        self._set_state(TradingState.HALTED, paused=True, by="calendar", reason=reason)

    # market and broker

    def _on_tick(self, tick: TickData) -> None:
        if self.tick_gate.refuses(tick):
            return
        price = self.house.portfolio.quotes.update(tick)
        if price is None:
            if self._paper is not None:
                self._paper.on_unpriced(tick, self.house.today())
            return
        if self._paper is not None:
            self._paper.on_tick(tick, price, self.house.today())
        self.ex_days.reference.on_tick(tick)
        self.monitoring.on_tick(tick, tick.last_price)
        self.execution.on_tick(tick.vt_symbol)
        self.bus.beat(self.monitoring)

    def _send(self, request: OrderRequest, gateway_name: str) -> str | Text:
        """To the gateway, outside live mode a simulated one only; the vt_orderid, or why there is none."""
        gateway = self.main_engine.gateways.get(gateway_name)
        if self.parts.settings.mode is not Mode.LIVE and not isinstance(gateway, SimGateway):
            return ""
        if isinstance(gateway, SimGateway):
            return gateway.send_order(request)
        return send_through_host(self.main_engine, request, gateway_name)

    def _cancel_signal(self, signal_id: str) -> None:
        """Take back what still works for a signal."""
        parents = self.execution.desk.parents.values()
        self.execution.cancel(*[parent for parent in parents if parent.signal.id == signal_id])

    def _cancel(self, vt_orderid: str, vt_symbol: str) -> None:
        gateway_name, _, orderid = vt_orderid.partition(".")
        symbol, _, suffix = vt_symbol.rpartition(".")
        order = self.main_engine.get_order(vt_orderid)
        request = order.create_cancel_request() if order else CancelRequest(orderid, symbol, Exchange(suffix))
        gateway = self.main_engine.gateways.get(gateway_name)
        if gateway is not None:
            gateway.cancel_order(request)

    # the brain's answers

    def _deliver(self, answer: BrainAnswer) -> None:
        """Bring an answer to the event thread: at once when live, after the set latency in simulation."""
        if self.parts.live:
            self.event_engine.put(Event(EVENT_ANSWER, answer))
        else:
            due = self.parts.clock.now() + timedelta(seconds=self.parts.settings.brain.latency)
            self.parts.timers.set(due, ANSWER_TIMER, answer)

    def _on_thinking(self, thinking: Thinking) -> None:
        """What a model says meanwhile, for the window alone: not journaled, nothing here listens."""
        self.event_engine.put(Event(EVENT_AI_THINKING, thinking))

    def _on_answer(self, answer: object) -> None:
        if isinstance(answer, BrainAnswer):
            self.risk.regime = self.analysis.market.regime
            self.analysis.on_answer(answer)
            self.bus.beat(self.analysis)

    def _on_trouble(self, sentence: Text) -> None:
        """What went wrong outside the event thread: the journal's disk, the brain's process, the inbox."""
        self.bus.alert(Severity.CRITICAL, sentence)

    def _on_journal_lost(self, reason: str) -> None:
        """From the journal's thread, at every attempt to write."""
        if self.started and not self.closed and self.control.state is not TradingState.HALTED:
            self._stop_all(reason, by="journal")

    def _on_status(self, status: AgentStatus) -> None:
        self._statuses[status.agent.name] = status
