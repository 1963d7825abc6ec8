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
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from vnpy.trader.object import TickData

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.base import (
    EVENT_AI_APPROVAL,
    EVENT_AI_FILL,
    EVENT_AI_ORDER,
    EVENT_AI_REQUEST,
    EVENT_AI_SIGNAL,
    EVENT_AI_STOP,
    EVENT_AI_TRIGGER,
    EVENT_AI_VERDICT,
)
from vnpy_aiagent.domain import (
    MARKET_TZ,
    TARGET_NOTE,
    Action,
    Activity,
    AgentName,
    AnalysisRequest,
    ApprovalAnswered,
    Fill,
    Outcome,
    ParentDone,
    ParentOrder,
    RequestKind,
    ResolvedTrigger,
    Severity,
    Side,
    Signal,
    StopState,
    StopUpdate,
    Text,
    TradingState,
    TriggerEnd,
    TriggerEnded,
    TriggerFired,
    TriggerKind,
    TriggerSpec,
    Verdict,
    ceil_to_tick,
    say,
    to_decimal,
)
from vnpy_aiagent.errors import CalendarError
from vnpy_aiagent.market.sessions import session_close, session_open
from vnpy_aiagent.triggers import ProtectiveStop, StopBook, TriggerBook

TIME_TRIGGER = "time_trigger"
TIME_OF_DAY = time(9, 40)
FALLBACK_STOP = Decimal("0.92")
RETRY_AFTER = timedelta(seconds=60)
CancelSales = Callable[[str, str], int]
CancelSignal = Callable[[str], None]


