"""Risk appetite: which accounts trade, with how much cash, within which limits."""

from typing import Any

from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from vnpy_aiagent.config import STYLE_LIMITS, AccountSettings, RiskLimits, default_accounts
from vnpy_aiagent.domain import Style
from vnpy_aiagent.ui.theme import MUTED
from vnpy_aiagent.ui.words import Words

LIMITS = {
    "max_weight_share": "单只股票仓位上限 %",
    "max_weight_fund": "单只基金仓位上限 %",
    "max_exposure": "总仓位上限 %",
    "max_positions": "持仓只数上限",
    "risk_per_trade": "单笔风险 %",
    "min_confidence": "最低把握 %",
    "low_confidence_scale": "低把握时仓位折扣 %",
    "daily_loss": "单日亏损上限 %",
    "max_drawdown": "最大回撤 %",
    "max_stop_distance": "止损最远 %",
    "min_stop_distance": "止损最近 %",
    "max_volume_share": "占成交量上限 %",
    "max_entries_per_day": "每日开仓次数上限",
}
APPETITES: tuple[tuple[str, tuple[Style, ...]], ...] = (
    ("保守", (Style.CONSERVATIVE,)),
    ("平衡", (Style.JUDGE,)),
    ("激进", (Style.AGGRESSIVE,)),
    ("三个账户并行比较", tuple(Style)),
)
MAX_CASH, MAX_COUNT = 10_000_000_000.0, 10_000


class RiskPage(QWidget):
    """The part `accounts` of the settings."""

    def __init__(self, words: Words, accounts: tuple[AccountSettings, ...]) -> None:
        """Show what is set."""
        super().__init__()
        self._words = words
        self._original = accounts
        self._known = {account.style: account for account in (*default_accounts(), *accounts)}
        self.accounts = list(accounts)
        self.appetite = QButtonGroup(self)
        self.account = QComboBox()
        self.cash = QDoubleSpinBox()
        self.cash.setRange(1, MAX_CASH)
        self.cash.setDecimals(2)
        self.cash.setGroupSeparatorShown(True)
        self.gateway = QLabel()
        self.fields: dict[str, QSpinBox | QDoubleSpinBox] = {}
        self.reset = QPushButton(words("恢复该风格的默认限额"))
        self._lay_out()
        self._shown = -1
        self._fill_accounts()
        self.account.currentIndexChanged.connect(self._show_account)
        self.appetite.idToggled.connect(self._appetite_chosen)
        self.reset.clicked.connect(self._reset_limits)

    def changes(self) -> list[dict[str, Any]] | None:
        """The accounts to write, None where they are as they were. ValidationError for a bad limit."""
        self._keep_shown()
        if tuple(self.accounts) == self._original:
            return None
        return [account.model_dump(mode="json", exclude_none=True) for account in self.accounts]

    def _appetite_chosen(self, number: int, on: bool) -> None:
        if not on or number >= len(APPETITES):
            return
        self._keep_shown()
        self._known |= {account.style: account for account in self.accounts}
        self.accounts = [self._known[style] for style in APPETITES[number][1]]
        self._fill_accounts()

    def _fill_accounts(self) -> None:
        self._shown = -1
        self.account.blockSignals(True)
        self.account.clear()
        for account in self.accounts:
            self.account.addItem(f"{account.name} · {self._words.label(account.style)}")
        self.account.blockSignals(False)
        styles = tuple(account.style for account in self.accounts)
        for number, (_, wanted) in enumerate(APPETITES):
            if sorted(styles) == sorted(wanted):
                self.appetite.button(number).setChecked(True)
        self._show_account(0)

    def _show_account(self, place: int) -> None:
        self._keep_shown()
        self._shown = place
        account = self.accounts[place]
        self.cash.setValue(float(account.cash))
        self.gateway.setText(account.gateway_name)
        self._show_limits(account.risk)

    def _show_limits(self, limits: RiskLimits) -> None:
        for name, field in self.fields.items():
            value = getattr(limits, name)
            if isinstance(field, QSpinBox):
                field.setValue(int(value))
            else:
                field.setValue(float(value) * 100)

    def _keep_shown(self) -> None:
        """Take what stands in the fields into the account that they show."""
        if self._shown < 0:
            return
        account = self.accounts[self._shown]
        values: dict[str, Any] = {}
        for name, field in self.fields.items():
            values[name] = field.value() if isinstance(field, QSpinBox) else round(field.value() / 100, 6)
        limits = RiskLimits(**values)
        own = None if limits == STYLE_LIMITS[account.style] else limits
        cash = account.cash if self.cash.value() == float(account.cash) else f"{self.cash.value():.2f}"
        plain = account.model_dump() | {"limits": own, "cash": cash}
        self.accounts[self._shown] = AccountSettings.model_validate(plain)

    def _reset_limits(self) -> None:
        self._show_limits(STYLE_LIMITS[self.accounts[self._shown].style])

    def _lay_out(self) -> None:
        words = self._words
        radios = QHBoxLayout()
        for number, (name, _) in enumerate(APPETITES):
            radio = QRadioButton(words(name))
            self.appetite.addButton(radio, number)
            radios.addWidget(radio)
        radios.addStretch(1)
        note = QLabel(words("去掉一个账户前请先清仓：没有账户的持仓无人看管。"))
        note.setStyleSheet(f"color: {MUTED};")
        form = QFormLayout()
        form.addRow(words("账户"), self.account)
        form.addRow(words("模拟资金（元）"), self.cash)
        form.addRow(words("接口"), self.gateway)
        limits = QFormLayout()
        for name, title in LIMITS.items():
            self.fields[name] = _field(name)
            limits.addRow(words(title), self.fields[name])
        box = QGroupBox(words("该账户的限额"))
        box.setLayout(limits)
        scroll = QScrollArea()
        scroll.setWidget(box)
        scroll.setWidgetResizable(True)
        layout = QVBoxLayout(self)
        layout.addLayout(radios)
        layout.addWidget(note)
        layout.addLayout(form)
        layout.addWidget(scroll, 1)
        layout.addWidget(self.reset)


def _field(name: str) -> QSpinBox | QDoubleSpinBox:
    """A ratio as percent, or a count."""
    if RiskLimits.model_fields[name].annotation is int:
        count = QSpinBox()
        count.setRange(0 if name == "max_entries_per_day" else 1, MAX_COUNT)
        return count
    ratio = QDoubleSpinBox()
    ratio.setRange(0, 100)
    ratio.setDecimals(2)
    return ratio
