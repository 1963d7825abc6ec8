"""The analysts: what each may call, what is fetched for it beforehand, and what makes its finding fresh.

docs/analysts.md has the same table for people.
"""

from dataclasses import dataclass, field
from typing import Any

from vnpy_aiagent.config import RoleWeights

Call = tuple[str, dict[str, Any]]
NO_ARGUMENTS: dict[str, Any] = {}
DAILY: dict[str, Any] = {"interval": "DAILY"}

SHARED_CALLS: tuple[Call, ...] = (
    ("get_quote", NO_ARGUMENTS),
    ("get_market", NO_ARGUMENTS),
    ("get_accounts", NO_ARGUMENTS),
    ("get_learnings", NO_ARGUMENTS),
)
"""Evidence that every role gets, fetched once: e1, e2, …"""

SHARED_TOOLS = frozenset({"get_learnings", "get_accounts", "get_portfolio"})
"""What every role may call besides its own tools."""


@dataclass(frozen=True, slots=True)
class AnalystRole:
    """One analyst. `letter` begins its evidence ids; `family` are its own tools; `calls` are made for it.

    `family` is what the role is an analyst of: only evidence from these tools makes its finding fresh.
    """

    name: str
    letter: str
    weight: str
    family: tuple[str, ...]
    calls: tuple[Call, ...]
    allowed: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """The allowlist: its own tools and those of every role."""
        object.__setattr__(self, "allowed", SHARED_TOOLS | set(self.family))

    def weight_of(self, weights: RoleWeights) -> float:
        """The weight that the settings give it, a ratio."""
        weight: float = getattr(weights, self.weight)
        return weight


def _plain(*names: str) -> tuple[Call, ...]:
    return tuple((name, NO_ARGUMENTS) for name in names)


ROLES: tuple[AnalystRole, ...] = (
    AnalystRole(
        "technical_analyst",
        "t",
        "technical",
        ("get_quote", "get_indicators", "get_bars", "get_order_book", "find_similar", "get_money_flow"),
        (("get_indicators", DAILY), ("get_bars", DAILY | {"count": 20})),
    ),
    AnalystRole(
        "fundamental_analyst",
        "f",
        "fundamental",
        ("get_fundamentals", "get_industry", "get_holdings"),
        _plain("get_fundamentals", "get_industry", "get_holdings"),
    ),
    AnalystRole(
        "policy_analyst",
        "p",
        "policy",
        ("get_policy", "get_calendar"),
        _plain("get_policy", "get_calendar"),
    ),
    AnalystRole(
        "environment_analyst",
        "m",
        "environment",
        ("get_market", "get_environment", "get_index"),
        _plain("get_environment", "get_index"),
    ),
    AnalystRole(
        "risk_analyst",
        "r",
        "special_risk",
        ("get_special_risk", "get_calendar"),
        _plain("get_special_risk", "get_calendar"),
    ),
)
"""In the order in which they are asked, their findings stand, and calls are given out."""
