"""The limits of one account: each with what it does to this account, checked as it is typed."""

from decimal import Decimal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QWidget

from vnpy_aiagent.config import RiskLimits
from vnpy_aiagent.ui.theme import GAIN, MUTED
from vnpy_aiagent.ui.words import Words

LIMITS: dict[str, tuple[str, str]] = {
    "max_weight_share": ("单只股票仓位上限 %", "一只股票最多买 {cny} 元"),
    "max_weight_fund": ("单只基金仓位上限 %", "一只基金最多买 {cny} 元"),
    "max_weight_futures": ("单个期货合约保证金上限 %", "一个期货合约的保证金最多 {cny} 元"),
    "max_margin": ("期货保证金总额上限 %", "全部期货持仓的保证金最多 {cny} 元"),
    "max_contracts": ("单个期货合约手数上限", "一个期货合约最多持有 {value} 手"),
    "max_exposure": ("总仓位上限 %", "全部持仓最多 {cny} 元，其余留作现金"),
    "max_positions": ("持仓只数上限", "已持有 {value} 只时不买新的"),
    "risk_per_trade": ("单笔风险 %", "打到止损时一笔最多亏 {cny} 元，买入数量按此缩小"),
    "min_confidence": ("最低把握 %", "把握低于 {value}% 的提案被拒绝"),
    "low_confidence_scale": ("低把握时仓位折扣 %", "把握低于 60% 时只买 {value}% 的数量"),
    "daily_loss": ("单日亏损上限 %", "当日亏到 {cny} 元后不再开仓"),
    "max_drawdown": ("最大回撤 %", "从最高点亏到 {cny} 元后不再开仓"),
    "max_stop_distance": ("止损最远 %", "止损比入场价低 {value}% 以上的提案被拒绝"),
    "min_stop_distance": ("止损最近 %", "止损离入场价不到 {value}% 的提案被拒绝"),
    "max_volume_share": ("占成交量上限 %", "一笔不超过近 20 日日均成交量的 {value}%"),
    "max_entries_per_day": ("每日开仓次数上限", "一天最多开仓 {value} 次"),
    "max_entry_premium": ("入场价高于现价的上限 %", "入场价比现价高 {value}% 以上时不追"),
}
COUNTS = {"max_positions": 1, "max_entries_per_day": 0, "max_contracts": 0}
"""Limits that are counts, with the least that is allowed."""
MAX_COUNT = 10_000
NOT_ABOVE = (
    ("min_stop_distance", "max_stop_distance", "止损最近必须小于止损最远"),
    ("max_weight_share", "max_exposure", "单只股票的上限不能大于总仓位上限"),
    ("daily_loss", "max_drawdown", "单日亏损上限不能大于最大回撤"),
)
"""Pairs of which the first may not exceed the second, and the sentence beside the first."""


class LimitsForm(QWidget):
    """A line for each limit: its name, its figure, and beside it the effect, or what is wrong with it."""

    edited = Signal()

    def __init__(self, words: Words) -> None:
        """Empty until `show_limits`."""
        super().__init__()
        self._words = words
        self._cash = Decimal(0)
        self.fields: dict[str, QLineEdit] = {}
        self.notes: dict[str, QLabel] = {}
        grid = QGridLayout(self)
        grid.setColumnStretch(2, 1)
        for row, (name, (title, _)) in enumerate(LIMITS.items()):
            field, note = QLineEdit(), QLabel()
            field.setFixedWidth(90)
            field.setAlignment(Qt.AlignmentFlag.AlignRight)
            note.setWordWrap(True)
            field.textEdited.connect(self._typed)
            self.fields[name], self.notes[name] = field, note
            grid.addWidget(QLabel(words(title)), row, 0)
            grid.addWidget(field, row, 1)
            grid.addWidget(note, row, 2)

    def show_limits(self, limits: RiskLimits, cash: Decimal) -> None:
        """Show limits; `cash` (CNY) is what their effects are shown in."""
        self._cash = cash
        for name, field in self.fields.items():
            value = getattr(limits, name)
            field.setText(str(value) if name in COUNTS else f"{value * 100:.4f}".rstrip("0").rstrip("."))
        self.check()

    def limits(self) -> RiskLimits | None:
        """What stands in the fields; None where a figure is wrong, and the sentence then stands beside it."""
        if not self.check():
            return None
        values = {
            name: int(field.text()) if name in COUNTS else round(float(field.text()) / 100, 6)
            for name, field in self.fields.items()
        }
        return RiskLimits.model_validate(values)

    def check(self) -> bool:
        """Judge every figure and write effects and complaints; whether all are right."""
        wrong = {name: self._wrong(name) for name in self.fields}
        for low, high, sentence in NOT_ABOVE:
            if not wrong[low] and not wrong[high]:
                one, other = float(self.fields[low].text()), float(self.fields[high].text())
                if one > other:
                    wrong[low] = self._words(sentence)
        for name, note in self.notes.items():
            note.setText(wrong[name] or self._effect(name))
            note.setStyleSheet(f"color: {GAIN if wrong[name] else MUTED};")
        return not any(wrong.values())

    def _wrong(self, name: str) -> str:
        text, words = self.fields[name].text().strip(), self._words
        if name in COUNTS:
            least = COUNTS[name]
            if text.isascii() and text.isdecimal() and least <= int(text) <= MAX_COUNT:
                return ""
            return words("应是 {least} 到 {most} 之间的整数", least=least, most=MAX_COUNT)
        try:
            good = 0 <= float(text) <= 100
        except ValueError:
            good = False
        return "" if good else words("应是 0 到 100 之间的数字，单位 %")

    def _effect(self, name: str) -> str:
        value = float(self.fields[name].text())
        cny = f"{float(self._cash) * value / 100:,.0f}"
        return self._words(LIMITS[name][1], cny=cny, value=f"{value:g}")

    def _typed(self) -> None:
        self.check()
        self.edited.emit()
