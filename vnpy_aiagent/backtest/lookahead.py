"""The future-poison check: does a strategy's past depend on its future?

For many cuts, everything after the cut is replaced by false values and the strategy runs again, up to the
cut. An honest one decides byte for byte as before. Two more runs, in which at each bar all of the future is
false, look for bars worth a cut of their own; they prove nothing by themselves, since a strategy may copy
the whole history at its start and still look only at its past.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from vnpy.trader.constant import Interval
from vnpy.trader.object import BarData
from vnpy_ctastrategy.template import CtaTemplate

from vnpy_aiagent.backtest.cut_engine import CutEngine, Decision, Watch
from vnpy_aiagent.backtest.poison import Band, Cut, poison_bars
from vnpy_aiagent.backtest.poisoned_files import PoisonedFiles, Table
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.errors import DataError

LEAST_BARS = 20
PACKAGE = "vnpy_aiagent"
PAIR = (0, 1)
LENGTHS = {Interval.HOUR: timedelta(hours=1), Interval.MINUTE: timedelta(minutes=1)}
CLOSE, AFTER_OPEN = time(15), time(9, 35)
Load = Callable[[], type[CtaTemplate]]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Change:
    """The first decision that a false future changed; `before` and `after` are None where there was none."""

    cut: Cut
    seed: int
    at: datetime
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. `unpoisoned` are data files that the strategy read as they are."""

    bars: int
    cuts: tuple[Cut, ...]
    decisions: int
    changes: tuple[Change, ...]
    unpoisoned: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    decisions: list[Decision]
    bands: dict[int, Band]
    error: Exception | None
    unpoisoned: set[Path]


