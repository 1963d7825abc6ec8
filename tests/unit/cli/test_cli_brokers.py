"""Brokers' gateways before they are used: what is missing, in one sentence each; and how they are left."""

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from vnpy.event import EventEngine
from vnpy.trader.engine import BaseEngine, MainEngine
from vnpy.trader.gateway import BaseGateway
from vnpy.trader.utility import get_file_path

from vnpy_aiagent import brokers
from vnpy_aiagent.brokers import Front
from vnpy_aiagent.checkup import check_live
from vnpy_aiagent.config import Settings, load_settings
from vnpy_aiagent.errors import ConfigError

from .conftest import Call

CTP = {
    "用户名": "demo",
    "密码": "000000",
    "经纪商代码": "9999",
    "交易服务器": "127.0.0.1:1",
    "行情服务器": "tcp://127.0.0.1:2",
}
LIVE = {"capital_limit": 10_000, "allowlist": ["600519.SSE"], "program_trading_reported": True}


class Library:
    """A broker's API object of vnpy's gateways."""

    connect_status = False


class CtpGateway(BaseGateway):
    """In place of vnpy_ctp's: notes what is asked of it."""

    default_name = "CTP"
    exchanges: list[Any] = []  # noqa: RUF012 (the host's own attribute)
    __module__ = "vnpy_ctp.gateway.ctp_gateway"

    def __init__(self, event_engine: EventEngine, gateway_name: str) -> None:
        super().__init__(event_engine, gateway_name)
        self.td_api = Library()
        self.done: list[str] = []

    def connect(self, setting: dict[str, Any]) -> None:
        if "用户名" not in setting:
            raise KeyError("用户名")
        self.td_api.connect_status = True
        self.done.append("connect")

    def close(self) -> None:
        self.done.append("close")

    def subscribe(self, req: Any) -> None: ...

    def send_order(self, req: Any) -> str:
        return ""

    def cancel_order(self, req: Any) -> None: ...

    def query_account(self) -> None: ...

    def query_position(self) -> None: ...


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """vnpy_ctp is there, and so is the Chinese locale."""
    module = ModuleType("vnpy_ctp")
    module.CtpGateway = CtpGateway  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vnpy_ctp", module)
    monkeypatch.setattr(brokers, "has_chinese_locale", lambda: True)


@pytest.fixture
def saved() -> Iterator[Path]:
    """Where VeighNa's dialog saves CTP's connection."""
    path = get_file_path("connect_ctp.json")
    yield path
    path.unlink(missing_ok=True)


def save(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**CTP, **changes}, ensure_ascii=False), encoding="utf-8")


def live(gateway: str = "CTP", **changes: Any) -> Settings:
    account = {"name": "judge", "style": "JUDGE", "gateway": gateway}
    return load_settings(mode="LIVE", accounts=[account], live=LIVE, **changes)


@pytest.fixture
def main_engine() -> Iterator[MainEngine]:
    engine = MainEngine(EventEngine())
    yield engine
    if engine.event_engine._active:
        engine.close()


def failures(settings: Settings) -> list[str]:
    return [each.found for each in check_live(settings, online=False) if each.grade == "fail"]


def test_a_complete_saved_connection_is_ready(installed: None, saved: Path) -> None:
    save(saved)
    assert brokers.ready_connection("CTP")["密码"] == "000000", "a password of zeros is one"
    assert failures(live()) == []


def test_no_saved_connection_is_named_with_the_place_where_it_is_made(installed: None) -> None:
    assert failures(live()) == [
        "CTP has no saved connection (connect_ctp.json); connect it once in VeighNa Trader"
    ]


@pytest.mark.parametrize("empty", ["", "   "])
def test_empty_fields_of_a_connection_are_named(installed: None, saved: Path, empty: str) -> None:
    save(saved, 密码=empty, 经纪商代码=empty)
    [found] = failures(live())
    assert found.startswith("the saved connection of CTP lacks 密码, 经纪商代码; fill it in")


def test_a_broken_connection_file_is_a_sentence(installed: None, saved: Path) -> None:
    saved.write_text("{用户名", encoding="utf-8")
    [found] = failures(live())
    assert found.startswith("connect_ctp.json cannot be read (")


def test_a_missing_locale_is_refused_before_the_gateway_aborts_the_process(
    installed: None, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(saved)
    monkeypatch.setattr(brokers, "has_chinese_locale", lambda: False)
    [found] = failures(live())
    assert found.startswith("the locale zh_CN.GB18030 is missing, CTP would abort the process; run localedef")


def test_a_package_that_is_not_installed_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vnpy_ctp", None)
    assert failures(live()) == ['vnpy_ctp is not installed; run pip install "vnpy_aiagent[gateways]"']


def test_a_gateway_that_this_command_does_not_know_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match=r"gateway 'MINE' is none that this command can load; it knows CTP"):
        brokers.gateway_class("MINE")


