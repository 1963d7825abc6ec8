"""Parent orders at work: when a child is cancelled, what follows it, what ends them. A scripted broker."""

from collections.abc import Iterator
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from vnpy.event import Event
from vnpy.trader.constant import Direction, Exchange, Status
from vnpy.trader.event import EVENT_ORDER, EVENT_TRADE
from vnpy.trader.object import OrderData, TradeData

from vnpy_aiagent.base import EVENT_AI_SIGNAL
from vnpy_aiagent.config import ExecutionSettings
from vnpy_aiagent.domain import (
    Alert,
    CancelAsked,
    ExecutionReport,
    HandlerFailed,
    Intent,
    OrderState,
    ParentDone,
    ParentState,
    Sent,
    Severity,
    Side,
    Signal,
    say,
)
from vnpy_aiagent.testing.faulty_gateway import Faults, FaultyGateway

from ..engine.small_house import BANK, SmallHouse, at  # noqa: TID252 - the test tree is no package

DAY = "2025-03-03"


class World:
    """One account whose broker says only what the test says."""

    def __init__(self, folder: Path, **execution: Any) -> None:
        self.house = SmallHouse(
            folder / "journal.db", f"{DAY} 10:00:00", execution=ExecutionSettings(**execution)
        )
        name = self.house.settings.accounts[0].gateway_name
        self.gateway: Any = self.house.main.add_gateway(FaultyGateway, name)
        self.house.__enter__()
        self.cancels: list[str] = []
        engine: Any = self.house.engine
        self.gateway.cancel_order = lambda request: self.cancels.append(request.orderid)
        self.gateway.use(Faults(drop=1))
        self.execution = engine.execution
        self.book = engine.house.portfolio.books["judge"]
        self.number = 0
        self.house.tick(5.0)

    def signal(
        self, volume: int = 1000, until: str = "15:00:00", side: Side = Side.BUY, **changes: Any
    ) -> None:
        limit = Decimal("5.00")
        fields: dict[str, Any] = {
            "account": "judge",
            "symbol": BANK,
            "side": side,
            "volume": volume,
            "limit": limit,
            "low": limit - Decimal("0.06"),
            "high": limit + Decimal("0.06"),
            "reason": say("测试"),
            "valid_until": at(f"{DAY} {until}"),
        }
        self.house.engine.bus.post(Signal, EVENT_AI_SIGNAL, cause=None, **(fields | changes))
        self.house.events.drain()

    def go(self, moment: str, price: float | None = None) -> None:
        """Time passes; at the end there is a quote."""
        target = at(f"{DAY} {moment}")
        if price is not None:
            just_before = (target - (at(f"{DAY} 10:00:01") - at(f"{DAY} 10:00:00"))).time()
            self.house.go(f"{DAY} {just_before:%H:%M:%S}")
            self.house.tick(price)
        self.house.go(f"{DAY} {moment}")

    @property
    def sent(self) -> list[tuple[int, float]]:
        return [(int(request.volume), request.price) for request in self.gateway.requests]

    @property
    def ids(self) -> list[str]:
        """The broker's ids of our orders, oldest first."""
        return [sent.vt_orderids[0].partition(".")[2] for sent in self.house.said(Sent)]

    def tell(self, status: Status, traded: float = 0, orderid: str = "", side: Side = Side.BUY) -> None:
        order = OrderData(
            gateway_name=self.gateway.gateway_name,
            symbol=BANK[:6],
            exchange=Exchange.SSE,
            orderid=orderid or self.ids[-1],
            direction=Direction.LONG if side is Side.BUY else Direction.SHORT,
            price=5.0,
            volume=1000,
            traded=traded,
            status=status,
        )
        self.house.events.put(Event(EVENT_ORDER, order))
        self.house.events.drain()

    def fill(self, volume: float, orderid: str = "", price: float = 5.0, side: Side = Side.BUY) -> None:
        self.number += 1
        trade = TradeData(
            gateway_name=self.gateway.gateway_name,
            symbol=BANK[:6],
            exchange=Exchange.SSE,
            orderid=orderid or self.ids[-1],
            tradeid=str(self.number),
            direction=Direction.LONG if side is Side.BUY else Direction.SHORT,
            price=price,
            volume=volume,
            datetime=self.house.clock.now(),
        )
        self.house.events.put(Event(EVENT_TRADE, trade))
        self.house.events.drain()

    @property
    def done(self) -> list[ParentDone]:
        return self.house.said(ParentDone)

    @property
    def report(self) -> ExecutionReport:
        [report] = self.house.said(ExecutionReport)
        return report  # type: ignore[no-any-return]

    def critical(self) -> list[str]:
        return [str(a.text) for a in self.house.said(Alert) if a.severity is Severity.CRITICAL]


