"""vnpy_riskmanager and vnpy_paperaccount themselves, loaded in either order and before or after the start."""

import os
from collections.abc import Callable
from importlib import import_module
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType, Product
from vnpy.trader.object import ContractData, OrderRequest
from vnpy.trader.utility import TEMP_DIR
from vnpy_ctastrategy import CtaStrategyApp

from tests.unit.engine.broker_gateway import BrokerGateway
from tests.unit.engine.live_house import Desk, LiveHouse
from tests.unit.engine.small_house import BANK, SmallHouse
from vnpy_aiagent.config import AccountSettings
from vnpy_aiagent.cta import AiAgentStrategy
from vnpy_aiagent.domain import Mode, Route, Style, Text, Withheld
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.other_apps import (
    PAPER_ACCOUNT,
    RISK_MANAGER,
    SIZE_DEFAULTS,
    SIZE_RULE,
    require_real_orders,
    send_through_host,
    small_limits,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.environ.get("AIAGENT_TEST_COEXIST") != "1",
        reason="set AIAGENT_TEST_COEXIST=1 and pip install vnpy_riskmanager==2.0.0 vnpy_paperaccount==1.0.6 "
        "importlib_metadata (the first builds from source)",
    ),
]
DAY = "2025-07-10"
CTA_ACCOUNT = AccountSettings(name="judge", style=Style.JUDGE, route=Route.CTA)
ORDERS = list(permutations(("risk", "paper", "start")))
NAMES = {"risk": ("vnpy_riskmanager", "RiskManagerApp"), "paper": ("vnpy_paperaccount", "PaperAccountApp")}
SETTINGS = ("risk_manager_setting.json", "paper_account_setting.json", "paper_account_data.json")


@pytest.fixture(autouse=True)
def own_settings() -> Any:
    """Neither app remembers another test."""
    yield
    for name in SETTINGS:
        TEMP_DIR.joinpath(name).unlink(missing_ok=True)


def load(house: SmallHouse, *apps: str) -> None:
    for app in apps:
        module, name = NAMES[app]
        house.main.add_app(getattr(import_module(module), name))
    house.events.drain()


def in_order(house: SmallHouse, steps: tuple[str, ...]) -> None:
    """Load the apps and start the engine as told; a house used as a context manager is left to its end."""
    for step in steps:
        if step == "start":
            house.__enter__()
        else:
            load(house, step)


def order(volume: float) -> OrderRequest:
    return OrderRequest("601988", Exchange.SSE, Direction.LONG, OrderType.LIMIT, volume, 5.0, Offset.OPEN)


def house_of(tmp_path: Path, **settings: Any) -> SmallHouse:
    return SmallHouse(tmp_path / "journal.db", f"{DAY}T10:00", **settings)


@pytest.mark.parametrize("steps", ORDERS, ids=" ".join)
def test_on_paper_the_app_trades_on_its_simulated_exchange(tmp_path: Path, steps: tuple[str, ...]) -> None:
    house = house_of(tmp_path)
    gateway: Any = house.main.add_gateway(BrokerGateway)
    try:
        in_order(house, steps)
        house.buy(1000)
        assert house.held == {BANK: 1000}
        assert house.main.send_order(order(100), "BROKER") != "BROKER.1"
        house.events.drain()
        assert gateway.orders == []
        assert house.engine.bus.failures == 0
    finally:
        house.__exit__()


@pytest.mark.parametrize("steps", ORDERS, ids=" ".join)
def test_on_paper_a_cta_accounts_order_is_withheld_and_never_swallowed(
    tmp_path: Path, steps: tuple[str, ...]
) -> None:
    house = house_of(tmp_path, accounts=(CTA_ACCOUNT,))
    try:
        in_order(house, steps)
        run_strategy(house)
        house.buy(1000)
        assert house.held == {}
        reason = str(house.said(Withheld)[-1].reason)
        assert "属于接口 PAPER" in reason or "vnpy_paperaccount" in reason
        assert not house.main.get_engine("PaperAccount").active_orders  # type: ignore[union-attr]
    finally:
        house.__exit__()


def run_strategy(house: SmallHouse) -> None:
    cta: Any = house.main.add_app(CtaStrategyApp)
    cta.register_event()
    cta.classes["AiAgentStrategy"] = AiAgentStrategy
    house.events.drain()
    cta.add_strategy("AiAgentStrategy", "one", BANK, {"account": "judge"})
    cta._init_strategy("one")
    cta.start_strategy("one")
    house.events.drain()


@pytest.mark.parametrize("steps", [("risk", "start"), ("start", "risk")], ids=" ".join)
def test_on_paper_the_risk_manager_holds_for_a_cta_account_and_its_words_are_the_reason(
    tmp_path: Path, steps: tuple[str, ...]
) -> None:
    house = house_of(tmp_path, accounts=(CTA_ACCOUNT,))
    try:
        in_order(house, steps)
        run_strategy(house)
        house.buy(1000)
        assert house.held == {}
        reason = str(house.said(Withheld)[-1].reason)
        assert "vnpy_riskmanager" in reason
        assert "委托数量1000超过上限500；" in reason
        assert [slip.reason for slip in house.engine.slips()]
        house.buy(500)
        assert house.held == {BANK: 500}
    finally:
        house.__exit__()


