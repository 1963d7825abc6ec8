"""The study: who is asked, with which tools and how often, and what it comes to, whatever the threads do."""

import json
from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from decision_world import NOW, calls, daily, request, rising, snapshot
from team_world import LETTERS, NAMES, Team, facts, found, full

from vnpy_aiagent.brain.analysts import allot
from vnpy_aiagent.brain.build import BrainSetup, build_brain
from vnpy_aiagent.brain.decide import Brain, BrainAnswer
from vnpy_aiagent.brain.prompts import system_prompt
from vnpy_aiagent.brain.roles import ROLES, SHARED_TOOLS
from vnpy_aiagent.config import BrainSettings, BudgetSettings, LlmSettings, RoleWeights
from vnpy_aiagent.domain import Action, BarInterval, Decision, Finding, RequestKind, Silence
from vnpy_aiagent.errors import BudgetSpent, ModelTimeout
from vnpy_aiagent.llm.port import ModelReply
from vnpy_aiagent.tools import ALL_TOOLS
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

NONSENSE = ModelReply(text="buy!")


def decide(
    team: Team, view: DecisionSnapshot | None = None, *, width: int = 1, **settings: Any
) -> BrainAnswer:
    brain = Brain(team, LlmSettings(), BrainSettings(**settings), width=width)
    return brain.decide(request(), view or full())


def of(decision: Decision, role: str) -> Finding:
    return next(finding for finding in decision.findings if finding.role == role)


def silent(decision: Decision) -> dict[str, Silence]:
    assert decision.aggregate is not None
    return {each.role: each.why for each in decision.aggregate.silent}


def test_every_role_gives_a_finding_on_its_own_evidence() -> None:
    team = Team()
    decision = decide(team).decision
    assert tuple(finding.role for finding in decision.findings) == NAMES
    assert all(finding.fresh and finding.weight > 0 and finding.available_at for finding in decision.findings)
    assert team.asked == dict.fromkeys(NAMES, 1)
    assert decision.aggregate is not None
    assert (decision.aggregate.score, decision.aggregate.silent) == (0.9, ())
    assert decision.aggregate.weights == {
        role.name: round(role.weight_of(RoleWeights()) * 0.9, 6) for role in ROLES
    }


def test_evidence_is_fetched_once_and_its_ids_carry_the_letter_of_the_role() -> None:
    decision = decide(Team(), min_strength=1.0).decision
    ids = [evidence.id for evidence in decision.evidence]
    assert ids[:4] == ["e1", "e2", "e3", "e4"]
    assert len(set(ids)) == len(ids)
    shared = [evidence.tool for evidence in decision.evidence[:4]]
    assert shared == ["get_quote", "get_market", "get_accounts", "get_learnings"]
    for evidence in decision.evidence[4:]:
        role = next(role for role in ROLES if role.letter == evidence.id[0])
        assert evidence.tool in role.family


def test_a_role_sees_the_shared_evidence_and_its_own_and_no_others() -> None:
    team = Team()
    decide(team)
    for role in NAMES:
        told = json.loads(team.requests[role][0].messages[1].content)
        letters = {each["evidence_id"][0] for each in told["evidence"]}
        assert letters == {"e", LETTERS[role]}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_is_offered_its_allowlist_alone(role: Any) -> None:
    assert role.allowed == set(role.family) | SHARED_TOOLS
    assert {name for name, _ in role.calls} <= set(role.family)
    team = Team()
    decide(team, study_calls=24)
    offered = {tool.name for tool in team.requests[role.name][0].tools}
    assert offered <= role.allowed & set(ALL_TOOLS)
    assert offered >= {name for name, _ in role.calls} - {"get_holdings", "get_index"}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_tool_of_another_role_is_refused_with_the_roles_own_tools(role: Any) -> None:
    other = next(name for name in sorted(ALL_TOOLS) if name not in role.allowed)
    team = Team({role.name: [calls(other), found(role.name)]})
    decision = decide(team, study_calls=24).decision
    answered = team.requests[role.name][1].messages[-1].content
    assert f"there is no tool '{other}'" in answered
    assert "get_accounts" in answered
    assert of(decision, role.name).weight > 0


