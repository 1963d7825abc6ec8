"""What a human changes in the window: trigger levels and stops; and what the window reads."""

from decimal import Decimal
from pathlib import Path

import pytest

from vnpy_aiagent.domain import (
    CommandTaken,
    ResolvedTrigger,
    StopState,
    StopUpdate,
    TriggerEnd,
    TriggerEnded,
    TriggerFired,
    TriggerKind,
    TriggerSpec,
)
from vnpy_aiagent.errors import ConfigError

from .small_house import BANK, SmallHouse, at, price_trigger

DAY, NEXT = "2025-07-10", "2025-07-11"
OTHER, THIRD, SILENT = "600000.SSE", "600036.SSE", "600519.SSE"
WAIT = ResolvedTrigger(trigger=TriggerKind.TIME_AT, sessions=1)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def test_an_adjusted_trigger_fires_at_its_new_level_alone(journal: Path) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000, triggers=(price_trigger("5.20"),))
        [old] = house.said(TriggerSpec)
        new = house.engine.adjust_trigger(old.id, Decimal("5.30"), by="window")
        [command] = house.said(CommandTaken)
        spec = house.said(TriggerSpec)[-1]
        assert (spec.id, spec.price, spec.cause, spec.note) == (new, Decimal("5.30"), command.id, old.note)
        [ended] = house.said(TriggerEnded)
        assert (ended.trigger_id, ended.end) == (old.id, TriggerEnd.REPLACED)
        assert house.engine.house.portfolio.triggers["judge", BANK] == 1
        house.tick(5.25)
        assert house.said(TriggerFired) == []
        house.tick(5.30)
        assert [fired.trigger_id for fired in house.said(TriggerFired)] == [new]


def test_an_adjusted_trigger_survives_a_restart_and_the_old_one_does_not(journal: Path) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000, triggers=(price_trigger("5.20"),))
        house.engine.adjust_trigger(house.said(TriggerSpec)[0].id, Decimal("5.30"))
    with SmallHouse(journal, f"{DAY}T10:30") as house:
        assert house.engine.monitoring.book.levels(BANK) == [Decimal("5.30")]


@pytest.mark.parametrize(
    ("price", "complaint"), [("5.305", "multiple"), ("-1", "multiple"), ("NaN", "multiple"), ("5.60", "band")]
)
def test_a_trigger_is_not_put_where_no_price_can_be(journal: Path, price: str, complaint: str) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000, triggers=(price_trigger("5.20"),))
        with pytest.raises(ConfigError, match=complaint):
            house.engine.adjust_trigger(house.said(TriggerSpec)[0].id, Decimal(price))
        assert house.said(CommandTaken) == []
        assert house.engine.monitoring.book.levels(BANK) == [Decimal("5.20")]


def test_a_trigger_that_is_unknown_or_waits_for_a_time_cannot_be_adjusted(journal: Path) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000, triggers=(WAIT,))
        with pytest.raises(ConfigError, match="no trigger"):
            house.engine.adjust_trigger("r9-1", Decimal("5.20"))
        with pytest.raises(ConfigError, match="time"):
            house.engine.adjust_trigger(house.said(TriggerSpec)[0].id, Decimal("5.20"))


@pytest.mark.parametrize("price", ["4.90", "4.60"], ids=["up", "down"])
def test_a_stop_goes_where_a_human_puts_it_over_a_restart_as_well(journal: Path, price: str) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000, stop="4.80")
        house.engine.move_stop("judge", BANK, Decimal(price))
        assert house.engine.house.portfolio.stops["judge", BANK] == Decimal(price)
        update = house.said(StopUpdate)[-1]
        assert (update.state, update.stop, update.volume) == (StopState.ARMED, Decimal(price), 1000)
    with SmallHouse(journal, f"{NEXT}T10:00") as house:
        level = float(price)
        house.quote(round(level + 0.01, 2))
        assert house.held == {BANK: 1000}
        house.quote(level)
        house.tick(level)
        assert house.held == {}


@pytest.mark.parametrize(
    ("price", "complaint"),
    [("4.905", "multiple"), ("0", "multiple"), ("5.00", "not below"), ("5.20", "not below")],
)
def test_a_stop_is_not_put_where_it_would_sell_at_once_or_never(
    journal: Path, price: str, complaint: str
) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000)
        with pytest.raises(ConfigError, match=complaint):
            house.engine.move_stop("judge", BANK, Decimal(price))
        assert house.said(CommandTaken) == []


def test_a_stop_that_is_not_there_or_already_selling_cannot_be_moved(journal: Path) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        with pytest.raises(ConfigError, match="no protective stop"):
            house.engine.move_stop("judge", BANK, Decimal("4.60"))
        house.buy(1000)
        house.quote(4.70)
        with pytest.raises(ConfigError, match="DEFERRED_T1"):
            house.engine.move_stop("judge", BANK, Decimal("4.60"))


def test_heartbeats_say_when_each_agent_last_handled_something(journal: Path) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000)
        house.go(f"{DAY}T10:05")
        house.tick(5.0)
        beats = house.engine.heartbeats()
        assert beats["MONITORING"] == at(f"{DAY}T10:05")
        assert beats["EXECUTION"] == at(f"{DAY}T10:01"), "when its order was to be looked at"
        assert set(beats) <= {"ANALYSIS", "RISK", "EXECUTION", "MONITORING", "REVIEW"}
        assert "RISK" not in beats, "no proposal came to it"


def test_breadth_counts_symbols_with_a_quote_of_today(journal: Path) -> None:
    with SmallHouse(journal, f"{DAY}T10:00", symbols=(BANK, OTHER, THIRD, SILENT)) as house:
        house.tick(5.10, SILENT)
        house.go(f"{NEXT}T10:00")
        assert house.engine.breadth() == (0, 0, 0)
        house.tick(5.20, BANK)
        house.tick(5.00, OTHER)
        house.tick(4.90, THIRD)
        assert house.engine.breadth() == (1, 1, 1)
        house.tick(5.01, OTHER)
        assert house.engine.breadth() == (2, 0, 1)
