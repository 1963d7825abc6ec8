"""`python run_vnpy.py` with a broker's gateway: what is missing is said, and the end does not wait for it."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from vnpy.event import EventEngine
from vnpy.trader import datafeed
from vnpy.trader import ui as vnpy_ui
from vnpy.trader.gateway import BaseGateway
from vnpy.trader.setting import SETTINGS

from vnpy_aiagent import brokers
from vnpy_aiagent.errors import ConfigError


class Library:
    """A broker's API object of vnpy's gateways."""

    connect_status = True


class CtpGateway(BaseGateway):
    """In place of vnpy_ctp's, connected; its close would never return."""

    default_name = "CTP"
    exchanges: list[Any] = []  # noqa: RUF012 (the host's own attribute)
    __module__ = "vnpy_ctp.gateway.ctp_gateway"

    def __init__(self, event_engine: EventEngine, gateway_name: str) -> None:
        super().__init__(event_engine, gateway_name)
        self.td_api = Library()

    def connect(self, setting: dict[str, Any]) -> None: ...

    def close(self) -> None:
        raise AssertionError("a connected library is not closed")

    def subscribe(self, req: Any) -> None: ...

    def send_order(self, req: Any) -> str:
        return ""

    def cancel_order(self, req: Any) -> None: ...

    def query_account(self) -> None: ...

    def query_position(self) -> None: ...


@pytest.fixture
def script(repo_root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """run_vnpy.py as a module, where vnpy_ctp is installed."""
    monkeypatch.setitem(SETTINGS, "datafeed.name", "")
    monkeypatch.setitem(SETTINGS, "database.timezone", "UTC")
    monkeypatch.setattr(datafeed, "datafeed", None)
    module = ModuleType("vnpy_ctp")
    module.CtpGateway = CtpGateway  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vnpy_ctp", module)
    spec = importlib.util.spec_from_file_location("run_vnpy", repo_root / "run_vnpy.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Statuses with which the process would have ended at once."""
    found: list[int] = []
    monkeypatch.setattr(brokers, "end_process", found.append)
    return found


def test_without_a_screen_a_gateway_that_cannot_be_connected_is_one_sentence(
    script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ends: list[int]
) -> None:
    (tmp_path / "config.yaml").write_text("quote_gateway: CTP\n", encoding="utf-8")
    monkeypatch.setattr("vnpy_aiagent.places.default_config", lambda: tmp_path / "config.yaml")
    monkeypatch.setattr(brokers, "has_chinese_locale", lambda: True)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(ConfigError, match=r"CTP has no saved connection \(connect_ctp\.json\)"):
        script.run_headless()
    assert ends == [], "a refusal is an ordinary end: nothing was connected by us"


def test_the_windows_end_does_not_wait_for_the_brokers_library(
    script: Any, monkeypatch: pytest.MonkeyPatch, ends: list[int]
) -> None:
    closing: list[Any] = []

    class Window:
        def __init__(self, main_engine: Any, event_engine: EventEngine) -> None:
            closing.append(main_engine)

        def showMaximized(self) -> None:
            pass

    class Application:
        def exec(self) -> int:
            closing[0].close()  # as the window does when it is closed
            return 0

    monkeypatch.setattr(vnpy_ui, "MainWindow", Window)
    monkeypatch.setattr(vnpy_ui, "create_qapp", Application)
    assert script.run_window() == 0
    assert ends == [0]
    assert not closing[0].event_engine._active


def test_a_missing_locale_is_told_where_such_a_gateway_is_loaded(
    script: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Engine:
        def add_gateway(self, *_: object) -> None: ...

    monkeypatch.setattr(brokers, "has_chinese_locale", lambda: False)
    script.add_gateways(Engine())
    told = [line for line in capsys.readouterr().out.splitlines() if "GB18030" in line]
    assert len(told) == 1
    assert "连接 CTP" in told[0]
