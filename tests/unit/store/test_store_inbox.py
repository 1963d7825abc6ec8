"""The command inbox."""

from collections.abc import Callable

import pytest

from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.store.database import close_database, open_database
from vnpy_aiagent.store.inbox import Command, Inbox
from vnpy_aiagent.store.journal import Draft, Journal

AT = "2024-01-02T09:30:00+08:00"


def test_commands_are_taken_in_order_until_they_are_done(target: str) -> None:
    database = open_database(target)
    inbox = Inbox(database)
    first = inbox.post("halt", {"reason": '风险 "x"'}, "cli", AT)
    second = inbox.post("resume", {}, "web", AT)
    assert inbox.take() == [
        Command(first, "halt", {"reason": '风险 "x"'}, "cli", AT),
        Command(second, "resume", {}, "web", AT),
    ]
    assert inbox.result(first) is None
    inbox.done(first, "halted")
    assert [command.id for command in inbox.take()] == [second]
    assert inbox.result(first) == "halted"
    close_database(database)


def test_words_and_answers_that_are_no_text_are_kept_as_far_as_they_are(target: str) -> None:
    database = open_database(target)
    inbox = Inbox(database)
    number = inbox.post("halt", {"reason": "故障\udcff"}, "cli\udcff", AT)
    assert inbox.take() == [Command(number, "halt", {"reason": "故障\ufffd"}, "cli\ufffd", AT)]
    inbox.done(number, "no \udcff")
    assert inbox.result(number) == "no \ufffd"
    close_database(database)


def test_the_first_result_of_a_command_stands(target: str) -> None:
    database = open_database(target)
    inbox = Inbox(database)
    number = inbox.post("pause", {}, "cli", AT)
    inbox.done(number, "paused")
    inbox.done(number, "again")
    assert inbox.result(number) == "paused"
    with pytest.raises(JournalError, match="no command number 999"):
        inbox.done(999, "")
    assert inbox.result(999) is None
    close_database(database)


def test_another_connection_posts_while_the_journal_is_being_written(
    target: str, journal: Journal, draft: Callable[..., Draft]
) -> None:
    outside, inside = open_database(target), open_database(target)
    poster, taker = Inbox(outside), Inbox(inside)
    for n in range(1, 21):
        journal.append([draft(n)])
        number = poster.post("status", {"n": str(n)}, "cli", AT)
        assert [command.id for command in taker.take()] == [number]
        taker.done(number, "ok")
        assert poster.result(number) == "ok"
    assert journal.count() == 20
    close_database(outside)
    close_database(inside)


def test_a_locked_database_is_one_sentence_and_the_next_call_works(tmp_path: object) -> None:
    path = f"{tmp_path}/journal.db"
    database, blocker = open_database(path, timeout=0), open_database(path)
    inbox = Inbox(database)
    blocker.run_sql("BEGIN IMMEDIATE")
    with pytest.raises(JournalError, match=r"locked.*check free space"):
        inbox.post("halt", {}, "cli", AT)
    blocker.run_sql("ROLLBACK")
    assert inbox.post("halt", {}, "cli", AT) == 1
    close_database(database)
    close_database(blocker)