class MonitoringAgent:
    """Owns the trigger book and the stop book.

    `cancel_sales(account, symbol)` takes a plan's sales back, so that a stop does not wait behind them;
    `cancel_signal(signal_id)` takes back a stop's own sale. Both are the execution agent's.
    """

    def __init__(self, house: AgentContext) -> None:
        """The engine forwards ticks; everything else comes as messages."""
        self.house = house
        self.book = TriggerBook()
        self.stops = StopBook()
        self._signals: dict[str, Signal] = {}
        self._entries: dict[str, str] = {}
        self._planned: set[str] = set()
        self._wait_until: dict[tuple[str, str], datetime] = {}
        self._told: dict[tuple[str, str], date] = {}
        self._missed: list[str] = []
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
                self._fire(spec, to_decimal(price))

    def _is_traded_price(self, tick: TickData) -> bool:
        """Whether continuous trading runs, and the tick is not older than its first minute today."""
        opened = session_open(self.house.today())
        return self.house.in_session(tick.vt_symbol) and tick.datetime.astimezone(MARKET_TZ) >= opened

    def on_time(self, trigger_id: str) -> None:
        """A time trigger's deadline has come; while the AI is paused it waits for the end of that.

        A price trigger's deadline ends it: the plan that it belongs to is over.
        """
        price_trigger = self.book.get(trigger_id)
        if price_trigger is not None and price_trigger.expires is not None:
            self._expire(price_trigger)
            return
        if self.house.control.paused:
            self._missed.append(trigger_id)
            return
        spec = self.book.remove(trigger_id)
        if spec is not None:
            self._fire(spec, None)

    def _expire(self, spec: TriggerSpec) -> None:
        self.book.remove(spec.id)
        self._ended(spec, TriggerEnd.EXPIRED, spec.id)
        sentence = say(
            "{account} {symbol} 的触发条件 {price} 到期未触发，已撤除",
            account=spec.account,
            symbol=spec.symbol,
            price=spec.price,
        )
        self.house.bus.say_log(sentence, Severity.INFO)

    def levels(self, vt_symbol: str) -> list[Decimal]:
        """Prices watched in a symbol: triggers and armed stops."""
        return [*self.book.levels(vt_symbol), *self.stops.levels(vt_symbol)]

    def _fire(self, spec: TriggerSpec, price: Decimal | None) -> None:
        bus = self.house.bus
        fired = bus.post(
            TriggerFired,
            EVENT_AI_TRIGGER,
            cause=spec.id,
            account=spec.account,
            trigger_id=spec.id,
            symbol=spec.symbol,
            price=price,
            note=spec.note,
        )
        self._ended(spec, TriggerEnd.FIRED, fired.id)
        bus.status(AgentName.MONITORING, Activity.COMPLETED, spec.symbol)
        if not self.house.portfolio.books[spec.account].managed(spec.symbol):
            return
        reason = say(
            "触发 {note}：{kind} {price}",
            note=spec.note or "—",
            kind=spec.trigger.name,
            price=price or spec.when or "",
        )
        position = self.house.portfolio.books[spec.account].positions[spec.symbol]
        bus.post(
            AnalysisRequest,
            EVENT_AI_REQUEST,
            cause=fired.id,
            account=spec.account,
            request=RequestKind.REPLAN,
            symbol=spec.symbol,
            accounts=(spec.account,),
            reason=reason,
            setup=position.origin.setup,
            trigger_id=spec.id,
            deadline=self.house.session_end(spec.symbol),
        )

    # plans

    def on_signal(self, signal: Signal) -> None:
        """Remember the plan of an entry until its fills come."""
        if signal.side is Side.BUY:
            self._signals[signal.id] = signal

    def on_approval(self, message: object) -> None:
        """An entry that was not approved leaves no plan behind."""
        if isinstance(message, ApprovalAnswered) and not message.approved:
            self._signals.pop(message.signal_id, None)

    def superseded(self, signal: Signal) -> bool:
        """Whether a stop's sale is not the one that its stop waits for now."""
        stop = self.stops.get(signal.account, signal.symbol)
        return stop is None or stop.signal_id != signal.id

    def on_void(self, signal: Signal, reason: Text, cause: str) -> None:
        """A signal became no order: an entry leaves no plan, a stop that waited for it is due again."""
        self._signals.pop(signal.id, None)
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
        signal = self._signals.get(fill.signal_id or "")
        price = signal.stop if signal is not None else None
        first = signal is None or signal.id not in self._planned
        if first or self.stops.get(fill.account, fill.symbol) is None:  # later fills leave a stop as it is
            self._arm(fill.account, fill.symbol, price or self._fallback(fill), fill.id)
        if self.house.control.state is TradingState.REDUCING:
            self._make_due(fill.account, fill.symbol, fill.id)
        if signal is not None and first:
            self._planned.add(signal.id)
            if signal.triggers:
                self._register(fill.account, fill.symbol, signal.triggers, fill.id)

    def on_verdict(self, verdict: Verdict) -> None:
        """An approved ADJUST, or HOLD with triggers, replaces a position's triggers and may raise a stop."""
        if verdict.outcome is Outcome.REJECTED or verdict.action not in (Action.ADJUST, Action.HOLD):
            return
        if not self.house.portfolio.books[verdict.account].managed(verdict.symbol):
            return
        if verdict.stop is not None:
            self._arm(verdict.account, verdict.symbol, verdict.stop, verdict.id)
        if verdict.triggers:
            self._register(verdict.account, verdict.symbol, verdict.triggers, verdict.id)

    def on_parent_done(self, message: object) -> None:
        """An entry's plan is done with; a stop's sale that ended with shares left is due again."""
        if isinstance(message, ParentOrder) and message.side is Side.BUY:
            self._entries[message.id] = message.signal_id
        if not isinstance(message, ParentDone):
            return
        if message.side is Side.BUY:
            self._forget_plan(message)
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
                    self._arm(name, symbol, ceil_to_tick(position.cost * FALLBACK_STOP, tick), None)
                    repaired.append(f"{name} {symbol}")
        if repaired:
            sentence = say("以下持仓缺少止损，已补设：{held}", held="、".join(repaired))
            self.house.bus.alert(Severity.WARNING, sentence)

    def protect(self, account: str, symbol: str, price: Decimal, cause: str | None = None) -> None:
        """Arm a position's stop at a price (CNY), or tighten the one it has."""
        self._arm(account, symbol, price, cause)

    def release(self, account: str, symbol: str, cause: str) -> None:
        """A human took the position over: its stop and its triggers end."""
        self._flat(account, symbol, cause, taken_over=True)

    def cancel_trigger(self, trigger_id: str, cause: str) -> bool:
        """A human takes a trigger out of the book; whether it was still there."""
        spec = self.book.remove(trigger_id)
        if spec is not None:
            self._ended(spec, TriggerEnd.CANCELLED, cause)
        return spec is not None

    def _register(self, account: str, symbol: str, triggers: tuple[ResolvedTrigger, ...], cause: str) -> None:
        """Replace the position's triggers by new ones; a new target alone replaces the old target alone."""
        target_alone = all(trigger.note == TARGET_NOTE for trigger in triggers)
        for old in self.book.of(account, symbol):
            if target_alone and old.note != TARGET_NOTE:
                continue
            self.book.remove(old.id)
            self._ended(old, TriggerEnd.REPLACED, cause)
        for trigger in triggers:
            when = self._when(trigger.sessions) if trigger.trigger is TriggerKind.TIME_AT else None
            spec = self.house.bus.post(
                TriggerSpec,
                EVENT_AI_TRIGGER,
                cause=cause,
                account=account,
                symbol=symbol,
                trigger=trigger.trigger,
                price=trigger.price,
                when=when,
                note=trigger.note,
                expires=None if when is not None else self._expiry(trigger.sessions),
            )
            self._watch(spec)
        self._count(account, symbol)

    def _watch(self, spec: TriggerSpec) -> None:
        """Into the book, with its deadline: when a time trigger fires, or one on a price expires."""
        self.book.add(spec)
        deadline = spec.when or spec.expires
        if deadline is not None:
            self.house.timers.set(deadline, TIME_TRIGGER, spec.id)

    def _expiry(self, sessions: int | None) -> datetime | None:
        """The close of the last session of a price trigger's plan; None where none is given or known."""
        if sessions is None:
            return None
        try:
            return session_close(self.house.calendar.session_offset(self.house.session_date(), sessions))
        except CalendarError:  # near the end of the known calendar: watched until the position is flat
            return None

    def _when(self, sessions: int | None) -> datetime:
        day = self.house.calendar.session_offset(self.house.session_date(), sessions or 1)
        return datetime.combine(day, TIME_OF_DAY, MARKET_TZ)

    def _count(self, account: str, symbol: str) -> None:
        """Tell the portfolio's views how many triggers a position has."""
        self.house.portfolio.triggers[account, symbol] = len(self.book.of(account, symbol))

    def _ended(self, spec: TriggerSpec, end: TriggerEnd, cause: str) -> None:
        self._count(spec.account, spec.symbol)
        self.house.bus.post(
            TriggerEnded,
            EVENT_AI_TRIGGER,
            cause=cause,
            account=spec.account,
            trigger_id=spec.id,
            symbol=spec.symbol,
            end=end,
        )

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

    def restore_trigger(self, spec: TriggerSpec) -> None:
        """Bring back a trigger after a restart; a time trigger that is overdue fires at once."""
        self._watch(spec)
        self._count(spec.account, spec.symbol)

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
        for trigger_id in self._missed:
            self.house.timers.set(self.house.clock.now(), TIME_TRIGGER, trigger_id)
        self._missed.clear()
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

    def move_stop(self, account: str, symbol: str, price: Decimal, cause: str) -> None:
        """Put an armed stop where a human wants it (CNY), lower as well."""
        stop = self.stops.put_at(account, symbol, price)
        self.house.portfolio.stops[account, symbol] = price
        held = self.house.portfolio.books[account].volume(symbol)
        self._post_stop(stop, held, say("人工移动止损到 {price}", price=price), cause)

    def adjust_trigger(self, spec: TriggerSpec, price: Decimal, cause: str) -> TriggerSpec:
        """Replace a price trigger by one at another price (CNY)."""
        self.book.remove(spec.id)
        self._ended(spec, TriggerEnd.REPLACED, cause)
        moved = self.house.bus.adopt(spec, EVENT_AI_TRIGGER, cause=cause, price=price)
        self._watch(moved)
        self._count(spec.account, spec.symbol)
        return moved

    def _forget_plan(self, done: ParentDone) -> None:
        """Its own plan alone: another entry in the same symbol may still wait for its fills."""
        signal_id = self._entries.pop(done.parent_id, "")
        self._signals.pop(signal_id, None)
        self._planned.discard(signal_id)

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
        if quote is not None and quote.limit_down is not None:
            limit = max(limit, quote.limit_down)
        return house.bus.post(
            Signal,
            EVENT_AI_SIGNAL,
            cause=cause,
            account=stop.account,
            symbol=stop.symbol,
            side=Side.SELL,
            volume=volume,
            limit=limit,
            low=limit,
            high=last,
            protective=True,
            reason=reason,
            valid_until=session_close(house.today()),
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
        for spec in self.book.of(account, symbol):
            self.book.remove(spec.id)
            self._ended(spec, TriggerEnd.TAKEN_OVER if taken_over else TriggerEnd.CANCELLED, cause)

    def _fallback(self, fill: Fill) -> Decimal:
        """A fill without a known plan still gets a stop, 8 % below its price."""
        return ceil_to_tick(fill.price * FALLBACK_STOP, self.house.portfolio.rules(fill.symbol).tick_size)

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
