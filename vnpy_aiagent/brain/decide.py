"""One decision: a request and a snapshot in, the trace and one proposal an account out. No side effects.

The analyst studies with tools and gives a finding. Where something is at stake, the styles argue in turn,
each hearing those before it: the aggressive proposes, the conservative attacks, the judge weighs; each
style's plan is its own account's proposal. A model that fails, in whatever way, means HOLD with the reason.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from vnpy_aiagent.brain.abstain import abstention, reason
from vnpy_aiagent.brain.conversation import Conversation, Trace
from vnpy_aiagent.brain.plans import check_plan, price_context, to_proposal
from vnpy_aiagent.brain.prompts import system_prompt
from vnpy_aiagent.brain.quarantine import (
    Quarantine,
    sized,
    text_evidence,
    text_finding,
    without_texts,
)
from vnpy_aiagent.brain.schemas import FindingAnswer, PlanAnswer
from vnpy_aiagent.config import BrainSettings, LlmSettings
from vnpy_aiagent.data.atr import average_true_range
from vnpy_aiagent.domain import (
    Action,
    AnalysisRequest,
    BarInterval,
    DebateTurn,
    Decision,
    Evidence,
    Finding,
    Proposal,
    Reason,
    RequestKind,
    Severity,
    Stance,
    Style,
    Text,
    TokenUsage,
    say,
)
from vnpy_aiagent.errors import BudgetSpent, ModelError, ModelNonsense, ModelUnavailable, RequestExpired
from vnpy_aiagent.llm.budget import BudgetedModel
from vnpy_aiagent.llm.grounding import check_citations
from vnpy_aiagent.llm.port import ModelPort
from vnpy_aiagent.llm.recording import LoggedModel
from vnpy_aiagent.tools import Toolbox, tools_for
from vnpy_aiagent.tools.account import account_facts
from vnpy_aiagent.tools.snapshot import AccountView, DecisionSnapshot

ANALYST = "technical_analyst"
Notice = tuple[Severity, Text]
SPEAKERS = (Style.AGGRESSIVE, Style.CONSERVATIVE, Style.JUDGE)


@dataclass(frozen=True, slots=True)
class BrainAnswer:
    """A decision and its proposals, all without ids; the engine gives ids and tells the alerts."""

    request_id: str
    decision: Decision
    proposals: tuple[Proposal, ...]
    alerts: tuple[Notice, ...] = ()


class Brain:
    """Makes decisions: with its model, or with the quick one where a position is only checked (MANAGE)."""

    def __init__(
        self,
        model: ModelPort,
        llm: LlmSettings,
        settings: BrainSettings,
        *,
        quick: ModelPort | None = None,
        notices: list[Notice] | None = None,
    ) -> None:
        """Models stand behind their ports, budget included; they put in `notices` what people should know."""
        self.model = model
        self.llm = llm
        self.settings = settings
        self.quick = quick
        self.notices = notices if notices is not None else []

    def decide(self, request: AnalysisRequest, snapshot: DecisionSnapshot) -> BrainAnswer:
        """Never raises for what a model does; such a decision holds and says why."""
        deciding = self._deciding(request, snapshot)
        if isinstance(self.model, BudgetedModel):
            self.model.ledger.begin_decision(snapshot.at.date())
        if snapshot.at > request.deadline:
            return deciding.failed(expired(request))
        answer = deciding.run()
        alerts = tuple(self.notices)
        self.notices.clear()
        return replace(answer, alerts=alerts)

    def failed(self, request: AnalysisRequest, snapshot: DecisionSnapshot, error: Exception) -> BrainAnswer:
        """The answer for a decision that a bug ended, with what its models used until then."""
        return self._deciding(request, snapshot).failed(error)

    def close(self) -> None:
        """Give up the models' connections."""
        self.model.close()
        if self.quick is not None:
            self.quick.close()

    def _deciding(self, request: AnalysisRequest, snapshot: DecisionSnapshot) -> "_Deciding":
        model, llm = self.model, self.llm.of("deep")
        if request.request is RequestKind.MANAGE and self.quick is not None:
            model, llm = self.quick, self.llm.of("quick")
        return _Deciding(model.name, model.is_llm, request, snapshot, _Mind(model, llm, self.settings))


def failed_answer(
    request: AnalysisRequest, snapshot: DecisionSnapshot, model: str, is_llm: bool, error: Exception
) -> BrainAnswer:
    """The answer that holds, for a decision that was never made or never came back."""
    return _Deciding(model, is_llm, request, snapshot, None).failed(error)


def expired(request: AnalysisRequest) -> RequestExpired:
    """Why a request is not begun any more."""
    return RequestExpired(
        f"the request for {request.symbol} was due by {request.deadline:%H:%M:%S}; "
        "use a faster model or fewer symbols (scan.max_symbols)"
    )


@dataclass(frozen=True, slots=True)
class _Mind:
    """What decides: a model, its settings, and those of the brain."""

    model: ModelPort
    llm: LlmSettings
    settings: BrainSettings


