"""The study: what all roles need is fetched once, each analyst is asked with its own tools.

A role without fresh data of its family is not asked. Calls to the model are given out before anybody is
asked, so that threads change nothing: one each, then what is left one by one, in the order of the roles. What
a role did not use goes afterwards to those who lacked one for their answer, in the same order.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from vnpy_aiagent.brain.abstain import reason
from vnpy_aiagent.brain.aggregate import aggregate, counted_weight
from vnpy_aiagent.brain.conversation import Conversation, Trace
from vnpy_aiagent.brain.freshness import is_fresh, newest
from vnpy_aiagent.brain.prompts import system_prompt
from vnpy_aiagent.brain.roles import ROLES, SHARED_CALLS, AnalystRole, Call
from vnpy_aiagent.brain.schemas import FindingAnswer
from vnpy_aiagent.config import BrainSettings, LlmSettings
from vnpy_aiagent.data.facts import Absence
from vnpy_aiagent.domain import Aggregate, Evidence, Exchange, Finding, Silence, Stance, Text, say
from vnpy_aiagent.errors import BudgetSpent, ModelError, ModelNonsense, QuotaSpent, ToolError
from vnpy_aiagent.llm.grounding import check_citations
from vnpy_aiagent.llm.recording import LoggedModel
from vnpy_aiagent.tools import Tool, Toolbox, absent_for
from vnpy_aiagent.tools.absent import told
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

ALL_ANALYSTS = "analysts"
MOST_NAMES = 6


@dataclass(slots=True)
class StudyOutcome:
    """What the analysts came to: a finding of every role, the evidence, all findings in one.

    `errors` are the failures of roles that were asked, in order; `asked` counts the roles that were.
    """

    findings: tuple[Finding, ...]
    evidence: tuple[Evidence, ...]
    aggregate: Aggregate
    exchanges: tuple[Exchange, ...]
    errors: tuple[tuple[str, Exception], ...]
    asked: int

    def summary(self) -> Finding:
        """All findings as one, for who plans.

        It cites what the counted ones cite; where none counted what any cites, else the first evidence.
        """
        counted = [finding for finding in self.findings if finding.weight > 0]
        resting = counted or self.findings
        cited = dict.fromkeys(name for finding in resting for name in finding.evidence)
        if not cited:
            cited = dict.fromkeys(each.id for each in self.evidence[:1])
        total = self.aggregate
        return Finding(
            role=ALL_ANALYSTS,
            stance=total.stance,
            strength=total.strength,
            confidence=total.confidence,
            text=say(
                "{count} 个角色合计：评分 {score}，把握 {confidence}",
                count=len(counted),
                score=f"{total.score:+.2f}",
                confidence=f"{total.confidence:.0%}",
            ),
            evidence=tuple(cited)[:20],
            available_at=max((f.available_at for f in counted if f.available_at), default=None),
            fresh=bool(counted),
            weight=1.0 if counted else 0.0,
        )


@dataclass(slots=True)
class _Seat:
    """One role in one decision: what was fetched for it, and what came of asking it."""

    role: AnalystRole
    box: Toolbox
    missing: Mapping[str, str]
    silence: Silence | None = None
    text: Text | None = None
    talk: Conversation | None = None
    log: LoggedModel | None = None
    trace: Trace = field(default_factory=Trace)
    answer: FindingAnswer | None = None
    error: Exception | None = None


class Study:
    """The analysts of one decision. Never raises for what a model does."""

    def __init__(
        self,
        snapshot: DecisionSnapshot,
        tools: Mapping[str, Tool],
        facts: Mapping[str, Any],
        llm: LlmSettings,
        settings: BrainSettings,
        log: Callable[[], LoggedModel],
        width: int = 1,
    ) -> None:
        """`tools` are those of the decision by name; `facts` is the request as every role reads it.

        `log` makes the model that one role asks, which notes its exchanges. `width`: roles asked at a time.
        """
        self.snapshot = snapshot
        self.tools = tools
        self.facts = facts
        self.llm = llm
        self.settings = settings
        self.log = log
        self.width = width
        self.shared = Toolbox(snapshot, tools)
        self.shared_missing = _fetch(self.shared, SHARED_CALLS)
        self.absent = absent_for(snapshot)

    def run(self, trace: Trace) -> StudyOutcome:
        """Ask whom there is data for; `trace` gets their use in the order of roles."""
        seats = [self._seat(role) for role in ROLES]
        asked = [seat for seat in seats if seat.silence is None]
        fresh = {seat.role.name: seat.role.weight_of(self.settings.weights) for seat in asked}
        for seat, calls in zip(asked, allot(self.settings.study_calls, len(asked)), strict=True):
            self._prepare(seat, calls)
        asked = [seat for seat in asked if seat.talk is not None]
        self._ask_all(asked)
        self._ask_again(asked)
        for seat in asked:
            trace.merge(seat.trace)
        findings = [self._finding(seat) for seat in seats]
        silent = {seat.role.name: seat.silence for seat in seats if seat.silence is not None}
        return StudyOutcome(
            findings=tuple(findings),
            evidence=(*self.shared.evidence, *(each for seat in seats for each in seat.box.evidence)),
            aggregate=aggregate(findings, silent, fresh),
            exchanges=tuple(each for seat in asked if seat.log for each in seat.log.exchanges),
            errors=tuple((seat.role.name, seat.error) for seat in asked if seat.error is not None),
            asked=len(asked),
        )

    def _seat(self, role: AnalystRole) -> _Seat:
        """Fetch what the role needs; it stays silent where nothing of its family is fresh."""
        allowed = {name: tool for name, tool in self.tools.items() if name in role.allowed}
        box = Toolbox(self.snapshot, allowed, role.letter, self.shared.evidence)
        if not role.weight_of(self.settings.weights):
            return _Seat(role, box, {}, Silence.WEIGHT_ZERO, say("权重为零，没有询问"))
        absent = {name: why for name, why in self.absent.items() if name in role.family}
        missing = {name: told(why) for name, why in absent.items()}
        seat = _Seat(role, box, {**missing, **_fetch(box, role.calls)})
        own = [each for each in (*self.shared.evidence, *box.evidence) if each.tool in role.family]
        last = newest(own)
        if last is None:
            seat.silence, seat.text = Silence.NO_DATA, _no_data(absent)
        elif not any(is_fresh(each, self.snapshot.at) for each in own):
            seat.silence = Silence.STALE
            seat.text = say("这一类数据最新的来自 {at}，太旧，没有询问", at=f"{last:%Y-%m-%d %H:%M}")
        return seat

    def _prepare(self, seat: _Seat, calls: int) -> None:
        if not calls:
            seat.silence, seat.text = Silence.NO_QUOTA, say("模型调用次数已分完，没有询问")
            return
        seen = (*self.shared.evidence, *seat.box.evidence)
        told = {
            "request": self.facts,
            "evidence": [_shown(each) for each in seen],
            "missing": {**self.shared_missing, **seat.missing},
        }
        seat.log = self.log()
        seat.talk = Conversation(
            seat.log,
            self.llm,
            seat.trace,
            seat.role.name,
            system_prompt(seat.role.name, self.snapshot.language),
            json.dumps(told, ensure_ascii=False),
            seat.box,
            self.settings.tool_steps,
            calls,
        )

    def _ask_all(self, seats: Sequence[_Seat]) -> None:
        if self.width < 2 or len(seats) < 2:
            for seat in seats:
                self._ask(seat)
            return
        with ThreadPoolExecutor(min(self.width, len(seats)), "aiagent-analyst") as pool:
            for done in [pool.submit(self._ask, seat) for seat in seats]:
                done.result()

    def _ask_again(self, seats: Sequence[_Seat]) -> None:
        """Give the calls that are left to those who lacked one, in order."""
        left = sum(seat.talk.calls or 0 for seat in seats if seat.talk is not None)
        for seat in seats:
            while left and seat.talk is not None and isinstance(seat.error, QuotaSpent):
                left -= 1
                seat.talk.calls = 1
                seat.error = None
                self._ask(seat)

    def _ask(self, seat: _Seat) -> None:
        """One role's answer, or its error. It cites only what it has seen; one repair is granted."""
        if seat.talk is None:
            return
        try:
            while True:
                answer = seat.talk.ask(FindingAnswer)
                try:
                    check_citations(answer.evidence, self._seen(seat))
                except ModelNonsense as error:
                    seat.talk.object(str(error))
                else:
                    seat.answer = answer
                    return
        except (ModelError, BudgetSpent) as error:
            seat.error = error

    def _finding(self, seat: _Seat) -> Finding:
        if seat.error is not None:
            seat.silence = Silence.NO_QUOTA if isinstance(seat.error, QuotaSpent) else Silence.FAILED
            seat.text = say("没有给出可用的结论，不计入（{detail}）", detail=reason(seat.error))
        answer = seat.answer
        if answer is None:
            text = seat.text or Text(template="")
            return Finding(role=seat.role.name, stance=Stance.NEUTRAL, strength=0, confidence=0, text=text)
        seen = self._seen(seat)
        cited = [seen[name] for name in answer.evidence]
        fresh = any(each.tool in seat.role.family and is_fresh(each, self.snapshot.at) for each in cited)
        finding = Finding(
            role=seat.role.name,
            stance=answer.stance,
            strength=answer.strength if fresh else 0.0,
            confidence=answer.confidence,
            text=Text(template=answer.text, figures=answer.figures),
            evidence=answer.evidence,
            available_at=newest(cited),
            fresh=fresh,
        )
        weight = counted_weight(finding, seat.role.weight_of(self.settings.weights))
        if not weight:
            seat.silence = Silence.NO_SIGNAL if fresh else Silence.NO_FRESH_EVIDENCE
        return finding.model_copy(update={"weight": weight})

    def _seen(self, seat: _Seat) -> dict[str, Evidence]:
        return {each.id: each for each in (*self.shared.evidence, *seat.box.evidence)}


