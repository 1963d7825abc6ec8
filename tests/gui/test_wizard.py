"""The wizard from paper to live: what blocks, what is asked, what is written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWizard
from shiboken6 import delete

from vnpy_aiagent.checkup import Finding
from vnpy_aiagent.config import load_settings
from vnpy_aiagent.domain import Mode
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.ui.settings.values import SettingsFile
from vnpy_aiagent.ui.wizard import LiveWizard, page
from vnpy_aiagent.ui.wizard.wizard import gateway_finding
from vnpy_aiagent.ui.words import Words

LEFT = Qt.MouseButton.LeftButton
CONFIG = "# mine\nuniverse: [600519.SSE, 510300.SSE]\n"
GOOD = [Finding("python", "ok", "3.11")]
BAD = [*GOOD, Finding("calendar", "fail", "known to 2025-12-31", "add the year")]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


@pytest.fixture
def findings(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """What the checks find; a test changes it."""
    found = list(GOOD)
    monkeypatch.setattr("vnpy_aiagent.ui.wizard.wizard.check_system", lambda: iter(()))
    monkeypatch.setattr("vnpy_aiagent.ui.wizard.wizard.check_settings", lambda settings: iter(found))
    return found


@pytest.fixture
def open_wizard(qapp: Any, wait_for: Any, findings: list[Finding], config: Path) -> Any:
    wizards: list[LiveWizard] = []

    def make(language: str = "zh", **kwargs: Any) -> LiveWizard:
        wizard = LiveWizard(Words(language), SettingsFile(config), **kwargs)
        wizard.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        wizards.append(wizard)
        wizard.show()
        wait_for(wizard.preflight.again.isEnabled)
        return wizard

    yield make
    for wizard in wizards:
        wait_for(lambda wizard=wizard: wizard.background.busy == 0)
        wizard.close()
        delete(wizard)


def click(wizard: LiveWizard, which: QWizard.WizardButton) -> None:
    QTest.mouseClick(wizard.button(which), LEFT)


def go_on(wizard: LiveWizard) -> None:
    click(wizard, QWizard.WizardButton.NextButton)


def fill_in(wizard: LiveWizard) -> None:
    """All pages, up to the last."""
    go_on(wizard)
    wizard.report.reported.click()
    go_on(wizard)
    QTest.keyClicks(wizard.capital.limit, "50,000")
    go_on(wizard)
    wizard.allowlist.list.item(1).setCheckState(Qt.CheckState.Checked)
    go_on(wizard)
    go_on(wizard)
    go_on(wizard)
    assert wizard.currentPage() is wizard.summary


def test_the_section_is_written_and_the_mode_stays_paper(open_wizard: Any, config: Path) -> None:
    wizard = open_wizard()
    fill_in(wizard)
    assert "50,000 元" in wizard.summary.text.text()
    click(wizard, QWizard.WizardButton.FinishButton)
    found = load_settings(config)
    assert found.mode is Mode.PAPER
    assert found.live is not None
    assert found.live.capital_limit == 50_000
    assert found.live.allowlist == ("510300.SSE",)
    assert found.live.approvals == "all"
    assert found.live.program_trading_reported
    assert config.read_text(encoding="utf-8").startswith("# mine\n")
    assert not wizard.isVisible()


@pytest.mark.parametrize("which", ["preflight", "summary"])
def test_first_and_last_page_say_where_live_is_not_possible(
    open_wizard: Any, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "LIVE_REFUSAL", "not in this version")
    wizard = open_wizard()
    if which == "summary":
        fill_in(wizard)
    labels = getattr(wizard, which).findChildren(type(wizard.summary.text))
    assert any("还不能实盘下单" in label.text() and label.isVisible() for label in labels)
    assert not wizard.summary.switch.isVisible()


def test_the_mode_is_offered_and_written(open_wizard: Any, config: Path) -> None:
    wizard = open_wizard()
    fill_in(wizard)
    labels = wizard.preflight.findChildren(type(wizard.summary.text))
    assert not any("还不能实盘下单" in label.text() and label.isVisibleTo(wizard) for label in labels)
    wizard.summary.switch.click()
    click(wizard, QWizard.WizardButton.FinishButton)
    assert load_settings(config).mode is Mode.LIVE


def test_a_failed_check_blocks_until_it_is_mended(
    open_wizard: Any, findings: list[Finding], wait_for: Callable[..., None]
) -> None:
    findings[:] = BAD
    wizard = open_wizard()
    assert "补上官方休市日" in wizard.preflight.list.item(0).text()  # failures stand on top
    assert not wizard.button(QWizard.WizardButton.NextButton).isEnabled()
    findings[:] = GOOD
    QTest.mouseClick(wizard.preflight.again, LEFT)
    wait_for(wizard.button(QWizard.WizardButton.NextButton).isEnabled)


def test_settings_that_cannot_be_read_block_with_a_sentence(
    open_wizard: Any, config: Path, wait_for: Callable[..., None]
) -> None:
    wizard = open_wizard()
    config.write_text("mode: [", encoding="utf-8")
    QTest.mouseClick(wizard.preflight.again, LEFT)
    wait_for(wizard.preflight.again.isEnabled)
    assert "设置有误" in wizard.preflight.news.text()
    assert not wizard.preflight.isComplete()


def test_without_the_report_there_is_no_way_on_and_the_dates_are_told(open_wizard: Any) -> None:
    wizard = open_wizard()
    go_on(wizard)
    assert not wizard.button(QWizard.WizardButton.NextButton).isEnabled()
    told = "".join(label.text() for label in wizard.report.findChildren(type(wizard.summary.text)))
    assert all(day in told for day in ("2023-10-09", "2024-10-08", "2025-07-07", "2025-10-09"))


@pytest.mark.parametrize("text", ["", "0", "-5", "much", "nan"])
def test_a_bad_capital_limit_blocks(open_wizard: Any, text: str) -> None:
    wizard = open_wizard()
    QTest.keyClicks(wizard.capital.limit, text)
    assert not wizard.capital.isComplete()
    assert bool(text) == ("大于 0" in wizard.capital.problem.text())


def test_no_symbol_blocks(open_wizard: Any) -> None:
    wizard = open_wizard()
    assert not wizard.allowlist.isComplete()
    QTest.mouseClick(wizard.allowlist.every, LEFT)
    assert wizard.allowlist.chosen() == ["600519.SSE", "510300.SSE"]


def test_a_ticket_that_cannot_be_made_is_a_sentence(open_wizard: Any, wait_for: Callable[..., None]) -> None:
    def refuse(account: str, symbol: str) -> Any:
        raise ConfigError(f"no order can be priced in {symbol}")

    wizard = open_wizard(ticket=refuse)
    fill_in(wizard)
    click(wizard, QWizard.WizardButton.BackButton)
    QTest.mouseClick(wizard.ticket.fill, LEFT)
    wait_for(wizard.ticket.fill.isEnabled)
    assert "no order can be priced in 510300.SSE" in wizard.ticket.news.text()


def test_a_file_that_cannot_be_written_keeps_the_page_and_says_why(
    open_wizard: Any, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    wizard = open_wizard()
    fill_in(wizard)
    monkeypatch.setattr("vnpy_aiagent.ui.settings.values.os.replace", refuse)
    click(wizard, QWizard.WizardButton.FinishButton)
    assert wizard.isVisible()
    assert "没有写入" in wizard.summary.problem.text()
    assert config.read_text(encoding="utf-8") == CONFIG


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_wizard_fits_a_small_screen(open_wizard: Any, language: str) -> None:
    wizard = open_wizard(language)
    fill_in(wizard)
    assert wizard.width() <= 1240
    assert wizard.height() <= 660


def test_an_account_needs_a_gateway_that_is_loaded(config: Path) -> None:
    settings = load_settings(config, accounts=[{"name": "a", "style": "JUDGE", "gateway": "XTP"}])
    assert gateway_finding(settings, ("XTP",)).grade == "ok"
    assert gateway_finding(settings, ("CTP",)).found == "a: XTP"
    assert gateway_finding(load_settings(config), ("CTP",)).grade == "warn"
