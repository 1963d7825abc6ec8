"""Language, quotes, budget, debate and approvals; and the way to real money."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QPushButton,
    QWidget,
)

from vnpy_aiagent.config import Settings
from vnpy_aiagent.data.quote_gateway import QuoteGateway
from vnpy_aiagent.ui.theme import GAIN, MUTED
from vnpy_aiagent.ui.topbar import MODES
from vnpy_aiagent.ui.words import Words

MAX_COST = 1_000_000.0
APPROVALS = {"all": "所有委托都要人工确认", "entries": "只有开仓要人工确认", "none": "不需要人工确认"}


class GeneralPage(QWidget):
    """The rest of what is often changed. `gateways` are those loaded in VeighNa (None: not known here)."""

    live_asked = Signal()

    def __init__(self, words: Words, settings: Settings, gateways: tuple[str, ...] | None = None) -> None:
        """Show what is set."""
        super().__init__()
        self._words, self._settings, self._gateways = words, settings, gateways
        self.language = QComboBox()
        for title, code in ((words("跟随系统"), "auto"), ("中文", "zh"), ("English", "en")):
            self.language.addItem(title, code)
        self.language.setCurrentIndex(self.language.findData(settings.language))
        self.quotes = QComboBox()
        self.quotes.setEditable(True)
        own = QuoteGateway.default_name
        for name in dict.fromkeys(("", own, *(gateways or ()), settings.quote_gateway)):
            self.quotes.addItem(name)
        self.quotes.setCurrentText(settings.quote_gateway)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setStyleSheet(f"color: {GAIN};")
        self.cost = QDoubleSpinBox()
        self.cost.setRange(0, MAX_COST)
        self.cost.setValue(float(settings.budget.cost_per_day))
        self.debate = QCheckBox(words("决策前由激进、保守、裁判三方辩论"))
        self.debate.setChecked(settings.brain.debate)
        self.approvals = QComboBox()
        for code, title in APPROVALS.items():
            self.approvals.addItem(words(title), code)
        self.approvals.setCurrentIndex(self.approvals.findData(settings.approvals))
        self.live = QPushButton(words("实盘准备…"))
        self.live.clicked.connect(self.live_asked)
        self._lay_out()

    def check(self) -> bool:
        """Whether the quotes' gateway is one; an unknown one is said beside it."""
        name = self._quotes()
        known = self._gateways is None or name in ("", QuoteGateway.default_name, *self._gateways)
        good = known or name == self._settings.quote_gateway
        sentence = self._words(
            "没有叫 {gateway} 的行情接口；请在 VeighNa 里加载它，或选 {own}（免费行情）。",
            gateway=name,
            own=QuoteGateway.default_name,
        )
        self.problem.setText("" if good else sentence)
        self.problem.setVisible(not good)
        return good

    def changes(self, values: dict[str, Any]) -> dict[str, Any]:
        """Parts to write that differ from what is set; `values` are the file's own."""
        found: dict[str, Any] = {}
        settings = self._settings
        if self.language.currentData() != settings.language:
            found["language"] = self.language.currentData()
        if self._quotes() != settings.quote_gateway:
            found["quote_gateway"] = self._quotes()
        if self.cost.value() != float(settings.budget.cost_per_day):
            found["budget"] = {**values.get("budget", {}), "cost_per_day": f"{self.cost.value():.2f}"}
        if self.debate.isChecked() != settings.brain.debate:
            found["brain"] = {**values.get("brain", {}), "debate": self.debate.isChecked()}
        if self.approvals.currentData() != settings.approvals:
            found["approvals"] = self.approvals.currentData()
        return found

    def _quotes(self) -> str:
        return self.quotes.currentText().strip()

    def _lay_out(self) -> None:
        words = self._words
        quotes_note, live_note = (
            _note(words("QUOTE 是免费快照行情，不需要券商账户；或选已加载的接口，如 CTP、XTP。")),
            _note(words("检查环境、确认程序化交易报告、设定资金上限和允许的标的，写入设置文件。")),
        )
        approvals_note = _note(words("保护性止损从不等待确认；确认单 60 秒后失效。"))
        form = QFormLayout(self)
        form.addRow(words("模式"), QLabel(words(MODES[self._settings.mode][0])))
        form.addRow(words("界面语言"), self.language)
        form.addRow(words("行情接口"), self.quotes)
        form.addRow("", quotes_note)
        form.addRow("", self.problem)
        form.addRow(words("每日模型费用上限（元）"), self.cost)
        form.addRow(words("辩论"), self.debate)
        form.addRow(words("委托确认"), self.approvals)
        form.addRow("", approvals_note)
        form.addRow(words("实盘"), self.live)
        form.addRow("", live_note)
        self.problem.hide()


def _note(text: str) -> QLabel:
    note = QLabel(text)
    note.setWordWrap(True)
    note.setStyleSheet(f"color: {MUTED};")
    return note
