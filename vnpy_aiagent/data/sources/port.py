"""What a source of bars is, what is asked of it, and what comes with an answer."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from vnpy_aiagent.data.bars import BarSeries, times_of
from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence, SourceError, lines
from vnpy_aiagent.data.sources.cache import request_key
from vnpy_aiagent.data.symbols import is_index
from vnpy_aiagent.data.times import to_datetime
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.domain.text import Text, say
from vnpy_aiagent.errors import BadRow, DataError

SHARE_EXCHANGES = ("SSE", "SZSE", "BSE")
INTERVAL_NAMES = {BarInterval.DAILY: "日线", BarInterval.HOUR: "小时线", BarInterval.MINUTE: "分钟线"}
Turn = Callable[[], object]
"""Called by a source before each request that it sends: waits, or raises SourceAbsence (THROTTLED)."""


@dataclass(frozen=True, slots=True)
class BarRequest:
    """Complete bars of one symbol from `start` to `end`, both days included, not adjusted for dividends.

    interval: DAILY, HOUR or MINUTE.
    """

    vt_symbol: str
    interval: BarInterval
    start: date
    end: date

    def __post_init__(self) -> None:
        """DataError where the interval or the days cannot be asked for."""
        if self.interval not in INTERVAL_NAMES:
            raise DataError(f"sources keep daily, hourly and one-minute bars, not {self.interval}")
        if self.end < self.start:
            raise DataError(f"the end {self.end} is before the start {self.start}; swap them")

    @property
    def key(self) -> str:
        """The request as one text."""
        return request_key(
            kind="bars", symbol=self.vt_symbol, interval=self.interval.name, start=self.start, end=self.end
        )

    @property
    def words(self) -> str:
        """Symbol and interval for people."""
        return f"{self.vt_symbol} {INTERVAL_NAMES[self.interval]}"

    def units(self) -> dict[str, str]:
        """Units by column. An index is in points; what is no share counts its volume in lots."""
        exchange = self.vt_symbol.rpartition(".")[2]
        price = "point" if is_index(self.vt_symbol) else "CNY"
        volume = "share" if exchange in SHARE_EXCHANGES else "lot"
        return {"price": price, "volume": volume, "turnover": "CNY", "adjusted": "none"}


class BarSource(Protocol):
    """Somewhere that bars come from. `fetch` may wait for the network: never call it on the event thread."""

    @property
    def name(self) -> str:
        """Its name in the settings."""
        ...

    @property
    def is_kept(self) -> bool:
        """Whether its answers belong in the cache."""
        ...

    def missing(self) -> SourceAbsence | None:
        """Why it cannot be asked at all: a package, token or gateway is missing. None where it can."""
        ...

    def fetch(self, request: BarRequest, now: datetime, turn: Turn) -> BarSeries:
        """Bars that were complete at `now`. Raises SourceAbsence, and BadRow for an impossible row."""
        ...


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where values come from.

    fetched_at: when the source was asked. available_at: when the newest value became known to the market.
    units: by column. cached: taken from the local cache. old: the cached answer is past its time, and no
    source gave a newer one.
    """

    source: str
    fetched_at: datetime
    available_at: datetime
    units: Mapping[str, str]
    cached: bool = False
    old: bool = False

    def facts(self) -> dict[str, Any]:
        """JSON-safe values."""
        return {
            "source": self.source,
            "fetched_at": self.fetched_at.isoformat(),
            "available_at": self.available_at.isoformat(),
            "units": dict(self.units),
            "cached": self.cached,
            "old": self.old,
        }


@dataclass(frozen=True, slots=True)
class SourcedBars:
    """The bars, where they come from, and which sources before had none. `notes` are for people."""

    series: BarSeries
    provenance: Provenance
    absences: tuple[SourceAbsence, ...] = ()
    notes: tuple[Text, ...] = field(default=())


class NoSource(SourceError):
    """No source gave bars; `absences` says why, source by source."""

    def __init__(self, request: BarRequest, absences: Sequence[SourceAbsence]) -> None:
        """A source that is not set up is named only where there is no other reason."""
        told = [a for a in absences if a.kind is not AbsenceKind.NOT_SET_UP] or list(absences)
        if len(told) == 1:
            text = told[0].text
        elif told:
            head = say(
                "没有数据来源给出 {symbol} 的{interval}：",
                symbol=request.vt_symbol,
                interval=INTERVAL_NAMES[request.interval],
            )
            text = lines([head, *(absence.text for absence in told)])
        else:
            text = say("没有可用的数据来源；请在设置文件的 data.order 里写上一个")
        super().__init__(text)
        self.absences = tuple(absences)

    @property
    def is_outage(self) -> bool:
        """Whether the next request would fail the same way: no source that is set up can be reached now."""
        kinds = {absence.kind for absence in self.absences} - {
            AbsenceKind.NOT_SET_UP,
            AbsenceKind.NOT_OFFERED,
        }
        return not kinds - {AbsenceKind.UNREACHABLE, AbsenceKind.RESTING, AbsenceKind.REFUSED}


def one_line(text: Text) -> str:
    """A text of several lines as one sentence in Chinese."""
    head, _, rest = str(text).partition("\n")
    return head + "；".join(rest.split("\n"))


def one_line_english(text: Text) -> str:
    """A text of several lines as one sentence in English, for the command line."""
    return str(SourceError(text))


def require_one(missing: Iterable[SourceAbsence | None]) -> None:
    """Go on where one source can be asked; else the first one's absence is raised, with what to do."""
    found = list(missing)
    if found and None not in found:
        raise next(absence for absence in found if absence is not None)


def no_rows(source: str, label: str, request: BarRequest) -> SourceAbsence:
    """The source has nothing for this request."""
    text = say(
        "{source} 在这段时间没有 {symbol} 的{interval}；请检查代码和日期",
        source=label,
        symbol=request.vt_symbol,
        interval=INTERVAL_NAMES[request.interval],
    )
    return SourceAbsence(source, AbsenceKind.NO_ROWS, text)


def not_offered(source: str, label: str, request: BarRequest) -> SourceAbsence:
    """The source keeps no such bars."""
    text = say(
        "{source} 不提供 {symbol} 的{interval}",
        source=label,
        symbol=request.vt_symbol,
        interval=INTERVAL_NAMES[request.interval],
    )
    return SourceAbsence(source, AbsenceKind.NOT_OFFERED, text)


def complete_series(
    rows: Iterable[Sequence[Any]], request: BarRequest, now: datetime, source: str, label: str
) -> BarSeries:
    """A checked series of the rows of BarSeries.from_rows that lie in the request and were complete at `now`.

    SourceAbsence where none is left, BadRow for an impossible one.
    """
    kept: list[Sequence[Any]] = []
    where = f"{label}, {request.vt_symbol} {request.interval}"
    for row in rows:
        try:
            end = times_of(row[0], request.interval)[1]
        except BadRow:
            raise
        except DataError as error:
            raise BadRow(f"{where}: {error}") from error
        if end <= now.timestamp() and request.start <= to_datetime(end).date() <= request.end:
            kept.append(row)
    series = BarSeries.from_rows(
        request.vt_symbol,
        request.interval,
        kept,
        source=where,
        volume_required=not is_index(request.vt_symbol),
    )
    if not len(series):
        raise no_rows(source, label, request)
    return series
