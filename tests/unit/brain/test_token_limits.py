"""What a decision asks of a model stays within its limits: calls, and tokens that our own estimate counts.

benchmarks/tokens.py sets the estimate beside real tokenizers; it lies above Qwen's.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
from tokens import Use, decide

from vnpy_aiagent.llm.pricing import estimate_prompt

STUDY_CALLS, DEBATE_CALLS, DEBATE_TOKENS, ALL_CALLS, ALL_TOKENS = 7, 12, 40_000, 24, 80_000


@pytest.mark.parametrize("busy", [False, True], ids=["at_once", "with_tools"])
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("facts", [False, True], ids=["demo", "with_facts"])
def test_a_decision_with_default_prompts_stays_within_its_limits(
    facts: bool, language: str, busy: bool
) -> None:
    use: Use = decide(facts=facts, language=language, busy=busy)
    study, debate, whole = (use.part(stage, estimate_prompt) for stage in ("study", "debate", "all"))
    assert 0 < study.calls <= STUDY_CALLS
    assert 0 < debate.calls <= DEBATE_CALLS
    assert debate.tokens <= DEBATE_TOKENS
    assert whole.calls <= ALL_CALLS
    assert whole.tokens <= ALL_TOKENS


def test_texts_are_read_and_every_analyst_is_asked_where_there_are_facts() -> None:
    use: Use = decide(facts=True, language="zh", busy=False)
    assert use.part("texts", estimate_prompt).calls == 5
    assert len({each.task for each in use.asked}) == 9
