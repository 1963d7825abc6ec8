"""A human's command that comes between a signal and its order voids the signal."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from vnpy.trader.constant import Exchange
from vnpy.trader.object import TickData

from vnpy_aiagent.base import EVENT_AI_SIGNAL
from vnpy_aiagent.domain import Intent, ParentOrder, Side, Signal, Withheld, say

from .small_house import BANK, SmallHouse

BOUGHT, NEXT = "2025-03-03 10:00:00", "2025-03-04 10:00:00"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def house(journal: Path) -> Iterator[SmallHouse]:
    """1,000 shares bought yesterday, a stop at 4.80."""
    with SmallHouse(journal, BOUGHT) as house:
        hold(house)
        yield house


def hold(house: SmallHouse) -> None:
    house.buy(1000)
    house.go(NEXT)
    house.quote()


def post(house: SmallHouse, side: Side, volume: int = 1000) -> Signal:
    """A signal of the risk agent that nobody has handled yet."""
    buys = side is Side.BUY
    return house.engine.bus.post(
        Signal,
        EVENT_AI_SIGNAL,
        cause=None,
        account="judge",
        symbol=BANK,
        side=side,
        volume=volume,
        limit=Decimal("5.05" if buys else "4.95"),
        low=Decimal("4.90"),
        high=Decimal("5.05"),
        stop=Decimal("4.80") if buys else None,
        reason=say("测试"),
        valid_until=house.clock.now().replace(hour=15),
    )


def hit_the_stop(house: SmallHouse) -> None:
    """A tick at 4.79 that the engine handles, while the signal that it leads to waits in the queue."""
    code, _, suffix = BANK.rpartition(".")
    tick = TickData(
        "SIM",
        code,
        Exchange(suffix),
        house.clock.now(),
        last_price=4.79,
        limit_up=5.5,
        limit_down=4.5,
        bid_price_1=4.78,
        ask_price_1=4.80,
    )
    house.engine._on_tick(tick)
    assert house.stop_state() == "WORKING"


def settle(house: SmallHouse, price: float = 5.0) -> None:
    """Everything that waits is handled, and the market trades."""
    house.events.drain()
    house.quote(price)


def withheld(house: SmallHouse) -> list[tuple[str | None, str]]:
    return [(each.cause, str(each.reason)) for each in house.said(Withheld)]


@pytest.mark.parametrize(("side", "volume"), [(Side.SELL, 1000), (Side.BUY, 500)])
def test_after_a_take_over_a_signal_on_its_way_neither_sells_nor_buys(
    house: SmallHouse, side: Side, volume: int
) -> None:
    signal = post(house, side, volume)
    house.engine.take_over("judge", BANK)
    settle(house)
    assert house.held == {BANK: 1000}
    [(cause, reason)] = withheld(house)
    assert (cause, "作废" in reason) == (signal.id, True)


def test_after_a_take_over_a_stop_on_its_way_does_not_sell(house: SmallHouse) -> None:
    hit_the_stop(house)
    house.engine.take_over("judge", BANK)
    settle(house, 4.79)
    assert (house.held, house.stop_state()) == ({BANK: 1000}, "none")
    assert ["取代" in reason for _, reason in withheld(house)] == [True]


@pytest.mark.parametrize("side", Side)
def test_what_is_posted_after_the_take_over_is_looked_at_as_well(house: SmallHouse, side: Side) -> None:
    house.engine.take_over("judge", BANK)
    post(house, side, 500)
    settle(house)
    assert house.held == {BANK: 1000}
    assert len(house.said(ParentOrder)) == 1, "the first buy alone"


@pytest.mark.parametrize("side", Side)
def test_an_intent_is_looked_at_again_right_before_it_is_sent(house: SmallHouse, side: Side) -> None:
    """The position becomes a human's while the intent is on its way to the disk."""
    execution = house.engine.execution
    durable: list[Intent] = []
    execution.house.bus.unsubscribe_all()
    signal = post(house, side, 500)
    execution.on_signal(signal)
    [parent] = execution.desk.parents.values()
    durable.append(parent.children[0].intent)
    house.engine.house.portfolio.books["judge"].take_over(BANK)
    execution.on_durable(durable[0])
    assert [each.intent_id for each in house.said(Withheld)] == [durable[0].id]
    assert execution.desk.parents == {}


def test_an_approval_of_a_buy_beside_a_humans_shares_is_refused(journal: Path) -> None:
    with SmallHouse(journal, BOUGHT, approvals="entries") as house:
        house.buy(1000)
        assert house.engine.approve(house.engine.pending_approvals()[0].id)
        settle(house)
        post(house, Side.BUY, 500)
        house.events.drain()
        [asked] = house.engine.pending_approvals()
        house.engine.execution.approvals.recheck = lambda signal: None
        house.engine.house.portfolio.books["judge"].take_over(BANK)
        assert not house.engine.approve(asked.id)


def test_two_sales_of_one_position_are_one_order(house: SmallHouse) -> None:
    post(house, Side.SELL)
    post(house, Side.SELL)
    settle(house)
    assert house.held == {}
    assert [str(reason) for _, reason in withheld(house)] == ["可卖 0 股，不足 1000 股，未卖出"]


def test_a_resume_right_after_a_flatten_keeps_the_position_and_its_stop(house: SmallHouse) -> None:
    house.engine.flatten()
    house.engine.resume()
    settle(house)
    assert (house.held, house.stop_state()) == ({BANK: 1000}, "ARMED")
    settle(house, 4.70)
    assert house.held == {}, "its stop guards it as before"


def test_flatten_and_resume_twice_sell_nothing_and_a_third_flatten_once(house: SmallHouse) -> None:
    for _ in range(2):
        house.engine.flatten()
        house.engine.resume()
    house.engine.flatten()
    settle(house)
    assert house.held == {}
    assert [order.side for order in house.said(ParentOrder)] == [Side.BUY, Side.SELL]


@pytest.mark.parametrize("first", ["halt", "flatten"])
def test_an_entry_posted_before_a_stop_of_trading_is_not_bought_after_the_resume(
    house: SmallHouse, first: str
) -> None:
    signal = post(house, Side.BUY, 500)
    act: Callable[..., object] = getattr(house.engine, first)
    act(*(("test",) if first == "halt" else ()))
    house.engine.resume()
    settle(house)
    assert (house.held, house.stop_state()) == ({BANK: 1000}, "ARMED")
    assert signal.id in [cause for cause, _ in withheld(house)]
    assert signal.id not in house.engine.monitoring.plans.signals
    post(house, Side.BUY, 500)
    settle(house)
    assert house.held == {BANK: 1500}, "what comes after the resume is bought"


def test_a_stop_that_its_price_hit_before_a_halt_sells_after_the_resume(house: SmallHouse) -> None:
    hit_the_stop(house)
    house.engine.halt("test")
    house.engine.resume()
    settle(house, 4.79)
    assert house.held == {}


def test_a_stops_sale_of_more_than_may_be_sold_is_void_and_the_stop_is_due_again(house: SmallHouse) -> None:
    post(house, Side.SELL, 600)
    hit_the_stop(house)
    house.events.drain()
    assert house.stop_state() == "DEFERRED_T1"
    for _ in range(3):
        house.tick(4.79)
    assert house.held == {}
