"""Debates of several rounds in a whole run: transcript, verification, low certainty, and all of it again."""

import json
from datetime import date
from pathlib import Path

import pytest

from vnpy_aiagent.brain.kept import read_kept
from vnpy_aiagent.brain.replay import replay
from vnpy_aiagent.config import BrainSettings, LlmSettings
from vnpy_aiagent.domain import Action, Decision, Proposal, Signal, Verdict
from vnpy_aiagent.llm.cassette import Cassette
from vnpy_aiagent.store.journal import JournalReader
from vnpy_aiagent.testing.model_server import Body, ModelServer, text_reply

from .loop_helpers import Played, play, settings, sse50
from .scripted_trader import trade

SYMBOLS = ("601857.SSE", "601988.SSE", "600150.SSE", "601600.SSE", "601088.SSE")
START, END = date(2025, 7, 1), date(2025, 7, 3)


def argue(body: Body) -> Body:
    """As the scripted trader, but unsure as the aggressive and full of questions as the conservative."""
    answer = trade(body)
    facts = json.loads(body["messages"][1]["content"])
    if "finding" not in facts or facts["request"]["kind"] != "OPEN":
        return answer
    plan = json.loads(answer["choices"][0]["message"]["content"])
    style = (facts["account"] or {}).get("style")
    quant = [each["evidence_id"] for each in facts["evidence"] if each["tool"] == "verify_history"]
    if style == "AGGRESSIVE":
        plan["confidence"] = 0.57
        asked = [
            q["question"] for turn in facts["debate"] for q in turn.get("questions", ()) if q["to"] == "you"
        ]
        plan["replies"] = [{"question": name, "text": "it is in the figures"} for name in asked[:5]]
    elif style == "CONSERVATIVE":
        questions = [{"text": f"why {n}?", "to": "aggressive"} for n in range(5)]
        plan |= {"action": "HOLD", "stance": "NEUTRAL", "target_weight": 0.0, "triggers": []}
        plan |= {"entry": None, "stop": None, "questions": questions}
    elif quant:
        plan["argument"] = {"text": "history weighed", "evidence": quant}
        del plan["stop"]
    return text_reply(json.dumps(plan))


@pytest.fixture(scope="module")
def argued(shared: Path) -> Played:
    with ModelServer(argue) as server:
        llm = LlmSettings(base_url=server.base_url, model="arguer", api_key="none", timeout=5, max_retries=0)
        made = settings(llm=llm, brain=BrainSettings(debate_rounds=3))
        return play(sse50(shared).restrict(SYMBOLS), start=START, end=END, settings=made)


def debated(played: Played) -> list[Decision]:
    found = [each for each in played.of(Decision) if {"AGGRESSIVE", "JUDGE"} <= {t.role for t in each.debate}]
    assert found
    return found


def test_the_journal_holds_rounds_questions_replies_and_the_verification(argued: Played) -> None:
    for decision in debated(argued):
        roles = [(turn.round, turn.role) for turn in decision.debate]
        first = [(1, role) for role in ("AGGRESSIVE", "CONSERVATIVE", "QUANT", "JUDGE")]
        assert roles == [*first, *[(2, role) for role in ("AGGRESSIVE", "CONSERVATIVE", "JUDGE")]]
        attack, again = decision.debate[1], decision.debate[4]
        assert [question.to for question in attack.questions] == ["AGGRESSIVE"] * 5
        assert [reply.question for reply in again.replies] == [question.name for question in attack.questions]
        checked = decision.debate[2].verification
        assert checked is not None
        assert checked.base_days > 0
        evidence = next(each for each in decision.evidence if each.id == checked.evidence)
        assert evidence.available_at is not None
        assert evidence.available_at <= decision.at
        assert decision.debate[3].evidence == ("q1",)
        assert decision.failures == ()


def test_a_plan_of_low_certainty_is_bought_smaller_and_once(argued: Played) -> None:
    unsure = [p for p in argued.of(Proposal) if p.account == "aggressive" and p.action is Action.BUY]
    assert unsure
    for proposal in unsure:
        assert (proposal.low_certainty, proposal.planned_weight) == (True, 0.05)
        assert proposal.target_weight == pytest.approx(0.025)
        lines = [line for v in argued.of(Verdict) if v.proposal_id == proposal.id for line in v.lines]
        told = next(line for line in lines if line.rule == "confidence")
        assert "提案已缩减" in str(told.text)
        assert told.max_volume is None
    signals = [each for each in argued.of(Signal) if each.proposal_id in {p.id for p in unsure}]
    assert signals
    assert all("低确定性：仓位由 5.00% 减为 2.50%" in str(signal.reason) for signal in signals)


def test_a_judge_without_a_stop_trades_with_the_swing_default(argued: Played) -> None:
    bought = [p for p in argued.of(Proposal) if p.account == "judge" and p.action is Action.BUY]
    assert bought
    for proposal in bought:
        assert proposal.stop is not None
        assert proposal.target is not None
        assert (proposal.stop.offset, proposal.target.offset) == (-8.0, 15.0)
        assert [t.sessions for t in proposal.triggers if t.note == "time"] == [10]
        assert not proposal.low_certainty


def test_every_debate_is_made_again_byte_for_byte(argued: Played) -> None:
    answers = Cassette(argued.result.journal.with_name("cassette.db"))
    try:
        with JournalReader.open(argued.result.journal) as reader:
            for entry in list(reader.read(kinds=(Decision.kind,))):
                assert replay(read_kept(reader, entry), answers).difference == ""
    finally:
        answers.close()


def test_the_offline_analyst_argues_in_rounds_and_is_replayed_too(shared: Path) -> None:
    made = settings(brain=BrainSettings(debate_rounds=5))
    played = play(sse50(shared).restrict(SYMBOLS), start=START, end=START, settings=made)
    answers = Cassette(played.result.journal.with_name("no_cassette.db"))
    try:
        with JournalReader.open(played.result.journal) as reader:
            entries = list(reader.read(kinds=(Decision.kind,)))
            assert entries
            for entry in entries:
                assert replay(read_kept(reader, entry), answers).difference == ""
    finally:
        answers.close()
