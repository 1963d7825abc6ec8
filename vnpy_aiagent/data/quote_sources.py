"""The two free snapshot services, and what their answers say, in one form: shares, CNY, Asia/Shanghai.

Neither service publishes a specification. Positions and units are those that public clients (easyquotation,
akshare) and recorded answers agree on:

- Sina, `/list=sh600519,sz000001`, comma-separated, asked with a Referer: 0 name, 1 open, 2 previous close,
  3 last, 4 high, 5 low, 8 volume in shares, 9 turnover in CNY, 10-19 five bids as volume and price, 20-29
  five asks, 30 date, 31 time.
- Tencent, `/q=sh600519`, separated by `~`: 1 name, 2 code, 3 last, 4 previous close, 5 open, 9-18 five bids
  as price and hands, 19-28 five asks, 30 time, 33 high, 34 low, 35 last/volume/turnover in CNY, 36 volume,
  37 turnover in 10,000 CNY. The volume counts hands of 100 shares, on STAR single shares (akshare pull
  request 7328), so it is compared with turnover and price before it is believed. The book counts hands on
  every board, judged by recorded answers: on STAR they show volumes below its smallest order.

The previous close is the exchange's reference price, adjusted on an ex-right day. Both answer in GBK.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import isfinite

from vnpy_aiagent.data.symbols import normalise
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.errors import DataError
from vnpy_aiagent.market import Board, board_of

HAND = 100  # shares
TEN_THOUSAND = 10_000  # CNY
LARGEST_REQUEST = 800  # symbols
DEPTH = 5  # price levels
AGENT = "Mozilla/5.0 (compatible; vnpy_aiagent)"
PREFIXES = {"SSE": "sh", "SZSE": "sz", "BSE": "bj"}

_SMALLEST_TWO_BYTE_UTF8 = "\u0080"
_SMALLEST_THREE_BYTE_UTF8 = "\u0800"
_PRICE_SLACK = 0.01  # share of the price by which a rounded volume may move the average price


class SourceFailed(DataError):
    """A source gave no usable answer; `refused` where it asks to be left alone, for `retry_after` seconds."""

    def __init__(self, text: str, *, refused: bool = False, retry_after: float = 0.0) -> None:
        """`text` says what happened, in Chinese, for the log."""
        super().__init__(text)
        self.refused = refused
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the book: price in CNY, volume in shares; both 0 where the level is empty."""

    price: float
    volume: int


@dataclass(frozen=True, slots=True)
class Quote:
    """One snapshot of a symbol. Prices and turnover in CNY, volume in shares since the day's start.

    `at` is the source's own time. Prices are 0 where nothing was traded, as the sources give them.
    """

    vt_symbol: str
    source: str
    name: str
    at: datetime
    last: float
    open: float
    high: float
    low: float
    prev_close: float
    volume: int
    turnover: float
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one source said: quotes by vt_symbol, symbols it does not know, and rows it got wrong and why."""

    source: str
    quotes: Mapping[str, Quote]
    unknown: frozenset[str] = frozenset()
    bad: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QuoteSource:
    """One service: how to ask it and how to read it. `label` is its name in the log."""

    name: str
    label: str
    base_url: str
    query: str
    variable: str
    separator: str
    headers: Mapping[str, str]
    read: Callable[[str, list[str]], Quote]

    def at(self, base_url: str) -> "QuoteSource":
        """The same service at another address."""
        return replace(self, base_url=base_url.rstrip("/"))

    def url(self, vt_symbols: Sequence[str]) -> str:
        """Address of one request for up to LARGEST_REQUEST symbols."""
        return f"{self.base_url}{self.query}{','.join(map(source_code, vt_symbols))}"

    def parse(self, body: bytes, vt_symbols: Sequence[str]) -> Answer:
        """Read an answer. SourceFailed where it is cut off, or less than half of it is usable."""
        text = decode(body).strip()
        if not text.endswith(";"):
            raise SourceFailed(f"{self.label}的返回不完整或不是行情")
        rows = dict(re.findall(rf'\b{self.variable}((?:sh|sz|bj)\d{{6}})="([^"\r\n]*)"', text))
        quotes: dict[str, Quote] = {}
        unknown: set[str] = set()
        bad: dict[str, str] = {}
        for vt_symbol in vt_symbols:
            row = rows.get(source_code(vt_symbol))
            if row is None:
                bad[vt_symbol] = "没有返回"
            elif not row.strip():
                unknown.add(vt_symbol)
            else:
                try:
                    quotes[vt_symbol] = self.read(vt_symbol, row.split(self.separator))
                except ValueError as error:
                    bad[vt_symbol] = str(error)
        if 2 * len(bad) > len(vt_symbols):
            first = next(iter(bad))
            raise SourceFailed(
                f"{self.label}返回的{len(vt_symbols)}只中有{len(bad)}只不可用（{first}：{bad[first]}）"
            )
        return Answer(self.name, quotes, frozenset(unknown), bad)


def source_code(vt_symbol: str) -> str:
    """A symbol as both services write it: sh600519."""
    code, _, exchange = vt_symbol.rpartition(".")
    return PREFIXES[exchange] + code


def decode(body: bytes) -> str:
    """Text of an answer in GBK, or in UTF-8 where a proxy changed it; undecodable bytes become U+FFFD.

    Bytes that are good UTF-8 with three-byte characters alone are never GBK by chance; GBK can look like
    two-byte UTF-8.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("gb18030", errors="replace")
    if any(_SMALLEST_TWO_BYTE_UTF8 <= letter < _SMALLEST_THREE_BYTE_UTF8 for letter in text):
        return body.decode("gb18030", errors="replace")
    return text


