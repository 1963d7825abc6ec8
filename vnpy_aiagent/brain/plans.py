"""From a speaker's plan to a proposal: every reference checked and resolvable, or the plan is refused."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from vnpy_aiagent.brain.schemas import PlanAnswer, PriceAnswer, TriggerAnswer
from vnpy_aiagent.config import BrainSettings
from vnpy_aiagent.domain import (
    Action,
    AnalysisRequest,
    Evidence,
    PriceBasis,
    PriceContext,
    PriceRef,
    Proposal,
    Reason,
    RequestKind,
    Stance,
    TriggerKind,
    TriggerPlan,
    UnresolvedPrice,
    resolve,
    say,
)
from vnpy_aiagent.errors import ModelNonsense
from vnpy_aiagent.llm.grounding import check_citations, check_level
from vnpy_aiagent.tools.snapshot import AccountView, DecisionSnapshot

ENTRIES = (Action.BUY, Action.ADD)
SESSIONS = 10
MAX_TRIGGERS = 6
OPEN_ACTIONS = (Action.BUY, Action.HOLD)
HELD_ACTIONS = (Action.ADD, Action.REDUCE, Action.CLOSE, Action.HOLD, Action.ADJUST)


def price_context(snapshot: DecisionSnapshot, atr: Decimal | None) -> PriceContext:
    """What the snapshot knows of prices; entry is filled in once it is resolved."""
    quote = snapshot.quote
    if quote is None:
        return PriceContext(tick=snapshot.instrument.tick, atr=atr)
    return PriceContext(
        tick=snapshot.instrument.tick,
        last=quote.last,
        prev_close=quote.prev_close,
        entry=quote.last,
        atr=atr,
        limit_up=quote.limit_up,
        limit_down=quote.limit_down,
    )


def check_plan(
    plan: PlanAnswer,
    request: AnalysisRequest,
    account: AccountView | None,
    context: PriceContext,
    evidence: Mapping[str, Evidence],
) -> None:
    """Raise ModelNonsense with one sentence that the model can act on."""
    if plan.symbol != request.symbol:
        raise ModelNonsense(f"the plan is for {plan.symbol}, but {request.symbol} was asked for")
    cited = [*plan.argument.evidence]
    for reason in (*plan.reasons, *plan.questions, *plan.replies):
        cited += reason.evidence
    check_citations(cited, evidence)
    held = account is not None and account.position is not None
    allowed = HELD_ACTIONS if held else OPEN_ACTIONS
    if plan.action not in allowed:
        raise ModelNonsense(
            f"{plan.action} does not fit: the account holds {'a position' if held else 'nothing'}; "
            f"use one of {', '.join(allowed)}"
        )
    if request.request is RequestKind.OPEN and held and plan.action in ENTRIES:
        raise ModelNonsense("the account holds the symbol already; use HOLD")
    _check_sense(plan)
    try:
        _check_prices(plan, account, context, evidence)
    except UnresolvedPrice as error:
        raise ModelNonsense(str(error)) from None


def _check_sense(plan: PlanAnswer) -> None:
    """Raise ModelNonsense where two parts of a plan say opposite things."""
    if plan.action in ENTRIES and plan.stance is Stance.BEARISH:
        raise ModelNonsense(f"{plan.action} contradicts the stance BEARISH; HOLD, or say why it will rise")
    if plan.action is Action.CLOSE and plan.target_weight > 0:
        raise ModelNonsense(
            f"CLOSE contradicts a `target_weight` of {plan.target_weight:g}; leave it out, or use REDUCE"
        )


def check_cited(plan: PlanAnswer) -> None:
    """Raise ModelNonsense where a plan that changes something rests on no evidence."""
    if plan.action is Action.HOLD:
        return
    if not any(line.evidence for line in (plan.argument, *plan.reasons)):
        raise ModelNonsense(f"{plan.action} cites no evidence; name the ids that the decision rests on")


def with_defaults(plan: PlanAnswer, settings: BrainSettings) -> PlanAnswer:
    """The plan with the swing defaults for what it leaves out; the entry and the weight are its own.

    A stop and a target by percent of the entry, and a new look when the horizon ends.
    """
    sessions = plan.horizon_sessions or settings.swing_sessions
    changes: dict[str, Any] = {"horizon_sessions": sessions}
    if plan.action in ENTRIES:
        if plan.stop is None:
            changes["stop"] = _from_entry(-settings.swing_stop)
        if plan.target is None:
            changes["target"] = _from_entry(settings.swing_target)
        timed = any(trigger.trigger is TriggerKind.TIME_AT for trigger in plan.triggers)
        if not timed and len(plan.triggers) < MAX_TRIGGERS:
            exit_in_time = TriggerAnswer(trigger=TriggerKind.TIME_AT, sessions=sessions, note="time")
            changes["triggers"] = (*plan.triggers, exit_in_time)
    return plan.model_copy(update=changes)


def with_certainty(proposal: Proposal, account: AccountView, threshold: float) -> Proposal:
    """The proposal, marked where its confidence lies below the threshold, and then smaller where it buys.

    A BUY is scaled as a whole, an ADD by what it adds, by the account's `low_confidence_scale`.
    """
    if proposal.action is Action.HOLD or proposal.confidence >= threshold:
        return proposal
    if proposal.action not in ENTRIES:
        return proposal.model_copy(update={"low_certainty": True})
    scale, before = account.low_confidence_scale, proposal.target_weight
    held = min(before, account.weights.get(proposal.symbol, 0.0))
    after = float(f"{held + (before - held) * scale:.8g}")
    reason = Reason(
        text=say(
            "把握 {confidence} 低于 {threshold}，低确定性：按 {scale} 缩减，目标仓位由 {before} 减为 {after}",
            confidence=f"{proposal.confidence:.0%}",
            threshold=f"{threshold:.0%}",
            scale=f"{scale:.0%}",
            before=f"{before:.2%}",
            after=f"{after:.2%}",
        )
    )
    return proposal.model_copy(
        update={
            "low_certainty": True,
            "planned_weight": before,
            "target_weight": after,
            "reasons": (*proposal.reasons, reason),
        }
    )


def to_proposal(
    plan: PlanAnswer, request: AnalysisRequest, account: str, valid_until: datetime, model: str, at: datetime
) -> Proposal:
    """A proposal without id; the engine gives ids."""
    return Proposal(
        id="",
        at=at,
        account=account,
        request_id=request.id,
        decision_id="",
        symbol=plan.symbol,
        action=plan.action,
        target_weight=plan.target_weight,
        entry=_ref(plan.entry),
        stop=_ref(plan.stop),
        target=_ref(plan.target),
        horizon_sessions=plan.horizon_sessions or SESSIONS,
        confidence=plan.confidence,
        setup=request.setup,
        reasons=tuple(Reason(text=r.to_text(), evidence=r.evidence) for r in (plan.argument, *plan.reasons)),
        triggers=tuple(_trigger(trigger) for trigger in plan.triggers),
        model=model,
        valid_until=valid_until,
    )


def _check_prices(
    plan: PlanAnswer, account: AccountView | None, context: PriceContext, evidence: Mapping[str, Evidence]
) -> None:
    entry = _resolved(plan.entry, context, evidence, plan.symbol)
    if plan.action in ENTRIES:
        if entry is None or plan.stop is None:
            raise ModelNonsense(f"{plan.action} needs `entry` and `stop`")
        if plan.target_weight <= 0:
            raise ModelNonsense(f"{plan.action} needs a `target_weight` above 0")
    if account is not None and account.position is not None:
        weight = account.weights.get(plan.symbol, 0.0)
        if plan.action is Action.ADD and plan.target_weight <= weight:
            raise ModelNonsense(f"ADD needs a `target_weight` above the present {weight:.4f}")
        if plan.action is Action.REDUCE and not 0 < plan.target_weight < weight:
            raise ModelNonsense(f"REDUCE needs a `target_weight` between 0 and the present {weight:.4f}")
    if plan.action is Action.ADJUST and plan.stop is None and not plan.triggers:
        raise ModelNonsense("ADJUST needs a new `stop` or new `triggers`")
    _check_band(entry, context)
    reference = entry if entry is not None else context.last
    filled = with_entry(context, reference)
    stop = _resolved(plan.stop, filled, evidence, plan.symbol)
    target = _resolved(plan.target, filled, evidence, plan.symbol)
    if stop is not None and reference is not None and stop >= reference:
        raise ModelNonsense(
            f"the stop {stop} is not below {reference}; a long position's stop lies below its price"
        )
    if stop is not None and context.last is not None and stop >= context.last:
        raise ModelNonsense(f"the stop {stop} is not below the last price {context.last}")
    if target is not None and reference is not None and target <= reference:
        raise ModelNonsense(f"the target {target} is not above {reference}")
    for trigger in plan.triggers:
        _check_trigger(trigger, filled, evidence, plan.symbol)


def _check_band(entry: Decimal | None, context: PriceContext) -> None:
    down, up = context.limit_down, context.limit_up
    if entry is None or not ((up is not None and entry > up) or (down is not None and entry < down)):
        return
    raise ModelNonsense(f"the entry {entry} lies outside today's limits {down} to {up}")


def _check_trigger(
    trigger: TriggerAnswer, context: PriceContext, evidence: Mapping[str, Evidence], symbol: str
) -> None:
    if trigger.trigger is TriggerKind.TIME_AT:
        if trigger.sessions is None or trigger.price is not None:
            raise ModelNonsense("TIME_AT needs `sessions` and no `price`")
        return
    price = _resolved(trigger.price, context, evidence, symbol)
    if price is None or trigger.sessions is not None:
        raise ModelNonsense(f"{trigger.trigger} needs `price` and no `sessions`")
    last = context.last
    if last is None:
        return
    if trigger.trigger is TriggerKind.PRICE_AT_OR_ABOVE and price <= last:
        raise ModelNonsense(f"a trigger above at {price} holds already at {last}; place it higher")
    if trigger.trigger is TriggerKind.PRICE_AT_OR_BELOW and price >= last:
        raise ModelNonsense(f"a trigger below at {price} holds already at {last}; place it lower")


def _resolved(
    answer: PriceAnswer | None, context: PriceContext, evidence: Mapping[str, Evidence], symbol: str
) -> Decimal | None:
    ref = _ref(answer)
    if ref is None:
        return None
    check_level(ref, evidence, symbol)
    return resolve(ref, context)


def with_entry(context: PriceContext, entry: Decimal | None) -> PriceContext:
    """The same context with its entry price known."""
    return replace(context, entry=entry)


def _from_entry(distance: float) -> PriceAnswer:
    return PriceAnswer(basis=PriceBasis.ENTRY, offset=round(distance * 100, 6))


def _ref(answer: PriceAnswer | None) -> PriceRef | None:
    return None if answer is None else answer.to_ref()


def _trigger(trigger: TriggerAnswer) -> TriggerPlan:
    return TriggerPlan(
        trigger=trigger.trigger, price=_ref(trigger.price), sessions=trigger.sessions, note=trigger.note
    )