def made(folder: Path, **execution: Any) -> Iterator[World]:
    world = World(folder, **execution)
    yield world
    assert world.house.said(HandlerFailed) == []
    world.house.__exit__()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield from made(tmp_path)


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[World]:
    """Gives an order up after one replacement."""
    yield from made(tmp_path, timeout={"after": 60, "replacements": 1, "then": "GIVE_UP"})


@pytest.fixture
def sliced(tmp_path: Path) -> Iterator[World]:
    """Four slices in twenty minutes."""
    yield from made(tmp_path, slicing={"algo": "TWAP", "slices": 4, "minutes": 20})


@pytest.fixture
def choosy(tmp_path: Path) -> Iterator[World]:
    """Waits up to a minute for a spread of at most 2 ticks, and goes then."""
    yield from made(tmp_path, patience={"max_spread": 0.0, "seconds": 60})


# cancel and replace


def test_an_order_that_did_not_fill_is_replaced_once_its_end_is_certain(world: World) -> None:
    world.signal()
    world.tell(Status.NOTTRADED)
    world.go("10:01:00", 5.05)
    [asked] = world.house.said(CancelAsked)
    assert (world.cancels, world.sent) == ([world.ids[0]], [(1000, 5.0)])
    assert (asked.vt_orderids, "超时" in str(asked.reason)) == ((f"SIM-JUDGE.{world.ids[0]}",), True)
    world.tell(Status.CANCELLED)
    assert world.sent == [(1000, 5.0), (1000, 5.02)]
    first, second = world.house.said(Intent)
    assert (first.parent_id, second.parent_id) == (second.parent_id, first.parent_id)
    assert second.reference == f"{second.parent_id}/2"


def test_a_cancelled_order_whose_fill_is_still_on_its_way_blocks_the_replacement(world: World) -> None:
    world.signal()
    world.go("10:01:00", 5.05)
    world.tell(Status.CANCELLED, traded=400)
    assert world.sent == [(1000, 5.0)]
    world.fill(300)
    assert world.sent == [(1000, 5.0)]
    world.fill(100)
    assert world.sent == [(1000, 5.0), (600, 5.02)]


def test_a_fill_that_crosses_the_cancel_leaves_less_to_replace(world: World) -> None:
    world.signal()
    world.go("10:01:00", 5.05)
    world.fill(400)
    world.tell(Status.PARTTRADED, traded=400)
    world.tell(Status.CANCELLED, traded=400)
    assert world.sent == [(1000, 5.0), (600, 5.02)]


def test_an_order_that_fills_while_its_cancel_is_asked_for_is_not_replaced(world: World) -> None:
    world.signal()
    world.go("10:01:00", 5.05)
    world.fill(1000)
    world.tell(Status.ALLTRADED, traded=1000)
    assert (world.sent, world.done[0].state) == ([(1000, 5.0)], ParentState.FILLED)


def test_doubled_and_late_reports_of_the_first_order_change_nothing(world: World) -> None:
    world.signal()
    first = world.ids[0]
    world.go("10:01:00", 5.05)
    for _ in range(3):
        world.tell(Status.CANCELLED, orderid=first)
    world.tell(Status.NOTTRADED, orderid=first)
    world.tell(Status.PARTTRADED, orderid=first)
    assert world.sent == [(1000, 5.0), (1000, 5.02)]


