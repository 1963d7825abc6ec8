"""approve, refuse, take-over and hand-back: on a running system, and the refusal at rest."""

import json
from pathlib import Path
from typing import Any

import pytest

from vnpy_aiagent.store.journal import Journal, verify

from .conftest import Call
from .test_cli_control import running

ASKED = {
    "id": "r1-0000042",
    "account": "judge",
    "side": "BUY",
    "symbol": "600519.SSE",
    "volume": 100,
    "price": "1500.00",
    "lapses_at": "2025-03-03T10:01:00+08:00",
}


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal.db"
    Journal.open(path, owner="test").close()
    return path


@pytest.mark.parametrize(
    ("arguments", "asked", "answer", "shown"),
    [
        (("approve", "r1-42"), "approve {'approval': 'r1-42'}", {"approved": True}, "done by the running"),
        (
            ("refuse", "r1-42", "--reason", "no"),
            "refuse {'approval': 'r1-42', 'reason': 'no'}",
            {"refused": True},
            "done by the running",
        ),
        (
            ("take-over", "judge", "600519.SSE"),
            "take_over {'account': 'judge', 'symbol': '600519.SSE'}",
            {"volume": 100},
            "take-over: done, 100 shares",
        ),
        (
            ("hand-back", "judge", "600519.SSE", "--stop", "1400"),
            "hand_back {'account': 'judge', 'stop': '1400', 'symbol': '600519.SSE'}",
            {"volume": 100},
            "hand-back: done, 100 shares",
        ),
        (
            ("settle-order", "r1-42", "--order", "XTP.7"),
            "settle_order {'intent': 'r1-42', 'order': 'XTP.7'}",
            {"adopted": True},
            "settle-order: done by the running",
        ),
        (
            ("settle-order", "r1-42", "--none"),
            "settle_order {'intent': 'r1-42', 'order': ''}",
            {"adopted": False},
            "settle-order: done by the running",
        ),
    ],
)
def test_the_running_system_gets_it_and_its_answer_is_shown(
    call: Call, journal: Path, arguments: tuple[str, ...], asked: str, answer: dict[str, Any], shown: str
) -> None:
    with running(journal, lambda command: answer) as heard:
        people = call(*arguments, "--journal", journal)
        machine = call(*arguments, "--journal", journal, "--json")
    assert heard[0] == f"{asked} aiagent"
    assert people.code == machine.code == 0
    assert shown in people.out
    assert answer.items() <= json.loads(machine.out).items()


@pytest.mark.parametrize(("command", "answer"), [("approve", "approved"), ("refuse", "refused")])
def test_an_answer_that_came_too_late_is_exit_code_1(
    call: Call, journal: Path, command: str, answer: str
) -> None:
    with running(journal, lambda _: {answer: False}):
        people = call(command, "r1-42", "--journal", journal)
        machine = call(command, "r1-42", "--journal", journal, "--json")
    assert (people.code, machine.code) == (1, 1)
    assert "waits no longer" in people.out


@pytest.mark.parametrize(
    "arguments",
    [("approve", "x"), ("refuse", "x"), ("take-over", "judge", "x"), ("hand-back", "judge", "x")],
)
def test_at_rest_it_is_refused_with_what_to_do(call: Call, journal: Path, arguments: tuple[str, ...]) -> None:
    before = verify(journal)
    found = call(*arguments, "--journal", journal)
    assert found.code == 1
    assert "start it, then give the command again" in found.out
    assert verify(journal) == before


def test_status_shows_what_waits_and_what_people_took_over(call: Call, journal: Path) -> None:
    account = {
        "name": "judge",
        "style": "JUDGE",
        "cash": 1.0,
        "positions": {"600519.SSE": 100},
        "external": {"600519.SSE": 100},
    }
    status = {
        "state": "ACTIVE",
        "paused": False,
        "mode": "PAPER",
        "running": True,
        "agents": {},
        "accounts": [account],
        "alerts": [],
        "approvals": [ASKED],
    }
    with running(journal, lambda command: status):
        lines = call("status", "--journal", journal).out
    assert "taken over by people: 600519.SSE 100" in lines
    assert "? r1-0000042 judge buy 600519.SSE 100 at 1500.00 CNY" in lines
    assert "aiagent approve r1-0000042" in lines


def test_status_at_rest_has_the_same_keys(call: Call, journal: Path) -> None:
    found = json.loads(call("status", "--journal", journal, "--json").out)
    assert (found["approvals"], found["slips"]) == ([], [])


def test_a_halt_with_bytes_that_are_no_text_reaches_the_running_system(call: Call, journal: Path) -> None:
    reason = "券商故障".encode("gbk").decode("utf-8", "surrogateescape")
    with running(journal, lambda _: {}) as heard:
        people = call("halt", "--reason", reason, "--journal", journal)
    assert people.code == 0
    assert len(heard) == 1
    assert "\ufffd" in heard[0]


def test_a_halt_at_rest_with_bytes_that_are_no_text_is_journaled(call: Call, journal: Path) -> None:
    assert call("halt", "--reason", "故障\udcff", "--journal", journal).code == 0
    assert verify(journal).entries == 2


@pytest.mark.parametrize("more", [(), ("--order", "XTP.7", "--none")])
def test_what_became_of_an_order_is_said_in_one_way(call: Call, journal: Path, more: tuple[str, ...]) -> None:
    assert "either --order" in call("settle-order", "r1-42", *more, "--journal", journal).refusal
