"""What must be so before mode LIVE starts."""

from decimal import Decimal
from pathlib import Path

import pytest

from vnpy_aiagent.config import AccountSettings, load_settings
from vnpy_aiagent.domain import Mode, Style
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.sim.gateway import SimGateway
from vnpy_aiagent.wiring import journal_target

from .live_house import BANK, BROKER, Desk, LiveHouse
from .small_house import SmallHouse

MOMENT = "2025-07-10T10:00"


def test_a_gateway_that_is_not_loaded_is_named(tmp_path: Path) -> None:
    house = LiveHouse(tmp_path / "journal.db", MOMENT, Desk())
    del house.main.gateways[BROKER]
    with pytest.raises(ConfigError, match="gateway BROKER of account judge is not loaded"), house:
        pass
    house.main.close()


def test_a_simulated_gateway_is_none_for_real_orders(tmp_path: Path) -> None:
    house = LiveHouse(tmp_path / "journal.db", MOMENT, Desk())
    house.main.gateways[BROKER] = SimGateway(house.events, BROKER)
    with pytest.raises(ConfigError, match="is simulated; use mode PAPER"), house:
        pass
    house.main.close()


def test_an_account_without_a_gateway_is_named(tmp_path: Path) -> None:
    accounts = (AccountSettings(name="judge", style=Style.JUDGE),)
    house = LiveHouse(tmp_path / "journal.db", MOMENT, Desk(), accounts=accounts)
    with pytest.raises(ConfigError, match="mode LIVE needs a gateway for account judge"), house:
        pass
    house.main.close()


def test_paper_and_real_money_do_not_share_a_journal(tmp_path: Path) -> None:
    with SmallHouse(tmp_path / "journal.db", MOMENT):
        pass
    house = LiveHouse(tmp_path / "journal.db", MOMENT, Desk())
    with pytest.raises(ConfigError, match="holds account judge of mode PAPER; set `store"), house:
        pass
    house.main.close()
    with LiveHouse(tmp_path / "live.db", MOMENT, Desk()) as live:
        live.settle()
    paper = SmallHouse(tmp_path / "live.db", MOMENT)
    with pytest.raises(ConfigError, match="holds account judge of mode LIVE"), paper:
        pass
    paper.main.close()


def test_by_default_real_money_has_a_journal_of_its_own() -> None:
    live = {"capital_limit": Decimal(1), "allowlist": (BANK,)}
    paper, real = load_settings(mode=Mode.PAPER), load_settings(mode=Mode.LIVE, live=live)
    assert Path(journal_target(paper)).name == "journal.db"
    assert Path(journal_target(real)).name == "journal-live.db"
