"""A protective stop at limit down: its sale queues at the limit, and goes on until the shares are sold."""

from decimal import Decimal
from pathlib import Path

import pytest
from vnpy.event import Event
from vnpy.trader.constant import Exchange
from vnpy.trader.event import EVENT_TICK
from vnpy.trader.object import TickData

from vnpy_aiagent.domain import CancelAsked, Fill, HandlerFailed, Intent, Side, StopUpdate

from .small_house import BANK, PREVIOUS, SmallHouse

BOUGHT, LOCKED, NEXT = "2024-06-03", "2024-06-04", "2024-06-05"
DOWN = 4.5
QUEUED_THEN_SOLD = ["ARMED", "QUEUED_AT_LIMIT", "FLAT"]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def see(house: SmallHouse, last: float, bid: float = 0.0, *, down: float = DOWN, traded: float = 1e7) -> None:
    """A quote; 0 is an empty side. Shares do trade at a locked limit: those of sellers who came earlier."""
    code, _, suffix = BANK.rpartition(".")
    house.volume += traded
    tick = TickData(
        "SIM",
        code,
        Exchange(suffix),
        house.clock.now(),
        volume=house.volume,
        last_price=last,
        pre_close=PREVIOUS,
        limit_up=5.5,
        limit_down=down,
        bid_price_1=bid,
        bid_volume_1=1e6 if bid else 0.0,
        ask_price_1=round(bid + 0.01, 2) if bid else last,
        ask_volume_1=1e6,
    )
    house.events.put(Event(EVENT_TICK, tick))
    house.events.drain()


def locked(house: SmallHouse, down: float = DOWN) -> None:
    """Two quotes at limit down without a bid."""
    see(house, down, down=down)
    see(house, down, down=down)


def path(house: SmallHouse) -> list[str]:
    """States of the stop, one after the other, without repetitions."""
    states = [update.state.name for update in house.said(StopUpdate)]
    return [state for number, state in enumerate(states) if number == 0 or states[number - 1] != state]


def asked(house: SmallHouse) -> list[tuple[int, Decimal]]:
    """Volume and limit of every sale sent so far."""
    return [(i.volume, i.price) for i in house.said(Intent) if i.side is Side.SELL]


def sold(house: SmallHouse) -> list[tuple[int, Decimal]]:
    """Volume and price of every sale filled so far."""
    return [(f.volume, f.price) for f in house.said(Fill) if f.side is Side.SELL]


def resting(house: SmallHouse) -> list[tuple[int, Decimal]]:
    """Remaining volume and limit of what lies at the exchange."""
    orders = house.engine.parts.exchange.account("judge").orders.values()
    return [(order.remaining, order.limit) for order in orders]


def hold_since_yesterday(house: SmallHouse) -> None:
    house.buy(1000)
    house.go(f"{LOCKED}T10:00:00")


def test_a_stop_hit_at_locked_limit_down_rests_at_the_limit_and_nothing_fills(journal: Path) -> None:
    with SmallHouse(journal, f"{BOUGHT}T10:00") as house:
        hold_since_yesterday(house)
        for minute in range(0, 50, 5):
            house.go(f"{LOCKED}T10:{minute:02}:00")
            locked(house)
            assert house.stop_state() == "QUEUED_AT_LIMIT"
            assert resting(house) == [(1000, Decimal("4.50"))]
        assert asked(house) == [(1000, Decimal("4.50"))], "one order keeps its place in the queue"
        assert (sold(house), house.said(CancelAsked), house.held) == ([], [], {BANK: 1000})
        assert path(house) == QUEUED_THEN_SOLD[:2]
        assert house.said(HandlerFailed) == []


