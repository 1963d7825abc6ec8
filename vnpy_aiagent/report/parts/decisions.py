"""Decisions by day: in full where they led to an action, in one line where all accounts held."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from vnpy_aiagent.domain import (
    MARKET_TZ,
    Action,
    AnalysisRequest,
    DebateTurn,
    Decision,
    Evidence,
    Finding,
    Proposal,
    Verdict,
)
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report import words
from vnpy_aiagent.report.describe import (
    describe,
    finder,
    model_name,
    plan_lines,
    speaker,
    speech,
    sum_lines,
    verdict_lines,
)
from vnpy_aiagent.report.markup import Markup, details, join, lines, table, tag
from vnpy_aiagent.report.model_cost import cost_of
from vnpy_aiagent.report.numbers import moment
from vnpy_aiagent.report.read import RunRecord

FULL_BYTES = 4_000_000
"""Decisions beyond this much HTML are shown in one line each, so that the page stays below about 15 MB."""

MAX_RESULT = 240
DAYS_WITHOUT_MONTHS = 40


@dataclass(frozen=True, slots=True)
class _Row:
    day: str
    html: Markup


@dataclass(frozen=True, slots=True)
class DecisionList:
    """The section, the ids of decisions shown in full, and how many are shown in one line."""

    html: Markup
    detailed: frozenset[str]
    brief: int


def decision_list(record: RunRecord, say: Localizer, full_bytes: int = FULL_BYTES) -> DecisionList:
    """All decisions by day, those of long runs by month and day."""
    rows: list[_Row] = []
    detailed: set[str] = set()
    size = 0
    for decision in record.of(Decision):
        proposals = record.caused(Proposal, decision.id)
        full = _full(record, decision, proposals, say) if _acted(proposals) and size < full_bytes else None
        if full is not None:
            detailed.add(decision.id)
            size += len(full.encode())
        day = decision.at.astimezone(MARKET_TZ).date().isoformat()
        rows.append(_Row(day, full or _brief(record, decision, proposals, say)))
    html = _by_day(rows, say) if rows else tag("p", say("没有决策"))
    return DecisionList(html, frozenset(detailed), len(rows) - len(detailed))


def _acted(proposals: Iterable[Proposal]) -> bool:
    return any(proposal.action is not Action.HOLD for proposal in proposals)


def _by_day(rows: list[_Row], say: Localizer) -> Markup:
    days = [(day, [row.html for row in found]) for day, found in groupby(rows, key=lambda row: row.day)]
    if len(days) <= DAYS_WITHOUT_MONTHS:
        return join([_day(day, found, say) for day, found in days])
    months = []
    for month, group in groupby(days, key=lambda item: item[0][:7]):
        inside = list(group)
        count = sum(len(found) for _, found in inside)
        title = say("{period}：{count} 个决策", period=month, count=count)
        months.append(details(title, [_day(day, found, say) for day, found in inside], class_="month"))
    return join(months)


def _day(day: str, found: list[Markup], say: Localizer) -> Markup:
    return details(say("{period}：{count} 个决策", period=day, count=len(found)), found, class_="day")


def _brief(record: RunRecord, decision: Decision, proposals: Iterable[Proposal], say: Localizer) -> Markup:
    """Time, symbol, finding and the first account's answer."""
    first = next(iter(proposals), None)
    answer = ""
    if first is not None:
        answer = say.label(first.action) + (f": {say.show(first.reasons[0].text)}" if first.reasons else "")
    return tag(
        "p", tag("time", _time(decision)), f" {_title(record, decision, say)} {answer}", class_="brief"
    )


def _full(record: RunRecord, decision: Decision, proposals: Iterable[Proposal], say: Localizer) -> Markup:
    actions = ", ".join(f"{proposal.account} {say.label(proposal.action)}" for proposal in proposals)
    content = [
        *[_finding(finding, say) for finding in decision.findings if finding.weight or finding.evidence],
        *_aggregate(decision, say),
        *[_turn(turn, decision, say) for turn in decision.debate],
        *[tag("p", failure, class_="warning") for failure in decision.failures],
        *[_proposal(record, proposal, say) for proposal in proposals],
        _evidence(decision.evidence, say),
        tag(
            "small",
            f"{decision.id} · {model_name(decision, say)} · {words.model_cost(cost_of([decision]), say)} · "
            f"{decision.prompt_hash[:12]}",
        ),
    ]
    return details(
        [tag("time", _time(decision)), f" {_title(record, decision, say)} ", tag("b", actions)],
        content,
        class_="decision",
        id=decision.id,
    )


def _title(record: RunRecord, decision: Decision, say: Localizer) -> str:
    request = record.get(AnalysisRequest, decision.request_id)
    return f"{decision.symbol} {say.label(request.request)}" if request else decision.symbol


def _time(decision: Decision) -> str:
    return moment(decision.at)[11:]


def _finding(finding: Finding, say: Localizer) -> Markup:
    cited = say("依据 {ids}", ids=", ".join(finding.evidence)) if finding.evidence else ""
    return _speech(finder(finding, say), f"{say.show(finding.text)} {cited}")


def _turn(turn: DebateTurn, decision: Decision, say: Localizer) -> Markup:
    said = speech(turn, decision.debate, say)
    if turn.evidence:
        said.append(say("依据 {ids}", ids=", ".join(turn.evidence)))
    text = "\n".join(said)
    return _speech(speaker(turn, say), text)


def _aggregate(decision: Decision, say: Localizer) -> list[Markup]:
    """All findings in one, and the roles that did not count."""
    found = sum_lines(decision, say)
    return [_speech(found[0], "\n".join(found[1:]))] if found else []


def _speech(who: str, text: str) -> Markup:
    return tag("p", tag("b", who), " ", lines(text), class_="speech")


def _proposal(record: RunRecord, proposal: Proposal, say: Localizer) -> Markup:
    """A proposal, its reasons with evidence, and the verdict with one line a rule."""
    reasons = [
        tag("li", lines(say.show(reason.text)), tag("small", " ".join(reason.evidence)))
        for reason in proposal.reasons
    ]
    plans = [tag("li", line) for line in plan_lines(proposal, say)]
    verdicts = [
        [
            tag("p", tag("b", describe(verdict, say).text)),
            tag("ul", [tag("li", line, class_="rule") for line in verdict_lines(verdict, say)]),
        ]
        for verdict in record.caused(Verdict, proposal.id)
    ]
    title = f"{proposal.account}: {describe(proposal, say).text}"
    return tag("div", tag("p", tag("b", title)), tag("ul", plans, reasons), verdicts, class_="proposal")


def _evidence(evidence: tuple[Evidence, ...], say: Localizer) -> Markup:
    if not evidence:
        return tag("p", say("没有调用工具"))
    rows: list[list[object]] = [
        [
            each.id,
            each.tool,
            tag("code", each.arguments),
            moment(each.available_at) if each.available_at else "-",
            tag("code", each.result if len(each.result) <= MAX_RESULT else each.result[:MAX_RESULT] + " …"),
        ]
        for each in evidence
    ]
    header = [
        say("依据编号"),
        say("工具"),
        say("参数"),
        say("数据可得时间"),
        say("结果（过长则截断，全文在日志）"),
    ]
    return table(header, rows, numeric_from=len(header))