def test_live_trading_that_was_not_reported_is_a_reason(installed: None, saved: Path) -> None:
    save(saved)
    settings = load_settings(
        mode="LIVE",
        accounts=[{"name": "judge", "style": "JUDGE", "gateway": "CTP"}],
        live={**LIVE, "program_trading_reported": False},
    )
    assert failures(settings) == ["not reported"]


def test_a_gateway_that_is_not_loaded_is_one_sentence(main_engine: MainEngine) -> None:
    with pytest.raises(ConfigError, match=r"gateway 'CTP' of an account is not loaded; loaded are none"):
        brokers.require_loaded(main_engine, ["CTP"])


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("180.168.146.187:10211", "180.168.146.187", 10211),
        ("tcp://front.broker.cn:41205", "front.broker.cn", 41205),
        ("SSL://front.broker.cn:41205", "front.broker.cn", 41205),
        ("front.broker.cn", "front.broker.cn", 0),
        ("front.broker.cn:99999", "front.broker.cn:99999", 0),
        ("", "", 0),
    ],
)
def test_addresses_of_ctp_fronts(address: str, host: str, port: int) -> None:
    [front, _] = brokers.fronts("CTP", {**CTP, "交易服务器": address})
    assert front == Front("trading", host, port)


def test_a_front_behind_a_proxy_is_not_asked() -> None:
    found = [*brokers.fronts("CTP", {**CTP, "交易服务器": "socks5://10.0.0.1:1080/front:41205"})]
    assert [front.what for front in found] == ["quotes"]


def test_fronts_of_xtp_have_their_ports_apart() -> None:
    setting = {"交易地址": "10.0.0.1", "交易端口": 6001, "行情地址": "10.0.0.2", "行情端口": 0}
    assert [*brokers.fronts("XTP", setting)] == [
        Front("trading", "10.0.0.1", 6001),
        Front("quotes", "10.0.0.2", 0),
    ]


def test_a_port_that_is_open_a_port_that_is_closed_and_an_address_that_is_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert brokers.unreachable(Front("trading", "127.0.0.1", port)) is None
    assert brokers.unreachable(Front("trading", "127.0.0.1", port))
    assert brokers.unreachable(Front("trading", "nonsense", 0)) == "'nonsense' is no address with a port"


def test_gateways_are_loaded_connected_and_left(
    installed: None, saved: Path, main_engine: MainEngine
) -> None:
    save(saved)
    connections = brokers.add_gateways(main_engine, ["CTP"])
    brokers.connect(main_engine, connections)
    gateway: Any = main_engine.get_gateway("CTP")
    assert gateway.done == ["connect"]
    closed: list[str] = []

    class Ours(BaseEngine):
        def __init__(self, main: MainEngine, events: EventEngine) -> None:
            super().__init__(main, events, "ours")

        def close(self) -> None:
            closed.append("ours")

    main_engine.add_engine(Ours)
    assert brokers.leave(main_engine), "a library is connected: the process is to be ended at once"
    assert (gateway.done, closed) == (["connect"], ["ours"]), "its close could stand still for ever"


def test_a_gateway_that_was_never_connected_is_closed_as_any(
    installed: None, main_engine: MainEngine
) -> None:
    gateway: Any = main_engine.add_gateway(CtpGateway)
    assert not brokers.leave(main_engine)
    assert gateway.done == ["close"]


def test_a_gateway_that_does_not_take_its_settings_is_one_sentence(
    installed: None, main_engine: MainEngine
) -> None:
    main_engine.add_gateway(CtpGateway)
    with pytest.raises(ConfigError, match=r"CTP did not connect \(KeyError: '用户名'\)"):
        brokers.connect(main_engine, {"CTP": {}})


def test_run_in_live_mode_says_all_that_is_missing(call: Call, tmp_path: Path, installed: None) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        "mode: LIVE\nuniverse: [600519.SSE]\nlive: {capital_limit: 10000, allowlist: [600519.SSE]}\n"
        "accounts: [{name: judge, style: JUDGE, gateway: CTP}]\n",
        encoding="utf-8",
    )
    refusal = call("run", "--headless", "--config", config).refusal
    assert "not ready for mode LIVE: program trading: not reported" in refusal
    assert "CTP has no saved connection" in refusal


def test_only_the_quotes_gateway_is_connected_on_paper() -> None:
    account = {"name": "judge", "style": "JUDGE", "gateway": "CTP"}
    assert brokers.gateways_needed(load_settings(mode="PAPER", accounts=[account])) == []
    assert brokers.gateways_needed(load_settings(mode="PAPER", quote_gateway="XTP")) == ["XTP"]
    assert brokers.gateways_needed(live(quote_gateway="XTP")) == ["XTP", "CTP"]
