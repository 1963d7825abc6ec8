"""Asks for one price in CNY. What is no number is said here, what the market forbids by the engine."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from vnpy_aiagent.ui.theme import CAUTION, GAIN, paint_button
from vnpy_aiagent.ui.words import Words


class PriceDialog(QDialog):
    """What will happen, a price, and two buttons. An empty price is taken where it is `optional`."""

    def __init__(
        self,
        parent: QWidget,
        title: str,
        text: str,
        action: str,
        words: Words,
        price: Decimal | None,
        *,
        optional: bool = False,
    ) -> None:
        """`price` is proposed; `action` names the button that does it."""
        super().__init__(parent)
        self._words, self._optional = words, optional
        self._then: Callable[[Decimal | None], object] = _ignore
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        label = QLabel(text)
        label.setWordWrap(True)
        label.setMinimumWidth(420)
        self.price = QLineEdit("" if price is None else str(price))
        self.price.setMaxLength(20)
        self.price.selectAll()
        self.news = QLabel()
        self.news.setStyleSheet(f"color: {GAIN};")
        self.do_it = paint_button(QPushButton(action), CAUTION)
        self.do_it.setDefault(True)
        self.cancel = QPushButton(words("取消"))
        buttons = QDialogButtonBox()
        buttons.addButton(self.do_it, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.cancel, QDialogButtonBox.ButtonRole.RejectRole)
        self.do_it.clicked.connect(self._take)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (label, QLabel(words("价格（元）")), self.price, self.news, buttons):
            layout.addWidget(widget)

    def ask(self, then: Callable[[Decimal | None], object]) -> None:
        """Show it; `then` gets the price when it is accepted, None where none was given."""
        self._then = then
        self.open()
        self.price.setFocus()

    def _take(self) -> None:
        text = self.price.text().strip()
        if not text and self._optional:
            price = None
        else:
            price = _price(text)
            if price is None:
                self.news.setText(self._words("请输入大于零的数字，例如 10.25"))
                return
        self.accept()
        self._then(price)


def _price(text: str) -> Decimal | None:
    """The number in a text, None where it is none above zero."""
    try:
        price = Decimal(text)
    except InvalidOperation:
        return None
    return price if price.is_finite() and price > 0 else None


def _ignore(_: Decimal | None) -> None:
    """Nobody waits for the answer yet."""
