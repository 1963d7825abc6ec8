"""Reported values and events as a tool: numbers with unit and provenance, never a text.

The tool is offered only where the snapshot holds some, so a decision without facts is asked as before.
"""

from vnpy_aiagent.tools.market import NoArguments
from vnpy_aiagent.tools.registry import Tool, ToolResult
from vnpy_aiagent.tools.snapshot import DecisionSnapshot


def get_facts(snapshot: DecisionSnapshot, arguments: NoArguments) -> ToolResult:
    """Latest known values and events of the symbol; `fact` is the id under which its source is kept."""
    values, events = snapshot.facts.values, snapshot.facts.events
    data = {
        "symbol": snapshot.instrument.vt_symbol,
        "values": [
            {
                "fact": fact.id,
                "metric": fact.metric,
                "period": fact.period.isoformat(),
                "value": float(fact.value),
                "unit": fact.unit,
                "available_at": fact.available_at.isoformat(timespec="seconds"),
            }
            for fact in values
        ],
        "events": [
            {
                "fact": fact.id,
                "event": fact.event,
                "on": fact.on.isoformat(),
                "value": None if fact.value is None else float(fact.value),
                "unit": fact.unit,
                "available_at": fact.available_at.isoformat(timespec="seconds"),
            }
            for fact in events
        ],
    }
    return ToolResult(data, max((fact.available_at for fact in (*values, *events)), default=None))


FACT_TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            "get_facts",
            "Latest known reported values (valuation, earnings, pledges) and dated events of the symbol.",
            NoArguments,
            get_facts,
        ),
    )
}
