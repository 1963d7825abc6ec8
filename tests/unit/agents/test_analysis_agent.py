"""The analysis agent: how often a trigger may ask the model, and which answers count."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from vnpy_aiagent.agents import AnalysisAgent
from vnpy_aiagent.agents.analysis import ASK_AGAIN_AFTER
from vnpy_aiagent.brain import BrainAnswer
from vnpy_aiagent.config import ReanalysisSettings
from vnpy_aiagent.domain import (
    AnalysisRequest,
    Decision,
    JobSkipped,
    Proposal,
    RequestKind,
    TokenUsage,
    TriggerFired,
    say,
)
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

from .risk_world import FRIDAY, SYMBOL, World, a_proposal, moment


class Runner:
    """Keeps what it is asked; can fail."""

    def __init__(self) -> None:
        self.asked: list[AnalysisRequest] = []
        self.broken = False

    def submit(self, request: AnalysisRequest, snapshot: DecisionSnapshot, deliver: Any) -> None:
        if self.broken:
            raise RuntimeError("no brain")
        self.asked.append(request)

    def cancel(self, reason: str) -> None: ...


def at_work(now: datetime | None = None, **settings: Any) -> tuple[World, AnalysisAgent, Runner]:
    world, runner = World(now or moment(10), **settings), Runner()
    return world, AnalysisAgent(world.house, runner, lambda answer: None), runner


def fire(world: World, number: int, symbol: str = SYMBOL, account: str = "judge") -> AnalysisRequest:
    """A trigger has fired: the request that the monitoring agent posts."""
    from vnpy_aiagent.base import EVENT_AI_REQUEST

    request = world.house.bus.post(
        AnalysisRequest,
        EVENT_AI_REQUEST,
        cause=f"f{number}",
        account=account,
        request=RequestKind.REPLAN,
        symbol=symbol,
        accounts=(account,),
        reason=say("触发"),
        trigger_id=f"t{number}",
        deadline=moment(15),
    )
    world.events.drain()
    return request


def answer(request: AnalysisRequest) -> BrainAnswer:
    decision = Decision(
        id="",
        at=request.at,
        request_id=request.id,
        symbol=request.symbol,
        model="m",
        is_llm=False,
        evidence=(),
        findings=(),
        debate=(),
        lessons=(),
        prompt_hash="",
        usage=TokenUsage(),
    )
    return BrainAnswer(request.id, decision, (a_proposal(request_id=request.id),))


def test_a_storm_of_triggers_asks_once_in_ten_minutes_and_says_what_fired() -> None:
    world, _, runner = at_work()
    requests = []
    for minute in range(10):
        world.clock.set(moment(10, minute))
        requests.append(fire(world, minute))
    assert [request.trigger_id for request in runner.asked] == ["t0"]
    skipped = world.of(JobSkipped)
    assert [each.cause for each in skipped] == [request.id for request in requests[1:]]
    sentence = skipped[0].reason.render()
    assert sentence == (
        "judge 600036.SSE 的触发条件已触发，但 10:00:00 刚重新分析过，间隔不足 10 分钟，"
        "不再询问模型；止损照常有效"
    )
    assert world.said[-1] == skipped[-1].reason.render()
    world.clock.set(moment(10, 10))
    fire(world, 10)
    assert [request.trigger_id for request in runner.asked] == ["t0", "t10"]


def test_a_day_has_at_most_so_many_reanalyses_and_the_next_begins_anew() -> None:
    world, _, runner = at_work(reanalysis=ReanalysisSettings(per_day=2, cooldown=60))
    for number, minute in enumerate((0, 5, 10, 15)):
        world.clock.set(moment(10, minute))
        fire(world, number)
    assert [request.trigger_id for request in runner.asked] == ["t0", "t1"]
    assert "今日已重新分析 2 次（上限 2 次）" in world.of(JobSkipped)[-1].reason.render()
    world.clock.set(moment(9, 31) + timedelta(days=1))
    fire(world, 9)
    assert runner.asked[-1].trigger_id == "t9"


def test_each_account_and_symbol_has_a_limit_of_its_own() -> None:
    world, agent, _ = at_work()
    now = world.clock.now()
    agent.limit.note("judge", SYMBOL, now)
    assert agent.limit.refusal("judge", SYMBOL, now) is not None
    assert agent.limit.refusal("conservative", SYMBOL, now) is None
    assert agent.limit.refusal("judge", "600519.SSE", now) is None


def test_scheduled_and_human_requests_are_not_limited() -> None:
    world, agent, runner = at_work()
    for _ in range(3):
        agent.request(SYMBOL, RequestKind.MANAGE, ("judge",), say("定时检查持仓"), None)
    world.events.drain()
    assert len(runner.asked) == 3


def test_reanalyses_of_the_process_before_count() -> None:
    world, agent, runner = at_work()
    agent.limit.restore([("judge", SYMBOL, moment(9, 55))])
    fire(world, 1)
    assert runner.asked == []


def test_what_is_remembered_is_one_day() -> None:
    _, agent, _ = at_work()
    agent.limit.note("judge", SYMBOL, moment(14, day=FRIDAY))
    agent.limit.note("judge", "600519.SSE", moment(10))
    assert list(agent.limit._asked) == [("judge", "600519.SSE")]


def test_a_request_that_cannot_be_handed_over_is_not_awaited() -> None:
    world, agent, runner = at_work()
    runner.broken = True
    request = fire(world, 1)
    assert world.house.bus.failures == 1
    agent.on_answer(answer(request))
    assert world.of(Decision) == []


def test_a_request_whose_snapshot_cannot_be_built_is_not_awaited() -> None:
    world, agent, runner = at_work()
    request = fire(world, 1, symbol="600519.SSE")
    assert world.house.bus.failures == 1
    assert runner.asked == []
    agent.on_answer(answer(request))
    assert world.of(Decision) == []


@pytest.mark.parametrize(("now", "taken"), [(moment(15), True), (moment(15, 1), False)])
def test_an_answer_after_its_deadline_is_kept_for_the_record_and_not_used(now: datetime, taken: bool) -> None:
    world, agent, _ = at_work(moment(14, 55))
    request = fire(world, 1)
    world.clock.set(now)
    agent.on_answer(answer(request))
    assert len(world.of(Decision)) == 1
    assert len(world.of(Proposal)) == taken
    reasons = [(skipped.cause, skipped.reason.render()) for skipped in world.of(JobSkipped)]
    late = [(request.id, "600036.SSE 的答复晚于 2025-03-03 15:00，不采用")]
    assert reasons == ([] if taken else late)


def fired() -> TriggerFired:
    return TriggerFired(
        id="f1",
        at=moment(14, 50, FRIDAY),
        account="judge",
        trigger_id="t1",
        symbol=SYMBOL,
        price=None,
        note="gain",
    )


def test_what_was_not_answered_before_a_restart_is_asked_with_the_sessions_prices() -> None:
    world, agent, runner = at_work(moment(8))
    world.hold()
    agent.ask_again_later(fired())
    assert world.pass_time(moment(9, 30), ask_again=agent.ask_again) == []
    assert runner.asked == []
    world.pass_time(moment(9, 30) + ASK_AGAIN_AFTER, ask_again=agent.ask_again)
    [request] = runner.asked
    assert (request.trigger_id, request.cause, request.setup) == ("t1", "f1", "trend")
    assert request.deadline == moment(15)
    assert "2025-02-28 14:50" in request.reason.render()


def test_nothing_is_asked_again_for_a_position_that_is_gone() -> None:
    world, agent, runner = at_work()
    agent.ask_again(fired())
    world.events.drain()
    assert runner.asked == []
