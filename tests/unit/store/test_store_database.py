"""Opening databases: what goes wrong is one sentence."""

import importlib.util
import os
import re
from pathlib import Path

import pytest

from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.store.database import Sync, close_database, describe, is_postgres, open_database
from vnpy_aiagent.store.lease import Lease

DRIVER = 'pip install "vnpy_aiagent[postgres]" to run this; the extra dev, which CI installs, has it'


def test_sqlite_runs_with_a_write_ahead_log_and_the_chosen_sync(tmp_path: Path) -> None:
    choices: list[tuple[Sync, int]] = [("OFF", 0), ("NORMAL", 1), ("FULL", 2)]
    for sync, number in choices:
        database = open_database(tmp_path / "journal.db", sync=sync)
        assert database.run_sql("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.run_sql("PRAGMA synchronous").fetchone() == (number,)
        close_database(database)


def test_a_read_only_connection_cannot_write(target: str) -> None:
    close_database(open_database(target))
    database = open_database(target, read_only=True)
    with pytest.raises(Exception, match=r"readonly|read-only"):
        database.run_sql("CREATE TABLE never (x INTEGER)")
    close_database(database)


def test_reading_leaves_no_file_beside_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.db"
    close_database(open_database(path))
    for writable in (True, False):
        monkeypatch.setattr(os, "access", lambda *_, answer=writable: answer)
        database = open_database(path, read_only=True)
        assert database.get_tables() == []
        close_database(database)
        assert list(tmp_path.iterdir()) == [path]


def test_a_path_with_odd_characters_opens_for_reading_too(tmp_path: Path) -> None:
    folder = tmp_path / "我的 交易 #1 100%"
    folder.mkdir()
    close_database(open_database(folder / "a?b.db" if os.name != "nt" else folder / "ab.db"))
    path = next(folder.glob("*.db"))
    close_database(open_database(path, read_only=True))


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    for open_it in (open_database, Lease.acquire):
        with pytest.raises(
            JournalError, match=re.escape(str(tmp_path / "no")) + " does not exist; create it"
        ):
            open_it(tmp_path / "no" / "journal.db")


def test_a_folder_is_not_a_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="is a folder"):
        open_database(tmp_path)


def test_another_kind_of_file_is_not_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("buy low, sell high " * 100, encoding="utf-8")
    with pytest.raises(JournalError, match="some other kind of file"):
        open_database(path, read_only=True)


def test_a_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(JournalError, match=r"vnpy_aiagent\[postgres\]"):
        open_database("postgresql://user@127.0.0.1/db")


def test_a_server_that_is_away_is_named_without_its_password() -> None:
    pytest.importorskip("psycopg2", reason=DRIVER)
    with pytest.raises(JournalError) as caught:
        open_database("postgresql://user:secret@127.0.0.1:1/db")
    assert "postgresql://user@127.0.0.1/db" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_prefix_is_checked() -> None:
    pytest.importorskip("psycopg2", reason=DRIVER)
    with pytest.raises(JournalError, match="prefix"):
        open_database('postgresql://user@127.0.0.1/db?prefix=a"; DROP')


def test_targets_are_told_apart() -> None:
    assert is_postgres("postgresql://h/db")
    assert is_postgres("postgres://h/db")
    assert not is_postgres("C:/users/journal.db")
    assert not is_postgres(Path("postgresql"))
    assert describe("postgres://h/db?prefix=x_") == "postgresql://h/db"


@pytest.mark.parametrize("url", ["postgresql://[::1", "postgresql://u:se/cret@h:x/db"])
def test_a_malformed_server_address_is_one_sentence_without_the_password(url: str) -> None:
    pytest.importorskip("psycopg2", reason=DRIVER)
    for act in (describe, open_database):
        with pytest.raises(JournalError, match="malformed") as caught:
            act(url)
        assert "cret" not in str(caught.value)