def test_a_fill_that_no_report_announced_takes_the_replacement_back_and_is_told(world: World) -> None:
    world.signal()
    first = world.ids[0]
    world.go("10:01:00", 5.05)
    world.tell(Status.CANCELLED)
    world.fill(400, orderid=first)
    assert world.cancels == [first, world.ids[1]]
    assert ["1000" in line and "1400" in line for line in world.critical()] == [True]
    world.tell(Status.CANCELLED)
    assert (len(world.sent), world.done[0].filled) == (2, 400)


def test_an_order_of_unknown_fate_is_not_replaced(world: World) -> None:
    world.gateway.use(Faults(disconnect=1))
    world.signal()
    world.gateway.use(Faults(drop=1))
    world.go("10:30:00", 5.05)
    [(_, child)] = world.execution.desk.working()
    assert (child.state, world.cancels, len(world.house.said(Intent))) == (OrderState.UNKNOWN, [], 1)


def test_what_another_hand_cancelled_is_not_sent_again(world: World) -> None:
    world.signal()
    world.tell(Status.CANCELLED)
    assert (world.sent, world.done[0].state) == ([(1000, 5.0)], ParentState.CANCELLED)
    assert "撤销" in str(world.report.reason)


def test_what_the_broker_refused_is_not_sent_again(world: World) -> None:
    world.signal()
    world.tell(Status.REJECTED)
    assert (world.sent, world.done[0].state) == ([(1000, 5.0)], ParentState.REJECTED)


def test_an_order_filled_by_word_with_too_few_fills_is_not_followed_by_another(world: World) -> None:
    world.signal()
    world.tell(Status.ALLTRADED, traded=400)
    world.fill(400)
    assert (world.sent, world.done[0].state) == ([(1000, 5.0)], ParentState.DONE_PARTIAL)


def test_a_cancel_without_an_answer_is_asked_three_times_and_then_told(world: World) -> None:
    world.signal()
    world.go("10:01:00", 5.05)
    world.go("10:05:00", 5.05)
    assert world.cancels == [world.ids[0]] * 3
    assert [world.ids[0] in line for line in world.critical()] == [True]
    assert world.sent == [(1000, 5.0)]
    world.tell(Status.CANCELLED)
    assert len(world.sent) == 2


def test_an_order_is_given_up_after_its_replacements(impatient: World) -> None:
    impatient.signal()
    impatient.go("10:01:00", 5.20)
    impatient.tell(Status.CANCELLED)
    impatient.go("10:02:00", 5.30)
    impatient.tell(Status.CANCELLED)
    assert impatient.sent == [(1000, 5.0), (1000, 5.06)]
    report = impatient.report
    assert (report.state, report.children, report.cancels) == (ParentState.CANCELLED, 2, 2)
    assert (report.fill_rate, report.slippage, "改价 1 次" in str(report.reason)) == (0.0, None, True)


def test_above_the_cancel_ratio_an_order_rests(world: World) -> None:
    world.execution.sent_on_day["judge", at(DAY).date()] = 33
    world.execution.sender.cancelled_on_day["judge", at(DAY).date()] = 9
    world.signal()
    world.go("10:01:00", 5.05)
    assert world.cancels == [world.ids[0]]  # the tenth of 34
    world.tell(Status.CANCELLED)
    world.go("10:10:00", 5.10)
    assert world.cancels == [world.ids[0]]


def test_an_order_that_was_written_off_is_not_replaced(world: World) -> None:
    world.signal()
    world.go("10:01:00", 5.05)
    [(_, child)] = world.execution.desk.working()
    world.execution.desk.write_off(child, "the broker does not list the order any more")
    world.execution.after_change(child)
    assert world.done == []  # its shares may have traded, until the positions tell
    world.execution.desk.settle(child)
    world.execution.after_change(child)
    world.house.events.drain()
    assert (world.sent, world.done[0].state) == ([(1000, 5.0)], ParentState.CANCELLED)


