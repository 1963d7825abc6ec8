"""`aiagent replay` and `aiagent prompt` on the journal of a demo with the offline analyst."""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from vnpy_aiagent.brain.prompts import system_prompt
from vnpy_aiagent.domain import AnalysisRequest, Decision, Proposal
from vnpy_aiagent.store.chain import Draft
from vnpy_aiagent.store.journal import Journal, JournalReader

from .conftest import Call


@pytest.fixture
def journal(call: Call, week: tuple[Any, ...], tmp_path: Path) -> Path:
    """The journal of a demo over one week of five real shares."""
    assert call(*week, "--out", tmp_path / "run").code == 0
    return tmp_path / "run" / "journal.db"


def ids(journal: Path, kind: str) -> list[str]:
    with JournalReader.open(journal) as reader:
        return [entry.id for entry in reader.read(kinds=(kind,))]


def rewritten(journal: Path, path: Path, kind: str, old: str, new: str) -> Path:
    """A copy in which every body of a kind says something else, its chain of hashes whole."""
    copy = Journal.open(path, sync="OFF")
    with JournalReader.open(journal) as reader:
        drafts = [entry.draft for entry in reader.read()]
    bodies = [draft.body.replace(old, new) if draft.kind == kind else draft.body for draft in drafts]
    assert bodies != [draft.body for draft in drafts]
    copy.append([Draft(*draft.content[:5], body) for draft, body in zip(drafts, bodies, strict=True)])
    copy.close()
    return path


def test_every_decision_of_a_run_is_made_again_byte_for_byte(call: Call, journal: Path) -> None:
    decisions = ids(journal, Decision.kind)
    assert len(decisions) > 5
    for decision in decisions:
        done = call("replay", decision, "--journal", journal)
        assert done.code == 0, done
        assert done.out.startswith(f"identical, byte for byte: decision {decision} on ")
    found = json.loads(call("replay", "all", "--journal", journal, "--json").out)
    assert found["identical"]
    assert found["changed"] == []
    assert (found["decisions"], found["same"]) == (len(decisions), len(decisions))
    assert found["proposals"] == len(ids(journal, Proposal.kind))
    assert found["questions"] > len(decisions)


def test_a_decision_is_found_by_its_request_and_its_proposals(call: Call, journal: Path) -> None:
    by_decision = call("replay", ids(journal, Decision.kind)[0], "--journal", journal, "--json")
    by_request = call("replay", ids(journal, AnalysisRequest.kind)[0], "--journal", journal, "--json")
    by_proposal = call("replay", ids(journal, Proposal.kind)[0], "--journal", journal, "--json")
    assert by_decision.out == by_request.out == by_proposal.out
    facts = json.loads(by_decision.out)
    assert facts["identical"]
    assert not facts["is_llm"]


def test_replay_leaves_nothing_behind(call: Call, journal: Path) -> None:
    before = {path.name: path.read_bytes() for path in journal.parent.iterdir()}
    call("replay", "all", "--journal", journal)
    call("prompt", ids(journal, Decision.kind)[0], "--journal", journal)
    assert {path.name: path.read_bytes() for path in journal.parent.iterdir()} == before


def test_a_tampered_journal_is_one_sentence_and_exit_code_1(
    call: Call, journal: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copy(journal, tmp_path / "copy.db"))
    database = sqlite3.connect(copy)
    with database:
        database.execute("UPDATE journal_entry SET body = replace(body, '0.', '0.1') WHERE kind = 'Decision'")
    database.close()
    decision = ids(journal, Decision.kind)[0]
    done = call("replay", decision, "--journal", copy)
    assert done.code == 1
    assert done.out.startswith("the journal is broken at entry ")
    assert done.out.endswith("its decisions prove nothing\n")
    facts = json.loads(call("replay", decision, "--journal", copy, "--json").out)
    assert not facts["identical"]
    assert "was changed: its hash does not fit" in facts["difference"]


@pytest.mark.parametrize(
    ("kind", "old", "new", "said"),
    [
        (Proposal.kind, '"confidence":0.', '"confidence":0.0', "proposal of "),
        (Decision.kind, '"strength":0.', '"strength":0.0', "decision.findings[0].strength: 0.0"),
        (Decision.kind, '"prompt_hash":"', '"prompt_hash":"0', "decision.prompt_hash: "),
    ],
)
def test_a_rewritten_decision_shows_its_first_difference(
    call: Call, journal: Path, tmp_path: Path, kind: str, old: str, new: str, said: str
) -> None:
    copy = rewritten(journal, tmp_path / "copy.db", kind, old, new)
    assert call("journal", "verify", copy).code == 0
    done = call("replay", "all", "--journal", copy)
    assert done.code == 1
    assert "CHANGED" in done.out
    assert said in done.out
    assert " then, " in done.out


def test_a_rewritten_snapshot_changes_the_decision(call: Call, journal: Path, tmp_path: Path) -> None:
    copy = rewritten(journal, tmp_path / "copy.db", "SnapshotKept", '"regime":"FLAT"', '"regime":"DOWN"')
    done = call("replay", "all", "--journal", copy)
    assert done.code == 1
    assert "decision.evidence[" in done.out


def test_the_prompts_of_a_decision_are_shown_as_they_were(call: Call, journal: Path) -> None:
    decision = ids(journal, Decision.kind)[0]
    done = call("prompt", decision, "--journal", journal)
    assert done.code == 0
    assert system_prompt("technical_analyst", "zh") in done.out
    assert "-- answer: FindingAnswer" in done.out
    facts = json.loads(call("prompt", decision, "--journal", journal, "--json").out)
    assert facts["exact"]
    assert facts["prompts"][0]["content"]["messages"][0]["content"] == system_prompt(
        "technical_analyst", "zh"
    )
    assert facts["prompts"][0]["outcome"] == "answered"


def test_prompts_that_cannot_be_vouched_for_are_exit_code_1(
    call: Call, journal: Path, tmp_path: Path
) -> None:
    copy = rewritten(journal, tmp_path / "copy.db", Decision.kind, '"prompt_hash":"', '"prompt_hash":"0')
    done = call("prompt", ids(journal, Decision.kind)[0], "--journal", copy)
    assert done.code == 1
    assert "NOT THE RECORDED ONE" in done.out


@pytest.mark.parametrize("command", ["replay", "prompt"])
def test_an_unknown_decision_and_a_missing_journal_are_one_line(
    call: Call, journal: Path, tmp_path: Path, command: str
) -> None:
    assert "holds no decision nothing" in call(command, "nothing", "--journal", journal).refusal
    assert "there is no journal at" in call(command, "x", "--journal", tmp_path / "no.db").refusal


def test_a_model_that_is_no_part_of_the_program_is_one_line(
    call: Call, journal: Path, tmp_path: Path
) -> None:
    copy = rewritten(journal, tmp_path / "copy.db", Decision.kind, '"model":"offline', '"model":"other')
    refusal = call("replay", ids(journal, Decision.kind)[0], "--journal", copy).refusal
    assert "neither the offline analyst nor a language model" in refusal
