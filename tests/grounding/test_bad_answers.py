"""Bad input of every kind: the decision abstains with a reason, which is counted where people look."""

import json
from datetime import time, timedelta
from typing import Any

import pytest
from decision_bench import bench
from house import Outcome, play, situations
from proposal_corpus import written
from scripted_team import STUDENT, ScriptedTeam

from vnpy_aiagent.brain import Brain
from vnpy_aiagent.cli.funnel import funnel_facts, funnel_lines
from vnpy_aiagent.config import BrainSettings, LlmSettings
from vnpy_aiagent.domain import Action, Intent, Proposal, Signal, Verdict
from vnpy_aiagent.errors import ModelTimeout
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.llm.port import ModelReply, ModelRequest, ToolCall
from vnpy_aiagent.report.read import RunRecord
from vnpy_aiagent.report.summary import build_summary
from vnpy_aiagent.report.why_not import Funnel, why_not
from vnpy_aiagent.report.words import reasons

MAIN = situations()["main"]
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "empty": ({"text": ""}, "EOF|Invalid JSON"),
    "truncated": ({"cut": 150}, "EOF|Invalid JSON"),
    "no JSON": ({"text": "I would buy here."}, "Invalid JSON"),
    "wrong types": ({"set": {"target_weight": "a lot"}}, "target_weight"),
    "extra keys": ({"set": {"volume": 5000}}, "volume"),
    "contradictory": ({"set": {"stance": "BEARISH"}}, "contradicts the stance"),
    "another symbol": ({"set": {"symbol": "600519.SSE"}}, "the plan is for 600519.SSE"),
    "a validity of its own": ({"set": {"valid_until": "2020-01-01"}}, "valid_until"),
}


class Looping(ScriptedTeam):
    """A team of which one role calls tools without end."""

    def __init__(self, role: str) -> None:
        super().__init__(lambda known: written({}, known))
        self.role = role

    def complete(self, request: ModelRequest) -> ModelReply:
        if request.task == self.role:
            self.asked.append(request.task)
            number = len(self.asked)
            arguments = json.dumps({"interval": "DAILY", "count": number})
            return ModelReply(tool_calls=(ToolCall(id=f"c{number}", name="get_bars", arguments=arguments),))
        return super().complete(request)


def funnel_of(outcome: Outcome) -> tuple[Funnel, RunRecord]:
    """As `aiagent why-not` and the reports count."""
    record = RunRecord.of_messages([*outcome.before, *outcome.messages])
    return why_not(record), record


def check_abstained(outcome: Outcome, kind: str, sentence: str) -> None:
    """HOLD with a reason, nothing ordered, counted once in every place where a person looks."""
    proposal = outcome.proposal
    assert proposal.action is Action.HOLD
    assert proposal.abstained.startswith(f"{kind}: ")
    assert any(part in proposal.abstained for part in sentence.split("|")), proposal.abstained
    assert outcome.of(Signal) == outcome.of(Intent) == []
    funnel, record = funnel_of(outcome)
    assert [(why.name, why.count) for why in funnel.abstained] == [(kind, 1)]
    assert funnel.held == ()
    shown = funnel.abstained[0].example.render()
    assert "保持不动" in shown
    assert any(line.strip().startswith("1  " + kind) for line in funnel_lines(funnel, "zh"))
    assert funnel_facts(funnel, "en")["abstained"][0]["count"] == 1
    assert [r.count for r in reasons(funnel, Localizer("zh")) if r.example == shown] == [1]
    summary = build_summary(record, wall_seconds=0, journal_entries=0, journal_head="", data={})
    told = summary["not_traded"]["abstained"]
    assert [(each["kind"], each["count"]) for each in told] == [(kind, 1)]
    assert sum(summary["not_traded"]["failures"].values()) >= 1


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_abstains_with_a_reason_that_is_counted(name: str) -> None:
    change, sentence = BAD[name]
    outcome = play(MAIN, lambda known: written(change, known))
    assert outcome.team.asked.count("judge") == 2  # one chance to repair
    check_abstained(outcome, "ModelNonsense", sentence)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_that_is_repaired_trades(name: str) -> None:
    said: list[str] = []

    def judge(known: dict[str, Any]) -> str:
        said.append(written({} if said else BAD[name][0], known))
        return said[-1]

    outcome = play(MAIN, judge)
    assert len(said) == 2
    assert outcome.proposal.action is Action.BUY
    assert outcome.of(Intent)


