"""Live quotes move the simulated exchange: paper trading without a broker account.

What a quote says was traded at its own time: in continuous trading, at an auction's one price, or after hours
at the closing price. While an auction gathers orders its quotes are indicative and nothing trades; volume
that is first told then was traded in continuous trading before it.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date
from decimal import Decimal
from math import isfinite

from vnpy.trader.object import TickData

from vnpy_aiagent.config import SimSettings
from vnpy_aiagent.domain import MARKET_TZ, to_decimal
from vnpy_aiagent.market import InstrumentRules
from vnpy_aiagent.market.matching import MarketView
from vnpy_aiagent.market.order_hours import Handling, Trading
from vnpy_aiagent.sim.exchange import MarketPoint, SimExchange


class PaperMarket:
    """Feeds ticks of the universe to the exchange. What traded since the last tick bounds the fills."""

    def __init__(
        self,
        exchange: SimExchange,
        symbols: Collection[str],
        rules: Callable[[str], InstrumentRules],
        settings: SimSettings,
    ) -> None:
        """`rules(vt_symbol)` gives the exchange's rules of today."""
        self.exchange = exchange
        self.symbols = frozenset(symbols)
        self.rules = rules
        self.settings = settings
        self._volumes: dict[str, tuple[date, float]] = {}

    def on_tick(self, tick: TickData, price: Decimal, today: date) -> None:
        """Take a tick whose last price is `price`. One of another day says nothing about today's market."""
        if not self._concerns(tick, today):
            return
        session = self._session(tick)
        traded = self._traded(tick, today, session)
        view = self._view(tick, price, traded)
        if session is not None and session.trading is Trading.NONE and not (session.closing and traded):
            view = replace(view, auction=True, liquidity=0)
        elif session is not None and session.trading in (Trading.AUCTION, Trading.FIXED):
            view = replace(view, auction=True)
        self.exchange.move(MarketPoint(tick.vt_symbol, view, session=session))

    def on_unpriced(self, tick: TickData, today: date) -> None:
        """Take a tick without a last price, as before the opening auction's: orders need the day's limits."""
        price = _price(tick.pre_close)
        if price is None or not self._concerns(tick, today) or self.exchange.knows(tick.vt_symbol):
            return
        view = replace(self._view(tick, price, 0.0), auction=True, bid=None, ask=None)
        self.exchange.move(MarketPoint(tick.vt_symbol, view, session=self._session(tick)))

    def _concerns(self, tick: TickData, today: date) -> bool:
        return tick.vt_symbol in self.symbols and tick.datetime.astimezone(MARKET_TZ).date() == today

    def _session(self, tick: TickData) -> Handling | None:
        """What held at the tick's own time; None where the exchange keeps no hours."""
        hours = self.exchange.hours
        return None if hours is None else hours(tick.vt_symbol, tick.datetime.astimezone(MARKET_TZ))

    def _traded(self, tick: TickData, today: date, session: Handling | None) -> float:
        """Volume since the last tick; of the day's first tick only an opening auction's counts as new."""
        day, before = self._volumes.get(tick.vt_symbol, (None, 0.0))
        if not isfinite(tick.volume):
            return 0.0
        self._volumes[tick.vt_symbol] = today, tick.volume
        opening = session is not None and session.trading is Trading.AUCTION and not session.closing
        if day != today:
            before = 0.0 if opening else tick.volume
        return max(0.0, tick.volume - before)

    def _view(self, tick: TickData, price: Decimal, traded: float) -> MarketView:
        return MarketView(
            last=price,
            bid=_price(tick.bid_price_1),
            ask=_price(tick.ask_price_1),
            limit_up=_price(tick.limit_up),
            limit_down=_price(tick.limit_down),
            liquidity=int(traded * self.settings.participation),
            tick_size=self.rules(tick.vt_symbol).tick_size,
        )


def _price(value: float) -> Decimal | None:
    return to_decimal(value) if isfinite(value) and value > 0 else None
