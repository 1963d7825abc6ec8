"""Time. One Clock protocol; the wall clock is read in LiveClock and nowhere else in the package."""

import heapq
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from threading import Condition
from typing import Protocol, runtime_checkable
from zoneinfo import ZoneInfo

MARKET_TZ = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Source of market time."""

    def now(self) -> datetime:
        """Present market time, aware, Asia/Shanghai."""
        ...


@runtime_checkable
class PacedClock(Clock, Protocol):
    """A clock whose seconds are not the machine's."""

    def wall_seconds(self, until: datetime) -> float:
        """Seconds of the machine until the clock shows a time; 0 or less once it has."""
        ...

    def steady_seconds(self) -> float:
        """Seconds since any fixed moment at this clock's pace; they never go back."""
        ...


def wall_seconds(clock: Clock, until: datetime) -> float:
    """Seconds that a thread waits until a clock shows a time; 0 or less once it has."""
    if isinstance(clock, PacedClock):
        return clock.wall_seconds(until)
    return (until - clock.now()).total_seconds()


def steady_seconds(clock: Clock) -> float:
    """Seconds for pauses and back-offs: the clock's own where it has a pace, else the machine's."""
    return clock.steady_seconds() if isinstance(clock, PacedClock) else time.monotonic()


class LiveClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Present time in Asia/Shanghai."""
        return datetime.now(MARKET_TZ)


class VirtualClock:
    """A clock that stands still until it is moved; for simulation and tests."""

    def __init__(self, start: datetime) -> None:
        """Start at an aware datetime."""
        if start.tzinfo is None:
            raise ValueError("a clock needs an aware datetime")
        self._now = start.astimezone(MARKET_TZ)

    def now(self) -> datetime:
        """Present virtual time."""
        return self._now

    def set(self, when: datetime) -> None:
        """Move forward to a time; going back raises ValueError."""
        if when < self._now:
            raise ValueError(f"time cannot go back from {self._now} to {when}")
        self._now = when.astimezone(MARKET_TZ)


@dataclass(order=True, frozen=True, slots=True)
class Timer:
    """One deadline: at `when`, the engine puts an event of type `name` with `payload`."""

    when: datetime
    seq: int
    name: str = field(compare=False)
    payload: object = field(compare=False, default=None)


class TimerQueue:
    """Deadlines in order of time, then of setting. Thread-safe; a live driver waits on `changed`."""

    def __init__(self) -> None:
        """Begin empty."""
        self._heap: list[Timer] = []
        self._seq = 0
        self.changed = Condition()

    def set(self, when: datetime, name: str, payload: object = None) -> Timer:
        """Add a deadline and return it."""
        with self.changed:
            self._seq += 1
            timer = Timer(when, self._seq, name, payload)
            heapq.heappush(self._heap, timer)
            self.changed.notify_all()
        return timer

    def next_deadline(self) -> datetime | None:
        """Time of the earliest deadline."""
        with self.changed:
            return self._heap[0].when if self._heap else None

    def pop_due(self, now: datetime) -> Timer | None:
        """Remove and return the earliest deadline if it is due."""
        with self.changed:
            if self._heap and self._heap[0].when <= now:
                return heapq.heappop(self._heap)
        return None

    def __iter__(self) -> Iterator[Timer]:
        """Deadlines in order, without removing them."""
        with self.changed:
            return iter(sorted(self._heap))
