"""The risk agent: what it holds, what it refuses at once, and from which price it measures."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from vnpy_aiagent.agents import RiskAgent
from vnpy_aiagent.agents.risk import HELD_TIMER, QUOTE_PATIENCE
from vnpy_aiagent.agents.snapshots import build_snapshot
from vnpy_aiagent.config import ReanalysisSettings
from vnpy_aiagent.domain import (
    Action,
    AnalysisRequest,
    Mode,
    Outcome,
    PriceBasis,
    PriceRef,
    ProposalHeld,
    RequestKind,
    Signal,
    TriggerKind,
    TriggerPlan,
    Verdict,
    say,
)
from vnpy_aiagent.risk import RiskEngine
from vnpy_aiagent.tools.snapshot import MarketOverview

from .risk_world import MONDAY, SYMBOL, World, a_proposal, above, below, last, moment

TUESDAY = date(2025, 3, 4)
NO_MARKET = MarketOverview(scanned=0, breadth=None, regime="UNKNOWN", median_return_5d=None)


def at_work(now: Any = None, mode: Mode = Mode.PAPER, **settings: Any) -> tuple[World, RiskAgent]:
    world = World(now or moment(10), mode, **settings)
    return world, RiskAgent(world.house, RiskEngine())


def judged(world: World, agent: RiskAgent, **changes: Any) -> Verdict:
    agent.on_proposal(a_proposal(**changes))
    return world.of(Verdict)[-1]


def refusals(verdict: Verdict) -> dict[str, str]:
    return {line.rule: line.text.render() for line in verdict.lines if not line.passed}


# sessions


def valid_until(world: World) -> Any:
    request = AnalysisRequest(
        id="q1",
        at=world.clock.now(),
        account="judge",
        request=RequestKind.OPEN,
        symbol=SYMBOL,
        accounts=("judge",),
        reason=say("x"),
        deadline=moment(15, day=TUESDAY),
    )
    snapshot = build_snapshot(world.house, request, NO_MARKET)
    assert snapshot.valid_until is not None
    assert snapshot.session == snapshot.valid_until.date()
    return snapshot.valid_until


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (moment(8), MONDAY),
        (moment(11, 45), MONDAY),
        (moment(14, 56), MONDAY),
        (moment(14, 57), TUESDAY),  # the closing auction: whatever comes now is judged tomorrow
        (moment(14, 59), TUESDAY),
        (moment(15), TUESDAY),
    ],
)
def test_a_proposal_is_valid_through_the_session_in_which_it_is_judged(now: Any, day: date) -> None:
    assert valid_until(World(now)) == moment(15, day=day)


def test_a_proposal_of_the_closing_auction_is_judged_and_approved_in_the_morning() -> None:
    world, agent = at_work(moment(14, 58))
    world.quote(20.0)
    agent.on_proposal(a_proposal(valid_until=valid_until(world)))
    [held] = world.of(ProposalHeld)
    assert held.until == moment(9, 30, TUESDAY)
    world.pass_time(held.until - timedelta(seconds=1))
    world.quote(20.0, held.until)
    world.pass_time(held.until, held_proposal=agent.on_held)
    [verdict] = world.of(Verdict)
    assert verdict.outcome is Outcome.APPROVED, refusals(verdict)


def test_a_proposal_that_lapses_before_the_next_session_is_refused_at_once() -> None:
    world, agent = at_work(moment(14, 58))
    verdict = judged(world, agent, valid_until=moment(15))
    assert refusals(verdict) == {"validity": "提案在下一交易时段 2025-03-04 09:30 之前失效"}
    assert world.of(ProposalHeld) == []
    assert world.house.timers.next_deadline() is None


# the first quote of a session


def test_a_held_proposal_waits_for_the_sessions_first_quote_and_is_judged_once() -> None:
    world, agent = at_work(moment(9, 0))
    world.quote(21.0, moment(8, 59))  # older than the session: no price to judge by
    agent.on_proposal(a_proposal())
    world.pass_time(moment(9, 31), held_proposal=agent.on_held)
    assert world.of(Verdict) == []
    world.quote(20.5)
    world.pass_time(moment(9, 32), held_proposal=agent.on_held)
    [verdict] = world.of(Verdict)
    assert (verdict.outcome, verdict.price) == (Outcome.APPROVED, Decimal("20.50"))
    world.pass_time(moment(10), held_proposal=agent.on_held)
    assert len(world.of(Verdict)) == 1
    assert len(world.of(ProposalHeld)) == 1


def test_a_held_proposal_without_a_quote_is_refused_when_patience_ends() -> None:
    world, agent = at_work(moment(9, 0))
    agent.on_proposal(a_proposal())
    until = moment(9, 30) + QUOTE_PATIENCE
    world.pass_time(until - timedelta(seconds=1), held_proposal=agent.on_held)
    assert world.of(Verdict) == []
    world.pass_time(until + timedelta(seconds=5), held_proposal=agent.on_held)
    assert refusals(world.of(Verdict)[-1]) == {"grounding": "价格无法落实：there is no quote today"}
    assert world.pass_time(moment(15)) == []


def test_recorded_bars_do_not_make_a_held_proposal_wait() -> None:
    world, agent = at_work(moment(9, 0), Mode.SIMULATION)
    agent.on_proposal(a_proposal())
    world.pass_time(moment(9, 30), held_proposal=agent.on_held)
    assert world.of(Verdict)[-1].outcome is Outcome.REJECTED


def test_a_pause_voids_a_held_proposal() -> None:
    world, agent = at_work(moment(9, 0))
    agent.on_proposal(a_proposal())
    assert [timer.name for timer in world.house.timers] == [HELD_TIMER]
    world.house.control.set(world.house.control.state, paused=True)
    world.clock.set(moment(9, 30))
    world.quote(20.0)
    world.pass_time(moment(9, 31), held_proposal=agent.on_held)
    assert list(refusals(world.of(Verdict)[-1])) == ["paused"]


def test_an_ex_day_voids_a_proposal_that_was_held_over_it() -> None:
    world, agent = at_work(moment(9, 0))
    asked: list[tuple[str, datetime]] = []
    agent.ex_day_since = lambda symbol, when: bool(asked.append((symbol, when)) or True)
    agent.on_proposal(a_proposal())
    world.clock.set(moment(9, 30))
    world.quote(20.0)
    world.pass_time(moment(9, 31), held_proposal=agent.on_held)
    assert refusals(world.of(Verdict)[-1]) == {"ex_day": "提案之后除权除息，其价格依据已变，提案作废"}
    assert asked == [(SYMBOL, a_proposal().at)]


# prices


def test_the_stops_distance_is_measured_from_the_entry_and_the_risk_from_the_limit() -> None:
    """Entry 20.00, stop 17.00: 15.0 % and allowed. The limit is 20.04 (0.2 % above), 15.17 % away."""
    world, agent = at_work()
    world.quote(20.0, limit_down=16.0)
    verdict = judged(world, agent, target_weight=0.09, stop=last(-15))
    assert verdict.outcome is not Outcome.REJECTED, refusals(verdict)
    lines = {line.rule: line for line in verdict.lines}
    assert lines["stop_distance"].text.render() == "止损距离 15.0%，允许 0.5% 至 15.0%"
    # 1 % of 1,000,000 CNY over 20.04 - 17.00 = 3.04 CNY a share
    assert lines["risk_per_trade"].max_volume == 3289
    assert verdict.volume == 3200


def test_a_stop_too_near_to_the_last_price_is_refused_though_the_entry_lies_higher() -> None:
    world, agent = at_work()
    world.quote(20.0)
    verdict = judged(world, agent, entry=last(2.5), stop=last(-0.2))  # 19.96: 0.2 % below what is paid
    assert refusals(verdict) == {"stop_distance": "止损距离 0.2% 不在 0.5% 与 15.0% 之间"}


@pytest.mark.parametrize("offset", [0.0, 0.5])
def test_a_stop_at_or_above_the_last_price_is_refused(offset: float) -> None:
    world, agent = at_work()
    world.quote(20.0)
    verdict = judged(world, agent, entry=last(2), stop=last(offset))
    assert refusals(verdict) == {"grounding": "价格无法落实：the stop is not below the last price 20.0"}
    assert world.of(Signal) == []


def test_an_add_with_a_stop_above_the_last_price_is_refused_too() -> None:
    world, agent = at_work()
    world.hold(1000)
    world.quote(20.0)
    assert list(refusals(judged(world, agent, action=Action.ADD, entry=last(2), stop=last(1)))) == [
        "grounding"
    ]


def test_a_stop_that_the_market_has_fallen_through_since_the_plan_is_refused() -> None:
    world, agent = at_work()
    level = PriceRef(basis=PriceBasis.LEVEL, level=Decimal("19.50"), evidence="e1")
    world.quote(19.4)
    assert list(refusals(judged(world, agent, stop=level))) == ["grounding"]


def test_an_entry_far_above_the_last_price_is_refused_with_a_sentence() -> None:
    world, agent = at_work()
    world.quote(20.0)
    assert judged(world, agent, entry=last(3.0)).outcome is Outcome.APPROVED
    verdict = judged(world, agent, entry=last(3.1))
    assert refusals(verdict) == {"entry_premium": "入场价 20.62 高于现价 20.0 达 3.1%，上限 3.0%，不追高"}


# triggers


def watched(verdict: Verdict) -> list[tuple[str, Decimal | None]]:
    return [(trigger.note, trigger.price) for trigger in verdict.triggers]


def note(verdict: Verdict) -> str:
    [line] = [line for line in verdict.lines if line.rule == "trigger_distance"]
    assert line.passed
    return line.text.render()


def test_triggers_a_tick_away_are_not_registered_and_the_verdict_says_so() -> None:
    world, agent = at_work()
    world.hold(1000)
    world.quote(20.0)
    plans = (above(0.25, "near"), above(0.3, "gain"), below(-0.25, "near"), below(-0.3, "fall"))
    verdict = judged(world, agent, action=Action.ADJUST, entry=None, stop=None, triggers=plans)
    assert watched(verdict) == [("gain", Decimal("20.06")), ("fall", Decimal("19.94"))]
    assert note(verdict) == "触发价 20.05、19.95 离现价 20.0 不足 0.06 元或已越过，不予登记"


def test_on_a_cheap_share_three_ticks_are_more_than_the_percentage() -> None:
    world, agent = at_work()
    world.hold(1000, "2.00")
    world.quote(2.0, pre_close=2.0, limit_up=2.2, limit_down=1.8)
    verdict = judged(
        world, agent, action=Action.HOLD, entry=None, stop=None, triggers=(above(1.0, "near"), above(1.5))
    )
    assert watched(verdict) == [("gain", Decimal("2.03"))]


def test_a_trigger_that_holds_already_is_not_registered() -> None:
    """Above 20.50 was planned at 20.00; the market opened at 21.00."""
    world, agent = at_work()
    world.hold(1000)
    passed = PriceRef(basis=PriceBasis.LEVEL, level=Decimal("20.50"), evidence="e1")
    plan = TriggerPlan(trigger=TriggerKind.PRICE_AT_OR_ABOVE, price=passed)
    world.quote(21.0)
    verdict = judged(world, agent, action=Action.HOLD, entry=None, stop=None, triggers=(plan,))
    assert watched(verdict) == []
    assert "20.50" in note(verdict)


def test_a_target_next_to_the_price_is_no_trigger_and_time_triggers_stay() -> None:
    world, agent = at_work(reanalysis=ReanalysisSettings(min_distance=0.05))
    world.quote(20.0)
    time = TriggerPlan(trigger=TriggerKind.TIME_AT, sessions=5, note="time")
    verdict = judged(world, agent, target=last(4), triggers=(time, above(6)))
    [signal] = world.of(Signal)
    assert verdict.target == Decimal("20.80")
    assert [trigger.note for trigger in signal.triggers] == ["time", "gain"]
    assert "20.80" in note(verdict)


def test_a_price_trigger_is_valid_as_long_as_its_plan() -> None:
    world, agent = at_work()
    world.quote(20.0)
    time = TriggerPlan(trigger=TriggerKind.TIME_AT, sessions=5, note="time")
    judged(world, agent, horizon_sessions=7, target=last(8), triggers=(above(6), time))
    [signal] = world.of(Signal)
    assert [(t.note, t.sessions) for t in signal.triggers] == [("gain", 7), ("time", 5), ("target", 7)]


# counts


def test_entries_of_days_gone_by_are_not_kept() -> None:
    world, agent = at_work()
    agent.entries["judge", date(2025, 2, 28)] = 2
    agent.entries["other", date(2025, 2, 28)] = 1
    world.quote(20.0)
    assert judged(world, agent).outcome is Outcome.APPROVED
    assert dict(agent.entries) == {("judge", MONDAY): 1}
