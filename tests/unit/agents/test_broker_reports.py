"""Broker reports that cannot be right, or come for strangers: told once, not booked, and nothing is lost."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from vnpy.event import Event
from vnpy.trader.constant import Direction, Exchange, Status
from vnpy.trader.event import EVENT_ORDER, EVENT_TRADE
from vnpy.trader.object import OrderData, TradeData

from vnpy_aiagent.base import EVENT_AI_SIGNAL
from vnpy_aiagent.domain import (
    Alert,
    Fill,
    HandlerFailed,
    OrderState,
    OrderUpdate,
    Severity,
    Side,
    Signal,
    say,
)
from vnpy_aiagent.market.sessions import session_close
from vnpy_aiagent.testing.faulty_gateway import Faults, FaultyGateway

from ..engine.small_house import BANK, STAR, SmallHouse, at  # noqa: TID252 - the test tree is no package

DAY = "2025-03-03"


class World:
    """An engine whose broker is mute; the test says what the broker would."""

    def __init__(self, journal: Path) -> None:
        self.house = SmallHouse(journal, f"{DAY} 10:00:00", symbols=(BANK, STAR))
        self.name = self.house.settings.accounts[0].gateway_name
        gateway = self.house.main.add_gateway(FaultyGateway, self.name)
        assert isinstance(gateway, FaultyGateway)
        self.gateway = gateway

    def begin(self) -> None:
        self.house.__enter__()
        self.house.quote()
        self.house.quote(symbol=STAR)
        self.gateway.use(Faults(drop=1))

    def signal(self, volume: int = 1000, side: Side = Side.BUY, symbol: str = BANK) -> str:
        """Work a signal; the broker's id of its order."""
        limit = Decimal("5.00") if side is Side.BUY else Decimal("4.90")
        self.house.engine.bus.post(
            Signal,
            EVENT_AI_SIGNAL,
            cause=None,
            account="judge",
            symbol=symbol,
            side=side,
            volume=volume,
            limit=limit,
            low=limit,
            high=limit,
            reason=say("测试"),
            valid_until=session_close(self.house.clock.now().date()),
        )
        self.house.events.drain()
        [child] = [c for _, c in self.house.engine.execution.desk.working() if c.intent.symbol == symbol]
        return child.vt_orderids[0].partition(".")[2]

    def trade(self, orderid: str, **changes: Any) -> None:
        told: dict[str, Any] = {
            "symbol": BANK[:6],
            "exchange": Exchange.SSE,
            "orderid": orderid,
            "tradeid": "1",
            "direction": Direction.LONG,
            "price": 5.0,
            "volume": 400,
            "datetime": self.house.clock.now(),
            "gateway_name": self.name,
        }
        self.tell(EVENT_TRADE, TradeData(**(told | changes)))

    def order(self, orderid: str, status: Status, traded: float = 0, **changes: Any) -> None:
        told: dict[str, Any] = {
            "symbol": BANK[:6],
            "exchange": Exchange.SSE,
            "orderid": orderid,
            "direction": Direction.LONG,
            "price": 5.0,
            "volume": 1000,
            "traded": traded,
            "status": status,
            "gateway_name": self.name,
        }
        self.tell(EVENT_ORDER, OrderData(**(told | changes)))

    def tell(self, event: str, data: object) -> None:
        self.house.events.put(Event(event, data))
        self.house.events.drain()

    def alerts(self, part: str) -> list[Alert]:
        return [alert for alert in self.house.said(Alert) if part in str(alert.text)]

    @property
    def fills(self) -> list[tuple[int, str]]:
        return [(fill.volume, fill.tradeid) for fill in self.house.said(Fill)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "journal.db")
    world.begin()
    yield world
    assert world.house.said(HandlerFailed) == []
    world.house.__exit__()


def moved(days: int) -> datetime:
    return at(f"{DAY} 10:00:00") + timedelta(days=days)


