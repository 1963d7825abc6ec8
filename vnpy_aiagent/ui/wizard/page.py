"""What all pages of the wizard share."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWizardPage

from vnpy_aiagent.ui.theme import CAUTION, MUTED
from vnpy_aiagent.ui.words import Words
from vnpy_aiagent.wiring import LIVE_REFUSAL


class Page(QWizardPage):
    """A page with a title, and a sentence that says what it is for."""

    def __init__(self, words: Words, title: str, purpose: str) -> None:
        """Both in the user's language already."""
        super().__init__()
        self.words = words
        heading = QLabel(title)
        heading.setStyleSheet("font-size: 15pt; font-weight: bold;")
        self.column = QVBoxLayout(self)
        self.column.addWidget(heading)
        self.column.addWidget(text_line(purpose, MUTED))


def text_line(text: str, colour: str = "") -> QLabel:
    """Plain text that wraps."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    if colour:
        label.setStyleSheet(f"color: {colour};")
    return label


def live_is_refused() -> bool:
    """Whether this version's engine does not start in mode LIVE."""
    return bool(LIVE_REFUSAL)


def refusal_line(words: Words) -> QLabel:
    """Says plainly that real orders are not possible yet; hidden once they are."""
    sentence = words(
        "此版本还不能实盘下单：与券商核对持仓和资金的功能尚未完成，引擎会拒绝以实盘模式启动。"
        "本向导只检查条件并写好 live 一节设置，运行模式保持为模拟。"
    )
    label = text_line(sentence)
    label.setStyleSheet(
        f"background-color: {CAUTION}; color: white; padding: 8px; border-radius: 4px; font-weight: bold;"
    )
    label.setVisible(live_is_refused())
    return label