def test_no_role_may_cite_what_another_has_seen() -> None:
    team = Team({"policy_analyst": [found("policy_analyst", evidence=["f1"])] * 2})
    decision = decide(team, study_calls=24).decision
    assert silent(decision) == {"policy_analyst": Silence.FAILED}
    assert "evidence f1 does not exist" in decision.failures[0]


def test_a_role_without_data_is_not_asked_and_says_so() -> None:
    team = Team({"technical_analyst": [found("technical_analyst", evidence=["e1"])]})
    decision = decide(team, snapshot()).decision
    assert team.asked == {"technical_analyst": 1}
    assert silent(decision) == {
        "fundamental_analyst": Silence.NO_DATA,
        "policy_analyst": Silence.NO_DATA,
        "environment_analyst": Silence.STALE,
        "risk_analyst": Silence.NO_DATA,
    }
    absent = of(decision, "fundamental_analyst")
    assert (absent.strength, absent.weight, absent.fresh, absent.evidence) == (0, 0, False, ())
    assert "没有这一类数据" in str(absent.text)
    assert "2024-03-31 15:00" in str(of(decision, "environment_analyst").text)


def test_old_data_is_stale_and_nobody_is_asked_about_it() -> None:
    old = facts(NOW - timedelta(days=201), events=())
    team = Team({"environment_analyst": [found("environment_analyst", evidence=["e2"])]})
    decision = decide(team, full(facts=old)).decision
    assert silent(decision) == {
        "fundamental_analyst": Silence.STALE,
        "policy_analyst": Silence.STALE,
    }  # pledges may be 400 days old, and the bars keep the environment fresh
    assert "太旧" in str(of(decision, "fundamental_analyst").text)


def test_a_finding_that_cites_only_shared_evidence_weighs_nothing() -> None:
    team = Team({"fundamental_analyst": [found("fundamental_analyst", evidence=["e1", "e3"])]})
    decision = decide(team).decision
    finding = of(decision, "fundamental_analyst")
    assert (finding.fresh, finding.strength, finding.weight) == (False, 0.0, 0.0)
    assert silent(decision) == {"fundamental_analyst": Silence.NO_FRESH_EVIDENCE}


def test_a_role_without_a_view_leaves_the_signal_to_the_others() -> None:
    quiet = {role: [found(role, "NEUTRAL", 0.0)] for role in NAMES[1:]}
    decision = decide(Team(quiet)).decision
    assert silent(decision) == dict.fromkeys(NAMES[1:], Silence.NO_SIGNAL)
    assert decision.aggregate is not None
    assert decision.aggregate.strength == 0.9


def test_a_role_of_weight_zero_is_not_asked() -> None:
    team = Team()
    decision = decide(team, weights={"policy": 0, "special_risk": 0}).decision
    assert list(team.asked) == ["technical_analyst", "fundamental_analyst", "environment_analyst"]
    assert silent(decision) == {
        "policy_analyst": Silence.WEIGHT_ZERO,
        "risk_analyst": Silence.WEIGHT_ZERO,
    }


def test_firm_views_against_keep_the_position_closed_and_the_hold_says_why() -> None:
    against = {role: [found(role, "BEARISH", 0.9)] for role in ("environment_analyst", "risk_analyst")}
    made = decide(Team(against))
    assert made.decision.debate == ()
    assert {proposal.action for proposal in made.proposals} == {Action.HOLD}
    why = str(made.proposals[0].reasons[0].text)
    assert "强度 0.36，门槛 0.70，计入 5 个角色" in why
    assert not made.proposals[0].abstained


def test_no_fresh_evidence_at_all_holds_without_asking_anybody() -> None:
    team = Team()
    made = decide(team, snapshot(quote=None))
    assert team.asked == {}
    assert {proposal.action for proposal in made.proposals} == {Action.HOLD}
    assert "没有一个角色有新鲜的依据" in str(made.proposals[0].reasons[0].text)
    assert made.decision.failures == ()


@pytest.mark.parametrize("error", [ModelTimeout("slow"), BudgetSpent("no money")])
def test_one_role_that_fails_weighs_nothing_and_is_told(error: Exception) -> None:
    made = decide(Team({"policy_analyst": [error]}))
    assert made.decision.failures == (f"policy_analyst: {type(error).__name__}: {error}",)
    assert silent(made.decision) == {"policy_analyst": Silence.FAILED}
    assert str(error) in str(of(made.decision, "policy_analyst").text)
    assert made.proposals[0].action is Action.BUY


