import datetime as dt
from collections.abc import Callable
from typing import Any

from pandas import DataFrame
from vnpy.trader.constant import Direction, Exchange, Interval, Offset as Offset
from vnpy.trader.database import BaseDatabase as BaseDatabase
from vnpy.trader.object import (
    BarData as BarData,
    OrderData,
    TickData as TickData,
    TradeData,
)
from vnpy.trader.optimize import (
    OptimizationSetting as OptimizationSetting,
)

from .base import (
    INTERVAL_DELTA_MAP as INTERVAL_DELTA_MAP,
    STOPORDER_PREFIX as STOPORDER_PREFIX,
    BacktestingMode as BacktestingMode,
    EngineType as EngineType,
    StopOrder as StopOrder,
    StopOrderStatus as StopOrderStatus,
)
from .template import CtaTemplate as CtaTemplate

class BacktestingEngine:
    engine_type: EngineType
    gateway_name: str
    vt_symbol: str
    symbol: str
    exchange: Exchange
    start: dt.datetime
    end: dt.datetime
    rate: float
    slippage: float
    size: float
    pricetick: float
    capital: int
    risk_free: float
    annual_days: int
    half_life: int
    mode: BacktestingMode
    strategy_class: type[CtaTemplate]
    strategy: CtaTemplate
    tick: TickData
    bar: BarData
    datetime: dt.datetime
    interval: Interval
    days: int
    callback: Callable[..., Any]
    history_data: list[Any]
    stop_order_count: int
    stop_orders: dict[str, StopOrder]
    active_stop_orders: dict[str, StopOrder]
    limit_order_count: int
    limit_orders: dict[str, OrderData]
    active_limit_orders: dict[str, OrderData]
    trade_count: int
    trades: dict[str, TradeData]
    logs: list[Any]
    daily_results: dict[dt.date, DailyResult]
    daily_df: DataFrame
    def __init__(self) -> None: ...
    def clear_data(self) -> None: ...
    def set_parameters(
        self,
        vt_symbol: str,
        interval: Interval,
        start: dt.datetime,
        rate: float,
        slippage: float,
        size: float,
        pricetick: float,
        capital: int = 0,
        end: dt.datetime | None = None,
        mode: BacktestingMode = ...,
        risk_free: float = 0,
        annual_days: int = 240,
        half_life: int = 120,
    ) -> None: ...
    def add_strategy(self, strategy_class: type[CtaTemplate], setting: dict[str, Any]) -> None: ...
    def load_data(self) -> None: ...
    def run_backtesting(self) -> None: ...
    def calculate_result(self) -> DataFrame: ...
    def calculate_statistics(self, df: DataFrame | None = None, output: bool = True) -> dict[str, Any]: ...
    def show_chart(self, df: DataFrame | None = None) -> Any: ...
    def run_bf_optimization(
        self, optimization_setting: OptimizationSetting, output: bool = True, max_workers: int | None = None
    ) -> list[Any]: ...
    run_optimization = run_bf_optimization
    def run_ga_optimization(
        self,
        optimization_setting: OptimizationSetting,
        output: bool = True,
        max_workers: int | None = None,
        pop_size: int = 100,
        ngen: int = 30,
        mu: int | None = None,
        lambda_: int | None = None,
        cxpb: float = 0.95,
        mutpb: float | None = None,
        indpb: float = 1.0,
    ) -> list[Any]: ...
    def update_daily_close(self, price: float) -> None: ...
    def new_bar(self, bar: BarData) -> None: ...
    def new_tick(self, tick: TickData) -> None: ...
    def cross_limit_order(self) -> None: ...
    def cross_stop_order(self) -> None: ...
    def load_bar(
        self, vt_symbol: str, days: int, interval: Interval, callback: Callable[..., Any], use_database: bool
    ) -> list[BarData]: ...
    def load_tick(self, vt_symbol: str, days: int, callback: Callable[..., Any]) -> list[TickData]: ...
    def send_order(
        self,
        strategy: CtaTemplate,
        direction: Direction,
        offset: Offset,
        price: float,
        volume: float,
        stop: bool,
        lock: bool,
        net: bool,
    ) -> list[str]: ...
    def send_stop_order(self, direction: Direction, offset: Offset, price: float, volume: float) -> str: ...
    def send_limit_order(self, direction: Direction, offset: Offset, price: float, volume: float) -> str: ...
    def cancel_order(self, strategy: CtaTemplate, vt_orderid: str) -> None: ...
    def cancel_stop_order(self, strategy: CtaTemplate, vt_orderid: str) -> None: ...
    def cancel_limit_order(self, strategy: CtaTemplate, vt_orderid: str) -> None: ...
    def cancel_all(self, strategy: CtaTemplate) -> None: ...
    def write_log(self, msg: str, strategy: CtaTemplate | None = None) -> None: ...
    def send_email(self, msg: str, strategy: CtaTemplate | None = None) -> None: ...
    def sync_strategy_data(self, strategy: CtaTemplate) -> None: ...
    def get_engine_type(self) -> EngineType: ...
    def get_pricetick(self, strategy: CtaTemplate) -> float: ...
    def get_size(self, strategy: CtaTemplate) -> float: ...
    def put_strategy_event(self, strategy: CtaTemplate) -> None: ...
    def output(self, msg: str) -> None: ...
    def get_all_trades(self) -> list[Any]: ...
    def get_all_orders(self) -> list[Any]: ...
    def get_all_daily_results(self) -> list[Any]: ...

class DailyResult:
    date: dt.date
    close_price: float
    pre_close: float
    trades: list[TradeData]
    trade_count: int
    start_pos: float
    end_pos: float
    turnover: float
    commission: float
    slippage: float
    trading_pnl: float
    holding_pnl: float
    total_pnl: float
    net_pnl: float
    def __init__(self, date: dt.date, close_price: float) -> None: ...
    def add_trade(self, trade: TradeData) -> None: ...
    def calculate_pnl(
        self, pre_close: float, start_pos: float, size: float, rate: float, slippage: float
    ) -> None: ...

def load_bar_data(
    symbol: str, exchange: Exchange, interval: Interval, start: dt.datetime, end: dt.datetime
) -> list[BarData]: ...
def load_tick_data(
    symbol: str, exchange: Exchange, start: dt.datetime, end: dt.datetime
) -> list[TickData]: ...
def evaluate(
    target_name: str,
    strategy_class: type[CtaTemplate],
    vt_symbol: str,
    interval: Interval,
    start: dt.datetime,
    rate: float,
    slippage: float,
    size: float,
    pricetick: float,
    capital: int,
    end: dt.datetime,
    mode: BacktestingMode,
    setting: dict[str, Any],
) -> tuple[Any, ...]: ...
def wrap_evaluate(engine: BacktestingEngine, target_name: str) -> Callable[..., Any]: ...
def calc_rgr_ratio(
    cagr_value: float,
    stability_return: float,
    annual_downside_risk: float,
    max_drawdown_percent: float,
    return_skew: float,
    return_kurt: float,
    c_var: float,
) -> float: ...
def get_target_value(result: list[Any] | tuple[Any, ...]) -> float: ...
