"""The debate with scripted models: rounds, questions, verification, quota, defaults, low certainty."""

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from decision_world import HOLD, NOW, PLAN, SYMBOL, account, daily, plan, position, request, snapshot
from team_world import Team, full

from vnpy_aiagent.brain.conversation import Trace
from vnpy_aiagent.brain.debate import Debate, DebateCase, DebateOutcome
from vnpy_aiagent.brain.decide import Brain
from vnpy_aiagent.brain.plans import price_context, to_proposal, with_certainty, with_defaults
from vnpy_aiagent.brain.schemas import PlanAnswer
from vnpy_aiagent.config import BrainSettings, LlmSettings
from vnpy_aiagent.domain import (
    Action,
    BarInterval,
    DebateTurn,
    Evidence,
    Finding,
    PriceBasis,
    Proposal,
    RequestKind,
    Stance,
    Style,
    TriggerKind,
    say,
)
from vnpy_aiagent.errors import ModelCancelled, ModelTimeout, ModelUnavailable, QuotaSpent
from vnpy_aiagent.llm.port import ModelReply, Usage
from vnpy_aiagent.testing.fake_model import FakeModel, Scripted
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

QUOTE = Evidence(id="e1", tool="get_quote", arguments="{}", available_at=NOW, result='{"last":20.0}')
FINDING = Finding(
    role="analysts",
    stance=Stance.BULLISH,
    strength=0.9,
    confidence=0.8,
    text=say("x"),
    evidence=("e1",),
)
FIVE = [{"text": f"why {n}?", "evidence": ["e1"]} for n in range(1, 6)]
ATTACK = plan(**HOLD, questions=FIVE)


def walk(count: int = 250) -> DecisionSnapshot:
    closes = np.round(20 * np.exp(np.cumsum(np.random.default_rng(4).normal(0, 0.015, count))), 2)
    return snapshot(bars={BarInterval.DAILY: daily(closes.tolist())}, at=NOW.replace(year=2025))


def debate(
    *script: Scripted, view: DecisionSnapshot | None = None, is_llm: bool = True, **settings: Any
) -> tuple[DebateOutcome, FakeModel]:
    view = view or snapshot()
    model = FakeModel(script, is_llm=is_llm)
    kind = RequestKind.MANAGE if view.accounts[0].position else RequestKind.OPEN
    case = DebateCase(
        request(kind), view, {"symbol": SYMBOL}, FINDING, (QUOTE,), price_context(view, Decimal("0.5"))
    )
    return Debate(model, LlmSettings(), BrainSettings(**settings), Trace(), case).hold(), model


def told(model: FakeModel, place: int) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(model.requests[place].messages[1].content)
    return facts


def roles(turns: Sequence[DebateTurn]) -> list[tuple[int, str]]:
    return [(turn.round, turn.role) for turn in turns]


ONE_ROUND = ["AGGRESSIVE", "CONSERVATIVE", "QUANT", "JUDGE"]


def test_one_round_by_default_with_the_quant_before_the_judge() -> None:
    made, model = debate(plan(), ATTACK, plan())
    assert roles(made.turns) == [(1, role) for role in ONE_ROUND]
    assert [asked.task for asked in model.requests] == ["aggressive", "conservative", "judge"]
    assert made.failures == []


def test_agreement_ends_the_debate_after_one_round() -> None:
    made, model = debate(plan(), plan(confidence=0.75), plan(confidence=0.68), debate_rounds=5)
    assert {turn.round for turn in made.turns} == {1}
    assert model.left == 0


def test_a_second_round_without_movement_ends_it() -> None:
    made, model = debate(*[plan(), ATTACK, plan()] * 2, debate_rounds=5)
    assert roles(made.turns)[4:] == [(2, "AGGRESSIVE"), (2, "CONSERVATIVE"), (2, "JUDGE")]
    assert model.left == 0


@pytest.mark.parametrize("moved", [{"stance": "NEUTRAL"}, {"confidence": 0.45}, HOLD])
def test_another_round_is_held_while_a_view_moves(moved: dict[str, Any]) -> None:
    script = [plan(), ATTACK, plan(), plan(), ATTACK, plan(**moved), plan(), ATTACK, plan(**moved)]
    made, model = debate(*script, debate_rounds=5)
    assert max(turn.round for turn in made.turns) == 3
    assert model.left == 0


def test_a_small_move_is_no_move() -> None:
    made, _ = debate(plan(), ATTACK, plan(), plan(), ATTACK, plan(confidence=0.6), debate_rounds=5)
    assert max(turn.round for turn in made.turns) == 2


