"""What people do with a running engine: from the window, from Python, from another process through the inbox.

Every command that changes something is journaled as CommandTaken, and what it leads to names it as its cause.
"""

import json
from collections import deque
from datetime import datetime
from decimal import Decimal
from threading import current_thread

from vnpy.event import Event, EventEngine
from vnpy.trader.engine import MainEngine
from vnpy.trader.event import EVENT_LOG
from vnpy.trader.object import LogData

from vnpy_aiagent.agents import (
    AgentContext,
    AnalysisAgent,
    Bus,
    ExecutionAgent,
    MonitoringAgent,
    ReviewAgent,
    RiskAgent,
)
from vnpy_aiagent.agents.reconciliation import Reconciler
from vnpy_aiagent.base import APP_NAME, EVENT_AI_SCHEDULE, EVENT_AI_STATE
from vnpy_aiagent.control import TradingControl
from vnpy_aiagent.domain import (
    AgentName,
    AgentStatus,
    CommandTaken,
    RequestKind,
    ScheduleFired,
    Severity,
    StateChanged,
    Text,
    TradingState,
    TriggerSpec,
    say,
    typed,
)
from vnpy_aiagent.errors import AiAgentError, ConfigError, UnknownSymbol
from vnpy_aiagent.execution.quality import quality_of
from vnpy_aiagent.i18n import Translate, show
from vnpy_aiagent.paper_guard import PaperGuard
from vnpy_aiagent.store.inbox import Command
from vnpy_aiagent.store.writer import JournalWriter
from vnpy_aiagent.wiring import SETTLE, LiveThreads, Parts

HUMAN = "python"
NOT_STARTED = "NOT_STARTED"
MAX_PRICE = 10_000_000  # CNY
SEVERITY_LEVELS = {Severity.INFO: 20, Severity.WARNING: 30, Severity.CRITICAL: 50}