class _Deciding:
    """The state of one decision."""

    def __init__(
        self,
        model: str,
        is_llm: bool,
        request: AnalysisRequest,
        snapshot: DecisionSnapshot,
        mind: _Mind | None,
    ) -> None:
        self.model_name = model
        self.is_llm = is_llm
        self._log = LoggedModel(mind.model) if mind is not None else None
        self._mind = replace(mind, model=self._log) if mind is not None and self._log is not None else None
        self.request = request
        self.snapshot = snapshot
        self.trace = Trace()
        self.toolbox = Toolbox(without_texts(snapshot), tools_for(snapshot))
        self.context = price_context(snapshot, _atr(snapshot))
        self.findings: list[Finding] = []
        self.read: list[Evidence] = []
        self.turns: list[DebateTurn] = []
        self.failures: list[str] = []
        self.silent: dict[Style, Exception] = {}
        self.plans: dict[Style, PlanAnswer] = {}

    def run(self) -> BrainAnswer:
        try:
            finding = self._find()
            if self._at_stake(finding):
                self._debate(finding)
                proposals = [self._proposal(account) for account in self.snapshot.accounts]
                proposals = self._weigh_texts(finding, proposals)
            else:
                proposals = [
                    self._hold(account, self._nothing_at_stake(finding)) for account in self.snapshot.accounts
                ]
        except (ModelError, BudgetSpent) as error:
            self.failures.append(reason(error))
            proposals = [self._abstain(account, error) for account in self.snapshot.accounts]
        return BrainAnswer(self.request.id, self._decision(), tuple(proposals))

    def failed(self, error: Exception) -> BrainAnswer:
        self.failures.append(reason(error))
        proposals = tuple(self._abstain(account, error) for account in self.snapshot.accounts)
        return BrainAnswer(self.request.id, self._decision(), proposals)

    @property
    def mind(self) -> _Mind:
        if self._mind is None:
            raise RuntimeError("a failed decision has nobody to ask")
        return self._mind

    def _find(self) -> Finding:
        talk = Conversation(
            self.mind.model,
            self.mind.llm,
            self.trace,
            ANALYST,
            system_prompt(ANALYST, self.snapshot.language),
            json.dumps({"request": self._facts()}, ensure_ascii=False),
            self.toolbox,
            self.mind.settings.tool_steps,
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
        strong = finding.strength >= self.mind.settings.min_strength
        if self.request.request is RequestKind.OPEN:
            return strong and finding.stance is Stance.BULLISH
        return finding.stance is not Stance.NEUTRAL

    def _nothing_at_stake(self, finding: Finding) -> Text:
        return say(
            "信号 {stance} 强度 {strength}，门槛 {threshold}，不值得辩论",
            stance=finding.stance.name,
            strength=f"{finding.strength:.2f}",
            threshold=f"{self.mind.settings.min_strength:.2f}",
        )

    def _debate(self, finding: Finding) -> None:
        wanted = {account.style for account in self.snapshot.accounts}
        speakers = [style for style in SPEAKERS if style in wanted or self._challenges(style, wanted)]
        for style in speakers:
            try:
                plan = self._speak(style, finding)
            except (ModelError, BudgetSpent) as error:
                self.failures.append(f"{style.name}: {reason(error)}")
                self.silent[style] = error
                continue
            self.plans[style] = plan
            self.turns.append(_turn(style, plan))

    def _challenges(self, style: Style, wanted: set[Style]) -> bool:
        """A lone account still hears the conservative's attack before it decides."""
        return self.mind.settings.debate and style is Style.CONSERVATIVE and wanted != {Style.CONSERVATIVE}

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
            if self.mind.settings.debate
            else [],
        }
        talk = Conversation(
            self.mind.model,
            self.mind.llm,
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
            return self._abstain(account, self.silent.get(account.style, ModelUnavailable("no plan")))
        try:  # two accounts of one style share a plan, which may fit only one of them
            check_plan(plan, self.request, account, self.context, self._evidence())
        except ModelNonsense as error:
            return self._abstain(account, error)
        return to_proposal(
            plan, self.request, account.name, self._valid_until(), self.model_name, self.snapshot.at
        )

    def _weigh_texts(self, finding: Finding, proposals: list[Proposal]) -> list[Proposal]:
        """Let texts scale what is bought, last of all: no plan is made by anyone who has read one.

        They are read only where something would be bought, since nothing else could change.
        """
        cap = self.mind.settings.text_weight_cap
        buys = any(proposal.action in (Action.BUY, Action.ADD) for proposal in proposals)
        if not (buys and cap and self.snapshot.facts.texts):
            return proposals
        view = Quarantine(self.mind.model, self.mind.llm, self.mind.settings, self.trace).read(self.snapshot)
        if not view.read:
            return proposals
        evidence = text_evidence(view, len(self.toolbox.evidence) + 1, cap)
        self.read.append(evidence)
        self.findings.append(text_finding(view, finding, cap, evidence.id))
        pairs = zip(proposals, self.snapshot.accounts, strict=True)
        return [sized(proposal, account, view, finding, cap, evidence.id) for proposal, account in pairs]

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

    def _abstain(self, account: AccountView, error: Exception) -> Proposal:
        return self._hold(account, abstention(error)).model_copy(update={"abstained": reason(error)})

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
            evidence=(*self.toolbox.evidence, *self.read),
            findings=tuple(self.findings),
            debate=tuple(self.turns),
            lessons=tuple(lesson.id for lesson in self.snapshot.lessons),
            prompt_hash=self.trace.digest,
            usage=self._usage(),
            failures=tuple(self.failures),
            exchanges=tuple(self._log.exchanges) if self._log is not None else (),
        )

    def _usage(self) -> TokenUsage:
        """By the budget where there is one: it counts calls that failed, too."""
        model = self._log.model if self._log is not None else None
        used = model.ledger.usage_decision if isinstance(model, BudgetedModel) else self.trace.usage
        return TokenUsage(**used.model_dump())

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
            "min_strength": self.mind.settings.min_strength,
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
