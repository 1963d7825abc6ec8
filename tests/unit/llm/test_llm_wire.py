from decimal import Decimal
from typing import Any

import pytest

from vnpy_aiagent.errors import ModelNonsense, ModelRefused
from vnpy_aiagent.llm.port import ChatMessage, ModelReply, ModelRequest, ToolCall, ToolSpec
from vnpy_aiagent.llm.pricing import TokenPrice
from vnpy_aiagent.llm.wire import Dialect, adapt, build_body, is_strict, read_reply
from vnpy_aiagent.testing.model_server import text_reply, tool_reply

TOOL = ToolSpec(name="get_bars", description="bars", parameters={"type": "object", "properties": {}})
CLOSED = {
    "type": "object",
    "properties": {"stance": {"type": "string"}},
    "required": ["stance"],
    "additionalProperties": False,
}
SYSTEM = ChatMessage(role="system", content="You are an analyst.")
USER = ChatMessage(role="user", content="600519")


def _request(**changes: object) -> ModelRequest:
    return ModelRequest.model_validate({"task": "secret_role", "messages": (SYSTEM, USER), **changes})


def _read(data: object, request: ModelRequest | None = None, **changes: Any) -> ModelReply:
    settings = {"model": "m", "dialect": Dialect(), "price": None, **changes}
    return read_reply(data, request or _request(), **settings)


def test_the_task_label_is_not_sent() -> None:
    assert "secret_role" not in str(build_body(_request(), "m", Dialect()))


def test_a_plain_body_has_nothing_that_was_not_asked_for() -> None:
    assert build_body(_request(max_tokens=9), "m", Dialect()) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "You are an analyst."},
            {"role": "user", "content": "600519"},
        ],
        "max_tokens": 9,
        "temperature": 0.0,
    }


def test_a_tool_round_trip_is_written_as_the_protocol_wants_it() -> None:
    call = ToolCall(id="c1", name="get_bars", arguments='{"n": 5}')
    broken = ToolCall(id="c2", name="get_bars", arguments='{"n": ')
    request = _request(
        messages=(
            USER,
            ChatMessage(role="assistant", tool_calls=(call, broken), reasoning="hm"),
            ChatMessage(role="tool", content="[]", tool_call_id="c1"),
        ),
        tools=(TOOL,),
    )
    assistant, tool = build_body(request, "m", Dialect())["messages"][1:]
    assert assistant["content"] is None
    assert [item["function"]["arguments"] for item in assistant["tool_calls"]] == ['{"n": 5}', "{}"]
    assert "reasoning_content" not in assistant
    assert tool == {"role": "tool", "content": "[]", "tool_call_id": "c1"}
    asked = build_body(request, "m", Dialect(reasoning=True))["messages"][1]
    assert asked["reasoning_content"] == "hm"


def test_a_schema_is_sent_as_format_then_as_object_with_prompt_then_as_prompt_alone() -> None:
    request = _request(answer_schema=CLOSED, schema_name="发现 finding")
    by_schema = build_body(request, "m", Dialect())
    assert by_schema["response_format"]["json_schema"] == {
        "name": "___finding",
        "schema": CLOSED,
        "strict": True,
    }
    assert by_schema["messages"][0]["content"] == SYSTEM.content
    by_object = build_body(request, "m", Dialect(structured="json_object"))
    assert by_object["response_format"] == {"type": "json_object"}
    by_prompt = build_body(request, "m", Dialect(structured="prompt"))
    assert "response_format" not in by_prompt
    for body in (by_object, by_prompt):
        assert body["messages"][0]["content"].startswith(SYSTEM.content)
        assert "additionalProperties" in body["messages"][0]["content"]


def test_without_a_system_message_the_instruction_becomes_one() -> None:
    request = _request(messages=(USER,), answer_schema=CLOSED)
    messages = build_body(request, "m", Dialect(structured="prompt"))["messages"]
    assert [message["role"] for message in messages] == ["system", "user"]


def test_strict_mode_needs_closed_objects_that_require_everything() -> None:
    assert is_strict(CLOSED)
    assert not is_strict({**CLOSED, "required": []})
    assert not is_strict({**CLOSED, "additionalProperties": True})
    assert not is_strict({"type": "array", "items": {"type": "object", "properties": {}}})
    assert is_strict({"anyOf": [CLOSED, {"type": "null"}]})


@pytest.mark.parametrize(
    ("complaint", "expected"),
    [
        ("This response_format type is unavailable now", Dialect(structured="json_object")),
        ("Cannot use custom grammar constraints with tools.", Dialect(structured="json_object")),
        ("registry/gemma does not support tools", Dialect(native_tools=False)),
        ("tools param requires --jinja flag", Dialect(native_tools=False)),
        ("deepseek does not support Function Calling", Dialect(native_tools=False)),
        (
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            Dialect(limit_name="max_completion_tokens"),
        ),
        ("Unsupported value: 'temperature' does not support 0.0", Dialect(temperature=False)),
        ("unknown field seed", Dialect(seed=False)),
        ("Missing `reasoning_content` field in the assistant message", Dialect(reasoning=True)),
        ("maximum context length is 8192 tokens (200 in the functions)", None),
        ("the model is tired", None),
    ],
)
def test_a_servers_sentence_teaches_its_dialect(complaint: str, expected: Dialect | None) -> None:
    body = build_body(_request(answer_schema=CLOSED, tools=(TOOL,), seed=1), "m", Dialect())
    assert adapt(Dialect(), body, complaint) == expected


def test_what_was_not_sent_is_not_adapted() -> None:
    body = build_body(_request(), "m", Dialect())
    assert adapt(Dialect(), body, "response_format and tools are not supported") is None


