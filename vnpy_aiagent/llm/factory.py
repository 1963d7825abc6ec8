"""The models that the settings name, one a role, behind one budget and each behind its breaker."""

import time
from collections.abc import Callable

from vnpy_aiagent.config import BudgetSettings, LlmSettings, ModelRole
from vnpy_aiagent.domain import Severity, Text
from vnpy_aiagent.llm.breaker import BreakerModel, Tell
from vnpy_aiagent.llm.budget import BudgetedModel, BudgetLimits, Ledger
from vnpy_aiagent.llm.offline import OfflineAnalyst
from vnpy_aiagent.llm.port import ModelPort
from vnpy_aiagent.llm.pricing import TokenPrice


def build_ledger(budget: BudgetSettings) -> Ledger:
    """The one budget that all roles share."""
    return Ledger(
        BudgetLimits(
            calls_per_decision=budget.calls_per_decision,
            tokens_per_decision=budget.tokens_per_decision,
            cost_per_day=budget.cost_per_day,
            calls_per_day=budget.calls_per_day,
            seconds_per_decision=budget.seconds_per_decision,
        )
    )


def build_model(
    llm: LlmSettings,
    ledger: Ledger,
    role: ModelRole = "deep",
    *,
    tell: Tell | None = None,
    monotonic: Callable[[], float] | None = time.monotonic,
) -> ModelPort:
    """A role's model: the offline analyst, or a budgeted client of an OpenAI-compatible server.

    `tell` hears of a server that is down and back; `monotonic` None lets it rest by calls (simulation).
    Raises ConfigError for an address or key that cannot be right.
    """
    if llm.offline:
        return OfflineAnalyst()
    from vnpy_aiagent.llm.openai_client import OpenAIModel

    llm = llm.of(role)
    price = TokenPrice(input=llm.input_price, output=llm.output_price)
    client = OpenAIModel(
        llm.base_url,
        llm.model,
        llm.api_key.get_secret_value() or "none",
        timeout=llm.timeout,
        max_retries=llm.max_retries,
        price=price,
    )
    return BudgetedModel(BreakerModel(client, tell or _silent, monotonic), ledger, price=price)


def _silent(severity: Severity, sentence: Text) -> None:
    """Nobody listens."""
