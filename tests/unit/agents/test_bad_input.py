"""Bad input of brokers and users, one row each: refused or parked with a reason, and nothing is lost.

After every row the same order is still known, and its right fill is booked. test_broker_reports.py has the
figures that are numbers and cannot be right.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from vnpy.event import Event
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType, Status
from vnpy.trader.event import EVENT_ORDER, EVENT_TICK, EVENT_TRADE
from vnpy.trader.object import OrderData, OrderRequest, TickData, TradeData

from vnpy_aiagent.domain import Alert, HandlerFailed, OrderState, OrderUpdate, Side

from ..engine.small_house import BANK, SmallHouse, at  # noqa: TID252 - the test tree is no package
from .test_broker_reports import DAY, World

HUGE_INT = 10**400
NO_NUMBERS: dict[str, Any] = {
    "none": None,
    "text": "400",
    "an empty text": "",
    "an integer that no float holds": HUGE_INT,
    "a signalling NaN": Decimal("sNaN"),
    "a list": [400],
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "journal.db")
    world.begin()
    yield world
    assert world.house.said(HandlerFailed) == []
    world.house.__exit__()


def refused_and_then_filled(world: World, order: str, why: str) -> None:
    """The bad report was told once and changed nothing; the right one is booked."""
    [alert] = world.alerts("回报不可信")
    assert why in str(alert.text)
    assert (world.fills, world.house.held, world.house.said(OrderUpdate)) == ([], {}, [])
    world.trade(order, volume=1000)
    assert world.fills == [(1000, "1")]
    assert world.house.said(OrderUpdate)[-1].state is OrderState.FILLED


# trades


@pytest.mark.parametrize("what", ["volume", "price"])
@pytest.mark.parametrize("case", NO_NUMBERS)
def test_a_trade_whose_figure_is_no_number(world: World, what: str, case: str) -> None:
    order = world.signal()
    for _ in range(2):
        world.trade(order, **{what: NO_NUMBERS[case]})
    refused_and_then_filled(world, order, "成交数量" if what == "volume" else "成交价")


BAD_FIELDS: dict[str, tuple[dict[str, Any], str]] = {
    "no trade id": ({"tradeid": None}, "没有成交编号"),
    "a trade id that is no text": ({"tradeid": 7}, "没有成交编号"),
    "a time that is text": ({"datetime": "10:00:00"}, "成交时间 10:00:00 无效"),
    "a time that is a number": ({"datetime": 100000.0}, "成交时间 100000.0 无效"),
    "no exchange": ({"exchange": None}, "交易所 None 无效"),
    "a direction that is text": ({"direction": "多"}, "买卖方向与委托相反"),
}


@pytest.mark.parametrize("case", BAD_FIELDS)
def test_a_trade_with_a_field_that_is_none_or_of_another_kind(world: World, case: str) -> None:
    changes, why = BAD_FIELDS[case]
    order = world.signal()
    data = TradeData(world.name, BANK[:6], Exchange.SSE, order, "1", Direction.LONG, Offset.OPEN, 5.0, 400)
    data.datetime = world.house.clock.now()
    for name, value in changes.items():
        setattr(data, name, value)
    for _ in range(2):
        world.tell(EVENT_TRADE, data)
    refused_and_then_filled(world, order, why)


def test_a_trades_time_without_a_zone_is_market_time(world: World) -> None:
    order = world.signal()
    world.trade(order, volume=1000, datetime=datetime.fromisoformat(f"{DAY}T00:30:00"))
    assert world.fills == [(1000, "1")]


def test_both_sides_of_a_self_trade_share_a_trade_id(world: World) -> None:
    world.trade(world.signal(), volume=1000)
    world.house.go("2025-03-04 10:00:00")
    world.house.quote()
    sale = world.signal(1000, Side.SELL)
    world.house.engine.house.portfolio.books["judge"].external.clear()
    desk = world.house.engine.execution.desk
    buy = buy_beside(world)
    world.trade(sale, tradeid="7", volume=1000, direction=Direction.SHORT, price=5.0)
    world.trade(buy, tradeid="7", volume=200, price=5.0)
    world.trade(sale, tradeid="7", volume=1000, direction=Direction.SHORT, price=5.0)
    assert world.fills == [(1000, "1"), (1000, "7"), (200, "7")]
    assert world.house.held == {BANK: 200}
    assert list(desk.working()) == []


def buy_beside(world: World) -> str:
    """A buy that works while a sale does; the broker's id of its order."""
    before = {c.intent.id for _, c in world.house.engine.execution.desk.working()}
    with pytest.raises(ValueError, match="too many values"):
        world.signal(200)
    [child] = [c for _, c in world.house.engine.execution.desk.working() if c.intent.id not in before]
    return child.vt_orderids[0].partition(".")[2]


