"""Bars from the internet through akshare (Eastmoney's quotes), not adjusted for dividends.

Eastmoney counts volume in hands of 100 shares, of indices as well; here it is shares. Prices and turnover are
in CNY (an index: points). Bars of one minute it keeps for the last five sessions alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from importlib import import_module
from importlib.util import find_spec
from queue import Empty, SimpleQueue
from textwrap import shorten
from threading import Thread
from typing import Any

import numpy as np

from vnpy_aiagent.data.bars import BarSeries, times_of
from vnpy_aiagent.data.csv_files import parse_time
from vnpy_aiagent.data.market_data import Instrument, MarketData, SeriesKey
from vnpy_aiagent.data.symbols import is_fund, is_index, parse_symbol
from vnpy_aiagent.domain.clock import Clock, LiveClock
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.domain.text import Text, say
from vnpy_aiagent.errors import BadRow, DataError
from vnpy_aiagent.i18n import show, translator

Progress = Callable[[int, int], None]
Frame = Any  # a pandas DataFrame; pandas ships no types

HAND = 100  # shares
PROBLEM_LENGTH = 120  # characters of akshare's own words: requests quotes whole addresses
PATIENCE = 60.0  # seconds for one table: some of akshare's requests have no limit of their own
INTERVAL_NAMES = {BarInterval.DAILY: "日线", BarInterval.HOUR: "小时线", BarInterval.MINUTE: "分钟线"}
_SOURCE = "akshare (Eastmoney)"
_PERIODS = {BarInterval.HOUR: "60", BarInterval.MINUTE: "1"}
_PRICES_AND_AMOUNTS = ("开盘", "最高", "最低", "收盘", "成交量", "成交额")
_DAY_COLUMN, _TIME_COLUMN = "日期", "时间"
_ENGLISH_COLUMNS = {
    "date": _DAY_COLUMN, "open": "开盘", "high": "最高", "low": "最低", "close": "收盘",
    "volume": "成交量", "amount": "成交额",
}  # fmt: skip


class SourceError(DataError):
    """Why a download gave nothing; `text` says it in either language."""

    def __init__(self, text: Text) -> None:
        """The exception's own text is the English one."""
        super().__init__(show(text, translator("en")))
        self.text = text


def is_installed() -> bool:
    """Whether akshare is there; it is not imported, which takes seconds."""
    return find_spec("akshare") is not None


def missing_package() -> SourceError:
    """What to tell where akshare is missing."""
    return SourceError(
        say('没有安装 akshare：请运行 pip install "vnpy_aiagent[akshare]"，或改用数据文件夹导入')
    )


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
    SourceError; an impossible row raises BadRow.
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
    intervals = (
        (BarInterval.DAILY, BarInterval.HOUR) if frequency is BarInterval.HOUR else (BarInterval.DAILY,)
    )
    series: dict[SeriesKey, BarSeries] = {}
    for done, vt_symbol in enumerate(vt_symbols, 1):
        for interval in intervals:
            series[vt_symbol, interval] = fetch_bars(
                vt_symbol, start, end, interval, client=source, clock=clock
            )
        if progress is not None:
            progress(done, len(vt_symbols))
    return MarketData(
        source=_SOURCE,
        instruments={s: Instrument(s) for s in vt_symbols},
        series=series,
        notes=(say("价格为实际成交价，未复权。"),),
    )


def fetch_bars(
    vt_symbol: str,
    start: date,
    end: date,
    interval: BarInterval,
    *,
    client: Any = None,
    clock: Clock | None = None,
) -> BarSeries:
    """Complete bars of a share, ETF or index from `start` to `end`: DAILY, HOUR or MINUTE.

    Waits for at most PATIENCE seconds. Raises SourceError and BadRow as `download` does.
    """
    exchange = vt_symbol.rpartition(".")[2]
    if exchange not in ("SSE", "SZSE", "BSE"):
        raise SourceError(
            say(
                "{source} 只有沪深北交易所的股票、ETF 和指数，没有 {symbol}", source=_SOURCE, symbol=vt_symbol
            )
        )
    if interval not in INTERVAL_NAMES:
        raise SourceError(say("{source} 只提供日线、小时线和分钟线，请改选周期", source=_SOURCE))
    source = client if client is not None else _akshare()
    frame = _fetch(source, vt_symbol, start, end, interval)
    now = (clock or LiveClock()).now()
    if frame is None or len(frame) == 0:
        raise _nothing(vt_symbol, interval)
    return _to_series(frame, vt_symbol, interval, now)


def _akshare() -> Any:
    try:
        return import_module("akshare")
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "akshare":
            raise missing_package() from error
        raise SourceError(
            say("akshare 无法载入（{problem}）；请重新安装", problem=f"{type(error).__name__}: {error}")
        ) from error


