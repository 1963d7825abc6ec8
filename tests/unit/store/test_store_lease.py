"""One writer at a time."""

import os
from collections.abc import Callable

import pytest

from vnpy_aiagent.errors import JournalError, JournalLocked
from vnpy_aiagent.store.database import StoreDatabase, close_database, open_database
from vnpy_aiagent.store.journal import Draft, Journal, verify
from vnpy_aiagent.store.lease import Lease, _PostgresHold
from vnpy_aiagent.store.writer import JournalWriter


def test_a_lease_excludes_a_second_one_until_it_is_released(target: str) -> None:
    lease = Lease.acquire(target, "first")
    for _ in range(2):
        with pytest.raises(JournalLocked, match="first, pid"):
            Lease.acquire(target, "second")
    lease.ensure()
    lease.release()
    lease.release()
    second = Lease.acquire(target, "second")
    with pytest.raises(JournalLocked, match="second, pid"):
        Lease.acquire(target)
    second.release()


def test_the_refusal_names_the_holder_once(target: str) -> None:
    lease = Lease.acquire(target, "first")
    with pytest.raises(JournalLocked) as caught:
        Lease.acquire(target, "second")
    lease.release()
    assert str(caught.value).count("pid") == str(caught.value).count(str(os.getpid())) == 1


def test_a_released_lease_is_not_held_any_more(target: str) -> None:
    lease = Lease.acquire(target)
    lease.release()
    with pytest.raises(JournalError, match="released"):
        lease.ensure()


def test_a_lease_lost_with_its_session_is_taken_again_or_reported(postgres: str) -> None:
    lease = Lease.acquire(postgres, "first")
    hold = lease._hold
    assert isinstance(hold, _PostgresHold)
    end_session(postgres, hold._database)
    lease.ensure()
    with pytest.raises(JournalLocked, match="first"):
        Lease.acquire(postgres)
    end_session(postgres, hold._database)
    other = Lease.acquire(postgres, "other")
    with pytest.raises(JournalLocked, match="other"):
        lease.ensure()
    other.release()
    lease.release()


def test_a_writer_outlives_the_loss_of_all_its_sessions(postgres: str, draft: Callable[..., Draft]) -> None:
    journal = Journal.open(postgres)
    errors: list[int] = []
    writer = JournalWriter(
        journal, on_error=lambda error, attempt: errors.append(attempt), backoff=(0.001, 0.01)
    )
    writer.submit(draft(1))
    assert writer.flush(20.0)
    hold = journal._lease._hold
    assert isinstance(hold, _PostgresHold)
    for database in (hold._database, journal._writing, journal._database):
        end_session(postgres, database)
    writer.submit(draft(2))
    writer.submit(draft(3))
    assert writer.flush(20.0)
    assert errors[0] == 1
    assert writer.close()
    assert verify(postgres).entries == 3


def test_a_writer_that_lost_its_lease_writes_nothing(postgres: str, draft: Callable[..., Draft]) -> None:
    journal = Journal.open(postgres, owner="first")
    hold = journal._lease._hold
    assert isinstance(hold, _PostgresHold)
    end_session(postgres, hold._database)
    with Journal.open(postgres, owner="second") as other:
        with pytest.raises(JournalLocked, match="second"):
            journal.append([draft(1)])
        other.append([draft(2)])
    assert journal.append([draft(1)])[0].seq == 2
    journal.close()


def end_session(target: str, database: StoreDatabase) -> None:
    """End the server's side of a connection, as a restart of the server would."""
    number = database.run_sql("SELECT pg_backend_pid()").fetchone()[0]
    admin = open_database(target)
    admin.run_sql("SELECT pg_terminate_backend(%s, 5000)", (number,))
    close_database(admin)
