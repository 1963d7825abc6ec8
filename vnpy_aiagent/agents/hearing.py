"""What the broker reports: orders and fills are folded into the desk and booked once."""

from collections.abc import Callable
from dataclasses import replace

from vnpy.event import Event
from vnpy.trader.constant import Status
from vnpy.trader.event import EVENT_ORDER
from vnpy.trader.object import OrderData, TradeData

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.fills import fill_of, origin_of, record_trip
from vnpy_aiagent.agents.reports import is_volume, order_fault
from vnpy_aiagent.base import EVENT_AI_FILL, EVENT_AI_INTENT, EVENT_AI_ORDER
from vnpy_aiagent.domain import Fill, Intent, Mode, OrderState, OrderUpdate, Sent, Severity, Side, Text, say
from vnpy_aiagent.execution import Child, OrderDesk

AfterChange = Callable[[Child], None]
NOT_TAKEN = "0"
"""Id of an order that XTP's library did not take: vnpy_xtp passes that answer on as if it were an order's."""


def was_taken(vt_orderid: str) -> bool:
    """Whether a gateway's answer to a request is the id of an order."""
    return bool(vt_orderid) and not vt_orderid.endswith(f".{NOT_TAKEN}")


class Hearing:
    """Broker reports on orders of ours, and on orders that nobody here sent.

    `foreign_orders` and `foreign_fills` are ids of the latter by account, of which a human was told.
    """

    def __init__(self, house: AgentContext, desk: OrderDesk, after_change: AfterChange) -> None:
        """`after_change` hears of a child of which anything was reported."""
        self.house = house
        self.desk = desk
        self.after_change = after_change
        self.foreign_orders: dict[str, set[str]] = {}
        self.foreign_fills: dict[str, set[str]] = {}
        self._disbelieved: set[tuple[str, ...]] = set()
        self._found_again: set[str] = set()
        self._booked: dict[tuple[str, str], tuple[float, float]] = {}

    def is_out(self, intent: Intent, vt_orderids: tuple[str, ...]) -> None:
        """The broker's ids of an order are known: take what came for them before."""
        self.house.bus.post(
            Sent,
            EVENT_AI_INTENT,
            cause=intent.id,
            account=intent.account,
            intent_id=intent.id,
            vt_orderids=vt_orderids,
        )
        for strangers in (self.foreign_orders, self.foreign_fills):
            strangers.get(intent.account, set()).difference_update(vt_orderids)
        for early in self.desk.sent(intent.id, vt_orderids):
            if isinstance(early, TradeData):
                self.on_trade(early)
            else:
                self.on_order(early)

    def on_order(self, data: OrderData) -> None:
        """Fold a broker's order report."""
        account = self.house.account_of_gateway(data.gateway_name)
        if account is None:
            return
        if data.orderid == NOT_TAKEN:
            if data.is_active():  # or vnpy shows it as submitting for ever
                self.house.bus.events.put(Event(EVENT_ORDER, replace(data, status=Status.REJECTED)))
            return
        child = self.desk.owner(data.vt_orderid)
        if child is None and (child := self.desk.waiting_for(data)) is not None:
            self.is_out(child.intent, (data.vt_orderid,))
        if child is None:
            self._foreign(account.name, data)
            return
        fault = order_fault(child, data)
        if fault is not None:
            self._disbelieve(child, data, getattr(data.status, "name", str(data.status)), fault)
            return
        if child.written_off and data.is_active():
            self._works_after_all(child, data)
        if self.desk.on_order(child, data):
            self.tell_state(child, data.vt_orderid)
            if child.state is OrderState.REJECTED:
                sentence = say(
                    "委托被拒 {symbol}：{reason}", symbol=child.intent.symbol, reason=child.reason or "—"
                )
                self.house.bus.alert(
                    Severity.WARNING, sentence, cause=child.intent.id, account=child.intent.account
                )
        self.after_change(child)

    def on_trade(self, data: TradeData) -> None:
        """Book a fill once."""
        account = self.house.account_of_gateway(data.gateway_name)
        if account is None:
            return
        child = self.desk.owner(data.vt_orderid)
        if child is None:
            self._foreign(account.name, data)
            return
        parent = self.desk.parent_of(child)
        fill = fill_of(self.house, account.name, child, parent, data)
        if fill is None:
            self._same_again(child, data)
        if isinstance(fill, Text):
            self._disbelieve(child, data, str(data.tradeid or ""), fill)
        if not isinstance(fill, Fill):
            return
        if parent is not None:
            parent.last_fill = self.house.clock.now()
            parent.first_fill = parent.first_fill or parent.last_fill
        self._booked[data.vt_orderid, data.tradeid] = data.price, data.volume
        trip = self.house.portfolio.apply(fill, origin_of(parent), child.intent.gateway)
        if self.desk.on_fill(child, fill.price, fill.volume):
            self.tell_state(child, data.vt_orderid)
        self.house.bus.events.put(Event(EVENT_AI_FILL, fill))
        self.house.bus.say_log(
            say(
                "成交 {account} {side} {symbol} {volume} 手 @ {price}"
                if fill.terms
                else "成交 {account} {side} {symbol} {volume} 股 @ {price}",
                account=account.name,
                side="买入" if fill.side is Side.BUY else "卖出",
                symbol=fill.symbol,
                volume=fill.volume,
                price=fill.price,
            ),
            Severity.INFO,
        )
        if trip is not None:
            record_trip(self.house, fill, trip, parent)
        self.after_change(child)

    def tell_state(self, child: Child, vt_orderid: str) -> None:
        """Journal the state of an order."""
        self.house.bus.post(
            OrderUpdate,
            EVENT_AI_ORDER,
            cause=child.intent.id,
            account=child.intent.account,
            intent_id=child.intent.id,
            vt_orderid=vt_orderid,
            state=child.state,
            traded=child.reported,
            reason=child.reason,
        )

    def is_of_before(self, child: Child) -> bool:
        """Whether an order is of an earlier trading day, and so over whatever is listed: a day order."""
        portfolio, intent = self.house.portfolio, child.intent
        return portfolio.trading_day(intent.symbol, intent.at) < portfolio.trading_day(intent.symbol)

    def _works_after_all(self, child: Child, data: OrderData) -> None:
        """An order that the broker had not listed, and that was given up, is there: cancelled, told."""
        house, intent = self.house, child.intent
        if self.is_of_before(child) or data.vt_orderid in self._found_again:
            return
        self._found_again.add(data.vt_orderid)
        sentence = say(
            "{account} {symbol} 的委托 {order} 柜台此前没有列出，已按结束处理，现在仍在场内，"
            "已撤单；请在柜台核对",
            account=intent.account,
            symbol=intent.symbol,
            order=data.vt_orderid,
        )
        house.bus.alert(Severity.CRITICAL, sentence, cause=intent.id, account=intent.account)
        house.broker.cancel(data.vt_orderid, intent.symbol)

    def _same_again(self, child: Child, data: TradeData) -> None:
        """A fill that is booked already: nothing to do, unless it says something else this time."""
        before = self._booked.get((data.vt_orderid, data.tradeid))
        if before is not None and before != (data.price, data.volume):
            price, volume = before
            why = say("同一成交编号已按 {volume} 股、价格 {price} 入账", volume=volume, price=price)
            self._disbelieve(child, data, data.tradeid, why)

    def _disbelieve(self, child: Child, data: OrderData | TradeData, what: str, why: Text) -> None:
        """A report that cannot be right changes nothing; a human is told once, with all that it said."""
        key = data.vt_orderid, what, str(why)
        if key in self._disbelieved:
            return
        self._disbelieved.add(key)
        sentence = say(
            "{account} 委托 {order} 的回报不可信，未处理：{why}（{what}，{symbol}，价格 {price}，"
            "数量 {volume}）；请在柜台核对",
            account=child.intent.account,
            order=data.vt_orderid,
            why=why,
            what=what or "—",
            symbol=data.vt_symbol,
            price=data.price,
            volume=data.volume,
        )
        self.house.bus.alert(Severity.CRITICAL, sentence, cause=child.intent.id, account=child.intent.account)

    def _foreign(self, account: str, data: OrderData | TradeData) -> None:
        """A report on an order that no intent owns: told once, and at its first fill, which is not booked."""
        self.desk.park(data)
        filled = isinstance(data, TradeData)
        orders = (self.foreign_fills if filled else self.foreign_orders).setdefault(account, set())
        if data.vt_orderid in orders:
            return
        orders.add(data.vt_orderid)
        figures = {
            "order": data.vt_orderid,
            "symbol": data.vt_symbol,
            "volume": int(data.volume) if is_volume(data.volume) else data.volume,
        }
        sentence = say(
            "{account} 的接口上有非本系统的委托 {order}：{symbol} {volume} 股，系统不管理它",
            account=account,
            **figures,
        )
        if filled and self.house.settings.mode is Mode.LIVE:
            sentence = say(
                "{account} 的接口上有非本系统的委托 {order} 成交：{symbol} {volume} 股；"
                "系统不管理它，下次与柜台核对时计入外部持仓",
                account=account,
                **figures,
            )
        elif filled:
            sentence = say(
                "{account} 的接口上有非本系统的委托 {order} 成交：{symbol} {volume} 股；账本未计入，"
                "账户与交易所不一致，请人工核对",
                account=account,
                **figures,
            )
        self.house.bus.alert(Severity.CRITICAL if filled else Severity.WARNING, sentence, account=account)
