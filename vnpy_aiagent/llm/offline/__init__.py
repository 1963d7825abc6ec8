"""The offline analyst: fixed rules behind the model port. It is no language model, and says so."""

from vnpy_aiagent.llm.offline.analyst import OFFLINE_NAME, OfflineAnalyst

__all__ = ["OFFLINE_NAME", "OfflineAnalyst"]
