"""Protective stops: one for every held position, a state machine until flat. No model is asked.

ARMED --price at or below the stop--> WORKING (a sale is out)
ARMED --hit, but all shares locked by T+1--> DEFERRED_T1 --next session--> WORKING
ARMED or DEFERRED_T1 --hit, limit down without a bid--> QUEUED_AT_LIMIT (a sale waits at the limit)
WORKING or QUEUED_AT_LIMIT --order ended, shares left--> DEFERRED_T1 (sold at the next chance)
any that a flatten made due --a human resumes--> ARMED
any --position flat--> FLAT
any --a human takes the position over--> TAKEN_OVER
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from vnpy_aiagent.domain import StopState, ceil_to_tick

FALLBACK_SHARE = Decimal("0.92")
"""Part of its price at which a position without a planned stop is stopped out."""

ALLOWED: dict[StopState, frozenset[StopState]] = {
    StopState.ARMED: frozenset(
        {
            StopState.ARMED,
            StopState.DEFERRED_T1,
            StopState.QUEUED_AT_LIMIT,
            StopState.WORKING,
            StopState.FLAT,
            StopState.TAKEN_OVER,
        }
    ),
    StopState.DEFERRED_T1: frozenset(
        {
            StopState.ARMED,
            StopState.QUEUED_AT_LIMIT,
            StopState.WORKING,
            StopState.FLAT,
            StopState.TAKEN_OVER,
        }
    ),
    StopState.QUEUED_AT_LIMIT: frozenset(
        {
            StopState.ARMED,
            StopState.WORKING,
            StopState.DEFERRED_T1,
            StopState.FLAT,
            StopState.TAKEN_OVER,
        }
    ),
    StopState.WORKING: frozenset(
        {
            StopState.ARMED,
            StopState.DEFERRED_T1,
            StopState.QUEUED_AT_LIMIT,
            StopState.FLAT,
            StopState.TAKEN_OVER,
        }
    ),
    StopState.FLAT: frozenset(),
    StopState.TAKEN_OVER: frozenset(),
}


def fallback_stop(price: Decimal, tick: Decimal) -> Decimal:
    """Where the stop of a position without a plan is put: 8 % below a price (CNY), on the tick grid."""
    return ceil_to_tick(price * FALLBACK_SHARE, tick)


@dataclass(slots=True)
class ProtectiveStop:
    """The stop of one account's position. `signal_id` names the sale that is out, if any.

    `flatten` says that a human's flatten made it due, not the price; a resume takes that back.
    """

    account: str
    symbol: str
    price: Decimal
    state: StopState = StopState.ARMED
    signal_id: str | None = None
    cause: str | None = None
    flatten: bool = False

    def move(self, state: StopState) -> None:
        """Go to a state; ValueError where the machine has no such edge."""
        if state not in ALLOWED[self.state]:
            raise ValueError(f"a protective stop cannot go from {self.state} to {state}")
        self.state = state

    def raise_to(self, price: Decimal) -> bool:
        """Tighten the stop; a lower price is refused. Whether it moved."""
        if self.state is not StopState.ARMED or price <= self.price:
            return False
        self.price = price
        return True

    @property
    def armed(self) -> bool:
        """Whether it waits for its price."""
        return self.state is StopState.ARMED

    @property
    def due(self) -> bool:
        """Whether the position must be sold and no sale is out."""
        return self.state is StopState.DEFERRED_T1


class StopBook:
    """Protective stops by account and symbol, with a cached highest price for each symbol."""

    def __init__(self) -> None:
        """Begin empty."""
        self._stops: dict[tuple[str, str], ProtectiveStop] = {}
        self._by_symbol: dict[str, list[ProtectiveStop]] = {}
        self._highest: dict[str, float] = {}

    def __iter__(self) -> Iterator[ProtectiveStop]:
        """All stops that are not flat."""
        return iter(list(self._stops.values()))

    def get(self, account: str, symbol: str) -> ProtectiveStop | None:
        """The stop of a position."""
        return self._stops.get((account, symbol))

    def arm(self, account: str, symbol: str, price: Decimal, cause: str | None = None) -> ProtectiveStop:
        """Arm a stop for a new position, or tighten the one it has."""
        stop = self._stops.get((account, symbol))
        if stop is None:
            stop = ProtectiveStop(account, symbol, price, cause=cause)
            self._stops[account, symbol] = stop
            self._by_symbol.setdefault(symbol, []).append(stop)
        else:
            stop.raise_to(price)
        self.refresh(symbol)
        return stop

    def put_at(self, account: str, symbol: str, price: Decimal) -> ProtectiveStop:
        """Put an armed stop at a price, up or down, as a human asks; KeyError where there is no stop."""
        stop = self._stops[account, symbol]
        stop.price = price
        self.refresh(symbol)
        return stop

    def hit(self, symbol: str, price: float) -> list[ProtectiveStop]:
        """Armed stops that a last price (CNY) reaches, and deferred ones whose turn may have come.

        A price that is missing (zero, NaN) reaches nothing.
        """
        if not 0 < price <= self._highest.get(symbol, 0.0):
            return []
        return [
            stop
            for stop in self._by_symbol.get(symbol, ())
            if stop.due or (stop.state is StopState.ARMED and price <= float(stop.price))
        ]

    def flat(self, account: str, symbol: str, end: StopState = StopState.FLAT) -> ProtectiveStop | None:
        """The position is gone, or a human's (`end`): its stop ends and leaves the book."""
        stop = self._stops.pop((account, symbol), None)
        if stop is not None:
            stop.move(end)
            self._by_symbol[symbol].remove(stop)
            self.refresh(symbol)
        return stop

    def levels(self, symbol: str) -> list[Decimal]:
        """Prices of armed stops in a symbol."""
        return [stop.price for stop in self._by_symbol.get(symbol, ()) if stop.state is StopState.ARMED]

    def refresh(self, symbol: str) -> None:
        """Recompute the cached price below which a tick matters."""
        stops = self._by_symbol.get(symbol, ())
        if any(stop.due for stop in stops):
            self._highest[symbol] = float("inf")
        else:
            armed = [float(stop.price) for stop in stops if stop.state is StopState.ARMED]
            self._highest[symbol] = max(armed, default=0.0)
