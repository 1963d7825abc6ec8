"""The report's summary on a terminal, also on one that speaks cp936 or plain ASCII."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from vnpy_aiagent.i18n import Language, Localizer
from vnpy_aiagent.report import words
from vnpy_aiagent.report.contents import Contents
from vnpy_aiagent.report.evaluation import evaluate
from vnpy_aiagent.report.prices import Prices
from vnpy_aiagent.report.read import RunRecord
from vnpy_aiagent.report.trades import Trade

MAX_REASONS = 10
LONGEST_WORD = 14
"""A word up to so many cells, as an account's name, stays whole."""
WIDE = 130
NARROW_COLUMNS = (0, 1, 2, 3, 4, 10)
"""Name, return, drawdown, Sharpe ratio, equity at the end, fees."""


def print_summary(
    console: Console,
    record: RunRecord,
    summary: Mapping[str, Any],
    language: Language = "zh",
    prices: Prices | None = None,
) -> None:
    """Print results, counts, the best and the worst trade, and why most candidates were not traded.

    `prices` make the further baselines. English where the console cannot show Chinese; single characters it
    cannot show become question marks.
    """
    shown: Language = language if _encodes(console.encoding, "，") else "en"
    contents = Contents.of(record, summary, evaluate(record, prices))
    _Printer(console, contents, Localizer(shown)).print()


class _Printer:
    """Prints one summary; every text goes through `safe`, none is read as markup."""

    def __init__(self, console: Console, contents: Contents, say: Localizer) -> None:
        self.console = console
        self.contents = contents
        self.say = say

    def print(self) -> None:
        contents, say = self.contents, self.say
        self.line(say("AI 交易团队报告"), "bold")
        self.line(words.model_line(contents, say), "bold yellow")
        for text in (words.span_line(contents, say), *words.data_lines(contents, say)):
            self.line(text)
        self._results()
        self.line(words.agreement_line(contents, say))
        self.line(self._counts())
        self.line(
            " -> ".join(f"{name} {count:,}" for name, count, _ in words.funnel_steps(contents.funnel, say)),
            "bold",
        )
        self._extremes()
        self._reasons()
        journal = contents.summary["journal"]
        self.line(f"journal: {journal['entries']:,} / {journal['head']}")
        self.line(words.verify_line(say))

    def _results(self) -> None:
        """Accounts and baselines; a narrow console gets fewer columns."""
        contents, say = self.contents, self.say
        rows = [words.account_row(result, say) for result in contents.accounts]
        rows += [words.baseline_row(result, say) for result in contents.baselines]
        header = words.result_header(say)
        shown = range(len(header)) if self.console.width >= WIDE else NARROW_COLUMNS
        self.table(
            [header[column] for column in shown],
            [[row[column] for column in shown] for row in rows],
            numeric_from=1,
        )

    def _counts(self) -> str:
        summary = self.contents.summary
        triggers = summary["triggers"]
        return self.say(
            "决策 {decisions}，提案 {proposals}（通过 {approved}，缩减 {reduced}，拒绝 {rejected}）；"
            "触发条件登记 {registered}，触发 {fired}，重新分析 {again}；复盘 {reviews}，经验 {lessons}",
            decisions=summary["decisions"],
            proposals=summary["proposals"],
            approved=summary["approved"],
            reduced=summary["reduced"],
            rejected=summary["rejected"],
            registered=triggers["registered"],
            fired=triggers["fired"],
            again=summary["reanalyses"],
            reviews=summary["reviews"],
            lessons=summary["lessons"],
        )

    def _extremes(self) -> None:
        best, worst, say = self.contents.best, self.contents.worst, self.say
        if best is None or worst is None:
            self.line(say("没有已了结的交易"))
            return
        self._trade(say("最好的一笔"), best)
        if worst is not best:
            self._trade(say("最差的一笔"), worst)

    def _trade(self, title: str, trade: Trade) -> None:
        self.line(f"{title}: {words.trade_headline(trade, self.say)}", "bold")
        for line in (*words.trade_reasons(trade, self.say), *words.debate_lines(trade, self.say)):
            self.line("  " + line.replace("\n", "\n    "))

    def _reasons(self) -> None:
        say = self.say
        found = sorted(words.reasons(self.contents.funnel, say), key=lambda reason: -reason.count)
        if not found:
            return
        self.line(say("多数候选为什么没有交易"), "bold")
        rows = [[each.stage, f"{each.count:,}", each.reason, each.example] for each in found[:MAX_REASONS]]
        self.table([say("环节"), say("次数"), say("原因"), say("例句（真实数字）")], rows, numeric_from=4)

    def line(self, text: str, style: str = "") -> None:
        """One paragraph."""
        self.console.print(Styled(self.safe(text), style=style))

    def table(self, header: list[str], rows: list[list[str]], numeric_from: int) -> None:
        """A table with plain rules."""
        grid = Table(box=box.SIMPLE_HEAD if _encodes(self.console.encoding, "─") else box.ASCII)
        for column, name in enumerate(header):
            if column >= numeric_from:  # a number is never broken, its column's title may be
                width = max((cell_len(row[column]) for row in rows), default=1)
                grid.add_column(Styled(self.safe(name)), justify="right", overflow="fold", min_width=width)
            else:
                words = (word for row in rows for word in row[column].split() if word.isascii())
                width = min(LONGEST_WORD, max(map(len, words), default=1))
                grid.add_column(Styled(self.safe(name)), overflow="fold", min_width=width)
        for row in rows:
            grid.add_row(*[Styled(self.safe(cell)) for cell in row])
        self.console.print(grid)

    def safe(self, text: str) -> str:
        """The text without what this console's encoding lacks, and without control characters."""
        encoding = self.console.encoding
        printable = "".join(character for character in text if character == "\n" or character.isprintable())
        return printable.encode(encoding, "replace").decode(encoding)


def _encodes(encoding: str, text: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
