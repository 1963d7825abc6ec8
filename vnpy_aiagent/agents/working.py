"""Works parent orders: asks the plan what is next, at ticks, timers and reports, and does it.

One child is out at a time. The next one is made of volume that is certain to be open: the child before it has
ended, by the broker's word, on the app's own cancel or filled, and all its reported fills have arrived.
Whatever else ends a child, or a state that forbids the order, ends the parent with it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.sending import Sender
from vnpy_aiagent.agents.turnover import usual_volume_of
from vnpy_aiagent.base import EVENT_AI_INTENT
from vnpy_aiagent.domain import (
    Algo,
    CancelAsked,
    Intent,
    Mode,
    OrderState,
    ParentOrder,
    Severity,
    Side,
    Signal,
    Text,
    TradingState,
    say,
)
from vnpy_aiagent.execution import Child, Parent
from vnpy_aiagent.execution.algos import (
    Action,
    Cancel,
    Done,
    Market,
    OpenOrder,
    Orders,
    Place,
    Plan,
    Task,
    Wait,
    choose,
    decide,
)
from vnpy_aiagent.portfolio import Reservation

WORK_TIMER = "work_order"
LAST_MINUTES = timedelta(minutes=6)
"""Before a signal ends, when the last slice should be out: the closing auction takes three of them."""
QUOTE_AGE = timedelta(seconds=60)
"""Oldest quote that an order is priced by anew. Recorded bars have few points a day and are exempt."""
CANCEL_PATIENCE = timedelta(seconds=10)
TWIN_PATIENCE = timedelta(seconds=1)
Venue = Callable[[Signal, int], tuple[str, int]]
"""The gateway of a signal's next child, and how many of the wanted shares it takes there."""
CANCEL_TRIES = 3
KEPT_ARRIVALS = 1_000
Settle = Callable[[Parent], None]


