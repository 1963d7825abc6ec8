"""One account's cash and positions, built from fills alone.

Amounts are Decimal CNY, volumes int shares. Position equals the sum of fills; a fill is applied once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from vnpy_aiagent.domain import Fill, Side, Style, cny

ZERO = Decimal(0)


@dataclass(slots=True)
class Lot:
    """Shares bought in one fill and still held."""

    day: date
    volume: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class Origin:
    """Which plan opened a position."""

    setup: str = ""
    regime: str = ""
    confidence: float = 0.0
    proposal_id: str | None = None


@dataclass(slots=True)
class Position:
    """A holding and the figures of its round trip so far."""

    vt_symbol: str
    opened: date
    origin: Origin
    lots: list[Lot] = field(default_factory=list)
    bought: int = 0
    bought_turnover: Decimal = ZERO
    sold_turnover: Decimal = ZERO
    fees: Decimal = ZERO

    @property
    def volume(self) -> int:
        """Shares held."""
        return sum(lot.volume for lot in self.lots)

    @property
    def cost(self) -> Decimal:
        """Average price of the shares held, before fees."""
        volume = self.volume
        return sum((lot.price * lot.volume for lot in self.lots), ZERO) / volume if volume else ZERO

    def bought_on(self, day: date) -> int:
        """Shares held that were bought on a day, which T+1 locks until the next."""
        return sum(lot.volume for lot in self.lots if lot.day == day)


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A position that went flat. `pnl` is net of fees."""

    position: Position
    closed: date
    pnl: Decimal


@dataclass(slots=True)
class Reservation:
    """What a working order holds back: cash for a buy, shares for a sale."""

    symbol: str
    side: Side
    volume: int
    price: Decimal
    margin: Decimal = ZERO

    @property
    def cash(self) -> Decimal:
        """Cash held back."""
        return self.price * self.volume + self.margin if self.side is Side.BUY else ZERO


