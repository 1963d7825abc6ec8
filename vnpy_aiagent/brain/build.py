"""A brain from settings: its models by role behind one budget, and what was spent today before."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from vnpy_aiagent.brain.decide import Brain, Notice
from vnpy_aiagent.config import BrainSettings, BudgetSettings, LlmSettings
from vnpy_aiagent.domain import Severity, Text
from vnpy_aiagent.llm.budget import DayUse
from vnpy_aiagent.llm.factory import build_ledger, build_model


@dataclass(frozen=True, slots=True)
class BrainSetup:
    """What a brain is built from. `spent`: the day's model use before it, None for none."""

    llm: LlmSettings
    budget: BudgetSettings
    brain: BrainSettings
    spent: DayUse | None = None


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
    model = build_model(setup.llm, ledger, tell=tell, monotonic=monotonic)
    quick = None
    if setup.llm.quick is not None:
        quick = build_model(setup.llm, ledger, "quick", tell=tell, monotonic=monotonic)
    return Brain(model, setup.llm, setup.brain, quick=quick, notices=notices)
