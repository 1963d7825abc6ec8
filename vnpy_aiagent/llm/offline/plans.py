"""The offline analyst's plans: one temperament a speaker, fixed rules over the finding and the position."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Temperament:
    """How a speaker trades. ATR multiples and percents are of price; ratios 0..1."""

    confidence_shift: float
    min_confidence: float
    weight: float
    stop_atr: float
    exit_strength: float
    tighten_after: float
    trail: float


TEMPERAMENTS = {
    "aggressive": Temperament(0.02, 0.55, 1.2, 3.0, 0.7, 0.10, 9.0),
    "conservative": Temperament(-0.02, 0.65, 1.0, 2.0, 0.4, 0.05, 5.0),
    "judge": Temperament(0.0, 0.60, 1.0, 2.5, 0.55, 0.08, 7.0),
}
SWING_STOP, SWING_TARGET, SWING_SESSIONS = -8.0, 15.0, 10
LARGEST_ATR_STOP = 0.12
SMALL_PART = 0.6


class Speech:
    """What a speaker knows, taken apart."""

    def __init__(self, role: str, facts: dict[str, Any]) -> None:
        """`facts` is the JSON of the speaker's user message."""
        self.role = role
        self.temper = TEMPERAMENTS[role]
        self.request: dict[str, Any] = facts["request"]
        self.finding: dict[str, Any] = facts["finding"]
        self.account: dict[str, Any] | None = facts["account"]
        self.position: dict[str, Any] | None = (self.account or {}).get("position")
        self.debate: Sequence[dict[str, Any]] = facts["debate"]
        self.evidence: dict[str, dict[str, Any]] = {e["tool"]: e for e in facts["evidence"]}

    @property
    def confidence(self) -> float:
        """The finding's confidence as this temperament takes it; the judge hears the others."""
        own = float(self.finding["confidence"]) + self.temper.confidence_shift
        if self.role == "judge" and self.debate:
            heard = sum(turn["confidence"] for turn in self.debate) / len(self.debate)
            own = (own + heard) / 2
        return round(min(1.0, max(0.0, own)), 4)

    def data(self, tool: str) -> dict[str, Any]:
        """A tool's data, empty where it was not called or failed."""
        data: dict[str, Any] = self.evidence.get(tool, {}).get("data", {})
        return data

    def cite(self, *tools: str) -> list[str]:
        """Evidence ids of tools that were called."""
        return [self.evidence[tool]["evidence_id"] for tool in tools if tool in self.evidence]


def plan_open(speech: Speech) -> dict[str, Any]:
    """BUY where the finding is bullish and confidence suffices, else HOLD."""
    temper, confidence = speech.temper, speech.confidence
    bullish = speech.finding["stance"] == "BULLISH"
    if not bullish or confidence < temper.min_confidence:
        return _plan(
            speech,
            "HOLD",
            "把握 {confidence} 不足 {minimum}，不开仓",
            {"confidence": _percent(confidence), "minimum": _percent(temper.min_confidence)},
        )
    cap = float((speech.account or {}).get("max_weight", 0.0)) or 0.05
    plan = _plan(
        speech,
        "BUY",
        "信号强度 {strength}，把握 {confidence}，按计划分批承担风险，止损先行",
        {"strength": f"{speech.finding['strength']:.2f}", "confidence": _percent(confidence)},
    )
    plan |= {
        "target_weight": round(min(1.0, cap * temper.weight), 4),
        "entry": {"basis": "LAST", "offset": 0.0},
        "stop": _stop(speech),
        "target": {"basis": "ENTRY", "offset": SWING_TARGET},
        "horizon_sessions": SWING_SESSIONS,
        "triggers": [
            *_support_trigger(speech),
            {
                "trigger": "PRICE_AT_OR_ABOVE",
                "price": {"basis": "ENTRY", "offset": 6.0},
                "note": "gain",
            },
            {"trigger": "TIME_AT", "sessions": SWING_SESSIONS, "note": "time"},
        ],
    }
    return plan


def plan_held(speech: Speech) -> dict[str, Any]:
    """Close, reduce, tighten or hold a position."""
    position = speech.position or {}
    gain, temper = float(position["return"]), speech.temper
    bearish = speech.finding["stance"] == "BEARISH" and speech.finding["strength"] >= temper.exit_strength
    figures = {"gain": f"{gain * 100:+.1f}%", "strength": f"{speech.finding['strength']:.2f}"}
    if bearish:
        return _plan(speech, "CLOSE", "信号转空，强度 {strength}，持仓收益 {gain}，离场", figures)
    if position["sessions"] >= SWING_SESSIONS and gain < 0.02:
        return _plan(
            speech,
            "CLOSE",
            "持有已满 {sessions} 个交易日，收益 {gain}，时间止损",
            figures | {"sessions": str(position["sessions"])},
        )
    weight = float(position["weight"])
    if gain >= SWING_TARGET / 100 and weight > SMALL_PART * float((speech.account or {})["max_weight"]):
        plan = _plan(speech, "REDUCE", "收益 {gain} 达到目标，减仓一半", figures)
        plan["target_weight"] = round(weight / 2, 4)
        plan["triggers"] = _new_triggers(speech)
        return plan
    tighter = _tighter_stop(speech, gain)
    if tighter:
        plan = _plan(speech, "ADJUST", "收益 {gain}，上移止损锁定利润", figures)
        plan |= {"stop": tighter, "triggers": _new_triggers(speech)}
        return plan
    plan = _plan(speech, "HOLD", "趋势未破，收益 {gain}，继续持有", figures)
    if speech.request["kind"] == "REPLAN" or not position["triggers"]:
        plan["triggers"] = _new_triggers(speech)
    return plan


