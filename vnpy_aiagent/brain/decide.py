"""One decision: a request and a snapshot in, the trace and one proposal an account out. No side effects.

The analyst studies with tools and gives a finding. Where something is at stake, the styles argue in turn,
each hearing those before it: the aggressive proposes, the conservative attacks, the judge weighs; each
style's plan is its own account's proposal. A model that fails, in whatever way, means HOLD with the reason.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from vnpy_aiagent.brain.conversation import Conversation, Trace
from vnpy_aiagent.brain.plans import check_plan, price_context, to_proposal
from vnpy_aiagent.brain.prompts import system_prompt
from vnpy_aiagent.brain.schemas import FindingAnswer, PlanAnswer
from vnpy_aiagent.config import BrainSettings, LlmSettings
from vnpy_aiagent.data.atr import average_true_range
from vnpy_aiagent.domain import (
    Action,
    AnalysisRequest,
    BarInterval,
    DebateTurn,
    Decision,
    Finding,
    Proposal,
    Reason,
    RequestKind,
    Stance,
    Style,
    Text,
    say,
)
from vnpy_aiagent.errors import BudgetSpent, ModelError, ModelNonsense
from vnpy_aiagent.llm.budget import BudgetedModel
from vnpy_aiagent.llm.grounding import check_citations
from vnpy_aiagent.llm.port import ModelPort
from vnpy_aiagent.tools import ALL_TOOLS, Toolbox
from vnpy_aiagent.tools.account import account_facts
from vnpy_aiagent.tools.snapshot import AccountView, DecisionSnapshot

ANALYST = "technical_analyst"
SPEAKERS = (Style.AGGRESSIVE, Style.CONSERVATIVE, Style.JUDGE)


@dataclass(frozen=True, slots=True)
class BrainAnswer:
    """A decision and its proposals, all without ids; the engine gives ids."""

    request_id: str
    decision: Decision
    proposals: tuple[Proposal, ...]


class Brain:
    """Makes decisions with one model."""

    def __init__(self, model: ModelPort, llm: LlmSettings, settings: BrainSettings) -> None:
        """The model stands behind its port, budget included."""
        self.model = model
        self.llm = llm
        self.settings = settings

    def decide(self, request: AnalysisRequest, snapshot: DecisionSnapshot) -> BrainAnswer:
        """Never raises for what a model does; such a decision holds and says why."""
        if isinstance(self.model, BudgetedModel):
            self.model.begin_decision(snapshot.at.date())
        return _Deciding(self.model.name, self.model.is_llm, self, request, snapshot).run()


def failed_answer(
    request: AnalysisRequest, snapshot: DecisionSnapshot, model: str, is_llm: bool, why: str
) -> BrainAnswer:
    """The answer that holds, for a decision that never came back."""
    return _Deciding(model, is_llm, None, request, snapshot).failed(why)


class _Deciding:
    """The state of one decision."""

    def __init__(
        self,
        model: str,
        is_llm: bool,
        brain: Brain | None,
        request: AnalysisRequest,
        snapshot: DecisionSnapshot,
    ) -> None:
        self.model_name = model
        self.is_llm = is_llm
        self._brain = brain
        self.request = request
        self.snapshot = snapshot
        self.trace = Trace()
        self.toolbox = Toolbox(snapshot, ALL_TOOLS)
        self.context = price_context(snapshot, _atr(snapshot))
        self.findings: list[Finding] = []
        self.turns: list[DebateTurn] = []
        self.failures: list[str] = []
        self.plans: dict[Style, PlanAnswer] = {}

    def run(self) -> BrainAnswer:
        try:
            finding = self._find()
            if self._at_stake(finding):
                self._debate(finding)
                proposals = [self._proposal(account) for account in self.snapshot.accounts]
            else:
                proposals = [
                    self._hold(account, self._nothing_at_stake(finding)) for account in self.snapshot.accounts
                ]
        except (ModelError, BudgetSpent) as error:
            self.failures.append(_reason(error))
            proposals = [self._abstain(account, _reason(error)) for account in self.snapshot.accounts]
        return BrainAnswer(self.request.id, self._decision(), tuple(proposals))

    def failed(self, why: str) -> BrainAnswer:
        self.failures.append(why)
        proposals = tuple(self._abstain(account, why) for account in self.snapshot.accounts)
        return BrainAnswer(self.request.id, self._decision(), proposals)

    @property
    def brain(self) -> Brain:
        if self._brain is None:
            raise RuntimeError("a failed decision has no brain to ask")
        return self._brain

    def _find(self) -> Finding:
        talk = Conversation(
            self.brain.model,
            self.brain.llm,
            self.trace,
            ANALYST,
            system_prompt(ANALYST, self.snapshot.language),
            json.dumps({"request": self._facts()}, ensure_ascii=False),
            self.toolbox,
            self.brain.settings.tool_steps,
        )
        answer = talk.ask(FindingAnswer)
        try:
            check_citations(answer.evidence, self._evidence())
        except ModelNonsense as error:
            talk.object(str(error))
            answer = talk.ask(FindingAnswer)
            check_citations(answer.evidence, self._evidence())
        fresh = any(self._evidence()[name].available_at for name in answer.evidence)
        finding = Finding(
            role=ANALYST,
            stance=answer.stance,
            strength=answer.strength if fresh else 0.0,
            confidence=answer.confidence,
            text=Text(template=answer.text, figures=answer.figures),
            evidence=answer.evidence,
        )
        self.findings.append(finding)
        return finding

    def _at_stake(self, finding: Finding) -> bool:
        if self.request.request is RequestKind.REPLAN:
            return True
        strong = finding.strength >= self.brain.settings.min_strength
        if self.request.request is RequestKind.OPEN:
            return strong and finding.stance is Stance.BULLISH
        return finding.stance is not Stance.NEUTRAL

    def _nothing_at_stake(self, finding: Finding) -> Text:
        return say(
            "信号 {stance} 强度 {strength}，门槛 {threshold}，不值得辩论",
            stance=finding.stance.name,
            strength=f"{finding.strength:.2f}",
            threshold=f"{self.brain.settings.min_strength:.2f}",
        )

    def _debate(self, finding: Finding) -> None:
        wanted = {account.style for account in self.snapshot.accounts}
        speakers = [style for style in SPEAKERS if style in wanted or self._challenges(style, wanted)]
        for style in speakers:
            try:
                plan = self._speak(style, finding)
            except (ModelError, BudgetSpent) as error:
                self.failures.append(f"{style.name}: {_reason(error)}")
                continue
            self.plans[style] = plan
            self.turns.append(_turn(style, plan))

    def _challenges(self, style: Style, wanted: set[Style]) -> bool:
        """A lone account still hears the conservative's attack before it decides."""
        return self.brain.settings.debate and style is Style.CONSERVATIVE and wanted != {Style.CONSERVATIVE}

    def _speak(self, style: Style, finding: Finding) -> PlanAnswer:
        role = style.name.lower()
        account = next((a for a in self.snapshot.accounts if a.style is style), None)
        facts = {
            "request": self._facts(),
            "account": account_facts(account) if account else None,
            "finding": finding.model_dump(mode="json"),
            "evidence": [
                {"evidence_id": e.id, "tool": e.tool, "data": json.loads(e.result)}
                for e in self.toolbox.evidence
            ],
            "debate": [turn.model_dump(mode="json") for turn in self.turns]
            if self.brain.settings.debate
            else [],
        }
        talk = Conversation(
            self.brain.model,
            self.brain.llm,
            self.trace,
            role,
            system_prompt(role, self.snapshot.language),
            json.dumps(facts, ensure_ascii=False),
        )
        for _ in range(2):
            plan = talk.ask(PlanAnswer)
            try:
                judged = account or self._anyone()
                check_plan(plan, self.request, judged, self.context, self._evidence())
            except ModelNonsense as error:
                talk.object(str(error))
            else:
                return plan
        raise ModelNonsense(f"{role}: no valid plan")

    def _anyone(self) -> AccountView | None:
        return self.snapshot.accounts[0] if self.snapshot.accounts else None

    def _proposal(self, account: AccountView) -> Proposal:
        plan = self.plans.get(account.style)
        if plan is None:
            why = next((f for f in self.failures if f.startswith(account.style.name)), "no plan")
            return self._abstain(account, why)
        try:  # two accounts of one style share a plan, which may fit only one of them
            check_plan(plan, self.request, account, self.context, self._evidence())
        except ModelNonsense as error:
            return self._abstain(account, _reason(error))
        return to_proposal(
            plan, self.request, account.name, self._valid_until(), self.model_name, self.snapshot.at
        )

    def _hold(self, account: AccountView, reason: Text) -> Proposal:
        return Proposal(
            id="",
            at=self.snapshot.at,
            account=account.name,
            request_id=self.request.id,
            decision_id="",
            symbol=self.request.symbol,
            action=Action.HOLD,
            confidence=self.findings[0].confidence if self.findings else 0.0,
            setup=self.request.setup,
            reasons=(Reason(text=reason, evidence=self.findings[0].evidence if self.findings else ()),),
            model=self.model_name,
            valid_until=self._valid_until(),
        )

    def _abstain(self, account: AccountView, why: str) -> Proposal:
        held = self._hold(account, say("模型未给出可用答复，保持不动：{why}", why=why))
        return held.model_copy(update={"abstained": why})

    def _valid_until(self) -> datetime:
        return self.snapshot.valid_until or self.request.deadline

    def _decision(self) -> Decision:
        return Decision(
            id="",
            at=self.snapshot.at,
            request_id=self.request.id,
            symbol=self.request.symbol,
            model=self.model_name,
            is_llm=self.is_llm,
            evidence=tuple(self.toolbox.evidence),
            findings=tuple(self.findings),
            debate=tuple(self.turns),
            lessons=tuple(lesson.id for lesson in self.snapshot.lessons),
            prompt_hash=self.trace.digest,
            usage=self.trace.total(),
            failures=tuple(self.failures),
        )

    def _evidence(self) -> dict[str, Any]:
        return {evidence.id: evidence for evidence in self.toolbox.evidence}

    def _facts(self) -> dict[str, Any]:
        return {
            "kind": self.request.request.name,
            "symbol": self.request.symbol,
            "name": self.snapshot.instrument.name,
            "hypothetical": self.snapshot.instrument.hypothetical,
            "now": self.snapshot.at.isoformat(timespec="seconds"),
            "setup": self.request.setup,
            "why": self.request.reason.render(),
            "intervals": sorted(interval.name for interval in self.snapshot.bars),
            "min_strength": self.brain.settings.min_strength,
        }


def _atr(snapshot: DecisionSnapshot) -> Decimal | None:
    series = snapshot.bars.get(BarInterval.DAILY)
    return None if series is None else average_true_range(series.upto(snapshot.at))


def _turn(style: Style, plan: PlanAnswer) -> DebateTurn:
    lines = [plan.argument, *plan.questions]
    figures: dict[str, str] = {}
    templates = []
    for number, line in enumerate(lines):
        template = line.text
        for name, value in line.figures.items():
            template = template.replace("{" + name + "}", "{" + f"{name}_{number}" + "}")
            figures[f"{name}_{number}"] = value
        templates.append(template)
    return DebateTurn(
        role=style.name,
        stance=plan.stance,
        confidence=plan.confidence,
        text=Text(template="\n".join(templates), figures=figures),
        evidence=plan.argument.evidence,
    )


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
