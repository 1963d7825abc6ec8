"""The offline analyst's technical finding: points for and against, counted from indicators.

| point | for (+1) | against (-1) |
| --- | --- | --- |
| trend | close above the 20-day mean | below |
| structure | 20-day mean above the 60-day mean | below |
| momentum | MACD histogram positive | negative |
| return over 20 days | above +2 % | below -2 % |
| volume | ratio above 1.2 on a rising week | ratio above 1.2 on a falling week |
| RSI | below 25 | above 75 |

Strength is 0.25 + |points| x 0.15, at most 1; confidence 0.52 + |points| x 0.03, changed by what confirmed
lessons of the same setup and regime say. These numbers are a rule of thumb, not an estimate from data.
"""

from typing import Any

STRENGTH_BASE, STRENGTH_STEP = 0.25, 0.15
CONFIDENCE_BASE, CONFIDENCE_STEP = 0.52, 0.03


def find(request: dict[str, Any], results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A FindingAnswer as JSON."""
    indicators = _data(results, "get_indicators")
    cited = [result["evidence_id"] for result in results.values() if "evidence_id" in result]
    if indicators is None or _data(results, "get_quote") is None:
        return {
            "stance": "NEUTRAL",
            "strength": 0.0,
            "confidence": 0.0,
            "text": "缺少行情或指标，不作判断",
            "evidence": cited,
        }
    market = _data(results, "get_market") or {}
    points = count_points(indicators)
    adjustment = lesson_adjustment(
        _data(results, "get_learnings"), request["setup"], market.get("regime", "")
    )
    stance = "BULLISH" if points > 0 else "BEARISH" if points < 0 else "NEUTRAL"
    strength = min(1.0, STRENGTH_BASE + abs(points) * STRENGTH_STEP) if points else 0.0
    confidence = CONFIDENCE_BASE + abs(points) * CONFIDENCE_STEP + adjustment
    return {
        "stance": stance,
        "strength": round(strength, 4),
        "confidence": round(min(0.95, max(0.0, confidence)), 4),
        "text": "规则计分 {points}：收盘 {close}，20日均线 {sma20}，60日均线 {sma60}，RSI {rsi14}，"
        "20日涨幅 {return20}，经验调整 {adjustment}",
        "figures": {
            "points": f"{points:+d}",
            "close": _shown(indicators["close"]),
            "sma20": _shown(indicators["sma20"]),
            "sma60": _shown(indicators["sma60"]),
            "rsi14": _shown(indicators["rsi14"], 1),
            "return20": _percent(indicators["return20"]),
            "adjustment": f"{adjustment:+.3f}",
        },
        "evidence": cited,
    }


def count_points(indicators: dict[str, Any]) -> int:
    """Points for less points against; an indicator that is missing counts nothing."""
    close, sma20, sma60 = indicators["close"], indicators["sma20"], indicators["sma60"]
    points = _sign(close, sma20) + _sign(sma20, sma60) + _sign(indicators["macd_histogram"], 0.0)
    points += _outside(indicators["return20"], -0.02, 0.02)
    if (indicators["volume_ratio"] or 0.0) > 1.2:
        points += _sign(indicators["return5"], 0.0)
    return points - _outside(indicators["rsi14"], 25.0, 75.0)


def lesson_adjustment(learnings: dict[str, Any] | None, setup: str, regime: str) -> float:
    """What confirmed lessons of this setup and regime add to confidence (a ratio)."""
    if learnings is None:
        return 0.0
    return float(
        sum(
            lesson["adjustment"]
            for lesson in learnings["learnings"]
            if lesson["confirmed"] and lesson["setup"] == setup and lesson["regime"] == regime
        )
    )


def _data(results: dict[str, dict[str, Any]], tool: str) -> dict[str, Any] | None:
    result = results.get(tool, {})
    data: dict[str, Any] | None = result.get("data")
    return data


def _sign(value: float | None, reference: float | None) -> int:
    if value is None or reference is None:
        return 0
    return (value > reference) - (value < reference)


def _outside(value: float | None, low: float, high: float) -> int:
    if value is None:
        return 0
    return (value > high) - (value < low)


def _shown(value: float | None, digits: int = 3) -> str:
    return "—" if value is None else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{value * 100:+.1f}%"
