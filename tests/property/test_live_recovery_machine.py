"""Mode LIVE under broken lines, lost reports, human trades and crashes at any journal entry.

Whatever happens in whatever order: nothing is sent twice, positions are fills and adjustments, and once the
line is good again the book says what the broker says. AIAGENT_TEST_DEEP=1 runs many more and longer stories.
"""

import os
import shutil
import tempfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType
from vnpy.trader.object import OrderRequest

from vnpy_aiagent.config import ExecutionSettings
from vnpy_aiagent.domain import (
    AccountOpened,
    CashAdjusted,
    Fill,
    HandlerFailed,
    HoldingAdjusted,
    Intent,
    OrderState,
    Side,
    cny,
)

from ..unit.engine.live_house import BANK, BROKER, Desk, LiveHouse  # noqa: TID252 - the test tree is no package
from .order_house import Crash, FusedWriter

DEEP = bool(os.environ.get("AIAGENT_TEST_DEEP"))
DAY = "2025-07-10"
FAST = ExecutionSettings(max_orders_per_second=299, beside_external=True)
STEPS = st.one_of(
    st.tuples(st.just("order"), st.sampled_from([*Side, Side.BUY]), st.integers(1, 3)),
    st.tuples(st.just("order"), st.sampled_from([*Side, Side.BUY]), st.integers(1, 3)),
    st.tuples(st.just("trades"), st.integers(0, 9), st.sampled_from(["told", "lost", "late"])),
    st.tuples(st.just("trades"), st.integers(0, 9), st.sampled_from(["told", "lost", "late"])),
    st.tuples(st.just("ends"), st.integers(0, 9), st.booleans()),
    st.tuples(st.just("the_line"), st.sampled_from(["breaks", "never left", "refuses", "good", "down"])),
    st.tuples(st.just("waits"), st.sampled_from([1, 5, 15, 70]), st.booleans()),
    st.tuples(st.just("again"), st.integers(0, 2)),
    st.tuples(st.just("human"), st.sampled_from(Side), st.integers(1, 3)),
    st.tuples(st.just("crash"), st.integers(0, 12)),
    st.tuples(st.just("resume"), st.just(0)),
)


