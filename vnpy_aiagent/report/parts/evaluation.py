"""Evaluation: all figures by account, years, what they can and cannot say, and the charts beside them."""

from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report import figures
from vnpy_aiagent.report.contents import Contents
from vnpy_aiagent.report.markup import Markup, join, table, tag


def evaluation(contents: Contents, say: Localizer) -> Markup:
    """The section; one sentence where no account was valued."""
    found = contents.evaluation
    if not found.accounts:
        return tag("p", say("没有收盘估值，无法评估"))
    header = figures.figure_header(found, say)
    rows: list[list[object]] = [list(row) for row in figures.figure_rows(found, say)]
    years: list[list[object]] = [list(row) for row in figures.year_rows(found)]
    return join(
        [
            tag("div", table(header, rows), class_="figures"),
            [tag("p", line, class_="note") for line in figures.notes(found, say)],
            tag("h3", say("各年收益率")),
            tag("div", table([say("年份"), *header[1:]], years), class_="figures"),
            [
                [tag("h3", title), tag("div", id=name, class_="chart", role="img", aria_label=title)]
                for name, title in (
                    ("rolling", say("滚动夏普比率（60 日）")),
                    ("exposure", say("仓位")),
                    ("cost", say("累计费用")),
                )
            ],
            tag("h3", say("月度收益率（%）")),
            tag("div", id="months", class_="months"),
        ]
    )
