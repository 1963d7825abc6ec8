"""Why nothing was traded: the funnel of a day, from the same record as `aiagent why-not`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from vnpy_aiagent.data.symbols import parse_symbol
from vnpy_aiagent.domain import (
    MARKET_TZ,
    AnalysisRequest,
    Decision,
    Fill,
    Intent,
    OrderUpdate,
    ParentOrder,
    Proposal,
    ScanResult,
    Signal,
    Verdict,
    Withheld,
)
from vnpy_aiagent.errors import UnknownSymbol
from vnpy_aiagent.report import RunRecord
from vnpy_aiagent.report.read import message_of
from vnpy_aiagent.report.why_not import Funnel, why_not
from vnpy_aiagent.report.words import Reason, funnel_steps, reasons
from vnpy_aiagent.store.journal import JournalReader
from vnpy_aiagent.ui.background import Background
from vnpy_aiagent.ui.explain import explain
from vnpy_aiagent.ui.rows import Column, RowsModel, table_of
from vnpy_aiagent.ui.theme import ACCENT, MUTED, NEUTRAL, set_badge
from vnpy_aiagent.ui.words import Words

ENTRIES = 50_000
KINDS = tuple(
    kind.kind
    for kind in (
        AnalysisRequest,
        Decision,
        Fill,
        Intent,
        OrderUpdate,
        ParentOrder,
        Proposal,
        ScanResult,
        Signal,
        Verdict,
        Withheld,
    )
)


@dataclass(frozen=True)
class DayFunnel:
    """One day's funnel, and the days that can be chosen, newest first."""

    days: tuple[date, ...]
    funnel: Funnel | None


def load_funnel(reader: JournalReader, day: date | None, symbol: str | None) -> DayFunnel:
    """The funnel of a day (None: the last one with a scan), from the journal's last entries."""
    head = reader.head.seq
    entries = reader.read(kinds=KINDS, after=max(0, head - ENTRIES), until=head)
    record = RunRecord.of_messages(message_of(entry) for entry in entries)
    days = tuple(sorted({scan.at.astimezone(MARKET_TZ).date() for scan in record.of(ScanResult)}))[::-1]
    chosen = day or (days[0] if days else None)
    return DayFunnel(days, why_not(record, chosen, symbol) if chosen else None)


class FunnelTab(QWidget):
    """Choose a day and, if wanted, a symbol."""

    def __init__(
        self, words: Words, background: Background, reader: Callable[[], JournalReader | None]
    ) -> None:
        """Nothing is read before `refresh`."""
        super().__init__()
        self._words = words
        self._background = background
        self._reader = reader
        self.day = QComboBox()
        self.day.setMinimumWidth(140)
        self.day.activated.connect(self.refresh)
        self.symbol = QLineEdit()
        self.symbol.setPlaceholderText(words("代码，留空为全部"))
        self.symbol.setMaximumWidth(200)
        self.symbol.returnPressed.connect(self.refresh)
        self.again = QPushButton(words("刷新"))
        self.again.clicked.connect(self.refresh)
        self.news = QLabel()
        self.news.setStyleSheet(f"color: {MUTED};")
        self.news.setWordWrap(True)
        self.steps = [QLabel() for _ in range(5)]
        self.model = RowsModel(
            reason_columns(words), lambda row: (row.stage, row.reason, row.example), parent=self
        )
        self.table = table_of(self.model, (90, 160, 80))
        self._lay_out()

    def refresh(self) -> None:
        """Read the day again, off the GUI thread."""
        reader = self._reader()
        if reader is None:
            self.news.setText(self._words("日志还没有打开，启动一次之后这里才有内容。"))
            return
        text = self.symbol.text().strip()
        try:
            symbol = parse_symbol(text) if text else None
        except UnknownSymbol as error:
            self.news.setText(explain(error, self._words))
            return
        day = self.day.currentData()
        self.news.setText(self._words("正在读取…"))
        self._background.run(
            lambda: load_funnel(reader, day, symbol),
            self._show,
            lambda error: self.news.setText(explain(error, self._words)),
        )

    def _show(self, found: DayFunnel) -> None:
        self._show_days(found)
        if found.funnel is None:
            self.news.setText(self._words("还没有扫描过，也就没有候选。"))
            return
        self.news.setText(self._words("从扫描到成交，每一步少了多少、为什么："))
        for label, (name, count, unit) in zip(
            self.steps, funnel_steps(found.funnel, self._words), strict=True
        ):
            set_badge(label, f"{name}  {count}", ACCENT if count else NEUTRAL)
            label.setToolTip(unit)
        self.model.show(reasons(found.funnel, self._words))

    def _show_days(self, found: DayFunnel) -> None:
        shown = [self.day.itemData(place) for place in range(self.day.count())]
        if shown == list(found.days):
            return
        chosen = self.day.currentData()
        self.day.clear()
        for day in found.days:
            self.day.addItem(day.isoformat(), day)
        self.day.setCurrentIndex(found.days.index(chosen) if chosen in found.days else 0)

    def _lay_out(self) -> None:
        tools = QHBoxLayout()
        tools.addWidget(QLabel(self._words("日期")))
        tools.addWidget(self.day)
        tools.addWidget(self.symbol)
        tools.addWidget(self.again)
        tools.addStretch(1)
        steps = QHBoxLayout()
        for number, label in enumerate(self.steps):
            if number:
                steps.addWidget(QLabel("→"))
            steps.addWidget(label)
        steps.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addLayout(tools)
        layout.addWidget(self.news)
        layout.addLayout(steps)
        layout.addWidget(self.table, 1)


def reason_columns(words: Words) -> list[Column[Reason]]:
    """Columns of the reasons' table."""
    return [
        Column(words("步骤"), lambda row: row.stage),
        Column(words("原因"), lambda row: row.reason),
        Column(words("次数"), lambda row: str(row.count), number=True),
        Column(words("例子"), lambda row: row.example.replace("\n", " "), stretch=True),
    ]
