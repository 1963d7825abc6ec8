"""A streamed completion is the same as the whole one, wherever its bytes are cut."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vnpy_aiagent.errors import ModelNonsense, ModelUnavailable
from vnpy_aiagent.llm.port import ChatMessage, ModelReply, ModelRequest, ToolSpec
from vnpy_aiagent.llm.streamed import StreamedReply
from vnpy_aiagent.llm.wire import Dialect, adapt, build_body, read_reply
from vnpy_aiagent.testing.model_server import streamed, text_reply, tool_reply

TOOL = ToolSpec(name="get_bars", description="bars", parameters={"type": "object", "properties": {}})
REQUEST = ModelRequest(task="t", messages=(ChatMessage(role="user", content="看"),), tools=(TOOL,))
WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).filter(str.strip)


def read(body: object) -> ModelReply:
    return read_reply(body, REQUEST, model="m", dialect=Dialect(), price=None)


def put_together(reply: dict[str, Any], size: int) -> StreamedReply:
    found = StreamedReply()
    for piece in streamed(reply, size=size).pieces:
        found.feed(piece)
    found.end()
    return found


@given(WORDS, WORDS, st.integers(1, 40))
def test_text_and_thought_are_those_of_the_whole_answer(text: str, thought: str, size: int) -> None:
    whole = text_reply(text, reasoning=thought)
    found = put_together(whole, size)
    assert found.whole
    assert read(found.body()) == read(whole)


@given(
    st.lists(st.dictionaries(WORDS, WORDS, max_size=3), min_size=1, max_size=4),
    st.integers(1, 40),
)
def test_several_tool_calls_are_those_of_the_whole_answer(arguments: list[dict[str, str]], size: int) -> None:
    whole = tool_reply(*[("get_bars", each) for each in arguments])
    assert read(put_together(whole, size).body()) == read(whole)


def test_words_come_as_they_are_said() -> None:
    found = StreamedReply()
    heard = [found.feed(piece) for piece in streamed(text_reply("看多，量价齐升"), size=1).pieces]
    assert "".join(heard) == "看多，量价齐升"
    assert len([words for words in heard if words]) == 3


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
def test_a_stream_that_ends_early_is_not_whole(share: float) -> None:
    found = StreamedReply()
    for piece in streamed(text_reply("看多，量价齐升，放量突破"), share=share).pieces:
        found.feed(piece)
    found.end()
    assert not found.whole


def events(*each: dict[str, Any]) -> StreamedReply:
    found = StreamedReply()
    for event in each:
        found.feed(b"data:" + json.dumps(event).encode() + b"\r\n\r\n")
    found.feed(b"data: [DONE]")
    found.end()
    return found


def delta(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"delta": fields}]}


def call(name: str = "", arguments: object = "", **fields: Any) -> dict[str, Any]:
    return delta(tool_calls=[fields | {"function": {"name": name, "arguments": arguments}}])


def test_servers_number_their_calls_in_different_ways() -> None:
    whole_calls = events(call("a", {"x": 1}), call("b", {"y": 2}))
    one_number = events(call("a", "{}", index=0, id="1"), call("b", "{}", index=0, id="2"))
    ids = events(call("a", "{", id="1"), call(arguments="}"), call("b", "{}", id="2"))
    for found in (whole_calls, one_number, ids):
        calls = found.body()["choices"][0]["message"]["tool_calls"]
        assert [each["function"]["name"] for each in calls] == ["a", "b"]
        assert all(json.loads(each["function"]["arguments"]) is not None for each in calls)


def test_a_pair_of_surrogates_may_be_cut_and_a_lone_one_is_replaced() -> None:
    found = events(delta(content="\ud83d"), delta(content="\ude00!\ud83d"))
    assert found.body()["choices"][0]["message"]["content"] == "😀!\ufffd"


def test_an_error_inside_a_stream_is_a_server_that_breaks_off() -> None:
    with pytest.raises(ModelUnavailable, match="overloaded"):
        events(delta(content="看"), {"error": {"message": "overloaded"}})


@pytest.mark.parametrize("noise", ["data: {", "event: x", "data: 7", 'data: {"choices": 3}', "data:", "\xff"])
def test_noise_between_events_changes_nothing(noise: str) -> None:
    found = StreamedReply()
    found.feed(noise.encode("latin-1") + b"\n")
    for piece in streamed(text_reply("好")).pieces:
        found.feed(piece)
    assert read(found.body()).text == "好"


def test_what_a_server_does_not_take_of_streaming_is_left_out_next_time() -> None:
    dialect = Dialect(stream=True)
    body = build_body(REQUEST, "m", dialect)
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}
    without_usage = adapt(dialect, body, "unknown field stream_options")
    assert without_usage is not None
    assert (without_usage.stream, without_usage.stream_usage) == (True, False)
    body = build_body(REQUEST, "m", without_usage)
    assert "stream_options" not in body
    whole = adapt(without_usage, body, "streaming is not supported")
    assert whole is not None
    assert "stream" not in build_body(REQUEST, "m", whole)


def test_tool_calls_without_end_are_refused_while_they_come() -> None:
    calls = [{"index": index, "function": {"name": "get_bars", "arguments": "{}"}} for index in range(200)]
    events = [json.dumps({"choices": [{"delta": {"tool_calls": [call]}}]}) for call in calls]
    with pytest.raises(ModelNonsense, match="128 tools"):
        StreamedReply().feed("".join(f"data: {event}\n" for event in events).encode())
