import datetime as dt
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from vnpy.trader.constant import Direction as Direction, Interval, Offset as Offset

APP_NAME: str
STOPORDER_PREFIX: str

class StopOrderStatus(Enum):
    WAITING = ...
    CANCELLED = ...
    TRIGGERED = ...

class EngineType(Enum):
    LIVE = ...
    BACKTESTING = ...

class BacktestingMode(Enum):
    BAR = 1
    TICK = 2

@dataclass
class StopOrder:
    vt_symbol: str
    direction: Direction
    offset: Offset
    price: float
    volume: float
    stop_orderid: str
    strategy_name: str
    datetime: dt.datetime
    lock: bool = ...
    net: bool = ...
    vt_orderids: list[str] = field(default_factory=list[Any])
    status: StopOrderStatus = ...

EVENT_CTA_LOG: str
EVENT_CTA_STRATEGY: str
EVENT_CTA_STOPORDER: str
INTERVAL_DELTA_MAP: dict[Interval, dt.timedelta]
