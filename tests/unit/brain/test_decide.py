"""Decisions with a scripted model: whatever it does, each account gets a plan or a HOLD with the reason."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from decision_world import (
    HOLD,
    NOW,
    account,
    answer,
    calls,
    daily,
    finding,
    plan,
    position,
    request,
    rising,
    snapshot,
)

from vnpy_aiagent.brain.build import mind_facts
from vnpy_aiagent.brain.decide import Brain, BrainAnswer, Notice, failed_answer
from vnpy_aiagent.brain.prompts import prompt_version, system_prompt
from vnpy_aiagent.config import BrainSettings, LlmSettings, QuickModel
from vnpy_aiagent.domain import Action, BarInterval, RequestKind, Severity, Style, TokenUsage, say
from vnpy_aiagent.errors import ModelNonsense, ModelRefused, ModelTimeout, ModelUnavailable
from vnpy_aiagent.llm.budget import BudgetedModel, BudgetLimits, Ledger
from vnpy_aiagent.llm.port import ModelReply, ModelRequest
from vnpy_aiagent.testing.fake_model import FakeModel, Scripted
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

STUDY = calls("get_quote", "get_indicators")
FETCHED = ["get_quote", "get_market", "get_accounts", "get_learnings", "get_indicators", "get_bars"]


def decide(
    *script: Scripted,
    view: DecisionSnapshot | None = None,
    kind: RequestKind = RequestKind.OPEN,
    settings: BrainSettings | None = None,
) -> tuple[BrainAnswer, FakeModel]:
    model = FakeModel(script)
    brain = Brain(model, LlmSettings(), settings or BrainSettings())
    return brain.decide(request(kind), view or snapshot()), model


def actions(made: BrainAnswer) -> dict[str, str]:
    return {proposal.account: proposal.action.name for proposal in made.proposals}


def all_hold(made: BrainAnswer, *words: str) -> bool:
    return len(made.proposals) == 3 and all(
        proposal.action is Action.HOLD and all(word in proposal.abstained for word in words)
        for proposal in made.proposals
    )


def test_each_style_speaks_in_turn_and_its_plan_is_its_own_accounts() -> None:
    made, model = decide(STUDY, finding(), plan(), plan(**HOLD), plan(target_weight=0.05))
    assert actions(made) == {"aggressive": "BUY", "conservative": "HOLD", "judge": "BUY"}
    assert [asked.task for asked in model.requests] == [
        "technical_analyst",
        "technical_analyst",
        "aggressive",
        "conservative",
        "judge",
    ]
    assert [turn.role for turn in made.decision.debate] == ["AGGRESSIVE", "CONSERVATIVE", "QUANT", "JUDGE"]
    assert made.decision.usage.calls == 5
    assert [evidence.tool for evidence in made.decision.evidence] == [*FETCHED, "verify_history"]
    assert made.decision.failures == ()
    assert len(made.decision.prompt_hash) == 64


def test_a_later_speaker_hears_the_earlier_ones() -> None:
    _, model = decide(STUDY, finding(), plan(argument={"text": "first voice"}), plan(**HOLD), plan())
    assert "first voice" not in model.requests[2].messages[1].content
    assert "first voice" in model.requests[3].messages[1].content
    assert "first voice" in model.requests[4].messages[1].content


@pytest.mark.parametrize(
    "error", [ModelUnavailable("no route"), ModelTimeout("60 s"), ModelRefused("key"), ModelNonsense("noise")]
)
def test_a_model_that_is_down_means_hold_for_all_accounts_with_the_reason(error: Exception) -> None:
    made, _ = decide(error)
    assert all_hold(made, type(error).__name__, str(error))
    assert made.decision.failures == (f"technical_analyst: {type(error).__name__}: {error}",)
    assert "保持不动" in str(made.proposals[0].reasons[0].text)


def test_a_model_that_dies_after_its_study_means_hold_and_keeps_the_evidence() -> None:
    made, _ = decide(STUDY, ModelTimeout("late"))
    assert all_hold(made, "late")
    assert [evidence.tool for evidence in made.decision.evidence] == FETCHED


@pytest.mark.parametrize("text", ["", "buy!", "{}", "[1]", "null", '{"stance": "BULLISH"}', '{"stance":'])
def test_nonsense_twice_means_hold(text: str) -> None:
    made, model = decide(ModelReply(text=text), ModelReply(text=text))
    assert all_hold(made, "ModelNonsense")
    assert len(model.requests) == 2


def test_one_repair_is_granted_and_told_what_is_wrong() -> None:
    made, model = decide(STUDY, ModelReply(text="hm"), finding(strength=0.1))
    assert not any(proposal.abstained for proposal in made.proposals)
    assert "refused" in model.requests[2].messages[-1].content


def test_an_answer_in_a_code_fence_is_read() -> None:
    fenced = ModelReply(text=f"```json\n{finding(strength=0.1).text}\n```")
    made, _ = decide(STUDY, fenced)
    assert made.decision.findings[0].strength == 0.1


def test_endless_tool_calls_are_bounded() -> None:
    settings = BrainSettings(tool_steps=2)
    made, model = decide(*[calls("get_quote")] * 4, settings=settings)
    assert all_hold(made, "no answer after 4 turns")
    assert [bool(asked.tools) for asked in model.requests] == [True, True, False, False]
    assert [evidence.tool for evidence in made.decision.evidence] == FETCHED


def test_too_many_calls_in_one_turn_are_cut_off() -> None:
    many = calls(*["get_quote"] * 11, "get_accounts", "get_indicators", "get_bars")
    made, model = decide(many, finding(strength=0.1))
    assert [evidence.tool for evidence in made.decision.evidence] == FETCHED
    assert sum("no more tool calls" in message.content for message in model.requests[1].messages) == 2


def test_a_tool_error_goes_back_to_the_model() -> None:
    _, model = decide(calls("send_order"), finding(strength=0.0, evidence=[]))
    assert "there is no tool" in model.requests[1].messages[-1].content


def test_a_spent_budget_means_hold() -> None:
    model = BudgetedModel(FakeModel([STUDY]), Ledger(BudgetLimits(calls_per_decision=1)))
    made = Brain(model, LlmSettings(), BrainSettings()).decide(request(), snapshot())
    assert all_hold(made, "BudgetSpent", "calls_per_decision")


def test_a_budget_begins_anew_with_each_decision() -> None:
    fake = FakeModel([finding(strength=0.0, evidence=[])] * 2)
    model = BudgetedModel(fake, Ledger(BudgetLimits(calls_per_decision=1)))
    brain = Brain(model, LlmSettings(), BrainSettings())
    for _ in range(2):
        assert not any(p.abstained for p in brain.decide(request(), snapshot()).proposals)


def test_one_speaker_that_fails_affects_its_account_alone() -> None:
    made, _ = decide(STUDY, finding(), plan(), ModelTimeout("slow"), plan())
    assert actions(made) == {"aggressive": "BUY", "conservative": "HOLD", "judge": "BUY"}
    by_account = {proposal.account: proposal for proposal in made.proposals}
    assert by_account["conservative"].abstained == "ModelTimeout: slow"
    assert not by_account["judge"].abstained
    assert made.decision.failures == ("CONSERVATIVE: ModelTimeout: slow",)


def test_a_plan_is_repaired_once_and_then_abstains() -> None:
    wrong = plan(stop={"basis": "ENTRY", "offset": 2.0})
    made, model = decide(STUDY, finding(), wrong, plan(), wrong, wrong, plan(**HOLD))
    assert actions(made) == {"aggressive": "BUY", "conservative": "HOLD", "judge": "HOLD"}
    abstained = {proposal.account: proposal.abstained for proposal in made.proposals}
    assert abstained["aggressive"] == abstained["judge"] == ""
    assert "stop lies below" in abstained["conservative"]
    assert "stop lies below" in model.requests[3].messages[-1].content


def test_an_invented_citation_of_the_analyst_is_repaired_once() -> None:
    made, _ = decide(STUDY, finding(evidence=["e7"]), finding(strength=0.1))
    assert not made.proposals[0].abstained
    made, _ = decide(STUDY, finding(evidence=["e7"]), finding(evidence=["e8"]))
    assert all_hold(made, "e8 does not exist")


def test_a_finding_without_market_evidence_has_no_strength() -> None:
    made, model = decide(calls("get_accounts"), finding(evidence=["e3"]))
    assert made.decision.evidence[2].tool == "get_accounts"
    assert (made.decision.findings[0].strength, made.decision.findings[0].fresh) == (0.0, False)
    assert actions(made) == dict.fromkeys(("aggressive", "conservative", "judge"), "HOLD")
    assert len(model.requests) == 2


@pytest.mark.parametrize(
    "weak", [{"strength": 0.69}, {"stance": "BEARISH"}, {"stance": "NEUTRAL", "strength": 1.0}]
)
def test_nothing_at_stake_needs_no_debate(weak: dict[str, object]) -> None:
    made, _ = decide(STUDY, finding(**weak))
    assert set(actions(made).values()) == {"HOLD"}
    assert not any(proposal.abstained for proposal in made.proposals)
    assert "不值得辩论" in str(made.proposals[0].reasons[0].text)


def test_a_replan_is_always_debated() -> None:
    made, _ = decide(
        STUDY, finding(stance="NEUTRAL", strength=0.0), *[plan(**HOLD)] * 3, kind=RequestKind.REPLAN
    )
    assert len(made.decision.debate) == 4


def test_a_lone_account_hears_the_conservative_first() -> None:
    view = snapshot(accounts=(account(Style.JUDGE),))
    made, _ = decide(STUDY, finding(), plan(**HOLD), plan(), view=view)
    assert [turn.role for turn in made.decision.debate] == ["CONSERVATIVE", "QUANT", "JUDGE"]
    assert actions(made) == {"judge": "BUY"}
    made, _ = decide(STUDY, finding(), plan(), view=view, settings=BrainSettings(debate=False))
    assert [turn.role for turn in made.decision.debate] == ["JUDGE"]


def test_a_shared_plan_that_does_not_fit_the_second_account_of_a_style_abstains() -> None:
    first, second = account(Style.CONSERVATIVE), account(Style.CONSERVATIVE, position())
    view = snapshot(accounts=(first, replace(second, name="second")))
    made, _ = decide(STUDY, finding(), plan(), view=view)
    assert actions(made) == {"conservative": "BUY", "second": "HOLD"}
    assert "holds a position" in made.proposals[1].abstained


def test_the_same_script_gives_the_same_decision() -> None:
    script = (STUDY, finding(), plan(), plan(**HOLD), plan())
    assert decide(*script)[0] == decide(*script)[0]


def test_the_prompts_language_is_the_snapshots() -> None:
    _, chinese = decide(finding(evidence=[], strength=0.0))
    _, english = decide(finding(evidence=[], strength=0.0), view=snapshot(language="en"))
    assert chinese.requests[0].messages[0].content == system_prompt("technical_analyst", "zh")
    assert english.requests[0].messages[0].content == system_prompt("technical_analyst", "en")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("role", ["technical_analyst", "aggressive", "conservative", "judge"])
def test_every_role_has_a_prompt_in_both_languages(role: str, language: str) -> None:
    assert len(system_prompt(role, language)) > 200


def test_the_wording_of_the_prompts_has_a_version_of_each_language_that_a_run_journals() -> None:
    versions = {language: prompt_version(language) for language in ("zh", "en")}
    assert len(set(versions.values())) == 2
    assert all(re.fullmatch("[0-9a-f]{12}", version) for version in versions.values())
    for language, version in versions.items():
        assert mind_facts(LlmSettings(), BrainSettings(language=language))["prompts"] == version


def test_an_unknown_role_has_no_prompt() -> None:
    with pytest.raises(FileNotFoundError):
        system_prompt("oracle", "zh")


def test_a_failed_answer_holds_for_every_account() -> None:
    made = failed_answer(request(), snapshot(), "m", True, ModelUnavailable("the process died"))
    assert all_hold(made, "the process died")
    assert made.request_id == made.decision.request_id == "r1-0000001"
    assert made.decision.is_llm


@pytest.mark.parametrize(
    "view",
    [snapshot(quote=None, bars={BarInterval.DAILY: daily(rising(125))}), snapshot(bars={})],
    ids=["quote", "bars"],
)
def test_missing_data_reaches_the_model_as_a_tool_error_and_never_raises(view: DecisionSnapshot) -> None:
    made, model = decide(STUDY, finding(evidence=[]), *[finding(evidence=[])] * 3, view=view)
    assert any('"error"' in message.content for message in model.requests[1].messages)
    assert json.loads(model.requests[0].messages[1].content)["missing"]
    assert set(actions(made).values()) == {"HOLD"}


def test_a_decision_without_accounts_has_no_proposals() -> None:
    made, _ = decide(STUDY, finding(strength=0.1), view=snapshot(accounts=()))
    assert made.proposals == ()


def test_proposals_are_valid_until_the_snapshot_or_the_deadline() -> None:
    made, _ = decide(STUDY, finding(strength=0.1))
    assert made.proposals[0].valid_until == snapshot().valid_until
    made, _ = decide(STUDY, finding(strength=0.1), view=snapshot(valid_until=None))
    assert made.proposals[0].valid_until == request().deadline


def test_a_scripted_callable_sees_the_request() -> None:
    def cheap(asked: ModelRequest) -> ModelReply:
        assert asked.schema_name == "FindingAnswer"
        return answer(stance="NEUTRAL", strength=0, confidence=0, text="x")

    made, _ = decide(cheap)
    assert made.decision.usage.cost == Decimal(0)
    assert made.decision.at.date() == date(2024, 5, 6)


DEEP_AND_QUICK = LlmSettings(
    base_url="https://x/v1", model="deep", quick=QuickModel(model="quick", max_tokens=100)
)


@pytest.mark.parametrize("kind", list(RequestKind))
def test_the_quick_model_manages_positions_and_the_deep_one_does_all_else(kind: RequestKind) -> None:
    deep = FakeModel([ModelTimeout("late")], name="deep")
    quick = FakeModel([ModelTimeout("late")], name="quick")
    brain = Brain(deep, DEEP_AND_QUICK, BrainSettings(), quick=quick)
    made = brain.decide(request(kind), snapshot())
    chosen, other = (quick, deep) if kind is RequestKind.MANAGE else (deep, quick)
    assert (len(chosen.requests), len(other.requests)) == (1, 0)
    assert chosen.requests[0].max_tokens == (100 if chosen is quick else LlmSettings().max_tokens)
    assert {made.decision.model, *(p.model for p in made.proposals)} == {chosen.name}
    brain.close()
    assert deep.closed
    assert quick.closed


def test_without_a_quick_model_the_deep_one_manages_too() -> None:
    _, model = decide(ModelTimeout("late"), kind=RequestKind.MANAGE)
    assert len(model.requests) == 1


def test_a_request_past_its_deadline_asks_no_model() -> None:
    late = request().model_copy(update={"deadline": NOW - timedelta(seconds=1)})
    model = FakeModel([])
    made = Brain(model, LlmSettings(), BrainSettings()).decide(late, snapshot())
    assert all_hold(made, "RequestExpired", "09:34:59")
    assert "时限" in str(made.proposals[0].reasons[0].text)
    assert made.decision.usage.calls == 0


def test_a_decision_counts_the_calls_that_failed_too() -> None:
    model = BudgetedModel(FakeModel([STUDY, ModelTimeout("slow")]), Ledger(BudgetLimits()))
    made = Brain(model, LlmSettings(), BrainSettings()).decide(request(), snapshot())
    assert made.decision.usage.calls == 2
    assert made.decision.usage.prompt_tokens > 1_000
    assert TokenUsage(**model.ledger.usage_day.model_dump()) == made.decision.usage


def test_what_models_have_to_tell_goes_with_the_next_answer_once() -> None:
    notices = [(Severity.WARNING, say("x"))]
    model = FakeModel([finding(strength=0.0, evidence=[])] * 2)
    brain = Brain(model, LlmSettings(), BrainSettings(), notices=notices)
    assert brain.decide(request(), snapshot()).alerts == ((Severity.WARNING, say("x")),)
    assert brain.decide(request(), snapshot()).alerts == ()


def test_what_is_told_while_an_answer_takes_the_notices_goes_with_the_next_one() -> None:
    class Growing(list[Notice]):
        """A model of another decision speaks while the notices are taken."""

        def __iter__(self) -> Iterator[Notice]:
            yield from list.__iter__(self)
            if len(self) == 1:
                self.append((Severity.INFO, say("y")))

    notices = Growing([(Severity.WARNING, say("x"))])
    brain = Brain(FakeModel([finding(strength=0.0, evidence=[])] * 2), LlmSettings(), BrainSettings(),
                  notices=notices)  # fmt: skip
    told = [brain.decide(request(), snapshot()).alerts for _ in range(2)]
    assert [alert for alerts in told for alert in alerts] == [
        (Severity.WARNING, say("x")), (Severity.INFO, say("y")),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ModelUnavailable("x"), "没有应答"),
        (ModelTimeout("x"), "时限内"),
        (ModelRefused("x"), "拒绝"),
        (ModelNonsense("x"), "不能用"),
    ],
)
def test_an_abstention_says_in_one_language_what_went_wrong(error: Exception, said: str) -> None:
    made, _ = decide(error)
    assert said in str(made.proposals[0].reasons[0].text)


def test_text_of_a_language_model_is_cleaned_and_its_figures_are_dropped() -> None:
    dirty = "\u202e涨\u200b停\x00，ａ{points}"
    argument = {"text": dirty, "evidence": ["e1"], "figures": {"points": "+9"}}
    script = (STUDY, finding(text=dirty, figures={"points": "+9"}), *[plan(argument=argument)] * 3)
    model = FakeModel(script, is_llm=True)
    made = Brain(model, LlmSettings(), BrainSettings()).decide(request(), snapshot())
    texts = [made.decision.findings[0].text, made.decision.debate[0].text, made.proposals[0].reasons[0].text]
    assert [text.template for text in texts] == ["涨停，a{points}"] * 3
    assert [text.figures for text in texts] == [{}] * 3


@pytest.mark.parametrize("broken", ["\ud800", chr(0xFFFD), "\\ud800"])
def test_broken_unicode_is_repaired_once_and_then_held_and_can_always_be_stored(broken: str) -> None:
    text = finding(strength=0.1).text.replace("strong", broken)
    made, model = decide(STUDY, ModelReply(text=text), finding(strength=0.1))
    assert not made.proposals[0].abstained
    assert "refused" in model.requests[2].messages[-1].content
    held, _ = decide(STUDY, ModelReply(text=text), ModelReply(text=text))
    assert all_hold(held, "ModelNonsense")
    for message in (held.decision, *held.proposals):
        message.model_dump_json().encode("utf-8")


def test_what_a_model_writes_into_a_complaint_is_cleaned_and_cut() -> None:
    key = "\\u202e" + "k" * 5_000
    text = finding(strength=0.1).text.replace("stance", key)
    made, _ = decide(STUDY, ModelReply(text=text), ModelReply(text=text))
    assert "\u202e" not in made.proposals[0].abstained
    assert len(made.proposals[0].abstained) < 400


@pytest.mark.parametrize(
    "changes",
    [
        {"figures": {f"x{n}": "1" for n in range(17)}},
        {"figures": {"x": "1" * 201}},
        {"evidence": ["e" * 17]},
        {"text": "ﷺ" * 1_000},
    ],
    ids=["many figures", "a long figure", "a long id", "text that grows when normalised"],
)
def test_an_answer_is_bounded_in_every_part(changes: dict[str, object]) -> None:
    made, model = decide(STUDY, finding(**changes), finding(strength=0.1))
    assert len(model.requests) == 3
    assert not made.proposals[0].abstained
