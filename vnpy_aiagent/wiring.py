"""What an engine is wired from, and how paper and live running get theirs: journal, bars, brain, threads."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cache, partial
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Protocol

from vnpy.event import Event
from vnpy.trader.constant import Exchange
from vnpy.trader.database import get_database
from vnpy.trader.engine import MainEngine
from vnpy.trader.event import EVENT_CONTRACT, EVENT_LOG, EVENT_TICK
from vnpy.trader.logger import logger
from vnpy.trader.object import CancelRequest, ContractData, LogData, SubscribeRequest
from vnpy.trader.utility import get_folder_path, load_json

from vnpy_aiagent.agents import BarSource, BrainRunner, Universe
from vnpy_aiagent.agents.restore import Restored, restore
from vnpy_aiagent.base import APP_NAME, EVENT_AI_COMMAND, EVENT_AI_REVIEW, EVENT_AI_TIMER
from vnpy_aiagent.brain.build import BrainSetup
from vnpy_aiagent.brain.runner import ProcessRunner
from vnpy_aiagent.brain.spent import spent_on
from vnpy_aiagent.collecting import Collecting
from vnpy_aiagent.config import Settings, load_settings
from vnpy_aiagent.control.driver import ClockDriver, InboxPoller
from vnpy_aiagent.control.watchdog import Watchdog
from vnpy_aiagent.daily_report import DailyReports
from vnpy_aiagent.data.active_pool import known_names
from vnpy_aiagent.data.backfill import Backfill
from vnpy_aiagent.data.corporate_file import Actions, load_kept_actions
from vnpy_aiagent.data.facts import NO_FACTS, FactSource
from vnpy_aiagent.data.facts_held import HeldFacts
from vnpy_aiagent.data.facts_store import FILE_NAME as FACTS_FILE
from vnpy_aiagent.data.facts_store import FactReader
from vnpy_aiagent.data.intraday_bars import with_intraday
from vnpy_aiagent.data.live_bars import LiveBars
from vnpy_aiagent.data.market_data import Instrument, MarketData
from vnpy_aiagent.data.quote_gateway import QuoteGateway
from vnpy_aiagent.data.quote_settings import CONTRACTS
from vnpy_aiagent.data.sources.apart import FetchProcess
from vnpy_aiagent.data.sources.build import build_router
from vnpy_aiagent.data.sources.file import FILE_NAME as SOURCES_FILE
from vnpy_aiagent.data.sources.gateway_bars import MainEngineHistory
from vnpy_aiagent.data.sources.notebook import SourceNotebook
from vnpy_aiagent.data.sources.router import BarRouter
from vnpy_aiagent.data.symbols import parse_symbol
from vnpy_aiagent.data.vnpy_database import load_from_database, release
from vnpy_aiagent.domain import (
    MARKET_TZ,
    BarInterval,
    Clock,
    LiveClock,
    Mode,
    Severity,
    Side,
    Text,
    Timer,
    TimerQueue,
    say,
)
from vnpy_aiagent.errors import ConfigError, JournalLocked, JournalLost
from vnpy_aiagent.i18n import show, translator
from vnpy_aiagent.keys import with_key
from vnpy_aiagent.llm.factory import build_ledger, build_model, cassette_file
from vnpy_aiagent.market import Board, InstrumentRules, TradingCalendar, instrument_rules
from vnpy_aiagent.market.order_hours import Handling, handling
from vnpy_aiagent.places import default_config
from vnpy_aiagent.portfolio.baselines import Baseline
from vnpy_aiagent.sim.exchange import SimExchange
from vnpy_aiagent.source_checks import SourceChecks
from vnpy_aiagent.store.database import close_database, is_postgres, open_database
from vnpy_aiagent.store.inbox import Command, Inbox
from vnpy_aiagent.store.journal import Journal
from vnpy_aiagent.store.writer import EntryWriter, JournalWriter

if TYPE_CHECKING:
    from vnpy_aiagent.engine import AiAgentEngine

EVENT_PING = "eAiPing"
REFRESH_TIMER = "bars_refresh"
LEASE_PATIENCE = 3.0
SETTLE = 2.0
"""Seconds that a command waits for the disk before it is answered all the same."""
BARS_REFRESH = time(6, 45)
INDICES = ("000001.SSE", "000300.SSE", "399001.SZSE", "399006.SZSE")
"""Indices that decisions see where vnpy's database holds their daily bars."""

