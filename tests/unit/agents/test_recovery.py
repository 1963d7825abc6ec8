"""After a restart: holdings have their value, the day its base, and unanswered triggers are asked again."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from vnpy_aiagent.agents import AnalysisAgent, MonitoringAgent, RiskAgent
from vnpy_aiagent.agents.analysis import ASK_AGAIN_TIMER
from vnpy_aiagent.agents.restore import Restored
from vnpy_aiagent.domain import Alert, Mode, Outcome, Severity, Signal, TriggerFired, Verdict
from vnpy_aiagent.recovery import Recovery
from vnpy_aiagent.risk import RiskEngine

from .risk_world import FRIDAY, MONDAY, SYMBOL, Bars, World, a_fill, a_proposal, moment

THURSDAY = FRIDAY.replace(day=27)


def restart(now: datetime, close: float, **restored: Any) -> World:
    """1,000 shares bought at 20.00 on Friday; the last daily close is `close`."""
    world = World(now)
    world.house.bars.series = Bars(close).series  # type: ignore[attr-defined]
    world.hold(1000, "20.00")
    recover(world, **restored)
    return world


def recover(world: World, **restored: Any) -> AnalysisAgent:
    monitoring = MonitoringAgent(world.house)
    analysis = AnalysisAgent(world.house, None, lambda answer: None)  # type: ignore[arg-type]
    facts = Restored(books={"judge": world.book}, **restored)
    Recovery(world.house, monitoring, analysis, orders=None).run(facts)
    world.events.drain()
    return analysis


CLOSES = {"judge": {THURSDAY: Decimal(990_000), FRIDAY: Decimal(1_010_000)}}


def test_holdings_are_valued_by_the_last_daily_close_not_at_cost() -> None:
    world = restart(moment(10), 30.0)
    assert world.portfolio.equity("judge") == Decimal(980_000) + 1000 * 30
    assert world.portfolio.quotes.get(SYMBOL) is None


def test_in_mid_session_the_day_is_measured_from_the_close_before_and_not_begun_again() -> None:
    world = restart(moment(10), 30.0, closes=CLOSES)
    assert world.book.day_start_equity == Decimal(1_010_000)
    world.portfolio.start_session(MONDAY)  # the timetable opens the session that is on
    assert world.book.day_start_equity == Decimal(1_010_000)
    world.portfolio.start_session(MONDAY.replace(day=4))
    assert world.book.day_start_equity == Decimal(1_010_000)  # 980,000 + 1,000 x 30


def test_a_loss_of_today_survives_the_restart_and_refuses_entries() -> None:
    """1,030,000 at Friday's close; now 980,000 in cash and 1,000 shares at 19.00: a loss of 3.0 %."""
    world = restart(moment(10), 30.0, closes={"judge": {FRIDAY: Decimal(1_030_000)}})
    world.portfolio.start_session(MONDAY)
    world.quote(19.0)
    RiskAgent(world.house, RiskEngine()).on_proposal(a_proposal())
    [verdict] = world.of(Verdict)
    refused = {line.rule for line in verdict.lines if not line.passed}
    assert refused == {"daily_loss"}


def test_before_the_open_the_session_begins_at_the_seeded_prices() -> None:
    world = restart(moment(8), 30.0, closes=CLOSES)
    assert world.portfolio.session is None
    world.portfolio.start_session(MONDAY)
    assert world.book.day_start_equity == Decimal(980_000) + 1000 * 30


def test_a_close_of_today_is_no_base_for_today() -> None:
    closes = {"judge": {FRIDAY: Decimal(1_010_000), MONDAY: Decimal(1_050_000)}}
    assert restart(moment(16), 30.0, closes=closes).book.day_start_equity == Decimal(1_010_000)


def test_where_nothing_ran_at_the_close_before_the_last_daily_closes_stand_in() -> None:
    closes = {"judge": {THURSDAY: Decimal(990_000)}}
    assert restart(moment(10), 30.0, closes=closes).book.day_start_equity == Decimal(980_000) + 1000 * 30


def test_an_account_without_any_close_is_measured_from_the_last_daily_closes_too() -> None:
    assert restart(moment(10), 30.0).book.day_start_equity == Decimal(980_000) + 1000 * 30


def test_a_seeded_price_is_no_quote_to_trade_on() -> None:
    world = restart(moment(10), 30.0)
    RiskAgent(world.house, RiskEngine()).on_proposal(a_proposal())
    [verdict] = world.of(Verdict)
    assert verdict.outcome is Outcome.REJECTED
    assert verdict.lines[0].text.render() == "价格无法落实：there is no quote today"


def test_a_holding_without_bars_stays_at_cost_and_a_human_is_told() -> None:
    world = World(moment(10))
    world.portfolio.apply(a_fill(100, "50.00", symbol="600519.SSE"))
    recover(world)
    assert world.portfolio.equity("judge") == Decimal(1_000_000)
    told = [alert.text.render() for alert in world.of(Alert) if alert.severity is Severity.WARNING]
    assert any("600519.SSE 没有日线" in sentence for sentence in told)


def fired(account: str = "judge") -> TriggerFired:
    return TriggerFired(
        id="f1", at=moment(9, 50), account=account, trigger_id="t1", symbol=SYMBOL, price=Decimal(21)
    )


def test_a_trigger_without_an_answer_is_asked_again() -> None:
    world = restart(moment(10), 30.0, unanswered={"t1": fired()})
    [timer] = [timer for timer in world.house.timers if timer.name == ASK_AGAIN_TIMER]
    assert timer.payload == fired()


def test_a_trigger_of_an_account_that_is_gone_is_not() -> None:
    world = restart(moment(10), 30.0, unanswered={"t1": fired("gone")})
    assert [timer for timer in world.house.timers if timer.name == ASK_AGAIN_TIMER] == []


def test_reanalyses_of_today_still_count() -> None:
    world = World(moment(10))
    analysis = recover(world, replans=[("judge", SYMBOL, moment(9, 55))])
    assert analysis.limit.refusal("judge", SYMBOL, moment(10)) is not None


@pytest.mark.parametrize("mode", [Mode.SIMULATION, Mode.PAPER])
def test_past_the_known_calendar_recovery_goes_on(mode: Mode) -> None:
    world = World(moment(10, day=MONDAY.replace(year=2040)), mode)
    recover(world, closes=CLOSES)
    assert world.book.day_start_equity == Decimal(1_000_000)


def test_a_flatten_right_after_a_restart_waits_for_a_quote_instead_of_selling_at_yesterdays_close() -> None:
    world = World(moment(10))
    world.hold(1000, "20.00")
    recover(world)
    agent = MonitoringAgent(world.house)
    agent.protect("judge", SYMBOL, Decimal("18.00"))
    assert world.portfolio.quotes.last_prices[SYMBOL] == Decimal("20.0")
    assert agent.flatten("c1") == [f"judge {SYMBOL}"]
    assert world.of(Signal) == []
    agent.on_tick(world.quote(19.0), 19.0)
    [signal] = world.of(Signal)
    assert signal.limit == Decimal("18.62")  # 2 % below what trades today
