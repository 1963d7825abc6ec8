"""When triggers and stops act: not while paused, and on prices of continuous trading alone."""

from pathlib import Path

import pytest

from vnpy_aiagent.domain import (
    AnalysisRequest,
    ResolvedTrigger,
    StopUpdate,
    TriggerEnded,
    TriggerFired,
    TriggerKind,
    TriggerSpec,
)

from .small_house import BANK, SmallHouse, price_trigger

DAY, NEXT = "2025-07-10", "2025-07-11"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def test_a_price_trigger_that_is_reached_while_paused_waits_and_calls_for_analysis_after(
    journal: Path,
) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000, triggers=(price_trigger("5.20"),))
        house.engine.pause()
        house.tick(5.25)
        assert (house.said(TriggerFired), house.brain.asked) == ([], [])
        house.engine.resume()
        house.tick(5.25)
        assert len(house.said(TriggerFired)) == 1
        assert house.brain.asked == [BANK]


def test_a_time_trigger_that_comes_due_while_paused_fires_after_the_resumption(journal: Path) -> None:
    later = ResolvedTrigger(trigger=TriggerKind.TIME_AT, sessions=1, note="复核")
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000, triggers=(later,))
        house.engine.pause()
        house.go(f"{NEXT}T10:00")
        assert house.said(TriggerFired) == []
        house.engine.resume()
        house.go(f"{NEXT}T10:01")
        assert len(house.said(TriggerFired)) == 1
        assert [request.cause for request in house.said(AnalysisRequest)] == [house.said(TriggerFired)[0].id]


def test_a_time_trigger_that_was_missed_while_paused_survives_a_restart(journal: Path) -> None:
    later = ResolvedTrigger(trigger=TriggerKind.TIME_AT, sessions=1, note="复核")
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000, triggers=(later,))
        house.engine.pause()
        house.go(f"{NEXT}T10:00")
    with SmallHouse(journal, f"{NEXT}T10:30") as house:
        house.go(f"{NEXT}T10:31")
        assert house.said(TriggerFired) == []
        house.engine.resume()
        house.go(f"{NEXT}T10:32")
        assert len(house.said(TriggerFired)) == 1


def test_a_protective_stop_is_worked_while_paused(journal: Path) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000)
        house.go(f"{NEXT}T10:00")
        house.engine.pause()
        house.quote(4.70)
        house.tick(4.70)
        assert house.held == {}


@pytest.mark.parametrize("moment", ["09:20", "09:26", "12:00", "14:58", "16:00"])
def test_prices_out_of_continuous_trading_fire_and_sell_nothing(journal: Path, moment: str) -> None:
    triggers = (price_trigger("5.20"), price_trigger("4.90", TriggerKind.PRICE_AT_OR_BELOW))
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000, triggers=triggers)
        before = len(house.said(StopUpdate))
        house.go(f"{NEXT}T{moment}")
        house.quote(5.30)
        house.quote(4.60)
        assert house.said(TriggerFired) == []
        assert (house.stop_state(), len(house.said(StopUpdate))) == ("ARMED", before)
        assert len(house.said(TriggerSpec)) - len(house.said(TriggerEnded)) == 2


@pytest.mark.parametrize(
    "stamp", [f"{NEXT}T09:20", f"{DAY}T14:50"], ids=["of the auction", "of the day before"]
)
def test_an_old_quote_that_comes_late_fires_and_sells_nothing(journal: Path, stamp: str) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000, triggers=(price_trigger("5.20"),))
        house.go(f"{NEXT}T09:31")
        house.tick(5.30, stamp=stamp)
        house.tick(4.60, stamp=stamp)
        assert (house.said(TriggerFired), house.stop_state()) == ([], "ARMED")
        house.tick(5.30)
        assert len(house.said(TriggerFired)) == 1
