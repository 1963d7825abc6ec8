"""The models that the settings name, one a role, behind one budget and each behind its breaker."""

import time
from collections.abc import Callable
from pathlib import Path

from vnpy_aiagent.config import BudgetSettings, LlmSettings, ModelRole
from vnpy_aiagent.domain import Severity, Text
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.llm.breaker import BreakerModel, Tell
from vnpy_aiagent.llm.budget import BudgetedModel, BudgetLimits, Ledger
from vnpy_aiagent.llm.cassette import FILE_NAME, Cassette
from vnpy_aiagent.llm.offline import OfflineAnalyst
from vnpy_aiagent.llm.port import ModelPort
from vnpy_aiagent.llm.pricing import TokenPrice
from vnpy_aiagent.llm.recording import CassetteModel, SilentModel


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
    cassette: Path | None = None,
) -> ModelPort:
    """A role's model: the offline analyst, or a budgeted client of an OpenAI-compatible server.

    `tell` hears of a server that is down and back; `monotonic` None lets it rest by calls (simulation).
    `cassette` is the file of recorded answers, None for none. Raises ConfigError for an address or key that
    cannot be right, and for mode replay without a file.
    """
    if llm.offline:
        return OfflineAnalyst()
    from vnpy_aiagent.llm.openai_client import OpenAIModel

    llm = llm.of(role)
    price = TokenPrice(input=llm.input_price, output=llm.output_price)
    tell = tell or _silent
    if llm.cassette_mode == "replay":
        if cassette is None:
            raise ConfigError("llm.cassette_mode replay needs a file; set llm.cassette")
        replayed = CassetteModel(SilentModel(llm.model), Cassette(cassette), "replay", tell)
        return BudgetedModel(replayed, ledger)
    client = OpenAIModel(
        llm.base_url,
        llm.model,
        llm.api_key.get_secret_value() or "none",
        timeout=llm.timeout,
        max_retries=llm.max_retries,
        price=price,
    )
    model: ModelPort = BreakerModel(client, tell, monotonic)
    if cassette is not None and llm.cassette_mode != "off":
        key = llm.api_key.get_secret_value()
        model = CassetteModel(model, Cassette(cassette), llm.cassette_mode, tell, key)
    return BudgetedModel(model, ledger, price=price)


def cassette_file(llm: LlmSettings, folder: Path) -> Path:
    """Where a model's answers are recorded: as set, else in the folder."""
    return Path(llm.cassette).expanduser().absolute() if llm.cassette else folder / FILE_NAME


def _silent(severity: Severity, sentence: Text) -> None:
    """Nobody listens."""
