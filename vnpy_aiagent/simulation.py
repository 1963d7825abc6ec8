"""Whole-system simulation: the same engine, agents, risk and execution as live, over recorded bars.

One thread, a virtual clock, a deterministic event engine and the simulated exchange. Same inputs give the
same journal, whatever PYTHONHASHSEED; wall times are kept outside the hash.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from vnpy.trader.engine import MainEngine
from vnpy.trader.event import EVENT_TICK

from vnpy_aiagent.agents import Universe
from vnpy_aiagent.brain import Brain
from vnpy_aiagent.brain.build import BrainSetup, build_brain
from vnpy_aiagent.brain.runner import InlineRunner
from vnpy_aiagent.config import Settings
from vnpy_aiagent.data.facts import NO_FACTS, FactSource
from vnpy_aiagent.data.market_data import MarketData
from vnpy_aiagent.data.point_in_time import PointInTime
from vnpy_aiagent.domain import MARKET_TZ, BarInterval, Mode, TimerQueue, VirtualClock, to_decimal
from vnpy_aiagent.engine import ASK_TIMER, AiAgentEngine
from vnpy_aiagent.errors import DataError
from vnpy_aiagent.llm.factory import cassette_file
from vnpy_aiagent.llm.port import ModelPort
from vnpy_aiagent.market import TradingCalendar
from vnpy_aiagent.portfolio.baselines import Baseline, equal_weight, index
from vnpy_aiagent.sim.event_engine import DeterministicEventEngine
from vnpy_aiagent.sim.exchange import SimExchange
from vnpy_aiagent.sim.replay import BarReplay
from vnpy_aiagent.store.journal import Journal
from vnpy_aiagent.store.writer import InlineWriter
from vnpy_aiagent.wiring import Parts, rules_provider

OWN_LISTENERS = 2
"""Who hears ticks in a simulation: vnpy's OmsEngine and the AiAgentEngine."""
PREDAWN, EVENING = time(6, 0), time(23, 0)
OnDay = Callable[[date, int, int], None]


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """Where the journal lies and what was replayed."""

    journal: Path
    entries: int
    head: str
    ticks: int
    bars: int
    start: date
    end: date


