"""The rules of one Chinese futures contract on one day.

Futures are T+0, margined and settled daily; prices are limited around the previous settlement. Volumes are in
contracts. `instrument_rules` gives the same through the shape that shares and funds have.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from vnpy_aiagent.domain.futures import ContractTerms
from vnpy_aiagent.domain.money import CENT, ceil_to_tick, floor_to_tick, to_decimal
from vnpy_aiagent.errors import RuleUnknown, UnknownSymbol
from vnpy_aiagent.market.boards import FUTURES_EXCHANGES, Board, split_symbol
from vnpy_aiagent.market.calendar import TradingCalendar
from vnpy_aiagent.market.dated import in_force
from vnpy_aiagent.market.fees import ZERO, Fees
from vnpy_aiagent.market.futures_fees import FuturesFeeRow, fee_row
from vnpy_aiagent.market.futures_tables import CLOSE_TODAY_APART, PRODUCTS, ProductRow
from vnpy_aiagent.market.limits import PriceBand
from vnpy_aiagent.market.lots import Number, whole

_CODE = re.compile(r"([A-Za-z]{1,2})([0-9]{3,4})")
_FRIDAY = 4
MAX_LIMIT_ORDER = {"CFFEX": 20, "SHFE": 500, "INE": 500, "DCE": 1_000, "CZCE": 1_000, "GFEX": 1_000}
"""Largest limit order in contracts; from memory but for none, and lower for some products by notice."""


@dataclass(frozen=True, slots=True)
class FuturesRules:
    """What the exchange allows for one contract on one day: prices in points, money in CNY, contracts."""

    vt_symbol: str
    on: date
    row: ProductRow
    delivery_year: int
    delivery_month: int
    charges: FuturesFeeRow

    board: Board = Board.FUTURES
    t_plus: int = 0

    @property
    def tick_size(self) -> Decimal:
        """Smallest price step, in points."""
        return self.row.tick

    @property
    def multiplier(self) -> Decimal:
        """CNY per point of price and contract."""
        return self.row.multiplier

    @property
    def close_today_apart(self) -> bool:
        """Whether an order must say that it closes today's or yesterday's position (SHFE and INE)."""
        return self.row.exchange in CLOSE_TODAY_APART

    @property
    def max_order(self) -> int:
        """Largest limit order in contracts."""
        return MAX_LIMIT_ORDER[self.row.exchange]

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """Sources of the figures that still have to be compared with the exchange's own text."""
        return tuple(row.source for row in (self.row, self.charges) if not row.confirmed)

    def price_band(self, prev_settlement: float | Decimal) -> PriceBand:
        """The day's limits around the previous settlement, never beyond the ratio, on the tick.

        ValueError where the settlement is not a positive number.
        """
        base = to_decimal(prev_settlement)
        if base <= 0:
            raise ValueError(f"the previous settlement must be positive, not {base}")
        return PriceBand(
            down=ceil_to_tick(base * (1 - self.row.limit), self.row.tick),
            up=floor_to_tick(base * (1 + self.row.limit), self.row.tick),
        )

    def value(self, price: float | Decimal, volume: Number) -> Decimal:
        """Contract value in CNY."""
        return to_decimal(price) * self.row.multiplier * to_decimal(volume)

    def margin(self, price: float | Decimal, volume: Number) -> Decimal:
        """The exchange's minimum margin in CNY; a broker asks for more."""
        amount = self.value(price, volume) * self.row.margin
        return amount.quantize(CENT, rounding=ROUND_HALF_UP)

    def fees(self, value: Decimal, volume: Number, *, opening: bool, today: Number = 0) -> Fees:
        """The exchange's fee (CNY) of a fill worth `value` CNY, all of it as commission.

        `today` of the closed contracts were opened on the same trading day.
        """
        contracts, same_day = to_decimal(volume), to_decimal(today)
        if not contracts:
            return Fees(ZERO, ZERO, ZERO)
        if opening:
            return Fees(self.charges.opening.amount(value, contracts), ZERO, ZERO)
        part = value * same_day / contracts
        older = self.charges.closing.amount(value - part, contracts - same_day)
        return Fees(older + self.charges.closing_today.amount(part, same_day), ZERO, ZERO)

    def daily_profit(
        self, held_from: float | Decimal, settlement: float | Decimal, volume: Number
    ) -> Decimal:
        """What daily settlement pays (CNY) to a long of `volume` contracts; a short has a negative volume.

        `held_from` is the previous settlement, or the fill price of a position opened today.
        """
        return (to_decimal(settlement) - to_decimal(held_from)) * self.row.multiplier * to_decimal(volume)

    def volume_error(self, volume: Number) -> str | None:
        """Why an order's size is refused; None where it is allowed."""
        contracts = whole(volume)
        if contracts is None:
            return f"A volume of {volume} contracts of {self.vt_symbol} is not a whole number."
        if contracts <= 0:
            return f"A volume of {contracts} contracts of {self.vt_symbol} is not positive."
        if contracts > self.max_order:
            return (
                f"An order of {contracts} contracts of {self.vt_symbol} exceeds the largest order of "
                f"{self.max_order}; split it into several orders."
            )
        return None

    def opening_error(self, calendar: TradingCalendar) -> str | None:
        """Why no new position may be opened on this day; None where it may.

        Contracts with physical delivery are refused from the first day of their delivery month, which
        individuals cannot hold through; cash-settled ones after their last trading day.
        """
        month = date(self.delivery_year, self.delivery_month, 1)
        if self.row.cash_settled:
            last = self.last_trading_day(calendar)
            if self.on > last:
                return f"{self.vt_symbol} stopped trading on {last.isoformat()}; choose a later contract."
            return None
        if self.on >= month:
            return f"{self.vt_symbol} is in its delivery month; choose a later contract."
        return None

    def last_trading_day(self, calendar: TradingCalendar) -> date:
        """Third Friday of the delivery month, or the next trading day after it (CFFEX index futures).

        RuleUnknown for products whose last day the tables do not hold.
        """
        if not self.row.cash_settled:
            raise RuleUnknown(f"The last trading day of {self.vt_symbol} is not in the tables.")
        first = date(self.delivery_year, self.delivery_month, 1)
        friday = first + timedelta(days=(_FRIDAY - first.weekday()) % 7 + 14)
        return friday if calendar.is_session(friday) else calendar.next_session(friday)


