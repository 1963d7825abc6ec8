"""The controls on a stopped system, and on one that answers, refuses or stays silent."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from vnpy_aiagent.cli import control
from vnpy_aiagent.store.database import close_database, open_database
from vnpy_aiagent.store.inbox import Inbox
from vnpy_aiagent.store.journal import Journal, JournalReader, verify

from .conftest import Call

Answers = Callable[[str], Any]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@contextmanager
def running(journal: Path, answers: Answers | None) -> Iterator[list[str]]:
    """Somebody holds the journal and answers commands (None: reads none); the value is what was asked."""
    held = Journal.open(journal, owner="the running system")
    database = open_database(str(journal))
    inbox, asked, stop = Inbox(database), list[str](), threading.Event()

    def serve() -> None:
        while answers is not None and not stop.wait(0.01):
            for command in inbox.take():
                asked.append(f"{command.command} {dict(command.args)} {command.by}")
                inbox.done(command.id, json.dumps(answers(command.command)))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield asked
    finally:
        stop.set()
        thread.join()
        close_database(database)
        held.close()


def waiting(journal: Path) -> list[str]:
    """Commands that the next run will find."""
    database = open_database(str(journal))
    try:
        return [command.command for command in Inbox(database).take()]
    finally:
        close_database(database)


def test_a_halt_at_rest_stays_and_says_who_and_why(call: Call, journal: Path) -> None:
    assert (
        call("halt", "--reason", "午休", "--journal", journal).out == "HALTED (AI paused)  PAPER  stopped\n"
    )
    assert json.loads(call("status", "--journal", journal, "--json").out)["state"] == "HALTED"
    with JournalReader.open(journal) as reader:
        taken, changed = reader.read()
    assert (taken.kind, changed.kind, changed.cause) == ("CommandTaken", "StateChanged", taken.id)
    assert (json.loads(changed.body)["reason"], json.loads(changed.body)["by"]) == ("午休", "aiagent")


def test_a_pause_at_rest_keeps_the_state_and_a_resume_lifts_both(call: Call, journal: Path) -> None:
    call("halt", "--reason", "x", "--journal", journal)
    assert call("pause", "--journal", journal).out.startswith("HALTED (AI paused)")
    assert call("resume", "--journal", journal).out == "ACTIVE  PAPER  stopped\n"
    assert verify(journal).ok


def test_a_flatten_at_rest_waits_for_the_next_run_until_a_resume_takes_it_back(
    call: Call, journal: Path
) -> None:
    assert json.loads(call("flatten", "--journal", journal, "--json").out)["state"] == "REDUCING"
    assert waiting(journal) == ["flatten"]
    call("resume", "--journal", journal)
    assert waiting(journal) == []


def test_status_at_rest_writes_nothing(call: Call, journal: Path) -> None:
    call("pause", "--journal", journal)
    before = verify(journal)
    assert call("status", "--journal", journal).code == 0
    assert verify(journal) == before


def test_status_of_a_mistyped_journal_is_refused_and_makes_no_file(call: Call, tmp_path: Path) -> None:
    assert "there is no journal at" in call("status", "--journal", tmp_path / "typo.db").refusal
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["status", "pause", "resume", "flatten"])
def test_a_folder_or_another_file_is_no_journal(call: Call, tmp_path: Path, command: str) -> None:
    (tmp_path / "notes.txt").write_text("these are my notes\n" * 200, encoding="utf-8")
    assert call(command, "--journal", tmp_path).refusal
    assert call(command, "--journal", tmp_path / "notes.txt").refusal
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "these are my notes\n" * 200


def test_a_running_system_gets_the_command_and_its_answer_is_shown(call: Call, journal: Path) -> None:
    with running(journal, lambda command: "ok") as asked:
        people = call("halt", "--reason", "fire", "--journal", journal)
        machine = call("pause", "--journal", journal, "--json")
    assert asked == ["halt {'reason': 'fire'} aiagent", "pause {} aiagent"]
    assert people == (0, "halt: done by the running system\n", "")
    assert json.loads(machine.out) == {"command": "pause", "running": True, "result": "ok"}


def test_what_a_running_system_cannot_sell_now_is_listed(call: Call, journal: Path) -> None:
    with running(journal, lambda command: {"locked": ["judge 600519.SSE 100"]}):
        people = call("flatten", "--journal", journal)
        machine = json.loads(call("flatten", "--journal", journal, "--json").out)
    assert people.out.splitlines()[0] == "flatten: done by the running system"
    assert "judge 600519.SSE 100" in people.out.splitlines()[1]
    assert (machine["running"], machine["locked"]) == (True, ["judge 600519.SSE 100"])


def test_the_status_of_a_running_system_is_passed_on_as_it_is(call: Call, journal: Path) -> None:
    account = {"name": "judge", "style": "JUDGE", "cash": 1234.5, "positions": {"600519.SSE": 100}}
    status = {
        "state": "ACTIVE",
        "paused": False,
        "mode": "PAPER",
        "running": True,
        "agents": {"RISK": "IDLE"},
        "accounts": [account],
        "alerts": ["look here"],
        "paper_guard": {"on": True, "gateways": ["CTP", "QUOTE"], "refused": 2},
    }
    with running(journal, lambda command: status):
        assert json.loads(call("status", "--journal", journal, "--json").out) == status
        people = call("status", "--journal", journal).out
    assert people.splitlines()[0] == "ACTIVE  PAPER  running"
    assert "1,234.50 CNY   600519.SSE 100" in people
    assert "! look here" in people
    assert "no real orders: gateways held back: CTP, QUOTE; orders refused: 2" in people


def test_a_refusal_by_the_running_system_is_exit_code_1(call: Call, journal: Path) -> None:
    with running(journal, lambda command: {"error": "TradingHalted: only a person may"}):
        people = call("resume", "--journal", journal)
        machine = call("resume", "--journal", journal, "--json")
    assert (people.code, machine.code) == (1, 1)
    assert people.out == "resume: TradingHalted: only a person may\n"
    assert json.loads(machine.out)["error"] == "TradingHalted: only a person may"


def test_a_silent_system_is_reported_and_the_command_stays_in_its_inbox(
    call: Call, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "ANSWER_SECONDS", 0.2)
    with running(journal, None):
        refused = call("halt", "--reason", "x", "--journal", journal).refusal
    assert "did not answer" in refused
    assert waiting(journal) == ["halt"]


def test_a_mode_of_the_settings_is_never_turned_into_another(call: Call, tmp_path: Path) -> None:
    config = tmp_path / "live.yaml"
    config.write_text(
        "mode: LIVE\nlive: {capital_limit: 10000, allowlist: [600519.SSE]}\nuniverse: [600519.SSE]\n",
        encoding="utf-8",
    )
    refusal = call("run", "--config", config, "--headless", "--seconds", 1).refusal
    assert "not ready for mode LIVE" in refusal
    assert "needs a section `live`" in call("run", "--mode", "live", "--headless").refusal


def test_the_status_is_chinese_for_chinese_users(
    call: Call, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIAGENT_LANGUAGE", "zh")
    assert call("halt", "--reason", "午休", "--journal", journal).out == "HALTED（AI 暂停）  PAPER  未运行\n"
    with running(journal, lambda command: {"locked": ["judge 600519.SSE 100"]}):
        people = call("flatten", "--journal", journal).out.splitlines()
    assert people == ["flatten: 运行中的系统已执行", "  现在不能卖，有机会即卖：judge 600519.SSE 100"]
