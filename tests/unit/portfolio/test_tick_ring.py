"""The last ticks of a symbol: bounded, of one day, and cheap figures of what gateways really tell."""

from datetime import datetime, timedelta
from decimal import Decimal
from math import inf, nan
from typing import Any

import pytest
from vnpy.trader.constant import Exchange
from vnpy.trader.object import TickData

from vnpy_aiagent.domain import MARKET_TZ
from vnpy_aiagent.portfolio import QuoteBoard
from vnpy_aiagent.portfolio.tick_ring import CAPACITY, TickRing, known_figure

NOW = datetime(2024, 5, 7, 10, 0, tzinfo=MARKET_TZ)
SYMBOL = "600519.SSE"


def tick(second: int = 0, **fields: Any) -> TickData:
    values: dict[str, Any] = {
        "symbol": "600519",
        "exchange": Exchange.SSE,
        "datetime": NOW + timedelta(seconds=second),
        "last_price": 10.0,
        "volume": 1_000.0 + 100 * second,
        "turnover": 10_000.0 + 1_000 * second,
        "bid_price_1": 10.0,
        "ask_price_1": 10.01,
        "bid_volume_1": 300.0,
        "ask_volume_1": 100.0,
        "gateway_name": "T",
    }
    return TickData(**(values | fields))


def ring(*ticks: TickData) -> TickRing:
    made = TickRing()
    for each in ticks:
        made.add(each)
    return made


def test_a_window_adds_up_what_traded_and_on_which_side() -> None:
    found = ring(tick(0), tick(3, last_price=10.01), tick(6, last_price=10.0), tick(9, last_price=10.005))
    window = found.window(NOW.date())
    assert window is not None
    assert (window.ticks, window.seconds, window.volume) == (4, 9.0, 900)
    assert window.turnover == Decimal("9000.00")
    assert (window.at_ask, window.at_bid) == (300, 300)
    assert window.mean_imbalance == 0.5


def test_a_ring_is_bounded_and_of_one_day() -> None:
    found = ring(*(tick(second) for second in range(CAPACITY + 40)))
    window = found.window(NOW.date())
    assert window is not None
    assert window.ticks == CAPACITY
    assert found.window(NOW.date() + timedelta(days=1)) is None
    assert ring(tick()).window(NOW.date()) is None


@pytest.mark.parametrize("bad", [0.0, nan, inf, -1.0, None, "many"])
def test_figures_that_are_none_stay_missing(bad: Any) -> None:
    assert known_figure(bad) is None
    window = ring(
        tick(0, volume=bad, turnover=bad, bid_volume_1=bad), tick(3, volume=bad, bid_volume_1=bad)
    ).window(NOW.date())
    assert window is not None
    assert (window.volume, window.turnover, window.at_ask, window.mean_imbalance) == (None,) * 4


def test_a_volume_that_falls_is_no_trade() -> None:
    window = ring(tick(3), tick(6, volume=100.0, turnover=1.0)).window(NOW.date())
    assert window is not None
    assert (window.volume, window.turnover) == (None, None)


def test_the_board_gives_levels_and_the_window() -> None:
    board = QuoteBoard()
    board.update(tick(0, bid_price_2=9.99, bid_volume_2=500.0, ask_price_2=nan, ask_volume_2=5.0))
    board.update(tick(3, bid_price_2=9.99, bid_volume_2=500.0, ask_price_2=nan, ask_volume_2=5.0))
    found = board.order_book(SYMBOL)
    assert found is not None
    assert [(level.price, level.volume) for level in found.bids] == [
        (Decimal("10.0"), 300),
        (Decimal("9.99"), 500),
    ]
    assert len(found.asks) == 1
    assert found.at == NOW + timedelta(seconds=3)
    assert found.window is not None
    assert found.window.volume == 300


def test_a_tick_of_a_bar_has_no_book() -> None:
    board = QuoteBoard()
    board.update(tick(0, bid_price_1=0.0, ask_price_1=0.0, bid_volume_1=0.0, ask_volume_1=0.0))
    assert board.order_book(SYMBOL) is None
    assert board.order_book("600036.SSE") is None
