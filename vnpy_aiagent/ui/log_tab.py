"""Our lines: what the journal tells people, and what we write into vnpy's log."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtWidgets import QVBoxLayout, QWidget
from vnpy.trader.object import LogData

from vnpy_aiagent.domain import (
    MARKET_TZ,
    Alert,
    CommandTaken,
    DividendTaxTaken,
    Fill,
    HandlerFailed,
    JobSkipped,
    Lesson,
    Message,
    Note,
    Review,
    RunEnded,
    RunStarted,
    ScanResult,
    Settlement,
    Severity,
    StateChanged,
    TradeRecord,
    TriggerFired,
)
from vnpy_aiagent.report.describe import describe
from vnpy_aiagent.ui.rows import Column, RowsModel, table_of
from vnpy_aiagent.ui.theme import GAIN
from vnpy_aiagent.ui.words import Words

MAX_LINES = 5_000
KINDS = (
    DividendTaxTaken,
    Fill,
    HandlerFailed,
    JobSkipped,
    Lesson,
    Note,
    Review,
    RunEnded,
    RunStarted,
    ScanResult,
    Settlement,
    TradeRecord,
    TriggerFired,
)
ALSO_LOGGED = (Alert, CommandTaken, StateChanged)
"""These reach vnpy's log too, so they are taken from the journal only for the time before the window."""
WARNING_LEVEL = 30
COLOURS = {"WARNING": "#d69e2e", "CRITICAL": GAIN}


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line. `level` is INFO, WARNING or CRITICAL."""

    number: int
    at: datetime
    level: str
    label: str
    text: str


class LogTab(QWidget):
    """A bounded table of lines, newest first."""

    def __init__(self, words: Words) -> None:
        """Begin empty."""
        super().__init__()
        self._words = words
        self._count = 0
        self._joint = "；" if words.language == "zh" else "; "
        self.model = RowsModel(
            log_columns(words), lambda row: row.number, newest_first=True, limit=MAX_LINES, parent=self
        )
        layout = QVBoxLayout(self)
        layout.addWidget(table_of(self.model, (175, 70, 110)))

    def take(self, messages: Iterable[Message], *, history: bool) -> None:
        """Lines from the journal; `history` says that they were written before the window opened."""
        kinds = (*KINDS, *ALSO_LOGGED) if history else KINDS
        self.model.append([self._line(message) for message in messages if isinstance(message, kinds)])

    def take_log(self, lines: Iterable[LogData]) -> None:
        """Lines from vnpy's log."""
        self.model.append([self._log_line(line) for line in lines])

    def _line(self, message: Message) -> LogLine:
        line = describe(message, self._words)
        level = message.severity if isinstance(message, Alert) else Severity.INFO
        if isinstance(message, HandlerFailed):
            level = Severity.CRITICAL
        text = self._joint.join((line.text, *line.details)) if isinstance(message, Note) else line.text
        return LogLine(self._next(), line.at, level.name, line.label, text)

    def _log_line(self, line: LogData) -> LogLine:
        number = int(line.level)
        level = Severity.INFO
        if number >= WARNING_LEVEL:
            level = Severity.WARNING if number == WARNING_LEVEL else Severity.CRITICAL
        return LogLine(self._next(), line.time, level.name, self._words("日志"), str(line.msg))

    def _next(self) -> int:
        self._count += 1
        return self._count


def log_columns(words: Words) -> list[Column[LogLine]]:
    """Columns of the log."""

    def colour(row: LogLine) -> str | None:
        return COLOURS.get(row.level)

    return [
        Column(words("时间"), lambda row: f"{row.at.astimezone(MARKET_TZ):%Y-%m-%d %H:%M:%S}", whole=True),
        Column(words("级别"), lambda row: words.label(row.level), colour=colour),
        Column(words("种类"), lambda row: row.label),
        Column(words("内容"), lambda row: row.text.replace("\n", " "), stretch=True, colour=colour),
    ]
