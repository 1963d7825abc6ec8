"""One account's cash and positions, built from fills alone.

Amounts are Decimal CNY, volumes int shares. Position equals the sum of fills; a fill is applied once. Futures
contracts bind margin instead of cash: fees, realised gains and the daily settlement move cash, and what is
gained since the last settlement counts as market value.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from vnpy_aiagent.domain import ContractTerms, Fill, Settlement, Side, Style, cny
from vnpy_aiagent.market import contracts
from vnpy_aiagent.market.corporate import CorporateAction
from vnpy_aiagent.market.futures import contract_terms
from vnpy_aiagent.market.share_lots import ShareLots
from vnpy_aiagent.portfolio.ex_days import book_action
from vnpy_aiagent.portfolio.venues import Venues

ONE = Decimal(1)
ZERO = Decimal(0)


@dataclass(slots=True)
class Lot:
    """Shares bought in one fill and still held. `held_from` is a contract's last settlement price, if any."""

    day: date
    volume: int
    price: Decimal
    held_from: Decimal = ZERO

    def __post_init__(self) -> None:
        """Before its first settlement a contract is held from its fill price."""
        self.held_from = self.held_from or self.price


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
    terms: ContractTerms | None = None
    shares: ShareLots = field(default_factory=ShareLots)
    """The same shares by day, with the dividends that a sale is taxed for."""
    dividends: Decimal = ZERO
    tax: Decimal = ZERO

    @property
    def multiplier(self) -> Decimal:
        """CNY per point of price: 1 for shares."""
        return self.terms.multiplier if self.terms else ONE

    @property
    def margin(self) -> Decimal:
        """Cash that contracts bind; 0 for shares, which are paid for (CNY)."""
        if self.terms is None:
            return ZERO
        return cny(contracts.margin_base(self.lots) * self.terms.multiplier * self.terms.margin)

    def worth(self, price: Decimal | None) -> Decimal:
        """What counts as market value: shares at a price, or at cost; a contract's gain since settlement."""
        if self.terms is None:
            return self.volume * (self.cost if price is None else price)
        if price is None:
            return ZERO
        return (price * self.volume - contracts.margin_base(self.lots)) * self.terms.multiplier

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
    """A position that went flat. `pnl` is net of fees, with dividends less their tax."""

    position: Position
    closed: date
    pnl: Decimal