LIVE_REFUSAL: str = ""
"""Why mode LIVE does not start; empty once it does. The window's wizard goes by it too."""
RulesFor = Callable[[str, date], InstrumentRules]


class Runner(BrainRunner, Protocol):
    """A brain runner that can be closed."""

    def close(self) -> None:
        """End it."""
        ...


class Trouble:
    """Hears of what goes wrong outside the event thread; the engine decides what is done about it."""

    def __init__(self, tell: Callable[[Text], None]) -> None:
        """`tell` gets one sentence, in the thread where the trouble is; the engine puts its own in place."""
        self.tell = tell
        self.halt: Callable[[str], None] = lambda _: None

    def journal(self, error: Exception, attempt: int) -> None:
        """A failed commit: the first of a spell is told, and every entry that can never be stored.

        A journal that was taken away stops all until a human has seen to it.
        """
        if attempt <= 1:
            self.tell(say("日志写不进去，其间不发新委托：{error}", error=error))
        if isinstance(error, JournalLost):
            self.halt(str(error))

    def brain(self, sentence: Text) -> None:
        """The brain process was replaced or given up."""
        self.tell(sentence)

    def inbox(self, sentence: str) -> None:
        """The command inbox cannot be read."""
        self.tell(say("命令收件箱读不了，其他程序的指令暂时收不到：{error}", error=sentence))


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
    actions: Callable[[], Actions] = dict
    trouble: Trouble = field(default_factory=_no_trouble)
    facts: FactSource = NO_FACTS
    sources: BarRouter | None = None
    fetching: FetchProcess | None = None


def app_folder() -> Path:
    """The app's folder under vnpy's own: .vntrader/aiagent."""
    return get_folder_path("aiagent")


def journal_target(settings: Settings) -> str:
    """Where the journal lies: a path or a postgresql:// URL. Real money has a journal of its own."""
    if settings.store.journal:
        return settings.store.journal
    return str(app_folder() / ("journal-live.db" if settings.mode is Mode.LIVE else "journal.db"))


def _folder_of(journal: str) -> Path:
    """The folder beside a journal; the app's own where the journal is in a server's database."""
    return app_folder() if is_postgres(journal) else Path(journal).expanduser().absolute().parent


def rules_provider(instruments: Mapping[str, Instrument]) -> RulesFor:
    """Rules by symbol and day, with each instrument's name, board override, listing and delisting day.

    Before its listing day an instrument has its board's ordinary rules: nothing trades, as there is no quote.
    """

    @cache
    def rules_for(vt_symbol: str, on: date) -> InstrumentRules:
        item = instruments.get(vt_symbol)
        if item is None:
            return instrument_rules(vt_symbol, on)
        board = Board[item.board] if item.board else None
        listed = item.listed if item.listed and item.listed <= on else None
        return instrument_rules(
            vt_symbol, on, name=item.name, listed=listed, board=board, delisting=item.delisting
        )

    return rules_for


