"""Attacks on mode LIVE: lost, late and doubled reports, halts at bad moments, days that change."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from vnpy.trader.object import OrderData, OrderRequest

from vnpy_aiagent.base import EVENT_AI_SIGNAL
from vnpy_aiagent.domain import (
    Alert,
    HandlerFailed,
    Intent,
    Severity,
    Side,
    Signal,
    TradingState,
    say,
)
from vnpy_aiagent.market.sessions import session_close

from .live_house import BANK, Desk, LiveHouse
from .test_live_differences import by_hand

DAY = "2025-07-10"
NEXT = "2025-07-11"


class Days(Desk):
    """A desk whose order ids are never used twice."""

    def take(self, request: OrderRequest, gateway: str, now: datetime, *, reference: bool) -> OrderData:
        """As the desk does, under an id of its own."""
        order = super().take(request, gateway, now, reference=reference)
        del self.orders[order.orderid]
        order.orderid = f"b{len(self.requests)}"
        order.__post_init__()
        self.orders[order.orderid] = order
        return order


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def at_work(journal: Path, desk: Desk, moment: str = f"{DAY}T10:00", **overrides: Any) -> LiveHouse:
    house = LiveHouse(journal, moment, desk, **overrides)
    house.__enter__()
    house.settle()
    house.quote()
    return house


def held_since_yesterday(journal: Path, desk: Desk, volume: int = 1000) -> LiveHouse:
    """A house that bought shares the day before, which may be sold today."""
    house = at_work(journal, desk)
    house.signal(volume)
    house.fill("b1", volume)
    house.settle()
    house.settle()
    assert house.reconciled
    house.go(f"{NEXT}T10:00:00")
    house.events.drain()
    desk.new_day()
    house.settle()
    house.settle()
    assert house.reconciled
    house.quote()
    return house


def look(house: LiveHouse, seconds: float = 70) -> None:
    house.pass_seconds(seconds)


def alerts(house: LiveHouse, part: str) -> list[Alert]:
    return [alert for alert in house.said(Alert) if part in str(alert.text)]


def restarts(journal: Path, desk: Desk, moment: str) -> None:
    with LiveHouse(journal, moment, desk) as later:
        later.settle()
        assert later.engine.started


def test_a_late_buy_fill_after_its_adjustment_is_not_booked_twice(journal: Path) -> None:
    desk = Days()
    with at_work(journal, desk) as house:
        house.signal(1000)
        trade = desk.match("b1", 1000, 5.0, house.clock.now())
        desk.trades.clear()
        house.gateway.on_order(desk.orders["b1"])
        house.events.drain()
        house.pass_seconds(40)
        assert house.held == {BANK: 1000}
        house.gateway.on_trade(trade)
        house.events.drain()
        look(house)
        assert house.held == {BANK: 1000}
        assert house.book.cash == Decimal(str(desk.cash))
        assert house.said(HandlerFailed) == []
        assert house.engine.control.state is TradingState.ACTIVE
    restarts(journal, desk, f"{DAY}T10:30")


def test_a_late_sale_fill_after_its_adjustment_is_not_booked_twice(journal: Path) -> None:
    desk = Days()
    with held_since_yesterday(journal, desk) as house:
        house.signal(1000, Side.SELL)
        trade = desk.match("b2", 1000, 5.0, house.clock.now())
        desk.trades.clear()
        house.gateway.on_order(desk.orders["b2"])
        house.events.drain()
        house.pass_seconds(40)
        assert house.held == {}
        house.gateway.on_trade(trade)
        house.events.drain()
        look(house)
        assert house.held == {}
        assert house.book.cash == Decimal(str(desk.cash))
        assert house.said(HandlerFailed) == []
    restarts(journal, desk, f"{NEXT}T10:30")


@pytest.mark.parametrize("late", [True, False])
def test_a_buy_whose_reports_are_all_missing_is_protected(journal: Path, late: bool) -> None:
    desk = Days()
    with at_work(journal, desk) as house:
        house.signal(1000)
        trade = desk.match("b1", 1000, 5.0, house.clock.now())
        desk.trades.clear()
        house.pass_seconds(90)
        if late:
            house.gateway.on_order(desk.orders["b1"])
            house.gateway.on_trade(trade)
            house.events.drain()
            look(house)
        assert house.held == {BANK: 1000}
        assert house.book.managed(BANK) == 1000
        assert house.stop_state() == "ARMED"
        assert house.said(HandlerFailed) == []
        assert house.engine.control.state is TradingState.ACTIVE
    restarts(journal, desk, f"{DAY}T10:30")


def test_a_sale_whose_reports_are_late_is_booked_once(journal: Path) -> None:
    desk = Days()
    with held_since_yesterday(journal, desk) as house:
        house.signal(1000, Side.SELL)
        trade = desk.match("b2", 1000, 5.0, house.clock.now())
        desk.trades.clear()
        house.pass_seconds(90)
        house.gateway.on_order(desk.orders["b2"])
        house.gateway.on_trade(trade)
        house.events.drain()
        look(house)
        assert house.held == {}
        assert house.book.cash == Decimal(str(desk.cash))
        assert house.said(HandlerFailed) == []
        assert house.engine.control.state is TradingState.ACTIVE
    restarts(journal, desk, f"{NEXT}T10:30")


def test_an_order_of_unknown_fate_that_is_found_while_halted_is_cancelled(journal: Path) -> None:
    desk = Days()
    with at_work(journal, desk) as house:
        house.gateway.breaks = ConnectionError("the line broke")
        house.signal(1000)
        house.gateway.breaks = None
        house.engine.halt("by hand")
        house.events.drain()
        assert desk.cancels == []
        house.gateway.tell_orders()
        house.pass_seconds(15)
        assert set(desk.cancels) == {"b1"}


def test_a_working_order_of_before_is_cancelled_where_the_app_starts_halted(journal: Path) -> None:
    desk = Days()
    house = at_work(journal, desk)
    house.signal(1000)
    house.gateway.cancel_order = lambda req: None  # type: ignore[method-assign]
    house.engine.halt("by hand")
    house.abandon()
    assert desk.cancels == []
    with LiveHouse(journal, f"{DAY}T10:05", desk) as later:
        later.settle()
        assert later.engine.control.state is TradingState.HALTED
        assert desk.cancels == ["b1"]


def test_a_halts_cancel_that_gets_lost_is_asked_for_again_and_told(journal: Path) -> None:
    desk = Days()
    with at_work(journal, desk) as house:
        house.signal(1000)
        house.engine.halt("by hand")
        house.events.drain()
        house.pass_seconds(60)
        assert len(desk.cancels) == 3
        assert [a.severity for a in alerts(house, "撤单后一直没有回报")] == [Severity.CRITICAL]


def test_an_order_that_nobody_ended_at_the_close_hinders_no_stop_on_the_next_day(journal: Path) -> None:
    desk = Days()
    with held_since_yesterday(journal, desk) as house:
        house.quote(4.79)  # the stop is hit
        assert house.stop_state() == "WORKING"
        house.gateway.on_order(replace(desk.orders["b2"]))  # the host keeps it for ever
        house.events.drain()
        house.go("2025-07-11T15:30:00")
        house.events.drain()
        desk.new_day()  # the broker forgets it, and says nothing
        house.go("2025-07-14T10:00:00")
        house.events.drain()
        house.settle()
        house.settle()
        assert house.reconciled
        house.pass_seconds(70)
        house.quote(4.70)
        assert len(desk.requests) == 3


def test_an_order_that_was_written_off_and_shows_up_is_cancelled_and_told(journal: Path) -> None:
    desk = Days()
    house = at_work(journal, desk)
    house.signal(1000)
    house.abandon()
    hidden = dict(desk.orders)
    desk.orders.clear()
    with LiveHouse(journal, f"{DAY}T10:05", desk) as later:
        later.settle()
        later.pass_seconds(10)
        assert alerts(later, "柜台没有记录")
        desk.orders.update(hidden)
        later.gateway.tell_orders()
        later.events.drain()
        later.pass_seconds(5)
        assert desk.cancels == ["b1"]
        later.fill("b1", 300)
        assert later.book.managed(BANK) == 300
        assert later.stop_state() == "ARMED"


def test_an_order_of_unknown_fate_of_yesterday_that_filled_is_the_apps(journal: Path) -> None:
    desk = Days()
    house = at_work(journal, desk)
    house.gateway.breaks = ConnectionError("the line broke")
    house.signal(1000)
    house.abandon()
    desk.match("b1", 1000, 5.0, house.clock.now())
    desk.new_day()
    with LiveHouse(journal, f"{NEXT}T10:05", desk) as later:
        later.settle()
        later.settle()
        later.settle()
        assert later.book.managed(BANK) == 1000
        assert later.stop_state() == "ARMED"
        assert later.engine.control.state is TradingState.ACTIVE


def test_a_missing_sale_of_a_position_that_was_taken_over_is_adjusted(journal: Path) -> None:
    desk = Days()
    with held_since_yesterday(journal, desk) as house:
        house.signal(1000, Side.SELL)
        house.engine.take_over("judge", BANK)
        desk.match("b2", 600, 5.0, house.clock.now())
        desk.end("b2")
        desk.trades.clear()
        house.gateway.on_order(replace(desk.orders["b2"]))
        house.events.drain()
        house.pass_seconds(40)
        assert house.held == {BANK: 400}
        assert house.said(HandlerFailed) == []
    restarts(journal, desk, f"{NEXT}T10:30")


def test_a_stop_that_cannot_sell_before_agreement_is_told_and_sells_afterwards(journal: Path) -> None:
    desk = Days()
    with held_since_yesterday(journal, desk) as house:
        sent = len(desk.requests)
        house.pass_seconds(15, polls=False)
        house.quote(4.79)
        house.pass_seconds(75, polls=False)
        assert len(desk.requests) == sent
        assert [a.severity for a in alerts(house, "止损")][-1:] == [Severity.CRITICAL]
        house.settle()
        house.settle()
        house.pass_seconds(60)
        house.quote(4.75)
        house.events.drain()
        assert len(desk.requests) == sent + 1


def test_what_a_human_bought_explains_nothing_once_it_is_booked(journal: Path) -> None:
    """An order works all day, so cash is not compared; a human's trade is not counted again and again."""
    desk = Days()
    with at_work(journal, desk) as house:
        house.signal(1000)
        house.gateway.on_order(replace(desk.orders["b1"]))
        by_hand(house, Side.BUY, 300, symbol=BANK)
        house.pass_seconds(30)
        assert (house.held, house.book.external) == ({BANK: 300}, {BANK: 300})
        desk.held[BANK] = 600
        house.pass_seconds(90)
        assert house.book.managed(BANK) == 300  # by the order that works: nobody else traded
        assert house.stop_state() == "ARMED"


