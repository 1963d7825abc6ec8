"""A journal becomes a record; what this release cannot understand is refused with a sentence."""

from pathlib import Path

import pytest

from vnpy_aiagent.domain import Decision, Fill, Message, Proposal, ScheduleFired
from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.report.read import RunRecord, read_journal
from vnpy_aiagent.store.journal import Draft, Journal


def test_a_journal_is_read_whole_and_in_order(journal_path: Path, messages: list[Message]):
    record = read_journal(journal_path)
    assert list(record.messages) == messages
    assert record.head.seq == len(messages)


def test_causes_are_followed_from_a_fill_back_to_the_schedule(record: RunRecord):
    chain = record.ancestors(record.fills[0].id)
    kinds = [message.kind for message in chain]
    assert kinds == [
        "ScheduleFired", "ScanResult", "AnalysisRequest", "Decision", "Proposal", "Verdict", "Signal",
        "ParentOrder", "Intent", "Fill",
    ]  # fmt: skip
    assert record.origin(Proposal, chain[-1].id) == chain[4]
    assert record.origin(ScheduleFired, "unknown") is None


def test_a_loop_of_causes_ends(record: RunRecord):
    first, second = record.messages[0], record.messages[1]
    looped = RunRecord.of_messages(
        [first.model_copy(update={"cause": second.id}), second.model_copy(update={"cause": first.id})]
    )
    assert len(looped.ancestors(first.id)) == 2


def test_the_same_fill_reported_twice_counts_once(record: RunRecord):
    fill = record.fills[0]
    doubled = RunRecord.of_messages([*record.messages, fill.model_copy(update={"id": "again"})])
    assert len(doubled.fills) == len(record.fills)
    assert len(doubled.of(Fill)) == len(record.fills) + 1


def test_only_the_last_valuation_of_a_day_counts(record: RunRecord):
    mark = record.marks["judge"][-1]
    later = mark.model_copy(update={"id": "later", "cash": mark.cash + 1})
    assert RunRecord.of_messages([*record.messages, later]).marks["judge"][-1].cash == mark.cash + 1


def test_a_message_is_found_by_id_and_kind(record: RunRecord):
    decision = record.of(Decision)[0]
    assert record.get(Decision, decision.id) is decision
    assert record.get(Proposal, decision.id) is None
    assert record.get(Proposal, None) is None


def test_an_unknown_kind_is_refused_with_its_number(tmp_path: Path):
    path = tmp_path / "journal.db"
    with Journal.open(path, sync="OFF") as journal:
        journal.append([Draft("x-1", "2024-01-02T09:30:00+08:00", "FromTheFuture", "", None, "{}")])
    with pytest.raises(JournalError, match=r"entry 1 \(FromTheFuture\).*release that wrote it"):
        read_journal(path)
