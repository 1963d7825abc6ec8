"""People stop the AI while a slow model is asked: the decision holds at once, the stream is closed."""

import sys
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from threading import Event
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from unit.engine.small_house import BANK, SmallHouse

from vnpy_aiagent.base import EVENT_AI_DECISION, EVENT_AI_PROPOSAL, EVENT_AI_THINKING
from vnpy_aiagent.brain.build import BrainSetup
from vnpy_aiagent.brain.runner import ProcessRunner
from vnpy_aiagent.domain import Action, Decision, Proposal, Thinking
from vnpy_aiagent.testing.model_server import Body, ModelServer, Stream, streamed, text_reply

LONG = 60.0


class SlowHouse(SmallHouse):
    """An engine whose brain is a real process, over a server that begins to answer and never ends."""

    def __init__(self, journal: Path, base_url: str) -> None:
        self._llm = {"base_url": base_url, "model": "slow", "timeout": 300, "max_retries": 0}
        super().__init__(journal, "2025-07-02 10:00", llm=self._llm)

    def _parts(self, symbols: tuple[str, ...]) -> Any:
        parts = super()._parts(symbols)
        setup = BrainSetup(parts.settings.llm, parts.settings.budget, parts.settings.brain)
        parts.runner = ProcessRunner(setup, "slow", True, lambda _: None, parts.clock)
        return parts


def wait_for(true: Callable[[], bool]) -> None:
    pause = Event()
    for _ in range(6_000):
        if true():
            return
        pause.wait(0.01)
    raise AssertionError("it did not come true within a minute")


@pytest.mark.parametrize("stop", ["halt", "pause", "flatten"])
def test_a_stop_ends_the_call_and_the_decision_holds_with_the_reason(tmp_path: Path, stop: str) -> None:
    begun = streamed(text_reply("慢慢想" * 30), share=0.5)
    arrived: Queue[None] = Queue()

    def handler(body: Body) -> Stream:
        arrived.put(None)
        return Stream(begun.pieces, hold=True)

    made: list[Any] = []
    with ModelServer(handler) as server, SlowHouse(tmp_path / "journal.db", server.base_url) as house:
        for kind in (EVENT_AI_DECISION, EVENT_AI_PROPOSAL, EVENT_AI_THINKING):
            house.events.register(kind, lambda event: made.append(event.data))
        house.quote()
        house.engine.analyze(BANK)
        house.events.drain()
        arrived.get(timeout=LONG)

        def thinks() -> bool:
            house.events.drain()
            return bool(made)

        wait_for(thinks)
        engine = house.engine
        {"halt": lambda: engine.halt("too hot"), "pause": engine.pause, "flatten": engine.flatten}[stop]()
        assert server.left.wait(LONG)

        def decided() -> bool:
            house.go("2025-07-02 10:01")
            return any(isinstance(each, Proposal) for each in made)

        wait_for(decided)
        house.events.drain()
    decision = next(each for each in made if isinstance(each, Decision))
    assert all("ModelCancelled" in failure for failure in decision.failures)
    assert decision.usage.calls == 1
    proposals = [each for each in made if isinstance(each, Proposal)]
    assert {proposal.action for proposal in proposals} == {Action.HOLD}
    assert "too hot" in proposals[0].abstained or stop in proposals[0].abstained
    assert any(isinstance(each, Thinking) and each.words for each in made)
    assert len(server.requests) == 1