def test_a_cancel_that_comes_too_late_and_the_fill_after_it(journal: Path) -> None:
    desk = Days()
    with at_work(journal, desk) as house:
        house.signal(1000)
        house.engine.halt("by hand")
        house.fill("b1", 1000)
        house.settle()
        house.settle()
        assert house.held == {BANK: 1000}
        assert house.stop_state() == "ARMED"
        assert house.book.reservations == {}


def test_two_restarts_in_a_row_with_an_unknown_one(journal: Path) -> None:
    desk = Days()
    house = at_work(journal, desk)
    house.gateway.breaks = ConnectionError("the line broke")
    house.signal(1000)
    house.abandon()
    for minute in ("05", "06"):
        house = LiveHouse(journal, f"{DAY}T10:{minute}", desk)
        house.__enter__()
        house.abandon()
    with LiveHouse(journal, f"{DAY}T10:07", desk) as later:
        later.settle()
        desk.match("b1", 1000, 5.0, later.clock.now())
        later.gateway.tell_orders()
        later.settle()
        assert later.held == {BANK: 1000}
        assert len(desk.requests) == 1
        assert later.stop_state() == "ARMED"


@pytest.mark.parametrize("seconds", range(1, 10))
def test_a_crash_between_a_write_off_and_its_adjustment(journal: Path, seconds: int) -> None:
    """Yesterday's order filled while nothing ran; the app crashes again before it believed the shares."""
    desk = Days()
    house = at_work(journal, desk)
    house.signal(1000)
    house.abandon()
    desk.match("b1", 1000, 5.0, house.clock.now())
    desk.new_day()
    second = LiveHouse(journal, f"{NEXT}T10:05", desk)
    second.__enter__()
    second.pass_seconds(seconds)
    second.abandon()
    with LiveHouse(journal, f"{NEXT}T10:06", desk) as later:
        later.settle()
        later.settle()
        later.settle()
        assert later.book.managed(BANK) == 1000
        assert later.engine.control.state is TradingState.ACTIVE
        assert later.stop_state() == "ARMED"


