"""Overview: what the agents do, market breadth, accounts, equity curves, positions with their stops."""

from collections.abc import Iterable
from datetime import datetime

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from vnpy_aiagent.domain import MARKET_TZ, Activity, AgentName, AgentStatus, Message
from vnpy_aiagent.report.numbers import money, percent, share, signed_money
from vnpy_aiagent.ui.curves import EquityCurves
from vnpy_aiagent.ui.rows import Column, RowsModel, table_of
from vnpy_aiagent.ui.snapshot import AccountRow, PositionRow, Snapshot
from vnpy_aiagent.ui.theme import (
    ACCENT,
    CAUTION,
    GAIN,
    LOSS,
    MUTED,
    NEUTRAL,
    set_badge,
    signed_colour,
    titled,
)
from vnpy_aiagent.ui.thinking import ThinkingLines
from vnpy_aiagent.ui.words import Words

AGENTS = {
    AgentName.ANALYSIS: "分析",
    AgentName.RISK: "风控",
    AgentName.EXECUTION: "执行",
    AgentName.MONITORING: "监控",
    AgentName.REVIEW: "复盘",
}
ACTIVITIES = {
    Activity.IDLE: "空闲",
    Activity.FETCHING: "取数",
    Activity.ANALYZING: "分析中",
    Activity.DECIDING: "决策中",
    Activity.EXECUTING: "执行中",
    Activity.COMPLETED: "完成",
}
ACCOUNTS_HEIGHT = 122
"""Pixels for the header and three rows."""
OLD_BEAT_SECONDS = 120
BUSY = (Activity.FETCHING, Activity.ANALYZING, Activity.DECIDING, Activity.EXECUTING)


class AgentCard(QFrame):
    """One agent: its name, what it does, with what, since when, and when it last handled anything."""

    def __init__(self, name: str, words: Words) -> None:
        """Begin idle."""
        super().__init__()
        self._words = words
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.activity, self.detail = QLabel(), QLabel(words("尚无消息"))
        self.beat = QLabel(words("尚无心跳"))
        for label in (self.detail, self.beat):
            label.setStyleSheet(f"color: {MUTED};")
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        title = QLabel(words(name))
        title.setStyleSheet("font-weight: bold;")
        set_badge(self.activity, words("空闲"), NEUTRAL)
        top = QHBoxLayout()
        top.addWidget(title)
        top.addStretch(1)
        top.addWidget(self.activity)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 2, 8, 2)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self.detail)
        layout.addWidget(self.beat)

    def show_status(self, status: AgentStatus) -> None:
        """Show the agent's last word."""
        colour = ACCENT if status.activity in BUSY else NEUTRAL
        set_badge(self.activity, self._words(ACTIVITIES[status.activity]), colour)
        at = status.at.astimezone(MARKET_TZ)
        detail = self._words.label(status.detail)
        self.detail.setText(f"{at:%H:%M:%S} {detail}".strip())
        self.detail.setToolTip(f"{at:%Y-%m-%d %H:%M:%S} {detail}".strip())

    def show_beat(self, at: datetime, now: datetime) -> None:
        """When it last handled something, seen from `now`."""
        seconds = max(0, int((now - at).total_seconds()))
        at = at.astimezone(MARKET_TZ)
        self.beat.setText(
            self._words("心跳 {at}（{seconds} 秒前）", at=f"{at:%H:%M:%S}", seconds=seconds)
            if seconds < OLD_BEAT_SECONDS
            else self._words("心跳 {at}", at=f"{at:%m-%d %H:%M:%S}")
        )


class BreadthLine(QWidget):
    """How many symbols of the universe are up, flat and down today."""

    def __init__(self, words: Words) -> None:
        """Begin without quotes."""
        super().__init__()
        self._words = words
        self.up, self.flat, self.down = QLabel(), QLabel(), QLabel()
        self.none = QLabel(words("今天还没有行情"))
        for label, colour in ((self.up, GAIN), (self.flat, MUTED), (self.down, LOSS), (self.none, MUTED)):
            label.setStyleSheet(f"color: {colour};")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 0)
        layout.addWidget(QLabel(words("市场宽度")))
        for label in (self.none, self.up, self.flat, self.down):
            layout.addWidget(label)
        layout.addStretch(1)
        self.show_counts((0, 0, 0))

    def show_counts(self, counts: tuple[int, int, int]) -> None:
        """Up, flat, down."""
        words = self._words
        names = (words("上涨 {count}", count=counts[0]), words("平盘 {count}", count=counts[1]))
        for label, text in zip(
            (self.up, self.flat, self.down), (*names, words("下跌 {count}", count=counts[2])), strict=True
        ):
            label.setText(text)
            label.setVisible(any(counts))
        self.none.setVisible(not any(counts))