class LiveRecovery(RuleBasedStateMachine):
    """One account; the desk is the broker's truth and outlives each process."""

    execution = FAST

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="live-"))
        self.desk = Desk(held={BANK: 500})
        self.moment = f"{DAY}T10:00:00"
        self.written: list[Any] = []
        self.late: list[Any] = []
        self.line = "good"
        self.begin()
        self.act(self.house.settle)
        self.act(self.house.quote)

    def begin(self) -> None:
        self.house = LiveHouse(self.folder / "journal.db", self.moment, self.desk, execution=self.execution)
        parts: Any = self.house.engine._parts
        self.writer = parts.writer = FusedWriter(parts.writer, self.written)
        self.house.__enter__()
        self.apply_line()

    def act(self, action: Any) -> None:
        try:
            action()
            self.house.events.drain()
        except Crash:
            self.writer.fuse = None
            self.moment = f"{self.house.clock.moment:%Y-%m-%dT%H:%M:%S}"
            self.house.abandon()
            self.begin()

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            self.writer.fuse = None
            self.house.__exit__()
            shutil.rmtree(self.folder, ignore_errors=True)

    # what happens

    @rule(step=STEPS)
    def it_goes_on(self, step: tuple[Any, ...]) -> None:
        name, *faces = step
        getattr(self, name)(*faces)

    def order(self, side: Side, lots: int) -> None:
        book, volume = self.house.book, lots * 100
        if side is Side.SELL:
            volume = min(volume, self.house.engine.house.portfolio.sellable("judge", BANK))
        if volume:
            self.act(lambda: self.house.signal(volume, side, "5.00" if book.cash > 0 else "4.99"))

    def trades(self, number: int, how: str) -> None:
        """Some of an order trades at the desk, whatever the app hears of it."""
        orders = [order for order in self.desk.orders.values() if order.is_active()]
        if not orders:
            return
        order = orders[number % len(orders)]
        left = int(order.volume - order.traded)
        volume = left if number % 2 else min(left, 100)
        if order.direction is Direction.SHORT:
            volume = min(volume, int(self.desk.held.get(BANK, 0)))
        if not volume:
            return
        trade = self.desk.match(order.orderid, volume, order.price, self.house.clock.now())
        if how == "late":
            self.late.append(trade)
        elif how == "told":
            self.act(lambda: self.house.gateway.on_order(self.desk.orders[order.orderid]))
            self.act(lambda: self.house.gateway.on_trade(trade))

    def ends(self, number: int, told: bool) -> None:
        orders = [order for order in self.desk.orders.values() if order.is_active()]
        if orders:
            order = orders[number % len(orders)]
            self.desk.end(order.orderid)
            if told:
                self.act(lambda: self.house.gateway.on_order(self.desk.orders[order.orderid]))

    def the_line(self, how: str) -> None:
        """The line to the broker from now on."""
        if how == "down":
            self.act(lambda: self.house.gateway.write_log("交易服务器连接断开，原因4097"))
        else:
            self.line = how
            self.apply_line()

    def waits(self, seconds: int, polls: bool) -> None:
        self.act(lambda: self.house.pass_seconds(seconds, polls=polls))
        self.act(self.house.quote)

    def again(self, what: int) -> None:
        """The gateway logs in again, or late trades arrive."""
        if what:
            self.act(self.house.gateway.tell_orders)
        for trade in self.late:
            self.act(lambda trade=trade: self.house.gateway.on_trade(trade))
        self.late.clear()

    def human(self, side: Side, lots: int) -> None:
        """A human trades in the same account; a sale is of their own shares."""
        volume = lots * 100
        if side is Side.SELL and self.desk.held.get(BANK, 0) - volume < self.house.book.managed(BANK) + 300:
            return
        direction = Direction.LONG if side is Side.BUY else Direction.SHORT
        request = OrderRequest(
            BANK[:6], Exchange.SSE, direction, OrderType.LIMIT, volume, 5.03, Offset.NONE, "by hand"
        )
        order = self.desk.take(request, BROKER, self.house.clock.now(), reference=True)
        self.desk.requests.pop()
        trade = self.desk.match(order.orderid, volume, 5.03, self.house.clock.now())
        self.act(lambda: self.house.gateway.on_order(self.desk.orders[order.orderid]))
        self.act(lambda: self.house.gateway.on_trade(trade))

    def crash(self, entries: int) -> None:
        """At an entry to come, or now."""
        if entries:
            self.writer.fuse = entries - 1
            return

        def now() -> None:
            raise Crash("now")

        self.act(now)

    def resume(self, _: int) -> None:
        self.act(self.house.engine.resume)

    def apply_line(self) -> None:
        gateway = self.house.gateway
        gateway.refuses = self.line == "refuses"
        gateway.breaks = ConnectionError("broken") if self.line in ("breaks", "never left") else None
        gateway.never_left = self.line == "never left"

    # what must hold

    def settle(self) -> None:
        """The line is good again: the book agrees with the broker, and nothing is open."""
        self.writer.fuse = None
        self.line = "good"
        self.apply_line()
        for _ in range(6):  # a parent that waited for an order of unknown fate may send its own meanwhile
            for order in [order for order in self.desk.orders.values() if order.is_active()]:
                self.desk.end(order.orderid)
            self.act(self.house.settle)
        self.nothing_is_lost_or_doubled()
        book = self.house.book
        unknown = [
            child
            for _, child in self.house.engine.execution.desk.working()
            if child.state is OrderState.UNKNOWN
        ]
        if not unknown:
            assert self.house.held.get(BANK, 0) == self.desk.held.get(BANK, 0)
            assert book.cash == Decimal(str(round(self.desk.cash, 2)))
            assert list(self.house.engine.execution.desk.working()) == []
            assert book.reservations == {}
        assert self.house.reconciled

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        references = Counter(request.reference for request in self.desk.requests)
        intents = [message for message in self.written if isinstance(message, Intent)]
        assert max(references.values(), default=0) <= 1
        assert set(references) <= {intent.reference for intent in intents}
        assert [message.error for message in self.written if isinstance(message, HandlerFailed)] == []
        self.the_book_is_fills_and_adjustments()
        self.no_two_unresolved_intents_are_alike()

    def the_book_is_fills_and_adjustments(self) -> None:
        held, external, cash = 0, 0, Decimal(0)
        seen = set()
        for message in self.written:
            match message:
                case AccountOpened():
                    cash += message.cash
                case CashAdjusted():
                    cash += message.amount
                case HoldingAdjusted():
                    held += message.volume
                    external += message.external
                case Fill():
                    assert message.identity not in seen
                    seen.add(message.identity)
                    sign = 1 if message.side is Side.BUY else -1
                    held += sign * message.volume
                    cash -= sign * cny(message.price * message.volume) + message.fees
        assert self.house.held.get(BANK, 0) == held
        assert self.house.book.cash == cash
        assert self.house.book.external.get(BANK, 0) == external  # no fill of ours ever sold any
        assert 0 <= external <= held
        assert self.house.book.cash_off == 0

    def no_two_unresolved_intents_are_alike(self) -> None:
        open_ones = [
            (child.intent.symbol, child.intent.side, child.intent.price, child.intent.volume)
            for _, child in self.house.engine.execution.desk.working()
            if not child.vt_orderids
        ]
        assert max(Counter(open_ones).values(), default=0) <= 1


TestLiveRecovery = LiveRecovery.TestCase
TestLiveRecovery.settings = settings(
    max_examples=int(os.environ.get("AIAGENT_TEST_DEEP_EXAMPLES", "400")) if DEEP else 25,
    stateful_step_count=50 if DEEP else 25,
    derandomize=not DEEP,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
