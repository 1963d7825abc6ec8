"""Recorded orders judged by the exchanges' rules of their day, and their cash replayed.

A record is a JSON Lines file, one step a line, in order of `seq` and time:

    {"date": "2025-10-09", "seq": 1, "action": "buy", "vt_symbol": "600036.SSE", "volume": 200,
     "cash_after": 91958.0, "holdings_after": {"600036.SSE": 200}}

`date` is a day, or the end of an hourly bar (Asia/Shanghai); `action` is init (first line only: the cash and
shares at the start), buy, sell or no_trade. An order is taken as filled whole, without fees, at the open of
the bar that its date names. It is judged against the holdings recorded before it, and the record goes on
whether or not the exchange would have taken it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vnpy_aiagent.data.bars import BarSeries, times_of
from vnpy_aiagent.data.market_data import MarketData
from vnpy_aiagent.domain import MARKET_TZ, BarInterval, Side, Text, cny, say, to_decimal
from vnpy_aiagent.errors import AiAgentError, DataError, UnknownSymbol
from vnpy_aiagent.market import (
    Board,
    InstrumentRules,
    PriceBand,
    default_calendar,
    instrument_rules,
    require_cash_market,
)

Rule = Literal["lot_size", "t_plus_one", "price_limit", "cash", "holding", "suspended"]
RULES: tuple[Rule, ...] = get_args(Rule)
"""What an order can break, in the order of a report."""

SIDES = {"buy": Side.BUY, "sell": Side.SELL}
HALF_CENT = Decimal("0.005")  # recorded cash is a float: amounts that round to the same cent are equal
MAX_SHARES, MAX_CASH = 10**12, 10**15

Shares = Annotated[int, Field(ge=-MAX_SHARES, le=MAX_SHARES)]


class RecordedStep(BaseModel):
    """One line of a record. Volumes in shares, cash in CNY; fields that are not known are left alone.

    Recorded holdings may be negative, where an order sold more than was held.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    date: str
    seq: int = Field(ge=0)
    action: Literal["init", "buy", "sell", "no_trade"]
    vt_symbol: str
    volume: int = Field(ge=0, le=MAX_SHARES)
    cash_after: float = Field(ge=-MAX_CASH, le=MAX_CASH, allow_inf_nan=False)
    holdings_after: dict[str, Shares]


@dataclass(frozen=True, slots=True)
class Step:
    """A checked step: its place in the file, its moment (aware; midnight where only a day is given)."""

    line: int
    when: datetime
    record: RecordedStep

    @property
    def side(self) -> Side | None:
        """Buy or sell; None for a step that is no order."""
        return SIDES.get(self.record.action)

    @property
    def has_hour(self) -> bool:
        """Whether the date names an hour."""
        return self.when.hour != 0


@dataclass(frozen=True, slots=True)
class Record:
    """The steps of one file, at least one, in order; `name` is the file's."""

    name: str
    steps: tuple[Step, ...]

    @property
    def frequency(self) -> BarInterval:
        """HOUR where the first step's date names an hour, else DAILY."""
        return BarInterval.HOUR if self.steps[0].has_hour else BarInterval.DAILY


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that one order breaks, with the reason for people. `date` is the order's, as recorded."""

    seq: int
    vt_symbol: str
    rule: Rule
    reason: Text
    date: str


@dataclass(frozen=True, slots=True)
class CashMismatch:
    """A step whose recorded cash is not the replayed one (CNY)."""

    seq: int
    recorded: Decimal
    replayed: Decimal


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found in a record.

    `orders` counts buys and sells alone. `holdings_mismatches` counts steps whose recorded holdings do not
    follow from those before and the order; `without_limit` counts orders whose price could not be compared
    with the day's limits because no previous close is known. `cash_end` is the replayed cash (CNY),
    `holdings_end` the recorded shares.
    """

    orders: int
    violations: tuple[Violation, ...]
    mismatches: tuple[CashMismatch, ...]
    holdings_mismatches: int
    without_limit: int
    cash_end: Decimal
    holdings_end: Mapping[str, int]

    def counts(self) -> dict[Rule, int]:
        """Number of violations by rule, every rule included."""
        found = Counter(item.rule for item in self.violations)
        return {rule: found[rule] for rule in RULES}


@dataclass(frozen=True, slots=True)
class Quote:
    """What the market says at an order's moment: the open (CNY, None where nothing traded) and the limits."""

    rules: InstrumentRules
    price: Decimal | None
    band: PriceBand | None
    reference_known: bool


