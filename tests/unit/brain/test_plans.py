"""A plan that is wrong, contradictory or not resolvable is refused with a sentence to act on."""

from decimal import Decimal
from typing import Any

import pytest
from decision_world import HOLD, NOW, PLAN, account, position, request, snapshot

from vnpy_aiagent.brain.plans import check_plan, price_context, to_proposal
from vnpy_aiagent.brain.schemas import PlanAnswer
from vnpy_aiagent.domain import Action, Evidence, PriceBasis, RequestKind, Style
from vnpy_aiagent.errors import ModelNonsense
from vnpy_aiagent.tools.snapshot import AccountView

EVIDENCE = {
    "e1": Evidence(
        id="e1",
        tool="get_quote",
        arguments="{}",
        available_at=NOW,
        result='{"symbol":"600036.SSE","low":19.2}',
    ),
    "e2": Evidence(id="e2", tool="get_accounts", arguments="{}", available_at=None, result='{"cash":19.2}'),
}
EMPTY, HELD = account(Style.JUDGE), account(Style.JUDGE, position())
CONTEXT = price_context(snapshot(), Decimal("0.5"))


def check(
    who: AccountView | None = EMPTY,
    kind: RequestKind = RequestKind.OPEN,
    context: Any = CONTEXT,
    **changes: Any,
) -> PlanAnswer:
    made = PlanAnswer.model_validate(PLAN | changes)
    check_plan(made, request(kind), who, context, EVIDENCE)
    return made


def refused(sentence: str, who: AccountView | None = EMPTY, **changes: Any) -> None:
    with pytest.raises(ModelNonsense, match=sentence):
        check(who, **changes)


def price(basis: str, offset: float = 0.0, **more: Any) -> dict[str, Any]:
    return {"basis": basis, "offset": offset, **more}


def trigger(kind: str, **more: Any) -> dict[str, Any]:
    return {"triggers": [{"trigger": kind, **more}]}


MANAGE = {"kind": RequestKind.MANAGE}
KEEP = HOLD | MANAGE


def test_a_sound_plan_becomes_a_proposal_with_the_same_content() -> None:
    proposal = to_proposal(check(), request(), "judge", NOW, "m", NOW)
    assert (proposal.action, proposal.target_weight, proposal.confidence) == (Action.BUY, 0.1, 0.7)
    assert proposal.stop is not None
    assert (proposal.stop.basis, proposal.stop.offset) == (PriceBasis.ENTRY, -5.0)
    assert proposal.reasons[0].evidence == ("e1",)
    assert (proposal.setup, proposal.request_id) == ("trend", "r1-0000001")


def test_a_plan_for_another_symbol_is_refused() -> None:
    refused("for 600519.SSE, but 600036.SSE", symbol="600519.SSE")


@pytest.mark.parametrize("place", ["argument", "reasons", "questions"])
def test_invented_evidence_is_refused_wherever_it_is_cited(place: str) -> None:
    line = {"text": "x", "evidence": ["e9"]}
    refused("e9 does not exist", **{place: line if place == "argument" else [line]})


@pytest.mark.parametrize("action", ["ADD", "REDUCE", "CLOSE", "ADJUST"])
def test_without_a_position_there_is_only_buying_or_holding(action: str) -> None:
    refused("holds nothing; use one of BUY, HOLD", action=action)
    refused("holds nothing", None, action=action)


def test_with_a_position_there_is_no_second_opening() -> None:
    refused("holds a position", HELD, action="BUY", **MANAGE)
    refused("already; use HOLD", HELD, action="ADD")


@pytest.mark.parametrize("missing", [{"entry": None}, {"stop": None}])
def test_an_entry_needs_its_price_and_its_stop(missing: dict[str, None]) -> None:
    refused("BUY needs `entry` and `stop`", **missing)


def test_an_entry_needs_a_weight() -> None:
    refused("`target_weight` above 0", target_weight=0.0)