def test_five_rounds_are_the_most() -> None:
    swings = [reply for n in range(5) for reply in (plan(), ATTACK, plan(confidence=0.5 + 0.3 * (n % 2)))]
    made, model = debate(*swings, debate_rounds=5, debate_calls=15)
    assert max(turn.round for turn in made.turns) == 5
    assert model.left == 0
    assert made.failures == []


def test_each_hears_the_last_speech_of_every_other_and_its_own_plan() -> None:
    _, model = debate(*[plan(), ATTACK, plan()] * 2, debate_rounds=2)
    second = told(model, 3)
    assert [speech["role"] for speech in second["debate"]] == ["CONSERVATIVE", "QUANT", "JUDGE"]
    assert second["round"] == 2
    assert second["your_plan"]["stop"]["offset"] == -5.0
    assert "argument" not in second["your_plan"]
    assert "q1" in [each["evidence_id"] for each in second["evidence"]]
    assert "your_plan" not in told(model, 0)


def test_questions_are_named_and_say_who_must_answer() -> None:
    asking = plan(
        **HOLD, questions=[{"text": "a?", "to": "judge"}, {"text": "b?"}, {"text": "c?", "to": "aggressive"}]
    )
    made, model = debate(
        plan(), asking, plan(replies=[{"question": "1.1", "text": "so", "evidence": ["q1"]}])
    )
    asked = next(turn for turn in made.turns if turn.questions).questions
    assert [(each.name, each.to) for each in asked] == [("1.1", "JUDGE"), ("1.2", "JUDGE"), ("1.3", "JUDGE")]
    heard = next(speech for speech in told(model, 2)["debate"] if speech["role"] == "CONSERVATIVE")
    assert heard["questions"][0] == {"question": "1.1", "to": "you", "text": "a?"}
    assert (made.turns[-1].replies[0].question, made.turns[-1].replies[0].evidence) == ("1.1", ("q1",))
    more, _ = debate(plan(), asking, plan(), plan(), ATTACK, plan(), debate_rounds=2)
    asked = next(turn for turn in more.turns if turn.questions).questions
    assert [each.to for each in asked] == ["JUDGE", "AGGRESSIVE", "AGGRESSIVE"]


def test_a_reply_to_a_question_that_nobody_asked_is_repaired() -> None:
    made, model = debate(plan(), ATTACK, plan(replies=[{"question": "7.1", "text": "x"}]), plan())
    assert "there is no question 7.1" in model.requests[3].messages[-1].content
    assert Style.JUDGE in made.plans


def test_the_judge_must_cite_what_its_decision_rests_on() -> None:
    bare = plan(argument={"text": "I feel it"})
    made, model = debate(bare, ATTACK, bare, plan(argument={"text": "history", "evidence": ["q1"]}))
    assert "cites no evidence" in model.requests[3].messages[-1].content
    assert made.plans[Style.JUDGE].argument.evidence == ("q1",)
    silent, _ = debate(bare, ATTACK, bare, bare)
    assert "cites no evidence" in str(silent.silent[Style.JUDGE])
    held, _ = debate(plan(), ATTACK, plan(**HOLD | {"argument": {"text": "no"}}))
    assert held.plans[Style.JUDGE].action is Action.HOLD


def test_the_quant_verifies_the_plan_that_was_proposed_once() -> None:
    made, _ = debate(*[plan(), ATTACK, plan()] * 2, view=walk(), debate_rounds=5)
    assert [evidence.id for evidence in made.evidence] == ["q1"]
    checked = made.turns[2].verification
    assert checked is not None
    assert (checked.role, checked.stop, checked.target, checked.sessions) == ("AGGRESSIVE", 0.05, 0.1, 10)
    arguments = json.loads(made.evidence[0].arguments)
    assert (arguments["plan_of"], arguments["t_plus"]) == ("AGGRESSIVE", 1)


def test_a_changed_plan_is_verified_anew() -> None:
    other = plan(stop={"basis": "ENTRY", "offset": -3.0})
    made, _ = debate(plan(), ATTACK, plan(), other, ATTACK, plan(), debate_rounds=5, view=walk())
    assert [evidence.id for evidence in made.evidence] == ["q1", "q2"]
    assert [turn.verification.stop for turn in made.turns if turn.verification] == [0.05, 0.03]


