"""The A-share engine on real bars: parity with vnpy without rules, identities with them, a sheet."""

import csv
import gzip
import random
from collections import defaultdict
from copy import copy
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from vnpy.trader.constant import Direction, Exchange, Interval
from vnpy.trader.object import BarData, TickData, TradeData
from vnpy_ctastrategy.backtesting import BacktestingEngine
from vnpy_ctastrategy.base import BacktestingMode
from vnpy_ctastrategy.strategies.atr_rsi_strategy import AtrRsiStrategy
from vnpy_ctastrategy.strategies.boll_channel_strategy import BollChannelStrategy
from vnpy_ctastrategy.strategies.double_ma_strategy import DoubleMaStrategy
from vnpy_ctastrategy.strategies.dual_thrust_strategy import DualThrustStrategy
from vnpy_ctastrategy.strategies.king_keltner_strategy import KingKeltnerStrategy
from vnpy_ctastrategy.strategies.multi_signal_strategy import MultiSignalStrategy
from vnpy_ctastrategy.strategies.multi_timeframe_strategy import MultiTimeframeStrategy
from vnpy_ctastrategy.strategies.test_strategy import TestStrategy as TickTester
from vnpy_ctastrategy.strategies.turtle_signal_strategy import TurtleSignalStrategy
from vnpy_ctastrategy.template import CtaTemplate

from vnpy_aiagent.backtest import AShareBacktestingEngine
from vnpy_aiagent.data import load_folder
from vnpy_aiagent.domain import MARKET_TZ, BarInterval

from .engine_helpers import balance, bar, play, real_600000, real_actions

SHIPPED = (
    AtrRsiStrategy,
    BollChannelStrategy,
    DoubleMaStrategy,
    DualThrustStrategy,
    KingKeltnerStrategy,
    MultiSignalStrategy,
    MultiTimeframeStrategy,
    TurtleSignalStrategy,
)
SYMBOL = "600000.SSE"


@pytest.fixture(scope="module")
def bars(shared: Path) -> list[BarData]:
    return real_600000(shared)


def run(engine: BacktestingEngine, strategy: type[CtaTemplate], bars: list[BarData], slippage: float = 0.01):
    engine.output = lambda msg: None
    engine.set_parameters(
        vt_symbol=SYMBOL,
        interval=Interval.DAILY,
        start=datetime(1999, 11, 10, tzinfo=MARKET_TZ),
        rate=0.00025,
        slippage=slippage,
        size=1,
        pricetick=0.01,
        capital=1_000_000,
        end=datetime(2025, 8, 5, tzinfo=MARKET_TZ),
    )
    engine.add_strategy(strategy, {})
    engine.history_data = bars
    engine.run_backtesting()
    return engine


def as_minutes(bars: list[BarData]) -> list[BarData]:
    """Real bars on the clock of a minute chart, since most shipped strategies build windows from minutes."""
    first = datetime(2020, 1, 2, 9, 0, tzinfo=MARKET_TZ)
    moved = [copy(bar) for bar in bars]
    for n, item in enumerate(moved):
        item.datetime = first + timedelta(minutes=n)
    return moved


@pytest.mark.parametrize("strategy", SHIPPED)
def test_without_rules_every_shipped_strategy_trades_as_in_vnpys_own_engine(strategy, bars):
    chart = as_minutes(bars)
    plain = run(BacktestingEngine(), strategy, chart)
    own = run(AShareBacktestingEngine(rules=False), strategy, chart)
    assert plain.trades
    assert [vars(t) for t in own.trades.values()] == [vars(t) for t in plain.trades.values()]
    assert own.calculate_result().equals(plain.calculate_result())
    assert own.calculate_statistics(output=False) == plain.calculate_statistics(output=False)


