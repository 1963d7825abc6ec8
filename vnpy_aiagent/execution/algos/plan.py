"""What is known when the next step of an order is decided, and what a step can be.

Prices in CNY (points for a futures contract), volumes in shares (contracts).
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from vnpy_aiagent.domain import Algo, Side, Text


@dataclass(frozen=True, slots=True)
class Task:
    """What was approved: `volume` at `limit`, re-priced within `low` and `high`, until `until`.

    `ends` is when the last slice should be out at the latest: before `until` and before the closing auction,
    in which nothing can be cancelled.
    """

    algo: Algo
    side: Side
    volume: int
    limit: Decimal
    low: Decimal
    high: Decimal
    start: datetime
    until: datetime
    ends: datetime
    protective: bool = False


@dataclass(frozen=True, slots=True)
class Market:
    """The market at one moment. `bid_volume` and `ask_volume` are what stands on the known levels.

    None where a side is empty or no book is known. `traded` is the day's volume so far.
    """

    last: Decimal
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_volume: int | None = None
    ask_volume: int | None = None
    limit_up: Decimal | None = None
    limit_down: Decimal | None = None
    prev_close: Decimal | None = None
    traded: int | None = None

    @property
    def arrival(self) -> Decimal:
        """The middle of bid and ask, the last price without a book of two sides."""
        return self.last if self.bid is None or self.ask is None else (self.bid + self.ask) / 2


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """The one child that has not ended. `cancelling`: its cancel was asked for and is not confirmed."""

    price: Decimal
    since: datetime
    cancelling: bool = False


@dataclass(frozen=True, slots=True)
class Orders:
    """What became of the children so far.

    `rest` is volume that is certain to be open: what was approved less what ended children filled; it counts
    only where `open` is None. `blocked` where the fate of a child is unknown, or several have not ended.
    `held` are shares from which the odd remainder of a sale is measured. `most` is the highest price at which
    the rest of a buy can be paid, None where that is no question.
    """

    rest: int
    open: OpenOrder | None = None
    blocked: bool = False
    held: int = 0
    most: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The state of working one task; `decide` gives the next one.

    `timeouts` counts how often an order did not fill in time, `placed` the orders so far. `look` is when the
    open order is looked at next, `next_at` when the next slice is due. `poor_since` is when a poor market was
    first seen. `traded_from` is the day's volume at the beginning. `over` says why nothing more is sent.
    """

    task: Task
    timeouts: int = 0
    placed: int = 0
    look: datetime | None = None
    next_at: datetime | None = None
    poor_since: datetime | None = None
    traded_from: int | None = None
    over: Text | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Send an order of this volume and limit."""

    volume: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel the open order."""

    reason: Text


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing now; look again at `until`, or at the next tick or report where it is None."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """Send nothing more. `reason` is None where all is filled."""

    reason: Text | None = None


Action = Place | Cancel | Wait | Done