def read_record(path: Path) -> Record:
    """Read a file and check it line by line; DataError names the file, the line and what is wrong with it."""
    steps: list[Step] = []
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                content = raw.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else raw.strip()
                if content:
                    steps.append(_checked(path.name, number, content, steps[-1] if steps else None))
    except OSError as error:
        raise DataError(
            f"the orders {path} cannot be read ({error.strerror}); give a file with one JSON object a line"
        ) from error
    if not steps:
        raise DataError(f"{path.name} is empty; give a file with one recorded order a line")
    return Record(path.name, tuple(steps))


def audit_record(
    record: Record, market: MarketData, interval: BarInterval, cash: Decimal | None = None
) -> Audit:
    """Judge a record by the rules of its days.

    `interval` (DAILY or HOUR) says which bar a date names; `cash` (CNY) is the cash at the start, that of the
    init line where it is None. DataError, UnknownSymbol, RuleUnknown or CalendarError name the line whose
    order cannot be judged: its symbol is not in the data, or no market was open at its date.
    """
    first = record.steps[0].record
    if cash is None and first.action != "init":
        raise DataError(f"{record.name} has no init line with the cash at the start; give it with --cash")
    replay = _Replay(QuoteSource(market, interval), to_decimal(first.cash_after) if cash is None else cash)
    for step in record.steps:
        try:
            _check_hour(step, interval)
            replay.take(step)
        except AiAgentError as error:
            raise type(error)(f"{record.name}, line {step.line}: {error}") from error
    return replay.result()


class QuoteSource:
    """Opens, previous closes and rules at the moments of orders."""

    def __init__(self, market: MarketData, interval: BarInterval) -> None:
        """`interval` is DAILY or HOUR; limits are measured from the daily bars in either case."""
        self._market = market
        self._interval = interval
        self._first, self._last = market.span(interval)

    def at(self, vt_symbol: str, when: datetime) -> Quote:
        """The quote of a symbol at the bar that a moment names.

        UnknownSymbol where the data does not hold the symbol, DataError where the market was closed then or
        the data does not reach that far: a bar that is only missing is a suspension.
        """
        item = self._market.instruments.get(vt_symbol)
        if item is None:
            some = ", ".join(self._market.symbols[:3])
            raise UnknownSymbol(
                f"the data {self._market.source} holds no symbol {vt_symbol!r}; "
                f"write symbols as it does, such as {some}"
            )
        day = when.date()
        board = Board[item.board] if item.board else None
        rules = require_cash_market(
            instrument_rules(
                vt_symbol, day, name=item.name, listed=item.listed, board=board, delisting=item.delisting
            )
        )
        reference = reference_price(self._market.bars(vt_symbol, BarInterval.DAILY), day)
        band = rules.price_band(reference) if reference is not None else None
        return Quote(rules, self._open(vt_symbol, when), band, reference is not None)

    def _open(self, vt_symbol: str, when: datetime) -> Decimal | None:
        """Open of the bar that a moment names (CNY); None where there is no bar, or one without volume."""
        start, end = times_of(when, self._interval)
        bars = self._market.bars(vt_symbol, self._interval)
        index = int(bars.end.searchsorted(end))
        if index < len(bars) and (int(bars.start[index]), int(bars.end[index])) == (start, end):
            return to_decimal(bars.open[index]) if bars.volume[index] > 0 else None
        self._require_session(when.date())
        return None

    def _require_session(self, day: date) -> None:
        """A bar is missing: only on a trading day that the data covers is that a suspension."""
        if not self._first <= day <= self._last:
            raise DataError(
                f"the data {self._market.source} has no bars of {day}, it covers {self._first} to "
                f"{self._last}; add bars of that day"
            )
        if not default_calendar().is_session(day):
            raise DataError(f"{day} is not a trading day, so nothing was filled then; correct the date")


