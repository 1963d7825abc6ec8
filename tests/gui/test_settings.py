"""The settings dialog: what it writes, what it refuses, what it asks."""

import os
import stat
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit
from shiboken6 import delete

from vnpy_aiagent.config import RiskLimits, load_settings
from vnpy_aiagent.domain import Route, Style
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.keys import KeyStore, with_key
from vnpy_aiagent.testing.model_server import Fault, ModelServer, closed_port_url, tool_reply
from vnpy_aiagent.ui.presets import preset_of, presets
from vnpy_aiagent.ui.settings import SettingsDialog
from vnpy_aiagent.ui.settings.accounts_page import CASH, GATEWAY, NAME, ROUTE
from vnpy_aiagent.ui.settings.limits_form import LIMITS
from vnpy_aiagent.ui.settings.values import SettingsFile
from vnpy_aiagent.ui.words import Words

LEFT = Qt.MouseButton.LeftButton
CONFIG = """\
# mine, by hand
mode: PAPER
universe: [600519.SSE]
sim: {slippage_ticks: 3}  # three, after measuring
llm: {base_url: "https://api.deepseek.com/v1", model: deepseek-chat, api_key: sk-old, timeout: 45}
"""


class FakeKeys(KeyStore):
    """A keyring in memory."""

    in_keyring = True

    def __init__(self) -> None:
        self.keys: dict[str, str] = {}

    def get(self, base_url: str) -> str:
        return self.keys.get(base_url, "")

    def put(self, base_url: str, key: str) -> None:
        self.keys[base_url] = key


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


@pytest.fixture
def open_dialog(qapp: Any, wait_for: Any) -> Any:
    dialogs: list[SettingsDialog] = []

    def make(path: Path, keys: KeyStore | None = None, **kwargs: Any) -> SettingsDialog:
        dialog = SettingsDialog(Words("zh"), keys or FakeKeys(), file=SettingsFile(path), **kwargs)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        dialogs.append(dialog)
        dialog.show()
        return dialog

    yield make
    for dialog in dialogs:
        wait_for(lambda dialog=dialog: dialog.background.busy == 0)
        dialog.close()
        delete(dialog)  # here and now: a collection on another thread must not find it


def typed(field: QLineEdit, text: str) -> None:
    """Replace a field's text by keystrokes."""
    field.selectAll()
    QTest.keyClicks(field, text)


def cell(dialog: SettingsDialog, row: int, column: int) -> Any:
    return dialog.accounts.table.cellWidget(row, column)


# saving


def test_saving_without_a_change_leaves_every_setting_as_it_was(config, open_dialog):
    before, keys = load_settings(config), FakeKeys()
    QTest.mouseClick(open_dialog(config, keys).save, LEFT)
    assert with_key(load_settings(config), keys) == before


def test_changes_come_back_from_the_file_and_other_parts_and_comments_stay(config, open_dialog):
    keys = FakeKeys()
    dialog = open_dialog(config, keys, running_jobs=("daily",))
    typed(dialog.model.deep.model, "deepseek-reasoner")
    dialog.general.debate.setChecked(False)
    QTest.mouseClick(dialog.save, LEFT)
    found, text = load_settings(config), config.read_text(encoding="utf-8")
    assert found.llm.model == "deepseek-reasoner"
    assert keys.get(found.llm.base_url) == "sk-old"
    assert (found.llm.timeout, found.sim.slippage_ticks) == (45, 3)
    assert found.brain.debate is False
    assert "# mine, by hand" in text
    assert "# three, after measuring" in text
    assert config.with_name("config.yaml.bak").read_text(encoding="utf-8") == CONFIG.replace("sk-old", "")
    assert "重启 VeighNa Trader 后生效" in dialog.news.text()
    assert "config.yaml.bak" in dialog.news.text()


def test_a_read_only_folder_is_told_and_the_dialog_stays_open(config, open_dialog, monkeypatch):
    dialog = open_dialog(config)
    dialog.general.debate.setChecked(False)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(config))

    monkeypatch.setattr("vnpy_aiagent.ui.settings.values.os.replace", refuse)
    QTest.mouseClick(dialog.save, LEFT)
    assert dialog.isVisible()
    assert "没有保存" in dialog.news.text()
    assert "检查路径、权限" in dialog.news.text()
    assert config.read_text(encoding="utf-8") == CONFIG


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_the_written_file_is_for_its_owner_alone(config, open_dialog):
    dialog = open_dialog(config)
    dialog.general.debate.setChecked(False)
    QTest.mouseClick(dialog.save, LEFT)
    assert load_settings(config).brain.debate is False
    assert stat.S_IMODE(os.stat(config).st_mode) == 0o600


