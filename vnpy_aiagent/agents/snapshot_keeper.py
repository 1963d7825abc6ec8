"""Journals what each decision sees, so that it can be made again; bars kept before are referred to."""

from dataclasses import dataclass

from vnpy_aiagent.agents.bus import Bus
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.domain import AnalysisRequest, BarInterval, KeptSeries, SnapshotKept
from vnpy_aiagent.tools.snapshot import DecisionSnapshot
from vnpy_aiagent.tools.snapshot_codec import (
    continues,
    dump_rows,
    dump_view,
    long_facts,
    refer,
    referred_to,
    shared_lists,
)

LONGEST_CHAIN = 60
"""Entries that are read at most to put one series together again."""

MOST_SHARED = 64
"""Lists of facts of the market and of industries that are remembered, the latest ones."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The series as it was kept last: in which entry, and how many entries before that belong to it."""

    series: BarSeries
    entry: str
    links: int


class SnapshotKeeper:
    """Keeps snapshots, one entry each."""

    def __init__(self, bus: Bus) -> None:
        """Nothing is known at first: the first snapshot of a symbol holds all its bars."""
        self._bus = bus
        self._known: dict[tuple[str, BarInterval], _Known] = {}
        self._facts: dict[str, dict[str, str]] = {}
        self._shared: dict[str, str] = {}

    def keep(self, request: AnalysisRequest, snapshot: DecisionSnapshot) -> SnapshotKept:
        """Journal the snapshot as an effect of the request."""
        kept = {interval: self._part(request.symbol, interval, s) for interval, s in snapshot.bars.items()}
        view = refer(dump_view(snapshot), self._facts.get(request.symbol, {}) | self._shared)
        message = self._bus.post(
            SnapshotKept,
            cause=request.id,
            account=request.account,
            symbol=request.symbol,
            series=tuple(kept.values()),
            lessons=tuple(lesson.id for lesson in snapshot.lessons),
            view=view,
        )
        self._note_facts(request.symbol, message)
        for interval, part in kept.items():
            place = request.symbol, interval
            before = self._known.get(place)
            links = before.links + 1 if before is not None and part.after is not None else 0
            self._known[place] = _Known(snapshot.bars[interval], message.id, links)
        return message

    def _note_facts(self, symbol: str, message: SnapshotKept) -> None:
        """Remember where the long facts of this view are kept; what it does not hold is forgotten."""
        before = self._facts.get(symbol, {})
        referred = referred_to(message.view)
        kept = {digest: entry for digest, entry in before.items() if digest in referred}
        self._facts[symbol] = kept | dict.fromkeys(long_facts(message.view), message.id)
        self._shared |= dict.fromkeys(shared_lists(message.view), message.id)
        while len(self._shared) > MOST_SHARED:
            del self._shared[next(iter(self._shared))]

    def _part(self, symbol: str, interval: BarInterval, series: BarSeries) -> KeptSeries:
        known = self._known.get((symbol, interval))
        fresh = continues(known.series, series) if known and known.links < LONGEST_CHAIN else None
        after = known.entry if known is not None and fresh is not None else None
        rows = dump_rows(series if fresh is None else series.tail(fresh))
        return KeptSeries(interval=interval, after=after, bars=len(series), rows=rows)