def futures_rules(vt_symbol: str, on: date) -> FuturesRules:
    """The rules of a contract such as IF2101.CFFEX, rb2405.SHFE or SR405.CZCE on a day.

    UnknownSymbol for a code that is no contract of a known product; RuleUnknown before its first day.
    """
    code, exchange = split_symbol(vt_symbol)
    found = _CODE.fullmatch(code)
    rows = [row for row in PRODUCTS if found and (row.exchange, row.product) == (exchange, found[1])]
    if exchange not in FUTURES_EXCHANGES or found is None or not rows:
        raise UnknownSymbol(
            f"The symbol {vt_symbol} is no futures contract that the tables know; write product and delivery "
            "month as the exchange does, for example IF2101.CFFEX, rb2405.SHFE or SR405.CZCE."
        )
    row = in_force(rows, on, f"contract specification of {found[1]}.{exchange}")
    year, month = _delivery(found[2], on, vt_symbol)
    return FuturesRules(vt_symbol, on, row, year, month, fee_row(exchange, found[1], on))


def is_contract(vt_symbol: str) -> bool:
    """Whether a symbol is a futures contract, by its exchange."""
    return vt_symbol.rpartition(".")[2] in FUTURES_EXCHANGES


def contract_terms(vt_symbol: str, on: date) -> ContractTerms | None:
    """Multiplier and margin of a contract on a day, None for what is no futures contract."""
    if not is_contract(vt_symbol):
        return None
    rules = futures_rules(vt_symbol, on)
    return ContractTerms(multiplier=rules.multiplier, margin=rules.row.margin)


def _delivery(digits: str, on: date, vt_symbol: str) -> tuple[int, int]:
    """Delivery year and month; a single year digit (CZCE) means the nearest such year not before `on`."""
    year, month = int(digits[:-2]), int(digits[-2:])
    if not 1 <= month <= 12:
        raise UnknownSymbol(f"The symbol {vt_symbol} names month {month:02d}; months are 01 to 12.")
    if len(digits) == 4:
        return 2000 + year, month
    nearest = on.year - on.year % 10 + year
    return (nearest if nearest >= on.year else nearest + 10), month
