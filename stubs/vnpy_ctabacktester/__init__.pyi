from pathlib import Path

from vnpy.trader.app import BaseApp

from .engine import APP_NAME as APP_NAME, BacktesterEngine as BacktesterEngine

__version__: str

class CtaBacktesterApp(BaseApp):
    app_name: str
    app_module: str
    app_path: Path
    display_name: str
    engine_class: type[BacktesterEngine]
    widget_name: str
    icon_name: str
