"""The hourly self-check of the data sources in a running engine: a deadline, and a thread for the network."""

from collections.abc import Callable
from datetime import timedelta
from threading import Lock, Thread

from vnpy.trader.database import get_database

from vnpy_aiagent.data.sources.notebook import SourceNotebook
from vnpy_aiagent.data.sources.router import BarRouter
from vnpy_aiagent.data.sources.watch import PROBE_SYMBOL, SourceWatch, Tell
from vnpy_aiagent.data.vnpy_database import release
from vnpy_aiagent.domain import Clock, Severity, TimerQueue, say

SOURCES_TIMER = "sources_check"


class SourceChecks:
    """Plans the checks and runs them, one at a time."""

    def __init__(
        self,
        router: BarRouter,
        clock: Clock,
        timers: TimerQueue,
        tell: Tell,
        minutes: float,
        notebook: SourceNotebook,
        symbols: Callable[[], tuple[str, ...]],
    ) -> None:
        """`minutes`: 0 for never. `symbols`: what runs; the first one is asked for."""
        self._clock, self._timers, self._tell, self._symbols = clock, timers, tell, symbols
        self._every = timedelta(minutes=minutes)
        self._watch = SourceWatch(router, clock, tell, notebook)
        self._busy = Lock()

    def plan(self) -> None:
        """Set the next deadline."""
        if self._every:
            self._timers.set(self._clock.now() + self._every, SOURCES_TIMER)

    def on_timer(self, _: object) -> None:
        """Plan the next check and begin this one; one that is still at work is left to it."""
        self.plan()
        if self._busy.acquire(blocking=False):
            Thread(target=self._run, name="aiagent-sources", daemon=True).start()

    def _run(self) -> None:
        try:
            self._watch.check(next(iter(self._symbols()), PROBE_SYMBOL))
        except Exception as error:  # noqa: BLE001 - a driver's own errors too; the next check comes
            self._tell(Severity.WARNING, say("数据来源没能自检：{error}", error=error))
        finally:
            self._busy.release()
            release(get_database())
