"""The dialog around the pages: checks everything, then writes the user's file in one step."""

import os
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from vnpy_aiagent.config import ENV_PREFIX, OTHER_VARIABLES, Settings
from vnpy_aiagent.errors import AiAgentError
from vnpy_aiagent.keys import KeyStore
from vnpy_aiagent.llm.estimate import daily_cost
from vnpy_aiagent.ui.background import Background
from vnpy_aiagent.ui.explain import explain
from vnpy_aiagent.ui.settings.accounts_page import AccountsPage
from vnpy_aiagent.ui.settings.general_page import GeneralPage
from vnpy_aiagent.ui.settings.model_page import ModelPage
from vnpy_aiagent.ui.settings.schedule_page import SchedulePage
from vnpy_aiagent.ui.settings.universe_page import UniversePage
from vnpy_aiagent.ui.settings.values import BadSetting, Saved, SettingsFile, checked
from vnpy_aiagent.ui.theme import GAIN, LOSS, MUTED, ROOMY
from vnpy_aiagent.ui.words import Words
from vnpy_aiagent.wiring import app_folder

WIDTH, HEIGHT = 940, 640
PARTS = {
    "llm": "模型",
    "accounts": "账户与风险",
    "schedule": "时间表",
    "universe": "股票池",
    "auto_pool": "自动股票池",
    "budget": "预算",
    "brain": "辩论",
    "language": "界面语言",
    "quote_gateway": "行情接口",
    "approvals": "委托确认",
}


class SettingsDialog(QDialog):
    """Pages over the user's settings file. `saved` comes after it was written."""

    saved = Signal()
    run_job_asked = Signal(str)
    live_asked = Signal()

    def __init__(
        self,
        words: Words,
        keys: KeyStore,
        *,
        running_jobs: tuple[str, ...] = (),
        gateways: tuple[str, ...] | None = None,
        file: SettingsFile | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """A file that cannot be read is named, and nothing can be saved over it.

        running_jobs: the timetable of an engine that runs now. gateways: those loaded in VeighNa.
        """
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.words = words
        self._running = bool(running_jobs)
        self.setWindowTitle(words("设置"))
        self.setStyleSheet(ROOMY)
        self.resize(WIDTH, HEIGHT)
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
            self._say(explain(error, words), GAIN)
            self.save.setEnabled(False)
        self._build(self.file.settings if self.file else Settings(), keys, running_jobs, gateways)

    def _build(
        self,
        settings: Settings,
        keys: KeyStore,
        running_jobs: tuple[str, ...],
        gateways: tuple[str, ...] | None,
    ) -> None:
        words = self.words
        self.model = ModelPage(words, settings.llm, keys, self.background)
        self.accounts = AccountsPage(words, settings.accounts, gateways)
        self.schedule = SchedulePage(words, settings.schedule, running_jobs)
        self.universe = UniversePage(words, settings, self.background, app_folder())
        self.general = GeneralPage(words, settings, gateways)
        self.schedule.run_asked.connect(self.run_job_asked)
        self.general.live_asked.connect(self.live_asked)
        self.model.changed.connect(self._estimate)
        self.pages = QTabWidget()
        for page, title in (
            (self.model, words("模型")),
            (self.accounts, words("账户与风险")),
            (self.schedule, words("时间表")),
            (self.universe, words("股票池")),
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
        self._estimate()

    def save_all(self) -> None:
        """Check and write; what is refused is named, its page shown, and nothing is written."""
        if self.file is None:
            return
        words = self.words
        for page in (self.model, self.accounts, self.schedule, self.general):
            if not page.check():
                self.pages.setCurrentWidget(page)
                self._say(words("没有保存：请改正红字标出的设置。"), GAIN)
                return
        try:
            changes = self._changes(self.file)
            checked({key: each for key, each in {**self.file.values, **changes}.items() if each is not None})
            self.model.store_keys()
            if not changes:
                typed = self.model.deep.key.text() or self.model.quick.key.text()
                self._say(words("密钥已保存。") if typed else words("没有改动，文件未写。"), MUTED)
                return
            self._report(self.file.save(changes))
        except BadSetting as error:
            problem = words(
                "设置 {key} 不对：{problem}；请改正后再保存", key=error.key, problem=error.problem
            )
            self._say(problem, GAIN)
            return
        except (ValueError, OSError, AiAgentError) as error:
            self._say(words("没有保存：{why}", why=explain(error, words)), GAIN)
            return
        self.saved.emit()

    def _changes(self, file: SettingsFile) -> dict[str, Any]:
        values = file.values
        found = self.general.changes(values)
        found |= self.universe.changes({**values, **found})  # both write into the budget
        llm = self.model.changes(values.get("llm") or {})
        if llm != (values.get("llm") or {}):
            found["llm"] = llm or None
        for name, part in (
            ("accounts", self.accounts.changes()),
            ("schedule", self.schedule.changes()),
        ):
            if part is not None and part != values.get(name):
                found[name] = part
        return {key: each for key, each in found.items() if each != values.get(key)}

    def _report(self, saved: Saved) -> None:
        """What was written, where the old file is, what waits for a restart."""
        words = self.words
        parts = "、".join(words(PARTS.get(part, part)) for part in saved.parts)
        lines = [words("已保存：{parts}。", parts=parts)]
        if saved.backup is not None:
            lines.append(words("原文件留在 {backup}。", backup=saved.backup.name))
        if saved.comments_lost:
            lines.append(words("改动部分里你写的注释没有保留，原文件里还有。"))
        if self._running:
            lines.append(words("这些改动在重启 VeighNa Trader 后生效；现在仍按原来的设置运行。"))
        self._say("".join(lines) if words.language == "zh" else " ".join(lines), LOSS)
        self.cancel.setText(words("关闭"))

    def _estimate(self) -> None:
        """What a day costs with the models that stand in the fields."""
        if self.file is None:
            return
        llm = self.model.settings()
        if llm is None:
            self.model.show_cost("")
            return
        found = daily_cost(self.file.settings.model_copy(update={"llm": llm}))
        self.model.show_cost(self.words.show(found.sentence()))

    def _hint(self) -> str:
        hint = self.words("设置文件：{path}。", path=self.file.path if self.file else "-")
        names = sorted(
            name
            for name in os.environ
            if name.upper().startswith(ENV_PREFIX) and not name.upper().startswith(OTHER_VARIABLES)
        )
        if names:
            hint += self.words("环境变量优先于此文件：{names}。", names=", ".join(names))
        return hint

    def _say(self, sentence: str, colour: str) -> None:
        self.news.setText(sentence)
        self.news.show()
        self.news.setStyleSheet(f"color: {colour};")
