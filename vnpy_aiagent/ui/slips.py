"""Orders for people to place by hand, each as a line that can be copied."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from vnpy_aiagent.domain import ManualSlip, Side
from vnpy_aiagent.report.numbers import money
from vnpy_aiagent.ui.rows import Column, RowsModel, table_of
from vnpy_aiagent.ui.theme import ACCENT, GAIN, LOSS, MUTED, paint_button
from vnpy_aiagent.ui.words import Words


class SlipDialog(QDialog):
    """The slips, newest first. It does not block the window."""

    def __init__(self, parent: QWidget, words: Words) -> None:
        """Begin hidden and empty."""
        super().__init__(parent)
        self._words = words
        self.setModal(False)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setWindowTitle(words("手工下单单据"))
        self.resize(860, 300)
        hint = QLabel(words("程序没有发出这些委托。请在券商软件里自己下单，下单前核对现价和可用资金。"))
        hint.setWordWrap(True)
        self.model = RowsModel(
            slip_columns(words), lambda row: row.id, newest_first=True, limit=1_000, parent=self
        )
        self.table = table_of(self.model, (110, 105, 60, 90, 90, 120, 130))
        self.news = QLabel()
        self.news.setStyleSheet(f"color: {MUTED};")
        self.copy = paint_button(QPushButton(words("复制所选")), ACCENT)
        self.copy_all = QPushButton(words("全部复制"))
        self.copy.clicked.connect(self._copy_chosen)
        self.copy_all.clicked.connect(self._copy_all)
        buttons = QHBoxLayout()
        buttons.addWidget(self.news, 1)
        buttons.addWidget(self.copy_all)
        buttons.addWidget(self.copy)
        layout = QVBoxLayout(self)
        layout.addWidget(hint)
        layout.addWidget(self.table, 1)
        layout.addLayout(buttons)

    def add(self, slips: Sequence[ManualSlip]) -> bool:
        """Show these too; whether one of them is new."""
        new = any(self.model.find(slip.id) is None for slip in slips)
        if new:
            self.model.append(slips)
            self.table.selectRow(0)
        return new

    def _copy_chosen(self) -> None:
        chosen = [self.model.row_at(index.row()) for index in self.table.selectionModel().selectedRows()]
        self._put(chosen)

    def _copy_all(self) -> None:
        self._put([self.model.row_at(number) for number in range(self.model.rowCount())])

    def _put(self, slips: Sequence[ManualSlip]) -> None:
        QGuiApplication.clipboard().setText("\n".join(slip_text(slip, self._words) for slip in slips))
        self.news.setText(self._words("已复制 {count} 条", count=len(slips)))


def slip_text(slip: ManualSlip, words: Words) -> str:
    """A slip as one line for people."""
    return words(
        "{side} {symbol} {volume} 股，限价 {price} 元，金额 {amount} 元"
        "（账户 {account}，接口 {gateway}）：{reason}",
        side=words.label(slip.side),
        symbol=slip.symbol,
        volume=slip.volume,
        price=slip.price,
        amount=money(slip.price * slip.volume),
        account=slip.account,
        gateway=slip.gateway,
        reason=words.show(slip.reason),
    )


def slip_columns(words: Words) -> list[Column[ManualSlip]]:
    """Columns of the slips' table; volumes in shares, prices and amounts in CNY."""
    return [
        Column(words("账户"), lambda row: row.account),
        Column(words("代码"), lambda row: row.symbol),
        Column(
            words("方向"),
            lambda row: words.label(row.side),
            colour=lambda row: GAIN if row.side is Side.BUY else LOSS,
        ),
        Column(words("数量"), lambda row: f"{row.volume:,}", number=True),
        Column(words("价格"), lambda row: str(row.price), number=True),
        Column(words("金额"), lambda row: money(row.price * row.volume), number=True),
        Column(words("接口"), lambda row: row.gateway),
        Column(words("理由"), lambda row: words.show(row.reason), stretch=True),
    ]
