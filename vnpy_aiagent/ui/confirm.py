"""Questions before what cannot be taken back, and sentences that must be seen. None blocks the loop."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from vnpy_aiagent.ui.theme import paint_button
from vnpy_aiagent.ui.words import Words


class ConfirmDialog(QDialog):
    """What will happen, an optional reason, and two buttons; the safe one is the default."""

    def __init__(
        self,
        parent: QWidget,
        title: str,
        text: str,
        action: str,
        words: Words,
        colour: str,
        *,
        reason: str | None = None,
    ) -> None:
        """`action` names the button that does it; `reason` (not None) asks for one and proposes it."""
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        label = QLabel(text)
        label.setWordWrap(True)
        label.setMinimumWidth(420)
        self.reason = QLineEdit(reason or "")
        self.reason.setMaxLength(200)
        self.do_it = paint_button(QPushButton(action), colour)
        self.do_it.setAutoDefault(False)
        self.cancel = QPushButton(words("取消"))
        self.cancel.setDefault(True)
        buttons = QDialogButtonBox()
        buttons.addButton(self.do_it, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(self.cancel, QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(label)
        if reason is not None:
            layout.addWidget(QLabel(words("原因（写入日志）")))
            layout.addWidget(self.reason)
        layout.addWidget(buttons)

    def ask(self, then: Callable[[str], object]) -> None:
        """Show it; `then` gets the reason when it is accepted."""
        self.accepted.connect(lambda: then(self.reason.text().strip()))
        self.open()


def tell(
    parent: QWidget, title: str, text: str, icon: QMessageBox.Icon = QMessageBox.Icon.Warning
) -> QMessageBox:
    """One sentence in a box that does not stop the loop."""
    box = QMessageBox(icon, title, text, QMessageBox.StandardButton.Ok, parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.open()
    return box
