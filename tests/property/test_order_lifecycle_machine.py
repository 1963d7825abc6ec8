"""Orders under every fault at once: whatever happens in whatever order, the books tell the truth.

AIAGENT_TEST_DEEP=1 runs many more and longer stories, by chance instead of the same ones each time.
"""

import os
import shutil
import tempfile
from collections import Counter, defaultdict
from datetime import datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from vnpy.trader.constant import Direction, Exchange, Status
from vnpy.trader.event import EVENT_ORDER, EVENT_TRADE
from vnpy.trader.object import OrderData, TradeData

from vnpy_aiagent.agents.books_check import differences
from vnpy_aiagent.base import EVENT_AI_SIGNAL
from vnpy_aiagent.domain import (
    MARKET_TZ,
    Fill,
    HandlerFailed,
    Intent,
    OrderState,
    OrderUpdate,
    ParentOrder,
    Sent,
    Side,
    Signal,
    cny,
    say,
)
from vnpy_aiagent.execution import TERMINAL
from vnpy_aiagent.market.sessions import session_close
from vnpy_aiagent.testing.faulty_gateway import Faults

from ..unit.engine.small_house import BANK  # noqa: TID252 - the test tree is no package
from .order_house import FAST, OrderHouse

DEEP = bool(os.environ.get("AIAGENT_TEST_DEEP"))
COMMANDS = ("halt", "resume", "resume", "resume", "flatten", "pause")
LINE = ("calm", "disconnect", "reconnect", "reconnect", "restart")
NEXT_DAY = 86_400
OFTEN = {
    "an_order": 5,
    "time_passes": 3,
    "a_human": 2,
    "the_line_is": 2,
    "messages_come": 4,
    "the_process_ends": 1,
}
ratios = st.sampled_from([0.0, 0.0, 0.2, 0.5])
ticks = st.tuples(st.integers(-8, 8), st.sampled_from([0, 3_000, 20_000, 1_000_000]))
FACES: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "an_order": {
        "side": st.sampled_from([*Side, Side.BUY]),
        "lots": st.integers(1, 20),
        "offset": st.sampled_from([-3, 0, 1, 2, 3, 5, 10]),
        "then": ticks,
    },
    "time_passes": {"then": ticks, "seconds": st.sampled_from([1, 20, 61, 600, NEXT_DAY, NEXT_DAY])},
    "a_human": {"what": st.sampled_from([*COMMANDS, "cancel", "cancel", "cancel", "yes", "yes", "no"])},
    "the_line_is": {
        "seed": st.integers(0, 9_999),
        "reject": st.sampled_from([0.0, 0.0, 0.3]),
        "disconnect": st.sampled_from([0.0, 0.0, 0.3]),
        "drop": ratios,
        "duplicate": ratios,
        "delay": ratios,
        "reorder": ratios,
        "restart": st.sampled_from([0.0, 0.0, 0.3]),
        "outage": st.integers(0, 3),
    },
    "messages_come": {
        "what": st.sampled_from([*LINE, "step", "step", "old trade", "foreign"]),
        "number": st.integers(0, 99),
    },
    "the_process_ends": {
        "entries": st.integers(0, 20),
        "approvals": st.sampled_from(["none", "none", "entries", "all"]),
    },
}


def steps() -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """One rule with many faces: as several rules, hypothesis would leave most out of most stories."""
    names = [name for name, weight in OFTEN.items() for _ in range(weight)]
    return st.sampled_from(names).flatmap(
        lambda name: st.tuples(st.just(name), st.fixed_dictionaries(FACES[name]))
    )


