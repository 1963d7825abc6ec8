"""A resume after a flatten keeps what is not sold yet; remainders too small to sell are said once."""

from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from vnpy.event import Event

from vnpy_aiagent.base import EVENT_AI_COMMAND
from vnpy_aiagent.domain import (
    Alert,
    CommandTaken,
    Fill,
    HandlerFailed,
    Intent,
    Severity,
    Side,
    StateChanged,
    StopUpdate,
)
from vnpy_aiagent.store.inbox import Command

from .small_house import BANK, STAR, SmallHouse

DAY, NEXT, THIRD = "2025-07-10", "2025-07-11", "2025-07-14"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def sales(house: SmallHouse) -> list[Fill]:
    return [fill for fill in house.said(Fill) if fill.side is Side.SELL]


def test_positions_that_were_locked_are_kept_after_a_resume(journal: Path) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000)
        assert house.engine.flatten() == [f"judge {BANK}"]
        assert house.stop_state() == "DEFERRED_T1"
        house.engine.resume()
        assert house.stop_state() == "ARMED"
        [alert] = [a for a in house.said(Alert) if f"judge {BANK}" in str(a.text) and "恢复" in str(a.text)]
        assert alert.cause == house.said(StateChanged)[-1].id
        house.go(f"{NEXT}T10:00")
        house.quote(4.95)
        assert (house.held, sales(house)) == ({BANK: 1000}, [])
        house.quote(4.70)
        house.tick(4.70)
        assert house.held == {}, "its own stop guards it as before"


def test_a_flatten_order_that_is_out_is_withdrawn_by_a_resume(journal: Path) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000)
        house.go(f"{NEXT}T10:00")
        house.tick(4.95, traded=0)  # nobody trades, so that the sale rests
        assert house.engine.flatten() == []
        house.events.drain()
        assert house.stop_state() == "WORKING"
        house.engine.resume()
        house.events.drain()
        assert house.stop_state() == "ARMED"
        assert list(house.engine.execution.desk.working()) == []
        assert house.engine.parts.exchange.account("judge").orders == {}
        house.quote(4.95)
        assert (house.held, sales(house)) == ({BANK: 1000}, [])


def test_a_stop_that_its_own_price_made_due_is_sold_after_the_resume_all_the_same(journal: Path) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000)
        house.quote(4.70)
        assert house.stop_state() == "DEFERRED_T1"
        house.engine.flatten()
        house.engine.resume()
        house.go(f"{NEXT}T10:00")
        house.quote(4.95)
        house.tick(4.95)
        assert house.held == {}


def test_a_flatten_goes_on_after_a_restart(journal: Path) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000)
        house.engine.flatten()
    with SmallHouse(journal, f"{NEXT}T10:00") as house:
        house.quote(4.95)
        house.tick(4.95)
        assert house.held == {}


def test_a_resume_after_a_restart_takes_the_flatten_back_too(journal: Path) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000)
        house.engine.flatten()
    with SmallHouse(journal, f"{NEXT}T09:00") as house:
        house.engine.resume()
        house.go(f"{NEXT}T10:00")
        house.quote(4.95)
        assert (house.held, house.stop_state()) == ({BANK: 1000}, "ARMED")


def test_a_resume_at_rest_takes_the_flatten_back_at_the_next_start(journal: Path) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000)
        house.engine.flatten()
        resumed = house.said(StateChanged)[-1].model_copy(update={"id": "x1"})
        house.engine.bus.adopt(resumed, state=resumed.state.ACTIVE, paused=False)  # as the terminal writes it
    with SmallHouse(journal, f"{NEXT}T10:00") as house:
        house.quote(4.95)
        assert (house.held, house.stop_state()) == ({BANK: 1000}, "ARMED")
        assert any(f"judge {BANK}" in str(a.text) and "恢复" in str(a.text) for a in house.said(Alert))


def test_a_sale_of_a_star_share_below_the_smallest_order_is_not_tried_and_said_once(journal: Path) -> None:
    with SmallHouse(journal, f"{DAY}T10:00", symbols=(STAR,)) as house:
        house.buy(300, STAR)
        book = house.engine.house.portfolio.books["judge"]
        holding = house.engine.parts.exchange.account("judge").holding(STAR)
        house.go(f"{NEXT}T10:00")
        house.buy(200, STAR)
        book.positions[STAR].lots[0].volume = 150  # 150 of yesterday and 200 of today
        holding.volume, holding.today = 350, 200
        before = len(house.said(Intent))
        for minute in range(10, 20):
            house.go(f"{NEXT}T10:{minute}")
            house.quote(4.70, STAR)
        assert len(house.said(Intent)) == before
        told = [a for a in house.said(Alert) if "150" in str(a.text) and STAR in str(a.text)]
        assert [alert.severity for alert in told] == [Severity.WARNING]
        assert house.stop_state(STAR) == "DEFERRED_T1"
        house.go(f"{THIRD}T10:00")
        house.quote(4.70, STAR)
        house.tick(4.70, STAR)
        assert house.held == {}


def test_a_stop_sells_whole_lots_while_the_rest_is_locked(journal: Path) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000)
        house.go(f"{NEXT}T10:00")
        house.buy(200)
        lots = house.engine.house.portfolio.books["judge"].positions[BANK].lots
        lots[0].volume = 930  # 930 may be sold of 1130: nine lots and the odd 30
        holding = house.engine.parts.exchange.account("judge").holding(BANK)
        holding.volume, holding.today = 1130, 200
        house.quote(4.70)
        house.tick(4.70)
        assert house.held == {BANK: 200}


@pytest.mark.parametrize("command", ["pause", "halt", "flatten", "resume"])
def test_every_change_of_the_state_names_the_command_that_caused_it(journal: Path, command: str) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        arguments = ("test",) if command == "halt" else ()
        getattr(house.engine, command)(*arguments, by="somebody")
        house.engine._on_command(Command(1, command, {"reason": "test"}, "terminal", ""))
        taken, changed = house.said(CommandTaken), house.said(StateChanged)
        assert [(each.command, each.by) for each in taken] == [(command, "somebody"), (command, "terminal")]
        assert [each.cause for each in changed] == [each.id for each in taken]


def test_a_command_that_fails_in_an_unforeseen_way_is_answered_and_journaled(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        answers: list[tuple[int, str]] = []
        threads: Any = SimpleNamespace(answer=lambda command, text: answers.append((command.id, text)))
        monkeypatch.setattr(house.engine, "_threads", threads)
        monkeypatch.setattr(house.engine.monitoring, "flatten", lambda cause: 1 // 0)
        house.events.put(Event(EVENT_AI_COMMAND, Command(7, "flatten", {}, "terminal", "")))
        house.events.drain()
        assert [number for number, _ in answers] == [7]
        assert "ZeroDivisionError" in answers[0][1]
        assert len(house.said(HandlerFailed)) == 1


def test_a_moved_stop_and_an_adjusted_trigger_are_commands_too(journal: Path) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000)
        house.engine.move_stop("judge", BANK, Decimal("4.60"), by="window")
        [taken] = house.said(CommandTaken)
        assert (taken.command, taken.by) == ("move_stop", "window")
        assert taken.arguments == {"account": "judge", "symbol": BANK, "price": "4.60"}
        assert house.said(StopUpdate)[-1].cause == taken.id
