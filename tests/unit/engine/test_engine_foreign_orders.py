"""Orders on an account's gateway that no intent owns: told, not booked, and the account is marked."""

from pathlib import Path

import pytest
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType
from vnpy.trader.object import OrderRequest

from vnpy_aiagent.domain import Alert, Severity

from .small_house import BANK, SmallHouse

DAY = "2025-07-10"


@pytest.fixture
def house(tmp_path: Path) -> SmallHouse:
    return SmallHouse(tmp_path / "journal.db", f"{DAY}T10:00")


def by_hand(house: SmallHouse, price: float) -> str:
    """A human's own order in VeighNa's trading panel."""
    account = house.settings.accounts[0]
    request = OrderRequest(
        BANK.split(".", maxsplit=1)[0],
        Exchange.SSE,
        Direction.LONG,
        OrderType.LIMIT,
        200,
        price,
        Offset.OPEN,
    )
    order = house.main.send_order(request, account.gateway_name)
    house.events.drain()
    return order


def alerts(house: SmallHouse, part: str) -> list[Alert]:
    return [alert for alert in house.said(Alert) if part in str(alert.text)]


def agree(house: SmallHouse) -> bool:
    [account] = house.engine.status()["accounts"]  # type: ignore[misc]
    return bool(account["books_agree"])  # type: ignore[index]


def test_an_order_by_hand_that_is_filled_is_told_and_marks_the_account(house: SmallHouse) -> None:
    with house:
        house.quote()
        assert agree(house)
        order = by_hand(house, 5.05)
        told = alerts(house, order)
        assert [alert.severity for alert in told] == [Severity.WARNING, Severity.CRITICAL]
        assert {alert.account for alert in told} == {"judge"}
        assert (house.held, agree(house)) == ({}, False)
        assert alerts(house, "账本 / 交易所") == []
        house.go(f"{DAY}T15:01")
        [check] = alerts(house, "账本 / 交易所")
        assert check.severity is Severity.CRITICAL
        assert f"{BANK} 0 / 200" in str(check.text)


def test_an_order_by_hand_that_only_rests_is_told_once_and_marks_nothing(house: SmallHouse) -> None:
    with house:
        house.quote()
        order = by_hand(house, 4.60)
        house.quote()
        house.go(f"{DAY}T15:01")  # cancelled at the close: one more report on it
        assert [alert.severity for alert in alerts(house, order)] == [Severity.WARNING]
        assert agree(house)
        assert alerts(house, "账本 / 交易所") == []


def test_orders_of_the_system_itself_raise_no_such_alert_and_the_books_agree(house: SmallHouse) -> None:
    with house:
        house.buy(1000)
        house.go(f"{DAY}T15:01")
        assert house.held == {BANK: 1000}
        assert alerts(house, "非本系统") + alerts(house, "账本 / 交易所") == []
        assert agree(house)


def test_after_a_restart_book_and_simulated_exchange_agree_again(tmp_path: Path) -> None:
    with SmallHouse(tmp_path / "journal.db", f"{DAY}T10:00") as first:
        first.quote()
        by_hand(first, 5.05)
    with SmallHouse(tmp_path / "journal.db", f"{DAY}T11:00") as second:
        assert agree(second)
        assert second.engine.parts.exchange.account("judge").cash == second.settings.accounts[0].cash  # type: ignore[union-attr]
