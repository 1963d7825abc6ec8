"""The token figures of llm/estimate.py, measured anew: a decision with the real prompts and tools."""

from typing import Any

import pytest
from decision_world import PLAN, calls, finding, plan, request, snapshot

from vnpy_aiagent.brain.decide import Brain
from vnpy_aiagent.config import BrainSettings, LlmSettings
from vnpy_aiagent.llm.estimate import SPEECH, STUDY, TokenUse
from vnpy_aiagent.llm.port import ModelReply
from vnpy_aiagent.llm.pricing import estimate_prompt, estimate_tokens
from vnpy_aiagent.testing.fake_model import FakeModel, Scripted

WORDS = "收盘价站上二十日均线，均线多头排列，成交量温和放大，动量指标转正，但短线涨幅已大，需防回落"
SPEAKERS = 3


def speech() -> ModelReply:
    reason = {"text": WORDS, "evidence": ["e1", "e2"]}
    changes: dict[str, Any] = {"argument": reason, "reasons": [reason, reason], "questions": [reason]}
    return plan(**(PLAN | changes))


def completion(reply: ModelReply) -> int:
    spoken = "".join(call.name + call.arguments for call in reply.tool_calls)
    return estimate_tokens(reply.text + spoken)


def measure() -> tuple[TokenUse, TokenUse]:
    """Of the study (two rounds of tools, then the finding) and of one speech of the debate, on average."""
    script: list[Scripted] = [
        calls("get_quote", "get_indicators", "get_bars"),
        calls("get_market", "get_learnings", "get_accounts"),
        finding(text=WORDS),
        *[speech() for _ in range(SPEAKERS)],
    ]
    model = FakeModel(script)
    made = Brain(model, LlmSettings(), BrainSettings()).decide(request(), snapshot())
    assert made.decision.failures == ()
    prompts = [estimate_prompt(asked) for asked in model.requests]
    answers = [completion(reply) for reply in script if isinstance(reply, ModelReply)]
    study = TokenUse(3, sum(prompts[:3]), sum(answers[:3]))
    return study, TokenUse(1, sum(prompts[3:]) // SPEAKERS, sum(answers[3:]) // SPEAKERS)


def test_the_estimates_figures_are_those_of_the_present_prompts() -> None:
    for known, measured in zip((STUDY, SPEECH), measure(), strict=True):
        for name, figure in measured._asdict().items():
            assert getattr(known, name) == pytest.approx(figure, rel=0.1), f"{name}: measured {measured}"