def test_a_queued_sale_fills_at_its_limit_once_the_lock_opens(journal: Path) -> None:
    with SmallHouse(journal, f"{BOUGHT}T10:00") as house:
        hold_since_yesterday(house)
        locked(house)
        house.go(f"{LOCKED}T10:30:00")
        see(house, 4.5, bid=4.5)
        assert sold(house) == [], "a bid that others in the queue may take is no fill of ours"
        see(house, 4.52, bid=4.51)
        assert [volume for volume, _ in sold(house)] == [1000]
        assert all(price >= Decimal("4.50") for _, price in sold(house))
        assert (house.held, house.stop_state()) == ({}, "none")
        assert path(house) == QUEUED_THEN_SOLD
        assert len(asked(house)) == 1
        assert resting(house) == []


def test_a_queued_sale_filled_in_part_has_the_rest_queue_on(journal: Path) -> None:
    with SmallHouse(journal, f"{BOUGHT}T10:00") as house:
        hold_since_yesterday(house)
        locked(house)
        share = house.settings.sim.participation
        see(house, 4.51, bid=4.51, traded=400 / float(share))
        assert [volume for volume, _ in sold(house)] == [400]
        locked(house)
        assert (house.held, house.stop_state()) == ({BANK: 600}, "QUEUED_AT_LIMIT")
        assert resting(house) == [(600, Decimal("4.50"))]
        see(house, 4.52, bid=4.51)
        assert house.held == {}
        assert [volume for volume, _ in sold(house)] == [400, 600]
        assert (path(house), len(asked(house))) == (QUEUED_THEN_SOLD, 1)


def test_a_bid_at_limit_down_is_taken_at_once(journal: Path) -> None:
    with SmallHouse(journal, f"{BOUGHT}T10:00") as house:
        hold_since_yesterday(house)
        house.quote()
        see(house, 4.5, bid=4.5)
        assert sold(house) == [(1000, Decimal("4.50"))]
        assert path(house)[-1] == "FLAT"


def test_a_day_that_ends_locked_is_sold_in_the_next_session(journal: Path) -> None:
    with SmallHouse(journal, f"{BOUGHT}T10:00") as house:
        hold_since_yesterday(house)
        locked(house)
        house.go(f"{LOCKED}T14:56:00")
        locked(house)
        house.go(f"{LOCKED}T15:00:05")
        see(house, 4.5)
        house.go(f"{LOCKED}T18:00:00")
        assert (house.stop_state(), resting(house), sold(house)) == ("DEFERRED_T1", [], [])
        house.go(f"{NEXT}T09:20:00")
        assert asked(house) == [(1000, Decimal("4.50"))], "no sale before the session's first price"
        house.go(f"{NEXT}T09:31:00")
        see(house, 4.3, bid=4.29, down=4.05)
        see(house, 4.3, bid=4.29, down=4.05)
        assert [volume for volume, _ in sold(house)] == [1000]
        assert house.held == {}
        assert path(house) == ["ARMED", "QUEUED_AT_LIMIT", "DEFERRED_T1", "WORKING", "FLAT"]
        assert house.said(HandlerFailed) == []


def test_a_second_locked_day_queues_at_its_own_limit(journal: Path) -> None:
    with SmallHouse(journal, f"{BOUGHT}T10:00") as house:
        hold_since_yesterday(house)
        locked(house)
        house.go(f"{NEXT}T09:31:00")
        locked(house, down=4.05)
        assert (house.stop_state(), resting(house)) == ("QUEUED_AT_LIMIT", [(1000, Decimal("4.05"))])
        assert sold(house) == []
        see(house, 4.07, bid=4.06, down=4.05)
        assert house.held == {}
        assert path(house) == ["ARMED", "QUEUED_AT_LIMIT", "DEFERRED_T1", "QUEUED_AT_LIMIT", "FLAT"]


