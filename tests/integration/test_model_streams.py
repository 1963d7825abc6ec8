"""Streaming, cancelling and failing over, over real HTTP on this machine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from threading import Thread, Timer
from typing import Any

import pytest

from vnpy_aiagent.config import BudgetSettings, Fallback, LlmSettings
from vnpy_aiagent.domain import Severity, Text
from vnpy_aiagent.errors import ModelCancelled, ModelError, ModelRefused, ModelUnavailable
from vnpy_aiagent.llm.cassette import Cassette, fingerprint
from vnpy_aiagent.llm.factory import build_ledger, build_model
from vnpy_aiagent.llm.ledger import ledger_of
from vnpy_aiagent.llm.openai_client import OpenAIModel
from vnpy_aiagent.llm.port import ChatMessage, ModelPort, ModelReply, ModelRequest, ToolSpec
from vnpy_aiagent.llm.recording import LoggedModel
from vnpy_aiagent.llm.roles import RoleModel
from vnpy_aiagent.llm.scope import Cancel, Scope
from vnpy_aiagent.testing.model_server import (
    Body,
    Fault,
    Handler,
    ModelServer,
    Stream,
    closed_port_url,
    in_turn,
    streamed,
    text_reply,
    tool_reply,
)

DAY = date(2025, 7, 1)
TOOLS = tuple(
    ToolSpec(name=name, description="x", parameters={"type": "object", "properties": {}})
    for name in ("get_bars", "get_quote")
)
REQUEST = ModelRequest(task="judge", messages=(ChatMessage(role="user", content="看一下"),), timeout=20.0)
KEYS = ("sk-first-0123456789", "sk-second-0123456789")
LONG = 60.0


def client(base_url: str, **settings: Any) -> OpenAIModel:
    return OpenAIModel(base_url, "test-model", KEYS[0], **{"max_retries": 0, "stream": True, **settings})


@contextmanager
def pair(handler: Handler, **settings: Any) -> Iterator[tuple[OpenAIModel, ModelServer]]:
    with ModelServer(handler) as server:
        model = client(server.base_url, **settings)
        try:
            yield model, server
        finally:
            model.close()


def test_a_streamed_answer_is_heard_while_it_comes_and_counted_by_its_last_piece() -> None:
    whole = text_reply("均线多头，放量突破", reasoning="先看均线", usage=(30, 12))
    heard: list[tuple[str, str]] = []
    with pair(in_turn(streamed(whole, size=5), whole)) as (model, server):
        said = model.answer(REQUEST, Scope(heard=lambda *each: heard.append(each)))
        again = model.complete(REQUEST)
    assert said == again
    assert (said.text, said.reasoning) == ("均线多头，放量突破", "先看均线")
    assert (said.usage.prompt_tokens, said.usage.completion_tokens, said.usage.estimated) == (30, 12, False)
    assert {role for role, _ in heard} == {"judge"}
    assert "".join(words for _, words in heard) == "先看均线均线多头，放量突破"
    assert server.requests[0].body["stream_options"] == {"include_usage": True}


def test_without_a_last_piece_of_usage_the_tokens_are_estimated() -> None:
    with pair(in_turn(streamed(text_reply("好"), usage=False))) as (model, _):
        assert model.complete(REQUEST).usage.estimated


def test_several_tools_are_called_in_one_streamed_answer() -> None:
    whole = tool_reply(("get_bars", {"说明": "日线"}), ("get_quote", {}), ("get_bars", {"n": 5}))
    with pair(in_turn(streamed(whole, size=3), whole)) as (model, _):
        asked = REQUEST.model_copy(update={"tools": TOOLS})
        found, plain = model.complete(asked), model.complete(asked)
    assert [call.name for call in found.tool_calls] == ["get_bars", "get_quote", "get_bars"]
    assert len({call.id for call in found.tool_calls}) == 3
    assert found == plain


def test_a_server_that_does_not_stream_is_asked_without_it_from_then_on() -> None:
    def handler(body: Body) -> Body | Fault:
        return Fault(status=400, message="stream is not supported") if "stream" in body else text_reply("好")

    with pair(handler) as (model, server):
        assert [model.complete(REQUEST).text for _ in range(2)] == ["好", "好"]
    assert [request.body.get("stream") for request in server.requests] == [True, None, None]


def test_a_stream_that_breaks_off_is_asked_for_again() -> None:
    broken = streamed(text_reply("看多，放量突破"), share=0.5)
    pauses: list[float] = []
    with pair(in_turn(broken, text_reply("看多")), max_retries=1, sleep=pauses.append) as (model, _):
        assert model.complete(REQUEST).text == "看多"
    assert len(pauses) == 1


def test_a_cancel_closes_the_stream_and_ends_the_call() -> None:
    cancel, heard = Cancel(), []

    def hears(role: str, words: str) -> None:
        heard.append(words)
        Thread(target=cancel.cancel, args=("halt",)).start()

    begun = streamed(text_reply("均线多头，放量突破"), size=64, share=0.7)
    with pair(lambda body: Stream(begun.pieces, hold=True)) as (model, server):
        with pytest.raises(ModelCancelled, match="halt"):
            model.answer(REQUEST, Scope(cancel=cancel, heard=hears))
        assert server.left.wait(LONG)
        with pytest.raises(ModelCancelled):
            model.answer(REQUEST, Scope(cancel=cancel))
        assert len(server.requests) == 1
    assert heard


def test_a_cancel_ends_a_call_whose_server_says_nothing_yet() -> None:
    cancel = Cancel()
    arrived: list[Timer] = []

    def handler(body: Body) -> Fault:
        arrived.append(Timer(0.05, cancel.cancel, ("pause",)))
        arrived[0].start()
        return Fault(delay=LONG)

    with pair(handler) as (model, _), pytest.raises(ModelCancelled, match="pause"):
        model.answer(REQUEST.model_copy(update={"timeout": LONG}), Scope(cancel=cancel))
    arrived[0].join()


def test_a_cancel_ends_the_pause_before_a_retry() -> None:
    cancel = Cancel()
    timers: list[Timer] = []

    def handler(body: Body) -> Fault:
        timers.append(Timer(0.05, cancel.cancel, ("flatten",)))
        timers[0].start()
        return Fault(status=429, retry_after=25)

    with pair(handler, max_retries=1) as (model, server), pytest.raises(ModelCancelled, match="flatten"):
        model.answer(REQUEST.model_copy(update={"timeout": LONG}), Scope(cancel=cancel))
    timers[0].join()
    assert len(server.requests) == 1


def test_a_closed_client_is_told_and_leaves_no_thread() -> None:
    with pair(in_turn(text_reply("好"))) as (model, _):
        model.complete(REQUEST)
        model.close()
        with pytest.raises(ModelUnavailable, match="closed"):
            model.complete(REQUEST)


# failing over


class Team:
    """Two servers, the second a fallback, as the settings make them."""

    def __init__(self, first: str, second: str, cassette: Path | None = None, **llm: Any) -> None:
        spare = Fallback(
            base_url=second,
            model="spare",
            api_key=KEYS[1],
            input_price=Decimal(100),
            output_price=Decimal(100),
        )
        fields = {
            "model": "main",
            "api_key": KEYS[0],
            "max_retries": 0,
            "input_price": 10,
            "output_price": 10,
        }
        self.llm = LlmSettings(base_url=first, fallbacks=(spare,), **(fields | llm))
        self.told: list[tuple[Severity, Text]] = []
        self.ledger = build_ledger(BudgetSettings())
        self.model = build_model(
            self.llm, self.ledger, tell=lambda *each: self.told.append(each), cassette=cassette
        )
        self.logs: list[LoggedModel] = []

    def ask(self, text: str = "看一下") -> ModelReply:
        """One decision with one question."""
        scope = Scope(self.ledger.begin_decision(DAY))
        self.logs.append(LoggedModel(RoleModel(self.model, None, self.llm, "deep", scope)))
        messages = (ChatMessage(role="user", content=text),)
        return self.logs[-1].complete(REQUEST.model_copy(update={"messages": messages}))


def with_keys(server: ModelServer) -> set[str]:
    return {request.headers["authorization"].removeprefix("Bearer ") for request in server.requests}


@pytest.mark.parametrize(
    "fault",
    [
        streamed(text_reply("看多，放量突破"), share=0.5),
        Fault(cut="reset"),
        Fault(status=503),
        Fault(status=429, retry_after=120),
        Fault(status=429, code="insufficient_quota", message="no credit"),
        Fault(status=402, message="balance"),
        Fault(status=401, message="bad key"),
        Fault(status=404, body=b"<html>moved</html>"),
    ],
    ids=["mid-stream", "reset", "503", "429", "quota", "402", "401", "no-api"],
)
def test_what_the_first_server_does_not_answer_the_second_does(fault: Stream | Fault) -> None:
    reply = text_reply("不动", usage=(100, 20))
    with ModelServer(lambda body: fault) as first, ModelServer(lambda body: reply) as second:
        team = Team(first.base_url, second.base_url)
        said = team.ask()
        team.model.close()
    assert (said.text, said.answered_by, team.model.name) == ("不动", "spare", "main")
    (exchange,) = team.logs[0].exchanges
    assert (exchange.model, exchange.failure) == ("spare", "")
    assert exchange.usage.calls == 2
    cost = exchange.usage.cost  # 120 tokens at the second's 100 CNY a million, the first's at most 7 at 10
    assert Decimal("0.012") <= cost <= Decimal("0.01207")
    assert (with_keys(first), with_keys(second)) == ({KEYS[0]}, {KEYS[1]})
    assert team.ledger.usage_day == team.ledger.latest.usage
    assert "后备 spare" in str(team.told[-1][1])


def test_both_down_is_an_error_that_names_both() -> None:
    team = Team(closed_port_url(), closed_port_url())
    with pytest.raises(ModelUnavailable, match=r"main: no answer .*; spare: no answer"):
        team.ask()
    team.model.close()
    (exchange,) = team.logs[0].exchanges
    assert exchange.failure.startswith("ModelUnavailable: ")
    assert (exchange.usage.calls, exchange.model) == (2, "main")


def test_a_server_that_is_down_is_not_asked_before_each_answer_of_the_fallback() -> None:
    with (
        ModelServer(lambda body: Fault(status=503)) as first,
        ModelServer(lambda b: text_reply("好")) as second,
    ):
        team = Team(first.base_url, second.base_url)
        for number in range(6):
            team.ask(str(number))
        team.model.close()
    assert (len(first.requests), len(second.requests)) == (2, 6)
    assert [severity for severity, _ in team.told] == [Severity.WARNING] * 2
    assert "其间由后备模型作答" in str(team.told[-1][1])


def test_a_bad_answer_is_no_reason_to_ask_the_next_server() -> None:
    with ModelServer(lambda b: Fault(reply=text_reply(""))) as first, ModelServer(lambda b: {}) as second:
        team = Team(first.base_url, second.base_url)
        with pytest.raises(ModelError, match="empty"):
            team.ask()
        team.model.close()
    assert second.requests == []


def test_a_cancelled_call_asks_nobody_else() -> None:
    cancel, timers = Cancel(), []

    def slow(body: Body) -> Fault:
        timers.append(Timer(0.05, cancel.cancel, ("halt",)))
        timers[0].start()
        return Fault(delay=LONG)

    with ModelServer(slow) as first, ModelServer(lambda body: {}) as second:
        team = Team(first.base_url, second.base_url)
        scope = Scope(team.ledger.begin_decision(DAY), cancel)
        with pytest.raises(ModelCancelled):
            RoleModel(team.model, None, team.llm, "deep", scope).complete(REQUEST)
        team.model.close()
    timers[0].join()
    assert second.requests == []
    assert team.told == []
    assert scope.purse is not None
    assert scope.purse.usage.prompt_tokens > 0  # the server may well have worked


def test_the_cassette_holds_the_fallbacks_answer_under_the_question_and_no_key(tmp_path: Path) -> None:
    file = tmp_path / "c.db"

    def replies(body: Body) -> Body:
        quoted = body["messages"][-1]["content"] == "quote"
        return text_reply(f"your key is {KEYS[1]}" if quoted else "不动")

    with ModelServer(replies) as second:
        team = Team(closed_port_url(), second.base_url, file)
        said = team.ask()
        team.ask("quote")
        team.model.close()
    replaying = Team(closed_port_url(), closed_port_url(), file, cassette_mode="replay")
    again = replaying.ask()
    replaying.model.close()
    assert again.model_dump(exclude={"usage"}) == said.model_dump(exclude={"usage"})
    assert (again.usage.calls, again.usage.cost) == (2, 0)
    assert replaying.ledger.usage_day.calls == 2
    first, second_time = team.logs[0].exchanges[0], replaying.logs[0].exchanges[0]
    assert (first.request, first.reply, first.model) == (
        second_time.request,
        second_time.reply,
        second_time.model,
    )
    cassette = Cassette(file)
    assert cassette.count() == 2  # the answer that quotes a key is kept without it
    assert cassette.find(fingerprint("main", REQUEST)) is not None
    cassette.close()
    assert all(key.encode() not in path.read_bytes() for path in tmp_path.iterdir() for key in KEYS)


def test_a_budget_that_the_fallback_does_not_fit_in_ends_before_it_is_asked() -> None:
    with ModelServer(lambda body: Fault(status=503)) as first, ModelServer(lambda body: {}) as second:
        team = Team(first.base_url, second.base_url)
        team.ledger.limits = build_ledger(BudgetSettings(cost_per_day=Decimal("0.05"))).limits
        with pytest.raises(Exception, match="cost_per_day"):
            team.ask()
        team.model.close()
    assert (len(first.requests), second.requests) == (1, [])


def test_a_refusal_of_the_last_server_says_what_both_said() -> None:
    refuse = Fault(status=401, message="bad key")
    with ModelServer(lambda body: refuse) as server:
        team = Team(closed_port_url(), server.base_url)
        with pytest.raises(ModelRefused, match=r"main: .*spare: .*refused the API key") as caught:
            team.ask()
        team.model.close()
    assert caught.value.status == 401
    assert not any(key in str(caught.value) for key in KEYS)


def models_ledger(model: ModelPort, check: Callable[[object], bool]) -> bool:
    return check(ledger_of(model))


@pytest.mark.parametrize("mode", ["off", "record", "replay"])
def test_every_chain_of_models_knows_the_budget_it_is_under(tmp_path: Path, mode: str) -> None:
    team = Team(closed_port_url(), closed_port_url(), tmp_path / "c.db", cassette_mode=mode)
    assert models_ledger(team.model, lambda found: found is team.ledger)
    team.model.close()
