"""What decisions and trades cost in model use (CNY, tokens).

A decision's use is its own. A trade (a round trip) bears the use of every decision that led to one of its
fills; a decision that led to fills of several trades, such as those of three accounts, is shared among them
equally. Decisions that led to no fill belong to no trade: `per_trade` spreads the whole use over all trades.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from vnpy_aiagent.domain import Decision
from vnpy_aiagent.report.read import RunRecord
from vnpy_aiagent.report.trades import Trade


@dataclass(frozen=True, slots=True)
class ModelCost:
    """A use of models. `cost` in CNY, None where tokens were used at a price that nobody gave."""

    tokens: int
    cost: Decimal | None

    def over(self, parts: int) -> "ModelCost | None":
        """The use of one of so many equal parts; None where there is none."""
        if parts == 0:
            return None
        return ModelCost(round(self.tokens / parts), self.cost / parts if self.cost is not None else None)


@dataclass(frozen=True, slots=True)
class ModelCosts:
    """Of a run: in all, a decision on average, a trade on average, and each trade's own in their order."""

    total: ModelCost
    per_decision: ModelCost | None
    per_trade: ModelCost | None
    of_trades: tuple[ModelCost, ...]


def model_costs(record: RunRecord, trades: Sequence[Trade]) -> ModelCosts:
    """The model use of a run and of its trades."""
    decisions = record.of(Decision)
    total = cost_of(decisions)
    behind = [_decisions_of(record, trade) for trade in trades]
    shared = Counter(name for names in behind for name in names)
    of_trades = []
    for names in behind:
        parts = [cost_of([decision]).over(shared[decision.id]) for decision in names.values()]
        of_trades.append(_sum([part for part in parts if part is not None]))
    return ModelCosts(total, total.over(len(decisions)), total.over(len(trades)), tuple(of_trades))


def cost_of(decisions: Iterable[Decision]) -> ModelCost:
    """The use of some decisions together; rules cost nothing."""
    return _sum([_of(decision) for decision in decisions])


def _of(decision: Decision) -> ModelCost:
    usage = decision.usage
    tokens = usage.prompt_tokens + usage.completion_tokens
    unknown = decision.is_llm and tokens > 0 and not usage.cost
    return ModelCost(tokens, None if unknown else usage.cost)


def _sum(parts: Sequence[ModelCost]) -> ModelCost:
    costs = [part.cost for part in parts if part.cost is not None]
    known = len(costs) == len(parts)
    return ModelCost(sum(part.tokens for part in parts), sum(costs, Decimal(0)) if known else None)


def _decisions_of(record: RunRecord, trade: Trade) -> dict[str, Decision]:
    """The decisions that led to a trade's fills, by id, in order."""
    found: dict[str, Decision] = {}
    for fill in trade.fills:
        for message in record.ancestors(fill.id):
            if isinstance(message, Decision):
                found[message.id] = message
    return found