def test_a_fill_that_comes_after_the_days_end_is_booked_on_its_day(world: World) -> None:
    order = world.signal()
    world.house.go(f"{DAY} 15:30:00")
    world.trade(order, volume=1000, datetime=at(f"{DAY} 14:59:59"))
    assert world.fills == [(1000, "1")]
    assert world.house.held == {BANK: 1000}


def test_the_same_trade_id_again_with_other_figures_is_told_and_not_booked(world: World) -> None:
    order = world.signal()
    world.trade(order, volume=400)
    for volume in (400, 600, 600):
        world.trade(order, volume=volume)
    [alert] = world.alerts("回报不可信")
    assert "同一成交编号已按 400 股、价格 5.0 入账" in str(alert.text)
    assert world.fills == [(400, "1")]


# order reports


@pytest.mark.parametrize("case", NO_NUMBERS)
def test_an_order_report_whose_traded_volume_is_no_number(world: World, case: str) -> None:
    order = world.signal()
    for _ in range(2):
        world.order(order, Status.PARTTRADED, traded=NO_NUMBERS[case])
    refused_and_then_filled(world, order, "已成交数量")


@pytest.mark.parametrize("status", [None, "全部成交", 3])
def test_an_order_report_with_a_status_that_is_not_known(world: World, status: Any) -> None:
    order = world.signal()
    data = OrderData(world.name, BANK[:6], Exchange.SSE, order, volume=1000, traded=1000)
    data.status = status
    for _ in range(2):
        world.tell(EVENT_ORDER, data)
    refused_and_then_filled(world, order, f"委托状态 {status} 无效")


def test_an_order_report_with_other_fields_empty_is_believed(world: World) -> None:
    order = world.signal()
    data = OrderData(world.name, BANK[:6], Exchange.SSE, order, status=Status.CANCELLED)
    for name in ("direction", "offset", "price", "volume", "datetime", "reference", "type"):
        setattr(data, name, None)
    data.extra = "柜台撤单"  # type: ignore[assignment]
    world.tell(EVENT_ORDER, data)
    assert [update.state for update in world.house.said(OrderUpdate)] == [OrderState.CANCELLED]
    assert world.alerts("回报不可信") == []


def test_order_reports_that_go_backwards_do_not_bring_an_order_back(world: World) -> None:
    order = world.signal()
    world.trade(order, volume=1000)
    for status, traded in ((Status.ALLTRADED, 1000), (Status.PARTTRADED, 400), (Status.SUBMITTING, 0)):
        world.order(order, status, traded=traded)
    assert [update.state for update in world.house.said(OrderUpdate)] == [OrderState.FILLED]
    assert world.house.held == {BANK: 1000}


@pytest.mark.parametrize("figure", [*NO_NUMBERS.values(), 1e300], ids=[*NO_NUMBERS, "huge"])
def test_reports_on_orders_that_nobody_knows_are_parked_and_told(world: World, figure: Any) -> None:
    world.order("stranger", Status.NOTTRADED, volume=figure, traded=figure)
    world.trade("stranger", volume=figure, price=figure)
    assert len(world.alerts("非本系统的委托")) == 2
    assert world.fills == []
    assert len(world.house.engine.execution.desk._parked[f"{world.name}.stranger"]) == 2


def test_what_was_refused_and_what_was_parked_is_in_the_journal_after_a_restart(tmp_path: Path) -> None:
    world = World(tmp_path / "journal.db")
    world.begin()
    order = world.signal()
    world.trade(order, volume=None)
    world.trade("stranger", volume=300)
    world.house.__exit__()
    with SmallHouse(tmp_path / "journal.db", f"{DAY}T11:00") as after:
        told = "\n".join(str(alert.text) for alert in after.said(Alert))
        assert f"{world.name}.{order} 的回报不可信，未处理：成交数量 None 无效" in told
        assert f"{world.name}.stranger 成交：{BANK} 300 股" in told


# ticks

