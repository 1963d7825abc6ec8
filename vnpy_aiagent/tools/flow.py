"""Money flow of the symbol: large orders' net inflow as its source counts it, margin and short balances."""

from typing import Any

from vnpy_aiagent.domain import BarInterval
from vnpy_aiagent.errors import ToolError
from vnpy_aiagent.tools.registry import NoArguments, Tool, ToolResult
from vnpy_aiagent.tools.snapshot import DecisionSnapshot
from vnpy_aiagent.tools.told import DIGITS, holds_any, known_values, newest, table

METRICS = ("main_net_inflow", "super_large_net_inflow", "margin_balance", "short_balance")
RECENT = 20


def get_money_flow(snapshot: DecisionSnapshot, arguments: NoArguments) -> ToolResult:
    """Net inflows and balances in CNY, the inflows also as ratios of that day's turnover."""
    if not holds_any(snapshot, METRICS):
        raise ToolError("no money flow or margin balance of this symbol is held; judge without them")
    data = {
        "symbol": snapshot.instrument.vt_symbol,
        **table(snapshot, METRICS),
        "of_turnover": {name: _of_turnover(snapshot, name) for name in METRICS[:2]},
    }
    return ToolResult(data, newest(snapshot, METRICS))


def _of_turnover(snapshot: DecisionSnapshot, metric: str) -> Any:
    """The inflow over the turnover of the bar of its day; None where that bar or its turnover is missing."""
    fact, daily = known_values(snapshot).get(metric), snapshot.bars.get(BarInterval.DAILY)
    if fact is None or daily is None:
        return None
    recent = daily.upto(snapshot.at).tail(RECENT)
    for place in range(len(recent)):
        if recent.day_of(place) == fact.period and recent.turnover[place] > 0:
            return round(float(fact.value) / float(recent.turnover[place]), DIGITS)
    return None


FLOW_TOOLS = (
    Tool(
        "get_money_flow",
        "Net inflow of large orders, margin and short balance of the symbol (CNY), against its turnover.",
        NoArguments,
        get_money_flow,
        lambda snapshot: holds_any(snapshot, METRICS),
        datasets=METRICS,
    ),
)