def through(house: SmallHouse, volume: float) -> str | Text:
    house.main.add_gateway(BrokerGateway)
    house.main.gateways["BROKER"].connect({})
    house.events.drain()
    return send_through_host(house.main, order(volume), "BROKER")


@pytest.mark.parametrize(
    ("change", "volume", "words"),
    [
        (lambda rules: None, 600, "委托数量600超过上限500；"),
        (lambda rules: None, 50, "委托数量50小于合约委托数量下限100；"),
        (
            lambda rules: setattr(rules["活动委托检查"], "active_order_limit", 0),
            100,
            "活动委托数量0达到上限0；",
        ),
        (
            lambda rules: setattr(rules["重复报单检查"], "duplicate_order_limit", 1),
            100,
            "重复报单笔数1达到上限1；",
        ),
    ],
)
def test_a_real_order_that_a_rule_refuses_comes_back_with_the_rules_words(
    tmp_path: Path, change: Callable[[Any], None], volume: float, words: str
) -> None:
    house = house_of(tmp_path)
    load(house, "risk")
    change(house.main.get_engine(RISK_MANAGER).rules)  # type: ignore[union-attr]
    reason = through(house, volume)
    assert isinstance(reason, Text)
    assert words in str(reason)
    assert house.main.gateways["BROKER"].orders == []  # type: ignore[attr-defined]
    house.main.close()


def test_a_real_order_within_the_limits_goes_out(tmp_path: Path) -> None:
    house = house_of(tmp_path)
    load(house, "risk")
    assert through(house, 300) == "BROKER.1"
    house.main.close()


@pytest.mark.parametrize("steps", [("risk", "paper"), ("paper", "risk"), ("paper",)], ids=" ".join)
def test_a_real_order_is_never_given_to_the_paper_account(tmp_path: Path, steps: tuple[str, ...]) -> None:
    house = house_of(tmp_path)
    load(house, *steps)
    assert "vnpy_paperaccount" in str(through(house, 300))
    assert house.main.gateways["BROKER"].orders == []  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="vnpy_paperaccount is loaded"):
        require_real_orders(house.main, Mode.LIVE)
    house.main.close()


def test_what_this_app_knows_of_the_two_is_so(tmp_path: Path) -> None:
    house = house_of(tmp_path)
    load(house, "risk", "paper")
    assert {RISK_MANAGER, PAPER_ACCOUNT} <= set(house.main.engines)
    rule = house.main.get_engine(RISK_MANAGER).rules[SIZE_RULE]  # type: ignore[union-attr]
    assert rule.get_data()["parameters"] == SIZE_DEFAULTS
    assert "500" in str(small_limits(house.main))
    house.main.close()


@pytest.mark.parametrize("steps", ORDERS, ids=" ".join)
def test_quotes_of_the_set_gateway_are_asked_for_and_used(tmp_path: Path, steps: tuple[str, ...]) -> None:
    house = house_of(tmp_path, quote_gateway="BROKER")
    house.main.add_gateway(BrokerGateway)
    try:
        in_order(house, steps)
        house.tick(5.0, gateway="BROKER")
        assert house.engine.house.portfolio.quotes.last_prices[BANK] == 5
    finally:
        house.__exit__()


@pytest.mark.parametrize("steps", [("risk", "start"), ("start", "risk")], ids=" ".join)
def test_in_live_mode_a_rules_refusal_is_withheld_with_a_slip_and_an_order_within_the_limits_goes_out(
    tmp_path: Path, steps: tuple[str, ...]
) -> None:
    house = LiveHouse(tmp_path / "journal.db", f"{DAY}T10:00", Desk())
    try:
        in_order(house, steps)
        house.gateway.on_contract(contract())
        house.settle()
        house.quote()
        house.signal(1000)
        assert "委托数量1000超过上限500；" in str(house.said(Withheld)[-1].reason)
        assert [slip.volume for slip in house.engine.slips()] == [1000]
        house.signal(500)
        assert [request.volume for request in house.desk.requests] == [500]
        house.fill("b1", 500)
        assert house.held == {BANK: 500}
    finally:
        house.__exit__()


@pytest.mark.parametrize("steps", [("paper",), ("risk", "paper"), ("paper", "risk")], ids=" ".join)
def test_in_live_mode_the_paper_account_stops_the_start_or_every_order(
    tmp_path: Path, steps: tuple[str, ...]
) -> None:
    before = LiveHouse(tmp_path / "before.db", f"{DAY}T10:00", Desk())
    load(before, *steps)
    with pytest.raises(ConfigError, match="vnpy_paperaccount is loaded"):
        before.engine.start()
    before.__exit__()
    after = LiveHouse(tmp_path / "after.db", f"{DAY}T10:00", Desk())
    with after:
        load(after, *steps)
        after.settle()
        after.quote()
        after.signal(300)
        assert "vnpy_paperaccount" in str(after.said(Withheld)[-1].reason)
        assert after.desk.requests == []


def contract() -> ContractData:
    return ContractData("BROKER", "601988", Exchange.SSE, "中国银行", Product.EQUITY, 1, 0.01, min_volume=100)