class LookaheadCheck:
    """One strategy over the bars of one symbol."""

    def __init__(
        self,
        load: Load,
        vt_symbol: str,
        bars: Sequence[BarData],
        interval: Interval,
        *,
        parameters: dict[str, Any] | None = None,
        capital: int = 1_000_000,
        folder: Path | None = None,
        watch: Watch | None = None,
    ) -> None:
        """`load` gives the strategy's class anew for each run; `folder` is where its own modules lie.

        DataError for fewer than 20 bars.
        """
        if len(bars) < LEAST_BARS:
            raise DataError(f"{vt_symbol} has {len(bars)} bars; a check needs at least {LEAST_BARS}")
        self._load = load
        self.symbol = vt_symbol
        self._bars = list(bars)
        self._interval = interval
        self._parameters = parameters or {}
        self._capital = capital
        self._folder = folder
        self._watch = watch
        self._tables: dict[Path, Table | None] = {}

    def run(self, cuts: int = 40, progress: Progress | None = None) -> Finding:
        """Check with about so many cuts, at least 1; two runs each.

        DataError where the strategy raises by itself, or decides differently on the same data.
        """
        honest = self._play()
        if honest.error is not None:
            raise DataError(self._raised(honest))
        again = first_change(honest.decisions, self._play().decisions)
        if again is not None:
            at, before, after = again
            raise DataError(
                f"the strategy decides differently on the same data, "
                f"first at {at:%Y-%m-%d %H:%M} ({before or after}); "
                "fix its random seed and leave the machine's clock alone"
            )
        chosen = self._choose(honest, cuts)
        changes: list[Change] = []
        for number, cut in enumerate(chosen):
            if progress is not None:
                progress(number + 1, len(chosen))
            changes += self._changes(honest, cut)
        return Finding(
            len(self._bars),
            tuple(chosen),
            len(honest.decisions),
            tuple(changes),
            tuple(sorted(honest.unpoisoned)),
        )

    def cut(self, bar: int, *, opening: bool = False) -> Cut:
        """The cut after a bar, or five minutes after its open."""
        start = self._bars[bar].datetime.astimezone(MARKET_TZ)
        if self._interval is Interval.DAILY:
            return Cut(
                bar, opening, datetime.combine(start.date(), AFTER_OPEN if opening else CLOSE, MARKET_TZ)
            )
        length = LENGTHS[self._interval]
        return Cut(bar, opening, start + (min(length / 2, timedelta(minutes=5)) if opening else length))

    # runs

    def _changes(self, honest: _Run, cut: Cut) -> Iterator[Change]:
        """The change of the first seed that shows one."""
        before = [decision for decision in honest.decisions if decision.before(cut)]
        for seed in PAIR:
            run = self._play(cut, seed, honest.bands.get(cut.bar))
            change = first_change(before, [decision for decision in run.decisions if decision.before(cut)])
            if change is not None:
                yield Change(cut, seed, *change)
                return

    def _play(self, cut: Cut | None = None, seed: int = 0, band: Band | None = None) -> _Run:
        bars = poison_bars(self._bars, cut, seed, band) if cut else poison_bars(self._bars, self._end, seed)
        engine = CutEngine(cut.bar if cut else None, watch=self._watch)
        return self._in(engine, bars, cut, seed)

    def _play_rolling(self, seed: int) -> list[Decision]:
        """At each bar, all that follows is false."""
        nothing = Cut(-1, opening=False, at=self._bars[0].datetime)
        truth = poison_bars(self._bars, self._end, seed)
        return self._in(CutEngine(truth=truth), poison_bars(self._bars, nothing, seed), None, seed).decisions

    @property
    def _end(self) -> Cut:
        return self.cut(len(self._bars) - 1)

    def _in(self, engine: CutEngine, bars: list[BarData], cut: Cut | None, seed: int) -> _Run:
        files = PoisonedFiles(cut, seed, LENGTHS.get(self._interval, timedelta(hours=1)), self._tables)
        self._forget_modules()
        with files.served():
            engine.set_parameters(
                vt_symbol=self.symbol,
                interval=self._interval,
                start=self._bars[0].datetime,
                end=self._bars[-1].datetime,
                rate=0.00025,
                slippage=0.0,
                capital=self._capital,
            )
            engine.history_data = bars
            engine.run(self._load(), dict(self._parameters))
        return _Run(engine.decisions, engine.bands, engine.error, files.unpoisoned)

    def _forget_modules(self) -> None:
        """Drop the strategy's own modules, with what they remember of an earlier run."""
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file and self._is_own(name, Path(file)):
                del sys.modules[name]

    def _is_own(self, name: str, file: Path) -> bool:
        installed = name.partition(".")[0] in (PACKAGE, "__main__") or "site-packages" in file.parts
        return not installed and self._folder is not None and self._folder in file.parents

    def _raised(self, run: _Run) -> str:
        last = run.decisions[-1]
        where = f" at {last.at:%Y-%m-%d %H:%M}" if last.bar >= 0 else " at its start"
        return f"the strategy raised{where}: {last.what.removeprefix('RAISED ')}; mend it first"

    # cuts

    def _choose(self, honest: _Run, most: int) -> list[Cut]:
        """Cuts where a run with a false future first went astray, around decisions, and evenly in between."""
        last = len(self._bars) - 2
        wanted: list[Cut] = []
        for seed in PAIR:
            astray = _first_bar(honest.decisions, self._play_rolling(seed))
            if astray is not None:
                wanted += [self.cut(bar) for bar in (astray, astray - 1) if 0 <= bar <= last]
        bars = sorted({d.bar for d in honest.decisions if d.bar <= last})
        around = _spread(bars, max(1, most // 3))
        wanted += [self.cut(bar) for bar in around]
        wanted += [self.cut(bar + 1, opening=True) for bar in around if bar + 1 in honest.bands]
        even = _spread(range(last + 1), max(1, most - len(set(wanted))))
        wanted += [self.cut(bar, opening=bool(n % 2) and bar in honest.bands) for n, bar in enumerate(even)]
        return sorted(list(dict.fromkeys(wanted))[:most], key=lambda cut: (cut.at, cut))


def first_change(
    before: Sequence[Decision], after: Sequence[Decision]
) -> tuple[datetime, str | None, str | None] | None:
    """When the two first differ, and what stands there in each; None where they are equal."""
    for number in range(max(len(before), len(after))):
        one = before[number] if number < len(before) else None
        other = after[number] if number < len(after) else None
        if one != other:
            earliest = min((d for d in (one, other) if d is not None), key=lambda d: (d.bar, d.phase))
            ours = one.what if one is not None and one.bar == earliest.bar else None
            theirs = other.what if other is not None and other.bar == earliest.bar else None
            return earliest.at, ours, theirs
    return None


def _first_bar(before: Sequence[Decision], after: Sequence[Decision]) -> int | None:
    """The bar at which the two first differ."""
    for one, other in zip(before, after, strict=False):
        if one != other:
            return min(one.bar, other.bar)
    if len(before) == len(after):
        return None
    return max(before, after, key=len)[min(len(before), len(after))].bar


def _spread(items: Sequence[int], most: int) -> list[int]:
    """At most so many of the items, evenly, the first and last among them."""
    if len(items) <= most:
        return list(items)
    if most == 1:
        return [items[len(items) // 2]]
    return sorted({items[round(n * (len(items) - 1) / (most - 1))] for n in range(most)})
