"""AShareBacktestingEngine: vnpy's CTA backtester under the rules of the Chinese cash market.

An order sent while a bar or tick is handled reaches the exchange with the next one: it is refused there with
a reason (lots, T+1, limits, cash, holding), or meets the market by the rules of `market.matching`: at the
bar's open if its limit reaches it, else at its own limit if the bar trades through it. All orders of a bar
share one liquidity, `participation` of its volume. Orders last for the day; stop orders, which live in the
trader's terminal, wait while T+1 or a locked limit keeps them from trading.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from math import isfinite

from vnpy.trader.constant import Direction, Interval, Status
from vnpy.trader.object import BarData, OrderData, TickData, TradeData
from vnpy.trader.utility import round_to
from vnpy_ctastrategy.base import BacktestingMode, StopOrder, StopOrderStatus
from vnpy_ctastrategy.template import CtaTemplate

from vnpy_aiagent.backtest.days import AShareDailyResult
from vnpy_aiagent.backtest.fills import BarFills, FillRule, Fills, TickFills
from vnpy_aiagent.backtest.history import rescale_history
from vnpy_aiagent.backtest.ledger import Ledger
from vnpy_aiagent.backtest.optimise import RulesOptimiser
from vnpy_aiagent.backtest.session import SENTENCES, Instrument, Reason, Session, side_of
from vnpy_aiagent.domain.enums import Side
from vnpy_aiagent.domain.money import to_decimal
from vnpy_aiagent.market import CommissionPlan, CorporateAction, Fees, ex_reference
from vnpy_aiagent.market.fees import NO_FEES
from vnpy_aiagent.market.matching import Execution, meets_own

UNLIMITED = float("inf")


class AShareBacktestingEngine(RulesOptimiser):
    """A drop-in for vnpy's BacktestingEngine; `rules=False` is vnpy's own, trade for trade.

    `rate` of `set_parameters` is the broker's commission as a ratio; `slippage` (CNY a share) worsens fills
    by whole ticks; `size` and `pricetick` come from the rules. Volumes in shares, money in CNY.
    """

    def __init__(
        self,
        rules: bool = True,
        *,
        instrument: Instrument | None = None,
        participation: float = 0.1,
        minimum_commission: float = 5.0,
        fill: FillRule = "limit",
        corporate_actions: Iterable[CorporateAction] = (),
        adjust_history: bool = True,
    ) -> None:
        """`participation` is the share of a bar's volume that may be taken, above 0 and at most 1.

        `adjust_history` puts the prices that a strategy remembers on the new level on an ex-day.
        """
        super().__init__()
        if not 0 < participation <= 1:
            raise ValueError(f"participation is a ratio above 0 and at most 1, not {participation}")
        if fill not in ("limit", "open", "vwap"):
            raise ValueError(f"fill is 'limit', 'open' or 'vwap', not {fill!r}")
        self.rules = rules
        self.instrument = instrument or Instrument()
        self.participation = participation
        self.minimum_commission = minimum_commission
        self.fill: FillRule = fill
        self.corporate_actions = tuple(sorted(corporate_actions, key=lambda action: action.ex_date))
        self.adjust_history = adjust_history
        self._plan = CommissionPlan()
        self._reset()

    def build_like(self) -> "Callable[[], AShareBacktestingEngine]":
        """A picklable function that builds an engine with the same rules."""
        return partial(
            AShareBacktestingEngine,
            self.rules,
            instrument=self.instrument,
            participation=self.participation,
            minimum_commission=self.minimum_commission,
            fill=self.fill,
            corporate_actions=self.corporate_actions,
            adjust_history=self.adjust_history,
        )

    # parameters and state

    def set_parameters(
        self,
        vt_symbol: str,
        interval: Interval,
        start: datetime,
        rate: float,
        slippage: float,
        size: float = 1,
        pricetick: float = 0,
        capital: int = 0,
        end: datetime | None = None,
        mode: BacktestingMode = BacktestingMode.BAR,
        risk_free: float = 0,
        annual_days: int = 240,
        half_life: int = 120,
    ) -> None:
        """As vnpy's. With rules, size and tick are the exchange's, and what they replace is logged.

        UnknownSymbol or RuleUnknown for an instrument or a first day that the rule tables do not cover.
        """
        if self.rules:
            minimum = self.minimum_commission if rate else 0
            self._plan = CommissionPlan(to_decimal(rate), to_decimal(minimum))
            first = max(start.date(), self.instrument.listed or start.date())
            tick = float(self.instrument.rules(vt_symbol, first, self._plan).tick_size)
            if size != 1:
                self.output(f"合约乘数 {size} 不适用于股票和基金，已改为 1")
            if pricetick and pricetick != tick:
                self.output(f"最小变动价位 {pricetick} 不是交易所的规定，已改为 {tick}")
            size, pricetick = 1, tick
        super().set_parameters(
            vt_symbol=vt_symbol,
            interval=interval,
            start=start,
            rate=rate,
            slippage=slippage,
            size=size,
            pricetick=pricetick,
            capital=capital,
            end=end,
            mode=mode,
            risk_free=risk_free,
            annual_days=annual_days,
            half_life=half_life,
        )

    def clear_data(self) -> None:
        """Forget the last run."""
        super().clear_data()
        self._reset()

    def _reset(self) -> None:
        self.rejected: Counter[str] = Counter()
        self.fees: Fees = NO_FEES
        self.skipped = 0
        self.bad = 0
        self._ledger = Ledger(Decimal(0))
        self._paid: dict[str, tuple[Decimal, int, Fees]] = {}
        self._marketable: set[str] = set()
        self._parked: set[str] = set()
        self._stops_told: set[str] = set()
        self._session: Session | None = None
        self._low, self._up = 0.0, UNLIMITED
        self._opening = False
        self._before: float | None = None
        self._last: datetime | None = None
        self._traded = 0.0
        self._result: AShareDailyResult | None = None
        self._actions = iter(self.corporate_actions)
        self._next_action = next(self._actions, None)

    @property
    def cash(self) -> Decimal:
        """Cash in CNY, including what working orders bind."""
        return self._ledger.cash

    @property
    def holding(self) -> int:
        """Shares held."""
        return self._ledger.volume

    @property
    def dividend_tax(self) -> Decimal:
        """Tax on dividends taken on sales so far (CNY)."""
        return self._ledger.tax

    def run_backtesting(self) -> None:
        """Play the history. A strategy that raises ends it with a message; what came before is kept."""
        if self.rules:
            self._ledger = Ledger(to_decimal(self.capital))
            self._participation = to_decimal(self.participation)
            self._slippage_ticks = -int(-to_decimal(self.slippage) // to_decimal(self.pricetick))
            if not self.history_data:
                self.output("这段时间没有历史数据：请先下载数据，或更改起止日期")
        super().run_backtesting()
        if self.bad > 1:
            self.output(f"共跳过 {self.bad} 条不可能成立的行情")
        if self.skipped:
            self.output(f"跳过了 {self.skipped} 条时间重复或倒退的行情")

    # one bar, one tick

    def new_bar(self, bar: BarData) -> None:
        """What waits meets the bar, then the strategy sees it."""
        if not self.rules:
            super().new_bar(bar)
            return
        moment = bar.datetime
        if self._last is not None and moment <= self._last:
            self.skipped += 1
            return
        low, high = bar.low_price, bar.high_price
        sound = 0 < low <= bar.open_price <= high < UNLIMITED and low <= bar.close_price <= high
        if not sound or not bar.volume >= 0:
            self._skip_bad(moment, f"{bar.open_price}、{high}、{low}、{bar.close_price}，量 {bar.volume}")
            return
        self.bar = bar
        self.datetime = self._last = moment
        session = self._session
        day = moment.date()
        if session is None or session.day != day:
            session = self._open_day(day, bar.close_price)
            session.suspended = self.interval is Interval.DAILY and not bar.volume
        if bar.low_price < self._low or bar.high_price > self._up:
            self._drop_band(session, bar.low_price, bar.high_price)
        if self.active_limit_orders or self.active_stop_orders:
            self._meet_bar(session, bar)
        self._opening = False
        self.strategy.on_bar(bar)
        self._mark(bar.close_price)

    def _meet_bar(self, session: Session, bar: BarData) -> None:
        """Match what waits, unless no order arrives and the bar reaches none."""
        low, high = bar.low_price, bar.high_price
        waits = (
            order.status is Status.SUBMITTING
            or order.vt_orderid in self._marketable
            or order.vt_orderid in self._parked
            or (order.price >= low if order.direction is Direction.LONG else order.price <= high)
            for order in self.active_limit_orders.values()
        )
        triggered = (
            stop.price <= high if stop.direction is Direction.LONG else stop.price >= low
            for stop in self.active_stop_orders.values()
        )
        if any(waits) or any(triggered):
            fills = BarFills(
                bar,
                session,
                opening=self._opening,
                before=self._before,
                participation=self._participation,
                slippage_ticks=self._slippage_ticks,
                rule=self.fill,
            )
            self._trade(session, fills)

    def new_tick(self, tick: TickData) -> None:
        """What waits meets the tick, then the strategy sees it."""
        if not self.rules:
            super().new_tick(tick)
            return
        moment = tick.datetime
        if self._last is not None and moment < self._last:
            self.skipped += 1
            return
        if not (0 < tick.last_price < UNLIMITED and tick.volume >= 0):
            self._skip_bad(moment, f"最新价 {tick.last_price}，量 {tick.volume}")
            return
        self.tick = tick
        self.datetime = self._last = moment
        session = self._session
        day = moment.date()
        if session is None or session.day != day:
            session = self._open_day(day, tick.last_price)
        if tick.last_price < self._low or tick.last_price > self._up:
            self._drop_band(session, tick.last_price, tick.last_price)
        traded, self._traded = max(0.0, tick.volume - self._traded), tick.volume
        if self.active_limit_orders or self.active_stop_orders:
            fills = TickFills(
                tick,
                session,
                before=self._before,
                traded=traded,
                participation=self._participation,
                slippage_ticks=self._slippage_ticks,
            )
            self._trade(session, fills)
        self.strategy.on_tick(tick)
        self._mark(tick.last_price)

    def _skip_bad(self, moment: datetime, what: str) -> None:
        """A bar or tick that cannot be true: nothing trades on it and the strategy does not see it."""
        self.bad += 1
        if self.bad == 1:
            self.output(f"{moment:%Y-%m-%d %H:%M} 的行情不可能成立（{what}），已跳过；同类只提示一次")

    def _mark(self, price: float) -> None:
        self._before = price
        if self._result is not None:
            self._result.close_price = price

    # a day

    def _open_day(self, day: date, price: float) -> Session:
        """End yesterday's orders, unlock its shares, take the day's rules, band and corporate actions."""
        for order in list(self.active_limit_orders.values()):
            if order.status is not Status.SUBMITTING:  # what was sent at the last bar has yet to arrive
                self.cancel_limit_order(self.strategy, order.vt_orderid)
        self._ledger.new_day()
        self._result = AShareDailyResult(day, price)
        self.daily_results[day] = self._result
        rules = self.instrument.rules(self.vt_symbol, day, self._plan)
        reference = None if self._before is None else to_decimal(self._before)
        reference = self._apply_actions(day, reference)
        if reference is None and day == self.instrument.listed:
            reference = self.instrument.issue_price
        band = None if reference is None else rules.price_band(reference)
        self._low, self._up = (float(band.down), float(band.up)) if band else (0.0, UNLIMITED)
        self._opening = True
        self._traded = 0.0
        self._session = Session(day, rules, band)
        return self._session

    def _apply_actions(self, day: date, reference: Decimal | None) -> Decimal | None:
        """Book every ex-day since the last session; the adjusted reference price."""
        while (action := self._next_action) is not None and action.ex_date <= day:
            self._next_action = next(self._actions, None)
            if reference is None:
                continue  # before the first bar: nothing was held
            adjusted = ex_reference(reference, action)
            shares, cash = self._ledger.apply(action)
            if self._result is not None:
                self._result.new_shares += shares
                self._result.dividend += cash
            self.strategy.pos = self._ledger.volume
            if adjusted != reference:
                factor = float(adjusted / reference)
                self._adjust_stops(factor, 1 + float(action.bonus))
                if self.adjust_history:
                    rescale_history(self.strategy, factor)
            if shares or cash:
                self.write_log(f"除权除息：送转 {shares} 股，现金红利 {cash} 元")
            reference = adjusted
        return reference

    def _adjust_stops(self, price_factor: float, volume_factor: float) -> None:
        """Resting stop orders follow an ex-day: their prices the level, their volumes the new shares."""
        for stop in self.active_stop_orders.values():
            stop.price = round_to(stop.price * price_factor, self.pricetick)
            stop.volume = int(stop.volume * volume_factor)

    def _drop_band(self, session: Session, low: float, high: float) -> None:
        self.output(
            f"{session.day} 的价格 {low}～{high} 超出涨跌停范围 {self._low}～{self._up}："
            "数据有误，或当日除权而未给出；当日不再检查涨跌停"
        )
        session.band = None
        self._low, self._up = 0.0, UNLIMITED

    # orders

    def _trade(self, session: Session, fills: Fills) -> None:
        """Meet one bar or tick, in the order of time.

        What arrives is judged and bound before anything fills, so no later sale pays for it. Then come fills
        at the open, resting orders by their time before those that arrive, then those inside the bar. What
        callbacks send meanwhile waits for the next moment.
        """
        stops = list(self.active_stop_orders.values())
        working = list(self.active_limit_orders.values())
        arrived = {order.vt_orderid for order in working if order.status is Status.SUBMITTING}
        for order in working:
            if order.vt_orderid in arrived and order.vt_orderid in self.active_limit_orders:
                self._accept(session, order, fills)
        for point in range(fills.points):
            if not self.active_limit_orders:
                break
            arrived = self._unpark(session, arrived, fills, point)
            for order in working:
                self._meet_at(point, order, session, fills, order.vt_orderid in arrived)
            arrived = set()
        for stop in stops:
            if stop.stop_orderid in self.active_stop_orders:
                self._try_stop(session, stop, fills)

    def _meet_at(self, point: int, order: OrderData, session: Session, fills: Fills, arrives: bool) -> None:
        """Fill an order that still works, if it gets anything at a price of the moment."""
        orderid = order.vt_orderid
        if orderid not in self.active_limit_orders or orderid in self._parked:
            return
        side, left = side_of(order), int(order.volume - order.traded)
        if arrives:
            done = fills.arrive(side, to_decimal(order.price), left, point)
        elif not point and orderid in self._marketable:
            done = fills.arrive(side, session.rules.tick_size, left)
        else:
            done = fills.rest(side, to_decimal(order.price), left, point)
        if done is not None:
            self._fill(order, done, fills)

    def _accept(self, session: Session, order: OrderData, fills: Fills) -> None:
        """An order arrives at the exchange: refused with a reason, or working from now on."""
        reason = self._refusal(session, order, fills.reference)
        if reason is not None:
            self._refuse(order, reason)
            return
        self._bind(session, order)
        order.status = Status.NOTTRADED
        if session.parks and session.outside(side_of(order), to_decimal(order.price), fills.reference):
            self._parked.add(order.vt_orderid)
        self.strategy.on_order(order)

    def _unpark(self, session: Session, arrived: set[str], fills: Fills, point: int) -> set[str]:
        """What arrives, with the parked orders that the price cage has come to reach."""
        if not self._parked:
            return arrived
        reference = fills.reference_at(point)
        inside = {
            orderid
            for orderid in self._parked
            if (order := self.active_limit_orders.get(orderid)) is not None
            and not session.outside(side_of(order), to_decimal(order.price), reference)
        }
        self._parked -= inside
        return arrived | inside

    def _refusal(self, session: Session, order: OrderData, reference: Decimal | None) -> Reason | None:
        """Why an order is refused: by itself, or beside the orders that work already."""
        reason = session.refusal(order, self._ledger, reference)
        if reason is not None or len(self.active_limit_orders) < 2:  # it is one of them
            return reason
        others = [o for o in self.active_limit_orders.values() if o.status is not Status.SUBMITTING]
        side, price, buying = side_of(order), to_decimal(order.price), 0.0
        for other in others:
            if meets_own(side, price, side_of(other), to_decimal(other.price)):
                return Reason.SELF_TRADE
            buying += other.volume - other.traded if side_of(other) is Side.BUY else 0
        most = session.rules.daily_buy_max
        if side is Side.BUY and most is not None:
            return Reason.DAILY_BUY if self._ledger.bought_today + buying + order.volume > most else None
        return None

    def _refuse(self, order: OrderData, reason: Reason) -> None:
        self.rejected[reason.value] += 1
        order.status = Status.REJECTED
        self.active_limit_orders.pop(order.vt_orderid, None)
        self.write_log(f"委托被拒 {order.vt_orderid}：{SENTENCES[reason]}")
        self.strategy.on_order(order)

    def _bind(self, session: Session, order: OrderData) -> None:
        left = int(order.volume - order.traded)
        if side_of(order) is Side.BUY:
            turnover, traded, fees = self._paid.get(order.vt_orderid, (Decimal(0), 0, NO_FEES))
            cost = session.cost(to_decimal(order.price), left, turnover, traded, fees.total)
            self._ledger.bind_cash(order.vt_orderid, cost)
        else:
            self._ledger.bind_shares(order.vt_orderid, left)

    def cancel_limit_order(self, strategy: CtaTemplate, vt_orderid: str) -> None:
        """As vnpy's; what the order bound is free again."""
        self._parked.discard(vt_orderid)
        self._ledger.release(vt_orderid)
        super().cancel_limit_order(strategy, vt_orderid)

    def _try_stop(self, session: Session, stop: StopOrder, fills: Fills) -> None:
        """Send a stop order that this moment triggers; it waits while T+1 or a locked limit is in the way."""
        side = Side.BUY if stop.direction is Direction.LONG else Side.SELL
        if not (isfinite(stop.price) and isfinite(stop.volume) and stop.price > 0 and stop.volume >= 1):
            self._drop_stop(stop, Reason.LOT_SIZE)
            return
        done = fills.stop(side, to_decimal(stop.price), int(stop.volume))
        if done is None:
            return
        order = self._order_of(stop, float(done.price))
        reason = session.refusal(order, self._ledger, None)
        if reason is Reason.T_PLUS_ONE:
            if stop.stop_orderid not in self._stops_told:
                self._stops_told.add(stop.stop_orderid)
                self.write_log(f"停止单 {stop.stop_orderid} 已触发，{SENTENCES[reason]}，等待下一交易日")
            return
        self.active_stop_orders.pop(stop.stop_orderid)
        self.limit_order_count += 1
        self.limit_orders[order.vt_orderid] = order
        stop.vt_orderids.append(order.vt_orderid)
        if reason is not None:
            stop.status = StopOrderStatus.CANCELLED
            self.strategy.on_stop_order(stop)
            self._refuse(order, reason)
            return
        stop.status = StopOrderStatus.TRIGGERED
        self.active_limit_orders[order.vt_orderid] = order
        if side is Side.SELL:
            self._marketable.add(order.vt_orderid)
        self._bind(session, order)
        self.strategy.on_stop_order(stop)
        if order.vt_orderid in self.active_limit_orders:  # unless the strategy cancelled it just now
            self._fill(order, done, fills)

    def _drop_stop(self, stop: StopOrder, reason: Reason) -> None:
        """A stop order that no exchange would take."""
        self.active_stop_orders.pop(stop.stop_orderid)
        self.rejected[reason.value] += 1
        stop.status = StopOrderStatus.CANCELLED
        self.write_log(f"停止单 {stop.stop_orderid} 无效：{SENTENCES[reason]}")
        self.strategy.on_stop_order(stop)

    def _order_of(self, stop: StopOrder, price: float) -> OrderData:
        """The order of a triggered stop, at the price that it gets now.

        What is left of a sale follows the market down; what is left of a buy rests at this price.
        """
        return OrderData(
            symbol=self.symbol,
            exchange=self.exchange,
            orderid=str(self.limit_order_count + 1),
            direction=stop.direction,
            offset=stop.offset,
            price=price,
            volume=stop.volume,
            status=Status.NOTTRADED,
            gateway_name=self.gateway_name,
            datetime=self.datetime,
        )

    def _fill(self, order: OrderData, done: Execution, fills: Fills) -> None:
        session, result = self._session, self._result
        if session is None or result is None:
            raise RuntimeError("a fill needs an open day")
        fills.take(done.volume)
        side, fees = side_of(order), self._fees(session, order, done)
        result.fees += fees.total
        if side is Side.BUY:
            self._ledger.buy(session.day, done.price, done.volume, fees.total)
        else:
            result.dividend -= self._ledger.sell(session.day, done.price, done.volume, fees.total)
        order.traded += done.volume
        order.status = Status.ALLTRADED if order.traded >= order.volume else Status.PARTTRADED
        if order.status is Status.ALLTRADED:
            self.active_limit_orders.pop(order.vt_orderid, None)
            self._ledger.release(order.vt_orderid)
        else:
            self._bind(session, order)
        self.strategy.on_order(order)
        self.trade_count += 1
        trade = TradeData(
            symbol=order.symbol,
            exchange=order.exchange,
            orderid=order.orderid,
            tradeid=str(self.trade_count),
            direction=order.direction,
            offset=order.offset,
            price=float(done.price),
            volume=done.volume,
            datetime=self.datetime,
            gateway_name=self.gateway_name,
        )
        self.trades[trade.vt_tradeid] = trade
        self.strategy.pos += done.volume if side is Side.BUY else -done.volume
        self.strategy.on_trade(trade)

    def _fees(self, session: Session, order: OrderData, done: Execution) -> Fees:
        """What this fill adds to its order's fees."""
        turnover, volume, paid = self._paid.get(order.vt_orderid, (Decimal(0), 0, NO_FEES))
        turnover, volume = turnover + done.price * done.volume, volume + done.volume
        now = session.rules.order_fees(side_of(order), turnover, Decimal(volume))
        self._paid[order.vt_orderid] = turnover, volume, now
        added = now - paid
        self.fees = Fees(
            self.fees.commission + added.commission,
            self.fees.stamp_duty + added.stamp_duty,
            self.fees.transfer_fee + added.transfer_fee,
        )
        return added
