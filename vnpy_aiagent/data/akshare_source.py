"""Bars from the internet through akshare (Eastmoney's quotes), not adjusted for dividends.

Eastmoney counts volume in hands of 100 shares; here it is shares. Prices and turnover are in CNY.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from importlib import import_module
from typing import Any

import numpy as np

from vnpy_aiagent.data.bars import BarSeries, times_of
from vnpy_aiagent.data.csv_files import parse_time
from vnpy_aiagent.data.market_data import Instrument, MarketData, SeriesKey
from vnpy_aiagent.data.symbols import is_fund, parse_symbol
from vnpy_aiagent.domain.clock import Clock, LiveClock
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.domain.text import say
from vnpy_aiagent.errors import DataError

Progress = Callable[[int, int], None]
Frame = Any  # a pandas DataFrame; pandas ships no types

HAND = 100  # shares
_SOURCE = "akshare (Eastmoney)"
_PRICES_AND_AMOUNTS = ("开盘", "最高", "最低", "收盘", "成交量", "成交额")
_DAY_COLUMN, _TIME_COLUMN = "日期", "时间"


def download(
    symbols: Sequence[str],
    start: date,
    end: date,
    frequency: BarInterval = BarInterval.DAILY,
    *,
    client: Any = None,
    clock: Clock | None = None,
    progress: Progress | None = None,
) -> MarketData:
    """Download daily bars from `start` to `end`, and hourly ones as well where `frequency` is HOUR.

    symbols: as users write them (see parse_symbol). client: an object with akshare's functions, by default
    akshare itself. A bar that is not complete at the clock's present is left out. progress: called with
    symbols done and symbols in all. No connection, no rows, changed columns or akshare missing raise
    DataError; an impossible row raises BadRow.
    """
    if frequency not in (BarInterval.DAILY, BarInterval.WEEKLY, BarInterval.HOUR):
        raise DataError(
            f"{_SOURCE} is read for daily and hourly bars, not {frequency}; choose DAILY, WEEKLY or HOUR"
        )
    if end < start:
        raise DataError(f"the end {end} is before the start {start}; swap them")
    vt_symbols = sorted({parse_symbol(text) for text in symbols})
    if not vt_symbols:
        raise DataError("no symbols were given; name at least one, such as 600519.SSE")
    source = client if client is not None else _akshare()
    now = (clock or LiveClock()).now()
    intervals = (
        (BarInterval.DAILY, BarInterval.HOUR) if frequency is BarInterval.HOUR else (BarInterval.DAILY,)
    )
    series: dict[SeriesKey, BarSeries] = {}
    for done, vt_symbol in enumerate(vt_symbols, 1):
        for interval in intervals:
            frame = _fetch(source, vt_symbol, start, end, interval)
            series[vt_symbol, interval] = _to_series(frame, vt_symbol, interval, now)
        if progress is not None:
            progress(done, len(vt_symbols))
    return MarketData(
        source=_SOURCE,
        instruments={s: Instrument(s) for s in vt_symbols},
        series=series,
        notes=(say("价格为实际成交价，未复权。"),),
    )


def _akshare() -> Any:
    try:
        return import_module("akshare")
    except ImportError as error:
        raise DataError(
            'akshare is not installed; run pip install "vnpy_aiagent[akshare]", or give a data folder'
        ) from error


def _fetch(source: Any, vt_symbol: str, start: date, end: date, interval: BarInterval) -> Frame:
    """One table of akshare; any failure inside akshare becomes a DataError that keeps its cause."""
    code, _, exchange = vt_symbol.rpartition(".")
    if exchange not in ("SSE", "SZSE", "BSE"):
        raise DataError(f"{_SOURCE} is read for shares and ETFs of SSE, SZSE and BSE, not for {vt_symbol}")
    kind = "fund_etf_hist" if is_fund(vt_symbol) else "stock_zh_a_hist"
    try:
        if interval is BarInterval.HOUR:
            return getattr(source, f"{kind}_min_em")(
                symbol=code,
                period="60",
                start_date=f"{start} 09:30:00",
                end_date=f"{end} 15:00:00",
                adjust="",
            )
        name = "fund_etf_hist_em" if is_fund(vt_symbol) else "stock_zh_a_hist"
        return getattr(source, name)(
            symbol=code, period="daily", start_date=f"{start:%Y%m%d}", end_date=f"{end:%Y%m%d}", adjust=""
        )
    except Exception as error:
        raise DataError(
            f"{_SOURCE} gave no bars of {vt_symbol} ({type(error).__name__}: {error}); "
            "check the network or proxy, try again later, or use a data folder"
        ) from error


def _to_series(frame: Frame, vt_symbol: str, interval: BarInterval, now: datetime) -> BarSeries:
    when = _TIME_COLUMN if interval is BarInterval.HOUR else _DAY_COLUMN
    if frame is None or len(frame) == 0:
        raise DataError(
            f"{_SOURCE} has no {interval} bars of {vt_symbol} there; check the symbol and the dates"
        )
    missing = [name for name in (when, *_PRICES_AND_AMOUNTS) if name not in frame.columns]
    if missing:
        raise DataError(
            f"{_SOURCE} sent no column {', '.join(missing)} for {vt_symbol}; "
            'install the akshare version that fits with pip install "vnpy_aiagent[akshare]"'
        )
    source = f"{_SOURCE}, {vt_symbol} {interval}"
    moments = [_moment(value, source) for value in frame[when].tolist()]
    values = [frame[name].tolist() for name in _PRICES_AND_AMOUNTS]
    rows = zip(moments, *values, strict=True)
    complete = [row for row in rows if times_of(row[0], interval)[1] <= now.timestamp()]
    return _in_shares(BarSeries.from_rows(vt_symbol, interval, complete, source=source))


def _moment(value: object, source: str) -> datetime:
    try:
        return parse_time(str(value))
    except ValueError as error:
        raise DataError(f"{source}: {error}") from error


def _in_shares(bars: BarSeries) -> BarSeries:
    """Volume in shares; turnover over volume shows whether the source counted in hands or in shares."""
    traded = (bars.volume > 0) & (bars.turnover > 0)
    ratio = HAND * 1.0
    if traded.any():
        ratio = float(np.median(bars.turnover[traded] / bars.volume[traded] / bars.close[traded]))
    if 0.5 < ratio < 2:
        return bars
    if HAND / 2 < ratio < HAND * 2:
        return replace(bars, volume=bars.volume * HAND)
    raise DataError(
        f"volume and turnover of {bars.vt_symbol} from {_SOURCE} do not fit its prices "
        f"(ratio {ratio:.4g}, expected {HAND}); use another source for it"
    )