def test_nonsense_twice_ends_a_role_and_no_other() -> None:
    team = Team({"technical_analyst": [NONSENSE, NONSENSE]})
    decision = decide(team).decision
    assert team.asked["technical_analyst"] == 2
    assert silent(decision) == {"technical_analyst": Silence.FAILED}


def test_all_who_are_asked_fail_means_hold_with_the_first_reason() -> None:
    made = decide(Team({role: [ModelTimeout(role)] for role in NAMES}))
    assert len(made.decision.failures) == 5
    assert all(proposal.abstained == "ModelTimeout: technical_analyst" for proposal in made.proposals)
    assert silent(made.decision) == dict.fromkeys(NAMES, Silence.FAILED)


@pytest.mark.parametrize(
    ("given", "roles", "each"),
    [(7, 5, [2, 2, 1, 1, 1]), (7, 1, [7]), (7, 2, [4, 3]), (3, 5, [1, 1, 1, 0, 0]), (5, 0, [])],
)
def test_calls_are_given_out_one_each_and_then_one_by_one(given: int, roles: int, each: list[int]) -> None:
    assert allot(given, roles) == each


def test_an_undebated_decision_takes_seven_calls_at_most_whatever_the_roles_do() -> None:
    greedy = Team({role: [calls("get_accounts")] * 9 for role in NAMES})
    decision = decide(greedy).decision
    assert sum(greedy.asked.values()) == decision.usage.calls == 7
    assert decision.debate == ()
    assert silent(decision) == dict.fromkeys(NAMES, Silence.NO_QUOTA)


def test_a_role_that_finds_no_call_abstains_and_says_so() -> None:
    team = Team()
    decision = decide(team, study_calls=3).decision
    assert list(team.asked) == list(NAMES[:3])
    assert silent(decision) == dict.fromkeys(NAMES[3:], Silence.NO_QUOTA)
    assert "已分完" in str(of(decision, "risk_analyst").text)


def test_no_tools_are_offered_with_a_roles_last_call() -> None:
    team = Team({"technical_analyst": [calls("get_quote"), found("technical_analyst")]})
    decide(team)
    assert [bool(asked.tools) for asked in team.requests["technical_analyst"]] == [True, False]
    assert [bool(asked.tools) for asked in team.requests["policy_analyst"]] == [False]


def test_calls_that_were_not_needed_repair_the_answers_of_others_in_order() -> None:
    broken = {
        role: [NONSENSE, found(role)] for role in ("policy_analyst", "environment_analyst", "risk_analyst")
    }
    team = Team(broken)
    decision = decide(team).decision
    assert team.asked == {
        "technical_analyst": 1,
        "fundamental_analyst": 1,
        "policy_analyst": 2,
        "environment_analyst": 2,
        "risk_analyst": 1,
    }
    assert silent(decision) == {"risk_analyst": Silence.NO_QUOTA}
    assert decision.failures[0].startswith("risk_analyst: QuotaSpent")


SCRIPTS = {
    "technical_analyst": [calls("get_quote", "get_indicators"), found("technical_analyst", strength=0.8)],
    "fundamental_analyst": [calls("get_portfolio"), found("fundamental_analyst", "BEARISH", 0.3)],
    "policy_analyst": [NONSENSE, found("policy_analyst", "NEUTRAL", 0.0)],
    "environment_analyst": [ModelTimeout("slow")],
    "risk_analyst": [NONSENSE, NONSENSE],
}


class Turns:
    """Lets roles answer in a given order: each waits until the one before it has been answered."""

    def __init__(self, order: tuple[str, ...]) -> None:
        self.before = dict(zip(order[1:], order, strict=False))
        self.done = {role: Event() for role in order}

    def __call__(self, role: str) -> None:
        if role in self.before:
            self.done[self.before[role]].wait(30)
        if role in self.done:
            self.done[role].set()