@dataclass(slots=True)
class Reservation:
    """What a working order holds back: cash for a buy, shares for a sale.

    `margin` are the fees; a contract has its `multiplier`, and binds `part` of its value.
    """

    symbol: str
    side: Side
    volume: int
    price: Decimal
    margin: Decimal = ZERO
    multiplier: Decimal = ONE
    part: Decimal = ONE

    @property
    def value(self) -> Decimal:
        """What the order is worth (CNY)."""
        return self.price * self.volume * self.multiplier

    @property
    def cash(self) -> Decimal:
        """Cash held back."""
        return self.value * self.part + self.margin if self.side is Side.BUY else ZERO


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
        self.venues = Venues()
        self._handed_over: dict[str, set[str]] = {}
        self.day_start_equity: Decimal = cash
        self.peak_equity: Decimal = cash
        self._ledger: Decimal = cash
        self._seen: set[tuple[object, ...]] = set()
        self.settled: dict[str, tuple[date, Decimal]] = {}
        """Each contract's last settlement: trading day and price in points."""
        self.dividend_taxes: dict[tuple[object, ...], Decimal] = {}
        """Tax (CNY) that a sale made due, by the fill's identity; sales without any are left out."""

    def apply(self, fill: Fill, origin: Origin | None = None) -> RoundTrip | None:
        """Book a fill; the round trip if it made the position flat. A fill already booked changes nothing.

        Raises ValueError where more would be sold than is held.
        """
        if fill.identity in self._seen:
            return None
        turnover = cny(fill.price * fill.volume * (fill.terms.multiplier if fill.terms else ONE))
        if fill.side is Side.BUY:
            self._buy(fill, turnover, origin or Origin(setup=fill.setup))
            trip = None
        else:
            trip = self._sell(fill, turnover)
        if fill.terms is None:
            self._ledger += (fill.price * fill.volume) * (-1 if fill.side is Side.BUY else 1)
        self._ledger -= fill.fees
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

    def apply_action(self, action: CorporateAction) -> tuple[int, Decimal]:
        """Book an ex-day on what was held before it; new shares and cash before tax (CNY).

        The caller sees to it that each ex-day is booked once.
        """
        symbol = action.vt_symbol
        position = self.positions.get(symbol)
        if position is None or position.terms is not None:
            return 0, ZERO
        shares, cash, outside = book_action(position, self.external.get(symbol, 0), action)
        if outside:
            self.external[symbol] += outside
        self.cash += cash
        self._ledger += cash
        return shares, cash

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

    def open_with(self, cash: Decimal) -> None:
        """Begin with the cash that the broker reports (CNY), before anything is booked."""
        self.cash = self.opening_cash = self._ledger = cash
        self.day_start_equity = self.peak_equity = cash

    def adjust_cash(self, amount: Decimal) -> None:
        """The broker is right: cash changes by `amount` (CNY), which is neither gain nor loss."""
        self.cash += amount
        self._ledger += amount
        self._shift(amount)

    def adjust_holding(self, vt_symbol: str, volume: int, external: int, price: Decimal, day: date) -> None:
        """The broker is right: shares change by `volume`, the external ones among them by `external`.

        Shares that come in cost `price` and count as bought on `day`; the oldest go out first. Raises
        ValueError where more would go out than is held.
        """
        worth = self.market_value({})
        position = self.positions.get(vt_symbol)
        held = position.volume if position else 0
        outside = self.external.get(vt_symbol, 0) + external
        if not 0 <= outside <= held + volume:
            raise ValueError(f"{vt_symbol}: {volume} and {external} external shares do not fit {held} held")
        if position is None:
            position = self.positions[vt_symbol] = Position(vt_symbol, day, Origin())
            position.terms = contract_terms(vt_symbol, day)
        if volume > 0:
            position.lots.append(Lot(day, volume, price))
            position.shares.buy(day, volume)
            position.bought += volume
            position.bought_turnover += cny(price * volume * position.multiplier)
        elif volume < 0:
            self._take_lots(position, -volume)
            position.shares.sell(day, -volume)
            position.sold_turnover += cny(price * -volume * position.multiplier)
        if outside:
            self.external[vt_symbol] = outside
        else:
            self.external.pop(vt_symbol, None)
        if not position.volume:
            del self.positions[vt_symbol]
        self._shift(self.market_value({}) - worth)

    def _shift(self, amount: Decimal) -> None:
        """What comes in or goes out is no gain or loss of the day."""
        self.day_start_equity += amount
        self.peak_equity += amount

    def take_over(self, vt_symbol: str, orders: Iterable[str] = ()) -> int:
        """All shares held are a human's from now on, and so are late buys of `orders` (parent ids)."""
        self.external[vt_symbol] = self.volume(vt_symbol)
        self._handed_over[vt_symbol] = set(orders)
        return self.external[vt_symbol]

    def is_handed_over(self, vt_symbol: str, order: str) -> bool:
        """Whether late buys of an order (parent id) are a human's."""
        return order in self._handed_over.get(vt_symbol, ())

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
        """Cash less what working buys hold back and the margin of contracts."""
        return self.cash - self.margin - sum((r.cash for r in self.reservations.values()), ZERO)

    @property
    def margin(self) -> Decimal:
        """Cash that contracts bind (CNY)."""
        return sum((position.margin for position in self.positions.values()), ZERO)

    def reserve(self, intent_id: str, reservation: Reservation) -> None:
        """Hold back cash or shares for an order that is about to be sent."""
        self.reservations[intent_id] = reservation

    def release(self, intent_id: str) -> None:
        """Give back what an ended order still holds."""
        self.reservations.pop(intent_id, None)

    def market_value(self, prices: Mapping[str, Decimal]) -> Decimal:
        """Shares at the given prices, at cost where one is missing; contracts' gain since settlement."""
        return sum((item.worth(prices.get(symbol)) for symbol, item in self.positions.items()), ZERO)

    def bound(self, prices: Mapping[str, Decimal]) -> Decimal:
        """Shares at the given prices, at cost where one is missing, and the margin of contracts (CNY)."""
        return sum(
            (
                position.worth(prices.get(symbol)) if position.terms is None else position.margin
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
        lot = Lot(fill.trading_day, fill.volume, fill.price)
        position.lots.append(lot)
        position.shares.buy(fill.trading_day, fill.volume)
        position.bought += fill.volume
        position.bought_turnover += turnover
        position.fees += fill.fees
        if fill.terms is None:
            self.cash -= turnover + fill.fees
        else:
            position.terms = fill.terms
            self.cash -= fill.fees
            self._settle_late(fill, lot)
        if fill.parent_id is not None and self.is_handed_over(fill.symbol, fill.parent_id):
            self.external[fill.symbol] = self.external.get(fill.symbol, 0) + fill.volume

    def _sell(self, fill: Fill, turnover: Decimal) -> RoundTrip | None:
        position = self.positions.get(fill.symbol)
        held = position.volume if position else 0
        if position is None or fill.volume > held:
            raise ValueError(f"a sale of {fill.volume} {fill.symbol} exceeds the {held} shares held")
        if fill.terms is None:
            self._take_lots(position, fill.volume)
            self.cash += turnover - fill.fees
            self._tax(fill, position)
        else:
            today = fill.terms.closed_today
            base = contracts.take(position.lots, fill.volume, today, fill.trading_day)
            self._gain((fill.price * fill.volume - base) * fill.terms.multiplier)
            self.cash -= fill.fees
        position.sold_turnover += turnover
        position.fees += fill.fees
        if fill.symbol in self.external:
            self.external[fill.symbol] = min(self.external[fill.symbol], position.volume)
        if position.volume:
            return None
        self.external.pop(fill.symbol, None)
        del self.positions[fill.symbol]
        pnl = position.sold_turnover - position.bought_turnover - position.fees
        pnl += position.dividends - position.tax
        return RoundTrip(position, fill.trading_day, pnl)

    def _tax(self, fill: Fill, position: Position) -> None:
        """Tax on the dividends of the shares that a fill sold, by how long they were held."""
        tax = position.shares.sell(fill.trading_day, fill.volume)
        if tax:
            self.dividend_taxes[fill.identity] = tax
            position.tax += tax
            self.cash -= tax
            self._ledger -= tax

    def _take_lots(self, position: Position, volume: int) -> None:
        """Take shares out of a position, the oldest first."""
        while volume:
            lot = position.lots[0]
            taken = min(volume, lot.volume)
            lot.volume -= taken
            volume -= taken
            if not lot.volume:
                position.lots.pop(0)

    def settlement_profit(self, vt_symbol: str, day: date, price: Decimal) -> Decimal | None:
        """What a day's settlement would move into cash (CNY); None where the day was settled already."""
        position, done = self.positions.get(vt_symbol), self.settled.get(vt_symbol)
        if done is not None and done[0] >= day:
            return None
        if position is None or position.terms is None:
            return ZERO
        copies = [Lot(lot.day, lot.volume, lot.price, lot.held_from) for lot in position.lots]
        return cny(contracts.settle(copies, day, price) * position.terms.multiplier)

    def settle(self, settlement: Settlement) -> None:
        """Mark a contract to its settlement price; one of a day that was settled changes nothing."""
        symbol, day, price = settlement.symbol, settlement.trading_day, settlement.price
        position = self.positions.get(symbol)
        if self.settlement_profit(symbol, day, price) is None:
            return
        self.settled[symbol] = (day, price)
        if position is not None and position.terms is not None:
            self._ledger += contracts.settle(position.lots, day, price) * position.terms.multiplier
            self.cash += settlement.profit

    def _settle_late(self, fill: Fill, lot: Lot) -> None:
        """A fill that is heard of after its day was settled is marked to that settlement at once."""
        done = self.settled.get(fill.symbol)
        if done is not None and fill.trading_day <= done[0] and fill.terms is not None:
            self._gain(contracts.settle([lot], *done) * fill.terms.multiplier)

    def _gain(self, amount: Decimal) -> None:
        """A contract's gain (CNY) moves into cash, to the cent."""
        self._ledger += amount
        self.cash += cny(amount)

    def _settle(self, fill: Fill) -> None:
        reservation = self.reservations.get(fill.intent_id or "")
        if reservation is not None:
            reservation.volume = max(0, reservation.volume - fill.volume)
