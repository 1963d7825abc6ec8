"""The offline analyst's rules beside the technical ones, point by point as their table says."""

from datetime import timedelta
from typing import Any

import pytest
from decision_world import NOW, climbing, daily, request
from team_world import event, facts, full, value

from vnpy_aiagent.brain.decide import Brain
from vnpy_aiagent.config import BrainSettings, LlmSettings
from vnpy_aiagent.domain import Action, BarInterval, Finding, Stance
from vnpy_aiagent.llm.offline import OfflineAnalyst
from vnpy_aiagent.llm.offline.other_findings import environment, fundamental, policy, special_risk
from vnpy_aiagent.tools.snapshot import DecisionSnapshot, MarketOverview

REQUEST = {"now": NOW.isoformat()}
TODAY = NOW.date()


def tool(**data: Any) -> dict[str, Any]:
    return {"evidence_id": "x1", "data": data}


def rows(**values: float) -> list[list[Any]]:
    return [[name, number, "", "", "", "", ""] for name, number in values.items()]


def fundamentals(against: dict[str, Any] | None = None, **values: float) -> dict[str, Any]:
    found = fundamental(
        REQUEST, {"get_fundamentals": tool(values=rows(**values), against_industry=against or {})}
    )
    return {key: found[key] for key in ("stance", "strength")}


@pytest.mark.parametrize(
    ("values", "against", "stance", "strength"),
    [
        ({}, {}, "NEUTRAL", 0.0),
        ({"roe": 0.12}, {}, "BULLISH", 0.3),
        ({"roe": 0.03}, {}, "NEUTRAL", 0.0),
        ({"roe": 0.029}, {}, "BEARISH", 0.3),
        ({"roe": 0.12, "profit_growth": -0.1}, {}, "NEUTRAL", 0.0),
        ({"roe": 0.12, "profit_growth": 0.05}, {}, "BULLISH", 0.3),
        ({"eps": -0.1, "roe": -0.2}, {}, "BEARISH", 0.6),
        ({"eps": 0.4, "pe_ttm": -3.0}, {}, "NEUTRAL", 0.0),
        ({"pe_ttm": -3.0}, {}, "BEARISH", 0.3),
        ({}, {"pe_ttm": {"ratio": 0.8}}, "BULLISH", 0.3),
        ({}, {"pe_ttm": {"ratio": 1.51}}, "BEARISH", 0.3),
        ({}, {"pe_ttm": {"ratio": None, "reason": "not held"}}, "NEUTRAL", 0.0),
        ({"roe": 0.2}, {"debt_to_assets": {"ratio": 1.31}}, "NEUTRAL", 0.0),
    ],
)
def test_fundamental_points(
    values: dict[str, float], against: dict[str, Any], stance: str, strength: float
) -> None:
    assert fundamentals(against, **values) == {"stance": stance, "strength": strength}


@pytest.mark.parametrize(
    ("results", "stance", "strength"),
    [
        ({"get_market": tool(breadth=0.7)}, "BULLISH", 0.18),
        ({"get_market": tool(breadth=0.5)}, "NEUTRAL", 0.0),
        ({"get_market": tool(breadth=0.4)}, "BEARISH", 0.18),
        ({"get_market": tool(breadth=None)}, "NEUTRAL", 0.0),
        ({}, "NEUTRAL", 0.0),
        (
            {"get_environment": tool(phase="MIXED", phase_points={"a": 1, "b": 1, "c": -1, "d": None})},
            "BULLISH",
            0.18,
        ),
        (
            {"get_environment": tool(phase="MIXED", phase_points=dict.fromkeys("abcde", -1))},
            "BEARISH",
            0.9,
        ),
    ],
)
def test_environment_points(results: dict[str, Any], stance: str, strength: float) -> None:
    found = environment(REQUEST, results)
    assert (found["stance"], found["strength"]) == (stance, strength)


def calendar(*events: tuple[str, int]) -> dict[str, Any]:
    return {
        "get_calendar": tool(
            events=[[name, "", None, "", "", "", ""] for name, _ in events],
            days_ahead=[days for _, days in events],
        )
    }


