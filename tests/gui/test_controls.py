"""Every control, dialog and edit of the window, clicked: what is asked first, and what the engine is told."""

from decimal import Decimal
from typing import Any, TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QLabel, QMessageBox

from vnpy_aiagent.domain import Mode
from vnpy_aiagent.errors import ConfigError, JournalLocked
from vnpy_aiagent.ui.confirm import ConfirmDialog
from vnpy_aiagent.ui.price_dialog import PriceDialog
from vnpy_aiagent.ui.snapshot import take_snapshot
from vnpy_aiagent.ui.take_over import TakeOverDialog

LEFT = Qt.MouseButton.LeftButton
Dialog = TypeVar("Dialog", bound=QDialog)


def opened(window: Any, kind: type[Dialog]) -> Dialog:
    """The one dialog of a kind that is open."""
    found = [dialog for dialog in window.findChildren(kind) if dialog.isVisible()]
    assert len(found) == 1, f"{len(found)} dialogs of {kind.__name__} are open"
    return found[0]


def click(button: Any) -> None:
    assert button.isEnabled()
    QTest.mouseClick(button, LEFT)


@pytest.fixture
def window(run: Any, engine: Any, make_window: Any, wait_for: Any) -> Any:
    """A window over the finished run, with its first picture of the engine."""
    window = make_window(engine, journal=str(run.journal))
    wait_for(window.bar.flatten.isEnabled)
    return window


@pytest.fixture
def held(run: Any, engine: Any) -> Any:
    """A position at the run's end; where there is none, the book gets one for the time of the test."""
    rows = take_snapshot(engine).positions
    assert rows, "the run must end with a position for this test"
    return rows[0]


CONTROLS = [
    ("pause", "不再作新决策", ("pause", "window"), "AI 已暂停"),
    ("halt", "撤销所有在途委托", ("halt", "人工停止", "window"), "已全部停止"),
    ("flatten", "AI 管理的全部", ("flatten", "window"), "正在清仓"),
]


@pytest.mark.parametrize(("button", "warning", "call", "news"), CONTROLS)
def test_a_control_says_what_will_happen_and_then_does_it(
    window, engine, wait_for, button, warning, call, news
):
    click(getattr(window.bar, button))
    dialog = opened(window, ConfirmDialog)
    assert warning in dialog.findChild(QLabel).text()
    assert dialog.cancel.isDefault()
    assert engine.calls == []
    click(dialog.do_it)
    wait_for(lambda: news in window.bar.news.text())
    assert engine.calls == [call]


@pytest.mark.parametrize("button", ["pause", "halt", "flatten", "take_over"])
def test_a_control_that_is_cancelled_does_nothing(window, engine, wait_for, button):
    click(getattr(window.bar, button))
    click(opened(window, QDialog).cancel)
    wait_for(lambda: window.background.busy == 0)
    assert engine.calls == []


def test_stop_all_gives_the_typed_reason_to_the_engine(window, engine, wait_for):
    click(window.bar.halt)
    dialog = opened(window, ConfirmDialog)
    dialog.reason.setText("柜台异常")
    click(dialog.do_it)
    wait_for(lambda: engine.calls == [("halt", "柜台异常", "window")])


def test_flatten_names_what_cannot_be_sold_now(window, engine, wait_for):
    engine.answers["flatten"] = ["judge 510300.SSE"]
    click(window.bar.flatten)
    click(opened(window, ConfirmDialog).do_it)
    wait_for(lambda: "留待下一时机：judge 510300.SSE" in window.bar.news.text())


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (JournalLocked("held by pid 1"), "另一个进程正在使用同一份日志"),
        (ConfigError("10.005 CNY is no price"), "没有执行，请按括号里的提示改正"),
    ],
)
def test_a_refused_command_is_told_in_one_chinese_sentence(window, engine, wait_for, error, sentence):
    engine.answers["pause"] = error
    click(window.bar.pause)
    click(opened(window, ConfirmDialog).do_it)
    wait_for(lambda: window.findChild(QMessageBox))
    text = window.findChild(QMessageBox).text()
    assert sentence in text
    assert str(error) in text
    assert "Traceback" not in text
    assert window.bar.news.text() == text
    window.findChild(QMessageBox).accept()


def test_take_over_offers_the_managed_positions_and_takes_the_ticked_one(window, engine, held, wait_for):
    click(window.bar.take_over)
    dialog = opened(window, TakeOverDialog)
    assert held.symbol in dialog.list.item(0).text()
    dialog.list.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert not dialog.do_it.isEnabled()
    dialog.list.item(0).setCheckState(Qt.CheckState.Checked)
    click(dialog.do_it)
    wait_for(lambda: f"已人工接管 {held.symbol}" in window.bar.news.text())
    assert engine.calls == [("take_over", held.account, held.symbol, "window")]


