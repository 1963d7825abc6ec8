from decimal import Decimal

import pytest
from pydantic import ValidationError

from vnpy_aiagent.domain import TokenUsage
from vnpy_aiagent.llm.port import ChatMessage, ModelPort, ModelReply, ModelRequest, ToolCall, ToolSpec, Usage
from vnpy_aiagent.testing.fake_model import FakeModel

SPEC = ToolSpec(name="get_bars", description="日线", parameters={"type": "object", "properties": {}})


def _request(**changes: object) -> ModelRequest:
    fields = {"task": "analyst", "messages": (ChatMessage(role="user", content="看一下 600519"),), **changes}
    return ModelRequest.model_validate(fields)


def test_the_fingerprint_ignores_the_timeout_and_nothing_else() -> None:
    base = _request()
    assert base.fingerprint() == _request(timeout=5.0).fingerprint()
    others = [
        _request(task="judge"),
        _request(messages=(ChatMessage(role="user", content="看一下 600520"),)),
        _request(tools=(SPEC,)),
        _request(schema_name="finding"),
        _request(answer_schema={"type": "object"}),
        _request(max_tokens=1),
        _request(temperature=0.5),
        _request(seed=1),
    ]
    prints = {base.fingerprint(), *(other.fingerprint() for other in others)}
    assert len(prints) == len(others) + 1


def test_the_fingerprint_does_not_depend_on_key_order_and_stays_the_same_over_versions() -> None:
    one = _request(answer_schema={"type": "object", "title": "a"})
    two = _request(answer_schema={"title": "a", "type": "object"})
    assert one.fingerprint() == two.fingerprint()
    fixed = ModelRequest(task="t", messages=(ChatMessage(role="user", content="hi"),))
    assert fixed.fingerprint() == "dfc46b03dd044ea664b60f50953c82e16af8e3ac205eacf131d24001bd0ba194"


def test_a_request_survives_json() -> None:
    request = _request(tools=(SPEC,), answer_schema={"type": "object"}, seed=3)
    again = ModelRequest.model_validate_json(request.model_dump_json())
    assert again == request
    assert again.fingerprint() == request.fingerprint()


@pytest.mark.parametrize(
    "wrong",
    [{"messages": ()}, {"max_tokens": 0}, {"timeout": 0}, {"temperature": -1}, {"surprise": 1}],
)
def test_an_impossible_request_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        _request(**wrong)


def test_messages_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        _request().messages[0].content = "other"  # type: ignore[misc]


def test_usages_add_up_and_stay_estimated_once_estimated() -> None:
    total = Usage(calls=1, prompt_tokens=10, completion_tokens=5, cost=Decimal("0.01")) + TokenUsage(
        calls=2, prompt_tokens=1, completion_tokens=2, cost=Decimal("0.02"), estimated=True
    )
    assert total == Usage(
        calls=3, prompt_tokens=11, completion_tokens=7, cost=Decimal("0.03"), estimated=True
    )
    assert total.tokens == 18


def test_a_reply_goes_on_as_the_assistants_message() -> None:
    call = ToolCall(id="1", name="get_bars", arguments="{}")
    message = ModelReply(text="so", tool_calls=(call,), reasoning="because").as_message()
    assert message == ChatMessage(role="assistant", content="so", tool_calls=(call,), reasoning="because")


def test_the_fake_model_answers_in_order_and_keeps_the_requests() -> None:
    fake = FakeModel([ModelReply(text="one"), lambda request: ModelReply(text=request.task)])
    port: ModelPort = fake
    assert port.complete(_request()).text == "one"
    assert port.complete(_request(task="judge")).text == "judge"
    assert [request.task for request in fake.requests] == ["analyst", "judge"]
    assert fake.left == 0
    assert not port.is_llm
    port.close()
    assert fake.closed


def test_the_fake_model_raises_what_the_script_says_and_complains_when_exhausted() -> None:
    fake = FakeModel([TimeoutError("slow")])
    with pytest.raises(TimeoutError, match="slow"):
        fake.complete(_request())
    with pytest.raises(AssertionError, match="1 replies and was asked once more, for task 'analyst'"):
        fake.complete(_request())
