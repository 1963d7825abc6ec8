"""Which ticks count: none older than the latest, live none off the clock, on paper the set gateway's."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from vnpy.trader.constant import Exchange
from vnpy.trader.object import TickData

from vnpy_aiagent.domain import MARKET_TZ, StopUpdate
from vnpy_aiagent.sim.paper import PaperMarket

from .small_house import BANK, SmallHouse

DAY, NEXT = "2025-07-10", "2025-07-11"


@pytest.fixture
def house(tmp_path: Path) -> SmallHouse:
    """Shares bought yesterday, with a stop at 4.80; a last price of 5.20 at 14:00."""
    with SmallHouse(tmp_path / "journal.db", f"{DAY}T10:00") as before:
        before.buy(1000)
    return SmallHouse(tmp_path / "journal.db", f"{NEXT}T14:00", quote_gateway="QUOTE")


def last(house: SmallHouse) -> Decimal:
    return house.engine.house.portfolio.quotes.last_prices[BANK]


def test_a_tick_older_than_the_latest_moves_no_price_no_market_and_sells_nothing(
    house: SmallHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with house:
        house.tick(5.20, gateway="QUOTE")
        fed: list[object] = []
        feed = PaperMarket.on_tick

        def note(market: PaperMarket, *args: Any) -> None:
            fed.append(args)
            feed(market, *args)

        monkeypatch.setattr(PaperMarket, "on_tick", note)
        house.tick(4.75, stamp=f"{NEXT}T13:59:59", gateway="QUOTE")
        assert (house.stop_state(), last(house), fed) == ("ARMED", Decimal("5.2"), [])
        house.tick(4.75, gateway="QUOTE")
        assert house.stop_state() in ("WORKING", "none"), "sold, or being sold"
        assert len(fed) == 1


def test_on_paper_another_gateways_ticks_do_not_count_but_simulated_ones_do(house: SmallHouse) -> None:
    with house:
        house.tick(5.20, gateway="QUOTE")
        house.tick(4.75, gateway="CTP")
        assert (house.stop_state(), last(house)) == ("ARMED", Decimal("5.2"))
        simulated = house.settings.accounts[0].gateway_name
        house.tick(5.10, gateway=simulated)
        assert last(house) == Decimal("5.1")


@pytest.mark.parametrize("stamp", [f"{NEXT}T13:56:59", f"{NEXT}T14:03:01"], ids=["behind", "ahead"])
def test_live_a_tick_far_from_the_clock_does_not_count_and_is_told_once(
    house: SmallHouse, stamp: str
) -> None:
    with house:
        house.engine.tick_gate.live = True
        said = len(house.said(StopUpdate))
        house.tick(4.75, stamp=stamp, gateway="QUOTE")
        house.tick(4.75, stamp=stamp, gateway="QUOTE")
        assert (house.stop_state(), len(house.said(StopUpdate))) == ("ARMED", said)
        assert len([text for text in house.engine._alerts if "3 分钟" in text.render()]) == 1
        house.tick(4.75, stamp=f"{NEXT}T13:57:01", gateway="QUOTE")
        assert house.stop_state() == "WORKING"


def test_an_old_tick_of_a_symbol_without_rules_here_is_dropped_without_a_failure(house: SmallHouse) -> None:
    future = TickData(
        symbol="IF2101",
        exchange=Exchange.CFFEX,
        datetime=datetime(2021, 1, 4, 10, tzinfo=MARKET_TZ),
        last_price=5230.0,
        gateway_name="QUOTE",
    )
    with house:
        house.engine.tick_gate.live = True
        house.engine._on_tick(future)
        assert "IF2101.CFFEX" not in house.engine.house.portfolio.quotes.last_prices
