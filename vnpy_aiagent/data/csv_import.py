"""One CSV file of bars as market data: a vendor's file, or one that vnpy's data manager wrote.

Columns: open, high, low, close, volume [, turnover, pre_close], and the time as `date` (daily), `bar_end`
(end of the bar) or `datetime` (start of the bar, as vnpy writes it); the instrument as `vt_symbol`, or
`symbol` with `exchange`, or given by the caller or the file's name. Volume in shares, turnover in CNY.
"""

import re
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from vnpy_aiagent.data.csv_files import (
    Table,
    parse_time,
    read_table,
    row_times,
    split_by_symbol,
    vt_symbols_of,
)
from vnpy_aiagent.data.market_data import Instrument, MarketData
from vnpy_aiagent.data.symbols import parse_symbol
from vnpy_aiagent.data.times import INTRADAY_SECONDS, IntArray, daily_times, intraday_times
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.errors import BadRow, DataError

_VALUES = ("open", "high", "low", "close", "volume")
_TIME_COLUMNS = ("date", "bar_end", "datetime")
_SYMBOL_IN_NAME = re.compile(r"[A-Za-z0-9]+\.[A-Z]{2,5}(?=[_.-])")


def load_csv(
    path: str | Path, vt_symbol: str | None = None, *, interval: BarInterval | None = None
) -> MarketData:
    """Load one file; the interval is read from the times where it is not given.

    DataError where columns, the instrument or the interval cannot be told; BadRow with the line number
    where a row is impossible.
    """
    table = read_table(Path(path))
    table.require(_VALUES)
    if not table.lines:
        raise DataError(f"{table.name} has no rows; add bars to it")
    column = next((name for name in _TIME_COLUMNS if name in table.columns), None)
    if column is None:
        raise DataError(f"{table.name} has no time column; name it date, bar_end or datetime")
    owners = _owners(table, vt_symbol)
    times, found = _times(table, column, owners, interval)
    series = split_by_symbol(table, times, owners, found)
    return MarketData(
        source=table.name,
        instruments={s: Instrument(s) for s in series},
        series={(s, found): bars for s, bars in series.items()},
    )


def _owners(table: Table, vt_symbol: str | None) -> list[str]:
    """Each row's vt_symbol."""
    if vt_symbol is not None:
        return [parse_symbol(vt_symbol)] * len(table.lines)
    if "vt_symbol" in table.columns:
        return vt_symbols_of(table)
    if {"symbol", "exchange"} <= table.columns.keys():
        pairs = zip(table.columns["symbol"], table.columns["exchange"], strict=True)
        joined = {**table.columns, "vt_symbol": [f"{symbol}.{exchange}" for symbol, exchange in pairs]}
        return vt_symbols_of(Table(table.name, joined, table.lines))
    match = _SYMBOL_IN_NAME.match(table.name)
    if match is None:
        raise DataError(
            f"{table.name} does not say which instrument it holds; give the symbol, or add a column vt_symbol"
        )
    return [parse_symbol(match[0])] * len(table.lines)


def _times(
    table: Table, column: str, owners: list[str], interval: BarInterval | None
) -> tuple[IntArray, BarInterval]:
    """Start and end of each row's bar, and the interval."""
    if column == "date":
        if interval not in (None, BarInterval.DAILY):
            raise DataError(f"{table.name} has dates without times, so its bars are daily, not {interval}")
        return row_times(table, column, BarInterval.DAILY), BarInterval.DAILY
    moments = _moments(table, column)
    kind = interval or _interval_of(table, moments, owners)
    if column == "bar_end" and kind is not BarInterval.DAILY:
        return row_times(table, column, kind), kind
    lag = timedelta(seconds=INTRADAY_SECONDS.get(kind, 0))
    pairs: list[tuple[int, int]] = []
    for line, moment in zip(table.lines, moments, strict=True):
        try:
            daily = kind is BarInterval.DAILY
            pairs.append(daily_times(moment.date()) if daily else intraday_times(moment + lag, kind))
        except DataError as error:
            raise BadRow(f"{table.name}, line {line}: {error}") from error
    return np.array(pairs, dtype=np.int64), kind


def _moments(table: Table, column: str) -> list[datetime]:
    moments: list[datetime] = []
    for line, cell in zip(table.lines, table.columns[column], strict=True):
        try:
            moments.append(parse_time(cell))
        except ValueError as error:
            raise BadRow(f"{table.name}, line {line}: {error}") from error
    return moments


def _interval_of(table: Table, moments: list[datetime], owners: list[str]) -> BarInterval:
    """The interval, from the shortest step between two bars of one instrument on one day."""
    latest: dict[str, datetime] = {}
    steps: set[int] = set()
    for owner, moment in zip(owners, moments, strict=True):
        before = latest.get(owner)
        if before is not None and before.date() == moment.date() and moment > before:
            steps.add(int((moment - before).total_seconds()))
        latest[owner] = moment
    if not steps:
        return BarInterval.DAILY
    for interval, seconds in INTRADAY_SECONDS.items():
        if seconds == min(steps):
            return interval
    raise DataError(
        f"bars of {table.name} are {min(steps)} seconds apart, which is no known interval; "
        "give bars of 1, 5, 15, 30 or 60 minutes, or daily ones"
    )
