"""The order machine once more, with orders that are cut and re-priced: each way, under all faults.

What holds of all orders (test_order_lifecycle_machine) holds here; and no child is out of bounds, of a wrong
size, beside another one, or sent where the state forbids it.
"""

import os
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from vnpy_aiagent.base import EVENT_AI_SIGNAL
from vnpy_aiagent.config import ExecutionSettings
from vnpy_aiagent.domain import (
    Algo,
    CancelAsked,
    ExecutionReport,
    Intent,
    OrderState,
    ParentDone,
    Side,
    Signal,
    StateChanged,
    TradingState,
    say,
)
from vnpy_aiagent.market import instrument_rules
from vnpy_aiagent.market.sessions import session_close

from ..unit.engine.small_house import BANK  # noqa: TID252 - the test tree is no package
from .test_order_lifecycle_machine import OrderLifecycle

DEEP = bool(os.environ.get("AIAGENT_TEST_DEEP"))
SEEN: Counter[str] = Counter()
WAYS: dict[Algo, dict[str, Any]] = {
    Algo.LIMIT: {"timeout": {"after": 20, "replacements": 2, "then": "GIVE_UP"}},
    Algo.TWAP: {"slicing": {"algo": "TWAP", "slices": 4, "minutes": 4}, "timeout": {"after": 20}},
    Algo.ICEBERG: {"slicing": {"algo": "ICEBERG", "visible": 0.3}, "timeout": {"after": 20}},
    Algo.PARTICIPATION: {
        "slicing": {"algo": "PARTICIPATION", "participation": 0.2, "every": 10},
        "patience": {"seconds": 20, "max_spread": 0},
    },
}


class WorkedOrders(OrderLifecycle):
    """As its base; every signal has room for other prices."""

    def __init__(self) -> None:
        super().__init__()
        self.state = TradingState.ACTIVE
        self.read = 0
        self.told: set[str] = set()

    def signal(self, side: Side, volume: int, limit: Decimal, *, protective: bool) -> None:
        self.world.engine.bus.post(
            Signal,
            EVENT_AI_SIGNAL,
            cause=None,
            account="judge",
            symbol=BANK,
            side=side,
            volume=volume,
            limit=limit,
            low=max(limit - Decimal("0.08"), Decimal("4.50")),
            high=min(limit + Decimal("0.08"), Decimal("5.50")),
            stop=limit - Decimal("0.20") if side is Side.BUY else None,
            protective=protective and side is Side.SELL,
            reason=say("测试"),
            valid_until=session_close(self.world.today),
        )

    def read_on(self) -> None:
        super().read_on()
        for message in self.world.written[self.read :]:
            SEEN[message.kind] += 1
            match message:
                case StateChanged():
                    self.state = message.state
                case Intent():
                    self.a_child_is_allowed(message)
                case CancelAsked():
                    assert message.intent_id in self.intents
                case ExecutionReport():
                    self.a_report_is_true(message)
                case ParentDone():
                    assert message.parent_id in self.told
        self.read = len(self.world.written)

    def a_child_is_allowed(self, intent: Intent) -> None:
        signal = self.signals[self.parents[intent.parent_id]]
        assert self.state is not TradingState.HALTED
        assert self.state is TradingState.ACTIVE or intent.side is Side.SELL
        assert intent.at < signal.valid_until
        assert signal.low <= intent.price <= signal.high
        assert Decimal("4.50") <= intent.price <= Decimal("5.50")
        assert intent.price % Decimal("0.01") == 0
        assert instrument_rules(BANK, self.world.today).lot_error(intent.side, intent.volume, 10**6) is None

    def a_report_is_true(self, report: ExecutionReport) -> None:
        self.told.add(report.parent_id)
        filled = sum(fill.volume for fill in self.fills if fill.parent_id == report.parent_id)
        assert report.filled <= filled <= report.volume == self.signals[report.signal_id].volume
        assert report.fill_rate == round(report.filled / report.volume, 6)
        assert (report.average_price is None) == (not report.filled)

    def no_more_than_approved(self) -> None:
        super().no_more_than_approved()
        now = self.world.house.clock.moment
        for parent in self.world.engine.execution.desk.parents.values():
            open_children = [child for child in parent.children if not child.ended]
            assert len(open_children) <= 1
            assert open_children or (parent.more and now <= parent.signal.valid_until)
            if any(child.state is OrderState.UNKNOWN for child in open_children):
                assert parent.children[-1] is open_children[0]
            book = self.world.book
            reserved = sum(
                book.reservations[key].volume
                for key in (parent.order.id, *(child.intent.id for child in open_children))
                if key in book.reservations
            )
            assert reserved <= parent.order.volume - parent.filled


@pytest.mark.parametrize("way", list(WAYS))
def test_worked_orders_never_exceed_what_was_approved(way: Algo) -> None:
    machine = type(f"Worked{way.name}", (WorkedOrders,), {"execution": _settings(way)})
    SEEN.clear()
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=int(os.environ.get("AIAGENT_TEST_DEEP_EXAMPLES", "400")) if DEEP else 25,
            stateful_step_count=60 if DEEP else 30,
            derandomize=not DEEP,
            deadline=None,
            phases=(Phase.explicit, Phase.generate),  # a story of thirty steps shrinks for minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert min(SEEN["Intent"], SEEN["Fill"], SEEN["ExecutionReport"]) > 20  # the stories had orders in them
    assert way in (Algo.PARTICIPATION, Algo.ICEBERG) or SEEN["CancelAsked"] > 10


def _settings(way: Algo) -> ExecutionSettings:
    return ExecutionSettings(max_orders_per_second=299, max_cancel_ratio=1.0, **WAYS[way])
