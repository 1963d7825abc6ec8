"""Volumes of slices: every one is an order that the exchange takes, and what it leaves is one too."""

from datetime import datetime, timedelta
from typing import Protocol

from vnpy_aiagent.config import SlicingSettings
from vnpy_aiagent.domain import Algo, Side
from vnpy_aiagent.execution.algos.plan import Market, Plan, Task


class VolumeRules(Protocol):
    """The part of InstrumentRules that sizes are measured by."""

    @property
    def min_buy(self) -> int:
        """Smallest order in shares."""
        ...

    def round_buy(self, volume: int) -> int:
        """Largest allowed buy volume not above the given one; 0 where there is none."""
        ...

    def round_sell(self, volume: int, holding: int) -> int:
        """Largest allowed sell volume not above the given one nor the holding; 0 where there is none."""
        ...


def legal(rules: VolumeRules, side: Side, volume: int, held: int) -> int:
    """Largest order that the exchange takes, not above a volume; 0 where there is none."""
    if volume <= 0:
        return 0
    return rules.round_buy(volume) if side is Side.BUY else rules.round_sell(volume, held)


def slice_volume(rules: VolumeRules, side: Side, wanted: int, rest: int, held: int) -> int:
    """An order of about `wanted` out of `rest`, after which the rest can still be sent.

    At least the smallest order; all of the rest where a smaller one would leave too little (on STAR less
    than 200). 0 where nothing of the rest can be sent.
    """
    everything = legal(rules, side, rest, held)
    volume = legal(rules, side, min(wanted, rest), held) or legal(rules, side, min(rules.min_buy, rest), held)
    if not volume:
        return everything
    if _leaves_an_order(rules, side, volume, rest, held):
        return volume
    if everything == rest:
        return rest
    less = legal(rules, side, min(volume, rest - rules.min_buy), held)
    return less if less and _leaves_an_order(rules, side, less, rest, held) else volume


def due_volume(plan: Plan, settings: SlicingSettings, market: Market | None, rest: int, now: datetime) -> int:
    """How much of the rest should be out now, by the plan's algorithm; it may be less than an order."""
    task = plan.task
    done = task.volume - rest
    if task.algo is Algo.TWAP:
        count = slice_count(task, settings)
        number = count if is_last(plan, settings, now) else plan.placed + 1
        return max(0, task.volume * min(number, count) // count - done)
    if task.algo is Algo.ICEBERG:
        return min(rest, max(1, int(task.volume * settings.visible)))
    if task.algo is Algo.PARTICIPATION:
        return max(0, min(rest, int(traded_since(plan, market) * settings.participation) - done))
    return rest


def traded_since(plan: Plan, market: Market | None) -> int:
    """Shares that traded since the plan began; 0 where that is not known."""
    if market is None or market.traded is None or plan.traded_from is None:
        return 0
    return max(0, market.traded - plan.traded_from)


def slice_count(task: Task, settings: SlicingSettings) -> int:
    """Slices of a TWAP: as set, fewer where its time is short (at least a minute each)."""
    minutes = int((task.ends - task.start).total_seconds() // 60)
    return max(1, min(settings.slices, minutes))


def slice_time(task: Task, settings: SlicingSettings) -> timedelta:
    """Time from one slice of a TWAP to the next."""
    whole = min(timedelta(minutes=settings.minutes), max(task.ends - task.start, timedelta()))
    return whole / slice_count(task, settings)


def is_last(plan: Plan, settings: SlicingSettings, now: datetime) -> bool:
    """Whether the slice of a TWAP that is due at `now` is its last one, by number or time."""
    late = now + slice_time(plan.task, settings) > plan.task.ends
    return late or plan.placed + 1 >= slice_count(plan.task, settings)


def _leaves_an_order(rules: VolumeRules, side: Side, volume: int, rest: int, held: int) -> bool:
    left = rest - volume
    return not left or legal(rules, side, left, held - volume) > 0
