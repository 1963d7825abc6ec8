"""The simulated exchange: several accounts on one set of quotes, under the market's dated rules.

Prices come from outside (recorded bars, or a live quote gateway in paper mode); an account's fills never
move them, and accounts do not compete for volume: each may take `participation` of what traded. Day orders:
what is left at the close is cancelled.

Given the hours (`market.order_hours`), orders and cancels are taken, queued or refused by the clock's phase,
and a moment trades by the phase of its own time: the closing auction's price is told after 15:00, and day
orders wait for it. Without hours every moment is one of continuous trading.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from threading import RLock

from vnpy.trader.constant import Status
from vnpy.trader.object import CancelRequest, OrderData, OrderRequest

from vnpy_aiagent.config import SimSettings
from vnpy_aiagent.domain import Clock, Side, cny, to_decimal
from vnpy_aiagent.errors import RuleUnknown, UnknownSymbol
from vnpy_aiagent.market import InstrumentRules
from vnpy_aiagent.market.corporate import CorporateAction
from vnpy_aiagent.market.futures import is_contract
from vnpy_aiagent.market.matching import Execution, MarketView, match_arrival, match_resting
from vnpy_aiagent.market.order_hours import Handling, Taking, Trading
from vnpy_aiagent.market.share_lots import ShareLot, ShareLots
from vnpy_aiagent.sim.account import Holding, SimAccount, SimOrder, Stage
from vnpy_aiagent.sim.futures_account import ContractDesk
from vnpy_aiagent.sim.moments import MarketPoint, caged, cancel_refusal, trades
from vnpy_aiagent.sim.order_checks import (
    account_error,
    after_hours_error,
    cage_edge,
    cage_error,
    form_error,
    outside_cage,
    price_error,
    self_trade_error,
    side_of,
    still_bound,
)
from vnpy_aiagent.sim.reports import Listener, account_data, order_data, position_data, trade_data

RulesFor = Callable[[str, date], InstrumentRules]
Hours = Callable[[str, datetime], Handling]
__all__ = ["Hours", "MarketPoint", "RulesFor", "SimExchange"]

AT_CLOSE = "收盘未成交，自动撤单"


class SimExchange:
    """Accounts, order checks, matching and T+1. Thread-safe."""

    def __init__(
        self,
        clock: Clock,
        rules_for: RulesFor,
        settings: SimSettings,
        hours: Hours | None = None,
        run: str = "",
    ) -> None:
        """`hours(vt_symbol, when)` says what becomes of orders; None takes them at any time.

        `run` goes into order ids, so that those of a process started later on the same day differ.
        """
        self.clock = clock
        self.rules_for = rules_for
        self.settings = settings
        self.hours = hours
        self.run = run
        self.day: date | None = None
        self._views: dict[str, MarketView] = {}
        self._taken: dict[tuple[str, str], int] = {}
        self._between: set[str] = set()
        self._closing: dict[str, Decimal] = {}
        self._timed: set[str] = set()
        self._accounts: dict[str, SimAccount] = {}
        self._listeners: dict[str, Listener] = {}
        self._symbols_with_orders: dict[str, int] = {}
        self._order_count = 0
        self._trade_count = 0
        self._lock = RLock()
        self.contracts = ContractDesk(clock, rules_for, self._last)

    # accounts

    def open_account(self, name: str, listener: Listener, cash: Decimal) -> None:
        """Add an account, or give a known one its gateway; then report cash and holdings."""
        with self._lock:
            if name not in self._accounts:
                self._accounts[name] = SimAccount(name, cash)
            self._listeners[name] = listener
            self.report(name)

    def restore(
        self,
        name: str,
        cash: Decimal,
        holdings: dict[str, tuple[int, int, Decimal]],
        day: date,
        lots: Mapping[str, ShareLots] | None = None,
    ) -> None:
        """Set an account's cash and (volume, bought on `day`, cost) of each symbol, after a restart.

        `lots` are the shares by day, with dividends still to be taxed; without them all are of today.
        """
        with self._lock:
            account = SimAccount(name, cash)
            for symbol, (volume, bought, cost) in holdings.items():
                known = (lots or {}).get(symbol) or ShareLots([ShareLot(day, volume)])
                account.holdings[symbol] = Holding(volume, bought, 0, cost, known.copy())
            self._accounts[name] = account
            self.day = day

    def account(self, name: str) -> SimAccount:
        """The account of that name."""
        return self._accounts[name]

    @contextmanager
    def still(self) -> Iterator[None]:
        """Nothing changes within: what is read of accounts, orders and trades belongs to one moment."""
        with self._lock:
            yield

    def report(self, name: str) -> None:
        """Report cash and holdings to the account's gateway."""
        with self._lock:
            account, listener = self._accounts[name], self._listeners[name]
            for symbol in sorted({*account.holdings, *account.contracts.symbols}):
                self._report_holding(account, listener, symbol)
            self._report_cash(account, listener)

    def contract_symbols(self) -> set[str]:
        """Contracts that any account holds or held."""
        with self._lock:
            return {symbol for account in self._accounts.values() for symbol in account.contracts.symbols}

    def settle(self, day: date, prices: Mapping[str, Decimal]) -> None:
        """Mark every account's contracts to a trading day's settlement prices (points), once a day."""
        with self._lock:
            for name, account in self._accounts.items():
                for symbol in self.contracts.settle(account, day, prices):
                    self._report_holding(account, self._listeners[name], symbol)
                self._report_cash(account, self._listeners[name])

    def apply_action(self, name: str, action: CorporateAction) -> tuple[int, Decimal]:
        """An ex-day on an account's holding, before its session: new shares and cash before tax (CNY)."""
        with self._lock:
            account = self._accounts[name]
            holding = account.holding(action.vt_symbol)
            shares, cash = holding.lots.apply(action)
            account.cash += cash
            if holding.volume:
                worth = max(holding.cost * holding.volume - cash, Decimal(0))
                holding.volume += shares
                holding.cost = worth / holding.volume
                self._report_holding(account, self._listeners[name], action.vt_symbol)
                self._report_cash(account, self._listeners[name])
            return shares, cash

    # sessions and prices

    def start_session(self, day: date) -> None:
        """Begin a trading day: shares bought before can be sold, counters of the day start anew.

        Beginning the present day again (a restart in mid session) keeps what is locked and counted.
        """
        with self._lock:
            self._views.clear()
            self._taken.clear()
            self._between.clear()
            self._closing.clear()
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

    def end_session(self, *, wait: bool = False) -> bool:
        """Close the trading day: what is still working is cancelled, but for orders of a running after-hours.

        With `wait`, orders go on whose closing price has not been told yet; whether there are such.
        """
        waiting = False
        with self._lock:
            for name, account, order in self._working():
                if self._of_next_day(order):
                    continue
                rule = self._rule(order.request.vt_symbol)
                if order.after_hours and rule is not None and rule.after_hours:
                    continue
                if wait and rule is not None and self._awaits_close(order, rule):
                    waiting = True
                    continue
                self._end(name, account, order, Status.CANCELLED, AT_CLOSE)
        return waiting

    def pass_time(self) -> None:
        """Do what is due by the clock alone: what was queued reaches the exchange, orders before cancels;
        after-hours orders end with their session."""
        with self._lock:
            if not self._timed or self.hours is None:
                return
            for name, account, order in self._working():
                if order.stage is Stage.QUEUED:
                    self._send_on(name, account, order)
            for name, account, order in self._working():
                rule = self._rule(order.request.vt_symbol)
                if rule is None or order.stage is Stage.QUEUED:
                    continue
                if order.cancel_queued and rule.cancels is not Taking.QUEUED:
                    self._end(name, account, order, Status.CANCELLED, "已撤单")
                elif order.after_hours and not rule.after_hours:
                    self._end(name, account, order, Status.CANCELLED, "盘后定价交易已结束，自动撤单")

    def move(self, point: MarketPoint) -> None:
        """Take a symbol's new market moment and match working orders against it."""
        with self._lock:
            self.pass_time()
            symbol = point.vt_symbol
            if is_contract(symbol) and self.contracts.begins_day():
                self._report_contracts()
            before = self._views.get(symbol)
            jumped = before is None or point.jump or (before.auction and not before.liquidity)
            moved_from = None if before is None or jumped else before.last
            self._between.discard(symbol)
            if point.final:
                self._closing[symbol] = point.view.last
            present = self._views[symbol] = point.view.coming_from(moved_from)
            if point.new_window and self._taken:
                for name in self._accounts:
                    self._taken.pop((name, symbol), None)
            if not self._symbols_with_orders.get(symbol):
                return
            for name, account, order in self._working():
                if order.request.vt_symbol == symbol and point.concerns(order):
                    self._meet(name, account, order, present)

    def knows(self, vt_symbol: str) -> bool:
        """Whether a symbol had a market moment today."""
        return vt_symbol in self._views

    def close_window(self, vt_symbol: str) -> None:
        """The present moment is over: orders that are sent now arrive with the next one."""
        with self._lock:
            if vt_symbol in self._views:
                self._between.add(vt_symbol)

    def is_idle(self) -> bool:
        """Whether no order works in any symbol."""
        with self._lock:
            return not any(self._symbols_with_orders.values())

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
            self.pass_time()
            self._order_count += 1
            day = self.day or self.clock.now().date()
            orderid = "-".join(filter(None, (f"{day:%Y%m%d}", self.run, f"{self._order_count:06d}")))
            listener = self._listeners[name]
            listener.on_order(self._data(listener, orderid, request, Status.SUBMITTING, 0))
            account = self._accounts[name]
            try:
                rule = self._rule(request.vt_symbol)
                reason = self._refusal(account, request, day, rule)
            except (RuleUnknown, UnknownSymbol) as error:  # a convertible bond, an index, a foreign code
                rule, reason = None, f"不支持该品种：{error}"
            if reason:
                listener.on_order(self._data(listener, orderid, request, Status.REJECTED, 0, reason))
                listener.write_log(f"拒单 {orderid} {request.vt_symbol}：{reason}")
                return orderid
            order = self._accept(account, orderid, request, day)
            if rule is not None and rule.orders is Taking.QUEUED:
                order.stage = Stage.QUEUED
                self._timed.add(orderid)
                self._report_cash(account, listener)
                listener.write_log(f"委托 {orderid} 已排队，交易所恢复接受申报时报送")
                return orderid
            if rule is not None and rule.after_hours:
                order.after_hours = True
                self._timed.add(orderid)
            self._enter(name, account, order, day)
            return orderid

    def cancel_order(self, name: str, request: CancelRequest) -> None:
        """Cancel what is left of an order; an unknown or ended one is only logged."""
        with self._lock:
            self.pass_time()
            account, listener = self._accounts[name], self._listeners[name]
            order = account.orders.get(request.orderid)
            if order is None:
                listener.write_log(f"撤单失败：委托 {request.orderid} 不存在或已结束")
                return
            rule = self._rule(order.request.vt_symbol)
            reason = "" if rule is None else cancel_refusal(order, rule)
            if reason:
                listener.write_log(f"撤单被拒 {order.orderid}：{reason}")
            elif rule is not None and rule.cancels is Taking.QUEUED:
                order.cancel_queued = True
                self._timed.add(order.orderid)
                listener.write_log(f"撤单 {order.orderid} 已排队，交易所恢复接受申报时报送")
            else:
                self._end(name, account, order, Status.CANCELLED, "已撤单")

    def _accept(self, account: SimAccount, orderid: str, request: OrderRequest, day: date) -> SimOrder:
        side = side_of(request)
        limit = to_decimal(request.price)
        order = SimOrder(orderid, request, side, limit, int(request.volume))
        account.orders[orderid] = order
        symbol = request.vt_symbol
        self._symbols_with_orders[symbol] = self._symbols_with_orders.get(symbol, 0) + 1
        if is_contract(symbol):
            order.day = self.contracts.day()
            order.frozen = self.contracts.frozen(request, order.volume)
            account.frozen += order.frozen
            self._report_holding(account, self._listeners[account.name], symbol)
        elif side is Side.BUY:
            order.frozen = still_bound(self.rules_for(symbol, day), order)
            account.frozen += order.frozen
        else:
            account.holding(symbol).frozen += order.volume
            self._report_holding(account, self._listeners[account.name], symbol)
        return order

    def _send_on(self, name: str, account: SimAccount, order: SimOrder) -> None:
        """A queued order reaches the exchange as soon as that takes orders, and meets the next moment."""
        rule = self._rule(order.request.vt_symbol)
        if rule is None or rule.orders is Taking.QUEUED:
            return
        if rule.orders is Taking.REFUSED or rule.after_hours:  # the clock went past the session
            self._end(name, account, order, Status.CANCELLED, AT_CLOSE)
            return
        day = self.day or self.clock.now().date()
        view, rules = self._views.get(order.request.vt_symbol), self.rules_for(order.request.vt_symbol, day)
        error = cage_error(order.side, order.limit, rules, view) if view and caged(rule, view) else ""
        if error:
            self._end(name, account, order, Status.REJECTED, error)
            return
        order.stage = Stage.ARRIVING
        if not order.cancel_queued:
            self._timed.discard(order.orderid)
        self._enter(name, account, order, day)

    def _enter(self, name: str, account: SimAccount, order: SimOrder, day: date) -> None:
        """The exchange takes an order: outside the cage it is parked, else it meets the present moment.

        Between two moments, in an auction, and where it comes out of the queue it waits for the next moment.
        """
        listener, symbol = self._listeners[name], order.request.vt_symbol
        listener.on_order(self._data(listener, order.orderid, order.request, Status.NOTTRADED, 0))
        self._report_cash(account, listener)
        view = self._views.get(symbol)
        if view is None:
            return
        rule = self._rule(symbol)
        if caged(rule, view) and self._outside(order, view, day):
            order.stage = Stage.PARKED
        elif not trades(rule, view) or symbol in self._between or order.stage is Stage.ARRIVING:
            order.stage = Stage.ARRIVING
        else:
            self._arrive(name, account, order, view)

    def _meet(self, name: str, account: SimAccount, order: SimOrder, view: MarketView) -> None:
        """An order of before meets a new moment."""
        if view.auction and not view.liquidity:
            return
        day = self.day or self.clock.now().date()
        if order.stage is Stage.PARKED and not view.auction and self._outside(order, view, day):
            return
        if order.stage is not Stage.RESTING:
            self._arrive(name, account, order, view)
            return
        left = self._left(name, order.request.vt_symbol, view)
        done = match_resting(order.side, order.limit, order.remaining, left)
        if done:
            self._fill(name, account, order, done)

    def _arrive(self, name: str, account: SimAccount, order: SimOrder, view: MarketView) -> None:
        order.stage = Stage.RESTING
        left = self._left(name, order.request.vt_symbol, view)
        done = match_arrival(order.side, order.limit, order.remaining, left, self.settings.slippage_ticks)
        if done:
            self._fill(name, account, order, done)

    def _outside(self, order: SimOrder, view: MarketView, day: date) -> bool:
        rules = self.rules_for(order.request.vt_symbol, day)
        return outside_cage(order.side, order.limit, cage_edge(order.side, rules, view))

    def _rule(self, vt_symbol: str) -> Handling | None:
        """What holds now; None without hours."""
        return None if self.hours is None else self.hours(vt_symbol, self.clock.now())

    def _awaits_close(self, order: SimOrder, rule: Handling) -> bool:
        """Whether the closing auction has yet to tell its price."""
        return rule.closing and rule.trading is not Trading.CONTINUOUS and not self._closed(order)

    def _closed(self, order: SimOrder) -> bool:
        return order.request.vt_symbol in self._closing

    def _working(self) -> list[tuple[str, SimAccount, SimOrder]]:
        """Every order that works now, by account and then by time."""
        return [
            (name, account, order)
            for name, account in self._accounts.items()
            for order in account.orders.values()
        ]

    def _refusal(self, account: SimAccount, request: OrderRequest, day: date, rule: Handling | None) -> str:
        """Why an order is refused, or nothing."""
        error = form_error(request)
        if error:
            return error
        if rule is not None and rule.orders is Taking.REFUSED:
            return rule.order_reason
        symbol, side = request.vt_symbol, side_of(request)
        rules, view = self.rules_for(symbol, day), self._views.get(symbol)
        error = price_error(request, rules, view)
        if is_contract(symbol):
            return error or self.contracts.error(account, request) or self_trade_error(request, account)
        if not error and view is not None and caged(rule, view):
            error = cage_error(side, to_decimal(request.price), rules, view)
        if not error and rule is not None and rule.after_hours:
            error = after_hours_error(side, to_decimal(request.price), self._closing.get(symbol))
        return error or account_error(request, rules, account) or self_trade_error(request, account)

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
        if is_contract(symbol):
            self.contracts.fill(account, order, done)
            number = self.contracts.next_trade()
        else:
            fees = self.rules_for(symbol, day).order_fees(order.side, order.turnover, order.traded).total
            added, order.fees = fees - order.fees, fees
            self._book(account, order, done, added, day)
            self._trade_count += 1
            number = self._trade_count
        status = Status.ALLTRADED if not order.remaining else Status.PARTTRADED
        listener.on_order(self._data(listener, order.orderid, order.request, status, order.traded))
        trade = trade_data(listener.gateway_name, number, order, done, self.clock.now())
        listener.on_trade(trade)
        if not order.remaining:
            self._drop(account, order)
        self._report_holding(account, listener, symbol)
        self._report_cash(account, listener)

    def _book(self, account: SimAccount, order: SimOrder, done: Execution, fees: Decimal, day: date) -> None:
        holding = account.holding(order.request.vt_symbol)
        turnover = cny(done.price * done.volume)
        if order.side is Side.BUY:
            account.cash -= turnover + fees
            left = still_bound(self.rules_for(order.request.vt_symbol, day), order)
            account.frozen += left - order.frozen
            order.frozen = left
            total = holding.cost * holding.volume + turnover
            holding.volume += done.volume
            holding.today += done.volume
            holding.lots.buy(day, done.volume)
            holding.cost = total / holding.volume
        else:
            account.cash += turnover - fees - holding.lots.sell(day, done.volume)
            holding.volume -= done.volume
            holding.frozen -= done.volume

    def _end(self, name: str, account: SimAccount, order: SimOrder, status: Status, reason: str) -> None:
        listener = self._listeners[name]
        if order.side is Side.SELL and not is_contract(order.request.vt_symbol):
            account.holding(order.request.vt_symbol).frozen -= order.remaining
        account.frozen -= order.frozen
        order.frozen = Decimal(0)
        self._drop(account, order)
        listener.on_order(self._data(listener, order.orderid, order.request, status, order.traded, reason))
        self._report_holding(account, listener, order.request.vt_symbol)
        self._report_cash(account, listener)

    def _drop(self, account: SimAccount, order: SimOrder) -> None:
        del account.orders[order.orderid]
        self._timed.discard(order.orderid)
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
        now = self.clock.now()
        return order_data(listener.gateway_name, orderid, request, status, traded, now, reason)

    def _report_holding(self, account: SimAccount, listener: Listener, vt_symbol: str) -> None:
        if is_contract(vt_symbol):
            for position in self.contracts.positions(listener.gateway_name, account, vt_symbol):
                listener.on_position(position)
            return
        day = self.day or self.clock.now().date()
        t_plus = self.rules_for(vt_symbol, day).t_plus
        holding = account.holding(vt_symbol)
        listener.on_position(position_data(listener.gateway_name, vt_symbol, holding, t_plus))

    def _report_cash(self, account: SimAccount, listener: Listener) -> None:
        gateway = listener.gateway_name
        if account.contracts.lots:
            listener.on_account(self.contracts.account_data(gateway, account))
        else:
            listener.on_account(account_data(gateway, account))

    def _report_contracts(self) -> None:
        """A trading day of futures has begun: today's contracts are yesterday's now."""
        for name, account in self._accounts.items():
            for symbol in account.contracts.symbols:
                self._report_holding(account, self._listeners[name], symbol)

    def _last(self, vt_symbol: str) -> Decimal | None:
        view = self._views.get(vt_symbol)
        return None if view is None else view.last

    def _of_next_day(self, order: SimOrder) -> bool:
        """Whether an order was sent in a night session that belongs to the day after the present one."""
        return self.day is not None and order.day is not None and order.day > self.day