def _request(vt_symbol: str, start: date, end: date, interval: BarInterval) -> tuple[str, dict[str, str]]:
    """The function of akshare for one table, and its arguments."""
    code, _, exchange = vt_symbol.rpartition(".")
    kind = "fund_etf_hist" if is_fund(vt_symbol) else "stock_zh_a_hist"
    if interval is BarInterval.DAILY:
        days = {"start_date": f"{start:%Y%m%d}", "end_date": f"{end:%Y%m%d}"}
        if is_index(vt_symbol):
            market = {"SSE": "sh", "SZSE": "sz", "BSE": "bj"}[exchange]
            return "stock_zh_index_daily_em", {"symbol": market + code, **days}
        name = "fund_etf_hist_em" if is_fund(vt_symbol) else kind
        return name, {"symbol": code, "period": "daily", "adjust": "", **days}
    times = {"start_date": f"{start} 09:30:00", "end_date": f"{end} 15:00:00"}
    call = {"symbol": code, "period": _PERIODS[interval], **times}
    if is_index(vt_symbol):
        return "index_zh_a_hist_min_em", call
    return f"{kind}_min_em", {"adjust": "", **call}


def _fetch(source: Any, vt_symbol: str, start: date, end: date, interval: BarInterval) -> Frame:
    """One table of akshare; whatever goes wrong inside akshare becomes a SourceError that keeps its cause."""
    name, arguments = _request(vt_symbol, start, end, interval)
    answers: SimpleQueue[tuple[Frame, Exception | None]] = SimpleQueue()

    def work() -> None:
        try:
            answers.put((getattr(source, name)(**arguments), None))
        except Exception as error:  # noqa: BLE001 - akshare raises whatever its parsers do; told just below
            answers.put((None, error))

    Thread(target=work, name="akshare", daemon=True).start()
    try:
        frame, error = answers.get(timeout=PATIENCE)
    except Empty:
        frame, error = None, TimeoutError(f"no answer in {PATIENCE:g} s")
    if error is None:
        return frame
    if isinstance(error, TypeError):  # akshare takes apart an answer without data: the symbol is not there
        raise _nothing(vt_symbol, interval) from error
    raise SourceError(
        say(
            "{source} 没有给出 {symbol} 的数据（{problem}）；请检查网络或代理，稍后再试，或改用数据文件夹",
            source=_SOURCE,
            symbol=vt_symbol,
            problem=shorten(f"{type(error).__name__}: {error}", PROBLEM_LENGTH, placeholder="…"),
        )
    ) from error


def _nothing(vt_symbol: str, interval: BarInterval) -> SourceError:
    return SourceError(
        say(
            "{source} 在这段时间没有 {symbol} 的{interval}；请检查代码和日期",
            source=_SOURCE,
            symbol=vt_symbol,
            interval=INTERVAL_NAMES[interval],
        )
    )


def _to_series(frame: Frame, vt_symbol: str, interval: BarInterval, now: datetime) -> BarSeries:
    frame = frame.rename(columns=_ENGLISH_COLUMNS)
    when = _DAY_COLUMN if interval is BarInterval.DAILY else _TIME_COLUMN
    missing = [name for name in (when, *_PRICES_AND_AMOUNTS) if name not in frame.columns]
    if missing:
        raise SourceError(
            say(
                "{source} 给 {symbol} 的表缺少列 {columns}；请安装相配的 akshare："
                'pip install "vnpy_aiagent[akshare]"',
                source=_SOURCE,
                symbol=vt_symbol,
                columns=", ".join(missing),
            )
        )
    source = f"{_SOURCE}, {vt_symbol} {interval}"
    moments = [_moment(value, source) for value in frame[when].tolist()]
    values = [frame[name].tolist() for name in _PRICES_AND_AMOUNTS]
    rows = [
        row
        for row in zip(moments, *values, strict=True)
        if times_of(row[0], interval)[1] <= now.timestamp() and not _lacks_open(row, interval)
    ]
    bars = BarSeries.from_rows(vt_symbol, interval, rows, source=source)
    if not len(bars):
        raise _nothing(vt_symbol, interval)
    return replace(bars, volume=bars.volume * HAND) if is_index(vt_symbol) else _in_shares(bars)


def _lacks_open(row: tuple[Any, ...], interval: BarInterval) -> bool:
    """Eastmoney sends one-minute bars whose opening price is 0: that is a missing price, not a bar."""
    return interval is BarInterval.MINUTE and row[1] == 0


def _moment(value: object, source: str) -> datetime:
    try:
        return parse_time(str(value))
    except ValueError as error:
        raise BadRow(f"{source}: {error}") from error


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
    raise SourceError(
        say(
            "{source} 给 {symbol} 的量额与价格对不上（比值 {ratio}，应为 {expected}）；请换别的数据来源",
            source=_SOURCE,
            symbol=bars.vt_symbol,
            ratio=f"{ratio:.4g}",
            expected=HAND,
        )
    )
