"""The quant in the debate: a speaker's plan verified against history, as evidence and as a turn."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from vnpy_aiagent.brain.plans import ENTRIES
from vnpy_aiagent.brain.schemas import PlanAnswer, PriceAnswer
from vnpy_aiagent.brain.verify import (
    DIGITS,
    MIN_SAMPLES,
    Figures,
    Record,
    TradePlan,
    figures,
    search,
    seed_of,
)
from vnpy_aiagent.config import BrainSettings
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.domain import (
    BarInterval,
    DebateTurn,
    Evidence,
    PriceContext,
    Stance,
    Text,
    UnresolvedPrice,
    Verification,
    resolve,
    say,
)
from vnpy_aiagent.tools.snapshot import DecisionSnapshot, PositionView

QUANT = "QUANT"
TOOL = "verify_history"
SWING = "swing"
"""Stands for the speaker where nobody has proposed a plan: the swing defaults are verified."""

MAX_BARS = 1_000
NEAREST = 10


def trade_plan(
    plan: PlanAnswer | None,
    position: PositionView | None,
    snapshot: DecisionSnapshot,
    context: PriceContext,
    settings: BrainSettings,
) -> TradePlan:
    """What a plan comes to, measured from its entry; from the last price where a position is only kept.

    What it leaves out is the position's stop, and else a swing default.
    """
    entering = plan is not None and plan.action in ENTRIES
    entry = _price(plan.entry, context) if plan is not None and entering else context.last
    known = replace(context, entry=entry) if entry else context
    stop = _distance(plan.stop if plan else None, known)
    if stop is None and not entering and position is not None and position.stop and entry:
        stop = float(position.stop / entry - 1)
    target = _distance(plan.target if plan else None, known)
    return TradePlan(
        stop=round(-stop, DIGITS) if stop is not None and stop < 0 else settings.swing_stop,
        target=round(target, DIGITS) if target is not None and target > 0 else settings.swing_target,
        sessions=(plan.horizon_sessions if plan else None) or settings.swing_sessions,
        t_plus=0 if position is not None and not entering else snapshot.instrument.t_plus,
    )


def verify(
    snapshot: DecisionSnapshot, plan: TradePlan, role: str, name: str, number: int
) -> tuple[Evidence, DebateTurn]:
    """The evidence of this name, and the quant's turn of round `number`."""
    bars = snapshot.bars.get(BarInterval.DAILY)
    series = None if bars is None else bars.upto(snapshot.at).tail(MAX_BARS)
    empty = Record(0, (), 0, (), np.empty(0))
    found = empty if series is None else search(series, plan)
    arguments = {
        "symbol": snapshot.instrument.vt_symbol,
        "plan_of": role,
        "stop": plan.stop,
        "target": plan.target,
        "sessions": plan.sessions,
        "t_plus": plan.t_plus,
    }
    results = np.array([sample.result for sample in found.samples])
    seed = seed_of([arguments, results.tolist()])
    enough = len(results) >= MIN_SAMPLES
    told = figures(results if enough else np.empty(0), seed=seed)
    checked = _verification(role, name, plan, found, told)
    evidence = Evidence(
        id=name,
        tool=TOOL,
        arguments=json.dumps(arguments, sort_keys=True),
        available_at=series.end_of(-1) if series is not None and len(series) else None,
        result=json.dumps(_result(checked, found, series), ensure_ascii=False, separators=(",", ":")),
    )
    return evidence, _turn(checked, number)


def _verification(role: str, name: str, plan: TradePlan, found: Record, told: Figures) -> Verification:
    base = found.base
    return Verification(
        role=role,
        evidence=name,
        stop=plan.stop,
        target=plan.target,
        sessions=plan.sessions,
        bars=found.bars,
        similar=found.similar,
        samples=len(found.samples),
        minimum=MIN_SAMPLES,
        hits=sum(sample.result > 0 for sample in found.samples),
        hit_rate=told.hit_rate,
        hit_low=told.hit_low,
        hit_high=told.hit_high,
        payoff=told.payoff,
        mean_return=told.mean,
        mean_low=told.mean_low,
        mean_high=told.mean_high,
        base_days=len(base),
        base_hit_rate=round(float((base > 0).mean()), DIGITS) if len(base) else None,
        base_mean_return=round(float(base.mean()), DIGITS) if len(base) else None,
    )


