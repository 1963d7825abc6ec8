"""Special risks of a share: pledges, unlocks, goodwill, special treatment, suspension, inquiries."""

from typing import Any

from vnpy_aiagent.errors import ToolError
from vnpy_aiagent.market.names import name_facts
from vnpy_aiagent.tools.float_shares import free_float_shares
from vnpy_aiagent.tools.registry import NoArguments, Tool, ToolResult
from vnpy_aiagent.tools.snapshot import DecisionSnapshot
from vnpy_aiagent.tools.told import (
    DIGITS,
    NOT_HELD,
    absence_of,
    event_table,
    holds_any,
    known_events,
    known_values,
    minute,
    newest,
    number,
    source_of,
    table,
)

METRICS = ("pledge_ratio", "goodwill", "goodwill_to_equity", "debt_to_assets")
EVENTS = ("pledge", "suspension", "resumption", "regulator_inquiry", "holder_reduction", "earnings_preview")
MOST_EVENTS, MOST_UNLOCKS = 12, 8


def get_special_risk(snapshot: DecisionSnapshot, arguments: NoArguments) -> ToolResult:
    """What may go wrong with this share beside its price."""
    events = known_events(snapshot, EVENTS)[-MOST_EVENTS:]
    unlocks = [fact for fact in known_events(snapshot, ("unlock",)) if fact.on >= snapshot.at.date()]
    name = snapshot.instrument.name
    if not has_special_risk(snapshot):
        raise ToolError("nothing is held on pledges, unlocks, goodwill or inquiries; judge without them")
    shares = free_float_shares(snapshot)
    schedule = [
        {
            "on": fact.on.isoformat(),
            "shares": None if fact.value is None else number(float(fact.value)),
            "of_float": None
            if fact.value is None or not shares
            else round(float(fact.value) / shares, DIGITS),
            "available_at": minute(fact.available_at),
            "source": source_of(fact),
        }
        for fact in unlocks[:MOST_UNLOCKS]
    ]
    data = {
        "symbol": snapshot.instrument.vt_symbol,
        "special_treatment": name_facts(name).special_treatment if name else None,
        **table(snapshot, METRICS),
        "goodwill_to_equity_derived": _goodwill(snapshot),
        "unlocks": schedule,
        "unlocks_absent": None if schedule else absence_of(snapshot, "unlock") or NOT_HELD,
        "free_float_shares": None if shares is None else round(shares),
        "events": event_table(events),
    }
    return ToolResult(data, newest(snapshot, METRICS, (*events, *unlocks[:MOST_UNLOCKS])))


def has_special_risk(snapshot: DecisionSnapshot) -> bool:
    """Whether anything of it is known."""
    return holds_any(snapshot, METRICS[:3]) or bool(known_events(snapshot, (*EVENTS, "unlock")))


def _goodwill(snapshot: DecisionSnapshot) -> dict[str, Any] | None:
    """Goodwill over equity from a balance sheet of one period, where no source reports the ratio."""
    known = known_values(snapshot)
    if "goodwill_to_equity" in known:
        return None
    parts = [known.get(name) for name in ("goodwill", "total_assets", "debt_to_assets")]
    goodwill, assets, debt = parts
    if goodwill is None or assets is None or debt is None:
        return None
    if not goodwill.period == assets.period == debt.period or assets.value <= 0 or debt.value >= 1:
        return None
    ratio = float(goodwill.value / (assets.value * (1 - debt.value)))
    return {
        "value": round(ratio, DIGITS),
        "unit": "ratio",
        "period": goodwill.period.isoformat(),
        "available_at": minute(max(goodwill.available_at, assets.available_at, debt.available_at)),
        "source": "goodwill / (total_assets x (1 - debt_to_assets))",
    }


SPECIAL_RISK_TOOLS = (
    Tool(
        "get_special_risk",
        "Pledges, unlock schedule with share of float, goodwill to equity, ST, suspensions, inquiries.",
        NoArguments,
        get_special_risk,
        has_special_risk,
        4_500,
        (*METRICS[:3], *EVENTS, "unlock"),
    ),
)
