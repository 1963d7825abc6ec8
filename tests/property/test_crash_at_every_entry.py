"""One order's whole life; the process ends before each of its journal entries in turn, and comes back."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from vnpy_aiagent.agents.books_check import differences
from vnpy_aiagent.base import EVENT_AI_SIGNAL
from vnpy_aiagent.config import ExecutionSettings
from vnpy_aiagent.domain import (
    CancelAsked,
    Fill,
    Intent,
    Message,
    ParentDone,
    RunStarted,
    Side,
    Signal,
    StopUpdate,
    say,
)
from vnpy_aiagent.market.sessions import session_close

from ..unit.engine.small_house import BANK, at  # noqa: TID252 - the test tree is no package
from .test_order_lifecycle_machine import OrderLifecycle

DAY, NEXT = "2025-03-03", "2025-03-04"
ENTRY, STOP = 1000, Decimal("4.80")
AGAIN = 4


class Story(OrderLifecycle):
    """Entry, partial fill, time-out, replacement, fill; the next day the stop is hit, its sale replaced too.

    What must hold is what holds in the order machine, here looked at after every step. The line to the broker
    is good, so that nothing differs from one telling to the other but the crash.
    """

    execution = ExecutionSettings(max_orders_per_second=299, max_cancel_ratio=1.0)

    def run(self, *fuses: int) -> None:
        """Tell it all. The process ends once it wrote the first number of entries, the next run once it wrote
        the second number, and so on; without any left it stays.
        """
        self.quote(5.00, 10_000_000)
        self.world.writer.fuse, self.world.fuses[:] = (fuses[0], fuses[1:]) if fuses else (None, [])
        self.enter()
        self.quote(4.99, 3_000)  # through the limit: 300 shares of what traded
        self.go(f"{DAY} 09:41:30")
        self.quote(5.02, 0)
        self.go(f"{DAY} 09:43:30")
        self.quote(5.02, 10_000_000)
        self.quote(4.99, 10_000_000)
        self.go(f"{NEXT} 09:40:00")
        self.quote(4.61, 0)  # below the planned stop and below 8 % under cost
        self.go(f"{NEXT} 09:41:30")
        self.quote(4.56, 0)
        self.go(f"{NEXT} 09:43:30")
        self.quote(4.56, 3_000)
        self.quote(4.56, 10_000_000)
        self.go(f"{NEXT} 09:46:00")
        for _ in range(4):  # after a crash at the very end the sale begins anew
            self.quote(4.56, 10_000_000)

    def enter(self) -> None:
        """An entry with room for a better price and a planned stop."""
        signal: dict[str, Any] = {
            "account": "judge",
            "symbol": BANK,
            "side": Side.BUY,
            "volume": ENTRY,
            "limit": Decimal("5.00"),
            "low": Decimal("4.90"),
            "high": Decimal("5.05"),
            "stop": STOP,
            "reason": say("测试"),
            "valid_until": session_close(self.world.today),
        }
        self.world.act(lambda: self.world.engine.bus.post(Signal, EVENT_AI_SIGNAL, cause=None, **signal))
        self.look()

    def quote(self, price: float, traded: int) -> None:
        self.world.act(lambda: self.world.house.tick(price, traded=traded))
        self.look()

    def go(self, moment: str) -> None:
        """Time passes; a process that ended on the way is back at that time, and it goes on."""
        while self.world.house.clock.moment < at(moment):
            self.world.act(lambda: self.world.house.go(moment))
            self.look()

    def look(self) -> None:
        """The machine's invariants; and every share held is protected."""
        self.the_books_tell_the_truth()
        for symbol, volume in self.world.engine.house.portfolio.books["judge"].positions.items():
            stop = self.world.engine.monitoring.stops.get("judge", symbol)
            assert not volume or stop is not None, f"{volume} {symbol} without a stop"
        if not self.world.gateway.on_the_way:
            assert differences(self.world.book, self.world.engine.parts.exchange.account("judge")) == []

    def held(self) -> dict[str, int]:
        return {symbol: position.volume for symbol, position in self.world.book.positions.items()}

    def runs(self) -> int:
        """How often the process started and came to write so."""
        return len([message for message in self.world.written if isinstance(message, RunStarted)])

    def traded(self, side: Side) -> int:
        return sum(fill.volume for fill in self.fills if fill.side is side)


@contextmanager
def told(*fuses: int) -> Iterator[Story]:
    """The story to its end, at which the process ends in order. An error says where it had crashed."""
    story = Story()
    try:
        story.run(*fuses)
        yield story
    except AssertionError as error:
        error.add_note(f"the process ended after {fuses} entries: {[m.kind for m in story.world.written]}")
        raise
    finally:
        story.teardown()


def whole_story() -> list[Message]:
    """What is written without a crash, from the entry's signal on."""
    with told() as story:
        assert story.runs() == 1
        kinds = [message.kind for message in story.world.written]
        return story.world.written[kinds.index("Signal") :]


def all_is_sold_and_paid(story: Story, volume: int) -> None:
    """What was bought is sold again, nothing is at work, and the cash is the fills' to the cent."""
    assert (story.traded(Side.BUY), story.traded(Side.SELL)) == (volume, volume)
    assert story.held() == {}
    assert list(story.world.engine.execution.desk.working()) == []
    assert story.world.book.reservations == {}
    sign = {Side.BUY: 1, Side.SELL: -1}
    paid = sum((f.price * f.volume * sign[f.side] + f.fees for f in story.fills), Decimal(0))
    assert story.world.book.cash == story.world.book.opening_cash - paid
    assert story.world.engine.monitoring.stops.get("judge", BANK) is None
    planned = {m.stop for m in story.world.written if isinstance(m, StopUpdate)}
    assert planned == ({STOP} if volume else set()), "the planned stop, not a guessed one"


def test_the_story_has_every_turn_of_an_orders_life() -> None:
    with told() as story:
        written = story.world.written
        children = [(m.side, m.volume, m.price) for m in written if isinstance(m, Intent)]
        assert children == [
            (Side.BUY, 1000, Decimal("5.00")),
            (Side.BUY, 700, Decimal("5.03")),
            (Side.SELL, 1000, Decimal("4.52")),
            (Side.SELL, 1000, Decimal("4.50")),
        ]
        assert [(fill.side, fill.volume) for fill in story.fills] == [
            (Side.BUY, 300),
            (Side.BUY, 700),
            (Side.SELL, 300),
            (Side.SELL, 700),
        ]
        assert len([m for m in written if isinstance(m, CancelAsked)]) == 2
        assert len([m for m in written if isinstance(m, ParentDone)]) == 2
        all_is_sold_and_paid(story, ENTRY)


def test_a_crash_before_any_entry_leaves_the_truth_and_all_is_sold_in_the_end() -> None:
    entries = whole_story()
    for written in range(len(entries)):
        with told(written) as story:
            assert story.runs() == 2
            all_is_sold_and_paid(story, bought(entries[:written]))


def test_a_second_crash_while_it_recovers_changes_nothing_of_that() -> None:
    entries = whole_story()
    runs: Counter[int] = Counter()
    for written in range(len(entries)):
        for again in range(AGAIN):
            with told(written, again) as story:
                runs[story.runs()] += 1
                all_is_sold_and_paid(story, bought(entries[:written]))
    assert runs[3] > runs[2], "most second runs came to write their own beginning before they ended"


def bought(entries: list[Message]) -> int:
    """Shares that the journal holds as bought; on paper the rest of an order dies with the process."""
    return sum(entry.volume for entry in entries if isinstance(entry, Fill) and entry.side is Side.BUY)
