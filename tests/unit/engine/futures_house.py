"""A small house that trades one futures contract."""

import csv
import gzip
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

from vnpy.event import Event
from vnpy.trader.constant import Exchange
from vnpy.trader.event import EVENT_ORDER, EVENT_TICK
from vnpy.trader.object import OrderData, TickData

from vnpy_aiagent.agents.books_check import differences
from vnpy_aiagent.base import EVENT_AI_SIGNAL
from vnpy_aiagent.config import AccountSettings, SimSettings
from vnpy_aiagent.domain import MARKET_TZ, Alert, HandlerFailed, Side, Signal, Style, say

from .small_house import SmallHouse, at

CASH = Decimal(5_000_000)


@cache
def rows_of_the_day(shared: Path) -> list[dict[str, str]]:
    with gzip.open(shared / "data/cffex/IF2101_ticks_20210104.csv.gz", "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class FuturesHouse(SmallHouse):
    """A small house with one account of 5,000,000 CNY that trades one contract, and the orders it sent."""

    def __init__(self, journal: Path, moment: str, symbol: str) -> None:
        account = AccountSettings(name="judge", style=Style.JUDGE, cash=CASH)
        sim = SimSettings(participation=1.0)
        super().__init__(journal, moment, (symbol,), accounts=(account,), sim=sim)
        self.symbol = symbol
        self.orders: dict[str, OrderData] = {}
        self.events.register(EVENT_ORDER, self._note)

    def _note(self, event: Event) -> None:
        self.orders[event.data.vt_orderid] = event.data

    @property
    def book(self):
        return self.engine.house.portfolio.books["judge"]

    @property
    def account(self):
        return self.engine.parts.exchange.account("judge")

    def quote_at(
        self, price: float, *, traded: float = 10_000, band: tuple[float, float] = (3_000, 5_000)
    ) -> None:
        """Two quotes one tick wide; contracts have traded between them."""
        for _ in range(2):
            self.volume += traded
            self.publish(price, price - 1, price + 1, self.volume, band, 4_000)

    def publish(
        self, last: float, bid: float, ask: float, volume: float, band: tuple[float, float], before: float
    ) -> None:
        code, _, suffix = self.symbol.rpartition(".")
        tick = TickData(
            "SIM",
            code,
            Exchange(suffix),
            self.clock.now(),
            volume=volume,
            last_price=last,
            pre_close=before,
            limit_down=band[0],
            limit_up=band[1],
            bid_price_1=bid,
            ask_price_1=ask,
        )
        self.events.put(Event(EVENT_TICK, tick))
        self.events.drain()

    def play(self, shared: Path, begin: str, end: str) -> None:
        """The real ticks of a part of 2021-01-04, `end` excluded."""
        for row in rows_of_the_day(shared):
            when = datetime.fromisoformat(row["datetime"]).replace(tzinfo=MARKET_TZ)
            if at(f"2021-01-04T{begin}") <= when < at(f"2021-01-04T{end}"):
                self.clock.moment = when
                self.publish(
                    float(row["last_price"]),
                    float(row["bid_price_1"]),
                    float(row["ask_price_1"]),
                    float(row["volume"]),
                    (float(row["limit_down"]), float(row["limit_up"])),
                    5216.2,
                )

    def signal(self, side: Side, volume: int, limit: str, stop: str | None = None) -> None:
        self.engine.bus.post(
            Signal,
            EVENT_AI_SIGNAL,
            cause=None,
            account="judge",
            symbol=self.symbol,
            side=side,
            volume=volume,
            limit=Decimal(limit),
            low=Decimal(limit),
            high=Decimal(limit),
            stop=None if stop is None else Decimal(stop),
            reason=say("测试"),
            valid_until=self.engine.house.session_end(self.symbol),
        )
        self.events.drain()

    def sound(self, *, both_sides: bool = False) -> None:
        """Book and exchange agree, nothing failed, nobody was alarmed.

        Where `both_sides` were sent, an order may have met one's own: it is refused, and that is told.
        """
        assert differences(self.book, self.account) == []
        assert self.said(HandlerFailed) == []
        told = [alert.text.render() for alert in self.said(Alert)]
        assert [text for text in told if not (both_sides and "自成交" in text)] == []
