"""Judging recorded orders, and backtests with the rules of the exchanges."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vnpy_aiagent.backtest.engine import AShareBacktestingEngine

__all__ = ["AShareBacktestingEngine"]


def __getattr__(name: str) -> Any:
    """Import vnpy_ctastrategy, and plotly with it, when the engine is first asked for."""
    if name == "AShareBacktestingEngine":
        from vnpy_aiagent.backtest.engine import AShareBacktestingEngine

        return AShareBacktestingEngine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
