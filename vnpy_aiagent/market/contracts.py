"""Arithmetic of futures positions in lots by trading day: what a close takes, and what settlement pays.

Pure; accounts and the simulated exchange keep their lots by it. Prices in points, volumes in contracts. A lot
is held from its fill price until its first settlement, and from the latest settlement price then.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Protocol, TypeVar

ZERO = Decimal(0)


class HeldLot(Protocol):
    """Contracts opened in one fill and still held."""

    day: date
    volume: int
    price: Decimal
    held_from: Decimal


Lot = TypeVar("Lot", bound=HeldLot)


def opened_on(lots: Iterable[HeldLot], day: date) -> int:
    """Contracts held that were opened on a trading day."""
    return sum(lot.volume for lot in lots if lot.day == day)


def closed_today(offset: str, *, apart: bool, today: int, older: int, volume: int) -> int:
    """How many of `volume` closed contracts are today's, where `today` and `older` ones are held.

    On exchanges that keep them `apart` the order says it by its offset (CLOSE means yesterday's there); on
    the others today's are closed first, as vnpy's own position book counts them (unconfirmed).
    """
    wanted = volume if offset == "CLOSETODAY" or (offset == "CLOSE" and not apart) else 0
    return max(volume - older, min(wanted, today))


def take(lots: list[Lot], volume: int, today: int, day: date) -> Decimal:
    """Close `volume` contracts, `today` of them opened on `day`, the others before, oldest first.

    Returns the sum of `held_from` x volume of what was closed (points x contracts). ValueError where fewer
    are held.
    """
    held = sum(lot.volume for lot in lots)
    if volume > held:
        raise ValueError(f"a close of {volume} contracts exceeds the {held} held")
    base = ZERO
    for same_day, wanted in ((True, today), (False, volume - today)):
        left = wanted
        for lot in lots:
            taken = min(left, lot.volume) if (lot.day == day) is same_day else 0
            lot.volume -= taken
            left -= taken
            base += lot.held_from * taken
        if left:
            raise ValueError(f"a close of {volume} contracts, {today} of today, does not fit what is held")
    lots[:] = [lot for lot in lots if lot.volume]
    return base


def settle(lots: Iterable[HeldLot], day: date, price: Decimal) -> Decimal:
    """Mark what was opened up to a trading day to its settlement price.

    Returns what a long gains (points x contracts); a short gains as much less. What was opened in a night
    session after that day keeps its own price.
    """
    gained = ZERO
    for lot in lots:
        if lot.day <= day:
            gained += (price - lot.held_from) * lot.volume
            lot.held_from = price
    return gained


def margin_base(lots: Iterable[HeldLot]) -> Decimal:
    """Price x volume that margin is asked for: fill prices of today, settlement prices of before."""
    return sum((lot.held_from * lot.volume for lot in lots), ZERO)
