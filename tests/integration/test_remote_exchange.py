"""The exchange behind sockets: told again at each connect, nothing lost in a gap, nothing sent twice."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from vnpy.event import Event
from vnpy.trader.constant import Exchange, Status
from vnpy.trader.event import EVENT_LOG
from vnpy.trader.object import CancelRequest, LogData

from tests.integration.remote_house import SYMBOL, Client, House, free_ports, until
from vnpy_aiagent.domain import MARKET_TZ
from vnpy_aiagent.sim import remote_gateway as remote
from vnpy_aiagent.sim.remote_link import is_loopback


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    house.close()


def test_an_order_is_sent_and_its_reports_come_under_our_gateways_name(house: House) -> None:
    client = house.client()
    vt_orderid = client.send(40.5, 300)
    assert vt_orderid.startswith("REMOTE.20250710-")
    until(lambda: client.state(vt_orderid) == (Status.ALLTRADED, 300))
    until(lambda: client.main.get_all_positions() and client.main.get_all_positions()[0].volume == 300)
    assert {each.gateway_name for each in (*client.orders, *client.trades)} == {"REMOTE"}
    assert client.main.get_contract(SYMBOL).name == "招商银行"
    account = client.main.get_all_accounts()[0]
    assert Decimal(str(account.balance)) == house.exchange.account("main").cash


@pytest.mark.parametrize(("keeps", "reference"), [(remote.YES, "r1-5/1"), (remote.NO, "")])
def test_a_reference_is_passed_on_or_dropped_as_the_setting_says(
    house: House, keeps: str, reference: str
) -> None:
    client = house.client(**{remote.KEEP_REFERENCE: keeps})
    vt_orderid = client.send(39.0)
    until(lambda: client.state(vt_orderid))
    assert {each.reference for each in client.orders} == {reference}


def test_whoever_connects_later_is_told_todays_orders_and_trades_again(house: House) -> None:
    first = house.client()
    done, resting = first.send(40.5, 300), first.send(39.0, 200)
    until(lambda: first.state(done) == (Status.ALLTRADED, 300) and first.state(resting))
    first.main.close()
    house.clients.remove(first)
    house.price("38.50")  # while nobody is connected
    second = house.client()
    until(lambda: second.state(resting) == (Status.ALLTRADED, 200))
    assert second.state(done) == (Status.ALLTRADED, 300)
    assert [each.volume for each in second.trades] == [300, 200]
    assert {each.vt_orderid for each in second.trades} == {done, resting}


def test_a_server_that_goes_and_comes_back_loses_no_report_and_doubles_no_order(house: House) -> None:
    client = house.client()
    resting = client.send(39.0, 200)
    until(lambda: client.state(resting) == (Status.NOTTRADED, 0))
    house.server.stop()
    until(lambda: not client.gateway.connected)
    assert client.send(39.5, 400) == ""
    with pytest.raises(ConnectionError):
        client.gateway.cancel_order(client.main.get_order(resting).create_cancel_request())
    house.price("38.50")
    house.server.start()
    until(lambda: client.gateway.connected)
    until(lambda: client.state(resting) == (Status.ALLTRADED, 200))
    until(lambda: any("断开" in line for line in client.lines))
    until(lambda: sum("连接成功" in line for line in client.lines) == 2)
    assert house.exchange.account("main").holding(SYMBOL).volume == 200
    again = client.send(38.8, 500)
    until(lambda: client.state(again) == (Status.ALLTRADED, 500))
    assert house.exchange.account("main").holding(SYMBOL).volume == 700


def test_without_an_answer_sending_raises_within_a_second_and_the_order_is_found_once(house: House) -> None:
    client = house.client(**{remote.POLL_SECONDS: 60.0})
    with house.exchange.still():  # the exchange answers nobody
        with pytest.raises(TimeoutError):
            client.send(40.5, 300)
        assert client.send(40.5, 900) == ""  # behind requests that get no answer: it certainly did not leave
    until(lambda: client.trades)
    until(lambda: client.gateway.connected)
    assert [each.volume for each in client.trades] == [300]
    assert house.exchange.account("main").holding(SYMBOL).volume == 300
    assert {each.reference for each in client.orders} == {"r1-5/1"}


def test_a_missed_push_is_asked_for(house: House) -> None:
    client = house.client(**{remote.POLL_SECONDS: 60.0})
    link, pushed = client.gateway._link, client.gateway._on_push
    heard: list[Any] = []
    link._on_push = heard.append  # type: ignore[union-attr]
    until(lambda: house.price("40.00") or heard)  # a new listener misses what comes before it is known
    lost = client.send(39.0)
    link._on_push = pushed  # type: ignore[union-attr]
    seen = client.send(38.9)
    until(lambda: client.state(seen) == (Status.NOTTRADED, 0))
    assert client.state(lost) == (Status.NOTTRADED, 0)


def test_an_order_never_steps_back_when_pushes_come_late(house: House) -> None:
    client = house.client()
    vt_orderid = client.send(40.5, 300)
    until(lambda: client.state(vt_orderid) == (Status.ALLTRADED, 300))
    run, items = client.gateway._run, house.server.private_flow("VENUE", "", 0).items
    client.gateway._on_flow(replace(items[0], run=run))
    client.main.event_engine.put(Event(EVENT_LOG, LogData("REMOTE", "marker")))
    until(lambda: "marker" in client.lines)
    assert client.orders[-1].status is Status.ALLTRADED


def test_a_cancel_reaches_the_exchange(house: House) -> None:
    client = house.client()
    vt_orderid = client.send(39.0)
    until(lambda: client.state(vt_orderid) == (Status.NOTTRADED, 0))
    orderid = vt_orderid.partition(".")[2]
    client.gateway.cancel_order(CancelRequest(orderid, "600036", Exchange.SSE))
    until(lambda: client.state(vt_orderid) == (Status.CANCELLED, 0))


def test_a_new_day_begins_with_an_empty_flow(house: House) -> None:
    client = house.client()
    vt_orderid = client.send(40.5, 300)
    until(lambda: client.state(vt_orderid) == (Status.ALLTRADED, 300))
    house.clock.set(datetime(2025, 7, 11, 9, 35, tzinfo=MARKET_TZ))
    house.exchange.start_session(date(2025, 7, 11))
    house.server.begin_day()
    later = house.client()
    until(later.main.get_all_positions)
    assert later.main.get_all_positions()[0].yd_volume == 300
    assert later.trades == []


def test_an_address_beyond_this_machine_is_refused(house: House) -> None:
    client = Client(house.ports, {remote.REQUESTS: "tcp://192.0.2.7:2014"})
    house.clients.append(client)
    until(lambda: any("不在本机" in line for line in client.lines))
    assert not client.gateway.connected
    assert client.send(40.5) == ""


def test_where_nobody_listens_connecting_does_not_wait_and_nothing_is_sent() -> None:
    client = Client(free_ports(), {})
    try:
        assert client.send(40.5) == ""
        until(lambda: any("断开" in line for line in client.lines))
        assert client.send(40.5) == ""
        client.gateway.query_account()
        assert not client.gateway.connected
        assert sum("断开" in line for line in client.lines) == 1
    finally:
        client.main.close()


@pytest.mark.parametrize(
    ("address", "stays"),
    [
        ("tcp://127.0.0.1:2014", True),
        ("tcp://localhost:2014", True),
        ("tcp://[::1]:2014", True),
        ("tcp://127.0.0.1.example.com:2014", False),
        ("tcp://127.0.0.1@192.0.2.7:2014", False),
        ("tcp://*:2014", False),
        ("ipc:///tmp/exchange", False),
        ("", False),
    ],
)
def test_only_loopback_addresses_stay_on_this_machine(address: str, stays: bool) -> None:
    assert is_loopback(address) is stays
