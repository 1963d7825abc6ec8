"""Chat completions on the wire: a request as JSON body, a JSON body as reply.

Servers that call themselves OpenAI-compatible differ in what they take. `Dialect` is what is known of one
server; `adapt` learns from the sentence of its refusal.
"""

import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from vnpy_aiagent.errors import ModelNonsense, ModelRefused, NoModelApi
from vnpy_aiagent.llm.json_protocol import (
    arguments_text,
    dump,
    extract_json,
    flatten_conversation,
    number_calls,
    parse_json,
    prompt_for_answer,
    prompt_for_tools,
    protocol_schema,
    read_protocol,
    salvage_calls,
)
from vnpy_aiagent.llm.port import ChatMessage, ModelReply, ModelRequest, ToolCall, Usage
from vnpy_aiagent.llm.pricing import TokenPrice, estimate_prompt, estimate_tokens
from vnpy_aiagent.llm.streamed import MOST_CALLS

Structured = Literal["json_schema", "json_object", "prompt"]
STEP_DOWN: dict[Structured, Structured] = {"json_schema": "json_object", "json_object": "prompt"}

FORMAT_WORDS = ("response_format", "json_schema", "json_object", "grammar", "structured output", "guided")
TOOL_WORDS = ("tool", "function")
USAGE_WORDS = ("stream_options", "include_usage")
LENGTH_WORDS = ("context length", "context_length", "context size", "maximum context", "too many tokens")
MOST_TEXT = 200_000
"""Characters of one answer: a model that writes more went mad."""
MOST_TOKENS = 100_000_000
"""No prompt or answer has as many; a server that says so did not count."""
THOUGHT = re.compile(r"^\s*<think>(.*?)</think>\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one server takes."""

    structured: Structured = "json_schema"
    native_tools: bool = True
    limit_name: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    temperature: bool = True
    seed: bool = True
    reasoning: bool = False
    stream: bool = False
    stream_usage: bool = True


def adapt(dialect: Dialect, body: dict[str, Any], complaint: str) -> Dialect | None:
    """The dialect that avoids what the server complained about, or None where nothing can be changed."""
    text = complaint.lower()
    if any(word in text for word in LENGTH_WORDS):
        return None
    about_format = "response_format" in body and any(word in text for word in FORMAT_WORDS)
    about_tools = "tools" in body and any(word in text for word in TOOL_WORDS)
    remedies: tuple[tuple[bool, dict[str, Any]], ...] = (
        ("reasoning_content" in text and not dialect.reasoning, {"reasoning": True}),
        ("max_completion_tokens" in text and "max_tokens" in body, {"limit_name": "max_completion_tokens"}),
        ("temperature" in text and "temperature" in body, {"temperature": False}),
        ("seed" in text and "seed" in body, {"seed": False}),
        (any(word in text for word in USAGE_WORDS) and "stream_options" in body, {"stream_usage": False}),
        ("stream" in text and "stream" in body, {"stream": False}),
        (about_format, {"structured": STEP_DOWN.get(dialect.structured, "prompt")}),
        (about_tools, {"native_tools": False}),
    )
    return next((replace(dialect, **change) for applies, change in remedies if applies), None)


def build_body(request: ModelRequest, model: str, dialect: Dialect) -> dict[str, Any]:
    """The JSON body of POST /chat/completions. The task label is not in it."""
    in_prompt = bool(request.tools) and not dialect.native_tools
    messages = flatten_conversation(request.messages) if in_prompt else request.messages
    instruction, schema = _instruction_and_schema(request, dialect, in_prompt)
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(item, dialect) for item in _with_instruction(messages, instruction)],
        dialect.limit_name: request.max_tokens,
    }
    if dialect.temperature:
        body["temperature"] = request.temperature
    if dialect.seed and request.seed is not None:
        body["seed"] = request.seed
    if request.tools and not in_prompt:
        body["tools"] = [{"type": "function", "function": tool.model_dump()} for tool in request.tools]
    if schema is not None and dialect.structured != "prompt":
        body["response_format"] = _response_format(request.schema_name, schema, dialect.structured)
    if dialect.stream:
        body["stream"] = True
        if dialect.stream_usage:
            body["stream_options"] = {"include_usage": True}
    return body


