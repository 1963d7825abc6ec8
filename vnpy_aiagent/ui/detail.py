"""One decision in full, from the journal: request, evidence, findings, debate, verdict, orders, fills."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from vnpy_aiagent.domain import (
    AnalysisRequest,
    Decision,
    Message,
    Outcome,
    Proposal,
    Verdict,
)
from vnpy_aiagent.report.describe import (
    certainty,
    describe,
    finder,
    model_name,
    plan_lines,
    speaker,
    speech,
    sum_lines,
)
from vnpy_aiagent.report.kinds.decisions import SIZED
from vnpy_aiagent.report.numbers import moment, share
from vnpy_aiagent.report.read import message_of
from vnpy_aiagent.store.journal import Entry, JournalReader
from vnpy_aiagent.ui.theme import GAIN, LOSS, MUTED
from vnpy_aiagent.ui.words import Words

MAX_FOLLOWERS = 120
MAX_RESULT = 600


@dataclass(frozen=True, slots=True)
class Trace:
    """A proposal, what led to it (oldest first) and what followed from it, in the journal's order."""

    proposal: Proposal
    before: tuple[Message, ...]
    after: tuple[Message, ...]

    @property
    def decision(self) -> Decision | None:
        """The decision that the proposal came from."""
        return next((each for each in self.before if isinstance(each, Decision)), None)

    @property
    def request(self) -> AnalysisRequest | None:
        """What was asked."""
        return next((each for each in reversed(self.before) if isinstance(each, AnalysisRequest)), None)

    @property
    def verdict(self) -> Verdict | None:
        """The last word of risk."""
        return next((each for each in reversed(self.after) if isinstance(each, Verdict)), None)


def load_trace(reader: JournalReader, proposal_id: str) -> Trace | None:
    """The trace of a proposal, None where the journal does not hold it yet; JournalError where broken."""
    chain = [message_of(entry) for entry in reader.chain(proposal_id)]
    if not chain or not isinstance(chain[-1], Proposal):
        return None
    return Trace(chain[-1], tuple(chain[:-1]), tuple(_followers(reader, proposal_id)))


def trace_html(trace: Trace, words: Words) -> str:
    """The trace as a page for a text view; every text is escaped."""
    return "".join(
        (
            _headline(trace, words),
            _request(trace, words),
            _plan(trace, words),
            _rules(trace, words),
            _views(trace, words),
            _evidence(trace, words),
            _orders(trace, words),
        )
    )


def _followers(reader: JournalReader, proposal_id: str) -> list[Message]:
    """Everything caused by the proposal, up to the next analysis that it led to."""
    found: list[Entry] = []
    waiting = [proposal_id]
    while waiting and len(found) < MAX_FOLLOWERS:
        for entry in reader.children(waiting.pop(0)):
            found.append(entry)
            if entry.kind != AnalysisRequest.kind:
                waiting.append(entry.id)
    return [message_of(entry) for entry in sorted(found, key=lambda entry: entry.seq)[:MAX_FOLLOWERS]]


def _headline(trace: Trace, words: Words) -> str:
    proposal, verdict = trace.proposal, trace.verdict
    outcome = words.label(verdict.outcome) if verdict else words("尚未审核")
    colour = MUTED if verdict is None else _OUTCOME_COLOURS[verdict.outcome]
    line = f"{moment(proposal.at)} · {proposal.account} · {words.label(proposal.action)} {proposal.symbol}"
    figures = words("把握 {confidence}", confidence=share(proposal.confidence))
    if proposal.action in SIZED:
        figures = words(
            "目标仓位 {weight}，把握 {confidence}",
            weight=share(proposal.target_weight),
            confidence=share(proposal.confidence),
        )
    mark = certainty(proposal, words)
    figures += f" · {mark}" if mark else ""
    ident = f'<span style="color:{MUTED}">{escape(proposal.id)}</span>'
    return (
        f'<h3>{escape(line)} <span style="color:{colour}">{escape(outcome)}</span></h3>'
        f"<p>{escape(figures)} {ident}</p>"
    )


