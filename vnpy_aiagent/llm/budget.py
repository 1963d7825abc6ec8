"""A bound on model use, reserved before each call: past it a decision abstains, exits never wait for it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from threading import Lock

from vnpy_aiagent.domain import TokenUsage
from vnpy_aiagent.errors import BudgetSpent, ModelError, ModelNonsense, ModelTimeout
from vnpy_aiagent.llm.port import ModelPort, ModelReply, ModelRequest, Usage
from vnpy_aiagent.llm.pricing import TokenPrice, estimate_prompt

SHORTEST_TIMEOUT = 1.0


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


class Ledger:
    """What is used and reserved of one budget, by all models that share it.

    One decision at a time; its calls may come from several threads. `monotonic` (seconds) is there for tests.
    """

    def __init__(self, limits: BudgetLimits, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Nothing is used yet."""
        self._limits = limits
        self._monotonic = monotonic
        self._lock = Lock()
        self._day: date | None = None
        self._started = 0.0
        self._decision = Usage()
        self._spent_day = Usage()
        self._reserved = Usage()

    @property
    def usage_decision(self) -> Usage:
        """Use since `begin_decision`."""
        with self._lock:
            return self._decision

    @property
    def usage_day(self) -> Usage:
        """Use of the market day."""
        with self._lock:
            return self._spent_day

    def begin_decision(self, day: date) -> None:
        """Start a decision on a market day: its counters begin anew, the day's when the day changes."""
        with self._lock:
            self._enter_day(day)
            self._decision = Usage()
            self._started = self._monotonic()

    def restore_day(self, day: date, usage: Usage) -> None:
        """Take over what was used on `day` before a restart, so that a restart frees no money."""
        with self._lock:
            self._enter_day(day)
            self._spent_day = usage

    def reserve(self, worst: Usage) -> float:
        """Set a call's worst case aside; seconds left for it. Raises BudgetSpent where it does not fit."""
        with self._lock:
            seconds = self._check(worst)
            self._reserved += worst
            return seconds

    def settle(self, worst: Usage, used: Usage) -> None:
        """Put what a call used in the place of what was reserved for it."""
        with self._lock:
            self._reserved = _minus(self._reserved, worst)
            self._decision += used
            self._spent_day += used

    def _enter_day(self, day: date) -> None:
        if day != self._day:
            self._day = day
            self._spent_day = Usage()

    def _check(self, worst: Usage) -> float:
        if self._day is None:
            raise RuntimeError("begin_decision(day) comes before the first model call")
        limits = self._limits
        decision = self._decision + self._reserved + worst
        day = self._spent_day + self._reserved + worst
        seconds = limits.seconds_per_decision - (self._monotonic() - self._started)
        if decision.calls > limits.calls_per_decision:
            raise _spent(f"{limits.calls_per_decision} model calls of this decision", "calls_per_decision")
        if decision.tokens > limits.tokens_per_decision:
            raise _spent(f"{limits.tokens_per_decision} tokens of this decision", "tokens_per_decision")
        if seconds < SHORTEST_TIMEOUT:
            raise _spent(f"{limits.seconds_per_decision:g} seconds of this decision", "seconds_per_decision")
        if day.calls > limits.calls_per_day:
            raise _spent(f"{limits.calls_per_day} model calls of {self._day}", "calls_per_day")
        if day.cost > limits.cost_per_day:
            raise _spent(f"{limits.cost_per_day} CNY for models on {self._day}", "cost_per_day")
        return seconds


class BudgetedModel:
    """A model behind a budget, itself a `ModelPort`.

    Each call first reserves its worst case (estimated prompt and `max_tokens`, priced by `price`) and is
    settled by the reported usage afterwards. A call that timed out or came back unusable counts with its
    estimated prompt, since the server may well have worked.
    """

    def __init__(self, model: ModelPort, ledger: Ledger, *, price: TokenPrice | None = None) -> None:
        """Models that share a ledger share the budget."""
        self._model = model
        self.ledger = ledger
        self._price = price

    @property
    def name(self) -> str:
        """Name of the model behind the budget."""
        return self._model.name

    @property
    def is_llm(self) -> bool:
        """Whether the model behind the budget is a language model."""
        return self._model.is_llm

    def complete(self, request: ModelRequest) -> ModelReply:
        """Ask the model within the budget.

        Raises BudgetSpent before the call where its worst case does not fit, RuntimeError without a
        `begin_decision`, else what the model raises. The timeout shrinks to what is left of the decision.
        """
        worst = self._use(estimate_prompt(request), request.max_tokens)
        seconds = self.ledger.reserve(worst)
        used = Usage()
        try:
            bounded = request.model_copy(update={"timeout": min(request.timeout, seconds)})
            reply = self._model.complete(bounded)
            used = reply.usage
        except ModelError as error:
            used = self._after_failure(error, worst)
            raise
        finally:
            self.ledger.settle(worst, used)
        return reply

    def close(self) -> None:
        """Close the model behind the budget."""
        self._model.close()

    def _use(self, prompt: int, completion: int) -> Usage:
        cost = self._price.cost(prompt, completion) if self._price else Decimal(0)
        return Usage(calls=1, prompt_tokens=prompt, completion_tokens=completion, cost=cost, estimated=True)

    def _after_failure(self, error: ModelError, worst: Usage) -> Usage:
        worked = isinstance(error, ModelTimeout | ModelNonsense)
        return self._use(worst.prompt_tokens if worked else 0, 0)


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
