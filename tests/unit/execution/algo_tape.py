"""A plan driven by hand: what it does at each moment, written down."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from vnpy_aiagent.config import ExecutionSettings
from vnpy_aiagent.domain import MARKET_TZ, Algo, Side
from vnpy_aiagent.execution.algos import (
    Action,
    Cancel,
    Done,
    Market,
    OpenOrder,
    Orders,
    Place,
    Plan,
    Task,
    Wait,
    decide,
)
from vnpy_aiagent.market import instrument_rules

START = datetime(2025, 7, 10, 10, 0, tzinfo=MARKET_TZ)
BANK, STAR, FUND = "601988.SSE", "688981.SSE", "510300.SSE"


def market(last: str = "5.00", **changes: Any) -> Market:
    """A quote of a tick's spread; limits 4.50 and 5.50."""
    price, cent = Decimal(last), Decimal("0.01")
    values: dict[str, Any] = {
        "last": price,
        "bid": price - cent,
        "ask": price + cent,
        "limit_up": Decimal("5.50"),
        "limit_down": Decimal("4.50"),
        "prev_close": Decimal("5.00"),
        "traded": 0,
    }
    return Market(**(values | changes))


class Tape:
    """One task, its plan, and one order at a time. `seconds` after 10:00 is where time stands."""

    def __init__(
        self,
        algo: Algo = Algo.LIMIT,
        volume: int = 1_000,
        *,
        side: Side = Side.BUY,
        limit: str = "5.00",
        low: str = "4.90",
        high: str = "5.10",
        symbol: str = BANK,
        held: int = 0,
        minutes: float = 240,
        protective: bool = False,
        **settings: Any,
    ) -> None:
        self.settings = ExecutionSettings(**settings)
        self.rules = instrument_rules(symbol, date(2025, 7, 10))
        until = START + timedelta(minutes=minutes)
        self.plan = Plan(
            Task(
                algo,
                side,
                volume,
                Decimal(limit),
                Decimal(low),
                Decimal(high),
                START,
                until,
                max(START, until - timedelta(minutes=6)),
                protective,
            )
        )
        self.seconds = 0.0
        self.filled = 0
        self.held = held
        self.order: tuple[int, Decimal, datetime, bool] | None = None
        self.left = 0
        self.market: Market | None = market()
        self.said: list[str] = []
        self.most: Decimal | None = None
        self.blocked = False

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def look(self, seconds: float | None = None, market: Market | None = None) -> Action:
        """What it does at a moment; a placed order and an asked cancel are noted."""
        self.seconds = self.seconds if seconds is None else seconds
        self.market = market or self.market
        working = None
        if self.order is not None:
            working = OpenOrder(self.order[1], self.order[2], self.order[3])
        rest = self.plan.task.volume - self.filled
        orders = Orders(rest, working, self.blocked, self.held, self.most)
        self.plan, action = decide(self.plan, orders, self.market, self.rules, self.settings, self.now)
        match action:
            case Place():
                self.order, self.left = (action.volume, action.price, self.now, False), action.volume
                self.said.append(f"{self.seconds:g}s {action.volume}@{action.price}")
            case Cancel():
                assert self.order is not None
                self.order = (*self.order[:3], True)
                self.said.append(f"{self.seconds:g}s cancel")
            case Done():
                self.said.append(f"{self.seconds:g}s done")
            case Wait():
                pass
        return action

    def fills(self, volume: int | None = None) -> None:
        """The open order fills, all of it or a part."""
        assert self.order is not None
        volume = self.left if volume is None else volume
        self.filled += volume
        self.left -= volume
        self.held += volume if self.plan.task.side is Side.BUY else -volume
        if not self.left:
            self.order = None

    def ends(self) -> None:
        """The broker confirms the cancel."""
        assert self.order is not None
        assert self.order[3]
        self.order, self.left = None, 0
