"""What paper running starts from: a brain that knows what the journal says was spent today."""

import sqlite3
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from vnpy_aiagent.brain.runner import ProcessRunner
from vnpy_aiagent.config import load_settings
from vnpy_aiagent.domain import MARKET_TZ, Decision, Mode, TokenUsage, VirtualClock
from vnpy_aiagent.errors import JournalCorrupt
from vnpy_aiagent.llm.budget import DayUse
from vnpy_aiagent.llm.port import Usage
from vnpy_aiagent.store.journal import Draft, Journal
from vnpy_aiagent.wiring import live_parts

NOW = datetime(2025, 7, 2, 10, 0, tzinfo=MARKET_TZ)


class NoProcess:
    """A process that was not started, and its pipe."""

    pid = None

    def is_alive(self) -> bool:
        return False

    def join(self, timeout: float) -> None:
        pass

    def poll(self, timeout: float) -> bool:
        return False

    def send(self, job: Any) -> None:
        pass

    def close(self) -> None:
        pass


def decision() -> Decision:
    usage = TokenUsage(calls=9, prompt_tokens=900, completion_tokens=90, cost=Decimal("1.5"))
    return Decision(
        id="r1-1", at=NOW, request_id="r1-0", symbol="600519.SSE", model="m", is_llm=True,
        evidence=(), findings=(), debate=(), lessons=(), prompt_hash="", usage=usage,
        failures=("ModelTimeout: slow",),
    )  # fmt: skip


def test_a_restart_of_the_app_does_not_forget_what_models_cost_today(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, made = Journal.open(tmp_path / "journal.db"), decision()
    journal.append(
        [Draft(made.id, made.at.isoformat(), made.kind, "", None, made.model_dump_json())], wall=""
    )
    journal.close()
    told: list[DayUse | None] = []

    def launch(runner: ProcessRunner) -> tuple[NoProcess, NoProcess]:
        told.append(runner._spent)
        return NoProcess(), NoProcess()

    monkeypatch.setattr(ProcessRunner, "_launch", launch)
    settings = load_settings(
        mode=Mode.PAPER,
        store={"journal": str(tmp_path / "journal.db")},
        llm={"base_url": "https://127.0.0.1:9/v1", "model": "m", "api_key": "k"},
    )
    parts = live_parts(None, settings, VirtualClock(NOW))  # type: ignore[arg-type]
    use = Usage(calls=9, prompt_tokens=900, completion_tokens=90, cost=Decimal("1.5"))
    assert told == [DayUse(NOW.date(), use)]
    parts.runner.close()
    assert parts.writer.close()


@pytest.mark.parametrize(
    "harm", ["update journal_entry set body='{}' where seq=2", "delete from journal_entry where seq=2"]
)
def test_a_journal_that_was_tampered_with_is_not_started_from(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "journal.db"
    journal = Journal.open(path)
    journal.append([Draft(f"x{n}", NOW.isoformat(), "Note", "", None, f'{{"n": {n}}}') for n in range(3)])
    journal.close()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(harm)
    settings = load_settings(mode=Mode.PAPER, store={"journal": str(path)})
    with pytest.raises(JournalCorrupt, match=r"from entry 2 on: .*aiagent journal verify"):
        live_parts(None, settings, VirtualClock(NOW))  # type: ignore[arg-type]
    Journal.open(path).close()  # the lease was given back
