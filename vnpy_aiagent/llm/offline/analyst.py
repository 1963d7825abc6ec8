"""The port: reads the conversation as any model would, calls the same tools, answers in the same schemas."""

import json
from typing import Any

from vnpy_aiagent.errors import ModelNonsense
from vnpy_aiagent.llm.offline.findings import find
from vnpy_aiagent.llm.offline.other_findings import RULES
from vnpy_aiagent.llm.offline.plans import plan_held, plan_open
from vnpy_aiagent.llm.offline.speech import Speech
from vnpy_aiagent.llm.port import ModelReply, ModelRequest, ToolCall, Usage

OFFLINE_NAME = "offline-analyst (rules, no language model)"
STUDY: tuple[tuple[str, dict[str, Any]], ...] = (
    ("get_quote", {}),
    ("get_indicators", {"interval": "DAILY"}),
    ("get_bars", {"interval": "DAILY", "count": 20}),
    ("get_learnings", {}),
    ("get_accounts", {}),
)
"""What the technical analyst calls for where nothing was fetched for it."""


class OfflineAnalyst:
    """Deterministic rules over tool results. No network, no key, no tokens, no cost."""

    name = OFFLINE_NAME
    is_llm = False

    def complete(self, request: ModelRequest) -> ModelReply:
        """Answer one request; raises ModelNonsense for a conversation that it has no rules for."""
        facts = self._facts(request)
        if request.task == "technical_analyst":
            results = self._results(request, facts)
            if not results and request.tools:
                return self._study(request)
            answer = find(facts["request"], results)
        elif request.task in RULES:
            answer = RULES[request.task](facts["request"], self._results(request, facts))
        elif request.task in ("aggressive", "conservative", "judge"):
            speech = Speech(request.task, facts)
            answer = plan_open(speech) if speech.position is None else plan_held(speech)
        else:
            raise ModelNonsense(f"the offline analyst has no rules for the task {request.task!r}")
        return self._reply(text=json.dumps(answer, ensure_ascii=False))

    def close(self) -> None:
        """Nothing to close."""

    def _facts(self, request: ModelRequest) -> dict[str, Any]:
        first = next(message for message in request.messages if message.role == "user")
        facts: dict[str, Any] = json.loads(first.content)
        return facts

    def _results(self, request: ModelRequest, facts: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Tool results by tool name, fetched and called for: {name: {"evidence_id", "data"}}."""
        results: dict[str, dict[str, Any]] = {each["tool"]: each for each in facts.get("evidence", ())}
        names = {call.id: call.name for message in request.messages for call in message.tool_calls}
        for message in request.messages:
            if message.role == "tool" and message.tool_call_id:
                results[names[message.tool_call_id]] = json.loads(message.content)
        return results

    def _study(self, request: ModelRequest) -> ModelReply:
        known = {tool.name for tool in request.tools}
        calls = tuple(
            ToolCall(id=f"call_{number}", name=name, arguments=json.dumps(arguments))
            for number, (name, arguments) in enumerate(STUDY, 1)
            if name in known
        )
        return self._reply(tool_calls=calls)

    def _reply(self, text: str = "", tool_calls: tuple[ToolCall, ...] = ()) -> ModelReply:
        return ModelReply(
            text=text,
            tool_calls=tool_calls,
            usage=Usage(calls=1),
            model=self.name,
            finish_reason="tool_calls" if tool_calls else "stop",
        )
