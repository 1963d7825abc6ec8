"""Tools that a model may call; each role has an allowlist of them."""

from vnpy_aiagent.tools.account import ACCOUNT_TOOLS
from vnpy_aiagent.tools.facts import FACT_TOOLS
from vnpy_aiagent.tools.market import MARKET_TOOLS
from vnpy_aiagent.tools.registry import Tool, Toolbox, ToolResult
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

ALL_TOOLS: dict[str, Tool] = {tool.name: tool for tool in (*MARKET_TOOLS, *ACCOUNT_TOOLS)}


def tools_for(snapshot: DecisionSnapshot) -> dict[str, Tool]:
    """The tools of a decision: those for facts only where the snapshot holds any."""
    facts = snapshot.facts
    return ALL_TOOLS | FACT_TOOLS if facts.values or facts.events else ALL_TOOLS


__all__ = ["ALL_TOOLS", "FACT_TOOLS", "Tool", "ToolResult", "Toolbox", "tools_for"]
