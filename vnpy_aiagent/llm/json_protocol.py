"""Tool calls and typed answers as plain JSON text, for servers without native ones.

The prompt asks for one JSON object, either of

    {"tool_calls": [{"name": "get_bars", "arguments": {"symbol": "600519.SSE"}}]}
    {"answer": {...}}

and what comes back is read leniently: fences, prose around the object, a bare call and a bare answer pass.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from vnpy_aiagent.domain import without_surrogates
from vnpy_aiagent.errors import ModelNonsense
from vnpy_aiagent.llm.port import ChatMessage, ModelRequest, ToolCall, ToolSpec

FENCE = re.compile(r"```(?:json)?[ \t\r]*\n(.*?)```", re.DOTALL)
CALL_BEGIN, CALL_END = "<tool_call>", "</tool_call>"
MAX_STARTS = 64

TOOLS_PROMPT = """You can call tools. Answer with exactly one JSON object and nothing else, either
{{"tool_calls": [{{"name": "<tool>", "arguments": {{...}}}}]}}
to call one or more tools, or, once you know enough,
{{"answer": {answer}}}
Tools, each with the JSON schema of its arguments:
{tools}"""

ANSWER_PROMPT = """Answer with exactly one JSON object and nothing else. It follows this JSON schema:
{schema}"""


def extract_json(text: str) -> dict[str, Any] | None:
    """The JSON object in a text: the whole, a fenced block, or the first one inside prose; else None."""
    for candidate in _candidates(text):
        value = parse_json(candidate)
        if isinstance(value, dict):
            return value
    return _first_object(text)


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text; None where it is none. NaN and infinities are no JSON.

    A lone surrogate, which an escape can name, becomes U+FFFD: nothing here could send or store it.
    """
    try:
        return _encodable(json.loads(text, parse_constant=_refuse_constant))
    except (ValueError, RecursionError):
        return None


def prompt_for_tools(tools: Sequence[ToolSpec], answer_schema: dict[str, Any] | None) -> str:
    """The instruction that stands in for native tools."""
    listed = "\n".join(
        dump({"name": tool.name, "description": tool.description, "arguments": tool.parameters})
        for tool in tools
    )
    answer = f"<object of this JSON schema: {dump(answer_schema)}>" if answer_schema else '"<your answer>"'
    return TOOLS_PROMPT.format(answer=answer, tools=listed)


def prompt_for_answer(schema: dict[str, Any]) -> str:
    """The instruction that stands in for a response format."""
    return ANSWER_PROMPT.format(schema=dump(schema))


def protocol_schema(answer_schema: dict[str, Any] | None) -> dict[str, Any]:
    """JSON schema of the protocol's own object; definitions of the answer move to the root."""
    answer = dict(answer_schema) if answer_schema else {"type": "string"}
    definitions = answer.pop("$defs", None)
    call = _closed_object({"name": {"type": "string"}, "arguments": {"type": "object"}})
    calls = _closed_object({"tool_calls": {"type": "array", "items": call, "minItems": 1}})
    schema: dict[str, Any] = {"anyOf": [calls, _closed_object({"answer": answer})]}
    if definitions:
        schema["$defs"] = definitions
    return schema


def flatten_conversation(messages: Sequence[ChatMessage]) -> tuple[ChatMessage, ...]:
    """The conversation without tool messages: calls as the protocol's JSON, results as the user's words."""
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    flat: list[ChatMessage] = []
    results: list[str] = []
    for message in messages:
        if message.role == "tool":
            name = names.get(message.tool_call_id or "", "a tool")
            results.append(f"Result of {name}:\n{message.content}")
            continue
        if results and message.role == "user":
            results.append(message.content)
            continue
        flat += _as_user(results)
        results = []
        flat.append(_without_calls(message))
    return (*flat, *_as_user(results))


