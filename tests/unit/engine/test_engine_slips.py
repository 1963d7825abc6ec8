"""Orders that cannot be sent become slips for a human; a dry run sends nothing at all."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from vnpy.trader.setting import SETTINGS

from vnpy_aiagent.config import AccountSettings
from vnpy_aiagent.domain import Alert, Fill, HandlerFailed, ManualSlip, Severity, Side, Style
from vnpy_aiagent.errors import ConfigError

from .small_house import BANK, STAR, SmallHouse

OPEN = "2025-03-03 10:00:00"
GONE = {"accounts": (AccountSettings(name="judge", style=Style.JUDGE, gateway="XTP"),)}
"""An account whose gateway is not loaded."""


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def house(journal: Path) -> Iterator[SmallHouse]:
    with SmallHouse(journal, OPEN, (BANK, STAR)) as house:
        yield house


def test_without_its_gateway_an_order_becomes_a_slip_and_an_alert(journal: Path) -> None:
    with SmallHouse(journal, OPEN, **GONE) as house:
        house.buy(1000)
        [slip] = house.engine.slips()
        assert (slip.account, slip.symbol, slip.side, slip.volume) == ("judge", BANK, Side.BUY, 1000)
        assert (slip.price, slip.gateway) == (Decimal("5.05"), "XTP")
        assert str(slip.reason) == "接口 XTP 未接受委托"
        critical = [str(a.text) for a in house.said(Alert) if a.severity is Severity.CRITICAL]
        assert [text for text in critical if "请人工处理：judge 买入 601988.SSE 1000 股，限价 5.05" in text]
        assert house.held == {}
        assert house.said(HandlerFailed) == []


def test_a_gateway_that_raises_makes_a_slip_that_says_to_look_first(
    house: SmallHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = house.main.gateways["SIM-JUDGE"]

    def fail(_: object) -> str:
        raise OSError("line is down")

    monkeypatch.setattr(gateway, "send_order", fail)
    house.buy(1000)
    [slip] = house.engine.slips()
    assert "请先在柜台核对" in str(slip.reason)
    assert slip.cause in {intent.cause for intent in house.said(ManualSlip)}


def test_slips_are_todays_and_survive_a_restart(journal: Path) -> None:
    with SmallHouse(journal, OPEN, **GONE) as house:
        house.buy(1000)
        house.buy(500)
        first = [slip.volume for slip in house.engine.slips()]
    with SmallHouse(journal, "2025-03-03 14:00:00", **GONE) as house:
        assert [slip.volume for slip in house.engine.slips()] == first == [1000, 500]
        shown: Any = house.engine.status()["slips"]
        assert [each["volume"] for each in shown] == [1000, 500]
        house.clock.moment = house.clock.moment.replace(day=4)
        assert house.engine.slips() == []


def test_the_same_order_tried_again_stands_there_once(journal: Path) -> None:
    with SmallHouse(journal, OPEN, **GONE) as house:
        house.buy(1000)
        house.buy(1000)
        assert len(house.said(ManualSlip)) == 2
        assert house.engine.slips() == house.said(ManualSlip)[-1:]


def test_a_slip_goes_to_vnpys_notification_where_one_is_set_up(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[tuple[str, str]] = []
    with SmallHouse(journal, OPEN, **GONE) as house:
        monkeypatch.setattr(house.main, "send_notification", lambda *note: notes.append(note))
        house.buy(500)
        assert notes == []  # vnpy would only log that it has no mailbox
        monkeypatch.setitem(SETTINGS, "email.receiver", "me@example.com")
        house.buy(1000)
    [(text, subject)] = notes
    assert subject == "AiAgent"
    assert "601988.SSE 1000" in text


def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(house: SmallHouse) -> None:
    house.quote()
    before = house.engine.parts.writer.head.seq
    ticket = house.engine.dry_run_ticket("judge", BANK)
    assert (ticket.account, ticket.symbol, ticket.side, ticket.volume) == ("judge", BANK, Side.BUY, 100)
    assert (ticket.price, ticket.stop, ticket.gateway) == (Decimal("5.01"), Decimal("4.60"), "SIM-JUDGE")
    assert ticket.fees == Decimal("5.01")  # 5 CNY at least, and the transfer fee of 501 CNY
    assert ticket.cash == Decimal("506.01")
    lines = {line.rule: line for line in ticket.lines}
    assert {"cash", "position_weight", "trading_state", "external_position"} <= set(lines)
    assert not ticket.passed  # NoBars: nothing is known of its liquidity
    assert not lines["liquidity"].passed
    assert all(line.passed for name, line in lines.items() if name != "liquidity")
    house.events.drain()
    assert house.engine.parts.writer.head.seq == before
    assert house.held == {}
    assert house.said(Fill) == []


def test_the_lot_of_the_star_market_is_200(house: SmallHouse) -> None:
    house.quote(symbol=STAR)
    assert house.engine.dry_run_ticket("judge", STAR).volume == 200


def test_a_dry_run_needs_a_known_account_a_symbol_and_a_quote(house: SmallHouse) -> None:
    for account, symbol, what in (
        ("nobody", BANK, "accounts: judge"),
        ("judge", "600519.SSE", "not in the universe"),
        ("judge", BANK, "no quote today"),
    ):
        with pytest.raises(ConfigError, match=what):
            house.engine.dry_run_ticket(account, symbol)