def test_a_broken_file_is_named_and_never_overwritten(tmp_path, monkeypatch, qapp):
    path = tmp_path / "config.yaml"
    path.write_text("mode: [", encoding="utf-8")
    with pytest.raises(ConfigError):
        SettingsFile(path)
    monkeypatch.setattr("vnpy_aiagent.ui.settings.values.default_config", lambda: path)
    dialog = SettingsDialog(Words("zh"), FakeKeys())
    assert not dialog.save.isEnabled()
    assert "设置有误" in dialog.news.text()
    dialog.save_all()
    assert path.read_text(encoding="utf-8") == "mode: ["
    delete(dialog)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_fits_a_small_screen(config, qapp, language):
    dialog = SettingsDialog(Words(language), FakeKeys(), file=SettingsFile(config))
    dialog.show()
    size = dialog.size()
    assert size.width() <= 1240
    assert size.height() <= 660
    delete(dialog)


# the timetable


def test_a_running_job_is_run_at_once_and_a_new_one_waits_for_a_restart(config, open_dialog):
    dialog = open_dialog(config, running_jobs=("daily",))
    asked: list[str] = []
    dialog.run_job_asked.connect(asked.append)
    dialog.pages.setCurrentWidget(dialog.schedule)
    QTest.mouseClick(dialog.schedule.run_button(1), LEFT)
    assert asked == ["daily"]
    QTest.mouseClick(dialog.schedule.add, LEFT)
    last = dialog.schedule.table.rowCount() - 1
    assert not dialog.schedule.run_button(last).isEnabled()
    QTest.mouseClick(dialog.save, LEFT)
    assert [job.name for job in load_settings(config).schedule][-1] == "job-1"


def test_a_job_that_is_switched_off_keeps_its_place(config, open_dialog):
    dialog = open_dialog(config)
    dialog.pages.setCurrentWidget(dialog.schedule)
    dialog.schedule.table.cellWidget(2, 0).setChecked(False)
    QTest.mouseClick(dialog.save, LEFT)
    jobs = load_settings(config).schedule
    assert [job.name for job in jobs if not job.enabled] == ["hourly-1035"]
    assert len(jobs) == 11


def test_two_jobs_of_one_name_are_refused_in_chinese_and_nothing_is_written(config, open_dialog):
    before = config.read_bytes()
    dialog = open_dialog(config)
    dialog.schedule.table.cellWidget(1, 1).setText("plan")
    QTest.mouseClick(dialog.save, LEFT)
    assert dialog.pages.currentWidget() is dialog.schedule
    assert "两个任务都叫“plan”" in dialog.schedule.note.text()
    assert config.read_bytes() == before


# models


def test_a_provider_fills_in_address_and_model_and_forgets_the_other_servers_key(config, open_dialog):
    dialog = open_dialog(config)
    assert dialog.model.deep.provider.currentText() == "DeepSeek"
    dialog.model.deep.provider.setCurrentIndex(dialog.model.deep.provider.findText("Ollama"))
    assert dialog.model.deep.base_url.text() == "http://localhost:11434/v1"
    QTest.mouseClick(dialog.save, LEFT)
    found = load_settings(config)
    assert found.llm.model == "qwen2.5:7b"
    assert found.llm.api_key.get_secret_value() == ""


def test_no_model_means_the_offline_analyst(config, open_dialog):
    dialog = open_dialog(config)
    dialog.model.deep.provider.setCurrentIndex(0)
    assert "没有费用" in dialog.model.cost.text()
    QTest.mouseClick(dialog.save, LEFT)
    assert load_settings(config).llm.offline
    assert "sk-old" not in config.read_text(encoding="utf-8")


