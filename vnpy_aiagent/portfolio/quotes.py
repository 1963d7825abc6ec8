"""The latest quote of each symbol, from vnpy ticks."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from math import isfinite

from vnpy.trader.object import TickData

from vnpy_aiagent.domain import MARKET_TZ, to_decimal
from vnpy_aiagent.portfolio.tick_ring import TickRing, known_figure
from vnpy_aiagent.tools.snapshot import BookLevel, OrderBookView, QuoteView

ROUNDING = Decimal("0.000001")  # CNY
MAX_TIMES = 10
"""How many times the previous close, or what part of it, a price may be."""


LEVELS = range(1, 6)


@dataclass(frozen=True, slots=True)
class TopOfBook:
    """Best prices (CNY) and what stands on the known levels of each side (shares); None where not known."""

    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_volume: int | None = None
    ask_volume: int | None = None


class QuoteBoard:
    """Latest quotes. A tick's price that is zero, none or not finite is missing and stays so.

    Ticks may come from several gateways, and late: one older than the symbol's latest is not taken.
    """

    def __init__(self) -> None:
        """Begin without quotes."""
        self._ticks: dict[str, TickData] = {}
        self._rings: dict[str, TickRing] = {}
        self.last_prices: dict[str, Decimal] = {}

    def update(self, tick: TickData) -> Decimal | None:
        """Take a tick; its last price, None where it has none or is older than the latest."""
        last, latest = _price(tick.last_price), self.at(tick.vt_symbol)
        if last is None or (latest is not None and tick.datetime.astimezone(MARKET_TZ) < latest):
            return None
        self._ticks[tick.vt_symbol] = tick
        if tick.bid_price_1 or tick.ask_price_1:  # a tick made of a bar has no order book
            ring = self._rings.get(tick.vt_symbol)
            if ring is None:
                ring = self._rings[tick.vt_symbol] = TickRing()
            ring.add(tick)
        self.last_prices[tick.vt_symbol] = last
        return last

    def seed(self, vt_symbol: str, price: Decimal) -> None:
        """Give a symbol a price to value holdings by, before its first tick."""
        self.last_prices.setdefault(vt_symbol, price)

    def at(self, vt_symbol: str) -> datetime | None:
        """Time of the latest tick."""
        tick = self._ticks.get(vt_symbol)
        return tick.datetime.astimezone(MARKET_TZ) if tick else None

    def book(self, vt_symbol: str) -> TopOfBook:
        """The order book of the latest quote, as far as the gateway tells it."""
        tick = self._ticks.get(vt_symbol)
        if tick is None:
            return TopOfBook()
        return TopOfBook(
            bid=_price(tick.bid_price_1),
            ask=_price(tick.ask_price_1),
            bid_volume=_depth(tick, "bid"),
            ask_volume=_depth(tick, "ask"),
        )

    def order_book(self, vt_symbol: str) -> OrderBookView | None:
        """The five levels of the latest quote and the ticks of its day; None where it has no level."""
        tick = self._ticks.get(vt_symbol)
        if tick is None:
            return None
        bids, asks = _levels(tick, "bid"), _levels(tick, "ask")
        if not bids and not asks:
            return None
        at, ring = tick.datetime.astimezone(MARKET_TZ), self._rings.get(vt_symbol)
        return OrderBookView(at, bids, asks, ring.window(at.date()) if ring is not None else None)

    def get(self, vt_symbol: str) -> QuoteView | None:
        """The latest quote, None before the first tick."""
        tick = self._ticks.get(vt_symbol)
        if tick is None:
            return None
        last = to_decimal(tick.last_price)
        return QuoteView(
            at=tick.datetime.astimezone(MARKET_TZ),
            last=last,
            open=_price(tick.open_price) or last,
            high=_price(tick.high_price) or last,
            low=_price(tick.low_price) or last,
            prev_close=_price(tick.pre_close),
            limit_up=_price(tick.limit_up),
            limit_down=_price(tick.limit_down),
            volume=int(tick.volume) if tick.volume and isfinite(tick.volume) else None,
        )


def is_malformed(tick: TickData) -> bool:
    """Whether a tick has no time, or a figure that is None or text. 0 and NaN are missing figures."""
    figures = (
        tick.last_price,
        tick.open_price,
        tick.high_price,
        tick.low_price,
        tick.pre_close,
        tick.limit_up,
        tick.limit_down,
        tick.volume,
        tick.bid_price_1,
        tick.ask_price_1,
    )
    try:
        for figure in figures:
            isfinite(figure)
    except (TypeError, OverflowError, ValueError):
        return True
    return not isinstance(tick.datetime, datetime)


def is_absurd(tick: TickData, today: date) -> bool:
    """Whether a tick cannot be true: its price is none, or far from its own limits, or its day.

    A price of 0 is none yet, which is no absurdity.
    """
    price = tick.last_price
    if not price:
        return False
    if not isfinite(price) or price < 0 or tick.datetime.astimezone(MARKET_TZ).date() != today:
        return True
    low, high, close = (_price(value) for value in (tick.limit_down, tick.limit_up, tick.pre_close))
    last = to_decimal(price)
    if (low is not None and last < low - ROUNDING) or (high is not None and last > high + ROUNDING):
        return True
    return close is not None and not close / MAX_TIMES <= last <= close * MAX_TIMES


def _depth(tick: TickData, side: str) -> int | None:
    """Shares on the known levels of a side; None where no level says how many."""
    volumes = (getattr(tick, f"{side}_volume_{level}") for level in LEVELS)
    known = sum(int(volume) for volume in volumes if volume and isfinite(volume) and volume > 0)
    return known or None


def _levels(tick: TickData, side: str) -> tuple[BookLevel, ...]:
    """Levels with a price and a volume, best first; what is 0, none or not finite is no level."""
    found = []
    for level in LEVELS:
        price, volume = getattr(tick, f"{side}_price_{level}"), getattr(tick, f"{side}_volume_{level}")
        known = _price(price)
        shares = known_figure(volume)
        if known is not None and shares is not None and shares >= 1:
            found.append(BookLevel(known, int(shares)))
    return tuple(found)


def _price(value: float) -> Decimal | None:
    return to_decimal(value) if value and isfinite(value) and value > 0 else None
