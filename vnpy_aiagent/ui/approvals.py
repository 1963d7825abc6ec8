"""Orders that wait for a human: a queue, and a dialog on top that shows them one by one with a countdown."""

import math
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from vnpy_aiagent.domain import ApprovalAnswered, ApprovalAsked, Side
from vnpy_aiagent.report.numbers import money
from vnpy_aiagent.ui.controls import Controls
from vnpy_aiagent.ui.theme import CALM, DANGER, GAIN, LOSS, MUTED, paint_button, set_badge
from vnpy_aiagent.ui.words import Words

KEPT_ENDED = 500
READING_MILLISECONDS = 1_000
"""A request that has just appeared takes no answer for so long: the click was meant for the one before it."""


class ApprovalQueue:
    """What waits, oldest first. What has ended does not come back with an older picture of the engine."""

    def __init__(self) -> None:
        """Begin empty."""
        self._waiting: OrderedDict[str, ApprovalAsked] = OrderedDict()
        self._ended: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def first(self) -> ApprovalAsked | None:
        """The one to be answered next."""
        return next(iter(self._waiting.values()), None)

    def add(self, asked: Iterable[ApprovalAsked]) -> None:
        """These wait, unless they have ended already."""
        for each in asked:
            if each.id not in self._ended:
                self._waiting.setdefault(each.id, each)

    def end(self, approval_id: str) -> ApprovalAsked | None:
        """It waits no longer; what it was, None where it did not wait here."""
        self._ended[approval_id] = None
        while len(self._ended) > KEPT_ENDED:
            self._ended.popitem(last=False)
        return self._waiting.pop(approval_id, None)

    def lapse(self, now: datetime) -> list[ApprovalAsked]:
        """End and return those whose time is over."""
        over = [each for each in self._waiting.values() if each.lapses_at <= now]
        for each in over:
            self.end(each.id)
        return over


class ApprovalDialog(QDialog):
    """One request. It takes no focus when it appears, so no key that was meant for elsewhere answers it.

    Its signals carry the id of the request that was shown when the click came.
    """

    approved = Signal(str)
    refused = Signal(str, str)

    def __init__(self, parent: QWidget, words: Words) -> None:
        """Begin hidden."""
        super().__init__(parent, Qt.WindowType.WindowStaysOnTopHint)
        self._words = words
        self._shown = ""
        self._answering = False
        self._reading = QTimer(self)
        self._reading.setSingleShot(True)
        self._reading.setInterval(READING_MILLISECONDS)
        self._reading.timeout.connect(self._set_buttons)
        self.setModal(False)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setWindowTitle(words("等待批准"))
        self.setMinimumWidth(460)
        self.side, self.title, self.more = QLabel(), QLabel(), QLabel()
        self.title.setStyleSheet("font-weight: bold; font-size: 16px;")
        self.more.setStyleSheet(f"color: {MUTED};")
        self.account, self.price, self.volume, self.amount = QLabel(), QLabel(), QLabel(), QLabel()
        self.stop, self.reason, self.left = QLabel(), QLabel(), QLabel()
        self.reason.setWordWrap(True)
        self.clock = QProgressBar()
        self.clock.setTextVisible(False)
        self.clock.setFixedHeight(8)
        self.why = QLineEdit()
        self.why.setMaxLength(200)
        self.why.setPlaceholderText(words("拒绝的原因（可不填）"))
        self.approve = paint_button(QPushButton(words("批准")), CALM)
        self.refuse = paint_button(QPushButton(words("拒绝")), DANGER)
        for button in (self.approve, self.refuse):
            button.setAutoDefault(False)
        self.approve.clicked.connect(lambda: self.approved.emit(self._shown))
        self.refuse.clicked.connect(lambda: self.refused.emit(self._shown, self.why.text().strip()))
        self._lay_out()

    def show_request(self, asked: ApprovalAsked, name: str) -> None:
        """Show a request with the symbol's name; it can be answered when there was time to read it."""
        self._shown = asked.id
        self._reading.start()
        words = self._words
        buy = asked.side is Side.BUY
        set_badge(self.side, words.label(asked.side), GAIN if buy else LOSS)
        self.title.setText(f"{asked.symbol} {name}".strip())
        self.account.setText(asked.account)
        self.price.setText(words("{price} 元", price=asked.price))
        self.volume.setText(words("{volume} 股", volume=f"{asked.volume:,}"))
        self.amount.setText(words("{amount} 元", amount=money(asked.price * asked.volume)))
        self.stop.setText(self._stop_text(asked))
        self.reason.setText(words.show(asked.reason))
        self.why.clear()
        self.clock.setMaximum(max(1, math.ceil((asked.lapses_at - asked.at).total_seconds())))
        self.set_answering(False)

    def show_others(self, count: int) -> None:
        """How many wait behind this one."""
        self.more.setText(self._words("后面还有 {count} 笔", count=count) if count else "")

    def show_left(self, seconds: float) -> None:
        """Seconds until it lapses."""
        left = max(0, math.ceil(seconds))
        self.left.setText(self._words("{seconds} 秒后自动作废，不下单", seconds=left))
        self.clock.setValue(min(left, self.clock.maximum()))

    def set_answering(self, answering: bool) -> None:
        """While an answer is under way no other is taken."""
        self._answering = answering
        self._set_buttons()

    def reject(self) -> None:
        """Escape and the close button only hide it; the request waits on, the bar's button shows it."""
        self.hide()

    def _set_buttons(self) -> None:
        ready = not self._answering and not self._reading.isActive()
        self.approve.setEnabled(ready)
        self.refuse.setEnabled(ready)

    def _stop_text(self, asked: ApprovalAsked) -> str:
        words = self._words
        if asked.stop is None:
            return words("没有止损")
        if asked.side is not Side.BUY:
            return words("{price} 元", price=asked.stop)
        risk = money((asked.price - asked.stop) * asked.volume)
        return words("{price} 元，触及时约亏 {loss} 元", price=asked.stop, loss=risk)

    def _lay_out(self) -> None:
        words = self._words
        top = QHBoxLayout()
        top.addWidget(self.side)
        top.addWidget(self.title)
        top.addStretch(1)
        top.addWidget(self.more)
        form = QFormLayout()
        for name, label in (
            (words("账户"), self.account),
            (words("价格"), self.price),
            (words("数量"), self.volume),
            (words("金额"), self.amount),
            (words("止损"), self.stop),
            (words("理由"), self.reason),
        ):
            form.addRow(name, label)
        buttons = QHBoxLayout()
        buttons.addWidget(self.why, 1)
        buttons.addWidget(self.refuse)
        buttons.addWidget(self.approve)
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addLayout(top)
        layout.addLayout(form)
        layout.addWidget(self.left)
        layout.addWidget(self.clock)
        layout.addLayout(buttons)


