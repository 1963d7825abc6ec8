"""Where the brain runs: inline, and in a spawned process that may die, without losing a request."""

import multiprocessing
import os
from collections.abc import Iterator
from queue import Queue
from threading import Event
from typing import Any

import pytest
from decision_world import request, snapshot

from vnpy_aiagent.brain.decide import Brain, BrainAnswer
from vnpy_aiagent.brain.runner import MAX_RESTARTS, BrainSetup, InlineRunner, ProcessRunner
from vnpy_aiagent.config import BrainSettings, BudgetSettings, LlmSettings
from vnpy_aiagent.domain import Action
from vnpy_aiagent.errors import ModelTimeout
from vnpy_aiagent.llm.offline import OfflineAnalyst
from vnpy_aiagent.testing.fake_model import FakeModel

SETUP = BrainSetup(LlmSettings(), BudgetSettings(), BrainSettings())
LONG = 60.0


@pytest.fixture
def troubles() -> Queue[str]:
    return Queue()


@pytest.fixture
def runner(troubles: Queue[str]) -> Iterator[ProcessRunner]:
    made = ProcessRunner(SETUP, "m", False, troubles.put)
    yield made
    made.close()


def test_the_inline_runner_answers_before_it_returns_and_closes_its_model() -> None:
    model = FakeModel([ModelTimeout("late")])
    runner, answers = InlineRunner(Brain(model, LlmSettings(), BrainSettings())), []
    runner.submit(request(), snapshot(), answers.append)
    assert answers[0].request_id == "r1-0000001"
    runner.close()
    assert model.closed


def test_the_process_decides_as_the_inline_brain_does_and_close_leaves_no_process(
    troubles: Queue[str],
) -> None:
    runner = ProcessRunner(SETUP, "m", False, troubles.put)
    answers: Queue[BrainAnswer] = Queue()
    for number in range(3):
        runner.submit(request(name=f"r{number}"), snapshot(), answers.put)
    got = [answers.get(timeout=LONG) for _ in range(3)]
    inline = Brain(OfflineAnalyst(), LlmSettings(), BrainSettings())
    assert got == [inline.decide(request(name=f"r{number}"), snapshot()) for number in range(3)]
    assert runner.pid != os.getpid()
    runner.close()
    assert not [child for child in multiprocessing.active_children() if child.pid == runner.pid]
    runner.submit(request(), snapshot(), answers.put)
    late = answers.get(timeout=LONG)
    assert all("not running" in proposal.abstained for proposal in late.proposals)
    assert troubles.empty()


def test_a_killed_brain_answers_what_was_open_with_hold_and_is_replaced(
    runner: ProcessRunner, troubles: Queue[str]
) -> None:
    answers: Queue[BrainAnswer] = Queue()
    first = runner.pid
    killed = next(child for child in multiprocessing.active_children() if child.pid == first)
    killed.kill()
    killed.join(LONG)
    runner.submit(request(), snapshot(), answers.put)
    held = answers.get(timeout=LONG)
    if held.proposals[0].abstained:  # else the request came after the replacement
        assert {proposal.action for proposal in held.proposals} == {Action.HOLD}
        assert "ended unexpectedly" in held.proposals[0].abstained
    assert "a new one was started" in troubles.get(timeout=LONG)
    assert runner.pid != first
    runner.submit(request(name="r2"), snapshot(), answers.put)
    assert not answers.get(timeout=LONG).proposals[0].abstained


class FakeConnection:
    """One end of a pipe whose other end is dead; writing to it can be made to block."""

    def __init__(self, gate: Event | None = None) -> None:
        self._gate = gate

    def send(self, job: Any) -> None:
        if self._gate is not None:
            self._gate.wait(LONG)
        raise BrokenPipeError

    def poll(self, timeout: float) -> bool:
        if self._gate is not None:
            self._gate.wait(LONG)
        raise EOFError

    def recv(self) -> Any:
        raise EOFError

    def close(self) -> None:
        pass


class FakeProcess:
    """A process that has ended."""

    pid = None

    def is_alive(self) -> bool:
        return False

    def join(self, timeout: float) -> None:
        pass

    def kill(self) -> None:
        pass


def test_a_brain_that_dies_again_and_again_is_given_up_and_every_request_still_answered(
    monkeypatch: pytest.MonkeyPatch, troubles: Queue[str]
) -> None:
    monkeypatch.setattr(ProcessRunner, "_launch", lambda self: (FakeConnection(), FakeProcess()))
    runner, answers = ProcessRunner(SETUP, "m", False, troubles.put), Queue[BrainAnswer]()
    told = [troubles.get(timeout=LONG) for _ in range(MAX_RESTARTS + 1)]
    assert "no new decisions until restart" in told[-1]
    runner.submit(request(), snapshot(), answers.put)
    assert all(proposal.abstained for proposal in answers.get(timeout=LONG).proposals)
    runner.close()


def test_submitting_never_waits_for_a_brain_that_does_not_read(
    monkeypatch: pytest.MonkeyPatch, troubles: Queue[str]
) -> None:
    gate = Event()
    monkeypatch.setattr(ProcessRunner, "_launch", lambda self: (FakeConnection(gate), FakeProcess()))
    runner, answers = ProcessRunner(SETUP, "m", False, troubles.put), Queue[BrainAnswer]()
    for number in range(5):
        runner.submit(request(name=f"r{number}"), snapshot(), answers.put)
    assert answers.empty()
    gate.set()
    got = {answers.get(timeout=LONG).request_id for _ in range(5)}
    assert got == {f"r{number}" for number in range(5)}
    runner.close()
    assert answers.empty()


def test_a_request_that_cannot_be_sent_holds_and_the_next_one_is_decided(
    runner: ProcessRunner, troubles: Queue[str]
) -> None:
    answers: Queue[BrainAnswer] = Queue()
    runner.submit(request(), snapshot(extra={"x": lambda: None}), answers.put)
    assert "cannot be sent" in answers.get(timeout=LONG).proposals[0].abstained
    runner.submit(request(name="r2"), snapshot(), answers.put)
    assert not answers.get(timeout=LONG).proposals[0].abstained
    assert troubles.empty()