def test_where_nobody_buys_the_swing_defaults_are_verified_or_the_position_that_is_kept() -> None:
    lone = snapshot(accounts=(account(Style.CONSERVATIVE),))
    made, _ = debate(plan(**HOLD), view=lone)
    assert roles(made.turns) == [(1, "QUANT"), (1, "CONSERVATIVE")]
    checked = made.turns[0].verification
    assert checked is not None
    assert (checked.role, checked.stop, checked.target, checked.sessions) == ("swing", 0.08, 0.15, 10)
    held = snapshot(accounts=tuple(account(style, position()) for style in Style))
    kept, _ = debate(*[plan(**HOLD)] * 3, view=held)
    checked = kept.turns[2].verification
    assert checked is not None
    assert (checked.role, checked.stop) == ("AGGRESSIVE", 0.1)
    assert json.loads(kept.evidence[0].arguments)["t_plus"] == 0


def test_a_lone_aggressive_account_hears_the_attack_before_it_decides() -> None:
    lone = snapshot(accounts=(account(Style.AGGRESSIVE),))
    made, _ = debate(ATTACK, plan(), view=lone)
    assert [turn.role for turn in made.turns] == ["CONSERVATIVE", "QUANT", "AGGRESSIVE"]
    assert {question.to for question in made.turns[0].questions} == {"AGGRESSIVE"}


def test_who_only_attacks_is_told_of_the_account_that_its_plan_is_checked_against() -> None:
    held = account(Style.AGGRESSIVE, position())
    made, model = debate(ATTACK, plan(**HOLD), view=snapshot(accounts=(held,)))
    assert told(model, 0)["account"]["account"] == "aggressive"
    assert told(model, 0)["account"]["position"]
    assert made.failures == []


def test_without_debate_each_speaks_alone_and_nothing_is_verified() -> None:
    made, model = debate(plan(), plan(), plan(), debate=False, debate_rounds=5)
    assert roles(made.turns) == [(1, "AGGRESSIVE"), (1, "CONSERVATIVE"), (1, "JUDGE")]
    assert made.evidence == []
    assert all(told(model, place)["debate"] == [] for place in range(3))


def test_a_speaker_who_fails_in_a_later_round_keeps_the_plan_of_the_one_before() -> None:
    made, _ = debate(plan(), ATTACK, plan(), ModelTimeout("late"), ATTACK, plan(), debate_rounds=5)
    assert made.plans[Style.AGGRESSIVE].action is Action.BUY
    assert made.failures == ["AGGRESSIVE: ModelTimeout: late"]


def used(reply: ModelReply, tokens: int) -> ModelReply:
    return reply.model_copy(update={"usage": Usage(calls=1, prompt_tokens=tokens)})


def test_out_of_calls_the_debate_ends_with_the_last_plans_and_says_so() -> None:
    made, model = debate(*[plan(), ATTACK, plan()] * 2, debate_rounds=5, debate_calls=4)
    assert len(model.requests) == 4
    assert roles(made.turns)[-1] == (2, "AGGRESSIVE")
    assert set(made.plans) == set(Style)
    assert len(made.failures) == 1
    assert "CONSERVATIVE: QuotaSpent: the 4 model calls of this debate" in made.failures[0]
    assert "brain.debate_calls" in made.failures[0]


def test_out_of_prompt_tokens_no_further_call_is_made() -> None:
    made, model = debate(used(plan(), 30_000), used(ATTACK, 9_500), debate_prompt_tokens=40_000)
    assert len(model.requests) == 2
    assert isinstance(made.silent[Style.JUDGE], QuotaSpent)
    assert "brain.debate_prompt_tokens" in made.failures[0]
    assert Style.AGGRESSIVE in made.plans


LITTLE = 3_000
"""Prompt tokens that cover one speech, and not two."""


def test_a_call_that_timed_out_counts_as_estimated_and_one_that_never_arrived_does_not() -> None:
    late, _ = debate(ModelTimeout("x"), ATTACK, debate_prompt_tokens=LITTLE)
    away, _ = debate(ModelUnavailable("x"), ATTACK, plan(), debate_prompt_tokens=LITTLE)
    assert isinstance(late.silent[Style.CONSERVATIVE], QuotaSpent)
    assert set(away.silent) == {Style.AGGRESSIVE}


def test_the_same_script_gives_the_same_transcript_byte_for_byte() -> None:
    script = [plan(), ATTACK, plan()] * 2
    first, second = (debate(*script, view=walk(), debate_rounds=5)[0] for _ in range(2))
    for one, other in zip((*first.turns, *first.evidence), (*second.turns, *second.evidence), strict=True):
        assert one.model_dump_json() == other.model_dump_json()


def answered(**changes: Any) -> PlanAnswer:
    return PlanAnswer.model_validate(PLAN | changes)