@pytest.mark.parametrize(
    "stop",
    [price("ENTRY", 0.0), price("ENTRY", 3.0), price("LAST", 1.0), price("ATR", 1.0), price("BAND", 1.0)],
)
def test_a_stop_at_or_above_the_entry_is_refused(stop: dict[str, Any]) -> None:
    refused("a long position's stop lies below", stop=stop)


def test_a_target_at_or_below_the_entry_is_refused() -> None:
    refused("target 19.00 is not above 20.00", target=price("ENTRY", -5.0))


def test_the_stop_is_measured_from_the_plans_own_entry() -> None:
    check(entry=price("LAST", -2.0), stop=price("ENTRY", -1.0))
    refused("stop 19.80 is not below 19.60", entry=price("LAST", -2.0), stop=price("LAST", -1.0))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (trigger("PRICE_AT_OR_ABOVE", price=price("LAST", 0.0)), "holds already at 20.00; place it higher"),
        (trigger("PRICE_AT_OR_ABOVE", price=price("LAST", -1.0)), "place it higher"),
        (trigger("PRICE_AT_OR_BELOW", price=price("LAST", 0.0)), "place it lower"),
        (trigger("PRICE_AT_OR_BELOW"), "needs `price`"),
        (trigger("PRICE_AT_OR_BELOW", price=price("LAST", -1.0), sessions=3), "no `sessions`"),
        (trigger("TIME_AT"), "TIME_AT needs `sessions`"),
        (trigger("TIME_AT", sessions=3, price=price("LAST", 1.0)), "and no `price`"),
    ],
)
def test_a_trigger_that_holds_already_or_is_incomplete_is_refused(
    changes: dict[str, Any], sentence: str
) -> None:
    refused(sentence, **changes)


def test_a_reduction_lies_between_nothing_and_the_present_weight() -> None:
    reduce = KEEP | {"action": "REDUCE"}
    check(HELD, **reduce | {"target_weight": 0.01})
    refused("between 0 and the present 0.0200", HELD, **reduce | {"target_weight": 0.02})
    refused("between 0 and the present", HELD, **reduce | {"target_weight": 0.0})


def test_an_adjustment_changes_something() -> None:
    adjust = KEEP | {"action": "ADJUST"}
    refused("a new `stop` or new `triggers`", HELD, **adjust)
    check(HELD, **adjust | {"stop": price("LAST", -3.0)})
    refused("is not below 20.00", HELD, **adjust | {"stop": price("LAST", 1.0)})


def test_closing_and_holding_need_no_prices() -> None:
    check(HELD, **KEEP)
    check(HELD, **KEEP | {"action": "CLOSE"})
    check(**HOLD)


def test_a_price_that_cannot_be_resolved_is_refused() -> None:
    refused("beyond 30 %", stop=price("ENTRY", -31.0))
    with pytest.raises(ModelNonsense, match="last price is not known"):
        check(context=price_context(snapshot(quote=None), None))
    with pytest.raises(ModelNonsense, match="average true range is not known"):
        check(context=price_context(snapshot(), None), stop=price("ATR", -2.0))


def test_a_level_is_copied_exactly_from_a_market_tool() -> None:
    check(stop=price("LEVEL", evidence="e1", level=19.2))
    refused("is no price in evidence e1", stop=price("LEVEL", evidence="e1", level=19.21))
    refused("use a market tool", stop=price("LEVEL", evidence="e2", level=19.2))
    refused("belongs to basis LEVEL", stop=price("LAST", -2.0, evidence="e1", level=19.2))


@pytest.mark.parametrize(
    "changes",
    [
        {"confidence": 1.2},
        {"confidence": float("nan")},
        {"target_weight": -0.1},
        {"action": "SHORT"},
        {"shares": 100},
        {"stop": {"basis": "ENTRY", "offset": float("inf")}},
        {"stop": {"price": 19.0}},
        {"horizon_sessions": 0},
        {"argument": {"text": "x" * 1201}},
    ],
)
def test_answers_out_of_shape_do_not_validate(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        PlanAnswer.model_validate(PLAN | changes)
