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
from vnpy_aiagent.i18n import Language, Localizer
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
from vnpy_aiagent.report.numbers import moment
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


def decision_lines(found: FoundDecision, language: Language) -> list[str]:
    """For people."""
    say = Localizer(language)
    decision, usage = found.decision, found.decision.usage
    lines = [
        f"{found.request.symbol} {found.request.at:%Y-%m-%d %H:%M}",
        say("模型：{name}", name=decision.model) if decision.is_llm else model_name(decision, say),
        "",
        *_finding_lines(decision, say),
    ]
    for turn in decision.debate:
        lines.append(speaker(turn, say))
        said = speech(turn, decision.debate, say)
        lines += [f"  {line}" for part in said for line in part.splitlines()]
    lines += [say("出错：{problem}", problem=failure) for failure in decision.failures]
    verdicts = {verdict.proposal_id: verdict for verdict in found.verdicts}
    for proposal in found.proposals:
        lines += ["", f"{proposal.account}: {describe(proposal, say).text}"]
        lines += [f"  {say.show(reason.text)}" for reason in proposal.reasons]
        lines += [f"  {line}" for line in plan_lines(proposal, say)]
        verdict = verdicts.get(proposal.id)
        if verdict is not None:
            lines.append(f"  -> {describe(verdict, say).text}")
            lines += [f"     {line}" for line in verdict_lines(verdict, say)]
    lines.append("")
    lines.append(
        say(
            "调用模型 {calls} 次，提问 {prompt} 个 token，回答 {answer} 个 token，费用 {cost} 元",
            calls=usage.calls,
            prompt=usage.prompt_tokens,
            answer=usage.completion_tokens,
            cost=f"{usage.cost:.4f}",
        )
    )
    return lines


def _aggregate(decision: Decision) -> dict[str, Any] | None:
    return decision.aggregate.model_dump(mode="json") if decision.aggregate is not None else None


def _finding_lines(decision: Decision, say: Localizer) -> list[str]:
    """Every role with its view, what it counts with and its newest evidence; then all in one."""
    lines = []
    for each in decision.findings:
        known = "" if each.available_at is None else say("，数据截至 {at}", at=moment(each.available_at))
        lines.append(finder(each, say) + known)
        lines.append(f"  {say.show(each.text)}")
    return lines + sum_lines(decision, say)


def _plain(message: Message) -> dict[str, Any]:
    return {"kind": message.kind, **message.model_dump(mode="json")}
