"""Bars from the internet through akshare (Eastmoney's quotes), not adjusted for dividends.

Eastmoney counts volume in hands of 100 shares, of indices as well; here it is shares. Prices and turnover are
in CNY (an index: points). Bars of one minute it keeps for the last five sessions alone.
"""

from dataclasses import replace
from datetime import date, datetime
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from textwrap import shorten
from typing import Any

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.csv_files import parse_time
from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.data.sources.patience import within
from vnpy_aiagent.data.sources.port import (
    SHARE_EXCHANGES,
    BarRequest,
    Turn,
    complete_series,
    no_rows,
    not_offered,
)
from vnpy_aiagent.data.sources.units import HAND, in_shares
from vnpy_aiagent.data.symbols import is_fund, is_index
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.domain.text import say
from vnpy_aiagent.errors import BadRow

Frame = Any  # a pandas DataFrame; pandas ships no types

SOURCE, LABEL = "akshare", "akshare (Eastmoney)"
PROBLEM_LENGTH = 120  # characters of akshare's own words: requests quotes whole addresses
PATIENCE = 60.0  # seconds for one table: some of akshare's requests have no limit of their own
_PERIODS = {BarInterval.HOUR: "60", BarInterval.MINUTE: "1"}
_PRICES_AND_AMOUNTS = ("开盘", "最高", "最低", "收盘", "成交量", "成交额")
_DAY_COLUMN, _TIME_COLUMN = "日期", "时间"
_ENGLISH_COLUMNS = {
    "date": _DAY_COLUMN, "open": "开盘", "high": "最高", "low": "最低", "close": "收盘",
    "volume": "成交量", "amount": "成交额",
}  # fmt: skip


def is_installed() -> bool:
    """Whether akshare is there; it is not imported, which takes seconds."""
    return find_spec("akshare") is not None


def missing_package() -> SourceAbsence:
    """What to tell where akshare is missing."""
    return SourceAbsence(
        SOURCE,
        AbsenceKind.NOT_SET_UP,
        say('没有安装 akshare：请运行 pip install "vnpy_aiagent[akshare]"，或改用数据文件夹导入'),
    )


class AkshareBars:
    """Daily, hourly and one-minute bars of shares, ETFs and indices, one request of akshare each."""

    name = SOURCE
    is_kept = True

    def __init__(self, client: Any = None, patience: float = PATIENCE) -> None:
        """client: what has akshare's functions, by default akshare itself. patience: seconds a table."""
        self._client = client
        self._patience = patience

    def missing(self) -> SourceAbsence | None:
        """Whether the package lacks."""
        return None if self._client is not None or is_installed() else missing_package()

    def fetch(self, request: BarRequest, now: datetime, turn: Turn) -> BarSeries:
        """One table; a bar that was not complete at `now` is left out."""
        if request.vt_symbol.rpartition(".")[2] not in SHARE_EXCHANGES:
            raise not_offered(SOURCE, LABEL, request)
        source = self._client if self._client is not None else _akshare()
        turn()
        frame = _fetch(source, request, self._patience)
        if frame is None or len(frame) == 0:
            raise no_rows(SOURCE, LABEL, request)
        return _to_series(frame, request, now)


def _akshare() -> Any:
    try:
        return import_module("akshare")
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "akshare":
            raise missing_package() from error
        raise SourceAbsence(
            SOURCE,
            AbsenceKind.UNREACHABLE,
            say("akshare 无法载入（{problem}）；请重新安装", problem=f"{type(error).__name__}: {error}"),
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


def _fetch(source: Any, request: BarRequest, patience: float) -> Frame:
    """One table of akshare; whatever goes wrong inside akshare becomes an absence that keeps its cause."""
    name, arguments = _request(request.vt_symbol, request.start, request.end, request.interval)
    try:
        return within(patience, partial(getattr(source, name), **arguments), SOURCE)
    except TypeError as error:  # akshare takes apart an answer without data: the symbol is not there
        raise no_rows(SOURCE, LABEL, request) from error
    except Exception as error:  # akshare raises whatever its parsers do
        kind = AbsenceKind.UNREACHABLE if isinstance(error, OSError) else AbsenceKind.BAD_DATA
        kind = kind if hasattr(source, name) else AbsenceKind.DISCONTINUED
        raise SourceAbsence(
            SOURCE,
            kind,
            say(
                "{source} 没有给出 {symbol} 的数据（{problem}）；请检查网络或代理，稍后再试，"
                "或改用数据文件夹",
                source=LABEL,
                symbol=request.vt_symbol,
                problem=shorten(f"{type(error).__name__}: {error}", PROBLEM_LENGTH, placeholder="…"),
            ),
        ) from error


def _to_series(frame: Frame, request: BarRequest, now: datetime) -> BarSeries:
    frame = frame.rename(columns=_ENGLISH_COLUMNS)
    when = _DAY_COLUMN if request.interval is BarInterval.DAILY else _TIME_COLUMN
    missing = [name for name in (when, *_PRICES_AND_AMOUNTS) if name not in frame.columns]
    if missing:
        raise SourceAbsence(
            SOURCE,
            AbsenceKind.BAD_DATA,
            say(
                "{source} 给 {symbol} 的表缺少列 {columns}；请安装相配的 akshare："
                'pip install "vnpy_aiagent[akshare]"',
                source=LABEL,
                symbol=request.vt_symbol,
                columns=", ".join(missing),
            ),
        )
    moments = [_moment(value, f"{LABEL}, {request.vt_symbol}") for value in frame[when].tolist()]
    values = [frame[name].tolist() for name in _PRICES_AND_AMOUNTS]
    rows = [row for row in zip(moments, *values, strict=True) if not _lacks_open(row, request.interval)]
    bars = complete_series(rows, request, now, SOURCE, LABEL)
    if is_index(request.vt_symbol):
        return replace(bars, volume=bars.volume * HAND)
    return in_shares(bars, SOURCE, LABEL)


def _lacks_open(row: tuple[Any, ...], interval: BarInterval) -> bool:
    """Eastmoney sends one-minute bars whose opening price is 0: that is a missing price, not a bar."""
    return interval is BarInterval.MINUTE and row[1] == 0


def _moment(value: object, source: str) -> datetime:
    try:
        return parse_time(str(value))
    except ValueError as error:
        raise BadRow(f"{source}: {error}") from error
