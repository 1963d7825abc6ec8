"""The simulated exchange: several accounts on one set of quotes, under the market's dated rules.

Prices come from outside (recorded bars, or a live quote gateway in paper mode); an account's fills never
move them, and accounts do not compete for volume: each may take `participation` of what traded. Day orders:
what is left at the close is cancelled.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from threading import RLock
from typing import Protocol

from vnpy.trader.constant import Direction, Exchange, OrderType, Status
from vnpy.trader.object import (
    AccountData,
    CancelRequest,
    OrderData,
    OrderRequest,
    PositionData,
    TradeData,
)

from vnpy_aiagent.config import SimSettings
from vnpy_aiagent.domain import Clock, Side, cny, to_decimal
from vnpy_aiagent.market import InstrumentRules
from vnpy_aiagent.market.matching import Execution, MarketView, match_arrival, match_resting
from vnpy_aiagent.sim.account import Holding, SimAccount, SimOrder

RulesFor = Callable[[str, date], InstrumentRules]
SessionOpen = Callable[[str, datetime], bool]


def side_of(request: OrderRequest) -> Side:
    """Side of a cash-market order; its offset carries no meaning there."""
    return Side.BUY if request.direction is Direction.LONG else Side.SELL


class Listener(Protocol):
    """Where an account's reports go: its gateway."""

    gateway_name: str

    def on_order(self, order: OrderData) -> None:
        """An order changed."""
        ...

    def on_trade(self, trade: TradeData) -> None:
        """A fill."""
        ...

    def on_position(self, position: PositionData) -> None:
        """A holding changed."""
        ...

    def on_account(self, account: AccountData) -> None:
        """Cash changed."""
        ...

    def write_log(self, msg: str) -> None:
        """A line for the log."""
        ...


@dataclass(frozen=True, slots=True)
class MarketPoint:
    """One moment of one symbol. `view.liquidity` is how many shares each account may take in its window.

    `new_window` begins a window; the moments after it share its liquidity. `jump` says that the price did not
    trade its way here from the moment before, as at a bar's opening.
    """

    vt_symbol: str
    view: MarketView
    new_window: bool = True
    jump: bool = False


