"""Policy rates, how many policy texts there were, and the events ahead. Never a text itself."""

from typing import Any

from pydantic import Field

from vnpy_aiagent.data.facts import EVENTS
from vnpy_aiagent.errors import ToolError
from vnpy_aiagent.tools.registry import Arguments, NoArguments, Tool, ToolResult
from vnpy_aiagent.tools.snapshot import DecisionSnapshot
from vnpy_aiagent.tools.told import (
    NOT_HELD,
    absence_of,
    event_table,
    holds_any,
    known_events,
    minute,
    newest,
    table,
)

AUTHORITIES = frozenset({"csrc", "pbc", "ndrc", "npr"})
"""Sources whose policy texts are counted; nobody else's change what a role reads."""
METRICS = ("lpr_1y", "lpr_5y", "shibor_overnight", "reserve_requirement_ratio")
MOST_COUNTS = 12
MOST_EVENTS = 15


class CalendarArguments(Arguments):
    """How far ahead."""

    days: int = Field(60, ge=1, le=400, description="Calendar days ahead.")


def get_policy(snapshot: DecisionSnapshot, arguments: NoArguments) -> ToolResult:
    """Rates with their periods; per subject and authority the number of policy texts of late.

    `available_at` is that of the rates: a text makes no finding fresh.
    """
    counts = policy_counts(snapshot)
    if not holds_any(snapshot, METRICS) and not counts:
        raise ToolError("no policy rates and no policy texts are held; judge without them")
    data = {
        **table(snapshot, METRICS),
        "policy_texts": counts,
        "policy_texts_absent": None if counts else absence_of(snapshot, "policy") or NOT_HELD,
    }
    return ToolResult(data, newest(snapshot, METRICS))


def policy_counts(snapshot: DecisionSnapshot) -> list[dict[str, Any]]:
    """Numbers of policy texts on the symbol, its industry and the market, by authority."""
    return [
        {
            "subject": each.vt_symbol,
            "source": each.source,
            "count": each.count,
            "newest": minute(each.newest),
        }
        for each in _policy_counts(snapshot)
    ]


def _policy_counts(snapshot: DecisionSnapshot) -> list[Any]:
    counts = snapshot.facts.text_counts
    found = [
        each
        for each in counts
        if each.text_kind == "policy" and each.source in AUTHORITIES and each.newest <= snapshot.at
    ]
    return found[:MOST_COUNTS]


def get_calendar(snapshot: DecisionSnapshot, arguments: CalendarArguments) -> ToolResult:
    """Events of the symbol from today on; `days_ahead` in calendar days, 0 for today."""
    today = snapshot.at.date()
    ahead = [fact for fact in known_events(snapshot) if 0 <= (fact.on - today).days <= arguments.days][
        :MOST_EVENTS
    ]
    if not known_events(snapshot):
        raise ToolError("no dated events of this symbol are held; judge without a calendar")
    data = {
        "symbol": snapshot.instrument.vt_symbol,
        "today": today.isoformat(),
        **event_table(ahead),
        "days_ahead": [(fact.on - today).days for fact in ahead],
    }
    return ToolResult(data, newest(snapshot, (), known_events(snapshot)))


POLICY_TOOLS = (
    Tool(
        "get_policy",
        "LPR, Shibor, reserve requirement ratio; how many policy texts each authority issued of late.",
        NoArguments,
        get_policy,
        lambda snapshot: holds_any(snapshot, METRICS) or bool(policy_counts(snapshot)),
        3_000,
        (*METRICS, "policy"),
    ),
    Tool(
        "get_calendar",
        "Dated events of the symbol ahead: reports, meetings, ex-dividend, unlocks.",
        CalendarArguments,
        get_calendar,
        lambda snapshot: bool(known_events(snapshot)),
        3_000,
        tuple(EVENTS),
    ),
)
