"""Sources of bars whose packages work in a process of their own; limits and health stay in this one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.data.sources.apart import FetchEnded, FetchLost, FetchProcess, Tell
from vnpy_aiagent.data.sources.port import BarRequest, BarSource, Turn
from vnpy_aiagent.domain.text import say


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to a source, which `make` makes there."""

    make: Callable[[], BarSource]
    request: BarRequest
    now: datetime


class ApartBars:
    """A source, asked in another process."""

    def __init__(self, make: Callable[[], BarSource], process: FetchProcess) -> None:
        """`make`: a class or function of a module; its source is made here too, and only told of."""
        self._make, self._process = make, process
        self._source = make()

    @property
    def name(self) -> str:
        """As of the source."""
        return self._source.name

    @property
    def is_kept(self) -> bool:
        """As of the source."""
        return self._source.is_kept

    def missing(self) -> SourceAbsence | None:
        """As of the source; its package is looked for, not loaded."""
        return self._source.missing()

    def fetch(self, request: BarRequest, now: datetime, turn: Turn) -> BarSeries:
        """As of the source; SourceAbsence (UNREACHABLE) where the process is lost."""
        try:
            found = self._process.call(fetch_bars, Asked(self._make, request, now), lambda _: turn())
        except (FetchLost, FetchEnded) as error:
            raise SourceAbsence(
                self.name,
                AbsenceKind.UNREACHABLE,
                say("{source} 的取数进程中断了（{problem}）", source=self.name, problem=error),
            ) from error
        return cast(BarSeries, found)


def fetch_bars(asked: Asked, tell: Tell) -> BarSeries:
    """The job: each turn is asked for where the limits are."""
    return asked.make().fetch(asked.request, asked.now, lambda: tell(None))