def test_without_rules_the_shipped_tick_strategy_trades_as_in_vnpys_own_engine(shared: Path):
    with gzip.open(shared / "data/cffex/IF2101_ticks_20210104.csv.gz", "rt", encoding="utf-8") as file:
        ticks = [if_tick(row) for row in csv.DictReader(file)][:3000]
    results = []
    for engine in (BacktestingEngine(), AShareBacktestingEngine(rules=False)):
        engine.output = lambda msg: None
        engine.set_parameters(
            vt_symbol="IF2101.CFFEX",
            interval=Interval.MINUTE,
            start=datetime(2021, 1, 4, tzinfo=MARKET_TZ),
            rate=0.000023,
            slippage=0.2,
            size=300,
            pricetick=0.2,
            capital=1_000_000,
            end=datetime(2021, 1, 4, tzinfo=MARKET_TZ),
            mode=BacktestingMode.TICK,
        )
        engine.add_strategy(TickTester, {})
        engine.history_data = ticks
        engine.run_backtesting()
        results.append(([vars(t) for t in engine.trades.values()], engine.calculate_result()))
    assert results[0][0]
    assert results[0][0] == results[1][0]
    assert results[0][1].equals(results[1][1])


def if_tick(row: dict[str, str]) -> TickData:
    return TickData(
        symbol="IF2101",
        exchange=Exchange.CFFEX,
        datetime=datetime.fromisoformat(row["datetime"]).replace(tzinfo=MARKET_TZ),
        last_price=float(row["last_price"]),
        volume=float(row["volume"]),
        limit_up=float(row["limit_up"]),
        limit_down=float(row["limit_down"]),
        bid_price_1=float(row["bid_price_1"]),
        ask_price_1=float(row["ask_price_1"]),
        gateway_name="TEST",
    )


class Wild(CtaTemplate):
    """Sends, stops and cancels at random, sensible and senseless orders alike."""

    author = "tests"
    seed = 0
    parameters: ClassVar[list[str]] = ["seed"]

    def on_init(self) -> None:
        self.random = random.Random(self.seed)
        self.lowest_cash = Decimal(10**9)
        self.sold_on: defaultdict[date, float] = defaultdict(float)
        self.bought_on: defaultdict[date, float] = defaultdict(float)
        self.start_of: dict[date, float] = {}

    def on_bar(self, bar: BarData) -> None:
        rng = self.random
        if rng.random() < 0.3:
            self.cancel_all()
        if rng.random() < 0.5:
            price = round(bar.close_price * rng.uniform(0.88, 1.12), 2)
            volume = rng.choice([1, 50, 100, 300, 1_000, 5_000, 20_000])
            stop = rng.random() < 0.3
            rng.choice([self.buy, self.sell, self.short, self.cover])(price, volume, stop=stop)
        if self.pos and rng.random() < 0.4:
            self.sell(round(bar.close_price * 0.97, 2), self.pos, stop=rng.random() < 0.5)

    def on_trade(self, trade: TradeData) -> None:
        engine: Any = self.cta_engine
        bar = engine.bar
        assert bar.low_price <= trade.price <= bar.high_price
        assert engine.cash >= 0
        assert engine.holding >= 0
        assert engine.holding == self.pos
        day = trade.datetime.date()
        if trade.direction is Direction.LONG:
            self.bought_on[day] += trade.volume
        else:
            self.sold_on[day] += trade.volume


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("fill", ["limit", "open", "vwap"])
def test_whatever_a_strategy_sends_cash_and_holdings_stay_true(seed, fill, bars, shared):
    engine = AShareBacktestingEngine(fill=fill, corporate_actions=real_actions(shared))
    strategy = type("Wild", (Wild,), {"seed": seed})
    run(engine, strategy, bars[seed * 600 : seed * 600 + 900])
    frame = engine.calculate_result()
    last = Decimal(str(engine.history_data[-1].close_price))
    earned = engine.cash + engine.holding * last - 1_000_000
    assert len(engine.trades) > 20
    assert len(frame) == 900  # no assertion of the strategy ended the run
    assert abs(float(earned) - frame["net_pnl"].sum()) < 0.005
    assert {"lot_size", "short_sale"} <= set(engine.rejected)