def test_a_purchase_gets_the_swing_defaults_for_what_it_leaves_out() -> None:
    made = with_defaults(answered(stop=None, target=None, triggers=[]), BrainSettings())
    assert made.stop is not None
    assert made.target is not None
    assert (made.stop.basis, made.stop.offset) == (PriceBasis.ENTRY, -8.0)
    assert (made.target.basis, made.target.offset) == (PriceBasis.ENTRY, 15.0)
    assert made.horizon_sessions == 10
    assert [(t.trigger, t.sessions, t.note) for t in made.triggers] == [(TriggerKind.TIME_AT, 10, "time")]


def test_what_a_plan_says_itself_stays() -> None:
    given = answered(horizon_sessions=7, triggers=[{"trigger": "TIME_AT", "sessions": 3}])
    made = with_defaults(given, BrainSettings())
    assert made == given
    longer = with_defaults(answered(horizon_sessions=7), BrainSettings())
    assert [t.sessions for t in longer.triggers] == [None, 7]


def test_the_defaults_are_settings_and_only_for_purchases() -> None:
    settings = BrainSettings(swing_stop=0.05, swing_target=0.1, swing_sessions=5)
    made = with_defaults(answered(stop=None, target=None, triggers=[]), settings)
    assert made.stop is not None
    assert made.target is not None
    assert (made.stop.offset, made.target.offset, made.horizon_sessions) == (-5.0, 10.0, 5)
    held = with_defaults(answered(**HOLD), settings)
    assert (held.stop, held.target, held.triggers) == (None, None, ())


def test_a_purchase_without_a_stop_trades_with_the_default_stop() -> None:
    made, _ = debate(plan(stop=None), ATTACK, plan(stop=None))
    assert made.plans[Style.JUDGE].stop is not None
    assert made.failures == []


def proposed(confidence: float, action: str = "BUY", weight: float = 0.1) -> Proposal:
    given = answered(confidence=confidence, action=action, target_weight=weight)
    return to_proposal(given, request(), "judge", NOW, "m", NOW)


def test_below_the_threshold_a_purchase_is_marked_and_sized_down_with_the_original_kept() -> None:
    made = with_certainty(proposed(0.55), account(Style.JUDGE), 0.6)
    assert (made.low_certainty, made.planned_weight, made.target_weight) == (True, 0.1, 0.05)
    assert "低于 60%" in str(made.reasons[-1].text)
    assert "10.00% 减为 5.00%" in str(made.reasons[-1].text)
    other = replace(account(Style.JUDGE), low_confidence_scale=0.3)
    assert with_certainty(proposed(0.55), other, 0.6).target_weight == pytest.approx(0.03)


@pytest.mark.parametrize("confidence", [0.6, 0.61, 1.0])
def test_from_the_threshold_on_nothing_changes(confidence: float) -> None:
    before = proposed(confidence)
    assert with_certainty(before, account(Style.JUDGE), 0.6) is before


def test_an_addition_is_scaled_by_what_it_adds_and_an_exit_is_marked_only() -> None:
    held = account(Style.JUDGE, position())
    added = with_certainty(proposed(0.5, "ADD", 0.06), held, 0.6)
    assert (added.planned_weight, added.target_weight) == (0.06, 0.04)
    reduced = proposed(0.5, "REDUCE", 0.01)
    made = with_certainty(reduced, held, 0.6)
    assert (made.low_certainty, made.planned_weight, made.target_weight) == (True, None, 0.01)
    held_still = proposed(0.1, "HOLD", 0.0)
    assert with_certainty(held_still, held, 0.6) is held_still


def test_old_journals_load_without_the_new_fields() -> None:
    turn = DebateTurn.model_validate_json(
        '{"role":"JUDGE","stance":"BULLISH","confidence":0.7,"text":{"template":"x"}}'
    )
    assert (turn.round, turn.action, turn.questions, turn.replies, turn.verification) == (
        1,
        None,
        (),
        (),
        None,
    )
    body = proposed(0.7).model_dump(mode="json", exclude={"low_certainty", "planned_weight"})
    assert Proposal.model_validate(body).low_certainty is False


def test_a_debate_that_is_cancelled_halfway_holds_for_all() -> None:
    cancelled = ModelCancelled("halt")
    team = Team({"conservative": [cancelled], "judge": [cancelled]}, is_llm=True)
    answer = Brain(team, LlmSettings(), BrainSettings()).decide(request(), full())
    assert {proposal.action for proposal in answer.proposals} == {Action.HOLD}
    assert all("halt" in (proposal.abstained or "") for proposal in answer.proposals)