def read_sina(vt_symbol: str, fields: list[str]) -> Quote:
    """A quote from the fields of Sina's row. ValueError says what is wrong."""
    _require(len(fields) >= 32, f"只有{len(fields)}个字段")
    numbers = [_number(text) for text in fields[1:30]]
    levels = [Level(numbers[n + 1], int(numbers[n])) for n in range(9, 29, 2)]
    return _checked(
        Quote(
            vt_symbol=vt_symbol,
            source="sina",
            name=normalise(fields[0]),
            at=_moment(f"{fields[30]} {fields[31]}", "%Y-%m-%d %H:%M:%S"),
            last=numbers[2],
            open=numbers[0],
            high=numbers[3],
            low=numbers[4],
            prev_close=numbers[1],
            volume=int(numbers[7]),
            turnover=numbers[8],
            bids=tuple(levels[:DEPTH]),
            asks=tuple(levels[DEPTH:]),
        )
    )


def read_tencent(vt_symbol: str, fields: list[str]) -> Quote:
    """A quote from the fields of Tencent's row. ValueError says what is wrong."""
    _require(len(fields) >= 38, f"只有{len(fields)}个字段")
    _require(fields[2] == vt_symbol[:6], f"代码是{fields[2]}")
    high, low = _number(fields[33]), _number(fields[34])
    turnover = _turnover(fields[35], _number(fields[37]) * TEN_THOUSAND)
    levels = [
        Level(_number(fields[n] or "0"), int(_number(fields[n + 1] or "0")) * HAND) for n in range(9, 29, 2)
    ]
    return _checked(
        Quote(
            vt_symbol=vt_symbol,
            source="tencent",
            name=normalise(fields[1]),
            at=_moment(fields[30], "%Y%m%d%H%M%S"),
            last=_number(fields[3]),
            open=_number(fields[5]),
            high=high,
            low=low,
            prev_close=_number(fields[4]),
            volume=_shares(vt_symbol, int(_number(fields[36])), turnover, low, high),
            turnover=turnover,
            bids=tuple(levels[:DEPTH]),
            asks=tuple(levels[DEPTH:]),
        )
    )


def _turnover(triple: str, rounded: float) -> float:
    """Turnover in CNY: exact from last/volume/turnover where it agrees with the rounded one."""
    parts = triple.split("/")
    if len(parts) == 3:
        exact = _number(parts[2])
        if abs(exact - rounded) <= TEN_THOUSAND:
            return exact
    return rounded


def _shares(vt_symbol: str, raw: int, turnover: float, low: float, high: float) -> int:
    """Volume in shares: by the unit whose average price lies in the day's range, else by the board's own."""
    for unit in (HAND, 1):
        volume = raw * unit
        if volume and low * (1 - _PRICE_SLACK) <= turnover / volume <= high * (1 + _PRICE_SLACK):
            return volume
    return raw if board_of(vt_symbol) is Board.STAR else raw * HAND


def _checked(quote: Quote) -> Quote:
    """The quote, or ValueError where it contradicts itself."""
    _require(bool(quote.name) and "\ufffd" not in quote.name, "名称无法解码")
    _require(quote.prev_close > 0, "没有昨收价")
    if quote.last > 0 and quote.volume > 0:
        inside = 0 < quote.low <= quote.last <= quote.high
        _require(inside, f"最新价{quote.last:g}不在当日{quote.low:g}至{quote.high:g}之内")
    return quote


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{text[:20]!r}不是数字") from None
    _require(isfinite(value) and value >= 0, f"{text[:20]!r}不是可用的数字")
    return value


def _moment(text: str, pattern: str) -> datetime:
    try:
        return datetime.strptime(text, pattern).replace(tzinfo=MARKET_TZ)
    except ValueError:
        raise ValueError(f"{text[:30]!r}不是时间") from None


SINA = QuoteSource(
    name="sina",
    label="新浪",
    base_url="https://hq.sinajs.cn",
    query="/list=",
    variable="hq_str_",
    separator=",",
    headers={"Referer": "https://finance.sina.com.cn/", "User-Agent": AGENT},
    read=read_sina,
)
TENCENT = QuoteSource(
    name="tencent",
    label="腾讯",
    base_url="https://qt.gtimg.cn",
    query="/q=",
    variable="v_",
    separator="~",
    headers={"User-Agent": AGENT},
    read=read_tencent,
)
SOURCES: Mapping[str, QuoteSource] = {source.name: source for source in (SINA, TENCENT)}
