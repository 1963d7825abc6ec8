"""Orders by hand through the sim gateway in the phases in which the app itself sends nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType, Status
from vnpy.trader.object import OrderData, OrderRequest, TickData

from vnpy_aiagent.domain import EquityMark

from .small_house import BANK, SmallHouse, at

DAY = "2025-03-03"


class Hands(SmallHouse):
    """A small house whose human sends orders in the host's window."""

    def send(self, price: float, volume: int = 1_000) -> str:
        request = OrderRequest(
            BANK[:6], Exchange.SSE, Direction.LONG, OrderType.LIMIT, volume, price, Offset.OPEN
        )
        sent: str = self.main.send_order(request, self.settings.accounts[0].gateway_name)
        self.events.drain()
        return sent

    def order(self, vt_orderid: str) -> OrderData:
        self.events.drain()
        order = self.main.get_order(vt_orderid)
        assert order is not None
        return order


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Hands]:
    with Hands(tmp_path / "journal.db", f"{DAY}T09:10") as house:
        yield house


def test_an_order_of_the_pause_is_sent_on_by_the_clock_without_a_quote(house: Hands) -> None:
    house.go(f"{DAY}T09:16")
    house.tick(5.0, traded=0)
    house.go(f"{DAY}T09:26")
    order = house.send(4.95)
    assert house.order(order).status is Status.SUBMITTING
    house.go(f"{DAY}T09:30")
    assert house.order(order).status is Status.NOTTRADED


def test_before_the_first_price_an_orders_limits_come_from_an_unpriced_quote(house: Hands) -> None:
    house.go(f"{DAY}T09:16")
    assert house.order(house.send(5.2)).extra["reason"] == "没有当日行情或停牌"
    house.events.put(_unpriced(house))
    house.events.drain()
    assert house.order(house.send(5.6)).extra["reason"] == "价格 5.6 超出涨跌停范围 4.5～5.5"
    assert house.order(house.send(5.2)).status is Status.NOTTRADED


def test_the_day_is_valued_once_the_closing_price_is_told(house: Hands) -> None:
    house.go(f"{DAY}T14:56:50")
    house.quote(5.0)
    order = house.send(4.96)
    house.go(f"{DAY}T15:00")
    assert house.order(order).status is Status.NOTTRADED
    assert house.said(EquityMark) == []
    house.clock.moment = at(f"{DAY}T15:00:03")
    house.tick(4.95, traded=50_000, stamp=f"{DAY}T15:00:00")
    found = house.order(order)
    assert (found.status, found.traded) == (Status.ALLTRADED, 1_000)
    assert [trade.price for trade in house.main.get_all_trades()] == [4.95]
    house.go(f"{DAY}T15:01")
    assert [mark.day.isoformat() for mark in house.said(EquityMark)] == [DAY]


def test_without_a_closing_price_orders_end_a_minute_after_the_close(house: Hands) -> None:
    house.go(f"{DAY}T14:56:50")
    house.quote(5.0)
    order = house.send(4.96)
    house.go(f"{DAY}T15:00:59")
    assert house.order(order).status is Status.NOTTRADED
    house.go(f"{DAY}T15:01")
    assert house.order(order).status is Status.CANCELLED
    assert len(house.said(EquityMark)) == 1


def test_without_orders_the_day_is_valued_at_the_close(house: Hands) -> None:
    house.go(f"{DAY}T15:00")
    assert len(house.said(EquityMark)) == 1


def _unpriced(house: Hands):  # type: ignore[no-untyped-def]
    from vnpy.event import Event
    from vnpy.trader.event import EVENT_TICK

    tick = TickData(
        "SIM",
        BANK[:6],
        Exchange.SSE,
        house.clock.now(),
        pre_close=5.0,
        limit_up=5.5,
        limit_down=4.5,
    )
    return Event(EVENT_TICK, tick)
