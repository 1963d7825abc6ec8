"""The execution agent: signals become parent orders and intents; durable intents are sent; fills are booked.

An intent is on the disk before it is sent, and the trading state is looked at immediately before sending.
What is not certain is never sent again.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from vnpy.event import Event
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType
from vnpy.trader.object import OrderData, OrderRequest, TradeData

from vnpy_aiagent.agents.approval import ApprovalDesk
from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.day_counts import DayCounts, count_on
from vnpy_aiagent.agents.fills import fill_of, origin_of, record_trip
from vnpy_aiagent.agents.overtaken import Overtaken
from vnpy_aiagent.agents.reports import is_volume, order_fault
from vnpy_aiagent.agents.slips import SlipBook
from vnpy_aiagent.base import (
    EVENT_AI_DURABLE,
    EVENT_AI_FILL,
    EVENT_AI_INTENT,
    EVENT_AI_ORDER,
    EVENT_AI_SIGNAL,
)
from vnpy_aiagent.domain import (
    Activity,
    AgentName,
    Fill,
    Intent,
    OrderState,
    OrderUpdate,
    ParentDone,
    ParentOrder,
    Route,
    Sent,
    Severity,
    Side,
    Signal,
    Text,
    TradingState,
    Withheld,
    say,
)
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.execution import Child, OrderDesk, Parent
from vnpy_aiagent.portfolio import Reservation

EXPIRE_TIMER = "parent_expires"
RETRY_TIMER = "intent_retry"
ONE_SECOND = timedelta(seconds=1)
MAX_INTENT_AGE = timedelta(seconds=60)

OrderRoute = Callable[[Intent], tuple[str, ...] | Text]
"""Sends the order of a durable intent; the vt_orderids, or the reason why nothing was sent."""

OnVoid = Callable[[Signal, Text, str], None]
"""Hears of a signal that becomes no order: the signal, why, and the id of the message that says so."""


def _nobody_waits(signal: Signal, reason: Text, cause: str) -> None:
    pass


class ExecutionAgent:
    """Works signals: through the host's gateways (DIRECT), or through a registered CTA strategy (CTA)."""

    def __init__(self, house: AgentContext) -> None:
        """Subscribe to signals, durable intents and broker reports (which the engine forwards)."""
        self.house = house
        self.desk = OrderDesk()
        self.overtaken = Overtaken(house)
        self.approvals = ApprovalDesk(house, self._work, self.overtaken)
        self.on_void: OnVoid = _nobody_waits
        self.slips = SlipBook(house)
        self._sent_at: dict[str, deque[datetime]] = {}
        self.sent_on_day: DayCounts = DayCounts()
        self._routes: dict[tuple[str, str], OrderRoute] = {}
        self._missed: set[tuple[str, str]] = set()
        self.foreign_orders: dict[str, set[str]] = {}
        self.foreign_fills: dict[str, set[str]] = {}
        self._disbelieved: set[tuple[str, ...]] = set()
        house.bus.subscribe(EVENT_AI_SIGNAL, self.on_signal)
        house.bus.subscribe(EVENT_AI_DURABLE, self.on_durable)

    # routes

    def register_route(self, account: str, symbol: str, route: OrderRoute) -> None:
        """Let a CTA strategy send the orders of one account and symbol.

        ConfigError where no account of that name has route CTA, or another strategy has the symbol already.
        """
        cta = [item.name for item in self.house.settings.accounts if item.route is Route.CTA]
        if account not in cta:
            known = ", ".join(cta) or "none; set `route: CTA` for one in the settings"
            raise ConfigError(
                f"account {account!r} is no account of route CTA; accounts of that route: {known}"
            )
        if self._routes.get((account, symbol), route) != route:
            raise ConfigError(
                f"another strategy trades {symbol} for account {account!r}; stop it, or use another account"
            )
        self._routes[account, symbol] = route
        self._missed.discard((account, symbol))

    def release_route(self, account: str, symbol: str, route: OrderRoute) -> None:
        """Take a registered route back; any other route stays."""
        if self._routes.get((account, symbol)) == route:
            del self._routes[account, symbol]

    # signals

    def on_signal(self, signal: Signal) -> None:
        """Open a parent order and its intent, unless it is void or a human is to be asked first."""
        overtaken = self.overtaken.why(signal)
        if overtaken is not None:
            self._void(signal, overtaken)
        elif not self.approvals.holds(signal):
            self._work(signal, signal.id)

    def _work(self, signal: Signal, cause: str) -> None:
        house = self.house
        objection = self.overtaken.ownership(signal)
        if objection is not None:
            self._void(signal, objection)
            return
        house.bus.status(AgentName.EXECUTION, Activity.EXECUTING, signal.symbol)
        if signal.protective:
            self._clear_buys(signal.account, signal.symbol)
        order = house.bus.post(
            ParentOrder,
            EVENT_AI_ORDER,
            cause=cause,
            account=signal.account,
            signal_id=signal.id,
            symbol=signal.symbol,
            side=signal.side,
            volume=signal.volume,
            protective=signal.protective,
        )
        parent = self.desk.open(order, signal)
        house.timers.set(signal.valid_until, EXPIRE_TIMER, order.id)
        self._intend(parent, signal.volume, signal.limit)

    def _void(self, signal: Signal, reason: Text) -> None:
        """A signal becomes no order; whoever waits for it hears so."""
        withheld = self.house.bus.post(
            Withheld, cause=signal.id, account=signal.account, intent_id="", reason=reason
        )
        self.house.bus.say_log(reason, Severity.WARNING)
        self.on_void(signal, reason, withheld.id)

    def _intend(self, parent: Parent, volume: int, price: Decimal) -> None:
        house, signal = self.house, parent.signal
        gateway = house.account(signal.account).gateway_name
        number = len(parent.children) + 1
        intent = house.bus.post_durable(
            Intent,
            cause=parent.order.id,
            account=signal.account,
            parent_id=parent.order.id,
            reference=f"{parent.order.id}/{number}",
            gateway=gateway,
            symbol=signal.symbol,
            side=signal.side,
            volume=volume,
            price=price,
        )
        self.desk.add(intent)
        margin = house.portfolio.rules(signal.symbol).order_fees(signal.side, price * volume, volume).total
        book = house.portfolio.books[signal.account]
        book.reserve(intent.id, Reservation(signal.symbol, signal.side, volume, price, margin))

    # sending

    def on_durable(self, intent: Intent) -> None:
        """Send an intent that is on the disk, unless the state says no."""
        child = self.desk.child(intent.id)
        if child is None or child.state is not OrderState.INTENDED:
            return
        parent = self.desk.parent_of(child)
        state = self.house.control.state
        if state is TradingState.HALTED:
            self._withhold(child, say("交易已停止（HALTED），委托未发送"))
        elif state is TradingState.REDUCING and intent.side is Side.BUY:
            self._withhold(child, say("当前只减仓（REDUCING），买单未发送"))
        elif self.house.clock.now() >= parent.signal.valid_until:
            self._withhold(child, say("信号已过期，委托未发送"))
        elif (objection := self.overtaken.ownership(parent.signal, intent.id)) is not None:
            self._withhold(child, objection)
        elif self._route_missing(intent):
            self._withhold(child, say("没有 CTA 策略承接，委托未发送"))
        elif self.house.clock.now() - intent.at > MAX_INTENT_AGE:
            self._withhold(child, say("日志落盘过迟，价格已陈旧，委托未发送"))
        elif not parent.signal.protective and self._over_daily_limit(intent):
            self._withhold(child, say("当日委托次数已达上限，委托未发送"))
        elif self._over_rate(intent):
            self.house.timers.set(self.house.clock.now() + ONE_SECOND, RETRY_TIMER, intent)
        else:
            self._send(child)

    def _send(self, child: Child) -> None:
        intent = child.intent
        route = self._routes.get((intent.account, intent.symbol))
        try:
            taken = route(intent) if route is not None else self._send_direct(intent)
        except Exception as error:  # noqa: BLE001 - a gateway may raise after the order left: its fate is open
            self._unknown(child, error)
            return
        if isinstance(taken, Text) or not taken:
            silent = say("接口 {gateway} 未接受委托", gateway=intent.gateway)
            reason = taken if isinstance(taken, Text) else silent
            self._withhold(child, reason)
            self.slips.write(intent, reason)
            return
        self._is_out(intent, taken)

    def _is_out(self, intent: Intent, vt_orderids: tuple[str, ...]) -> None:
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

    def _send_direct(self, intent: Intent) -> tuple[str, ...]:
        symbol, _, suffix = intent.symbol.rpartition(".")
        request = OrderRequest(
            symbol=symbol,
            exchange=Exchange(suffix),
            direction=Direction.LONG if intent.side is Side.BUY else Direction.SHORT,
            type=OrderType.LIMIT,
            volume=intent.volume,
            price=float(intent.price),
            offset=Offset.OPEN if intent.side is Side.BUY else Offset.CLOSE,
            reference=intent.reference,
        )
        vt_orderid = self.house.broker.send(request, intent.gateway)
        return (vt_orderid,) if vt_orderid else ()

    def _route_missing(self, intent: Intent) -> bool:
        """Whether a CTA account has no strategy for the symbol; a human is told once, until there is one."""
        key = intent.account, intent.symbol
        if self.house.account(intent.account).route is not Route.CTA or key in self._routes:
            return False
        if key not in self._missed:
            self._missed.add(key)
            sentence = say(
                "没有 CTA 策略承接 {account} 的 {symbol}：请在 CTA 策略中启动该合约的 AiAgentStrategy，"
                "参数 account 填 {account}",
                account=intent.account,
                symbol=intent.symbol,
            )
            self.house.bus.alert(Severity.CRITICAL, sentence, cause=intent.id, account=intent.account)
            self.slips.write(intent, say("没有 CTA 策略承接，委托未发送"))
        return True

    def _unknown(self, child: Child, error: Exception) -> None:
        """The gateway raised while it had the order: never sent again, its exposure stays reserved."""
        intent = child.intent
        self.desk.unknown(child)
        detail = child.reason = f"{type(error).__name__}: {error}"
        self._tell_state(child, "")
        sentence = say(
            "{account} {symbol} 有一笔委托状态不明（{error}），请在柜台核对；系统不会重发",
            account=intent.account,
            symbol=intent.symbol,
            error=detail,
        )
        self.house.bus.alert(Severity.CRITICAL, sentence, cause=intent.id, account=intent.account)
        self.slips.write(intent, say("接口报错，委托可能已发出：请先在柜台核对，确实没有再补单"))

    def _withhold(self, child: Child, reason: Text) -> None:
        intent = child.intent
        self.desk.withheld(intent.id)
        self.house.bus.post(
            Withheld, cause=intent.id, account=intent.account, intent_id=intent.id, reason=reason
        )
        self.house.bus.say_log(reason, Severity.WARNING)
        self._after_change(child)

    def _over_rate(self, intent: Intent) -> bool:
        """Whether the account sent as many orders in the last second as it may; else count this one."""
        now = self.house.clock.now()
        sent = self._sent_at.setdefault(intent.account, deque())
        while sent and now - sent[0] >= ONE_SECOND:
            sent.popleft()
        if len(sent) >= self.house.settings.execution.max_orders_per_second:
            return True
        sent.append(now)
        count_on(self.sent_on_day, intent.account, now.date())
        return False

    def _over_daily_limit(self, intent: Intent) -> bool:
        sent = self.sent_on_day[intent.account, self.house.today()]
        return sent >= self.house.settings.execution.max_orders_per_day

    # broker reports

    def on_order(self, data: OrderData) -> None:
        """Fold a broker's order report."""
        account = self.house.account_of_gateway(data.gateway_name)
        if account is None:
            return
        child = self.desk.owner(data.vt_orderid)
        if child is None and (child := self.desk.waiting_for(data)) is not None:
            self._is_out(child.intent, (data.vt_orderid,))
        if child is None:
            self._foreign(account.name, data)
            return
        fault = order_fault(child, data)
        if fault is not None:
            self._disbelieve(child, data, data.status.name, fault)
            return
        if self.desk.on_order(child, data):
            self._tell_state(child, data.vt_orderid)
            if child.state is OrderState.REJECTED:
                sentence = say(
                    "委托被拒 {symbol}：{reason}", symbol=child.intent.symbol, reason=child.reason or "—"
                )
                self.house.bus.alert(
                    Severity.WARNING, sentence, cause=child.intent.id, account=child.intent.account
                )
        self._after_change(child)

    def on_trade(self, data: TradeData) -> None:
        """Book a fill once."""
        account = self.house.account_of_gateway(data.gateway_name)
        if account is None:
            return
        child = self.desk.owner(data.vt_orderid)
        if child is None:
            self._foreign(account.name, data)
            return
        parent = self.desk.parents.get(child.intent.parent_id)
        fill = fill_of(self.house, account.name, child, parent, data)
        if isinstance(fill, Text):
            self._disbelieve(child, data, data.tradeid, fill)
        if not isinstance(fill, Fill):
            return
        trip = self.house.portfolio.apply(fill, origin_of(parent))
        if self.desk.on_fill(child, fill.price, fill.volume):
            self._tell_state(child, data.vt_orderid)
        self.house.bus.events.put(Event(EVENT_AI_FILL, fill))
        self.house.bus.say_log(
            say(
                "成交 {account} {side} {symbol} {volume} 股 @ {price}",
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
        self._after_change(child)

    def _tell_state(self, child: Child, vt_orderid: str) -> None:
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
        if filled:
            sentence = say(
                "{account} 的接口上有非本系统的委托 {order} 成交：{symbol} {volume} 股；账本未计入，"
                "账户与交易所不一致，请人工核对",
                account=account,
                **figures,
            )
        self.house.bus.alert(Severity.CRITICAL if filled else Severity.WARNING, sentence, account=account)

    # endings

    def _after_change(self, child: Child) -> None:
        if not child.ended:
            return
        account = child.intent.account
        self.house.portfolio.books[account].release(child.intent.id)
        parent = self.desk.parents.get(child.intent.parent_id)
        if parent is None or not parent.ended:
            return
        self.desk.close(parent)
        self.house.bus.post(
            ParentDone,
            EVENT_AI_ORDER,
            cause=parent.order.id,
            account=account,
            parent_id=parent.order.id,
            symbol=parent.order.symbol,
            side=parent.order.side,
            state=parent.state,
            filled=parent.filled,
            average_price=parent.average_price,
        )
        if not self.desk.parents:
            self.house.bus.status(AgentName.EXECUTION, Activity.COMPLETED, parent.order.symbol)

    def on_expired(self, parent_id: str) -> None:
        """A parent's time is up: cancel what still works."""
        parent = self.desk.parents.get(parent_id)
        if parent is not None:
            self.cancel(parent)

    def cancel(self, *parents: Parent) -> None:
        """Cancel the parents' working orders; an intent not yet sent is withheld.

        A cancel that the gateway fails on does not keep the others back; a human is told how many failed.
        """
        failed: list[str] = []
        why = ""
        for child in [child for parent in parents for child in parent.children if not child.ended]:
            if not child.vt_orderids and child.state is OrderState.INTENDED:
                self._withhold(child, say("撤销未发送的委托"))
            for vt_orderid in child.vt_orderids:
                try:
                    self.house.broker.cancel(vt_orderid, child.intent.symbol)
                except Exception as error:  # noqa: BLE001 - a gateway's own errors must not keep the rest back
                    failed.append(vt_orderid)
                    why = f"{type(error).__name__}: {error}"
        if failed:
            sentence = say(
                "{count} 笔委托撤单失败，可能仍在场内：{orders}（{why}）；请在柜台核对并撤单",
                count=len(failed),
                orders="、".join(failed),
                why=why,
            )
            self.house.bus.alert(Severity.CRITICAL, sentence)

    def _clear_buys(self, account: str, symbol: str) -> None:
        """Take an account's buys back before its stop sells: the two would trade with each other."""
        self.cancel(*[p for p in self.orders_in(account, symbol) if p.order.side is Side.BUY])

    def orders_in(self, account: str, symbol: str) -> list[Parent]:
        """Parents that an account has working in a symbol."""
        parents = self.desk.parents.values()
        return [p for p in parents if p.order.account == account and p.order.symbol == symbol]

    def cancel_sales(self, account: str, symbol: str) -> int:
        """Cancel the sales that a plan has working in a symbol, not the stop's own; returns how many."""
        sales = [
            parent
            for parent in self.orders_in(account, symbol)
            if parent.order.side is Side.SELL and not parent.order.protective
        ]
        self.cancel(*sales)
        return len(sales)

    def cancel_all(self, *, entries_only: bool = False) -> int:
        """Cancel every working order (or every entry); returns how many parents were touched."""
        parents = [
            p for p in list(self.desk.parents.values()) if not entries_only or p.order.side is Side.BUY
        ]
        self.cancel(*parents)
        return len(parents)
