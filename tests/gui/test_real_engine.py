"""The window over an engine at work on recorded history: clicks in the middle of the run reach the market."""

from datetime import date
from decimal import Decimal
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox
from vnpy.event import Event

from vnpy_aiagent.base import EVENT_AI_APPROVAL
from vnpy_aiagent.config import Settings
from vnpy_aiagent.data.hs300 import load_hs300
from vnpy_aiagent.domain import ApprovalAnswered, ApprovalAsked, Mode
from vnpy_aiagent.report.read import message_of
from vnpy_aiagent.simulation import Simulation
from vnpy_aiagent.store.journal import JournalReader
from vnpy_aiagent.ui.price_dialog import PriceDialog
from vnpy_aiagent.ui.snapshot import PositionRow, take_snapshot
from vnpy_aiagent.ui.take_over import TakeOverDialog

LEFT = Qt.MouseButton.LeftButton


class Human:
    """Approves and refuses in turns, then changes a trigger, a stop, and takes a position over and back."""

    def __init__(self, simulation: Simulation, make_window: Any, wait_for: Any) -> None:
        self.simulation, self.make_window, self.wait_for = simulation, make_window, wait_for
        self.window: Any = None
        self.answered: list[str] = []
        self.done: list[str] = []

    def hear(self, event: Event) -> None:
        if not isinstance(event.data, ApprovalAsked):
            return
        window = self._window()
        self.wait_for(lambda: window.approvals.dialog.isVisible() or event.data.id in self.answered)
        while (first := window.approvals.queue.first) is not None:
            self._answer(first)

    def _answer(self, asked: ApprovalAsked) -> None:
        """The first is refused, all others are approved."""
        desk = self.window.approvals
        self.wait_for(lambda: desk.dialog.isVisible() and asked.symbol in desk.dialog.title.text())
        button = desk.dialog.approve if self.answered else desk.dialog.refuse
        self.wait_for(button.isEnabled)  # a second to read what is asked
        QTest.mouseClick(button, LEFT)
        self.wait_for(lambda: desk.queue.first is None or desk.queue.first.id != asked.id)
        self.answered.append(asked.id)

    def on_day(self, day: date, number: int, count: int) -> None:
        engine = self.simulation.engine
        if self.done or engine is None:
            return
        rows = take_snapshot(engine).positions
        if rows and rows[0].stop is not None and rows[0].last is not None and rows[0].triggers:
            self._edit(rows[0])

    def _edit(self, row: PositionRow) -> None:
        engine, window = self.simulation.engine, self._window()
        assert engine is not None
        assert row.stop is not None
        book = engine.house.portfolio.books[row.account]
        window._read_engine()
        self.wait_for(lambda: window.overview.positions.find(row.key) is not None)
        window.controls.move_stop(row)
        self._type(PriceDialog, str(row.stop - Decimal("0.010")))
        self.wait_for(lambda: engine.monitoring.stops.get(*row.key).price == row.stop - Decimal("0.010"))
        window.controls.move_stop(row)
        self._type(PriceDialog, "99")
        self.wait_for(lambda: window.findChild(QMessageBox))
        self.done.append(window.findChild(QMessageBox).text())
        window.findChild(QMessageBox).accept()
        spec = next(each for each in engine.monitoring.book.of(*row.key) if each.price is not None)
        window._adjust_trigger(spec)
        self._type(PriceDialog, str(spec.price + Decimal("0.005")))
        self.wait_for(lambda: engine.monitoring.book.get(spec.id) is None)
        window._take_over(row)
        self._press(TakeOverDialog)
        self.wait_for(lambda: book.external.get(row.symbol) == row.volume)
        assert engine.monitoring.stops.get(*row.key) is None
        self.wait_for(lambda: window.overview.positions.find(row.key).external == row.volume)
        window.controls.hand_back(window.overview.positions.find(row.key))
        self._type(PriceDialog, str(row.stop))
        self.wait_for(lambda: row.symbol not in book.external)
        assert engine.monitoring.stops.get(*row.key).price == row.stop

    def _type(self, kind: Any, text: str) -> None:
        next(each for each in self.window.findChildren(kind) if each.isVisible()).price.setText(text)
        self._press(kind)

    def _press(self, kind: Any) -> None:
        dialog = next(each for each in self.window.findChildren(kind) if each.isVisible())
        QTest.mouseClick(dialog.do_it, LEFT)

    def _window(self) -> Any:
        if self.window is None:
            simulation = self.simulation
            self.window = self.make_window(
                simulation.engine, simulation.events, journal=str(simulation.journal)
            )
        return self.window


def test_approvals_edits_and_a_take_over_by_clicks_reach_the_engine(tmp_path, make_window, wait_for):
    settings = Settings(mode=Mode.SIMULATION, approvals="entries")
    simulation = Simulation(
        load_hs300(), settings, tmp_path / "journal.db", start=date(2024, 9, 2), end=date(2024, 11, 15)
    )
    human = Human(simulation, make_window, wait_for)
    simulation.events.register(EVENT_AI_APPROVAL, human.hear)
    simulation.run(human.on_day)
    with JournalReader.open(simulation.journal) as reader:
        entries = reader.read(kinds=(ApprovalAnswered.kind,))
        answers = {each.approval_id: each for each in map(message_of, entries)}
    assert len(human.answered) > 1
    assert [answers[each].by for each in human.answered] == ["window"] * len(human.answered)
    assert not answers[human.answered[0]].approved
    assert any(each.approved for each in answers.values())
    assert len(human.done) == 1
    assert "没有执行，请按括号里的提示改正后再试" in human.done[0]
    window = human.window
    wait_for(lambda: "已关闭" in window.bar.state.text())
