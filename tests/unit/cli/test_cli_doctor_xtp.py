"""`aiagent doctor` for XTP: servers whose addresses and ports are saved apart are tried one by one."""

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from vnpy.trader.gateway import BaseGateway
from vnpy.trader.utility import get_file_path

from .conftest import Call

ADVICE = "check the address in the saved connection, the network, and whether the broker is open now"


class XtpGateway(BaseGateway):
    """In place of vnpy_xtp's: the doctor loads the class and makes none of it."""

    default_name = "XTP"


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """vnpy_xtp is there; a Chinese locale, which it does not need, is not."""
    module = ModuleType("vnpy_xtp")
    module.XtpGateway = XtpGateway  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vnpy_xtp", module)
    monkeypatch.setattr("vnpy_aiagent.brokers.has_chinese_locale", lambda: False)


@pytest.fixture
def open_port() -> Iterator[int]:
    """A port on this machine that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port on this machine that is taken, and at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield probe.getsockname()[1]


@pytest.fixture
def saved() -> Iterator[Path]:
    """Where VeighNa's dialog saves XTP's connection."""
    path = get_file_path("connect_xtp.json")
    yield path
    path.unlink(missing_ok=True)


def save(path: Path, trading: int, quotes: int, **changes: Any) -> None:
    connection: dict[str, Any] = {
        "账号": "demo",
        "密码": "000000",
        "客户号": 1,
        "行情地址": "127.0.0.1",
        "行情端口": quotes,
        "交易地址": "127.0.0.1",
        "交易端口": trading,
        "行情协议": "TCP",
        "日志级别": "INFO",
        "授权码": "demo",
    }
    path.write_text(json.dumps(connection | changes, ensure_ascii=False), encoding="utf-8")


def findings(call: Call, folder: Path, mode: str, *options: str) -> dict[str, list[dict[str, str]]]:
    """What the doctor finds of gateways and their servers."""
    config = folder / "config.yaml"
    config.write_text(
        f"store: {{journal: '{(folder / 'journal.db').as_posix()}'}}\nmode: {mode}\nuniverse: [600519.SSE]\n"
        "live: {capital_limit: 10000, allowlist: [600519.SSE], program_trading_reported: true}\n"
        "accounts: [{name: judge, style: JUDGE, gateway: XTP}]\n",
        encoding="utf-8",
    )
    answer = json.loads(call("doctor", "--config", config, "--json", *options).out)
    return {name: [f for f in answer["findings"] if f["check"] == name] for name in ("gateway", "front")}


@pytest.mark.parametrize(("mode", "grade"), [("LIVE", "fail"), ("PAPER", "warn")])
def test_closed_ports_are_one_sentence_each(
    call: Call, tmp_path: Path, saved: Path, closed_port: int, mode: str, grade: str
) -> None:
    save(saved, trading=closed_port, quotes=closed_port)
    found = findings(call, tmp_path, mode)
    assert [each["found"] for each in found["gateway"]] == ["XTP: loaded, connection saved"]
    assert len(found["front"]) == 2
    for what, front in zip(("trading", "quotes"), found["front"], strict=True):
        assert front["found"].startswith(f"XTP {what} server 127.0.0.1:{closed_port} does not answer (")
        assert (front["grade"], front["advice"]) == (grade, ADVICE)


def test_an_open_and_a_closed_port_are_told_apart(
    call: Call, tmp_path: Path, saved: Path, open_port: int, closed_port: int
) -> None:
    save(saved, trading=open_port, quotes=closed_port)
    trading, quotes = findings(call, tmp_path, "LIVE")["front"]
    assert (trading["grade"], trading["found"]) == (
        "ok",
        f"XTP trading server 127.0.0.1:{open_port} takes connections",
    )
    assert (quotes["grade"], "does not answer" in quotes["found"]) == ("fail", True)


def test_a_port_that_cannot_be_one_is_named(call: Call, tmp_path: Path, saved: Path, open_port: int) -> None:
    save(saved, trading=70_000, quotes=open_port)
    trading, _ = findings(call, tmp_path, "LIVE")["front"]
    assert trading["grade"] == "fail"
    assert "'127.0.0.1' is no address with a port" in trading["found"]


def test_a_port_of_nought_is_one_that_was_not_filled_in(
    call: Call, tmp_path: Path, saved: Path, open_port: int
) -> None:
    save(saved, trading=0, quotes=open_port)
    found = findings(call, tmp_path, "LIVE")
    [gateway] = found["gateway"]
    assert gateway["found"].startswith("the saved connection of XTP lacks 交易端口; fill it in")
    assert found["front"] == []


def test_offline_no_server_is_tried(call: Call, tmp_path: Path, saved: Path, closed_port: int) -> None:
    save(saved, trading=closed_port, quotes=closed_port)
    assert findings(call, tmp_path, "LIVE", "--no-online")["front"] == []