class SimExchange:
    """Accounts, order checks, matching and T+1. Thread-safe."""

    def __init__(
        self,
        clock: Clock,
        rules_for: RulesFor,
        settings: SimSettings,
        session_open: SessionOpen | None = None,
        run: str = "",
    ) -> None:
        """`session_open(vt_symbol, when)` says whether orders are taken; None takes them at any time.

        `run` goes into order ids, so that those of a process started later on the same day differ.
        """
        self.clock = clock
        self.rules_for = rules_for
        self.settings = settings
        self.session_open = session_open
        self.run = run
        self.day: date | None = None
        self._views: dict[str, MarketView] = {}
        self._taken: dict[tuple[str, str], int] = {}
        self._accounts: dict[str, SimAccount] = {}
        self._listeners: dict[str, Listener] = {}
        self._symbols_with_orders: dict[str, int] = {}
        self._order_count = 0
        self._trade_count = 0
        self._lock = RLock()

    # accounts

    def open_account(self, name: str, listener: Listener, cash: Decimal) -> None:
        """Add an account, or give a known one its gateway; then report cash and holdings."""
        with self._lock:
            if name not in self._accounts:
                self._accounts[name] = SimAccount(name, cash)
            self._listeners[name] = listener
            self.report(name)

    def restore(
        self, name: str, cash: Decimal, holdings: dict[str, tuple[int, int, Decimal]], day: date
    ) -> None:
        """Set an account's cash and (volume, bought on `day`, cost) of each symbol, after a restart."""
        with self._lock:
            account = SimAccount(name, cash)
            for symbol, (volume, bought, cost) in holdings.items():
                account.holdings[symbol] = Holding(volume, bought, 0, cost)
            self._accounts[name] = account
            self.day = day

    def account(self, name: str) -> SimAccount:
        """The account of that name."""
        return self._accounts[name]

    def report(self, name: str) -> None:
        """Report cash and holdings to the account's gateway."""
        with self._lock:
            account, listener = self._accounts[name], self._listeners[name]
            for symbol in sorted(account.holdings):
                self._report_holding(account, listener, symbol)
            self._report_cash(account, listener)

    # sessions and prices

    def start_session(self, day: date) -> None:
        """Begin a trading day: shares bought before can be sold, counters of the day start anew.

        Beginning the present day again (a restart in mid session) keeps what is locked and counted.
        """
        with self._lock:
            self._views.clear()
            self._taken.clear()
            if day == self.day:
                return
            self.end_session()
            self.day = day
            self._trade_count = 0
            self._order_count = 0
            for name, account in self._accounts.items():
                for symbol, holding in account.holdings.items():
                    if holding.today:
                        holding.today = 0
                        self._report_holding(account, self._listeners[name], symbol)

    def end_session(self) -> None:
        """Close the trading day: what is still working is cancelled."""
        with self._lock:
            for name, account in self._accounts.items():
                for order in list(account.orders.values()):
                    self._end(name, account, order, Status.CANCELLED, "收盘未成交，自动撤单")

    def move(self, point: MarketPoint) -> None:
        """Take a symbol's new market moment and match working orders against it."""
        with self._lock:
            symbol = point.vt_symbol
            before = self._views.get(symbol)
            moved_from = None if before is None or point.jump else before.last
            present = self._views[symbol] = replace(point.view, moved_from=moved_from)
            if point.new_window and self._taken:
                for name in self._accounts:
                    self._taken.pop((name, symbol), None)
            if not self._symbols_with_orders.get(symbol):
                return
            for name, account in self._accounts.items():
                for order in [o for o in account.orders.values() if o.request.vt_symbol == symbol]:
                    view = self._left(name, symbol, present)
                    done = match_resting(order.side, order.limit, order.remaining, view)
                    if done:
                        self._fill(name, account, order, done)

    def close_window(self, vt_symbol: str) -> None:
        """No more volume at the present moment: orders that arrive now wait for the next one."""
        with self._lock:
            view = self._views.get(vt_symbol)
            if view is not None:
                for name in self._accounts:
                    self._taken[name, vt_symbol] = view.liquidity

    def resting_limits(self, vt_symbol: str) -> list[Decimal]:
        """Limits of the orders that work in a symbol."""
        with self._lock:
            if not self._symbols_with_orders.get(vt_symbol):
                return []
            return [
                order.limit
                for account in self._accounts.values()
                for order in account.orders.values()
                if order.request.vt_symbol == vt_symbol
            ]

    # orders

    def send_order(self, name: str, request: OrderRequest) -> str:
        """Take an order: acknowledge, refuse with a reason, or fill what can be filled. Returns its id."""
        with self._lock:
            self._order_count += 1
            day = self.day or self.clock.now().date()
            orderid = "-".join(filter(None, (f"{day:%Y%m%d}", self.run, f"{self._order_count:06d}")))
            listener = self._listeners[name]
            listener.on_order(self._data(listener, orderid, request, Status.SUBMITTING, 0))
            account = self._accounts[name]
            reason = self._refusal(account, request, day)
            if reason:
                listener.on_order(self._data(listener, orderid, request, Status.REJECTED, 0, reason))
                listener.write_log(f"拒单 {orderid} {request.vt_symbol}：{reason}")
                return orderid
            order = self._accept(account, orderid, request, day)
            listener.on_order(self._data(listener, orderid, request, Status.NOTTRADED, 0))
            self._report_cash(account, listener)
            self._arrive(name, account, order)
            return orderid

    def cancel_order(self, name: str, request: CancelRequest) -> None:
        """Cancel what is left of an order; an unknown or ended one is only logged."""
        with self._lock:
            account = self._accounts[name]
            order = account.orders.get(request.orderid)
            if order is None:
                self._listeners[name].write_log(f"撤单失败：委托 {request.orderid} 不存在或已结束")
                return
            self._end(name, account, order, Status.CANCELLED, "已撤单")

    def _accept(self, account: SimAccount, orderid: str, request: OrderRequest, day: date) -> SimOrder:
        side = side_of(request)
        limit = to_decimal(request.price)
        order = SimOrder(orderid, request, side, limit, int(request.volume))
        account.orders[orderid] = order
        symbol = request.vt_symbol
        self._symbols_with_orders[symbol] = self._symbols_with_orders.get(symbol, 0) + 1
        if side is Side.BUY:
            order.frozen = self._cost(request, day, limit, order.volume)
            account.frozen += order.frozen
        else:
            account.holding(symbol).frozen += order.volume
            self._report_holding(account, self._listeners[account.name], symbol)
        return order

    def _arrive(self, name: str, account: SimAccount, order: SimOrder) -> None:
        view = self._views.get(order.request.vt_symbol)
        if view is None:
            return
        left = self._left(name, order.request.vt_symbol, view)
        done = match_arrival(order.side, order.limit, order.remaining, left, self.settings.slippage_ticks)
        if done:
            self._fill(name, account, order, done)

    def _refusal(self, account: SimAccount, request: OrderRequest, day: date) -> str:
        """Why an order is refused, or nothing."""
        return (
            self._form_error(request)
            or self._market_error(request, day)
            or self._account_error(account, request, day)
            or self._self_trade(account, request)
        )

    def _form_error(self, request: OrderRequest) -> str:
        if request.type is not OrderType.LIMIT:
            return "只接受限价单"
        if request.direction not in (Direction.LONG, Direction.SHORT):
            return "买卖方向无效"
        if not (isfinite(request.price) and request.price > 0 and isfinite(request.volume)):
            return "价格或数量无效"
        if self.session_open and not self.session_open(request.vt_symbol, self.clock.now()):
            return "非交易时段"
        return ""

    def _market_error(self, request: OrderRequest, day: date) -> str:
        view = self._views.get(request.vt_symbol)
        if view is None or view.suspended:
            return "没有当日行情或停牌"
        limit = to_decimal(request.price)
        tick = self.rules_for(request.vt_symbol, day).tick_size
        if limit % tick:
            return f"价格不是最小变动价位 {tick} 的整数倍"
        too_high = view.limit_up is not None and limit > view.limit_up
        too_low = view.limit_down is not None and limit < view.limit_down
        if too_high or too_low:
            return f"价格 {limit} 超出涨跌停范围 {view.limit_down}～{view.limit_up}"
        return ""

    def _account_error(self, account: SimAccount, request: OrderRequest, day: date) -> str:
        rules = self.rules_for(request.vt_symbol, day)
        side = side_of(request)
        holding = account.holdings.get(request.vt_symbol, Holding())
        error = rules.volume_error(side, request.volume, holding.volume - holding.frozen)
        if error:
            return f"委托数量不合规：{error}"
        if side is Side.BUY:
            cost = self._cost(request, day, to_decimal(request.price), int(request.volume))
            return "" if cost <= account.available else f"资金不足：需要 {cost}，可用 {account.available}"
        sellable = holding.sellable(rules.t_plus)
        return "" if request.volume <= sellable else f"可卖数量不足：可卖 {sellable}（当日买入不可卖）"

    def _self_trade(self, account: SimAccount, request: OrderRequest) -> str:
        """Whether the order would meet one of the same account; brokers refuse what trades with itself."""
        side, limit = side_of(request), to_decimal(request.price)
        for order in account.orders.values():
            if order.request.vt_symbol != request.vt_symbol or order.side is side:
                continue
            if (limit >= order.limit) if side is Side.BUY else (limit <= order.limit):
                other = "卖单" if side is Side.BUY else "买单"
                return f"自成交：同一账户的{other} {order.orderid}（限价 {order.limit}）尚未成交，请先撤单"
        return ""

    def _cost(self, request: OrderRequest, day: date, limit: Decimal, volume: int) -> Decimal:
        turnover = limit * volume
        return turnover + self.rules_for(request.vt_symbol, day).order_fees(Side.BUY, turnover, volume).total

    # fills

    def _left(self, name: str, symbol: str, view: MarketView) -> MarketView:
        taken = self._taken.get((name, symbol), 0)
        if not taken:
            return view
        return replace(view, liquidity=max(0, view.liquidity - taken))

    def _fill(self, name: str, account: SimAccount, order: SimOrder, done: Execution) -> None:
        symbol, listener = order.request.vt_symbol, self._listeners[name]
        self._taken[name, symbol] = self._taken.get((name, symbol), 0) + done.volume
        order.traded += done.volume
        order.turnover += done.price * done.volume
        day = self.day or self.clock.now().date()
        fees = self.rules_for(symbol, day).order_fees(order.side, order.turnover, order.traded).total
        added, order.fees = fees - order.fees, fees
        self._book(account, order, done, added, day)
        self._trade_count += 1
        status = Status.ALLTRADED if not order.remaining else Status.PARTTRADED
        listener.on_order(self._data(listener, order.orderid, order.request, status, order.traded))
        listener.on_trade(self._trade(listener, order, done))
        if not order.remaining:
            self._drop(account, order)
        self._report_holding(account, listener, symbol)
        self._report_cash(account, listener)

    def _book(self, account: SimAccount, order: SimOrder, done: Execution, fees: Decimal, day: date) -> None:
        holding = account.holding(order.request.vt_symbol)
        turnover = cny(done.price * done.volume)
        if order.side is Side.BUY:
            account.cash -= turnover + fees
            left = (
                self._cost(order.request, day, order.limit, order.remaining)
                if order.remaining
                else Decimal(0)
            )
            account.frozen += left - order.frozen
            order.frozen = left
            total = holding.cost * holding.volume + turnover
            holding.volume += done.volume
            holding.today += done.volume
            holding.cost = total / holding.volume
        else:
            account.cash += turnover - fees
            holding.volume -= done.volume
            holding.frozen -= done.volume

    def _end(self, name: str, account: SimAccount, order: SimOrder, status: Status, reason: str) -> None:
        listener = self._listeners[name]
        if order.side is Side.SELL:
            account.holding(order.request.vt_symbol).frozen -= order.remaining
        account.frozen -= order.frozen
        order.frozen = Decimal(0)
        self._drop(account, order)
        listener.on_order(self._data(listener, order.orderid, order.request, status, order.traded, reason))
        self._report_holding(account, listener, order.request.vt_symbol)
        self._report_cash(account, listener)

    def _drop(self, account: SimAccount, order: SimOrder) -> None:
        del account.orders[order.orderid]
        self._symbols_with_orders[order.request.vt_symbol] -= 1

    # reports

    def _data(
        self,
        listener: Listener,
        orderid: str,
        request: OrderRequest,
        status: Status,
        traded: int,
        reason: str = "",
    ) -> OrderData:
        order = request.create_order_data(orderid, listener.gateway_name)
        order.status = status
        order.traded = traded
        order.datetime = self.clock.now()
        if reason:
            order.extra = {"reason": reason}
        return order

    def _trade(self, listener: Listener, order: SimOrder, done: Execution) -> TradeData:
        request = order.request
        return TradeData(
            symbol=request.symbol,
            exchange=request.exchange,
            orderid=order.orderid,
            tradeid=f"{self._trade_count:08d}",
            direction=request.direction,
            offset=request.offset,
            price=float(done.price),
            volume=done.volume,
            datetime=self.clock.now(),
            gateway_name=listener.gateway_name,
        )

    def _report_holding(self, account: SimAccount, listener: Listener, vt_symbol: str) -> None:
        holding = account.holding(vt_symbol)
        symbol, _, suffix = vt_symbol.rpartition(".")
        day = self.day or self.clock.now().date()
        t_plus = self.rules_for(vt_symbol, day).t_plus
        listener.on_position(
            PositionData(
                symbol=symbol,
                exchange=Exchange(suffix),
                direction=Direction.LONG,
                volume=holding.volume,
                frozen=holding.frozen + (holding.today if t_plus else 0),
                price=float(holding.cost),
                yd_volume=holding.volume - holding.today,
                gateway_name=listener.gateway_name,
            )
        )

    def _report_cash(self, account: SimAccount, listener: Listener) -> None:
        listener.on_account(
            AccountData(
                accountid=account.name,
                balance=float(account.cash),
                frozen=float(account.frozen),
                gateway_name=listener.gateway_name,
            )
        )
