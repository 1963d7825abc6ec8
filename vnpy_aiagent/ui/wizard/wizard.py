"""The wizard from paper to live: it checks, asks, and writes the section `live` of the settings file.

Mode LIVE is written only where this version's engine would start in it (wiring.LIVE_REFUSAL) and the human
says so on the last page.
"""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QWidget, QWizard

from vnpy_aiagent.checkup import Finding, check_settings, check_system
from vnpy_aiagent.config import Settings, load_settings
from vnpy_aiagent.domain import Mode
from vnpy_aiagent.errors import AiAgentError
from vnpy_aiagent.ui.background import Background
from vnpy_aiagent.ui.explain import explain
from vnpy_aiagent.ui.settings.values import SettingsFile
from vnpy_aiagent.ui.theme import GAIN, MUTED, ROOMY
from vnpy_aiagent.ui.wizard.choices import (
    APPROVALS,
    AllowlistPage,
    ApprovalPage,
    CapitalPage,
    ReportPage,
)
from vnpy_aiagent.ui.wizard.page import Page, live_is_refused, refusal_line, text_line
from vnpy_aiagent.ui.wizard.preflight import PreflightPage
from vnpy_aiagent.ui.wizard.ticket import Ticket, TicketPage
from vnpy_aiagent.ui.words import Words

WIDTH, HEIGHT = 860, 600
SHOWN_SYMBOLS = 12


class LiveWizard(QWizard):
    """Seven pages over the user's settings file. `saved` comes after the section was written."""

    saved = Signal()

    def __init__(
        self,
        words: Words,
        file: SettingsFile,
        *,
        gateways: Sequence[str] = (),
        ticket: Ticket | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """gateways: those loaded in VeighNa. ticket: `dry_run_ticket` of an engine that runs, else None."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWizardStyle(QWizard.WizardStyle.ClassicStyle)
        self.setWindowTitle(words("实盘准备"))
        self.setStyleSheet(ROOMY)
        self.resize(WIDTH, HEIGHT)
        self.words, self.file, self._gateways = words, file, tuple(gateways)
        self.background = Background(self)
        settings = file.settings
        live = settings.live
        self.preflight = PreflightPage(words, self.background, self._findings)
        self.report = ReportPage(words, reported=bool(live and live.program_trading_reported))
        self.capital = CapitalPage(words, live.capital_limit if live else None)
        self.allowlist = AllowlistPage(words, settings.universe, live.allowlist if live else ())
        self.approval = ApprovalPage(words, live)
        names = [account.name for account in settings.accounts]
        self.ticket = TicketPage(words, self.background, names, self.allowlist.chosen, ticket)
        self.summary = SummaryPage(words, self)
        for page in (
            self.preflight,
            self.report,
            self.capital,
            self.allowlist,
            self.approval,
            self.ticket,
            self.summary,
        ):
            self.addPage(page)
        for button, title in (
            (QWizard.WizardButton.BackButton, words("上一步")),
            (QWizard.WizardButton.NextButton, words("下一步")),
            (QWizard.WizardButton.FinishButton, words("写入设置")),
            (QWizard.WizardButton.CancelButton, words("取消")),
        ):
            self.setButtonText(button, title)

    def section(self) -> dict[str, Any]:
        """The section `live` as it would be written."""
        return {
            "capital_limit": str(self.capital.value()),
            "allowlist": self.allowlist.chosen(),
            "approvals": self.approval.level(),
            "program_trading_reported": self.report.reported.isChecked(),
        }

    def _findings(self) -> list[Finding]:
        """The checks of doctor on the settings as they are on the disk, and the accounts' gateways."""
        settings = load_settings(self.file.path if self.file.path.exists() else None)
        return [*check_system(), *check_settings(settings), gateway_finding(settings, self._gateways)]


class SummaryPage(Page):
    """What will be written; writing is the wizard's end, and a failure keeps the page open."""

    def __init__(self, words: Words, wizard: LiveWizard) -> None:
        """The text is made when the page is shown."""
        super().__init__(words, words("7. 确认并写入"), words("下面是将写入设置文件的 live 一节。"))
        self._live = wizard
        self.setFinalPage(True)
        self.text, self.problem = text_line(""), text_line("", GAIN)
        self.switch = QCheckBox(words("同时把运行模式改为实盘（重启 VeighNa Trader 后生效）"))
        self.switch.setVisible(not live_is_refused())
        self.column.addWidget(refusal_line(words))
        self.column.addWidget(self.text)
        self.column.addWidget(self.switch)
        self.column.addWidget(self.problem)
        self.column.addWidget(text_line(words("设置文件：{path}。", path=wizard.file.path), MUTED))
        self.column.addStretch(1)

    def initializePage(self) -> None:  # noqa: N802 - Qt's name
        """Sum up."""
        words, section = self.words, self._live.section()
        symbols = section["allowlist"]
        named = "、".join(symbols[:SHOWN_SYMBOLS]) + (" …" if len(symbols) > SHOWN_SYMBOLS else "")
        tried = self._live.ticket.tried
        lines = (
            words("资金上限：{limit} 元", limit=f"{self._live.capital.value():,}"),
            words("允许的标的 {count} 只：{named}", count=len(symbols), named=named),
            words("委托确认：{level}", level=words(APPROVALS[section["approvals"]][0])),
            words("程序化交易报告：已完成"),
            words("试填委托单：{symbol}", symbol=tried) if tried else words("试填委托单：没有做"),
        )
        self.text.setText("\n".join(lines))
        self.problem.clear()

    def validatePage(self) -> bool:  # noqa: N802 - Qt's name
        """Write; False keeps the page open."""
        words = self.words
        changes: dict[str, Any] = {"live": self._live.section()}
        if self.switch.isChecked() and not live_is_refused():
            changes["mode"] = Mode.LIVE.name
        try:
            self._live.file.save(changes)
        except (OSError, ValueError, AiAgentError) as error:
            self.problem.setText(words("没有写入：{why}", why=explain(error, words)))
            return False
        self._live.saved.emit()
        return True


def gateway_finding(settings: Settings, gateways: Sequence[str]) -> Finding:
    """Whether some account trades through a gateway that is loaded."""
    real = [account for account in settings.accounts if account.gateway]
    loaded = sorted({account.gateway for account in real if account.gateway in gateways})
    if loaded:
        return Finding("gateway", "ok", ", ".join(loaded))
    found = ", ".join(f"{account.name}: {account.gateway}" for account in real)
    return Finding("gateway", "warn", found or "all accounts are simulated", "choose a loaded gateway")
