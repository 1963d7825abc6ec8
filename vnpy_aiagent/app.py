"""The app as VeighNa sees it."""

from pathlib import Path

from vnpy.trader.app import BaseApp

from vnpy_aiagent.base import APP_NAME
from vnpy_aiagent.engine import AiAgentEngine


class AiAgentApp(BaseApp):
    """`main_engine.add_app(AiAgentApp)` gives an AiAgentEngine."""

    app_name = APP_NAME
    app_module = "vnpy_aiagent"
    app_path = Path(__file__).parent
    display_name = "AI 智能体"
    engine_class = AiAgentEngine
    widget_name = "AiAgentManager"
    icon_name = str(app_path / "ui" / "aiagent.ico")
