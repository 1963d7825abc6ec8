"""Why the simulated exchange, or the broker before it, refuses an order. Every reason is a Chinese clause.

Prices in CNY, volumes in shares. An empty string means: taken.
"""

from decimal import Decimal

from vnpy.trader.constant import Direction, OrderType
from vnpy.trader.object import OrderRequest

from vnpy_aiagent.domain import Side, is_number, to_decimal
from vnpy_aiagent.market import InstrumentRules
from vnpy_aiagent.market.matching import MarketView, meets_own
from vnpy_aiagent.sim.account import Holding, SimAccount, SimOrder

MAX_PRICE = 1e9
"""CNY, or points of a futures contract: a price from here on is a slip, and too large to lie on any grid."""


def side_of(request: OrderRequest) -> Side:
    """Side of a cash-market order; its offset carries no meaning there."""
    return Side.BUY if request.direction is Direction.LONG else Side.SELL


def buy_cost(rules: InstrumentRules, limit: Decimal, volume: int) -> Decimal:
    """Cash that a buy binds (CNY), fees included."""
    turnover = limit * volume
    return turnover + rules.order_fees(Side.BUY, turnover, Decimal(volume)).total


def still_bound(rules: InstrumentRules, order: SimOrder) -> Decimal:
    """Cash that a working buy binds (CNY): what is left at its limit, and the fees that this would add."""
    left = order.remaining
    if not left:
        return Decimal(0)
    value = order.limit * left
    fees = rules.order_fees(Side.BUY, order.turnover + value, Decimal(order.volume)).total
    return value + fees - order.fees


def form_error(request: OrderRequest) -> str:
    """Whether the order is one at all."""
    if request.type is not OrderType.LIMIT:
        return "只接受限价单"
    if request.direction not in (Direction.LONG, Direction.SHORT):
        return "买卖方向无效"
    if not (is_number(request.price) and 0 < request.price < MAX_PRICE and is_number(request.volume)):
        return "价格或数量无效"
    return ""


def price_error(request: OrderRequest, rules: InstrumentRules, view: MarketView | None) -> str:
    """Whether the instrument trades today and the price lies on its grid and within the day's limits."""
    if view is None or view.suspended:
        return "没有当日行情或停牌"
    limit = to_decimal(request.price)
    if limit % rules.tick_size:
        return f"价格不是最小变动价位 {rules.tick_size} 的整数倍"
    too_high = view.limit_up is not None and limit > view.limit_up
    too_low = view.limit_down is not None and limit < view.limit_down
    if too_high or too_low:
        return f"价格 {limit} 超出涨跌停范围 {view.limit_down}～{view.limit_up}"
    return ""


def cage_edge(side: Side, rules: InstrumentRules, view: MarketView) -> Decimal | None:
    """Furthest price that continuous trading takes now (CNY); None where no cage holds."""
    return rules.cage(side, view.bid, view.ask, view.last, None)


def outside_cage(side: Side, limit: Decimal, edge: Decimal | None) -> bool:
    """Whether a limit reaches beyond the cage's edge."""
    if edge is None:
        return False
    return limit > edge if side is Side.BUY else limit < edge


def cage_error(side: Side, limit: Decimal, rules: InstrumentRules, view: MarketView) -> str:
    """Whether the price lies outside the cage and is refused for it; where the exchange parks it is taken."""
    edge = cage_edge(side, rules, view)
    if not outside_cage(side, limit, edge) or (rules.cage_rule is not None and rules.cage_rule.parks):
        return ""
    bound = f"买入不高于 {edge}" if side is Side.BUY else f"卖出不低于 {edge}"
    return f"价格 {limit} 超出有效申报价格范围（{bound}）"


def after_hours_error(side: Side, limit: Decimal, closing: Decimal | None) -> str:
    """Whether an order for the trading at the closing price can trade at it."""
    if closing is None:
        return "收盘价尚未产生，盘后定价委托请稍后再报"
    if side is Side.BUY and limit < closing:
        return f"盘后定价交易按收盘价 {closing} 成交，买入限价 {limit} 低于收盘价"
    if side is Side.SELL and limit > closing:
        return f"盘后定价交易按收盘价 {closing} 成交，卖出限价 {limit} 高于收盘价"
    return ""


def account_error(request: OrderRequest, rules: InstrumentRules, account: SimAccount) -> str:
    """Whether the account may send this volume and can pay or deliver it."""
    side = side_of(request)
    holding = account.holdings.get(request.vt_symbol, Holding())
    error = rules.volume_error(side, request.volume, holding.volume - holding.frozen)
    if error:
        return f"委托数量不合规：{error}"
    if side is Side.BUY:
        most = rules.daily_buy_max
        if most is not None and holding.today + _buying(request, account) + request.volume > most:
            return f"超出风险警示股票单日买入上限 {most} 股"
        cost = buy_cost(rules, to_decimal(request.price), int(request.volume))
        return "" if cost <= account.available else f"资金不足：需要 {cost}，可用 {account.available}"
    sellable = holding.sellable(rules.t_plus)
    return "" if request.volume <= sellable else f"可卖数量不足：可卖 {sellable}（当日买入不可卖）"


def self_trade_error(request: OrderRequest, account: SimAccount) -> str:
    """Whether the order would meet one of the same account; brokers refuse what trades with itself."""
    side, limit = side_of(request), to_decimal(request.price)
    for order in account.orders.values():
        if order.request.vt_symbol == request.vt_symbol and meets_own(side, limit, order.side, order.limit):
            other = "卖单" if side is Side.BUY else "买单"
            return f"自成交：同一账户的{other} {order.orderid}（限价 {order.limit}）尚未成交，请先撤单"
    return ""


def _buying(request: OrderRequest, account: SimAccount) -> int:
    """Shares that the account's working orders may still buy of the symbol."""
    return sum(
        order.remaining
        for order in account.orders.values()
        if order.side is Side.BUY and order.request.vt_symbol == request.vt_symbol
    )
