"""Bars, scripted strategies and engines for the tests of the A-share engine."""

import csv
import gzip
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from vnpy.trader.constant import Exchange, Interval
from vnpy.trader.object import BarData, OrderData, TradeData
from vnpy_ctastrategy.backtesting import BacktestingEngine
from vnpy_ctastrategy.template import CtaTemplate

from vnpy_aiagent.backtest import AShareBacktestingEngine
from vnpy_aiagent.domain import MARKET_TZ
from vnpy_aiagent.market import CorporateAction

START = datetime(2024, 1, 2, tzinfo=MARKET_TZ)
END = datetime(2025, 12, 31, tzinfo=MARKET_TZ)
Action = Callable[["Scripted"], Any]


def bar(
    when: str | datetime,
    open_: float,
    high: float,
    low: float,
    close: float,
    volume: float = 1_000_000,
    *,
    vt_symbol: str = "600519.SSE",
    turnover: float = 0,
) -> BarData:
    moment = datetime.fromisoformat(when).replace(tzinfo=MARKET_TZ) if isinstance(when, str) else when
    symbol, _, exchange = vt_symbol.partition(".")
    return BarData(
        symbol=symbol,
        exchange=Exchange(exchange),
        datetime=moment,
        interval=Interval.DAILY,
        volume=volume,
        turnover=turnover,
        open_price=open_,
        high_price=high,
        low_price=low,
        close_price=close,
        gateway_name="TEST",
    )


def flat(*days: str, price: float = 10.0, volume: float = 1_000_000) -> list[BarData]:
    """Bars that trade at 10 with a small range."""
    return [bar(day, price, price + 0.1, price - 0.1, price, volume) for day in days]


class Scripted(CtaTemplate):
    """Does what `script` says after the bar of that number; records what it is told."""

    author = "tests"
    script: ClassVar[dict[int, Action]]

    def on_init(self) -> None:
        self.n = -1
        self.orders: list[tuple[str, str, float]] = []
        self.fills: list[TradeData] = []

    def on_bar(self, bar: BarData) -> None:
        self.n += 1
        action = self.script.get(self.n)
        if action is not None:
            action(self)

    def on_tick(self, tick: Any) -> None:
        self.on_bar(tick)

    def on_order(self, order: OrderData) -> None:
        self.orders.append((order.orderid, order.status.name, order.traded))

    def on_trade(self, trade: TradeData) -> None:
        self.fills.append(trade)


def play(
    bars: list[Any],
    script: dict[int, Action],
    *,
    engine: BacktestingEngine | None = None,
    vt_symbol: str = "600519.SSE",
    capital: int = 1_000_000,
    interval: Interval = Interval.DAILY,
    slippage: float = 0,
    rate: float = 0.00025,
    strategy: type[CtaTemplate] | None = None,
    **more: Any,
) -> Any:
    """Run a script over bars; the engine, with its strategy."""
    engine = engine or AShareBacktestingEngine()
    engine.output = lambda msg: None
    engine.set_parameters(
        vt_symbol=vt_symbol,
        interval=interval,
        start=START,
        rate=rate,
        slippage=slippage,
        size=1,
        pricetick=0.01,
        capital=capital,
        end=END,
        **more,
    )
    engine.add_strategy(strategy or type("Script", (Scripted,), {"script": script}), {})
    engine.history_data = bars
    engine.run_backtesting()
    return engine


def fills_of(engine: Any) -> list[tuple[str, float, float]]:
    """(direction, price, volume) of each trade."""
    return [(t.direction.name, t.price, t.volume) for t in engine.trades.values()]


def balance(engine: Any) -> Decimal:
    """Cash and holding at the last close, CNY."""
    return engine.cash + engine.holding * Decimal(str(engine.history_data[-1].close_price))


def real_600000(shared: Path) -> list[BarData]:
    """Every day of 600000.SSE as traded."""
    with gzip.open(shared / "data/long/600000.SSE_daily.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    first = next(iter(rows[0]))
    return [
        bar(
            datetime.fromisoformat(row[first][:10]).replace(tzinfo=MARKET_TZ),
            *(float(row[name]) for name in ("open", "high", "low", "close", "volume")),
            vt_symbol="600000.SSE",
        )
        for row in rows
    ]


def real_actions(shared: Path) -> list[CorporateAction]:
    """The known ex-days of 600000.SSE."""
    path = shared / "data/long/600000.SSE_corporate_actions.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [
            CorporateAction(
                vt_symbol="600000.SSE",
                ex_date=date.fromisoformat(row["ex_date"]),
                bonus=Decimal(row["shares_per_share"]),
                cash=Decimal(row["cash_per_share_before_tax"]),
                adjusts="no adjusted reference" not in row["note"],
            )
            for row in csv.DictReader(file)
        ]


def minutes(day: str, count: int, start: str = "09:30") -> list[datetime]:
    """Starts of the first minutes of a session."""
    first = datetime.fromisoformat(f"{day} {start}").replace(tzinfo=MARKET_TZ)
    return [first + timedelta(minutes=n) for n in range(count)]
