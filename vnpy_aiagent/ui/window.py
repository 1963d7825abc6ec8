"""The AiAgent window. It shows what the engine says; what a button does runs on a thread of its own.

The journal is followed at 2 Hz, the engine read once a second, events drained at 5 Hz: none of it on the
event thread, and nothing slow on the GUI thread.
"""

from collections.abc import Callable, Iterable
from typing import cast

from PySide6.QtCore import QTimer
from PySide6.QtGui import QCloseEvent, QIcon, QShowEvent
from PySide6.QtWidgets import QMessageBox, QTabWidget, QVBoxLayout, QWidget
from vnpy.event import EventEngine
from vnpy.trader.engine import MainEngine
from vnpy.trader.object import LogData

from vnpy_aiagent.app import AiAgentApp
from vnpy_aiagent.base import APP_NAME
from vnpy_aiagent.config import Settings, load_settings
from vnpy_aiagent.domain import AgentStatus, LiveClock, Message, Mode, RunStarted, TriggerSpec
from vnpy_aiagent.engine import AiAgentEngine
from vnpy_aiagent.errors import AiAgentError
from vnpy_aiagent.i18n import Language
from vnpy_aiagent.ui.background import Background
from vnpy_aiagent.ui.confirm import ConfirmDialog, tell
from vnpy_aiagent.ui.decisions import DecisionsTab
from vnpy_aiagent.ui.explain import explain
from vnpy_aiagent.ui.feed import EventFeed
from vnpy_aiagent.ui.funnel_tab import FunnelTab
from vnpy_aiagent.ui.journal_tail import JournalTail
from vnpy_aiagent.ui.keys import KeyStore, with_key
from vnpy_aiagent.ui.log_tab import LogTab
from vnpy_aiagent.ui.overview import OverviewTab
from vnpy_aiagent.ui.settings import SettingsDialog
from vnpy_aiagent.ui.snapshot import Snapshot, take_snapshot
from vnpy_aiagent.ui.theme import CALM, CAUTION, DANGER, GAIN, ROOMY
from vnpy_aiagent.ui.topbar import BarState, TopBar
from vnpy_aiagent.ui.triggers_tab import TriggersTab
from vnpy_aiagent.ui.words import Words
from vnpy_aiagent.wiring import default_config, journal_target

TICK_MS = 200
TAIL_TICKS, SNAPSHOT_TICKS = 2, 5
WHO = "window"


