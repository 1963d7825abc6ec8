"""What the exchange says about one symbol on the backtest's present day: rules, price band, refusals."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from math import isfinite

from vnpy.trader.constant import Direction, Offset
from vnpy.trader.object import OrderData

from vnpy_aiagent.backtest.ledger import Ledger
from vnpy_aiagent.domain.enums import Side
from vnpy_aiagent.domain.money import to_decimal
from vnpy_aiagent.market import (
    Board,
    CommissionPlan,
    InstrumentRules,
    PriceBand,
    instrument_rules,
    require_cash_market,
)

ZERO = Decimal(0)


class Reason(StrEnum):
    """Why an order was refused; the names are those of `aiagent audit`, and more."""

    LOT_SIZE = "lot_size"
    T_PLUS_ONE = "t_plus_one"
    PRICE_LIMIT = "price_limit"
    PRICE_CAGE = "price_cage"
    CASH = "cash"
    HOLDING = "holding"
    SHORT_SALE = "short_sale"
    DAILY_BUY = "daily_buy"
    SELF_TRADE = "self_trade"
    SUSPENDED = "suspended"


SENTENCES = {
    Reason.LOT_SIZE: "数量不合规",
    Reason.T_PLUS_ONE: "当日买入不可卖（T+1）",
    Reason.PRICE_LIMIT: "价格超出涨跌停范围",
    Reason.PRICE_CAGE: "价格超出有效申报范围",
    Reason.CASH: "资金不足",
    Reason.HOLDING: "持仓不足",
    Reason.SHORT_SALE: "不支持卖空",
    Reason.DAILY_BUY: "超出风险警示股票单日买入上限",
    Reason.SELF_TRADE: "会与自己的在途委托成交（自成交）",
    Reason.SUSPENDED: "停牌或当日没有成交",
}


@dataclass(frozen=True, slots=True)
class Instrument:
    """Facts about the symbol that its code does not say: see `instrument_rules`.

    `issue_price` (CNY) is the reference of the limits on the day of `listed`.
    """

    name: str = ""
    listed: date | None = None
    board: Board | None = None
    t_plus: int | None = None
    delisting: date | None = None
    issue_price: Decimal | None = None

    def rules(self, vt_symbol: str, on: date, commission: CommissionPlan) -> InstrumentRules:
        """The symbol's rules on a day; RuleUnknown for futures."""
        return require_cash_market(
            instrument_rules(
                vt_symbol,
                on,
                self.name,
                self.listed,
                board=self.board,
                t_plus=self.t_plus,
                delisting=self.delisting,
                commission=commission,
            )
        )


def side_of(order: OrderData) -> Side:
    """Side of a cash-market order."""
    return Side.BUY if order.direction is Direction.LONG else Side.SELL


@dataclass(slots=True)
class Session:
    """One trading day. `band` is None where no price limit holds; `suspended` where its bar has no volume."""

    day: date
    rules: InstrumentRules
    band: PriceBand | None
    suspended: bool = False

    def cost(
        self, price: Decimal, volume: int, turnover: Decimal = ZERO, traded: int = 0, paid: Decimal = ZERO
    ) -> Decimal:
        """Cash that a buy binds for what is left of it (CNY), with the fees that this would add.

        `turnover` (CNY), `traded` (shares) and `paid` (fees, CNY) are of its fills so far.
        """
        value = price * volume
        fees = self.rules.order_fees(Side.BUY, turnover + value, Decimal(traded + volume)).total
        return value + fees - paid

    def refusal(self, order: OrderData, ledger: Ledger, reference: Decimal | None) -> Reason | None:
        """Why the exchange or the broker refuses an arriving order, None where it is taken.

        `reference` is the price that the cage is measured from, None in an auction.
        """
        if self.suspended:
            return Reason.SUSPENDED
        side = side_of(order)
        if side is Side.BUY and order.offset not in (Offset.OPEN, Offset.NONE):
            return Reason.SHORT_SALE  # covering: there is no short position
        if side is Side.SELL and order.offset is Offset.OPEN:
            return Reason.SHORT_SALE
        reason = self._size(side, order.volume, ledger)
        if reason is not None:
            return reason
        if not isfinite(order.price):
            return Reason.PRICE_LIMIT
        price = to_decimal(order.price)
        return self._price(side, price, reference) or self._money(side, price, order.volume, ledger)

    def _size(self, side: Side, volume: float, ledger: Ledger) -> Reason | None:
        if side is Side.SELL and volume > ledger.unbound:
            return Reason.HOLDING
        if side is Side.SELL and volume > ledger.sellable(self.rules.t_plus):
            return Reason.T_PLUS_ONE
        if self.rules.volume_error(side, volume, ledger.unbound):
            return Reason.LOT_SIZE
        most = self.rules.daily_buy_max
        if side is Side.BUY and most is not None and ledger.bought_today + volume > most:
            return Reason.DAILY_BUY
        return None

    def _price(self, side: Side, price: Decimal, reference: Decimal | None) -> Reason | None:
        if price <= 0 or (self.band is not None and not self.band.contains(price)):
            return Reason.PRICE_LIMIT
        if not self.parks and self.outside(side, price, reference):
            return Reason.PRICE_CAGE
        return None

    @property
    def parks(self) -> bool:
        """Whether an order outside the price cage waits at the exchange instead of being refused."""
        return self.rules.cage_rule is not None and self.rules.cage_rule.parks

    def outside(self, side: Side, price: Decimal, reference: Decimal | None) -> bool:
        """Whether a price lies outside the cage around a reference; never where there is none."""
        edge = None if reference is None else self.rules.cage(side, None, None, reference, None)
        return edge is not None and (price > edge if side is Side.BUY else price < edge)

    def _money(self, side: Side, price: Decimal, volume: float, ledger: Ledger) -> Reason | None:
        if side is Side.BUY and self.cost(price, int(volume)) > ledger.available:
            return Reason.CASH
        return None
