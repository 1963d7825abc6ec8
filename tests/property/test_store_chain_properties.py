"""Properties of the chain, the journal and the writer over generated entries and failures."""

import tempfile
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.store.chain import GENESIS, Draft, Entry, Head, encode, link
from vnpy_aiagent.store.database import open_database
from vnpy_aiagent.store.journal import Journal, JournalReader, verify
from vnpy_aiagent.store.models import tables_of
from vnpy_aiagent.store.writer import InlineWriter, JournalWriter

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
tricky = st.text("0123456789:;-a买", max_size=6)
drafts = st.builds(Draft, text, text, text, text, st.none() | text, text)
tricky_drafts = st.builds(Draft, tricky, tricky, tricky, tricky, st.none() | tricky, tricky)
rows = st.lists(drafts, max_size=12, unique_by=lambda draft: draft.id)


@given(tricky_drafts, tricky_drafts)
def test_different_entries_never_have_the_same_bytes(one: Draft, other: Draft) -> None:
    same = encode(GENESIS, 1, one.content) == encode(GENESIS, 1, other.content)
    assert same == (one == other)


@given(drafts, st.sampled_from([field.name for field in fields(Draft)]))
def test_each_field_and_place_changes_the_hash(draft: Draft, name: str) -> None:
    first = link(Head(), draft)
    changed = replace(draft, **{name: (getattr(draft, name) or "") + "x"})
    hashes = {
        first.hash,
        link(Head(), changed).hash,
        link(Head(1, GENESIS), draft).hash,
        link(Head(0, first.hash), draft).hash,
    }
    assert len(hashes) == 4


@settings(max_examples=40, deadline=None)
@given(rows, st.data())
def test_any_entries_come_back_as_written_and_any_change_is_found(
    batch: list[Draft], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        with Journal.open(path, sync="OFF") as journal:
            written = journal.append(batch)
            assert list(journal.read()) == written
            assert [entry.draft for entry in written] == batch
            head = journal.head
        assert verify(path, head.hash).ok
        if not batch:
            return
        seq = data.draw(st.integers(1, len(batch)))
        column = data.draw(st.sampled_from(["id", "at", "kind", "account", "cause", "body"]))
        database = open_database(path)
        row = tables_of(database).journal
        old = getattr(written[seq - 1], column) or ""
        database.run(row.update(**{column: old + "x"}).where(row.seq == seq))
        database.close()
        result = verify(path)
        assert (result.ok, result.first_bad) == (False, seq)


class Flaky(Journal):
    """Fails in a given pattern: f before the commit, l (lost answer) after it, anything else never."""

    pattern: list[str]

    def store(self, entries: Sequence[Entry]) -> None:
        """Store, or fail."""
        step = self.pattern.pop(0) if self.pattern else "."
        if step == "f":
            raise JournalError("no space")
        super().store(entries)
        if step == "l":
            self._head = None
            raise JournalError("connection lost")


@settings(max_examples=25, deadline=None)
@given(rows, st.lists(st.sampled_from("fl."), max_size=6))
def test_whatever_fails_each_entry_is_stored_once_in_order(batch: list[Draft], pattern: list[str]) -> None:
    durable: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        journal = Flaky.open(path, sync="OFF")
        journal.pattern = pattern
        writer = JournalWriter(journal, on_error=lambda error, attempt: None, backoff=(0.0, 0.0))
        for draft in batch:
            writer.submit(draft, lambda row: durable.append(row.id))
        assert writer.close(20.0)
        with JournalReader.open(path) as reader:
            assert [entry.draft for entry in reader.read()] == batch
        assert verify(path).ok
    assert durable == [draft.id for draft in batch]


@settings(max_examples=25, deadline=None)
@given(rows, st.integers(1, 5))
def test_the_grouping_of_commits_does_not_change_the_chain(batch: list[Draft], every: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with Journal.open(Path(folder) / "one.db", sync="OFF") as journal:
            journal.append(batch)
            expected = journal.head
        writer = InlineWriter(Journal.open(Path(folder) / "two.db", sync="OFF"), every=every)
        for draft in batch:
            writer.submit(draft)
        assert writer.head == expected
        assert writer.close()
