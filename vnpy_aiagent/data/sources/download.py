"""Bars of several symbols through the router, as market data with its sources named."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.market_data import Instrument, MarketData, SeriesKey
from vnpy_aiagent.data.sources.port import BarRequest, Provenance
from vnpy_aiagent.data.sources.router import BarRouter
from vnpy_aiagent.data.symbols import parse_symbol
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.domain.text import Text, say
from vnpy_aiagent.errors import DataError

Progress = Callable[[int, int], None]
UNADJUSTED = "价格为实际成交价，未复权。"


@dataclass(frozen=True, slots=True)
class Download:
    """The bars, and where each series came from."""

    data: MarketData
    provenance: Mapping[SeriesKey, Provenance]


def download(
    router: BarRouter,
    symbols: Sequence[str],
    start: date,
    end: date,
    frequency: BarInterval = BarInterval.DAILY,
    *,
    skip: Collection[str] = ("database",),
    anew: bool = False,
    progress: Progress | None = None,
) -> Download:
    """Daily bars from `start` to `end`, and hourly ones as well where `frequency` is HOUR.

    symbols: as users write them (see parse_symbol). A bar that is not complete now is left out. skip, anew:
    as BarRouter.bars. progress: called with symbols done and symbols in all. A symbol that no source has
    raises NoSource.
    """
    if frequency not in (BarInterval.DAILY, BarInterval.WEEKLY, BarInterval.HOUR):
        raise DataError(
            f"downloads are of daily and hourly bars, not {frequency}; choose DAILY, WEEKLY or HOUR"
        )
    vt_symbols = sorted({parse_symbol(text) for text in symbols})
    if not vt_symbols:
        raise DataError("no symbols were given; name at least one, such as 600519.SSE")
    hourly = frequency is BarInterval.HOUR
    series: dict[SeriesKey, BarSeries] = {}
    origins: dict[SeriesKey, Provenance] = {}
    notes: list[Text] = [say(UNADJUSTED)]
    for done, vt_symbol in enumerate(vt_symbols, 1):
        for interval in (BarInterval.DAILY, BarInterval.HOUR) if hourly else (BarInterval.DAILY,):
            found = router.bars(BarRequest(vt_symbol, interval, start, end), skip=skip, anew=anew)
            series[vt_symbol, interval] = found.series
            origins[vt_symbol, interval] = found.provenance
            notes += [note for note in found.notes if note not in notes]
        if progress is not None:
            progress(done, len(vt_symbols))
    data = MarketData(
        source=", ".join(dict.fromkeys(origin.source for origin in origins.values())),
        instruments={symbol: Instrument(symbol) for symbol in vt_symbols},
        series=series,
        notes=tuple(notes),
    )
    return Download(data, origins)
