"""The gene strategies on real bars under the exchange's rules, fed by day and by hour."""

from copy import copy
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from vnpy.trader.constant import Direction, Exchange, Interval
from vnpy.trader.object import BarData, TickData
from vnpy_ctastrategy.template import CtaTemplate

from vnpy_aiagent import cta
from vnpy_aiagent.backtest import AShareBacktestingEngine
from vnpy_aiagent.cta import genes
from vnpy_aiagent.data import load_folder
from vnpy_aiagent.data.vnpy_database import to_vnpy_bars
from vnpy_aiagent.domain import MARKET_TZ, BarInterval
from vnpy_aiagent.market import CorporateAction

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


def run(
    name: str,
    vt_symbol: str,
    bars: list[BarData],
    corporate_actions: list[CorporateAction] | None = None,
    **setting: Any,
) -> AShareBacktestingEngine:
    engine = AShareBacktestingEngine(corporate_actions=corporate_actions or [])
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


@pytest.mark.parametrize("name", ["DualAverageStrategy", "TurtleStrategy", "BreakoutStrategy"])
def test_an_ex_day_that_is_given_does_not_shake_it_out(name, days):
    """The same prices, as they are and split two for one in the middle: the same days of trading."""
    bars = days["601899.SSE"]
    split = 120
    halved = [copy(item) for item in bars]
    for item in halved[split:]:
        for field in ("open_price", "high_price", "low_price", "close_price"):
            setattr(item, field, getattr(item, field) / 2)
        item.volume *= 2
    action = CorporateAction(vt_symbol="601899.SSE", ex_date=bars[split].datetime.date(), bonus=Decimal(1))
    plain = run(name, "601899.SSE", bars)
    adjusted = run(name, "601899.SSE", halved, corporate_actions=[action])
    held = [t.datetime.date() for t in plain.trades.values()]
    assert held
    assert [t.datetime.date() for t in adjusted.trades.values()] == held


def test_auction_ticks_are_not_looked_at():
    strategy = genes.DualAverageStrategy(_Host(), "gene", "600519.SSE", {"init_days": 0})
    strategy.on_init()
    seen: list[BarData] = []
    strategy.on_bar = seen.append
    strategy._minutes.on_bar = seen.append
    for minute in range(15, 33):
        strategy.on_tick(_tick(minute))
    assert [item.datetime.minute for item in seen] == [30, 31]


class _Host:
    """A live CTA engine as far as this strategy calls it."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


def _tick(minute: int) -> TickData:
    return TickData(
        symbol="600519",
        exchange=Exchange.SSE,
        datetime=datetime(2025, 6, 3, 9, minute, 1, tzinfo=MARKET_TZ),
        last_price=10.0,
        volume=float(minute),
        gateway_name="TEST",
    )


def test_the_stop_ends_a_losing_position(days):
    bars = days["601899.SSE"]
    tight = run("DualAverageStrategy", "601899.SSE", bars, stop_percent=1.0)
    wide = run("DualAverageStrategy", "601899.SSE", bars, stop_percent=0.0)
    assert any(order.status.name == "ALLTRADED" for order in tight.limit_orders.values())
    assert tight.stop_orders
    assert len(tight.stop_orders) > len(wide.stop_orders)
    assert len(tight.trades) > len(wide.trades)


def test_no_decision_looks_at_what_comes_later(days):
    bars = days["688256.SSE"]
    for name in NAMES:
        whole = run(name, "688256.SSE", bars)
        cut = run(name, "688256.SSE", bars[:150])
        last = bars[149].datetime
        before = [(t.datetime, t.price, t.volume) for t in whole.trades.values() if t.datetime <= last]
        assert before == [(t.datetime, t.price, t.volume) for t in cut.trades.values()]
