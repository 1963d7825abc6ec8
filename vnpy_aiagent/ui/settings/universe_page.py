"""The universe: symbols in any notation or by name, from CSV or an index; the automatic pool; the cap."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from vnpy_aiagent.config import AutoPool, Settings
from vnpy_aiagent.data.active_pool import known_names
from vnpy_aiagent.data.index_members import FILE_NAME as MEMBERS_FILE
from vnpy_aiagent.data.index_members import INDICES, Members, fetch_members
from vnpy_aiagent.data.name_list import FILE_NAME as NAMES_FILE
from vnpy_aiagent.data.name_list import NameList, fetch_name_list
from vnpy_aiagent.errors import DataError
from vnpy_aiagent.ui.background import Background
from vnpy_aiagent.ui.explain import explain
from vnpy_aiagent.ui.settings.universe import Found, choices, parse_text, read_csv
from vnpy_aiagent.ui.theme import GAIN, MUTED
from vnpy_aiagent.ui.words import Words

SHOWN_WORDS = 5
MAX_POOL, MAX_DECISIONS = 200, 10_000


class UniversePage(QWidget):
    """The parts `universe`, `auto_pool` and `budget.decisions_per_day`. `folder` holds the kept names."""

    def __init__(self, words: Words, settings: Settings, background: Background, folder: Path) -> None:
        """Show what is set."""
        super().__init__()
        self._words, self._background, self._settings, self._folder = words, background, settings, folder
        self._names: dict[str, str] = {}
        self.list = QListWidget()
        self.list.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.entry, self.refused = QLineEdit(), QPlainTextEdit()
        self.entry.setPlaceholderText(words("600519、sh600519、600519.SH、510300.SSE、贵州茅台…，可一次多个"))
        self.refused.setReadOnly(True)
        self.refused.setMaximumHeight(90)
        self.refused.hide()
        self.add, self.load = QPushButton(words("添加")), QPushButton(words("导入CSV"))
        self.remove = QPushButton(words("删除所选"))
        self.index, self.members = QComboBox(), QPushButton(words("加入成分股"))
        for code, title in INDICES.items():
            self.index.addItem(words(title), code)
        self.fetch_names = QPushButton(words("更新名称表"))
        self.fetch_names.setToolTip(words("取得全部A股的名称，之后可以直接填名称，自动股票池也从中挑选"))
        self.auto = QCheckBox(words("自动股票池：每个交易日盘前加入上一交易日成交额最大的"))
        self.auto.setChecked(settings.auto_pool is not None)
        self.pool_size, self.cap = QSpinBox(), QSpinBox()
        self.pool_size.setRange(1, MAX_POOL)
        self.pool_size.setValue((settings.auto_pool or AutoPool()).size)
        self.cap.setRange(1, MAX_DECISIONS)
        self.cap.setValue(settings.budget.decisions_per_day)
        restart = "改动在重启 VeighNa Trader 后生效；新标的缺少的日线在启动时下载（需要 akshare）。"
        self.news = QLabel(words(restart))
        self.news.setWordWrap(True)
        self.news.setTextFormat(Qt.TextFormat.PlainText)
        self.news.setStyleSheet(f"color: {MUTED};")
        self._read_names()
        self._add(settings.universe)
        self.entry.returnPressed.connect(self.add_typed)
        self.add.clicked.connect(self.add_typed)
        self.load.clicked.connect(self._choose_file)
        self.remove.clicked.connect(self._remove_selected)
        self.members.clicked.connect(self._fetch_members)
        self.fetch_names.clicked.connect(self._fetch_names)
        self.auto.toggled.connect(self.pool_size.setEnabled)
        self.pool_size.setEnabled(self.auto.isChecked())
        self._lay_out()

    def symbols(self) -> list[str]:
        """What the list holds, in order."""
        return [_symbol(self.list.item(row)) for row in range(self.list.count())]

    def changes(self, values: dict[str, Any]) -> dict[str, Any]:
        """Parts to write that differ from what is set; `values` are the file's own."""
        found: dict[str, Any] = {}
        settings = self._settings
        if tuple(self.symbols()) != settings.universe:
            found["universe"] = self.symbols()
        pool = AutoPool(size=self.pool_size.value()) if self.auto.isChecked() else None
        if pool != settings.auto_pool:
            found["auto_pool"] = None if pool is None else {"size": pool.size}
        if self.cap.value() != settings.budget.decisions_per_day:
            found["budget"] = {**values.get("budget", {}), "decisions_per_day": self.cap.value()}
        return found

    def add_typed(self) -> None:
        """Add what the line holds; what is no symbol stays in it."""
        found = parse_text(self.entry.text(), self._symbols_by_name())
        self.entry.setText(" ".join(each.text for each in found.refused))
        self.take(found)

    def import_file(self, path: Path) -> None:
        """Add a file's symbols, read off the GUI thread."""
        names = self._symbols_by_name()
        self._background.run(lambda: read_csv(path, names), self.take, self._failed)

    def take(self, found: Found) -> None:
        """Add symbols, ask about the ambiguous, list what was refused."""
        added = self._add(found.symbols)
        words = self._words
        lines = [
            each.text if each.line is None else words("第 {line} 行：{text}", line=each.line, text=each.text)
            for each in found.refused
        ]
        self.refused.setPlainText("\n".join(lines))
        self.refused.setVisible(bool(lines))
        if lines:
            sentence = words(
                "添加了 {added} 个；下面 {refused} 个看不懂，没有添加，请写成 600519.SSE 这样；"
                "用名称添加要先点“更新名称表”",
                added=added,
                refused=len(lines),
            )
            self._say(sentence, GAIN)
        else:
            self._say(words("添加了 {added} 个标的", added=added), MUTED)
        if found.ambiguous:
            self._ask(found.ambiguous)

    def _add(self, symbols: tuple[str, ...]) -> int:
        known = set(self.symbols())
        fresh = [symbol for symbol in symbols if symbol not in known]
        for symbol in fresh:
            item = QListWidgetItem(f"{symbol}  {self._names.get(symbol, '')}".rstrip())
            item.setData(Qt.ItemDataRole.UserRole, symbol)
            self.list.addItem(item)
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

    # names and indices

    def _fetch_members(self) -> None:
        code = str(self.index.currentData())
        self._wait(self.members)
        self._background.run(
            lambda: fetch_members(code, self._folder / MEMBERS_FILE), self._members_came, self._failed
        )

    def _members_came(self, members: Members) -> None:
        words = self._words
        self._ready()
        self._learn(members.names)
        added = self._add(tuple(sorted(members.names)))
        figures = {
            "index": words(INDICES[members.index]),
            "count": len(members.names),
            "day": members.day,
            "added": added,
        }
        if members.fresh:
            self._say(words("{index}成分股 {count} 只（{day}），添加了 {added} 个", **figures), MUTED)
        else:
            sentence = (
                "取不到最新的{index}成分股，用的是 {day} 保存的 {count} 只，添加了 {added} 个；请检查网络"
            )
            self._say(words(sentence, **figures), GAIN)

    def _fetch_names(self) -> None:
        self._wait(self.fetch_names)
        self._background.run(
            lambda: fetch_name_list(self._folder / NAMES_FILE), self._names_came, self._failed
        )

    def _names_came(self, found: NameList) -> None:
        self._ready()
        self._learn(found.names)
        self._say(
            self._words("名称表已更新：{count} 只（{day}）", count=len(found.names), day=found.day), MUTED
        )

    def _read_names(self) -> None:
        try:
            self._names = known_names(self._folder)
        except DataError as error:
            self._say(explain(error, self._words), GAIN)

    def _learn(self, names: Mapping[str, str]) -> None:
        self._names.update(names)
        for row in range(self.list.count()):
            item = self.list.item(row)
            item.setText(f"{_symbol(item)}  {self._names.get(_symbol(item), '')}".rstrip())

    def _symbols_by_name(self) -> dict[str, str]:
        return {name: symbol for symbol, name in self._names.items()}

    def _wait(self, button: QPushButton) -> None:
        button.setEnabled(False)
        self._say(self._words("正在取得…"), MUTED)

    def _ready(self) -> None:
        self.members.setEnabled(True)
        self.fetch_names.setEnabled(True)

    def _failed(self, error: Exception) -> None:
        self._ready()
        self._say(explain(error, self._words), GAIN)

    def _remove_selected(self) -> None:
        for item in self.list.selectedItems():
            self.list.takeItem(self.list.row(item))

    def _say(self, sentence: str, colour: str) -> None:
        self.news.setText(sentence)
        self.news.setStyleSheet(f"color: {colour};")

    def _lay_out(self) -> None:
        words = self._words
        typed, fetched, pool, cap = QHBoxLayout(), QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        typed.addWidget(self.entry, 1)
        for button in (self.add, self.load, self.remove):
            typed.addWidget(button)
        fetched.addWidget(QLabel(words("指数")))
        fetched.addWidget(self.index)
        fetched.addWidget(self.members)
        fetched.addStretch(1)
        fetched.addWidget(self.fetch_names)
        pool.addWidget(self.auto)
        pool.addWidget(self.pool_size)
        pool.addWidget(QLabel(words("只")))
        pool.addStretch(1)
        cap.addWidget(QLabel(words("每天最多分析")))
        cap.addWidget(self.cap)
        cap.addWidget(QLabel(words("次；到了上限不再找新的买入机会，持仓照常分析")))
        cap.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addLayout(typed)
        layout.addLayout(fetched)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.news)
        layout.addWidget(self.refused)
        layout.addLayout(pool)
        layout.addLayout(cap)


def _symbol(item: QListWidgetItem) -> str:
    return str(item.data(Qt.ItemDataRole.UserRole))