def read_protocol(text: str, request: ModelRequest) -> tuple[str, tuple[ToolCall, ...]]:
    """Text and tool calls of a reply in the protocol. Raises ModelNonsense for a call without a name."""
    value = extract_json(text)
    if value is None:
        return text, ()
    calls = value.get("tool_calls")
    if isinstance(calls, list) and calls:
        return "", number_calls([_name_and_arguments(call) for call in calls], request)
    if "answer" in value:
        answer = value["answer"]
        return (answer if isinstance(answer, str) else dump(answer)), ()
    if _is_bare_call(value, request):
        return "", number_calls([_name_and_arguments(value)], request)
    return text, ()


def salvage_calls(text: str, request: ModelRequest) -> tuple[ToolCall, ...]:
    """Tool calls that a server with broken native tools left in the text; empty where there are none."""
    values = [parse_json(part) for part in _tagged(text)] or [parse_json(text.strip())]
    first = values[0]
    if isinstance(first, dict) and isinstance(first.get("tool_calls"), list):
        values = first["tool_calls"]
    if not values or not all(isinstance(value, dict) and _is_bare_call(value, request) for value in values):
        return ()
    return number_calls([_name_and_arguments(value) for value in values], request)


def number_calls(calls: Sequence[tuple[str, str]], request: ModelRequest) -> tuple[ToolCall, ...]:
    """Calls (name, arguments) with ids that no earlier call of the conversation has."""
    before = sum(len(message.tool_calls) for message in request.messages)
    return tuple(
        ToolCall(id=f"call_{before + place}", name=name, arguments=arguments)
        for place, (name, arguments) in enumerate(calls, start=1)
    )


def arguments_text(arguments: object) -> str:
    """Arguments as JSON text, whether the server gave text, an object or nothing."""
    if isinstance(arguments, str):
        return arguments.strip() or "{}"
    return "{}" if arguments is None else dump(arguments)


def dump(value: object) -> str:
    """Compact JSON that keeps Chinese readable."""
    return json.dumps(value, ensure_ascii=False)


def _tagged(text: str) -> list[str]:
    """What stands between tags of calls. In one pass: no text of a model can make it long."""
    parts = (part.partition(CALL_END) for part in text.split(CALL_BEGIN)[1:])
    return [inside.strip() for inside, end, _ in parts if end]


def _candidates(text: str) -> Iterator[str]:
    yield text.strip()
    yield from FENCE.findall(text)


def _first_object(text: str) -> dict[str, Any] | None:
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    start = text.find("{")
    for _ in range(MAX_STARTS):
        if start < 0:
            return None
        try:
            value = _encodable(decoder.raw_decode(text, start)[0])
        except (ValueError, RecursionError):
            start = text.find("{", start + 1)
            continue
        return value if isinstance(value, dict) else None
    return None


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return without_surrogates(value)
    if isinstance(value, list):
        return [_encodable(part) for part in value]
    if isinstance(value, dict):
        return {without_surrogates(name): _encodable(part) for name, part in value.items()}
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _closed_object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _as_user(parts: Sequence[str]) -> tuple[ChatMessage, ...]:
    return (ChatMessage(role="user", content="\n\n".join(parts)),) if parts else ()


def _without_calls(message: ChatMessage) -> ChatMessage:
    if not message.tool_calls:
        return message
    calls = [{"name": call.name, "arguments": parse_json(call.arguments)} for call in message.tool_calls]
    return ChatMessage(role="assistant", content=dump({"tool_calls": calls}))


def _is_bare_call(value: dict[str, Any], request: ModelRequest) -> bool:
    known = {tool.name for tool in request.tools}
    return value.get("name") in known and ("arguments" in value or "parameters" in value)


def _name_and_arguments(call: object) -> tuple[str, str]:
    if not isinstance(call, dict) or not isinstance(call.get("name"), str):
        raise ModelNonsense(
            "the model asked for a tool without naming it; try again or choose a model that calls tools"
        )
    return call["name"], arguments_text(call.get("arguments", call.get("parameters")))
