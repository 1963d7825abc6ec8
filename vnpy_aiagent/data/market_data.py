"""Bars of several instruments, with what is known about them."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

import numpy as np

from vnpy_aiagent.data.adjust import adjust
from vnpy_aiagent.data.bars import VALUE_FIELDS, BarSeries
from vnpy_aiagent.data.resample import resample
from vnpy_aiagent.data.times import ORDER, to_datetime
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.domain.text import Text
from vnpy_aiagent.errors import DataError, UnknownSymbol
from vnpy_aiagent.market.corporate import CorporateAction

SeriesKey = tuple[str, BarInterval]

NAMED_SYMBOLS = 5


@dataclass(frozen=True, slots=True)
class Instrument:
    """What the source says about an instrument. `board` overrides the board that the code implies.

    listed: the first trading day. delisting: the first trading day of its delisting period.
    """

    vt_symbol: str
    name: str = ""
    board: str | None = None
    listed: date | None = None
    delisting: date | None = None


@dataclass(frozen=True, eq=False)
class MarketData:
    """Bars of instruments and indices from one source.

    source: label for humans, without a path. hypothetical: True where no such product trades. notes: what
    a reader of results has to know about the data. index: daily bars of indices, in points. actions: known
    ex-days by vt_symbol, in order; bars are as traded.
    """

    source: str
    instruments: Mapping[str, Instrument]
    series: Mapping[SeriesKey, BarSeries]
    index: Mapping[str, BarSeries] = field(default_factory=dict)
    hypothetical: bool = False
    notes: tuple[Text, ...] = ()
    actions: Mapping[str, tuple[CorporateAction, ...]] = field(default_factory=dict)
    _coarse: dict[SeriesKey, BarSeries] = field(default_factory=dict, init=False, repr=False)
    _adjusted: dict[tuple[str, BarInterval, int], BarSeries] = field(
        default_factory=dict, init=False, repr=False
    )

    @property
    def symbols(self) -> tuple[str, ...]:
        """Instruments in order of vt_symbol."""
        return tuple(sorted(self.instruments))

    @property
    def names(self) -> dict[str, str]:
        """vt_symbol by name, for `parse_symbol`."""
        return {item.name: item.vt_symbol for item in self.instruments.values() if item.name}

    def bars(self, vt_symbol: str, interval: BarInterval) -> BarSeries:
        """All bars of an instrument or index, made from finer ones where needed.

        Not cut at any moment: see PointInTime. UnknownSymbol where the source does not hold the symbol,
        DataError where it holds only coarser bars.
        """
        key = (vt_symbol, interval)
        if key in self.series:
            return self.series[key]
        if key not in self._coarse:
            self._coarse[key] = resample(self._finest_match(vt_symbol, interval), interval)
        return self._coarse[key]

    def bars_on(self, vt_symbol: str, interval: BarInterval, day: date) -> BarSeries:
        """As `bars`, with those before each ex-day up to `day` on the level after it; errors as there."""
        known = sum(action.ex_date <= day for action in self.actions.get(vt_symbol, ()))
        if not known or (vt_symbol, BarInterval.DAILY) not in self.series:
            return self.bars(vt_symbol, interval)
        key = (vt_symbol, interval, known)
        if key not in self._adjusted:
            daily = self.series[vt_symbol, BarInterval.DAILY]
            finest = self._finest_match(vt_symbol, interval)
            level = adjust(finest, daily, self.actions[vt_symbol], day)
            self._adjusted[key] = resample(level, interval)
        return self._adjusted[key]

    def _finest_match(self, vt_symbol: str, interval: BarInterval) -> BarSeries:
        """The coarsest series from which bars of this interval can be made."""
        if vt_symbol not in self.instruments and vt_symbol not in self.index:
            some = ", ".join(self.symbols[:3])
            raise UnknownSymbol(
                f"{self.source} holds no {vt_symbol}; it holds {len(self.instruments)} symbols, "
                f"such as {some}"
            )
        for step in reversed(ORDER[: ORDER.index(interval) + 1]):
            if (vt_symbol, step) in self.series:
                return self.series[vt_symbol, step]
            if step is BarInterval.DAILY and vt_symbol in self.index:
                return self.index[vt_symbol]
        raise DataError(
            f"{self.source} has no {interval} bars of {vt_symbol}, nor finer ones; "
            "load data of that frequency"
        )

    def span(self, interval: BarInterval | None = None) -> tuple[date, date]:
        """First and last day with bars (of one stored interval, or of any); none raises DataError."""
        held = [s for (_, i), s in self.series.items() if len(s) and interval in (None, i)]
        if not held:
            raise DataError(f"{self.source} holds no {interval or ''} bars; check the symbols and dates")
        first = min(int(s.start[0]) for s in held)
        last = max(int(s.start[-1]) for s in held)
        return to_datetime(first).date(), to_datetime(last).date()

    def restrict(self, symbols: Iterable[str]) -> "MarketData":
        """The same data for some instruments; one that is not held raises UnknownSymbol."""
        wanted = sorted(set(symbols))
        missing = [s for s in wanted if s not in self.instruments]
        if missing:
            unnamed = len(self.symbols) - NAMED_SYMBOLS
            held = ", ".join(self.symbols[:NAMED_SYMBOLS]) + (f" and {unnamed} more" if unnamed > 0 else "")
            raise UnknownSymbol(
                f"{self.source} holds no {', '.join(missing)}; it holds {held}: "
                "choose one of these, or name a folder that holds it with --data"
            )
        return replace(
            self,
            instruments={s: self.instruments[s] for s in wanted},
            series={key: series for key, series in self.series.items() if key[0] in wanted},
        )

    def window(self, start: date, end: date) -> "MarketData":
        """The data up to the close of `end`; bars before `start` stay as history.

        DataError where end is before start or no instrument has a bar from start to end.
        """
        if end < start:
            raise DataError(f"the end {end} is before the start {start}; swap them")
        limit = datetime.combine(end + timedelta(days=1), time(0), MARKET_TZ)
        cut = {key: series.upto(limit) for key, series in self.series.items()}
        opening = datetime.combine(start, time(0), MARKET_TZ)
        if not any(len(series.between(opening, limit)) for series in cut.values()):
            first, last = self.span()
            raise DataError(f"{self.source} has no bars from {start} to {end}; it covers {first} to {last}")
        return replace(self, series=cut, index={s: series.upto(limit) for s, series in self.index.items()})

    def digest(self) -> str:
        """SHA-256 over instruments and bars, in hex: equal data, equal digest, on any machine."""
        total = hashlib.sha256()
        total.update(repr(self.hypothetical).encode())
        for vt_symbol in self.symbols:
            item = self.instruments[vt_symbol]
            total.update(repr((vt_symbol, item.name, item.board, str(item.listed))).encode())
            if item.delisting is not None:  # data without one keep their digest
                total.update(f"delisting {item.delisting}".encode())
        for vt_symbol, items in sorted(self.actions.items()):
            total.update(repr((vt_symbol, items)).encode())
        stored = [(symbol, interval.name, bars) for (symbol, interval), bars in self.series.items()]
        stored += [(symbol, "INDEX", bars) for symbol, bars in self.index.items()]
        for symbol, kind, bars in sorted(stored, key=lambda item: item[:2]):
            total.update(f"{symbol} {kind} {len(bars)}".encode())
            for times in (bars.start, bars.end):
                total.update(times.astype("<i8").tobytes())
            for name in VALUE_FIELDS:
                values = getattr(bars, name)
                total.update(np.where(np.isnan(values), np.nan, values).astype("<f8").tobytes())
        return total.hexdigest()
