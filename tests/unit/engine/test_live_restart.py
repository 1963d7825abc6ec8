"""After the process ended in mode LIVE: orders of before are found again, none is sent twice."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType, Status
from vnpy.trader.object import OrderRequest

from vnpy_aiagent.domain import (
    Alert,
    Fill,
    Intent,
    OrderState,
    OrderUpdate,
    ParentDone,
    ParentState,
    Sent,
    Severity,
)
from vnpy_aiagent.errors import ConfigError

from .live_house import BANK, BROKER, Desk, LiveHouse

DAY = "2025-07-10"
NEXT = "2025-07-11"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def at_work(journal: Path, desk: Desk, **overrides: Any) -> LiveHouse:
    """A house that agrees with its broker, with a quote."""
    house = LiveHouse(journal, f"{DAY}T10:00", desk, **overrides)
    house.__enter__()
    house.settle()
    house.quote()
    return house


def again(journal: Path, desk: Desk, moment: str = f"{DAY}T10:05") -> LiveHouse:
    return LiveHouse(journal, moment, desk)


def lost(journal: Path, desk: Desk, volume: int = 100) -> None:
    """The process ends after the order left and before that was written: the line breaks, then the crash."""
    house = at_work(journal, desk)
    house.gateway.breaks = ConnectionError("the line broke")
    house.signal(volume)
    assert [update.state for update in house.said(OrderUpdate)] == [OrderState.UNKNOWN]
    house.abandon()


def alerts(house: LiveHouse, part: str) -> list[Alert]:
    return [alert for alert in house.said(Alert) if part in str(alert.text)]


def by_hand(desk: Desk, house: LiveHouse, volume: int = 100, price: float = 5.0) -> None:
    """The same order once more, by a human."""
    request = OrderRequest(
        BANK[:6], Exchange.SSE, Direction.LONG, OrderType.LIMIT, volume, price, Offset.OPEN
    )
    desk.take(request, BROKER, house.clock.now(), reference=False)


def test_a_working_order_is_worked_on_and_its_fills_are_booked(journal: Path) -> None:
    desk = Desk()
    house = at_work(journal, desk)
    house.signal(1000)
    house.fill("b1", 300)
    house.abandon()
    desk.match("b1", 700, 5.0, house.clock.now())
    with again(journal, desk) as later:
        assert later.book.working(BANK, later.said(Intent)[0].side) == 700
        later.settle()
        assert later.held == {BANK: 1000}
        assert [done.state for done in later.said(ParentDone)] == [ParentState.FILLED]
        assert len(desk.requests) == 1
        assert later.book.reservations == {}
        assert later.stop_state() == "ARMED"
        assert later.engine.monitoring.stops.get("judge", BANK).price == Decimal("4.80")  # type: ignore[union-attr]
        fees = [fill.commission for fill in later.said(Fill)]
        assert sum(fees) == Decimal("5.00")  # one minimum commission for the whole order


def test_fills_told_again_are_booked_once(journal: Path) -> None:
    desk = Desk()
    house = at_work(journal, desk)
    house.signal(1000)
    house.fill("b1", 300)
    house.abandon()
    with again(journal, desk) as later:
        later.settle()
        later.gateway.tell_orders()
        later.events.drain()
        assert later.held == {BANK: 300}
        assert len(later.said(Fill)) == 1


@pytest.mark.parametrize("references", [True, False])
def test_an_order_of_unknown_fate_that_the_broker_has_once_is_adopted(
    journal: Path, references: bool
) -> None:
    desk = Desk()
    house = at_work(journal, desk)
    house.gateway.references = references
    house.gateway.breaks = ConnectionError("the line broke")
    house.signal(100)
    house.abandon()
    desk.match("b1", 100, 5.0, house.clock.now())
    with again(journal, desk) as later:
        later.settle()
        [sent] = later.said(Sent)
        assert sent.vt_orderids == (f"{BROKER}.b1",)
        assert later.held == {BANK: 100}
        assert later.book.external == {}
        assert len(desk.requests) == 1
        assert later.reconciled


def test_one_that_the_broker_does_not_have_is_closed_and_not_sent_again(journal: Path) -> None:
    desk = Desk()
    lost(journal, desk)
    desk.orders.clear()
    with again(journal, desk) as later:
        assert later.book.available < later.book.cash  # reserved until its fate is known
        later.settle()
        assert later.said(OrderUpdate)[-1].state is OrderState.CANCELLED
        assert later.book.available == later.book.cash
        assert later.said(ParentDone)[-1].filled == 0
        assert len(desk.requests) == 1
        assert alerts(later, "柜台没有找到")


def test_one_that_matches_two_orders_stays_unknown_with_its_exposure_and_one_alert(journal: Path) -> None:
    desk = Desk()
    lost(journal, desk)
    house = again(journal, desk)
    by_hand(desk, house)
    with house as later:
        later.settle()
        later.settle()
        [told] = alerts(later, "无法确定是哪一笔")
        assert told.severity is Severity.CRITICAL
        assert later.said(OrderUpdate)[-1].state is OrderState.UNKNOWN
        assert later.book.available < later.book.cash
        assert len(desk.requests) == 2


def test_a_human_says_which_of_two_orders_it_became(journal: Path) -> None:
    desk = Desk()
    lost(journal, desk)
    house = again(journal, desk)
    by_hand(desk, house)
    with house as later:
        later.settle()
        [intent] = later.engine.status()["unknown_orders"]  # type: ignore[misc]
        assert f"aiagent settle-order {intent}" in alerts(later, "无法确定是哪一笔")[0].text.render()
        with pytest.raises(ConfigError, match=r"orders that can: .*b1.*b2"):
            later.engine.settle_order(intent, f"{BROKER}.b3")
        with pytest.raises(ConfigError, match=f"those that are: {intent}"):
            later.engine.settle_order("r1-0000001", f"{BROKER}.b1")
        assert later.engine.settle_order(intent, f"{BROKER}.b1")
        later.events.drain()
        assert later.said(Sent)[-1].vt_orderids == (f"{BROKER}.b1",)
        later.fill("b1", 100)
        assert later.held == {BANK: 100}
        assert len(desk.requests) == 2
        assert later.engine.status()["unknown_orders"] == []
        with pytest.raises(ConfigError, match="those that are: none"):
            later.engine.settle_order(intent, f"{BROKER}.b2")


def test_a_human_says_that_it_became_none(journal: Path) -> None:
    desk = Desk()
    lost(journal, desk)
    house = again(journal, desk)
    by_hand(desk, house)
    with house as later:
        later.settle()
        [intent] = later.engine.status()["unknown_orders"]  # type: ignore[misc]
        assert not later.engine.settle_order(intent)
        later.events.drain()
        assert later.said(OrderUpdate)[-1].state is OrderState.CANCELLED
        later.settle()
        assert later.book.reservations == {}
        assert len(desk.requests) == 2
        later.abandon()
    with again(journal, desk) as last:
        assert last.engine.status()["unknown_orders"] == []


@pytest.mark.parametrize("unlike", ["volume", "price", "before"])
def test_other_orders_are_no_candidates(journal: Path, unlike: str) -> None:
    desk = Desk()
    lost(journal, desk)
    order = desk.orders["b1"]
    if unlike == "volume":
        order.volume = 200
    elif unlike == "price":
        order.price = 5.01
    else:
        assert order.datetime is not None
        order.datetime -= timedelta(minutes=1)
    with again(journal, desk) as later:
        later.settle()
        assert later.said(Sent) == []
        assert later.said(OrderUpdate)[-1].state is OrderState.CANCELLED


def test_a_broken_line_without_a_crash_is_resolved_too(journal: Path) -> None:
    desk = Desk()
    house = at_work(journal, desk)
    house.gateway.breaks = ConnectionError("the line broke")
    house.signal(100)
    house.gateway.breaks = None
    house.gateway.write_log("交易服务器连接断开，原因4097")
    house.events.drain()
    assert not house.reconciled
    house.settle()
    assert house.said(Sent)[0].vt_orderids == (f"{BROKER}.b1",)
    assert house.reconciled
    house.__exit__()


def test_an_order_that_ended_before_its_fills_were_told_keeps_waiting_for_them(journal: Path) -> None:
    desk = Desk()
    house = at_work(journal, desk)
    house.signal(1000)
    trade = desk.match("b1", 400, 5.0, house.clock.now())
    desk.end("b1")
    house.gateway.on_order(desk.orders["b1"])
    house.events.drain()
    assert house.said(OrderUpdate)[-1].state is OrderState.CANCELLED
    assert house.held == {}
    house.abandon()
    with again(journal, desk) as later:
        later.gateway.on_trade(trade)
        later.events.drain()
        assert later.held == {BANK: 400}
        assert later.said(ParentDone)[-1].state is ParentState.DONE_PARTIAL


def test_a_late_fill_after_the_end_has_its_plan(journal: Path) -> None:
    desk = Desk()
    house = at_work(journal, desk)
    house.signal(1000)
    desk.end("b1")
    house.gateway.on_order(desk.orders["b1"])
    house.events.drain()
    assert len(house.said(ParentDone)) == 1
    house.fill("b1", 200)
    [fill] = house.said(Fill)
    assert fill.signal_id is not None
    assert house.engine.monitoring.stops.get("judge", BANK).price == Decimal("4.80")  # type: ignore[union-attr]
    house.__exit__()


def test_so_has_one_that_is_told_after_a_restart(journal: Path) -> None:
    desk = Desk()
    house = at_work(journal, desk)
    house.signal(1000)
    desk.end("b1")
    house.gateway.on_order(desk.orders["b1"])
    house.events.drain()
    house.abandon()
    desk.match("b1", 200, 5.0, house.clock.now())
    with again(journal, desk) as later:
        later.settle()
        assert later.held == {BANK: 200}
        assert later.book.external == {}
        assert later.said(Fill)[0].signal_id is not None
        assert later.engine.monitoring.stops.get("judge", BANK).price == Decimal("4.80")  # type: ignore[union-attr]


def test_an_order_of_an_earlier_day_is_over_and_what_it_traded_is_the_apps(journal: Path) -> None:
    desk = Desk()
    house = at_work(journal, desk)
    house.signal(1000)
    house.abandon()
    desk.match("b1", 600, 5.0, house.clock.now())
    desk.new_day()
    with again(journal, desk, f"{NEXT}T10:00") as later:
        later.settle()
        later.settle()
        assert later.said(OrderUpdate)[-1].state is OrderState.CANCELLED
        assert later.held == {BANK: 600}
        assert later.book.external == {}
        assert later.book.cash == Decimal(str(desk.cash))
        assert later.stop_state() == "ARMED"
        assert later.reconciled
        assert later.engine.control.state.name == "ACTIVE"
    with again(journal, desk, f"{NEXT}T10:30") as third:
        third.settle()
        assert third.held == {BANK: 600}
        assert third.book.cash == Decimal(str(desk.cash))


def test_a_refused_order_after_a_restart_ends_its_parent(journal: Path) -> None:
    desk = Desk()
    house = at_work(journal, desk)
    house.signal(1000)
    house.abandon()
    desk.end("b1", Status.REJECTED)
    with again(journal, desk) as later:
        later.settle()
        assert later.said(ParentDone)[-1].state is ParentState.REJECTED
        assert later.book.reservations == {}
