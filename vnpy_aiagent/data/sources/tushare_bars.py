"""Daily bars from Tushare Pro, not adjusted: `daily` (shares), `fund_daily` (ETFs), `index_daily` (indices).

By https://tushare.pro/document/2?doc_id=27, 127 and 95: trade_date is YYYYMMDD, prices are in CNY (an index:
points), vol in hands of 100, amount in thousand CNY; days of a suspension have no row. fund_daily gives at
most 2,000 rows at once, so longer spans are asked for in parts. Minute bars need a right of their own there
and are not offered here.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.csv_files import parse_time
from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.data.sources.port import SHARE_EXCHANGES, BarRequest, Turn, complete_series, not_offered
from vnpy_aiagent.data.sources.tushare_http import SOURCE, TushareClient
from vnpy_aiagent.data.sources.units import HAND, in_shares
from vnpy_aiagent.data.symbols import is_fund, is_index
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.domain.text import Text, say
from vnpy_aiagent.errors import BadRow

LABEL = "Tushare Pro"
FIELDS = ("ts_code", "trade_date", "open", "high", "low", "close", "pre_close", "vol", "amount")
THOUSAND = 1_000  # CNY
SPAN = timedelta(days=5 * 365)
SUFFIXES = {"SSE": "SH", "SZSE": "SZ", "BSE": "BJ"}


class TushareBars:
    """Daily bars through one client."""

    name = SOURCE
    is_kept = True

    def __init__(self, client: TushareClient, trouble: Text | None = None) -> None:
        """`client` holds address and token. `trouble`: why there is no token, where that is known."""
        self._client = client
        self._trouble = trouble

    def missing(self) -> SourceAbsence | None:
        """Whether the token lacks."""
        if self._trouble is not None:
            return SourceAbsence(SOURCE, AbsenceKind.NOT_SET_UP, self._trouble)
        return None if self._client.is_set_up else self._client.missing_token()

    def fetch(self, request: BarRequest, now: datetime, turn: Turn) -> BarSeries:
        """Daily bars, one request for each five years."""
        code, _, exchange = request.vt_symbol.rpartition(".")
        if request.interval is not BarInterval.DAILY or exchange not in SHARE_EXCHANGES:
            raise not_offered(SOURCE, LABEL, request)
        api = "index_daily" if is_index(request.vt_symbol) else "daily"
        api = "fund_daily" if is_fund(request.vt_symbol) else api
        ts_code = f"{code}.{SUFFIXES[exchange]}"
        rows: list[tuple[Any, ...]] = []
        for first, last in _spans(request.start, request.end):
            turn()
            params = {"ts_code": ts_code, "start_date": f"{first:%Y%m%d}", "end_date": f"{last:%Y%m%d}"}
            table = self._client.query(api, params, FIELDS)
            rows += [_row(record, ts_code) for record in table.records()]
        rows.sort(key=lambda row: row[0])  # they come latest first
        bars = complete_series(rows, request, now, SOURCE, LABEL)
        return bars if is_index(request.vt_symbol) else _checked(bars)


def _spans(start: date, end: date) -> Iterator[tuple[date, date]]:
    while start <= end:
        last = min(start + SPAN, end)
        yield start, last
        start = last + timedelta(days=1)


def _row(record: dict[str, Any], ts_code: str) -> tuple[Any, ...]:
    """A row of BarSeries.from_rows, in shares and CNY."""
    if record["ts_code"] != ts_code:
        text = say(
            "{source} 答复的代码是 {found}，不是 {asked}",
            source=LABEL,
            found=record["ts_code"],
            asked=ts_code,
        )
        raise SourceAbsence(SOURCE, AbsenceKind.BAD_DATA, text)
    try:
        day = parse_time(str(record["trade_date"])).date()
        volume, turnover = _times(record["vol"], HAND), _times(record["amount"], THOUSAND)
    except (TypeError, ValueError) as error:
        raise BadRow(f"{LABEL}, {ts_code}: {error}") from error
    prices = (record[name] for name in ("open", "high", "low", "close"))
    return (day, *prices, volume, turnover, record["pre_close"])


def _times(value: Any, unit: int) -> float | None:
    """A figure in the smaller unit; the noise of binary fractions goes, a missing one stays missing."""
    return None if value is None else round(float(value) * unit, 4)


def _checked(bars: BarSeries) -> BarSeries:
    """Volumes that are not in shares after all are an error: the documents no longer hold."""
    found = in_shares(bars, SOURCE, LABEL, stated=1)
    if found is not bars:
        raise SourceAbsence(
            SOURCE,
            AbsenceKind.BAD_DATA,
            say(
                "{source} 给 {symbol} 的成交量不是文档所写的单位；请换别的数据来源",
                source=LABEL,
                symbol=bars.vt_symbol,
            ),
        )
    return bars
