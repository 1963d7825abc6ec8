"""The pages on which a human decides: report made, capital, symbols, approvals."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QRadioButton,
)

from vnpy_aiagent.config import LiveSettings
from vnpy_aiagent.ui.theme import GAIN, MUTED
from vnpy_aiagent.ui.wizard.page import Page, text_line
from vnpy_aiagent.ui.words import Words

RULES = (
    "股票：个人也要先报告、后程序化交易。交易所自 2023-10-09 起要求报告；证监会规定自 2024-10-08 起施行，"
    "交易所实施细则自 2025-07-07 起施行。",
    "高频标准：单个账户每秒申报和撤单达到 300 笔，或一天达到 20,000 笔。"
    "本软件默认每秒最多 5 笔、每天最多 1,000 笔。",
    "期货：自 2025-10-09 起，由程序决定下单时机，或使用自己的软件，无论快慢，都要先报告。",
    "报告由你向券商或期货公司提交，内容和方式以其要求为准；本软件不能代你报告。",
)
APPROVALS = {
    "all": ("所有委托都由我确认", "每一笔开仓和减仓都先弹出确认单，60 秒不确认就作废；保护性止损从不等待。"),
    "entries": ("只有开仓由我确认", "卖出不再等待确认。"),
    "none": ("不需要我确认", "AI 的委托通过风控后直接发出。请在充分观察之后再选。"),
}


class ReportPage(Page):
    """Complete when the human says that program trading was reported."""

    def __init__(self, words: Words, *, reported: bool) -> None:
        """`reported` as the settings say."""
        super().__init__(words, words("2. 程序化交易报告"), words("在中国，程序化交易须先报告、后交易。"))
        for rule in RULES:
            self.column.addWidget(text_line(words(rule)))
        self.reported = QCheckBox(words("我已向券商（期货公司）完成程序化交易报告，并得到确认"))
        self.reported.setChecked(reported)
        self.reported.toggled.connect(self.completeChanged)
        self.column.addSpacing(12)
        self.column.addWidget(self.reported)
        self.column.addWidget(text_line(words("没有报告就不能继续。"), MUTED))
        self.column.addStretch(1)

    def isComplete(self) -> bool:  # noqa: N802 - Qt's name
        """Whether it was reported."""
        return self.reported.isChecked()


class CapitalPage(Page):
    """Complete with a limit above zero, in CNY."""

    def __init__(self, words: Words, limit: Decimal | None) -> None:
        """`limit` as the settings say."""
        purpose = words("AI 的全部实盘持仓和在途买单合计不会超过这个金额；超过的买单被拒绝或减少。")
        super().__init__(words, words("3. 资金上限"), purpose)
        self.limit = QLineEdit(f"{limit:f}" if limit else "")
        self.limit.setPlaceholderText("50000")
        self.limit.setMaximumWidth(220)
        self.problem = text_line("", GAIN)
        row = QHBoxLayout()
        row.addWidget(QLabel(words("资金上限（元）")))
        row.addWidget(self.limit)
        row.addStretch(1)
        self.column.addLayout(row)
        self.column.addWidget(self.problem)
        self.column.addWidget(text_line(words("建议从可以承受全部亏掉的小金额开始。"), MUTED))
        self.column.addStretch(1)
        self.limit.textChanged.connect(self._typed)

    def value(self) -> Decimal | None:
        """The limit, None where the text is none."""
        try:
            found = Decimal(self.limit.text().replace(",", "").replace("，", "").strip())
        except InvalidOperation:
            return None
        return found if found.is_finite() and found > 0 else None

    def isComplete(self) -> bool:  # noqa: N802 - Qt's name
        """Whether it is a limit."""
        return self.value() is not None

    def _typed(self) -> None:
        wrong = bool(self.limit.text().strip()) and self.value() is None
        self.problem.setText(self.words("资金上限应是大于 0 的数字，单位元。") if wrong else "")
        self.completeChanged.emit()


class AllowlistPage(Page):
    """Complete with at least one symbol."""

    def __init__(self, words: Words, symbols: Sequence[str], chosen: Sequence[str]) -> None:
        """`symbols` of the universe; `chosen` as the settings say."""
        purpose = words("只有勾选的标的可以用真实资金买入；其余的只在模拟里交易。")
        super().__init__(words, words("4. 允许的标的"), purpose)
        self.list = QListWidget()
        for symbol in dict.fromkeys((*symbols, *chosen)):
            item = QListWidgetItem(symbol)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if symbol in chosen else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        self.every = QPushButton(words("全选"))
        self.every.clicked.connect(self._check_all)
        self.list.itemChanged.connect(lambda _: self.completeChanged.emit())
        self.column.addWidget(self.list, 1)
        if not self.list.count():
            empty = words("股票池是空的：请先在“设置 → 股票池”里加入标的，再打开本向导。")
            self.column.addWidget(text_line(empty, GAIN))
        row = QHBoxLayout()
        row.addWidget(self.every)
        row.addStretch(1)
        self.column.addLayout(row)

    def chosen(self) -> list[str]:
        """The symbols that are checked."""
        items = (self.list.item(row) for row in range(self.list.count()))
        return [item.text() for item in items if item.checkState() is Qt.CheckState.Checked]

    def isComplete(self) -> bool:  # noqa: N802 - Qt's name
        """Whether any is checked."""
        return bool(self.chosen())

    def _check_all(self) -> None:
        for row in range(self.list.count()):
            self.list.item(row).setCheckState(Qt.CheckState.Checked)


class ApprovalPage(Page):
    """Which orders wait for a human; all by default."""

    def __init__(self, words: Words, live: LiveSettings | None) -> None:
        """As the settings say."""
        super().__init__(words, words("5. 委托确认"), words("哪些真实委托先由你确认。"))
        self.group = QButtonGroup(self)
        now = live.approvals if live else "all"
        for number, (code, (title, effect)) in enumerate(APPROVALS.items()):
            button = QRadioButton(words(title))
            button.setChecked(code == now)
            self.group.addButton(button, number)
            self.column.addWidget(button)
            note = text_line(words(effect), MUTED)
            note.setContentsMargins(26, 0, 0, 8)
            self.column.addWidget(note)
        self.column.addStretch(1)

    def level(self) -> str:
        """all, entries or none."""
        return list(APPROVALS)[self.group.checkedId()]