class AccountBook:
    """Cash, positions and reservations of one account."""

    def __init__(self, name: str, style: Style, cash: Decimal) -> None:
        """Open with cash and no holdings."""
        self.name = name
        self.style = style
        self.cash = cash
        self.opening_cash = cash
        self.positions: dict[str, Position] = {}
        self.reservations: dict[str, Reservation] = {}
        self.external: dict[str, int] = {}
        """Shares of a position that a human took over: valued and weighed as any, never sold by the app."""
        self._handed_over: dict[str, set[str]] = {}
        self.day_start_equity: Decimal = cash
        self.peak_equity: Decimal = cash
        self._ledger: Decimal = cash
        self._seen: set[tuple[object, ...]] = set()

    def apply(self, fill: Fill, origin: Origin | None = None) -> RoundTrip | None:
        """Book a fill; the round trip if it made the position flat. A fill already booked changes nothing.

        Raises ValueError where more would be sold than is held.
        """
        if fill.identity in self._seen:
            return None
        turnover = cny(fill.price * fill.volume)
        if fill.side is Side.BUY:
            self._buy(fill, turnover, origin or Origin(setup=fill.setup))
            trip = None
        else:
            trip = self._sell(fill, turnover)
        self._ledger += (fill.price * fill.volume) * (-1 if fill.side is Side.BUY else 1) - fill.fees
        self._seen.add(fill.identity)
        self._settle(fill)
        return trip

    @property
    def cash_off(self) -> Decimal:
        """Cash less what the opening cash and the fills give, to the cent (CNY); zero in sound books.

        Each fill is booked to the cent. Where prices lie off the tick grid, the cents that rounding adds or
        takes do not vanish over many fills.
        """
        return self.cash - cny(self._ledger)

    def knows(self, fill: Fill) -> bool:
        """Whether this very fill is booked already."""
        return fill.identity in self._seen

    def volume(self, vt_symbol: str) -> int:
        """Shares held."""
        position = self.positions.get(vt_symbol)
        return position.volume if position else 0

    def managed(self, vt_symbol: str) -> int:
        """Shares held that are the app's to manage: all but the external ones."""
        return self.volume(vt_symbol) - self.external.get(vt_symbol, 0)

    def take_over(self, vt_symbol: str, orders: Iterable[str] = ()) -> int:
        """All shares held are a human's from now on, and so are late buys of `orders` (parent ids)."""
        self.external[vt_symbol] = self.volume(vt_symbol)
        self._handed_over[vt_symbol] = set(orders)
        return self.external[vt_symbol]

    def hand_back(self, vt_symbol: str) -> int:
        """The app manages the position again; the shares that were external."""
        self._handed_over.pop(vt_symbol, None)
        return self.external.pop(vt_symbol, 0)

    def sellable(self, vt_symbol: str, day: date, t_plus: int) -> int:
        """Shares that may be sold on a day: held, less bought that day under T+1, less in working sales.

        Shares that a human took over are not for the app to sell.
        """
        position = self.positions.get(vt_symbol)
        if position is None:
            return 0
        locked = position.bought_on(day) if t_plus else 0
        free = min(position.volume - locked, self.managed(vt_symbol))
        return max(0, free - self.working(vt_symbol, Side.SELL))

    def working(self, vt_symbol: str, side: Side) -> int:
        """Shares in working orders of one side."""
        return sum(r.volume for r in self.reservations.values() if r.symbol == vt_symbol and r.side is side)

    @property
    def available(self) -> Decimal:
        """Cash less what working buys hold back."""
        return self.cash - sum((r.cash for r in self.reservations.values()), ZERO)

    def reserve(self, intent_id: str, reservation: Reservation) -> None:
        """Hold back cash or shares for an order that is about to be sent."""
        self.reservations[intent_id] = reservation

    def release(self, intent_id: str) -> None:
        """Give back what an ended order still holds."""
        self.reservations.pop(intent_id, None)

    def market_value(self, prices: Mapping[str, Decimal]) -> Decimal:
        """Holdings at the given prices, at cost where a price is missing."""
        return sum(
            (
                position.volume * prices.get(symbol, position.cost)
                for symbol, position in self.positions.items()
            ),
            ZERO,
        )

    def equity(self, prices: Mapping[str, Decimal]) -> Decimal:
        """Cash and market value."""
        return self.cash + self.market_value(prices)

    def _buy(self, fill: Fill, turnover: Decimal, origin: Origin) -> None:
        position = self.positions.get(fill.symbol)
        if position is None:
            position = Position(fill.symbol, fill.trading_day, origin)
            self.positions[fill.symbol] = position
        position.lots.append(Lot(fill.trading_day, fill.volume, fill.price))
        position.bought += fill.volume
        position.bought_turnover += turnover
        position.fees += fill.fees
        self.cash -= turnover + fill.fees
        if fill.parent_id in self._handed_over.get(fill.symbol, ()):
            self.external[fill.symbol] = self.external.get(fill.symbol, 0) + fill.volume

    def _sell(self, fill: Fill, turnover: Decimal) -> RoundTrip | None:
        position = self.positions.get(fill.symbol)
        held = position.volume if position else 0
        if position is None or fill.volume > held:
            raise ValueError(f"a sale of {fill.volume} {fill.symbol} exceeds the {held} shares held")
        left = fill.volume
        while left:
            lot = position.lots[0]
            taken = min(left, lot.volume)
            lot.volume -= taken
            left -= taken
            if not lot.volume:
                position.lots.pop(0)
        position.sold_turnover += turnover
        position.fees += fill.fees
        self.cash += turnover - fill.fees
        if fill.symbol in self.external:
            self.external[fill.symbol] = min(self.external[fill.symbol], position.volume)
        if position.volume:
            return None
        self.external.pop(fill.symbol, None)
        del self.positions[fill.symbol]
        pnl = position.sold_turnover - position.bought_turnover - position.fees
        return RoundTrip(position, fill.trading_day, pnl)

    def _settle(self, fill: Fill) -> None:
        reservation = self.reservations.get(fill.intent_id or "")
        if reservation is not None:
            reservation.volume = max(0, reservation.volume - fill.volume)
