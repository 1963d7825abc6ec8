"""Live quotes move the simulated exchange: paper trading without a broker account."""

from collections.abc import Callable, Collection
from datetime import date
from decimal import Decimal
from math import isfinite

from vnpy.trader.object import TickData

from vnpy_aiagent.config import SimSettings
from vnpy_aiagent.domain import MARKET_TZ, to_decimal
from vnpy_aiagent.market import InstrumentRules
from vnpy_aiagent.market.matching import MarketView
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
        self._volumes: dict[str, float] = {}

    def on_tick(self, tick: TickData, price: Decimal, today: date) -> None:
        """Take a tick whose last price is `price`. One of another day says nothing about today's market."""
        if tick.vt_symbol not in self.symbols or tick.datetime.astimezone(MARKET_TZ).date() != today:
            return
        before = self._volumes.get(tick.vt_symbol, tick.volume)
        volume = tick.volume if isfinite(tick.volume) else before
        if isfinite(volume):
            self._volumes[tick.vt_symbol] = volume
        traded = max(0.0, volume - before) if isfinite(volume) else 0.0
        view = MarketView(
            last=price,
            bid=_price(tick.bid_price_1),
            ask=_price(tick.ask_price_1),
            limit_up=_price(tick.limit_up),
            limit_down=_price(tick.limit_down),
            liquidity=int(traded * self.settings.participation),
            tick_size=self.rules(tick.vt_symbol).tick_size,
        )
        self.exchange.move(MarketPoint(tick.vt_symbol, view))


def _price(value: float) -> Decimal | None:
    return to_decimal(value) if isfinite(value) and value > 0 else None
