"""A folder of CSV files as market data.

    daily.csv.gz        vt_symbol, date, open, high, low, close, volume [, pre_close, turnover]   required
    hourly.csv.gz       vt_symbol, bar_end, open, high, low, close, volume [, turnover]
    index_CODE.csv.gz   date, open, high, low, close [, volume, turnover]; any number of them
    members.csv.gz      vt_symbol [, name, board, listed, delisting, as_of]
    corporate_actions.csv, or SYMBOL_corporate_actions.csv: ex-days, see corporate_file

Plain .csv works too. Prices in CNY, turnover in CNY, volume in shares.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.checks import off_tick_notes
from vnpy_aiagent.data.corporate_file import load_folder_actions
from vnpy_aiagent.data.csv_files import (
    Table,
    parse_day,
    read_table,
    row_times,
    split_by_symbol,
    vt_symbols_of,
)
from vnpy_aiagent.data.market_data import Instrument, MarketData, SeriesKey
from vnpy_aiagent.data.resample import resample
from vnpy_aiagent.data.symbols import parse_symbol
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.domain.text import Text, say
from vnpy_aiagent.errors import BadRow, DataError, UnknownSymbol

_PRICES = ("open", "high", "low", "close")
_HANDS = 100  # Chinese vendors often count volume in hands of 100 shares
_INDEX_PREFIX = "index_"


def load_folder(
    path: str | Path, *, symbols: Sequence[str] | None = None, frequency: BarInterval = BarInterval.DAILY
) -> MarketData:
    """Load a folder; daily bars always, hourly ones where `frequency` is HOUR.

    `symbols` (as users write them, names of members too) restricts the instruments. DataError where a
    needed file is missing, BadRow where a row is impossible, UnknownSymbol where a symbol is not there.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise DataError(
            f"the folder {folder} does not exist; give a folder that holds daily.csv or daily.csv.gz"
        )
    if frequency not in (BarInterval.DAILY, BarInterval.WEEKLY, BarInterval.HOUR):
        raise DataError(
            f"a data folder has daily and hourly bars, not {frequency}; choose DAILY, WEEKLY or HOUR"
        )
    daily = _load_bars(folder, "daily", "date", BarInterval.DAILY)
    members, notes = _members(folder, min(series.day_of(0) for series in daily.values()))
    chosen = _choose(symbols, daily, members, folder.name)
    series: dict[SeriesKey, BarSeries] = {(s, BarInterval.DAILY): daily[s] for s in chosen}
    if frequency is BarInterval.HOUR:
        hourly = _load_bars(folder, "hourly", "bar_end", BarInterval.HOUR)
        hourly, unit_notes = _in_shares(hourly, daily)
        notes += unit_notes
        series |= {(s, BarInterval.HOUR): hourly[s] for s in chosen if s in hourly}
    instruments = {s: members.get(s, Instrument(s)) for s in chosen}
    actions = {s: items for s, items in load_folder_actions(folder).items() if s in instruments}
    return MarketData(
        source=folder.name,
        instruments=instruments,
        series=series,
        index=_indices(folder),
        actions=actions,
        notes=(*notes, *off_tick_notes(series.values(), instruments)),
    )


def _find(folder: Path, stem: str) -> Path | None:
    return next((p for suffix in (".csv.gz", ".csv") if (p := folder / f"{stem}{suffix}").is_file()), None)


def _load_bars(folder: Path, stem: str, when: str, interval: BarInterval) -> dict[str, BarSeries]:
    path = _find(folder, stem)
    if path is None:
        raise DataError(
            f"the folder {folder.name} has no {stem}.csv or {stem}.csv.gz; "
            f"expected columns are vt_symbol, {when}, open, high, low, close, volume"
        )
    table = read_table(path)
    table.require(("vt_symbol", when, *_PRICES, "volume"))
    if not table.lines:
        raise DataError(f"{table.name} has no rows; add bars to it")
    return split_by_symbol(table, row_times(table, when, interval), vt_symbols_of(table), interval)


