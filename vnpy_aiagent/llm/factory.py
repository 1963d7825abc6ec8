"""The models that the settings name, behind one budget, each server behind its breaker."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from vnpy_aiagent.config import BudgetSettings, LlmSettings, ModelRole
from vnpy_aiagent.domain import Severity, Text
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.llm.breaker import BreakerModel, Tell
from vnpy_aiagent.llm.budget import BudgetedModel, BudgetLimits, Ledger
from vnpy_aiagent.llm.cassette import FILE_NAME, Cassette
from vnpy_aiagent.llm.failover import FailoverModel
from vnpy_aiagent.llm.offline import OfflineAnalyst
from vnpy_aiagent.llm.port import ModelPort
from vnpy_aiagent.llm.pricing import TokenPrice
from vnpy_aiagent.llm.recording import CassetteModel, SilentModel

SPARE_PATIENCE = 2.0
"""Longest pause (seconds) before a server is asked again where another could be asked instead."""


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
    """A role's model: the offline analyst, or budgeted clients of OpenAI-compatible servers, asked in order.

    `tell` hears of a server that is down and back; `monotonic` None lets it rest by calls (simulation).
    `cassette` is the file of recorded answers, None for none. Raises ConfigError for an address or key that
    cannot be right, and for mode replay without a file.
    """
    if llm.offline:
        return OfflineAnalyst()
    llm, tell = llm.of(role), tell or _silent
    if llm.cassette_mode == "replay":
        if cassette is None:
            raise ConfigError("llm.cassette_mode replay needs a file; set llm.cassette")
        return CassetteModel(SilentModel(llm.model), Cassette(cassette), "replay", tell, ledger=ledger)
    servers = llm.servers()
    asked = [
        _server(each, ledger, tell, monotonic, spare=place < len(servers) - 1)
        for place, each in enumerate(servers)
    ]
    model: ModelPort = asked[0] if len(asked) == 1 else FailoverModel(asked, _labels(servers), tell)
    if cassette is not None and llm.cassette_mode != "off":
        keys = [each.api_key.get_secret_value() for each in servers]
        model = CassetteModel(model, Cassette(cassette), llm.cassette_mode, tell, keys, ledger)
    return model


def _server(
    llm: LlmSettings, ledger: Ledger, tell: Tell, monotonic: Callable[[], float] | None, *, spare: bool
) -> BudgetedModel:
    """One server behind its breaker, priced on its own. `spare`: another one follows, so it waits less."""
    from vnpy_aiagent.llm.openai_client import LONGEST_PAUSE, OpenAIModel

    price = TokenPrice(input=llm.input_price, output=llm.output_price)
    client = OpenAIModel(
        llm.base_url,
        llm.model,
        llm.api_key.get_secret_value() or "none",
        timeout=llm.timeout,
        max_retries=llm.max_retries,
        price=price,
        stream=llm.stream,
        patience=SPARE_PATIENCE if spare else LONGEST_PAUSE,
    )
    return BudgetedModel(BreakerModel(client, tell, monotonic, spare=spare), ledger, price=price)


def _labels(servers: Sequence[LlmSettings]) -> list[str]:
    """Each server by its model's name, with its place in the list where that is not enough."""
    names = [each.model for each in servers]
    return [name if names.index(name) == place else f"{name}#{place + 1}" for place, name in enumerate(names)]


def cassette_file(llm: LlmSettings, folder: Path) -> Path:
    """Where a model's answers are recorded: as set, else in the folder."""
    return Path(llm.cassette).expanduser().absolute() if llm.cassette else folder / FILE_NAME


def _silent(severity: Severity, sentence: Text) -> None:
    """Nobody listens."""
