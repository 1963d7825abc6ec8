"""Orders that wait for a human, and orders that a human places: the dialogs, by real clicks."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox
from vnpy.event import Event

from vnpy_aiagent.base import EVENT_AI_APPROVAL, EVENT_AI_SLIP
from vnpy_aiagent.domain import ApprovalAnswered, ApprovalAsked, ManualSlip, Side, say
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.sim.event_engine import DeterministicEventEngine
from vnpy_aiagent.ui.approvals import READING_MILLISECONDS

LEFT = Qt.MouseButton.LeftButton


class Street:
    """A window, its events and its engine."""

    def __init__(self, window: Any, events: DeterministicEventEngine, engine: Any, wait_for: Any) -> None:
        self.window, self.events, self.engine, self.wait_for = window, events, engine, wait_for
        self.desk = window.approvals
        self.dialog = window.approvals.dialog

    def click(self, button: Any) -> None:
        """Click when it can be clicked."""
        self.wait_for(button.isEnabled)
        QTest.mouseClick(button, LEFT)

    def ask(self, number: int = 1, side: Side = Side.BUY, seconds: int = 60) -> ApprovalAsked:
        asked = ApprovalAsked(
            id=f"a{number}",
            at=self.engine.clock.now(),
            account="judge",
            signal_id=f"s{number}",
            symbol="510300.SSE",
            side=side,
            volume=1200,
            price=Decimal("4.050"),
            stop=Decimal("3.900"),
            reason=say("突破第 {number} 次", number=number),
            lapses_at=self.engine.clock.now() + timedelta(seconds=seconds),
        )
        self.put(EVENT_AI_APPROVAL, asked)
        return asked

    def put(self, name: str, data: object) -> None:
        self.events.put(Event(name, data))
        self.events.drain()

    def answer(self, asked: ApprovalAsked, *, approved: bool, by: str, reason: str) -> None:
        answer = ApprovalAnswered(
            id=f"x{asked.id}",
            at=self.engine.clock.now(),
            account=asked.account,
            approval_id=asked.id,
            signal_id=asked.signal_id,
            symbol=asked.symbol,
            approved=approved,
            by=by,
            reason=say(reason),
        )
        self.put(EVENT_AI_APPROVAL, answer)

    def pass_seconds(self, seconds: float) -> None:
        self.engine.clock.set(self.engine.clock.now() + timedelta(seconds=seconds))


@pytest.fixture
def street(run: Any, engine: Any, make_window: Any, wait_for: Any, monkeypatch: Any) -> Street:
    monkeypatch.setattr("vnpy_aiagent.ui.approvals.READING_MILLISECONDS", 30)
    events = DeterministicEventEngine()
    window = make_window(engine, events, journal=str(run.journal))
    wait_for(window.bar.halt.isEnabled)
    return Street(window, events, engine, wait_for)


def test_a_request_is_shown_with_its_figures_on_top_and_without_taking_the_focus(street, wait_for):
    street.ask()
    wait_for(street.dialog.isVisible)
    dialog = street.dialog
    shown = [
        label.text() for label in (dialog.price, dialog.volume, dialog.amount, dialog.stop, dialog.reason)
    ]
    assert shown == ["4.050 元", "1,200 股", "4,860.00 元", "3.900 元，触及时约亏 180.00 元", "突破第 1 次"]
    assert dialog.account.text() == "judge"
    assert "510300.SSE" in dialog.title.text()
    assert "60 秒后自动作废" in dialog.left.text()
    assert not dialog.isModal()
    assert dialog.windowFlags() & Qt.WindowType.WindowStaysOnTopHint
    assert dialog.testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
    assert not dialog.approve.autoDefault()
    assert not dialog.approve.isDefault()
    street.pass_seconds(21)
    wait_for(lambda: "39 秒后" in dialog.left.text())
    assert dialog.clock.value() == 39


def test_approve_and_refuse_work_through_the_queue(street, wait_for):
    first, second, third = street.ask(1), street.ask(2), street.ask(3, Side.SELL)
    wait_for(lambda: "2 笔" in street.dialog.more.text())
    assert street.window.bar.approvals.text() == "待批准 3"
    street.click(street.dialog.approve)
    wait_for(lambda: street.dialog.reason.text() == "突破第 2 次")
    street.dialog.why.setText("太贵")
    street.click(street.dialog.refuse)
    wait_for(lambda: street.dialog.reason.text() == "突破第 3 次")
    assert street.dialog.why.text() == ""
    assert "约亏" not in street.dialog.stop.text()
    street.click(street.dialog.refuse)
    wait_for(lambda: not street.dialog.isVisible())
    assert street.engine.calls == [
        ("approve", first.id, "window"),
        ("refuse", second.id, "太贵", "window"),
        ("refuse", third.id, "", "window"),
    ]
    wait_for(lambda: not street.window.bar.approvals.isVisible())


@pytest.mark.parametrize("how", ["answered", "lapsed"])
def test_a_request_that_replaces_another_under_the_mouse_takes_no_click_until_it_was_read(
    street, wait_for, how
):
    first, second = street.ask(1, seconds=60), street.ask(2, seconds=90)
    wait_for(lambda: "1 笔" in street.dialog.more.text())
    wait_for(street.dialog.approve.isEnabled)
    reading = street.dialog.findChild(QTimer)
    reading.setInterval(600_000)
    if how == "answered":
        street.click(street.dialog.approve)
    else:
        street.pass_seconds(60)
    wait_for(lambda: street.dialog.reason.text() == "突破第 2 次")
    wait_for(lambda: street.window.background.busy == 0)
    for button in (street.dialog.approve, street.dialog.refuse):
        QTest.mouseClick(button, LEFT)
        assert not button.isEnabled()
    before = [("approve", first.id, "window")] if how == "answered" else []
    assert street.engine.calls == before
    reading.start(0)
    street.click(street.dialog.approve)
    wait_for(lambda: street.engine.calls == [*before, ("approve", second.id, "window")])


def test_a_click_answers_the_request_that_was_shown_when_it_came(street, wait_for):
    street.ask(1)
    wait_for(street.dialog.approve.isEnabled)
    street.desk.queue.end("a1")
    street.ask(2)  # is first in the queue now, and not shown yet
    street.desk.dialog.approve.click()
    assert street.engine.calls == []
    assert READING_MILLISECONDS == 1_000


def test_a_lapse_closes_the_dialog_with_a_line_and_sends_nothing(street, wait_for):
    street.ask()
    wait_for(street.dialog.isVisible)
    street.pass_seconds(60)
    wait_for(lambda: not street.dialog.isVisible())
    assert "到时未答，已作废，没有下单" in street.window.bar.news.text()
    assert street.engine.calls == []


def test_a_reason_that_is_being_typed_survives_another_request(street, wait_for):
    street.ask(1)
    wait_for(street.dialog.isVisible)
    street.dialog.why.setText("等一下")
    street.ask(2)
    wait_for(lambda: "1 笔" in street.dialog.more.text())
    assert street.dialog.why.text() == "等一下"


def test_an_answer_from_elsewhere_closes_the_dialog_of_every_window(
    street, run, engine, make_window, wait_for
):
    other = make_window(engine, street.events, journal=str(run.journal))
    asked = street.ask()
    wait_for(lambda: street.dialog.isVisible() and other.approvals.dialog.isVisible())
    street.answer(asked, approved=False, by="halt", reason="已全部停止")
    wait_for(lambda: not street.dialog.isVisible() and not other.approvals.dialog.isVisible())
    assert "510300.SSE 未下单：已全部停止" in other.bar.news.text()


def test_an_answer_that_came_too_late_is_said_and_changes_nothing(street, wait_for):
    street.engine.answers["approve"] = False
    street.ask()
    wait_for(street.dialog.isVisible)
    street.click(street.dialog.approve)
    wait_for(lambda: "请求已有答复、已到时" in street.window.bar.news.text())
    assert not street.dialog.isVisible()


def test_an_answer_that_fails_can_be_given_again(street, wait_for):
    street.engine.answers["approve"] = ConfigError("try again")
    street.ask()
    wait_for(street.dialog.isVisible)
    street.click(street.dialog.approve)
    assert not street.dialog.refuse.isEnabled()
    wait_for(lambda: street.window.findChild(QMessageBox))
    street.window.findChild(QMessageBox).accept()
    assert street.dialog.isVisible()
    street.engine.answers["approve"] = True
    street.click(street.dialog.approve)
    wait_for(lambda: not street.dialog.isVisible())
    assert len(street.engine.calls) == 2


def test_a_hidden_request_waits_and_the_bar_brings_it_back(street, wait_for):
    street.ask()
    wait_for(street.dialog.isVisible)
    QTest.keyClick(street.dialog, Qt.Key.Key_Escape)
    assert not street.dialog.isVisible()
    wait_for(street.window.bar.approvals.isVisible)
    QTest.mouseClick(street.window.bar.approvals, LEFT)
    assert street.dialog.isVisible()
    assert street.engine.calls == []


def test_requests_from_before_the_window_and_into_a_closed_one_are_shown(street, wait_for):
    early = street.ask(7)
    wait_for(street.dialog.isVisible)
    street.answer(early, approved=True, by="cli", reason="人工批准")
    wait_for(lambda: not street.dialog.isVisible())
    street.engine.waiting = [early, early.model_copy(update={"id": "a8"})]
    wait_for(lambda: len(street.desk.queue) == 1)  # the answered one does not come back
    assert street.desk.queue.first.id == "a8"
    wait_for(street.dialog.isVisible)
    street.window.close()
    assert street.dialog.isVisible()
    street.click(street.dialog.approve)
    wait_for(lambda: street.engine.calls == [("approve", "a8", "window")])
    street.ask(9)
    wait_for(lambda: street.dialog.isVisible() and street.dialog.reason.text() == "突破第 9 次")


def test_a_closed_engine_leaves_no_request_on_the_screen(street, wait_for):
    street.ask()
    wait_for(street.dialog.isVisible)
    street.engine.closed = True
    wait_for(lambda: not street.dialog.isVisible())


def slip(street: Street, number: int) -> ManualSlip:
    return ManualSlip(
        id=f"m{number}",
        at=street.engine.clock.now(),
        account="judge",
        symbol="510300.SSE",
        side=Side.SELL,
        volume=100 * number,
        price=Decimal("4.05"),
        gateway="XTP",
        reason=say("柜台断开"),
    )


def test_slips_are_shown_counted_and_copied(street, wait_for):
    dialog = street.window.slips
    street.put(EVENT_AI_SLIP, slip(street, 1))
    wait_for(dialog.isVisible)
    assert not dialog.isModal()
    street.engine.by_hand = [slip(street, 1), slip(street, 2)]
    wait_for(lambda: street.window.bar.slips.text() == "手工单 2")
    QTest.mouseClick(dialog.copy, LEFT)
    newest = "卖出 510300.SSE 200 股，限价 4.05 元，金额 810.00 元（账户 judge，接口 XTP）：柜台断开"
    assert QGuiApplication.clipboard().text() == newest
    dialog.table.selectRow(1)
    QTest.mouseClick(dialog.copy, LEFT)
    assert "100 股" in QGuiApplication.clipboard().text()
    QTest.mouseClick(dialog.copy_all, LEFT)
    assert len(QGuiApplication.clipboard().text().splitlines()) == 2
    assert dialog.news.text() == "已复制 2 条"
    dialog.close()
    QTest.mouseClick(street.window.bar.slips, LEFT)
    assert dialog.isVisible()