BAD_TRADES: dict[str, tuple[dict[str, Any], str]] = {
    "a volume that is no number": ({"volume": nan}, "成交数量 nan 无效"),
    "an infinite volume": ({"volume": inf}, "成交数量 inf 无效"),
    "a negative volume": ({"volume": -400}, "成交数量 -400 无效"),
    "no volume": ({"volume": 0}, "成交数量 0 无效"),
    "a fractional volume": ({"volume": 400.5}, "成交数量 400.5 无效"),
    "a huge volume": ({"volume": 1e12}, "超出委托数量"),
    "a share too many": ({"volume": 1001}, "委托 1000 股，已成交 0 股，又报 1001 股"),
    "a price that is no number": ({"price": nan}, "成交价 nan 无效"),
    "an infinite price": ({"price": -inf}, "成交价 -inf 无效"),
    "a negative price": ({"price": -5.0}, "成交价 -5.0 无效"),
    "no price": ({"price": 0.0}, "成交价 0.0 无效"),
    "a huge price": ({"price": 1e9}, "劣于限价 5.00"),
    "a price worse than the limit": ({"price": 5.02}, "成交价 5.02 劣于限价 5.00"),
    "no trade id": ({"tradeid": ""}, "没有成交编号"),
    "another symbol": ({"symbol": "688981"}, "合约 688981.SSE 不是委托的 601988.SSE"),
    "the other side": ({"direction": Direction.SHORT}, "买卖方向与委托相反"),
    "yesterday's stamp": ({"datetime": moved(-1)}, "成交日期 2025-03-02"),
    "tomorrow's stamp": ({"datetime": moved(1)}, "成交日期 2025-03-04"),
}


@pytest.mark.parametrize("case", BAD_TRADES)
def test_a_trade_that_cannot_be_is_told_once_and_the_right_one_is_booked(world: World, case: str) -> None:
    changes, why = BAD_TRADES[case]
    order = world.signal()
    world.trade(order, **changes)
    world.trade(order, **changes)
    [alert] = world.alerts("回报不可信")
    assert (alert.severity, alert.account) == (Severity.CRITICAL, "judge")
    assert why in str(alert.text)
    assert (world.fills, world.house.held) == ([], {})
    world.trade(order)
    world.trade(order, tradeid="2", volume=600)
    assert world.fills == [(400, "1"), (600, "2")]
    assert world.house.said(OrderUpdate)[-1].state is OrderState.FILLED


BAD_ORDERS: dict[str, tuple[dict[str, Any], str]] = {
    "a volume that is no number": ({"traded": nan}, "已成交数量 nan 无效"),
    "an infinite volume": ({"traded": inf}, "已成交数量 inf 无效"),
    "a negative volume": ({"traded": -1}, "已成交数量 -1 无效"),
    "a fractional volume": ({"traded": 0.5}, "已成交数量 0.5 无效"),
    "another symbol": ({"symbol": "688981"}, "合约 688981.SSE 不是委托的 601988.SSE"),
    "the other side": ({"direction": Direction.SHORT}, "买卖方向与委托相反"),
}


@pytest.mark.parametrize("case", BAD_ORDERS)
def test_an_order_report_that_cannot_be_changes_nothing(world: World, case: str) -> None:
    changes, why = BAD_ORDERS[case]
    order = world.signal()
    world.order(order, **({"status": Status.CANCELLED} | changes))
    [alert] = world.alerts("回报不可信")
    assert why in str(alert.text)
    assert world.house.said(OrderUpdate) == []
    world.trade(order, volume=1000)
    assert world.house.held == {BANK: 1000}


def test_a_huge_traded_volume_is_no_more_than_was_ordered(world: World) -> None:
    order = world.signal()
    world.order(order, Status.ALLTRADED, traded=1e12)
    assert [(u.state, u.traded) for u in world.house.said(OrderUpdate)] == [(OrderState.FILLED, 1000)]
    world.trade(order, volume=1000)
    assert world.house.held == {BANK: 1000}


@pytest.mark.parametrize("figure", [100, nan, -1, 0.5, inf])
def test_reports_for_strangers_are_parked_and_told_whatever_they_say(world: World, figure: float) -> None:
    world.order("stranger", Status.NOTTRADED, volume=figure)
    world.trade("stranger", volume=figure, price=figure)
    assert len(world.alerts("非本系统的委托")) == 2
    assert world.fills == []
    assert len(world.house.engine.execution.desk._parked[f"{world.name}.stranger"]) == 2


def test_the_same_trade_twice_is_one_fill_and_no_fault(world: World) -> None:
    order = world.signal()
    for _ in range(3):
        world.trade(order, volume=1000)
    assert world.fills == [(1000, "1")]
    assert world.alerts("回报不可信") == []


def test_the_same_trade_id_on_two_days_is_two_fills(world: World) -> None:
    world.trade(world.signal(), volume=1000)
    world.house.go("2025-03-04 10:00:00")
    world.house.quote()
    order = world.signal()
    world.trade(order, volume=1000)
    assert world.fills == [(1000, "1"), (1000, "1")]
    assert world.house.held == {BANK: 2000}


def test_the_same_trade_id_on_two_symbols_is_two_fills(world: World) -> None:
    world.trade(world.signal(), volume=1000)
    world.trade(world.signal(symbol=STAR), symbol=STAR[:6], volume=1000)
    assert world.fills == [(1000, "1"), (1000, "1")]
    assert world.house.held == {BANK: 1000, STAR: 1000}