def read_reply(
    data: object, request: ModelRequest, *, model: str, dialect: Dialect, price: TokenPrice | None
) -> ModelReply:
    """The reply in a response body.

    Raises ModelNonsense where the body is no completion or holds no answer, ModelRefused where the model
    or the server's filter declined.
    """
    choice = _first_choice(data)
    message = choice["message"]
    finish = str(choice.get("finish_reason") or "stop")
    reasoning, text = _split_thought(message)
    if len(text) > MOST_TEXT:
        raise ModelNonsense(f"the model's answer has {len(text)} characters; use another model")
    calls = _native_calls(message, request)
    if request.tools and not calls:
        text, calls = _calls_in_text(text, request, dialect)
    if len(calls) > MOST_CALLS:
        raise ModelNonsense(f"the model asked for {len(calls)} tools at once; use another model")
    if not calls:
        _check_answer(text, finish, message, request)
    reply = ModelReply(
        text=text if calls or request.answer_schema is None else _tidy(text),
        tool_calls=calls,
        model=_text_or(data, "model", model),
        finish_reason="tool_calls" if calls else finish,
        reasoning=reasoning,
    )
    return reply.model_copy(update={"usage": _usage(data, request, reply, price)})


def is_strict(schema: object) -> bool:
    """Whether a schema meets OpenAI's strict mode: closed objects that require all of their properties."""
    if isinstance(schema, list):
        return all(is_strict(part) for part in schema)
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        closed = schema.get("additionalProperties") is False
        if not closed or set(schema.get("required", [])) != set(properties):
            return False
    return all(is_strict(part) for part in schema.values())


def _instruction_and_schema(
    request: ModelRequest, dialect: Dialect, in_prompt: bool
) -> tuple[str, dict[str, Any] | None]:
    if in_prompt:
        return prompt_for_tools(request.tools, request.answer_schema), protocol_schema(request.answer_schema)
    if request.answer_schema is None:
        return "", None
    if dialect.structured == "json_schema":
        return "", request.answer_schema
    return prompt_for_answer(request.answer_schema), request.answer_schema


def _with_instruction(messages: tuple[ChatMessage, ...], instruction: str) -> tuple[ChatMessage, ...]:
    """The instruction joins the system message: many chat templates allow one, at the beginning."""
    if not instruction:
        return messages
    first = messages[0]
    if first.role != "system":
        return (ChatMessage(role="system", content=instruction), *messages)
    return (first.model_copy(update={"content": f"{first.content}\n\n{instruction}"}), *messages[1:])


def _message(message: ChatMessage, dialect: Dialect) -> dict[str, Any]:
    wire: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        wire["content"] = message.content or None
        wire["tool_calls"] = [_call(call) for call in message.tool_calls]
    if message.role == "tool":
        wire["tool_call_id"] = message.tool_call_id or ""
    if dialect.reasoning and message.role == "assistant":
        wire["reasoning_content"] = message.reasoning
    return wire


def _call(call: ToolCall) -> dict[str, Any]:
    """A call as history; servers refuse a conversation whose arguments are broken JSON."""
    arguments = call.arguments if isinstance(parse_json(call.arguments), dict) else "{}"
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _response_format(name: str, schema: dict[str, Any], structured: Structured) -> dict[str, Any]:
    if structured == "json_object":
        return {"type": "json_object"}
    safe = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64] or "answer"
    return {
        "type": "json_schema",
        "json_schema": {"name": safe, "schema": schema, "strict": is_strict(schema)},
    }


