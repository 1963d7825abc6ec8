"""A model behind a budget, reserved before each call: past it decisions abstain, exits never wait."""

from decimal import Decimal

from vnpy_aiagent.domain import TokenUsage
from vnpy_aiagent.errors import BudgetSpent, ModelCancelled, ModelError, ModelNonsense, ModelTimeout
from vnpy_aiagent.llm.ledger import BudgetLimits, DayUse, Ledger, Purse
from vnpy_aiagent.llm.port import ModelPort, ModelReply, ModelRequest, Usage
from vnpy_aiagent.llm.pricing import TokenPrice, estimate_prompt
from vnpy_aiagent.llm.scope import Scope, ask

__all__ = ["BudgetLimits", "BudgetedModel", "DayUse", "Ledger", "Purse", "used_by"]


class BudgetedModel:
    """A model behind a budget, itself a `ModelPort`.

    Each call first reserves its worst case (estimated prompt and `max_tokens`, priced by `price`) and is
    settled by the reported usage afterwards. A call that timed out, was cancelled or came back unusable
    counts with its estimated prompt, since the server may well have worked. What a failed call used stands in
    the error's `usage`.
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
        """Ask for the decision that the ledger began last; RuntimeError without a `begin_decision`."""
        return self.answer(request, Scope())

    def answer(self, request: ModelRequest, scope: Scope) -> ModelReply:
        """Ask the model within the budget.

        Raises BudgetSpent before the call where its worst case does not fit, else what the model raises. The
        timeout shrinks to what is left of the decision.
        """
        scope.cancel.check()
        purse = scope.purse or self.ledger.latest
        worst = self._use(estimate_prompt(request), request.max_tokens)
        seconds = purse.reserve(worst)
        used = Usage()
        try:
            bounded = request.model_copy(update={"timeout": min(request.timeout, seconds)})
            reply = ask(self._model, bounded, scope)
            used = reply.usage
        except (ModelError, BudgetSpent) as error:
            used = error.usage = used_by(error) or self._after_failure(error, worst)
            raise
        finally:
            purse.settle(worst, used)
        return reply

    def close(self) -> None:
        """Close the model behind the budget."""
        self._model.close()

    def _use(self, prompt: int, completion: int) -> Usage:
        cost = self._price.cost(prompt, completion) if self._price else Decimal(0)
        return Usage(calls=1, prompt_tokens=prompt, completion_tokens=completion, cost=cost, estimated=True)

    def _after_failure(self, error: Exception, worst: Usage) -> Usage:
        if isinstance(error, BudgetSpent):
            return Usage()
        worked = isinstance(error, ModelTimeout | ModelNonsense | ModelCancelled)
        return self._use(worst.prompt_tokens if worked else 0, 0)


def used_by(error: ModelError | BudgetSpent) -> Usage | None:
    """What failed calls used, where the error tells."""
    return Usage(**error.usage.model_dump()) if isinstance(error.usage, TokenUsage) else None
