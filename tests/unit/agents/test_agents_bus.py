"""The bus: entries before events, and a guard that keeps the event thread alive."""

import json
from datetime import datetime
from typing import Any

import pytest
from vnpy.event import Event

from vnpy_aiagent.agents import Bus
from vnpy_aiagent.domain import MARKET_TZ, Alert, IdFactory, Note, Severity, Text, VirtualClock, say
from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.sim.event_engine import DeterministicEventEngine
from vnpy_aiagent.store.journal import Draft


class Writer:
    """Keeps drafts; can fail."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.broken = False

    def submit(self, draft: Draft, on_durable: Any = None) -> None:
        if self.broken:
            raise JournalError("the disk is full")
        self.drafts.append(draft)
        if on_durable is not None:
            on_durable(draft)


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def said() -> list[tuple[str, Severity]]:
    return []


@pytest.fixture
def bus(writer: Writer, said: list[tuple[str, Severity]]) -> Bus:
    events = DeterministicEventEngine()
    events.start()

    def say_log(sentence: Text, severity: Severity) -> None:
        said.append((sentence.render(), severity))

    clock = VirtualClock(datetime(2025, 3, 3, 10, tzinfo=MARKET_TZ))
    return Bus(events, writer, IdFactory("r1"), clock, say_log)  # type: ignore[arg-type]


def broken(_: object) -> None:
    raise ZeroDivisionError("broken on purpose")


def test_a_failing_handler_is_journaled_counted_told_and_the_next_handler_runs(
    bus: Bus, writer: Writer, said: list[tuple[str, Severity]]
) -> None:
    seen: list[object] = []
    bus.subscribe("eTest", broken)
    bus.subscribe("eTest", seen.append)
    bus.events.put(Event("eTest", "data"))
    bus.events.drain()  # type: ignore[attr-defined]
    assert seen == ["data"]
    assert bus.failures == 1
    assert [draft.kind for draft in writer.drafts] == ["HandlerFailed", "Alert"]
    body = json.loads(writer.drafts[0].body)
    assert (body["handler"], body["event"]) == ("broken", "eTest")
    assert body["error"].startswith("ZeroDivisionError: broken on purpose")
    [(sentence, severity)] = said
    assert severity is Severity.CRITICAL
    assert "eTest" in sentence
    assert "broken on purpose" in sentence


def test_a_journal_that_fails_too_does_not_end_the_event_thread(bus: Bus, writer: Writer) -> None:
    writer.broken = True
    bus.subscribe("eTest", broken)
    bus.events.put(Event("eTest"))
    bus.events.drain()  # type: ignore[attr-defined]
    assert bus.failures == 1


def test_a_message_is_in_the_journal_before_its_event_is_handled(bus: Bus, writer: Writer) -> None:
    seen: list[tuple[str, int]] = []
    bus.subscribe("eNote", lambda note: seen.append((note.id, len(writer.drafts))))
    first = bus.post(Note, "eNote", cause=None, title=say("a"), lines=())
    second = bus.post(Note, cause=first.id, title=say("b"), lines=())
    bus.events.drain()  # type: ignore[attr-defined]
    assert (first.id, second.id) == ("r1-0000001", "r1-0000002")
    assert second.cause == first.id
    assert seen == [(first.id, 2)]


def test_unsubscribing_leaves_no_handler_behind(bus: Bus) -> None:
    seen: list[object] = []
    bus.subscribe("eTest", seen.append)
    bus.unsubscribe_all()
    bus.events.put(Event("eTest", 1))
    bus.events.drain()  # type: ignore[attr-defined]
    assert seen == []


def test_an_alert_reaches_journal_event_and_log(
    bus: Bus, writer: Writer, said: list[tuple[str, Severity]]
) -> None:
    seen: list[Alert] = []
    bus.subscribe("eAiAlert", seen.append)
    bus.alert(Severity.WARNING, say("小心 {what}", what="x"), account="judge")
    bus.events.drain()  # type: ignore[attr-defined]
    assert [alert.account for alert in seen] == ["judge"]
    assert [draft.kind for draft in writer.drafts] == ["Alert"]
    assert said == [("小心 x", Severity.WARNING)]
