"""Orders of a run followed back to the numbers that they were made from, and doctored ones found."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from vnpy_aiagent.domain import Intent, Message, Signal

from .loop_helpers import TEN, Played, play, sse50
from .regrounding import reground


@pytest.fixture(scope="module")
def traded(shared: Path) -> Played:
    """Two months of ten shares."""
    return play(sse50(shared).restrict(TEN), start=date(2025, 7, 1), end=date(2025, 8, 31))


def test_every_order_of_the_offline_analyst_is_worked_out_again(traded: Played) -> None:
    found = reground(traded)
    assert found.wrong == ()
    assert found.plans > 10
    assert found.others > 0


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (Intent, {"price": Decimal("9999")}),
        (Intent, {"volume": 10**9}),
        (Signal, {"limit": Decimal("9.87"), "low": Decimal(0), "high": Decimal(10_000)}),
        (Signal, {"stop": Decimal("0.01")}),
        (Signal, {"volume": 10**9}),
    ],
)
def test_a_number_from_nowhere_is_found(
    traded: Played, kind: type[Message], change: dict[str, object]
) -> None:
    signals = [s for s in traded.of(Signal) if s.proposal_id is not None and s.stop is not None]
    first = signals[0]
    intent = next(i for i in traded.of(Intent) if first in traded.chain(i))
    chosen = first if kind is Signal else intent
    doctored = traded.messages | {chosen.id: chosen.model_copy(update=change)}
    assert reground(traded, doctored).wrong
