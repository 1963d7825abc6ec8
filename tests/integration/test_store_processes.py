"""The journal between processes: a killed writer, readers beside it, commands through the inbox."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from vnpy_aiagent.errors import JournalLocked
from vnpy_aiagent.store.database import close_database, open_database
from vnpy_aiagent.store.inbox import Inbox
from vnpy_aiagent.store.journal import Draft, Journal, JournalReader, verify
from vnpy_aiagent.store.models import tables_of

ROOT = Path(__file__).resolve().parents[2]

WRITER = """
import sys
from vnpy_aiagent.store.journal import Draft, Journal
from vnpy_aiagent.store.writer import JournalWriter

writer = JournalWriter(Journal.open(sys.argv[1], owner="the child"))
for n in range(int(sys.argv[2])):
    draft = Draft(f"child-{n}", "2024-01-02T09:30:00+08:00", "TICK", "a", None, "{}")
    writer.submit(draft, lambda row: print(row.id, flush=True))
if sys.argv[3] == "close":
    writer.close()
"""

POSTER = """
import sys
from vnpy_aiagent.store.database import open_database
from vnpy_aiagent.store.inbox import Inbox

database = open_database(sys.argv[1])
print(Inbox(database).post("halt", {"reason": "测试"}, "cli", "2024-01-02T09:30:00+08:00"))
database.close()
"""


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A place for one new journal."""
    if request.param == "sqlite":
        yield str(tmp_path / "journal.db")
        return
    server = os.environ.get("AIAGENT_TEST_POSTGRES")
    if not server:
        pytest.skip("set AIAGENT_TEST_POSTGRES to the URL of a PostgreSQL database to run this")
    url = f"{server}?prefix=t{uuid.uuid4().hex[:10]}_"
    yield url
    database = open_database(url)
    tables = tables_of(database)
    database.drop_tables([tables.journal, tables.inbox, tables.meta])
    database.close()


@contextmanager
def child(code: str, *args: str) -> Iterator["subprocess.Popen[str]"]:
    """A Python process running some code; killed at the end if it still runs."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", code, *args], stdout=subprocess.PIPE, encoding="utf-8", env=environment
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def next_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_killed_writer_frees_the_journal_and_loses_no_durable_entry(target: str) -> None:
    with child(WRITER, target, "50", "stay") as writer:
        durable = [next_line(writer) for _ in range(50)]
        with pytest.raises(JournalLocked, match=rf"the child, pid {writer.pid} on "):
            Journal.open(target)
        writer.kill()
        writer.wait()
    assert durable == [f"child-{n}" for n in range(50)]
    with take_over(target) as journal:
        assert [entry.id for entry in journal.read()] == durable
        journal.append([Draft("next", "2024-01-02T09:31:00+08:00", "TICK", "a", None, "{}")])
    assert verify(target).entries == 51


def take_over(target: str) -> Journal:
    """Open a journal whose writer was killed; a server needs a moment to notice that the session is gone."""
    for _ in range(2_000):
        try:
            return Journal.open(target)
        except JournalLocked:
            if "://" not in target:
                raise
            database = open_database(target)
            database.run_sql("SELECT pg_sleep(0.01)")
            close_database(database)
    raise AssertionError("the lease of a killed writer was never released")


def test_a_killed_writers_chain_is_whole_wherever_it_was_killed(target: str) -> None:
    with child(WRITER, target, "20000", "close") as writer:
        durable = [next_line(writer) for _ in range(500)]
        writer.kill()
        writer.wait()
    result = verify(target)
    assert result.ok
    assert result.entries >= 500
    with JournalReader.open(target) as reader:
        assert [entry.id for entry in reader.read(until=500)] == durable


def test_another_process_reads_and_verifies_while_one_writes(target: str) -> None:
    with child(WRITER, target, "3000", "close") as writer:
        assert next_line(writer) == "child-0"
        with JournalReader.open(target) as reader:
            while writer.poll() is None and reader.count() < 3_000:
                result = verify(target)
                assert result.ok
                assert [entry.seq for entry in reader.read(until=5)] == [1, 2, 3, 4, 5][: reader.count()]
                next_line(writer)
        for _ in writer.stdout or ():
            pass
        assert writer.wait() == 0
    assert verify(target).entries == 3_000


def test_another_process_posts_a_command_to_the_one_that_holds_the_lease(target: str) -> None:
    with Journal.open(target) as journal:
        database = open_database(target)
        inbox = Inbox(database)
        with child(POSTER, target) as poster:
            number = int(next_line(poster))
            assert poster.wait() == 0
        (command,) = inbox.take()
        assert (command.id, command.command, command.args) == (number, "halt", {"reason": "测试"})
        journal.append([Draft("halt", command.at, "COMMAND", "", None, "{}")])
        inbox.done(number, "halted")
        close_database(database)
    assert verify(target).entries == 1
