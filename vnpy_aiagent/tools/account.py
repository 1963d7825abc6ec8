"""Account tools: positions and cash of the accounts in the decision, and recent learnings."""

from typing import Any

from vnpy_aiagent.tools.registry import NoArguments, Tool, ToolResult
from vnpy_aiagent.tools.snapshot import AccountView, DecisionSnapshot


def get_accounts(snapshot: DecisionSnapshot, arguments: NoArguments) -> ToolResult:
    """Cash, equity (CNY) and the position in this symbol, for each account of the decision."""
    return ToolResult({"accounts": [account_facts(account) for account in snapshot.accounts]}, None)


def account_facts(account: AccountView) -> dict[str, Any]:
    """An account as a model reads it."""
    position = account.position
    return {
        "account": account.name,
        "style": account.style.name,
        "equity": float(account.equity),
        "cash": float(account.cash),
        "max_weight": account.max_weight,
        "invested": round(sum(account.weights.values()), 4),
        "position": position
        and {
            "volume": position.volume,
            "sellable": position.sellable,
            "cost": round(float(position.cost), 4),
            "return": round(position.return_ratio, 6),
            "weight": round(account.weights.get(position.vt_symbol, 0.0), 6),
            "sessions": position.sessions,
            "setup": position.setup,
            "stop": float(position.stop) if position.stop is not None else None,
            "triggers": position.triggers,
        },
    }


def get_learnings(snapshot: DecisionSnapshot, arguments: NoArguments) -> ToolResult:
    """Recent learnings: how each setup has done in each regime; unconfirmed ones carry no adjustment."""
    lessons = [
        {
            "lesson": lesson.id,
            "setup": lesson.setup,
            "regime": lesson.regime,
            "wins": lesson.wins,
            "losses": lesson.losses,
            "mean_return": lesson.mean_return,
            "confirmed": lesson.confirmed,
            "adjustment": lesson.adjustment if lesson.confirmed else 0.0,
        }
        for lesson in snapshot.lessons
    ]
    newest = max((lesson.at for lesson in snapshot.lessons), default=None)
    return ToolResult({"learnings": lessons}, newest)


ACCOUNT_TOOLS = (
    Tool(
        "get_accounts", "Cash, equity and position in this symbol of each account.", NoArguments, get_accounts
    ),
    Tool(
        "get_learnings",
        "Recent learnings from closed trades: wins, losses and confidence adjustment by setup and regime.",
        NoArguments,
        get_learnings,
    ),
)
