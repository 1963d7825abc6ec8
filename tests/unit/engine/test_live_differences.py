"""What differs between book and broker: told, adjusted by the journal, and where it is much, all stops."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType
from vnpy.trader.object import AccountData, OrderRequest, PositionData

from vnpy_aiagent.domain import (
    Alert,
    CashAdjusted,
    Fill,
    HoldingAdjusted,
    Severity,
    Side,
    StateChanged,
    TradingState,
)

from .live_house import BANK, BROKER, Desk, LiveHouse

DAY = "2025-07-10"
OTHER = "600000.SSE"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def holding(journal: Path, desk: Desk, volume: int = 1000) -> LiveHouse:
    """A house that bought some shares and agrees with its broker about them."""
    house = LiveHouse(journal, f"{DAY}T10:00", desk)
    house.__enter__()
    house.settle()
    house.quote()
    house.signal(volume)
    house.fill("b1", volume)
    house.settle()
    house.settle()
    assert house.reconciled
    return house


def look(house: LiveHouse) -> None:
    """The next comparison on schedule, and the second look."""
    house.pass_seconds(70)


def alerts(house: LiveHouse, part: str) -> list[Alert]:
    return [alert for alert in house.said(Alert) if part in str(alert.text)]


def by_hand(house: LiveHouse, side: Side, volume: int, price: float = 5.0, symbol: str = OTHER) -> None:
    """A human trades in the trading panel: the desk tells order and trade."""
    direction = Direction.LONG if side is Side.BUY else Direction.SHORT
    request = OrderRequest(symbol[:6], Exchange.SSE, direction, OrderType.LIMIT, volume, price, Offset.NONE)
    order = house.desk.take(request, BROKER, house.clock.now(), reference=False)
    trade = house.desk.match(order.orderid, volume, price, house.clock.now())
    house.gateway.on_order(replace(house.desk.orders[order.orderid]))
    house.gateway.on_trade(trade)
    house.events.drain()


def test_a_trade_that_was_never_told_to_the_app_but_to_the_host_is_booked_as_a_fill(journal: Path) -> None:
    desk = Desk()
    house = LiveHouse(journal, f"{DAY}T10:00", desk)
    with house:
        house.settle()
        house.quote()
        house.signal(1000)
        trade = desk.match("b1", 1000, 5.0, house.clock.now())
        house.main.get_engine("oms").trades[trade.vt_tradeid] = trade  # type: ignore[union-attr]
        house.gateway.on_order(desk.orders["b1"])
        house.events.drain()
        assert house.said(Fill) == []
        house.settle()
        assert [fill.volume for fill in house.said(Fill)] == [1000]
        assert house.said(HoldingAdjusted) == []
        assert house.reconciled


def test_a_fill_that_is_lost_for_good_is_adjusted_as_the_apps_own(journal: Path) -> None:
    desk = Desk()
    house = LiveHouse(journal, f"{DAY}T10:00", desk)
    with house:
        house.settle()
        house.quote()
        house.signal(1000)
        desk.match("b1", 1000, 5.0, house.clock.now())
        desk.trades.clear()
        house.gateway.on_order(desk.orders["b1"])
        house.events.drain()
        house.settle()
        house.settle()
        house.settle()
        [adjusted] = house.said(HoldingAdjusted)
        assert (adjusted.volume, adjusted.external, adjusted.price) == (1000, 0, Decimal("5.00"))
        assert house.held == {BANK: 1000}
        assert house.book.cash == Decimal(str(desk.cash))
        assert house.engine.control.state is TradingState.ACTIVE
        assert house.stop_state() == "ARMED"
        assert house.book.reservations == {}
        assert house.reconciled
        assert alerts(house, "系统委托漏报 +1000")


def test_doubled_traded_volumes_do_not_keep_an_order_open(journal: Path) -> None:
    """vnpy_xtp adds each trade to what the order's own report has counted already."""
    desk = Desk()
    house = LiveHouse(journal, f"{DAY}T10:00", desk)
    with house:
        house.settle()
        house.quote()
        house.signal(1000)
        house.fill("b1", 300)
        desk.end("b1")
        house.gateway.on_order(replace(desk.orders["b1"], traded=600))
        house.events.drain()
        assert len(list(house.engine.execution.desk.working())) == 1
        house.settle()
        assert list(house.engine.execution.desk.working()) == []
        assert house.held == {BANK: 300}
        assert house.said(HoldingAdjusted) == []


def test_what_a_human_bought_is_external_and_no_reason_to_stop(journal: Path) -> None:
    desk = Desk()
    with holding(journal, desk) as house:
        by_hand(house, Side.BUY, 2000)
        by_hand(house, Side.BUY, 500, symbol=BANK)
        look(house)
        assert house.book.external == {OTHER: 2000, BANK: 500}
        assert house.book.managed(BANK) == 1000
        assert house.book.cash == Decimal(str(desk.cash))
        assert house.engine.control.state is TradingState.ACTIVE
        [account] = house.engine.status()["accounts"]  # type: ignore[misc]
        assert (account["books_agree"], account["reconciled"]) == (True, True)  # type: ignore[index]


def test_external_shares_are_never_sold_by_a_stop(journal: Path) -> None:
    desk = Desk()
    with holding(journal, desk) as house:
        by_hand(house, Side.BUY, 500, symbol=BANK)
        look(house)
    with LiveHouse(journal, "2025-07-11T10:00", desk) as later:
        desk.new_day()
        later.settle()
        later.tick(4.70)
        assert [request.volume for request in desk.requests if request.direction is Direction.SHORT] == [1000]


