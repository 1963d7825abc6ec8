"""A brain from settings: its models by role behind one budget, and what was spent today before."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vnpy_aiagent.brain.decide import Brain, Notice
from vnpy_aiagent.brain.prompts import prompt_version
from vnpy_aiagent.config import BrainSettings, BudgetSettings, LlmSettings, ModelRole
from vnpy_aiagent.domain import Severity, Text
from vnpy_aiagent.llm.budget import DayUse
from vnpy_aiagent.llm.factory import build_ledger, build_model

ROLE_FACTS: dict[str, Any] = {
    "model": True,
    "max_tokens": True,
    "temperature": True,
    "seed": True,
    "input_price": True,
    "output_price": True,
    "fallbacks": {"__all__": {"model", "input_price", "output_price"}},
}


@dataclass(frozen=True, slots=True)
class BrainSetup:
    """What a brain is built from. `spent`: the day's model use before it, None for none.

    `cassette`: the file of recorded model answers, None for none.
    """

    llm: LlmSettings
    budget: BudgetSettings
    brain: BrainSettings
    spent: DayUse | None = None
    cassette: Path | None = None


def build_brain(setup: BrainSetup, monotonic: Callable[[], float] | None = time.monotonic) -> Brain:
    """The brain; `monotonic` None where no clock of the machine may decide anything (simulation).

    Raises ConfigError for an address or key that cannot be right.
    """
    notices: list[Notice] = []

    def tell(severity: Severity, sentence: Text) -> None:
        notices.append((severity, sentence))

    ledger = build_ledger(setup.budget)
    if setup.spent is not None:
        ledger.restore_day(setup.spent.day, setup.spent.usage)
    model = build_model(setup.llm, ledger, tell=tell, monotonic=monotonic, cassette=setup.cassette)
    quick = None
    if setup.llm.quick is not None:
        quick = build_model(
            setup.llm, ledger, "quick", tell=tell, monotonic=monotonic, cassette=setup.cassette
        )
    width = setup.brain.parallel_roles if monotonic is not None else 1
    return Brain(model, setup.llm, setup.brain, quick=quick, notices=notices, width=width)


def mind_facts(llm: LlmSettings, brain: BrainSettings) -> dict[str, Any]:
    """How decisions are made, for the journal: what a replay needs to know. No key, no address."""
    return {
        "brain": brain.model_dump(mode="json"),
        "deep": _role_facts(llm, "deep"),
        "quick": _role_facts(llm, "quick") if llm.quick is not None else None,
        "roles": dict(llm.roles),
        "prompts": prompt_version(brain.language),
    }


def _role_facts(llm: LlmSettings, role: ModelRole) -> dict[str, Any]:
    return llm.of(role).model_dump(mode="json", include=ROLE_FACTS)