def reference_price(daily: BarSeries, day: date) -> Decimal | None:
    """Base of a day's limits (CNY): the previous close on record, else the last close before."""
    start, _ = times_of(day, BarInterval.DAILY)
    index = int(daily.start.searchsorted(start))
    if index < len(daily) and int(daily.start[index]) == start and daily.pre_close[index] > 0:
        return to_decimal(daily.pre_close[index])
    return to_decimal(daily.close[index - 1]) if index > 0 else None


class _Replay:
    """The account as the record goes on."""

    def __init__(self, quotes: QuoteSource, cash: Decimal) -> None:
        self._quotes = quotes
        self._cash = cash
        self._recorded_cash = cash
        self._holdings: dict[str, int] = {}
        self._bought: Counter[str] = Counter()
        self._day: date | None = None
        self._orders = 0
        self._violations: list[Violation] = []
        self._mismatches: list[CashMismatch] = []
        self._holdings_mismatches = 0
        self._without_limit = 0

    def take(self, step: Step) -> None:
        """Judge one step and carry cash and holdings past it."""
        record, recorded = step.record, to_decimal(step.record.cash_after)
        after = _held(record.holdings_after)
        if step.when.date() != self._day:
            self._day = step.when.date()
            self._bought.clear()
        if step.side is not None:
            self._order(step, step.side, recorded)
        if step.record.action != "init" and after != self._expected(step):
            self._holdings_mismatches += 1
        if abs(recorded - self._cash) >= HALF_CENT:
            self._mismatches.append(CashMismatch(record.seq, cny(recorded), cny(self._cash)))
        self._recorded_cash, self._holdings = recorded, after

    def result(self) -> Audit:
        """What was found so far."""
        return Audit(
            orders=self._orders,
            violations=tuple(self._violations),
            mismatches=tuple(self._mismatches),
            holdings_mismatches=self._holdings_mismatches,
            without_limit=self._without_limit,
            cash_end=cny(self._cash),
            holdings_end=self._holdings,
        )

    def _order(self, step: Step, side: Side, recorded: Decimal) -> None:
        symbol, volume = step.record.vt_symbol, step.record.volume
        quote = self._quotes.at(symbol, step.when)
        self._orders += 1
        self._without_limit += quote.price is not None and not quote.reference_known
        for rule, reason in self._broken(step, side, quote):
            self._violations.append(Violation(step.record.seq, symbol, rule, reason, step.record.date))
        if quote.price is None:  # no price to replay with: the recorded change of cash is taken over
            self._cash += recorded - self._recorded_cash
        else:
            self._cash += quote.price * (volume if side is Side.SELL else -volume)
        if side is Side.BUY:
            self._bought[symbol] += volume

    def _broken(self, step: Step, side: Side, quote: Quote) -> Iterator[tuple[Rule, Text]]:
        """Every rule that an order breaks."""
        volume = step.record.volume
        holding = max(self._holdings.get(step.record.vt_symbol, 0), 0)
        if quote.rules.lot_error(side, volume, holding) is not None:
            yield "lot_size", _lot_reason(quote.rules, side, volume, holding)
        if side is Side.SELL:
            yield from self._broken_sale(step.record, quote.rules, holding)
        if quote.price is None:
            when = f"{step.when:%Y-%m-%d %H:%M}" if step.has_hour else f"{step.when:%Y-%m-%d}"
            yield "suspended", say("{when} 没有成交：停牌或无行情", when=when)
            return
        cost = quote.price * volume
        if side is Side.BUY and cost > self._cash:
            yield "cash", say("买入需 {cost} 元，可用资金 {cash} 元", cost=cny(cost), cash=cny(self._cash))
        limit = _limit_reason(side, quote.price, quote.band)
        if limit is not None:
            yield "price_limit", limit

    def _broken_sale(
        self, record: RecordedStep, rules: InstrumentRules, holding: int
    ) -> Iterator[tuple[Rule, Text]]:
        bought = self._bought[record.vt_symbol]
        sellable = max(holding - bought, 0)
        if rules.t_plus and record.volume > sellable:
            yield (
                "t_plus_one",
                say(
                    "卖出 {volume} 股，可卖 {sellable} 股：持有 {holding} 股，当日买入 {bought} 股",
                    volume=record.volume,
                    sellable=sellable,
                    holding=holding,
                    bought=bought,
                ),
            )
        if record.volume > holding:
            yield (
                "holding",
                say("卖出 {volume} 股，超过持有的 {holding} 股", volume=record.volume, holding=holding),
            )

    def _expected(self, step: Step) -> dict[str, int]:
        """Holdings that follow from those recorded before and the step."""
        symbol, volume = step.record.vt_symbol, step.record.volume
        change = 0 if step.side is None else volume if step.side is Side.BUY else -volume
        return _held({**self._holdings, symbol: self._holdings.get(symbol, 0) + change})