def test_the_same_trade_id_on_both_sides_is_two_fills(world: World) -> None:
    world.trade(world.signal(), volume=1000)
    world.house.go("2025-03-04 10:00:00")
    world.house.quote()
    buy = world.signal(200)
    world.house.engine.execution.cancel_all()
    world.order(buy, Status.CANCELLED)
    sale = world.signal(1000, Side.SELL)
    world.trade(sale, volume=1000, direction=Direction.SHORT, price=4.95)
    assert world.fills == [(1000, "1"), (1000, "1")]
    assert world.house.held == {}


def test_a_sale_of_more_than_the_book_holds_is_not_booked(world: World) -> None:
    """The journal would hold a fill that no restart could book."""
    bought = world.signal()
    world.trade(bought, volume=1000)
    world.house.go("2025-03-04 10:00:00")
    sale = world.signal(1000, Side.SELL)
    del world.house.engine.house.portfolio.books["judge"].positions[BANK]
    world.trade(sale, tradeid="2", volume=400, direction=Direction.SHORT, price=4.95)
    [alert] = world.alerts("回报不可信")
    assert "卖出 400 股，账上只有 0 股" in str(alert.text)
    assert len(world.fills) == 1, "the buy alone"


def test_trades_whose_time_goes_backwards_within_the_day_are_all_booked(world: World) -> None:
    order = world.signal()
    for number, minutes in enumerate((5, 3, -30)):
        stamp = at(f"{DAY} 10:00:00") + timedelta(minutes=minutes)
        world.trade(order, tradeid=str(number), volume=300, datetime=stamp)
    assert [volume for volume, _ in world.fills] == [300, 300, 300]


def test_a_fill_that_arrives_on_the_next_day_costs_no_second_minimum_commission(world: World) -> None:
    order = world.signal()
    stamp = world.house.clock.now()
    world.trade(order)
    world.house.go("2025-03-04 10:00:00")
    world.trade(order, tradeid="2", volume=600, datetime=stamp)
    first, late = world.house.said(Fill)
    rules = world.house.engine.house.portfolio.rules_for(BANK, stamp.date())
    assert late.trading_day == stamp.date()
    assert first.fees + late.fees == rules.order_fees(Side.BUY, Decimal(5000), 1000).total


def test_a_trade_without_a_time_is_of_now(world: World) -> None:
    world.trade(world.signal(), datetime=None)
    assert world.house.said(Fill)[0].trading_day == world.house.clock.now().date()


def test_a_fill_before_any_report_is_told_as_a_state(world: World) -> None:
    order = world.signal()
    world.trade(order)
    world.trade(order, tradeid="2", volume=600)
    world.order(order, Status.PARTTRADED, traded=400)
    told = [(update.state, update.traded) for update in world.house.said(OrderUpdate)]
    assert told == [(OrderState.PARTIAL, 400), (OrderState.FILLED, 1000)]


def test_an_order_of_unknown_fate_is_adopted_when_the_broker_tells_of_it(world: World) -> None:
    world.gateway.use(Faults(disconnect=1))
    with pytest.raises(IndexError):
        world.signal()  # no id came back
    assert world.house.said(OrderUpdate)[-1].state is OrderState.UNKNOWN
    world.house.tick(4.98)  # it is filled meanwhile
    world.gateway.calm()
    world.gateway.reconnect()
    world.house.events.drain()
    assert world.house.held == {BANK: 1000}
    assert world.alerts("非本系统的委托") == []
    assert len(world.gateway.requests) == 1


def test_a_stop_takes_the_accounts_own_buys_back_before_it_sells(world: World) -> None:
    world.gateway.calm()
    world.house.buy(1000)
    world.house.go("2025-03-04 09:35:00")
    world.house.tick(5.0)
    world.house.buy(200, stop="4.60")
    limit = Decimal("4.82")
    world.house.engine.bus.post(
        Signal,
        EVENT_AI_SIGNAL,
        cause=None,
        account="judge",
        symbol=BANK,
        side=Side.BUY,
        volume=100,
        limit=limit,
        low=limit,
        high=limit,
        reason=say("测试"),
        valid_until=session_close(world.house.clock.now().date()),
    )
    world.house.events.drain()
    world.house.tick(4.79, traded=0)
    assert world.alerts("自成交") == []
    states = [update.state for update in world.house.said(OrderUpdate)]
    assert OrderState.CANCELLED in states
    assert OrderState.REJECTED not in states
