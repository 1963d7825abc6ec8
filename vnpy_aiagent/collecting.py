"""Facts collected and quotes recorded beside a running engine: both in threads of their own."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

from vnpy_aiagent.agents.bus import Bus
from vnpy_aiagent.config import Settings
from vnpy_aiagent.data.fact_sources.build import build_fetcher, build_providers
from vnpy_aiagent.data.fact_sources.collect import FamilyReport, collect
from vnpy_aiagent.data.fact_sources.collector import FactCollector
from vnpy_aiagent.data.facts_store import FILE_NAME
from vnpy_aiagent.data.live_bars import LiveBars
from vnpy_aiagent.data.recorder import FOLDER, Recorder
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
    ) -> None:
        """`folder`: the app's own. `symbols`: what runs now. `tell` gets sentences in other threads."""
        self.recorder: Recorder | None = None
        self.collector: FactCollector | None = None
        self._symbols = symbols
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
        providers = build_providers(settings) if settings.facts.collect else {}
        if not providers:
            return
        stopped = Event()
        fetcher = build_fetcher(settings, folder, clock, stopped, providers)

        def work() -> tuple[FamilyReport, ...]:
            on_facts = self.recorder.note_facts if self.recorder is not None else lambda _: None
            return collect(fetcher, folder / FILE_NAME, symbols(), clock, on_facts=on_facts)

        self.collector = FactCollector(work, clock, calendar, settings.facts.times, tell, folder, stopped)

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
        """End both."""
        if self.collector is not None:
            self.collector.stop()
        if self.recorder is not None:
            self.recorder.stop()
