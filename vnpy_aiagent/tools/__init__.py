"""Tools that a model may call; each role has an allowlist of them."""

from vnpy_aiagent.data.facts import Absence
from vnpy_aiagent.tools.absent import absent_tools
from vnpy_aiagent.tools.account import ACCOUNT_TOOLS
from vnpy_aiagent.tools.environment import ENVIRONMENT_TOOLS
from vnpy_aiagent.tools.flow import FLOW_TOOLS
from vnpy_aiagent.tools.fundamentals import FUNDAMENTAL_TOOLS
from vnpy_aiagent.tools.index import INDEX_TOOLS
from vnpy_aiagent.tools.market import MARKET_TOOLS
from vnpy_aiagent.tools.order_book import ORDER_BOOK_TOOLS
from vnpy_aiagent.tools.policy import POLICY_TOOLS
from vnpy_aiagent.tools.portfolio import PORTFOLIO_TOOLS
from vnpy_aiagent.tools.registry import Tool, Toolbox, ToolResult
from vnpy_aiagent.tools.similar import SIMILAR_TOOLS
from vnpy_aiagent.tools.snapshot import DecisionSnapshot
from vnpy_aiagent.tools.special_risk import SPECIAL_RISK_TOOLS

ALL_TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        *MARKET_TOOLS,
        *ORDER_BOOK_TOOLS,
        *SIMILAR_TOOLS,
        *FUNDAMENTAL_TOOLS,
        *SPECIAL_RISK_TOOLS,
        *FLOW_TOOLS,
        *INDEX_TOOLS,
        *ENVIRONMENT_TOOLS,
        *POLICY_TOOLS,
        *ACCOUNT_TOOLS,
        *PORTFOLIO_TOOLS,
    )
}
"""Every tool there is; a role's allowlist chooses of it."""


def tools_for(snapshot: DecisionSnapshot) -> dict[str, Tool]:
    """The tools of a decision: those for which the snapshot holds anything."""
    return {name: tool for name, tool in ALL_TOOLS.items() if tool.held(snapshot)}


def absent_for(snapshot: DecisionSnapshot) -> dict[str, tuple[Absence, ...]]:
    """By name the tools that are not offered since their sources gave nothing, and what is missing."""
    return absent_tools(snapshot, ALL_TOOLS.values())


__all__ = ["ALL_TOOLS", "Tool", "ToolResult", "Toolbox", "absent_for", "tools_for"]