BAD_TICKS: dict[str, dict[str, Any]] = {
    "no time": {"datetime": None},
    "a time that is text": {"datetime": "10:00:00"},
    "a price that is none": {"last_price": None},
    "a price that is text": {"last_price": "4.70"},
    "a price that no float holds": {"last_price": HUGE_INT},
    "a limit that is text": {"limit_down": "4.50"},
    "a volume that is none": {"volume": None},
    "a bid that is text": {"bid_price_1": "4.99"},
}
"""A stop at 4.80 stands: a price of 4.70 that is believed would sell."""
ODD_TICKS: dict[str, dict[str, Any]] = {
    "a price that is no number": {"last_price": nan},
    "a price of nothing": {"last_price": 0},
    "an infinite price": {"last_price": -inf},
    "a negative price": {"last_price": -4.7},
    "a huge price": {"last_price": 1e300},
    "a volume that is no number": {"volume": nan},
    "a negative volume": {"volume": -1e6},
    "a huge volume": {"volume": 1e300},
    "a fractional volume": {"volume": 0.5},
    "a bid and an ask that are no numbers": {"bid_price_1": nan, "ask_price_1": inf},
    "a previous close that is no number": {"pre_close": nan},
}


def bad_tick(house: SmallHouse, changes: dict[str, Any]) -> None:
    tick = TickData("SIM", BANK[:6], Exchange.SSE, house.clock.now())
    fields = {"last_price": 5.0, "volume": 2e7, "pre_close": 5.0, "limit_up": 5.5, "limit_down": 4.5}
    for name, value in (fields | {"bid_price_1": 4.99, "ask_price_1": 5.01} | changes).items():
        setattr(tick, name, value)
    house.events.put(Event(EVENT_TICK, tick))
    house.events.drain()


@pytest.mark.parametrize("case", [*BAD_TICKS, *ODD_TICKS])
def test_a_bad_tick_sells_nothing_and_the_next_good_one_counts(tmp_path: Path, case: str) -> None:
    with SmallHouse(tmp_path / "journal.db", f"{DAY}T10:00") as house:
        house.buy(1000)
        for _ in range(3):
            bad_tick(house, {**BAD_TICKS, **ODD_TICKS}[case])
        assert (house.held, house.stop_state()) == ({BANK: 1000}, "ARMED")
        told = [text for text in house.engine._alerts if "今日同类行情不再提示" in text.render()]
        assert len(told) == (1 if case in BAD_TICKS else house.engine.tick_gate.absurd.total() // 3)
        house.tick(5.1)
        assert house.engine.house.portfolio.quotes.last_prices[BANK] == Decimal("5.1")
        assert house.said(HandlerFailed) == []


def test_ticks_whose_time_goes_backwards_count_for_nothing(tmp_path: Path) -> None:
    with SmallHouse(tmp_path / "journal.db", f"{DAY}T10:00") as house:
        house.tick(5.1)
        house.tick(4.9, stamp=f"{DAY}T09:59:59")
        assert house.engine.house.portfolio.quotes.last_prices[BANK] == Decimal("5.1")


# orders of users, by VeighNa's panel, on the simulated exchange


BAD_FIGURES: dict[str, Any] = {
    **NO_NUMBERS,
    "no number": nan,
    "infinite": inf,
    "negative": -100,
    "nothing": 0,
    "huge": 1e300,
    "fractional": 100.005,
}


@pytest.mark.parametrize("what", ["volume", "price"])
@pytest.mark.parametrize("case", BAD_FIGURES)
def test_an_order_by_hand_with_a_bad_figure_is_refused_with_a_reason(
    tmp_path: Path, what: str, case: str
) -> None:
    with SmallHouse(tmp_path / "journal.db", f"{DAY}T10:00") as house:
        house.quote()
        gateway = house.settings.accounts[0].gateway_name
        figures = {"volume": 100.0, "price": 5.05} | {what: BAD_FIGURES[case]}
        request = OrderRequest("601988", Exchange.SSE, Direction.LONG, OrderType.LIMIT, **figures)
        vt_orderid = house.main.send_order(request, gateway)
        house.events.drain()
        order: Any = house.main.get_order(vt_orderid)
        assert order.status is Status.REJECTED
        assert order.extra["reason"]
        account = house.engine.parts.exchange.account("judge")  # type: ignore[union-attr]
        assert (account.cash, dict(account.orders)) == (house.settings.accounts[0].cash, {})
        assert house.said(HandlerFailed) == []
        house.buy(1000)
        assert house.held == {BANK: 1000}


def test_an_order_by_hand_that_is_stamped_long_ago_or_never_does_no_harm(world: World) -> None:
    for stamp in (None, at("1970-01-01 00:00:00"), at(f"{DAY} 10:00:00") + timedelta(days=9999)):
        world.order("stranger", Status.NOTTRADED, datetime=stamp)
    assert len(world.alerts("非本系统的委托")) == 1
