"""Accounts: which trade, in which style, with how much cash, where, and within which limits."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QComboBox,
    QGroupBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QTableWidget,
    QVBoxLayout,
    QWidget,
)

from vnpy_aiagent.config import STYLE_LIMITS, AccountSettings, RiskLimits, default_accounts
from vnpy_aiagent.domain import Route, Style
from vnpy_aiagent.ui.settings.limits_form import LimitsForm
from vnpy_aiagent.ui.theme import GAIN, MUTED
from vnpy_aiagent.ui.words import Words

APPETITES: tuple[tuple[str, Style | None], ...] = (
    ("保守", Style.CONSERVATIVE),
    ("平衡", Style.JUDGE),
    ("激进", Style.AGGRESSIVE),
    ("各账户按自己的风格", None),
)
ROUTES = {Route.DIRECT: "直连", Route.CTA: "CTA策略"}
NAME, STYLE, CASH, GATEWAY, ROUTE = range(5)
GOOD_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")


class AccountsPage(QWidget):
    """The part `accounts` of the settings. `gateways` are those loaded in VeighNa (None: not known here)."""

    def __init__(
        self, words: Words, accounts: tuple[AccountSettings, ...], gateways: tuple[str, ...] | None = None
    ) -> None:
        """Show what is set."""
        super().__init__()
        self._words, self._gateways = words, gateways
        self._original = accounts
        self._known_before = {account.gateway for account in accounts}
        self._limits: list[RiskLimits | None] = []
        self._shown = -1
        self.appetite = QButtonGroup(self)
        self.table = QTableWidget(0, 5)
        self.add, self.remove = QPushButton(words("增加")), QPushButton(words("删除"))
        self.default = QPushButton(words("恢复三个默认账户"))
        self.problem, self.note = QLabel(), QLabel()
        self.box = QGroupBox()
        self.form = LimitsForm(words)
        self._lay_out()
        self._fill(accounts)
        self.table.currentCellChanged.connect(lambda row, *_: self._show(row))
        self.appetite.idClicked.connect(self._appetite_chosen)
        self.add.clicked.connect(self._add_new)
        self.remove.clicked.connect(self._remove_current)
        self.default.clicked.connect(lambda: self._fill(default_accounts()))
        self.form.edited.connect(self._limits_edited)

    @property
    def fields(self) -> dict[str, QLineEdit]:
        """The limits of the account that is shown."""
        return self.form.fields

    def check(self) -> bool:
        """Whether everything can be saved; what is wrong is said beside it, and its account is shown."""
        words, names = self._words, [self._name(row) for row in range(self.table.rowCount())]
        wrong = "" if names else words("至少要有一个账户。")
        for row, name in enumerate(names):
            gateway = self._gateway(row)
            if not GOOD_NAME.fullmatch(name):
                wrong = words("账户名“{name}”不对：小写字母开头，只用小写字母、数字、- 和 _。").format(
                    name=name
                )
            elif names.count(name) > 1:
                wrong = words("两个账户都叫“{name}”，请改一个。").format(name=name)
            elif self._cash(row) is None:
                wrong = words("账户 {name} 的资金应是大于 0 的数字。").format(name=name)
            elif self._unknown(gateway):
                wrong = words(
                    "账户 {name} 的接口 {gateway} 没有加载；请在 VeighNa 里加载它，或改用模拟。",
                    name=name,
                    gateway=gateway,
                )
            if wrong:
                self.table.selectRow(row)
                break
        self.problem.setText(wrong)
        self.problem.setVisible(bool(wrong))
        return self._limits_fit() and not wrong

    def changes(self) -> list[dict[str, Any]] | None:
        """The accounts to write, None where they are as they were. To be called after `check`."""
        found = tuple(self.account(row) for row in range(self.table.rowCount()))
        if found == self._original:
            return None
        return [account.model_dump(mode="json", exclude_defaults=True) for account in found]

    def account(self, row: int) -> AccountSettings:
        """One account as it stands. ValidationError where it is wrong."""
        style, route = self._combo(row, STYLE).currentData(), self._combo(row, ROUTE).currentData()
        return AccountSettings(
            name=self._name(row),
            style=style,
            gateway=self._gateway(row),
            cash=self._cash(row) or Decimal(0),
            route=route,
            limits=self._limits[row],
        )

    # the table

    def _fill(self, accounts: tuple[AccountSettings, ...]) -> None:
        self._shown = -1
        self._limits = []
        self.table.setRowCount(0)
        for account in accounts:
            self._append(account)
        self.table.selectRow(0)
        self._show(0)
        self._mark_appetite()

    def _append(self, account: AccountSettings) -> None:
        words, row = self._words, self.table.rowCount()
        self._limits.append(account.limits)
        self.table.insertRow(row)
        name, cash = QLineEdit(account.name), QLineEdit(f"{account.cash:,.2f}")
        cash.setAlignment(Qt.AlignmentFlag.AlignRight)
        style, gateway, route = QComboBox(), QComboBox(), QComboBox()
        for each in Style:
            style.addItem(words.label(each), each)
        style.setCurrentIndex(style.findData(account.style))
        gateway.addItem(words("模拟交易所"), "")
        for known in dict.fromkeys((*(self._gateways or ()), account.gateway)):
            if known:
                gateway.addItem(known, known)
        gateway.setCurrentIndex(gateway.findData(account.gateway))
        for way, title in ROUTES.items():
            route.addItem(words(title), way)
        route.setCurrentIndex(route.findData(account.route))
        for column, widget in enumerate((name, style, cash, gateway, route)):
            self.table.setCellWidget(row, column, widget)
        for box in (style, gateway, route):
            box.activated.connect(lambda _, box=box: self._entered(box))
        for edit in (name, cash):
            edit.textEdited.connect(lambda _, edit=edit: self._entered(edit))
        for column in range(ROUTE + 1):
            self.table.cellWidget(row, column).installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """The row whose field is entered becomes the shown one."""
        if event.type() == QEvent.Type.FocusIn:
            row = self._row_of(watched)
            if row >= 0:
                self.table.selectRow(row)
        return super().eventFilter(watched, event)

    def _entered(self, widget: QWidget) -> None:
        """Names, effects and sentences follow what was changed in a row."""
        row = self._row_of(widget)
        if row != self._shown:
            self.table.selectRow(row)
        elif self._limits_fit():
            self._shown = -1
            self._show(row)
        self._mark_appetite()

    def _row_of(self, widget: QObject) -> int:
        for row in range(self.table.rowCount()):
            if any(self.table.cellWidget(row, column) is widget for column in range(ROUTE + 1)):
                return row
        return -1

    def _add_new(self) -> None:
        taken = {self._name(row) for row in range(self.table.rowCount())}
        number = next(n for n in range(1, len(taken) + 2) if f"account-{n}" not in taken)
        self._append(AccountSettings(name=f"account-{number}", style=Style.JUDGE))
        self.table.selectRow(self.table.rowCount() - 1)
        self._mark_appetite()

    def _remove_current(self) -> None:
        row = self.table.currentRow()
        if row < 0:
            return
        self._shown = -1
        del self._limits[row]
        self.table.removeRow(row)
        self._show(self.table.currentRow())
        self._mark_appetite()

    def _name(self, row: int) -> str:
        return self._edit(row, NAME).text().strip()

    def _gateway(self, row: int) -> str:
        return str(self._combo(row, GATEWAY).currentData())

    def _cash(self, row: int) -> Decimal | None:
        try:
            cash = Decimal(self._edit(row, CASH).text().replace(",", "").replace("，", "").strip())
        except InvalidOperation:
            return None
        return cash if cash.is_finite() and cash > 0 else None

    def _edit(self, row: int, column: int) -> QLineEdit:
        widget = self.table.cellWidget(row, column)
        assert isinstance(widget, QLineEdit)
        return widget

    def _combo(self, row: int, column: int) -> QComboBox:
        widget = self.table.cellWidget(row, column)
        assert isinstance(widget, QComboBox)
        return widget

    def _unknown(self, gateway: str) -> bool:
        """Whether a gateway chosen now is not loaded; one that was set before may be loaded later."""
        known = self._gateways is None or gateway in (*self._gateways, *self._known_before)
        return bool(gateway) and not known

    # limits

    def _show(self, row: int) -> None:
        """Show an account's limits; a wrong figure of the one shown before keeps it in view."""
        if row == self._shown:
            return
        if self._shown >= 0 and not self._limits_fit():
            self.table.selectRow(self._shown)
            return
        self._shown = row
        self.box.setEnabled(row >= 0)
        if row < 0:
            return
        style = self._combo(row, STYLE).currentData()
        limits = self._limits[row] or STYLE_LIMITS[style]
        self.box.setTitle(self._words("账户 {name} 的限额").format(name=self._name(row)))
        self.form.show_limits(limits, self._cash(row) or Decimal(0))
        self._say_route(row)

    def _say_route(self, row: int) -> None:
        words, gateway = self._words, self._gateway(row)
        if self._gateways is not None and gateway and gateway not in self._gateways:
            text = words("接口 {gateway} 现在没有加载；启动前请先在 VeighNa 里加载并连接。", gateway=gateway)
        elif gateway:
            text = words(
                "模拟模式下，接口 {gateway} 的账户不会发出委托；实盘请走“实盘准备”。", gateway=gateway
            )
        else:
            text = words("去掉或改名前请先清仓：没有账户的持仓无人看管。")
        self.note.setText(text)

    def _limits_edited(self) -> None:
        limits = self.form.limits()
        if limits is not None and self._shown >= 0:
            self._keep(self._shown, limits)
            self._mark_appetite()

    def _limits_fit(self) -> bool:
        return self._shown < 0 or self.form.check()

    def _keep(self, row: int, limits: RiskLimits) -> None:
        own = STYLE_LIMITS[self._combo(row, STYLE).currentData()]
        self._limits[row] = None if limits == own else limits

    def _appetite_chosen(self, number: int) -> None:
        """Set the limits of all accounts."""
        style = APPETITES[number][1]
        for row in range(self.table.rowCount()):
            self._keep(row, STYLE_LIMITS[style or self._combo(row, STYLE).currentData()])
        row, self._shown = max(self._shown, 0), -1
        self._show(row)

    def _mark_appetite(self) -> None:
        """Mark the appetite that all accounts' limits agree with, none where they were set one by one."""
        rows = range(self.table.rowCount())
        own = [STYLE_LIMITS[self._combo(row, STYLE).currentData()] for row in rows]
        limits = [self._limits[row] or own[row] for row in rows]
        self.appetite.setExclusive(False)
        for number, (_, style) in enumerate(APPETITES):
            wanted = own if style is None else [STYLE_LIMITS[style]] * len(own)
            self.appetite.button(number).setChecked(limits == wanted)
        self.appetite.setExclusive(True)

    def _lay_out(self) -> None:
        words = self._words
        radios = QHBoxLayout()
        radios.addWidget(QLabel(words("风险偏好（所有账户）")))
        for number, (name, _) in enumerate(APPETITES):
            radio = QRadioButton(words(name))
            self.appetite.addButton(radio, number)
            radios.addWidget(radio)
        radios.addStretch(1)
        titles = ("名称", "风格", "模拟资金（元）", "接口", "路径")
        self.table.setHorizontalHeaderLabels([words(title) for title in titles])
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(32)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.setFixedHeight(32 * 3 + 38)
        buttons = QHBoxLayout()
        for button in (self.add, self.remove, self.default):
            buttons.addWidget(button)
        buttons.addWidget(self.note, 1)
        for label, colour in ((self.problem, GAIN), (self.note, MUTED)):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setStyleSheet(f"color: {colour};")
        self.problem.hide()
        inside = QVBoxLayout(self.box)
        inside.addWidget(self.form)
        scroll = QScrollArea()
        scroll.setWidget(self.box)
        scroll.setWidgetResizable(True)
        layout = QVBoxLayout(self)
        layout.addLayout(radios)
        layout.addWidget(self.table)
        layout.addLayout(buttons)
        layout.addWidget(self.problem)
        layout.addWidget(scroll, 1)
