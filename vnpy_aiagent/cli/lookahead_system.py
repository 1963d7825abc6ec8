"""The future-poison check of the whole app: the demo's accounts on one symbol, with the offline analyst."""

import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vnpy_aiagent.backtest.cut_engine import Decision, Enough, Phase
from vnpy_aiagent.backtest.lookahead import LEAST_BARS, PAIR, Change, Finding, first_change
from vnpy_aiagent.backtest.poison import Cut, Poison
from vnpy_aiagent.config import LlmSettings, Settings
from vnpy_aiagent.data import load_folder
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.facts import MAX_TITLE, EventFact, Fact, TextFact, ValueFact
from vnpy_aiagent.data.facts_store import FILE_NAME, FactReader, store_facts
from vnpy_aiagent.domain import MARKET_TZ, BarInterval, parse_message
from vnpy_aiagent.errors import DataError
from vnpy_aiagent.simulation import Simulation
from vnpy_aiagent.store.journal import JournalReader

if TYPE_CHECKING:
    from vnpy_aiagent.data.market_data import MarketData

KINDS = ("Decision", "Proposal", "Verdict", "Signal", "Intent")
AFTER_OPEN, CLOSE = time(9, 44), time(15)
"""Decisions of 09:35 and 09:40 are made by then, and the replay has shown no price but the open."""
MOST = 16
Progress = Callable[[int, int], None]


class SystemCheck:
    """The app over one symbol; cuts at 09:44, when of a day the open alone is known, and at 15:00."""

    def __init__(
        self,
        folder: Path,
        asked: str,
        interval: BarInterval,
        first: date | None,
        last: date | None,
        settings: Settings,
        facts: Sequence[Fact] = (),
    ) -> None:
        """`facts` are seen by the decisions and poisoned like bars. DataError for fewer than 20 days."""
        self._data = load_folder(folder, symbols=[asked], frequency=interval)
        self.symbol = self._data.symbols[0]
        self._facts = tuple(facts)
        self._interval = interval
        self._settings = settings.model_copy(update={"llm": LlmSettings()})
        span = self._data.span(interval)
        self._first, self._last = max(first or span[0], span[0]), min(last or span[1], span[1])
        series = self._data.bars(self.symbol, BarInterval.DAILY)
        every = (series.day_of(i) for i in range(len(series)))
        self._days = [day for day in every if self._first <= day <= self._last]
        if len(self._days) < LEAST_BARS:
            raise DataError(f"{self.symbol} has {len(self._days)} days; a check needs at least {LEAST_BARS}")

    def run(self, cuts: int, progress: Progress | None = None) -> Finding:
        """Check with so many cuts, at most 16; two runs each."""
        honest = self._play(self._data, self._facts, None)
        if first_change(honest, self._play(self._data, self._facts, None)) is not None:
            raise DataError("two runs on the same data decide differently; report this bug of vnpy_aiagent")
        chosen = self._choose(honest, min(cuts, MOST))
        changes: list[Change] = []
        for number, cut in enumerate(chosen):
            if progress is not None:
                progress(number + 1, len(chosen))
            before = [decision for decision in honest if decision.at <= cut.at]
            for seed in PAIR:
                after = self._play(self._poisoned(cut, seed), poison_facts(self._facts, cut, seed), cut)
                change = first_change(before, after)
                if change is not None:
                    changes.append(Change(cut, seed, *change))
                    break
        return Finding(len(self._days), tuple(chosen), len(honest), tuple(changes), ())

    def _choose(self, honest: list[Decision], most: int) -> list[Cut]:
        """On days of decisions and between them, each second one before the day's close."""
        busy = sorted({decision.bar for decision in honest if decision.bar < len(self._days) - 1})
        picks = [busy[round(n * (len(busy) - 1) / max(1, most - 1))] for n in range(most)] if busy else []
        picks = picks or [round((n + 1) * len(self._days) / (most + 1)) for n in range(most)]
        cuts = (
            Cut(
                day, bool(n % 2), datetime.combine(self._days[day], AFTER_OPEN if n % 2 else CLOSE, MARKET_TZ)
            )
            for n, day in enumerate(picks)
        )
        return sorted(dict.fromkeys(cuts))

    def _play(self, data: "MarketData", facts: Sequence[Fact], cut: Cut | None) -> list[Decision]:
        """Messages of a run up to the cut."""

        def on_day(day: date, done: int, total: int) -> None:
            if cut is not None and day >= cut.at.date():
                raise Enough

        with tempfile.TemporaryDirectory(prefix="aiagent-", ignore_cleanup_errors=True) as name:
            journal, kept = Path(name) / "journal.db", Path(name) / FILE_NAME
            if facts:
                store_facts(kept, enumerate(facts, 1))
            simulation = Simulation(
                data,
                self._settings,
                journal,
                frequency=self._interval,
                start=self._first,
                end=self._last,
                facts=FactReader(kept, self._settings.brain.text_days),
            )
            with suppress(Enough):
                simulation.run(on_day)
            positions = {day: n for n, day in enumerate(self._days)}
            with JournalReader.open(journal) as reader:
                entries = [(e.kind, e.body) for e in reader.read(kinds=KINDS)]
        messages = [(parse_message(kind, body).at, f"{kind.upper()} {body}") for kind, body in entries]
        return [
            Decision(positions.get(at.date(), 0), Phase.CLOSE, at, what)
            for at, what in messages
            if cut is None or at <= cut.at
        ]

    def _poisoned(self, cut: Cut, seed: int) -> "MarketData":
        series = {key: poison_series(item, cut, seed) for key, item in self._data.series.items()}
        index = {key: poison_series(item, cut, seed) for key, item in self._data.index.items()}
        return replace(self._data, series=series, index=index)


