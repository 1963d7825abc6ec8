"""Accounts with their limits, and what mode LIVE needs."""

import re
from decimal import Decimal
from typing import Literal

from pydantic import Field, field_validator

from vnpy_aiagent.config.base import Ratio, Section
from vnpy_aiagent.domain import Route, Style

Approvals = Literal["all", "entries", "none"]


class RiskLimits(Section):
    """Limits of one account. Weights are ratios of the account's equity.

    A futures contract weighs what its margin is. `max_margin` bounds the margin of all contracts together,
    `max_contracts` how many of one contract are held.
    """

    max_weight_share: Ratio = 0.10
    max_weight_fund: Ratio = 0.60
    max_weight_futures: Ratio = 0.10
    max_margin: Ratio = 0.30
    max_contracts: int = Field(20, ge=0, le=10_000)
    max_exposure: Ratio = 0.80
    max_positions: int = Field(6, ge=1)
    risk_per_trade: Ratio = 0.01
    min_confidence: Ratio = 0.60
    low_confidence_scale: Ratio = 0.5
    daily_loss: Ratio = 0.03
    max_drawdown: Ratio = 0.20
    max_stop_distance: Ratio = 0.15
    min_stop_distance: Ratio = 0.005
    max_volume_share: Ratio = 0.05
    max_entries_per_day: int = Field(2, ge=0)
    max_entry_premium: Ratio = 0.03


STYLE_LIMITS: dict[Style, RiskLimits] = {
    Style.AGGRESSIVE: RiskLimits(
        max_weight_fund=0.90,
        max_exposure=0.95,
        max_positions=8,
        risk_per_trade=0.012,
        min_confidence=0.55,
        max_entries_per_day=3,
    ),
    Style.CONSERVATIVE: RiskLimits(
        max_weight_share=0.06,
        max_weight_fund=0.40,
        max_exposure=0.50,
        max_positions=5,
        risk_per_trade=0.006,
        min_confidence=0.65,
        max_entries_per_day=1,
    ),
    Style.JUDGE: RiskLimits(),
}


class AccountSettings(Section):
    """One account: its gateway in vnpy, starting cash when simulated (CNY), and temperament.

    In mode LIVE an entry goes to `second_gateway` where the first one takes no order for certain.
    """

    name: str
    style: Style
    gateway: str = ""
    second_gateway: str = ""
    cash: Decimal = Field(Decimal(1_000_000), gt=0)
    route: Route = Route.DIRECT
    limits: RiskLimits | None = None

    @field_validator("name")
    @classmethod
    def _name_is_plain(cls, name: str) -> str:
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", name):
            raise ValueError("is 1 to 32 of a-z, 0-9, - and _, beginning with a letter, such as judge2")
        return name

    @property
    def gateway_name(self) -> str:
        """The gateway's name in vnpy; a simulated one is named after the account."""
        return self.gateway or f"SIM-{self.name.upper()}"

    @property
    def gateways(self) -> tuple[str, ...]:
        """All gateways' names in vnpy, the first one first."""
        return (self.gateway_name, self.second_gateway) if self.second_gateway else (self.gateway_name,)

    @property
    def risk(self) -> RiskLimits:
        """Own limits, else those of the style."""
        return self.limits or STYLE_LIMITS[self.style]


def default_accounts() -> tuple[AccountSettings, ...]:
    """Aggressive, conservative and judge, 1,000,000 CNY each, on simulated gateways."""
    return tuple(AccountSettings(name=style.name.lower(), style=style) for style in Style)


class ReconcileSettings(Section):
    """How accounts are kept in agreement with the broker in mode LIVE. Times in seconds.

    No order is sent on account data older than `account_max_age`, nor before the broker has been heard and
    was quiet for `settle`; then all is compared every `every`. A difference of cash above `cash_alert` (CNY)
    is told to a human. Differences that together are above `halt_share` of the account's equity stop all.
    """

    account_max_age: float = Field(10.0, ge=1, le=60, allow_inf_nan=False)
    settle: float = Field(3.0, ge=0.5, le=60, allow_inf_nan=False)
    every: float = Field(60.0, ge=5, le=3_600, allow_inf_nan=False)
    cash_alert: Decimal = Field(Decimal(10), ge=0)
    halt_share: Ratio = 0.01


class LiveSettings(Section):
    """Real orders. Both the capital limit (CNY) and the allowlist are needed."""

    capital_limit: Decimal = Field(gt=0)
    allowlist: tuple[str, ...] = Field(min_length=1)
    approvals: Approvals = "all"
    program_trading_reported: bool = False
