"""The debate: the aggressive proposes, the conservative attacks, the quant verifies, the judge decides.

Speakers are the styles of the accounts that wait for a plan, and the conservative as the one who attacks.
Each hears the last speech of every other; each style's last valid plan is its own account's. Another round is
held only while views move, and only within the quota of calls and tokens.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vnpy_aiagent.brain.abstain import reason
from vnpy_aiagent.brain.conversation import Conversation, Trace
from vnpy_aiagent.brain.plans import ENTRIES, check_cited, check_plan, with_defaults
from vnpy_aiagent.brain.prompts import system_prompt
from vnpy_aiagent.brain.quant import SWING, trade_plan, verify
from vnpy_aiagent.brain.quota import DebateQuota
from vnpy_aiagent.brain.schemas import PlanAnswer
from vnpy_aiagent.brain.transcript import heard, turn_of
from vnpy_aiagent.brain.verify import TradePlan
from vnpy_aiagent.config import BrainSettings, LlmSettings
from vnpy_aiagent.domain import (
    AnalysisRequest,
    DebateTurn,
    Evidence,
    Finding,
    PriceContext,
    Style,
)
from vnpy_aiagent.errors import BudgetSpent, ModelError, ModelNonsense
from vnpy_aiagent.llm.port import ModelPort
from vnpy_aiagent.tools.account import account_facts
from vnpy_aiagent.tools.snapshot import AccountView, DecisionSnapshot

SPEAKERS = (Style.AGGRESSIVE, Style.CONSERVATIVE, Style.JUDGE)


@dataclass(frozen=True, slots=True)
class DebateCase:
    """What is argued about. `facts` is the request as every role reads it; `finding` is all findings in one.

    `findings` are the single ones that counted, `evidence` is what the analysts gathered, in order. `missing`
    says of tools without data why their sources gave none.
    """

    request: AnalysisRequest
    snapshot: DecisionSnapshot
    facts: Mapping[str, Any]
    finding: Finding
    evidence: tuple[Evidence, ...]
    context: PriceContext
    findings: tuple[Finding, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class DebateOutcome:
    """What came of it: each style's last plan, or why it has none; the transcript; the quant's evidence."""

    plans: dict[Style, PlanAnswer] = field(default_factory=dict)
    silent: dict[Style, Exception] = field(default_factory=dict)
    turns: list[DebateTurn] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)


class Debate:
    """One debate. Never raises for what a model does: a speaker who fails is silent, with the reason.

    Without `brain.debate` each style speaks alone, once, and nothing is verified.
    """

    def __init__(
        self, model: ModelPort, llm: LlmSettings, settings: BrainSettings, trace: Trace, case: DebateCase
    ) -> None:
        """`trace` counts the exchanges of the whole decision."""
        self.model = DebateQuota(model, settings.debate_calls, settings.debate_prompt_tokens)
        self.llm = llm
        self.settings = settings
        self.trace = trace
        self.case = case
        self.outcome = DebateOutcome()
        self.speakers = _speakers({account.style for account in case.snapshot.accounts}, settings.debate)
        self._verified: TradePlan | None = None

    def hold(self) -> DebateOutcome:
        """Round after round, until views rest, the rounds are over or the quota is used up."""
        rounds = self.settings.debate_rounds if self.settings.debate else 1
        for number in range(1, rounds + 1):
            before = dict(self.outcome.plans)
            if not self._round(number) or self._settled(before):
                break
        return self.outcome

    def _round(self, number: int) -> bool:
        """One speech of each; False where a budget ended it."""
        outcome = self.outcome
        for place, style in enumerate(self.speakers):
            if self.settings.debate and style is self.speakers[-1]:
                self._verify(number)
            try:
                plan = self._speak(style, number)
            except BudgetSpent as error:
                outcome.failures.append(f"{style.name}: {reason(error)}")
                for other in self.speakers[place:]:
                    outcome.silent.setdefault(other, error)
                return False
            except ModelError as error:
                outcome.failures.append(f"{style.name}: {reason(error)}")
                outcome.silent[style] = error
                continue
            outcome.plans[style] = plan
            asked = sum(len(turn.questions) for turn in outcome.turns if turn.round == number)
            outcome.turns.append(turn_of(style, plan, number, self._listeners(style, number), asked))
        return True

    def _settled(self, before: Mapping[Style, PlanAnswer]) -> bool:
        """Whether another round is of no use.

        After the first round: all speakers agree. Later: nobody has moved since the round before.
        """
        plans = self.outcome.plans
        pairs = [(before[style], plan) for style, plan in plans.items() if style in before]
        if not before:
            given = list(plans.values())
            pairs = [(one, other) for one in given for other in given]
        return not any(self._moved(old, new) for old, new in pairs)

    def _moved(self, old: PlanAnswer, new: PlanAnswer) -> bool:
        turned = old.stance is not new.stance or old.action is not new.action
        return turned or abs(new.confidence - old.confidence) > self.settings.debate_settled

    def _verify(self, number: int) -> None:
        """Let the quant try the plan that is proposed, once for each plan."""
        case, outcome = self.case, self.outcome
        style, plan = _proposed(outcome.plans)
        account = self._account(style) if style is not None else self._anyone()
        position = account.position if account is not None else None
        tried = trade_plan(plan, position, case.snapshot, case.context, self.settings)
        if tried == self._verified:
            return
        self._verified = tried
        role = style.name if style is not None else SWING
        evidence, turn = verify(case.snapshot, tried, role, f"q{len(outcome.evidence) + 1}", number)
        outcome.evidence.append(evidence)
        outcome.turns.append(turn)

    def _speak(self, style: Style, number: int) -> PlanAnswer:
        role, case, outcome = style.name.lower(), self.case, self.outcome
        account = self._account(style) or self._anyone()  # who only attacks sees the account it is about
        evidence = {each.id: each for each in (*case.evidence, *outcome.evidence)}
        facts: dict[str, Any] = {
            "request": case.facts,
            "account": account_facts(account) if account else None,
            "finding": case.finding.model_dump(mode="json", include=VIEW),
            "findings": [each.model_dump(mode="json", include=VIEW) for each in case.findings],
            "evidence": [
                {"evidence_id": e.id, "tool": e.tool, "data": json.loads(e.result)}
                for e in evidence.values()
                if e.tool not in LEFT_OUT
            ],
            "debate": heard(outcome.turns, style) if self.settings.debate else [],
        }
        if case.missing:
            facts["missing"] = case.missing
        if style in outcome.plans:
            own = outcome.plans[style]
            facts |= {"round": number, "your_plan": own.model_dump(mode="json", exclude=SAID)}
        talk = Conversation(
            self.model,
            self.llm,
            self.trace,
            role,
            system_prompt(role, case.snapshot.language),
            json.dumps(facts, ensure_ascii=False, separators=(",", ":")),
        )
        for _ in range(2):
            plan = with_defaults(talk.ask(PlanAnswer), self.settings)
            try:
                check_plan(plan, case.request, account, case.context, evidence)
                self._check_speech(style, plan)
            except ModelNonsense as error:
                talk.object(str(error))
            else:
                return plan
        raise ModelNonsense(f"{role}: no valid plan")

    def _check_speech(self, style: Style, plan: PlanAnswer) -> None:
        """The judge cites; a reply belongs to a question that was asked."""
        if style is Style.JUDGE:
            check_cited(plan)
        asked = [question.name for turn in self.outcome.turns for question in turn.questions]
        unknown = sorted({reply.question for reply in plan.replies} - set(asked))
        if unknown:
            have = ", ".join(asked) or "none"
            raise ModelNonsense(f"there is no question {', '.join(unknown)}; reply only to {have}")

    def _listeners(self, style: Style, number: int) -> Sequence[Style]:
        """Who may still speak after this speaker, in order."""
        later = self.speakers[self.speakers.index(style) + 1 :]
        again = self.speakers if number < self.settings.debate_rounds else ()
        return [other for other in (*later, *again) if other is not style]

    def _account(self, style: Style) -> AccountView | None:
        return next((a for a in self.case.snapshot.accounts if a.style is style), None)

    def _anyone(self) -> AccountView | None:
        accounts = self.case.snapshot.accounts
        return accounts[0] if accounts else None


LEFT_OUT = ("get_bars", "get_accounts")
"""Long evidence that speakers do without: findings sum it up, each has its own account. They may cite it."""

VIEW = {"role", "stance", "strength", "confidence", "text", "evidence"}
SAID = {"argument", "questions", "replies", "reasons"}
"""Words of a plan; they stand in the transcript."""


def _speakers(wanted: set[Style], debate: bool) -> tuple[Style, ...]:
    """Who speaks, in order. A lone account hears the conservative's attack before it decides."""
    if not debate or wanted == {Style.CONSERVATIVE}:
        return tuple(style for style in SPEAKERS if style in wanted)
    if wanted == {Style.AGGRESSIVE}:
        return Style.CONSERVATIVE, Style.AGGRESSIVE
    return tuple(style for style in SPEAKERS if style in wanted | {Style.CONSERVATIVE})


def _proposed(plans: Mapping[Style, PlanAnswer]) -> tuple[Style | None, PlanAnswer | None]:
    """The plan to verify: the first that buys, else the first of all."""
    ordered = [(style, plans[style]) for style in SPEAKERS if style in plans]
    buying = [each for each in ordered if each[1].action in ENTRIES]
    return next(iter(buying or ordered), (None, None))
