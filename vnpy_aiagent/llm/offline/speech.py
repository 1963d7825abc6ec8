"""What a speaker of the offline analyst knows, taken apart, and how it is tempered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

QUANT, HISTORY = "QUANT", "verify_history"
HISTORY_FOR, HISTORY_AGAINST = 0.03, -0.05


@dataclass(frozen=True, slots=True)
class Temperament:
    """How a speaker trades. ATR multiples and percents are of price; ratios 0..1."""

    confidence_shift: float
    min_confidence: float
    weight: float
    stop_atr: float
    exit_strength: float
    tighten_after: float
    trail: float


TEMPERAMENTS = {
    "aggressive": Temperament(0.02, 0.55, 1.2, 3.0, 0.7, 0.10, 9.0),
    "conservative": Temperament(-0.02, 0.65, 1.0, 2.0, 0.4, 0.05, 5.0),
    "judge": Temperament(0.0, 0.60, 1.0, 2.5, 0.55, 0.08, 7.0),
}


class Speech:
    """What a speaker knows, taken apart."""

    def __init__(self, role: str, facts: dict[str, Any]) -> None:
        """`facts` is the JSON of the speaker's user message."""
        self.role = role
        self.temper = TEMPERAMENTS[role]
        self.request: dict[str, Any] = facts["request"]
        self.finding: dict[str, Any] = facts["finding"]
        self.findings: Sequence[dict[str, Any]] = facts.get("findings", ())
        self.account: dict[str, Any] | None = facts["account"]
        self.position: dict[str, Any] | None = (self.account or {}).get("position")
        self.debate: Sequence[dict[str, Any]] = facts["debate"]
        self.evidence: dict[str, dict[str, Any]] = {e["tool"]: e for e in facts["evidence"]}

    @property
    def confidence(self) -> float:
        """The finding's confidence as this temperament takes it, and history; the judge hears the others."""
        own = float(self.finding["confidence"]) + self.temper.confidence_shift
        heard = [turn["confidence"] for turn in self.debate if turn["role"] != QUANT]
        if self.role == "judge" and heard:
            own = (own + sum(heard) / len(heard)) / 2
        return round(min(1.0, max(0.0, own + history_adjustment(self.data(HISTORY)))), 4)

    def data(self, tool: str) -> dict[str, Any]:
        """A tool's data, empty where it was not called or failed."""
        data: dict[str, Any] = self.evidence.get(tool, {}).get("data", {})
        return data

    def cite(self, *tools: str) -> list[str]:
        """Evidence ids of tools that were called."""
        return [self.evidence[tool]["evidence_id"] for tool in tools if tool in self.evidence]


def history_adjustment(history: dict[str, Any]) -> float:
    """What a verification adds to confidence: something where its mean's interval lies beside zero."""
    low, high = history.get("mean_return_95", (0.0, 0.0))
    return HISTORY_FOR if low > 0 else HISTORY_AGAINST if high < 0 else 0.0


def shown(value: float | None, digits: int = 3) -> str:
    """A figure, a dash where there is none."""
    return "—" if value is None else f"{value:.{digits}f}"


def percent(value: float | None) -> str:
    """A ratio in percent, a dash where there is none."""
    return "—" if value is None else f"{value * 100:.1f}%"
