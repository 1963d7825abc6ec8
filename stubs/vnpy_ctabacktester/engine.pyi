import datetime as dt
from pathlib import Path
from threading import Thread
from typing import Any

from pandas import DataFrame as DataFrame
from vnpy.event import EventEngine as EventEngine
from vnpy.trader.database import BaseDatabase as BaseDatabase
from vnpy.trader.datafeed import BaseDatafeed as BaseDatafeed
from vnpy.trader.engine import BaseEngine, MainEngine as MainEngine
from vnpy.trader.object import (
    BarData as BarData,
    ContractData as ContractData,
    TickData as TickData,
)
from vnpy_ctastrategy.backtesting import (
    BacktestingEngine,
    OptimizationSetting as OptimizationSetting,
)

APP_NAME: str
EVENT_BACKTESTER_LOG: str
EVENT_BACKTESTER_BACKTESTING_FINISHED: str
EVENT_BACKTESTER_OPTIMIZATION_FINISHED: str

class BacktesterEngine(BaseEngine):
    classes: dict[str, Any]
    backtesting_engine: BacktestingEngine
    thread: Thread | None
    datafeed: BaseDatafeed
    database: BaseDatabase
    result_df: DataFrame | None
    result_statistics: dict[str, Any] | None
    result_values: list[Any] | None
    def __init__(self, main_engine: MainEngine, event_engine: EventEngine) -> None: ...
    def init_engine(self) -> None: ...
    def init_datafeed(self) -> None: ...
    def write_log(self, msg: str) -> None: ...
    def load_strategy_class(self) -> None: ...
    def load_strategy_class_from_folder(self, path: Path, module_name: str = "") -> None: ...
    def load_strategy_class_from_module(self, module_name: str) -> None: ...
    def reload_strategy_class(self) -> None: ...
    def get_strategy_class_names(self) -> list[Any]: ...
    def run_backtesting(
        self,
        class_name: str,
        vt_symbol: str,
        interval: str,
        start: dt.datetime,
        end: dt.datetime,
        rate: float,
        slippage: float,
        size: int,
        pricetick: float,
        capital: int,
        setting: dict[str, Any],
    ) -> None: ...
    def start_backtesting(
        self,
        class_name: str,
        vt_symbol: str,
        interval: str,
        start: dt.datetime,
        end: dt.datetime,
        rate: float,
        slippage: float,
        size: float,
        pricetick: float,
        capital: float,
        setting: dict[str, Any],
    ) -> bool: ...
    def get_result_df(self) -> DataFrame | None: ...
    def get_result_statistics(self) -> dict[str, Any] | None: ...
    def get_result_values(self) -> list[Any] | None: ...
    def get_default_setting(self, class_name: str) -> dict[str, Any]: ...
    def run_optimization(
        self,
        class_name: str,
        vt_symbol: str,
        interval: str,
        start: dt.datetime,
        end: dt.datetime,
        rate: float,
        slippage: float,
        size: int,
        pricetick: float,
        capital: int,
        optimization_setting: OptimizationSetting,
        use_ga: bool,
        max_workers: int | None = None,
    ) -> None: ...
    def start_optimization(
        self,
        class_name: str,
        vt_symbol: str,
        interval: str,
        start: dt.datetime,
        end: dt.datetime,
        rate: float,
        slippage: float,
        size: float,
        pricetick: float,
        capital: float,
        optimization_setting: OptimizationSetting,
        use_ga: bool,
        max_workers: int,
    ) -> bool: ...
    def run_downloading(
        self, vt_symbol: str, interval: str, start: dt.datetime, end: dt.datetime
    ) -> None: ...
    def start_downloading(
        self, vt_symbol: str, interval: str, start: dt.datetime, end: dt.datetime
    ) -> bool: ...
    def get_all_trades(self) -> list[Any]: ...
    def get_all_orders(self) -> list[Any]: ...
    def get_all_daily_results(self) -> list[Any]: ...
    def get_history_data(self) -> list[Any]: ...
    def get_strategy_class_file(self, class_name: str) -> str: ...
