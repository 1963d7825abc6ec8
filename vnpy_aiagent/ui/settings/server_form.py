"""One model: its server from the presets or one's own, name, key, prices, a test of the connection."""

from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import SecretStr
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from vnpy_aiagent.config import LlmSettings
from vnpy_aiagent.errors import KeyStoreError
from vnpy_aiagent.keys import KeyStore
from vnpy_aiagent.llm.probe import ProbeResult, probe
from vnpy_aiagent.ui.background import Background
from vnpy_aiagent.ui.explain import explain
from vnpy_aiagent.ui.presets import Preset, preset_of, presets
from vnpy_aiagent.ui.theme import GAIN, LOSS, MUTED
from vnpy_aiagent.ui.words import Words

NONE, CUSTOM = "none", "custom"


class ServerForm(QWidget):
    """Fields of one model. `none` names the first choice, with which no server is asked."""

    changed = Signal()

    def __init__(self, words: Words, keys: KeyStore, background: Background, none: str) -> None:
        """Empty until `show_model`."""
        super().__init__()
        self._words, self._keys, self._background = words, keys, background
        self._stored = ""
        self.provider = QComboBox()
        self.provider.addItem(none, NONE)
        for preset in presets():
            self.provider.addItem(preset.name, preset)
        self.provider.addItem(words("自定义"), CUSTOM)
        self.base_url, self.model, self.key = QLineEdit(), QLineEdit(), QLineEdit()
        self.base_url.setPlaceholderText("https://…/v1")
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self.input_price, self.output_price = QLineEdit(), QLineEdit()
        for field in (self.input_price, self.output_price):
            field.setPlaceholderText(words("未知"))
            field.setMaximumWidth(110)
        self.problem, self.result = _line(GAIN), _line(MUTED)
        self.test = QPushButton(words("测试连接"))
        self.form = QFormLayout(self)
        self._lay_out()
        self.provider.currentIndexChanged.connect(self._preset_chosen)
        self.test.clicked.connect(self.test_connection)
        for edit in (self.base_url, self.model, self.input_price, self.output_price):
            edit.textChanged.connect(self.changed)

    @property
    def off(self) -> bool:
        """Whether the first choice is made: no server."""
        return bool(self.provider.currentData() == NONE)

    def show_model(self, llm: LlmSettings, *, on: bool) -> None:
        """Show what is set; `on` False chooses the first entry."""
        preset = preset_of(llm.base_url)
        place = self.provider.findText(preset.name) if preset else self.provider.count() - 1
        self.provider.blockSignals(True)
        self.provider.setCurrentIndex(place if on else 0)
        self.provider.blockSignals(False)
        self.base_url.setText(llm.base_url if on else "")
        self.model.setText(llm.model if on else "")
        self.input_price.setText(_shown(llm.input_price) if on else "")
        self.output_price.setText(_shown(llm.output_price) if on else "")
        self._stored = self._stored_key(llm) if on else ""
        self.key.setPlaceholderText(self._words("已保存，留空则不变") if self._stored else "")
        self._enable()

    def values(self) -> dict[str, Any]:
        """Keys of the section to write, all empty without a server; the key itself goes to the key store."""
        if self.off:
            return {"base_url": "", "model": "", "api_key": "", "input_price": "", "output_price": ""}
        return {
            "base_url": self.url(),
            "model": self.model.text().strip(),
            "api_key": "",
            "input_price": self.input_price.text().strip(),
            "output_price": self.output_price.text().strip(),
        }

    def check(self) -> bool:
        """Whether the fields can be saved; what is wrong stands under them."""
        words, wrong = self._words, ""
        if not self.off:
            if not self.url() or not self.model.text().strip():
                wrong = words("请先填写地址和模型名。")
            elif not self.url().startswith(("http://", "https://")):
                wrong = words("地址应以 http:// 或 https:// 开头。")
            elif None in (price(self.input_price.text()), price(self.output_price.text())):
                wrong = words("价格应是不小于 0 的数字；不知道就留空。")
        self.problem.setText(wrong)
        self.problem.setVisible(bool(wrong))
        return not wrong

    def store_key(self) -> None:
        """Hand the key to its store, also one that stood in the file. KeyStoreError where it refuses."""
        key = self._typed_or_stored()
        if key and not self.off:
            self._keys.put(self.url(), key)

    def filled(self, llm: LlmSettings) -> LlmSettings:
        """These settings with what the fields say; ValidationError where they cannot be."""
        given = {
            "base_url": self.url(),
            "model": self.model.text().strip(),
            "api_key": SecretStr(self._typed_or_stored()),
            "input_price": price(self.input_price.text()) or Decimal(0),
            "output_price": price(self.output_price.text()) or Decimal(0),
            "quick": None,
        }
        return llm.model_copy(update=given)

    def test_connection(self) -> None:
        """Ask the server one short question, off the GUI thread."""
        words = self._words
        if self.off:
            self.say(words("不用服务器，不需要连接，随时可用。"), LOSS)
            return
        if not self.check():
            return
        asked = self.filled(LlmSettings())
        self.test.setEnabled(False)
        self.say(words("正在连接…"), MUTED)

        def done(found: ProbeResult) -> None:
            self.test.setEnabled(True)
            self.say(words.show(found.sentence), LOSS if found.ok else GAIN)

        def failed(error: Exception) -> None:
            self.test.setEnabled(True)
            self.say(explain(error, words), GAIN)

        self._background.run(lambda: probe(asked), done, failed)

    def url(self) -> str:
        """The address, without a slash at its end."""
        return self.base_url.text().strip().rstrip("/")

    def say(self, sentence: str, colour: str) -> None:
        """The result line."""
        self.result.setText(sentence)
        self.result.setStyleSheet(f"color: {colour};")

    def _preset_chosen(self) -> None:
        chosen = self.provider.currentData()
        if isinstance(chosen, Preset):
            self.base_url.setText(chosen.base_url)
            self.model.setText(chosen.model)
        elif chosen == NONE:
            self.base_url.clear()
            self.model.clear()
        for field in (self.key, self.input_price, self.output_price):
            field.clear()
            field.setToolTip("")
        if isinstance(chosen, Preset) and chosen.priced:
            for field, value in (
                (self.input_price, chosen.input_price),
                (self.output_price, chosen.output_price),
            ):
                field.setText(_shown(value or Decimal(0)))
                field.setToolTip(self._words("单价来源：{source}", source=chosen.priced))
        self._stored = ""
        self.key.setPlaceholderText("")
        self.result.clear()
        self._enable()
        self.changed.emit()

    def _enable(self) -> None:
        """Without a server there is nothing to fill in, and nothing is shown but the choice."""
        for row in range(1, self.form.rowCount()):
            self.form.setRowVisible(row, not self.off)
        self.problem.hide()

    def _stored_key(self, llm: LlmSettings) -> str:
        own = llm.api_key.get_secret_value()
        if own or not llm.base_url:
            return own
        try:
            return self._keys.get(llm.base_url)
        except KeyStoreError as error:
            self.say(explain(error, self._words), GAIN)
            return ""

    def _typed_or_stored(self) -> str:
        return self.key.text().strip() or self._stored

    def _lay_out(self) -> None:
        words = self._words
        prices = QHBoxLayout()
        prices.addWidget(QLabel(words("输入")))
        prices.addWidget(self.input_price)
        prices.addWidget(QLabel(words("输出")))
        prices.addWidget(self.output_price)
        prices.addStretch(1)
        row = QHBoxLayout()
        row.addWidget(self.test, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.result, 1)
        form = self.form
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(words("服务商"), self.provider)
        form.addRow(words("地址"), self.base_url)
        form.addRow(words("模型名"), self.model)
        form.addRow(words("密钥"), self.key)
        form.addRow(words("价格（元/百万 token）"), prices)
        form.addRow("", self.problem)
        form.addRow("", row)
        self.problem.hide()


def price(text: str) -> Decimal | None:
    """A price as typed, 0 where nothing is; None for what is no price."""
    try:
        found = Decimal(text.strip() or "0")
    except InvalidOperation:
        return None
    return found if found.is_finite() and found >= 0 else None


def _shown(value: Decimal) -> str:
    return f"{value:f}" if value else ""


def _line(colour: str) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setStyleSheet(f"color: {colour};")
    return label