def _checked(name: str, line: int, content: bytes, before: Step | None) -> Step:
    """One line as a step that follows the one before; DataError where it is broken."""
    where = f"{name}, line {line}"
    try:
        record = RecordedStep.model_validate_json(content)
    except ValidationError as error:
        raise DataError(f"{where}: {_fault(error)}; correct or remove this line") from error
    step = Step(line, _moment(record.date, where), record)
    if before is None:
        return step
    if record.action == "init":
        raise DataError(f"{where}: init belongs to the first line; put each account into a file of its own")
    if record.seq <= before.record.seq:
        raise DataError(
            f"{where}: seq {record.seq} does not follow {before.record.seq}; put the lines in order of seq"
        )
    if step.when < before.when:
        raise DataError(
            f"{where}: {record.date} is before {before.record.date}; put the lines in order of time"
        )
    return step


def _moment(text: str, where: str) -> datetime:
    """An aware moment; a date without a time zone is Asia/Shanghai's."""
    try:
        when = datetime.fromisoformat(text)
        return when.astimezone(MARKET_TZ) if when.tzinfo else when.replace(tzinfo=MARKET_TZ)
    except (ValueError, OverflowError) as error:
        raise DataError(
            f"{where}: date {text!r} is not a date; write it like 2025-01-31, or 2025-01-31 10:30 for a bar"
        ) from error


def _fault(error: ValidationError) -> str:
    """The first fault of a line, for people."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return f"{field} is missing"
    text = first["msg"][:1].lower() + first["msg"][1:]
    return f"{field}: {text}" if field else text


def _check_hour(step: Step, interval: BarInterval) -> None:
    """An order's date names a bar of the interval."""
    if step.side is None or step.has_hour == (interval is BarInterval.HOUR):
        return
    if step.has_hour:
        raise DataError(f"the date {step.record.date} names an hour; use --frequency hourly")
    raise DataError(f"the date {step.record.date} names no hour; use --frequency daily")


def _held(holdings: Mapping[str, int]) -> dict[str, int]:
    """Holdings without the symbols of which nothing is held."""
    return {symbol: volume for symbol, volume in holdings.items() if volume}


def _lot_reason(rules: InstrumentRules, side: Side, volume: int, holding: int) -> Text:
    figures = {"volume": volume, "minimum": rules.min_buy, "step": rules.buy_step, "most": rules.max_order}
    if side is Side.BUY:
        return say(
            "买入 {volume} 股不合交易单位：至少 {minimum} 股，按 {step} 股递增，单笔至多 {most} 股", **figures
        )
    return say(
        "卖出 {volume} 股（持有 {holding} 股）不合交易单位：至少 {minimum} 股，按 {step} 股递增，"
        "单笔至多 {most} 股，余股须一次卖出",
        holding=holding,
        **figures,
    )


def _limit_reason(side: Side, price: Decimal, band: PriceBand | None) -> Text | None:
    """Why an order could not be filled at a price; None where it could or no limit is known."""
    if band is None:
        return None
    if not band.contains(price):
        return say("开盘价 {price} 元超出涨跌停 {down} 至 {up} 元", price=price, down=band.down, up=band.up)
    if side is Side.BUY and price == band.up:
        return say("开盘价 {price} 元即涨停价，不能买入", price=price)
    if side is Side.SELL and price == band.down:
        return say("开盘价 {price} 元即跌停价，不能卖出", price=price)
    return None