def _plan(speech: Speech, action: str, argument: str, figures: dict[str, str]) -> dict[str, Any]:
    cited = list(speech.finding["evidence"])
    plan: dict[str, Any] = {
        "symbol": speech.request["symbol"],
        "stance": speech.finding["stance"],
        "action": action,
        "confidence": speech.confidence,
        "argument": {"text": argument, "figures": figures, "evidence": cited},
        "reasons": [
            {
                "text": speech.finding["text"]["template"],
                "figures": speech.finding["text"]["figures"],
                "evidence": cited,
            }
        ],
    }
    if speech.role == "conservative":
        plan["questions"] = _questions(speech)
    return plan


def _questions(speech: Speech) -> list[dict[str, Any]]:
    """Five questions, each with a figure from the evidence."""
    indicators, quote, market = (speech.data(tool) for tool in ("get_indicators", "get_quote", "get_market"))
    learnings = speech.data("get_learnings").get("learnings", [])
    same = [lesson for lesson in learnings if lesson["setup"] == speech.request["setup"]]
    wins, losses = sum(lesson["wins"] for lesson in same), sum(lesson["losses"] for lesson in same)
    asked = [
        (
            "若跌破 20 日低点 {low}，原假设还成立吗？",
            {"low": _shown(indicators.get("low20"))},
            "get_indicators",
        ),
        ("RSI 已到 {rsi}，是否追高？", {"rsi": _shown(indicators.get("rsi14"), 1)}, "get_indicators"),
        ("市场宽度 {breadth}，大盘配合吗？", {"breadth": _percent(market.get("breadth"))}, "get_market"),
        (
            "同形态历史 {wins} 胜 {losses} 负，凭什么这次不同？",
            {"wins": str(wins), "losses": str(losses)},
            "get_learnings",
        ),
        (
            "现价 {last}，若明日低开，T+1 当日无法卖出，能承受吗？",
            {"last": _shown(quote.get("last"))},
            "get_quote",
        ),
    ]
    return [
        {"text": text, "figures": figures, "evidence": speech.cite(tool)} for text, figures, tool in asked
    ]


def _stop(speech: Speech) -> dict[str, Any]:
    """ATR multiples below the entry; the swing default where the ATR is missing or too wide."""
    atr, last = speech.data("get_indicators").get("atr14"), speech.data("get_quote").get("last")
    if atr and last and atr * speech.temper.stop_atr / last <= LARGEST_ATR_STOP:
        return {"basis": "ATR", "offset": -speech.temper.stop_atr}
    return {"basis": "ENTRY", "offset": SWING_STOP}


def _support_trigger(speech: Speech) -> list[dict[str, Any]]:
    """Look again where the 20-day mean breaks, if it lies clearly between the stop and the price."""
    sma20, last = speech.data("get_indicators").get("sma20"), speech.data("get_quote").get("last")
    if not sma20 or not last or not 0.94 * last < sma20 < 0.99 * last:
        return []
    price = {
        "basis": "LEVEL",
        "offset": 0.0,
        "level": sma20,
        "evidence": speech.cite("get_indicators")[0],
    }
    return [{"trigger": "PRICE_AT_OR_BELOW", "price": price, "note": "sma20"}]


def _new_triggers(speech: Speech) -> list[dict[str, Any]]:
    """One-shot triggers are gone once fired, so a plan that goes on sets new ones around the last price."""
    return [
        {"trigger": "PRICE_AT_OR_ABOVE", "price": {"basis": "LAST", "offset": 6.0}, "note": "gain"},
        {"trigger": "PRICE_AT_OR_BELOW", "price": {"basis": "LAST", "offset": -4.0}, "note": "fall"},
        {"trigger": "TIME_AT", "sessions": 5, "note": "time"},
    ]


def _tighter_stop(speech: Speech, gain: float) -> dict[str, Any] | None:
    last = speech.data("get_quote").get("last")
    stop = (speech.position or {}).get("stop")
    if gain < speech.temper.tighten_after or not last:
        return None
    wanted = last * (1 - speech.temper.trail / 100)
    if stop is not None and wanted <= stop * 1.01:
        return None
    return {"basis": "LAST", "offset": -speech.temper.trail}


def _shown(value: float | None, digits: int = 3) -> str:
    return "—" if value is None else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{value * 100:.1f}%"
