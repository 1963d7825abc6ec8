"""Which models decide: one for new decisions and conflicts, perhaps a cheaper one for regular checks."""

import sys
from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGroupBox, QLabel, QScrollArea, QVBoxLayout, QWidget

from vnpy_aiagent.config import LlmSettings, QuickModel
from vnpy_aiagent.keys import KeyStore
from vnpy_aiagent.ui.background import Background
from vnpy_aiagent.ui.settings.server_form import ServerForm
from vnpy_aiagent.ui.theme import MUTED
from vnpy_aiagent.ui.words import Words

FORM_KEYS = ("base_url", "model", "api_key", "input_price", "output_price")


class ModelPage(QWidget):
    """The part `llm` of the settings."""

    changed = Signal()

    def __init__(self, words: Words, llm: LlmSettings, keys: KeyStore, background: Background) -> None:
        """Show what is set."""
        super().__init__()
        self._words, self._keys, self._llm = words, keys, llm
        self.deep = ServerForm(words, keys, background, words("不用模型（离线分析员：规则）"))
        self.quick = ServerForm(words, keys, background, words("与上面相同"))
        self.deep.show_model(llm, on=not llm.offline)
        self.quick.show_model(llm.of("quick"), on=llm.quick is not None)
        self.cost = QLabel()
        self.cost.setWordWrap(True)
        self.deep.changed.connect(self._changed)
        self.quick.changed.connect(self._changed)
        self._lay_out()
        self._changed()

    def check(self) -> bool:
        """Whether what stands here can be saved."""
        checks = [self.deep.check()]
        if self.quick.isEnabled():
            checks.append(self.quick.check())
        return all(checks)

    def changes(self, values: dict[str, Any]) -> dict[str, Any]:
        """The section `llm` to write, from the file's own; keys that the window does not know stay."""
        quick = values.get("quick") or {}
        found = _merged({key: each for key, each in values.items() if key != "quick"}, self.deep.values())
        if not self.deep.off and not self.quick.off:
            found["quick"] = _merged(quick, self.quick.values())
            return found
        roles = {name: role for name, role in (found.pop("roles", None) or {}).items() if role != "quick"}
        if self.deep.off:
            found.pop("fallbacks", None)
        elif roles:
            found["roles"] = roles
        return found

    def store_keys(self) -> None:
        """Hand the keys to their store. KeyStoreError where it refuses."""
        self.deep.store_key()
        if not self.deep.off and not self.quick.off:
            self.quick.store_key()

    def settings(self) -> LlmSettings | None:
        """What the fields say, for an estimate; None while they say nothing whole."""
        if self.deep.off:
            return LlmSettings()
        if not (self.deep.url() and self.deep.model.text().strip()):
            return None
        llm = self.deep.filled(self._llm)
        if self.quick.off or not self.quick.model.text().strip():
            return llm
        try:
            given = {key: each for key, each in self.quick.values().items() if each != ""}
            return llm.model_copy(update={"quick": QuickModel(**given)})
        except ValidationError:
            return None

    def show_cost(self, sentence: str) -> None:
        """What a day is estimated to cost."""
        self.cost.setText(sentence)

    def _changed(self) -> None:
        self.quick.setEnabled(not self.deep.off)
        self.changed.emit()

    def _place_of_keys(self) -> str:
        words = self._words
        if self._keys.in_keyring:
            return words("密钥存入系统钥匙串，窗口和命令行都能读到；环境变量 AIAGENT_LLM__API_KEY 优先。")
        if sys.platform == "win32":
            place = (
                "密钥存入 {path}，谁能读取由用户文件夹的权限决定；"
                "装好可用的 keyring 后改存 Windows 凭据管理器。"
            )
        else:
            place = "密钥存入 {path}，文件只有本用户可读；装好可用的 keyring 后改存系统钥匙串。"
        return words(place, path=self._keys.file)

    def _lay_out(self) -> None:
        words = self._words
        note = QLabel(self._place_of_keys())
        note.setWordWrap(True)
        note.setStyleSheet(f"color: {MUTED};")
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.addWidget(_boxed(words("主模型：新机会、辩论、触发后的重新分析"), self.deep))
        column.addWidget(_boxed(words("快速模型：持仓的定时检查（可选，便宜的即可）"), self.quick))
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        layout = QVBoxLayout(self)
        layout.addWidget(scroll, 1)
        layout.addWidget(self.cost)
        layout.addWidget(note)


def _merged(before: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The section with the form's keys in place; one that is empty now and was not there stays away."""
    found = dict(before)
    for key in FORM_KEYS:
        if given[key] == "":
            found.pop(key, None)
        elif str(found.get(key, "")) != given[key]:
            found[key] = given[key]
    return found


def _boxed(title: str, inside: QWidget) -> QGroupBox:
    box = QGroupBox(title)
    layout = QVBoxLayout(box)
    layout.addWidget(inside)
    return box
