"""Several decisions in the brain process at a time: answers by id, cancels, hangs, what models say."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from queue import Queue
from threading import Barrier, Event, Lock
from typing import Any

import pytest
from decision_world import NOW, request, snapshot

from vnpy_aiagent.brain import runner as runner_module
from vnpy_aiagent.brain.build import BrainSetup
from vnpy_aiagent.brain.decide import BrainAnswer, failed_answer
from vnpy_aiagent.brain.process import Alive, AreYouAlive, CancelAll, Used
from vnpy_aiagent.brain.runner import ProcessRunner
from vnpy_aiagent.config import BrainSettings, BudgetSettings, LlmSettings
from vnpy_aiagent.domain import Action, Text, Thinking, TokenUsage, VirtualClock
from vnpy_aiagent.errors import ModelTimeout
from vnpy_aiagent.testing.model_server import Body, Fault, ModelServer, Stream, streamed, text_reply

CLOCK = VirtualClock(NOW)
LONG = 60.0
WEAK = json.dumps({"stance": "NEUTRAL", "strength": 0, "confidence": 0.5, "text": "无"})


@contextmanager
def brain(base_url: str, concurrency: int = 4, **budget: Any) -> Iterator[ProcessRunner]:
    llm = LlmSettings(base_url=base_url, model="m", max_retries=0, timeout=LONG)
    setup = BrainSetup(llm, BudgetSettings(**budget), BrainSettings(concurrency=concurrency))
    runner = ProcessRunner(setup, "m", True, lambda _: None, CLOCK)
    try:
        yield runner
    finally:
        runner.close()


def ask(runner: ProcessRunner, *names: str) -> Queue[BrainAnswer]:
    answers: Queue[BrainAnswer] = Queue()
    for name in names:
        runner.submit(request(name=name), snapshot(), answers.put)
    return answers


def test_as_many_decisions_as_are_set_wait_for_the_model_at_the_same_time() -> None:
    together = Barrier(3, timeout=LONG)

    def handler(body: Body) -> Body:
        together.wait()
        return text_reply(WEAK)

    with ModelServer(handler) as server, brain(server.base_url, 3) as runner:
        answers = ask(runner, *(f"r{number}" for number in range(6)))
        got = {answers.get(timeout=LONG).request_id for _ in range(6)}
    assert got == {f"r{number}" for number in range(6)}
    assert len(server.requests) == 6


def test_an_answer_that_is_there_first_comes_first() -> None:
    slow, lock = Event(), Lock()
    first: list[Body] = []

    def handler(body: Body) -> Body:
        with lock:
            first.append(body)
            waits = len(first) == 1
        if waits:
            slow.wait(LONG)
        return text_reply(WEAK)

    with ModelServer(handler) as server, brain(server.base_url, 2) as runner:
        answers = ask(runner, "r1", "r2", "r3")
        early = [answers.get(timeout=LONG).request_id for _ in range(2)]
        slow.set()
        late = answers.get(timeout=LONG).request_id
    assert {*early, late} == {"r1", "r2", "r3"}
    assert late in ("r1", "r2")


def test_a_days_calls_are_shared_by_decisions_at_the_same_time() -> None:
    with (
        ModelServer(lambda body: text_reply(WEAK)) as server,
        brain(server.base_url, 8, calls_per_day=5) as runner,
    ):
        answers = ask(runner, *(f"r{number}" for number in range(12)))
        made = [answers.get(timeout=LONG) for _ in range(12)]
        spent = runner.spent
    assert len(server.requests) == 5
    assert sum(not answer.proposals[0].abstained for answer in made) == 5
    assert all("calls_per_day" in a.proposals[0].abstained for a in made if a.proposals[0].abstained)
    assert spent is not None
    assert spent.usage.calls == 5 == sum(answer.decision.usage.calls for answer in made)


def test_a_cancel_ends_what_is_at_work_and_what_waits_and_later_requests_are_decided() -> None:
    arrived: Queue[None] = Queue()
    free = Event()

    def handler(body: Body) -> Body | Fault:
        if free.is_set():
            return text_reply(WEAK)
        arrived.put(None)
        return Fault(delay=LONG)

    with ModelServer(handler) as server, brain(server.base_url, 2) as runner:
        answers = ask(runner, "r1", "r2", "r3", "r4")
        for _ in range(2):
            arrived.get(timeout=LONG)
        runner.cancel("halt by a test")
        held = [answers.get(timeout=LONG) for _ in range(4)]
        free.set()
        late = ask(runner, "r5").get(timeout=LONG)
    assert {answer.request_id for answer in held} == {"r1", "r2", "r3", "r4"}
    assert all("ModelCancelled: halt by a test" in answer.proposals[0].abstained for answer in held)
    assert {p.action for answer in held for p in answer.proposals} == {Action.HOLD}
    used = {answer.request_id: answer.decision.usage.calls for answer in held}
    assert used == {"r1": 1, "r2": 1, "r3": 0, "r4": 0}
    assert not late.proposals[0].abstained


def test_what_a_model_says_is_told_while_it_says_it_and_its_end_too() -> None:
    go_on = Event()
    said = streamed(text_reply(WEAK, reasoning="均\u202e线<b>多</b>头" * 20), size=200)

    def handler(body: Body) -> Stream:
        return said

    heard: Queue[Thinking] = Queue()
    with ModelServer(handler) as server, brain(server.base_url) as runner:
        runner.on_thinking = heard.put
        answers = ask(runner, "r1")
        thinking = heard.get(timeout=LONG)
        go_on.set()
        answers.get(timeout=LONG)
        told = [thinking]
        while told[-1].words:
            told.append(heard.get(timeout=LONG))
    assert thinking.symbol == request().symbol
    assert thinking.role == "technical_analyst"
    assert 0 < len(thinking.words) <= 80
    assert "\u202e" not in thinking.words
    assert told[-1] == Thinking("r1", request().symbol)


# a process that hangs, with the steady clock in hand


class Pipe:
    """A brain process in this one, that answers when told."""

    def __init__(self, alive: bool = True) -> None:
        self.alive = alive
        self.sent: list[Any] = []
        self.news: Queue[Any] = Queue()
        self.dead = Event()

    def send(self, message: Any) -> None:
        self.sent.append(message)
        if isinstance(message, AreYouAlive) and self.alive:
            self.news.put(Alive())

    def poll(self, timeout: float) -> bool:
        if self.dead.is_set():
            raise EOFError
        return not self.news.empty() or self.dead.wait(0.01) or not self.news.empty()

    def recv(self) -> Any:
        if self.news.empty():
            raise EOFError
        return self.news.get()

    def close(self) -> None:
        pass

    def jobs(self) -> list[str]:
        return [each[0].id for each in self.sent if isinstance(each, tuple)]


class Process:
    pid = None

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe

    def is_alive(self) -> bool:
        return False

    def join(self, timeout: float) -> None:
        pass

    def kill(self) -> None:
        self.pipe.dead.set()


class Steady:
    """A steady clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class House:
    """A runner over pipes, with two places."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *pipes: Pipe) -> None:
        self.pipes = list(pipes)
        self.spent: list[Any] = []
        self.steady = Steady()
        self.troubles: Queue[Text] = Queue()
        monkeypatch.setattr(runner_module, "time", self.steady)
        left = list(pipes)

        def launch(runner: ProcessRunner) -> tuple[Pipe, Process]:
            self.spent.append(runner._spent)
            pipe = left.pop(0)
            return pipe, Process(pipe)

        monkeypatch.setattr(ProcessRunner, "_launch", launch)
        setup = BrainSetup(LlmSettings(), BudgetSettings(), BrainSettings(concurrency=2))
        self.runner = ProcessRunner(setup, "m", True, self.troubles.put, CLOCK)
        self.answers: Queue[BrainAnswer] = Queue()
        self.limit = setup.budget.seconds_per_decision + runner_module.GRACE_SECONDS

    def ask(self, *names: str) -> None:
        for name in names:
            self.runner.submit(request(name=name), snapshot(), self.answers.put)

    def answer(self, pipe: Pipe, name: str) -> None:
        made = failed_answer(request(name=name), snapshot(), "m", True, ModelTimeout("late"))
        use = TokenUsage(calls=3, prompt_tokens=100, cost=Decimal("0.5"))
        pipe.news.put(replace(made, decision=made.decision.model_copy(update={"usage": use})))


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    def wait(true: Callable[[], bool]) -> None:
        pause = Event()
        for _ in range(6_000):
            if true():
                return
            pause.wait(0.01)
        raise AssertionError("it did not come true within a minute")

    return wait


def test_a_decision_that_hangs_is_answered_alone_while_its_process_speaks(
    monkeypatch: pytest.MonkeyPatch, until: Any
) -> None:
    pipe = Pipe()
    house = House(monkeypatch, pipe)
    house.ask("r1")
    until(lambda: pipe.jobs() == ["r1"])
    pipe.news.put(Used("r1", TokenUsage(calls=1, prompt_tokens=40, cost=Decimal("0.2"))))
    until(pipe.news.empty)
    house.steady.now = house.limit - 1
    house.ask("r2")
    until(lambda: pipe.jobs() == ["r1", "r2"])
    house.steady.now = house.limit + 1
    held = house.answers.get(timeout=LONG)
    assert held.request_id == "r1"
    assert "the decision hung" in held.proposals[0].abstained
    assert held.decision.usage.calls == 1
    until(lambda: CancelAll("the decision hung", "r1") in pipe.sent)
    house.answer(pipe, "r2")
    assert house.answers.get(timeout=LONG).request_id == "r2"
    house.ask("r3", "r4")
    until(lambda: pipe.jobs() == ["r1", "r2", "r3"])  # one place is still taken
    house.answer(pipe, "r1")  # the lost one comes to an end: nobody waits for it, its use counts once
    until(lambda: pipe.jobs() == ["r1", "r2", "r3", "r4"])
    spent = house.runner.spent
    assert spent is not None
    assert (spent.usage.calls, spent.usage.cost) == (6, Decimal("1.0"))
    assert house.troubles.empty()
    house.runner.close()
    assert {house.answers.get(timeout=LONG).request_id for _ in range(2)} == {"r3", "r4"}


def test_a_process_that_says_nothing_when_a_decision_hangs_is_replaced(
    monkeypatch: pytest.MonkeyPatch, until: Any
) -> None:
    deaf, fresh = Pipe(alive=False), Pipe()
    house = House(monkeypatch, deaf, fresh)
    house.ask("r1")
    until(lambda: deaf.jobs() == ["r1"])
    house.steady.now = house.limit - 1
    house.ask("r2", "r3")
    until(lambda: deaf.jobs() == ["r1", "r2"])
    deaf.news.put(Used("r2", TokenUsage(calls=1, prompt_tokens=40)))
    until(deaf.news.empty)
    house.steady.now = house.limit + 1
    assert house.answers.get(timeout=LONG).request_id == "r1"
    house.steady.now += runner_module.ANSWER_SECONDS + 1
    held = house.answers.get(timeout=LONG)
    assert held.request_id == "r2"
    assert "hung and was ended" in held.proposals[0].abstained
    assert "没有反应" in str(house.troubles.get(timeout=LONG))
    until(lambda: fresh.jobs() == ["r3"])
    assert house.spent[-1].usage.calls == 1  # what the lost ones used is not forgotten
    house.runner.close()


def test_a_request_that_comes_while_a_process_starts_waits_for_it_and_nobody_else_does(
    monkeypatch: pytest.MonkeyPatch, until: Any
) -> None:
    dead, fresh = Pipe(), Pipe()
    house = House(monkeypatch, dead, fresh)
    launch, starting, may_start = ProcessRunner._launch, Event(), Event()

    def slow(runner: ProcessRunner) -> Any:
        starting.set()
        assert may_start.wait(LONG)
        return launch(runner)

    monkeypatch.setattr(ProcessRunner, "_launch", slow)
    dead.dead.set()
    assert starting.wait(LONG)
    house.ask("r1")  # as the event thread does: it comes back at once
    house.runner.cancel("pause")
    assert "pause" in house.answers.get(timeout=LONG).proposals[0].abstained
    house.ask("r2")
    may_start.set()
    until(lambda: fresh.jobs() == ["r2"])
    assert dead.sent == []
    house.runner.close()


def test_a_process_that_starts_while_the_runner_closes_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    dead, fresh = Pipe(), Pipe()
    house = House(monkeypatch, dead, fresh)
    launch, starting, may_start = ProcessRunner._launch, Event(), Event()

    def slow(runner: ProcessRunner) -> Any:
        starting.set()
        assert may_start.wait(LONG)
        return launch(runner)

    monkeypatch.setattr(ProcessRunner, "_launch", slow)
    dead.dead.set()
    assert starting.wait(LONG)
    monkeypatch.setattr(
        Process, "join", lambda self, timeout: may_start.set()
    )  # `close` waits for the old one
    house.runner.close()
    assert fresh.dead.is_set()


def test_a_process_whose_places_are_all_lost_is_replaced(monkeypatch: pytest.MonkeyPatch, until: Any) -> None:
    stuck, fresh = Pipe(), Pipe()
    house = House(monkeypatch, stuck, fresh)
    house.ask("r1", "r2", "r3")
    until(lambda: stuck.jobs() == ["r1", "r2"])
    house.steady.now = house.limit + 1
    assert {house.answers.get(timeout=LONG).request_id for _ in range(2)} == {"r1", "r2"}
    until(lambda: fresh.jobs() == ["r3"])
    house.runner.close()


def test_a_process_that_dies_answers_all_that_was_at_work_and_keeps_what_waits(
    monkeypatch: pytest.MonkeyPatch, until: Any
) -> None:
    dying, fresh = Pipe(), Pipe()
    house = House(monkeypatch, dying, fresh)
    house.ask("r1", "r2", "r3")
    until(lambda: dying.jobs() == ["r1", "r2"])
    dying.news.put(Used("r1", TokenUsage(calls=2, prompt_tokens=40)))
    until(dying.news.empty)
    dying.dead.set()
    held = [house.answers.get(timeout=LONG) for _ in range(2)]
    assert {answer.request_id: answer.decision.usage.calls for answer in held} == {"r1": 2, "r2": 0}
    assert all("ended unexpectedly" in answer.proposals[0].abstained for answer in held)
    until(lambda: fresh.jobs() == ["r3"])
    house.runner.close()
