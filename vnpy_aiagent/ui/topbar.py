"""The bar that is always there: mode, trading state, the controls, the model, today's cost, the heartbeat."""

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from vnpy_aiagent.domain import Mode, TradingState
from vnpy_aiagent.ui.theme import ACCENT, CALM, CAUTION, DANGER, MUTED, NEUTRAL, paint_button, set_badge
from vnpy_aiagent.ui.words import Words

SILENT_SECONDS = 5.0
LIVE_FRAME = f"#topbar {{ border: 3px solid {DANGER}; border-radius: 4px; }}"
"""Around the whole bar where orders are real."""
MODES = {
    Mode.SIMULATION: ("回放", ACCENT),
    Mode.PAPER: ("模拟", CALM),
    Mode.LIVE: ("实盘 · 真实资金", DANGER),
}
STATES = {TradingState.ACTIVE: CALM, TradingState.REDUCING: CAUTION, TradingState.HALTED: DANGER}


@dataclass(frozen=True, slots=True)
class BarState:
    """What the bar shows. `state` is None while the engine does not run; `cost` in CNY."""

    mode: Mode | None
    state: TradingState | None
    paused: bool
    model: str
    is_llm: bool
    cost: str
    starting: bool = False
    closed: bool = False
    silent_seconds: float = 0.0
    approvals: int = 0
    slips: int = 0


class TopBar(QFrame):
    """Badges and buttons; what a button does is the window's business."""

    start_clicked = Signal()
    pause_clicked = Signal()
    take_over_clicked = Signal()
    halt_clicked = Signal()
    flatten_clicked = Signal()
    resume_clicked = Signal()
    settings_clicked = Signal()
    approvals_clicked = Signal()
    slips_clicked = Signal()

    def __init__(self, words: Words, parent: QWidget | None = None) -> None:
        """Begin as not started."""
        super().__init__(parent)
        self.setObjectName("topbar")
        self.words = words
        self.mode, self.state, self.pulse = QLabel(), QLabel(), QLabel()
        self.model, self.cost, self.news = QLabel(), QLabel(), QLabel()
        self.news.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.start = self._button(words("启动"), CALM, words("打开日志，恢复状态，开始按时间表运行"))
        self.pause = self._button(words("暂停AI"), None, words("不再作新决策；止损照常"))
        self.halt = self._button(words("全部停止"), DANGER, words("撤销所有委托，此后只发撤单"))
        self.flatten = self._button(words("一键清仓"), DANGER, words("卖出全部持仓，锁定的下一时机再卖"))
        self.resume = self._button(words("恢复"), CALM, words("回到正常交易，AI 继续决策"))
        self.take_over = self._button(words("人工接管"), CAUTION, words("选择持仓，由您自己管理"))
        self.approvals = self._button("", DANGER, words("显示等待批准的下单请求"))
        self.slips = self._button("", ACCENT, words("显示要手工下的单"))
        self.settings = self._button(words("设置"), None, words("模型、风险、时间表、标的池"))
        for button, signal in (
            (self.start, self.start_clicked),
            (self.pause, self.pause_clicked),
            (self.take_over, self.take_over_clicked),
            (self.approvals, self.approvals_clicked),
            (self.slips, self.slips_clicked),
            (self.halt, self.halt_clicked),
            (self.flatten, self.flatten_clicked),
            (self.resume, self.resume_clicked),
            (self.settings, self.settings_clicked),
        ):
            button.clicked.connect(signal)
        self._lay_out()

    def show_state(self, bar: BarState) -> None:
        """Show a state; buttons that make no sense in it are off."""
        words = self.words
        name, colour = MODES[bar.mode] if bar.mode else ("未知", NEUTRAL)
        set_badge(self.mode, words(name), colour)
        self._show_frame(LIVE_FRAME if bar.mode is Mode.LIVE else "")
        set_badge(self.state, self._state_text(bar), STATES[bar.state] if bar.state else NEUTRAL)
        running = bar.state is not None and not bar.closed
        self.start.setVisible(bar.state is None)
        self.start.setEnabled(not bar.starting)
        self.start.setText(words("正在启动…") if bar.starting else words("启动"))
        self.pause.setEnabled(running and not bar.paused)
        self.halt.setEnabled(running and bar.state is not TradingState.HALTED)
        self.flatten.setEnabled(running)
        self.take_over.setEnabled(running)
        self.approvals.setVisible(bool(bar.approvals))
        self.approvals.setText(words("待批准 {count}", count=bar.approvals))
        self.slips.setVisible(bool(bar.slips))
        self.slips.setText(words("手工单 {count}", count=bar.slips))
        self.resume.setEnabled(running and (bar.paused or bar.state is not TradingState.ACTIVE))
        self._show_model(bar)
        self.cost.setText(words("今日模型费用 {cost} 元", cost=bar.cost))
        self._show_pulse(bar, running)

    def say(self, sentence: str, colour: str = MUTED) -> None:
        """The last thing that happened, in one line."""
        self.news.setText(sentence)
        self.news.setToolTip(sentence)
        self.news.setStyleSheet(f"color: {colour};")

    def _show_frame(self, style: str) -> None:
        if self.styleSheet() != style:
            self.setStyleSheet(style)

    def _state_text(self, bar: BarState) -> str:
        words = self.words
        if bar.state is None:
            return words("未启动")
        if bar.closed:
            return words("已关闭")
        state = words.label(bar.state)
        return words("{state} · AI 已暂停", state=state) if bar.paused else state

    def _show_model(self, bar: BarState) -> None:
        if bar.is_llm:
            set_badge(self.model, self.words("语言模型：{name}", name=bar.model), ACCENT)
        else:
            set_badge(self.model, self.words("离线分析员：规则，不是语言模型"), CAUTION)

    def _show_pulse(self, bar: BarState, running: bool) -> None:
        words = self.words
        silent = running and bar.mode is not Mode.SIMULATION and bar.silent_seconds > SILENT_SECONDS
        self.pulse.setVisible(silent)
        if silent:
            seconds = f"{bar.silent_seconds:.0f}"
            set_badge(self.pulse, words("事件线程已 {seconds} 秒无响应", seconds=seconds), DANGER)

    def _button(self, text: str, colour: str | None, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        return paint_button(button, colour) if colour else button

    def _lay_out(self) -> None:
        first = QHBoxLayout()
        for badge in (self.mode, self.state, self.pulse):
            first.addWidget(badge)
        first.addSpacing(10)
        first.addWidget(self.approvals)
        first.addWidget(self.slips)
        first.addStretch(1)
        first.addWidget(self.start)
        first.addWidget(self.pause)
        first.addWidget(self.resume)
        first.addSpacing(10)
        first.addWidget(self.take_over)
        first.addWidget(self.flatten)
        first.addWidget(self.halt)
        first.addSpacing(10)
        first.addWidget(self.settings)
        second = QHBoxLayout()
        second.addWidget(self.model)
        second.addWidget(self.cost)
        second.addSpacing(12)
        second.addWidget(self.news, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 4)
        layout.setSpacing(6)
        layout.addLayout(first)
        layout.addLayout(second)
