"""The cache: an answer with its provenance, exactly as it was, for some days."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from vnpy_aiagent.data.sources.cache import AnswerCache, Kept, request_key
from vnpy_aiagent.data.sources.notebook import SourceNotebook
from vnpy_aiagent.errors import DataError

from .fakes import NOW


def kept(source: str = "a", request: str = "r", payload: object = None, days: float = 0) -> Kept:
    return Kept(
        source, request, NOW + timedelta(days=days), NOW - timedelta(hours=1), {"vol": "share"}, payload
    )


def test_an_answer_comes_back_as_it_was(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path / "a" / "sources.db")
    assert cache.get("a", "r") is None
    assert not (tmp_path / "a").exists(), "reading writes nothing"
    answer = kept(payload=[[1, 0.1 + 0.2, None, "贵州茅台"], {"x": []}])
    cache.put(answer)
    assert cache.get("a", "r") == answer
    assert cache.get("b", "r") is cache.get("a", "s") is None


def test_the_last_answer_to_a_request_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path / "sources.db")
    cache.put(kept(payload=1))
    cache.put(kept(payload=2, days=1))
    found = cache.get("a", "r")
    assert found is not None
    assert found.payload == 2


def test_freshness_has_two_ends() -> None:
    answer = kept()
    assert answer.is_fresh(NOW + timedelta(days=7), 7)
    assert not answer.is_fresh(NOW + timedelta(days=7, seconds=1), 7)
    assert not answer.is_fresh(NOW - timedelta(seconds=1), 7), "a clock set back"


def test_what_is_very_old_is_dropped(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path / "sources.db")
    cache.put(kept(request="old"))
    cache.put(kept(request="new", days=91))
    assert cache.get("a", "old") is None
    assert cache.get("a", "new") is not None


def test_what_is_no_json_is_refused_and_a_damaged_row_too(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path / "sources.db")
    with pytest.raises(ValueError, match="Out of range"):
        cache.put(kept(payload=float("nan")))
    (tmp_path / "sources.db").write_bytes(b"x" * 4_096)
    with pytest.raises(DataError, match="delete the file"):
        cache.get("a", "r")


def test_a_key_does_not_depend_on_the_order_of_its_parts() -> None:
    assert request_key(b=1, a="x") == request_key(a="x", b=1) != request_key(a="x", b=2)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("payload", "text"),
        ("payload", b"x"),
        ("units", "{"),
        ("fetched_at", "2026-01-05T10:00:00"),
        ("available_at", 5),
    ],
)
def test_a_damaged_column_is_a_data_error(tmp_path: Path, column: str, value: object) -> None:
    cache = AnswerCache(tmp_path / "sources.db")
    cache.put(kept(payload=[[1, 2]]))
    with closing(sqlite3.connect(cache.path)) as database, database:
        database.execute(f"UPDATE answers SET {column} = ?", (value,))
    with pytest.raises(DataError, match="delete the file"):
        cache.get("a", "r")


@pytest.mark.parametrize("state", ['{"other": 1}', "[1]", "5", "{"])
def test_a_damaged_note_is_a_data_error(tmp_path: Path, state: str) -> None:
    notebook = SourceNotebook(tmp_path / "sources.db")
    notebook.note_health([], NOW)
    with closing(sqlite3.connect(notebook.path)) as database, database:
        database.execute("INSERT INTO health VALUES ('a', ?, ?)", (NOW.isoformat(), state))
    with pytest.raises(DataError, match="delete the file"):
        notebook.health()
