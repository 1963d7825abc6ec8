"""The chaos run's own comparison: each thing that may go wrong is noticed."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.ledger_check import Ledger
from vnpy_aiagent.store.journal import Draft, Journal

DAY, AT = "2025-10-13", "2025-10-13T09:40:00+08:00"


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    """A journal's ledger after one order of 300 shares that was filled in two parts."""
    journal = Journal.open(tmp_path / "journal.db")
    journal.append([Draft("r1-0", AT, "RunStarted", "", None, "{}")])
    journal.close()
    ledger = Ledger(tmp_path / "journal.db")
    ledger.read()
    ledger.parents = {"r1-1": 300}
    ledger.intents = {"r1-2": {"id": "r1-2"}}
    ledger.sent = {"r1-2": ["REMOTE.o1"]}
    ledger.ended = {"r1-2"}
    ledger.fills = [(DAY, "o1", "t1", 100, Decimal("7.3")), (DAY, "o1", "t2", 200, Decimal("7.31"))]
    ledger.filled["r1-1"] = 300
    yield ledger
    ledger.close()


def exchange() -> dict[str, Any]:
    return {
        "cash": "997803.00",
        "holdings": {"601398.SSE": 300},
        "working": [],
        "orders": {"o1": {}},
        "trades": [[DAY, "o1", "t1", 100, "7.3"], [DAY, "o1", "t2", 200, "7.31"]],
        "requests": ["r1-1/1"],
    }


def app() -> dict[str, Any]:
    return {
        "state": "ACTIVE",
        "cash": "997803.00",
        "positions": {"601398.SSE": 300},
        "managed": ["601398.SSE"],
        "stops": {"601398.SSE": "ARMED"},
        "open": [],
        "flushed": True,
    }


def test_what_agrees_is_settled(ledger: Ledger) -> None:
    finding = ledger.compare(exchange(), app(), halted=False)
    assert finding.problems == []
    assert not any(finding.counts.values())


Harm = Callable[[Ledger, dict[str, Any], dict[str, Any]], Any]


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda book, venue, app: book.fills.pop(), "fills lost"),
        (lambda book, venue, app: book.fills.append(book.fills[0]), "booked twice"),
        (lambda book, venue, app: venue["trades"].pop(), "not the exchange's"),
        (lambda book, venue, app: venue["orders"].update(o2={}), "that no intent owns"),
        (lambda book, venue, app: venue["requests"].append("r1-1/1"), "sent twice under one reference"),
        (lambda book, venue, app: book.sent["r1-2"].append("REMOTE.o2"), "of an intent with another one"),
        (lambda book, venue, app: book.sent.update({"r1-3": ["REMOTE.o1"]}), "owned by two intents"),
        (lambda book, venue, app: venue["working"].append("o1"), "work at the exchange and not in the app"),
        (lambda book, venue, app: app["open"].append(["r1-2", "SENT", ["REMOTE.o1"]]), "not at the exchange"),
        (lambda book, venue, app: app.update(cash="997803.01"), "cash"),
        (lambda book, venue, app: app["positions"].clear(), "positions: book"),
        (lambda book, venue, app: book.adjusted.append("CashAdjusted"), "adjustments of the book"),
        (lambda book, venue, app: app["stops"].clear(), "without a protective stop"),
        (lambda book, venue, app: app.update(state="HALTED"), "state HALTED after ACTIVE"),
        (lambda book, venue, app: app.update(flushed=False), "was not written"),
        (lambda book, venue, app: book.failed.append("handler: error"), "handlers failed"),
        (lambda book, venue, app: book.filled.update({"r1-1": 100}), "more was filled than approved"),
        (lambda book, venue, app: book.open_after_kill.update({"r1-9": "before send"}), "nobody was told"),
    ],
)
def test_each_disagreement_is_found(ledger: Ledger, harm: Harm, words: str) -> None:
    venue, told = exchange(), app()
    harm(ledger, venue, told)
    problems = ledger.compare(venue, told, halted=False).problems
    assert any(words in problem for problem in problems), problems


def test_a_halt_that_did_not_survive_is_found(ledger: Ledger) -> None:
    problems = ledger.compare(exchange(), app(), halted=True).problems
    assert problems == ["state ACTIVE after HALTED"]


def test_a_journal_that_was_changed_is_found(ledger: Ledger) -> None:
    import sqlite3

    database = sqlite3.connect(ledger.path)
    with database:
        database.execute("update journal_entry set body = '{\"changed\": 1}'")
    database.close()
    problems = ledger.compare(exchange(), app(), halted=False).problems
    assert any("does not verify" in problem for problem in problems)


def test_an_open_fate_is_counted_once_as_told_and_once_as_settled(ledger: Ledger) -> None:
    ledger.open_after_kill["r1-9"] = "before send"
    ledger.alarmed.add("r1-9")
    told = app()
    told["open"] = [["r1-9", "UNKNOWN", []]]
    first, second = (ledger.compare(exchange(), told, halted=False) for _ in range(2))
    ledger.ended.add("r1-9")
    last = ledger.compare(exchange(), app(), halted=False)
    assert [finding.fates for finding in (first, second, last)] == [
        [("before send", "told first")],
        [],
        [("before send", "never sent")],
    ]
