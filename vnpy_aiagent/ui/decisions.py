"""Decisions as they are made, newest first, and one of them in full."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QItemSelection, Qt
from PySide6.QtWidgets import QLabel, QSplitter, QTextBrowser, QVBoxLayout, QWidget

from vnpy_aiagent.domain import MARKET_TZ, Action, Message, Outcome
from vnpy_aiagent.report.numbers import share
from vnpy_aiagent.store.journal import JournalReader
from vnpy_aiagent.ui.background import Background
from vnpy_aiagent.ui.decision_rows import LIMIT, DecisionRow, DecisionStream
from vnpy_aiagent.ui.detail import Trace, load_trace, trace_html
from vnpy_aiagent.ui.explain import explain
from vnpy_aiagent.ui.rows import Column, RowsModel, table_of
from vnpy_aiagent.ui.theme import GAIN, LOSS, MUTED
from vnpy_aiagent.ui.words import Words

ReaderOf = Callable[[], JournalReader | None]
QUIET = (Action.HOLD, Action.ADJUST)
OUTCOME_COLOURS = {Outcome.APPROVED: LOSS, Outcome.REDUCED: "#d69e2e", Outcome.REJECTED: GAIN}


class DecisionsTab(QWidget):
    """A table over a bounded stream, and a pane that reads the chosen decision from the journal."""

    def __init__(self, words: Words, background: Background, reader: ReaderOf) -> None:
        """`reader` gives the journal's reader, None while there is none."""
        super().__init__()
        self._words = words
        self._background = background
        self._reader = reader
        self._chosen = ""
        self.stream = DecisionStream()
        self.model = RowsModel(
            decision_columns(words), lambda row: row.id, newest_first=True, limit=LIMIT, parent=self
        )
        self.table = table_of(self.model, (98, 95, 112, 58, 88, 84, 76, 76, 200, 115))
        self.table.selectionModel().selectionChanged.connect(self._on_selection)
        self.detail = QTextBrowser()
        self.detail.setOpenLinks(False)
        self.detail.setPlaceholderText(words("选择上面一行，查看依据、辩论、风控逐条和成交"))
        self.empty = QLabel(words("还没有决策。启动后按时间表产生，或在“设置 → 时间表”里立即运行。"))
        self.empty.setStyleSheet(f"color: {MUTED};")
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.addWidget(self.table)
        splitter.addWidget(self.detail)
        splitter.setSizes([320, 320])
        layout = QVBoxLayout(self)
        layout.addWidget(self.empty)
        layout.addWidget(splitter, 1)

    def take(self, messages: Iterable[Message]) -> None:
        """New messages; the chosen decision is read again where it has changed."""
        changed = self.stream.fold(messages)
        self.model.append(changed)
        self.empty.setVisible(self.model.rowCount() == 0)
        if any(row.id == self._chosen for row in changed):
            self._load(self._chosen)

    def _on_selection(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        rows = self.table.selectionModel().selectedRows()
        if rows:
            self._chosen = self.model.row_at(rows[0].row()).id
            self._load(self._chosen)

    def _load(self, proposal_id: str) -> None:
        reader = self._reader()
        if reader is None:
            self.detail.setPlainText(self._words("日志还没有打开"))
            return

        def shown(trace: Trace | None) -> None:
            if proposal_id != self._chosen:
                return
            if trace is None:
                self.detail.setPlainText(self._words("这个决策正在写入日志，请稍后再选一次"))
            else:
                self._show(trace)

        def failed(error: Exception) -> None:
            self.detail.setPlainText(explain(error, self._words))

        self._background.run(lambda: load_trace(reader, proposal_id), shown, failed)

    def _show(self, trace: Trace) -> None:
        bar = self.detail.verticalScrollBar()
        place = bar.value()
        self.detail.setHtml(trace_html(trace, self._words))
        bar.setValue(place)


def decision_columns(words: Words) -> list[Column[DecisionRow]]:
    """Columns of the stream."""
    return [
        Column(words("时间"), lambda row: f"{row.at.astimezone(MARKET_TZ):%m-%d %H:%M}", whole=True),
        Column(words("代码"), lambda row: row.symbol, whole=True),
        Column(words("账户"), lambda row: row.account),
        Column(words("动作"), lambda row: words.label(row.action)),
        Column(words("把握"), lambda row: share(row.confidence) if row.confidence else "-", number=True),
        Column(
            words("结论"),
            lambda row: outcome_text(row, words),
            colour=lambda row: OUTCOME_COLOURS.get(row.outcome) if row.outcome else MUTED,
        ),
        Column(words("允许（股）"), lambda row: f"{row.volume:,}" if row.volume else "-", number=True),
        Column(words("成交（股）"), lambda row: f"{row.filled:,}" if row.filled else "-", number=True),
        Column(words("理由"), lambda row: reason_text(row, words), stretch=True),
        Column(words("模型"), lambda row: row.model.split(" (")[0]),
    ]


def reason_text(row: DecisionRow, words: Words) -> str:
    """The reason on one line, after the mark of low certainty where there is one."""
    mark = f"[{words('低确定性')}] " if row.low_certainty else ""
    return mark + words.show(row.reason).replace("\n", " ")


def outcome_text(row: DecisionRow, words: Words) -> str:
    """What risk said, or why it has said nothing yet."""
    if row.outcome is not None:
        return words.label(row.outcome)
    if row.waits:
        return words("等待开盘")
    return "-" if row.action in QUIET else words("待审")
