"""One decision: a request and a snapshot in, the trace and one proposal an account out. No side effects.

The analysts study with tools, their findings are joined. Where something is at stake it is debated, and each
style's plan is its own account's proposal. A model that fails, in whatever way, means HOLD with the reason.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from threading import Lock
from typing import Any

from vnpy_aiagent.brain.abstain import abstention, reason
from vnpy_aiagent.brain.analysts import Study, StudyOutcome
from vnpy_aiagent.brain.conversation import Trace
from vnpy_aiagent.brain.debate import Debate, DebateCase, DebateOutcome
from vnpy_aiagent.brain.mask import Mask
from vnpy_aiagent.brain.plans import check_plan, price_context, to_proposal, with_certainty
from vnpy_aiagent.brain.quarantine import (
    Quarantine,
    sized,
    text_evidence,
    text_finding,
    without_texts,
)
from vnpy_aiagent.config import BrainSettings, LlmSettings
from vnpy_aiagent.data.atr import average_true_range
from vnpy_aiagent.domain import (
    Action,
    AnalysisRequest,
    BarInterval,
    Decision,
    Evidence,
    Exchange,
    Finding,
    Proposal,
    Reason,
    RequestKind,
    Severity,
    Stance,
    Text,
    TokenUsage,
    say,
)
from vnpy_aiagent.errors import (
    BudgetSpent,
    ModelCancelled,
    ModelError,
    ModelNonsense,
    ModelUnavailable,
    RequestExpired,
)
from vnpy_aiagent.llm.ledger import ledger_of
from vnpy_aiagent.llm.port import ModelPort
from vnpy_aiagent.llm.recording import LoggedModel
from vnpy_aiagent.llm.roles import RoleModel
from vnpy_aiagent.llm.scope import Scope, Watch
from vnpy_aiagent.tools import absent_for, tools_for
from vnpy_aiagent.tools.absent import told
from vnpy_aiagent.tools.snapshot import AccountView, DecisionSnapshot

Notice = tuple[Severity, Text]


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
        width: int = 1,
    ) -> None:
        """Models stand behind their ports, budget included; they put in `notices` what people should know.

        `width` is how many analysts are asked at a time; a decision is the same with any.
        """
        self.model = model
        self.llm = llm
        self.settings = settings
        self.quick = quick
        self.notices = notices if notices is not None else []
        self.width = width
        self._telling = Lock()

    def decide(
        self, request: AnalysisRequest, snapshot: DecisionSnapshot, watch: Watch | None = None
    ) -> BrainAnswer:
        """Never raises for what a model does; such a decision holds and says why.

        Several decisions may be made at the same time, each in its own thread. `watch` may cancel this one.
        """
        deciding = self._deciding(request, snapshot, watch or Watch())
        if snapshot.at > request.deadline:
            return deciding.failed(expired(request))
        answer = deciding.run()
        return replace(answer, alerts=self._news())

    def close(self) -> None:
        """Give up the models' connections."""
        self.model.close()
        if self.quick is not None:
            self.quick.close()

    def _news(self) -> tuple[Notice, ...]:
        """The notices since the last answer; each goes with one answer, whichever decision ends first."""
        with self._telling:
            news = tuple(self.notices)
            del self.notices[: len(news)]  # what is told meanwhile stands behind them
        return news

    def _deciding(self, request: AnalysisRequest, snapshot: DecisionSnapshot, watch: Watch) -> "_Deciding":
        quick = request.request is RequestKind.MANAGE and self.quick is not None
        ledger = ledger_of(self.model)
        purse = ledger.begin_decision(snapshot.at.date(), watch.settled) if ledger is not None else None
        scope = Scope(purse, watch.cancel, watch.heard)
        model = RoleModel(self.model, self.quick, self.llm, "quick" if quick else "deep", scope)
        mind = _Mind(model, model.settings, self.settings, self.width)
        return _Deciding(model.name, model.is_llm, request, snapshot, mind)


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
    """What decides: a model, its settings, those of the brain, and how many roles it asks at a time."""

    model: ModelPort
    llm: LlmSettings
    settings: BrainSettings
    width: int = 1


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
        masked = mind is not None and mind.settings.mask and mind.model.is_llm  # rules remember nothing
        self._hide = Mask.of(snapshot).hide if masked else None
        self._log = LoggedModel(mind.model, self._hide) if mind is not None else None
        self._mind = replace(mind, model=self._log) if mind is not None and self._log is not None else None
        self.request = request
        self.snapshot = snapshot
        self.trace = Trace()
        self.context = price_context(snapshot, _atr(snapshot))
        self.study: StudyOutcome | None = None
        self.texts: tuple[Finding, ...] = ()
        self.read: list[Evidence] = []
        self.debated = DebateOutcome()
        self.failures: list[str] = []

    def run(self) -> BrainAnswer:
        try:
            finding = self._study()
            if self._at_stake(finding):
                self._debate(finding)
                proposals = [self._proposal(account) for account in self.snapshot.accounts]
                proposals = self._weigh_texts(finding, proposals)
            else:
                proposals = [
                    self._hold(account, self._nothing_at_stake(finding)) for account in self.snapshot.accounts
                ]
        except (ModelError, BudgetSpent) as error:
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

    def _new_log(self) -> LoggedModel:
        return LoggedModel(self._log.model if self._log is not None else self.mind.model, self._hide)

    def _study(self) -> Finding:
        """Ask the analysts. Raises the first error where all who were asked failed."""
        mind = self.mind
        study = Study(
            without_texts(self.snapshot),
            tools_for(self.snapshot),
            self._facts(),
            mind.llm,
            mind.settings,
            self._new_log,
            mind.width,
        )
        self.study = study.run(self.trace)
        self.failures += [f"{role}: {reason(error)}" for role, error in self.study.errors]
        if self.study.asked and len(self.study.errors) == self.study.asked:
            raise self.study.errors[0][1]
        return self.study.summary()

    def _at_stake(self, finding: Finding) -> bool:
        if self.request.request is RequestKind.REPLAN:
            return True
        strong = finding.strength >= self.mind.settings.min_strength
        if self.request.request is RequestKind.OPEN:
            return strong and self._supported() and finding.stance is Stance.BULLISH
        return finding.stance is not Stance.NEUTRAL

    def _supported(self) -> bool:
        return self.study is not None and self.study.aggregate.support >= self.mind.settings.min_support

    def _nothing_at_stake(self, finding: Finding) -> Text:
        if not finding.fresh or self.study is None:
            return say("没有一个角色有新鲜的依据和看法，信号为零，不值得辩论")
        total, settings = self.study.aggregate, self.mind.settings
        if total.strength >= settings.min_strength and not self._supported():
            return say(
                "信号 {stance} 强度 {strength}，但看法一致的角色只占权重 {support}，不足 {minimum}，"
                "不值得辩论",
                stance=total.stance.name,
                strength=f"{total.strength:.2f}",
                support=f"{total.support:.0%}",
                minimum=f"{settings.min_support:.0%}",
            )
        return say(
            "信号 {stance} 强度 {strength}，门槛 {threshold}，计入 {count} 个角色，不值得辩论",
            count=len(total.weights),
            stance=finding.stance.name,
            strength=f"{finding.strength:.2f}",
            threshold=f"{settings.min_strength:.2f}",
        )

    def _debate(self, finding: Finding) -> None:
        case = DebateCase(
            self.request,
            self.snapshot,
            self._facts(),
            finding,
            self.evidence,
            self.context,
            tuple(each for each in self.study.findings if each.weight) if self.study is not None else (),
            {name: told(why) for name, why in absent_for(self.snapshot).items()},
        )
        debate = Debate(self.mind.model, self.mind.llm, self.mind.settings, self.trace, case)
        self.debated = debate.hold()
        self.failures += self.debated.failures
        halted = (e for e in self.debated.silent.values() if isinstance(e, ModelCancelled))
        if (error := next(halted, None)) is not None:
            raise error  # who has spoken before a halt trades no more than the others

    def _proposal(self, account: AccountView) -> Proposal:
        plan = self.debated.plans.get(account.style)
        if plan is None:
            silent = self.debated.silent.get(account.style, ModelUnavailable("no plan"))
            return self._abstain(account, silent)
        try:  # two accounts of one style share a plan, which may fit only one of them
            check_plan(plan, self.request, account, self.context, self._evidence())
        except ModelNonsense as error:
            return self._abstain(account, error)
        proposal = to_proposal(
            plan, self.request, account.name, self._valid_until(), self.model_name, self.snapshot.at
        )
        return with_certainty(proposal, account, self.mind.settings.low_certainty)

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
        evidence = text_evidence(view, cap)
        self.read.append(evidence)
        self.texts = (text_finding(view, finding, cap, evidence),)
        pairs = zip(proposals, self.snapshot.accounts, strict=True)
        return [sized(proposal, account, view, finding, cap, evidence.id) for proposal, account in pairs]

    def _hold(self, account: AccountView, reason: Text) -> Proposal:
        finding = self.study.summary() if self.study is not None else None
        return Proposal(
            id="",
            at=self.snapshot.at,
            account=account.name,
            request_id=self.request.id,
            decision_id="",
            symbol=self.request.symbol,
            action=Action.HOLD,
            confidence=finding.confidence if finding is not None else 0.0,
            setup=self.request.setup,
            reasons=(Reason(text=reason, evidence=finding.evidence if finding is not None else ()),),
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
            evidence=(*self.evidence, *self.read),
            findings=(*(self.study.findings if self.study is not None else ()), *self.texts),
            debate=tuple(self.debated.turns),
            lessons=tuple(lesson.id for lesson in self.snapshot.lessons),
            prompt_hash=self.trace.digest,
            usage=self._usage(),
            failures=tuple(self.failures),
            exchanges=self._exchanges(),
            aggregate=self.study.aggregate if self.study is not None else None,
        )

    def _usage(self) -> TokenUsage:
        """By the budget where there is one: it counts calls that failed, too."""
        model = self._log.model if self._log is not None else None
        purse = model.scope.purse if isinstance(model, RoleModel) else None
        used = purse.usage if purse is not None else self.trace.usage
        return TokenUsage(**used.model_dump())

    def _exchanges(self) -> tuple[Exchange, ...]:
        """Of the study in the order of roles, then of all else in order."""
        studied = self.study.exchanges if self.study is not None else ()
        return (*studied, *(self._log.exchanges if self._log is not None else ()))

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        studied = self.study.evidence if self.study is not None else ()
        return (*studied, *self.debated.evidence)

    def _evidence(self) -> dict[str, Any]:
        return {evidence.id: evidence for evidence in self.evidence}

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
