"""Trading state, schedules, commands of people."""

from vnpy_aiagent.control.schedule import next_due
from vnpy_aiagent.control.trading_state import TradingControl

__all__ = ["TradingControl", "next_due"]