def test_a_quick_model_with_its_own_server_and_key_is_saved_and_taken_away_again(config, open_dialog):
    keys = FakeKeys()
    dialog = open_dialog(config, keys)
    quick = dialog.model.quick
    quick.provider.setCurrentIndex(quick.provider.findText("Moonshot"))
    typed(quick.key, "sk-quick")
    typed(quick.input_price, "2")
    QTest.mouseClick(dialog.save, LEFT)
    found = load_settings(config).llm
    assert found.quick is not None
    assert (found.quick.base_url, found.quick.input_price) == ("https://api.moonshot.cn/v1", Decimal(2))
    assert keys.keys["https://api.moonshot.cn/v1"] == "sk-quick"
    again = open_dialog(config, keys)
    assert again.model.quick.provider.currentText() == "Moonshot"
    again.model.quick.provider.setCurrentIndex(0)
    QTest.mouseClick(again.save, LEFT)
    assert load_settings(config).llm.quick is None


def test_a_days_cost_is_estimated_as_prices_are_typed_and_unknown_without(config, open_dialog):
    dialog = open_dialog(config)
    assert "费用未知" in dialog.model.cost.text()
    typed(dialog.model.deep.input_price, "2")
    typed(dialog.model.deep.output_price, "8")
    assert "元；至多" in dialog.model.cost.text()


def test_a_price_that_is_none_is_refused_beside_its_field(config, open_dialog):
    dialog = open_dialog(config)
    typed(dialog.model.deep.input_price, "cheap")
    QTest.mouseClick(dialog.save, LEFT)
    assert "价格应是" in dialog.model.deep.problem.text()
    assert config.read_text(encoding="utf-8") == CONFIG


def test_the_key_is_masked_and_goes_to_its_store_and_out_of_the_settings_file(config, open_dialog):
    keys = FakeKeys()
    dialog = open_dialog(config, keys)
    assert dialog.model.deep.key.echoMode() == QLineEdit.EchoMode.Password
    assert "sk-old" not in dialog.model.deep.key.text()
    typed(dialog.model.deep.key, "sk-new")
    QTest.mouseClick(dialog.save, LEFT)
    assert keys.keys == {"https://api.deepseek.com/v1": "sk-new"}
    text = config.read_text(encoding="utf-8")
    assert "sk-new" not in text
    assert "sk-old" not in text
    assert with_key(load_settings(config), keys).llm.api_key.get_secret_value() == "sk-new"


def test_the_backup_holds_no_key_either(config, open_dialog):
    dialog = open_dialog(config)
    typed(dialog.model.deep.key, "sk-new")
    QTest.mouseClick(dialog.save, LEFT)
    assert not [path for path in config.parent.iterdir() if "sk-" in path.read_text(encoding="utf-8")]


def test_without_a_keyring_the_key_lies_in_a_file_that_the_page_names(config, open_dialog, monkeypatch):
    monkeypatch.setattr("vnpy_aiagent.keys._usable_keyring", lambda: None)
    keys = KeyStore(config.parent)
    dialog = open_dialog(config, keys)
    assert any(str(keys.file) in label.text() for label in dialog.model.findChildren(QLabel))
    typed(dialog.model.deep.key, "sk-new")
    QTest.mouseClick(dialog.save, LEFT)
    assert KeyStore(config.parent).get("https://api.deepseek.com/v1") == "sk-new"
    assert "sk-new" not in config.read_text(encoding="utf-8")


def test_a_key_that_cannot_be_stored_is_told_and_nothing_is_saved(config, open_dialog, monkeypatch):
    monkeypatch.setattr("vnpy_aiagent.keys._usable_keyring", lambda: None)
    before = config.read_bytes()
    (config.parent / "keys.json").write_text("{broken", encoding="utf-8")
    dialog = open_dialog(config, KeyStore(config.parent))
    typed(dialog.model.deep.key, "sk-new")
    QTest.mouseClick(dialog.save, LEFT)
    assert dialog.isVisible()
    assert "密钥存不了" in dialog.news.text()
    assert "sk-new" not in dialog.news.text()
    assert config.read_bytes() == before


