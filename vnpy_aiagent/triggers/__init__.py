"""The trigger book, its conditions, and protective stops."""

from vnpy_aiagent.triggers.book import TriggerBook
from vnpy_aiagent.triggers.stops import ProtectiveStop, StopBook

__all__ = ["ProtectiveStop", "StopBook", "TriggerBook"]
