"""Fuzzed model outputs: no crash, and the decision that the validator expects; the sound ones trade.

`AIAGENT_TEST_FUZZ` sets how many outputs are judged (default 1,200; the whole check takes 10,000).
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from decision_bench import SPEAKERS, Bench, bench, exact_prices, expected
from fuzzed_answers import fuzzed
from house import play, situations
from plan_orders import check_orders
from proposal_corpus import cases, written
from scripted_team import strong_finding
from validator import judge_finding

from vnpy_aiagent.domain import Action

COUNT = int(os.environ.get("AIAGENT_TEST_FUZZ", "1200"))
PLANS = {"main": COUNT // 2, "held": COUNT // 4}
FINDINGS = COUNT - sum(PLANS.values())
TRADED = 25
"""One in so many sound answers goes on to the exchange."""


def answers_of(name: str) -> tuple[list[str], list[str]]:
    """The corpus' sound and broken answers of a situation, short ones only."""
    sound, broken = [], []
    for case in cases():
        text = case.write(bench(name).known) if case.situation.name == name else ""
        if text and len(text) < 3000:
            (broken if case.bad else sound).append(text)
    return sound, broken


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANS)
def test_fuzzed_plans_are_decided_as_the_validator_decides_and_sound_ones_trade(name: str) -> None:
    world = bench(name)
    stream = _noted(fuzzed(20250522, *answers_of(name)))
    heard, results = 0, Counter[bool]()
    decided = played = traded = 0
    while heard < PLANS[name]:
        wanted, writer = expected(world, stream)
        heard += wanted.heard
        made = world.decide(writer)
        proposals = {proposal.account: proposal for proposal in made.proposals}
        for role in SPEAKERS:
            judged, proposal = wanted.plans[role], proposals[role]
            results[judged.valid] += 1
            assert proposal.symbol == world.facts.symbol
            if not judged.valid:
                assert proposal.action is Action.HOLD, (judged, stream.last)
                assert proposal.abstained
                continue
            assert not proposal.abstained, (proposal.abstained, stream.last)
            assert proposal.action == judged.action
            assert world.prices(proposal) == exact_prices(judged), stream.last
            if role == "judge":
                played += decided % TRADED == 0
                traded += decided % TRADED == 0 and _trades(name, stream.last)
                decided += 1
    assert min(results.values()) > heard // 20
    assert traded >= played // 4


@pytest.mark.parametrize(
    ("name", "base"),
    [("main", "buy"), ("main", "buy_en"), ("held", "add"), ("held", "reduce"), ("held", "close")],
)
def test_the_controls_trade(name: str, base: str) -> None:
    assert _trades(name, written({"base": base}, bench(name).known))


def _trades(name: str, text: str) -> bool:
    """The answer through the whole house: whether an order comes, each as it must be."""
    situation = situations()[name]
    outcome = play(situation, lambda known: text)
    return check_orders(situation, outcome, text)


@pytest.mark.slow
def test_fuzzed_findings_are_taken_or_refused_as_the_validator_says() -> None:
    world = bench("main")
    base = json.dumps(strong_finding({"request": {"kind": "OPEN"}, "cited": ["e1"]}))
    weak = json.dumps({"stance": "NEUTRAL", "strength": 0.1, "confidence": 0.2, "text": "弱", "evidence": []})
    stream = fuzzed(5, [base, weak], [base[:-1], "{}", '{"stance": "UP"}', base + base])
    heard, results = 0, Counter[bool]()
    while heard < FINDINGS:
        said: list[str] = []

        def find(known: dict[str, Any], said: list[str] = said) -> str:
            said.append(next(stream))
            return said[-1]

        made = world.decide(lambda known: written({"base": "hold"}, known), find)
        heard += len(said)
        judged = [judge_finding(text, world.sources, world.facts.at) for text in said]
        assert all(word for word, _ in judged[:-1])  # asked again only for what was refused
        word, found = judged[-1]
        results[not word] += 1
        failed = [failure for failure in made.decision.failures if "technical_analyst" in failure]
        assert bool(failed) == bool(word), (said, made.decision.failures)
        assert len(made.proposals) == len(SPEAKERS)
        if not word:
            taken = next(f for f in made.decision.findings if f.role == "technical_analyst")
            assert (taken.stance, taken.confidence) == (found["stance"], found["confidence"])
            assert taken.text.template == found["text"]
    assert min(results.values()) > heard // 20


def test_the_same_seed_gives_the_same_outputs() -> None:
    sound, broken = answers_of("main")
    once, again = (list(islice(fuzzed(7, sound, broken), 300)) for _ in range(2))
    assert once == again


class _Noted(Iterator[str]):
    """A stream that remembers what it gave last."""

    def __init__(self, stream: Iterator[str]) -> None:
        self._stream = stream
        self.last = ""

    def __next__(self) -> str:
        self.last = next(self._stream)
        return self.last


def _noted(stream: Iterator[str]) -> _Noted:
    return _Noted(stream)


def test_a_bench_knows_what_the_house_knows() -> None:
    world: Bench = bench("main")
    assert world.judge(written({}, world.known)).valid
