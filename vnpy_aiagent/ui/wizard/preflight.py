"""First page: the checks of `aiagent doctor`, with what to do about each; a failed one blocks the way."""

from collections.abc import Callable

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QPushButton

from vnpy_aiagent.checkup import Finding
from vnpy_aiagent.ui.background import Background
from vnpy_aiagent.ui.explain import explain
from vnpy_aiagent.ui.theme import GAIN, LOSS, MUTED
from vnpy_aiagent.ui.wizard.page import Page, refusal_line, text_line
from vnpy_aiagent.ui.words import Words

Check = Callable[[], list[Finding]]
GRADES = {"ok": ("正常", LOSS), "warn": ("注意", "#feca57"), "fail": ("不通过", GAIN)}
TITLES = {
    "locale": "中文区域",
    "disk": "磁盘空间",
    "settings": "设置",
    "model": "模型",
    "universe": "股票池和日线",
    "calendar": "交易日历",
    "journal": "日志",
    "program trading": "程序化交易报告",
    "gateway": "实盘接口",
    "front": "接口服务器",
}
ADVICE = {
    "locale": "请安装 zh_CN.GB18030 区域，否则 CTP 接口会使程序退出",
    "disk": "请清理磁盘，日志要写得下",
    "settings": "请在“设置”里改正",
    "model": "请在“设置 → 模型”里测试连接；在此之前 AI 只会不动",
    "universe": "请在“设置 → 股票池”里加入标的，并用 aiagent data download 导入日线",
    "calendar": "请用 calendar.extra_years_file 补上官方休市日",
    "journal": "请保留这份日志，并用 store.journal 另起一份",
    "gateway": "请在“设置 → 账户与风险”里给账户选一个已加载的接口",
    "front": "请核对连接设置里的地址、网络，以及柜台现在是否开放",
}
PACKAGE_ADVICE = "请安装 {check}"


class PreflightPage(Page):
    """Complete when the checks ran and none failed. `check` runs off the GUI thread."""

    def __init__(self, words: Words, background: Background, check: Check) -> None:
        """Nothing is checked before the page is shown."""
        purpose = words("先检查环境、设置、模型、数据和接口。有不通过的必须先解决。")
        super().__init__(words, words("1. 事前检查"), purpose)
        self._background, self._check = background, check
        self._passed = False
        self.list = QListWidget()
        self.list.setWordWrap(True)
        self.again = QPushButton(words("重新检查"))
        self.news = text_line("")
        row = QHBoxLayout()
        row.addWidget(self.news, 1)
        row.addWidget(self.again)
        self.column.addWidget(refusal_line(words))
        self.column.addWidget(self.list, 1)
        self.column.addLayout(row)
        self.again.clicked.connect(self.run)

    def initializePage(self) -> None:  # noqa: N802 - Qt's name
        """Check when the page is first shown."""
        self.run()

    def isComplete(self) -> bool:  # noqa: N802 - Qt's name
        """Whether the way is free."""
        return self._passed

    def run(self) -> None:
        """Check everything again."""
        self._passed = False
        self.completeChanged.emit()
        self.again.setEnabled(False)
        self.list.clear()
        self._say(self.words("正在检查…"), MUTED)
        self._background.run(self._check, self._done, self._failed)

    def _done(self, findings: list[Finding]) -> None:
        words = self.words
        for finding in sorted(findings, key=lambda each: each.grade != "fail"):  # failures on top
            name, colour = GRADES[finding.grade]
            item = QListWidgetItem(f"[{words(name)}] {shown(finding, words)}")
            item.setForeground(QColor(colour))
            self.list.addItem(item)
        failed = sum(finding.grade == "fail" for finding in findings)
        self._passed = failed == 0
        self.again.setEnabled(True)
        if failed:
            self._say(words("{count} 项不通过，解决后点“重新检查”。", count=failed), GAIN)
        else:
            self._say(words("没有不通过的项目，可以继续。"), LOSS)
        self.completeChanged.emit()

    def _failed(self, error: Exception) -> None:
        self.again.setEnabled(True)
        self._say(explain(error, self.words), GAIN)

    def _say(self, sentence: str, colour: str) -> None:
        self.news.setText(sentence)
        self.news.setStyleSheet(f"color: {colour};")


def shown(finding: Finding, words: Words) -> str:
    """A finding in the user's language; what was found follows as the check told it."""
    title = words(TITLES[finding.check]) if finding.check in TITLES else finding.check
    if finding.grade == "ok":
        return f"{title}: {finding.found}"
    advice = words(ADVICE.get(finding.check, PACKAGE_ADVICE), check=finding.check)
    return f"{title}: {advice} ({finding.found})"
