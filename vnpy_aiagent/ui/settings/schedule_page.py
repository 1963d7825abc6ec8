"""The timetable: when what is done, whether at all, and any of it now."""

from datetime import time
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTime, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
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
from vnpy_aiagent.ui.theme import GAIN, MUTED
from vnpy_aiagent.ui.words import Words

TASKS = {"plan": "盘前计划", "decide": "完整决策", "update": "盘中更新", "note": "午间小结", "review": "复盘"}
DAYS = {
    "session": "交易日",
    "sunday": "每周日",
    "month_end": "每月最后交易日",
    "quarter_end": "每季最后交易日",
}
ENABLED, NAME, AT, ON, TASK, RUN = range(6)


class SchedulePage(QWidget):
    """The part `schedule` of the settings."""

    run_asked = Signal(str)

    def __init__(self, words: Words, jobs: tuple[Job, ...], running: tuple[str, ...]) -> None:
        """`running` names the jobs of the engine that runs now; only these can be run at once."""
        super().__init__()
        self._words = words
        self._original = jobs
        self._running = running
        self.table = QTableWidget(0, 6)
        titles = ("启用", "名称", "时间", "哪些天", "做什么", "")
        self.table.setHorizontalHeaderLabels([words(title) for title in titles])
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(34)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for column, width in ((ENABLED, 50), (AT, 90), (RUN, 104)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            self.table.setColumnWidth(column, width)
        self.add, self.remove = QPushButton(words("增加")), QPushButton(words("删除"))
        self.default = QPushButton(words("恢复默认"))
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.add.clicked.connect(self._add_new)
        self.remove.clicked.connect(self._remove_current)
        self.default.clicked.connect(lambda: self._fill(DEFAULT_JOBS))
        self._lay_out()
        self._fill(jobs)
        self._say_time()

    def check(self) -> bool:
        """Whether the names can be saved."""
        words, names = self._words, [self._job(row)["name"] for row in range(self.table.rowCount())]
        wrong = ""
        for row, name in enumerate(names):
            if not name:
                wrong = words("第 {row} 行的任务没有名称。", row=row + 1)
            elif names.count(name) > 1:
                wrong = words("两个任务都叫“{name}”，请改一个。").format(name=name)
            if wrong:
                self.table.selectRow(row)
                self._say(wrong, GAIN)
                return False
        self._say_time()
        return True

    def changes(self) -> list[dict[str, Any]] | None:
        """The jobs to write, None where they are as they were."""
        jobs = [self._job(row) for row in range(self.table.rowCount())]
        before = [_plain(job) for job in self._original]
        return None if jobs == before else jobs

    def run_button(self, row: int) -> QPushButton:
        """The button that runs a row's job now."""
        button = self.table.cellWidget(row, RUN)
        assert isinstance(button, QPushButton)
        return button

    def _job(self, row: int) -> dict[str, Any]:
        name, at = self.table.cellWidget(row, NAME), self.table.cellWidget(row, AT)
        on, task = self.table.cellWidget(row, ON), self.table.cellWidget(row, TASK)
        assert isinstance(name, QLineEdit)
        assert isinstance(at, QTimeEdit)
        assert isinstance(on, QComboBox)
        assert isinstance(task, QComboBox)
        job = {
            "name": name.text().strip(),
            "at": at.time().toString("HH:mm"),
            "on": on.currentData(),
            "task": task.currentData(),
        }
        return job if self._enabled(row).isChecked() else {**job, "enabled": False}

    def _enabled(self, row: int) -> QCheckBox:
        box = self.table.cellWidget(row, ENABLED)
        assert isinstance(box, QCheckBox)
        return box

    def _fill(self, jobs: tuple[Job, ...]) -> None:
        self.table.setRowCount(0)
        for job in jobs:
            self._append(job)

    def _append(self, job: Job) -> None:
        words, row = self._words, self.table.rowCount()
        self.table.insertRow(row)
        enabled = QCheckBox()
        enabled.setChecked(job.enabled)
        enabled.setStyleSheet("margin-left: 16px;")
        enabled.setToolTip(words("关掉的任务保留在表里，到时不运行"))
        self.table.setCellWidget(row, ENABLED, enabled)
        at = QTimeEdit(QTime(job.at.hour, job.at.minute))
        at.setDisplayFormat("HH:mm")
        name = QLineEdit(job.name)
        self.table.setCellWidget(row, NAME, name)
        self.table.setCellWidget(row, AT, at)
        for column, names, value in ((ON, DAYS, job.on), (TASK, TASKS, job.task)):
            box = QComboBox()
            for key, title in names.items():
                box.addItem(words(title), key)
            box.setCurrentIndex(box.findData(value))
            self.table.setCellWidget(row, column, box)
        run = QPushButton(words("立即运行"))
        run.clicked.connect(lambda: self._run(name.text().strip()))
        name.textChanged.connect(lambda text: self._allow(run, text))
        self._allow(run, job.name)
        self.table.setCellWidget(row, RUN, run)
        for column in range(RUN):
            self.table.cellWidget(row, column).installEventFilter(self)

    def _allow(self, run: QPushButton, name: str) -> None:
        """A job can be run now where the running timetable has it."""
        known = name.strip() in self._running
        run.setEnabled(known)
        words = self._words
        wait = words("保存并重启后才能运行") if self._running else words("启动后才能运行")
        run.setToolTip(words("按正在运行的设置立即运行一次") if known else wait)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """The row whose field is entered becomes the selected one."""
        if event.type() == QEvent.Type.FocusIn:
            for row in range(self.table.rowCount()):
                if any(self.table.cellWidget(row, column) is watched for column in range(RUN)):
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

    def _run(self, name: str) -> None:
        self._say(self._words("任务 {job} 已开始，结果见“决策”和“日志”。").format(job=name), MUTED)
        self.run_asked.emit(name)

    def _say_time(self) -> None:
        words = self._words
        if self._running:
            self._say(words("立即运行用的是正在运行的时间表。时间为北京时间。"), MUTED)
        else:
            self._say(words("启动后才能立即运行。时间为北京时间。"), MUTED)

    def _say(self, sentence: str, colour: str) -> None:
        self.note.setText(sentence)
        self.note.setStyleSheet(f"color: {colour};")

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        for button in (self.add, self.remove, self.default):
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addWidget(self.table, 1)
        layout.addLayout(buttons)
        layout.addWidget(self.note, 0, Qt.AlignmentFlag.AlignTop)


def _plain(job: Job) -> dict[str, Any]:
    plain = {"name": job.name, "at": f"{job.at:%H:%M}", "on": job.on, "task": job.task}
    return plain if job.enabled else {**plain, "enabled": False}