class AiAgentManager(QWidget):
    """The app's widget, as VeighNa builds it."""

    def __init__(
        self,
        main_engine: MainEngine,
        event_engine: EventEngine,
        language: Language | None = None,
        journal: str | None = None,
    ) -> None:
        """`language` and `journal` are taken from the settings where they are not given."""
        super().__init__()
        self.engine = cast(AiAgentEngine, main_engine.get_engine(APP_NAME))
        self._given_journal = journal
        self._settings, self._trouble = _settings_on_disk()
        self.words = Words(language or (self._settings.display_language if self._settings else "zh"))
        self._run: RunStarted | None = None
        self._snapshot: Snapshot | None = None
        self._starting = self._polling = self._reading = False
        self._history = True
        self._ticks = 0
        self.background = Background(self)
        self.feed = EventFeed(event_engine)
        self.tail = JournalTail(self._journal_target)
        self._build()
        self.destroyed.connect(self.feed.close)
        self.destroyed.connect(self.tail.close)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.refresh)
        self._show_bar()

    # life of the window

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Begin to follow."""
        self._timer.start(TICK_MS)
        super().showEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Closing hides the window; the engine goes on, and showing it again catches up."""
        self._timer.stop()
        super().closeEvent(event)

    # following

    def refresh(self) -> None:
        """One step: what came by event now, journal and engine when it is their turn."""
        self._take_events(self.feed.drain())
        if self._ticks % TAIL_TICKS == 0:
            self._poll_journal()
        if self._ticks % SNAPSHOT_TICKS == 0:
            self._read_engine()
        self._ticks += 1
        self._show_bar()

    def _take_events(self, found: Iterable[object]) -> None:
        lines = []
        for each in found:
            if isinstance(each, AgentStatus):
                self.overview.show_status(each)
            elif isinstance(each, LogData):
                lines.append(each)
        self.log.take_log(lines)

    def _poll_journal(self) -> None:
        if self._polling:
            return
        self._polling = True
        self.background.run(self.tail.poll, self._take_messages, self._poll_failed)

    def _take_messages(self, messages: list[Message]) -> None:
        self._polling = False
        if not messages:
            return
        self._run = next((each for each in reversed(messages) if isinstance(each, RunStarted)), self._run)
        self.decisions.take(messages)
        self.overview.take(messages)
        self.log.take(messages, history=self._history)
        self._history = False

    def _poll_failed(self, error: Exception) -> None:
        self._polling = False
        self.bar.say(explain(error, self.words), GAIN)

    def _read_engine(self) -> None:
        if not self.engine.started or self._reading:
            return
        self._reading = True
        engine = self.engine
        self.background.run(lambda: take_snapshot(engine), self._take_snapshot, self._read_failed)

    def _take_snapshot(self, snapshot: Snapshot) -> None:
        self._reading = False
        self._snapshot = snapshot
        self.overview.show_snapshot(snapshot)
        self.triggers.show_snapshot(snapshot)
        self._show_bar()

    def _read_failed(self, error: Exception) -> None:
        self._reading = False
        self.bar.say(explain(error, self.words), GAIN)

    def _show_bar(self) -> None:
        found, settings = self._snapshot, self._settings
        if found is not None:
            mode: Mode | None = found.mode
            model, is_llm, today = found.model, found.is_llm, found.day
        else:
            replayed = self._run if self._given_journal else None
            mode = replayed.mode if replayed else settings.mode if settings else None
            model = settings.llm.model if settings else ""
            is_llm = bool(settings and not settings.llm.offline)
            today = LiveClock().now().date()
        self.bar.show_state(
            BarState(
                mode=mode,
                state=found.state if found else None,
                paused=bool(found and found.paused),
                model=model,
                is_llm=is_llm,
                cost=f"{self.decisions.stream.cost_on(today):.2f}",
                starting=self._starting,
                closed=self.engine.closed,
                silent_seconds=self.feed.silent_seconds,
            )
        )

    # what people do

    def _start(self) -> None:
        engine = self.engine
        self._starting = True
        self._show_bar()

        def work() -> None:
            engine.start(with_key(load_settings(default_config()), KeyStore()))

        def done(_: None) -> None:
            self._starting = False
            self.bar.say(self.words("已启动"))
            self._read_engine()

        def failed(error: Exception) -> None:
            self._starting = False
            self._show_bar()
            self._complain(error)

        self.background.run(work, done, failed)

    def _pause(self) -> None:
        self._act(lambda: self.engine.pause(WHO), self.words("AI 已暂停，止损照常"))

    def _halt(self) -> None:
        words = self.words
        text = words(
            "将撤销所有在途委托，此后只发撤单，止损也不会发出，直到人工恢复。持仓不会卖出。确定全部停止？"
        )
        dialog = ConfirmDialog(
            self, words("全部停止"), text, words("全部停止"), words, DANGER, reason=words("人工停止")
        )
        dialog.ask(
            lambda reason: self._act(
                lambda: self.engine.halt(reason or words("人工停止"), WHO), words("已全部停止")
            )
        )

    def _flatten(self) -> None:
        words = self.words
        count = len(self._snapshot.positions) if self._snapshot else 0
        text = words(
            "将卖出全部 {count} 个持仓，撤销开仓委托，不再开新仓；今天不能卖的下一时机再卖。确定一键清仓？",
            count=count,
        )
        dialog = ConfirmDialog(self, words("一键清仓"), text, words("一键清仓"), words, DANGER)
        dialog.ask(lambda _: self._flatten_now())

    def _flatten_now(self) -> None:
        words = self.words

        def done(locked: list[str]) -> None:
            if locked:
                names = "、".join(locked)
                self.bar.say(words("正在清仓；现在不能卖、留待下一时机：{names}", names=names))
            else:
                self.bar.say(words("正在清仓"))
            self._read_engine()

        self.background.run(lambda: self.engine.flatten(WHO), done, self._complain)

    def _resume(self) -> None:
        words = self.words
        text = words("将回到正常交易：AI 可以开新仓，止损照常发出。确定恢复？")
        dialog = ConfirmDialog(self, words("恢复"), text, words("恢复"), words, CALM)
        dialog.ask(lambda _: self._act(lambda: self.engine.resume(WHO), words("已恢复正常交易")))

    def _cancel_trigger(self, spec: TriggerSpec) -> None:
        words = self.words
        text = words(
            "撤销 {account} {symbol} 的触发 {id}？之后不会再因它重新分析。",
            account=spec.account,
            symbol=spec.symbol,
            id=spec.id,
        )
        dialog = ConfirmDialog(self, words("撤销触发"), text, words("撤销触发"), words, CAUTION)
        dialog.ask(lambda _: self._act(lambda: self.engine.cancel_trigger(spec.id, WHO), words("触发已撤销")))

    def _run_job(self, name: str) -> None:
        done = self.words("任务 {job} 已开始", job=name)
        self._act(lambda: self.engine.run_job(name, WHO), done)

    def _open_settings(self) -> None:
        jobs = self._snapshot.jobs if self._snapshot and not self.engine.closed else ()
        dialog = SettingsDialog(self.words, KeyStore(), running_jobs=jobs, parent=self)
        dialog.run_job_asked.connect(self._run_job)
        dialog.saved.connect(self._settings_saved)
        dialog.open()

    def _settings_saved(self) -> None:
        self._settings, self._trouble = _settings_on_disk()
        if self.engine.started:
            self.bar.say(self.words("设置已保存，下次启动时生效"))
        else:
            self.bar.say(self.words("设置已保存"))

    def _act(self, work: Callable[[], object], sentence: str) -> None:
        def done(_: object) -> None:
            self.bar.say(sentence)
            self._read_engine()

        self.background.run(work, done, self._complain)

    def _complain(self, error: Exception) -> None:
        sentence = explain(error, self.words)
        self.bar.say(sentence, GAIN)
        tell(self, self.words("没有成功"), sentence, QMessageBox.Icon.Warning)

    # building

    def _journal_target(self) -> str:
        if self._given_journal:
            return self._given_journal
        if self.engine.started:
            return journal_target(self.engine.parts.settings)
        return journal_target(self._settings or Settings())

    def _build(self) -> None:
        words = self.words
        self.setWindowTitle(words("AI 智能体"))
        self.setWindowIcon(QIcon(AiAgentApp.icon_name))
        self.setStyleSheet(ROOMY)
        self.resize(1280, 800)
        self.bar = TopBar(words)
        self.overview = OverviewTab(words)
        self.decisions = DecisionsTab(words, self.background, self.tail.with_reader)
        self.triggers = TriggersTab(words)
        self.funnel = FunnelTab(words, self.background, self.tail.with_reader)
        self.log = LogTab(words)
        self.tabs = QTabWidget()
        for tab, title in (
            (self.overview, words("总览")),
            (self.decisions, words("决策")),
            (self.triggers, words("触发与止损")),
            (self.funnel, words("未交易原因")),
            (self.log, words("日志")),
        ):
            self.tabs.addTab(tab, title)
        self.tabs.currentChanged.connect(self._tab_chosen)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.bar)
        layout.addWidget(self.tabs, 1)
        self.bar.start_clicked.connect(self._start)
        self.bar.pause_clicked.connect(self._pause)
        self.bar.halt_clicked.connect(self._halt)
        self.bar.flatten_clicked.connect(self._flatten)
        self.bar.resume_clicked.connect(self._resume)
        self.bar.settings_clicked.connect(self._open_settings)
        self.triggers.cancel_asked.connect(self._cancel_trigger)
        if self._trouble is not None:
            self.bar.say(explain(self._trouble, words), GAIN)

    def _tab_chosen(self, place: int) -> None:
        if self.tabs.widget(place) is self.funnel:
            self.funnel.refresh()


def _settings_on_disk() -> tuple[Settings | None, AiAgentError | None]:
    """The user's settings, or why they cannot be read."""
    try:
        return load_settings(default_config()), None
    except AiAgentError as error:
        return None, error
