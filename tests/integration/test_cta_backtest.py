"""The strategy in vnpy's own backtester, on a real year of 600519.SSE."""

from datetime import date, datetime
from pathlib import Path

import pytest
from vnpy.trader.constant import Exchange, Interval
from vnpy.trader.object import BarData
from vnpy.trader.optimize import OptimizationSetting
from vnpy_ctastrategy.backtesting import BacktestingEngine, evaluate

from vnpy_aiagent.cta import AiAgentStrategy
from vnpy_aiagent.data import load_folder
from vnpy_aiagent.domain import MARKET_TZ, BarInterval

SYMBOL = "600519.SSE"
START, END = datetime(2025, 1, 1, tzinfo=MARKET_TZ), datetime(2025, 12, 31, tzinfo=MARKET_TZ)


def real_bars(shared: Path) -> list[BarData]:
    series = load_folder(shared / "data" / "sse50", symbols=[SYMBOL]).bars(SYMBOL, BarInterval.DAILY)
    return [
        BarData(
            symbol="600519",
            exchange=Exchange.SSE,
            datetime=series.start_of(i),
            interval=Interval.DAILY,
            volume=float(series.volume[i]),
            open_price=float(series.open[i]),
            high_price=float(series.high[i]),
            low_price=float(series.low[i]),
            close_price=float(series.close[i]),
            gateway_name="FILE",
        )
        for i in range(len(series))
    ]


def engine_with(bars: list[BarData], setting: dict) -> BacktestingEngine:
    engine = BacktestingEngine()
    engine.output = lambda msg: None
    engine.set_parameters(
        vt_symbol=SYMBOL,
        interval=Interval.DAILY,
        start=START,
        end=END,
        rate=0.00025,
        slippage=0.01,
        size=1,
        pricetick=0.01,
        capital=1_000_000,
    )
    engine.add_strategy(AiAgentStrategy, setting)
    engine.history_data = bars
    return engine


@pytest.fixture(scope="module")
def run(shared) -> BacktestingEngine:
    engine = engine_with(real_bars(shared), {})
    engine.run_backtesting()
    return engine


def days_of(run: BacktestingEngine, direction: str) -> list[date]:
    return [t.datetime.date() for t in run.trades.values() if t.direction.name == direction]


def test_it_trades_in_whole_lots(run):
    assert run.trades
    assert all(trade.volume % 100 == 0 for trade in run.trades.values())


def test_it_never_sells_on_the_day_of_buying(run):
    bought, sold = days_of(run, "LONG"), days_of(run, "SHORT")
    assert bought
    assert sold
    assert set(bought).isdisjoint(sold)


def test_every_day_with_a_position_ends_with_a_stop_below_the_close(run):
    plans = run.strategy.desk.plans
    closes = {bar.datetime.date(): bar.close_price for bar in run.history_data}
    held, checked = 0, 0
    moves = {t.datetime.date(): t for t in run.trades.values()}
    for plan in plans:
        trade = moves.get(plan.day)
        if trade is not None:
            held += int(trade.volume) * (1 if trade.direction.name == "LONG" else -1)
        if held and plan.sell is None:
            checked += 1
            assert plan.stop.volume == held
            assert float(plan.stop.price) < closes[plan.day] * 1.001
    assert checked > 10


def test_the_decisions_are_the_offline_analysts_and_are_logged(run):
    assert run.strategy.decisions > 10
    assert any("BUY" in line for line in run.logs)
    assert run.strategy.desk.brain.model.is_llm is False


def test_the_hosts_statistics_are_close_to_the_accounts_own(run):
    run.calculate_result()
    statistics = run.calculate_statistics(output=False)
    assert statistics["total_trade_count"] == len(run.trades)
    assert statistics["end_balance"] == pytest.approx(float(run.strategy.desk.equity), rel=2e-3)


def test_the_optimisers_function_runs_it(shared, monkeypatch):
    bars = real_bars(shared)
    monkeypatch.setattr(
        BacktestingEngine, "load_data", lambda self: setattr(self, "history_data", bars), raising=True
    )
    monkeypatch.setattr(BacktestingEngine, "output", lambda self, msg: None)
    setting = OptimizationSetting()
    setting.set_target("total_net_pnl")
    setting.add_parameter("cadence_days", 1, 11, 10)
    settings = setting.generate_settings()
    results = [
        evaluate(
            "total_net_pnl",
            AiAgentStrategy,
            SYMBOL,
            Interval.DAILY,
            START,
            0.0,
            0.0,
            1,
            0.01,
            1_000_000,
            END,
            BacktestingEngine().mode,
            item,
        )
        for item in settings
    ]
    assert [result[0] for result in results] == [{"cadence_days": 1}, {"cadence_days": 11}]
    assert results[0][2]["total_trade_count"] != results[1][2]["total_trade_count"]
