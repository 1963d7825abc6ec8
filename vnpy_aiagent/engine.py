"""AiAgentEngine: the composition root. Wires the rooms onto vnpy's MainEngine; starts and stops them."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, timedelta
from decimal import Decimal
from threading import Lock
from typing import Any

from vnpy.event import Event, EventEngine
from vnpy.trader.constant import Exchange
from vnpy.trader.engine import BaseEngine, MainEngine
from vnpy.trader.event import EVENT_LOG, EVENT_ORDER, EVENT_TICK, EVENT_TRADE
from vnpy.trader.object import CancelRequest, LogData, OrderRequest, TickData

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
from vnpy_aiagent.agents.execution import EXPIRE_TIMER, RETRY_TIMER
from vnpy_aiagent.agents.monitoring import TIME_TRIGGER
from vnpy_aiagent.agents.restore import Restored
from vnpy_aiagent.agents.risk import HELD_TIMER
from vnpy_aiagent.base import (
    APP_NAME,
    EVENT_AI_COMMAND,
    EVENT_AI_SCHEDULE,
    EVENT_AI_STATE,
    EVENT_AI_STATUS,
    EVENT_AI_TIMER,
)
from vnpy_aiagent.brain import BrainAnswer
from vnpy_aiagent.config import Settings
from vnpy_aiagent.control import TradingControl
from vnpy_aiagent.domain import (
    AccountOpened,
    Activity,
    AgentName,
    AgentStatus,
    BaselineMark,
    CommandTaken,
    EquityMark,
    IdFactory,
    Mode,
    RequestKind,
    Route,
    RunEnded,
    RunStarted,
    ScheduleFired,
    Severity,
    StateChanged,
    Text,
    Timer,
    TradingState,
    say,
)
from vnpy_aiagent.errors import AiAgentError, ConfigError, JournalError, UnknownSymbol
from vnpy_aiagent.i18n import show, translator
from vnpy_aiagent.memory import LessonBook
from vnpy_aiagent.portfolio import AccountBook, Portfolio
from vnpy_aiagent.recovery import Recovery
from vnpy_aiagent.risk import RiskEngine
from vnpy_aiagent.sim.gateway import SimGateway
from vnpy_aiagent.sim.paper import PaperMarket
from vnpy_aiagent.store.inbox import Command
from vnpy_aiagent.timetable import CLOSE_TIMER, OPEN_TIMER, SCHEDULE_TIMER, SessionHooks, Timetable
from vnpy_aiagent.wiring import REFRESH_TIMER, LiveThreads, Parts, live_parts

ANSWER_TIMER = "brain_answer"
ASK_TIMER = "ask"
EVENT_ANSWER = "eAiAnswer"
SEVERITY_LEVELS = {Severity.INFO: 20, Severity.WARNING: 30, Severity.CRITICAL: 50}
HUMAN = "python"


class AiAgentEngine(BaseEngine):
    """The app's engine in vnpy. `start` wires everything, `close` takes it down; both may be called once."""

    def __init__(
        self, main_engine: MainEngine, event_engine: EventEngine, parts: Parts | None = None
    ) -> None:
        """As vnpy builds engines. `parts` is for simulation and tests; otherwise settings decide at start."""
        super().__init__(main_engine, event_engine, APP_NAME)
        self._parts = parts
        self._threads: LiveThreads | None = None
        self._gateway: SimGateway | None = None
        self._paper: PaperMarket | None = None
        self._statuses: dict[str, AgentStatus] = {}
        self._lock = Lock()
        self._endings = ExitStack()
        self.started = False
        self.closed = False

    # life

    def start(self, settings: Settings | None = None) -> None:
        """Open the journal, restore what it says, wire the agents, begin the timetable.

        Raises ConfigError, JournalLocked, DataError or another AiAgentError with one sentence.
        """
        if self.started:
            return
        parts = self._parts = self._parts or live_parts(self.main_engine, settings)
        self._translate = translator(parts.settings.display_language)
        self._endings.callback(self._close_writer, parts)
        self._endings.callback(self._post_end)
        self._endings.callback(parts.runner.close)
        try:
            self._wire(parts)
        except BaseException:
            self._endings.close()
            self._parts = None
            raise
        self.started = True

    def close(self) -> None:
        """Stop threads and the brain, write the journal's end. Called by MainEngine.close() too."""
        with self._lock:
            if not self.started or self.closed:
                return
            self.closed = True
        self._endings.close()

    def _post_end(self) -> None:
        if self.started:
            self.bus.post(RunEnded, cause=None, run=self.bus.ids.run, reason="closed")

    def _close_writer(self, parts: Parts) -> None:
        if not parts.writer.close():
            self.main_engine.write_log("日志未能全部写入磁盘，请检查磁盘空间", APP_NAME)

    @property
    def parts(self) -> Parts:
        """What this engine was wired from; RuntimeError before start."""
        if self._parts is None:
            raise RuntimeError("the engine is not started; call start() first")
        return self._parts

    # what people do; from any thread, one at a time with the event thread's handlers

    def analyze(self, vt_symbol: str, by: str = HUMAN) -> str:
        """Ask for one decision now, for all accounts; returns the request's id.

        Raises UnknownSymbol for a symbol that is not in the universe.
        """
        if vt_symbol not in self.parts.universe.symbols:
            raise UnknownSymbol(
                f"{vt_symbol} is not in the universe; add it to `universe` in the settings, import its bars"
            )
        with self.bus.turn:
            command = self.bus.post(
                CommandTaken, cause=None, command="analyze", arguments={"symbol": vt_symbol}, by=by
            )
            books = self.house.portfolio.books
            holders = tuple(name for name, book in books.items() if vt_symbol in book.positions)
            others = tuple(name for name in books if name not in holders)
            if self.analysis.market.scanned == 0:
                self.analysis.run_scan(command.id)
            request = None
            for kind, accounts in ((RequestKind.MANAGE, holders), (RequestKind.OPEN, others)):
                if accounts:
                    request = self.analysis.request(
                        vt_symbol, kind, accounts, say("人工请求分析"), command.id
                    )
            return request.id if request else ""

    def pause(self, by: str = HUMAN) -> None:
        """No new decisions; stops and triggers' protection stay."""
        with self.bus.turn:
            self._set_state(self.control.state, paused=True, by=by, reason="pause")

    def halt(self, reason: str, by: str = HUMAN) -> None:
        """Stop all: cancel every working order, send nothing but cancels, until a human resumes."""
        self.control.set(TradingState.HALTED, paused=True)  # before waiting: no order leaves from here on
        with self.bus.turn:
            changed = self._set_state(TradingState.HALTED, paused=True, by=by, reason=reason)
            self.execution.cancel_all()
            books = self.house.portfolio.books
            held = [f"{name} {symbol}" for name, book in books.items() for symbol in book.positions]
            if held:
                sentence = say("已全部停止；以下持仓的止损单不会发出：{held}", held="、".join(held))
                self.bus.alert(Severity.WARNING, sentence, cause=changed.id)

    def resume(self, by: str = HUMAN) -> None:
        """Back to ACTIVE. Only people call this."""
        with self.bus.turn:
            self._set_state(TradingState.ACTIVE, paused=False, by=by, reason="resume")

    def flatten(self, by: str = HUMAN) -> list[str]:
        """Close what may be closed now, and the rest at the next chance; nothing new is opened meanwhile.

        Returns the positions that T+1 or a closed market locks now.
        """
        with self.bus.turn:
            changed = self._set_state(TradingState.REDUCING, paused=True, by=by, reason="flatten")
            self.execution.cancel_all(entries_only=True)
            locked = self.monitoring.flatten(changed.id)
            if locked:
                sentence = say("一键清仓：以下持仓现在不能卖，下一时机卖出：{held}", held="、".join(locked))
                self.bus.alert(Severity.WARNING, sentence, cause=changed.id)
            return locked

    def cancel_trigger(self, trigger_id: str, by: str = HUMAN) -> bool:
        """Take a trigger out of the book; whether it was still there. Protective stops are no triggers."""
        with self.bus.turn:
            arguments = {"trigger": trigger_id}
            command = self.bus.post(
                CommandTaken, cause=None, command="cancel_trigger", arguments=arguments, by=by
            )
            return self.monitoring.cancel_trigger(trigger_id, command.id)

    def run_job(self, name: str, by: str = HUMAN) -> str:
        """Run a job of the timetable now, whatever its time; returns the message's id.

        Raises ConfigError for a job that the settings in force do not name.
        """
        jobs = [job.name for job in self.parts.settings.schedule]
        if name not in jobs:
            raise ConfigError(f"no job {name!r} in the running timetable; it has {', '.join(jobs)}")
        with self.bus.turn:
            command = self.bus.post(
                CommandTaken, cause=None, command="run_job", arguments={"job": name}, by=by
            )
            fired = self.bus.post(
                ScheduleFired, EVENT_AI_SCHEDULE, cause=command.id, job=name, due=self.parts.clock.now()
            )
            return fired.id

    def status(self) -> dict[str, object]:
        """State, mode, agents, accounts and alerts; CNY as numbers."""
        with self.bus.turn:
            return {
                "state": self.control.state.name,
                "paused": self.control.paused,
                "mode": self.parts.settings.mode.name,
                "model": self.parts.model_name,
                "running": True,
                "agents": {name: s.activity.name for name, s in sorted(self._statuses.items())},
                "accounts": [self._account_status(name) for name in self.house.portfolio.books],
                "alerts": self.alerts[-20:],
                "handler_failures": self.bus.failures,
            }

    def _account_status(self, name: str) -> dict[str, object]:
        book = self.house.portfolio.books[name]
        return {
            "name": name,
            "style": book.style.name,
            "cash": float(book.cash),
            "equity": float(self.house.portfolio.equity(name)),
            "positions": {symbol: position.volume for symbol, position in sorted(book.positions.items())},
        }

    # wiring

    def _wire(self, parts: Parts) -> None:
        restored = parts.restored
        ids = IdFactory(f"r{restored.runs + 1}")
        self.alerts: list[str] = []
        self.control = TradingControl()
        self.control.set(restored.state, paused=restored.paused)
        fatal = () if parts.live else (JournalError,)
        self.bus = Bus(self.event_engine, parts.writer, ids, parts.clock, self._say_log, fatal)
        self._endings.callback(self.bus.unsubscribe_all)
        parts.trouble.tell = self._on_trouble
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
        )
        self._post_start(ids)
        self._open_accounts(restored)
        self.monitoring = MonitoringAgent(self.house)
        self.execution = ExecutionAgent(self.house)
        self.risk = RiskAgent(self.house, RiskEngine())
        self.analysis = AnalysisAgent(self.house, parts.runner, self._deliver)
        self.review = ReviewAgent(self.house)
        self.monitoring.cancel_sales = self.execution.cancel_sales
        self.risk.entries.update(restored.entries)
        self.execution.sent_on_day.update(restored.sent)
        hooks = SessionHooks(self._on_session_open, self._on_session_close, self._on_calendar_end)
        self.timetable = Timetable(self.house, hooks)
        if parts.settings.mode is Mode.PAPER and parts.exchange is not None:
            self._paper = PaperMarket(
                parts.exchange, parts.universe.symbols, portfolio.rules, parts.settings.sim
            )
        self._subscribe()
        Recovery(self.house, self.monitoring, simulated=parts.exchange is not None).run(restored)
        self._connect_simulated()
        for agent in AgentName:
            if agent is not AgentName.ENGINE:
                self.bus.status(agent, Activity.IDLE)
        self.timetable.begin()
        if parts.live:
            self._threads = LiveThreads(self, parts)
            self._timer_handlers[REFRESH_TIMER] = self._threads.on_refresh
            self._endings.callback(self._threads.stop)
            self._threads.start()

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
        )

    def _open_accounts(self, restored: Restored) -> None:
        for account in self.parts.settings.accounts:
            book = restored.books.get(account.name)
            if book is None:
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
            HELD_TIMER: self.risk.on_held,
            EXPIRE_TIMER: self.execution.on_expired,
            RETRY_TIMER: self.execution.on_durable,
            TIME_TRIGGER: self.monitoring.on_time,
        }
        self.bus.subscribe(EVENT_AI_TIMER, self._on_timer)
        self.bus.subscribe(EVENT_ANSWER, self._on_answer)
        self.bus.subscribe(EVENT_TICK, self._on_tick)
        self.bus.subscribe(EVENT_ORDER, self.execution.on_order)
        self.bus.subscribe(EVENT_TRADE, self.execution.on_trade)
        self.bus.subscribe(EVENT_AI_COMMAND, self._on_command)
        self.bus.subscribe(EVENT_AI_STATUS, self._on_status)

    def _connect_simulated(self) -> None:
        """One simulated gateway an account, all on one exchange; contracts are announced once."""
        exchange = self.parts.exchange
        if exchange is None:
            return
        announced = False
        for account in sorted(self.parts.settings.accounts, key=lambda item: item.route is not Route.CTA):
            if account.gateway and not isinstance(self.main_engine.gateways.get(account.gateway), SimGateway):
                continue
            gateway = self.main_engine.gateways.get(account.gateway_name)
            if gateway is None:
                gateway = self.main_engine.add_gateway(SimGateway, account.gateway_name)
            if not isinstance(gateway, SimGateway):
                continue
            gateway.venue = exchange
            book = self.house.portfolio.books[account.name]
            holdings = {
                s: (p.volume, p.bought_on(self.house.today()), p.cost) for s, p in book.positions.items()
            }
            exchange.restore(account.name, book.cash, holdings, self.house.today())
            gateway.connect({"account": account.name, "cash": float(account.cash)})
            self._gateway = self._gateway or gateway
            if not announced:
                announced = True  # by the CTA account where there is one: a contract has one gateway there
                for symbol in self.parts.universe.symbols:
                    gateway.announce(
                        symbol, self.parts.universe.names.get(symbol, ""), self.house.portfolio.rules(symbol)
                    )

    @property
    def publisher(self) -> SimGateway:
        """The simulated gateway that publishes replayed quotes."""
        if self._gateway is None:
            raise RuntimeError("no account trades on the simulated exchange")
        return self._gateway

    # time

    def _on_timer(self, timer: Timer) -> None:
        self._timer_handlers[timer.name](timer.payload)

    def _on_session_open(self, day: date) -> None:
        if self.parts.exchange is not None:
            self.parts.exchange.start_session(day)
        self.house.portfolio.start_session()
        self.monitoring.repair()

    def _on_session_close(self, day: date) -> None:
        """Day orders end, accounts and baselines are valued."""
        if self.parts.exchange is not None:
            self.parts.exchange.end_session()
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

    def _on_calendar_end(self, reason: str) -> None:
        self._set_state(TradingState.HALTED, paused=True, by="calendar", reason=reason)

    # market and broker

    def _on_tick(self, tick: TickData) -> None:
        price = self.house.portfolio.quotes.update(tick)
        if price is None:
            return
        if self._paper is not None:
            self._paper.on_tick(tick, price, self.house.today())
        self.monitoring.on_tick(tick, tick.last_price)

    def _send(self, request: OrderRequest, gateway_name: str) -> str:
        """To the gateway; outside live mode only a simulated one gets an order."""
        gateway = self.main_engine.gateways.get(gateway_name)
        if self.parts.settings.mode is not Mode.LIVE and not isinstance(gateway, SimGateway):
            return ""
        if isinstance(gateway, SimGateway):
            return gateway.send_order(request)
        return str(self.main_engine.send_order(request, gateway_name) or "")

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

    def _on_answer(self, answer: object) -> None:
        if isinstance(answer, BrainAnswer):
            self.risk.regime = self.analysis.market.regime
            self.analysis.on_answer(answer)

    # commands

    def _on_command(self, command: Command) -> None:
        """Carry out what another process asked for, and answer."""
        self.bus.post(
            CommandTaken, cause=None, command=command.command, arguments=dict(command.args), by=command.by
        )
        try:
            result = self._carry_out(command)
        except (AiAgentError, KeyError) as error:
            result = {"error": f"{type(error).__name__}: {error}"}
        if self._threads is not None:
            self._threads.answer(command, json.dumps(result, ensure_ascii=False))

    def _carry_out(self, command: Command) -> object:
        """Do what a command asks; what it answers, for JSON."""
        match command.command:
            case "status":
                return self.status()
            case "pause":
                self.pause(command.by)
            case "resume":
                self.resume(command.by)
            case "halt":
                self.halt(command.args.get("reason", ""), command.by)
            case "flatten":
                return {"locked": self.flatten(command.by)}
            case "analyze":
                return {"request": self.analyze(command.args["symbol"], command.by)}
            case _:
                return {"error": f"unknown command {command.command!r}"}
        return "ok"

    def _set_state(self, state: TradingState, *, paused: bool, by: str, reason: str) -> StateChanged:
        self.control.set(state, paused=paused)
        self._say_log(
            say(
                "交易状态 {state}，AI {ai}（{reason}）",
                state=state.name,
                ai="暂停" if paused else "运行",
                reason=reason,
            ),
            Severity.WARNING,
        )
        return self.bus.post(
            StateChanged, EVENT_AI_STATE, cause=None, state=state, paused=paused, by=by, reason=reason
        )

    def _on_trouble(self, sentence: str) -> None:
        """What went wrong outside the event thread: the journal's disk, the brain's process, the inbox."""
        self.bus.alert(Severity.CRITICAL, say("{trouble}", trouble=sentence))

    def _on_status(self, status: AgentStatus) -> None:
        self._statuses[status.agent.name] = status

    def _say_log(self, sentence: Text, severity: Severity) -> None:
        """A line in vnpy's own log, in the display language."""
        if severity is not Severity.INFO:
            self.alerts.append(str(sentence))
            del self.alerts[:-100]
        if self.parts.quiet:
            return
        line = show(sentence, self._translate)
        self.main_engine.event_engine.put(
            Event(EVENT_LOG, LogData(msg=line, level=SEVERITY_LEVELS[severity], gateway_name=APP_NAME))
        )
