from pathlib import Path

from vnpy.trader.app import BaseApp
from vnpy.trader.constant import Direction as Direction
from vnpy.trader.object import (
    BarData as BarData,
    OrderData as OrderData,
    TickData as TickData,
    TradeData as TradeData,
)
from vnpy.trader.utility import (
    ArrayManager as ArrayManager,
    BarGenerator as BarGenerator,
)

from .base import APP_NAME as APP_NAME, StopOrder as StopOrder
from .engine import CtaEngine as CtaEngine
from .template import (
    CtaSignal as CtaSignal,
    CtaTemplate as CtaTemplate,
    TargetPosTemplate as TargetPosTemplate,
)

__all__ = [
    "Direction",
    "TickData",
    "BarData",
    "TradeData",
    "OrderData",
    "BarGenerator",
    "ArrayManager",
    "APP_NAME",
    "StopOrder",
    "CtaEngine",
    "CtaTemplate",
    "CtaSignal",
    "TargetPosTemplate",
    "CtaStrategyApp",
]

class CtaStrategyApp(BaseApp):
    app_name: str
    app_module: str
    app_path: Path
    display_name: str
    engine_class: type[CtaEngine]
    widget_name: str
    icon_name: str