def test_the_connection_is_tested_without_blocking_and_the_answer_is_told(config, open_dialog, wait_for):
    with ModelServer(lambda body: tool_reply(("get_time", {"market": "SSE"}))) as server:
        dialog = open_dialog(config)
        typed(dialog.model.deep.base_url, server.base_url)
        QTest.mouseClick(dialog.model.deep.test, LEFT)
        assert not dialog.model.deep.test.isEnabled()
        wait_for(dialog.model.deep.test.isEnabled)
    assert "连接成功" in dialog.model.deep.result.text()
    assert server.requests[0].headers["authorization"] == "Bearer sk-old"


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault(status=401, message="invalid api key"), "密钥不对"),
        (Fault(status=404, message="The model `deepseek-chat` does not exist"), "核对模型名"),
    ],
)
def test_a_wrong_key_and_a_wrong_model_are_told_in_chinese(config, open_dialog, wait_for, fault, sentence):
    with ModelServer(lambda body: fault) as server:
        dialog = open_dialog(config)
        typed(dialog.model.deep.base_url, server.base_url)
        QTest.mouseClick(dialog.model.deep.test, LEFT)
        wait_for(dialog.model.deep.test.isEnabled)
    assert sentence in dialog.model.deep.result.text()
    assert "sk-old" not in dialog.model.deep.result.text()


def test_no_network_is_told_in_chinese(config, open_dialog, wait_for):
    dialog = open_dialog(config)
    typed(dialog.model.deep.base_url, closed_port_url())
    QTest.mouseClick(dialog.model.deep.test, LEFT)
    wait_for(dialog.model.deep.test.isEnabled)
    assert "连不上服务器" in dialog.model.deep.result.text()


def test_presets_are_known_by_their_address():
    names = [preset.name for preset in presets()]
    assert names == ["DeepSeek", "通义千问", "OpenAI", "Moonshot", "智谱", "Ollama", "vLLM", "llama.cpp"]
    assert all(preset_of(preset.base_url + "/") == preset for preset in presets())
    assert preset_of("http://example.test/v1") is None


def test_a_preset_with_a_known_price_fills_it_in_with_its_source_and_the_others_leave_it_empty(
    config, open_dialog
):
    form = open_dialog(config).model.deep
    form.provider.setCurrentText("vLLM")
    form.provider.setCurrentText("DeepSeek")
    assert (form.input_price.text(), form.output_price.text()) == ("2", "8")
    assert "2025-02-25" in form.input_price.toolTip()
    form.provider.setCurrentText("OpenAI")
    assert (form.input_price.text(), form.output_price.text(), form.input_price.toolTip()) == ("", "", "")


def test_without_a_quick_model_no_role_asks_it_and_without_a_server_there_is_no_fallback(config, open_dialog):
    values = {
        "base_url": "https://a.test/v1", "model": "m", "quick": {"model": "q"},
        "roles": {"judge": "deep", "risk_analyst": "quick"},
        "fallbacks": [{"base_url": "https://b.test/v1", "model": "n"}],
    }  # fmt: skip
    page = open_dialog(config).model
    page.quick.provider.setCurrentIndex(0)
    found = page.changes(values)
    assert found["roles"] == {"judge": "deep"}
    assert found["fallbacks"] == values["fallbacks"]
    page.deep.provider.setCurrentIndex(0)
    assert not {"roles", "fallbacks"} & set(page.changes(values))


# accounts and limits


def test_every_limit_has_a_line():
    assert set(LIMITS) == set(RiskLimits.model_fields)


def test_the_appetite_sets_the_limits_of_all_accounts(config, open_dialog):
    dialog = open_dialog(config)
    dialog.pages.setCurrentWidget(dialog.accounts)
    QTest.mouseClick(
        dialog.accounts.appetite.button(0), LEFT, pos=dialog.accounts.appetite.button(0).rect().center()
    )
    assert dialog.accounts.fields["max_exposure"].text() == "50"
    assert "500,000 元" in dialog.accounts.form.notes["max_exposure"].text()
    QTest.mouseClick(dialog.save, LEFT)
    assert {account.risk.max_exposure for account in load_settings(config).accounts} == {0.5}


