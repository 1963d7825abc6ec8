"""Plans of a generator: sound ones are never refused, changed ones are judged as the validator does."""

import json
from fractions import Fraction
from typing import Any

from answer_shape import ACTIONS, BASES, STANCES, TRIGGERS
from decision_bench import SPEAKERS, Bench, bench, exact_prices
from hypothesis import given, settings
from hypothesis import strategies as st
from validator import market_prices

from vnpy_aiagent.domain import Action

MAIN: Bench = bench("main")
HELD: Bench = bench("held")
WORDS = st.sampled_from(["趋势向上", "rising on volume", "目标 35 元", "{last}", "🚀", ""])


def percent(low: float, high: float) -> st.SearchStrategy[float]:
    """An offset with two decimals, or with as many as a float has."""
    return st.floats(low, high) | st.floats(low, high).map(lambda value: round(value, 2))


def cited(world: Bench, least: int = 0) -> st.SearchStrategy[list[str]]:
    """Evidence that exists."""
    return st.lists(st.sampled_from(sorted(world.sources)), min_size=least, max_size=4)


def sound_trigger() -> st.SearchStrategy[dict[str, Any]]:
    """A trigger of any kind that does not hold yet."""

    def at(low: float, high: float) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries({"basis": st.just("LAST"), "offset": percent(low, high)})

    above = st.fixed_dictionaries({"trigger": st.just("PRICE_AT_OR_ABOVE"), "price": at(1, 30)})
    below = st.fixed_dictionaries({"trigger": st.just("PRICE_AT_OR_BELOW"), "price": at(-30, -1)})
    timed = st.fixed_dictionaries({"trigger": st.just("TIME_AT"), "sessions": st.integers(1, 60)})
    return above | below | timed


@st.composite
def sound_plans(draw: st.DrawFn, world: Bench, action: str) -> dict[str, Any]:
    """Sound by construction: entry inside the limits, stop below it and the last price, target above."""
    entry = draw(percent(-9, 9))
    stop = draw(percent(-29, min(entry, 0) - 1))
    target = draw(percent(max(entry, 0) + 1, 30))
    plan = {
        "symbol": world.facts.symbol,
        "stance": draw(st.sampled_from(["BULLISH", "NEUTRAL"])),
        "action": action,
        "confidence": draw(st.floats(0, 1)),
        "target_weight": draw(st.floats(0.06, 1)),
        "entry": {"basis": "LAST", "offset": entry},
        "stop": {"basis": "LAST", "offset": stop},
        "target": draw(st.none() | st.just({"basis": "LAST", "offset": target})),
        "argument": {"text": draw(WORDS), "evidence": draw(cited(world, least=1))},
        "reasons": draw(
            st.lists(st.fixed_dictionaries({"text": WORDS, "evidence": cited(world)}), max_size=2)
        ),
        "triggers": draw(st.lists(sound_trigger(), max_size=3)),
        "horizon_sessions": draw(st.integers(1, 60)),
    }
    if plan["target"] is None and entry > 8:
        plan["target"] = {"basis": "ENTRY", "offset": 5}
    for name in draw(st.sets(st.sampled_from(["target", "reasons", "triggers", "horizon_sessions"]))):
        del plan[name]
    return plan


def any_price(world: Bench) -> st.SearchStrategy[dict[str, Any]]:
    """A price by any basis, real levels and invented ones, sound or not."""
    levels = sorted(
        {float(level) for source in world.sources.values() for level in market_prices(source.data)}
    )
    return st.fixed_dictionaries(
        {"basis": st.sampled_from(BASES)},
        optional={
            "offset": percent(-12, 12) | percent(-40, 40) | st.sampled_from([0, 1, -1, 0.5, True, "5", None]),
            "level": st.sampled_from(levels)
            | percent(15, 25)
            | st.sampled_from([None, 100, 9000000.0, 19.1]),
            "evidence": st.sampled_from([*sorted(world.sources), "e99", None, ""]),
        },
    )


def changes(world: Bench) -> st.SearchStrategy[dict[str, Any]]:
    """Parts of a plan put in place of others."""
    numbers = percent(-0.5, 1.5) | st.sampled_from(
        [0, 1, True, "0.1", None, 1e300, float("nan"), float("inf")]
    )
    trigger = st.fixed_dictionaries(
        {"trigger": st.sampled_from(TRIGGERS)},
        optional={"price": any_price(world), "sessions": st.integers(-1, 70) | st.sampled_from([2.0, 2.5])},
    )
    return st.fixed_dictionaries(
        {},
        optional={
            "symbol": st.sampled_from([world.facts.symbol, "600519.SSE", "６０００３６.SSE", "600036"]),
            "stance": st.sampled_from(STANCES),
            "action": st.sampled_from([*ACTIONS, "SELL"]),
            "confidence": numbers,
            "target_weight": numbers,
            "entry": st.none() | any_price(world),
            "stop": st.none() | any_price(world),
            "target": st.none() | any_price(world),
            "triggers": st.lists(trigger, max_size=3),
            "reasons": st.lists(st.fixed_dictionaries({"text": WORDS}, optional={"evidence": cited(world)})),
            "volume": st.just(100),
        },
    )


def decided(world: Bench, plans: list[dict[str, Any]], count: int) -> list[bool]:
    """Whether each speaker's plan was taken, having checked that product and validator agree on it."""
    texts = dict(zip(SPEAKERS, (json.dumps(plan, ensure_ascii=False) for plan in plans), strict=True))
    made = world.decide(lambda known: texts[known["role"]])
    taken = []
    for proposal, (role, text) in zip(made.proposals, texts.items(), strict=True):
        judged = world.judge(text, role)
        taken.append(not proposal.abstained)
        assert taken[-1] == judged.valid, (judged, proposal.abstained, text)
        if judged.valid:
            assert proposal.action == judged.action
            assert world.prices(proposal) == exact_prices(judged), text
        else:
            assert proposal.action is Action.HOLD
    assert len(taken) == count
    return taken


@settings(max_examples=60)
@given(data=st.data())
def test_a_sound_plan_is_never_refused(data: st.DataObject) -> None:
    world, action = data.draw(st.sampled_from([(MAIN, "BUY"), (HELD, "ADD")]))
    plans = [data.draw(sound_plans(world, action)) for _ in SPEAKERS]
    assert decided(world, plans, 3) == [True] * 3


@settings(max_examples=80)
@given(data=st.data())
def test_a_changed_plan_is_judged_as_the_validator_judges_it(data: st.DataObject) -> None:
    world, action = data.draw(st.sampled_from([(MAIN, "BUY"), (HELD, "ADD")]))
    plans = [data.draw(sound_plans(world, action)) | data.draw(changes(world)) for _ in SPEAKERS]
    decided(world, plans, 3)


def test_the_bench_holds_what_its_situation_says() -> None:
    assert MAIN.facts.weight is None
    assert HELD.facts.weight is not None
    assert Fraction(4, 100) < HELD.facts.weight < Fraction(6, 100)
