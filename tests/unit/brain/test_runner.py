"""Where the brain runs: inline, and in a spawned process that may die, without losing a request."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from queue import Queue
from threading import Event
from time import monotonic, sleep
from typing import Any

import pytest
from decision_world import NOW, request, snapshot

from vnpy_aiagent.brain import runner as runner_module
from vnpy_aiagent.brain.build import BrainSetup
from vnpy_aiagent.brain.decide import Brain, BrainAnswer, failed_answer
from vnpy_aiagent.brain.runner import MAX_RESTARTS, InlineRunner, ProcessRunner
from vnpy_aiagent.config import BrainSettings, BudgetSettings, LlmSettings
from vnpy_aiagent.domain import Action, AnalysisRequest, Text, TokenUsage, VirtualClock, say
from vnpy_aiagent.errors import ModelTimeout
from vnpy_aiagent.llm.budget import DayUse
from vnpy_aiagent.llm.offline import OfflineAnalyst
from vnpy_aiagent.llm.port import Usage
from vnpy_aiagent.testing.fake_model import FakeModel
from vnpy_aiagent.testing.model_server import closed_port_url

SETUP = BrainSetup(LlmSettings(), BudgetSettings(), BrainSettings(concurrency=1))
CLOCK = VirtualClock(NOW)
LONG = 60.0


@pytest.fixture
def troubles() -> Queue[Text]:
    return Queue()


@pytest.fixture
def runner(troubles: Queue[Text]) -> Iterator[ProcessRunner]:
    made = ProcessRunner(SETUP, "m", False, troubles.put, CLOCK)
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
    troubles: Queue[Text],
) -> None:
    runner = ProcessRunner(SETUP, "m", False, troubles.put, CLOCK)
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
    runner: ProcessRunner, troubles: Queue[Text]
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
    assert troubles.get(timeout=LONG) == say("决策进程意外退出，已启动新进程")
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


class DeadPipe(FakeConnection):
    """The pipe of a process that dies when the test says so, and is closed thereafter."""

    def __init__(self) -> None:
        super().__init__()
        self.may_die = Event()

    def poll(self, timeout: float) -> bool:
        if self.may_die.wait(timeout):
            raise OSError("handle is closed")
        return False


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
    monkeypatch: pytest.MonkeyPatch, troubles: Queue[Text]
) -> None:
    monkeypatch.setattr(ProcessRunner, "_launch", lambda self: (FakeConnection(), FakeProcess()))
    runner, answers = ProcessRunner(SETUP, "m", False, troubles.put, CLOCK), Queue[BrainAnswer]()
    told = [troubles.get(timeout=LONG) for _ in range(MAX_RESTARTS + 1)]
    assert told[-1].figures == {"count": str(MAX_RESTARTS)}
    assert "没有新决策" in str(told[-1])
    runner.submit(request(), snapshot(), answers.put)
    assert all(proposal.abstained for proposal in answers.get(timeout=LONG).proposals)
    runner.close()


@pytest.mark.parametrize("failures", [1, MAX_RESTARTS])
def test_a_brain_that_cannot_be_started_again_is_tried_until_the_limit(
    monkeypatch: pytest.MonkeyPatch, troubles: Queue[Text], failures: int
) -> None:
    """The first process dies; the system refuses new ones `failures` times."""
    monkeypatch.setattr(runner_module, "RETRY_SECONDS", 0.001)
    dead, pipe = DeadPipe(), Pipe()
    script: list[Any] = [dead, *[OSError("no memory")] * failures, pipe]

    def launch(runner: ProcessRunner) -> tuple[Any, FakeProcess]:
        step = script.pop(0)
        if isinstance(step, OSError):
            raise step
        return step, FakeProcess()

    monkeypatch.setattr(ProcessRunner, "_launch", launch)
    runner, answers = ProcessRunner(SETUP, "m", False, troubles.put, CLOCK), Queue[BrainAnswer]()
    waits = runner._listener
    dead.may_die.set()
    told = [str(troubles.get(timeout=LONG)) for _ in range(failures + 1)]
    assert ["OSError: no memory" in text for text in told] == [True] * failures + [False]
    runner.submit(request(), snapshot(), answers.put)
    abstained = answers.get(timeout=LONG).proposals[0].abstained
    if failures < MAX_RESTARTS:
        assert waits.is_alive()
        assert "late" in abstained  # the new process answered
    else:
        assert "没有新决策" in told[-1]
        assert "not running" in abstained
    runner.close()


def test_submitting_never_waits_for_a_brain_that_does_not_read(
    monkeypatch: pytest.MonkeyPatch, troubles: Queue[Text]
) -> None:
    gate = Event()
    monkeypatch.setattr(ProcessRunner, "_launch", lambda self: (FakeConnection(gate), FakeProcess()))
    runner, answers = ProcessRunner(SETUP, "m", False, troubles.put, CLOCK), Queue[BrainAnswer]()
    for number in range(5):
        runner.submit(request(name=f"r{number}"), snapshot(), answers.put)
    assert answers.empty()
    gate.set()
    got = {answers.get(timeout=LONG).request_id for _ in range(5)}
    assert got == {f"r{number}" for number in range(5)}
    runner.close()
    assert answers.empty()


def test_a_request_that_cannot_be_sent_holds_and_the_next_one_is_decided(
    runner: ProcessRunner, troubles: Queue[Text]
) -> None:
    answers: Queue[BrainAnswer] = Queue()
    runner.submit(request(), snapshot(extra={"x": lambda: None}), answers.put)
    assert "cannot be sent" in answers.get(timeout=LONG).proposals[0].abstained
    runner.submit(request(name="r2"), snapshot(), answers.put)
    assert not answers.get(timeout=LONG).proposals[0].abstained
    assert troubles.empty()


class Pipe:
    """A brain in the same process: answers what `answer` makes of a request when the gate is open."""

    def __init__(self, gate: Event | None = None, dies_after: int | None = None) -> None:
        self.jobs: Queue[Any] = Queue()
        self.sent: list[str] = []
        self._gate, self._left = gate, dies_after

    def send(self, job: Any) -> None:
        if job is not None:
            self.sent.append(job[0].id)
            self.jobs.put(job)

    def poll(self, timeout: float) -> bool:
        if self._left == 0 and self.sent:
            raise EOFError
        if self._gate is not None and not self._gate.wait(timeout):
            return False
        return not self.jobs.empty()

    def recv(self) -> BrainAnswer:
        asked, view = self.jobs.get_nowait()
        if self._left is not None:
            self._left -= 1
        answer = failed_answer(asked, view, "m", True, ModelTimeout("late"))
        usage = TokenUsage(calls=3, prompt_tokens=100, cost=Decimal("0.5"))
        return replace(answer, decision=answer.decision.model_copy(update={"usage": usage}))

    def close(self) -> None:
        pass


class Launcher:
    """Stands in for starting a process; keeps the setups that each one got."""

    def __init__(self, *pipes: Pipe) -> None:
        self.pipes = list(pipes)
        self.spent: list[DayUse | None] = []

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def launch(runner: ProcessRunner) -> tuple[Pipe, FakeProcess]:
            self.spent.append(runner._spent)
            return self.pipes.pop(0), FakeProcess()

        monkeypatch.setattr(ProcessRunner, "_launch", launch)


def late(name: str) -> AnalysisRequest:
    return request(name=name).model_copy(update={"deadline": NOW - timedelta(seconds=1)})


def test_a_queued_request_past_its_deadline_is_answered_while_another_is_at_work(
    monkeypatch: pytest.MonkeyPatch, troubles: Queue[Text]
) -> None:
    gate, clock = Event(), VirtualClock(NOW)
    pipe = Pipe(gate)
    launcher = Launcher(pipe)
    launcher.install(monkeypatch)
    runner, answers = ProcessRunner(SETUP, "m", False, troubles.put, clock), Queue[BrainAnswer]()
    for number in range(3):
        runner.submit(request(name=f"r{number}"), snapshot(), answers.put)
    _until(lambda: pipe.sent == ["r0"])
    clock.set(NOW + timedelta(minutes=11))
    dropped = [answers.get(timeout=LONG) for _ in range(2)]
    assert {answer.request_id for answer in dropped} == {"r1", "r2"}
    assert all("RequestExpired" in p.abstained for answer in dropped for p in answer.proposals)
    gate.set()
    assert answers.get(timeout=LONG).request_id == "r0"
    assert pipe.sent == ["r0"]
    runner.close()


def test_a_request_that_is_late_already_is_never_sent(
    monkeypatch: pytest.MonkeyPatch, troubles: Queue[Text]
) -> None:
    pipe = Pipe()
    launcher = Launcher(pipe)
    launcher.install(monkeypatch)
    runner, answers = ProcessRunner(SETUP, "m", False, troubles.put, CLOCK), Queue[BrainAnswer]()
    runner.submit(late("r1"), snapshot(), answers.put)
    assert "RequestExpired" in answers.get(timeout=LONG).proposals[0].abstained
    assert pipe.sent == []
    runner.close()


def test_a_new_process_is_told_what_was_spent_today_before_the_start_and_since(
    monkeypatch: pytest.MonkeyPatch, troubles: Queue[Text]
) -> None:
    before = DayUse(NOW.date(), Usage(calls=7, cost=Decimal(4)))
    launcher = Launcher(Pipe(dies_after=2), Pipe())
    launcher.install(monkeypatch)
    setup = replace(SETUP, spent=before)
    runner, answers = ProcessRunner(setup, "m", True, troubles.put, CLOCK), Queue[BrainAnswer]()
    for number in range(2):
        runner.submit(request(name=f"r{number}"), snapshot(), answers.put)
    for _ in range(2):
        answers.get(timeout=LONG)
    troubles.get(timeout=LONG)
    use = Usage(calls=13, prompt_tokens=200, cost=Decimal(5))
    assert launcher.spent == [before, DayUse(NOW.date(), use)]
    assert runner.spent == DayUse(NOW.date(), use)
    runner.close()


def test_restarts_are_counted_from_the_last_answer(
    monkeypatch: pytest.MonkeyPatch, troubles: Queue[Text]
) -> None:
    times = MAX_RESTARTS + 2
    launcher = Launcher(*[Pipe(dies_after=1) for _ in range(times)], Pipe())
    launcher.install(monkeypatch)
    runner, answers = ProcessRunner(SETUP, "m", True, troubles.put, CLOCK), Queue[BrainAnswer]()
    for number in range(times):
        runner.submit(request(name=f"r{number}"), snapshot(), answers.put)
        answers.get(timeout=LONG)
        assert "已启动新进程" in str(troubles.get(timeout=LONG))
    runner.close()


def test_a_dead_process_loses_the_request_at_work_alone(
    monkeypatch: pytest.MonkeyPatch, troubles: Queue[Text]
) -> None:
    gate = Event()
    launcher = Launcher(Pipe(dies_after=0), Pipe())
    launcher.pipes[0].poll = lambda timeout: gate.wait(LONG) and _dead()  # type: ignore[method-assign]
    launcher.install(monkeypatch)
    runner, answers = ProcessRunner(SETUP, "m", True, troubles.put, CLOCK), Queue[BrainAnswer]()
    for number in range(2):
        runner.submit(request(name=f"r{number}"), snapshot(), answers.put)
    _until(lambda: runner.at_work == ("r0",))
    gate.set()
    got = {answer.request_id: answer for answer in (answers.get(timeout=LONG) for _ in range(2))}
    assert "ended unexpectedly" in got["r0"].proposals[0].abstained
    assert "late" in got["r1"].proposals[0].abstained
    runner.close()


def _dead() -> bool:
    raise EOFError


def _until(true: Callable[[], bool]) -> None:
    give_up = monotonic() + LONG
    while not true():
        assert monotonic() < give_up
        sleep(0.01)


def test_a_spawned_brain_keeps_to_what_was_spent_before(troubles: Queue[Text]) -> None:
    llm = LlmSettings(base_url=closed_port_url(), model="m", max_retries=0)
    budget = BudgetSettings(calls_per_day=5)
    setup = BrainSetup(llm, budget, BrainSettings(), DayUse(NOW.date(), Usage(calls=5)))
    runner, answers = ProcessRunner(setup, "m", True, troubles.put, CLOCK), Queue[BrainAnswer]()
    runner.submit(request(), snapshot(), answers.put)
    assert "calls_per_day" in answers.get(timeout=LONG).proposals[0].abstained
    runner.close()
