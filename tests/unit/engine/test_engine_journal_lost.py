"""The journal's file is deleted while the system runs: no order leaves, all is halted, a human is told."""

import time
from collections.abc import Callable
from pathlib import Path

from vnpy_aiagent.domain import OrderState, TradingState

from .small_house import SmallHouse

SOON = 30.0


def until(true: Callable[[], bool], house: SmallHouse) -> None:
    deadline = time.monotonic() + SOON
    while not true():
        assert time.monotonic() < deadline, "this did not happen in time"
        time.sleep(0.01)
        house.events.drain()


def test_a_deleted_journal_halts_the_system_and_no_order_leaves(tmp_path: Path) -> None:
    journal, aside = tmp_path / "journal.db", tmp_path / "aside.db"
    with SmallHouse(journal, "2025-07-10T10:00", threaded=True, language="en") as house:
        engine = house.engine
        house.quote()
        assert engine.parts.writer.flush(SOON)
        journal.rename(aside)
        house.buy(1000)
        until(lambda: engine.control.state is TradingState.HALTED, house)
        until(lambda: any("taken away" in alert for alert in engine.alerts), house)
        assert engine.parts.exchange is not None
        assert engine.parts.exchange.account("judge").orders == {}
        assert not journal.exists()

        aside.rename(journal)  # a human puts it back
        assert engine.parts.writer.flush(SOON)
        house.events.drain()
        assert engine.control.state is TradingState.HALTED, "only a human lifts it"
        assert {child.state for _, child in engine.execution.desk.working()} <= {OrderState.CANCELLED}
        assert house.held == {}
        engine.resume()
        house.buy(1000)
        until(lambda: house.held == {"601988.SSE": 1000}, house)
