"""A bound on model use: a day's, which all decisions share, and one for each decision at work."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from threading import Lock

from vnpy_aiagent.domain import TokenUsage
from vnpy_aiagent.errors import BudgetSpent
from vnpy_aiagent.llm.port import Usage

SHORTEST_TIMEOUT = 1.0
KEPT_DAYS = 2
Settled = Callable[[Usage], None]


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """Largest model use: calls, tokens and seconds of one decision, calls and CNY of one market day."""

    calls_per_decision: int = 24
    tokens_per_decision: int = 80_000
    cost_per_day: Decimal = Decimal(50)
    calls_per_day: int = 2_000
    seconds_per_decision: float = 300.0


@dataclass(frozen=True, slots=True)
class DayUse:
    """What models used on one market day, so that neither a restart of the brain nor of the app frees it."""

    day: date
    usage: Usage = field(default_factory=Usage)

    def add(self, day: date, usage: TokenUsage) -> "DayUse":
        """With the use of one more decision; a later day begins anew, an earlier one is past."""
        if day < self.day:
            return self
        return DayUse(day, (self.usage if day == self.day else Usage()) + usage)


@dataclass(slots=True)
class _Day:
    day: date
    spent: Usage = field(default_factory=Usage)
    reserved: Usage = field(default_factory=Usage)


class Ledger:
    """What is used and reserved of a budget, by all models and all decisions that share it.

    Decisions may be at work at the same time, and the calls of each may come from several threads.
    `monotonic` (seconds) is there for tests.
    """

    def __init__(self, limits: BudgetLimits, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Nothing is used yet."""
        self.limits = limits
        self.monotonic = monotonic
        self.lock = Lock()
        self._days: dict[date, _Day] = {}
        self._latest: Purse | None = None

    @property
    def latest(self) -> "Purse":
        """The decision that began last. RuntimeError before the first."""
        if self._latest is None:
            raise RuntimeError("begin_decision(day) comes before the first model call")
        return self._latest

    @property
    def usage_decision(self) -> Usage:
        """Use of the decision that began last."""
        return self._latest.usage if self._latest is not None else Usage()

    @property
    def usage_day(self) -> Usage:
        """Use of the market day that was entered last."""
        with self.lock:
            return next(reversed(self._days.values())).spent if self._days else Usage()

    def begin_decision(self, day: date, settled: Settled | None = None) -> "Purse":
        """A decision's own part of the budget on a market day. `settled` hears of the use of each call."""
        with self.lock:
            self._latest = Purse(self, self._enter(day), settled)
            return self._latest

    def restore_day(self, day: date, usage: Usage) -> None:
        """Take over what was used on `day` before a restart, so that a restart frees no money."""
        with self.lock:
            self._enter(day).spent = usage

    def _enter(self, day: date) -> _Day:
        """The day's account. A decision of the day before may still be at work, so two days are kept."""
        if day not in self._days:
            self._days[day] = _Day(day)
            for old in list(self._days)[:-KEPT_DAYS]:
                del self._days[old]
        return self._days[day]


class Purse:
    """One decision's use, within its own limits and those of its day. Safe to use from several threads."""

    def __init__(self, ledger: Ledger, day: _Day, settled: Settled | None) -> None:
        """Made by `Ledger.begin_decision`."""
        self._ledger = ledger
        self._day = day
        self._settled = settled
        self._started = ledger.monotonic()
        self._used = Usage()
        self._reserved = Usage()

    @property
    def usage(self) -> Usage:
        """What the decision used until now."""
        with self._ledger.lock:
            return self._used

    def reserve(self, worst: Usage) -> float:
        """Set a call's worst case aside; seconds left for it. Raises BudgetSpent where it does not fit."""
        with self._ledger.lock:
            seconds = self._check(worst)
            self._reserved += worst
            self._day.reserved += worst
            return seconds

    def settle(self, worst: Usage, used: Usage) -> None:
        """Put what a call used in the place of what was reserved for it."""
        with self._ledger.lock:
            self._reserved = _minus(self._reserved, worst)
            self._day.reserved = _minus(self._day.reserved, worst)
            self._used += used
            self._day.spent += used
        if self._settled is not None:
            self._settled(used)

    def _check(self, worst: Usage) -> float:
        limits, day = self._ledger.limits, self._day
        decision = self._used + self._reserved + worst
        of_day = day.spent + day.reserved + worst
        seconds = limits.seconds_per_decision - (self._ledger.monotonic() - self._started)
        if decision.calls > limits.calls_per_decision:
            raise _spent(f"{limits.calls_per_decision} model calls of this decision", "calls_per_decision")
        if decision.tokens > limits.tokens_per_decision:
            raise _spent(f"{limits.tokens_per_decision} tokens of this decision", "tokens_per_decision")
        if seconds < SHORTEST_TIMEOUT:
            raise _spent(f"{limits.seconds_per_decision:g} seconds of this decision", "seconds_per_decision")
        if of_day.calls > limits.calls_per_day:
            raise _spent(f"{limits.calls_per_day} model calls of {day.day}", "calls_per_day")
        if of_day.cost > limits.cost_per_day:
            raise _spent(f"{limits.cost_per_day} CNY for models on {day.day}", "cost_per_day")
        return seconds


def ledger_of(model: object) -> Ledger | None:
    """The ledger of a model behind a budget, None for one without."""
    found = getattr(model, "ledger", None)
    return found if isinstance(found, Ledger) else None


def _spent(what: str, setting: str) -> BudgetSpent:
    return BudgetSpent(
        f"the {what} are used up or do not cover the next call; wait, or raise budget.{setting}"
    )


def _minus(total: Usage, part: Usage) -> Usage:
    """What stays reserved when one call is settled."""
    return Usage(
        calls=total.calls - part.calls,
        prompt_tokens=total.prompt_tokens - part.prompt_tokens,
        completion_tokens=total.completion_tokens - part.completion_tokens,
        cost=total.cost - part.cost,
    )
