"""A proposal's price references as prices of one moment: one way for the risk agent and for backtests."""

from dataclasses import dataclass, replace
from decimal import Decimal

from vnpy_aiagent.domain import (
    TARGET_NOTE,
    PriceContext,
    PriceRef,
    Proposal,
    ResolvedTrigger,
    TriggerKind,
    TriggerPlan,
    resolve,
)
from vnpy_aiagent.tools.snapshot import QuoteView


@dataclass(frozen=True, slots=True)
class PlanPrices:
    """Prices in CNY on the tick grid. `triggers` are the plan's own, `reach` the one at its target."""

    entry: Decimal
    stop: Decimal | None
    target: Decimal | None
    triggers: tuple[ResolvedTrigger, ...]
    reach: ResolvedTrigger | None


def plan_prices(proposal: Proposal, quote: QuoteView, tick: Decimal, atr: Decimal | None) -> PlanPrices:
    """Resolve every reference; without one the entry is the last price. Raises UnresolvedPrice.

    Triggers on a price are valid as long as the plan: `horizon_sessions`, where they name no time themselves.
    """
    context = PriceContext(
        tick=tick,
        last=quote.last,
        prev_close=quote.prev_close,
        entry=quote.last,
        atr=atr,
        limit_up=quote.limit_up,
        limit_down=quote.limit_down,
    )
    entry = resolve(proposal.entry, context) if proposal.entry else quote.last
    context = replace(context, entry=entry)
    horizon = proposal.horizon_sessions
    target = _optional(proposal.target, context)
    return PlanPrices(
        entry=entry,
        stop=_optional(proposal.stop, context),
        target=target,
        triggers=tuple(_trigger(plan, horizon, context) for plan in proposal.triggers),
        reach=_reach(target, horizon),
    )


def _trigger(plan: TriggerPlan, horizon: int, context: PriceContext) -> ResolvedTrigger:
    return ResolvedTrigger(
        trigger=plan.trigger,
        price=_optional(plan.price, context),
        sessions=plan.sessions if plan.trigger is TriggerKind.TIME_AT else plan.sessions or horizon,
        note=plan.note,
    )


def _reach(target: Decimal | None, horizon: int) -> ResolvedTrigger | None:
    """A plan's target is watched like its other triggers: reaching it calls for re-analysis."""
    if target is None:
        return None
    return ResolvedTrigger(
        trigger=TriggerKind.PRICE_AT_OR_ABOVE, price=target, sessions=horizon, note=TARGET_NOTE
    )


def _optional(ref: PriceRef | None, context: PriceContext) -> Decimal | None:
    return None if ref is None else resolve(ref, context)