_OUTCOME_COLOURS = {Outcome.APPROVED: LOSS, Outcome.REDUCED: "#d69e2e", Outcome.REJECTED: GAIN}


def _request(trace: Trace, words: Words) -> str:
    if trace.request is None:
        return ""
    return _section(words("起因"), [_plain(describe(each, words).text) for each in trace.before[-3:-1]])


def _plan(trace: Trace, words: Words) -> str:
    lines = [words.show(reason.text) for reason in trace.proposal.reasons]
    if trace.proposal.abstained:
        lines.insert(0, words("放弃：{why}", why=trace.proposal.abstained))
    return _section(words("提案"), map(_plain, [*lines, *plan_lines(trace.proposal, words)]))


def _rules(trace: Trace, words: Words) -> str:
    if trace.verdict is None:
        return ""
    rows = []
    for line in trace.verdict.lines:
        mark, colour = ("✓", LOSS) if line.passed else ("✗", GAIN)
        told = line.max_volume is None or str(line.max_volume) in line.text.figures.values()
        bound = "" if told else words("至多 {volume} 股", volume=line.max_volume)
        rows.append(
            f'<tr><td style="color:{colour}">{mark}&nbsp;</td>'
            f"<td>{_plain(words.label(line.rule))}&nbsp;&nbsp;</td>"
            f"<td>{_plain(words.show(line.text))}&nbsp;&nbsp;</td><td>{_plain(bound)}</td></tr>"
        )
    verdict = describe(trace.verdict, words).text
    return _section(words("风控逐条"), [_plain(verdict), f"<table>{''.join(rows)}</table>"])


def _views(trace: Trace, words: Words) -> str:
    decision = trace.decision
    if decision is None:
        return ""
    parts = []
    findings = [
        f"<b>{_plain(finder(view, words))}</b>: {_plain(words.show(view.text))}" for view in decision.findings
    ]
    findings += map(_plain, sum_lines(decision, words))
    debate = [
        f"<b>{_plain(speaker(turn, words))}</b>: {_plain(chr(10).join(speech(turn, decision.debate, words)))}"
        for turn in decision.debate
    ]
    for title, lines in ((words("分析"), findings), (words("辩论"), debate)):
        if lines:
            parts.append(_section(title, lines))
    usage = decision.usage
    cost = words(
        "{model}，调用 {calls} 次，{tokens} 个 token，{cost} 元",
        model=model_name(decision, words),
        calls=usage.calls,
        tokens=usage.prompt_tokens + usage.completion_tokens,
        cost=f"{usage.cost:.4f}",
    )
    parts.append(_section(words("模型"), [_plain(cost), *map(_plain, decision.failures)]))
    return "".join(parts)


def _evidence(trace: Trace, words: Words) -> str:
    decision = trace.decision
    if decision is None:
        return ""
    lines = []
    for item in decision.evidence:
        known = moment(item.available_at) if item.available_at else "-"
        result = item.result if len(item.result) <= MAX_RESULT else item.result[:MAX_RESULT] + "…"
        lines.append(
            f"<b>{_plain(item.id)}</b> {_plain(item.tool)} {_plain(item.arguments)} "
            f'<span style="color:{MUTED}">({_plain(words("可得于 {at}", at=known))})</span><br>'
            f"<code>{_plain(result)}</code>"
        )
    return _section(words("证据"), lines)


def _orders(trace: Trace, words: Words) -> str:
    lines = []
    for message in trace.after:
        if isinstance(message, Verdict):
            continue
        line = describe(message, words)
        lines.append(
            f'<span style="color:{MUTED}">{moment(line.at)}</span> '
            f"<b>{_plain(line.label)}</b> {_plain(line.text)}"
        )
    return _section(words("委托、成交与后续"), lines or [_plain(words("没有后续"))])


def _section(title: str, lines: Iterable[str]) -> str:
    body = "".join(_paragraphs(lines))
    return f"<h4>{escape(title)}</h4>{body}" if body else ""


def _paragraphs(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.startswith("<table") else f'<p style="margin:2px 0">{line}</p>'


def _plain(text: str) -> str:
    return escape(text).replace("\n", "<br>")
