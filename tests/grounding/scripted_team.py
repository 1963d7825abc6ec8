"""A language model that plays the whole team by script: whoever is asked, by the schema and the task.

Analysts study with the market tools and give a strong finding; speakers hold; the judge says what the case
says. Roles that the script does not know are answered like any other of their schema.
"""

import json
from collections.abc import Callable
from typing import Any

from vnpy_aiagent.llm.port import ModelReply, ModelRequest, ToolCall

STUDY: tuple[tuple[str, dict[str, Any]], ...] = (
    ("get_quote", {}),
    ("get_indicators", {"interval": "DAILY"}),
    ("get_bars", {"interval": "DAILY", "count": 20}),
    ("get_market", {}),
    ("get_accounts", {}),
)
STUDENT = "technical_analyst"
Writer = Callable[[dict[str, Any]], str]


class ScriptedTeam:
    """A model port. `judge` and `finding` write the answers of the judge and the technical analyst."""

    name = "scripted"
    is_llm = True

    def __init__(self, judge: Writer, finding: Writer | None = None, *, all_speak: bool = False) -> None:
        """Without a `finding` the analysts say what makes the decision one that is at stake.

        With `all_speak` every speaker's answer is written by `judge`, who reads the `role` in its facts.
        """
        self._judge = judge
        self._all_speak = all_speak
        self._finding = finding
        self._first_weight: float | None = None
        self._moment = ""
        self._seen: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []

    def before(self, weight: float) -> None:
        """Buy so much on the first OPEN request; the judge's answer is that of the request after it."""
        self._first_weight = weight

    def complete(self, request: ModelRequest) -> ModelReply:
        """Answer as the role that is asked."""
        self.asked.append(request.task)
        facts = facts_in(request)
        self._note(request, facts)
        if request.schema_name == "FindingAnswer":
            return self._study(request, facts)
        if request.schema_name != "PlanAnswer":
            return ModelReply(text="{}")
        known = {each["evidence_id"]: each for each in facts.get("evidence", [])}
        return ModelReply(
            text=self._speak(request.task, facts | {"evidence": [*(self._seen | known).values()]})
        )

    def close(self) -> None:
        """Nothing to close."""

    def _note(self, request: ModelRequest, facts: dict[str, Any]) -> None:
        """Remember the decision's evidence: a speaker may cite what only an analyst was shown."""
        moment = facts.get("request", {}).get("now", "")
        if moment != self._moment:
            self._moment, self._seen = moment, {}
        names = {call.id: call.name for message in request.messages for call in message.tool_calls}
        told = [(m.tool_call_id, json.loads(m.content)) for m in request.messages if m.role == "tool"]
        results = [{**content, "tool": names[place or ""]} for place, content in told]
        for each in (*facts.get("evidence", []), *results):
            if "evidence_id" in each:
                self._seen[each["evidence_id"]] = each

    def _study(self, request: ModelRequest, facts: dict[str, Any]) -> ModelReply:
        names = {tool.name for tool in request.tools}
        called = any(message.role == "tool" for message in request.messages)
        calls = [(name, arguments) for name, arguments in STUDY if name in names]
        if request.task == STUDENT and calls and not called:
            return ModelReply(
                tool_calls=tuple(
                    ToolCall(id=f"c{number}", name=name, arguments=json.dumps(arguments))
                    for number, (name, arguments) in enumerate(calls)
                )
            )
        cited = evidence_ids(request)
        known = {"request": facts.get("request", {}), "cited": cited}
        if request.task == STUDENT and self._finding is not None:
            return ModelReply(text=self._finding(known))
        return ModelReply(text=json.dumps(strong_finding(known)))

    def _speak(self, task: str, facts: dict[str, Any]) -> str:
        if self._first_weight is not None and facts["request"]["kind"] == "OPEN":
            return json.dumps(first_buy(facts, self._first_weight))
        if task == "judge" or self._all_speak:
            return self._judge({**facts, "role": task})
        return json.dumps(hold(facts))


def strong_finding(known: dict[str, Any]) -> dict[str, Any]:
    """Bullish for an entry, bearish for a holding: what brings the judge to speak."""
    held = known["request"].get("kind") != "OPEN"
    return {
        "stance": "BEARISH" if held else "BULLISH",
        "strength": 0.95,
        "confidence": 0.9,
        "text": "as scripted",
        "evidence": known["cited"],
    }


def hold(facts: dict[str, Any]) -> dict[str, Any]:
    """A plan that changes nothing."""
    cited = [each["evidence_id"] for each in facts.get("evidence", [])][:1]
    return {
        "symbol": facts["request"]["symbol"],
        "stance": "NEUTRAL",
        "action": "HOLD",
        "confidence": 0.9,
        "argument": {"text": "as scripted", "evidence": cited},
    }


def first_buy(facts: dict[str, Any], weight: float) -> dict[str, Any]:
    """The purchase of what a held situation holds."""
    return hold(facts) | {
        "stance": "BULLISH",
        "action": "BUY",
        "target_weight": weight,
        "entry": {"basis": "LAST", "offset": 0.0},
        "stop": {"basis": "ENTRY", "offset": -12.0},
    }


def facts_in(request: ModelRequest) -> dict[str, Any]:
    """The JSON of the first user message, an empty object where it is none."""
    content = next(message.content for message in request.messages if message.role == "user")
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def evidence_ids(request: ModelRequest) -> list[str]:
    """Ids of the evidence that the conversation shows: in the first message, and in tool results."""
    found = [each["evidence_id"] for each in facts_in(request).get("evidence", [])]
    for message in request.messages:
        if message.role == "tool":
            content = json.loads(message.content)
            if isinstance(content, dict) and "evidence_id" in content:
                found.append(content["evidence_id"])
    return list(dict.fromkeys(found))


def evidence_of(facts: dict[str, Any], tool: str) -> str | None:
    """The id of a tool's evidence among a speaker's facts; of daily bars the longest table."""
    found = [each for each in facts.get("evidence", []) if each["tool"] == tool]
    if tool in ("get_bars", "get_indicators"):
        found = [each for each in found if each["data"].get("interval") == "DAILY"]
    found.sort(key=lambda each: -len(each["data"].get("rows", [])))
    name: str | None = found[0]["evidence_id"] if found else None
    return name
