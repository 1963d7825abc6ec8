"""The window inside VeighNa Trader's own main window, over a paper engine with the offline analyst."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from shiboken6 import delete
from vnpy.event import EventEngine
from vnpy.trader.engine import MainEngine
from vnpy.trader.ui.mainwindow import MainWindow

from vnpy_aiagent.app import AiAgentApp
from vnpy_aiagent.base import APP_NAME
from vnpy_aiagent.ui import AiAgentManager
from vnpy_aiagent.ui.confirm import ConfirmDialog
from vnpy_aiagent.wiring import app_folder

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def host(qapp: Any) -> Iterator[MainWindow]:
    """The host's window over a main engine with the app, and a settings file of its own."""
    folder: Path = app_folder()
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "config.yaml").write_text("mode: PAPER\nlanguage: zh\n", encoding="utf-8")
    main_engine = MainEngine(EventEngine())
    main_engine.add_app(AiAgentApp)
    window = MainWindow(main_engine, main_engine.event_engine)
    yield window
    main_engine.close()
    delete(window)  # after the event thread, which its tables listen to
    shutil.rmtree(folder)
    folder.mkdir()


@pytest.mark.slow
def test_start_pause_halt_and_resume_by_clicks_in_the_host_window(host: MainWindow, wait_for: Any) -> None:
    host.open_widget(AiAgentManager, APP_NAME)
    window = host.widgets[APP_NAME]
    assert isinstance(window, AiAgentManager)
    engine = window.engine
    try:
        QTest.mouseClick(window.bar.start, LEFT)
        wait_for(lambda: engine.started and window.bar.pause.isEnabled())
        assert not window.bar.start.isVisible()
        QTest.mouseClick(window.bar.pause, LEFT)
        QTest.mouseClick(window.findChild(ConfirmDialog).do_it, LEFT)
        wait_for(lambda: engine.control.paused and window.bar.resume.isEnabled())
        lines = window.log.model
        wait_for(
            lambda: any("人工操作（窗口）：暂停AI" in lines.row_at(n).text for n in range(lines.rowCount()))
        )
        wait_for(lambda: window.findChild(ConfirmDialog) is None)
        QTest.mouseClick(window.bar.halt, LEFT)
        QTest.mouseClick(window.findChild(ConfirmDialog).do_it, LEFT)
        wait_for(lambda: engine.control.state.name == "HALTED" and not window.bar.halt.isEnabled())
        window.close()
        host.open_widget(AiAgentManager, APP_NAME)
        wait_for(lambda: window.findChild(ConfirmDialog) is None)
        QTest.mouseClick(window.bar.resume, LEFT)
        QTest.mouseClick(window.findChild(ConfirmDialog).do_it, LEFT)
        wait_for(lambda: engine.control.state.name == "ACTIVE" and window.bar.halt.isEnabled())
        assert engine.run_job("plan", "test")
        wait_for(lambda: any(lines.row_at(n).label == "扫描" for n in range(lines.rowCount())))
    finally:
        window.close()
        wait_for(lambda: window.background.busy == 0)
        window.feed.close()
        window.tail.close()
        delete(window)
