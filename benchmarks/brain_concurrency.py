"""How long the brain process needs for many symbols with a slow model.

    python benchmarks/brain_concurrency.py [--symbols 50] [--seconds 1.0] [--concurrency 16]

A server on 127.0.0.1 answers every call after so many seconds. The ideal is ceil(calls / concurrency) rounds
of calls, one after another; the figure is the time from the first request to the last answer, over the ideal.
Starting the process is not in it: a request that is thrown away comes first.
"""

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Lock
from time import monotonic
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit" / "brain"))
from decision_world import NOW, request, snapshot

from vnpy_aiagent.brain.build import BrainSetup
from vnpy_aiagent.brain.decide import BrainAnswer
from vnpy_aiagent.brain.runner import ProcessRunner
from vnpy_aiagent.config import BrainSettings, BudgetSettings, LlmSettings
from vnpy_aiagent.domain import VirtualClock
from vnpy_aiagent.testing.model_server import Body, Fault, ModelServer, text_reply

FINDING = json.dumps({"stance": "NEUTRAL", "strength": 0, "confidence": 0.5, "text": "no view"})


@dataclass(frozen=True, slots=True)
class Measured:
    """`calls` were made in `seconds`; `most` of them were under way at the same time."""

    calls: int
    seconds: float
    most: int
    ideal: float

    @property
    def ratio(self) -> float:
        """Seconds over the ideal."""
        return self.seconds / self.ideal


class SlowModel:
    """Answers after a while, and counts how many wait at the same time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = Lock()
        self.calls = 0
        self.most = 0
        self._ends: list[float] = []

    def __call__(self, body: Body) -> Fault:
        """The handler of the server; the server takes the pause."""
        now = monotonic()
        with self._lock:
            self.calls += 1
            self._ends = [end for end in self._ends if end > now] + [now + self._seconds]
            self.most = max(self.most, len(self._ends))
        return Fault(delay=self._seconds, reply=text_reply(FINDING))


def measure(
    symbols: int, seconds: float, concurrency: int, *, say: Callable[[str], Any] = lambda _: None
) -> Measured:
    """Decide on so many symbols at once."""
    model, answers = SlowModel(seconds), Queue[BrainAnswer]()
    with ModelServer(model) as server, tempfile.TemporaryDirectory() as folder:
        llm = LlmSettings(base_url=server.base_url, model="slow", timeout=120, max_retries=0)
        setup = BrainSetup(
            llm, BudgetSettings(), BrainSettings(concurrency=concurrency), cassette=Path(folder) / "c.db"
        )
        runner = ProcessRunner(setup, "slow", True, say, VirtualClock(NOW))
        try:
            runner.submit(request(name="warm-up"), snapshot(), answers.put)
            answers.get(timeout=120)
            model.calls = model.most = 0
            began = monotonic()
            for number in range(symbols):
                runner.submit(request(name=f"r{number}"), snapshot(), answers.put)
            made = [answers.get(timeout=600) for _ in range(symbols)]
            took = monotonic() - began
        finally:
            runner.close()
    failed = [answer.decision.failures for answer in made if answer.decision.failures]
    if failed:
        raise SystemExit(f"{len(failed)} decisions failed, the first with {failed[0]}")
    return Measured(model.calls, took, model.most, math.ceil(model.calls / concurrency) * seconds)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--symbols", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--concurrency", type=int, default=16)
    given = parser.parse_args()
    found = measure(given.symbols, given.seconds, given.concurrency, say=print)
    print(
        f"{given.symbols} symbols, {found.calls} calls of {given.seconds:g} s, "
        f"concurrency {given.concurrency} (at most {found.most} at once): "
        f"{found.seconds:.2f} s, ideal {found.ideal:.2f} s, ratio {found.ratio:.3f}"
    )


if __name__ == "__main__":
    main()
