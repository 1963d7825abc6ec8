"""Fundamentals: valuation and reports of the symbol, beside its industry; who holds it."""

from typing import Any

from vnpy_aiagent.data.facts import INDUSTRY_METRICS
from vnpy_aiagent.errors import ToolError
from vnpy_aiagent.tools.registry import NoArguments, Tool, ToolResult
from vnpy_aiagent.tools.snapshot import DecisionSnapshot
from vnpy_aiagent.tools.told import (
    absence_of,
    event_table,
    holds_any,
    known_events,
    known_values,
    newest,
    number,
    table,
)

VALUATION = ("pe_ttm", "pb", "ps_ttm", "market_cap", "free_float_cap")
REPORTS = (
    "roe",
    "gross_margin",
    "debt_to_assets",
    "revenue_growth",
    "profit_growth",
    "revenue",
    "net_profit",
    "operating_cash_flow",
    "total_assets",
    "eps",
    "book_value_per_share",
    "dividend_per_share",
)
AGAINST = (
    ("pe_ttm", "industry_pe"),
    ("pb", "industry_pb"),
    ("roe", "industry_roe"),
    ("debt_to_assets", "industry_debt_to_assets"),
)
"""A value of the symbol and what its industry has of it."""

HOLDINGS = ("institution_count", "institution_ratio", "northbound_ratio")
HOLDER_EVENTS = ("holder_reduction", "holder_increase", "buyback")
MOST_EVENTS = 12


def get_fundamentals(snapshot: DecisionSnapshot, arguments: NoArguments) -> ToolResult:
    """Valuation, profitability, debt and growth, and the ratio of each to the industry's."""
    names = (*VALUATION, *REPORTS)
    if not holds_any(snapshot, names):
        raise ToolError("no reported values of this symbol are held; judge without fundamentals")
    industry = [other for _, other in AGAINST]
    data = {
        "symbol": snapshot.instrument.vt_symbol,
        **table(snapshot, names),
        "against_industry": _against(snapshot),
    }
    return ToolResult(data, newest(snapshot, (*names, *industry)))


def get_industry(snapshot: DecisionSnapshot, arguments: NoArguments) -> ToolResult:
    """The symbol's Shenwan level-1 industry: valuation, returns, profitability and debt."""
    if not holds_any(snapshot, INDUSTRY_METRICS):
        raise ToolError("no values of the symbol's industry are held; judge without them")
    known = known_values(snapshot)
    code = known.get("sw_industry")
    data = {
        "industry": None if code is None else f"{int(code.value)}.SWS",
        **table(snapshot, tuple(INDUSTRY_METRICS)),
    }
    return ToolResult(data, newest(snapshot, INDUSTRY_METRICS))


def get_holdings(snapshot: DecisionSnapshot, arguments: NoArguments) -> ToolResult:
    """How many institutions hold the symbol, what part they and northbound investors hold, and changes."""
    events = known_events(snapshot, HOLDER_EVENTS)[-MOST_EVENTS:]
    if not holds_any(snapshot, HOLDINGS) and not events:
        raise ToolError("no holdings of institutions are held for this symbol; judge without them")
    data = {
        "symbol": snapshot.instrument.vt_symbol,
        **table(snapshot, HOLDINGS),
        "changes": event_table(events),
    }
    return ToolResult(data, newest(snapshot, HOLDINGS, events))


def _against(snapshot: DecisionSnapshot) -> dict[str, Any]:
    """Each value over the industry's; null with the reason where one is missing or not above zero."""
    known = known_values(snapshot)
    told: dict[str, Any] = {}
    for own, other in AGAINST:
        mine, theirs = known.get(own), known.get(other)
        if mine is None or theirs is None:
            missing = own if mine is None else other
            told[own] = {"ratio": None, "reason": f"{missing}: {absence_of(snapshot, missing) or 'not held'}"}
        elif mine.value <= 0 or theirs.value <= 0:
            told[own] = {"ratio": None, "reason": "one of the two is not above zero"}
        else:
            told[own] = {
                "ratio": number(float(mine.value / theirs.value)),
                "industry": number(float(theirs.value)),
                "period": theirs.period.isoformat(),
            }
    return told


FUNDAMENTAL_TOOLS = (
    Tool(
        "get_fundamentals",
        "PE, PB, ROE, margins, debt, growth of the symbol with unit and period, and against its industry.",
        NoArguments,
        get_fundamentals,
        lambda snapshot: holds_any(snapshot, (*VALUATION, *REPORTS)),
        4_500,
        (*VALUATION, *REPORTS),
    ),
    Tool(
        "get_industry",
        "The symbol's industry: PE, PB, ROE, debt, returns over 5 and 20 days.",
        NoArguments,
        get_industry,
        lambda snapshot: holds_any(snapshot, INDUSTRY_METRICS),
        datasets=("sw_industry", *INDUSTRY_METRICS),
    ),
    Tool(
        "get_holdings",
        "Institutions and northbound investors that hold the symbol; reductions, increases, buybacks.",
        NoArguments,
        get_holdings,
        lambda snapshot: holds_any(snapshot, HOLDINGS) or bool(known_events(snapshot, HOLDER_EVENTS)),
        3_000,
        (*HOLDINGS, *HOLDER_EVENTS),
    ),
)
