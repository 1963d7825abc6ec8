"""One decision on one day, through the same engine: for `aiagent analyze`."""

from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from vnpy_aiagent.config import Settings
from vnpy_aiagent.data.market_data import MarketData
from vnpy_aiagent.domain import (
    AnalysisRequest,
    BarInterval,
    Decision,
    Message,
    Proposal,
    RequestKind,
    Verdict,
    parse_message,
)
from vnpy_aiagent.errors import DataError
from vnpy_aiagent.i18n import Localizer, show, translator
from vnpy_aiagent.report.describe import certainty, speaker, speech
from vnpy_aiagent.simulation import Simulation
from vnpy_aiagent.store.journal import JournalReader

DECISION_TIME = time(9, 35)


@dataclass(frozen=True, slots=True)
class FoundDecision:
    """The messages of one decision."""

    request: AnalysisRequest
    decision: Decision
    proposals: tuple[Proposal, ...]
    verdicts: tuple[Verdict, ...]


def decide_once(
    market: MarketData, settings: Settings, symbol: str, day: date, journal: Path
) -> FoundDecision:
    """Play one day and ask for a decision on the symbol at 09:35.

    Raises DataError where the symbol has no bar on that day.
    """
    series = market.bars(symbol, BarInterval.DAILY)
    days = [series.day_of(i) for i in range(len(series))]
    if day not in days:
        raise DataError(f"{symbol} has no bar on {day}; its data runs from {days[0]} to {days[-1]}")
    simulation = Simulation(market, settings, journal, start=day, end=day)
    simulation.ask_at(datetime.combine(day, DECISION_TIME), symbol)
    simulation.run()
    return _found(journal, symbol)


def _found(journal: Path, symbol: str) -> FoundDecision:
    reader = JournalReader.open(journal)
    try:
        messages = [parse_message(e.kind, e.body) for e in reader.read() if e.kind in _KINDS]
    finally:
        reader.close()
    request = next(
        m
        for m in messages
        if isinstance(m, AnalysisRequest) and m.request is RequestKind.OPEN and m.symbol == symbol
    )
    decision = next(m for m in messages if isinstance(m, Decision) and m.request_id == request.id)
    proposals = tuple(m for m in messages if isinstance(m, Proposal) and m.decision_id == decision.id)
    ids = {proposal.id for proposal in proposals}
    verdicts = tuple(m for m in messages if isinstance(m, Verdict) and m.proposal_id in ids)
    return FoundDecision(request, decision, proposals, verdicts)


_KINDS = {kind.__name__ for kind in (AnalysisRequest, Decision, Proposal, Verdict)}


def decision_facts(found: FoundDecision) -> dict[str, Any]:
    """As one JSON object. `proposal` and `verdict` are the judge's, else those of the last account."""
    proposal = next((p for p in found.proposals if p.account == "judge"), found.proposals[-1])
    verdict = next((v for v in found.verdicts if v.proposal_id == proposal.id), None)
    usage = found.decision.usage
    return {
        "request": _plain(found.request),
        "findings": [finding.model_dump(mode="json") for finding in found.decision.findings],
        "aggregate": _aggregate(found.decision),
        "debate": [turn.model_dump(mode="json") for turn in found.decision.debate],
        "evidence": [evidence.model_dump(mode="json") for evidence in found.decision.evidence],
        "proposal": _plain(proposal),
        "proposals": [_plain(p) for p in found.proposals],
        "verdict": _plain(verdict) if verdict else None,
        "verdicts": [_plain(v) for v in found.verdicts],
        "model": {"name": found.decision.model, "is_llm": found.decision.is_llm},
        "usage": {
            "calls": usage.calls,
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "cost": float(usage.cost),
        },
        "failures": list(found.decision.failures),
    }


def decision_lines(found: FoundDecision, language: Any) -> list[str]:
    """For people."""
    translate = translator(language)
    chinese = language == "zh"
    decision, usage = found.decision, found.decision.usage
    label = "模型" if chinese else "model"
    kind = "" if decision.is_llm else ("（规则，不是语言模型）" if chinese else " (rules, no language model)")
    lines = [
        f"{found.request.symbol} {found.request.at:%Y-%m-%d %H:%M}",
        f"{label}: {decision.model if decision.is_llm else 'offline-analyst'}{kind}",
        "",
    ]
    lines += _finding_lines(decision, language)
    say = Localizer(language)
    for turn in decision.debate:
        lines.append(f"[{turn.role}] {speaker(turn, say)}")
        said = speech(turn, decision.debate, say)
        lines += [f"  {line}" for part in said for line in part.splitlines()]
    lines.append("")
    verdicts = {verdict.proposal_id: verdict for verdict in found.verdicts}
    for proposal in found.proposals:
        mark = certainty(proposal, say)
        wish = f"{proposal.account}: {proposal.action.name} {proposal.target_weight * 100:.1f}%"
        lines.append(f"{wish} [{mark}]" if mark else wish)
        lines += [f"  {show(reason.text, translate)}" for reason in proposal.reasons]
        verdict = verdicts.get(proposal.id)
        if verdict is not None:
            lines.append(f"  -> {verdict.outcome.name} {verdict.volume}")
            lines += [
                f"     {'+' if line.passed else 'x'} {show(line.text, translate)}" for line in verdict.lines
            ]
    lines.append("")
    lines.append(
        f"calls {usage.calls}, tokens {usage.prompt_tokens}+{usage.completion_tokens}, cost {usage.cost} CNY"
    )
    return lines


def _aggregate(decision: Decision) -> dict[str, Any] | None:
    return decision.aggregate.model_dump(mode="json") if decision.aggregate is not None else None


def _finding_lines(decision: Decision, language: Any) -> list[str]:
    """Every role with stance, strength, confidence, weight and newest evidence, then all in one."""
    say = Localizer(language)
    lines = []
    for each in decision.findings:
        known = "-" if each.available_at is None else f"{each.available_at:%Y-%m-%d %H:%M}"
        lines.append(
            f"[{each.role}] {each.stance.name} {each.strength:.2f} / {each.confidence:.2f}  "
            f"{say('权重')} {each.weight:.3f}  {known}"
        )
        lines.append(f"  {say.show(each.text)}")
    total = decision.aggregate
    if total is not None:
        sums = f"{total.strength:.2f} / {total.confidence:.2f} ({total.score:+.2f})"
        lines.append(f"[{say('综合')}] {total.stance.name} {sums}")
        silent = [f"{each.role} ({say.label(each.why)})" for each in total.silent]
        if silent:
            lines.append(f"  {say('未计入')}: {', '.join(silent)}")
    return lines


def _plain(message: Message) -> dict[str, Any]:
    return {"kind": message.kind, **message.model_dump(mode="json")}
