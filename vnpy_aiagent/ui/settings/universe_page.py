"""The universe: symbols in any notation, one by one or from a CSV file; codes with two meanings are asked."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from vnpy_aiagent.ui.background import Background
from vnpy_aiagent.ui.explain import explain
from vnpy_aiagent.ui.settings.universe import Found, choices, parse_text, read_csv
from vnpy_aiagent.ui.theme import GAIN, MUTED
from vnpy_aiagent.ui.words import Words

SHOWN_WORDS = 5


class UniversePage(QWidget):
    """The part `universe` of the settings."""

    def __init__(self, words: Words, symbols: tuple[str, ...], background: Background) -> None:
        """Show what is set."""
        super().__init__()
        self._words, self._background, self._original = words, background, symbols
        self.list = QListWidget()
        self.list.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.list.addItems(list(symbols))
        self.entry = QLineEdit()
        self.entry.setPlaceholderText(words("600519、sh600519、600519.SH、510300.SSE…，可一次多个"))
        self.add, self.load = QPushButton(words("添加")), QPushButton(words("导入CSV"))
        self.remove = QPushButton(words("删除所选"))
        self.news = QLabel(words("改动在下次启动时生效；新标的还需要导入日线。"))
        self.news.setWordWrap(True)
        self.news.setTextFormat(Qt.TextFormat.PlainText)
        self.news.setStyleSheet(f"color: {MUTED};")
        self.entry.returnPressed.connect(self.add_typed)
        self.add.clicked.connect(self.add_typed)
        self.load.clicked.connect(self._choose_file)
        self.remove.clicked.connect(self._remove_selected)
        self._lay_out()

    def symbols(self) -> list[str]:
        """What the list holds, in order."""
        return [self.list.item(row).text() for row in range(self.list.count())]

    def changes(self) -> list[str] | None:
        """The universe to write, None where it is as it was."""
        return None if tuple(self.symbols()) == self._original else self.symbols()

    def add_typed(self) -> None:
        """Add what the line holds; what is no symbol stays in it."""
        found = parse_text(self.entry.text())
        self.entry.setText(" ".join(found.refused))
        self.take(found)

    def import_file(self, path: Path) -> None:
        """Add a file's symbols, read off the GUI thread."""
        self._background.run(lambda: read_csv(path), self.take, self._failed)

    def take(self, found: Found) -> None:
        """Add symbols, ask about the ambiguous, name what was refused."""
        added = self._add(found.symbols)
        words = self._words
        if found.refused:
            named = "、".join(found.refused[:SHOWN_WORDS])
            self._say(
                words(
                    "添加了 {added} 个；{refused} 个看不懂（{named}），请写成 600519.SSE 这样再添加",
                    added=added,
                    refused=len(found.refused),
                    named=named,
                ),
                GAIN,
            )
        else:
            self._say(words("添加了 {added} 个标的", added=added), MUTED)
        if found.ambiguous:
            self._ask(found.ambiguous)

    def _add(self, symbols: tuple[str, ...]) -> int:
        known = set(self.symbols())
        fresh = [symbol for symbol in symbols if symbol not in known]
        self.list.addItems(fresh)
        return len(fresh)

    def _ask(self, codes: tuple[str, ...]) -> None:
        words = self._words
        named = "、".join(codes[:SHOWN_WORDS])
        text = words("{codes} 在深市是股票，在沪市是指数。要加哪一个？", codes=named)
        box = QMessageBox(QMessageBox.Icon.Question, words("代码不唯一"), text, parent=self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for title, place in ((words("深市股票"), 0), (words("沪市指数"), 1)):
            button = box.addButton(title, QMessageBox.ButtonRole.AcceptRole)
            button.clicked.connect(self._adder(codes, place))
        box.addButton(words("都不加"), QMessageBox.ButtonRole.RejectRole)
        box.open()

    def _adder(self, codes: tuple[str, ...], place: int) -> Callable[[], None]:
        def add() -> None:
            added = self._add(tuple(choices(code)[place] for code in codes))
            self._say(self._words("添加了 {added} 个标的", added=added), MUTED)

        return add

    def _choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, self._words("选择CSV文件"), "", "CSV (*.csv *.txt);;* (*)"
        )
        if path:
            self.import_file(Path(path))

    def _failed(self, error: Exception) -> None:
        self._say(explain(error, self._words), GAIN)

    def _remove_selected(self) -> None:
        for item in self.list.selectedItems():
            self.list.takeItem(self.list.row(item))

    def _say(self, sentence: str, colour: str) -> None:
        self.news.setText(sentence)
        self.news.setStyleSheet(f"color: {colour};")

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.addWidget(self.entry, 1)
        line.addWidget(self.add)
        line.addWidget(self.load)
        line.addWidget(self.remove)
        layout = QVBoxLayout(self)
        layout.addLayout(line)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.news)