def test_a_replacement_leaves_out_what_was_adjusted(journal: Path) -> None:
    """A fill is lost for good, the order is cancelled by the app: what follows is the rest, not all."""
    desk = Days()
    with at_work(journal, desk) as house:
        price = Decimal("5.00")
        house.engine.bus.post(
            Signal,
            EVENT_AI_SIGNAL,
            cause=None,
            account="judge",
            symbol=BANK,
            side=Side.BUY,
            volume=1000,
            limit=price,
            low=price,
            high=Decimal("5.05"),
            stop=Decimal("4.80"),
            reason=say("测试"),
            valid_until=session_close(house.clock.moment.date()),
        )
        house.events.drain()
        house.gateway.on_order(replace(desk.orders["b1"]))
        house.events.drain()
        for _ in range(200):
            house.quote(5.03)
            house.pass_seconds(1)
            if desk.cancels:
                break
        assert desk.cancels == ["b1"]
        desk.match("b1", 400, 5.0, house.clock.now())
        desk.trades.clear()
        desk.end("b1")
        house.gateway.on_order(replace(desk.orders["b1"]))
        house.events.drain()
        for _ in range(40):
            house.quote(5.03)
            house.pass_seconds(1)
        assert house.held == {BANK: 400}
        assert [intent.volume for intent in house.said(Intent)] == [1000, 600]
        assert house.engine.control.state is TradingState.ACTIVE


@pytest.mark.parametrize("seconds", [1, 30])
def test_a_late_fill_after_its_adjustment_and_a_restart(journal: Path, seconds: int) -> None:
    desk = Days()
    house = at_work(journal, desk)
    house.signal(1000)
    desk.match("b1", 400, 5.0, house.clock.now())
    trades = list(desk.trades)
    desk.trades.clear()
    house.gateway.on_order(replace(desk.orders["b1"]))
    house.events.drain()
    house.pass_seconds(30)
    assert house.held == {BANK: 400}
    house.abandon()
    with LiveHouse(journal, f"{DAY}T10:05", desk) as later:
        desk.trades.extend(trades)
        later.pass_seconds(seconds)
        later.settle()
        later.pass_seconds(70)
        assert later.held == {BANK: 400}
        later.fill("b1", 600)
        later.settle()
        later.pass_seconds(70)
        assert later.held == {BANK: 1000}
        assert later.book.cash == Decimal(str(desk.cash))
        assert later.engine.control.state is TradingState.ACTIVE
        assert later.book.reservations == {}
