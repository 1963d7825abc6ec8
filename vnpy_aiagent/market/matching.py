"""The one matching core: what an order gets from the market, by stated pessimistic rules.

Pure and deterministic; the simulated exchange and the backtest engine both fill by it. Prices in CNY,
volumes in shares. The caller has checked the order itself (lots, band, cash, holding) and cancels it where
it wants to.

1. Nothing fills in a suspended instrument, without volume left, or without liquidity.
2. Nothing fills on the closed side of a locked limit: a buy while the last price is at limit up and nobody
   offers, a sale while it is at limit down and nobody bids.
3. An auction (the opening included) fills at the last price, which is the auction's, where the limit is at or
   through it: an arriving and a resting order alike.
4. An arriving order meets the opposite side of the book: a buy the best ask, a sale the best bid. In a book
   with one side empty, that side has no counterparty. Without any book (bars) the adverse price is the
   last price worsened by the slippage ticks, never beyond the price limit and never below one tick. The
   order fills if its limit reaches the adverse price, at that price, which is never worse than the limit.
5. A resting order fills only when the market trades through its limit (the last price below a buy's limit,
   above a sale's), at its own limit: a touch does not fill it, since others may stand before it. Where the
   market did not trade at the limit on its way (it opened beyond it), the fill is at the worst price of the
   way: the last price after a jump. With a book that is no better than the book's other side.
6. A fill's price lies on the tick grid: one between two ticks is rounded against the order, up for a buy and
   down for a sale, and fills only where the limit still reaches it. Slippage leads to no price outside what
   was traded around the moment, where that is known.
7. The volume is what is left of the order, at most the liquidity the account may still take.
8. No order trades with another one of its own account: the later one is refused (`meets_own`).
"""

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from vnpy_aiagent.domain.enums import Side
from vnpy_aiagent.domain.money import ceil_to_tick, floor_to_tick


@dataclass(frozen=True, slots=True)
class MarketView:
    """The market at one moment. `liquidity` is what this account may still take of it.

    `bid` and `ask` are best prices, None where that side is empty or no book is known. `limit_up` and
    `limit_down` are None where no limit holds. `auction` marks a moment whose `last` is an auction price.
    `moved_from` is the last price before, from which the market traded at every price up or down to `last`;
    None where it jumped to `last`, as at an opening. `low` and `high` bound what was traded around the
    moment, as a bar's do; None where that is not known.
    """

    last: Decimal
    bid: Decimal | None
    ask: Decimal | None
    limit_up: Decimal | None
    limit_down: Decimal | None
    liquidity: int
    tick_size: Decimal
    auction: bool = False
    suspended: bool = False
    moved_from: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None

    def coming_from(self, before: Decimal | None) -> "MarketView":
        """The same moment with `moved_from` set; written out, since every quote passes here."""
        return MarketView(
            self.last,
            self.bid,
            self.ask,
            self.limit_up,
            self.limit_down,
            self.liquidity,
            self.tick_size,
            self.auction,
            self.suspended,
            before,
            self.low,
            self.high,
        )


@dataclass(frozen=True, slots=True)
class Execution:
    """A fill: price in CNY, volume in shares."""

    price: Decimal
    volume: int


def match_arrival(
    side: Side, limit: Decimal, remaining: int, view: MarketView, slippage_ticks: int = 0
) -> Execution | None:
    """What an order gets that arrives now; None where it fills nothing and comes to rest."""
    volume = _volume(side, remaining, view)
    if not volume:
        return None
    price = view.last if view.auction else _adverse_price(side, view, slippage_ticks)
    return None if price is None else _executed(side, limit, price, volume, view)


def match_resting(side: Side, limit: Decimal, remaining: int, view: MarketView) -> Execution | None:
    """What an order gets that was resting before this moment; None where it goes on resting."""
    volume = _volume(side, remaining, view)
    if not volume or not _reaches(side, limit, view.last):
        return None
    if view.auction:
        return _executed(side, limit, view.last, volume, view)
    if limit == view.last:
        return None
    before = view.last if view.moved_from is None else view.moved_from
    if side is Side.BUY:
        worst = max(before, view.last, view.last if view.ask is None else view.ask)
    else:
        worst = min(before, view.last, view.last if view.bid is None else view.bid)
    price = min(limit, worst) if side is Side.BUY else max(limit, worst)
    return _executed(side, limit, price, volume, view)


def is_locked(side: Side, view: MarketView) -> bool:
    """Whether the price limit closes this side: limit up without offers to a buy, limit down to a sale."""
    if side is Side.BUY:
        return view.limit_up is not None and view.last >= view.limit_up and view.ask is None
    return view.limit_down is not None and view.last <= view.limit_down and view.bid is None


def meets_own(side: Side, limit: Decimal, own_side: Side, own_limit: Decimal) -> bool:
    """Whether an order could trade with another one of the same account: such an order is refused."""
    if side is own_side:
        return False
    return limit >= own_limit if side is Side.BUY else limit <= own_limit


def share_of_volume(traded: int, participation: Decimal, lot: int = 1) -> int:
    """Liquidity in shares: a ratio of the volume traded since the last moment, rounded down to lots."""
    if traded < 0 or participation < 0 or lot < 1:
        raise ValueError("traded volume and participation cannot be negative, a lot is at least one share")
    shares = int((traded * participation).to_integral_value(ROUND_FLOOR))
    return shares - shares % lot


def _volume(side: Side, remaining: int, view: MarketView) -> int:
    if view.suspended or is_locked(side, view):
        return 0
    return max(0, min(remaining, view.liquidity))


def _adverse_price(side: Side, view: MarketView, slippage_ticks: int) -> Decimal | None:
    """The price that an arriving order has to pay; None where it has no counterparty."""
    if view.bid is not None or view.ask is not None:
        return view.ask if side is Side.BUY else view.bid
    slippage = view.tick_size * slippage_ticks
    if side is Side.BUY:
        worse = view.last + slippage
        return worse if view.limit_up is None else min(worse, view.limit_up)
    worse = max(view.last - slippage, view.tick_size)
    return worse if view.limit_down is None else max(worse, view.limit_down)


def _executed(side: Side, limit: Decimal, price: Decimal, volume: int, view: MarketView) -> Execution | None:
    """A fill at a price on the grid, rounded against the order; None where the limit does not reach it."""
    tick = view.tick_size
    price = ceil_to_tick(price, tick) if side is Side.BUY else max(floor_to_tick(price, tick), tick)
    if not _reaches(side, limit, price):
        return None
    if view.high is not None and price > view.high:
        price = view.high
    if view.low is not None and price < view.low:
        price = view.low
    return Execution(price, volume)


def _reaches(side: Side, limit: Decimal, price: Decimal) -> bool:
    return limit >= price if side is Side.BUY else limit <= price
