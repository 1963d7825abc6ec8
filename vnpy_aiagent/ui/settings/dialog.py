"""The dialog around the pages: checks everything, then writes the user's file in one step."""

import os
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPushButton, QTabWidget, QVBoxLayout, QWidget

from vnpy_aiagent.config import ENV_PREFIX, OTHER_VARIABLES, Settings
from vnpy_aiagent.errors import AiAgentError
from vnpy_aiagent.ui.background import Background
from vnpy_aiagent.ui.explain import explain
from vnpy_aiagent.ui.keys import KeyStore
from vnpy_aiagent.ui.settings.general_page import GeneralPage
from vnpy_aiagent.ui.settings.model_page import ModelPage
from vnpy_aiagent.ui.settings.risk_page import RiskPage
from vnpy_aiagent.ui.settings.schedule_page import SchedulePage
from vnpy_aiagent.ui.settings.universe_page import UniversePage
from vnpy_aiagent.ui.settings.values import BadSetting, SettingsFile, checked
from vnpy_aiagent.ui.theme import GAIN, MUTED, ROOMY
from vnpy_aiagent.ui.words import Words


class SettingsDialog(QDialog):
    """Pages over the user's settings file. `saved` comes after it was written."""

    saved = Signal()
    run_job_asked = Signal(str)

    def __init__(
        self,
        words: Words,
        keys: KeyStore,
        *,
        running_jobs: tuple[str, ...] = (),
        file: SettingsFile | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """A file that cannot be read is named, and nothing can be saved over it."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.words = words
        self.setWindowTitle(words("设置"))
        self.setStyleSheet(ROOMY)
        self.resize(820, 640)
        self.background = Background(self)
        self.news = QLabel()
        self.news.setWordWrap(True)
        self.news.hide()
        self.news.setTextFormat(Qt.TextFormat.PlainText)
        self.save = QPushButton(words("保存"))
        self.save.setDefault(True)
        self.cancel = QPushButton(words("取消"))
        self.file: SettingsFile | None = None
        try:
            self.file = file or SettingsFile()
        except AiAgentError as error:
            self._complain(explain(error, words))
            self.save.setEnabled(False)
        settings = self.file.settings if self.file else Settings()
        self._build(settings, keys, running_jobs)

    def _build(self, settings: Settings, keys: KeyStore, running_jobs: tuple[str, ...]) -> None:
        words = self.words
        self.model = ModelPage(words, settings.llm, keys, self.background)
        self.risk = RiskPage(words, settings.accounts)
        self.schedule = SchedulePage(words, settings.schedule, running_jobs)
        self.universe = UniversePage(words, settings.universe, self.background)
        self.general = GeneralPage(words, settings)
        self.schedule.run_asked.connect(self.run_job_asked)
        self.pages = QTabWidget()
        for page, title in (
            (self.model, words("模型")),
            (self.risk, words("风险偏好")),
            (self.schedule, words("时间表")),
            (self.universe, words("标的池")),
            (self.general, words("其他")),
        ):
            self.pages.addTab(page, title)
        self.pages.setEnabled(self.file is not None)
        hint = QLabel(self._hint())
        hint.setWordWrap(True)
        hint.setStyleSheet(f"color: {MUTED};")
        buttons = QDialogButtonBox()
        buttons.addButton(self.save, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.cancel, QDialogButtonBox.ButtonRole.RejectRole)
        self.save.clicked.connect(self.save_all)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.news)
        layout.addWidget(hint)
        layout.addWidget(buttons)

    def save_all(self) -> None:
        """Check and write; what is refused is named and the dialog stays open."""
        if self.file is None:
            return
        try:
            changes = self._changes(self.file)
            checked({**self.file.values, **changes})
            self.model.store_key()
            if changes:
                self.file.save(changes)
        except BadSetting as error:
            self._complain(
                self.words("设置 {key} 不对：{problem}；请改正后再保存", key=error.key, problem=error.problem)
            )
            return
        except (ValueError, OSError, AiAgentError) as error:
            self._complain(explain(error, self.words))
            return
        self.saved.emit()
        self.accept()

    def _changes(self, file: SettingsFile) -> dict[str, Any]:
        values = file.values
        found = self.general.changes(values)
        llm = {**values.get("llm", {}), **self.model.changes()}
        llm = {key: value for key, value in llm.items() if value != "" or key in values.get("llm", {})}
        if llm != values.get("llm", {}):
            found["llm"] = llm
        for name, part in (
            ("accounts", self.risk.changes()),
            ("schedule", self.schedule.changes()),
            ("universe", self.universe.changes()),
        ):
            if part is not None:
                found[name] = part
        return found

    def _hint(self) -> str:
        hint = self.words("保存到 {path}，下次启动时生效。", path=self.file.path if self.file else "-")
        names = sorted(
            name
            for name in os.environ
            if name.upper().startswith(ENV_PREFIX) and not name.upper().startswith(OTHER_VARIABLES)
        )
        if names:
            hint += self.words("环境变量优先于此文件：{names}。", names=", ".join(names))
        return hint

    def _complain(self, sentence: str) -> None:
        self.news.setText(sentence)
        self.news.show()
        self.news.setStyleSheet(f"color: {GAIN};")