class Commands:
    """The commands of AiAgentEngine, which wires what they use.

    They may be called from any thread: each waits for its turn among the event thread's handlers. Before
    start() and after close() they raise ConfigError with one sentence; `status` answers all the same.
    """

    bus: Bus
    house: AgentContext
    control: TradingControl
    analysis: AnalysisAgent
    execution: ExecutionAgent
    monitoring: MonitoringAgent
    review: ReviewAgent
    risk: RiskAgent
    started: bool
    closed: bool
    _translate: Translate
    _parts: Parts | None
    _threads: LiveThreads | None
    _statuses: dict[str, AgentStatus]
    _alerts: deque[Text]
    _disagreeing: set[str]
    guard: PaperGuard | None
    reconciler: Reconciler | None
    main_engine: MainEngine
    event_engine: EventEngine

    @property
    def parts(self) -> Parts:
        """What this engine was wired from; ConfigError before start."""
        if self._parts is None:
            raise ConfigError("the AI agents are not started; press start in the window, or call start()")
        return self._parts

    @property
    def alerts(self) -> list[str]:
        """The latest warnings, oldest first, in the display language."""
        return [show(sentence, self._translate) for sentence in list(self._alerts)]

    def analyze(self, vt_symbol: str, by: str = HUMAN) -> str:
        """Ask for one decision now, for all accounts; returns the request's id.

        Raises UnknownSymbol for a symbol that is not in the universe, ConfigError where people have taken it
        over in every account.
        """
        self._require_running()
        if vt_symbol not in self.parts.universe.symbols:
            raise UnknownSymbol(
                f"{vt_symbol} is not in the universe; add it to `universe` in the settings, import its bars"
            )
        with self.bus.turn:
            holders, others = self.house.holders(vt_symbol), self.house.seekers(vt_symbol)
            if not (holders or others):
                raise ConfigError(
                    f"people have taken over {vt_symbol} in every account; hand it back to have it analysed"
                )
            command = self._take("analyze", by, symbol=vt_symbol)
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
        """No new decisions; protective stops stay, triggers wait until resumed."""
        self._require_running()
        with self.bus.turn:
            command = self._take("pause", by)
            self._set_state(self.control.state, paused=True, by=by, reason="pause", cause=command.id)
        self._settle()

    def halt(self, reason: str, by: str = HUMAN) -> None:
        """Stop all: cancel every working order, send nothing but cancels, until a human resumes."""
        self._require_running()
        self._stop_all(reason, by, command="halt")
        self._settle()

    def _stop_all(self, reason: str, by: str, command: str = "") -> None:
        """HALTED, by a human's command or by what the app itself noticed (no command)."""
        self.control.set(TradingState.HALTED, paused=True)  # before waiting: no order leaves from here on
        with self.bus.turn:
            try:
                cause = self._take(command, by, reason=reason).id if command else None
                changed = self._set_state(TradingState.HALTED, paused=True, by=by, reason=reason, cause=cause)
            finally:
                self.execution.cancel_all()  # also where nothing can be journaled
            books = self.house.portfolio.books
            held = [f"{name} {s}" for name, book in books.items() for s in book.positions if book.managed(s)]
            if held:
                sentence = say("已全部停止；以下持仓的止损单不会发出：{held}", held="、".join(held))
                self.bus.alert(Severity.WARNING, sentence, cause=changed.id)

    def resume(self, by: str = HUMAN) -> None:
        """Back to ACTIVE; what a flatten has not sold yet is kept. Only people call this."""
        self._require_running()
        with self.bus.turn:
            command = self._take("resume", by)
            changed = self._set_state(
                TradingState.ACTIVE, paused=False, by=by, reason="resume", cause=command.id
            )
            self.monitoring.resume(changed.id)
        self._settle()

    def flatten(self, by: str = HUMAN) -> list[str]:
        """Close what may be closed now, and the rest at the next chance; nothing new is opened meanwhile.

        Returns the positions that T+1 or a closed market locks now. A resume ends it.
        """
        self._require_running()
        with self.bus.turn:
            command = self._take("flatten", by)
            changed = self._set_state(
                TradingState.REDUCING, paused=True, by=by, reason="flatten", cause=command.id
            )
            self.execution.cancel_all(entries_only=True)
            locked = self.monitoring.flatten(changed.id)
            if locked:
                sentence = say("一键清仓：以下持仓现在不能卖，下一时机卖出：{held}", held="、".join(locked))
                self.bus.alert(Severity.WARNING, sentence, cause=changed.id)
        self._settle()
        return locked

    def cancel_trigger(self, trigger_id: str, by: str = HUMAN) -> bool:
        """Take a trigger out of the book; whether it was still there. Protective stops are no triggers."""
        self._require_running()
        with self.bus.turn:
            command = self._take("cancel_trigger", by, trigger=trigger_id)
            return self.monitoring.triggers.cancel(trigger_id, command.id)

    def adjust_trigger(self, trigger_id: str, price: Decimal, by: str = HUMAN) -> str:
        """Replace a price trigger's level (CNY) by another; returns the new trigger's id.

        Raises ConfigError where there is no such trigger, it has no price, or the price is off the tick or
        outside today's limit band.
        """
        self._require_running()
        with self.bus.turn:
            spec = self.monitoring.book.get(trigger_id)
            if spec is None:
                raise ConfigError(
                    f"there is no trigger {trigger_id}; it may have fired, look at the list again"
                )
            if spec.price is None:
                raise ConfigError(f"trigger {trigger_id} waits for a time, not a price; cancel it instead")
            self._require_tradable_price(spec, price)
            command = self._take("adjust_trigger", by, trigger=trigger_id, price=str(price))
            return self.monitoring.triggers.adjust(spec, price, command.id).id

    def move_stop(self, account: str, vt_symbol: str, price: Decimal, by: str = HUMAN) -> None:
        """Move a position's protective stop to a price (CNY), up or down: a human may lower it as well.

        Raises ConfigError where there is no armed stop, or the price is off the tick or not below the last.
        """
        self._require_running()
        with self.bus.turn:
            self._require_stop_price(account, vt_symbol, price)
            command = self._take("move_stop", by, account=account, symbol=vt_symbol, price=str(price))
            self.monitoring.move_stop(account, vt_symbol, price, command.id)

    def run_job(self, name: str, by: str = HUMAN) -> str:
        """Run a job of the timetable now, whatever its time; returns the message's id.

        Raises ConfigError for a job that the settings in force do not name.
        """
        self._require_running()
        jobs = [job.name for job in self.parts.settings.schedule]
        if name not in jobs:
            raise ConfigError(f"no job {name!r} in the running timetable; it has {', '.join(jobs)}")
        with self.bus.turn:
            command = self._take("run_job", by, job=name)
            fired = self.bus.post(
                ScheduleFired, EVENT_AI_SCHEDULE, cause=command.id, job=name, due=self.parts.clock.now()
            )
            return fired.id

    # what people look at

    def status(self) -> dict[str, object]:
        """State, mode, agents, accounts and alerts; CNY as numbers. Before start the state is NOT_STARTED."""
        if not self.started:
            return {
                "state": NOT_STARTED,
                "paused": False,
                "mode": "",
                "model": "",
                "running": False,
                "agents": {},
                "accounts": [],
                "alerts": [],
                "handler_failures": 0,
                "paper_guard": self._guard_status(),
            }
        with self.bus.turn:
            return {
                "state": self.control.state.name,
                "paused": self.control.paused,
                "mode": self.parts.settings.mode.name,
                "model": self.parts.model_name,
                "running": not self.closed,
                "agents": {name: s.activity.name for name, s in sorted(self._statuses.items())},
                "accounts": [self._account_status(name) for name in self.house.portfolio.books],
                "alerts": self.alerts[-20:],
                "handler_failures": self.bus.failures,
                "paper_guard": self._guard_status(),
            }

    def _guard_status(self) -> dict[str, object]:
        """Whether real gateways are held back (outside live mode), which, and orders refused so far."""
        return self.guard.status() if self.guard else {"on": False, "gateways": [], "refused": 0}

    def heartbeats(self) -> dict[str, datetime]:
        """When each agent last handled something, by the clock; an agent that never did is left out."""
        self._require_running()
        agents = {
            AgentName.ANALYSIS: self.analysis,
            AgentName.RISK: self.risk,
            AgentName.EXECUTION: self.execution,
            AgentName.MONITORING: self.monitoring,
            AgentName.REVIEW: self.review,
        }
        beats = {name: self.bus.beats.get(type(agent).__name__) for name, agent in agents.items()}
        return {name.name: at for name, at in beats.items() if at is not None}

    def breadth(self) -> tuple[int, int, int]:
        """Symbols of the universe that are up, flat and down against their previous close.

        Only symbols with a quote of today count.
        """
        self._require_running()
        counts = [0, 0, 0]
        today = self.house.today()
        for symbol in self.parts.universe.symbols:
            quote = self.house.portfolio.quotes.get(symbol)
            if quote is not None and quote.prev_close is not None and quote.at.date() == today:
                counts[1 + (quote.last < quote.prev_close) - (quote.last > quote.prev_close)] += 1
        return counts[0], counts[1], counts[2]

    def _account_status(self, name: str) -> dict[str, object]:
        book = self.house.portfolio.books[name]
        return {
            "name": name,
            "style": book.style.name,
            "cash": float(book.cash),
            "equity": float(self.house.portfolio.equity(name)),
            "positions": {symbol: position.volume for symbol, position in sorted(book.positions.items())},
            "external": dict(sorted(book.external.items())),
            "books_agree": self._books_agree(name),
            "execution": self._execution_status(name),
            **self._link_status(name),
        }

    def _execution_status(self, name: str) -> dict[str, object]:
        """How well an account's orders of today were worked, since the process started."""
        today = self.house.today()
        reports = (r for r in self.execution.reports if r.account == name and r.at.date() == today)
        return quality_of(reports).as_json()

    def _books_agree(self, name: str) -> bool:
        """Whether an account's book says what its broker, or its simulated exchange, says."""
        if self.reconciler is not None:
            return self.reconciler.is_reconciled(name)
        return name not in self.execution.foreign_fills and name not in self._disagreeing

    def _link_status(self, name: str) -> dict[str, object]:
        """Whether an account agrees with its broker, and why it does not; empty outside mode LIVE."""
        if self.reconciler is None:
            return {}
        reasons = [show(reason, self._translate) for reason in self.reconciler.reasons(name)]
        return {"reconciled": not reasons, "reasons": reasons}

    # commands of other processes

    def _on_command(self, command: Command) -> None:
        """Carry out what another process asked for, and answer."""
        try:
            result = json.dumps(self._carry_out(command), ensure_ascii=False)
        except (AiAgentError, KeyError) as error:
            result = _failure(error)
        except Exception as error:  # the bus journals it; who asked gets an answer all the same
            self._answer(command, _failure(error))
            raise
        self._answer(command, result)

    def _answer(self, command: Command, result: str) -> None:
        if self._threads is not None:
            self._threads.answer(command, result)

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
                self._take(command.command, command.by, **command.args)
                return {"error": f"unknown command {command.command!r}"}
        return "ok"

    # parts of commands

    def _settle(self) -> None:
        """Wait a little until a change of state is on the disk: a process killed now must not lose it.

        Not on the event thread, where no disk is waited for; a command of another process is answered after
        the same wait, in the inbox's own thread. Where the disk fails, that is told already.
        """
        waits = isinstance(self.parts.writer, JournalWriter)  # another one has written at once
        if waits and current_thread() is not getattr(self.event_engine, "_thread", None):
            self.parts.writer.flush(SETTLE)

    def _require_not_closed(self) -> None:
        if self.closed:
            raise ConfigError("the AI agents were closed; restart VeighNa Trader to start them again")

    def _require_running(self) -> None:
        self._require_not_closed()
        if not self.started:
            raise ConfigError("the AI agents are not started; press start in the window, or call start()")

    def _take(self, command: str, by: str, **arguments: str) -> CommandTaken:
        by, arguments = typed(by), {name: typed(value) for name, value in arguments.items()}
        taken = self.bus.post(CommandTaken, cause=None, command=command, arguments=arguments, by=by)
        given = " ".join(value for value in arguments.values() if value)
        sentence = say("人工操作（{by}）：{command} {given}", by=by, command=command, given=given)
        self._say_log(sentence, Severity.INFO)
        return taken

    def _set_state(
        self, state: TradingState, *, paused: bool, by: str, reason: str, cause: str | None = None
    ) -> StateChanged:
        by, reason = typed(by), typed(reason)
        self.control.set(state, paused=paused)
        if paused:  # nobody waits for a model, and no money is spent on what would not be carried out
            self.parts.runner.cancel(f"paused while the model was asked ({reason})")
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
            StateChanged, EVENT_AI_STATE, cause=cause, state=state, paused=paused, by=by, reason=reason
        )

    def _require_tradable_price(self, spec: TriggerSpec, price: Decimal) -> None:
        """ConfigError for a price off the tick or outside today's limit band, as far as that is known."""
        self._require_on_tick(spec.symbol, price)
        quote = self.house.portfolio.quotes.get(spec.symbol)
        low, high = (quote.limit_down, quote.limit_up) if quote is not None else (None, None)
        if (low is not None and price < low) or (high is not None and price > high):
            raise ConfigError(f"{price} CNY is outside today's limit band of {spec.symbol}, {low} to {high}")

    def _require_stop_price(self, account: str, vt_symbol: str, price: Decimal) -> None:
        stop = self.monitoring.stops.get(account, vt_symbol)
        if stop is None:
            raise ConfigError(f"account {account!r} has no protective stop in {vt_symbol}; check both names")
        if not stop.armed:
            raise ConfigError(
                f"the stop of {account} in {vt_symbol} is {stop.state.name}: its sale is under way; "
                "after a flatten, resume first; otherwise wait for the sale"
            )
        self._require_on_tick(vt_symbol, price)
        last = self.house.portfolio.quotes.last_prices.get(vt_symbol)
        if last is None:
            raise ConfigError(f"no price of {vt_symbol} is known yet; move its stop once quotes arrive")
        if price >= last:
            raise ConfigError(f"a stop at {price} CNY is not below the last price {last} of {vt_symbol}")

    def _require_on_tick(self, vt_symbol: str, price: Decimal) -> None:
        tick = self.house.portfolio.rules(vt_symbol).tick_size
        if not (price.is_finite() and 0 < price < MAX_PRICE) or price % tick:
            raise ConfigError(
                f"{price} CNY is no price of {vt_symbol}; give a positive multiple of {tick} "
                f"below {MAX_PRICE:,}"
            )

    def _say_log(self, sentence: Text, severity: Severity) -> None:
        """A line in vnpy's own log, in the display language; warnings are kept for `alerts`."""
        if severity is not Severity.INFO:
            self._alerts.append(sentence)
        if self.parts.quiet:
            return
        line = show(sentence, self._translate)
        self.main_engine.event_engine.put(
            Event(EVENT_LOG, LogData(msg=line, level=SEVERITY_LEVELS[severity], gateway_name=APP_NAME))
        )


def _failure(error: Exception) -> str:
    return json.dumps({"error": f"{type(error).__name__}: {error}"}, ensure_ascii=False)
