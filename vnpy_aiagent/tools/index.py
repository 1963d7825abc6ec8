"""Indices where their bars are held, and the state of the symbol's industry against the market."""

from dataclasses import asdict
from typing import Any

from vnpy_aiagent.domain import BarInterval
from vnpy_aiagent.errors import ToolError
from vnpy_aiagent.tools.registry import NoArguments, Tool, ToolResult
from vnpy_aiagent.tools.snapshot import DecisionSnapshot, IndexView
from vnpy_aiagent.tools.told import DIGITS, holds_any, known_values, minute, newest, table

SECTOR = ("industry_return_5d", "industry_return_20d")


def known_indices(snapshot: DecisionSnapshot) -> tuple[IndexView, ...]:
    """Indices whose figures were available."""
    return tuple(view for view in snapshot.indices if view.available_at <= snapshot.at)


def get_index(snapshot: DecisionSnapshot, arguments: NoArguments) -> ToolResult:
    """Indices in points at their last close; the sector's returns, and the symbol's less the sector's."""
    found = known_indices(snapshot)
    if not has_index(snapshot):
        raise ToolError("no index bars and no sector figures are held; judge without them")
    rows = [{**asdict(view), "available_at": minute(view.available_at), "unit": "points"} for view in found]
    data = {
        "indices": rows,
        "sector": table(snapshot, SECTOR),
        "symbol_less_sector": {f"{bars}d": _less_sector(snapshot, bars) for bars in (5, 20)},
    }
    moments = [view.available_at for view in found]
    told = newest(snapshot, SECTOR)
    return ToolResult(data, max([*moments, *([told] if told else [])], default=None))


def has_index(snapshot: DecisionSnapshot) -> bool:
    """Whether an index or the sector is known."""
    return bool(known_indices(snapshot)) or holds_any(snapshot, SECTOR)


def _less_sector(snapshot: DecisionSnapshot, bars: int) -> Any:
    """The symbol's return over bars that end on the sector's day, less the sector's; None if not known."""
    fact, daily = known_values(snapshot).get(f"industry_return_{bars}d"), snapshot.bars.get(BarInterval.DAILY)
    if fact is None or daily is None:
        return None
    seen = daily.upto(snapshot.at)
    if len(seen) <= bars or seen.day_of(-1) != fact.period:
        return None
    own = float(seen.close[-1] / seen.close[-1 - bars] - 1)
    return round(own - float(fact.value), DIGITS)


INDEX_TOOLS = (
    Tool(
        "get_index",
        "Indices: points, returns, distance from means, volatility, drawdown; the sector's returns.",
        NoArguments,
        get_index,
        has_index,
        4_000,
        SECTOR,
    ),
)
