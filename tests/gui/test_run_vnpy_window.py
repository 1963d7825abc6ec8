"""What `run_vnpy.py` builds opens in VeighNa Trader's own main window: every menu entry and app window."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shiboken6 import delete
from vnpy.trader import datafeed
from vnpy.trader.setting import SETTINGS
from vnpy.trader.ui.mainwindow import MainWindow

from vnpy_aiagent.base import APP_NAME


@pytest.fixture
def host(qapp: Any, repo_root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    """The main window over everything that the script loads."""
    monkeypatch.setitem(SETTINGS, "datafeed.name", "")
    monkeypatch.setattr(datafeed, "datafeed", None)
    spec = importlib.util.spec_from_file_location("run_vnpy", repo_root / "run_vnpy.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    main_engine, _ = script.build()
    window = MainWindow(main_engine, main_engine.event_engine)
    yield window
    main_engine.close()
    delete(window)  # after the event thread, which its tables listen to


def test_the_menus_offer_every_gateway_and_app(host: MainWindow) -> None:
    entries = [action.text() for menu in host.menuBar().actions()[:2] for action in menu.menu().actions()]
    for name in ("QUOTE", "SIM-JUDGE"):
        assert f"连接{name}" in entries or f"Connect {name}" in entries, entries
    assert {app.display_name for app in host.main_engine.get_all_apps()} <= set(entries)
    assert {app.app_name for app in host.main_engine.get_all_apps()} >= {"DataManager", APP_NAME}
