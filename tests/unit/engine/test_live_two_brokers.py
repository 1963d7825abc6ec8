"""One account at two brokers: entries may move for certain reasons alone, exits stay with their shares."""

from decimal import Decimal
from pathlib import Path

import pytest
from vnpy.trader.constant import Direction

from vnpy_aiagent.config import AccountSettings
from vnpy_aiagent.domain import Intent, ManualSlip, ParentDone, ParentState, Side, Style
from vnpy_aiagent.errors import ConfigError

from .live_house import BANK, BROKER, Desk, LiveHouse

DAY, NEXT = "2025-07-10", "2025-07-11"
SECOND = "BROKER2"
ACCOUNTS = (AccountSettings(name="judge", style=Style.JUDGE, gateway=BROKER, second_gateway=SECOND),)


@pytest.fixture
def desks() -> tuple[Desk, Desk]:
    return Desk(cash=100_000.0), Desk(cash=50_000.0)


def start(journal: Path, desks: tuple[Desk, Desk], moment: str = f"{DAY}T10:00") -> LiveHouse:
    return LiveHouse(journal, moment, desks[0], desks={SECOND: desks[1]}, accounts=ACCOUNTS)


@pytest.fixture
def house(tmp_path: Path, desks: tuple[Desk, Desk]) -> LiveHouse:
    return start(tmp_path / "journal.db", desks)


def settled(house: LiveHouse) -> None:
    house.settle()
    house.settle()
    house.quote()


def volumes(desk: Desk, direction: Direction = Direction.LONG) -> list[float]:
    return [request.volume for request in desk.requests if request.direction is direction]


def test_the_cash_of_both_is_the_accounts(house: LiveHouse) -> None:
    with house:
        settled(house)
        assert house.reconciled
        assert house.book.cash == Decimal(150_000)


def test_an_entry_goes_to_the_first(house: LiveHouse, desks: tuple[Desk, Desk]) -> None:
    with house:
        settled(house)
        house.signal(1000)
        assert (volumes(desks[0]), volumes(desks[1])) == ([1000], [])


def test_it_moves_where_the_first_takes_nothing(house: LiveHouse, desks: tuple[Desk, Desk]) -> None:
    with house:
        settled(house)
        house.gateway.refuses = True
        house.signal(1000)
        assert (volumes(desks[0]), volumes(desks[1])) == ([], [1000])
        assert house.said(ManualSlip) == []
        assert [intent.gateway for intent in house.said(Intent)] == [BROKER, SECOND]
        assert len({intent.reference for intent in house.said(Intent)}) == 2
        house.fill("b1", 1000, gateway=SECOND)
        assert house.held == {BANK: 1000}
        assert house.said(ParentDone)[-1].state is ParentState.FILLED
        assert house.book.reservations == {}


def test_it_moves_where_the_first_is_known_to_be_down(house: LiveHouse, desks: tuple[Desk, Desk]) -> None:
    with house:
        settled(house)
        house.gateway.write_log("交易服务器连接断开，原因4097")
        house.events.drain()
        house.signal(1000)
        assert (volumes(desks[0]), volumes(desks[1])) == ([], [1000])


def test_it_does_not_move_where_its_fate_is_unknown(house: LiveHouse, desks: tuple[Desk, Desk]) -> None:
    with house:
        settled(house)
        house.gateway.breaks = ConnectionError("the line broke")
        house.signal(1000)
        house.pass_seconds(30)
        assert (volumes(desks[0]), volumes(desks[1])) == ([1000], [])


@pytest.mark.parametrize("why", ["down too", "too poor"])
def test_it_goes_nowhere_where_the_second_cannot_take_it(
    house: LiveHouse, desks: tuple[Desk, Desk], why: str
) -> None:
    with house:
        if why == "too poor":
            desks[1].cash = 4_000.0
        settled(house)
        house.gateway.refuses = True
        if why == "down too":
            house.gateways[SECOND].write_log("交易服务器连接断开，原因4097")
            house.events.drain()
        house.signal(1000)
        assert (volumes(desks[0]), volumes(desks[1])) == ([], [])
        assert len(house.said(ManualSlip)) == 1
        assert house.said(ParentDone)[-1].filled == 0


def test_exits_stay_with_their_shares_over_a_restart(
    house: LiveHouse, desks: tuple[Desk, Desk], tmp_path: Path
) -> None:
    with house:
        settled(house)
        house.signal(600)
        house.fill("b1", 600)
        house.gateway.refuses = True
        house.signal(400)
        house.fill("b1", 400, gateway=SECOND)
        settled(house)
        assert house.reconciled
        assert house.held == {BANK: 1000}
    for desk in desks:
        desk.new_day()
    with start(tmp_path / "journal.db", desks, f"{NEXT}T10:00") as later:
        settled(later)
        assert later.reconciled
        later.tick(4.70)
        assert volumes(desks[0], Direction.SHORT) == [600]
        later.fill("b1", 600, 4.7)
        later.tick(4.69)
        assert volumes(desks[1], Direction.SHORT) == [400]
        later.fill("b1", 400, 4.7, gateway=SECOND)
        settled(later)
        assert later.held == {}
        assert later.reconciled
        assert later.book.cash == Decimal(str(round(desks[0].cash + desks[1].cash, 2)))


def test_an_exit_goes_where_the_broker_is_up_first(house: LiveHouse, desks: tuple[Desk, Desk]) -> None:
    for desk in desks:
        desk.held[BANK] = 500
    with house:
        settled(house)
        house.engine.hand_back("judge", BANK)
        house.go(f"{NEXT}T10:00")
        settled(house)
        house.gateway.write_log("交易服务器连接断开，原因4097")
        house.events.drain()
        house.signal(1000, side=Side.SELL, limit="4.90", protective=False)
        assert (volumes(desks[0], Direction.SHORT), volumes(desks[1], Direction.SHORT)) == ([], [500])


def test_two_accounts_cannot_share_a_gateway(tmp_path: Path, desks: tuple[Desk, Desk]) -> None:
    twice = (*ACCOUNTS, AccountSettings(name="other", style=Style.JUDGE, gateway=SECOND))
    with pytest.raises(ConfigError, match="account gateways must differ"):
        LiveHouse(tmp_path / "journal.db", f"{DAY}T10:00", desks[0], accounts=twice)