def test_a_limit_is_saved_and_no_appetite_is_marked_any_more(config, open_dialog):
    dialog = open_dialog(config)
    dialog.pages.setCurrentWidget(dialog.accounts)
    assert dialog.accounts.appetite.button(3).isChecked()
    typed(dialog.accounts.fields["max_exposure"], "40")
    assert dialog.accounts.appetite.checkedId() == -1
    QTest.mouseClick(dialog.save, LEFT)
    first, *others = load_settings(config).accounts
    assert first.risk.max_exposure == 0.4
    assert all(account.limits is None for account in others)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("max_exposure", "150", "0 到 100"),
        ("max_exposure", "lots", "0 到 100"),
        ("max_positions", "0", "1 到 10000"),
        ("max_positions", "2.5", "整数"),
        ("min_stop_distance", "20", "小于止损最远"),
        ("daily_loss", "30", "不能大于最大回撤"),
    ],
)
def test_a_bad_limit_is_told_beside_it_and_nothing_is_saved(config, open_dialog, name, text, sentence):
    dialog = open_dialog(config)
    dialog.pages.setCurrentWidget(dialog.accounts)
    typed(dialog.accounts.fields[name], text)
    assert sentence in dialog.accounts.form.notes[name].text()
    dialog.pages.setCurrentWidget(dialog.general)
    QTest.mouseClick(dialog.save, LEFT)
    assert dialog.pages.currentWidget() is dialog.accounts
    assert "没有保存" in dialog.news.text()
    assert config.read_text(encoding="utf-8") == CONFIG


def test_accounts_are_added_renamed_routed_and_removed(config, open_dialog):
    dialog = open_dialog(config, gateways=("XTP",))
    dialog.pages.setCurrentWidget(dialog.accounts)
    QTest.mouseClick(dialog.accounts.add, LEFT)
    typed(cell(dialog, 3, NAME), "broker")
    typed(cell(dialog, 3, CASH), "250,000")
    for column, data in ((GATEWAY, "XTP"), (ROUTE, Route.CTA)):
        box: QComboBox = cell(dialog, 3, column)
        box.setCurrentIndex(box.findData(data))
    dialog.accounts.table.selectRow(0)
    QTest.mouseClick(dialog.accounts.remove, LEFT)
    QTest.mouseClick(dialog.save, LEFT)
    found = load_settings(config).accounts
    assert [account.name for account in found] == ["conservative", "judge", "broker"]
    broker = found[-1]
    assert (broker.cash, broker.gateway, broker.route) == (Decimal(250_000), "XTP", Route.CTA)
    assert broker.style is Style.JUDGE


@pytest.mark.parametrize(
    ("column", "text", "sentence"),
    [(NAME, "Judge 1", "小写字母开头"), (NAME, "judge", "两个账户都叫"), (CASH, "none", "大于 0")],
)
def test_a_bad_account_is_refused_with_a_sentence(config, open_dialog, column, text, sentence):
    dialog = open_dialog(config)
    dialog.pages.setCurrentWidget(dialog.accounts)
    typed(cell(dialog, 0, column), text)
    QTest.mouseClick(dialog.save, LEFT)
    assert sentence in dialog.accounts.problem.text()
    assert config.read_text(encoding="utf-8") == CONFIG


def test_an_unknown_quote_gateway_is_told_and_not_saved(config, open_dialog):
    dialog = open_dialog(config, gateways=("XTP",))
    dialog.general.quotes.setCurrentText("XPT")
    QTest.mouseClick(dialog.save, LEFT)
    assert dialog.pages.currentWidget() is dialog.general
    assert "没有叫 XPT 的行情接口" in dialog.general.problem.text()
    assert config.read_text(encoding="utf-8") == CONFIG


def test_an_account_gateway_that_is_not_loaded_now_is_told_but_kept(config, open_dialog):
    config.write_text(CONFIG + "accounts: [{name: a, style: JUDGE, gateway: CTP}]\n", encoding="utf-8")
    dialog = open_dialog(config, gateways=("XTP",))
    assert "CTP 现在没有加载" in dialog.accounts.note.text()
    dialog.general.debate.setChecked(False)
    QTest.mouseClick(dialog.save, LEFT)
    assert load_settings(config).accounts[0].gateway == "CTP"


def test_approvals_are_chosen(config, open_dialog):
    dialog = open_dialog(config)
    dialog.general.approvals.setCurrentIndex(dialog.general.approvals.findData("all"))
    QTest.mouseClick(dialog.save, LEFT)
    assert load_settings(config).approvals == "all"
