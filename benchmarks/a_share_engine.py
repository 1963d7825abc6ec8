"""Bars per second of the A-share engine beside vnpy's own, same strategies, same bars, one run.

    python benchmarks/a_share_engine.py [--bars N] [--rounds N]

The bars are one-minute bars of a seeded random walk inside the day's price limits: they measure speed and are
no market data. The strategies trade whole lots, long only, and sell no sooner than the next day, so that both
engines do the same work.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta

from scratch import enter

enter()

from vnpy.trader.constant import Exchange, Interval  # noqa: E402
from vnpy.trader.object import BarData, TradeData  # noqa: E402
from vnpy.trader.utility import ArrayManager  # noqa: E402
from vnpy_ctastrategy.backtesting import BacktestingEngine  # noqa: E402
from vnpy_ctastrategy.template import CtaTemplate  # noqa: E402

from vnpy_aiagent.backtest import AShareBacktestingEngine  # noqa: E402
from vnpy_aiagent.domain import MARKET_TZ  # noqa: E402
from vnpy_aiagent.market import default_calendar  # noqa: E402

SYMBOL = "600000.SSE"
MORNING, AFTERNOON = 120, 117


class AverageCross(CtaTemplate):
    """SMA 10/30 with vnpy's ArrayManager, 1,000 shares, in at the cross up and out at the cross down."""

    author = "benchmark"

    def on_init(self) -> None:
        self.am = ArrayManager(40)
        self.bought: date | None = None

    def on_bar(self, bar: BarData) -> None:
        am = self.am
        am.update_bar(bar)
        if not am.inited:
            return
        fast, slow = am.close_array[-10:].mean(), am.close_array[-30:].mean()
        if fast > slow and self.pos == 0:
            self.buy(bar.close_price + 0.05, 1000)
            self.bought = bar.datetime.date()
        elif fast < slow and self.pos > 0 and self.bought != bar.datetime.date():
            self.sell(bar.close_price - 0.05, self.pos)


class IncrementalCross(CtaTemplate):
    """SMA 10/30 by running sums: what an engine costs when the strategy costs next to nothing."""

    author = "benchmark"

    def on_init(self) -> None:
        self.closes = [0.0] * 30
        self.n = 0
        self.fast = self.slow = 0.0
        self.bought: date | None = None

    def on_bar(self, bar: BarData) -> None:
        n, close = self.n, bar.close_price
        self.slow += close - self.closes[n % 30]
        self.fast += close - self.closes[(n - 10) % 30]
        self.closes[n % 30] = close
        self.n = n + 1
        if n < 30:
            return
        if self.fast * 3 > self.slow and self.pos == 0:
            self.buy(close + 0.05, 1000)
            self.bought = bar.datetime.date()
        elif self.fast * 3 < self.slow and self.pos > 0 and self.bought != bar.datetime.date():
            self.sell(close - 0.05, self.pos)


class StopFollower(CtaTemplate):
    """Cancels and sends a stop order at every bar: the engines' order paths under load."""

    author = "benchmark"

    def on_init(self) -> None:
        self.high = 0.0
        self.bought: date | None = None

    def on_trade(self, trade: TradeData) -> None:
        self.bought = self.cta_engine.datetime.date()

    def on_bar(self, bar: BarData) -> None:
        self.cancel_all()
        self.high = max(self.high * 0.9999, bar.high_price)
        if self.pos == 0:
            self.buy(round(self.high * 1.002, 2), 1000, stop=True)
        elif self.bought != bar.datetime.date():
            self.sell(round(bar.low_price * 0.998, 2), self.pos, stop=True)


def make_bars(count: int) -> list[BarData]:
    """One-minute bars over real trading days; each day stays within 5 % of the close before."""
    rng = random.Random(7)
    days = default_calendar().sessions(date(2021, 1, 4), date(2023, 12, 29))
    bars: list[BarData] = []
    price = 10.0
    for day in days:
        before = price
        start = datetime.combine(day, datetime.min.time(), MARKET_TZ)
        for n in range(MORNING + AFTERNOON):
            minute = 570 + n if n < MORNING else 780 + n - MORNING
            low, high = before * 0.95, before * 1.05
            close = round(min(max(price * (1 + rng.gauss(0, 0.0006)), low), high), 2)
            bars.append(
                BarData(
                    symbol="600000",
                    exchange=Exchange.SSE,
                    datetime=start + timedelta(minutes=minute),
                    interval=Interval.MINUTE,
                    volume=float(rng.randrange(50_000, 400_000, 100)),
                    open_price=price,
                    high_price=round(max(price, close) + 0.01, 2),
                    low_price=round(min(price, close) - 0.01, 2),
                    close_price=close,
                    gateway_name="BENCH",
                )
            )
            price = close
            if len(bars) == count:
                return bars
    return bars


def run(engine: BacktestingEngine, strategy: type[CtaTemplate], bars: list[BarData]) -> tuple[float, int]:
    """Bars per second and trades of one run."""
    setattr(engine, "output", lambda msg: None)  # noqa: B010
    engine.set_parameters(
        vt_symbol=SYMBOL,
        interval=Interval.MINUTE,
        start=bars[0].datetime,
        rate=0.00025,
        slippage=0,
        size=1,
        pricetick=0.01,
        capital=1_000_000,
        end=bars[-1].datetime,
    )
    engine.add_strategy(strategy, {})
    engine.history_data = bars
    begin = time.process_time()
    engine.run_backtesting()
    return len(bars) / (time.process_time() - begin), len(engine.trades)


def main() -> None:
    """Print a table of medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    bars = make_bars(arguments.bars)
    engines: dict[str, Callable[[], BacktestingEngine]] = {
        "vnpy": BacktestingEngine,
        "rules": AShareBacktestingEngine,
    }
    print(f"{len(bars):,} one-minute bars, median of {arguments.rounds} alternating rounds, bars/s")
    print("| strategy | vnpy's own | with every rule | ratio | trades vnpy / rules |")
    print("| --- | ---: | ---: | ---: | --- |")
    for strategy in (AverageCross, IncrementalCross, StopFollower):
        speeds: dict[str, list[float]] = {name: [] for name in engines}
        trades: dict[str, int] = {}
        for _ in range(arguments.rounds):
            for name, build in engines.items():
                speed, trades[name] = run(build(), strategy, bars)
                speeds[name].append(speed)
        plain, own = (statistics.median(speeds[name]) for name in engines)
        counts = f"{trades['vnpy']} / {trades['rules']}"
        print(f"| {strategy.__name__} | {plain:,.0f} | {own:,.0f} | {own / plain:.2f} | {counts} |")


if __name__ == "__main__":
    main()
