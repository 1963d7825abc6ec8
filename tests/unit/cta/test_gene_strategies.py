"""The gene strategies on real bars under the exchange's rules, fed by day and by hour."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from vnpy.trader.constant import Direction, Interval
from vnpy.trader.object import BarData
from vnpy_ctastrategy.template import CtaTemplate

from vnpy_aiagent import cta
from vnpy_aiagent.backtest import AShareBacktestingEngine
from vnpy_aiagent.cta import genes
from vnpy_aiagent.data import load_folder
from vnpy_aiagent.data.vnpy_database import to_vnpy_bars
from vnpy_aiagent.domain import MARKET_TZ, BarInterval

NAMES = sorted(genes.__all__)
CAPITAL = 1_000_000
LONG = "600000.SSE"


@pytest.fixture(scope="module")
def days(shared: Path) -> dict[str, list[BarData]]:
    """Daily bars of six real shares of 2025."""
    data = load_folder(shared / "data" / "sse50")
    return {
        symbol: list(to_vnpy_bars(data.bars(symbol, BarInterval.DAILY)))
        for symbol in ("600036.SSE", "600519.SSE", "600900.SSE", "601318.SSE", "601899.SSE", "688256.SSE")
    }


def run(name: str, vt_symbol: str, bars: list[BarData], **setting: Any) -> AShareBacktestingEngine:
    engine = AShareBacktestingEngine()
    told: list[str] = []
    engine.output = told.append
    engine.set_parameters(
        vt_symbol=vt_symbol,
        interval=Interval.DAILY,
        start=bars[0].datetime,
        rate=0.00025,
        slippage=0.01,
        capital=CAPITAL,
        end=datetime(2025, 12, 31, tzinfo=MARKET_TZ),
    )
    engine.add_strategy(getattr(genes, name), {"capital": CAPITAL, "init_days": 0, **setting})
    engine.history_data = bars
    engine.run_backtesting()
    assert not any("Traceback" in line for line in told), told
    return engine


def as_hours(bars: list[BarData]) -> list[BarData]:
    """Each real day as four bars: open, low, high, close, at the hours of the session."""
    chart: list[BarData] = []
    for bar in bars:
        prices = (bar.open_price, bar.low_price, bar.high_price, bar.close_price)
        path = zip((bar.open_price, *prices[:3]), prices, (9, 10, 13, 14), strict=True)
        for begin, end, hour in path:
            chart.append(
                BarData(
                    symbol=bar.symbol,
                    exchange=bar.exchange,
                    datetime=bar.datetime.replace(hour=hour, minute=30 if hour < 12 else 0),
                    interval=Interval.HOUR,
                    volume=bar.volume / 4,
                    open_price=begin,
                    high_price=max(begin, end),
                    low_price=min(begin, end),
                    close_price=end,
                    gateway_name="TEST",
                )
            )
    return chart


@pytest.mark.parametrize("name", NAMES)
def test_it_trades_real_shares_and_no_order_breaks_a_rule(name, days):
    trades = 0
    for symbol, bars in days.items():
        engine = run(name, symbol, bars)
        assert not engine.rejected, (symbol, engine.rejected)
        assert engine.holding == engine.strategy.pos >= 0
        assert engine.cash >= 0
        trades += len(engine.trades)
    assert trades >= 4


@pytest.mark.parametrize("name", NAMES)
def test_finer_bars_lead_to_orders_inside_the_session_and_no_rule_is_broken(name, days):
    bought = 0
    for symbol in ("601899.SSE", "688256.SSE"):
        engine = run(name, symbol, as_hours(days[symbol]))
        assert not engine.rejected, engine.rejected
        by_day: dict[object, set[str]] = {}
        for trade in engine.trades.values():
            by_day.setdefault(trade.datetime.date(), set()).add(trade.direction.name)
            bought += trade.direction is Direction.LONG
        assert all(len(directions) == 1 for directions in by_day.values())
    assert bought or name in ("MeanReversionStrategy", "GapStrategy")


@pytest.mark.parametrize("name", NAMES)
def test_its_parameters_are_shown_to_the_host_with_their_defaults(name):
    strategy = getattr(genes, name)
    assert issubclass(strategy, CtaTemplate)
    shown = strategy.get_class_parameters()
    assert {"capital", "weight", "stop_percent", "init_days"} < set(shown)
    assert next(iter(shown)) == strategy.own_parameters[0]
    assert all(isinstance(value, int | float) for value in shown.values())
    assert name in cta.__all__


def test_the_stop_ends_a_losing_position(days):
    bars = days["601899.SSE"]
    tight = run("DualAverageStrategy", "601899.SSE", bars, stop_percent=1.0)
    wide = run("DualAverageStrategy", "601899.SSE", bars, stop_percent=0.0)
    assert any(order.status.name == "ALLTRADED" for order in tight.limit_orders.values())
    assert tight.stop_orders
    assert not wide.stop_orders
    assert len(tight.trades) > len(wide.trades)


def test_no_decision_looks_at_what_comes_later(days):
    bars = days["688256.SSE"]
    for name in NAMES:
        whole = run(name, "688256.SSE", bars)
        cut = run(name, "688256.SSE", bars[:150])
        last = bars[149].datetime
        before = [(t.datetime, t.price, t.volume) for t in whole.trades.values() if t.datetime <= last]
        assert before == [(t.datetime, t.price, t.volume) for t in cut.trades.values()]
