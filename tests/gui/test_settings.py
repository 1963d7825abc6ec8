"""The settings dialog: what it writes, what it refuses, what it asks."""

import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QMessageBox
from shiboken6 import delete

from vnpy_aiagent.config import load_settings
from vnpy_aiagent.domain import Style
from vnpy_aiagent.errors import ConfigError, DataError
from vnpy_aiagent.testing.model_server import Fault, ModelServer, text_reply
from vnpy_aiagent.ui.keys import KeyStore, with_key
from vnpy_aiagent.ui.presets import preset_of, presets
from vnpy_aiagent.ui.settings import SettingsDialog
from vnpy_aiagent.ui.settings.universe import parse_text, read_csv
from vnpy_aiagent.ui.settings.values import SettingsFile
from vnpy_aiagent.ui.words import Words

LEFT = Qt.MouseButton.LeftButton
CONFIG = """\
mode: PAPER
universe: [600519.SSE]
sim: {slippage_ticks: 3}
llm: {base_url: "https://api.deepseek.com/v1", model: deepseek-chat, api_key: sk-old, timeout: 45}
"""


class FakeKeys(KeyStore):
    """A keyring in memory."""

    def __init__(self, *, available: bool) -> None:
        self.keys: dict[str, str] = {}
        self._on = available

    @property
    def available(self) -> bool:
        return self._on

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

    def make(path: Path, keys: KeyStore | None = None, jobs: tuple[str, ...] = ()) -> SettingsDialog:
        dialog = SettingsDialog(
            Words("zh"), keys or FakeKeys(available=False), running_jobs=jobs, file=SettingsFile(path)
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        dialogs.append(dialog)
        dialog.show()
        return dialog

    yield make
    for dialog in dialogs:
        wait_for(lambda dialog=dialog: dialog.background.busy == 0)
        dialog.close()
        delete(dialog)  # here and now: a collection on another thread must not find it


def test_saving_without_a_change_leaves_every_setting_as_it_was(config, open_dialog):
    before = load_settings(config)
    QTest.mouseClick(open_dialog(config).save, LEFT)
    assert load_settings(config) == before


def test_changes_come_back_from_the_file_and_other_parts_stay(config, open_dialog):
    dialog = open_dialog(config)
    dialog.model.model.setText("deepseek-reasoner")
    dialog.risk.appetite.button(0).setChecked(True)
    dialog.risk.fields["max_exposure"].setValue(40)
    dialog.risk.cash.setValue(500_000)
    dialog.universe.entry.setText("sh600036, 510300 乱写")
    dialog.universe.add_typed()
    dialog.general.debate.setChecked(False)
    QTest.mouseClick(dialog.save, LEFT)
    found = load_settings(config)
    assert found.llm.model == "deepseek-reasoner"
    assert found.llm.api_key.get_secret_value() == "sk-old"
    assert found.llm.timeout == 45
    assert found.sim.slippage_ticks == 3
    assert found.universe == ("600519.SSE", "600036.SSE", "510300.SSE")
    assert [account.style for account in found.accounts] == [Style.CONSERVATIVE]
    assert found.accounts[0].risk.max_exposure == 0.4
    assert found.accounts[0].cash == 500_000
    assert found.brain.debate is False
    assert "乱写" in dialog.universe.news.text()


def test_the_timetable_is_saved_and_a_running_job_is_run_at_once(config, open_dialog):
    dialog = open_dialog(config, jobs=("daily",))
    asked: list[str] = []
    dialog.run_job_asked.connect(asked.append)
    dialog.schedule.table.selectRow(1)
    QTest.mouseClick(dialog.schedule.run, LEFT)
    assert asked == ["daily"]
    QTest.mouseClick(dialog.schedule.add, LEFT)
    QTest.mouseClick(dialog.schedule.run, LEFT)
    assert asked == ["daily"]
    assert "还没有生效" in dialog.schedule.note.text()
    QTest.mouseClick(dialog.save, LEFT)
    assert [job.name for job in load_settings(config).schedule][-1] == "job-1"


def test_two_jobs_of_one_name_are_refused_in_chinese_and_nothing_is_written(config, open_dialog):
    before = config.read_bytes()
    dialog = open_dialog(config)
    field = dialog.schedule.table.cellWidget(1, 0)
    assert isinstance(field, QLineEdit)
    field.setText("plan")
    QTest.mouseClick(dialog.save, LEFT)
    assert dialog.isVisible()
    assert dialog.news.text().startswith("设置 settings 不对")
    assert config.read_bytes() == before


def test_a_provider_fills_in_address_and_model_and_forgets_the_other_servers_key(config, open_dialog):
    dialog = open_dialog(config)
    assert dialog.model.provider.currentText() == "DeepSeek"
    dialog.model.provider.setCurrentIndex(dialog.model.provider.findText("Ollama"))
    assert dialog.model.base_url.text() == "http://localhost:11434/v1"
    QTest.mouseClick(dialog.save, LEFT)
    found = load_settings(config)
    assert found.llm.model == "qwen2.5:7b"
    assert found.llm.api_key.get_secret_value() == ""


def test_no_model_means_the_offline_analyst(config, open_dialog):
    dialog = open_dialog(config)
    dialog.model.provider.setCurrentIndex(0)
    QTest.mouseClick(dialog.save, LEFT)
    found = load_settings(config)
    assert found.llm.offline
    assert "sk-old" not in config.read_text(encoding="utf-8")


def test_the_key_is_masked_and_goes_to_the_keyring_where_there_is_one(config, open_dialog):
    keys = FakeKeys(available=True)
    dialog = open_dialog(config, keys)
    assert dialog.model.key.echoMode() == QLineEdit.EchoMode.Password
    assert "sk-old" not in dialog.model.key.text()
    dialog.model.key.setText("sk-new")
    QTest.mouseClick(dialog.save, LEFT)
    assert keys.keys == {"https://api.deepseek.com/v1": "sk-new"}
    text = config.read_text(encoding="utf-8")
    assert "sk-new" not in text
    assert "sk-old" not in text
    assert with_key(load_settings(config), keys).llm.api_key.get_secret_value() == "sk-new"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_the_written_file_is_for_its_owner_alone(config, open_dialog):
    dialog = open_dialog(config)
    dialog.model.key.setText("sk-new")
    QTest.mouseClick(dialog.save, LEFT)
    assert load_settings(config).llm.api_key.get_secret_value() == "sk-new"
    assert stat.S_IMODE(os.stat(config).st_mode) == 0o600


def test_the_connection_is_tested_without_blocking_and_the_answer_is_told(config, open_dialog, wait_for):
    with ModelServer(lambda body: text_reply("ok")) as server:
        dialog = open_dialog(config)
        dialog.model.base_url.setText(server.base_url)
        QTest.mouseClick(dialog.model.test, LEFT)
        assert not dialog.model.test.isEnabled()
        wait_for(dialog.model.test.isEnabled)
    assert "连接成功" in dialog.model.result.text()
    assert server.requests[0].headers["authorization"] == "Bearer sk-old"


def test_a_wrong_key_is_told_in_chinese_with_a_way_on(config, open_dialog, wait_for):
    with ModelServer(lambda body: Fault(status=401, message="invalid api key")) as server:
        dialog = open_dialog(config)
        dialog.model.base_url.setText(server.base_url)
        QTest.mouseClick(dialog.model.test, LEFT)
        wait_for(dialog.model.test.isEnabled)
    assert "核对密钥" in dialog.model.result.text()
    assert "sk-old" not in dialog.model.result.text()


def test_an_ambiguous_code_is_asked(config, open_dialog):
    dialog = open_dialog(config)
    dialog.universe.entry.setText("000001")
    dialog.universe.add_typed()
    box = dialog.universe.findChild(QMessageBox)
    assert "000001" in box.text()
    QTest.mouseClick(box.buttons()[0], LEFT)
    assert dialog.universe.symbols() == ["600519.SSE", "000001.SZSE"]


@pytest.mark.parametrize("content", [b"\x00\x01\x02", b"", b"hello,world\nfoo,bar\n", b"\xff\xfe\xfd\x80"])
def test_a_nonsense_csv_is_refused_with_a_sentence(content, tmp_path, config, open_dialog, wait_for):
    path = tmp_path / "nonsense.csv"
    path.write_bytes(content)
    with pytest.raises(DataError):
        read_csv(path)
    dialog = open_dialog(config)
    dialog.universe.import_file(path)
    wait_for(lambda: "数据有问题" in dialog.universe.news.text())
    assert dialog.universe.symbols() == ["600519.SSE"]


def test_a_csv_from_a_chinese_spreadsheet_is_read_by_its_heading(tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes("名称,证券代码\n招商银行,600036\n平安银行,000001\n不是,abc\n".encode("gb18030"))
    found = read_csv(path)
    assert found.symbols == ("600036.SSE",)
    assert found.ambiguous == ("000001",)
    assert found.refused == ("abc",)


def test_symbols_are_parted_by_any_mark_and_kept_once():
    found = parse_text("600519，sh600519；510300.SH 600519.SSE")
    assert found.symbols == ("600519.SSE", "510300.SSE")


def test_a_broken_file_is_named_and_never_overwritten(tmp_path, monkeypatch, qapp):
    path = tmp_path / "config.yaml"
    path.write_text("mode: [", encoding="utf-8")
    with pytest.raises(ConfigError):
        SettingsFile(path)
    monkeypatch.setattr("vnpy_aiagent.ui.settings.values.default_config", lambda: path)
    dialog = SettingsDialog(Words("zh"), FakeKeys(available=False))
    assert not dialog.save.isEnabled()
    assert "设置有误" in dialog.news.text()
    dialog.save_all()
    assert path.read_text(encoding="utf-8") == "mode: ["
    delete(dialog)


def test_presets_are_known_by_their_address():
    names = [preset.name for preset in presets()]
    assert names == ["DeepSeek", "通义千问", "OpenAI", "Moonshot", "智谱", "Ollama"]
    assert all(preset_of(preset.base_url + "/") == preset for preset in presets())
    assert preset_of("http://example.test/v1") is None