class OverviewTab(QWidget):
    """The first tab. Of a position it asks for what its menu offers."""

    take_over_asked = Signal(object)
    hand_back_asked = Signal(object)
    move_stop_asked = Signal(object)

    def __init__(self, words: Words) -> None:
        """Begin empty."""
        super().__init__()
        self._words = words
        self._closed = False
        self.breadth = BreadthLine(words)
        self.thinking = ThinkingLines(words)
        self.cards = {name: AgentCard(title, words) for name, title in AGENTS.items()}
        self.accounts = RowsModel(account_columns(words), lambda row: row.name, parent=self)
        self.positions = RowsModel(position_columns(words), lambda row: row.key, parent=self)
        self.curves = EquityCurves(words)
        cards = QHBoxLayout()
        for card in self.cards.values():
            cards.addWidget(card, 1)
        splitter = QSplitter(Qt.Orientation.Vertical)
        accounts = table_of(self.accounts, (115, 95, 125, 85, 85, 125, 75, 80))
        accounts.setMinimumHeight(ACCOUNTS_HEIGHT)
        splitter.addWidget(titled(words("账户"), accounts))
        splitter.addWidget(titled(words("净值曲线"), self.curves))
        self.positions_table = table_of(
            self.positions, (105, 95, 80, 115, 60, 60, 65, 65, 105, 72, 65, 80, 60)
        )
        self.positions_table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.positions_table.customContextMenuRequested.connect(self._show_menu)
        splitter.addWidget(titled(words("持仓与止损（右键：接管、交还、改止损）"), self.positions_table))
        for place, share_of_height in enumerate((0, 5, 2)):
            splitter.setStretchFactor(place, share_of_height)
        splitter.setSizes([140, 215, 205])
        splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.addLayout(cards)
        layout.addWidget(self.breadth)
        layout.addWidget(self.thinking)
        layout.addWidget(splitter, 1)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Accounts and positions as they are now."""
        self.accounts.show(snapshot.accounts)
        self.positions.show(snapshot.positions)
        self.breadth.show_counts(snapshot.breadth)
        self._closed = snapshot.closed
        for name, at in snapshot.heartbeats.items():
            card = self.cards.get(AgentName[name])
            if card is not None:
                card.show_beat(at, snapshot.at)

    def menu_of(self, row: PositionRow) -> QMenu:
        """What can be done with a position."""
        words = self._words
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if row.external:
            menu.addAction(words("交还AI")).triggered.connect(lambda: self.hand_back_asked.emit(row))
        if row.managed:
            menu.addAction(words("人工接管")).triggered.connect(lambda: self.take_over_asked.emit(row))
        if row.stop is not None:
            menu.addAction(words("改止损价")).triggered.connect(lambda: self.move_stop_asked.emit(row))
        menu.setEnabled(not self._closed)
        return menu

    def _show_menu(self, place: QPoint) -> None:
        index = self.positions_table.indexAt(place)
        if index.isValid():
            menu = self.menu_of(self.positions.row_at(index.row()))
            menu.popup(self.positions_table.viewport().mapToGlobal(place))

    def show_status(self, status: AgentStatus) -> None:
        """An agent's activity; the engine itself has no card."""
        card = self.cards.get(status.agent)
        if card is not None:
            card.show_status(status)

    def take(self, messages: Iterable[Message]) -> None:
        """Valuations become points of the curves."""
        self.curves.take(messages)


def manager_text(row: PositionRow, words: Words) -> str:
    """Who manages a position; of one that is shared, how much people do."""
    if not row.external:
        return "AI"
    if not row.managed:
        return words("人工（外部）")
    return words("AI，人工 {volume} 股", volume=row.external)


def account_columns(words: Words) -> list[Column[AccountRow]]:
    """Columns of the accounts' table."""
    return [
        Column(words("账户"), lambda row: row.name),
        Column(words("风格"), lambda row: words.label(row.style)),
        Column(words("权益（元）"), lambda row: money(row.equity), number=True),
        Column(
            words("收益率"),
            lambda row: percent(row.total_return),
            number=True,
            colour=lambda row: signed_colour(row.total_return),
        ),
        Column(
            words("当日"),
            lambda row: percent(row.day_change),
            number=True,
            colour=lambda row: signed_colour(row.day_change),
        ),
        Column(words("现金（元）"), lambda row: money(row.cash), number=True),
        Column(words("回撤"), lambda row: share(row.drawdown), number=True),
        Column(words("持仓只数"), lambda row: str(row.holdings), number=True),
        Column(
            words("接口"),
            lambda row: (
                row.gateway
                if row.reconciled
                else words("{gateway}（尚未与柜台核对一致）", gateway=row.gateway)
            ),
            colour=lambda row: None if row.reconciled else CAUTION,
            stretch=True,
        ),
    ]


def position_columns(words: Words) -> list[Column[PositionRow]]:
    """Columns of the positions' table; volumes in shares, prices in CNY."""
    return [
        Column(words("账户"), lambda row: row.account),
        Column(words("代码"), lambda row: row.symbol, whole=True),
        Column(words("名称"), lambda row: row.name, stretch=True),
        Column(
            words("管理"),
            lambda row: manager_text(row, words),
            colour=lambda row: CAUTION if row.external else None,
        ),
        Column(words("数量"), lambda row: f"{row.volume:,}", number=True),
        Column(words("可卖"), lambda row: f"{row.sellable:,}", number=True),
        Column(words("成本"), lambda row: f"{row.cost:.3f}", number=True),
        Column(words("现价"), lambda row: f"{row.last:.3f}" if row.last is not None else "-", number=True),
        Column(
            words("浮动盈亏（元）"),
            lambda row: signed_money(row.profit),
            number=True,
            colour=lambda row: signed_colour(row.profit_ratio),
        ),
        Column(
            words("盈亏"),
            lambda row: percent(row.profit_ratio),
            number=True,
            colour=lambda row: signed_colour(row.profit_ratio),
        ),
        Column(words("止损价"), lambda row: str(row.stop) if row.stop is not None else "-", number=True),
        Column(words("止损状态"), lambda row: words.label(row.stop_state) if row.stop_state else "-"),
        Column(words("触发数"), lambda row: str(row.triggers), number=True),
    ]
