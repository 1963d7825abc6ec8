"""What an engine is wired from, and how paper and live running get theirs: journal, bars, brain, threads."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Protocol

from vnpy.event import Event
from vnpy.trader.constant import Exchange
from vnpy.trader.engine import MainEngine
from vnpy.trader.logger import logger
from vnpy.trader.object import CancelRequest, SubscribeRequest
from vnpy.trader.utility import get_folder_path

from vnpy_aiagent.agents import BarSource, BrainRunner, Universe
from vnpy_aiagent.agents.restore import KINDS, Restored, Restorer
from vnpy_aiagent.base import APP_NAME, EVENT_AI_COMMAND, EVENT_AI_TIMER
from vnpy_aiagent.brain.runner import BrainSetup, ProcessRunner
from vnpy_aiagent.config import Settings, load_settings
from vnpy_aiagent.control.driver import ClockDriver, InboxPoller
from vnpy_aiagent.control.watchdog import Watchdog
from vnpy_aiagent.data.live_bars import LiveBars
from vnpy_aiagent.data.market_data import Instrument, MarketData
from vnpy_aiagent.data.quote_gateway import QuoteGateway
from vnpy_aiagent.data.quote_names import FILE_NAME as NAMES_FILE
from vnpy_aiagent.data.quote_names import load_names
from vnpy_aiagent.domain import (
    MARKET_TZ,
    BarInterval,
    Clock,
    LiveClock,
    Mode,
    Severity,
    Side,
    Timer,
    TimerQueue,
    say,
)
from vnpy_aiagent.errors import ConfigError, JournalLocked
from vnpy_aiagent.i18n import show, translator
from vnpy_aiagent.llm.factory import build_model
from vnpy_aiagent.market import Board, InstrumentRules, TradingCalendar, instrument_rules
from vnpy_aiagent.market.sessions import is_continuous
from vnpy_aiagent.portfolio.baselines import Baseline
from vnpy_aiagent.sim.exchange import SimExchange
from vnpy_aiagent.store.database import close_database, open_database
from vnpy_aiagent.store.inbox import Command, Inbox
from vnpy_aiagent.store.journal import Journal
from vnpy_aiagent.store.writer import EntryWriter, JournalWriter

if TYPE_CHECKING:
    from vnpy_aiagent.engine import AiAgentEngine

CONFIG_FILES = ("config.yaml", "config.yml", "config.json")
EVENT_PING = "eAiPing"
REFRESH_TIMER = "bars_refresh"
LEASE_PATIENCE = 3.0
BARS_REFRESH = time(6, 45)
RulesFor = Callable[[str, date], InstrumentRules]


class Runner(BrainRunner, Protocol):
    """A brain runner that can be closed."""

    def close(self) -> None:
        """End it."""
        ...


class Trouble:
    """Hears of what goes wrong outside the event thread; the engine decides what is done about it."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """`tell` gets one sentence, in the thread where the trouble is; the engine puts its own in place."""
        self.tell = tell

    def journal(self, error: Exception, attempt: int) -> None:
        """A failed commit: the first of a spell is told, and every entry that can never be stored."""
        if attempt <= 1:
            self.tell(f"the journal cannot be written, no new order leaves meanwhile: {error}")

    def brain(self, sentence: str) -> None:
        """The brain process was replaced or given up."""
        self.tell(f"brain process: {sentence}")

    def inbox(self, sentence: str) -> None:
        """The command inbox cannot be read."""
        self.tell(f"command inbox: {sentence}")


def _no_trouble() -> Trouble:
    return Trouble(lambda _: None)


@dataclass(slots=True)
class Parts:
    """Everything that differs between simulation, paper and live."""

    settings: Settings
    clock: Clock
    timers: TimerQueue
    calendar: TradingCalendar
    writer: EntryWriter
    bars: BarSource
    universe: Universe
    rules_for: RulesFor
    runner: Runner
    exchange: SimExchange | None
    data_label: str
    model_name: str
    is_llm: bool
    live: bool
    quiet: bool = False
    restored: Restored = field(default_factory=Restored)
    baselines: Sequence[Baseline] = ()
    trouble: Trouble = field(default_factory=_no_trouble)


def app_folder() -> Path:
    """The app's folder under vnpy's own: .vntrader/aiagent."""
    return get_folder_path("aiagent")


def default_config() -> Path | None:
    """The user's config file, None where there is none."""
    for name in CONFIG_FILES:
        path = app_folder() / name
        if path.exists():
            return path
    return None


