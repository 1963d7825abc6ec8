"""The funnel of a day, a symbol or a run: scanned, analysed, proposed, rejected by which rule, filled."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from vnpy_aiagent.domain import (
    MARKET_TZ,
    Action,
    AnalysisRequest,
    AnalysisSkipped,
    ApprovalAnswered,
    ApprovalAsked,
    Decision,
    Fill,
    Intent,
    JobSkipped,
    Message,
    OrderState,
    OrderUpdate,
    Outcome,
    ParentOrder,
    Proposal,
    RequestKind,
    ScanResult,
    Side,
    Signal,
    Text,
    Verdict,
    Withheld,
    say,
)
from vnpy_aiagent.report.read import RunRecord

ENTRIES = (Action.BUY, Action.ADD)
_NUMBERS = re.compile(r"\d[\d.,:]*")


@dataclass(frozen=True, slots=True)
class Why:
    """One reason: its name (empty where the sentence says all), how often, and a real sentence."""

    name: str
    count: int
    example: Text


@dataclass(frozen=True, slots=True)
class Funnel:
    """What became of candidates.

    `scanned` counts symbols over all scans (with a symbol given: scans), `picked` symbols taken up by a scan,
    `left_out` the others by reason (with a symbol given: of its scans), `analysed` decisions, `abstained`
    proposals that hold because a model or its answer failed, by the kind of failure and by what was wrong,
    requests about holdings included, `failures` answers of single roles that were of no use, by role and
    kind, whether or not the decision went on without them, `held` other proposals to open that came to HOLD,
    `proposed` entry proposals by account, `refused` their rejections by rule, `approved` entries that passed
    (`reduced` of them smaller), `filled` entries with a fill, `unfilled` why not. `unasked` counts requests
    that the model did not get, or answered too late, triggers' requests included.
    """

    day: date | None
    symbol: str | None
    scanned: int
    picked: int
    left_out: dict[str, int]
    analysed: int
    abstained: tuple[Why, ...]
    failures: tuple[Why, ...]
    held: tuple[Why, ...]
    proposed: int
    refused: tuple[Why, ...]
    approved: int
    reduced: int
    filled: int
    unfilled: tuple[Why, ...]
    unasked: tuple[Why, ...]


def why_not(record: RunRecord, day: date | None = None, symbol: str | None = None) -> Funnel:
    """The funnel of the proposals made on a day (None: all days) for a symbol (None: all symbols).

    A proposal's verdict and fills count with it, also where they came on a later day.
    """

    def chosen(message: Message) -> bool:
        named = getattr(message, "symbol", None)
        on = day is None or message.at.astimezone(MARKET_TZ).date() == day
        return on and (symbol is None or named is None or named == symbol)

    scans = [scan for scan in record.of(ScanResult) if chosen(scan)]
    picked = sum(1 for scan in scans for c in scan.picked if symbol is None or c.vt_symbol == symbol)
    left_out: Counter[str] = Counter()
    for scan in scans:
        left_out.update(scan.left_out if symbol is None else _reasons_of(scan, symbol))
    left_out["analyses_per_day"] = sum(1 for skipped in record.of(AnalysisSkipped) if chosen(skipped))
    decisions = [decision for decision in record.of(Decision) if chosen(decision)]
    proposals = [proposal for proposal in record.of(Proposal) if chosen(proposal)]
    entries = [proposal for proposal in proposals if proposal.action in ENTRIES]
    verdicts = [verdict for entry in entries for verdict in _verdicts(record, entry)]
    passed = [verdict for verdict in verdicts if verdict.outcome is not Outcome.REJECTED]
    parents = [parent for parent in record.of(ParentOrder) if parent.side is Side.BUY]
    by_proposal = _by_proposal(record, parents)
    taken = [parent for verdict in passed for parent in by_proposal.get(verdict.proposal_id, ())]
    with_fill = {fill.parent_id for fill in record.of(Fill)}
    return Funnel(
        day=day,
        symbol=symbol,
        scanned=len(scans) if symbol is not None else sum(scan.scanned for scan in scans),
        picked=picked,
        left_out={name: count for name, count in left_out.items() if count},
        analysed=len(decisions),
        abstained=_abstained(proposals),
        failures=_failures(decisions),
        held=_held(record, [proposal for proposal in proposals if not proposal.abstained]),
        proposed=len(entries),
        refused=_refused(verdicts),
        approved=len(passed),
        reduced=sum(1 for verdict in passed if verdict.outcome is Outcome.REDUCED),
        filled=sum(1 for parent in taken if parent.id in with_fill),
        unfilled=_counted(
            [
                *_unfilled(record, [parent for parent in taken if parent.id not in with_fill]),
                *(why for verdict in passed for why in _not_approved(record, verdict)),
            ]
        ),
        unasked=_unasked(record, [request for request in record.of(AnalysisRequest) if chosen(request)]),
    )


def _reasons_of(scan: ScanResult, symbol: str) -> list[str]:
    """Why a scan left a symbol out; empty for one that it picked, and in journals that kept counts alone."""
    return [reason for reason, symbols in scan.left_out_symbols.items() if symbol in symbols]


def _verdicts(record: RunRecord, proposal: Proposal) -> tuple[Verdict, ...]:
    return tuple(each for each in record.caused(Verdict, proposal.id) if each.proposal_id == proposal.id)


def _by_proposal(record: RunRecord, parents: Iterable[ParentOrder]) -> dict[str, list[ParentOrder]]:
    found: dict[str, list[ParentOrder]] = {}
    for parent in parents:
        proposal = record.origin(Proposal, parent.id)
        if proposal is not None:
            found.setdefault(proposal.id, []).append(parent)
    return found


def _abstained(proposals: Iterable[Proposal]) -> tuple[Why, ...]:
    """Failures by their kind; those of a kind together whose text differs in numbers alone."""
    return _counted(
        (
            proposal.abstained.partition(":")[0],
            _NUMBERS.sub("#", proposal.abstained),
            proposal.reasons[0].text if proposal.reasons else say("无说明"),
        )
        for proposal in proposals
        if proposal.abstained
    )


def _failures(decisions: Iterable[Decision]) -> tuple[Why, ...]:
    """What failed of all that was asked, such as `JUDGE: ModelNonsense`."""
    told = [(failure, failure.split(": ")) for decision in decisions for failure in decision.failures]
    named = [
        (parts[0] if " " in parts[1] else ": ".join(parts[:2]), whole) for whole, parts in told if parts[1:]
    ]
    return _counted((name, name, Text(template=whole)) for name, whole in named)


def _held(record: RunRecord, proposals: Iterable[Proposal]) -> tuple[Why, ...]:
    """HOLD answers to requests for an entry by their first reason's template; free texts are one group."""
    reasons = []
    for proposal in proposals:
        request = record.get(AnalysisRequest, proposal.request_id)
        if proposal.action is Action.HOLD and request is not None and request.request is RequestKind.OPEN:
            text = proposal.reasons[0].text if proposal.reasons else say("无说明")
            reasons.append(("", text.template if text.figures else "", text))
    return _counted(reasons)


