"""A risk manager's word and a paper account's grip on vnpy's send_order, with stand-ins for both apps.

tests/slow/test_other_apps.py drives vnpy_riskmanager and vnpy_paperaccount themselves.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType
from vnpy.trader.engine import BaseEngine, MainEngine
from vnpy.trader.object import OrderRequest

from vnpy_aiagent.config import AccountSettings
from vnpy_aiagent.domain import Mode, Route, Style, Text
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.other_apps import (
    overhearing,
    require_real_orders,
    send_through_host,
    size_limits,
    small_limits,
)
from vnpy_aiagent.sim.event_engine import DeterministicEventEngine

from .broker_gateway import BrokerGateway
from .small_house import BANK, SmallHouse

DAY = "2025-07-10"


class RiskManager(BaseEngine):
    """Refuses orders over a volume, and says so in its own log, as vnpy_riskmanager does."""

    def __init__(self, main_engine: MainEngine, event_engine: Any) -> None:
        super().__init__(main_engine, event_engine, "RiskManager")
        self.setting: dict[str, Any] = {}
        self.log: list[str] = []
        self._send_order = main_engine.send_order
        main_engine.send_order = self.send_order  # type: ignore[method-assign]

    def send_order(self, req: OrderRequest, gateway_name: str) -> str:
        limit = self.setting.get("委托规模检查", {}).get("order_volume_limit", 500)
        if req.volume > limit:
            self.write_log(f"委托数量{req.volume}超过上限{limit}：{req}")
            return ""
        return self._send_order(req, gateway_name)

    def write_log(self, msg: str) -> None:
        self.log.append(msg)


class PaperAccount(BaseEngine):
    """Takes every order itself, as vnpy_paperaccount does."""

    def __init__(self, main_engine: MainEngine, event_engine: Any) -> None:
        super().__init__(main_engine, event_engine, "PaperAccount")
        self.taken: list[OrderRequest] = []
        main_engine.send_order = self.send_order  # type: ignore[method-assign]
        main_engine.subscribe = lambda req, gateway_name: None  # type: ignore[method-assign]

    def send_order(self, req: OrderRequest, gateway_name: str) -> str:
        self.taken.append(req)
        return f"PAPER.{len(self.taken)}"


@pytest.fixture
def main() -> Iterator[Any]:
    host: Any = MainEngine(DeterministicEventEngine())
    host.add_gateway(BrokerGateway)
    yield host
    host.close()


def order(volume: float) -> OrderRequest:
    return OrderRequest("601988", Exchange.SSE, Direction.LONG, OrderType.LIMIT, volume, 5.0, Offset.OPEN)


def test_an_order_that_the_risk_manager_refuses_comes_back_with_its_words(main: Any) -> None:
    manager = main.add_engine(RiskManager)
    reason = send_through_host(main, order(600), "BROKER")
    assert isinstance(reason, Text)
    assert "vnpy_riskmanager" in str(reason)
    assert "委托数量600超过上限500；" in str(reason)
    assert "OrderRequest" not in str(reason)
    assert main.gateways["BROKER"].orders == []
    assert len(manager.log) == 1
    assert "write_log" not in vars(manager)
    assert send_through_host(main, order(500), "BROKER") == "BROKER.1"


def test_a_gateway_that_takes_nothing_is_not_laid_at_the_risk_managers_door(main: Any) -> None:
    main.add_engine(RiskManager)
    main.gateways["BROKER"].send_order = lambda req: ""
    assert send_through_host(main, order(100), "BROKER") == ""


def test_listening_ends_where_sending_raises_and_leaves_an_own_method_in_place(main: Any) -> None:
    manager = main.add_engine(RiskManager)
    own = manager.write_log
    manager.write_log = own
    with pytest.raises(OSError, match="down"), overhearing(main):
        raise OSError("down")
    assert manager.write_log is own


def test_with_a_paper_account_no_real_order_is_tried(main: Any) -> None:
    paper = main.add_engine(PaperAccount)
    reason = send_through_host(main, order(100), "BROKER")
    assert "vnpy_paperaccount" in str(reason)
    assert (paper.taken, main.gateways["BROKER"].orders) == ([], [])


def test_an_order_that_some_other_app_sent_elsewhere_is_of_open_fate(main: Any) -> None:
    main.send_order = lambda req, gateway_name: "ELSEWHERE.1"
    with pytest.raises(ConfigError, match=r"another app took the order for BROKER, as ELSEWHERE\.1"):
        send_through_host(main, order(100), "BROKER")


def test_live_does_not_start_beside_a_paper_account_and_paper_does(main: Any) -> None:
    require_real_orders(main, Mode.LIVE)
    main.add_engine(PaperAccount)
    require_real_orders(main, Mode.PAPER)
    with pytest.raises(ConfigError, match="vnpy_paperaccount is loaded and takes every order"):
        require_real_orders(main, Mode.LIVE)


@pytest.mark.parametrize(
    ("setting", "limits"),
    [
        ({}, (500, 1_000_000.0)),
        ({"委托规模检查": {"order_volume_limit": 20_000, "order_value_limit": 5e6}}, (20_000, 5e6)),
        ({"委托规模检查": {"active": False}}, None),
    ],
)
def test_the_risk_managers_limits_are_read_from_its_settings(setting: Any, limits: Any) -> None:
    assert size_limits(setting) == limits


def test_small_limits_of_the_risk_manager_are_warned_of(main: Any) -> None:
    assert small_limits(main) is None
    manager = main.add_engine(RiskManager)
    assert "500" in str(small_limits(main))
    manager.setting = {"委托规模检查": {"order_volume_limit": 1_000_000}}
    assert small_limits(main) is None


@pytest.mark.parametrize("early", [True, False], ids=["loaded first", "loaded after the start"])
@pytest.mark.parametrize("app", [RiskManager, PaperAccount])
def test_a_paper_account_of_this_app_trades_whatever_they_did_to_send_order(
    tmp_path: Path, app: type[BaseEngine], early: bool
) -> None:
    house = SmallHouse(tmp_path / "journal.db", f"{DAY}T10:00")
    if early:
        house.main.add_engine(app)
    with house:
        if not early:
            house.main.add_engine(app)
        house.buy(1000)
        assert house.held == {BANK: 1000}
        assert getattr(house.main.engines.get("PaperAccount"), "taken", []) == []


def test_limits_that_stop_strategies_orders_are_told_at_the_start_of_a_cta_account(tmp_path: Path) -> None:
    account = AccountSettings(name="judge", style=Style.JUDGE, route=Route.CTA)
    house = SmallHouse(tmp_path / "journal.db", f"{DAY}T10:00", accounts=(account,))
    house.main.add_engine(RiskManager)
    with house:
        assert [text for text in house.engine.alerts if "vnpy_riskmanager" in text and "500" in text]


def test_ticks_that_the_paper_account_put_its_name_on_are_used(tmp_path: Path) -> None:
    house = SmallHouse(tmp_path / "journal.db", f"{DAY}T10:00", quote_gateway="BROKER")
    with house:
        house.tick(5.0, gateway="PAPER")
        assert BANK not in house.engine.house.portfolio.quotes.last_prices
        house.main.add_engine(PaperAccount)
        house.tick(5.0, gateway="PAPER")
        assert house.engine.house.portfolio.quotes.last_prices[BANK] == 5