def journal_target(settings: Settings) -> str:
    """Where the journal lies: a path or a postgresql:// URL."""
    if settings.store.journal:
        return settings.store.journal
    return str(app_folder() / "journal.db")


def rules_provider(instruments: Mapping[str, Instrument]) -> RulesFor:
    """Rules by symbol and day, with each instrument's name, listing day and board override."""

    @cache
    def rules_for(vt_symbol: str, on: date) -> InstrumentRules:
        item = instruments.get(vt_symbol)
        if item is None:
            return instrument_rules(vt_symbol, on)
        board = Board[item.board] if item.board else None
        return instrument_rules(vt_symbol, on, name=item.name, listed=item.listed, board=board)

    return rules_for


def live_parts(main_engine: MainEngine, settings: Settings | None = None) -> Parts:
    """Parts for paper and live running, from the user's settings."""
    settings = settings or load_settings(default_config())
    if settings.mode is Mode.SIMULATION:
        raise ConfigError("mode SIMULATION has no live clock; use `aiagent demo`, or set mode to PAPER")
    if settings.mode is Mode.LIVE:
        raise ConfigError(
            "mode LIVE is not offered in this version: positions and cash are not yet reconciled with the "
            "broker; use mode PAPER (docs/limits.md)"
        )
    clock = LiveClock()
    calendar = TradingCalendar(settings.calendar.extra_years_file)
    model = build_model(settings.llm, settings.budget)
    name, is_llm = model.name, model.is_llm
    model.close()
    data = load_universe(settings)
    rules_for = rules_provider(data.instruments)
    trouble = Trouble(lambda sentence: main_engine.write_log(sentence, APP_NAME))
    with ExitStack() as undo:
        journal = _open_patiently(journal_target(settings))
        undo.callback(journal.close)
        restored = Restorer().fold(journal.read(kinds=KINDS))
        runner = ProcessRunner(
            BrainSetup(settings.llm, settings.budget, settings.brain), name, is_llm, trouble.brain
        )
        undo.pop_all()
    writer = JournalWriter(journal, wall=lambda: clock.now().isoformat(), on_error=trouble.journal)
    exchange = None
    if settings.mode is Mode.PAPER:

        def takes_orders(vt_symbol: str, when: datetime) -> bool:
            return is_continuous(calendar, rules_for(vt_symbol, when.date()).board, when)

        exchange = SimExchange(clock, rules_for, settings.sim, takes_orders, run=f"r{restored.runs + 1}")
    return Parts(
        settings=settings,
        clock=clock,
        timers=TimerQueue(),
        calendar=calendar,
        writer=writer,
        bars=LiveBars(data, lambda: load_universe(settings), clock),
        universe=Universe(
            data.symbols, {s: i.name for s, i in data.instruments.items()}, (BarInterval.DAILY,)
        ),
        rules_for=rules_for,
        runner=runner,
        exchange=exchange,
        data_label=data.source,
        model_name=name,
        is_llm=is_llm,
        live=True,
        restored=restored,
        trouble=trouble,
    )


def _open_patiently(target: str) -> Journal:
    """The journal for writing; a control command at rest holds its lease for a moment only."""
    give_up = monotonic() + LEASE_PATIENCE
    while True:
        try:
            return Journal.open(target, owner=APP_NAME)
        except JournalLocked:
            if monotonic() >= give_up:
                raise
            sleep(0.1)


def load_universe(settings: Settings) -> MarketData:
    """Daily bars of the universe from vnpy's database; symbols without bars are kept, with empty history."""
    from vnpy.trader.database import get_database

    from vnpy_aiagent.data.bars import BarSeries
    from vnpy_aiagent.data.vnpy_database import load_from_database

    today = LiveClock().now().date()
    series: dict[tuple[str, BarInterval], BarSeries] = {}
    for symbol in settings.universe:
        series[symbol, BarInterval.DAILY] = BarSeries.from_rows(symbol, BarInterval.DAILY, [])
    if settings.universe:
        loaded = load_from_database(
            settings.universe,
            today.replace(year=today.year - 3, day=1),
            today,
            BarInterval.DAILY,
            get_database(),
        )
        series |= dict(loaded.series)
    names = load_names(app_folder() / NAMES_FILE)
    instruments = {symbol: Instrument(symbol, names.get(symbol, "")) for symbol in settings.universe}
    return MarketData(source="vnpy database", instruments=instruments, series=series)


