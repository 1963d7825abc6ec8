"""The OpenAI client against a real HTTP server on this machine."""

import json
import logging
import socket
import traceback
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest

from vnpy_aiagent.errors import ModelError, ModelNonsense, ModelRefused, ModelTimeout, ModelUnavailable
from vnpy_aiagent.llm.openai_client import LONGEST_PAUSE, OpenAIModel
from vnpy_aiagent.llm.port import ChatMessage, ModelRequest, ToolSpec
from vnpy_aiagent.llm.pricing import TokenPrice
from vnpy_aiagent.testing.model_server import (
    Fault,
    Handler,
    ModelServer,
    closed_port_url,
    empty_choices,
    garbage,
    in_turn,
    reset_in_body,
    text_reply,
    tool_reply,
    truncated,
)

KEY = "sk-very-secret-0123456789"
GET_BARS = ToolSpec(
    name="get_bars",
    description="daily bars",
    parameters={"type": "object", "properties": {"symbol": {"type": "string"}}, "required": ["symbol"]},
)
SCHEMA = {
    "type": "object",
    "properties": {"stance": {"type": "string"}},
    "required": ["stance"],
    "additionalProperties": False,
}
USER = ChatMessage(role="user", content="看一下 600519.SSE")


class Sleeper:
    """Notes the pauses instead of taking them."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.pauses.append(seconds)


def _request(**changes: Any) -> ModelRequest:
    return ModelRequest.model_validate({"task": "analyst", "messages": (USER,), "timeout": 20.0, **changes})


@contextmanager
def _client(base_url: str, **settings: Any) -> Iterator[OpenAIModel]:
    model = OpenAIModel(base_url, "test-model", KEY, **{"sleep": Sleeper(), **settings})
    try:
        yield model
    finally:
        model.close()


@contextmanager
def _pair(handler: Handler, **settings: Any) -> Iterator[tuple[OpenAIModel, ModelServer]]:
    with ModelServer(handler) as server, _client(server.base_url, **settings) as model:
        yield model, server


def test_a_text_answer_comes_with_usage_and_cost_and_the_key_is_sent() -> None:
    price = TokenPrice(Decimal(1000), Decimal(1000))
    with _pair(in_turn(text_reply("观望", reasoning="想一想", usage=(30, 12))), price=price) as (
        model,
        server,
    ):
        reply = model.complete(_request(seed=7))
    assert (reply.text, reply.reasoning, reply.model) == ("观望", "想一想", "test-model")
    assert (reply.usage.calls, reply.usage.prompt_tokens, reply.usage.completion_tokens) == (1, 30, 12)
    assert reply.usage.cost == Decimal("0.042")
    sent = server.requests[0]
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.body["messages"] == [{"role": "user", "content": "看一下 600519.SSE"}]
    assert (sent.body["model"], sent.body["seed"], sent.body["max_tokens"]) == ("test-model", 7, 2000)


@pytest.mark.parametrize("key", ["k", "usage", "text", "EMPTY"])
def test_a_key_of_a_few_letters_is_a_word_like_others_and_the_answer_stays_whole(key: str) -> None:
    said = f"the {key} of EMPTY books, ok"
    with ModelServer(in_turn(text_reply(said))) as server:
        model = OpenAIModel(server.base_url, "test-model", key)
        try:
            assert model.complete(_request()).text == said
        finally:
            model.close()


def test_a_conversation_with_tools_goes_round() -> None:
    def handler(body: dict[str, Any]) -> dict[str, Any]:
        last = body["messages"][-1]
        if last["role"] == "tool":
            assert last["tool_call_id"] == body["messages"][-2]["tool_calls"][0]["id"]
            return text_reply(f"close was {json.loads(last['content'])['close']}")
        assert body["tools"][0]["function"]["name"] == "get_bars"
        return tool_reply(("get_bars", {"symbol": "600519.SSE"}))

    with _pair(handler) as (model, _):
        first = model.complete(_request(tools=(GET_BARS,)))
        (call,) = first.tool_calls
        assert (call.name, json.loads(call.arguments)) == ("get_bars", {"symbol": "600519.SSE"})
        result = ChatMessage(role="tool", content='{"close": 1700.5}', tool_call_id=call.id)
        messages = (USER, first.as_message(), result)
        last = model.complete(_request(messages=messages, tools=(GET_BARS,)))
    assert last.text == "close was 1700.5"


def test_several_tools_can_be_called_at_once() -> None:
    answer = tool_reply(("get_bars", {"symbol": "a"}), ("get_bars", '{"symbol": "broken'))
    with _pair(in_turn(answer)) as (model, _):
        calls = model.complete(_request(tools=(GET_BARS,))).tool_calls
    assert [call.arguments for call in calls] == ['{"symbol": "a"}', '{"symbol": "broken']
    assert len({call.id for call in calls}) == 2


def test_a_typed_answer_is_asked_for_by_schema() -> None:
    with _pair(in_turn(text_reply('{"stance": "BUY"}'))) as (model, server):
        reply = model.complete(_request(answer_schema=SCHEMA, schema_name="finding"))
    assert json.loads(reply.text) == {"stance": "BUY"}
    wanted = server.requests[0].body["response_format"]
    assert (wanted["type"], wanted["json_schema"]["name"]) == ("json_schema", "finding")
    assert wanted["json_schema"]["schema"] == SCHEMA


def _refuses(**refused: str) -> Callable[[dict[str, Any]], dict[str, Any] | Fault]:
    """A server that answers 400 with a sentence where the body holds a parameter or a value."""

    def handler(body: dict[str, Any]) -> dict[str, Any] | Fault:
        for word, sentence in refused.items():
            if word in body or body.get("response_format", {}).get("type") == word:
                return Fault(status=400, message=sentence)
        return text_reply('```json\n{"stance": "BUY"}\n```')

    return handler


def test_a_server_without_schemas_gets_json_object_and_is_remembered() -> None:
    sleeper = Sleeper()
    handler = _refuses(json_schema="response_format.type json_schema is not supported")
    with _pair(handler, sleep=sleeper) as (model, server):
        first = model.complete(_request(answer_schema=SCHEMA))
        second = model.complete(_request(answer_schema=SCHEMA))
    assert first.text == second.text == '{"stance": "BUY"}'
    formats = [request.body["response_format"]["type"] for request in server.requests]
    assert formats == ["json_schema", "json_object", "json_object"]
    assert "JSON schema" in server.requests[1].body["messages"][0]["content"]
    assert sleeper.pauses == []


def test_a_server_without_any_response_format_gets_the_schema_in_the_prompt() -> None:
    with _pair(_refuses(response_format="unknown parameter response_format")) as (model, server):
        reply = model.complete(_request(answer_schema=SCHEMA))
    assert json.loads(reply.text) == {"stance": "BUY"}
    assert [("response_format" in request.body) for request in server.requests] == [True, True, False]
    assert '"stance"' in server.requests[2].body["messages"][0]["content"]


def test_a_fixed_way_of_asking_is_used_at_once() -> None:
    with _pair(in_turn(text_reply('{"stance": "BUY"}')), structured="prompt") as (model, server):
        model.complete(_request(answer_schema=SCHEMA))
    assert "response_format" not in server.requests[0].body


def test_a_server_without_tools_gets_them_as_json_protocol() -> None:
    def handler(body: dict[str, Any]) -> dict[str, Any] | Fault:
        if "tools" in body:
            return Fault(status=400, message="test-model does not support tools")
        assert {message["role"] for message in body["messages"]} <= {"system", "user", "assistant"}
        if "Result of get_bars" in body["messages"][-1]["content"]:
            return text_reply('{"answer": {"stance": "BUY"}}')
        calls = [{"name": "get_bars", "arguments": {"symbol": symbol}} for symbol in ("a", "b")]
        return text_reply(f"I want data.\n{json.dumps({'tool_calls': calls})}")

    with _pair(handler) as (model, server):
        first = model.complete(_request(tools=(GET_BARS,), answer_schema=SCHEMA))
        assert [json.loads(call.arguments)["symbol"] for call in first.tool_calls] == ["a", "b"]
        results = tuple(
            ChatMessage(role="tool", content="[]", tool_call_id=call.id) for call in first.tool_calls
        )
        last = model.complete(
            _request(messages=(USER, first.as_message(), *results), tools=(GET_BARS,), answer_schema=SCHEMA)
        )
    assert json.loads(last.text) == {"stance": "BUY"}
    assert ["tools" in request.body for request in server.requests] == [True, False, False]
    assert server.requests[1].body["response_format"]["json_schema"]["schema"]["anyOf"]


def test_a_wrong_guess_about_a_server_is_not_remembered() -> None:
    answers = in_turn(
        Fault(status=400, message="tool schema of this request is broken"),
        Fault(status=400, message="still refused"),
        tool_reply(("get_bars", {})),
    )
    with _pair(answers) as (model, server):
        with pytest.raises(ModelRefused):
            model.complete(_request(tools=(GET_BARS,)))
        model.complete(_request(tools=(GET_BARS,)))
    assert ["tools" in request.body for request in server.requests] == [True, False, True]


def test_a_reasoning_model_gets_its_own_name_for_the_token_limit() -> None:
    handler = _refuses(
        max_tokens="Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
        temperature="'temperature' does not support 0.0 with this model.",
    )
    with _pair(handler) as (model, server):
        model.complete(_request())
    assert server.requests[-1].body["max_completion_tokens"] == 2000
    assert "temperature" not in server.requests[-1].body


@pytest.mark.parametrize(
    ("fault", "error", "sentence"),
    [
        (Fault(status=401, message="Incorrect API key provided"), ModelRefused, "check llm.api_key"),
        (Fault(status=402, message="Insufficient Balance"), ModelRefused, "no credit"),
        (Fault(status=403, message="forbidden"), ModelRefused, "does not let this API key"),
        (Fault(status=404, message="no such model"), ModelRefused, "does not know model test-model"),
        (Fault(status=400, message="bad messages"), ModelRefused, "HTTP 400: bad messages"),
        (Fault(status=422, message="bad field"), ModelRefused, "HTTP 422: bad field"),
        (Fault(status=429, message="quota", code="insufficient_quota"), ModelRefused, "no credit"),
        (Fault(status=400, body=b"plain words"), ModelRefused, "plain words"),
        (Fault(status=400, body=b'{"detail": "not so"}'), ModelRefused, "not so"),
        (garbage(), ModelNonsense, "no JSON object"),
        (Fault(body=b""), ModelNonsense, "no JSON object"),
        (Fault(body=b'{"choices": [{"mess'), ModelNonsense, "no JSON object"),
        (Fault(body=b"\xff\xfe\x00"), ModelNonsense, "no JSON object"),
        (empty_choices(), ModelNonsense, "no choices"),
    ],
)
def test_what_no_retry_can_mend_fails_at_once(fault: Fault, error: type[ModelError], sentence: str) -> None:
    sleeper = Sleeper()
    with (
        _pair(in_turn(fault), sleep=sleeper) as (model, server),
        pytest.raises(error, match=sentence) as caught,
    ):
        model.complete(_request())
    assert len(server.requests) == 1
    assert sleeper.pauses == []
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=429, message="slow down"),
        Fault(status=500, message="oops"),
        Fault(status=503, body=b"<html>busy</html>"),
        truncated(),
        reset_in_body(),
        Fault(status=500, cut="reset"),
    ],
)
def test_what_may_pass_is_retried_with_growing_pauses_and_then_given_up(fault: Fault) -> None:
    sleeper = Sleeper()
    with (
        _pair(lambda body: fault, sleep=sleeper, max_retries=3) as (model, server),
        pytest.raises(ModelUnavailable),
    ):
        model.complete(_request())
    assert len(server.requests) == 4
    assert len(sleeper.pauses) == 3
    for place, pause in enumerate(sleeper.pauses):
        assert 0.5 * 2**place <= pause <= 2**place


@pytest.mark.parametrize("fault", [Fault(status=503), truncated(), reset_in_body()])
def test_a_passing_fault_is_survived(fault: Fault) -> None:
    with _pair(in_turn(fault, text_reply("fine"))) as (model, _):
        assert model.complete(_request()).text == "fine"


def test_pauses_are_the_same_for_the_same_seed_and_differ_for_another() -> None:
    def pauses(seed: int) -> list[float]:
        sleeper = Sleeper()
        with (
            _pair(lambda body: Fault(status=500), sleep=sleeper, seed=seed) as (model, _),
            pytest.raises(ModelUnavailable),
        ):
            model.complete(_request())
        return sleeper.pauses

    assert pauses(1) == pauses(1)
    assert pauses(1) != pauses(2)


def test_retry_after_is_respected_up_to_the_cap() -> None:
    sleeper = Sleeper()
    answers = in_turn(
        Fault(status=429, retry_after=7), Fault(status=503, retry_after=900), text_reply("fine")
    )
    with _pair(answers, sleep=sleeper, timeout=600) as (model, _):
        assert model.complete(_request(timeout=600)).text == "fine"
    assert sleeper.pauses == [7.0, LONGEST_PAUSE]


def test_no_pause_goes_past_the_deadline() -> None:
    sleeper = Sleeper()
    with (
        _pair(in_turn(Fault(status=429, retry_after=25)), sleep=sleeper) as (model, _),
        pytest.raises(ModelUnavailable, match="429"),
    ):
        model.complete(_request(timeout=20.0))
    assert sleeper.pauses == []


def test_a_server_that_is_down_is_unavailable_after_the_retries() -> None:
    sleeper = Sleeper()
    with (
        _client(closed_port_url(), sleep=sleeper, max_retries=2) as model,
        pytest.raises(ModelUnavailable, match="check that the server runs"),
    ):
        model.complete(_request())
    assert len(sleeper.pauses) == 2


def test_text_that_cannot_be_encoded_is_refused_before_it_is_sent() -> None:
    broken = ChatMessage(role="user", content="half a pair \ud83d")
    with _pair(in_turn()) as (model, server):
        with pytest.raises(ModelRefused, match="no valid Unicode"):
            model.complete(_request(messages=(broken,)))
        assert server.requests == []


def test_a_server_that_goes_away_in_between_is_unavailable() -> None:
    with _pair(in_turn(text_reply("fine"))) as (model, server):
        assert model.complete(_request()).text == "fine"
        server.stop()
        with pytest.raises(ModelUnavailable):
            model.complete(_request())


def test_a_late_answer_is_a_timeout_and_is_not_asked_for_again() -> None:
    sleeper = Sleeper()
    with _pair(lambda body: Fault(delay=30), sleep=sleeper) as (model, server):
        with pytest.raises(ModelTimeout, match=r"raise llm\.timeout"):
            model.complete(_request(timeout=0.2))
        assert len(server.requests) == 1
    assert sleeper.pauses == []


def test_the_clients_own_timeout_counts_where_it_is_shorter() -> None:
    with (
        _pair(lambda body: Fault(delay=30), timeout=0.2) as (model, _),
        pytest.raises(ModelTimeout),
    ):
        model.complete(_request(timeout=60.0))


def test_blanks_that_keep_a_connection_alive_do_not_outlast_the_deadline() -> None:
    now = iter(range(0, 1000, 6))
    body = b" " * 200_000 + json.dumps(text_reply("late")).encode()
    with (
        _pair(lambda _: Fault(body=body), monotonic=lambda: next(now)) as (model, _),
        pytest.raises(ModelTimeout),
    ):
        model.complete(_request(timeout=20.0))


def test_the_key_is_nowhere_but_in_the_request(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = f"Incorrect API key provided: {KEY}."
    faults = [
        Fault(status=401, message=echo),
        Fault(status=500, message=echo),
        Fault(body=json.dumps({"error": {"message": echo}}).encode()),
        Fault(status=400, body=echo.encode()),
        garbage(),
        reset_in_body(),
    ]
    shown: list[str] = []
    for fault in faults:
        with _pair(in_turn(fault, fault), max_retries=1) as (model, server):
            with pytest.raises(ModelError) as caught:
                model.complete(_request())
            shown += [repr(model), *traceback.format_exception(caught.value)]
            assert caught.value.__context__ is None
            assert server.requests[0].headers["authorization"].endswith(KEY)
    assert "***" in "".join(shown)
    assert KEY not in "".join(shown)
    assert caplog.records
    assert KEY not in caplog.text


def test_settings_of_other_accounts_in_the_environment_are_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-account")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-another-account")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-of-another-account")
    monkeypatch.setenv("HTTP_PROXY", closed_port_url())
    with ModelServer(in_turn(text_reply("fine"))) as server:
        model = OpenAIModel(server.base_url, "m", "")
        assert model.complete(_request()).text == "fine"
        model.close()
    assert "of-another-account" not in str(server.requests[0].headers)


def test_the_server_lists_its_models_and_knows_no_other_path() -> None:
    with ModelServer(in_turn(), models=("one", "two")) as server:
        with urllib.request.urlopen(f"{server.base_url}/models", timeout=10) as answer:
            assert [item["id"] for item in json.load(answer)["data"]] == ["one", "two"]
        with _client(server.base_url + "/wrong") as model, pytest.raises(ModelRefused, match="no such path"):
            model.complete(_request())


def test_a_failed_assertion_of_the_handler_reaches_the_test() -> None:
    def handler(body: dict[str, Any]) -> dict[str, Any]:
        assert body["model"] == "other", "wrong model"
        return text_reply("fine")

    with (
        pytest.raises(AssertionError, match="wrong model"),
        _pair(handler, max_retries=0) as (model, _),
        pytest.raises(ModelUnavailable, match="the handler failed"),
    ):
        model.complete(_request())


def test_a_stopped_server_leaves_its_port() -> None:
    with ModelServer(in_turn()) as server:
        port = int(server.base_url.split(":")[2].split("/")[0])
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):  # noqa: PT011
        pass


def test_a_key_that_a_server_repeats_is_not_kept() -> None:
    said = json.dumps({"stance": f"Bearer {KEY}"})
    with ModelServer(in_turn(text_reply(said, reasoning=KEY))) as server, _client(server.base_url) as model:
        reply = model.complete(_request(answer_schema=SCHEMA))
    assert json.loads(reply.text) == {"stance": "Bearer ***"}
    assert KEY not in reply.model_dump_json()
