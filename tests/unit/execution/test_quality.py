"""Figures over the reports of many orders."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from vnpy_aiagent.agents.work_report import slippage
from vnpy_aiagent.domain import MARKET_TZ, Algo, ExecutionReport, ParentState, Side
from vnpy_aiagent.execution.quality import quality_of


def report(**changes: Any) -> ExecutionReport:
    fields: dict[str, Any] = {
        "id": "r1-0000001",
        "at": datetime(2025, 7, 10, 10, tzinfo=MARKET_TZ),
        "account": "judge",
        "parent_id": "p",
        "signal_id": "s",
        "symbol": "601988.SSE",
        "side": Side.BUY,
        "algo": Algo.LIMIT,
        "state": ParentState.FILLED,
        "volume": 1_000,
        "filled": 1_000,
        "arrival": Decimal("5.00"),
        "average_price": Decimal("5.01"),
        "slippage": 0.002,
        "fill_rate": 1.0,
        "first_fill": 2.0,
        "last_fill": 3.0,
        "children": 1,
        "cancels": 0,
    }
    return ExecutionReport(**(fields | changes))


def test_slippage_is_weighed_by_what_was_traded_and_delays_are_averaged() -> None:
    quality = quality_of(
        [
            report(),
            report(
                filled=3_000, volume=4_000, slippage=-0.001, average_price=Decimal("5.01"), first_fill=4.0
            ),
            report(filled=0, slippage=None, average_price=None, first_fill=None, children=3, cancels=3),
        ]
    )
    assert (quality.orders, quality.children, quality.cancels) == (3, 5, 3)
    assert quality.fill_rate == pytest.approx(4_000 / 6_000, abs=1e-6)
    assert quality.slippage == pytest.approx((0.002 * 1 - 0.001 * 3) / 4)
    assert quality.delay == 3.0


def test_no_orders_have_no_figures() -> None:
    assert quality_of([]).as_json() == {
        "orders": 0,
        "children": 0,
        "cancels": 0,
        "fill_rate": None,
        "slippage": None,
        "first_fill_seconds": None,
    }


@pytest.mark.parametrize(
    ("side", "average", "expected"),
    [
        (Side.BUY, "5.01", 0.002),
        (Side.BUY, "4.99", -0.002),
        (Side.SELL, "4.99", 0.002),
        (Side.SELL, "5.01", -0.002),
        (Side.BUY, None, None),
    ],
)
def test_slippage_is_positive_where_the_price_was_worse(
    side: Side, average: str | None, expected: float | None
) -> None:
    assert slippage(side, Decimal("5.00"), None if average is None else Decimal(average)) == expected
    assert slippage(side, None, Decimal("5.00")) is None
