"""The token figures of llm/estimate.py, measured anew: a decision with the real prompts and tools."""

from collections.abc import Sequence
from typing import Any

import pytest
from decision_world import PLAN, calls, plan, request
from team_world import NAMES, Team, found, full

from vnpy_aiagent.brain.decide import Brain
from vnpy_aiagent.config import BrainSettings, LlmSettings
from vnpy_aiagent.llm.estimate import SPEECH, STUDY, TokenUse
from vnpy_aiagent.llm.port import ModelReply
from vnpy_aiagent.llm.pricing import estimate_prompt, estimate_tokens

WORDS = "收盘价站上二十日均线，均线多头排列，成交量温和放大，动量指标转正，但短线涨幅已大，需防回落"
SPEAKERS = ("aggressive", "conservative", "judge")


def speech() -> ModelReply:
    reason = {"text": WORDS, "evidence": ["e1", "e2"]}
    changes: dict[str, Any] = {"argument": reason, "reasons": [reason, reason], "questions": [reason]}
    return plan(**(PLAN | changes))


def completion(reply: ModelReply) -> int:
    spoken = "".join(call.name + call.arguments for call in reply.tool_calls)
    return estimate_tokens(reply.text + spoken)


def measure() -> tuple[TokenUse, TokenUse]:
    """Of the study (five roles, one of them with a round of tools), and of one speech on average."""
    studied = [calls("get_bars", interval="WEEKLY", count=20), found(NAMES[0], text=WORDS)]
    scripts: dict[str, list[ModelReply | Exception]] = {NAMES[0]: [*studied]}
    scripts |= {role: [found(role, text=WORDS)] for role in NAMES[1:]}
    scripts |= {speaker: [speech()] for speaker in SPEAKERS}
    answers = {role: list(script) for role, script in scripts.items()}
    team = Team(scripts)
    made = Brain(team, LlmSettings(), BrainSettings()).decide(request(), full())
    assert made.decision.failures == ()

    def use(roles: Sequence[str]) -> TokenUse:
        asked = [each for role in roles for each in team.requests[role]]
        said = [reply for role in roles for reply in answers[role] if isinstance(reply, ModelReply)]
        return TokenUse(len(asked), sum(map(estimate_prompt, asked)), sum(map(completion, said)))

    return use(NAMES), use(SPEAKERS).times(1 / len(SPEAKERS))


def test_the_estimates_figures_are_those_of_the_present_prompts() -> None:
    for known, measured in zip((STUDY, SPEECH), measure(), strict=True):
        for name, figure in measured._asdict().items():
            assert getattr(known, name) == pytest.approx(figure, rel=0.1), f"{name}: measured {measured}"
