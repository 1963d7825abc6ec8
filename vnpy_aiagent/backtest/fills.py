"""What a bar or tick gives to waiting orders, by the one matching core. Prices in CNY, volumes in shares."""

from decimal import Decimal
from functools import cached_property
from typing import Literal, Protocol

from vnpy.trader.object import BarData, TickData

from vnpy_aiagent.backtest.session import Session
from vnpy_aiagent.domain.enums import Side
from vnpy_aiagent.domain.money import ceil_to_tick, floor_to_tick, round_to_tick, to_decimal
from vnpy_aiagent.market.matching import (
    Execution,
    MarketView,
    is_locked,
    match_arrival,
    match_resting,
    share_of_volume,
)
from vnpy_aiagent.market.sessions import MORNING_START

FillRule = Literal["limit", "open", "vwap"]
"""How a bar fills: at its open or through the limit; at its open alone; at its average price by volume."""


class Fills(Protocol):
    """The market that orders meet at one moment; all of them share its liquidity."""

    @property
    def reference(self) -> Decimal | None:
        """Where the price cage is measured from, None in an auction."""

    def arrive(self, side: Side, limit: Decimal, remaining: int, point: int = 0) -> Execution | None:
        """What an order gets that arrives now, or comes with a marketable price."""

    def reference_at(self, point: int) -> Decimal | None:
        """Where the cage is measured from at one of the moment's prices, for orders that are parked."""

    @property
    def points(self) -> int:
        """How many prices follow each other within the moment: a tick is one."""

    def rest(self, side: Side, limit: Decimal, remaining: int, point: int) -> Execution | None:
        """What a resting order gets at one of these prices, counted from 0."""

    def stop(self, side: Side, price: Decimal, volume: int) -> Execution | None:
        """What a stop order gets at this moment; None where it is not triggered or cannot trade."""

    def take(self, volume: int) -> None:
        """A fill used up liquidity."""


