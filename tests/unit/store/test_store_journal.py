"""The journal: order, chain, reading, refusals."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from vnpy_aiagent.errors import JournalError, JournalLocked
from vnpy_aiagent.store.chain import GENESIS
from vnpy_aiagent.store.database import open_database
from vnpy_aiagent.store.journal import Draft, EntryRefused, Head, Journal, JournalReader, verify
from vnpy_aiagent.store.models import tables_of

Make = Callable[..., Draft]


def test_a_new_journal_is_empty_and_its_head_is_the_genesis_hash(journal: Journal) -> None:
    assert journal.head == Head(0, GENESIS)
    assert journal.count() == 0
    assert list(journal.read()) == []


def test_entries_are_numbered_from_one_and_each_names_the_hash_before_it(
    journal: Journal, draft: Make
) -> None:
    first, second = journal.append([draft(1), draft(2)])
    third = journal.append([draft(3)])[0]
    assert [first.seq, second.seq, third.seq] == [1, 2, 3]
    assert [first.prev, second.prev, third.prev] == [GENESIS, first.hash, second.hash]
    assert journal.head == Head(3, third.hash)


def test_what_is_read_equals_what_was_appended_with_any_script_and_line_break(
    journal: Journal, draft: Make
) -> None:
    body = '{"text":"买入 贵州茅台 🚀\n\\"quoted\\" \u2028 %s ? \'x\'"}'
    written = journal.append([draft(1, body=body, account="账户")], wall="2024-01-02T09:30:01.5+08:00")
    read = list(journal.read())
    assert read == written
    assert read[0].body == body
    assert read[0].wall == "2024-01-02T09:30:01.5+08:00"


def test_the_journal_goes_on_where_it_ended_after_being_opened_again(target: str, draft: Make) -> None:
    with Journal.open(target) as journal:
        journal.append([draft(1)])
        head = journal.head
    with Journal.open(target) as journal:
        assert journal.head == head
        assert journal.append([draft(2)])[0].prev == head.hash


def test_the_hash_depends_on_the_content_and_not_on_the_machines_time(target: str, draft: Make) -> None:
    with Journal.open(target) as journal:
        entry = journal.append([draft(1)], wall="now")[0]
        database = open_database(target)
        database.run(tables_of(database).journal.delete())
        database.close()
    with Journal.open(target) as journal:
        assert journal.append([draft(1)], wall="later")[0].hash == entry.hash


def test_reading_chooses_by_kind_account_and_number(journal: Journal, draft: Make) -> None:
    kinds = ["TICK", "PROPOSAL", "SIGNAL", "PROPOSAL"]
    accounts = ["a", "a", "b", "b"]
    journal.append([draft(n + 1, kind=kinds[n], account=accounts[n]) for n in range(4)])
    assert [entry.seq for entry in journal.read(kinds={"PROPOSAL"})] == [2, 4]
    assert [entry.seq for entry in journal.read(kinds={"TICK", "SIGNAL"})] == [1, 3]
    assert [entry.seq for entry in journal.read(kinds=[])] == []
    assert [entry.seq for entry in journal.read(account="b")] == [3, 4]
    assert [entry.seq for entry in journal.read(after=1, until=3)] == [2, 3]


def test_a_long_read_crosses_pages_in_order(journal: Journal, draft: Make) -> None:
    journal.append([draft(n) for n in range(1, 2_102)])
    assert [entry.seq for entry in journal.read()] == list(range(1, 2_102))
    assert journal.count() == 2_101


def test_the_chain_of_an_entry_runs_from_the_root_to_it(journal: Journal, draft: Make) -> None:
    journal.append([draft(1), draft(2), draft(9, cause="run-0001"), draft(3)])
    assert [entry.id for entry in journal.chain("run-0003")] == ["run-0001", "run-0002", "run-0003"]
    assert [entry.id for entry in journal.children("run-0001")] == ["run-0002", "run-0009"]
    assert journal.chain("nobody") == []
    assert journal.get("nobody") is None


def test_the_chain_ends_at_a_loop_and_at_an_unknown_cause(journal: Journal, draft: Make) -> None:
    journal.append([draft(1, cause="run-0002"), draft(2), draft(5, cause="elsewhere")])
    assert [entry.id for entry in journal.chain("run-0002")] == ["run-0001", "run-0002"]
    assert [entry.id for entry in journal.chain("run-0005")] == ["run-0005"]


def test_an_id_that_is_taken_is_refused_and_the_whole_batch_with_it(journal: Journal, draft: Make) -> None:
    journal.append([draft(1)])
    with pytest.raises(EntryRefused, match="run-0001"):
        journal.append([draft(2), draft(1)])
    assert journal.count() == 1
    assert journal.append([draft(2)])[0].seq == 2


def test_an_id_twice_in_one_batch_is_refused(journal: Journal, draft: Make) -> None:
    with pytest.raises(EntryRefused, match="run-0002"):
        journal.append([draft(1), draft(2), draft(2)])
    assert journal.count() == 0


@pytest.mark.parametrize("text", ["half a pair \ud800", "nul \0 inside"])
def test_text_that_no_database_keeps_is_refused(journal: Journal, draft: Make, text: str) -> None:
    with pytest.raises(EntryRefused, match="run-0001"):
        journal.append([draft(1, body=text)])
    assert journal.append([draft(1)])[0].seq == 1


def test_entries_chained_behind_another_head_are_not_stored(journal: Journal, draft: Make) -> None:
    entry = journal.append([draft(1)])[0]
    with pytest.raises(JournalError, match="do not follow"):
        journal.store([replace(entry, id="other")])


def test_a_foreign_writer_is_noticed_instead_of_forking_the_chain(
    target: str, journal: Journal, draft: Make
) -> None:
    entry = journal.append([draft(1)])[0]
    database = open_database(target)
    row = tables_of(database).journal
    values = {"seq": 2, "id": "foreign", "at": "", "kind": "", "account": "", "body": "", "prev": entry.hash}
    database.run(row.insert(**values, hash="f" * 64))
    database.close()
    with pytest.raises(JournalError, match="another process wrote"):
        journal.append([draft(2)])


def test_a_reader_follows_an_active_writer(target: str, journal: Journal, draft: Make) -> None:
    journal.append([draft(1)])
    with JournalReader.open(target) as reader:
        assert reader.head == journal.head
        pages = reader.read()
        assert next(pages).seq == 1
        journal.append([draft(2), draft(3)])
        assert [entry.seq for entry in reader.read()] == [1, 2, 3]
        assert reader.head == journal.head
        assert verify(target, journal.head.hash).ok


def test_two_journals_open_in_one_process_do_not_mix(tmp_path: Path, draft: Make) -> None:
    with Journal.open(tmp_path / "a.db") as one, Journal.open(tmp_path / "b.db") as two:
        one.append([draft(1)])
        assert (one.count(), two.count()) == (1, 0)


def test_a_second_writer_is_told_who_writes(target: str, draft: Make) -> None:
    with Journal.open(target, owner="the paper run") as journal:
        with pytest.raises(JournalLocked, match=r"the paper run, pid \d+ on .+, started 20\d\d-.+; stop"):
            Journal.open(target)
        journal.append([draft(1)])
    Journal.open(target).close()


def test_reading_a_missing_file_says_so_and_creates_nothing(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    for read in (JournalReader.open, verify):
        with pytest.raises(JournalError, match=r"no journal at .*none\.db"):
            read(path)
    assert list(tmp_path.iterdir()) == []


def test_reading_another_kind_of_database_says_so(tmp_path: Path) -> None:
    path = tmp_path / "bars.db"
    open_database(path).close()
    with pytest.raises(JournalError, match="holds no journal"):
        JournalReader.open(path)


def test_a_journal_of_a_newer_release_is_not_touched(target: str) -> None:
    Journal.open(target).close()
    database = open_database(target)
    meta = tables_of(database).meta
    database.run(meta.update(value="99").where(meta.key == "format"))
    database.close()
    for open_it in (Journal.open, JournalReader.open):
        with pytest.raises(JournalError, match="format 99"):
            open_it(target)


def test_a_failed_opening_gives_the_lease_back(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_text("this is not a database, it is a text file " * 40, encoding="utf-8")
    with pytest.raises(JournalError, match="not a journal"):
        Journal.open(path)
    path.unlink()
    Journal.open(path).close()


def test_a_closed_journal_leaves_one_file_without_a_log_beside_it(tmp_path: Path, draft: Make) -> None:
    with Journal.open(tmp_path / "journal.db") as journal:
        journal.append([draft(1)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal.db", "journal.db.lease"]
    journal.close()
    with pytest.raises(JournalError, match="released"):
        journal.append([draft(2)])


def test_two_journals_in_one_database_both_refuse_an_id_that_is_taken(postgres: str, draft: Make) -> None:
    other = f"{postgres}b_"
    with closing(Journal.open(postgres)) as first, closing(Journal.open(other)) as second:
        for each in (first, second):
            each.append([draft(1)])
            with pytest.raises(EntryRefused, match="run-0001"):
                each.append([draft(1)])
    database = open_database(other)
    tables = tables_of(database)
    database.drop_tables([tables.journal, tables.inbox, tables.meta])
    database.close()
