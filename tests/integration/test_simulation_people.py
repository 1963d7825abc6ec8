"""People answer, refuse, stay silent, halt, take over and hand back in the middle of a run on real data."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from vnpy.event import Event
from vnpy.trader.event import EVENT_TICK

from vnpy_aiagent.base import EVENT_AI_APPROVAL
from vnpy_aiagent.domain import (
    AnalysisRequest,
    ApprovalAnswered,
    ApprovalAsked,
    EquityMark,
    Fill,
    HandlerFailed,
    ParentOrder,
    PositionHandedBack,
    PositionTakenOver,
    Proposal,
    RequestKind,
    Side,
    Signal,
    StopUpdate,
    TradingState,
    TriggerFired,
    Verdict,
)
from vnpy_aiagent.engine import AiAgentEngine
from vnpy_aiagent.report.read import RunRecord
from vnpy_aiagent.report.why_not import why_not
from vnpy_aiagent.simulation import Simulation

from .loop_helpers import TEN, Played, play, settings, sse50

START, END = date(2025, 6, 3), date(2025, 8, 15)
Answer = Callable[[AiAgentEngine, ApprovalAsked], object]


def run(shared: Path, prepare: Callable[[Simulation], None] | None = None, **changes: Any) -> Played:
    return play(
        sse50(shared).restrict(TEN), start=START, end=END, settings=settings(**changes), prepare=prepare
    )


def answering(answer: Answer) -> Callable[[Simulation], None]:
    """A human who answers as soon as something is asked."""

    def prepare(simulation: Simulation) -> None:
        def hear(event: Event) -> None:
            if isinstance(event.data, ApprovalAsked):
                assert simulation.engine is not None
                answer(simulation.engine, event.data)

        simulation.events.register(EVENT_AI_APPROVAL, hear)

    return prepare


def facts(played: Played) -> list[tuple[Any, ...]]:
    fills = played.of(Fill)
    return sorted((f.at, f.account, f.symbol, f.side.name, f.volume, f.price) for f in fills)


def unfilled(played: Played) -> dict[str, int]:
    funnel = why_not(RunRecord.of_messages(list(played.messages.values())))
    return {why.example.render(): why.count for why in funnel.unfilled}


@pytest.fixture(scope="module")
def plain(shared: Path) -> Played:
    return run(shared)


def test_with_everything_approved_at_once_the_run_trades_as_without_approvals(
    shared: Path, plain: Played
) -> None:
    asked = run(shared, answering(lambda engine, each: engine.approve(each.id)), approvals="all")
    assert asked.of(HandlerFailed) == []
    assert len(asked.of(ApprovalAsked)) == sum(1 for s in asked.of(Signal) if not s.protective)
    assert facts(asked) == facts(plain)
    entry = next(order for order in asked.of(ParentOrder) if order.side is Side.BUY)
    kinds = [type(message) for message in asked.chain(entry)]
    assert kinds[-6:] == [Proposal, Verdict, Signal, ApprovalAsked, ApprovalAnswered, ParentOrder]


def test_what_nobody_answers_is_never_ordered_and_the_funnel_says_so(shared: Path, plain: Played) -> None:
    silent = run(shared, approvals="entries")
    answers = silent.of(ApprovalAnswered)
    assert len(answers) == len(silent.of(ApprovalAsked)) > 5
    assert {(answer.approved, answer.by) for answer in answers} == {(False, "timeout")}
    assert all(
        (answer.at - silent.messages[answer.approval_id].at).total_seconds() == 60 for answer in answers
    )
    assert silent.of(ParentOrder) == []
    assert silent.of(Fill) == []
    assert plain.of(Fill)
    assert unfilled(silent) == {"到时未批准，已作废": len(answers)}


def test_a_refusal_stands_in_the_funnel_with_its_reason(shared: Path) -> None:
    refused = run(
        shared, answering(lambda engine, each: engine.refuse(each.id, "不买银行")), approvals="entries"
    )
    assert refused.of(Fill) == []
    assert list(unfilled(refused)) == ["人工拒绝：不买银行"]


def test_a_halt_while_something_waits_ends_it_and_an_approval_changes_nothing(shared: Path) -> None:
    late: list[bool] = []

    def answer(engine: AiAgentEngine, each: ApprovalAsked) -> None:
        if engine.control.state is TradingState.ACTIVE:
            engine.halt("test")
            late.append(engine.approve(each.id))

    halted = run(shared, answering(answer), approvals="entries")
    assert late == [False]
    assert {answer.by for answer in halted.of(ApprovalAnswered)} == {"halt"}
    assert halted.of(ParentOrder) == []


def test_a_position_taken_over_is_left_alone_until_it_is_handed_back(shared: Path, plain: Played) -> None:
    """The first position that the plain run sells is taken over the day after it was bought."""
    sold = next(fill for fill in plain.of(Fill) if fill.side is Side.SELL)
    key = sold.account, sold.symbol
    bought = [f for f in plain.of(Fill) if (f.account, f.symbol) == key and f.id < sold.id][-1]
    back = date(2025, 8, 1)
    assert bought.at.date() < sold.at.date() < back, "choose another window"

    def prepare(simulation: Simulation) -> None:
        def on_tick(_: Event) -> None:
            engine, today = simulation.engine, simulation.clock.now().date()
            assert engine is not None
            book = engine.house.portfolio.books[key[0]]
            if bought.at.date() < today < back and book.managed(key[1]):
                engine.take_over(*key)
            last = engine.house.portfolio.quotes.last_prices.get(key[1])
            if today >= back and book.external and last:
                engine.hand_back(*key, stop=(last * 9 / 10).quantize(sold.price))

        simulation.events.register(EVENT_TICK, on_tick)

    played = run(shared, prepare)
    assert played.of(HandlerFailed) == []
    [taken], [handed] = played.of(PositionTakenOver), played.of(PositionHandedBack)

    def between(kind: type) -> list[Any]:
        return [m for m in played.of(kind) if taken.id < m.id < handed.id and m.account == key[0]]

    mine = [fill for fill in between(Fill) if fill.symbol == key[1]]
    assert mine == []
    assert [fired for fired in between(TriggerFired) if fired.symbol == key[1]] == []
    assert [stop.state.name for stop in between(StopUpdate) if stop.symbol == key[1]] == ["TAKEN_OVER"]
    managed = [
        request
        for request in between(AnalysisRequest)
        if request.symbol == key[1] and request.request is not RequestKind.OPEN
    ]
    assert managed == []
    assert [each for each in between(Signal) if each.symbol == key[1]] == []
    marks = [m for m in played.of(EquityMark) if m.account == key[0] and taken.id < m.id < handed.id]
    assert marks
    assert all(mark.positions[key[1]] == taken.volume for mark in marks)
    armed = next(stop for stop in played.of(StopUpdate) if stop.id > handed.id and stop.symbol == key[1])
    assert (armed.state.name, armed.cause) == ("ARMED", handed.id)
