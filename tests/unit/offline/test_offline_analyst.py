"""The offline analyst: deterministic, honest about what it is, calls listed tools only."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from decision_world import account, calls, climbing, daily, lesson, position, request, sinking, snapshot

from vnpy_aiagent.brain.decide import Brain, BrainAnswer
from vnpy_aiagent.config import BrainSettings, LlmSettings
from vnpy_aiagent.domain import Action, BarInterval, RequestKind, Stance, Style
from vnpy_aiagent.errors import ModelNonsense
from vnpy_aiagent.llm.offline import OfflineAnalyst
from vnpy_aiagent.llm.offline.findings import count_points, find, lesson_adjustment
from vnpy_aiagent.llm.offline.speech import history_adjustment
from vnpy_aiagent.llm.port import ChatMessage, ModelRequest, ToolSpec
from vnpy_aiagent.tools.snapshot import DecisionSnapshot, MarketOverview, PositionView

BEAR = MarketOverview(50, 0.3, "DOWN", -0.01)
INDICATORS: dict[str, Any] = {
    "close": 12.0,
    "sma20": 11.0,
    "sma60": 10.0,
    "macd_histogram": 0.1,
    "return20": 0.05,
    "return5": 0.02,
    "volume_ratio": 1.5,
    "rsi14": 60.0,
}


def decide(view: DecisionSnapshot, kind: RequestKind = RequestKind.OPEN) -> BrainAnswer:
    return Brain(OfflineAnalyst(), LlmSettings(), BrainSettings()).decide(request(kind), view)


def world(closes: Sequence[float], held: PositionView | None = None, **changes: Any) -> DecisionSnapshot:
    accounts = tuple(account(style, held) for style in Style)
    return snapshot(bars={BarInterval.DAILY: daily(closes)}, accounts=accounts, **changes)


def ask(task: str, content: dict[str, Any], tools: Sequence[str] = ()) -> ModelRequest:
    specs = tuple(ToolSpec(name=name, description="", parameters={}) for name in tools)
    return ModelRequest(
        task=task, messages=(ChatMessage(role="user", content=json.dumps(content)),), tools=specs
    )


def test_it_says_that_it_is_no_language_model() -> None:
    analyst = OfflineAnalyst()
    assert not analyst.is_llm
    assert "no language model" in analyst.name
    decision = decide(world(climbing())).decision
    assert not decision.is_llm
    assert decision.model == analyst.name
    assert (decision.usage.prompt_tokens, decision.usage.cost) == (0, 0)


def test_the_same_world_gives_the_same_answer() -> None:
    assert decide(world(climbing())) == decide(world(climbing()))


def test_it_calls_only_tools_that_are_listed() -> None:
    asked = ask("technical_analyst", {"request": {"setup": ""}}, ("get_quote", "get_accounts", "get_other"))
    reply = OfflineAnalyst().complete(asked)
    assert [call.name for call in reply.tool_calls] == ["get_quote", "get_accounts"]


def test_all_its_calls_are_understood_by_the_tools() -> None:
    decision = decide(world(climbing())).decision
    fetched = {"get_quote", "get_market", "get_accounts", "get_learnings", "get_indicators", "get_bars"}
    assert {evidence.tool for evidence in decision.evidence} - {"verify_history"} == fetched


def test_without_tools_it_gives_no_view() -> None:
    reply = OfflineAnalyst().complete(ask("technical_analyst", {"request": {"setup": ""}}))
    assert json.loads(reply.text)["stance"] == "NEUTRAL"


def test_a_task_without_rules_is_refused() -> None:
    with pytest.raises(ModelNonsense, match="no rules for the task 'poet'"):
        OfflineAnalyst().complete(ask("poet", {"request": {}}))


def test_a_rising_share_in_a_rising_market_is_bought_with_stop_target_and_triggers() -> None:
    made = decide(world(climbing()))
    assert made.decision.findings[0].stance is Stance.BULLISH
    bought = [proposal for proposal in made.proposals if proposal.action is Action.BUY]
    assert bought
    for proposal in bought:
        assert proposal.stop is not None
        assert proposal.target is not None
        assert proposal.target_weight > 0
        assert len(proposal.triggers) >= 2
        assert proposal.reasons[0].evidence
    assert made.decision.failures == ()


def test_a_falling_share_is_not_bought() -> None:
    made = decide(world(sinking(), market=BEAR))
    assert {proposal.action for proposal in made.proposals} == {Action.HOLD}
    assert made.decision.findings[0].stance is Stance.BEARISH


def test_a_falling_share_that_is_held_is_closed() -> None:
    made = decide(world(sinking(), position(), market=BEAR), RequestKind.MANAGE)
    assert Action.CLOSE in {proposal.action for proposal in made.proposals}
    assert made.decision.failures == ()


def test_a_position_that_went_nowhere_is_closed_in_time() -> None:
    stale = position(sessions=10, last=position().cost)
    made = decide(world(climbing(), stale), RequestKind.REPLAN)
    assert {proposal.action for proposal in made.proposals} == {Action.CLOSE}
    assert "时间止损" in str(made.proposals[0].reasons[0].text)


def test_a_profit_has_its_stop_raised() -> None:
    gained = position(cost=position().last / 2 * 2 / 10 * 9, stop=position().cost / 2)
    made = decide(world(climbing(), gained), RequestKind.REPLAN)
    assert Action.ADJUST in {proposal.action for proposal in made.proposals}
    assert made.decision.failures == ()


@pytest.mark.parametrize("kind", [RequestKind.MANAGE, RequestKind.REPLAN])
@pytest.mark.parametrize("closes", [climbing(), sinking(), [10.0] * 90], ids=["rising", "falling", "flat"])
@pytest.mark.parametrize("held", [None, position(), position(stop=None, triggers=0)])
def test_its_plans_always_pass_the_checks(
    kind: RequestKind, closes: Sequence[float], held: PositionView | None
) -> None:
    made = decide(world(closes, held), kind)
    assert made.decision.failures == ()
    assert not any(proposal.abstained for proposal in made.proposals)


@pytest.mark.parametrize(
    "view",
    [
        snapshot(quote=None),
        snapshot(bars={}),
        snapshot(bars={BarInterval.DAILY: daily(climbing(5))}),
        snapshot(bars={BarInterval.DAILY: daily(climbing(), [float("nan")] * 90)}),
    ],
    ids=["no quote", "no bars", "short", "no volume"],
)
def test_missing_data_means_no_trade_and_no_failure(view: DecisionSnapshot) -> None:
    made = decide(view)
    assert made.decision.failures == ()
    if view.quote is None or BarInterval.DAILY not in view.bars:
        assert {proposal.action for proposal in made.proposals} == {Action.HOLD}


def test_points_are_counted_as_the_table_says() -> None:
    assert count_points(INDICATORS) == 5
    assert count_points(INDICATORS | {"rsi14": 80.0}) == 4
    assert count_points(INDICATORS | {"rsi14": 20.0, "volume_ratio": 1.0}) == 5
    weak = {
        "close": 9.0,
        "sma20": 10.0,
        "sma60": 11.0,
        "macd_histogram": -0.1,
        "return20": -0.05,
        "return5": -0.02,
    }
    assert count_points(INDICATORS | weak) == -5
    assert count_points(dict.fromkeys(INDICATORS)) == 0


def evidence(**tools: Any) -> dict[str, dict[str, Any]]:
    return {name: {"evidence_id": f"e{n}", "data": data} for n, (name, data) in enumerate(tools.items(), 1)}


def test_strength_and_confidence_follow_the_points() -> None:
    market = {"breadth": 0.5, "regime": "FLAT"}
    results = evidence(get_quote={}, get_indicators=INDICATORS | {"volume_ratio": 1.0}, get_market=market)
    found = find({"setup": "trend"}, results)
    assert (found["stance"], found["strength"], found["confidence"]) == ("BULLISH", 0.85, 0.64)  # 4 points
    assert found["evidence"] == ["e1", "e2", "e3"]


def test_only_confirmed_lessons_of_the_same_setup_and_regime_count() -> None:
    rows = [
        {"setup": "trend", "regime": "UP", "confirmed": True, "adjustment": -0.1},
        {"setup": "trend", "regime": "UP", "confirmed": False, "adjustment": -0.1},
        {"setup": "trend", "regime": "DOWN", "confirmed": True, "adjustment": -0.1},
        {"setup": "breakout", "regime": "UP", "confirmed": True, "adjustment": 0.1},
    ]
    assert lesson_adjustment({"learnings": rows}, "trend", "UP") == -0.1
    assert lesson_adjustment(None, "trend", "UP") == 0.0


def test_a_bad_experience_lowers_confidence() -> None:
    plain = decide(world(climbing())).decision.findings[0].confidence
    warned = decide(world(climbing(), lessons=(lesson(),))).decision.findings[0].confidence
    unconfirmed = (
        decide(world(climbing(), lessons=(lesson(confirmed=False),))).decision.findings[0].confidence
    )
    assert warned == pytest.approx(plain - 0.1)
    assert unconfirmed == plain


def test_the_conservative_asks_five_questions_with_figures_and_the_judge_answers_each() -> None:
    turns = {turn.role: turn for turn in decide(world(climbing())).decision.debate}
    asked = turns["CONSERVATIVE"].questions
    assert [question.name for question in asked] == ["1.1", "1.2", "1.3", "1.4", "1.5"]
    assert {question.to for question in asked} == {"JUDGE"}
    assert [reply.question for reply in turns["JUDGE"].replies] == [question.name for question in asked]
    for line in (*asked, *turns["JUDGE"].replies):
        assert "{" not in str(line.text)
        assert line.evidence
    assert "同形态还没有历史胜负可查" in str(asked[3].text)


def test_the_conservative_asks_about_the_record_of_a_setup_that_has_one() -> None:
    turns = {turn.role: turn for turn in decide(world(climbing(), lessons=(lesson(),))).decision.debate}
    assert " 胜 " in str(turns["CONSERVATIVE"].questions[3].text)


def test_the_judge_cites_what_the_quant_found() -> None:
    made = decide(world(climbing()))
    judge = next(proposal for proposal in made.proposals if proposal.account == "judge")
    assert any("q1" in reason.evidence and "历史相似情形" in str(reason.text) for reason in judge.reasons)
    assert made.decision.failures == ()


@pytest.mark.parametrize(
    ("interval", "adjustment"), [([0.01, 0.04], 0.03), ([-0.04, -0.01], -0.05), ([-0.01, 0.02], 0.0)]
)
def test_history_changes_confidence_only_where_its_interval_lies_beside_zero(
    interval: list[float], adjustment: float
) -> None:
    assert history_adjustment({"mean_return_95": interval}) == adjustment
    assert history_adjustment({}) == 0.0


def test_in_a_second_round_the_aggressive_answers_with_figures() -> None:
    brain = Brain(OfflineAnalyst(), LlmSettings(), BrainSettings(debate_rounds=5))
    made = brain.decide(request(), world(climbing()))
    second = [turn for turn in made.decision.debate if turn.round == 2]
    assert [turn.role for turn in second] == ["AGGRESSIVE", "CONSERVATIVE", "JUDGE"]
    assert [reply.question for reply in second[0].replies] == ["1.1", "1.2", "1.3", "1.4", "1.5"]
    assert made.decision.failures == ()


def test_a_second_study_is_not_asked_for() -> None:
    study = calls("get_quote")
    messages = (
        ChatMessage(role="user", content='{"request": {"setup": ""}}'),
        study.as_message(),
        ChatMessage(role="tool", content='{"error": "no quote"}', tool_call_id="c-get_quote"),
    )
    spec = ToolSpec(name="get_quote", description="", parameters={})
    reply = OfflineAnalyst().complete(
        ModelRequest(task="technical_analyst", messages=messages, tools=(spec,))
    )
    assert not reply.tool_calls
    assert json.loads(reply.text)["strength"] == 0.0
