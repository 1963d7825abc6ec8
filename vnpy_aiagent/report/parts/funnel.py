"""The funnel, and why most candidates were not traded."""

from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report import words
from vnpy_aiagent.report.contents import Contents
from vnpy_aiagent.report.markup import Markup, join, table, tag


def funnel(contents: Contents, say: Localizer) -> Markup:
    """Five counts and the table of reasons."""
    steps = [
        tag("li", tag("b", f"{count:,}"), tag("span", name), tag("small", unit))
        for name, count, unit in words.funnel_steps(contents.funnel, say)
    ]
    rows: list[list[object]] = [
        [reason.stage, reason.reason, tag("span", f"{reason.count:,}", class_="count"), reason.example]
        for reason in words.reasons(contents.funnel, say)
    ]
    header = [say("环节"), say("原因"), say("次数"), say("例句（真实数字）")]
    return join(
        [
            tag("ol", steps, class_="funnel"),
            tag("h3", say("多数候选为什么没有交易")),
            table(header, rows, numeric_from=len(header)) if rows else tag("p", say("没有未交易的候选")),
            tag("p", say("同一提案可能被多条规则拒绝；提案按账户计数，决策按标的计数。"), class_="note"),
        ]
    )