def poison_series(series: BarSeries, cut: Cut, seed: int) -> BarSeries:
    """The series as it was up to the cut, poisoned after it.

    Of a bar under way the open stays, and the volume, of which fills at the open get a share.
    """
    poison, moment = Poison(cut, seed), int(cut.at.timestamp())
    late, under_way = series.start >= moment, (series.start < moment) & (series.end > moment)
    price = np.array([poison.price() for _ in range(len(series))])
    volume = np.array([poison.volume() for _ in range(len(series))])
    columns = {
        name: np.where(
            late, np.maximum(np.round(getattr(series, name) * price, 2), 0.01), getattr(series, name)
        )
        for name in ("open", "high", "low", "close")
    }
    far = np.round(series.open * (1.05 if poison.above else 0.95), 2)
    columns["close"] = np.where(under_way, far, columns["close"])
    columns["high"] = np.where(under_way, np.maximum(far, series.open), columns["high"])
    columns["low"] = np.where(under_way, np.minimum(far, series.open), columns["low"])
    columns["volume"] = np.where(late, np.round(series.volume * volume), series.volume)
    columns["turnover"] = np.where(late, series.turnover * price * volume, series.turnover)
    columns["pre_close"] = np.where(late, np.nan, series.pre_close)
    return replace(series, **columns)


def poison_facts(facts: Sequence[Fact], cut: Cut, seed: int) -> tuple[Fact, ...]:
    """The facts that were known by the cut as they were, those that came later with other contents.

    A value and an event's figure are scaled, a text is another one; an industry's code stays, and so does
    what says that something is absent.
    """
    poison = Poison(cut, seed)
    return tuple(fact if fact.available_at <= cut.at else _false(fact, poison) for fact in facts)


def _false(fact: Fact, poison: Poison) -> Fact:
    factor = Decimal(str(round(poison.price(), 6)))
    if isinstance(fact, TextFact):
        return fact.model_copy(update={"title": f"{factor} {fact.title}"[:MAX_TITLE]})
    if isinstance(fact, ValueFact) and fact.unit != "code":
        return fact.model_copy(update={"value": fact.value * factor})
    if isinstance(fact, EventFact) and fact.value is not None:
        return fact.model_copy(update={"value": fact.value * factor})
    return fact
