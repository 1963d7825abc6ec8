"""The breaker: a server that is down is left alone, asked again after a rest, and people hear of it once."""

from collections.abc import Callable

import pytest

from vnpy_aiagent.domain import Severity, Text
from vnpy_aiagent.errors import ModelError, ModelNonsense, ModelRefused, ModelTimeout, ModelUnavailable
from vnpy_aiagent.llm.breaker import COOL_DOWN, COOL_DOWN_CALLS, FAILURES, BreakerModel
from vnpy_aiagent.llm.port import ChatMessage, ModelReply, ModelRequest
from vnpy_aiagent.testing.fake_model import FakeModel, Scripted

REQUEST = ModelRequest(task="t", messages=(ChatMessage(role="user", content="x"),))
OK = ModelReply(text="hold")
DOWN = ModelUnavailable("no route")


class Bench:
    """A breaker over a script, on a clock that is moved by hand or (clock=False) on none."""

    def __init__(self, *script: Scripted, clock: bool = True) -> None:
        self.now = 0.0
        self.told: list[tuple[Severity, Text]] = []
        self.fake = FakeModel(script, name="m", is_llm=True)
        read: Callable[[], float] | None = (lambda: self.now) if clock else None
        self.model = BreakerModel(self.fake, lambda *notice: self.told.append(notice), read)

    def ask(self) -> str:
        """What one call came to: "answered", the model's own error, or "left alone"."""
        try:
            self.model.complete(REQUEST)
        except ModelError as error:
            return "left alone" if "left alone" in str(error) else type(error).__name__
        return "answered"

    def asks(self, times: int) -> list[str]:
        return [self.ask() for _ in range(times)]


@pytest.mark.parametrize("error", [DOWN, ModelTimeout("slow")])
def test_after_failures_in_a_row_the_server_is_left_alone_and_that_is_said_once(error: ModelError) -> None:
    bench = Bench(*[error] * FAILURES)
    assert bench.asks(FAILURES + 18) == [type(error).__name__] * FAILURES + ["left alone"] * 18
    assert [severity for severity, _ in bench.told] == [Severity.WARNING]
    assert "模型 m" in str(bench.told[0][1])


def test_an_answer_between_failures_keeps_it_closed() -> None:
    bench = Bench(*[DOWN, OK] * 4)
    assert bench.asks(8) == ["ModelUnavailable", "answered"] * 4
    assert bench.told == []


@pytest.mark.parametrize("error", [ModelRefused("key"), ModelNonsense("noise")])
def test_a_server_that_refuses_or_talks_nonsense_is_there(error: ModelError) -> None:
    assert "left alone" not in Bench(*[error] * 9).asks(9)


def test_after_the_rest_one_probe_decides() -> None:
    bench = Bench(*[DOWN] * FAILURES, DOWN, OK, OK)
    bench.asks(FAILURES)
    bench.now += COOL_DOWN - 0.1
    assert bench.ask() == "left alone"
    bench.now += 0.1
    assert bench.asks(2) == ["ModelUnavailable", "left alone"]
    bench.now += COOL_DOWN
    assert bench.asks(2) == ["answered", "answered"]
    assert [severity for severity, _ in bench.told] == [Severity.WARNING, Severity.INFO]


def test_what_comes_while_the_probe_is_under_way_is_refused() -> None:
    inner: list[str] = []

    def slow(request: ModelRequest) -> ModelReply:
        inner.append(bench.ask())
        return OK

    bench = Bench(*[DOWN] * FAILURES, slow)
    bench.asks(FAILURES)
    bench.now += COOL_DOWN
    assert bench.ask() == "answered"
    assert inner == ["left alone"]


def test_without_a_clock_the_rest_is_a_number_of_calls() -> None:
    bench = Bench(*[DOWN] * FAILURES, OK, clock=False)
    bench.asks(FAILURES)
    bench.now = 1e9
    assert bench.asks(COOL_DOWN_CALLS + 1) == ["left alone"] * COOL_DOWN_CALLS + ["answered"]


def test_name_kind_and_close_are_those_of_the_model_behind() -> None:
    bench = Bench()
    assert (bench.model.name, bench.model.is_llm) == ("m", True)
    bench.model.close()
    assert bench.fake.closed
