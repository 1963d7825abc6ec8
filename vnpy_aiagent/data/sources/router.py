"""Bars from the first source that has them, in order of preference, with everything said about the others.

Healthy sources are asked in the order of the settings, then those below HEALTHY; one that rests is passed
over. A fresh answer in the cache is taken in its source's turn and asks no network. Where no source
answers, an old one is taken from the cache and said to be old. Nothing is ever made up: without an answer
`bars` raises NoSource.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from datetime import time as day_time
from math import isnan
from typing import Any

from vnpy_aiagent.data.bars import VALUE_FIELDS, BarSeries
from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.data.sources.cache import AnswerCache, Kept
from vnpy_aiagent.data.sources.health import HealthBoard
from vnpy_aiagent.data.sources.limits import RateLimits
from vnpy_aiagent.data.sources.port import (
    INTERVAL_NAMES,
    BarRequest,
    BarSource,
    NoSource,
    Provenance,
    SourcedBars,
)
from vnpy_aiagent.data.symbols import is_index
from vnpy_aiagent.data.times import INTRADAY_SECONDS, to_datetime
from vnpy_aiagent.domain.clock import MARKET_TZ, Clock
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.domain.text import Text, say
from vnpy_aiagent.errors import DataError

CACHE_DAYS = 7.0
CLOSE = day_time(15, 0)
LATE = timedelta(days=3)  # sources publish a day within hours of its close
RETRY = timedelta(hours=1)
NO_LIMITS: Mapping[str, float] = {}


class BarRouter:
    """The sources of one process. Safe to use from several threads; never on vnpy's event thread."""

    def __init__(
        self,
        sources: Sequence[BarSource],
        clock: Clock,
        *,
        cache: AnswerCache | None = None,
        cache_days: float = CACHE_DAYS,
        per_minute: Mapping[str, float] = NO_LIMITS,
        patience: float = 30.0,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """`sources` in order of preference. per_minute: requests a source; patience: seconds for a turn."""
        self._sources = {source.name: source for source in sources}
        self._clock = clock
        self._cache = cache
        self._cache_days = cache_days
        self._monotonic = monotonic
        self._limits = RateLimits(per_minute, monotonic, sleep, patience)
        self.board = HealthBoard(clock, monotonic)

    @property
    def names(self) -> tuple[str, ...]:
        """The sources in order of preference."""
        return tuple(self._sources)

    def missing(self, name: str) -> SourceAbsence | None:
        """Why a source cannot be asked at all, None where it can."""
        return self._sources[name].missing()

    def bars(self, request: BarRequest, *, skip: Collection[str] = (), anew: bool = False) -> SourcedBars:
        """The bars, from the first source that has them; NoSource where none has.

        skip: sources that are not asked. anew: take no fresh answer from the cache.
        """
        absences: list[SourceAbsence] = []
        notes: list[Text] = []
        names = [name for name in self.board.order(self.names) if name not in skip]
        for name in names:
            source = self._sources[name]
            kept = None if anew else self._kept(source, request, notes)
            if kept is not None and self._is_fresh(kept, request):
                found = self._from_cache(kept, request, notes)
                if found is not None:
                    return SourcedBars(*found, tuple(absences), tuple(notes))
            try:
                series = self.ask(name, request)
            except SourceAbsence as absence:
                absences.append(absence)
                continue
            provenance = self._provenance(source, series, request)
            self._keep(source, series, provenance, request, notes)
            return SourcedBars(series, provenance, tuple(absences), tuple(notes))
        old = self._old(names, request, notes)
        if old is None:
            raise NoSource(request, absences) from (absences[-1] if absences else None)
        series, provenance = old
        notes.append(
            say(
                "现在没有数据来源应答；{symbol} 的{interval}来自 {source} 在 {when} 的缓存，可能不是最新的",
                symbol=request.vt_symbol,
                interval=INTERVAL_NAMES[request.interval],
                source=provenance.source,
                when=f"{provenance.fetched_at:%Y-%m-%d %H:%M}",
            )
        )
        return SourcedBars(series, provenance, tuple(absences), tuple(notes))

    def ask(self, name: str, request: BarRequest) -> BarSeries:
        """Ask one source, past the cache, and note how it did. SourceAbsence where it has nothing."""
        source = self._sources[name]
        missing = source.missing()
        if missing is not None:
            raise missing
        rest = self.board.admit(name)
        if rest > 0:
            text = say("{source} 连续失败，暂停询问，{seconds} 秒后再试", source=name, seconds=f"{rest:.0f}")
            raise SourceAbsence(name, AbsenceKind.RESTING, text)
        waited, began = [0.0], self._monotonic()
        try:
            series = source.fetch(request, self._clock.now(), lambda: waited.append(self._limits.take(name)))
        except SourceAbsence as absence:
            if absence.kind.is_failure:
                self.board.failed(name, absence.text)
            elif absence.kind is AbsenceKind.NO_ROWS:
                self.board.answered(name, self._monotonic() - began - sum(waited))
            raise
        except DataError as error:  # an impossible row: the next source may have it right
            text = say(
                "{source} 给的 {symbol} {interval} 的数据有误（{problem}）",
                source=name,
                symbol=request.vt_symbol,
                interval=INTERVAL_NAMES[request.interval],
                problem=error,
            )
            self.board.failed(name, text)
            raise SourceAbsence(name, AbsenceKind.BAD_DATA, text) from error
        self.board.answered(name, self._monotonic() - began - sum(waited))
        return series

    def _provenance(self, source: BarSource, series: BarSeries, request: BarRequest) -> Provenance:
        return Provenance(source.name, self._clock.now(), series.end_of(-1), request.units())

    def _kept(self, source: BarSource, request: BarRequest, notes: list[Text]) -> Kept | None:
        if self._cache is None or not source.is_kept:
            return None
        try:
            return self._cache.get(source.name, request.key)
        except DataError as error:
            _note_once(notes, error)
            return None

    def _keep(
        self,
        source: BarSource,
        series: BarSeries,
        provenance: Provenance,
        request: BarRequest,
        notes: list[Text],
    ) -> None:
        if self._cache is None or not source.is_kept:
            return
        kept = Kept(
            source.name,
            request.key,
            provenance.fetched_at,
            provenance.available_at,
            provenance.units,
            _payload(series),
        )
        try:
            self._cache.put(kept)
        except DataError as error:
            _note_once(notes, error)

    def _is_fresh(self, kept: Kept, request: BarRequest) -> bool:
        """Within its days, with no bar of the request completed since, and none that may still be late."""
        now = self._clock.now()
        if not kept.is_fresh(now, self._cache_days) or _has_grown(request, kept.fetched_at, now):
            return False
        return not _may_be_late(request, kept) or now - kept.fetched_at < RETRY

    def _from_cache(
        self, kept: Kept, request: BarRequest, notes: list[Text], *, old: bool = False
    ) -> tuple[BarSeries, Provenance] | None:
        try:
            series = _series(kept.payload, request)
        except (DataError, TypeError, ValueError) as error:
            _note_once(notes, error)
            return None
        provenance = Provenance(
            kept.source, kept.fetched_at, kept.available_at, kept.units, cached=True, old=old
        )
        return series, provenance

    def _old(
        self, names: Sequence[str], request: BarRequest, notes: list[Text]
    ) -> tuple[BarSeries, Provenance] | None:
        """The newest answer that any of the sources ever gave to this request."""
        kept = [self._kept(self._sources[name], request, notes) for name in names]
        found = sorted((k for k in kept if k is not None), key=lambda k: k.fetched_at, reverse=True)
        return next((f for k in found if (f := self._from_cache(k, request, notes, old=True))), None)


def _has_grown(request: BarRequest, fetched: datetime, now: datetime) -> bool:
    """Whether a bar of the request was completed between two moments: at a close, or after its length."""
    last = datetime.combine(request.end, CLOSE, MARKET_TZ)
    if fetched >= last:
        return False
    if request.interval is not BarInterval.DAILY:
        return now - fetched >= timedelta(seconds=INTRADAY_SECONDS[request.interval])
    close = datetime.combine(fetched.astimezone(MARKET_TZ).date(), CLOSE, MARKET_TZ)
    close = close if close > fetched else close + timedelta(days=1)
    return now >= close


def _may_be_late(request: BarRequest, kept: Kept) -> bool:
    """Whether the answer ends before the last day that was over, and was fetched before sources were sure
    of it.

    A day off looks the same; it only costs a request an hour for some days.
    """
    last = datetime.combine(request.end, CLOSE, MARKET_TZ)
    if kept.fetched_at >= last + LATE:
        return False
    fetched = kept.fetched_at.astimezone(MARKET_TZ)
    over = fetched.date() if fetched.time() >= CLOSE else fetched.date() - timedelta(days=1)
    return kept.available_at.astimezone(MARKET_TZ).date() < min(over, request.end)


def _payload(series: BarSeries) -> list[list[Any]]:
    """End times in epoch seconds and values, None where one is missing."""
    columns = [getattr(series, name).tolist() for name in VALUE_FIELDS]
    return [
        [end, *(None if isnan(value) else value for value in values)]
        for end, *values in zip(series.end.tolist(), *columns, strict=True)
    ]


def _series(payload: Any, request: BarRequest) -> BarSeries:
    """A kept series, checked like a fetched one."""
    rows = [(to_datetime(end), *values) for end, *values in payload]
    return BarSeries.from_rows(
        request.vt_symbol,
        request.interval,
        rows,
        source=f"cache, {request.words}",
        volume_required=not is_index(request.vt_symbol),
    )


def _note_once(notes: list[Text], error: Exception) -> None:
    note = say("数据缓存不能用：{problem}", problem=error)
    if note not in notes:
        notes.append(note)
