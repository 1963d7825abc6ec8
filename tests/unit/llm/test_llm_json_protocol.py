import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vnpy_aiagent.errors import ModelNonsense
from vnpy_aiagent.llm.json_protocol import (
    dump,
    extract_json,
    flatten_conversation,
    parse_json,
    prompt_for_tools,
    protocol_schema,
    read_protocol,
    salvage_calls,
)
from vnpy_aiagent.llm.port import ChatMessage, ModelRequest, ToolCall, ToolSpec

TOOL = ToolSpec(
    name="get_bars",
    description="daily bars",
    parameters={"type": "object", "properties": {"symbol": {"type": "string"}}},
)
HISTORY_CALL = ToolCall(id="call_1", name="get_bars", arguments='{"symbol": "600519.SSE"}')
REQUEST = ModelRequest(task="t", messages=(ChatMessage(role="user", content="go"),), tools=(TOOL,))


@pytest.mark.parametrize(
    "text",
    [
        '{"stance": "买入"}',
        '  {"stance": "买入"}\n',
        'Here it is:\n```json\n{"stance": "买入"}\n```\nGood luck.',
        '```\n{"stance": "买入"}\n```',
        'Sure {not json} but {"stance": "买入"} is.',
    ],
)
def test_the_object_is_found_whatever_surrounds_it(text: str) -> None:
    assert extract_json(text) == {"stance": "买入"}


@pytest.mark.parametrize("text", ["", "hold", "[1, 2]", '{"a": NaN}', '{"a": ', "{" * 5000])
def test_text_without_an_object_gives_none(text: str) -> None:
    assert extract_json(text) is None


def test_infinities_are_no_json() -> None:
    assert parse_json('{"a": Infinity}') is None
    assert parse_json(b"\xff\xfe\xfa") is None
    assert parse_json("[" * 100_000) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values), st.text(alphabet="abc \n，。", max_size=20))
def test_any_object_is_read_back_out_of_prose(value: dict[str, object], prose: str) -> None:
    assert extract_json(f"{prose}{json.dumps(value)}{prose}") == value


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    got, calls = read_protocol(text, REQUEST)
    assert isinstance(got, str)
    assert isinstance(calls, tuple)


def test_calls_of_the_protocol_are_read_and_numbered_after_those_of_the_history() -> None:
    request = REQUEST.model_copy(
        update={
            "messages": (
                *REQUEST.messages,
                ChatMessage(role="assistant", tool_calls=(HISTORY_CALL,)),
                ChatMessage(role="tool", content="[]", tool_call_id="call_1"),
            )
        }
    )
    text = '{"tool_calls": [{"name": "get_bars", "arguments": {"symbol": "000001.SZSE"}}, {"name": "x"}]}'
    got, calls = read_protocol(text, request)
    assert got == ""
    assert calls == (
        ToolCall(id="call_2", name="get_bars", arguments='{"symbol": "000001.SZSE"}'),
        ToolCall(id="call_3", name="x", arguments="{}"),
    )


def test_an_answer_of_the_protocol_is_unwrapped() -> None:
    assert read_protocol('{"answer": {"stance": "看多"}}', REQUEST) == ('{"stance": "看多"}', ())
    assert read_protocol('{"answer": "hold"}', REQUEST) == ("hold", ())


def test_a_bare_call_and_a_bare_answer_pass() -> None:
    _, calls = read_protocol('{"name": "get_bars", "parameters": {"symbol": "a"}}', REQUEST)
    assert calls == (ToolCall(id="call_1", name="get_bars", arguments='{"symbol": "a"}'),)
    bare = '{"name": "a name that is no tool", "arguments": 1}'
    assert read_protocol(bare, REQUEST) == (bare, ())


def test_a_call_without_a_name_is_nonsense() -> None:
    with pytest.raises(ModelNonsense, match="without naming it"):
        read_protocol('{"tool_calls": [{"arguments": {}}]}', REQUEST)


def test_tagged_calls_left_in_the_text_are_salvaged() -> None:
    text = (
        'I look.\n<tool_call>\n{"name": "get_bars", "arguments": {"symbol": "a"}}\n</tool_call>'
        '<tool_call>{"name": "get_bars", "arguments": {"symbol": "b"}}</tool_call>'
    )
    assert [json.loads(call.arguments)["symbol"] for call in salvage_calls(text, REQUEST)] == ["a", "b"]


@pytest.mark.parametrize(
    "text", ["hold", '{"name": "unknown", "arguments": {}}', '{"stance": "x"}', '{"tool_calls": []}']
)
def test_ordinary_text_is_no_call(text: str) -> None:
    assert salvage_calls(text, REQUEST) == ()


def test_the_conversation_without_tool_messages_keeps_calls_and_results() -> None:
    flat = flatten_conversation(
        (
            ChatMessage(role="user", content="go"),
            ChatMessage(role="assistant", tool_calls=(HISTORY_CALL,)),
            ChatMessage(role="tool", content="[1]", tool_call_id="call_1"),
            ChatMessage(role="tool", content="[2]", tool_call_id="call_1"),
            ChatMessage(role="user", content="now decide"),
        )
    )
    assert [message.role for message in flat] == ["user", "assistant", "user"]
    assert json.loads(flat[1].content)["tool_calls"][0]["arguments"] == {"symbol": "600519.SSE"}
    assert flat[2].content == "Result of get_bars:\n[1]\n\nResult of get_bars:\n[2]\n\nnow decide"


def test_the_prompt_names_each_tool_and_the_answers_schema() -> None:
    prompt = prompt_for_tools((TOOL,), {"type": "object", "title": "Finding"})
    assert '"name": "get_bars"' in prompt
    assert '"title": "Finding"' in prompt
    assert '{"tool_calls": [{"name": "<tool>", "arguments": {...}}]}' in prompt


def test_definitions_of_the_answer_move_to_the_root_of_the_protocols_schema() -> None:
    answer = {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"type": "null"}}}
    schema = protocol_schema(answer)
    assert schema["$defs"] == {"A": {"type": "null"}}
    assert schema["anyOf"][1]["properties"]["answer"]["properties"] == {"a": {"$ref": "#/$defs/A"}}
    assert "$defs" in answer


@pytest.mark.parametrize("text", ['{"a": "\\ud800"}', 'so: {"a": "x\\udc00"} ok', '{"a": ["\\ud800"]}'])
def test_a_lone_surrogate_of_an_escape_becomes_a_replacement_character(text: str) -> None:
    found = extract_json(text)
    assert found is not None
    assert chr(0xFFFD) in dump(found)
    dump(found).encode("utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "<tool_call>" + "\n" * 20_000,
        "<tool_call>" * 20_000,
        "```" + "\n" * 20_000 + "{",
        "```json\n" * 20_000,
    ],
    ids=["blank lines", "tags", "a fence and blank lines", "fences"],
)
def test_a_model_that_repeats_itself_is_read_in_one_pass(text: str) -> None:
    assert salvage_calls(text, REQUEST) == ()
    assert extract_json(text) is None
