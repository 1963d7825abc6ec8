"""The offline analyst's findings beside the technical one: points by fixed rules.

| role | point | +1 | -1 |
| --- | --- | --- | --- |
| fundamental | PE against the industry's | at most 0.8 of it | above 1.5 times it |
| | profit per share | | EPS, or PE, not above zero |
| | ROE | at least 12 % | below 3 % |
| | profit growth | at least 10 % | at most -10 % |
| | debt against the industry's | | above 1.3 times it |
| environment | the points of `get_environment`, or breadth alone | breadth from 60 % on | up to 40 % |
| policy | special days within ten days: suspension, inquiry | | each kind |
| special risk | pledged shares | | above 30 %, two above 50 % |
| | goodwill to equity | | above 30 %, two above 50 % |
| | unlocks within 30 days, of the free float | | above 5 %, two above 15 % |
| | special treatment (ST) | | two |
| | inquiry or reduction within the last 30 days | | each kind |

A missing figure counts nothing. Fundamental: strength is 0.3 x |points|, environment 0.18 x |points|, at most
0.9, so that one figure alone says little. Policy and special risk only warn: 0.3 + 0.2 x points, at most 0.9.
Confidence is 0.64 + 0.03 for each known point, at most 0.79. These numbers are a rule of thumb, not an
estimate from data.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

Results = Mapping[str, Mapping[str, Any]]
FUNDAMENTAL_STEP, ENVIRONMENT_STEP, MOST_STRENGTH = 0.3, 0.18, 0.9
WARNING_BASE, WARNING_STEP = 0.3, 0.2
CONFIDENCE, CONFIDENCE_STEP, MOST_CONFIDENCE = 0.64, 0.03, 0.79
SOON, RECENT, SPECIAL_DAYS = 30, 30, 10


def fundamental(request: Mapping[str, Any], results: Results) -> dict[str, Any]:
    """Valuation, profitability, growth and debt."""
    known = values(results, "get_fundamentals")
    against = data(results, "get_fundamentals").get("against_industry", {})
    pe, eps = known.get("pe_ttm"), known.get("eps")
    points = [
        _below(_ratio(against, "pe_ttm"), 0.8, 1.5),
        _loss(eps if eps is not None else pe),
        _above(known.get("roe"), 0.03, 0.12, strict_low=True),
        _above(known.get("profit_growth"), -0.10, 0.10),
        _limit(_ratio(against, "debt_to_assets"), 1.3),
    ]
    figures = {
        "pe": _shown(pe),
        "roe": _share(known.get("roe")),
        "growth": _percent(known.get("profit_growth")),
    }
    text = "基本面计分 {points}（{known} 项已知）：市盈率 {pe}，净资产收益率 {roe}，利润增长 {growth}"
    evidence = cited(results, "get_fundamentals", "get_industry", "get_holdings")
    return _counted(points, FUNDAMENTAL_STEP, text, figures, evidence)


def environment(request: Mapping[str, Any], results: Results) -> dict[str, Any]:
    """The market's points; breadth alone where the market's own figures are missing."""
    found = data(results, "get_environment")
    breadth = data(results, "get_market").get("breadth")
    points: Sequence[int | None] = list(found.get("phase_points", {}).values())
    figures = {"breadth": _share(breadth)}
    if points:
        text = "市场环境计分 {points}（{known} 项已知）：宽度 {breadth}，阶段 {phase}"
        figures["phase"] = str(found.get("phase", "—"))
    else:
        points = [_above(breadth, 0.4, 0.6)]
        text = "市场环境计分 {points}（{known} 项已知）：宽度 {breadth}"
    evidence = cited(results, "get_market", "get_environment", "get_index")
    return _counted(points, ENVIRONMENT_STEP, text, figures, evidence)


def policy(request: Mapping[str, Any], results: Results) -> dict[str, Any]:
    """Special days ahead. Nobody here reads a text, so a number of texts says nothing for or against."""
    days = data(results, "get_calendar")
    rows = days.get("events", ())
    near = {
        row[0]
        for row, ahead in zip(rows, days.get("days_ahead", ()), strict=False)
        if ahead <= SPECIAL_DAYS and row[0] in ("suspension", "regulator_inquiry")
    }
    counts = data(results, "get_policy").get("policy_texts", ())
    figures = {"texts": str(sum(each["count"] for each in counts)), "days": str(len(rows))}
    text = "政策文件 {texts} 条，不读原文不作方向判断；日程 {days} 项，其中临近的特殊事项 {points} 类"
    return _warning(len(near), text, figures, cited(results, "get_policy", "get_calendar"))


def special_risk(request: Mapping[str, Any], results: Results) -> dict[str, Any]:
    """Pledges, goodwill, unlocks, special treatment, inquiries and reductions."""
    found, known = data(results, "get_special_risk"), values(results, "get_special_risk")
    today = date.fromisoformat(str(request["now"])[:10])
    goodwill = known.get("goodwill_to_equity", (found.get("goodwill_to_equity_derived") or {}).get("value"))
    unlocked = sum(
        each["of_float"] or 0.0
        for each in found.get("unlocks", ())
        if 0 <= (date.fromisoformat(each["on"]) - today).days <= SOON
    )
    recent = {
        row[0]
        for row in found.get("events", {}).get("events", ())
        if row[0] in ("regulator_inquiry", "holder_reduction")
        and 0 <= (today - date.fromisoformat(row[1])).days <= RECENT
    }
    points = _steps(known.get("pledge_ratio"), 0.3, 0.5) + _steps(goodwill, 0.3, 0.5)
    points += _steps(unlocked, 0.05, 0.15) + len(recent) + 2 * bool(found.get("special_treatment"))
    figures = {
        "pledge": _share(known.get("pledge_ratio")),
        "goodwill": _share(goodwill),
        "unlocked": _share(unlocked),
    }
    text = "特殊风险计分 {points}：质押 {pledge}，商誉占净资产 {goodwill}，30 日内解禁占流通 {unlocked}"
    return _warning(points, text, figures, cited(results, "get_special_risk", "get_calendar"))


RULES: Mapping[str, Callable[[Mapping[str, Any], Results], dict[str, Any]]] = {
    "fundamental_analyst": fundamental,
    "environment_analyst": environment,
    "policy_analyst": policy,
    "risk_analyst": special_risk,
}


def data(results: Results, tool: str) -> Mapping[str, Any]:
    """A tool's data, empty where it was not called or failed."""
    found: Mapping[str, Any] = results.get(tool, {}).get("data", {})
    return found


