"""Mode LIVE: accounts open with what their broker says, and agree with it before any order is sent."""

from decimal import Decimal
from pathlib import Path

import pytest

from vnpy_aiagent.domain import (
    AccountChecked,
    AccountOpened,
    CashAdjusted,
    HoldingAdjusted,
    Intent,
    Sent,
    Side,
    Withheld,
)

from .live_house import BANK, Desk, LiveHouse

DAY = "2025-07-10"
OTHER = "600000.SSE"


@pytest.fixture
def house(tmp_path: Path) -> LiveHouse:
    return LiveHouse(tmp_path / "journal.db", f"{DAY}T10:00", Desk(held={OTHER: 700}))


def test_an_account_opens_with_the_brokers_cash_and_its_holdings_are_not_the_apps(house: LiveHouse) -> None:
    with house:
        assert (house.reconciled, house.said(AccountOpened)) == (False, [])
        house.settle()
        [opened] = house.said(AccountOpened)
        assert (opened.cash, opened.gateway) == (Decimal(100_000), "BROKER")
        [found] = house.said(HoldingAdjusted)
        assert (found.symbol, found.volume, found.external) == (OTHER, 700, 700)
        assert house.reconciled
        assert (house.held, house.book.external) == ({OTHER: 700}, {OTHER: 700})
        assert house.book.sellable(OTHER, house.clock.now().date(), 1) == 0
        assert [checked.reconciled for checked in house.said(AccountChecked)] == [True]


def test_before_that_an_entry_is_withheld_with_a_reason(house: LiveHouse) -> None:
    with house:
        house.signal(100)
        [withheld] = house.said(Withheld)
        assert "尚未与柜台核对一致" in str(withheld.reason)
        assert house.desk.requests == []


def test_afterwards_it_is_sent(house: LiveHouse) -> None:
    with house:
        house.settle()
        house.quote()
        house.signal(100)
        assert [request.volume for request in house.desk.requests] == [100]
        assert len(house.said(Sent)) == len(house.said(Intent)) == 1
        house.fill("b1", 100)
        assert house.held == {OTHER: 700, BANK: 100}
        assert house.book.external == {OTHER: 700}


def test_stale_account_data_withholds_an_entry(house: LiveHouse) -> None:
    with house:
        house.settle()
        house.quote()
        house.pass_seconds(11, polls=False)
        house.signal(100)
        assert house.desk.requests == []
        assert not house.reconciled
        assert house.gateway.queries > 0
        house.settle()
        house.quote()
        house.signal(100)
        assert len(house.desk.requests) == 1


def test_a_stops_sale_waits_for_the_account_and_is_then_sent(house: LiveHouse) -> None:
    with house:
        house.settle()
        house.quote()
        house.signal(100)
        house.fill("b1", 100)
        house.settle()
    with LiveHouse(house.journal, "2025-07-11T10:00", house.desk) as later:
        later.desk.new_day()
        later.tick(4.70)
        later.events.drain()
        assert later.desk.requests[1:] == []
        assert later.said(Withheld) == []
        later.settle()
        [sale] = later.desk.requests[1:]
        assert (sale.volume, sale.direction.name) == (100, "SHORT")


def test_fees_that_differ_are_adjusted(house: LiveHouse) -> None:
    with house:
        house.desk.fees = 1.0  # the book counts 5 CNY of commission and the transfer fee
        house.settle()
        house.quote()
        house.signal(1000)
        house.fill("b1", 1000)
        house.settle()
        house.settle()
        [adjusted] = house.said(CashAdjusted)
        assert adjusted.amount > 0
        assert house.book.cash == Decimal(str(house.desk.cash))
        assert house.book.cash_off == 0
    assert Side.BUY
