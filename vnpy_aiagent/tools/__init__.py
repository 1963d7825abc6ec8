"""Tools that a model may call; each role has an allowlist of them."""

from vnpy_aiagent.tools.account import ACCOUNT_TOOLS
from vnpy_aiagent.tools.market import MARKET_TOOLS
from vnpy_aiagent.tools.registry import Tool, Toolbox, ToolResult

ALL_TOOLS: dict[str, Tool] = {tool.name: tool for tool in (*MARKET_TOOLS, *ACCOUNT_TOOLS)}

__all__ = ["ALL_TOOLS", "Tool", "ToolResult", "Toolbox"]
