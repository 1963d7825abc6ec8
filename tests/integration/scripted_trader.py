"""A scripted language model: calls tools, buys what it is asked to open, closes what it must replan."""

import json
from typing import Any

from vnpy_aiagent.testing.model_server import Body, text_reply, tool_reply


def trade(body: Body) -> Body:
    """Answer one completion request of the brain as a sensible model would."""
    facts = json.loads(body["messages"][1]["content"])
    if "finding" in facts:
        return text_reply(json.dumps(_plan(facts)))
    results = [json.loads(m["content"]) for m in body["messages"] if m["role"] == "tool"]
    if not results:
        return tool_reply(("get_quote", {}), ("get_indicators", {"interval": "DAILY"}))
    evidence = [result["evidence_id"] for result in results if "evidence_id" in result]
    manage = facts["request"]["kind"] == "MANAGE"
    finding = {
        "stance": "NEUTRAL" if manage else "BULLISH",
        "strength": 0.9,
        "confidence": 0.8,
        "text": "as scripted",
        "evidence": evidence,
    }
    return text_reply(json.dumps(finding))


def _plan(facts: dict[str, Any]) -> dict[str, Any]:
    kind = facts["request"]["kind"]
    evidence = [item["evidence_id"] for item in facts["evidence"]][:1]
    plan: dict[str, Any] = {
        "symbol": facts["request"]["symbol"],
        "stance": "BULLISH",
        "action": "HOLD",
        "confidence": 0.8,
        "argument": {"text": "as scripted", "evidence": evidence},
    }
    if kind == "OPEN" and facts["account"] is not None:
        plan |= {
            "action": "BUY",
            "target_weight": 0.05,
            "entry": {"basis": "LAST", "offset": 0},
            "stop": {"basis": "ENTRY", "offset": -3},
            "triggers": [
                {
                    "trigger": "PRICE_AT_OR_ABOVE",
                    "price": {"basis": "ENTRY", "offset": 1},
                    "note": "up one percent",
                }
            ],
        }
    elif kind == "REPLAN":
        plan |= {"action": "CLOSE", "stance": "BEARISH"}
    return plan
