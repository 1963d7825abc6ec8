"""The trigger book, its conditions, and protective stops."""

from vnpy_aiagent.triggers.book import TriggerBook
from vnpy_aiagent.triggers.stops import FALLBACK_SHARE, ProtectiveStop, StopBook, fallback_stop

__all__ = ["FALLBACK_SHARE", "ProtectiveStop", "StopBook", "TriggerBook", "fallback_stop"]
