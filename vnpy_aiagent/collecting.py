"""Facts collected and quotes recorded beside a running engine: in a process and in a thread of their own."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

from vnpy_aiagent.agents.bus import Bus
from vnpy_aiagent.config import Settings
from vnpy_aiagent.data.fact_sources.apart import (
    IDLE,
    SILENCE,
    ApartCollector,
    Collection,
    MakeProviders,
)
from vnpy_aiagent.data.fact_sources.build import build_providers
from vnpy_aiagent.data.fact_sources.collect import FamilyReport
from vnpy_aiagent.data.fact_sources.collector import FactCollector
from vnpy_aiagent.data.live_bars import LiveBars
from vnpy_aiagent.data.recorder import FOLDER, Recorder
from vnpy_aiagent.data.sources.apart import FetchProcess
from vnpy_aiagent.domain import BarInterval, Clock, Severity, Text
from vnpy_aiagent.market import TradingCalendar

Tell = Callable[[Severity, Text], None]


class Collecting:
    """The collector and the recorder, where the settings want them and something is there to ask."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        calendar: TradingCalendar,
        folder: Path,
        symbols: Callable[[], Sequence[str]],
        tell: Tell,
        make_providers: MakeProviders = build_providers,
    ) -> None:
        """`folder`: the app's own. `symbols`: what runs now. `tell` gets sentences in other threads.

        `make_providers`: a function of a module; who is asked, made anew in the process that asks.
        """
        self.recorder: Recorder | None = None
        self.collector: FactCollector | None = None
        self._symbols = symbols
        self._stopped = Event()
        self._process = FetchProcess("aiagent-facts", SILENCE, IDLE)
        wanted = settings.recorder
        if wanted.enabled:
            self.recorder = Recorder(
                folder / FOLDER,
                clock,
                tell,
                megabytes_per_day=wanted.megabytes_per_day,
                days=wanted.days,
                queue=wanted.queue,
            )
        if not (settings.facts.collect and make_providers(settings)):
            return
        on_facts = self.recorder.note_facts if self.recorder is not None else lambda _: None
        apart = ApartCollector(self._process, self._stopped, on_facts)

        def work() -> tuple[FamilyReport, ...]:
            return apart.collect(
                Collection(settings, folder, clock, tuple(symbols()), providers=make_providers)
            )

        self.collector = FactCollector(
            work, clock, calendar, settings.facts.times, tell, folder, self._stopped
        )

    def start(self, bus: Bus, event: str, bars: object) -> None:
        """Begin; ticks come as `event` on the bus."""
        if self.recorder is not None:
            bus.subscribe(event, self.recorder.on_tick)
            self.recorder.start()
            self.note_bars(bars)
        if self.collector is not None:
            self.collector.start()

    def note_bars(self, bars: object) -> None:
        """Record the daily bars that decisions see from now on."""
        if self.recorder is not None and isinstance(bars, LiveBars):
            self.recorder.note_bars(
                [bars.bars(symbol, BarInterval.DAILY, 1) for symbol in tuple(self._symbols())]
            )

    def stop(self) -> None:
        """End both, and the process that fetches."""
        self._stopped.set()
        self._process.close()
        if self.collector is not None:
            self.collector.stop()
        if self.recorder is not None:
            self.recorder.stop()