def test_shares_of_the_day_wait_for_the_next_session_even_at_limit_down(journal: Path) -> None:
    with SmallHouse(journal, f"{LOCKED}T10:00") as house:
        house.buy(1000)
        locked(house)
        assert (house.stop_state(), asked(house)) == ("DEFERRED_T1", [])
        house.go(f"{LOCKED}T18:00:00")
        house.go(f"{NEXT}T09:31:00")
        locked(house, down=4.05)
        assert (house.stop_state(), resting(house)) == ("QUEUED_AT_LIMIT", [(1000, Decimal("4.05"))])
        see(house, 4.10, bid=4.09, down=4.05)
        assert house.held == {}
        assert path(house) == ["ARMED", "DEFERRED_T1", "QUEUED_AT_LIMIT", "FLAT"]


def test_only_the_shares_of_before_queue_and_those_of_the_day_follow(journal: Path) -> None:
    with SmallHouse(journal, f"{BOUGHT}T10:00") as house:
        hold_since_yesterday(house)
        house.buy(500)
        locked(house)
        assert (house.stop_state(), resting(house)) == ("QUEUED_AT_LIMIT", [(1000, Decimal("4.50"))])
        see(house, 4.52, bid=4.51)
        assert (house.held, house.stop_state()) == ({BANK: 500}, "DEFERRED_T1")
        locked(house)
        assert len(asked(house)) == 1, "T+1 holds what is left"
        house.go(f"{NEXT}T09:31:00")
        see(house, 4.3, bid=4.29, down=4.05)
        see(house, 4.3, bid=4.29, down=4.05)
        assert house.held == {}
        assert [volume for volume, _ in sold(house)] == [1000, 500]
        assert path(house) == ["ARMED", "QUEUED_AT_LIMIT", "DEFERRED_T1", "WORKING", "FLAT"]


def test_a_restart_while_the_sale_queues_has_it_queue_again_once(journal: Path) -> None:
    with SmallHouse(journal, f"{BOUGHT}T10:00") as house:
        hold_since_yesterday(house)
        locked(house)
    with SmallHouse(journal, f"{LOCKED}T11:00") as house:
        assert house.stop_state() == "DEFERRED_T1"
        locked(house)
        assert (house.stop_state(), resting(house)) == ("QUEUED_AT_LIMIT", [(1000, Decimal("4.50"))])
        house.go(f"{LOCKED}T13:30:00")
        locked(house)
        assert (len(asked(house)), sold(house)) == (2, [])
        see(house, 4.52, bid=4.51)
        assert (house.held, house.stop_state()) == ({}, "none")
        assert [volume for volume, _ in sold(house)] == [1000]
        assert house.said(HandlerFailed) == []


def test_a_restart_after_a_locked_day_sells_in_the_next_session(journal: Path) -> None:
    with SmallHouse(journal, f"{BOUGHT}T10:00") as house:
        hold_since_yesterday(house)
        locked(house)
    with SmallHouse(journal, f"{NEXT}T09:00") as house:
        assert (house.stop_state(), house.held) == ("DEFERRED_T1", {BANK: 1000})
        house.go(f"{NEXT}T09:31:00")
        see(house, 4.3, bid=4.29, down=4.05)
        see(house, 4.3, bid=4.29, down=4.05)
        assert (house.held, [volume for volume, _ in sold(house)]) == ({}, [1000])
        assert path(house)[-2:] == ["WORKING", "FLAT"]


def test_a_restart_of_the_same_day_keeps_shares_of_the_day_locked(journal: Path) -> None:
    with SmallHouse(journal, f"{LOCKED}T10:00") as house:
        house.buy(1000)
        locked(house)
    with SmallHouse(journal, f"{LOCKED}T11:00") as house:
        locked(house)
        assert (house.stop_state(), asked(house)) == ("DEFERRED_T1", [])
        house.go(f"{NEXT}T09:31:00")
        locked(house, down=4.05)
        assert (house.stop_state(), resting(house)) == ("QUEUED_AT_LIMIT", [(1000, Decimal("4.05"))])
        see(house, 4.10, bid=4.09, down=4.05)
        assert house.held == {}
