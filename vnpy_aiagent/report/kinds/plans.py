"""Prices and triggers of a proposal, and the rules' lines of a verdict, in words."""

from vnpy_aiagent.domain import (
    PriceBasis,
    PriceRef,
    Proposal,
    RuleLine,
    TriggerPlan,
    Verdict,
)
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report.kinds.base import counted
from vnpy_aiagent.report.numbers import share


def price_text(ref: PriceRef, say: Localizer) -> str:
    """A price reference in words."""
    offset = f"{ref.offset:+g}"
    match ref.basis:
        case PriceBasis.LAST:
            text = say("最新价 {offset}%", offset=offset) if ref.offset else say("最新价")
        case PriceBasis.PREV_CLOSE:
            text = say("昨收 {offset}%", offset=offset) if ref.offset else say("昨收")
        case PriceBasis.ENTRY:
            text = say("入场价 {offset}%", offset=offset) if ref.offset else say("入场价")
        case PriceBasis.ATR:
            text = say("入场价 {offset} 倍 ATR", offset=offset)
        case PriceBasis.BAND:
            text = say("涨跌停区间的 {place}", place=share(ref.offset))
        case PriceBasis.LEVEL:
            text = _level(ref, offset, say)
    return text


def _level(ref: PriceRef, offset: str, say: Localizer) -> str:
    if not ref.offset:
        return say("{level}（依据 {evidence}）", level=ref.level, evidence=ref.evidence)
    return say("{level} {offset}%（依据 {evidence}）", level=ref.level, offset=offset, evidence=ref.evidence)


def trigger_text(plan: TriggerPlan, say: Localizer) -> str:
    """A planned trigger in words."""
    if plan.price is not None:
        what = f"{say.label(plan.trigger)} {price_text(plan.price, say)}"
    else:
        what = say("{sessions} 个交易日后", sessions=plan.sessions)
    return f"{what} [{say.label(plan.note)}]" if plan.note else what


def plan_lines(proposal: Proposal, say: Localizer) -> tuple[str, ...]:
    """Prices and triggers of a proposal, one line each."""
    lines = []
    for name, ref in (
        (say("入场"), proposal.entry),
        (say("止损"), proposal.stop),
        (say("目标"), proposal.target),
    ):
        if ref is not None:
            lines.append(f"{name}: {price_text(ref, say)}")
    lines += [f"{say('触发条件')}: {trigger_text(plan, say)}" for plan in proposal.triggers]
    return tuple(lines)


def verdict_lines(verdict: Verdict, say: Localizer) -> tuple[str, ...]:
    """One line a rule: passed or not, its name, its sentence with figures, the volume that it allows."""
    lines = []
    for line in verdict.lines:
        mark = "+" if line.passed else "x"
        name, sentence = say.label(line.rule), say.show(line.text)
        bound = _bound(line, verdict.symbol, say)
        named = sentence if sentence.startswith(name) else f"{name}: {sentence}"
        lines.append(f"[{mark}] {named}{bound}")
    return tuple(lines)


def _bound(line: RuleLine, symbol: str, say: Localizer) -> str:
    """The volume that a rule allows, where its sentence does not say it already."""
    if line.max_volume is None or str(line.max_volume) in line.text.figures.values():
        return ""
    return say("（至多 {volume}）", volume=counted(line.max_volume, symbol, say))
