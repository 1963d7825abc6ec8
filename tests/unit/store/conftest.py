"""Each store test runs on SQLite, and on PostgreSQL where a server is named."""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vnpy_aiagent.store.chain import Draft
from vnpy_aiagent.store.database import open_database
from vnpy_aiagent.store.journal import Journal
from vnpy_aiagent.store.models import tables_of


@pytest.fixture
def postgres() -> Iterator[str]:
    """A table prefix of its own on the server that AIAGENT_TEST_POSTGRES names."""
    server = os.environ.get("AIAGENT_TEST_POSTGRES")
    if not server:
        pytest.skip("set AIAGENT_TEST_POSTGRES to the URL of a PostgreSQL database to run this")
    url = f"{server}?prefix=t{uuid.uuid4().hex[:10]}_"
    yield url
    database = open_database(url)
    tables = tables_of(database)
    database.drop_tables([tables.journal, tables.inbox, tables.meta])
    database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for one new journal."""
    if request.param == "sqlite":
        return str(tmp_path / "journal.db")
    return str(request.getfixturevalue("postgres"))


@pytest.fixture
def journal(target: str) -> Iterator[Journal]:
    """An open journal."""
    with Journal.open(target, sync="OFF") as opened:
        yield opened


@pytest.fixture
def draft() -> Callable[..., Draft]:
    """Makes drafts: number n is caused by number n - 1."""

    def make(n: int, **changes: str | None) -> Draft:
        fields: dict[str, str | None] = {
            "id": f"run-{n:04}",
            "at": "2024-01-02T09:30:00+08:00",
            "kind": "PROPOSAL",
            "account": "judge",
            "cause": f"run-{n - 1:04}" if n > 1 else None,
            "body": f'{{"n":{n}}}',
        }
        return Draft(**{**fields, **changes})  # type: ignore[arg-type]

    return make
