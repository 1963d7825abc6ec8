"""Pause, halt, resume and flatten in the middle of a run on real data."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from vnpy.event import Event
from vnpy.trader.event import EVENT_TICK

from vnpy_aiagent.domain import (
    MARKET_TZ,
    Alert,
    AnalysisRequest,
    EquityMark,
    Fill,
    HandlerFailed,
    Intent,
    JobSkipped,
    OrderState,
    OrderUpdate,
    Proposal,
    ProposalHeld,
    Sent,
    Side,
    Signal,
    StateChanged,
    StopState,
    StopUpdate,
    TradingState,
    Verdict,
    Withheld,
)
from vnpy_aiagent.engine import AiAgentEngine
from vnpy_aiagent.simulation import Simulation

from .loop_helpers import TEN, Played, play, sse50

START, END = date(2025, 6, 3), date(2025, 9, 30)
HALT = datetime(2025, 9, 2, 10, 30, tzinfo=MARKET_TZ)
RESUME = datetime(2025, 9, 23, 10, 30, tzinfo=MARKET_TZ)
WAITED = OrderState.CANCELLED
Act = Callable[[AiAgentEngine], object]


def acting(*acts: tuple[datetime, Act]) -> Callable[[Simulation], None]:
    """Prepare a run in which each act is done at the first tick from its moment on."""
    left = list(acts)

    def prepare(simulation: Simulation) -> None:
        def on_tick(_: Event) -> None:
            while left and simulation.clock.now() >= left[0][0]:
                _, act = left.pop(0)
                assert simulation.engine is not None
                act(simulation.engine)

        simulation.events.register(EVENT_TICK, on_tick)

    return prepare


@pytest.fixture(scope="module")
def halted(shared: Path) -> Played:
    acts = acting((HALT, lambda engine: engine.halt("test")), (RESUME, lambda engine: engine.resume()))
    return play(sse50(shared).restrict(TEN), start=START, end=END, prepare=acts)


@pytest.fixture(scope="module")
def flattened(shared: Path) -> Played:
    acts = acting((HALT, lambda engine: engine.flatten()))
    return play(sse50(shared).restrict(TEN), start=START, end=END, prepare=acts)


def between(played: Played, kind: type) -> list:  # type: ignore[type-arg]
    """Messages of a kind after the halt and before the resumption, in journal order."""
    changes = [change.id for change in played.of(StateChanged)]
    end = changes[1] if len(changes) > 1 else "~"
    return [message for message in played.of(kind) if changes[0] < message.id < end]


def test_after_halt_nothing_is_signalled_intended_sent_or_filled(halted: Played) -> None:
    assert halted.of(HandlerFailed) == []
    assert [change.state for change in halted.of(StateChanged)] == [TradingState.HALTED, TradingState.ACTIVE]
    held = [mark for mark in halted.of(EquityMark) if HALT.date() <= mark.day and mark.positions]
    assert held, "the halt must find positions, or this test shows nothing"
    for kind in (Signal, Intent, Sent, Fill, Proposal):
        assert between(halted, kind) == []
    skipped = between(halted, JobSkipped)
    assert skipped
    assert {request.id for request in between(halted, AnalysisRequest)} <= {each.cause for each in skipped}


def test_halt_lists_the_positions_that_are_unprotected_meanwhile(halted: Played) -> None:
    [alert] = [a for a in halted.of(Alert) if a.cause == halted.of(StateChanged)[0].id]
    mark = [m for m in halted.of(EquityMark) if m.day == HALT.date()]
    for m in mark:
        for symbol in m.positions:
            assert f"{m.account} {symbol}" in alert.text.render()


def test_a_stop_that_is_hit_during_the_halt_is_told_once_and_sold_after_it(halted: Played) -> None:
    hit = [u for u in between(halted, StopUpdate) if u.state is StopState.DEFERRED_T1]
    assert hit, "no stop was reached during the halt; choose another window"
    keys = [(update.account, update.symbol) for update in hit]
    assert len(keys) == len(set(keys)), "told once, not at every tick"
    resumed = halted.of(StateChanged)[1].id
    for account, symbol in keys:
        sold = [
            fill
            for fill in halted.of(Fill)
            if (fill.account, fill.symbol, fill.side) == (account, symbol, Side.SELL) and fill.id > resumed
        ]
        assert sold
        assert sold[0].at.date() == RESUME.date()


def test_resume_restores_trading(halted: Played) -> None:
    resumed = halted.of(StateChanged)[1].id
    assert [fill for fill in halted.of(Fill) if fill.id > resumed and fill.side is Side.BUY]


def test_flatten_sells_what_may_be_sold_and_opens_nothing(flattened: Played) -> None:
    assert flattened.of(HandlerFailed) == []
    [changed] = flattened.of(StateChanged)
    assert changed.state is TradingState.REDUCING
    after = [fill for fill in flattened.of(Fill) if fill.id > changed.id]
    assert after
    assert all(fill.side is Side.SELL for fill in after)
    for mark in flattened.of(EquityMark):
        if mark.day > HALT.date():
            assert mark.positions == {}


def test_flatten_on_the_day_of_the_entry_sells_the_locked_rest_next_session(shared: Path) -> None:
    plain = play(sse50(shared).restrict(TEN), start=START, end=END)
    bought = next(
        fill for fill in plain.of(Fill) if fill.side is Side.BUY and fill.at.date() > date(2025, 7, 1)
    )
    moment = bought.at.replace(hour=10, minute=30)
    locked: list[str] = []
    act = acting((moment, lambda engine: locked.extend(engine.flatten())))
    run = play(sse50(shared).restrict(TEN), start=START, end=END, prepare=act)
    assert f"{bought.account} {bought.symbol}" in locked
    mine = [f for f in run.of(Fill) if (f.account, f.symbol) == (bought.account, bought.symbol)]
    sold = [fill for fill in mine if fill.id > bought.id and fill.side is Side.SELL]
    assert sold[0].trading_day > bought.trading_day
    marks = [mark for mark in run.of(EquityMark) if mark.day > sold[0].trading_day]
    assert all(mark.positions == {} for mark in marks)


def test_pause_stops_decisions_but_not_stops(shared: Path) -> None:
    acts = acting((HALT, lambda engine: engine.pause()))
    run = play(sse50(shared).restrict(TEN), start=START, end=END, prepare=acts)
    [changed] = run.of(StateChanged)
    assert (changed.state, changed.paused) == (TradingState.ACTIVE, True)
    assert [m for m in run.of(Proposal) if m.id > changed.id] == []
    signals = [signal for signal in run.of(Signal) if signal.id > changed.id]
    assert signals
    assert all(signal.protective for signal in signals)
    flat = [u for u in run.of(StopUpdate) if u.id > changed.id and u.state is StopState.FLAT]
    assert flat


def test_an_order_that_waits_when_the_halt_comes_is_cancelled(shared: Path) -> None:
    """Almost no volume may be taken, so that entries keep working for hours."""
    from .loop_helpers import settings

    thin = settings().model_copy(update={"sim": settings().sim.model_copy(update={"participation": 1e-6})})
    data = sse50(shared).restrict(TEN)
    waited = [u for u in play(data, start=START, end=END, settings=thin).of(OrderUpdate) if u.state is WAITED]
    moment = waited[0].at.replace(hour=10, minute=30)
    halt = acting((moment, lambda engine: engine.halt("test")))
    run = play(data, start=START, end=END, settings=thin, prepare=halt)
    [changed] = run.of(StateChanged)
    open_ones = {intent.id for intent in run.of(Intent) if intent.id < changed.id}
    for update in run.of(OrderUpdate):
        if (
            update.state in (OrderState.CANCELLED, OrderState.FILLED, OrderState.REJECTED)
            and update.id < changed.id
        ):
            open_ones.discard(update.intent_id)
    assert open_ones, "nothing was working at the halt; this run shows nothing"
    cancelled = [u for u in run.of(OrderUpdate) if u.id > changed.id and u.state is OrderState.CANCELLED]
    assert {update.intent_id for update in cancelled} == open_ones
    assert {update.at for update in cancelled} == {changed.at}
    assert [sent for sent in run.of(Sent) if sent.id > changed.id] == []


def test_a_proposal_that_waits_for_the_session_is_void_once_the_ai_is_paused(shared: Path) -> None:
    from vnpy_aiagent.domain import BarInterval

    data = sse50(shared, hourly=True).restrict(TEN)
    plain = play(data, frequency=BarInterval.HOUR)
    held = next(m for m in plain.of(ProposalHeld) if m.at.hour == 11 and m.at.date() > date(2025, 10, 20))
    moment = held.at.replace(hour=13, minute=0, second=0, microsecond=0)
    run = play(data, frequency=BarInterval.HOUR, prepare=acting((moment, lambda engine: engine.pause())))
    verdicts = [verdict for verdict in run.of(Verdict) if verdict.proposal_id == held.proposal_id]
    [verdict] = verdicts
    assert [line.rule for line in verdict.lines] == ["paused"]
    assert run.of(Withheld) == []
