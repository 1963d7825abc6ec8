"""Which model decides: a preset server or one's own, its key, and a test of the connection."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from vnpy_aiagent.config import LlmSettings
from vnpy_aiagent.llm.openai_client import OpenAIModel
from vnpy_aiagent.llm.port import ChatMessage, ModelRequest
from vnpy_aiagent.ui.background import Background
from vnpy_aiagent.ui.explain import explain
from vnpy_aiagent.ui.keys import KeyStore
from vnpy_aiagent.ui.presets import Preset, preset_of, presets
from vnpy_aiagent.ui.theme import GAIN, LOSS, MUTED
from vnpy_aiagent.ui.words import Words

TEST_SECONDS = 20.0
OFFLINE, CUSTOM = "offline", "custom"


class ModelPage(QWidget):
    """The part `llm` of the settings."""

    def __init__(self, words: Words, llm: LlmSettings, keys: KeyStore, background: Background) -> None:
        """Show what is set."""
        super().__init__()
        self._words, self._keys, self._background = words, keys, background
        self.provider = QComboBox()
        self.provider.addItem(words("不用模型（离线分析员：规则）"), OFFLINE)
        for preset in presets():
            self.provider.addItem(preset.name, preset)
        self.provider.addItem(words("自定义"), CUSTOM)
        self.base_url, self.model, self.key = QLineEdit(llm.base_url), QLineEdit(llm.model), QLineEdit()
        self.base_url.setPlaceholderText("https://…/v1")
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self._stored = self._stored_key(llm)
        if self._stored:
            self.key.setPlaceholderText(words("已保存，留空则不变"))
        self.test = QPushButton(words("测试连接"))
        self.result = QLabel()
        self.result.setWordWrap(True)
        self.result.setTextFormat(Qt.TextFormat.PlainText)
        self._lay_out()
        self._choose(llm)
        self.provider.currentIndexChanged.connect(self._preset_chosen)
        self.test.clicked.connect(self.test_connection)

    def changes(self) -> dict[str, Any]:
        """Keys of `llm` to write; the key itself only where no keyring takes it."""
        if self.provider.currentData() == OFFLINE:
            return {"base_url": "", "model": "", "api_key": ""}
        key = "" if self._keys.available else self._typed_or_stored()
        return {"base_url": self._url(), "model": self.model.text().strip(), "api_key": key}

    def store_key(self) -> None:
        """Hand the key to the keyring, also one that stood in the file. OSError where it refuses."""
        key = self._typed_or_stored()
        if self._keys.available and key and self.provider.currentData() != OFFLINE:
            self._keys.put(self._url(), key)

    def test_connection(self) -> None:
        """Ask the server one short question, off the GUI thread."""
        words = self._words
        if self.provider.currentData() == OFFLINE:
            self._say(words("离线分析员不需要连接，随时可用。"), LOSS)
            return
        url, model, key = self._url(), self.model.text().strip(), self._typed_or_stored()
        if not url or not model:
            self._say(words("请先填写地址和模型名。"), GAIN)
            return
        self.test.setEnabled(False)
        self._say(words("正在连接…"), MUTED)

        def done(tokens: int) -> None:
            self.test.setEnabled(True)
            self._say(
                words("连接成功，{model} 回答了，用了 {tokens} 个 token。", model=model, tokens=tokens), LOSS
            )

        def failed(error: Exception) -> None:
            self.test.setEnabled(True)
            self._say(explain(error, words), GAIN)

        self._background.run(lambda: ask_once(url, model, key), done, failed)

    def _preset_chosen(self) -> None:
        chosen = self.provider.currentData()
        if isinstance(chosen, Preset):
            self.base_url.setText(chosen.base_url)
            self.model.setText(chosen.model)
        elif chosen == OFFLINE:
            self.base_url.clear()
            self.model.clear()
        self.key.clear()
        self._stored = ""
        self.key.setPlaceholderText("")
        self.result.clear()
        self._enable()

    def _choose(self, llm: LlmSettings) -> None:
        preset = preset_of(llm.base_url)
        if llm.offline:
            place = 0
        else:
            place = self.provider.count() - 1 if preset is None else self.provider.findText(preset.name)
        self.provider.setCurrentIndex(place)
        self._enable()

    def _enable(self) -> None:
        on = self.provider.currentData() != OFFLINE
        for field in (self.base_url, self.model, self.key):
            field.setEnabled(on)

    def _stored_key(self, llm: LlmSettings) -> str:
        own = llm.api_key.get_secret_value()
        if own or llm.offline or not self._keys.available:
            return own
        try:
            return self._keys.get(llm.base_url)
        except OSError as error:
            self._say(explain(error, self._words), GAIN)
            return ""

    def _typed_or_stored(self) -> str:
        return self.key.text().strip() or self._stored

    def _url(self) -> str:
        return self.base_url.text().strip().rstrip("/")

    def _say(self, sentence: str, colour: str) -> None:
        self.result.setText(sentence)
        self.result.setStyleSheet(f"color: {colour};")

    def _lay_out(self) -> None:
        words = self._words
        where = (
            words("密钥存入系统钥匙串，由本窗口启动时读取；命令行启动请用环境变量 AIAGENT_LLM__API_KEY。")
            if self._keys.available
            else words(
                "没有安装 keyring，密钥存入 .vntrader/aiagent/config.yaml，文件只有本用户可读；"
                "安装 keyring 后改存系统钥匙串。"
            )
        )
        note = QLabel(where)
        note.setWordWrap(True)
        note.setStyleSheet(f"color: {MUTED};")
        row = QHBoxLayout()
        row.addWidget(self.test)
        row.addWidget(self.result, 1)
        form = QFormLayout(self)
        form.addRow(words("服务商"), self.provider)
        form.addRow(words("地址"), self.base_url)
        form.addRow(words("模型名"), self.model)
        form.addRow(words("密钥"), self.key)
        form.addRow("", note)
        form.addRow("", row)


def ask_once(base_url: str, model: str, key: str) -> int:
    """One short question; how many tokens it took. Raises ConfigError or a ModelError."""
    client = OpenAIModel(base_url, model, key or "none", timeout=TEST_SECONDS, max_retries=0)
    try:
        question = ModelRequest(
            task="connection_test",
            messages=(ChatMessage(role="user", content="Answer with the word ok."),),
            max_tokens=64,
            timeout=TEST_SECONDS,
        )
        return client.complete(question).usage.tokens
    finally:
        client.close()
