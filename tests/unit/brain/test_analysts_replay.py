"""Six roles asked in threads, recorded, and made again one after another: the same decision byte for byte."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from decision_world import answer, calls, request
from injection_world import text_fact
from team_world import NAMES, Team, facts, found, full

from vnpy_aiagent.brain.decide import Brain
from vnpy_aiagent.brain.kept import KeptDecision
from vnpy_aiagent.brain.quarantine import READER, SENTIMENT
from vnpy_aiagent.brain.replay import Replayed, replay
from vnpy_aiagent.brain.shown_prompts import prompts_of
from vnpy_aiagent.config import BrainSettings, LlmSettings
from vnpy_aiagent.domain import Decision, Message, Proposal
from vnpy_aiagent.errors import ModelTimeout
from vnpy_aiagent.llm.cassette import Cassette
from vnpy_aiagent.llm.port import ModelReply
from vnpy_aiagent.llm.recording import CassetteModel
from vnpy_aiagent.store.chain import Entry

READ = answer(topic="EARNINGS", stance=-2, novelty="NEW", certainty="CONFIRMED", spans=["profit fell"])


def team() -> Team:
    """All six roles at work: tools, a repair, a failure, a reading."""
    return Team(
        {
            "technical_analyst": [
                calls("get_bars", count=5),
                found("technical_analyst", evidence=["t3", "e1"]),
            ],
            "policy_analyst": [ModelReply(text="hm"), found("policy_analyst", "NEUTRAL", 0.0)],
            "environment_analyst": [ModelTimeout("slow")],
            READER: [READ],
        },
        is_llm=True,
    )


def entry(message: Message, name: str) -> Entry:
    body = message.model_copy(update={"id": name}).model_dump_json()
    return Entry(name, message.at.isoformat(), message.kind, message.account, None, body, 1, "", "")


def record(cassette: Cassette, width: int) -> KeptDecision:
    """One decision, recorded, as the journal would keep it."""
    view = full(facts=replace(facts(), texts=(text_fact("The profit fell."),)))
    model = CassetteModel(team(), cassette, "record", lambda severity, text: None)
    llm, settings = LlmSettings(base_url="unknown", model="team"), BrainSettings()
    made = Brain(model, llm, settings, width=width).decide(request(), view)
    decided = made.decision.model_copy(update={"id": "d1"})
    proposals = tuple(
        entry(each.model_copy(update={"decision_id": "d1"}), f"p{place}")
        for place, each in enumerate(made.proposals)
    )
    return KeptDecision(entry(decided, "d1"), decided, request(), view, proposals, settings, llm)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[KeptDecision, Replayed]:
    cassette = Cassette(tmp_path_factory.mktemp("team") / "cassette.db")
    kept = record(cassette, width=5)
    found_again = replay(kept, cassette)
    prompts = prompts_of(found_again, cassette)
    assert all(prompt.exact for prompt in prompts)
    cassette.close()
    return kept, found_again


def test_six_roles_are_made_again_byte_for_byte(recorded: tuple[KeptDecision, Replayed]) -> None:
    kept, again = recorded
    assert again.difference == ""
    assert again.proposals == 3
    roles = [finding.role for finding in kept.decision.findings]
    assert roles == [*NAMES, SENTIMENT]
    assert kept.decision.failures == ("environment_analyst: ModelTimeout: slow",)


def test_the_replay_asks_the_same_questions_in_the_order_of_roles(
    recorded: tuple[KeptDecision, Replayed],
) -> None:
    kept, again = recorded
    asked = [question.task for _, question in again.questions]
    assert len(asked) == len(kept.decision.exchanges)
    assert asked[:6] == [
        "technical_analyst",
        "technical_analyst",
        "fundamental_analyst",
        "policy_analyst",
        "environment_analyst",
        "risk_analyst",
    ]
    assert asked[6] == "policy_analyst"  # its answer was repaired with a call that was left
    assert asked[-1] == READER


def test_threads_record_what_one_after_another_records(
    recorded: tuple[KeptDecision, Replayed], tmp_path: Path
) -> None:
    cassette = Cassette(tmp_path / "cassette.db")
    alone = record(cassette, width=1)
    cassette.close()
    assert alone.entry.body == recorded[0].entry.body
    assert [each.body for each in alone.proposals] == [each.body for each in recorded[0].proposals]


def test_the_journal_tells_weights_freshness_and_who_was_silent(
    recorded: tuple[KeptDecision, Replayed],
) -> None:
    decision = Decision.model_validate_json(recorded[0].entry.body)
    assert decision.aggregate is not None
    assert sorted(decision.aggregate.weights) == ["fundamental_analyst", "risk_analyst", "technical_analyst"]
    assert [(each.role, each.why.name) for each in decision.aggregate.silent] == [
        ("environment_analyst", "FAILED"),
        ("policy_analyst", "NO_SIGNAL"),
    ]
    sentiment = decision.findings[-1]
    assert (sentiment.evidence, sentiment.weight, sentiment.fresh) == (("s1",), 0.1, True)
    assert sentiment.strength == pytest.approx(0.1)
    weights = [Proposal.model_validate_json(each.body).target_weight for each in recorded[0].proposals]
    assert weights == [pytest.approx(0.09)] * 3


def test_a_decision_of_an_older_version_is_still_read(recorded: tuple[KeptDecision, Replayed]) -> None:
    old = json.loads(recorded[0].entry.body)
    del old["aggregate"]
    for finding in old["findings"]:
        for key in ("available_at", "fresh", "weight"):
            del finding[key]
    decision = Decision.model_validate_json(json.dumps(old))
    assert decision.aggregate is None
    assert not decision.findings[0].fresh