def test_what_a_human_sold_is_external_first(journal: Path) -> None:
    desk = Desk(held={OTHER: 700})
    with holding(journal, desk) as house:
        by_hand(house, Side.SELL, 300)
        look(house)
        assert house.book.external == {OTHER: 400}
        assert house.engine.control.state is TradingState.ACTIVE


def test_shares_of_the_app_that_are_gone_stop_all_and_their_stop_ends(journal: Path) -> None:
    desk = Desk()
    house = holding(journal, desk)
    desk.held[BANK] = 0
    look(house)
    assert house.held == {}
    assert house.stop_state() == "none"
    assert house.engine.control.state is TradingState.HALTED
    assert house.said(StateChanged)[-1].by == "reconcile"
    [told] = alerts(house, "系统持仓 -1000")
    assert told.severity is Severity.CRITICAL
    house.abandon()
    with LiveHouse(journal, f"{DAY}T11:00", desk) as later:
        assert later.engine.control.state is TradingState.HALTED
        assert later.held == {}
        later.settle()
        assert later.reconciled
        later.quote()
        later.signal(100)
        assert len(desk.requests) == 1
        later.engine.resume()
        later.events.drain()
        later.signal(100)
        assert len(desk.requests) == 2


@pytest.mark.parametrize(
    ("off", "halts", "warns"),
    [(Decimal("0.30"), False, False), (Decimal("-90.00"), False, True), (Decimal("-2000.00"), True, True)],
)
def test_cash_that_differs_is_adjusted_told_and_may_stop_all(
    journal: Path, off: Decimal, halts: bool, warns: bool
) -> None:
    desk = Desk()
    house = holding(journal, desk)
    before, start = len(house.said(CashAdjusted)), house.book.day_start_equity
    desk.cash += float(off)
    look(house)
    assert [adjusted.amount for adjusted in house.said(CashAdjusted)[before:]] == [off]
    assert house.book.cash == Decimal(str(round(desk.cash, 2)))
    assert house.book.cash_off == 0
    assert house.book.day_start_equity == start + off  # neither gain nor loss
    assert (house.engine.control.state is TradingState.HALTED) is halts
    assert bool(alerts(house, f"调整 {off:+} 元")) is warns
    cash = house.book.cash
    house.abandon()
    with LiveHouse(journal, f"{DAY}T11:00", desk) as later:
        assert later.book.cash == cash
        assert (later.engine.control.state is TradingState.HALTED) is halts


def test_a_difference_that_is_gone_at_the_second_look_is_none(journal: Path) -> None:
    desk = Desk()
    with holding(journal, desk) as house:
        house.pass_seconds(58)
        desk.held[BANK] = 900
        house.pass_seconds(2)
        desk.held[BANK] = 1000
        house.pass_seconds(20)
        assert house.said(HoldingAdjusted) == []
        assert house.engine.control.state is TradingState.ACTIVE


@pytest.mark.parametrize("volume", [float("nan"), -100.0, 100.5, 1e15, float("inf")])
def test_an_impossible_position_is_told_and_not_booked(journal: Path, volume: float) -> None:
    desk = Desk(held={OTHER: 700})
    with holding(journal, desk) as house:
        desk.held[BANK] = volume
        look(house)
        assert house.held == {BANK: 1000, OTHER: 700}
        assert not house.reconciled
        assert alerts(house, "不可信")
        house.signal(100, limit="5.01")
        assert len(desk.requests) == 1
        desk.held[BANK] = 1000
        look(house)
        assert house.reconciled


@pytest.mark.parametrize("cash", [float("nan"), float("inf"), -5.0, 1e15])
def test_impossible_cash_counts_as_no_data(journal: Path, cash: float) -> None:
    desk = Desk()
    with holding(journal, desk) as house:
        before, sound = house.book.cash, desk.cash
        desk.cash = cash
        look(house)
        assert house.book.cash == before
        assert not house.reconciled
        assert len(alerts(house, "资金不可信")) == 1
        desk.cash = sound
        look(house)
        assert house.reconciled


def test_an_account_that_is_told_as_empty_is_not_believed(journal: Path) -> None:
    desk = Desk()
    with holding(journal, desk) as house:
        sound = desk.cash
        desk.cash, desk.held[BANK] = 0.0, 0
        look(house)
        assert house.held == {BANK: 1000}
        assert not house.reconciled
        assert house.stop_state() == "ARMED"
        assert len(alerts(house, "全部为空")) == 1
        desk.cash, desk.held[BANK] = sound, 1000
        look(house)
        assert house.reconciled


@pytest.mark.parametrize("symbol", ["IF2509.CFFEX", "10008876.SSE", "113050.SSE", "019766.SSE"])
def test_holdings_of_other_kinds_hinder_nothing(journal: Path, symbol: str) -> None:
    desk = Desk(held={symbol: 3})
    with holding(journal, desk) as house:
        assert house.book.managed(symbol) == 0
        look(house)
        assert house.reconciled
        assert house.engine.bus.failures == 0


def test_a_short_position_is_told_and_not_booked(journal: Path) -> None:
    desk = Desk(held={"IF2509.CFFEX": 3})
    desk.directions["IF2509.CFFEX"] = Direction.SHORT
    with holding(journal, desk) as house:
        assert house.held == {BANK: 1000}
        assert len(alerts(house, "IF2509.CFFEX SHORT 3")) == 1


def test_a_gateway_of_nobody_changes_nothing(journal: Path) -> None:
    desk = Desk()
    with holding(journal, desk) as house:
        strange: list[Any] = [
            PositionData("ELSE", BANK[:6], Exchange.SSE, Direction.LONG, 5000),
            AccountData("ELSE", "2", balance=7.0),
        ]
        house.gateway.on_position(strange[0])
        house.gateway.on_account(strange[1])
        house.events.drain()
        look(house)
        assert house.held == {BANK: 1000}
        assert house.reconciled
