"""What a decision costs outside its model: prompts, tools, parsing, grounding, budget, cassette, processes.

    python benchmarks/brain_overhead.py [--decisions 200] [--profile]

A model that takes no time answers by the offline analyst's rules, whose own seconds are taken off. Cases: the
symbol as the demo sees it, and one with facts and twenty long texts, every text new to the process or not;
with a cassette, as a user's own model is recorded; and what the brain process adds to the decision inline.
"""

import argparse
import cProfile
import pstats
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Any

from scratch import enter

ROOT = enter()

from bench_house import percentile  # noqa: E402
from made_share import moment, request, snapshot  # noqa: E402

from vnpy_aiagent.brain.build import BrainSetup  # noqa: E402
from vnpy_aiagent.brain.decide import Brain  # noqa: E402
from vnpy_aiagent.brain.runner import ProcessRunner  # noqa: E402
from vnpy_aiagent.config import BrainSettings, BudgetSettings, LlmSettings  # noqa: E402
from vnpy_aiagent.data import text_clean  # noqa: E402
from vnpy_aiagent.domain import VirtualClock  # noqa: E402
from vnpy_aiagent.llm.budget import BudgetedModel  # noqa: E402
from vnpy_aiagent.llm.cassette import Cassette  # noqa: E402
from vnpy_aiagent.llm.factory import build_ledger  # noqa: E402
from vnpy_aiagent.llm.offline import OfflineAnalyst  # noqa: E402
from vnpy_aiagent.llm.recording import CassetteModel  # noqa: E402

WARM_UP = 5


class InstantModel:
    """Answers as the offline analyst does and notes how long that took; counts as a language model."""

    name = "instant"
    is_llm = True

    def __init__(self) -> None:
        self._rules = OfflineAnalyst()
        self.seconds = self.worked = 0.0
        self.calls = 0

    def complete(self, asked: Any) -> Any:
        """An answer at once."""
        began, worked = time.perf_counter(), time.thread_time()
        reply = self._rules.complete(asked)
        self.seconds += time.perf_counter() - began
        self.worked += time.thread_time() - worked
        self.calls += 1
        return reply

    def close(self) -> None:
        """Nothing to close."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--decisions", type=int, default=200, help="decisions of each case")
    parser.add_argument("--profile", action="store_true", help="print what takes the time, with facts")
    given = parser.parse_args()
    plain, full = snapshot(facts=False), snapshot()
    if given.profile:
        profile(full)
        return
    count = given.decisions
    print("| case | calls | p50 ms | p99 ms | max ms | of it computing, p50 |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    show("as the demo", *inline(plain, count))
    show("with facts, texts seen before", *inline(full, count))
    show("with facts, every text new", *inline(full, count, before=forget_texts))
    show("with facts and a cassette", *inline(full, count, cassette=Cassette(ROOT / "bench.db")))
    times = through_process(full, count)
    show("brain process, there and back, rules included", None, times, None)
    whole, alone = statistics.median(times), statistics.median(rules_inline(full, count))
    added = f"the process adds {1000 * (whole - alone):.2f} ms"
    print(f"\nthe same inline, rules included: p50 {alone * 1000:.2f} ms; {added}")


def forget_texts() -> None:
    """As in a process that has read none of them yet."""
    text_clean.clean_text.cache_clear()
    text_clean._documents.cache_clear()


def inline(
    seen: Any, count: int, *, before: Callable[[], None] | None = None, cassette: Any = None
) -> tuple[float, list[float], list[float]]:
    """Calls a decision, and seconds of each decision without those in its model: elapsed, and computing."""
    instant = InstantModel()
    ledger = build_ledger(BudgetSettings(calls_per_day=10**9))
    model: Any = BudgetedModel(instant, ledger)
    if cassette is not None:
        model = CassetteModel(model, cassette, "record", lambda *_: None, ledger=ledger)
    brain = Brain(model, LlmSettings(), BrainSettings())
    times, work = [], []
    for number in range(count + WARM_UP):
        if before is not None:
            before()
        asked, spent, worked = request(number + 1), instant.seconds, instant.worked
        began, busy = time.perf_counter(), time.thread_time()
        answer = brain.decide(asked, seen)
        times.append(time.perf_counter() - began - (instant.seconds - spent))
        work.append(time.thread_time() - busy - (instant.worked - worked))
        assert not answer.decision.failures, answer.decision.failures
    calls = instant.calls / (count + WARM_UP)
    if cassette is not None:
        cassette.close()
    return calls, times[WARM_UP:], work[WARM_UP:]


def rules_inline(seen: Any, count: int) -> list[float]:
    """Seconds of each decision of the offline analyst in this process."""
    brain = Brain(OfflineAnalyst(), LlmSettings(), BrainSettings())
    times = []
    for number in range(count + WARM_UP):
        began = time.perf_counter()
        brain.decide(request(number + 1), seen)
        times.append(time.perf_counter() - began)
    return times[WARM_UP:]


def through_process(seen: Any, count: int) -> list[float]:
    """Seconds from submit to delivery, one decision after another."""
    setup = BrainSetup(LlmSettings(), BudgetSettings(), BrainSettings())
    runner = ProcessRunner(setup, "offline", False, lambda _: None, VirtualClock(moment() + timedelta(0)))
    times: list[float] = []
    try:
        for number in range(count + WARM_UP):
            done = Event()
            answers: list[Any] = []

            def deliver(answer: Any, done: Event = done, answers: list[Any] = answers) -> None:
                answers.append(answer)
                done.set()

            began = time.perf_counter()
            runner.submit(request(number + 1), seen, deliver)
            assert done.wait(60)
            times.append(time.perf_counter() - began)
    finally:
        runner.close()
    return times[WARM_UP:]


def show(case: str, calls: float | None, times: list[float], work: list[float] | None) -> None:
    """One row of the table."""
    cells = [percentile(times, 0.5), percentile(times, 0.99), max(times)]
    shown = " | ".join(f"{cell * 1000:.1f}" for cell in cells)
    asked = "" if calls is None else f"{calls:.0f}"
    computing = "" if work is None else f"{percentile(work, 0.5) * 1000:.1f}"
    print(f"| {case} | {asked} | {shown} | {computing} |")


def profile(seen: Any) -> None:
    """The functions that take the time of fifty decisions with facts."""
    profiler = cProfile.Profile()
    profiler.enable()
    inline(seen, 50)
    profiler.disable()
    stats = pstats.Stats(profiler)
    stats.sort_stats("tottime").print_stats(30)
    stats.sort_stats("cumtime").print_stats("vnpy_aiagent", 60)


if __name__ == "__main__":
    main()
