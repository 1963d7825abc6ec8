"""Mode LIVE: one order's life at a broker that outlives the process, which ends before each entry in turn."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from vnpy.trader.constant import Direction

from vnpy_aiagent.base import EVENT_AI_SIGNAL
from vnpy_aiagent.config import ExecutionSettings, TimeoutSettings
from vnpy_aiagent.domain import (
    CancelAsked,
    Intent,
    Message,
    RunStarted,
    Side,
    Signal,
    say,
)
from vnpy_aiagent.market.sessions import session_close

from ..unit.engine.live_house import BANK, at  # noqa: TID252 - the test tree is no package
from .test_live_recovery_machine import DAY, LiveRecovery

NEXT = "2025-07-11"
ENTRY, BY_HAND = 300, 500


class LiveStory(LiveRecovery):
    """Entry, partial fill, time-out, replacement, fill; the next day its stop is hit and sells.

    The broker fills and cancels all the same while no process listens. What holds in the machine is looked at
    after every step; the account also holds shares of a human, which are never sold.
    """

    execution = ExecutionSettings(beside_external=True, timeout=TimeoutSettings(after=10))

    def __init__(self) -> None:
        super().__init__()
        self.first = 0
        self.at_desk: Counter[Direction] = Counter()

    def run(self, fuse: int | None) -> None:
        """Tell it all; the process ends once it wrote so many entries."""
        self.first = len(self.written)
        self.writer.fuse = fuse
        self.enter()
        self.trade(100)
        self.time_passes(11, 5.02)
        self.confirm_cancels()
        self.trade(ENTRY)
        self.broker_tells()
        self.desk.new_day()
        self.house.clock.moment = at(f"{NEXT}T09:40:00")  # the computer slept; its timers fire late
        self.broker_tells()
        for _ in range(3):  # after a crash at the very end the sale begins anew
            self.time_passes(2, 4.70)
            self.trade(ENTRY, 4.70)
            if self.house.book.managed(BANK):
                self.broker_tells()

    def enter(self) -> None:
        """An entry with room for a better price."""
        signal: dict[str, Any] = {
            "account": "judge",
            "symbol": BANK,
            "side": Side.BUY,
            "volume": ENTRY,
            "limit": Decimal("5.00"),
            "low": Decimal("4.90"),
            "high": Decimal("5.05"),
            "stop": Decimal("4.80"),
            "reason": say("测试"),
            "valid_until": session_close(at(f"{DAY}T10:00").date()),
        }
        self.act(lambda: self.house.engine.bus.post(Signal, EVENT_AI_SIGNAL, cause=None, **signal))
        self.look()

    def trade(self, volume: int, price: float = 5.0) -> None:
        """Every order at the desk trades so many shares, or what is left of it; order and trade are told."""
        for order in [order for order in self.desk.orders.values() if order.is_active()]:
            some = min(volume, int(order.volume - order.traded))
            self.at_desk[order.direction] += some
            trade = self.desk.match(order.orderid, some, price, self.house.clock.now())
            self.act(lambda told=self.desk.orders[order.orderid]: self.house.gateway.on_order(told))
            self.act(lambda told=trade: self.house.gateway.on_trade(told))
            self.look()

    def confirm_cancels(self) -> None:
        """The desk ends what it was asked to cancel."""
        for orderid in self.desk.cancels:
            if self.desk.orders[orderid].is_active():
                self.desk.end(orderid)
                self.act(lambda told=self.desk.orders[orderid]: self.house.gateway.on_order(told))
        self.desk.cancels.clear()
        self.look()

    def broker_tells(self) -> None:
        """A login: what a process that ended has missed; once more where one ends meanwhile."""
        before = self.starts()
        self.act(self.house.settle)
        if self.starts() > before:
            self.act(self.house.settle)
        self.look()

    def time_passes(self, seconds: int, price: float) -> None:
        self.act(lambda: self.house.quote(price))
        self.act(lambda: self.house.pass_seconds(seconds))
        self.act(lambda: self.house.quote(price))
        self.look()

    def look(self) -> None:
        """The machine's invariants; every share of ours has a stop, those of the human are still there."""
        self.nothing_is_lost_or_doubled()
        stop = self.house.engine.monitoring.stops.get("judge", BANK)
        assert not self.house.book.managed(BANK) or (stop is not None and stop.price == Decimal("4.80"))
        assert self.desk.held[BANK] >= BY_HAND

    def all_of_ours_is_sold(self, volume: int) -> None:
        """The broker traded so much in both directions; only the human's shares are left, and cash agrees."""
        assert self.at_desk == Counter({Direction.LONG: volume, Direction.SHORT: volume})
        assert self.house.held == self.desk.held == {BANK: BY_HAND}
        assert self.house.book.managed(BANK) == 0
        assert self.house.engine.monitoring.stops.get("judge", BANK) is None
        assert list(self.house.engine.execution.desk.working()) == []

    def entries(self) -> list[Message]:
        """What was written since the entry's signal."""
        return list(self.written[self.first :])

    def kind(self, kind: type[Message]) -> list[Any]:
        return [message for message in self.written if isinstance(message, kind)]

    def starts(self) -> int:
        """How often the process started and came to write so."""
        return len(self.kind(RunStarted))


@contextmanager
def told(fuse: int | None = None) -> Iterator[LiveStory]:
    """The story to its end, with the line good and all agreed. An error says where it had crashed."""
    story = LiveStory()
    try:
        story.run(fuse)
        yield story
    except AssertionError as error:
        error.add_note(f"the process ended after {fuse} entries: {[m.kind for m in story.written]}")
        raise
    finally:
        story.teardown()


def test_a_crash_before_any_entry_sends_nothing_twice_and_all_of_ours_is_sold_in_the_end() -> None:
    with told() as story:
        entries = story.entries()
        assert story.starts() == 1
        assert [(i.side, i.volume) for i in story.kind(Intent)] == [
            (Side.BUY, ENTRY),
            (Side.BUY, ENTRY - 100),
            (Side.SELL, ENTRY),
        ]
        assert len(story.kind(CancelAsked)) == 1
        story.all_of_ours_is_sold(ENTRY)
    for written in range(len(entries)):
        with told(written) as story:
            assert story.starts() == 2
            story.all_of_ours_is_sold(bought_in_the_end(entries[:written]))


def bought_in_the_end(before: list[Message]) -> int:
    """Shares that an entry gets whose process ended after these entries: its orders at the broker go on.

    No order was written: nothing was sent. The first one's cancel was written, but no second one: the rest is
    given up, since a parent of before the restart sends nothing new.
    """
    children = sum(isinstance(entry, Intent) for entry in before)
    cancelled = any(isinstance(entry, CancelAsked) for entry in before)
    if not children:
        return 0
    return 100 if cancelled and children == 1 else ENTRY