def live_parts(
    main_engine: MainEngine, settings: Settings | None = None, clock: Clock | None = None
) -> Parts:
    """Parts for paper and live running, from the user's settings; by default on the machine's clock."""
    settings = with_symbols(with_key(settings or load_settings(default_config())))
    if settings.mode is Mode.SIMULATION:
        raise ConfigError("mode SIMULATION has no live clock; use `aiagent demo`, or set mode to PAPER")
    if settings.mode is Mode.LIVE and LIVE_REFUSAL:
        raise ConfigError(LIVE_REFUSAL)
    clock = clock or LiveClock()
    calendar = TradingCalendar(settings.calendar.extra_years_file)
    cassette = cassette_file(settings.llm, _folder_of(journal_target(settings)))
    model = build_model(settings.llm, build_ledger(settings.budget), cassette=cassette)
    name, is_llm = model.name, model.is_llm
    model.close()
    data = load_universe(settings, clock)
    language = translator(settings.display_language)
    trouble = Trouble(lambda sentence: main_engine.write_log(show(sentence, language), APP_NAME))
    with ExitStack() as undo:
        target = journal_target(settings)
        journal = _open_patiently(target)
        undo.callback(journal.close)
        restored = restore(target)
        pool = _restored_pool(settings, restored)
        if pool:
            data = load_universe(settings, clock, pool)
        spent = spent_on(journal, clock.now().date())
        runner = ProcessRunner(
            BrainSetup(settings.llm, settings.budget, settings.brain, spent, cassette),
            name,
            is_llm,
            trouble.brain,
            clock,
        )
        undo.pop_all()
    for note in data.notes:
        trouble.tell(note)
    instruments = dict(data.instruments)
    rules_for = rules_provider(instruments)
    universe = Universe(
        data.symbols,
        {s: i.name for s, i in instruments.items()},
        (BarInterval.DAILY, BarInterval.HOUR, BarInterval.MINUTE),
        pool=pool,
        indices=INDICES,
    )

    def load() -> MarketData:
        found = load_universe(settings, clock, universe.pool)
        instruments.update(found.instruments)
        return found

    writer = JournalWriter(journal, wall=lambda: clock.now().isoformat(), on_error=trouble.journal)
    exchange = None
    if settings.mode is Mode.PAPER:

        def hours(vt_symbol: str, when: datetime) -> Handling:
            return handling(calendar, rules_for(vt_symbol, when.date()), when)

        exchange = SimExchange(clock, rules_for, settings.sim, hours, run=f"r{restored.runs + 1}")
    bars = LiveBars(data, load, clock)
    fetching = FetchProcess("aiagent-bars")
    return Parts(
        settings=settings,
        clock=clock,
        timers=TimerQueue(),
        calendar=calendar,
        writer=writer,
        bars=bars,
        actions=lambda: bars.data.actions,
        universe=universe,
        rules_for=rules_for,
        runner=runner,
        exchange=exchange,
        data_label=data.source,
        model_name=name,
        is_llm=is_llm,
        live=True,
        restored=restored,
        trouble=trouble,
        sources=build_router(
            settings,
            app_folder(),
            clock,
            database=get_database,
            gateway=MainEngineHistory(main_engine),
            process=fetching,
        ),
        fetching=fetching,
        facts=HeldFacts(
            FactReader(app_folder() / FACTS_FILE, settings.brain.text_days), clock, lambda: universe.symbols
        ),
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


def _restored_pool(settings: Settings, restored: Restored) -> tuple[str, ...]:
    """The automatic pool as the journal knows it, and what is held; empty where the setting is off."""
    if settings.auto_pool is None:
        return ()
    picks = [pick.vt_symbol for pick in restored.pool.picks] if restored.pool else []
    held = sorted(symbol for book in restored.books.values() for symbol in book.positions)
    return tuple(dict.fromkeys((*picks, *held)))


def with_symbols(settings: Settings) -> Settings:
    """The settings with the universe as vnpy writes symbols: 600519.SH and sh600519 become 600519.SSE.

    UnknownSymbol for words that are no symbol, no known name, or leave the exchange open.
    """
    names = {name: symbol for symbol, name in known_names(app_folder()).items()}
    symbols = tuple(dict.fromkeys(parse_symbol(word, names) for word in settings.universe))
    return settings if symbols == settings.universe else settings.model_copy(update={"universe": symbols})


def load_universe(settings: Settings, clock: Clock | None = None, pool: Sequence[str] = ()) -> MarketData:
    """Three years of daily bars of the universe and the automatic `pool`, from vnpy's database.

    Beside them hours and minutes of late, as far as they are stored; `notes` says which could not be used.

    A symbol without bars is kept with an empty series: the scan skips it, LiveThreads sees to its bars. A
    stored bar that cannot be true raises BadRow.
    """
    today = (clock or LiveClock()).now().date()
    symbols = tuple(dict.fromkeys((*settings.universe, *pool)))
    first = today.replace(year=today.year - 3, day=1)
    database = get_database()
    try:
        loaded = load_from_database(symbols, first, today, BarInterval.DAILY, database, may_lack=True)
        loaded = with_intraday(loaded, today, database)
        held = load_from_database(INDICES, first, today, BarInterval.DAILY, database, may_lack=True)
    finally:
        release(database)  # the caller may be a thread that ends, and its connection with it
    names = known_names(app_folder())
    instruments = {symbol: Instrument(symbol, names.get(symbol, "")) for symbol in symbols}
    index = {symbol: series for (symbol, _), series in held.series.items()}
    return replace(loaded, instruments=instruments, actions=load_kept_actions(app_folder()), index=index)


def backfill(parts: Parts, bars: LiveBars, tell: Callable[[Severity, Text], None]) -> Backfill:
    """What looks after the history of the symbols that run, with the engine's sources."""
    router = parts.sources or build_router(parts.settings, app_folder(), parts.clock)
    notebook = SourceNotebook(app_folder() / SOURCES_FILE)
    return Backfill(bars, parts.clock, parts.calendar, tell, router, notebook)


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
        self._poller = InboxPoller(
            self._inbox, self._put_command, parts.trouble.inbox, settle=partial(parts.writer.flush, SETTLE)
        )
        self._watchdog = Watchdog(lambda: events.put(Event(EVENT_PING)), self._stalled, self._recovered)
        self._stopped = Flag()
        engine.bus.subscribe(EVENT_PING, lambda _: self._watchdog.echo())
        engine.bus.subscribe(EVENT_LOG, self._on_log)
        engine.bus.subscribe(EVENT_CONTRACT, self._on_contract)
        self.checks: SourceChecks | None = None
        if parts.sources is not None:
            notebook = SourceNotebook(app_folder() / SOURCES_FILE)
            minutes = parts.settings.data.check_minutes
            self.checks = SourceChecks(
                parts.sources, parts.clock, parts.timers, self._tell, minutes, notebook, self._symbols
            )
        self._collecting = Collecting(
            parts.settings, parts.clock, parts.calendar, app_folder(), self._symbols, self._tell
        )
        self._reports: DailyReports | None = None
        if isinstance(parts.bars, LiveBars):
            self._reports = DailyReports(
                engine.bus,
                journal_target(parts.settings),
                parts.bars,
                app_folder(),
                parts.writer.flush,
                parts.settings.display_language,
            )
            engine.bus.subscribe(EVENT_AI_REVIEW, self._reports.on_review)

    def start(self) -> None:
        """Begin, and subscribe to the universe's quotes."""
        self.plan_refresh()
        if self.checks is not None:
            self.checks.plan()
        if isinstance(self._parts.facts, HeldFacts):
            self._parts.facts.start()
        self._clock.start()
        self._poller.start()
        self._watchdog.start()
        gateway = self._parts.settings.quote_gateway
        if gateway == QuoteGateway.default_name:
            self._open_quotes()
        self.subscribe(self._parts.universe.symbols)
        if not self._parts.universe.symbols and self._parts.settings.auto_pool is None:
            sentence = say("股票池是空的，不会有任何分析：请在设置里填写 universe，或打开自动股票池")
            self._engine.bus.alert(Severity.WARNING, sentence)
        self._collecting.start(self._engine.bus, EVENT_TICK, self._parts.bars)
        self._in_background(self._see_to_bars)

    def subscribe(self, vt_symbols: Sequence[str]) -> None:
        """Ask the quotes' gateway for symbols."""
        gateway = self._parts.settings.quote_gateway
        for vt_symbol in vt_symbols if gateway else ():
            symbol, _, suffix = vt_symbol.rpartition(".")
            source = self._engine.main_engine.get_gateway(gateway)  # vnpy_paperaccount takes over subscribe()
            if source is not None:
                source.subscribe(SubscribeRequest(symbol, Exchange(suffix)))

    def _on_contract(self, contract: ContractData) -> None:
        """The quotes' gateway has logged in (again): XTP's forgets what it was asked for before that."""
        ours = contract.vt_symbol in self._parts.universe.symbols
        if ours and contract.gateway_name == self._parts.settings.quote_gateway:
            self.subscribe([contract.vt_symbol])

    def _open_quotes(self) -> None:
        """Free snapshots, as the user set them in VeighNa's connect dialog.

        Contracts stay with the simulated exchange, or CTA orders would go astray.
        """
        main_engine, name = self._engine.main_engine, QuoteGateway.default_name
        quotes = main_engine.gateways.get(name) or main_engine.add_gateway(QuoteGateway)
        if isinstance(quotes, QuoteGateway):
            quotes.calendar, quotes.clock = self._parts.calendar, self._parts.clock
            quotes.publishes = False  # also where the user has connected it already
        main_engine.connect({**load_json(f"connect_{name.lower()}.json"), CONTRACTS: "否"}, name)

    def _on_log(self, line: LogData) -> None:
        """What the quotes' gateway warns of is an alert of this app; its other news go to the app's log."""
        if line.gateway_name != QuoteGateway.default_name:
            return
        sentence = say("{trouble}", trouble=line.msg)
        level = int(line.level)
        if level >= logging.WARNING:
            severity = Severity.CRITICAL if level >= logging.ERROR else Severity.WARNING
            self._engine.bus.alert(severity, sentence)
        else:
            self._engine.bus.say_log(sentence, Severity.INFO)

    def plan_refresh(self) -> None:
        """Set the next deadline at which bars are loaded again, before the day's plan."""
        now = self._parts.clock.now()
        due = datetime.combine(now.date(), BARS_REFRESH, MARKET_TZ)
        self._parts.timers.set(due if due > now else due + timedelta(days=1), REFRESH_TIMER)

    def on_refresh(self, _: object) -> None:
        """Load the bars again, off the event thread, and plan the next time."""
        self.plan_refresh()
        self._in_background(self._refresh_bars)

    def _in_background(self, work: Callable[[LiveBars], None]) -> None:
        """Work on the bars, which may wait for disk and network, in a thread of its own."""
        bars = self._parts.bars
        if not isinstance(bars, LiveBars):
            return

        def run() -> None:
            try:
                work(bars)
            except Exception as error:  # noqa: BLE001 - a driver's own errors too; the old bars stay in use
                if not self._stopped.is_set():
                    sentence = say("行情历史没能重新载入，继续使用原有的：{error}", error=error)
                    self._parts.trouble.tell(sentence)
            finally:
                release(get_database())

        Thread(target=run, name="aiagent-bars", daemon=True).start()

    def _see_to_bars(self, bars: LiveBars) -> None:
        parts = self._parts
        backfill(parts, bars, self._tell).run(parts.settings.universe, parts.universe.indices)

    def _tell(self, severity: Severity, sentence: Text) -> None:
        """An alert, unless the engine has ended meanwhile."""
        if not self._stopped.is_set():
            self._engine.bus.alert(severity, sentence)

    def _symbols(self) -> tuple[str, ...]:
        return tuple(self._parts.universe.symbols)

    def _refresh_bars(self, bars: LiveBars) -> None:
        bars.refresh()
        self._see_to_bars(bars)
        self._collecting.note_bars(bars)

    def stop(self) -> None:
        """End all threads."""
        self._stopped.set()
        self._watchdog.stop()
        self._clock.stop()
        self._poller.stop()
        self._collecting.stop()
        if self._parts.fetching is not None:
            self._parts.fetching.close()
        if isinstance(self._parts.facts, HeldFacts):
            self._parts.facts.stop()
        if self._reports is not None:
            self._reports.stop()
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
