"""The timetable: when what is done, and one of it now."""

from datetime import time
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTime, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTimeEdit,
    QVBoxLayout,
    QWidget,
)

from vnpy_aiagent.config import DEFAULT_JOBS, Job
from vnpy_aiagent.ui.theme import MUTED
from vnpy_aiagent.ui.words import Words

TASKS = {"plan": "盘前计划", "decide": "完整决策", "update": "盘中更新", "note": "午间小结", "review": "复盘"}
DAYS = {
    "session": "交易日",
    "sunday": "每周日",
    "month_end": "每月最后交易日",
    "quarter_end": "每季最后交易日",
}
NAME, AT, ON, TASK = range(4)


class SchedulePage(QWidget):
    """The part `schedule` of the settings."""

    run_asked = Signal(str)

    def __init__(self, words: Words, jobs: tuple[Job, ...], running: tuple[str, ...]) -> None:
        """`running` names the jobs of the engine that runs now; only these can be run at once."""
        super().__init__()
        self._words = words
        self._original = jobs
        self._running = running
        self.table = QTableWidget(0, 4)
        self.table.setHorizontalHeaderLabels([words("名称"), words("时间"), words("哪些天"), words("做什么")])
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(32)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.add, self.remove = QPushButton(words("增加")), QPushButton(words("删除"))
        self.default, self.run = QPushButton(words("恢复默认")), QPushButton(words("立即运行"))
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setStyleSheet(f"color: {MUTED};")
        self.add.clicked.connect(self._add_new)
        self.remove.clicked.connect(self._remove_current)
        self.default.clicked.connect(lambda: self._fill(DEFAULT_JOBS))
        self.run.clicked.connect(self._run_current)
        self._lay_out()
        self._fill(jobs)
        self.run.setEnabled(bool(running))
        if not running:
            self.note.setText(words("启动后才能立即运行。时间为北京时间。"))
        else:
            self.note.setText(words("立即运行用的是正在运行的时间表。时间为北京时间。"))

    def changes(self) -> list[dict[str, Any]] | None:
        """The jobs to write, None where they are as they were."""
        jobs = [self._job(row) for row in range(self.table.rowCount())]
        before = [_plain(job) for job in self._original]
        return None if jobs == before else jobs

    def _job(self, row: int) -> dict[str, Any]:
        name, at = self.table.cellWidget(row, NAME), self.table.cellWidget(row, AT)
        on, task = self.table.cellWidget(row, ON), self.table.cellWidget(row, TASK)
        assert isinstance(name, QLineEdit)
        assert isinstance(at, QTimeEdit)
        assert isinstance(on, QComboBox)
        assert isinstance(task, QComboBox)
        return {
            "name": name.text().strip(),
            "at": at.time().toString("HH:mm"),
            "on": on.currentData(),
            "task": task.currentData(),
        }

    def _fill(self, jobs: tuple[Job, ...]) -> None:
        self.table.setRowCount(0)
        for job in jobs:
            self._append(job)

    def _append(self, job: Job) -> None:
        words, row = self._words, self.table.rowCount()
        self.table.insertRow(row)
        at = QTimeEdit(QTime(job.at.hour, job.at.minute))
        at.setDisplayFormat("HH:mm")
        self.table.setCellWidget(row, NAME, QLineEdit(job.name))
        self.table.setCellWidget(row, AT, at)
        for column, names, value in ((ON, DAYS, job.on), (TASK, TASKS, job.task)):
            box = QComboBox()
            for key, name in names.items():
                box.addItem(words(name), key)
            box.setCurrentIndex(box.findData(value))
            self.table.setCellWidget(row, column, box)
        for column in range(TASK + 1):
            self.table.cellWidget(row, column).installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """The row whose field is entered becomes the selected one."""
        if event.type() == QEvent.Type.FocusIn:
            for row in range(self.table.rowCount()):
                if any(self.table.cellWidget(row, column) is watched for column in range(TASK + 1)):
                    self.table.selectRow(row)
        return super().eventFilter(watched, event)

    def _add_new(self) -> None:
        taken = {self._job(row)["name"] for row in range(self.table.rowCount())}
        number = next(n for n in range(1, len(taken) + 2) if f"job-{n}" not in taken)
        self._append(Job(name=f"job-{number}", at=time(10, 0), task="decide"))
        self.table.selectRow(self.table.rowCount() - 1)

    def _remove_current(self) -> None:
        if self.table.currentRow() >= 0:
            self.table.removeRow(self.table.currentRow())

    def _run_current(self) -> None:
        row = self.table.currentRow()
        if row < 0:
            self.note.setText(self._words("请先选中一行。"))
            return
        name = self._job(row)["name"]
        if name not in self._running:
            self.note.setText(self._words("任务 {job} 还没有生效，重启后才能运行。", job=name))
            return
        self.note.setText(self._words("任务 {job} 已开始，结果见“决策”和“日志”。", job=name))
        self.run_asked.emit(name)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        for button in (self.add, self.remove, self.default):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.run)
        layout = QVBoxLayout(self)
        layout.addWidget(self.table, 1)
        layout.addLayout(buttons)
        layout.addWidget(self.note, 0, Qt.AlignmentFlag.AlignTop)


def _plain(job: Job) -> dict[str, Any]:
    return {"name": job.name, "at": f"{job.at:%H:%M}", "on": job.on, "task": job.task}