def values(results: Results, tool: str) -> dict[str, float]:
    """The named values in a tool's table."""
    return {row[0]: row[1] for row in data(results, tool).get("values", ())}


def cited(results: Results, *tools: str) -> list[str]:
    """Evidence ids of tools that answered."""
    return [results[tool]["evidence_id"] for tool in tools if "evidence_id" in results.get(tool, {})]


def _counted(
    points: Sequence[int | None], step: float, text: str, figures: dict[str, str], evidence: list[str]
) -> dict[str, Any]:
    known = [point for point in points if point is not None]
    total = sum(known)
    stance = "BULLISH" if total > 0 else "BEARISH" if total < 0 else "NEUTRAL"
    figures = {"points": f"{total:+d}", "known": str(len(known)), **figures}
    strength = min(MOST_STRENGTH, step * abs(total))
    return _finding(stance, strength, len(known), text, figures, evidence)


def _warning(points: int, text: str, figures: dict[str, str], evidence: list[str]) -> dict[str, Any]:
    strength = min(MOST_STRENGTH, WARNING_BASE + WARNING_STEP * points) if points else 0.0
    stance = "BEARISH" if points else "NEUTRAL"
    return _finding(stance, strength, points, text, {"points": str(points), **figures}, evidence)


def _finding(
    stance: str, strength: float, known: int, text: str, figures: dict[str, str], evidence: list[str]
) -> dict[str, Any]:
    return {
        "stance": stance,
        "strength": round(strength, 4),
        "confidence": round(min(MOST_CONFIDENCE, CONFIDENCE + CONFIDENCE_STEP * known), 4),
        "text": text,
        "figures": figures,
        "evidence": evidence,
    }


def _ratio(against: Mapping[str, Any], name: str) -> float | None:
    ratio: float | None = against.get(name, {}).get("ratio")
    return ratio


def _below(value: float | None, low: float, high: float) -> int | None:
    return None if value is None else (value <= low) - (value > high)


def _above(value: float | None, low: float, high: float, *, strict_low: bool = False) -> int | None:
    if value is None:
        return None
    return (value >= high) - (value < low if strict_low else value <= low)


def _limit(value: float | None, most: float) -> int | None:
    return None if value is None else -(value > most)


def _loss(value: float | None) -> int | None:
    """A loss counts against; a profit alone is no point for, and none at all."""
    return -1 if value is not None and value <= 0 else None


def _steps(value: float | None, first: float, second: float) -> int:
    return 0 if value is None else (value > first) + (value > second)


def _shown(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f}"


def _share(value: float | None) -> str:
    """A ratio in percent, without the sign that a change has."""
    return "—" if value is None else f"{value * 100:.1f}%"


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{value * 100:+.1f}%"
