"""Figures as people read them. No currency sign: a cp936 console cannot show it."""

from datetime import datetime
from decimal import Decimal

from vnpy_aiagent.domain import MARKET_TZ


def money(value: Decimal | float) -> str:
    """CNY with thousands and two decimals: 1,234,567.80."""
    return f"{value:,.2f}"


def signed_money(value: Decimal | float) -> str:
    """CNY with its sign."""
    return f"{value:+,.2f}"


def percent(ratio: float) -> str:
    """A ratio with its sign as percent: 0.0123 is +1.23%."""
    return f"{ratio * 100:+.2f}%"


def share(ratio: float) -> str:
    """A ratio without sign as percent: 0.0123 is 1.23%."""
    return f"{ratio * 100:.2f}%"


def ratio_or_dash(value: float | None) -> str:
    """A number with two decimals, or a dash where there is none."""
    return "-" if value is None else f"{value:.2f}"


def moment(at: datetime) -> str:
    """Market time to the minute, with seconds where they are not zero."""
    local = at.astimezone(MARKET_TZ)
    return local.strftime("%Y-%m-%d %H:%M:%S" if local.second else "%Y-%m-%d %H:%M")