def _choose(
    symbols: Sequence[str] | None, daily: dict[str, BarSeries], members: dict[str, Instrument], source: str
) -> list[str]:
    if symbols is None:
        return sorted(daily)
    names = {item.name: item.vt_symbol for item in members.values() if item.name}
    chosen = sorted({parse_symbol(text, names) for text in symbols})
    missing = [s for s in chosen if s not in daily]
    if missing:
        some = ", ".join(sorted(daily)[:3])
        raise UnknownSymbol(
            f"the folder {source} has no daily bars of {', '.join(missing)}; it holds {len(daily)} symbols, "
            f"such as {some}"
        )
    return chosen


def _members(folder: Path, first_day: date) -> tuple[dict[str, Instrument], tuple[Text, ...]]:
    path = _find(folder, "members")
    if path is None:
        return {}, ()
    table = read_table(path)
    table.require(("vt_symbol",))
    blank = [""] * len(table.lines)
    names, boards = (table.columns.get(key, blank) for key in ("name", "board"))
    listed, delisting, as_of = (_days(table, key) for key in ("listed", "delisting", "as_of"))
    members = {
        vt_symbol: Instrument(vt_symbol, name, board or None, first, leaving)
        for vt_symbol, name, board, first, leaving in zip(
            vt_symbols_of(table), names, boards, listed, delisting, strict=True
        )
    }
    latest = max((day for day in as_of if day), default=None)
    if latest is None or latest <= first_day:
        return members, ()
    note = say(
        "{folder} 的成份名单截至 {latest}，晚于首个交易日 {first}："
        "名单天然只含存活者，其收益不能证明投资能力。",
        folder=folder.name,
        latest=latest,
        first=first_day,
    )
    return members, (note,)


def _days(table: Table, column: str) -> list[date | None]:
    days: list[date | None] = []
    for line, cell in zip(table.lines, table.columns.get(column, [""] * len(table.lines)), strict=True):
        try:
            days.append(parse_day(cell) if cell else None)
        except ValueError as error:
            raise BadRow(f"{table.name}, line {line}: {column} {error}") from error
    return days


def _indices(folder: Path) -> dict[str, BarSeries]:
    """Daily bars of every index_CODE file; a bare 000 code is an index of SSE, 399 one of SZSE."""
    result: dict[str, BarSeries] = {}
    for path in sorted(folder.glob(f"{_INDEX_PREFIX}*")):
        if not path.name.endswith((".csv", ".csv.gz")):
            continue
        code = path.name.removeprefix(_INDEX_PREFIX).removesuffix(".gz").removesuffix(".csv")
        vt_symbol = f"{code}.SSE" if code.isdigit() and code.startswith("000") else parse_symbol(code)
        table = read_table(path)
        table.require(("date", *_PRICES))
        times = row_times(table, "date", BarInterval.DAILY)
        owners = [vt_symbol] * len(table.lines)
        result |= split_by_symbol(table, times, owners, BarInterval.DAILY, volume_required=False)
    return result


def _in_shares(
    hourly: dict[str, BarSeries], daily: dict[str, BarSeries]
) -> tuple[dict[str, BarSeries], tuple[Text, ...]]:
    """Hourly volumes in shares: hands are recognised by comparing whole days with the daily bars."""
    ratios = [ratio for s, bars in hourly.items() if s in daily for ratio in _volume_ratios(bars, daily[s])]
    typical = float(np.median(ratios)) if ratios else 1.0
    if 0.5 < typical < 2:
        return hourly, ()
    if not _HANDS / 2 < typical < _HANDS * 2:
        raise DataError(
            f"hourly volumes do not fit the daily ones (a day has {typical:.4g} times the volume of its "
            "hours); give both in shares"
        )
    scaled = {s: replace(bars, volume=bars.volume * _HANDS) for s, bars in hourly.items()}
    return scaled, (say("小时成交量的来源单位为手，已乘以 100 换算为股。"),)


def _volume_ratios(hourly: BarSeries, daily: BarSeries) -> list[float]:
    days = resample(hourly, BarInterval.DAILY)
    _, left, right = np.intersect1d(daily.start, days.start, return_indices=True)
    traded = days.volume[right] > 0
    ratios: list[float] = (daily.volume[left][traded] / days.volume[right][traded]).tolist()
    return ratios
