"""Decisions without the engine around them: a request and a snapshot taken from the house, asked many times.

Three accounts decide at once, so that one decision judges the answers of three speakers, and their repairs.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any

from exact_numbers import exact
from house import facts_of, play, situations
from scripted_team import ScriptedTeam, Writer, hold
from validator import Facts, Judgement, Source, judge_plan

from vnpy_aiagent.brain import Brain, BrainAnswer
from vnpy_aiagent.config import BrainSettings, LlmSettings
from vnpy_aiagent.data.atr import average_true_range
from vnpy_aiagent.domain import AnalysisRequest, BarInterval, Proposal, Style
from vnpy_aiagent.risk.plan_prices import plan_prices
from vnpy_aiagent.simulation import Simulation
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

SPEAKERS = ("aggressive", "conservative", "judge")


@dataclass(frozen=True)
class Bench:
    """One moment of a situation: what is asked, what may be seen, what is true, what a speaker is told."""

    request: AnalysisRequest
    snapshot: DecisionSnapshot
    facts: Facts
    known: dict[str, Any]
    sources: dict[str, Source]

    def decide(self, writer: Writer, finding: Writer | None = None) -> BrainAnswer:
        """A decision of all three accounts; `writer` gives each speaker's answers."""
        team = ScriptedTeam(writer, finding, all_speak=True)
        return Brain(team, LlmSettings(), BrainSettings()).decide(self.request, self.snapshot)

    def judge(self, text: str, role: str = "judge", asked: int = 0) -> Judgement:
        """The validator's judgement of a speaker's answer after so many questions."""
        names = tuple(f"1.{number}" for number in range(1, asked + 1))
        return judge_plan(text, replace(self.facts, asked=names, decides=role == "judge"), self.sources)

    def prices(self, proposal: Proposal) -> tuple[Any, ...]:
        """The product's own prices of a proposal: entry (None: its own), stop, target, triggers."""
        quote = self.snapshot.quote
        assert quote is not None
        atr = average_true_range(self.snapshot.bars[BarInterval.DAILY].upto(self.snapshot.at))
        plan = plan_prices(proposal, quote, self.snapshot.instrument.tick, atr)
        entry, stop, target = (
            None if ref is None else exact(price or 0)
            for ref, price in (
                (proposal.entry, plan.entry),
                (proposal.stop, plan.stop),
                (proposal.target, plan.target),
            )
        )
        watched = (t.sessions if t.price is None else exact(t.price) for t in plan.triggers)
        return entry, stop, target, tuple(watched)


def exact_prices(judged: Judgement) -> tuple[Any, ...]:
    """The validator's prices in the order of `Bench.prices`."""
    return judged.entry, judged.stop, judged.target, tuple(value for _, value in judged.triggers)


@dataclass(frozen=True)
class Expected:
    """What the validator expects of three speakers: each one's judged answer, and how many were heard."""

    plans: dict[str, Judgement]
    heard: int


def expected(bench: Bench, answers: Iterator[str]) -> tuple[Expected, Writer]:
    """Judge the answers that a decision will take, two a speaker at most, and write them for it."""
    plans: dict[str, Judgement] = {}
    spoken: dict[str, list[str]] = {}
    asked = heard = 0
    for role in SPEAKERS:
        spoken[role] = []
        for _ in range(2):
            spoken[role].append(next(answers))
            heard += 1
            plans[role] = bench.judge(spoken[role][-1], role, asked)
            if plans[role].valid:
                asked += plans[role].asks
                break
    places = {role: iter(texts) for role, texts in spoken.items()}
    return Expected(plans, heard), lambda known: next(places[known["role"]])


class _Listening:
    """A brain that keeps the last request and snapshot."""

    def __init__(self, brain: Brain) -> None:
        self._brain = brain
        self.heard: tuple[AnalysisRequest, DecisionSnapshot] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._brain, name)

    def decide(self, request: AnalysisRequest, snapshot: DecisionSnapshot) -> BrainAnswer:
        self.heard = request, snapshot
        return self._brain.decide(request, snapshot)


@cache
def bench(name: str) -> Bench:
    """The moment at which the situation's answer is given."""
    situation, said, listening = situations()[name], list[dict[str, Any]](), list[_Listening]()

    def judge(known: dict[str, Any]) -> str:
        said.append(known)
        return json.dumps(hold(known))

    def listen(simulation: Simulation) -> None:
        listening.append(_Listening(simulation.brain))
        simulation.brain = listening[0]  # type: ignore[assignment]

    outcome = play(situation, judge, prepare=listen)
    assert listening[0].heard is not None
    request, snapshot = listening[0].heard
    view = snapshot.accounts[0]
    weight = None if view.position is None else Fraction(str(view.weights[situation.symbol]))
    accounts = tuple(replace(view, name=style.name.lower(), style=style) for style in Style)
    request = request.model_copy(update={"accounts": tuple(each.name for each in accounts)})
    sources = {name: each for name, each in outcome.sources().items() if not name.startswith("q")}
    return Bench(
        request, replace(snapshot, accounts=accounts), facts_of(situation, weight), said[-1], sources
    )