class LiveThreads:
    """The threads around a running engine: clock, inbox, watchdog; and the quotes' subscription."""

    def __init__(self, engine: "AiAgentEngine", parts: Parts) -> None:
        """Nothing runs before `start`."""
        self._engine = engine
        self._parts = parts
        events = engine.event_engine
        self._database = open_database(journal_target(parts.settings))
        self._inbox = Inbox(self._database)
        self._clock = ClockDriver(parts.clock, parts.timers, self._put_timer)
        self._poller = InboxPoller(self._inbox, self._put_command, parts.trouble.inbox)
        self._watchdog = Watchdog(lambda: events.put(Event(EVENT_PING)), self._stalled, self._recovered)
        engine.bus.subscribe(EVENT_PING, lambda _: self._watchdog.echo())

    def start(self) -> None:
        """Begin, and subscribe to the universe's quotes."""
        self.plan_refresh()
        self._clock.start()
        self._poller.start()
        self._watchdog.start()
        gateway = self._parts.settings.quote_gateway
        if gateway == QuoteGateway.default_name and gateway not in self._engine.main_engine.gateways:
            self._open_quotes()
        if gateway:
            for vt_symbol in self._parts.universe.symbols:
                symbol, _, suffix = vt_symbol.rpartition(".")
                self._engine.main_engine.subscribe(SubscribeRequest(symbol, Exchange(suffix)), gateway)

    def _open_quotes(self) -> None:
        """Free snapshots; contracts stay with the simulated exchange, or CTA orders would go astray."""
        main_engine = self._engine.main_engine
        quotes = main_engine.add_gateway(QuoteGateway)
        if isinstance(quotes, QuoteGateway):
            quotes.calendar = self._parts.calendar
        main_engine.connect({"发布合约": "否"}, QuoteGateway.default_name)

    def plan_refresh(self) -> None:
        """Set the next deadline at which bars are loaded again, before the day's plan."""
        now = self._parts.clock.now()
        due = datetime.combine(now.date(), BARS_REFRESH, MARKET_TZ)
        self._parts.timers.set(due if due > now else due + timedelta(days=1), REFRESH_TIMER)

    def on_refresh(self, _: object) -> None:
        """Load the bars again, off the event thread, and plan the next time."""
        self.plan_refresh()
        Thread(target=self._refresh_bars, name="aiagent-bars", daemon=True).start()

    def _refresh_bars(self) -> None:
        bars = self._parts.bars
        if not isinstance(bars, LiveBars):
            return
        try:
            bars.refresh()
        except Exception as error:  # noqa: BLE001 - a driver's own errors too; the old bars stay in use
            self._parts.trouble.tell(f"bars could not be loaded again, the old ones stay: {error}")

    def stop(self) -> None:
        """End all threads."""
        self._watchdog.stop()
        self._clock.stop()
        self._poller.stop()
        close_database(self._database)

    def answer(self, command: Command, result: str) -> None:
        """Store a command's result for the process that asked."""
        self._poller.answer(command.id, result)

    def _put_timer(self, timer: Timer) -> None:
        self._engine.event_engine.put(Event(EVENT_AI_TIMER, timer))

    def _put_command(self, command: Command) -> None:
        self._engine.event_engine.put(Event(EVENT_AI_COMMAND, command))

    def _stalled(self, seconds: float) -> None:
        """The event thread is silent: cancel open entries at the gateway from here, and say so."""
        cancelled = failed = 0
        for parent, child in list(self._engine.execution.desk.working()):
            if parent.order.side is Side.BUY:
                for vt_orderid in child.vt_orderids:
                    gateway_name, _, orderid = vt_orderid.partition(".")
                    symbol, _, suffix = child.intent.symbol.rpartition(".")
                    gateway = self._engine.main_engine.gateways.get(gateway_name)
                    if gateway is None:
                        continue
                    try:
                        gateway.cancel_order(CancelRequest(orderid, symbol, Exchange(suffix)))
                        cancelled += 1
                    except Exception:  # noqa: BLE001 - counted and told; the other entries must be tried
                        failed += 1
        sentence = say(
            "事件线程已 {seconds} 秒无响应，已撤开仓委托 {count} 笔，撤单失败 {failed} 笔",
            seconds=f"{seconds:.0f}",
            count=cancelled,
            failed=failed,
        )
        # vnpy's log events need the very thread that is silent: write to its logger itself
        logger.critical(show(sentence, translator(self._parts.settings.display_language)))
        self._engine.bus.alert(Severity.CRITICAL, sentence)

    def _recovered(self) -> None:
        self._engine.bus.alert(Severity.INFO, say("事件线程恢复响应"))