class BarFills:
    """One bar: its open, which is an auction price on the day's first bar, then the low, the high, the close.

    That is the order of the simulated exchange too; both fill the same orders alike.
    """

    def __init__(
        self,
        bar: BarData,
        session: Session,
        *,
        opening: bool,
        before: float | None,
        participation: Decimal,
        slippage_ticks: int,
        rule: FillRule,
    ) -> None:
        """`before` is the close of the bar before, from which the price cage is measured."""
        self._bar = bar
        self._opening = opening
        self._before = before
        self._ticks = slippage_ticks
        self._rule = rule
        self._tick = session.rules.tick_size
        self._band = session.band
        self._left = share_of_volume(int(bar.volume), participation, session.rules.buy_step)

    @cached_property
    def reference(self) -> Decimal | None:
        """Where the price cage is measured from, None in the opening auction."""
        return None if self._opening or self._before is None else to_decimal(self._before)

    @cached_property
    def _open(self) -> Decimal:
        return round_to_tick(self._bar.open_price, self._tick)

    @cached_property
    def _high(self) -> Decimal:
        return ceil_to_tick(self._bar.high_price, self._tick)

    @cached_property
    def _low(self) -> Decimal:
        return floor_to_tick(self._bar.low_price, self._tick)

    @cached_property
    def _average(self) -> float | None:
        bar = self._bar
        return bar.turnover / bar.volume if bar.volume and bar.turnover else None

    def reference_at(self, point: int) -> Decimal | None:
        """The price of that point, None in the opening auction."""
        return None if self._opening and not point else self._prices[point]

    @cached_property
    def _prices(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        return self._open, self._low, self._high, round_to_tick(self._bar.close_price, self._tick)

    def arrive(self, side: Side, limit: Decimal, remaining: int, point: int = 0) -> Execution | None:
        """At the open, worsened by slippage; at the average price where that is the rule and known."""
        if point:
            view = self._view(self._prices[point], auction=False)
            return match_arrival(side, limit, remaining, view, self._ticks)
        view = self._view(self._open, self._opening)
        if self._rule == "vwap" and self._average is not None:
            return self._at_average(side, limit, remaining, view)
        done = match_arrival(side, limit, remaining, view, self._ticks)
        if done is None:
            return None
        if self._opening:  # the core takes the auction's own price
            slipped = done.price + self._tick * self._ticks * (1 if side is Side.BUY else -1)
            reached = min(slipped, limit) if side is Side.BUY else max(slipped, limit)
            return Execution(self._inside(reached), done.volume)
        return done

    @property
    def points(self) -> int:
        """Open, low, high and close; by the other rules one price."""
        return 4 if self._rule == "limit" else 1

    def rest(self, side: Side, limit: Decimal, remaining: int, point: int) -> Execution | None:
        """At the limit if the bar trades through it; by the other rules as if it arrived."""
        if self._rule != "limit":
            return self.arrive(side, limit, remaining)
        if point == 0:
            view = self._view(self._open, self._opening)
        else:
            view = self._view(self._prices[point], auction=False, moved_from=self._prices[point - 1])
        return match_resting(side, limit, remaining, view)

    def stop(self, side: Side, price: Decimal, volume: int) -> Execution | None:
        """At the stop or at the open beyond it, worsened by slippage; nothing while the limit is locked."""
        near = self._high if side is Side.BUY else self._low
        if near < price if side is Side.BUY else near > price:
            return None
        filled = min(volume, self._left)
        if filled <= 0 or is_locked(side, self._view(self._far(side), auction=False)):
            return None
        if side is Side.BUY:
            return Execution(self._inside(max(price, self._open) + self._tick * self._ticks), filled)
        return Execution(self._inside(min(price, self._open) - self._tick * self._ticks), filled)

    def take(self, volume: int) -> None:
        """A fill used up liquidity."""
        self._left -= volume

    def _at_average(self, side: Side, limit: Decimal, remaining: int, view: MarketView) -> Execution | None:
        to_tick = ceil_to_tick if side is Side.BUY else floor_to_tick
        price = self._inside(to_tick(to_decimal(self._average or 0.0), self._tick))
        volume = min(remaining, self._left)
        reached = limit >= price if side is Side.BUY else limit <= price
        far = self._view(self._far(side), auction=False)
        return Execution(price, volume) if reached and volume > 0 and not is_locked(side, far) else None

    def _far(self, side: Side) -> Decimal:
        """The end of the bar that is best for a side: the low for a buy."""
        return self._low if side is Side.BUY else self._high

    def _inside(self, price: Decimal) -> Decimal:
        """No price that the bar did not trade."""
        return min(max(price, self._low), self._high)

    def _view(self, last: Decimal, auction: bool, moved_from: Decimal | None = None) -> MarketView:
        band = self._band
        return MarketView(
            last=last,
            bid=None,
            ask=None,
            limit_up=band.up if band else None,
            limit_down=band.down if band else None,
            liquidity=self._left,
            tick_size=self._tick,
            auction=auction,
            moved_from=moved_from,
            low=self._low,
            high=self._high,
        )


class TickFills:
    """One tick with its book. Before 09:30 its price is the opening auction's."""

    points = 1

    def __init__(
        self,
        tick: TickData,
        session: Session,
        *,
        before: float | None,
        traded: float,
        participation: Decimal,
        slippage_ticks: int,
    ) -> None:
        """`before` is the last price of the tick before, `traded` the volume since."""
        rules, band = session.rules, session.band
        self._ticks = slippage_ticks
        self._left = share_of_volume(int(traded), participation, rules.buy_step)
        self._view = MarketView(
            last=round_to_tick(tick.last_price, rules.tick_size),
            bid=to_decimal(tick.bid_price_1) if tick.bid_price_1 else None,
            ask=to_decimal(tick.ask_price_1) if tick.ask_price_1 else None,
            limit_up=band.up if band else None,
            limit_down=band.down if band else None,
            liquidity=self._left,
            tick_size=rules.tick_size,
            auction=tick.datetime.time() < MORNING_START,
            moved_from=None if before is None else round_to_tick(before, rules.tick_size),
        )
        self.reference = None if self._view.auction else self._view.last

    def reference_at(self, point: int) -> Decimal | None:
        """The last price, None in the opening auction."""
        return self.reference

    def arrive(self, side: Side, limit: Decimal, remaining: int, point: int = 0) -> Execution | None:
        """At the other side of the book."""
        return match_arrival(side, limit, min(remaining, self._left), self._view, self._ticks)

    def rest(self, side: Side, limit: Decimal, remaining: int, point: int) -> Execution | None:
        """At the limit if the market trades through it on its way from the tick before."""
        return match_resting(side, limit, min(remaining, self._left), self._view)

    def stop(self, side: Side, price: Decimal, volume: int) -> Execution | None:
        """At the other side of the book once the last price reaches the stop."""
        last = self._view.last
        if last < price if side is Side.BUY else last > price:
            return None
        other = self._view.ask if side is Side.BUY else self._view.bid
        return None if other is None else self.arrive(side, other, volume)

    def take(self, volume: int) -> None:
        """A fill used up liquidity."""
        self._left -= volume
