"""The model that the settings name, behind its budget."""

from vnpy_aiagent.config import BudgetSettings, LlmSettings
from vnpy_aiagent.llm.budget import BudgetedModel, BudgetLimits
from vnpy_aiagent.llm.offline import OfflineAnalyst
from vnpy_aiagent.llm.port import ModelPort
from vnpy_aiagent.llm.pricing import TokenPrice


def build_model(llm: LlmSettings, budget: BudgetSettings) -> ModelPort:
    """The offline analyst, or a budgeted client of an OpenAI-compatible server.

    Raises ConfigError for an address or key that cannot be right.
    """
    if llm.offline:
        return OfflineAnalyst()
    from vnpy_aiagent.llm.openai_client import OpenAIModel

    price = TokenPrice(input=llm.input_price, output=llm.output_price)
    client = OpenAIModel(
        llm.base_url,
        llm.model,
        llm.api_key.get_secret_value() or "none",
        timeout=llm.timeout,
        max_retries=llm.max_retries,
        price=price,
    )
    limits = BudgetLimits(
        calls_per_decision=budget.calls_per_decision,
        tokens_per_decision=budget.tokens_per_decision,
        cost_per_day=budget.cost_per_day,
        calls_per_day=budget.calls_per_day,
        seconds_per_decision=budget.seconds_per_decision,
    )
    return BudgetedModel(client, limits, price=price)
