"""The debate's code under any data: honest samples, no future, sizes that only shrink, bounded calls."""

import json
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "brain"))
from decision_world import NOW, PLAN, account, daily, plan, position, request, snapshot
from test_debate import ATTACK, debate

from vnpy_aiagent.brain import quant
from vnpy_aiagent.brain.plans import to_proposal, with_certainty
from vnpy_aiagent.brain.schemas import PlanAnswer
from vnpy_aiagent.brain.verify import TradePlan, outcome, search
from vnpy_aiagent.domain import Action, BarInterval, Style

PLANS = st.builds(
    TradePlan,
    stop=st.none() | st.floats(0.005, 0.3),
    target=st.none() | st.floats(0.005, 0.3),
    sessions=st.integers(1, 20),
    t_plus=st.integers(0, 1),
)


def walk(seed: int, count: int) -> list[float]:
    """A seeded random walk of closes."""
    steps = np.random.default_rng(seed).normal(0.0, 0.02, count)
    return [float(close) for close in np.round(20 * np.exp(np.cumsum(steps)), 2)]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 260), tried=PLANS)
def test_samples_are_apart_and_their_outcomes_over(seed: int, count: int, tried: TradePlan) -> None:
    bars = daily(walk(seed, count))
    found = search(bars, tried)
    places = sorted(sample.place for sample in found.samples)
    assert all(b - a > tried.sessions for a, b in pairwise(places))
    assert all(place + 1 + tried.sessions < count for place in places)
    assert len(found.samples) <= found.similar <= len(found.base)
    assert all(sample.result == outcome(bars, sample.place, tried) for sample in found.samples)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), tried=PLANS)
def test_without_gaps_no_outcome_lies_beyond_stop_or_target(seed: int, tried: TradePlan) -> None:
    """Bars that open at the last close and stay within it and their own: the exit is at most at the bound."""
    closes = walk(seed, 80)
    bars = daily(closes)
    opens = np.array([closes[0], *closes[:-1]])
    bars = replace(bars, open=opens, high=np.maximum(opens, bars.close), low=np.minimum(opens, bars.close))
    tried = replace(tried, t_plus=0)
    for place in range(80 - 2 - tried.sessions):
        result = outcome(bars, place, tried)
        assert tried.stop is None or result >= -tried.stop - 1e-9
        assert tried.target is None or result <= tried.target + 1e-9


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(100, 190), factor=st.floats(0.1, 10), tried=PLANS)
def test_nothing_after_the_snapshot_is_seen(seed: int, cut: int, factor: float, tried: TradePlan) -> None:
    bars = daily(walk(seed, 200))
    at = bars.end_of(cut)
    names = ("open", "high", "low", "close", "volume")
    later = np.arange(200) > cut
    poisoned = replace(
        bars, **{n: np.where(later, getattr(bars, n) * factor, getattr(bars, n)) for n in names}
    )
    made = [
        quant.verify(snapshot(at=at, bars={BarInterval.DAILY: each}), tried, "JUDGE", "q1", 1)
        for each in (bars, poisoned)
    ]
    assert made[0] == made[1]
    json.loads(made[0][0].result)


@given(
    confidence=st.floats(0, 1),
    threshold=st.floats(0, 1),
    scale=st.floats(0, 1),
    weight=st.floats(0, 1),
    action=st.sampled_from(list(Action)),
    held=st.booleans(),
)
def test_low_certainty_never_makes_a_plan_larger_and_never_touches_an_exit(
    confidence: float, threshold: float, scale: float, weight: float, action: Action, held: bool
) -> None:
    given_plan = PlanAnswer.model_validate(
        PLAN | {"confidence": confidence, "action": action, "target_weight": weight}
    )
    before = to_proposal(given_plan, request(), "judge", NOW, "m", NOW)
    who = replace(account(Style.JUDGE, position() if held else None), low_confidence_scale=scale)
    after = with_certainty(before, who, threshold)
    assert after.target_weight <= before.target_weight + 1e-9
    assert after.low_certainty == (confidence < threshold and action is not Action.HOLD)
    if action not in (Action.BUY, Action.ADD):
        assert after.target_weight == before.target_weight
        assert after.planned_weight is None
    elif after.low_certainty:
        assert after.planned_weight == before.target_weight
    same = {"target_weight", "low_certainty", "planned_weight", "reasons"}
    assert before.model_dump(exclude=same) == after.model_dump(exclude=same)


@settings(max_examples=30, deadline=None)
@given(
    confidences=st.lists(st.floats(0, 1), min_size=20, max_size=20),
    rounds=st.integers(1, 5),
    calls=st.integers(1, 14),
)
def test_a_debate_never_exceeds_its_rounds_and_calls_and_each_style_has_a_plan_or_a_reason(
    confidences: list[float], rounds: int, calls: int
) -> None:
    script = [
        reply
        for confidence in confidences
        for reply in (plan(confidence=confidence), ATTACK, plan(confidence=1 - confidence))
    ]
    made, model = debate(*script, debate_rounds=rounds, debate_calls=calls)
    assert len(model.requests) <= min(3 * rounds, calls)
    assert max((turn.round for turn in made.turns), default=1) <= rounds
    assert set(made.plans) | set(made.silent) == set(Style)
    assert len(made.turns) - len(made.evidence) == len(model.requests)
    assert made.failures == [] or len(model.requests) == calls