@pytest.mark.parametrize(
    ("events", "strength"),
    [
        ((), 0.0),
        ((("earnings_date", 1),), 0.0),
        ((("suspension", 10),), 0.5),
        ((("suspension", 11),), 0.0),
        ((("suspension", 1), ("suspension", 2), ("regulator_inquiry", 0)), 0.7),
    ],
)
def test_policy_warns_of_special_days_alone(events: tuple[tuple[str, int], ...], strength: float) -> None:
    counts = {"get_policy": tool(policy_texts=[{"count": 40}, {"count": 2}])}
    found = policy(REQUEST, counts | calendar(*events))
    assert (found["stance"], found["strength"]) == ("BEARISH" if strength else "NEUTRAL", strength)
    assert found["figures"]["texts"] == "42"


@pytest.mark.parametrize(
    ("data", "strength"),
    [
        ({}, 0.0),
        ({"values": rows(pledge_ratio=0.3, goodwill_to_equity=0.3)}, 0.0),
        ({"values": rows(pledge_ratio=0.31)}, 0.5),
        ({"values": rows(pledge_ratio=0.51)}, 0.7),
        ({"values": rows(pledge_ratio=0.6, goodwill_to_equity=0.6)}, 0.9),
        ({"goodwill_to_equity_derived": {"value": 0.4}}, 0.5),
        ({"goodwill_to_equity_derived": None}, 0.0),
        ({"unlocks": [{"on": str(TODAY + timedelta(30)), "of_float": 0.06}]}, 0.5),
        ({"unlocks": [{"on": str(TODAY + timedelta(31)), "of_float": 0.9}]}, 0.0),
        ({"unlocks": [{"on": str(TODAY), "of_float": None}]}, 0.0),
        ({"special_treatment": True}, 0.7),
        ({"events": {"events": [["regulator_inquiry", str(TODAY - timedelta(30))]]}}, 0.5),
        ({"events": {"events": [["regulator_inquiry", str(TODAY - timedelta(31))]]}}, 0.0),
        ({"events": {"events": [["pledge", str(TODAY)]]}}, 0.0),
    ],
)
def test_special_risk_points(data: dict[str, Any], strength: float) -> None:
    found = special_risk(REQUEST, {"get_special_risk": tool(**data)})
    assert (found["stance"], found["strength"]) == ("BEARISH" if strength else "NEUTRAL", strength)


def world(**changes: Any) -> DecisionSnapshot:
    return full(bars={BarInterval.DAILY: daily(climbing(125))}, **changes)


def decide(view: DecisionSnapshot) -> tuple[dict[str, Finding], set[Action]]:
    made = Brain(OfflineAnalyst(), LlmSettings(), BrainSettings()).decide(request(), view)
    assert made.decision.failures == ()
    findings = {finding.role: finding for finding in made.decision.findings}
    return findings, {proposal.action for proposal in made.proposals}


def test_all_five_roles_answer_over_the_real_tools_with_one_call_each_and_trade() -> None:
    made = Brain(OfflineAnalyst(), LlmSettings(), BrainSettings()).decide(request(), world())
    findings = {finding.role: finding for finding in made.decision.findings}
    assert all(finding.evidence and finding.fresh for finding in findings.values())
    assert findings["fundamental_analyst"].stance is Stance.BULLISH
    assert findings["environment_analyst"].stance is Stance.BULLISH
    assert findings["policy_analyst"].strength == findings["risk_analyst"].strength == 0
    assert made.decision.failures == ()
    assert Action.BUY in {proposal.action for proposal in made.proposals}
    assert all("{" not in str(finding.text) for finding in findings.values())


def test_special_risks_keep_a_good_chart_from_being_bought() -> None:
    known = facts()
    pledged = facts(
        values=(*known.values[:-1], value("pledge_ratio", 0.8, "ratio")),
        events=(event("suspension", TODAY), event("regulator_inquiry", TODAY)),
    )
    findings, actions = decide(world(facts=pledged, market=MarketOverview(50, 0.3, "DOWN", -0.01)))
    assert findings["risk_analyst"].stance is Stance.BEARISH
    assert findings["policy_analyst"].stance is Stance.BEARISH
    assert actions == {Action.HOLD}


def test_facts_change_nothing_about_the_technical_finding() -> None:
    with_facts, _ = decide(world())
    without, _ = decide(world(facts=type(facts())()))
    assert with_facts["technical_analyst"] == without["technical_analyst"]
    assert without["fundamental_analyst"].strength == 0