class ApprovalDesk(QObject):
    """Leads the queue through the dialog."""

    def __init__(
        self,
        window: QWidget,
        words: Words,
        controls: Controls,
        now: Callable[[], datetime],
        name_of: Callable[[str], str],
        say: Callable[[str, str], None],
    ) -> None:
        """`now` is the engine's clock, `name_of` a symbol's name, `say` shows a line in a colour."""
        super().__init__(window)
        self._words, self._controls, self._now = words, controls, now
        self._name_of, self._say = name_of, say
        self.queue = ApprovalQueue()
        self.dialog = ApprovalDialog(window, words)
        self.dialog.approved.connect(self._approve)
        self.dialog.refused.connect(self._refuse)
        self._shown = ""

    def take(self, message: ApprovalAsked | ApprovalAnswered) -> None:
        """A request, or the end of one."""
        if isinstance(message, ApprovalAsked):
            self.queue.add((message,))
            return
        self.queue.end(message.approval_id)
        template = "{symbol} 已批准：{reason}" if message.approved else "{symbol} 未下单：{reason}"
        reason = self._words.show(message.reason)
        self._say(self._words(template, symbol=message.symbol, reason=reason), MUTED)

    def add(self, pending: Iterable[ApprovalAsked]) -> None:
        """What the engine says is waiting: requests from before the window opened."""
        self.queue.add(pending)

    def tick(self) -> None:
        """Count down, end what has lapsed, show the next."""
        if not self.queue:
            self._hide()
            return
        now = self._now()
        for over in self.queue.lapse(now):
            sentence = self._words("{symbol} 的下单请求到时未答，已作废，没有下单", symbol=over.symbol)
            self._say(sentence, GAIN)
        first = self.queue.first
        if first is None:
            self._hide()
            return
        if self._shown != first.id:
            self._shown = first.id
            self.dialog.show_request(first, self._name_of(first.symbol))
            self.show()
        self.dialog.show_others(len(self.queue) - 1)
        self.dialog.show_left((first.lapses_at - now).total_seconds())

    def show(self) -> None:
        """Bring the dialog on top, where something waits."""
        if self.queue:
            self.dialog.show()
            self.dialog.raise_()

    def clear(self) -> None:
        """The engine is closed: nothing waits any more."""
        while self.queue.first is not None:
            self.queue.end(self.queue.first.id)
        self._hide()

    def _hide(self) -> None:
        self._shown = ""
        self.dialog.hide()

    def _approve(self, approval_id: str) -> None:
        asked = self.queue.first
        if asked is not None and asked.id == approval_id:
            self.dialog.set_answering(True)
            self._controls.approve(asked, lambda done: self._answered(asked, done))

    def _refuse(self, approval_id: str, reason: str) -> None:
        asked = self.queue.first
        if asked is not None and asked.id == approval_id:
            self.dialog.set_answering(True)
            self._controls.refuse(asked, reason, lambda done: self._answered(asked, done))

    def _answered(self, asked: ApprovalAsked, ended: bool) -> None:
        """An answer came through; where it failed the request can be answered again until it lapses."""
        if ended:
            self.queue.end(asked.id)
        elif asked.id == self._shown:
            self.dialog.set_answering(False)
        self.tick()
