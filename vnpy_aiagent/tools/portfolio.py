"""What the accounts of the decision hold altogether, in ratios of equity: no amounts, no other accounts."""

from typing import Any

from pydantic import Field

from vnpy_aiagent.errors import ToolError
from vnpy_aiagent.tools.registry import Arguments, Tool, ToolResult
from vnpy_aiagent.tools.snapshot import AccountView, DecisionSnapshot

DIGITS = 4
MOST_HOLDINGS = 20
MOST_ACCOUNTS = 6


class PortfolioArguments(Arguments):
    """Whose."""

    account: str = Field("", max_length=64, description="Name of an account; empty for all of the decision.")


def get_portfolio(snapshot: DecisionSnapshot, arguments: PortfolioArguments) -> ToolResult:
    """Holdings by weight, exposure, cash and room for this symbol, as ratios of each account's equity."""
    if not snapshot.accounts:
        raise ToolError("no account takes part in this decision; judge without holdings")
    wanted = [a for a in snapshot.accounts if arguments.account in ("", a.name)]
    if not wanted:
        names = ", ".join(account.name for account in snapshot.accounts)
        raise ToolError(f"no such account takes part in this decision; use one of {names}")
    told = [_portfolio(account, snapshot.instrument.vt_symbol) for account in wanted[:MOST_ACCOUNTS]]
    return ToolResult({"accounts": told, "left_out": len(wanted) - len(told)}, None)


def _portfolio(account: AccountView, symbol: str) -> dict[str, Any]:
    ranked = sorted(account.weights.items(), key=lambda item: (-item[1], item[0]))
    held = account.weights.get(symbol, 0.0)
    return {
        "account": account.name,
        "holdings": [[name, round(weight, DIGITS)] for name, weight in ranked[:MOST_HOLDINGS]],
        "count": len(ranked),
        "invested": round(sum(account.weights.values()), DIGITS),
        "cash": round(float(account.cash / account.equity), DIGITS) if account.equity > 0 else None,
        "largest": round(ranked[0][1], DIGITS) if ranked else 0.0,
        "weight_here": round(held, DIGITS),
        "room_here": round(max(0.0, account.max_weight - held), DIGITS),
    }


PORTFOLIO_TOOLS = (
    Tool(
        "get_portfolio",
        "All holdings of the decision's accounts by weight, exposure, cash, room for this symbol (ratios).",
        PortfolioArguments,
        get_portfolio,
        lambda snapshot: bool(snapshot.accounts),
        6_000,
    ),
)
