"""The monitoring agent: watches every tick with pure code, fires triggers, works protective stops.

A filled entry gets its stop and its plan's triggers. A trigger fires once and calls for re-analysis. A stop
that is hit sells without asking any model.

What is looked at when: every tick is compared with the symbol's nearest trigger and nearest stop. Only one
that reaches either is checked further: prices count in continuous trading alone, so the indicative prices of
the opening auction (also when they come late), the closing auction, and ticks at lunch, at night or of
another day fire and sell nothing. Protective stops are worked next, whatever the pause switch says; price
triggers only while the AI is not paused. A time trigger that comes due during a pause waits for its end.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from vnpy.trader.object import TickData

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.entry_plans import EntryPlans
from vnpy_aiagent.agents.trigger_desk import TriggerDesk
from vnpy_aiagent.base import (
    EVENT_AI_APPROVAL,
    EVENT_AI_FILL,
    EVENT_AI_ORDER,
    EVENT_AI_SIGNAL,
    EVENT_AI_STOP,
    EVENT_AI_VERDICT,
)
from vnpy_aiagent.domain import (
    MARKET_TZ,
    Action,
    ApprovalAnswered,
    Fill,
    Outcome,
    ParentDone,
    ParentOrder,
    Severity,
    Side,
    Signal,
    StopState,
    StopUpdate,
    Text,
    TradingState,
    TriggerEnd,
    Verdict,
    ceil_to_tick,
    say,
    to_decimal,
)
from vnpy_aiagent.market import hours
from vnpy_aiagent.market.sessions import session_open
from vnpy_aiagent.triggers import ProtectiveStop, StopBook, fallback_stop

RETRY_AFTER = timedelta(seconds=60)
CancelSales = Callable[[str, str], int]
CancelSignal = Callable[[str], None]


class MonitoringAgent:
    """Owns the stop book, and by its trigger desk the trigger book.

    `cancel_sales(account, symbol)` takes a plan's sales back, so that a stop does not wait behind them;
    `cancel_signal(signal_id)` takes back a stop's own sale. Both are the execution agent's.
    """

    def __init__(self, house: AgentContext) -> None:
        """The engine forwards ticks; everything else comes as messages."""
        self.house = house
        self.triggers = TriggerDesk(house)
        self.book = self.triggers.book
        self.stops = StopBook()
        self.plans = EntryPlans()
        self._wait_until: dict[tuple[str, str], datetime] = {}
        self._told: dict[tuple[str, str], date] = {}
        self.cancel_sales: CancelSales = _cancel_nothing
        self.cancel_signal: CancelSignal = _no_signal
        house.bus.subscribe(EVENT_AI_SIGNAL, self.on_signal)
        house.bus.subscribe(EVENT_AI_FILL, self.on_fill)
        house.bus.subscribe(EVENT_AI_VERDICT, self.on_verdict)
        house.bus.subscribe(EVENT_AI_ORDER, self.on_parent_done)
        house.bus.subscribe(EVENT_AI_APPROVAL, self.on_approval)

    # ticks

    def on_tick(self, tick: TickData, price: float) -> None:
        """Stops first, then triggers. `price` is the tick's last price in CNY."""
        symbol = tick.vt_symbol
        hit = self.stops.hit(symbol, price)
        reached = not self.house.control.paused and self.book.reached(symbol, price)
        if not (hit or reached) or not self._is_traded_price(tick):
            return
        for stop in hit:
            self._work(stop, price)
        if reached:
            for spec in self.book.on_price(symbol, price):
                self.triggers.fire(spec, to_decimal(price))

    def _is_traded_price(self, tick: TickData) -> bool:
        """Whether continuous trading runs, and the tick is not older than its first minute today."""
        rules = self.house.portfolio.rules(tick.vt_symbol)
        if rules.futures is not None:
            return self.house.in_session(tick.vt_symbol) and hours.trades(
                self.house.calendar, rules, tick.datetime
            )
        opened = session_open(self.house.today())
        return self.house.in_session(tick.vt_symbol) and tick.datetime.astimezone(MARKET_TZ) >= opened

    def levels(self, vt_symbol: str) -> list[Decimal]:
        """Prices watched in a symbol: triggers and armed stops."""
        return [*self.book.levels(vt_symbol), *self.stops.levels(vt_symbol)]

    # plans

    def on_signal(self, signal: Signal) -> None:
        """Remember the plan of an entry until its fills come."""
        self.plans.remember(signal)

    def on_approval(self, message: object) -> None:
        """An entry that was not approved leaves no plan behind."""
        if isinstance(message, ApprovalAnswered) and not message.approved:
            self.plans.drop(message.signal_id)

    def superseded(self, signal: Signal) -> bool:
        """Whether a stop's sale is not the one that its stop waits for now."""
        stop = self.stops.get(signal.account, signal.symbol)
        return stop is None or stop.signal_id != signal.id

    def on_void(self, signal: Signal, reason: Text, cause: str) -> None:
        """A signal became no order: an entry leaves no plan, a stop that waited for it is due again."""
        self.plans.drop(signal.id)
        stop = self.stops.get(signal.account, signal.symbol)
        if stop is None or stop.signal_id != signal.id or stop.armed or stop.due:
            return
        stop.move(StopState.DEFERRED_T1)
        self.stops.refresh(signal.symbol)
        self._post_stop(stop, self.house.portfolio.books[stop.account].volume(stop.symbol), reason, cause)

    def on_fill(self, fill: Fill) -> None:
        """A buy arms the stop and, at its first fill, the plan's triggers; a sale that empties ends both."""
        if fill.side is Side.SELL:
            if not self.house.portfolio.books[fill.account].managed(fill.symbol):
                self._flat(fill.account, fill.symbol, fill.id)
            return
        if not self.house.portfolio.books[fill.account].managed(fill.symbol):
            return
        signal = self.plans.of(fill.signal_id)
        price = signal.stop if signal is not None else None
        first = signal is None or self.plans.is_first_fill(signal)
        if first or self.stops.get(fill.account, fill.symbol) is None:  # later fills leave a stop as it is
            self._arm(fill.account, fill.symbol, price or self._fallback(fill), fill.id)
        if self.house.control.state is TradingState.REDUCING:
            self._make_due(fill.account, fill.symbol, fill.id)
        if signal is not None and first:
            self.plans.note_fill(signal)
            if signal.triggers:
                self.triggers.register(fill.account, fill.symbol, signal.triggers, fill.id)

    def on_verdict(self, verdict: Verdict) -> None:
        """An approved ADJUST, or HOLD with triggers, replaces a position's triggers and may raise a stop."""
        if verdict.outcome is Outcome.REJECTED or verdict.action not in (Action.ADJUST, Action.HOLD):
            return
        if not self.house.portfolio.books[verdict.account].managed(verdict.symbol):
            return
        if verdict.stop is not None:
            self._arm(verdict.account, verdict.symbol, verdict.stop, verdict.id)
        if verdict.triggers:
            self.triggers.register(verdict.account, verdict.symbol, verdict.triggers, verdict.id)

    def on_parent_done(self, message: object) -> None:
        """An entry's plan is done with; a stop's sale that ended with shares left is due again."""
        if isinstance(message, ParentOrder):
            self.plans.begin(message)
        if not isinstance(message, ParentDone):
            return
        if message.side is Side.BUY:
            self.plans.end(message)
            return
        stop = self.stops.get(message.account, message.symbol)
        held = self.house.portfolio.books[message.account].managed(message.symbol)
        if stop is None or not held or stop.state not in (StopState.WORKING, StopState.QUEUED_AT_LIMIT):
            return
        if not message.filled:
            self._wait_until[message.account, message.symbol] = self.house.clock.now() + RETRY_AFTER
        stop.move(StopState.DEFERRED_T1)
        self.stops.refresh(message.symbol)
        self._post_stop(
            stop, held, say("止损单未全部成交，剩余 {left} 股下一时机再卖", left=held), message.id
        )

    def repair(self) -> None:
        """Every held position has a stop: arm the missing ones 8 % below cost, and tell a human."""
        repaired = []
        for name, account in self.house.portfolio.books.items():
            for symbol, position in account.positions.items():
                if account.managed(symbol) and self.stops.get(name, symbol) is None:
                    tick = self.house.portfolio.rules(symbol).tick_size
                    self._arm(name, symbol, fallback_stop(position.cost, tick), None)
                    repaired.append(f"{name} {symbol}")
        if repaired:
            sentence = say("以下持仓缺少止损，已补设：{held}", held="、".join(repaired))
            self.house.bus.alert(Severity.WARNING, sentence)

    def protect(self, account: str, symbol: str, price: Decimal, cause: str | None = None) -> None:
        """Arm a position's stop at a price (CNY), or tighten the one it has."""
        self._arm(account, symbol, price, cause)

    def release(self, account: str, symbol: str, cause: str, *, taken_over: bool = True) -> None:
        """A human took the position over, or the broker has no more of it: its stop and its triggers end."""
        self._flat(account, symbol, cause, taken_over=taken_over)

    def restore_stop(self, update: StopUpdate) -> None:
        """Bring back a stop after a restart; a sale that was out is due again."""
        stop = self.stops.arm(update.account, update.symbol, update.stop)
        self.house.portfolio.stops[update.account, update.symbol] = stop.price
        if update.state is StopState.ARMED:
            return
        stop.move(StopState.DEFERRED_T1)
        self.stops.refresh(update.symbol)
        stop.flatten = update.flatten
        if stop.flatten and self.house.control.state is TradingState.ACTIVE:  # resumed while nothing ran
            self._call_off([stop], update.id)

    def flatten(self, cause: str) -> list[str]:
        """Make every stop due now; returns the positions that cannot be sold at this moment."""
        locked = []
        for name, account in self.house.portfolio.books.items():
            for symbol in sorted(filter(account.managed, account.positions)):
                self._make_due(name, symbol, cause)
                stop = self.stops.get(name, symbol)
                quote = self.house.portfolio.quotes.get(symbol)  # a close that only values holdings is none
                if stop is not None and stop.due and quote is not None:
                    self._work(stop, float(quote.last))
                if stop is None or stop.due:
                    locked.append(f"{name} {symbol}")
        return locked

    def _make_due(self, account: str, symbol: str, cause: str) -> None:
        """An armed stop becomes due whatever the price; one that is due or out already stays as it is."""
        stop = self.stops.get(account, symbol)
        if stop is None or stop.state is not StopState.ARMED:
            return
        stop.cause = cause
        stop.flatten = True
        self._defer(stop, say("一键清仓"), cause)

    def resume(self, cause: str) -> None:
        """A human resumed: time triggers that waited are due now, what a flatten made due is not any more."""
        self.triggers.resume()
        self._call_off([stop for stop in self.stops if stop.flatten], cause)

    def _call_off(self, stops: Sequence[ProtectiveStop], cause: str) -> None:
        """Arm the stops that a flatten made due; their sales that are out are taken back."""
        for stop in stops:
            selling, stop.signal_id = stop.signal_id, None
            stop.flatten = False
            stop.move(StopState.ARMED)
            self.stops.refresh(stop.symbol)
            held = self.house.portfolio.books[stop.account].volume(stop.symbol)
            self._post_stop(stop, held, say("清仓已取消，止损 {price} 照常", price=stop.price), cause)
            if selling is not None:
                self.cancel_signal(selling)
        if stops:
            kept = "、".join(f"{stop.account} {stop.symbol}" for stop in stops)
            sentence = say("已恢复交易：以下持仓尚未卖出，清仓卖单已撤回，止损照常：{held}", held=kept)
            self.house.bus.alert(Severity.WARNING, sentence, cause=cause)

    def move_stop(
        self, account: str, symbol: str, price: Decimal, cause: str, reason: Text | None = None
    ) -> None:
        """Put a stop where a human wants it, or an ex-day puts it (`reason`), in CNY, lower as well."""
        stop = self.stops.put_at(account, symbol, price)
        self.house.portfolio.stops[account, symbol] = price
        held = self.house.portfolio.books[account].volume(symbol)
        self._post_stop(stop, held, reason or say("人工移动止损到 {price}", price=price), cause)

    # stops

    def _arm(self, account: str, symbol: str, price: Decimal, cause: str | None) -> None:
        before = self.stops.get(account, symbol)
        old = before.price if before else None
        stop = self.stops.arm(account, symbol, price, cause)
        self.house.portfolio.stops[account, symbol] = stop.price
        if stop.price != old and stop.state is StopState.ARMED:
            held = self.house.portfolio.books[account].volume(symbol)
            self._post_stop(stop, held, say("止损 {price} 已设", price=stop.price), cause)

    def _work(self, stop: ProtectiveStop, price: float) -> None:
        """A stop is hit or due: sell what may be sold, now or as soon as it may be."""
        house, symbol = self.house, stop.symbol
        if not house.in_session(symbol) or self._waits(stop):  # a flatten comes without a tick
            return
        if house.control.state is TradingState.HALTED:
            self._defer(stop, say("触及止损 {stop}，但交易已停止，恢复后卖出", stop=stop.price), None)
            return
        sellable = house.portfolio.sellable(stop.account, symbol)
        if sellable <= 0:
            self._blocked(stop)
            return
        book = house.portfolio.books[stop.account]
        held = book.volume(symbol)
        volume = house.portfolio.rules(symbol).round_sell(sellable, held - book.working(symbol, Side.SELL))
        if not volume:
            self._too_few(stop, sellable, held)
            return
        quote = house.portfolio.quotes.get(symbol)
        last = to_decimal(price)
        locked = quote is not None and quote.limit_down is not None and last <= quote.limit_down
        stop.move(StopState.QUEUED_AT_LIMIT if locked else StopState.WORKING)
        self.stops.refresh(symbol)
        if stop.flatten:
            reason = say("一键清仓：现价 {last}，卖出 {volume} 股", last=last, volume=volume)
        else:
            reason = say(
                "触及止损 {stop}，现价 {last}，卖出 {volume} 股", stop=stop.price, last=last, volume=volume
            )
        update = self._post_stop(stop, held, reason, stop.cause)
        house.bus.say_log(reason, Severity.WARNING)
        stop.signal_id = self._sell(stop, volume, last, reason, update.id).id

    def _waits(self, stop: ProtectiveStop) -> bool:
        """Whether the stop's last sale was refused a moment ago: orders are not repeated at every tick."""
        until = self._wait_until.get((stop.account, stop.symbol))
        return until is not None and self.house.clock.now() < until

    def _blocked(self, stop: ProtectiveStop) -> None:
        """Nothing may be sold: T+1 holds the shares, or a plan's own sale does, which is taken back."""
        if self.cancel_sales(stop.account, stop.symbol):
            reason = say("触及止损 {stop}，撤回在途卖单后卖出", stop=stop.price)
        else:
            reason = say("触及止损 {stop}，当日买入不可卖，顺延下一交易日", stop=stop.price)
        self._defer(stop, reason, None)

    def _too_few(self, stop: ProtectiveStop, sellable: int, held: int) -> None:
        """What may be sold is less than the smallest order (STAR: 200 shares): told once a day."""
        key, today = (stop.account, stop.symbol), self.house.today()
        reason = say(
            "{account} {symbol} 触及止损 {stop}：持有 {held} 股，可卖的 {sellable} 股不足最小卖出数量，"
            "可与其余股份一并卖出时再卖",
            account=stop.account,
            symbol=stop.symbol,
            stop=stop.price,
            held=held,
            sellable=sellable,
        )
        if self._told.get(key) != today:
            self._told[key] = today
            self.house.bus.alert(Severity.WARNING, reason, cause=stop.cause, account=stop.account)
        self._defer(stop, reason, None)

    def _defer(self, stop: ProtectiveStop, reason: Text, cause: str | None) -> None:
        """An armed stop is due from now on."""
        if stop.state is not StopState.ARMED:
            return
        stop.move(StopState.DEFERRED_T1)
        self.stops.refresh(stop.symbol)
        held = self.house.portfolio.books[stop.account].volume(stop.symbol)
        self._post_stop(stop, held, reason, cause or stop.cause)

    def _sell(self, stop: ProtectiveStop, volume: int, last: Decimal, reason: Text, cause: str) -> Signal:
        house = self.house
        quote = house.portfolio.quotes.get(stop.symbol)
        tick = house.portfolio.rules(stop.symbol).tick_size
        slip = to_decimal(house.settings.execution.stop_slippage)
        limit = max(ceil_to_tick(last * (1 - slip), tick), tick)
        low = limit if quote is None or quote.limit_down is None else quote.limit_down
        limit = max(limit, low)
        return house.bus.post(
            Signal,
            EVENT_AI_SIGNAL,
            cause=cause,
            account=stop.account,
            symbol=stop.symbol,
            side=Side.SELL,
            volume=volume,
            limit=limit,
            low=low,
            high=max(last, limit, (quote and quote.limit_up) or limit),  # the cage may ask for more
            protective=True,
            reason=reason,
            valid_until=house.orders_end(stop.symbol),
        )

    def _flat(self, account: str, symbol: str, cause: str, *, taken_over: bool = False) -> None:
        """Nothing is left to watch: all is sold, or a human took it over."""
        stop = self.stops.flat(account, symbol, StopState.TAKEN_OVER if taken_over else StopState.FLAT)
        self._wait_until.pop((account, symbol), None)
        self._told.pop((account, symbol), None)
        self.house.portfolio.stops.pop((account, symbol), None)
        if stop is not None:
            reason = say("人工接管，止损撤除") if taken_over else say("已清仓，止损撤除")
            self._post_stop(stop, self.house.portfolio.books[account].volume(symbol), reason, cause)
        end = TriggerEnd.TAKEN_OVER if taken_over else TriggerEnd.CANCELLED
        self.triggers.end_all(account, symbol, end, cause)

    def _fallback(self, fill: Fill) -> Decimal:
        """A fill without a known plan still gets a stop, 8 % below its price."""
        return fallback_stop(fill.price, self.house.portfolio.rules(fill.symbol).tick_size)

    def _post_stop(self, stop: ProtectiveStop, volume: int, reason: Text, cause: str | None) -> StopUpdate:
        return self.house.bus.post(
            StopUpdate,
            EVENT_AI_STOP,
            cause=cause,
            account=stop.account,
            symbol=stop.symbol,
            state=stop.state,
            stop=stop.price,
            volume=volume,
            reason=reason,
            flatten=stop.flatten,
        )


def _cancel_nothing(account: str, symbol: str) -> int:
    return 0


def _no_signal(signal_id: str) -> None:
    pass
