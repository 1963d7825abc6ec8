"""A model server that is down: a scan over many symbols ends at once, says why, and says it once."""

import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "brain"))
from decision_world import NOW, request, snapshot

from vnpy_aiagent.brain.build import BrainSetup, build_brain
from vnpy_aiagent.config import BrainSettings, BudgetSettings, LlmSettings, QuickModel
from vnpy_aiagent.domain import RequestKind
from vnpy_aiagent.llm.budget import BudgetedModel, DayUse
from vnpy_aiagent.llm.port import Usage
from vnpy_aiagent.testing.model_server import Fault, ModelServer, closed_port_url, text_reply

SYMBOLS = 20


def setup(base_url: str, **changes: object) -> BrainSetup:
    llm = LlmSettings(base_url=base_url, model="m", max_retries=0)
    return BrainSetup(llm.model_copy(update=changes), BudgetSettings(), BrainSettings())


@pytest.mark.parametrize("clock", [time.monotonic, None], ids=["live", "simulation"])
def test_a_dead_server_does_not_hold_up_a_scan(clock: object) -> None:
    brain = build_brain(setup(closed_port_url()), clock)  # type: ignore[arg-type]
    answers = [brain.decide(request(name=f"r{n}"), snapshot()) for n in range(SYMBOLS)]
    brain.close()
    reasons = [answer.proposals[0].abstained for answer in answers]
    assert all("no answer came from" in why for why in reasons[:2])
    assert all("left alone" in why for why in reasons[2:])
    assert [len(answer.alerts) for answer in answers] == [0, 1] + [0] * (SYMBOLS - 2)
    assert "没有应答" in str(answers[1].alerts[0][1])


def test_a_broken_server_is_asked_twice_for_a_whole_scan() -> None:
    with ModelServer(lambda body: Fault(status=503)) as server:
        brain = build_brain(setup(server.base_url), None)
        for number in range(SYMBOLS):
            brain.decide(request(name=f"r{number}"), snapshot())
        brain.close()
    assert len(server.requests) == 2


def test_roles_ask_their_own_models_with_their_own_keys_behind_one_budget() -> None:
    weak = '{"stance": "NEUTRAL", "strength": 0, "confidence": 0.5, "text": "无"}'
    with ModelServer(lambda body: text_reply(weak)) as server, ModelServer(lambda b: text_reply(weak)) as own:
        quick = QuickModel(base_url=own.base_url, model="small")
        brain = build_brain(setup(server.base_url, quick=quick, api_key=LlmSettings(api_key="k-1").api_key))
        for kind in (RequestKind.OPEN, RequestKind.MANAGE):
            made = brain.decide(request(kind), snapshot())
            assert made.decision.usage.calls >= 1
        model = brain.model
        brain.close()
    assert [sent.body["model"] for sent in server.requests] == ["m"]
    assert {sent.body["model"] for sent in own.requests} == {"small"}
    assert server.requests[0].headers["authorization"] == "Bearer k-1"
    assert "k-1" not in own.requests[0].headers["authorization"]
    assert isinstance(model, BudgetedModel)
    assert model.ledger.usage_day.calls == len(server.requests) + len(own.requests)


def test_a_brain_is_built_with_what_the_day_has_used() -> None:
    spent = DayUse(NOW.date(), Usage(calls=2_000))
    brain = build_brain(BrainSetup(*_parts(), spent=spent))
    made = brain.decide(request(), snapshot())
    brain.close()
    assert "calls_per_day" in made.proposals[0].abstained


def _parts() -> tuple[LlmSettings, BudgetSettings, BrainSettings]:
    given = setup(closed_port_url())
    return given.llm, given.budget, given.brain