def test_an_endless_loop_of_tool_calls_ends_and_abstains() -> None:
    team = Looping("judge")
    outcome = play(MAIN, lambda known: "", team=team)
    assert team.asked.count("judge") <= BrainSettings().tool_steps + 2
    check_abstained(outcome, "ModelNonsense", "judge: no answer after")


def test_an_analyst_who_calls_tools_without_end_does_not_count_and_is_counted() -> None:
    team = Looping(STUDENT)
    outcome = play(MAIN, lambda known: "", team=team)
    assert team.asked.count(STUDENT) <= BrainSettings().tool_steps + 2
    finding = next(found for found in outcome.decision.findings if found.role == STUDENT)
    assert (finding.strength, finding.weight) == (0, 0)
    funnel, _ = funnel_of(outcome)
    assert [why.count for why in funnel.failures if why.name.startswith(STUDENT)] == [1]


def test_a_model_that_fails_is_counted_by_its_kind() -> None:
    def judge(known: dict[str, Any]) -> str:
        raise ModelTimeout("the model took longer than 60 s")

    check_abstained(play(MAIN, judge), "ModelTimeout", "longer than 60 s")


def test_reasons_that_differ_in_numbers_alone_are_counted_together() -> None:
    outcome = play(MAIN, lambda known: written({"set": {"stop.offset": 5}}, known))
    one = outcome.proposal
    other = one.model_copy(
        update={"id": "x", "abstained": one.abstained.replace("21.00", "23.50"), "symbol": "600519.SSE"}
    )
    third = one.model_copy(update={"id": "y", "abstained": "ModelNonsense: judge: no answer after 3 turns"})
    record = RunRecord.of_messages([*outcome.before, *outcome.messages, other, third])
    assert [why.count for why in why_not(record).abstained] == [2, 1]


def test_a_role_that_fails_is_counted_although_the_decision_goes_on() -> None:
    outcome = play(MAIN, lambda known: written({}, known), team=_SilentChallenger())
    assert outcome.of(Intent)
    funnel, _ = funnel_of(outcome)
    assert funnel.abstained == ()
    assert [(why.name, why.count) for why in funnel.failures] == [("CONSERVATIVE: ModelNonsense", 1)]


class _SilentChallenger(ScriptedTeam):
    def __init__(self) -> None:
        super().__init__(lambda known: written({}, known))

    def complete(self, request: ModelRequest) -> ModelReply:
        return ModelReply(text="") if request.task == "conservative" else super().complete(request)


def test_a_request_past_its_deadline_asks_nobody_and_is_counted() -> None:
    world, team = bench("main"), ScriptedTeam(lambda known: written({}, known), all_speak=True)
    late = world.request.model_copy(update={"deadline": world.snapshot.at - timedelta(seconds=1)})
    made = Brain(team, LlmSettings(), BrainSettings()).decide(late, world.snapshot)
    assert team.asked == []
    assert all(p.abstained.startswith("RequestExpired: ") for p in made.proposals)
    assert [why.name for why in _counted(made.proposals)] == ["RequestExpired"]


def _counted(proposals: tuple[Proposal, ...]) -> Any:
    named = [each.model_copy(update={"id": f"p{n}"}) for n, each in enumerate(proposals)]
    return why_not(RunRecord.of_messages(named)).abstained


def test_a_proposal_that_comes_after_the_session_has_expired_and_orders_nothing() -> None:
    """Asked two seconds before the closing auction, answered three seconds into it."""
    outcome = play(MAIN, lambda known: written({}, known), asked=time(14, 56, 58))
    assert outcome.proposal.action is Action.BUY
    (verdict,) = outcome.of(Verdict)
    assert [line.rule for line in verdict.lines if not line.passed] == ["validity"]
    assert outcome.of(Intent) == []
    funnel, _ = funnel_of(outcome)
    assert [(why.name, why.count) for why in funnel.refused] == [("validity", 1)]
