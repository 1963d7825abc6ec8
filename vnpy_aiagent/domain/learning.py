"""Messages of review and learning."""

from datetime import date
from decimal import Decimal

from vnpy_aiagent.domain.enums import Period
from vnpy_aiagent.domain.message import Message
from vnpy_aiagent.domain.text import Text


class Lesson(Message):
    """What the trades of one setup in one regime have shown so far.

    `adjustment` is added to the confidence of a like plan (a ratio, negative after losses). It counts only
    once `confirmed`; until then the lesson is in quarantine.
    """

    setup: str
    regime: str
    wins: int
    losses: int
    mean_return: float
    adjustment: float
    confirmed: bool
    trades: tuple[str, ...]
    text: Text


class Review(Message):
    """One period looked back on. Ratios are net of fees; None where nothing can be said."""

    period: Period
    start: date
    end: date
    decisions: int
    proposals: int
    approved: int
    reduced: int
    rejected: int
    fills: int
    trades_closed: int
    pnl: Decimal
    win_rate: float | None
    account_returns: dict[str, float]
    lessons: tuple[str, ...]
    text: Text
