"""The AiAgent window of VeighNa Trader. PySide6 lives in this room alone."""

from vnpy_aiagent.ui.window import AiAgentManager

__all__ = ["AiAgentManager"]
