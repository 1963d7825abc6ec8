"""The AiAgent window. It shows what the engine says; what a button does runs on a thread of its own.

The journal is followed at 2 Hz, the engine read once a second, events drained at 5 Hz: none of it on the
event thread, and nothing slow on the GUI thread.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import cast

from PySide6.QtCore import QTimer
from PySide6.QtGui import QIcon, QShowEvent
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget
from vnpy.event import EventEngine
from vnpy.trader.engine import MainEngine
from vnpy.trader.object import LogData

from vnpy_aiagent.app import AiAgentApp
from vnpy_aiagent.base import APP_NAME
from vnpy_aiagent.config import Settings, load_settings
from vnpy_aiagent.data.quote_gateway import QuoteGateway
from vnpy_aiagent.domain import (
    AgentStatus,
    ApprovalAnswered,
    ApprovalAsked,
    LiveClock,
    ManualSlip,
    Message,
    Mode,
    RunStarted,
    Thinking,
    TriggerSpec,
)
from vnpy_aiagent.engine import AiAgentEngine
from vnpy_aiagent.errors import AiAgentError
from vnpy_aiagent.i18n import Language
from vnpy_aiagent.keys import KeyStore
from vnpy_aiagent.places import default_config
from vnpy_aiagent.sim.gateway import SimGateway
from vnpy_aiagent.ui.approvals import ApprovalDesk
from vnpy_aiagent.ui.background import Background
from vnpy_aiagent.ui.controls import Controls
from vnpy_aiagent.ui.decisions import DecisionsTab
from vnpy_aiagent.ui.explain import explain
from vnpy_aiagent.ui.feed import EventFeed
from vnpy_aiagent.ui.funnel_tab import FunnelTab
from vnpy_aiagent.ui.journal_tail import JournalTail
from vnpy_aiagent.ui.log_tab import LogTab
from vnpy_aiagent.ui.overview import OverviewTab
from vnpy_aiagent.ui.settings import SettingsDialog
from vnpy_aiagent.ui.settings.values import SettingsFile
from vnpy_aiagent.ui.slips import SlipDialog
from vnpy_aiagent.ui.snapshot import PositionRow, Snapshot, take_snapshot
from vnpy_aiagent.ui.theme import GAIN, ROOMY
from vnpy_aiagent.ui.topbar import BarState, TopBar
from vnpy_aiagent.ui.triggers_tab import TriggersTab
from vnpy_aiagent.ui.wizard import LiveWizard
from vnpy_aiagent.ui.words import Words
from vnpy_aiagent.wiring import journal_target

TICK_MS = 200
TAIL_TICKS, SNAPSHOT_TICKS = 2, 5


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
        self._main_engine = main_engine
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

    # following

    def refresh(self) -> None:
        """One step: what came by event now, journal and engine when it is their turn.

        A closed window is only hidden: it goes on taking events, since an order may wait for approval, and
        reads nothing until it is shown again.
        """
        self._take_events(self.feed.drain())
        if self.engine.closed:
            self.approvals.clear()
            self.overview.thinking.clear()
        self.approvals.tick()
        if not self.isVisible():
            return
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
            elif isinstance(each, Thinking):
                self.overview.thinking.take(each)
            elif isinstance(each, LogData):
                lines.append(each)
            elif isinstance(each, ApprovalAsked | ApprovalAnswered):
                self.approvals.take(each)
            elif isinstance(each, ManualSlip):
                self._take_slips((each,))
        self.log.take_log(lines)

    def _take_slips(self, slips: Sequence[ManualSlip]) -> None:
        if self.slips.add(slips):
            self.slips.show()

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
        self.approvals.add(snapshot.approvals)
        self._take_slips(snapshot.slips)
        self._show_bar()

    def _read_failed(self, error: Exception) -> None:
        self._reading = False
        if not self.engine.closed:  # else it was closed while it was read
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
                approvals=len(self.approvals.queue),
                slips=self.slips.model.rowCount(),
            )
        )

    # what people do

    def _start(self) -> None:
        engine = self.engine
        self._starting = True
        self._show_bar()

        def work() -> None:
            engine.start()

        def done(_: None) -> None:
            self._starting = False
            self.bar.say(self.words("已启动"))
            self._read_engine()

        def failed(error: Exception) -> None:
            self._starting = False
            self._show_bar()
            self.controls.complain(error)

        self.background.run(work, done, failed)

    def _flatten(self) -> None:
        held = self._snapshot.positions if self._snapshot else ()
        self.controls.flatten(sum(1 for row in held if row.managed))

    def _take_over(self, chosen: PositionRow | None = None) -> None:
        self.controls.take_over(self._snapshot.positions if self._snapshot else (), chosen)

    def _adjust_trigger(self, spec: TriggerSpec) -> None:
        self.controls.adjust_trigger(spec, self._snapshot.last_of(spec.symbol) if self._snapshot else None)

    def _open_settings(self) -> None:
        jobs = self._snapshot.jobs if self._snapshot and not self.engine.closed else ()
        dialog = SettingsDialog(
            self.words, KeyStore(), running_jobs=jobs, gateways=self._gateways(), parent=self
        )
        dialog.run_job_asked.connect(self.controls.run_job)
        dialog.saved.connect(self._settings_saved)
        dialog.live_asked.connect(lambda: self._open_wizard(dialog))
        dialog.open()

    def _open_wizard(self, dialog: SettingsDialog) -> None:
        """The way to live, over the settings as they are saved."""
        dialog.close()
        running = self.engine.started and not self.engine.closed
        ticket = self.engine.dry_run_ticket if running else None
        try:
            wizard = LiveWizard(
                self.words, SettingsFile(), gateways=self._gateways(), ticket=ticket, parent=self
            )
        except AiAgentError as error:
            self.bar.say(explain(error, self.words), GAIN)
            return
        wizard.saved.connect(self._settings_saved)
        wizard.open()

    def _gateways(self) -> tuple[str, ...]:
        """Gateways loaded in VeighNa, but for the simulated ones that the engine makes itself."""
        found = self._main_engine.gateways.items()
        return tuple(name for name, each in found if not isinstance(each, (SimGateway, QuoteGateway)))

    def _settings_saved(self) -> None:
        self._settings, self._trouble = _settings_on_disk()
        if self.engine.started:
            self.bar.say(self.words("设置已保存，下次启动时生效"))
        else:
            self.bar.say(self.words("设置已保存"))

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
        self.controls = Controls(self, self.engine, words, self.background, self.bar.say, self._read_engine)
        self.approvals = ApprovalDesk(self, words, self.controls, self._now, self._name_of, self.bar.say)
        self.slips = SlipDialog(self, words)
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
        self._connect()
        if self._trouble is not None:
            self.bar.say(explain(self._trouble, words), GAIN)

    def _connect(self) -> None:
        bar, controls = self.bar, self.controls
        bar.start_clicked.connect(self._start)
        bar.pause_clicked.connect(controls.pause)
        bar.halt_clicked.connect(controls.halt)
        bar.flatten_clicked.connect(self._flatten)
        bar.take_over_clicked.connect(self._take_over)
        bar.resume_clicked.connect(controls.resume)
        bar.settings_clicked.connect(self._open_settings)
        bar.approvals_clicked.connect(self.approvals.show)
        bar.slips_clicked.connect(self.slips.show)
        self.overview.take_over_asked.connect(self._take_over)
        self.overview.hand_back_asked.connect(controls.hand_back)
        for tab in (self.overview, self.triggers):
            tab.move_stop_asked.connect(controls.move_stop)
        self.triggers.cancel_asked.connect(controls.cancel_trigger)
        self.triggers.adjust_asked.connect(self._adjust_trigger)

    def _now(self) -> datetime:
        """The engine's clock, by which requests lapse."""
        return self.engine.parts.clock.now()

    def _name_of(self, symbol: str) -> str:
        return self.engine.parts.universe.names.get(symbol, "")

    def _tab_chosen(self, place: int) -> None:
        if self.tabs.widget(place) is self.funnel:
            self.funnel.refresh()


def _settings_on_disk() -> tuple[Settings | None, AiAgentError | None]:
    """The user's settings, or why they cannot be read."""
    try:
        return load_settings(default_config()), None
    except AiAgentError as error:
        return None, error