def _unasked(record: RunRecord, requests: Iterable[AnalysisRequest]) -> tuple[Why, ...]:
    return _counted(
        ("", skipped.reason.template, skipped.reason)
        for request in requests
        for skipped in record.caused(JobSkipped, request.id)
    )


def _refused(verdicts: Iterable[Verdict]) -> tuple[Why, ...]:
    """Rejections by each rule that refused; one verdict may name several."""
    return _counted(
        (line.rule, line.rule, line.text)
        for verdict in verdicts
        if verdict.outcome is Outcome.REJECTED
        for line in verdict.lines
        if not line.passed
    )


def _unfilled(record: RunRecord, parents: Iterable[ParentOrder]) -> Iterator[tuple[str, str, Text]]:
    for parent in parents:
        text = _why_unfilled(record, parent)
        yield "", text.figures.get("reason", text.template), text


def _not_approved(record: RunRecord, verdict: Verdict) -> Iterator[tuple[str, str, Text]]:
    """Why an entry became no order: refused, lapsed, no longer allowed, or void by a human's command."""
    for signal in record.caused(Signal, verdict.id):
        for withheld in record.caused(Withheld, signal.id):
            yield "", withheld.reason.template, withheld.reason
        for asked in record.caused(ApprovalAsked, signal.id):
            for answered in record.caused(ApprovalAnswered, asked.id):
                if not answered.approved:
                    yield "", answered.reason.template, answered.reason


def _why_unfilled(record: RunRecord, parent: ParentOrder) -> Text:
    """Withheld by us, rejected by the exchange, or never traded at its limit."""
    for intent in record.caused(Intent, parent.id):
        for withheld in record.caused(Withheld, intent.id):
            return withheld.reason
        for update in record.caused(OrderUpdate, intent.id):
            if update.state is OrderState.REJECTED:
                return say("委托被拒 {symbol}：{reason}", symbol=parent.symbol, reason=update.reason or "—")
    return say("限价未成交")


def _counted(reasons: Iterable[tuple[str, str, Text]]) -> tuple[Why, ...]:
    """Reasons (name, group, sentence) counted by group, most frequent first; the last is the example."""
    groups: dict[tuple[str, str], list[Text]] = {}
    for name, group, text in reasons:
        groups.setdefault((name, group), []).append(text)
    found = [Why(name, len(texts), texts[-1]) for (name, _), texts in groups.items()]
    return tuple(sorted(found, key=lambda why: (-why.count, why.name, why.example.template)))
