"""Both writers: order, durability callbacks, failing storage."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event, Thread, current_thread, main_thread

import pytest

from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.store.database import open_database
from vnpy_aiagent.store.journal import Draft, Entry, EntryRefused, Head, Journal, JournalReader, verify
from vnpy_aiagent.store.writer import InlineWriter, JournalWriter

Make = Callable[..., Draft]
SOON = 20.0


class FailingJournal(Journal):
    """Fails as often as told, before or after the commit; counts transactions."""

    failures = 0
    after_commit = False
    commits = 0
    gate: Event | None = None

    def store(self, entries: Sequence[Entry]) -> None:
        """Store, or fail."""
        if self.gate is not None:
            self.gate.wait(SOON)
        if self.failures and not self.after_commit:
            self.failures -= 1
            raise JournalError("disk full")
        super().store(entries)
        self.commits += 1
        if self.failures:
            self.failures -= 1
            self._head = None
            raise JournalError("the connection broke during the commit")


@pytest.fixture
def failing(target: str) -> Iterator[FailingJournal]:
    with FailingJournal.open(target, sync="OFF") as journal:
        yield journal


class Errors(list[tuple[str, int]]):
    """Collects what a writer reports."""

    def __call__(self, error: Exception, attempt: int) -> None:
        self.append((str(error), attempt))


def test_callbacks_come_in_order_from_the_writers_thread_after_the_commit(
    target: str, journal: Journal, draft: Make
) -> None:
    seen: list[tuple[str, bool, bool]] = []
    reader = JournalReader.open(target)

    def durable(row: Draft) -> None:
        seen.append((row.id, reader.get(row.id) is not None, current_thread() is main_thread()))

    writer = JournalWriter(journal)
    for n in range(1, 51):
        writer.submit(draft(n), durable)
    assert writer.flush(SOON)
    reader.close()
    assert seen == [(f"run-{n:04}", True, False) for n in range(1, 51)]
    assert writer.close()


def test_rows_that_arrive_during_a_commit_share_the_next_one(failing: FailingJournal, draft: Make) -> None:
    failing.gate = Event()
    writer = JournalWriter(failing, wall=lambda: "wall time")
    writer.submit(draft(1))
    for n in range(2, 302):
        writer.submit(draft(n))
    assert writer.pending == 301
    failing.gate.set()
    assert writer.flush(SOON)
    assert failing.commits <= 2
    assert [entry.id for entry in failing.read()] == [f"run-{n:04}" for n in range(1, 302)]
    assert {entry.wall for entry in failing.read()} == {"wall time"}
    assert (writer.pending, writer.head.seq) == (0, 301)
    assert writer.close()


def test_failing_storage_loses_nothing_and_keeps_the_order(
    target: str, failing: FailingJournal, draft: Make
) -> None:
    failing.failures = 4
    errors, durable = Errors(), list[str]()
    writer = JournalWriter(failing, on_error=errors, backoff=(0.001, 0.002))
    for n in range(1, 101):
        writer.submit(draft(n), lambda row: durable.append(row.id))
    assert writer.flush(SOON)
    assert durable == [f"run-{n:04}" for n in range(1, 101)]
    assert errors == [("disk full", n) for n in (1, 2, 3, 4)]
    assert writer.close()
    assert verify(target).entries == 100


def test_a_commit_that_broke_after_it_went_through_is_not_written_twice(
    target: str, failing: FailingJournal, draft: Make
) -> None:
    failing.failures, failing.after_commit = 1, True
    errors, durable = Errors(), list[str]()
    writer = JournalWriter(failing, on_error=errors, backoff=(0.001, 0.002))
    for n in range(1, 11):
        writer.submit(draft(n), lambda row: durable.append(row.id))
    assert writer.flush(SOON)
    assert durable == [f"run-{n:04}" for n in range(1, 11)]
    assert errors == [("the connection broke during the commit", 1)]
    assert writer.close()
    result = verify(target)
    assert (result.ok, result.entries) == (True, 10)


def test_an_entry_that_can_never_be_stored_is_reported_and_the_rest_goes_on(
    failing: FailingJournal, draft: Make
) -> None:
    failing.append([draft(2)])
    failing.gate = Event()
    errors, durable = Errors(), list[str]()
    writer = JournalWriter(failing, on_error=errors)
    for n in (1, 2, 3):
        writer.submit(draft(n), lambda row: durable.append(row.id))
    writer.submit(draft(4, body="\ud800"), lambda row: durable.append(row.id))
    writer.submit(draft(5), lambda row: durable.append(row.id))
    failing.gate.set()
    assert writer.flush(SOON)
    assert durable == ["run-0001", "run-0003", "run-0005"]
    assert [attempt for _, attempt in errors] == [0, 0]
    assert "run-0002" in errors[0][0]
    assert "run-0004" in errors[1][0]
    assert writer.close()


def test_a_callback_that_raises_does_not_end_the_writer(journal: Journal, draft: Make) -> None:
    errors = Errors()

    def broken(row: Draft) -> None:
        raise ValueError(row.id)

    writer = JournalWriter(journal, on_error=errors)
    writer.submit(draft(1), broken)
    writer.submit(draft(2))
    assert writer.flush(SOON)
    assert errors == [("run-0001", 0)]
    assert writer.close()


def test_an_error_callback_that_raises_does_not_end_the_writer(
    failing: FailingJournal, draft: Make, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(error: Exception, attempt: int) -> None:
        raise ValueError(attempt)

    failing.failures = 1
    writer = JournalWriter(failing, on_error=broken, backoff=(0.001, 0.001))
    writer.submit(draft(1))
    assert writer.flush(SOON)
    assert "error callback failed" in caplog.text
    assert writer.close()


def test_failures_are_logged_where_nobody_listens(
    failing: FailingJournal, draft: Make, caplog: pytest.LogCaptureFixture
) -> None:
    failing.failures = 1
    writer = JournalWriter(failing, backoff=(0.001, 0.001))
    writer.submit(draft(1))
    assert writer.close()
    assert "attempt 1: disk full" in caplog.text


def test_stopping_with_a_dead_disk_returns_in_time_and_hands_out_the_rows(
    failing: FailingJournal, draft: Make
) -> None:
    failing.failures = 10**9
    writer = JournalWriter(failing, on_error=Errors())
    writer.submit(draft(1))
    writer.submit(draft(2))
    assert not writer.flush(0.01)
    assert not writer.stop(0.05)
    assert [row.id for row in writer.unwritten] == ["run-0001", "run-0002"]
    assert not writer.close(0.05)
    with pytest.raises(JournalError, match="run-0003"):
        writer.submit(draft(3))


def test_stopping_writes_what_was_handed_in(target: str, journal: Journal, draft: Make) -> None:
    writer = JournalWriter(journal)
    for n in range(1, 5_001):
        writer.submit(draft(n))
    assert writer.close()
    assert verify(target).entries == 5_000


def test_threads_may_hand_in_at_once_and_each_ones_order_holds(journal: Journal, draft: Make) -> None:
    writer = JournalWriter(journal)

    def work(name: str) -> None:
        for n in range(200):
            writer.submit(draft(n, id=f"{name}-{n:03}", account=name, cause=None))

    threads = [Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert writer.flush(SOON)
    for name in "abc":
        assert [entry.id for entry in journal.read(account=name)] == [f"{name}-{n:03}" for n in range(200)]
    assert writer.close()


def test_a_full_sqlite_database_is_waited_out(tmp_path: Path, draft: Make) -> None:
    path = tmp_path / "journal.db"
    journal = Journal.open(path)
    full = Event()
    errors = Errors()

    def on_error(error: Exception, attempt: int) -> None:
        errors(error, attempt)
        full.set()

    journal._writing.pragma("max_page_count", 20, permanent=True)  # type: ignore[union-attr]
    writer = JournalWriter(journal, on_error=on_error, backoff=(0.01, 0.02))
    durable: list[str] = []
    for n in range(1, 201):
        writer.submit(draft(n, body="x" * 2_000), lambda row: durable.append(row.id))
    assert full.wait(SOON)
    assert writer.pending > 0
    journal._writing.pragma("max_page_count", 1_000_000, permanent=True)  # type: ignore[union-attr]
    assert writer.flush(SOON)
    assert "full" in errors[0][0]
    assert durable == [f"run-{n:04}" for n in range(1, 201)]
    assert writer.close()
    assert verify(path).entries == 200


def test_a_locked_sqlite_database_is_waited_out(tmp_path: Path, draft: Make) -> None:
    path = tmp_path / "journal.db"
    journal = Journal.open(path)
    journal._writing.timeout = 0  # type: ignore[union-attr]
    locked = Event()
    blocker = open_database(path)
    blocker.run_sql("BEGIN IMMEDIATE")
    errors = Errors()

    def on_error(error: Exception, attempt: int) -> None:
        errors(error, attempt)
        locked.set()

    writer = JournalWriter(journal, on_error=on_error, backoff=(0.01, 0.02))
    writer.submit(draft(1))
    assert locked.wait(SOON)
    blocker.run_sql("ROLLBACK")
    blocker.close()
    assert writer.flush(SOON)
    assert "locked" in errors[0][0]
    assert writer.close()
    assert verify(path).entries == 1


def test_the_inline_writer_chains_and_calls_back_at_once_and_commits_in_groups(
    journal: Journal, draft: Make
) -> None:
    writer = InlineWriter(journal, every=10, wall=lambda: "wall time")
    durable: list[str] = []
    for n in range(1, 26):
        writer.submit(draft(n), lambda row: durable.append(row.id))
        assert durable[-1] == f"run-{n:04}"
        assert writer.head.seq == n
    assert (writer.pending, journal.count()) == (5, 20)
    assert writer.flush()
    assert (writer.pending, journal.count()) == (0, 25)
    assert journal.head == writer.head


def test_both_writers_make_the_same_chain(tmp_path: Path, draft: Make) -> None:
    heads: list[Head] = []
    for name, kind in (("a", InlineWriter), ("b", JournalWriter)):
        writer = kind(Journal.open(tmp_path / f"{name}.db", sync="OFF"))
        for n in range(1, 101):
            writer.submit(draft(n))
        assert writer.stop()
        heads.append(writer.head)
        writer.close()
    assert heads[0] == heads[1]
    assert heads[0].seq == 100


def test_the_inline_writer_keeps_its_rows_when_the_storage_fails(
    failing: FailingJournal, draft: Make
) -> None:
    failing.failures = 1
    writer = InlineWriter(failing)
    writer.submit(draft(1))
    with pytest.raises(JournalError, match="disk full"):
        writer.flush()
    assert writer.pending == 1
    assert writer.close()
    with pytest.raises(JournalError, match="run-0002"):
        writer.submit(draft(2))


def test_the_inline_writer_refuses_a_taken_id_at_the_commit(journal: Journal, draft: Make) -> None:
    writer = InlineWriter(journal)
    writer.submit(draft(1))
    writer.submit(draft(1))
    with pytest.raises(EntryRefused, match="run-0001"):
        writer.close()
