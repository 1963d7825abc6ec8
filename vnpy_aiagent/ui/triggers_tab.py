"""Triggers and protective stops. Prices of both can be changed; a trigger can be cancelled, a stop cannot."""

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSplitter, QVBoxLayout, QWidget

from vnpy_aiagent.domain import TriggerSpec
from vnpy_aiagent.report.numbers import moment
from vnpy_aiagent.ui.rows import Column, RowsModel, table_of
from vnpy_aiagent.ui.snapshot import PositionRow, Snapshot
from vnpy_aiagent.ui.theme import CAUTION, MUTED, paint_button, titled
from vnpy_aiagent.ui.words import Words


class TriggersTab(QWidget):
    """Two tables, from the engine's snapshot."""

    cancel_asked = Signal(object)
    adjust_asked = Signal(object)
    move_stop_asked = Signal(object)

    def __init__(self, words: Words) -> None:
        """Begin empty."""
        super().__init__()
        self.triggers = RowsModel(trigger_columns(words), lambda row: row.id, parent=self)
        self.stops = RowsModel(stop_columns(words), lambda row: row.key, parent=self)
        self.table = table_of(self.triggers, (115, 105, 150, 150, 110, 170))
        self.table.selectionModel().selectionChanged.connect(self._refresh)
        self.triggers.modelReset.connect(self._refresh)
        self.stops_table = table_of(self.stops, (115, 105, 120, 110, 110, 90, 110))
        self.stops_table.selectionModel().selectionChanged.connect(self._refresh)
        self.stops.modelReset.connect(self._refresh)
        self.adjust = QPushButton(words("改触发价"))
        self.adjust.clicked.connect(lambda: self._emit(self.adjust_asked, self._trigger()))
        self.cancel = paint_button(QPushButton(words("撤销所选触发")), CAUTION)
        self.cancel.clicked.connect(lambda: self._emit(self.cancel_asked, self._trigger()))
        self.move_stop = QPushButton(words("改止损价"))
        self.move_stop.clicked.connect(lambda: self._emit(self.move_stop_asked, self._stop()))
        hint = QLabel(words("触发后会重新分析；保护性止损由代码直接执行，可以改价，不能撤销。"))
        hint.setStyleSheet(f"color: {MUTED};")
        tools = QHBoxLayout()
        tools.addWidget(hint, 1)
        tools.addWidget(self.adjust)
        tools.addWidget(self.cancel)
        tools.addSpacing(10)
        tools.addWidget(self.move_stop)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.addWidget(titled(words("触发条件"), self.table))
        splitter.addWidget(titled(words("保护性止损"), self.stops_table))
        layout = QVBoxLayout(self)
        layout.addLayout(tools)
        layout.addWidget(splitter, 1)
        self._refresh()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """What is watched now."""
        self.triggers.show(snapshot.triggers)
        self.stops.show(snapshot.positions)
        self._closed = snapshot.closed
        self._refresh()

    _closed = False

    def _trigger(self) -> TriggerSpec | None:
        rows = self.table.selectionModel().selectedRows()
        return self.triggers.row_at(rows[0].row()) if rows else None

    def _stop(self) -> PositionRow | None:
        rows = self.stops_table.selectionModel().selectedRows()
        return self.stops.row_at(rows[0].row()) if rows else None

    def _refresh(self) -> None:
        trigger, stop = self._trigger(), self._stop()
        self.cancel.setEnabled(trigger is not None and not self._closed)
        self.adjust.setEnabled(trigger is not None and trigger.price is not None and not self._closed)
        self.move_stop.setEnabled(stop is not None and stop.stop is not None and not self._closed)

    def _emit(self, signal: SignalInstance, row: object) -> None:
        if row is not None:
            signal.emit(row)


def trigger_columns(words: Words) -> list[Column[TriggerSpec]]:
    """Columns of the triggers' table."""
    return [
        Column(words("账户"), lambda row: row.account),
        Column(words("代码"), lambda row: row.symbol),
        Column(words("条件"), lambda row: words.label(row.trigger)),
        Column(words("价格 / 时间"), level_text, number=True),
        Column(words("说明"), lambda row: words.label(row.note) if row.note else "-"),
        Column(words("登记于"), lambda row: moment(row.at)),
        Column(words("编号"), lambda row: row.id, stretch=True),
    ]


def level_text(row: TriggerSpec) -> str:
    """The price or the time that a trigger waits for."""
    if row.price is not None:
        return str(row.price)
    return moment(row.when) if row.when is not None else "-"


def stop_columns(words: Words) -> list[Column[PositionRow]]:
    """Columns of the stops' table; the distance is from the last price down to the stop."""
    return [
        Column(words("账户"), lambda row: row.account),
        Column(words("代码"), lambda row: row.symbol),
        Column(
            words("状态"), lambda row: words.label(row.stop_state) if row.stop_state else words("没有止损")
        ),
        Column(words("止损价"), lambda row: str(row.stop) if row.stop is not None else "-", number=True),
        Column(words("现价"), lambda row: f"{row.last:.3f}" if row.last is not None else "-", number=True),
        Column(words("距离"), distance_text, number=True),
        Column(
            words("保护（股）"), lambda row: f"{row.managed:,}" if row.stop is not None else "-", number=True
        ),
    ]


def distance_text(row: PositionRow) -> str:
    """How far the last price stands above the stop, in percent of the price."""
    if row.stop is None or not row.last:
        return "-"
    return f"{float(1 - row.stop / row.last) * 100:.2f}%"