class Simulation:
    """One run over MarketData, from `start` to `end` inclusive, at the data's daily or hourly bars."""

    def __init__(
        self,
        data: MarketData,
        settings: Settings,
        journal: Path,
        *,
        frequency: BarInterval = BarInterval.DAILY,
        start: date | None = None,
        end: date | None = None,
        model: ModelPort | None = None,
        facts: FactSource = NO_FACTS,
    ) -> None:
        """`journal` must not exist yet. `model` overrides that of the settings, for tests.

        `facts` are what decisions see besides bars, as they were known at each moment.

        Raises DataError where the span holds no bars, ConfigError for a model that cannot be built.
        """
        first, last = data.span(frequency)
        self.start, self.end = max(start or first, first), min(end or last, last)
        if self.start > self.end:
            raise DataError(f"{data.source} has no bars from {start} to {end}; it covers {first} to {last}")
        if journal.exists():
            raise DataError(f"{journal} exists already; give another folder, or remove it first")
        self.data = data.window(self.start, self.end)
        self.frequency = frequency
        settings = settings.model_copy(update={"mode": Mode.SIMULATION})
        self.settings = settings if frequency is not BarInterval.DAILY else _without_updates(settings)
        self.journal = journal
        self.clock = VirtualClock(datetime.combine(self.start, PREDAWN, MARKET_TZ))
        self.timers = TimerQueue()
        self.events = DeterministicEventEngine()
        self.rules_for = rules_provider(data.instruments)
        self.exchange = SimExchange(self.clock, self.rules_for, settings.sim)
        if model is None:  # no clock of the machine decides anything in here
            cassette = cassette_file(settings.llm, journal.absolute().parent)
            setup = BrainSetup(settings.llm, settings.budget, settings.brain, cassette=cassette)
            self.brain = build_brain(setup, monotonic=None)
        else:
            self.brain = Brain(model, settings.llm, settings.brain)
        self._facts = facts
        self.skip_unnoticed = True
        self.engine: AiAgentEngine | None = None
        self._asks: list[tuple[datetime, str]] = []

    def ask_at(self, when: datetime, vt_symbol: str) -> None:
        """Ask for a decision on a symbol at a market time, as a human would; before `run`."""
        self._asks.append((when.replace(tzinfo=MARKET_TZ), vt_symbol))

    def run(self, on_day: OnDay | None = None) -> SimulationResult:
        """Play everything; the working folder is as before afterwards."""
        folder = os.getcwd()
        journal = self.journal.resolve()
        main_engine = MainEngine(self.events)
        try:
            return self._run(main_engine, journal, on_day)
        except BaseException:
            self.events.discard()
            raise
        finally:
            try:
                main_engine.close()
            finally:
                os.chdir(folder)

    def _run(self, main_engine: MainEngine, journal: Path, on_day: OnDay | None) -> SimulationResult:
        journal.parent.mkdir(parents=True, exist_ok=True)
        writer = InlineWriter(Journal.open(journal, owner="simulation", sync="OFF"))
        make: Any = partial(AiAgentEngine, parts=self._parts(writer))
        engine: AiAgentEngine = main_engine.add_engine(make)
        self.engine = engine
        engine.start()
        for when, vt_symbol in self._asks:
            self.timers.set(when, ASK_TIMER, vt_symbol)
        self._seed_prices(engine)
        replay = BarReplay(
            self.data,
            self.frequency,
            self.clock,
            self.timers,
            self.events,
            self.exchange,
            engine.publisher,
            self.rules_for,
            self._levels,
            self.settings.sim,
            self._is_unnoticed if self.skip_unnoticed else None,
        )
        replay.run(self.start, self.end, on_day)
        replay.advance(datetime.combine(self.end, EVENING, MARKET_TZ), inclusive=True)
        self.events.drain()
        engine.close()
        head = writer.head
        return SimulationResult(journal, head.seq, head.hash, replay.ticks, replay.bars, self.start, self.end)

    def _levels(self, vt_symbol: str) -> list[Decimal]:
        levels = self.exchange.resting_limits(vt_symbol)
        return levels + self.engine.monitoring.levels(vt_symbol) if self.engine else levels

    def _is_unnoticed(self, vt_symbol: str) -> bool:
        """Whether a tick could change nothing but the symbol's last price, until a timer fires."""
        engine = self.engine
        if engine is None or engine.execution.desk.parents or not self.exchange.is_idle():
            return False
        if any(vt_symbol in book.positions for book in engine.house.portfolio.books.values()):
            return False
        foreign = self.events.listeners(EVENT_TICK + vt_symbol) + self.events.listeners(EVENT_TICK)
        return foreign <= OWN_LISTENERS and not engine.monitoring.levels(vt_symbol)

    def _parts(self, writer: InlineWriter) -> Parts:
        data, settings = self.data, self.settings
        calendar = TradingCalendar(settings.calendar.extra_years_file)
        intervals = tuple(
            interval
            for interval in (BarInterval.DAILY, BarInterval.HOUR)
            if interval is BarInterval.DAILY or self.frequency is BarInterval.HOUR
        )
        return Parts(
            settings=settings,
            clock=self.clock,
            timers=self.timers,
            calendar=calendar,
            writer=writer,
            bars=PointInTime(data, self.clock),
            universe=Universe(
                data.symbols,
                {symbol: item.name for symbol, item in data.instruments.items()},
                intervals,
                data.hypothetical,
                indices=tuple(sorted(data.index)),
            ),
            rules_for=self.rules_for,
            runner=InlineRunner(self.brain),
            exchange=self.exchange,
            data_label=f"{data.source} {data.digest()[:16]}",
            model_name=self.brain.model.name,
            is_llm=self.brain.model.is_llm,
            live=False,
            quiet=True,
            facts=self._facts,
            baselines=self._baselines(),
            actions=lambda: data.actions,
        )

    def _baselines(self) -> tuple[Baseline, ...]:
        cash = self.settings.accounts[0].cash
        symbols = [self.data.bars_on(symbol, BarInterval.DAILY, self.end) for symbol in self.data.symbols]
        indices = [index(name, series, self.start, cash) for name, series in sorted(self.data.index.items())]
        return (*indices, equal_weight(symbols, self.start, cash))

    def _seed_prices(self, engine: AiAgentEngine) -> None:
        """Close before the start, by which holdings are valued until the first tick."""
        for symbol in self.data.symbols:
            daily = self.data.bars_on(symbol, BarInterval.DAILY, self.clock.now().date())
            series = daily.upto(self.clock.now())
            if len(series):
                engine.house.portfolio.quotes.seed(symbol, to_decimal(float(series.close[-1])))


def _without_updates(settings: Settings) -> Settings:
    """Daily bars say nothing new during the day, so hourly jobs are left out."""
    return settings.model_copy(
        update={"schedule": tuple(job for job in settings.schedule if job.task != "update")}
    )