# states and ends


@pytest.mark.parametrize("command", ["halt", "flatten"])
def test_no_child_follows_a_halt_and_no_buy_a_flatten(sliced: World, command: str) -> None:
    sliced.signal()
    sliced.fill(100)
    getattr(sliced.house.engine, command)(*(("测试",) if command == "halt" else ()))
    sliced.house.events.drain()
    for moment in ("10:05:00", "10:10:00", "10:20:00"):
        sliced.go(moment, 5.0)
    assert len([request for request in sliced.gateway.requests if request.direction is Direction.LONG]) == 1
    sliced.tell(Status.CANCELLED, traded=100, orderid=sliced.ids[0])
    assert sliced.done[0].filled == 100


def test_between_two_slices_a_halt_ends_the_parent(sliced: World) -> None:
    sliced.signal()
    sliced.fill(200)
    sliced.tell(Status.ALLTRADED, traded=200)
    assert sliced.done == []
    sliced.house.engine.halt("测试")
    sliced.house.events.drain()
    assert sliced.done[0].state is ParentState.DONE_PARTIAL


def test_slices_come_in_time_and_hold_back_what_is_not_sent(sliced: World) -> None:
    sliced.signal()
    assert sliced.sent == [(200, 5.0)]
    assert sliced.book.working(BANK, Side.BUY) == 1000
    sliced.fill(200)
    sliced.tell(Status.ALLTRADED, traded=200)
    assert sliced.book.working(BANK, Side.BUY) == 800
    sliced.go("10:05:00", 5.0)
    assert sliced.sent == [(200, 5.0), (300, 5.0)]
    sliced.house.engine.execution.cancel_all()
    assert sliced.book.working(BANK, Side.BUY) == 300
    sliced.tell(Status.CANCELLED)
    assert (sliced.book.working(BANK, Side.BUY), sliced.done[0].filled) == (0, 200)


def test_slices_of_a_sale_never_leave_what_may_not_be_sold(sliced: World, tmp_path: Path) -> None:
    sliced.house.__exit__()
    folder = tmp_path / "held"
    folder.mkdir()
    with SmallHouse(folder / "journal.db", "2025-02-28 10:00:00") as before:
        before.buy(1000)
    for world in made(folder, slicing={"algo": "TWAP", "slices": 2, "minutes": 10}):
        world.signal(side=Side.SELL)
        world.fill(500, side=Side.SELL)
        world.tell(Status.ALLTRADED, traded=500, side=Side.SELL)
        world.go("10:05:00", 5.0)
        assert world.sent == [(500, 5.0), (500, 5.0)]
        world.fill(500, side=Side.SELL, price=4.99)
        assert world.done[0].state is ParentState.FILLED


def test_a_parent_that_waits_for_a_better_market_ends_with_its_signal(choosy: World) -> None:
    choosy.house.tick(5.0)
    choosy.execution.house.portfolio.quotes._ticks[BANK].ask_price_1 = 5.20
    choosy.signal(until="10:00:30")
    assert (choosy.sent, choosy.book.working(BANK, Side.BUY)) == ([], 1000)
    choosy.go("10:00:40")
    assert (choosy.done[0].state, choosy.report.children) == (ParentState.CANCELLED, 0)
    assert choosy.book.working(BANK, Side.BUY) == 0


def test_a_waiting_order_goes_at_the_first_good_quote(choosy: World) -> None:
    choosy.execution.house.portfolio.quotes._ticks[BANK].ask_price_1 = 5.20
    choosy.signal()
    assert choosy.sent == []
    choosy.go("10:00:03", 5.0)
    assert choosy.sent == [(1000, 5.0)]


