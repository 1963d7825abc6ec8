"""Whatever a broker says of an order, in any order: books stay true, and the right fills are still booked."""

import tempfile
from contextlib import closing
from decimal import Decimal
from math import inf, nan
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from vnpy.trader.constant import Direction, Exchange, Status
from vnpy.trader.event import EVENT_ORDER, EVENT_TRADE
from vnpy.trader.object import OrderData, TradeData

from vnpy_aiagent.domain import Fill, HandlerFailed

from ..unit.agents.test_broker_reports import DAY, World  # noqa: TID252 - the test tree is no package
from ..unit.engine.small_house import BANK, at  # noqa: TID252

ORDERED = 1000
FIGURES = st.one_of(
    st.sampled_from([None, "", "400", nan, inf, -inf, -1, 0, 0.5, 100, 400, 1000, 1e300, 10**400, [1]]),
    st.floats(),
    st.integers(),
    st.just(Decimal("sNaN")),
)
PRICES = st.one_of(FIGURES, st.sampled_from([4.99, 5.0, 5.01, 5.02]))
STAMPS = st.sampled_from(
    [None, "10:00", 5.0, at(f"{DAY}T10:00"), at("2025-03-02T10:00"), at(f"{DAY}T10:00").replace(tzinfo=None)]
)
REPORT = st.fixed_dictionaries(
    {
        "of": st.sampled_from(["order", "trade"]),
        "ours": st.booleans(),
        "tradeid": st.sampled_from(["1", "2", "", None, 7]),
        "direction": st.sampled_from([Direction.LONG, Direction.LONG, Direction.SHORT, None, "多"]),
        "status": st.sampled_from([*Status, None, "全部成交"]),
        "volume": FIGURES,
        "traded": FIGURES,
        "price": PRICES,
        "datetime": STAMPS,
        "extra": st.sampled_from([None, {}, {"reason": "柜台拒绝"}, "text"]),
    }
)


def tell(world: World, orderid: str, report: dict[str, Any]) -> None:
    to = orderid if report["ours"] else "stranger"
    data: Any
    if report["of"] == "trade":
        data = TradeData(world.name, BANK[:6], Exchange.SSE, to, "1")
        names = ("tradeid", "direction", "volume", "price", "datetime", "extra")
    else:
        data = OrderData(world.name, BANK[:6], Exchange.SSE, to)
        names = ("direction", "status", "volume", "traded", "price", "datetime", "extra")
    for name in names:
        setattr(data, name, report[name])
    world.tell(EVENT_TRADE if report["of"] == "trade" else EVENT_ORDER, data)


class Ended:
    """Closes a world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def close(self) -> None:
        self.world.house.__exit__()


@settings(max_examples=40)
@given(st.lists(REPORT, max_size=12))
def test_books_stay_true_whatever_a_broker_says(reports: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "journal.db")
        world.begin()
        with closing(Ended(world)):
            order = world.signal(ORDERED)
            for report in reports:
                tell(world, order, report)
            filled = sum(fill.volume for fill in world.house.said(Fill))
            assert filled <= ORDERED
            assert sum(world.house.held.values()) == filled
            world.trade(order, tradeid="the rest", volume=ORDERED - filled)
            assert world.house.held == {BANK: ORDERED}
            assert world.house.said(HandlerFailed) == []
            book = world.house.engine.house.portfolio.books["judge"]
            spent = sum((f.price * f.volume + f.fees for f in world.house.said(Fill)), Decimal(0))
            assert book.cash == world.house.settings.accounts[0].cash - spent