@pytest.mark.parametrize(
    "order", [NAMES, NAMES[::-1], (*NAMES[2:], *NAMES[:2])], ids=["first", "last", "middle"]
)
@pytest.mark.parametrize("is_llm", [True, False])
def test_threads_in_any_order_give_the_bytes_of_one_after_another(
    order: tuple[str, ...], is_llm: bool
) -> None:
    alone = decide(Team(SCRIPTS, is_llm=is_llm))
    together = decide(Team(SCRIPTS, is_llm=is_llm, wait=Turns(order)), width=5)
    assert together.decision.model_dump_json() == alone.decision.model_dump_json()
    assert [each.model_dump_json() for each in together.proposals] == [
        each.model_dump_json() for each in alone.proposals
    ]
    assert bool(alone.decision.exchanges) == is_llm


def test_roles_are_really_asked_at_the_same_time() -> None:
    waiting = {role: Event() for role in NAMES}

    def meet(role: str) -> None:
        waiting[role].set() if role in waiting else None
        assert all(event.wait(30) for event in waiting.values())

    assert decide(Team(wait=meet), width=5).decision.failures == ()


@pytest.mark.parametrize(("monotonic", "width"), [(None, 1), (lambda: 0.0, 3)])
def test_simulation_asks_one_after_another_and_live_at_most_as_many_as_the_setting(
    monotonic: Callable[[], float] | None, width: int
) -> None:
    setup = BrainSetup(LlmSettings(), BudgetSettings(), BrainSettings(parallel_roles=3))
    brain = build_brain(setup, monotonic)
    assert brain.width == width
    brain.close()


def test_the_summary_for_who_plans_cites_what_counted() -> None:
    team = Team({"risk_analyst": [found("risk_analyst", "NEUTRAL", 0.0)]})
    decide(team)
    told = json.loads(team.requests["aggressive"][0].messages[1].content)
    assert told["finding"]["evidence"] == ["t1", "f1", "p1", "m1"]
    assert [each["role"] for each in told["findings"]] == list(NAMES[:4])


def test_a_replan_is_argued_even_if_nothing_counts() -> None:
    brain = Brain(Team(), LlmSettings(), BrainSettings())
    made = brain.decide(request(RequestKind.REPLAN), snapshot(quote=None))
    assert made.decision.debate
    assert made.decision.aggregate is not None
    assert made.decision.aggregate.strength == 0


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("role", NAMES)
def test_every_analyst_has_a_short_prompt_with_the_analysts_rules(role: str, language: str) -> None:
    text = system_prompt(role, language)
    assert "t1" in text
    assert "LEVEL" not in text
    assert 200 < len(text) < 2_200


def test_the_scan_alone_is_data_on_the_market() -> None:
    team = Team()
    view = snapshot(bars={BarInterval.DAILY: daily(rising(125))})
    reply = found("environment_analyst", evidence=["e2"])
    team.scripts["environment_analyst"] = [reply]
    decision = decide(team, view).decision
    assert list(team.asked) == ["technical_analyst", "environment_analyst"]
    assert of(decision, "environment_analyst").weight > 0


def test_a_minor_role_that_is_alone_with_its_view_opens_nothing_and_the_hold_says_so() -> None:
    quiet = {role: [found(role, "NEUTRAL", 0.0)] for role in NAMES if role != "environment_analyst"}
    made = decide(Team(quiet))
    total = made.decision.aggregate
    assert total is not None
    assert (total.strength, total.support) == (0.9, 0.15)
    assert made.decision.debate == ()
    assert "只占权重 15%，不足 33%" in str(made.proposals[0].reasons[0].text)


def test_the_failure_of_the_technical_analyst_is_no_reason_to_follow_a_minor_one() -> None:
    failing = {role: [ModelTimeout("slow")] for role in NAMES if role != "environment_analyst"}
    made = decide(Team(failing))
    assert made.decision.debate == ()
    assert {proposal.action for proposal in made.proposals} == {Action.HOLD}


def test_the_technical_analyst_alone_may_carry_a_signal() -> None:
    quiet = {role: [found(role, "NEUTRAL", 0.0)] for role in NAMES[1:]}
    made = decide(Team(quiet))
    assert made.decision.aggregate is not None
    assert made.decision.aggregate.support == 0.35
    assert {proposal.action for proposal in made.proposals} == {Action.BUY}
