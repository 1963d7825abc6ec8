"""The house of the corpus: one symbol, one account, the real engine over recorded bars and a scripted team.

A situation (tests/data/proposals/situations.json) says what the market did and what the account holds; the
run ends one or two days later with a journal, from which the tests read what came of the answer.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from exact_numbers import exact, wilder_range
from scripted_team import ScriptedTeam
from validator import Facts, Source

from vnpy_aiagent.config import Settings, load_settings
from vnpy_aiagent.data import MarketData
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.market_data import Instrument
from vnpy_aiagent.domain import MARKET_TZ, BarInterval, Decision, Message, Mode, Proposal, parse_message
from vnpy_aiagent.market import TradingCalendar
from vnpy_aiagent.simulation import Simulation
from vnpy_aiagent.store.journal import JournalReader

PROPOSALS = Path(__file__).parents[1] / "data" / "proposals"
DAY = date(2025, 5, 22)
ASKED, BOUGHT = time(9, 40), time(9, 35)
Kind = TypeVar("Kind", bound=Message)


@dataclass(frozen=True, eq=False)
class Situation:
    """What an answer answers. Bars are [open, high, low, close, volume], oldest first, today's apart.

    `states` is what the file states about the moment of the answer, checked by a test. `buys` is the weight
    of the holding, bought at 09:35 on the day before or, with `same_day`, on this day; None: none.
    """

    name: str
    symbol: str
    short_name: str
    tick: Fraction
    lot: int
    least: int
    step: int
    history: tuple[tuple[float, ...], ...]
    today: tuple[float, ...] | None
    states: Mapping[str, Any]
    cash: int
    buys: float | None = None
    same_day: bool = False
    listed: int | None = None
    tomorrow: tuple[float, ...] | None = None

    @property
    def days(self) -> tuple[date, ...]:
        """The sessions of the history, up to the one before DAY."""
        return _sessions(len(self.history))

    @property
    def kind(self) -> str:
        """Whether the account is empty or holds the symbol."""
        return "open" if self.buys is None else "held"


@dataclass(frozen=True)
class Outcome:
    """What came of an answer: the messages of the run, those before the answer apart, and its proposal."""

    before: tuple[Message, ...]
    messages: tuple[Message, ...]
    decision: Decision
    proposal: Proposal
    team: ScriptedTeam

    def of(self, kind: type[Kind]) -> list[Kind]:
        """Messages of a kind that came with or after the decision."""
        return [message for message in self.messages if isinstance(message, kind)]

    def earlier(self, kind: type[Kind]) -> list[Kind]:
        """Messages of a kind from before the decision."""
        return [message for message in self.before if isinstance(message, kind)]

    def sources(self) -> dict[str, Source]:
        """The decision's evidence by id."""
        return {
            each.id: Source(each.tool, each.available_at, json.loads(each.result))
            for each in self.decision.evidence
        }


@cache
def situations() -> dict[str, Situation]:
    """All situations by name."""
    found = {}
    for name, given in json.loads((PROPOSALS / "situations.json").read_text(encoding="utf-8")).items():
        given.pop("about")
        tail = given.pop("last_bars")
        flat = [given.pop("flat_bar")] * (given.pop("bars") - len(tail))
        numbers = {part: tuple(given.pop(part)) for part in ("today", "tomorrow") if given.get(part)}
        given["tick"] = exact(given["tick"])
        found[name] = Situation(name=name, history=tuple(map(tuple, [*flat, *tail])), **(given | numbers))
    return found


def facts_of(situation: Situation, weight: Fraction | None = None) -> Facts:
    """What the validator is told: the file's own statements, and the range worked out from its bars."""
    states = situation.states

    def price(name: str) -> Fraction | None:
        return None if states[name] is None else exact(states[name])

    at = datetime.combine(DAY, ASKED, MARKET_TZ)
    atr = wilder_range(situation.history)
    return Facts(
        situation.symbol,
        at,
        situation.tick,
        price("last"),
        price("prev_close"),
        price("limit_up"),
        price("limit_down"),
        atr,
        weight,
    )


def settings_of(situation: Situation) -> Settings:
    """One account, no schedule: only the asked decision is made."""
    account = {"name": "judge", "style": "JUDGE", "cash": situation.cash}
    return load_settings(mode=Mode.SIMULATION, language="zh", schedule=(), accounts=[account])


def play(
    situation: Situation,
    judge: Callable[[dict[str, Any]], str],
    *,
    prepare: Callable[[Simulation], None] | None = None,
    finding: Callable[[dict[str, Any]], str] | None = None,
    settings: Settings | None = None,
    asked: time = ASKED,
    team: ScriptedTeam | None = None,
) -> Outcome:
    """Run the engine until the close of the next day; `judge` writes the judge's answer from its facts."""
    team = team or ScriptedTeam(judge, finding)
    with tempfile.TemporaryDirectory(prefix="house-", dir=Path.cwd()) as folder:
        journal = Path(folder) / "journal.db"
        simulation = Simulation(
            market(situation),
            settings or settings_of(situation),
            journal,
            start=_start(situation),
            model=team,
        )
        if situation.buys is not None:
            bought = DAY if situation.same_day else situation.days[-1]
            team.before(situation.buys)
            simulation.ask_at(datetime.combine(bought, BOUGHT), situation.symbol)
        simulation.ask_at(datetime.combine(DAY, asked), situation.symbol)
        if prepare is not None:
            prepare(simulation)
        simulation.run()
        with JournalReader.open(journal) as reader:
            messages = [parse_message(entry.kind, entry.body) for entry in reader.read()]
    place = min(
        n for n, message in enumerate(messages) if isinstance(message, Decision) and _asked_then(message)
    )
    decision = messages[place]
    assert isinstance(decision, Decision)
    proposals = [each for each in messages[place:] if isinstance(each, Proposal)]
    proposal = next(each for each in proposals if each.decision_id == decision.id)
    return Outcome(tuple(messages[:place]), tuple(messages[place:]), decision, proposal, team)


@cache
def market(situation: Situation) -> MarketData:
    """The bars as market data; sessions without a bar of theirs were not traded."""
    calendar = TradingCalendar()
    after = calendar.next_session(DAY)
    rows = [(day, *bar) for day, bar in zip(situation.days, situation.history, strict=True)]
    if situation.today is not None:
        rows.append((DAY, *situation.today))
    rows.append((after, *(situation.tomorrow or situation.today or situation.history[-1])))
    series = BarSeries.from_rows(situation.symbol, BarInterval.DAILY, rows)
    listed = None if situation.listed is None else situation.days[-situation.listed]
    instrument = Instrument(situation.symbol, situation.short_name, listed=listed)
    return MarketData(
        "corpus", {situation.symbol: instrument}, {(situation.symbol, BarInterval.DAILY): series}
    )


def without_holding(situation: Situation) -> Situation:
    """The same market for an empty account."""
    return replace(situation, buys=None)


def _start(situation: Situation) -> date:
    return DAY if situation.buys is None or situation.same_day else situation.days[-1]


def _asked_then(decision: Decision) -> bool:
    return (
        decision.at.astimezone(MARKET_TZ).date() == DAY and decision.at.astimezone(MARKET_TZ).time() >= ASKED
    )


@cache
def _sessions(count: int) -> tuple[date, ...]:
    calendar = TradingCalendar()
    found: list[date] = []
    day = DAY
    while len(found) < count:
        day = calendar.previous_session(day)
        found.append(day)
    return tuple(reversed(found))
