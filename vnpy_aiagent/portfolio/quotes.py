"""The latest quote of each symbol, from vnpy ticks."""

from datetime import datetime
from decimal import Decimal
from math import isfinite

from vnpy.trader.object import TickData

from vnpy_aiagent.domain import MARKET_TZ, to_decimal
from vnpy_aiagent.tools.snapshot import QuoteView


class QuoteBoard:
    """Latest quotes. A tick's price that is zero, none or not finite is missing and stays so."""

    def __init__(self) -> None:
        """Begin without quotes."""
        self._ticks: dict[str, TickData] = {}
        self.last_prices: dict[str, Decimal] = {}

    def update(self, tick: TickData) -> Decimal | None:
        """Take a tick; its last price, None where it has none."""
        last = _price(tick.last_price)
        if last is None:
            return None
        self._ticks[tick.vt_symbol] = tick
        self.last_prices[tick.vt_symbol] = last
        return last

    def seed(self, vt_symbol: str, price: Decimal) -> None:
        """Give a symbol a price to value holdings by, before its first tick."""
        self.last_prices.setdefault(vt_symbol, price)

    def at(self, vt_symbol: str) -> datetime | None:
        """Time of the latest tick."""
        tick = self._ticks.get(vt_symbol)
        return tick.datetime.astimezone(MARKET_TZ) if tick else None

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


def _price(value: float) -> Decimal | None:
    return to_decimal(value) if value and isfinite(value) and value > 0 else None