def test_learning_ends_when_nothing_is_left_to_change() -> None:
    request = _request(answer_schema=CLOSED, tools=(TOOL,), seed=1)
    complaint = "no response_format, tools, seed, temperature; max_completion_tokens and reasoning_content"
    dialect: Dialect | None = Dialect()
    seen: list[Dialect] = []
    while dialect is not None:
        seen.append(dialect)
        dialect = adapt(dialect, build_body(request, "m", dialect), complaint)
    assert seen[-1] == Dialect("prompt", False, "max_completion_tokens", False, False, True)
    assert len(seen) == len(set(seen)) == 8


def test_text_reasoning_usage_and_cost_are_read() -> None:
    price = TokenPrice(Decimal(1), Decimal(2))
    reply = _read(text_reply("hold", reasoning="hm", usage=(1000, 500)), price=price)
    assert (reply.text, reply.reasoning, reply.finish_reason) == ("hold", "hm", "stop")
    assert reply.model == "test-model"
    assert reply.usage.cost == Decimal("0.002")
    assert not reply.usage.estimated


def test_a_thought_between_tags_is_reasoning() -> None:
    reply = _read(text_reply("<think>\nwell\n</think>\n\nhold"))
    assert (reply.text, reply.reasoning) == ("hold", "well")


def test_content_in_parts_is_joined() -> None:
    data = text_reply("")
    data["choices"][0]["message"]["content"] = [
        {"type": "text", "text": "ho"},
        {"type": "text", "text": "ld"},
    ]
    assert _read(data).text == "hold"


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": "many", "completion_tokens": 1}, {"x": -1}])
def test_missing_usage_is_estimated_and_says_so(usage: object) -> None:
    data = {**text_reply("贵州茅台", usage=None), "usage": usage}
    reply = _read(data, price=TokenPrice(Decimal(0), Decimal(1_000_000)))
    assert reply.usage.estimated
    assert reply.usage.completion_tokens == 4
    assert reply.usage.prompt_tokens > 0
    assert reply.usage.cost == 4


def test_a_typed_answer_loses_its_fences() -> None:
    reply = _read(text_reply('```json\n{"stance": "多"}\n```'), _request(answer_schema=CLOSED))
    assert reply.text == '{"stance": "多"}'
    untouched = _read(text_reply('{"stance":"多"}'), _request(answer_schema=CLOSED))
    assert untouched.text == '{"stance":"多"}'
    free = _read(text_reply("I cannot say"), _request(answer_schema=CLOSED))
    assert free.text == "I cannot say"


def test_arguments_given_as_an_object_become_text_and_missing_ids_are_made() -> None:
    data = tool_reply(("get_bars", {}), ("get_bars", {}))
    for call in data["choices"][0]["message"]["tool_calls"]:
        call["id"] = None
        call["function"]["arguments"] = {"n": 1}
    calls = _read(data, _request(tools=(TOOL,))).tool_calls
    assert [(call.id, call.arguments) for call in calls] == [("call_1", '{"n": 1}'), ("call_2", '{"n": 1}')]


def test_a_call_left_in_the_text_is_still_a_call() -> None:
    data = text_reply('<tool_call>{"name": "get_bars", "arguments": {}}</tool_call>')
    reply = _read(data, _request(tools=(TOOL,)))
    assert reply.tool_calls == (ToolCall(id="call_1", name="get_bars", arguments="{}"),)
    assert reply.finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (None, "no JSON object"),
        ([], "no JSON object"),
        ({}, "no choices"),
        ({"choices": []}, "no choices"),
        ({"choices": ["x"]}, "no message"),
        ({"choices": [{"message": None}]}, "no message"),
        ({"error": {"message": "upstream down"}}, "upstream down"),
        (text_reply(""), "is empty"),
        (text_reply("", finish_reason="length"), "raise llm.max_tokens"),
        (tool_reply(("", {})), "without naming it"),
    ],
)
def test_a_body_that_is_no_answer_is_nonsense(data: object, sentence: str) -> None:
    with pytest.raises(ModelNonsense, match=sentence):
        _read(data)


@pytest.mark.parametrize("junk", [5, "get_bars", {"function": 1}, [None], [{"function": {"name": 5}}], [7]])
def test_junk_in_the_place_of_tool_calls_is_nonsense(junk: object) -> None:
    data = text_reply("hm")
    data["choices"][0]["message"]["tool_calls"] = junk
    with pytest.raises(ModelNonsense):
        _read(data)


def test_a_declined_answer_is_a_refusal() -> None:
    declined = text_reply("")
    declined["choices"][0]["message"]["refusal"] = "I give no advice"
    with pytest.raises(ModelRefused, match="I give no advice"):
        _read(declined)
    with pytest.raises(ModelRefused, match="content filter"):
        _read(text_reply("", finish_reason="content_filter"))


@pytest.mark.parametrize("count", [0, -1, 10**4000, 1.5, True, None, "7"])
def test_a_server_that_did_not_count_is_estimated(count: object) -> None:
    body = text_reply('{"stance": "BULLISH"}')
    body["usage"] = {"prompt_tokens": count, "completion_tokens": count}
    usage = _read(body, price=TokenPrice(Decimal(2), Decimal(8))).usage
    assert usage.estimated
    assert usage.prompt_tokens > 0
    assert 0 < usage.completion_tokens < 100
    assert 0 < usage.cost < 1


def test_an_answer_without_end_is_refused() -> None:
    with pytest.raises(ModelNonsense, match="characters"):
        _read(text_reply("<tool_call>" * 20_000))


def test_tool_calls_without_end_are_refused() -> None:
    body = tool_reply(("get_bars", {}))
    message = body["choices"][0]["message"]
    message["tool_calls"] = message["tool_calls"] * 129
    with pytest.raises(ModelNonsense, match="129 tools"):
        _read(body, _request(tools=(TOOL,)))
