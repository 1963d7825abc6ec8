"""The offline analyst's plans: one temperament a speaker, fixed rules over the finding and the position."""

from typing import Any

from vnpy_aiagent.llm.offline.questions import questions, replies
from vnpy_aiagent.llm.offline.speech import HISTORY, Speech, history_adjustment, percent

SWING_STOP, SWING_TARGET, SWING_SESSIONS = -8.0, 15.0, 10
LARGEST_ATR_STOP = 0.12
SMALL_PART = 0.6
MAX_REASONS, MAX_CITED = 8, 20


def plan_open(speech: Speech) -> dict[str, Any]:
    """BUY where the finding is bullish and confidence suffices, else HOLD."""
    temper, confidence = speech.temper, speech.confidence
    bullish = speech.finding["stance"] == "BULLISH"
    if not bullish or confidence < temper.min_confidence:
        return _plan(
            speech,
            "HOLD",
            "把握 {confidence} 不足 {minimum}，不开仓",
            {"confidence": percent(confidence), "minimum": percent(temper.min_confidence)},
        )
    cap = float((speech.account or {}).get("max_weight", 0.0)) or 0.05
    plan = _plan(
        speech,
        "BUY",
        "信号强度 {strength}，把握 {confidence}，按计划分批承担风险，止损先行",
        {"strength": f"{speech.finding['strength']:.2f}", "confidence": percent(confidence)},
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
    cited = [*speech.finding["evidence"], *speech.cite(HISTORY)][-MAX_CITED:]
    plan: dict[str, Any] = {
        "symbol": speech.request["symbol"],
        "stance": speech.finding["stance"],
        "action": action,
        "confidence": speech.confidence,
        "argument": {"text": argument, "figures": figures, "evidence": cited},
        "reasons": [*_history(speech), *(_reason(each) for each in speech.findings or (speech.finding,))][
            :MAX_REASONS
        ],
        "replies": replies(speech),
    }
    if speech.role == "conservative":
        plan["questions"] = questions(speech)
    return plan


def _reason(finding: dict[str, Any]) -> dict[str, Any]:
    text = finding["text"]
    return {"text": text["template"], "figures": text["figures"], "evidence": finding["evidence"]}


def _history(speech: Speech) -> list[dict[str, Any]]:
    """What the quant found, where it was heard."""
    history = speech.data(HISTORY)
    if not history:
        return []
    if "hit_rate" not in history:
        text, figures = "历史相似情形只有 {samples} 次，不作依据", {"samples": str(history["samples"])}
    else:
        text = "历史相似情形 {samples} 次，胜率 {rate}，平均收益 {mean}，把握调整 {adjustment}"
        figures = {
            "samples": str(history["samples"]),
            "rate": percent(history["hit_rate"]),
            "mean": percent(history["mean_return"]),
            "adjustment": f"{history_adjustment(history):+.3f}",
        }
    return [{"text": text, "figures": figures, "evidence": speech.cite(HISTORY)}]


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