def _result(checked: Verification, found: Record, series: BarSeries | None) -> Mapping[str, Any]:
    """The figures as a model reads them, with the nearest days; ratios, returns before fees."""
    data: dict[str, Any] = {
        "bars": checked.bars,
        "features": found.features,
        "similar": checked.similar,
        "samples": checked.samples,
        "hits": checked.hits,
    }
    if checked.enough:
        data |= {
            "hit_rate": checked.hit_rate,
            "hit_rate_95": [checked.hit_low, checked.hit_high],
            "payoff": checked.payoff,
            "mean_return": checked.mean_return,
            "mean_return_95": [checked.mean_low, checked.mean_high],
        }
    else:
        data["too_few"] = f"fewer than {checked.minimum} samples: no figures"
    data["all_days"] = {
        "days": checked.base_days,
        "hit_rate": checked.base_hit_rate,
        "mean_return": checked.base_mean_return,
    }
    if series is not None:
        data["nearest"] = [
            [series.day_of(sample.place).isoformat(), round(sample.distance, 4), round(sample.result, 4)]
            for sample in found.samples[:NEAREST]
        ]
    return data


def _turn(checked: Verification, number: int) -> DebateTurn:
    stance = Stance.NEUTRAL
    if checked.mean_low is not None and checked.mean_low > 0:
        stance = Stance.BULLISH
    elif checked.mean_high is not None and checked.mean_high < 0:
        stance = Stance.BEARISH
    return DebateTurn(
        role=QUANT,
        stance=stance,
        confidence=checked.hit_low or 0.0,
        text=_sentence(checked),
        evidence=(checked.evidence,),
        round=number,
        verification=checked,
    )


def _sentence(checked: Verification) -> Text:
    tried = {
        "stop": _percent(checked.stop),
        "target": _percent(checked.target),
        "sessions": checked.sessions,
        "bars": checked.bars,
        "samples": checked.samples,
    }
    base = {"days": checked.base_days, "base": _percent(checked.base_hit_rate)}
    if not checked.base_days:
        return say("日线只有 {bars} 根，无法用历史检验", bars=checked.bars)
    if not checked.enough:
        return say(
            "止损 {stop}、目标 {target}、最多 {sessions} 日："
            "{bars} 根日线里互不重叠的相似情形只有 {samples} 次，不足 {minimum} 次，不作统计；"
            "全部 {days} 个交易日胜率 {base}",
            **tried,
            **base,
            minimum=checked.minimum,
        )
    return say(
        "止损 {stop}、目标 {target}、最多 {sessions} 日："
        "{bars} 根日线里互不重叠的相似情形 {samples} 次，胜率 {rate}（95% 区间 {low} 至 {high}），"
        "盈亏比 {payoff}，平均收益 {mean}（{mean_low} 至 {mean_high}，费前）；"
        "全部 {days} 个交易日胜率 {base}，平均 {base_mean}",
        **tried,
        **base,
        rate=_percent(checked.hit_rate),
        low=_percent(checked.hit_low),
        high=_percent(checked.hit_high),
        payoff="—" if checked.payoff is None else f"{checked.payoff:.2f}",
        mean=_percent(checked.mean_return),
        mean_low=_percent(checked.mean_low),
        mean_high=_percent(checked.mean_high),
        base_mean=_percent(checked.base_mean_return),
    )


def _price(answer: PriceAnswer | None, context: PriceContext) -> Any:
    """The price, None where it is not known: a plan that was checked resolves."""
    if answer is None:
        return None
    try:
        return resolve(answer.to_ref(), context)
    except UnresolvedPrice:
        return None


def _distance(answer: PriceAnswer | None, context: PriceContext) -> float | None:
    price = _price(answer, context)
    return float(price / context.entry - 1) if price is not None and context.entry else None


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{value * 100:.1f}%"