class Worker:
    """Makes and cancels the children of parents that have a plan."""

    def __init__(self, house: AgentContext, sender: Sender, settle: Settle) -> None:
        """`settle(parent)` ends a parent of which nothing more can come."""
        self.house = house
        self.sender = sender
        self._settle = settle
        self.venue: Venue = self._first_gateway
        self._arrivals: dict[str, Decimal | None] = {}
        self._symbols: dict[str, dict[str, Parent]] = {}
        self._exceeded: set[str] = set()

    # beginning and end

    def note_arrival(self, signal: Signal) -> None:
        """The market's price as a signal comes, which may wait for a human first; old ones are forgotten."""
        market = self._market(signal.symbol)
        if len(self._arrivals) >= KEPT_ARRIVALS:
            del self._arrivals[next(iter(self._arrivals))]
        self._arrivals[signal.id] = None if market is None else market.arrival

    def begin(self, parent: Parent) -> None:
        """Plan how a parent is worked, and take its first step."""
        house, signal = self.house, parent.signal
        settings = house.settings.execution.slicing
        usual = None
        if not signal.protective and settings.algo == "AUTO":
            usual = usual_volume_of(house, signal.symbol)
        now = house.clock.now()
        task = Task(
            algo=choose(signal.volume, usual, settings, protective=signal.protective),
            side=signal.side,
            volume=signal.volume,
            limit=signal.limit,
            low=signal.low,
            high=signal.high,
            start=now,
            until=signal.valid_until,
            ends=max(now, signal.valid_until - LAST_MINUTES),
            protective=signal.protective,
        )
        parent.plan, parent.more = Plan(task), True
        parent.arrival = self._arrivals.pop(signal.id, None)
        self._symbols.setdefault(signal.symbol, {})[parent.order.id] = parent
        self._hold_back(parent, signal.volume)
        self.step(parent)

    def adopted(self, parent: Parent) -> None:
        """A parent came back after a restart: what it had not sent is given up, and a human hears so."""
        left = parent.order.volume - parent.exposed
        if left > 0:
            parent.over = say("重启前没有委托完")
            self.house.bus.say_log(rest_given_up(parent.order, left, parent.over), Severity.WARNING)

    def stop(self, parent: Parent, reason: Text) -> None:
        """No further child; the reservation of what was not sent ends."""
        if parent.more:
            parent.more, parent.over = False, reason
            self._release(parent)

    def end_soon(self, child: Child) -> None:
        """A child's cancel was asked for by people or by the state; it is asked for again if need be."""
        child.cancels = max(child.cancels, 1)
        child.asked = self.house.clock.now()
        self.house.timers.set(child.asked + CANCEL_PATIENCE, WORK_TIMER, child.intent.parent_id)

    def forget(self, parent: Parent) -> None:
        """A parent has ended."""
        self._release(parent)
        self._exceeded.discard(parent.order.id)
        parents = self._symbols.get(parent.order.symbol, {})
        parents.pop(parent.order.id, None)
        if not parents:
            self._symbols.pop(parent.order.symbol, None)

    # occasions

    def on_tick(self, vt_symbol: str) -> None:
        """A new quote: parents that have no order out may have waited for it."""
        parents = self._symbols.get(vt_symbol)
        if parents is None:
            return
        for parent in list(parents.values()):
            if parent.more and not parent.open:
                self.step(parent)

    def on_timer(self, parent: Parent) -> None:
        """It is time to look at a parent."""
        if parent.wake is not None and parent.wake <= self.house.clock.now():
            parent.wake = None
        for child in parent.open:
            self._ask_again(child)
        self.step(parent)

    def on_change(self, parent: Parent, child: Child) -> None:
        """Something was heard of a child."""
        if parent.exposed > parent.order.volume:
            self._over(parent)
        if not child.ended:
            return
        if parent.more and not child.leaves_volume:
            self.stop(parent, _why_ended(child))
        self.step(parent)

    # steps

    def step(self, parent: Parent) -> None:
        """Do what is next for a parent; end it where nothing is."""
        if parent.more:
            objection = self._objection(parent)
            if objection is not None:
                self.stop(parent, objection)
            elif parent.plan is not None and self._in_time(parent, parent.plan):
                rules = self.house.portfolio.rules(parent.order.symbol)
                plan, action = decide(
                    parent.plan,
                    self._orders(parent),
                    self._market(parent.order.symbol),
                    rules,
                    self.house.settings.execution,
                    self.house.clock.now(),
                )
                if self._has_twin(parent, action):
                    self._wake(parent, self.house.clock.now() + TWIN_PATIENCE)
                else:
                    parent.plan = plan
                    self._do(parent, action)
        self._settle(parent)

    def _has_twin(self, parent: Parent, action: Action) -> bool:
        """Whether an intent of open fate asks for the same already: after a crash none could tell the two."""
        if not isinstance(action, Place):
            return False
        order = parent.order
        gateway, volume = self.venue(parent.signal, action.volume)
        return self.sender.desk.has_twin(gateway, order.symbol, order.side, action.price, volume)

    def _do(self, parent: Parent, action: Action) -> None:
        match action:
            case Place():
                self._intend(parent, action.volume, action.price)
                self.step(parent)  # which now says when to look at it
            case Cancel():
                self._cancel(parent, action.reason)
            case Wait():
                self._wake(parent, action.until)
            case Done():
                self._give_up(parent, action.reason)

    def _objection(self, parent: Parent) -> Text | None:
        """Why the trading state allows no further child."""
        state = self.house.control.state
        if state is TradingState.HALTED:
            return say("交易已停止（HALTED），剩余不再委托")
        if state is TradingState.REDUCING and parent.order.side is Side.BUY:
            return say("当前只减仓（REDUCING），剩余不再买入")
        return None

    def _in_time(self, parent: Parent, plan: Plan) -> bool:
        """Whether the symbol trades continuously; a limit order's first child is sent at any time."""
        house, symbol = self.house, parent.order.symbol
        if house.in_session(symbol) or (plan.task.algo is Algo.LIMIT and not plan.placed):
            return True
        until = house.next_session_moment(symbol)
        if until < plan.task.until:
            self._wake(parent, until)
        return False

    def _orders(self, parent: Parent) -> Orders:
        house, symbol, side = self.house, parent.order.symbol, parent.order.side
        children = parent.open
        working = None
        if children:
            intent = children[0].intent
            working = OpenOrder(intent.price, intent.at, cancelling=children[0].cancels > 0)
        book, own = house.portfolio.books[parent.order.account], self._own(parent)
        others = book.working(symbol, Side.SELL) - sum(r.volume for r in own if r.side is Side.SELL)
        return Orders(
            rest=parent.order.volume - parent.booked,
            open=working,
            blocked=len(children) > 1 or any(child.state is OrderState.UNKNOWN for child in children),
            held=book.volume(symbol) - others,
            most=self._affordable(parent, own) if side is Side.BUY else None,
        )

    def _market(self, vt_symbol: str) -> Market | None:
        """The latest quote with its book, None where there is none that is fresh."""
        house = self.house
        age = house.portfolio.quote_age(vt_symbol, house.clock.now())
        if age is None or (house.settings.mode is not Mode.SIMULATION and age > QUOTE_AGE.total_seconds()):
            return None
        quote, book = house.portfolio.quotes.get(vt_symbol), house.portfolio.quotes.book(vt_symbol)
        if quote is None or quote.at.date() != house.today():
            return None
        return Market(
            last=quote.last,
            bid=book.bid,
            ask=book.ask,
            bid_volume=book.bid_volume,
            ask_volume=book.ask_volume,
            limit_up=quote.limit_up,
            limit_down=quote.limit_down,
            prev_close=quote.prev_close,
            traded=quote.volume,
        )

    # what a step does

    def send_again(self, child: Child, gateway: str) -> None:
        """What one gateway did not take is sent once more, through another one."""
        intent = child.intent
        self._write(self.sender.desk.parent_of(child), intent.volume, intent.price, gateway)

    def _first_gateway(self, signal: Signal, volume: int) -> tuple[str, int]:
        return self.house.account(signal.account).gateway_name, volume

    def _intend(self, parent: Parent, volume: int, price: Decimal) -> None:
        gateway, volume = self.venue(parent.signal, volume)
        if volume > 0:
            self._write(parent, volume, price, gateway)
        else:
            self._give_up(parent, say("持有该证券的接口没有可卖的数量"))

    def _write(self, parent: Parent, volume: int, price: Decimal, gateway: str) -> None:
        """Journal the next child; it is sent once it is on the disk."""
        house, signal = self.house, parent.signal
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
        self.sender.desk.add(intent)
        book = house.portfolio.books[signal.account]
        self._hold_back(parent, parent.order.volume - parent.exposed)
        book.reserve(intent.id, house.portfolio.reservation(signal.symbol, signal.side, volume, price))

    def _cancel(self, parent: Parent, reason: Text) -> None:
        """Ask for the end of the open child, as far as the limits on cancels allow."""
        child = parent.open[0]
        if child.state is OrderState.INTENDED and not child.vt_orderids:
            child.cancels += 1
            self.sender.withhold(child, reason)
            return
        if not parent.order.protective and self.sender.too_many_cancels(parent.order.account):
            sentence = say("{symbol} 当日撤单比例已达上限，委托不再改价", symbol=parent.order.symbol)
            self.house.bus.say_log(sentence, Severity.INFO)
            return
        self._ask(child, reason)

    def _ask(self, child: Child, reason: Text) -> None:
        house, intent = self.house, child.intent
        child.cancels += 1
        child.asked = house.clock.now()
        self.sender.count_cancel(intent.account)
        house.bus.post(
            CancelAsked,
            EVENT_AI_INTENT,
            cause=intent.id,
            account=intent.account,
            intent_id=intent.id,
            parent_id=intent.parent_id,
            vt_orderids=child.vt_orderids,
            reason=reason,
        )
        house.bus.say_log(
            say("撤单 {account} {symbol}：{why}", account=intent.account, symbol=intent.symbol, why=reason),
            Severity.INFO,
        )
        house.timers.set(child.asked + CANCEL_PATIENCE, WORK_TIMER, intent.parent_id)
        for vt_orderid in child.vt_orderids:
            try:
                house.broker.cancel(vt_orderid, intent.symbol)
            except Exception as error:  # noqa: BLE001 - a gateway's own error; the order works on, asked again later
                house.bus.say_log(
                    say("撤单失败 {order}：{why}", order=vt_orderid, why=f"{type(error).__name__}: {error}"),
                    Severity.WARNING,
                )

    def _ask_again(self, child: Child) -> None:
        """A cancel that the broker did not confirm is asked for again; at last a human is told."""
        now = self.house.clock.now()
        if child.asked is None or now < child.asked + CANCEL_PATIENCE or not self._trades(child):
            return
        if child.cancels < CANCEL_TRIES:
            self._ask(child, say("撤单未获确认，再次撤单"))
        elif child.cancels == CANCEL_TRIES:
            child.cancels += 1
            intent = child.intent
            sentence = say(
                "{account} {symbol} 的委托 {orders} 撤单后一直没有回报，剩余数量不再委托；请在柜台核对",
                account=intent.account,
                symbol=intent.symbol,
                orders="、".join(child.vt_orderids),
            )
            self.house.bus.alert(Severity.CRITICAL, sentence, cause=intent.id, account=intent.account)

    def _trades(self, child: Child) -> bool:
        """Whether the exchange takes cancels now."""
        return self.house.in_session(child.intent.symbol)

    def _give_up(self, parent: Parent, reason: Text | None) -> None:
        parent.more, parent.over = False, reason
        self._release(parent)
        if reason is not None:
            sentence = rest_given_up(parent.order, parent.order.volume - parent.booked, reason)
            self.house.bus.say_log(sentence, Severity.WARNING)

    def _over(self, parent: Parent) -> None:
        """A fill came that the broker's reports had not announced: nothing more of this parent may fill."""
        sentence = say(
            "{account} {symbol} 的成交超出柜台此前的回报，批准 {volume} 股，可能成交 {exposed} 股，已撤单；"
            "请在柜台核对",
            account=parent.order.account,
            symbol=parent.order.symbol,
            volume=parent.order.volume,
            exposed=parent.exposed,
        )
        self.stop(parent, sentence)
        if parent.order.id in self._exceeded:
            return
        self._exceeded.add(parent.order.id)
        self.house.bus.alert(Severity.CRITICAL, sentence, cause=parent.order.id, account=parent.order.account)
        for child in parent.open:
            if child.state is OrderState.INTENDED and not child.vt_orderids:
                self.sender.withhold(child, sentence)
            elif child.vt_orderids:
                self._ask(child, sentence)

    def _wake(self, parent: Parent, until: datetime | None) -> None:
        """Look at the parent again at a time, unless it is looked at before."""
        if until is None or (parent.wake is not None and parent.wake <= until):
            return
        parent.wake = until
        self.house.timers.set(until, WORK_TIMER, parent.order.id)

    # what it holds back

    def _own(self, parent: Parent) -> list[Reservation]:
        """The reservations of a parent's rest and open children."""
        held = self.house.portfolio.books[parent.order.account].reservations
        keys = [parent.order.id, *(child.intent.id for child in parent.open)]
        return [held[key] for key in keys if key in held]

    def _hold_back(self, parent: Parent, volume: int) -> None:
        """Reserve what is not sent yet, so that nothing else counts on its cash or shares."""
        order, portfolio = parent.order, self.house.portfolio
        if volume <= 0:
            self._release(parent)
            return
        reservation = portfolio.reservation(order.symbol, order.side, volume, parent.signal.limit)
        portfolio.books[order.account].reserve(order.id, reservation)

    def _release(self, parent: Parent) -> None:
        self.house.portfolio.books[parent.order.account].release(parent.order.id)

    def _affordable(self, parent: Parent, own: list[Reservation]) -> Decimal | None:
        """The highest price (CNY) at which the cash covers what is left of a buy, about to the fees."""
        order, portfolio = parent.order, self.house.portfolio
        left = order.volume - parent.booked
        if left <= 0:
            return None
        needed = portfolio.reservation(order.symbol, order.side, left, parent.signal.limit).cash
        cash = portfolio.books[order.account].available + sum((r.cash for r in own), Decimal(0))
        return parent.signal.limit * cash / needed


def _why_ended(child: Child) -> Text:
    """Why nothing follows a child that did not end as the app wanted."""
    if child.state is OrderState.REJECTED:
        return say("委托被拒，剩余不再委托")
    if child.state is OrderState.FILLED:
        return say("柜台报告全部成交，成交回报却不足，剩余不再委托")
    return say("委托未发出或被撤销，剩余不再委托")


def rest_given_up(order: ParentOrder, left: int, reason: Text) -> Text:
    """That `left` shares of an order are not sent any more, and why."""
    return say(
        "{account} {symbol} 剩余 {left} 股不再委托：{why}",
        account=order.account,
        symbol=order.symbol,
        left=left,
        why=reason,
    )
