"""The window over a finished simulation and over engines of its own: what is shown, what buttons do."""

from types import SimpleNamespace
from typing import Any

from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox, QPushButton
from vnpy.event import Event
from vnpy.trader.event import EVENT_LOG
from vnpy.trader.object import LogData

from vnpy_aiagent.app import AiAgentApp
from vnpy_aiagent.base import EVENT_AI_STATUS
from vnpy_aiagent.domain import Activity, AgentName, AgentStatus, Outcome, TradingState
from vnpy_aiagent.errors import JournalLocked
from vnpy_aiagent.sim.event_engine import DeterministicEventEngine
from vnpy_aiagent.ui.snapshot import take_snapshot

LEFT = Qt.MouseButton.LeftButton


def texts(window: Any) -> str:
    """Everything that the bar says."""
    bar = window.bar
    return " ".join(label.text() for label in (bar.mode, bar.state, bar.model, bar.cost, bar.news))


def test_a_finished_run_is_shown_with_its_accounts_decisions_and_curves(run, engine, make_window, wait_for):
    window = make_window(engine, journal=str(run.journal))
    wait_for(lambda: window.decisions.model.rowCount() and window.overview.accounts.rowCount())
    assert "回放" in texts(window)
    assert "离线分析员：规则，不是语言模型" in texts(window)
    assert window.overview.accounts.rowCount() == 3
    assert "模拟" not in window.bar.mode.text()
    wait_for(lambda: "7 秒前" in window.overview.cards[AgentName.RISK].beat.text())
    assert "尚无心跳" in window.overview.cards[AgentName.REVIEW].beat.text()
    breadth = window.overview.breadth
    assert [label.text() for label in (breadth.up, breadth.flat, breadth.down)] == [
        "上涨 3",
        "平盘 1",
        "下跌 2",
    ]
    assert {"aggressive", "conservative", "judge"} <= set(window.overview.curves.names)
    assert window.log.model.rowCount() > 0
    snapshot = take_snapshot(run.engine)
    assert window.overview.positions.rowCount() == len(snapshot.positions)
    assert window.triggers.triggers.rowCount() == len(snapshot.triggers)


def test_choosing_a_filled_decision_shows_debate_rules_and_fills(run, engine, make_window, wait_for):
    window = make_window(engine, journal=str(run.journal))
    model = window.decisions.model
    wait_for(model.rowCount)
    place = next(n for n in range(model.rowCount()) if model.row_at(n).filled)
    assert model.row_at(place).outcome in (Outcome.APPROVED, Outcome.REDUCED)
    window.decisions.table.selectRow(place)
    wait_for(lambda: "风控逐条" in window.decisions.detail.toPlainText())
    page = window.decisions.detail.toPlainText()
    for part in ("提案", "分析", "辩论", "证据", "委托、成交与后续", "成交", "✓"):
        assert part in page


def test_the_window_speaks_english_without_a_chinese_word_in_its_frame(run, engine, make_window, wait_for):
    window = make_window(engine, language="en", journal=str(run.journal))
    wait_for(window.overview.accounts.rowCount)
    titles = [window.tabs.tabText(place) for place in range(window.tabs.count())]
    buttons = [button.text() for button in window.findChildren(QPushButton)]
    shown = " ".join((texts(window), *titles, *buttons))
    assert "REPLAY" in shown
    assert "Stop all" in shown
    assert not any("\u4e00" <= letter <= "\u9fff" for letter in shown)


def test_an_engine_that_is_not_started_offers_the_start_and_nothing_else(make_window, wait_for):
    engine = SimpleNamespace(started=False, closed=False)
    window = make_window(engine)
    wait_for(window.bar.start.isVisible)
    assert "未启动" in texts(window)
    assert not window.bar.halt.isEnabled()
    assert not window.bar.flatten.isEnabled()
    assert "模拟" in window.bar.mode.text()


def test_a_start_that_fails_says_why_and_can_be_tried_again(make_window, wait_for):
    tries: list[object] = []

    def start() -> None:
        tries.append(1)
        raise JournalLocked("held by pid 1")

    window = make_window(SimpleNamespace(started=False, closed=False, start=start))
    QTest.mouseClick(window.bar.start, LEFT)
    wait_for(lambda: window.findChild(QMessageBox))
    window.findChild(QMessageBox).accept()
    wait_for(window.bar.start.isEnabled)
    QTest.mouseClick(window.bar.start, LEFT)
    wait_for(lambda: len(tries) == 2)


def test_events_reach_the_cards_and_the_log_of_two_windows(run, engine, make_window, wait_for):
    events = DeterministicEventEngine()
    windows = [make_window(engine, events, journal=str(run.journal)) for _ in range(2)]
    status = AgentStatus(
        id="", at=run.clock.now(), agent=AgentName.RISK, activity=Activity.DECIDING, detail="510300.SSE"
    )
    events.put(Event(EVENT_AI_STATUS, status))
    events.put(Event(EVENT_LOG, LogData(msg="只此一行", level=30, gateway_name="AiAgent")))
    events.put(Event(EVENT_LOG, LogData(msg="别人的日志", level=30, gateway_name="CTP")))
    events.drain()
    for window in windows:
        wait_for(lambda window=window: "510300.SSE" in window.overview.cards[AgentName.RISK].detail.text())
        lines = [window.log.model.row_at(n).text for n in range(window.log.model.rowCount())]
        assert "只此一行" in lines
        assert "别人的日志" not in lines


def test_a_window_closed_while_its_threads_work_does_no_harm(run, engine, make_window, wait_for):
    window = make_window(engine, journal=str(run.journal))
    window.refresh()
    assert window.background.busy > 0
    window.close()
    assert not window.isVisible()
    wait_for(lambda: window.background.busy == 0)


def test_a_window_destroyed_while_its_threads_work_listens_no_more(run, engine, make_window, qapp):
    events = DeterministicEventEngine()
    window = make_window(engine, events, journal=str(run.journal))
    window.refresh()
    feed, handlers = window.feed, dict(events._handlers)
    assert handlers
    feed.close()
    assert not any(events._handlers.values())
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_the_funnel_of_the_last_day_is_read_when_its_tab_is_opened(run, engine, make_window, wait_for):
    window = make_window(engine, journal=str(run.journal))
    wait_for(window.tail.with_reader)
    window.tabs.setCurrentWidget(window.funnel)
    wait_for(lambda: window.funnel.day.count() > 0)
    assert window.funnel.day.itemText(0) == "2024-11-20"
    assert window.funnel.steps[0].text().startswith("扫描")
    window.funnel.symbol.setText("乱写")
    window.funnel.refresh()
    assert "代码不明" in window.funnel.news.text()


def test_halted_and_paused_states_change_badges_and_buttons(run, engine, make_window, wait_for):
    control = run.engine.control
    before = control.state, control.paused
    try:
        control.set(TradingState.HALTED, paused=True)
        window = make_window(engine, journal=str(run.journal))
        wait_for(window.bar.resume.isEnabled)
        assert "已停止" in window.bar.state.text()
        assert "AI 已暂停" in window.bar.state.text()
        assert not window.bar.halt.isEnabled()
    finally:
        control.set(before[0], paused=before[1])


def test_the_app_finds_its_widget_and_its_icon():
    from importlib import import_module
    from pathlib import Path

    module = import_module(AiAgentApp.app_module + ".ui")
    assert getattr(module, AiAgentApp.widget_name)
    assert Path(AiAgentApp.icon_name).read_bytes()[:4] == b"\0\0\1\0"
