"""A stop's first order on the simulated exchange, which refuses limits outside the price cage."""

from decimal import Decimal
from pathlib import Path

import pytest
from vnpy.event import Event
from vnpy.trader.constant import Exchange
from vnpy.trader.event import EVENT_TICK
from vnpy.trader.object import TickData

from vnpy_aiagent.domain import Fill, Intent, OrderState, OrderUpdate, Side

from .small_house import BANK, PREVIOUS, SmallHouse


def see(house: SmallHouse, last: float, bid: float) -> None:
    """Two quotes whose last trade may lie well below the book."""
    code, _, suffix = BANK.rpartition(".")
    for _ in range(2):
        house.volume += 1e7
        tick = TickData(
            "SIM",
            code,
            Exchange(suffix),
            house.clock.now(),
            volume=house.volume,
            last_price=last,
            pre_close=PREVIOUS,
            limit_up=5.5,
            limit_down=4.5,
            bid_price_1=bid,
            bid_volume_1=1e6,
            ask_price_1=round(bid + 0.01, 2),
            ask_volume_1=1e6,
        )
        house.events.put(Event(EVENT_TICK, tick))
        house.events.drain()


@pytest.mark.parametrize(("bid", "edge"), [(4.79, "4.69"), (4.88, "4.78"), (4.95, "4.85"), (5.30, "5.19")])
def test_a_stop_sells_at_once_where_the_best_bid_lies_above_the_last_price(
    tmp_path: Path, bid: float, edge: str
) -> None:
    """4.70, 2 % below the last price, is below what the exchange takes in all cases but the first."""
    with SmallHouse(tmp_path / "journal.db", "2024-06-03T10:00") as house:
        house.buy(1000)
        house.go("2024-06-04T10:00:00")
        house.quote()
        see(house, 4.79, bid)
        [sale] = [intent for intent in house.said(Intent) if intent.side is Side.SELL]
        assert sale.price == max(Decimal(edge), Decimal("4.70"))
        assert [u for u in house.said(OrderUpdate) if u.state is OrderState.REJECTED] == []
        see(house, 4.79, bid)
        assert [fill.volume for fill in house.said(Fill) if fill.side is Side.SELL] == [1000]
        assert house.held == {}
