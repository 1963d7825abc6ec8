"""A simulation whose journal cannot be written ends at once, with the reason, and leaves nothing behind."""

import sqlite3
from pathlib import Path

import peewee
import pytest

from vnpy_aiagent.config import load_settings
from vnpy_aiagent.data import load_folder
from vnpy_aiagent.domain import Mode
from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.simulation import Simulation
from vnpy_aiagent.store.database import first_line
from vnpy_aiagent.store.journal import Journal


def test_a_full_disk_ends_the_run_with_one_sentence(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stored = Journal.store
    commits = []

    def store(journal: Journal, entries: object) -> None:
        commits.append(1)
        if len(commits) > 1:
            raise JournalError("cannot write to the journal (database or disk is full)")
        stored(journal, entries)

    monkeypatch.setattr(Journal, "store", store)
    data = load_folder(shared / "data" / "sse50").restrict(["600519.SSE", "600036.SSE", "601318.SSE"])
    before = Path.cwd()
    simulation = Simulation(data, load_settings(mode=Mode.SIMULATION), tmp_path / "journal.db")
    with pytest.raises(JournalError, match="disk is full"):
        simulation.run()
    assert Path.cwd() == before
    assert not caplog.records
    Journal.open(tmp_path / "journal.db").close()  # the lease is free again


def test_the_first_failure_is_told_not_the_failed_clean_up() -> None:
    with pytest.raises(peewee.OperationalError) as caught:
        _fail_twice()
    assert first_line(caught.value) == "database or disk is full"


def _fail_twice() -> None:
    try:
        raise sqlite3.OperationalError("database or disk is full")
    except sqlite3.OperationalError:
        raise peewee.OperationalError("cannot rollback") from None