def allot(calls: int, roles: int) -> list[int]:
    """How many calls each role gets: one each, then the rest one by one; the first ones first."""
    return [calls // roles + (place < calls % roles) for place in range(roles)] if roles else []


def _fetch(box: Toolbox, calls: Iterable[Call]) -> dict[str, str]:
    """Call the tools that exist; what is missing, and why, by tool."""
    missing = {}
    for name, arguments in calls:
        if name in box.tools:
            try:
                box.call(name, json.dumps(arguments))
            except ToolError as error:
                missing[name] = str(error)
    return missing


def _no_data(absent: Mapping[str, Sequence[Absence]]) -> Text:
    """Why a role has nothing to be asked about; by the sources' failure first."""
    missing = [each for why in absent.values() for each in why]
    failed = dict.fromkeys(each.dataset for each in missing if each.reason == "failed")
    if failed:
        return say("没有这一类数据，没有询问：来源都没有给出 {names}", names=_names(failed))
    if missing:
        names = dict.fromkeys(each.dataset for each in missing)
        return say("没有这一类数据，没有询问：来源里没有 {names}", names=_names(names))
    return say("没有这一类数据，没有询问")


def _names(names: Iterable[str]) -> str:
    listed = list(names)
    more = "…" if len(listed) > MOST_NAMES else ""
    return ", ".join(listed[:MOST_NAMES]) + more


def _shown(evidence: Evidence) -> dict[str, Any]:
    """As a model reads it."""
    return {
        "evidence_id": evidence.id,
        "tool": evidence.tool,
        "available_at": evidence.available_at.isoformat() if evidence.available_at else None,
        "data": json.loads(evidence.result),
    }