def test_at_lunch_nothing_is_cancelled_or_sliced(sliced: World) -> None:
    sliced.house.go(f"{DAY} 11:27:00")
    sliced.house.tick(5.0)
    sliced.signal()
    sliced.fill(200)
    sliced.tell(Status.ALLTRADED, traded=200)
    sliced.go("12:59:00")
    assert len(sliced.sent) == 1
    sliced.go("13:00:00")
    sliced.house.tick(5.0)
    assert len(sliced.sent) == 2


def test_a_child_that_is_out_at_the_end_is_cancelled_and_none_follows(world: World) -> None:
    world.signal(until="10:00:50")
    world.go("10:00:50", 5.05)
    assert world.cancels == [world.ids[0]]
    world.tell(Status.CANCELLED)
    assert (world.sent, world.done[0].state) == ([(1000, 5.0)], ParentState.CANCELLED)


# the report


def test_the_report_measures_price_volume_and_time(world: World) -> None:
    world.signal()
    world.go("10:00:20", 5.0)
    world.fill(400, price=4.99)
    world.go("10:01:00", 5.05)
    world.tell(Status.CANCELLED, traded=400)
    world.go("10:01:10")
    world.fill(600, price=5.02)
    world.tell(Status.ALLTRADED, traded=600)
    report = world.report
    assert (report.arrival, report.average_price) == (Decimal("5.0"), Decimal("5.008"))
    assert (report.slippage, report.fill_rate) == (0.0016, 1.0)
    assert (report.first_fill, report.last_fill) == (20.0, 70.0)
    assert (report.children, report.cancels, report.reason) == (2, 1, None)
    assert list(world.execution.reports) == [report]


# stops


def test_a_stop_is_priced_down_until_it_sells(tmp_path: Path) -> None:
    with SmallHouse(tmp_path / "journal.db", "2025-02-28 10:00:00") as before:
        before.buy(1000)
    for world in made(tmp_path):
        world.house.tick(4.78)
        assert world.sent == [(1000, 4.69)]
        for minute, price in ((1, 4.68), (2, 4.60), (3, 4.52)):
            world.go(f"10:0{minute}:00", price)
            world.tell(Status.CANCELLED, side=Side.SELL)
        assert world.sent[1:] == [(1000, 4.59), (1000, 4.51), (1000, 4.5)]
        assert world.house.stop_state() == "WORKING"
        world.fill(1000, price=4.5, side=Side.SELL)
        assert (world.house.stop_state(), world.done[-1].state) == ("none", ParentState.FILLED)
        assert world.house.clock.now().time() < time(10, 4)


# a restart


def test_the_rest_of_a_parent_is_given_up_after_a_restart_with_a_sentence(world: World) -> None:
    world.signal()
    [parent] = world.execution.desk.parents.values()
    parent.more, parent.children[0].intent = (
        False,
        parent.children[0].intent.model_copy(update={"volume": 300}),
    )
    said: list[str] = []
    world.house.engine.bus.say_log = lambda text, severity: said.append(str(text))
    world.execution.worker.adopted(parent)
    assert "重启前没有委托完" in said[0]
    assert "700" in said[0]


def test_slices_that_a_restart_cut_short_are_given_up_once(tmp_path: Path) -> None:
    slicing = {"slicing": {"algo": "TWAP", "slices": 4, "minutes": 20}}
    for world in made(tmp_path, **slicing):
        world.signal()
        world.fill(200)
        world.tell(Status.ALLTRADED, traded=200)
        assert world.done == []
    for moment in ("10:05:00", "10:06:00"):
        with SmallHouse(
            tmp_path / "journal.db", f"{DAY} {moment}", execution=ExecutionSettings(**slicing)
        ) as later:
            later.tick(5.0)
            later.go(f"{DAY} 10:30:00")
            [done], [report] = later.said(ParentDone), later.said(ExecutionReport)
            assert (done.state, done.filled, len(later.said(Intent))) == (ParentState.DONE_PARTIAL, 200, 1)
            assert (report.fill_rate, "重启" in str(report.reason)) == (0.2, True)
            assert later.engine.execution.desk.parents == {}
            assert later.stop_state() == "ARMED"
