"""The self-check: each source that is set up gets one cheap request; a loss and a return are told once."""

from collections.abc import Callable
from datetime import timedelta

from vnpy_aiagent.data.sources.absence import SourceAbsence, lines
from vnpy_aiagent.data.sources.health import SourceHealth
from vnpy_aiagent.data.sources.notebook import SourceNotebook
from vnpy_aiagent.data.sources.port import BarRequest
from vnpy_aiagent.data.sources.router import BarRouter
from vnpy_aiagent.domain.clock import Clock
from vnpy_aiagent.domain.enums import BarInterval, Severity
from vnpy_aiagent.domain.text import Text, say
from vnpy_aiagent.errors import DataError

PROBE_SYMBOL = "600519.SSE"
PROBE_DAYS = timedelta(days=14)
Tell = Callable[[Severity, Text], None]


class SourceWatch:
    """Checks the sources of a router. `check` waits for the network: call it in a thread of its own."""

    def __init__(
        self, router: BarRouter, clock: Clock, tell: Tell, notebook: SourceNotebook | None = None
    ) -> None:
        """`tell` gets alerts in the thread of `check`."""
        self._router = router
        self._clock = clock
        self._tell = tell
        self._notebook = notebook
        self._lost: set[str] = set()

    def check(self, symbol: str = PROBE_SYMBOL) -> tuple[SourceHealth, ...]:
        """Ask each source for some days of one share, and say how all that are set up stand."""
        today = self._clock.now().date()
        request = BarRequest(symbol, BarInterval.DAILY, today - PROBE_DAYS, today)
        states = tuple(
            self._probe(name, request) for name in self._router.names if self._router.missing(name) is None
        )
        if self._notebook is not None and states:
            try:
                self._notebook.note_health(states, self._clock.now())
            except DataError as error:
                self._tell(Severity.WARNING, say("数据缓存不能用：{problem}", problem=error))
        return states

    def _probe(self, name: str, request: BarRequest) -> SourceHealth:
        """One request. What rests stays lost until it answers; what is throttled stays as it was."""
        why: Text | None = None
        try:
            self._router.ask(name, request)
            lost = False
        except SourceAbsence as absence:
            state = self._router.board.state(name)
            lost = absence.kind.is_failure or (state.failures > 0 and name in self._lost)
            why = absence.text
        if lost and name not in self._lost:
            self._lost.add(name)
            head = say("数据来源 {source} 没有应答：", source=name)
            self._tell(Severity.WARNING, lines([head, why]) if why is not None else head)
        elif not lost and name in self._lost:
            self._lost.discard(name)
            self._tell(Severity.INFO, say("数据来源 {source} 恢复应答", source=name))
        return self._router.board.state(name)
