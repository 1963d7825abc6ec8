"""What is wrong with a broker's report on an order of ours: such a report is told, and not believed."""

from datetime import datetime

from vnpy.trader.constant import Direction, Exchange, Status
from vnpy.trader.object import OrderData, TradeData

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.domain import MARKET_TZ, Side, Text, is_number, say, to_decimal
from vnpy_aiagent.execution import Child

DIRECTIONS = {Side.BUY: Direction.LONG, Side.SELL: Direction.SHORT}


def is_volume(value: float) -> bool:
    """Whether a figure is a count of shares: a finite number, whole, not negative."""
    return is_number(value) and value >= 0 and value == int(value)


def market_moment(house: AgentContext, data: TradeData) -> datetime:
    """When a trade happened, in market time, which a time without a zone is; now where none is told."""
    if data.datetime is None:
        return house.clock.now()
    if data.datetime.tzinfo is None:
        return data.datetime.replace(tzinfo=MARKET_TZ)
    return data.datetime.astimezone(MARKET_TZ)


def order_fault(child: Child, data: OrderData) -> Text | None:
    """Why an order's report cannot be right. Too large a `traded` is no fault: some gateways count twice."""
    if not isinstance(data.status, Status):
        return say("委托状态 {status} 无效", status=data.status)
    if not is_volume(data.traded):
        return say("已成交数量 {volume} 无效", volume=data.traded)
    return _other_order(child, data)


def shape_fault(data: TradeData) -> Text | None:
    """Why a trade's report has no identity: no id, exchange or time that could be one."""
    if not isinstance(data.tradeid, str) or not data.tradeid:
        return say("没有成交编号")
    if not isinstance(data.exchange, Exchange):
        return say("交易所 {exchange} 无效", exchange=data.exchange)
    if data.datetime is not None and not isinstance(data.datetime, datetime):
        return say("成交时间 {time} 无效", time=data.datetime)
    return None


def trade_fault(house: AgentContext, child: Child, data: TradeData) -> Text | None:
    """Why a trade that is not booked yet cannot be this order's."""
    return (
        _impossible_figures(data)
        or _other_order(child, data)
        or _too_many(house, child, data)
        or _impossible_price(house, child, data)
        or _impossible_day(house, child, data)
    )


def _impossible_figures(data: TradeData) -> Text | None:
    if not is_volume(data.volume) or not data.volume:
        return say("成交数量 {volume} 无效", volume=data.volume)
    if not is_number(data.price) or data.price <= 0:
        return say("成交价 {price} 无效", price=data.price)
    return None


def _too_many(house: AgentContext, child: Child, data: TradeData) -> Text | None:
    intent, volume = child.intent, int(data.volume)
    if child.filled + volume > intent.volume:
        figures = {"ordered": intent.volume, "filled": child.filled, "volume": volume}
        return say("超出委托数量：委托 {ordered} 股，已成交 {filled} 股，又报 {volume} 股", **figures)
    held = house.portfolio.books[intent.account].volume(intent.symbol)
    if intent.side is Side.SELL and volume > held:
        return say("卖出 {volume} 股，账上只有 {held} 股", volume=volume, held=held)
    return None


def _other_order(child: Child, data: OrderData | TradeData) -> Text | None:
    intent = child.intent
    if data.vt_symbol != intent.symbol:
        return say("合约 {symbol} 不是委托的 {ours}", symbol=data.vt_symbol, ours=intent.symbol)
    if data.direction not in (None, DIRECTIONS[intent.side]):
        return say("买卖方向与委托相反")
    return None


def _impossible_price(house: AgentContext, child: Child, data: TradeData) -> Text | None:
    """A limit order fills at its limit or better; a tick more is left to gateways that report averages."""
    intent, price = child.intent, to_decimal(data.price)
    worse = price - intent.price if intent.side is Side.BUY else intent.price - price
    if worse > house.portfolio.rules(intent.symbol).tick_size:
        return say("成交价 {price} 劣于限价 {limit}", price=price, limit=intent.price)
    return None


def _impossible_day(house: AgentContext, child: Child, data: TradeData) -> Text | None:
    """A trade of an earlier day belongs to an earlier order of the same id; one of tomorrow cannot be."""
    day = market_moment(house, data).date()
    first, today = child.intent.at.astimezone(MARKET_TZ).date(), house.today()
    if not first <= day <= max(first, today):
        return say("成交日期 {day} 不在委托日 {first} 至今日 {today} 之间", day=day, first=first, today=today)
    return None