def test_a_position_of_the_ai_is_taken_over_from_its_menu_and_its_stop_moved(window, engine, held, wait_for):
    wait_for(window.overview.positions.rowCount)
    menu = window.overview.menu_of(held)
    assert [action.text() for action in menu.actions()] == ["人工接管", "改止损价"]
    menu.actions()[0].trigger()
    dialog = opened(window, TakeOverDialog)
    assert [row.symbol for row in dialog.ticked()] == [held.symbol]
    click(dialog.cancel)
    menu.actions()[1].trigger()
    edit = opened(window, PriceDialog)
    assert edit.price.text() == str(held.stop)
    edit.price.setText("3.333")
    click(edit.do_it)
    wait_for(lambda: "止损价已改为 3.333" in window.bar.news.text())
    assert engine.calls == [("move_stop", held.account, held.symbol, Decimal("3.333"), "window")]


@pytest.mark.parametrize(("typed", "stop"), [("", None), ("3.2", Decimal("3.2"))])
def test_an_external_position_is_marked_and_given_back(run, engine, held, make_window, wait_for, typed, stop):
    book = run.engine.house.portfolio.books[held.account]
    book.external[held.symbol] = held.volume
    try:
        window = make_window(engine, journal=str(run.journal))
        model = window.overview.positions
        wait_for(model.rowCount)
        row = model.find((held.account, held.symbol))
        assert [column.text(row) for column in model.columns if column.title == "管理"] == ["人工（外部）"]
        menu = window.overview.menu_of(row)
        assert "人工接管" not in [action.text() for action in menu.actions()]
        assert menu.actions()[0].text() == "交还AI"
        menu.actions()[0].trigger()
        dialog = opened(window, PriceDialog)
        dialog.price.setText(typed)
        click(dialog.do_it)
        wait_for(lambda: "已交还AI" in window.bar.news.text())
        assert engine.calls == [("hand_back", held.account, held.symbol, "window", stop)]
        click(window.bar.take_over)
        offered = opened(window, TakeOverDialog)
        assert offered.list.count() == model.rowCount() - 1
    finally:
        del book.external[held.symbol]


def test_taking_over_nothing_is_offered_but_cannot_be_done(window):
    dialog = TakeOverDialog(window, window.words, [], None)
    dialog.ask(lambda _: pytest.fail("nothing can be taken over"))
    assert "没有可以接管的" in dialog.findChild(QLabel).text()
    assert not dialog.do_it.isEnabled()
    click(dialog.cancel)


def test_a_trigger_is_chosen_its_price_changed_and_it_is_cancelled(window, engine, wait_for):
    tab = window.triggers
    wait_for(tab.triggers.rowCount)
    number = next(n for n in range(tab.triggers.rowCount()) if tab.triggers.row_at(n).price is not None)
    spec = tab.triggers.row_at(number)
    window.tabs.setCurrentWidget(tab)
    assert not tab.adjust.isEnabled()
    assert not tab.cancel.isEnabled()
    tab.table.selectRow(number)
    click(tab.adjust)
    dialog = opened(window, PriceDialog)
    assert dialog.price.text() == str(spec.price)
    dialog.price.setText("十块")
    click(dialog.do_it)
    assert "请输入大于零的数字" in dialog.news.text()
    assert engine.calls == []
    dialog.price.setText("4.321")
    click(dialog.do_it)
    wait_for(lambda: engine.calls == [("adjust_trigger", spec.id, Decimal("4.321"), "window")])
    click(tab.cancel)
    click(opened(window, ConfirmDialog).do_it)
    wait_for(lambda: engine.calls[1:] == [("cancel_trigger", spec.id, "window")])


def test_a_stop_is_moved_from_its_table(window, engine, held, wait_for):
    tab = window.triggers
    wait_for(tab.stops.rowCount)
    window.tabs.setCurrentWidget(tab)
    assert not tab.move_stop.isEnabled()
    tab.stops_table.selectRow(0)
    click(tab.move_stop)
    opened(window, PriceDialog).price.setText("3.4")
    click(opened(window, PriceDialog).do_it)
    wait_for(lambda: engine.calls == [("move_stop", held.account, held.symbol, Decimal("3.4"), "window")])


def test_real_orders_are_unmistakable(run, engine, make_window, wait_for):
    plain = make_window(engine, journal=str(run.journal))
    wait_for(plain.bar.halt.isEnabled)
    colours = {plain.bar.mode.styleSheet()}
    assert plain.bar.styleSheet() == ""
    for mode, name in ((Mode.PAPER, "模拟"), (Mode.LIVE, "实盘 · 真实资金")):
        parts = engine.parts
        parts.settings = parts.settings.model_copy(update={"mode": mode})
        plain._read_engine()
        wait_for(lambda name=name: plain.bar.mode.text() == name)
        colours.add(plain.bar.mode.styleSheet())
    assert len(colours) == 3
    assert "border" in plain.bar.styleSheet()


def test_a_closed_engine_is_shown_as_closed_and_nothing_can_be_done(window, engine, wait_for):
    engine.closed = True
    wait_for(lambda: "已关闭" in window.bar.state.text())
    for button in (window.bar.pause, window.bar.halt, window.bar.flatten, window.bar.take_over):
        assert not button.isEnabled()
    assert window.findChild(QMessageBox) is None
