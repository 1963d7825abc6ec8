"""The market as a whole: breadth, limit counts, turnover, margin, QVIX, and its phase by a stated rule.

| point | +1 | -1 |
| --- | --- | --- |
| breadth of the scan | at least 0.6 | at most 0.4 |
| advancers of advancers and decliners | at least 0.6 | at most 0.4 |
| limits | at least 30 at the upper limit, and three times those at the lower | as many or more at the lower |
| first index | above its 20-day and 60-day means | below both |
| QVIX of the CSI 300 | at most 18 | at least 28 |

Phase: RISK_ON where the mean of the known points is at least 0.5, RISK_OFF where it is at most -0.5, else
MIXED; UNKNOWN below two known points. The bounds are a rule of thumb, not an estimate from data.
"""

from typing import Any

from vnpy_aiagent.errors import ToolError
from vnpy_aiagent.tools.index import known_indices
from vnpy_aiagent.tools.registry import NoArguments, Tool, ToolResult
from vnpy_aiagent.tools.snapshot import DecisionSnapshot
from vnpy_aiagent.tools.told import absence_of, holds_any, known_values, newest, table

METRICS = (
    "advancers",
    "decliners",
    "limit_up_count",
    "limit_down_count",
    "market_turnover",
    "market_margin_balance",
    "northbound_turnover",
    "qvix_50",
    "qvix_300",
)
HIGH, LOW = 0.6, 0.4
MANY_LIMITS, LIMITS_RATIO = 30, 3
CALM, NERVOUS = 18.0, 28.0
FEWEST_POINTS, CLEAR = 2, 0.5
NO_NORTHBOUND = "it is published no more, since 2024-08-19"
"""Net buying through Stock Connect: the exchanges' notices of 2024-04-12 on what they disclose."""


def get_environment(snapshot: DecisionSnapshot, arguments: NoArguments) -> ToolResult:
    """What the whole market does, with the phase and the points that it comes from."""
    if not holds_any(snapshot, METRICS):
        raise ToolError("nothing is held on the market as a whole; use get_market and get_index")
    data = table(snapshot, METRICS)
    reason = absence_of(snapshot, "northbound_net_inflow") or NO_NORTHBOUND
    data["absent"]["northbound_net_inflow"] = {"value": None, "reason": reason}
    points = phase_points(snapshot)
    moments = [view.available_at for view in known_indices(snapshot)[:1]]
    told = newest(snapshot, METRICS)
    latest = max([*moments, *([told] if told else [])], default=None)
    return ToolResult({**data, "phase": phase_of(points), "phase_points": points}, latest)


def phase_points(snapshot: DecisionSnapshot) -> dict[str, int | None]:
    """The points of the phase, each 1, 0 or -1; None where its figure is not known."""
    known = {name: float(fact.value) for name, fact in known_values(snapshot).items()}
    up, down = known.get("advancers"), known.get("decliners")
    share = up / (up + down) if up is not None and down is not None and up + down > 0 else None
    return {
        "breadth": _between(snapshot.market.breadth),
        "advancers": _between(share),
        "limits": _limits(known.get("limit_up_count"), known.get("limit_down_count")),
        "index": _index(snapshot),
        "qvix": _qvix(known.get("qvix_300")),
    }


def phase_of(points: dict[str, int | None]) -> str:
    """The phase that the points make."""
    known = [point for point in points.values() if point is not None]
    if len(known) < FEWEST_POINTS:
        return "UNKNOWN"
    mean = sum(known) / len(known)
    return "RISK_ON" if mean >= CLEAR else "RISK_OFF" if mean <= -CLEAR else "MIXED"


def _between(value: float | None) -> int | None:
    if value is None:
        return None
    return 1 if value >= HIGH else -1 if value <= LOW else 0


def _limits(up: float | None, down: float | None) -> int | None:
    if up is None or down is None:
        return None
    if up >= MANY_LIMITS and up >= LIMITS_RATIO * down:
        return 1
    return -1 if down >= up and down > 0 else 0


def _index(snapshot: DecisionSnapshot) -> int | None:
    first: Any = next(iter(known_indices(snapshot)), None)
    if first is None or first.above_sma20 is None or first.above_sma60 is None:
        return None
    if first.above_sma20 > 0 and first.above_sma60 > 0:
        return 1
    return -1 if first.above_sma20 < 0 and first.above_sma60 < 0 else 0


def _qvix(value: float | None) -> int | None:
    if value is None:
        return None
    return 1 if value <= CALM else -1 if value >= NERVOUS else 0


ENVIRONMENT_TOOLS = (
    Tool(
        "get_environment",
        "Advancers, limit-up and limit-down counts, turnover, margin balance, QVIX, northbound, phase.",
        NoArguments,
        get_environment,
        lambda snapshot: holds_any(snapshot, METRICS),
        3_500,
        (*METRICS, "northbound_net_inflow"),
    ),
)