@pytest.mark.parametrize("seed", range(4))
def test_minutes_never_sell_what_was_bought_the_same_day(seed, shared):
    series = load_folder(shared / "data" / "sse50", symbols=["600519.SSE"], frequency=BarInterval.HOUR)
    hourly = series.bars("600519.SSE", BarInterval.HOUR)
    chart = [
        bar(
            hourly.start_of(i),
            *(float(column[i]) for column in (hourly.open, hourly.high, hourly.low, hourly.close)),
            float(hourly.volume[i]),
            vt_symbol=SYMBOL,
        )
        for i in range(len(hourly))
    ]
    engine = run(AShareBacktestingEngine(participation=1), type("Wild", (Wild,), {"seed": seed}), chart)
    assert engine.strategy.inited
    assert engine.daily_results[max(engine.daily_results)].date == chart[-1].datetime.date()
    held, bought = 0.0, defaultdict(float)
    for trade in engine.trades.values():
        day = trade.datetime.date()
        if trade.direction is Direction.LONG:
            held, bought[day] = held + trade.volume, bought[day] + trade.volume
        else:
            assert trade.volume <= held - bought[day]
            held -= trade.volume
    assert held == engine.holding


SHEET = (
    # ex-day, shares held before, cash received, shares after: worked out by hand from the table of ex-days
    ("2000-07-06", 10_000, "1500.00", 10_000),
    ("2002-08-22", 10_000, "2000.00", 15_000),
    ("2003-06-23", 15_000, "1500.00", 15_000),
    ("2004-05-20", 15_000, "1650.00", 15_000),
    ("2005-05-12", 15_000, "1800.00", 15_000),
    ("2006-05-12", 15_000, "0.00", 19_500),
    ("2006-05-25", 19_500, "2535.00", 19_500),
    ("2007-07-18", 19_500, "2925.00", 19_500),
    ("2008-04-24", 19_500, "3120.00", 25_350),
    ("2009-06-09", 25_350, "5830.50", 35_490),
    ("2010-06-10", 35_490, "5323.50", 46_137),
    ("2011-06-03", 46_137, "7381.92", 59_978),
)


def test_buy_and_hold_of_twelve_years_agrees_with_the_sheet(bars, shared):
    part = [item for item in bars if item.datetime.date() <= date(2011, 6, 30)]
    engine = AShareBacktestingEngine(corporate_actions=real_actions(shared))
    play(
        part,
        {0: lambda s: s.buy(round(part[0].close_price * 1.09, 2), 10_000)},
        engine=engine,
        vt_symbol=SYMBOL,
    )
    price = Decimal(str(part[1].open_price))
    bought = 10_000 * price
    commission = max(Decimal(5), (bought * Decimal("0.00025")).quantize(Decimal("0.01")))
    stamp = (bought * Decimal("0.004")).quantize(Decimal("0.01"))  # both sides in 1999
    transfer = Decimal("10.00")  # 1 CNY per 1,000 shares on SSE then
    dividends = sum((Decimal(cash) for _, _, cash, _ in SHEET), Decimal(0))
    assert dividends == Decimal("35565.92")
    assert engine.fees.total == commission + stamp + transfer
    assert engine.holding == 59_978
    assert engine.cash == 1_000_000 - bought - commission - stamp - transfer + dividends
    frame = engine.calculate_result()
    assert abs(float(balance(engine) - 1_000_000) - frame["net_pnl"].sum()) < 0.005
    booked = {str(day): cash for day, cash in frame["dividend"].items() if cash}
    assert booked == {day: Decimal(cash) for day, _, cash, _ in SHEET if Decimal(cash)}


def test_buy_and_hold_without_dividends_and_fees_is_price_times_shares(bars):
    part = [item for item in bars if item.datetime.date() < date(2000, 7, 6)]
    engine = play(
        part,
        {0: lambda s: s.buy(round(part[0].close_price * 1.09, 2), 10_000)},
        engine=AShareBacktestingEngine(minimum_commission=0),
        vt_symbol=SYMBOL,
        rate=0,
    )
    gain = 10_000 * (Decimal(str(part[-1].close_price)) - Decimal(str(part[1].open_price)))
    assert engine.fees.commission == 0
    assert balance(engine) - 1_000_000 == gain - engine.fees.total
