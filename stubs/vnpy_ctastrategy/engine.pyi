import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from vnpy.event import Event, EventEngine as EventEngine
from vnpy.trader.constant import (
    Direction,
    Exchange,
    Interval as Interval,
    Offset as Offset,
    OrderType,
    Status,
)
from vnpy.trader.database import BaseDatabase as BaseDatabase
from vnpy.trader.datafeed import BaseDatafeed as BaseDatafeed
from vnpy.trader.engine import (
    BaseEngine,
    LogEngine as LogEngine,
    MainEngine as MainEngine,
)
from vnpy.trader.object import (
    BarData as BarData,
    CancelRequest as CancelRequest,
    ContractData as ContractData,
    OrderData as OrderData,
    TickData as TickData,
    TradeData as TradeData,
)

from .base import (
    APP_NAME as APP_NAME,
    EVENT_CTA_LOG as EVENT_CTA_LOG,
    EVENT_CTA_STOPORDER as EVENT_CTA_STOPORDER,
    EVENT_CTA_STRATEGY as EVENT_CTA_STRATEGY,
    STOPORDER_PREFIX as STOPORDER_PREFIX,
    EngineType as EngineType,
    StopOrder as StopOrder,
    StopOrderStatus as StopOrderStatus,
)
from .template import CtaTemplate as CtaTemplate, TargetPosTemplate as TargetPosTemplate

STOP_STATUS_MAP: dict[Status, StopOrderStatus]

class CtaEngine(BaseEngine):
    engine_type: EngineType
    setting_filename: str
    data_filename: str
    strategy_setting: dict[str, Any]
    strategy_data: dict[str, Any]
    classes: dict[str, Any]
    strategies: dict[str, Any]
    symbol_strategy_map: defaultdict[str, Any]
    orderid_strategy_map: dict[str, Any]
    strategy_orderid_map: defaultdict[str, Any]
    stop_order_count: int
    stop_orders: dict[str, StopOrder]
    init_executor: ThreadPoolExecutor
    vt_tradeids: set[Any]
    database: BaseDatabase
    datafeed: BaseDatafeed
    def __init__(self, main_engine: MainEngine, event_engine: EventEngine) -> None: ...
    def init_engine(self) -> None: ...
    def close(self) -> None: ...
    def register_event(self) -> None: ...
    def init_datafeed(self) -> None: ...
    def query_bar_from_datafeed(
        self, symbol: str, exchange: Exchange, interval: Interval, start: dt.datetime, end: dt.datetime
    ) -> list[BarData]: ...
    def process_tick_event(self, event: Event) -> None: ...
    def process_order_event(self, event: Event) -> None: ...
    def process_trade_event(self, event: Event) -> None: ...
    def check_stop_order(self, tick: TickData) -> None: ...
    def send_server_order(
        self,
        strategy: CtaTemplate,
        contract: ContractData,
        direction: Direction,
        offset: Offset,
        price: float,
        volume: float,
        type: OrderType,
        lock: bool,
        net: bool,
    ) -> list[str]: ...
    def send_limit_order(
        self,
        strategy: CtaTemplate,
        contract: ContractData,
        direction: Direction,
        offset: Offset,
        price: float,
        volume: float,
        lock: bool,
        net: bool,
    ) -> list[str]: ...
    def send_server_stop_order(
        self,
        strategy: CtaTemplate,
        contract: ContractData,
        direction: Direction,
        offset: Offset,
        price: float,
        volume: float,
        lock: bool,
        net: bool,
    ) -> list[str]: ...
    def send_local_stop_order(
        self,
        strategy: CtaTemplate,
        direction: Direction,
        offset: Offset,
        price: float,
        volume: float,
        lock: bool,
        net: bool,
    ) -> list[str]: ...
    def cancel_server_order(self, strategy: CtaTemplate, vt_orderid: str) -> None: ...
    def cancel_local_stop_order(self, strategy: CtaTemplate, stop_orderid: str) -> None: ...
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
    def cancel_order(self, strategy: CtaTemplate, vt_orderid: str) -> None: ...
    def cancel_all(self, strategy: CtaTemplate) -> None: ...
    def get_engine_type(self) -> EngineType: ...
    def get_pricetick(self, strategy: CtaTemplate) -> float | None: ...
    def get_size(self, strategy: CtaTemplate) -> int | None: ...
    def load_bar(
        self,
        vt_symbol: str,
        days: int,
        interval: Interval,
        callback: Callable[[BarData], None],
        use_database: bool,
    ) -> list[BarData]: ...
    def load_tick(
        self, vt_symbol: str, days: int, callback: Callable[[TickData], None]
    ) -> list[TickData]: ...
    def call_strategy_func(
        self, strategy: CtaTemplate, func: Callable[..., Any], params: Any = None
    ) -> None: ...
    def add_strategy(
        self, class_name: str, strategy_name: str, vt_symbol: str, setting: dict[str, Any]
    ) -> None: ...
    def init_strategy(self, strategy_name: str) -> Future[None]: ...
    def start_strategy(self, strategy_name: str) -> None: ...
    def stop_strategy(self, strategy_name: str) -> None: ...
    def edit_strategy(self, strategy_name: str, setting: dict[str, Any]) -> None: ...
    def remove_strategy(self, strategy_name: str) -> bool: ...
    def load_strategy_class(self) -> None: ...
    def load_strategy_class_from_folder(self, path: Path, module_name: str = "") -> None: ...
    def load_strategy_class_from_module(self, module_name: str) -> None: ...
    def load_strategy_data(self) -> None: ...
    def sync_strategy_data(self, strategy: CtaTemplate) -> None: ...
    def get_all_strategy_class_names(self) -> list[Any]: ...
    def get_strategy_class_parameters(self, class_name: str) -> dict[str, Any]: ...
    def get_strategy_parameters(self, strategy_name: str) -> dict[str, Any]: ...
    def init_all_strategies(self) -> dict[str, Future[None]]: ...
    def start_all_strategies(self) -> None: ...
    def stop_all_strategies(self) -> None: ...
    def load_strategy_setting(self) -> None: ...
    def update_strategy_setting(self, strategy_name: str, setting: dict[str, Any]) -> None: ...
    def remove_strategy_setting(self, strategy_name: str) -> None: ...
    def put_stop_order_event(self, stop_order: StopOrder) -> None: ...
    def put_strategy_event(self, strategy: CtaTemplate) -> None: ...
    def write_log(self, msg: str, strategy: CtaTemplate | None = None) -> None: ...
    def send_email(self, msg: str, strategy: CtaTemplate | None = None) -> None: ...
