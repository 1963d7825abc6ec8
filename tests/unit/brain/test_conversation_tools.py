"""Several tool calls in one answer: each is run, and answered under its own id, in the order of the calls."""

import json

from decision_world import snapshot

from vnpy_aiagent.brain.conversation import MAX_CALLS_A_STEP, Conversation, Trace
from vnpy_aiagent.brain.schemas import FindingAnswer
from vnpy_aiagent.config import LlmSettings
from vnpy_aiagent.llm.port import ModelReply, ToolCall
from vnpy_aiagent.testing.fake_model import FakeModel
from vnpy_aiagent.tools import Toolbox, tools_for

ANSWER = ModelReply(
    text=json.dumps({"stance": "NEUTRAL", "strength": 0, "confidence": 0.5, "text": "none", "evidence": []})
)


def asked_with(*calls: ToolCall) -> FakeModel:
    view = snapshot()
    model = FakeModel([ModelReply(tool_calls=calls), ANSWER], is_llm=True)
    toolbox = Toolbox(view, tools_for(view))
    Conversation(model, LlmSettings(), Trace(), "technical_analyst", "s", "u", toolbox, 2).ask(FindingAnswer)
    return model


def test_calls_of_one_answer_are_run_in_their_order_and_a_failed_one_stops_none() -> None:
    calls = (
        ToolCall(id="b", name="get_quote", arguments="{}"),
        ToolCall(id="a", name="no_such_tool", arguments="{}"),
        ToolCall(id="c", name="get_indicators", arguments='{"interval": "DAILY"}'),
    )
    history = asked_with(*calls).requests[1].messages
    said, *results = history[2:]
    assert said.tool_calls == calls
    assert [message.tool_call_id for message in results] == ["b", "a", "c"]
    assert ["error" in json.loads(message.content) for message in results] == [False, True, False]
    evidence = [json.loads(message.content).get("evidence_id") for message in results]
    assert evidence == ["e1", None, "e2"]


def test_calls_beyond_the_bound_are_answered_too() -> None:
    calls = [ToolCall(id=f"c{n}", name="get_quote", arguments="{}") for n in range(MAX_CALLS_A_STEP + 2)]
    results = asked_with(*calls).requests[1].messages[3:]
    assert [message.tool_call_id for message in results] == [call.id for call in calls]
    assert ["no more tool calls" in message.content for message in results[-3:]] == [False, True, True]
