"""What models say at this moment, a line a symbol: the role and its last words, which came from outside."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from vnpy_aiagent.domain import Thinking
from vnpy_aiagent.ui.theme import MUTED
from vnpy_aiagent.ui.words import Words

MAX_LINES = 4
SPEAKERS = ("aggressive", "conservative", "judge")


class ThinkingLines(QWidget):
    """Hidden while no model writes. Of more decisions than lines it says how many more there are."""

    def __init__(self, words: Words) -> None:
        """Begin hidden."""
        super().__init__()
        self._words = words
        self._now: dict[str, Thinking] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 0)
        layout.setSpacing(0)
        self.lines = [QLabel() for _ in range(MAX_LINES)]
        self.more = QLabel()
        for label in (*self.lines, self.more):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setStyleSheet(f"color: {MUTED};")
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            layout.addWidget(label)
        self._show()

    def take(self, thinking: Thinking) -> None:
        """The newest words of a decision; none once it is made."""
        if thinking.words:
            self._now[thinking.request_id] = thinking
        else:
            self._now.pop(thinking.request_id, None)
        self._show()

    def clear(self) -> None:
        """Nobody thinks any more."""
        self._now.clear()
        self._show()

    def _show(self) -> None:
        shown = list(self._now.values())[:MAX_LINES]
        for place, label in enumerate(self.lines):
            label.setVisible(place < len(shown))
            label.setText(self._line(shown[place]) if place < len(shown) else "")
        more = len(self._now) - len(shown)
        self.more.setVisible(more > 0)
        self.more.setText(self._words("另有 {count} 个决策正在思考", count=more) if more > 0 else "")
        self.setVisible(bool(shown))

    def _line(self, thinking: Thinking) -> str:
        role = thinking.role
        return self._words(
            "正在思考：{symbol} {role} …{words}",
            symbol=thinking.symbol,
            role=self._words.label(role.upper() if role in SPEAKERS else role),
            words=thinking.words,
        )
