"""Messages between the house and people: approvals, orders to place by hand, positions taken over.

Volumes in shares, prices in CNY.
"""

from decimal import Decimal

from pydantic import AwareDatetime

from vnpy_aiagent.domain.enums import Side
from vnpy_aiagent.domain.message import Message
from vnpy_aiagent.domain.text import Text


class ApprovalAsked(Message):
    """A signal waits for a human; unanswered it lapses at `lapses_at`. `price` is the order's limit."""

    signal_id: str
    symbol: str
    side: Side
    volume: int
    price: Decimal
    stop: Decimal | None = None
    reason: Text
    lapses_at: AwareDatetime


class ApprovalAnswered(Message):
    """The one answer to an ApprovalAsked; not `approved` means that nothing is sent for its signal.

    `by` is who answered, or what ended the wait: timeout, halt, flatten, take_over, close, restart.
    """

    approval_id: str
    signal_id: str
    symbol: str
    approved: bool
    by: str
    reason: Text


class ManualSlip(Message):
    """An order that could not be sent, for a human to place or to look up at the broker's desk."""

    symbol: str
    side: Side
    volume: int
    price: Decimal
    gateway: str
    reason: Text


class PositionTakenOver(Message):
    """A human manages `volume` shares from here on. Late fills of `orders` (parent ids) are theirs too."""

    symbol: str
    volume: int
    orders: tuple[str, ...] = ()
    by: str


class PositionHandedBack(Message):
    """The app manages the position again, with a protective stop at `stop`."""

    symbol: str
    volume: int
    stop: Decimal
    by: str