def _first_choice(data: object) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise NoModelApi(
            "the server's answer is no JSON object; check that base_url ends where the API begins"
        )
    if isinstance(data.get("error"), dict):
        said = str(data["error"].get("message", ""))[:300]
        raise ModelNonsense(f"the server answered with an error inside a success ({said}); try again later")
    choices = data.get("choices")
    if not isinstance(choices, list) or not choices:
        raise ModelNonsense("the server's answer holds no choices; try again or use another model")
    choice = choices[0]
    if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
        raise ModelNonsense("the server's answer holds no message; try again or use another model")
    return choice


def _split_thought(message: dict[str, Any]) -> tuple[str, str]:
    """Reasoning and text; local servers leave the reasoning in the text between <think> tags."""
    text = _content(message.get("content"))
    said = message.get("reasoning_content") or message.get("reasoning")
    reasoning = said if isinstance(said, str) else ""
    thought = THOUGHT.match(text)
    if thought is None:
        return reasoning, text
    return reasoning or thought.group(1).strip(), text[thought.end() :]


def _content(content: object) -> str:
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _native_calls(message: dict[str, Any], request: ModelRequest) -> tuple[ToolCall, ...]:
    raw = message.get("tool_calls") or []
    calls = raw if isinstance(raw, list) else [raw]
    numbered = number_calls([_name_and_arguments(call) for call in calls], request)
    ids = [call.get("id") for call in calls]
    given = [id_ for id_ in ids if isinstance(id_, str) and id_]
    if len(set(given)) < len(calls):
        return numbered
    return tuple(call.model_copy(update={"id": id_}) for call, id_ in zip(numbered, given, strict=True))


def _name_and_arguments(call: object) -> tuple[str, str]:
    function = call.get("function") if isinstance(call, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(function, dict) or not isinstance(name, str) or not name:
        raise ModelNonsense("the model asked for a tool without naming it; try again or use another model")
    return name, arguments_text(function.get("arguments"))


def _calls_in_text(text: str, request: ModelRequest, dialect: Dialect) -> tuple[str, tuple[ToolCall, ...]]:
    if not dialect.native_tools:
        return read_protocol(text, request)
    calls = salvage_calls(text, request)
    return ("" if calls else text), calls


def _check_answer(text: str, finish: str, message: dict[str, Any], request: ModelRequest) -> None:
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        raise ModelRefused(f"the model declined to answer ({refusal[:200]}); rephrase or use another model")
    if finish == "content_filter":
        raise ModelRefused("the server's content filter held the answer back; use another model")
    if text.strip():
        return
    if finish == "length":
        raise ModelNonsense(
            f"the model used its {request.max_tokens} tokens without an answer; raise llm.max_tokens"
        )
    raise ModelNonsense("the model's answer is empty; try again or use another model")


def _tidy(text: str) -> str:
    """A typed answer without the fences and prose around it; text without an object stays as it is."""
    value = extract_json(text)
    if value is None or value == parse_json(text):
        return text
    return dump(value)


def _usage(data: object, request: ModelRequest, reply: ModelReply, price: TokenPrice | None) -> Usage:
    reported = data.get("usage") if isinstance(data, dict) else None
    figures = reported if isinstance(reported, dict) else {}
    prompt, completion = figures.get("prompt_tokens"), figures.get("completion_tokens")
    estimated = not (_is_count(prompt) and _is_count(completion))
    if estimated:
        prompt = estimate_prompt(request)
        spoken = "".join(call.name + call.arguments for call in reply.tool_calls)
        completion = estimate_tokens(reply.text + reply.reasoning + spoken)
    usage = Usage(calls=1, prompt_tokens=prompt, completion_tokens=completion, estimated=estimated)
    if price is None:
        return usage
    cost = price.cost(usage.prompt_tokens, usage.completion_tokens)
    return usage.model_copy(update={"cost": cost})


def _is_count(value: object) -> bool:
    """Whether a server counted: neither a question nor an answer has no tokens, or more than there can be."""
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_TOKENS


def _text_or(data: object, key: str, default: str) -> str:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, str) and value else default
