"""Choose the managed positions that people take out of the AI's hands."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from vnpy_aiagent.ui.snapshot import PositionRow
from vnpy_aiagent.ui.theme import CAUTION, paint_button
from vnpy_aiagent.ui.words import Words


class TakeOverDialog(QDialog):
    """The AI's positions with a tick each, and what taking over means."""

    def __init__(
        self, parent: QWidget, words: Words, rows: Sequence[PositionRow], chosen: PositionRow | None
    ) -> None:
        """`rows` are offered; `chosen` is ticked at the beginning, and a single one always is."""
        super().__init__(parent)
        self._rows = rows
        self.setWindowTitle(words("人工接管"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        label = QLabel(
            words(
                "接管之后 AI 不再管理所选持仓：撤销它的在途委托、触发和保护性止损，买卖由您负责；"
                "它仍计入仓位。随时可以在持仓表里交还。"
            )
            if rows
            else words("AI 现在没有管理任何持仓，没有可以接管的。")
        )
        label.setWordWrap(True)
        label.setMinimumWidth(520)
        self.list = QListWidget()
        self.list.itemChanged.connect(self._refresh)
        self.do_it = paint_button(QPushButton(words("接管所选")), CAUTION)
        self.do_it.setAutoDefault(False)
        self.cancel = QPushButton(words("取消"))
        self.cancel.setDefault(True)
        for row in rows:
            item = QListWidgetItem(_line(row, words), self.list)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
            ticked = len(rows) == 1 or (chosen is not None and chosen.key == row.key)
            item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
        buttons = QDialogButtonBox()
        buttons.addButton(self.do_it, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(self.cancel, QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (label, self.list, buttons):
            layout.addWidget(widget)
        self._refresh()

    def ask(self, then: Callable[[list[PositionRow]], object]) -> None:
        """Show it; `then` gets the ticked positions when it is accepted."""
        self.accepted.connect(lambda: then(self.ticked()))
        self.open()

    def ticked(self) -> list[PositionRow]:
        """What is ticked now."""
        states = (self.list.item(number).checkState() for number in range(self.list.count()))
        return [row for row, state in zip(self._rows, states, strict=True) if state is Qt.CheckState.Checked]

    def _refresh(self) -> None:
        full = self.list.count() == len(self._rows)
        self.do_it.setEnabled(full and bool(self.ticked()))


def _line(row: PositionRow, words: Words) -> str:
    stop = words("止损 {price}", price=row.stop) if row.stop is not None else words("没有止损")
    volume = words("{volume} 股", volume=f"{row.managed:,}")
    return "  ".join((row.account, row.symbol, row.name, volume, stop))
