"""Several orders for one signal with real money: none follows on stale data, nor beyond the approval."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from vnpy.trader.constant import Status

from vnpy_aiagent.base import EVENT_AI_SIGNAL
from vnpy_aiagent.config import AccountSettings, ExecutionSettings, SlicingSettings, TimeoutSettings
from vnpy_aiagent.domain import (
    Algo,
    ExecutionReport,
    Fill,
    OrderState,
    OrderUpdate,
    ParentState,
    Side,
    Signal,
    Style,
    Withheld,
    say,
)
from vnpy_aiagent.market.sessions import session_close

from .live_house import BANK, BROKER, Desk, LiveHouse

MOMENT = "2025-07-10T10:00"
SECOND = "BROKER2"


def opened(folder: Path, **execution: Any) -> Iterator[LiveHouse]:
    """A house that agrees with its broker, and has a quote."""
    house = LiveHouse(folder / "journal.db", MOMENT, Desk(), execution=ExecutionSettings(**execution))
    with house:
        house.settle()
        house.quote()
        assert house.reconciled
        yield house


@pytest.fixture
def twap(tmp_path: Path) -> Iterator[LiveHouse]:
    """Orders go in three slices, a minute apart."""
    yield from opened(tmp_path, slicing=SlicingSettings(algo="TWAP", slices=3, minutes=3))


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[LiveHouse]:
    """An order that rests for 30 seconds is replaced at a better price."""
    yield from opened(tmp_path, timeout=TimeoutSettings(after=30))


def signal(house: LiveHouse, volume: int, account: str = "judge") -> None:
    """An approved buy that may be re-priced up to 5.05."""
    limit = Decimal("5.00")
    house.engine.bus.post(
        Signal,
        EVENT_AI_SIGNAL,
        cause=None,
        account=account,
        symbol=BANK,
        side=Side.BUY,
        volume=volume,
        limit=limit,
        low=limit,
        high=Decimal("5.05"),
        stop=Decimal("4.80"),
        reason=say("测试"),
        valid_until=session_close(house.clock.now().date()),
    )
    house.events.drain()


def sizes(house: LiveHouse) -> list[float]:
    return [request.volume for request in house.desk.requests]


def end(house: LiveHouse, orderid: str) -> None:
    """The broker ends an order, and says so."""
    house.desk.end(orderid, Status.CANCELLED)
    house.gateway.on_order(house.desk.orders[orderid])
    house.events.drain()


def until_cancelled(house: LiveHouse, orderid: str) -> None:
    """Time passes with fresh data until the app asks for the end of an order."""
    for _ in range(3):
        house.pass_seconds(10)
        house.tick(5.0)
    assert house.desk.cancels == [orderid]


def assert_given_up(house: LiveHouse, volume: int, filled: int) -> None:
    """The rest was withheld once, is told, holds nothing back, and is not sent later either."""
    sent = sizes(house)
    [withheld] = house.said(Withheld)
    assert "未更新" in str(withheld.reason) or "核对" in str(withheld.reason)
    [report] = house.said(ExecutionReport)
    state = ParentState.DONE_PARTIAL if filled else ParentState.CANCELLED
    assert (report.volume, report.filled, report.state) == (volume, filled, state)
    assert "不再委托" in str(report.reason)
    assert house.book.reservations == {}
    house.settle()
    house.quote()
    house.pass_seconds(90)
    house.quote()
    assert house.reconciled
    assert sizes(house) == sent
    assert house.held == ({BANK: filled} if filled else {})


def test_with_fresh_data_every_slice_follows(twap: LiveHouse) -> None:
    twap.signal(600)
    for number in (1, 2, 3):
        assert sizes(twap) == [200] * number
        twap.fill(f"b{number}", 200)
        twap.pass_seconds(61)
        twap.quote()
    assert sizes(twap) == [200] * 3
    [report] = twap.said(ExecutionReport)
    assert (report.algo, report.filled, report.children) == (Algo.TWAP, 600, 3)


def test_stale_data_between_two_slices_gives_the_rest_up(twap: LiveHouse) -> None:
    twap.signal(600)
    twap.fill("b1", 200)
    twap.pass_seconds(30)
    twap.pass_seconds(31, polls=False)
    twap.quote()
    assert sizes(twap) == [200]
    assert not twap.reconciled
    assert_given_up(twap, 600, 200)


def test_data_that_comes_back_before_the_next_slice_is_due_is_enough(twap: LiveHouse) -> None:
    twap.signal(600)
    twap.fill("b1", 200)
    twap.pass_seconds(20, polls=False)
    assert not twap.reconciled
    twap.settle()
    assert twap.reconciled
    twap.pass_seconds(30)
    twap.quote()
    assert sizes(twap) == [200, 200]
    assert twap.said(Withheld) == []


def test_with_fresh_data_a_replacement_has_what_is_left(impatient: LiveHouse) -> None:
    signal(impatient, 1000)
    impatient.fill("b1", 400)
    until_cancelled(impatient, "b1")
    end(impatient, "b1")
    assert sizes(impatient) == [1000, 600]
    impatient.fill("b2", 600)
    [report] = impatient.said(ExecutionReport)
    assert (report.filled, report.state) == (1000, ParentState.FILLED)


@pytest.mark.parametrize("filled", [0, 400])
def test_stale_data_before_a_replacement_gives_the_rest_up(impatient: LiveHouse, filled: int) -> None:
    signal(impatient, 1000)
    if filled:
        impatient.fill("b1", filled)
    until_cancelled(impatient, "b1")
    impatient.pass_seconds(11, polls=False)
    end(impatient, "b1")
    assert sizes(impatient) == [1000]
    assert_given_up(impatient, 1000, filled)


def test_a_broken_connection_before_a_replacement_gives_the_rest_up(impatient: LiveHouse) -> None:
    signal(impatient, 1000)
    impatient.fill("b1", 400)
    until_cancelled(impatient, "b1")
    impatient.gateway.write_log("交易服务器连接断开，原因4097")
    impatient.events.drain()
    end(impatient, "b1")
    assert_given_up(impatient, 1000, 400)


def test_a_fill_that_crosses_the_end_on_stale_data_is_booked_and_nothing_follows(
    impatient: LiveHouse,
) -> None:
    signal(impatient, 1000)
    until_cancelled(impatient, "b1")
    impatient.pass_seconds(11, polls=False)
    trade = impatient.desk.match("b1", 700, 5.0, impatient.clock.now())
    end(impatient, "b1")
    assert impatient.said(ExecutionReport) == [], "its fills are not all here"
    impatient.gateway.on_trade(trade)
    impatient.events.drain()
    assert_given_up(impatient, 1000, 700)


def test_a_trade_id_on_two_accounts_is_two_fills(tmp_path: Path) -> None:
    accounts = (
        AccountSettings(name="judge", style=Style.JUDGE, gateway=BROKER),
        AccountSettings(name="other", style=Style.CONSERVATIVE, gateway=SECOND),
    )
    desks = {BROKER: Desk(), SECOND: Desk()}

    def begin(moment: str = MOMENT) -> LiveHouse:
        return LiveHouse(
            tmp_path / "journal.db", moment, desks[BROKER], desks={SECOND: desks[SECOND]}, accounts=accounts
        )

    def books(house: LiveHouse) -> dict[str, dict[str, int]]:
        found = house.engine.house.portfolio.books
        return {
            name: {symbol: held.volume for symbol, held in book.positions.items()}
            for name, book in found.items()
        }

    with begin() as house:
        house.settle()
        house.quote()
        for name, volume in (("judge", 300), ("other", 500)):
            signal(house, volume, name)
        house.fill("b1", 300)
        house.fill("b1", 500, gateway=SECOND)
        for line in house.gateways.values():
            line.tell_orders()  # once more: each is known by now
        house.events.drain()
        fills = house.said(Fill)
        assert {(fill.orderid, fill.tradeid) for fill in fills} == {("b1", "t1")}
        assert [(fill.account, fill.volume) for fill in fills] == [("judge", 300), ("other", 500)]
        assert books(house) == {"judge": {BANK: 300}, "other": {BANK: 500}}
        states = {(each.account, each.state) for each in house.said(OrderUpdate)}
        assert {("judge", OrderState.FILLED), ("other", OrderState.FILLED)} <= states
    with begin("2025-07-10T10:30") as later:
        later.settle()
        assert len(later.said(Fill)) == 2
        assert books(later) == {"judge": {BANK: 300}, "other": {BANK: 500}}
