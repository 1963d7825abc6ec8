"""A journal that is deleted, replaced or cut short under its writer is noticed, and no row is lost."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from vnpy_aiagent.errors import JournalLost
from vnpy_aiagent.store import presence as presence_module
from vnpy_aiagent.store.journal import Draft, Journal, verify
from vnpy_aiagent.store.presence import FilePresence
from vnpy_aiagent.store.writer import JournalWriter

Make = Callable[..., Draft]
SOON = 30.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    return path


def replace(path: Path) -> None:
    copy = path.with_name("copy")
    shutil.copyfile(path, copy)
    os.replace(copy, path)


TAKEN_AWAY: dict[str, Callable[[Path], object]] = {
    "deleted": lambda path: path.unlink(),
    "replaced": replace,
    "cut short": lambda path: path.write_bytes(b"1234"),
}


def test_a_file_that_stays_or_grows_is_present(file: Path) -> None:
    presence = FilePresence(file)
    presence.check()
    file.write_bytes(b"123456789")
    presence.check()
    file.write_bytes(b"123456")
    with pytest.raises(JournalLost, match="cut short"):
        presence.check()


@pytest.mark.parametrize("how", TAKEN_AWAY)
def test_a_file_that_was_taken_away_is_missed(file: Path, how: str) -> None:
    presence = FilePresence(file)
    TAKEN_AWAY[how](file)
    with pytest.raises(JournalLost, match="put the file back"):
        presence.check()


def test_without_file_numbers_existence_and_length_decide(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unnumbered(path: Path) -> SimpleNamespace:
        return SimpleNamespace(st_dev=0, st_ino=0, st_size=os.stat(path).st_size)

    monkeypatch.setattr(presence_module, "os", SimpleNamespace(stat=unnumbered))
    presence = FilePresence(file)
    replace(file)
    presence.check()
    file.unlink()
    with pytest.raises(JournalLost):
        presence.check()


def test_a_deleted_journal_fails_each_commit_until_it_is_back_and_then_gets_every_row(
    tmp_path: Path, draft: Make
) -> None:
    path, aside = tmp_path / "journal.db", tmp_path / "aside.db"
    errors: list[tuple[type[Exception], int]] = []
    writer = JournalWriter(
        Journal.open(path, sync="OFF"),
        on_error=lambda error, attempt: errors.append((type(error), attempt)),
        backoff=(0.001, 0.01),
    )
    durable: list[str] = []
    writer.submit(draft(1), lambda row: durable.append(row.id))
    assert writer.flush(SOON)
    os.rename(path, aside)
    writer.submit(draft(2), lambda row: durable.append(row.id))
    assert not writer.flush(0.1)
    assert durable == ["run-0001"]
    assert errors[0] == (JournalLost, 1)
    assert not path.exists(), "no new file may appear in its place"
    os.rename(aside, path)
    assert writer.flush(SOON)
    assert writer.close()
    assert (verify(path).ok, verify(path).entries) == (True, 2)