class OrderLifecycle(RuleBasedStateMachine):
    """Signals, ticks, people and a bad line to the broker, in any order; the process may end at any entry."""

    execution = FAST

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="orders-"))
        self.world = OrderHouse(self.folder / "journal.db", "2025-03-03 09:40:00", self.execution)
        self.seen = 0
        self.fills: list[Fill] = []
        self.intents: dict[str, Intent] = {}
        self.states: dict[str, OrderState] = {}
        self.signals: dict[str, Signal] = {}
        self.parents: dict[str, str] = {}
        self.orders: set[str] = set()
        self.last = 5.0

    def teardown(self) -> None:
        world = self.world
        try:
            if world.alive:
                self.settle()
                world.end()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def settle(self) -> None:
        """The line is good again: books and exchange agree, unless an earlier day's trade was never told."""
        world = self.world
        world.writer.fuse = None

        def good_again() -> None:
            world.gateway.calm()
            world.gateway.reconnect()
            world.house.events.drain()
            world.engine.execution.cancel_all()

        world.act(good_again)
        self.the_books_tell_the_truth()
        told = {(trade.vt_orderid, trade.tradeid) for trade in world.delivered}
        if all((trade.vt_orderid, trade.tradeid) in told for trade in world.gateway._trades):
            assert differences(world.book, world.engine.parts.exchange.account("judge")) == []

    # what happens

    @initialize(faults=st.fixed_dictionaries(FACES["the_line_is"]))
    def quotes_come(self, faults: dict[str, Any]) -> None:
        self.tick(0, 1_000_000)
        self.the_line_is(**faults)

    @rule(step=steps())
    def it_goes_on(self, step: tuple[str, dict[str, Any]]) -> None:
        name, faces = step
        getattr(self, name)(**faces)

    def an_order(self, side: Side, lots: int, offset: int, then: tuple[int, int]) -> None:
        """A signal near the market, and a tick after it; a sale is of at most what may be sold."""
        volume = lots * 100
        if side is Side.SELL:
            volume = min(volume, self.world.engine.house.portfolio.sellable("judge", BANK))
        if volume:
            limit = Decimal(round(self.last * 100) + offset) / 100
            self.world.act(lambda: self.signal(side, volume, limit, protective=lots % 5 == 0))
        self.tick(*then)

    def time_passes(self, then: tuple[int, int], seconds: int) -> None:
        house = self.world.house
        moment = house.clock.moment + timedelta(seconds=seconds)
        if seconds == NEXT_DAY or moment.hour >= 15:
            day = self.world.engine.house.calendar.next_session(self.world.today)
            moment = datetime.combine(day, time(9, 40))
        self.world.act(lambda: house.go(f"{moment:%Y-%m-%d %H:%M:%S}"))
        self.tick(*then)

    def a_human(self, what: str) -> None:
        engine = self.world.engine
        waiting, parents = engine.pending_approvals(), list(engine.execution.desk.parents.values())
        if what in COMMANDS:
            args = ("test",) if what == "halt" else ()
            self.world.act(lambda: getattr(engine, what)(*args))
        elif what == "cancel" and parents:
            self.world.act(lambda: engine.execution.cancel(parents[0]))
        elif what != "cancel" and waiting:
            answer = engine.approve if what == "yes" else engine.refuse
            self.world.act(lambda: answer(waiting[0].id))

    def the_line_is(self, **faults: Any) -> None:
        self.world.faults = Faults(**faults)
        self.world.gateway.use(self.world.faults)

    def messages_come(self, what: str, number: int) -> None:
        gateway, delivered = self.world.gateway, self.world.delivered
        if what in ("disconnect", "restart"):
            self.world.act(lambda: getattr(gateway, what)(number % 3))
        elif what in LINE:
            self.world.act(getattr(gateway, what))
        elif what == "step":
            self.world.act(lambda: gateway.step(1 + number % 3))
        elif what == "old trade" and delivered:
            self.world.act(lambda: self.world.tell(EVENT_TRADE, delivered[number % len(delivered)]))
        elif what == "foreign":
            self.a_foreign_order(number % 3)

    def the_process_ends(self, entries: int, approvals: str) -> None:
        """At an entry to come; or now and in order."""
        self.world.approvals = approvals
        if entries:
            self.world.writer.fuse = entries - 1
            return
        self.world.end()
        self.world.begin()
        self.tick(0, 0)

    def tick(self, cents: int, traded: int) -> None:
        self.last = min(5.4, max(4.6, round(self.last + cents / 100, 2)))
        self.world.act(lambda: self.world.house.tick(self.last, traded=traded))

    def signal(self, side: Side, volume: int, limit: Decimal, *, protective: bool) -> None:
        self.world.engine.bus.post(
            Signal,
            EVENT_AI_SIGNAL,
            cause=None,
            account="judge",
            symbol=BANK,
            side=side,
            volume=volume,
            limit=limit,
            low=limit,
            high=limit,
            stop=limit - Decimal("0.20") if side is Side.BUY else None,
            protective=protective and side is Side.SELL,
            reason=say("测试"),
            valid_until=session_close(self.world.today),
        )

    def a_foreign_order(self, number: int) -> None:
        told: dict[str, Any] = {
            "symbol": BANK[:6],
            "exchange": Exchange.SSE,
            "orderid": f"foreign{number}",
            "direction": Direction.LONG,
            "price": float("nan") if number else 5.0,
            "volume": 100,
            "gateway_name": self.world.gateway.gateway_name,
        }
        self.world.act(lambda: self.world.tell(EVENT_ORDER, OrderData(**told, status=Status.NOTTRADED)))
        self.world.act(lambda: self.world.tell(EVENT_TRADE, TradeData(**told, tradeid="00000001")))

    # what must hold

    @invariant()
    def the_books_tell_the_truth(self) -> None:
        if not self.world.alive:
            return
        self.read_on()
        self.positions_and_cash_are_what_the_fills_give()
        self.nothing_is_sent_twice_or_unwritten()
        self.no_more_than_approved()
        self.what_was_told_is_booked_once()

    def read_on(self) -> None:
        """What the journal says since the last look; a terminal state is not left."""
        for message in self.world.written[self.seen :]:
            match message:
                case Fill():
                    self.fills.append(message)
                case Intent():
                    self.intents[message.id] = message
                case Signal():
                    self.signals[message.id] = message
                case ParentOrder():
                    self.parents[message.id] = message.signal_id
                case Sent():
                    self.orders.update(message.vt_orderids)
                case OrderUpdate():
                    before = self.states.get(message.intent_id)
                    after = self.states[message.intent_id] = message.state
                    assert before not in TERMINAL or after in (before, OrderState.FILLED), message
                case HandlerFailed():
                    raise AssertionError(message.error)
        self.seen = len(self.world.written)

    def positions_and_cash_are_what_the_fills_give(self) -> None:
        book, portfolio = self.world.book, self.world.engine.house.portfolio
        held: Counter[str] = Counter()
        cash = book.opening_cash
        by_order: dict[tuple[object, ...], list[Fill]] = defaultdict(list)
        for fill in self.fills:
            sign = 1 if fill.side is Side.BUY else -1
            held[fill.symbol] += sign * fill.volume
            cash -= sign * cny(fill.price * fill.volume) + fill.fees
            by_order[fill.trading_day, fill.orderid].append(fill)
        assert {s: p.volume for s, p in book.positions.items()} == {s: v for s, v in held.items() if v}
        assert (book.cash, book.cash_off) == (cash, 0)
        for fills in by_order.values():
            rules = portfolio.rules_for(fills[0].symbol, fills[0].trading_day)
            turnover = sum((fill.price * fill.volume for fill in fills), Decimal(0))
            fees = rules.order_fees(fills[0].side, turnover, sum(fill.volume for fill in fills)).total
            if max(map(self.sessions_late, fills)) <= 1:  # the books remember orders of the day before
                assert fees == sum(fill.fees for fill in fills), fills
        for symbol, position in book.positions.items():
            locked = position.bought_on(self.world.today)
            assert position.volume - locked - book.working(symbol, Side.SELL) >= 0
            assert portfolio.sellable("judge", symbol) >= 0

    def sessions_late(self, fill: Fill) -> int:
        """Sessions from a fill's own day to the one on which it was heard of."""
        heard = fill.at.astimezone(MARKET_TZ).date()
        return len(self.world.engine.house.calendar.sessions(fill.trading_day, heard)) - 1

    def nothing_is_sent_twice_or_unwritten(self) -> None:
        references = self.world.references()
        assert max(Counter(references).values(), default=0) <= 1
        assert set(references) <= {intent.reference for intent in self.intents.values()}

    def no_more_than_approved(self) -> None:
        taken: Counter[str] = Counter()
        for fill in self.fills:
            taken[self.parents[fill.parent_id or ""]] += fill.volume
        for parent in self.world.engine.execution.desk.parents.values():
            open_volume = sum(c.intent.volume - c.filled for c in parent.children if not c.ended)
            taken[parent.signal.id] += max(0, open_volume)
        for signal_id, volume in taken.items():
            assert volume <= self.signals[signal_id].volume

    def what_was_told_is_booked_once(self) -> None:
        booked = Counter((fill.trading_day, fill.orderid, fill.tradeid) for fill in self.fills)
        assert max(booked.values(), default=0) <= 1
        for trade in self.world.delivered:
            if trade.vt_orderid in self.orders and trade.datetime is not None:
                day = trade.datetime.astimezone(MARKET_TZ).date()
                assert booked[day, trade.orderid, trade.tradeid] == 1, trade


TestOrderLifecycle = OrderLifecycle.TestCase
TestOrderLifecycle.settings = settings(
    max_examples=int(os.environ.get("AIAGENT_TEST_DEEP_EXAMPLES", "1000")) if DEEP else 80,
    stateful_step_count=60 if DEEP else 30,
    derandomize=not DEEP,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
