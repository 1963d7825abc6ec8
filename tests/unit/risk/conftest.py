"""A wanted trade that every rule allows, to be bent one figure at a time."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from vnpy_aiagent.config import RiskLimits
from vnpy_aiagent.domain import MARKET_TZ, Action, Mode, Side, TradingState
from vnpy_aiagent.market import instrument_rules
from vnpy_aiagent.risk import RiskContext
from vnpy_aiagent.tools.snapshot import QuoteView

SYMBOL = "600036.SSE"
TODAY = date(2024, 5, 6)
NOW = datetime(2024, 5, 6, 10, tzinfo=MARKET_TZ)


@pytest.fixture
def quote() -> QuoteView:
    price = Decimal("20.00")
    return QuoteView(NOW, price, price, price, price, price, Decimal("22.00"), Decimal("18.00"), 1000)


@pytest.fixture
def context(quote: QuoteView) -> Callable[..., RiskContext]:
    """A buy of 1,000 shares at 20 CNY in an account of 1,000,000 CNY, with any figures changed."""

    def make(**changes: Any) -> RiskContext:
        figures: dict[str, Any] = {
            "account": "judge",
            "symbol": SYMBOL,
            "action": Action.BUY,
            "side": Side.BUY,
            "wanted": 1000,
            "price": Decimal("20.00"),
            "stop": Decimal("19.00"),
            "confidence": 0.7,
            "mode": Mode.PAPER,
            "state": TradingState.ACTIVE,
            "limits": RiskLimits(max_positions=8, max_entries_per_day=5),
            "rules": instrument_rules(changes.get("symbol", SYMBOL), TODAY),
            "fund": False,
            "quote": quote,
            "equity": Decimal(1_000_000),
            "available": Decimal(1_000_000),
            "held": 0,
            "sellable": 0,
            "working": 0,
            "exposure": Decimal(0),
            "positions": 0,
            "entries_today": 0,
            "day_start_equity": Decimal(1_000_000),
            "peak_equity": Decimal(1_000_000),
            "average_volume": 10_000_000.0,
        }
        return RiskContext(**(figures | changes))

    return make


@pytest.fixture
def sale(context: Callable[..., RiskContext]) -> Callable[..., RiskContext]:
    """A sale of 500 of 1,000 shares held, with any figures changed."""

    def make(**changes: Any) -> RiskContext:
        figures: dict[str, Any] = {
            "action": Action.REDUCE,
            "side": Side.SELL,
            "wanted": 500,
            "stop": None,
            "held": 1000,
            "sellable": 1000,
        }
        return context(**(figures | changes))

    return make
