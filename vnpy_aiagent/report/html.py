"""report.html: one self-contained page. It loads nothing from anywhere; text of models is escaped."""

from html import escape
from pathlib import Path
from string import Template

from plotly.offline import get_plotlyjs

from vnpy_aiagent.i18n import Language, Localizer
from vnpy_aiagent.report import words
from vnpy_aiagent.report.charts import chart_json
from vnpy_aiagent.report.contents import Contents
from vnpy_aiagent.report.markup import Markup, join, tag
from vnpy_aiagent.report.parts import evaluation, funnel, learning, overview, trades
from vnpy_aiagent.report.parts.decisions import DecisionList, decision_list

ASSETS = Path(__file__).with_name("assets")
HTML_LANGUAGES: dict[Language, str] = {"zh": "zh-CN", "en": "en"}


def build_html(contents: Contents, language: Language) -> str:
    """The page in one language."""
    say = Localizer(language)
    return Template(_asset("report.html")).substitute(
        lang=HTML_LANGUAGES[language],
        title=escape(say("AI 交易团队报告")),
        style=_asset("report.css"),
        body=_body(contents, say),
        chart_data=chart_json(contents, say),
        plotly=get_plotlyjs(),
        script=_asset("report.js"),
    )


def _body(contents: Contents, say: Localizer) -> Markup:
    decisions = decision_list(contents.record, say)
    sections = [
        ("results", say("结果"), [overview.results(contents, say), overview.charts(say)]),
        ("evaluation", say("评估"), [evaluation.evaluation(contents, say)]),
        ("funnel", say("漏斗"), [funnel.funnel(contents, say)]),
        ("extremes", say("最好与最差的交易"), [trades.extremes(contents, say)]),
        ("trades", say("每笔交易的来龙去脉"), [trades.trades(contents, say, decisions.detailed)]),
        ("decisions", say("决策"), [_decision_note(decisions, say), decisions.html]),
        ("learning", say("经验与复盘"), [learning.lessons(contents, say), learning.reviews(contents, say)]),
        ("notes", say("警报与记录"), [learning.notes(contents, say)]),
        ("journal", say("日志与核验"), [_journal(contents, say)]),
    ]
    links = [tag("a", title, href=f"#{name}") for name, title, _ in sections]
    return join(
        [
            overview.head(contents, say),
            tag("nav", links),
            [tag("section", tag("h2", title), content, id=name) for name, title, content in sections],
        ]
    )


def _decision_note(decisions: DecisionList, say: Localizer) -> Markup:
    sentence = say(
        "完整展示 {full} 个有行动的决策；其余 {brief} 个"
        "（全部不动，或超出页面大小上限）各占一行，全文在日志中。",
        full=len(decisions.detailed),
        brief=decisions.brief,
    )
    return tag("p", sentence, class_="note")


def _journal(contents: Contents, say: Localizer) -> Markup:
    journal = contents.summary["journal"]
    return join(
        [
            tag("p", say("日志共 {count} 条，哈希链末端：", count=f"{journal['entries']:,}")),
            tag("pre", journal["head"]),
            tag("p", words.verify_line(say)),
        ]
    )


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")
