"""Language, quotes, budget and debate. The mode is shown; going live is written into the file by hand."""

from typing import Any

from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFormLayout, QLabel, QLineEdit, QWidget

from vnpy_aiagent.config import Settings
from vnpy_aiagent.ui.theme import MUTED
from vnpy_aiagent.ui.topbar import MODES
from vnpy_aiagent.ui.words import Words

MAX_COST = 1_000_000.0


class GeneralPage(QWidget):
    """The rest of what is often changed."""

    def __init__(self, words: Words, settings: Settings, gateways: tuple[str, ...] = ()) -> None:
        """Show what is set."""
        super().__init__()
        self._settings = settings
        self.language = QComboBox()
        for title, code in ((words("跟随系统"), "auto"), ("中文", "zh"), ("English", "en")):
            self.language.addItem(title, code)
        self.language.setCurrentIndex(self.language.findData(settings.language))
        self.quotes = QLineEdit(settings.quote_gateway)
        self.quotes.setPlaceholderText(words("已连接的行情接口名，例如 CTP 或 XTP"))
        self.cost = QDoubleSpinBox()
        self.cost.setRange(0, MAX_COST)
        self.cost.setValue(float(settings.budget.cost_per_day))
        self.debate = QCheckBox(words("决策前由激进、保守、裁判三方辩论"))
        self.debate.setChecked(settings.brain.debate)
        note = QLabel(
            words("实盘只能在配置文件里写明 mode: LIVE 和 live 一节（资金上限、允许的标的），这里不能打开。")
        )
        note.setWordWrap(True)
        note.setStyleSheet(f"color: {MUTED};")
        form = QFormLayout(self)
        form.addRow(words("模式"), QLabel(words(MODES[settings.mode][0])))
        form.addRow("", note)
        form.addRow(words("界面语言"), self.language)
        form.addRow(words("行情接口"), self.quotes)
        form.addRow(words("每日模型费用上限（元）"), self.cost)
        form.addRow(words("辩论"), self.debate)

    def changes(self, values: dict[str, Any]) -> dict[str, Any]:
        """Parts to write that differ from what is set; `values` are the file's own."""
        found: dict[str, Any] = {}
        settings = self._settings
        if self.language.currentData() != settings.language:
            found["language"] = self.language.currentData()
        if self.quotes.text().strip() != settings.quote_gateway:
            found["quote_gateway"] = self.quotes.text().strip()
        if self.cost.value() != float(settings.budget.cost_per_day):
            found["budget"] = {**values.get("budget", {}), "cost_per_day": f"{self.cost.value():.2f}"}
        if self.debate.isChecked() != settings.brain.debate:
            found["brain"] = {**values.get("brain", {}), "debate": self.debate.isChecked()}
        return found
