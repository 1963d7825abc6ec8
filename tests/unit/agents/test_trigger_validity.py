"""How long triggers are watched: until the end of their plan, and what replaces them."""

from datetime import date, timedelta
from decimal import Decimal

from vnpy_aiagent.agents import MonitoringAgent
from vnpy_aiagent.agents.trigger_desk import TIME_TRIGGER
from vnpy_aiagent.base import EVENT_AI_FILL, EVENT_AI_SIGNAL
from vnpy_aiagent.domain import (
    TARGET_NOTE,
    AnalysisRequest,
    ResolvedTrigger,
    Side,
    Signal,
    TriggerEnd,
    TriggerEnded,
    TriggerFired,
    TriggerKind,
    TriggerSpec,
    say,
)

from .risk_world import MONDAY, SYMBOL, World, a_fill, moment

WEDNESDAY = date(2025, 3, 5)
ABOVE = TriggerKind.PRICE_AT_OR_ABOVE


def trigger(price: str, note: str = "gain", sessions: int | None = 2) -> ResolvedTrigger:
    return ResolvedTrigger(trigger=ABOVE, price=Decimal(price), sessions=sessions, note=note)


def buy(world: World, *triggers: ResolvedTrigger, price: str = "20.00") -> None:
    """An entry's signal and its fill."""
    signal = world.house.bus.post(
        Signal,
        EVENT_AI_SIGNAL,
        cause=None,
        account="judge",
        symbol=SYMBOL,
        side=Side.BUY,
        volume=100,
        limit=Decimal(price),
        low=Decimal(price),
        high=Decimal(price),
        stop=Decimal("19.00"),
        reason=say("x"),
        triggers=triggers,
        valid_until=moment(15),
    )
    world.events.drain()
    fill = a_fill(100, price, world.clock.now().date(), signal_id=signal.id, orderid=signal.id)
    world.portfolio.apply(fill)
    world.house.bus.adopt(fill, EVENT_AI_FILL)
    world.events.drain()


def ends(world: World) -> list[TriggerEnd]:
    return [ended.end for ended in world.of(TriggerEnded)]


def watched(agent: MonitoringAgent) -> list[tuple[str, Decimal | None]]:
    return [(spec.note, spec.price) for spec in agent.book]


def test_a_price_trigger_expires_at_the_close_of_its_plans_last_session() -> None:
    world = World(moment(10))
    agent = MonitoringAgent(world.house)
    buy(world, trigger("21.00"))
    [spec] = world.of(TriggerSpec)
    assert spec.expires == moment(15, day=WEDNESDAY)
    world.pass_time(moment(14, 59, WEDNESDAY), time_trigger=agent.triggers.on_time)
    assert ends(world) == []
    world.pass_time(moment(15, day=WEDNESDAY), time_trigger=agent.triggers.on_time)
    assert ends(world) == [TriggerEnd.EXPIRED]
    assert watched(agent) == []
    assert world.of(TriggerFired) == world.of(AnalysisRequest) == []
    assert world.said[-1] == "judge 600036.SSE 的触发条件 21.00 到期未触发，已撤除"
    assert world.portfolio.triggers["judge", SYMBOL] == 0


def test_a_pause_does_not_keep_an_expired_trigger() -> None:
    world = World(moment(10))
    agent = MonitoringAgent(world.house)
    buy(world, trigger("21.00"))
    world.house.control.set(world.house.control.state, paused=True)
    world.pass_time(moment(15, day=WEDNESDAY), time_trigger=agent.triggers.on_time)
    assert ends(world) == [TriggerEnd.EXPIRED]


def test_one_that_fired_or_was_replaced_does_not_expire_as_well() -> None:
    world = World(moment(10))
    agent = MonitoringAgent(world.house)
    buy(world, trigger("21.00"))
    agent.on_tick(world.quote(21.0), 21.0)
    world.events.drain()
    world.pass_time(moment(15, day=WEDNESDAY), time_trigger=agent.triggers.on_time)
    assert ends(world) == [TriggerEnd.FIRED]


def test_after_a_restart_an_expired_trigger_leaves_and_a_valid_one_stays() -> None:
    world = World(moment(10, day=WEDNESDAY))
    agent = MonitoringAgent(world.house)
    for name, expires in (("old", moment(15)), ("new", moment(15, day=WEDNESDAY))):
        agent.triggers.restore(
            TriggerSpec(
                id=name,
                at=moment(10),
                account="judge",
                symbol=SYMBOL,
                trigger=ABOVE,
                price=Decimal(21),
                note=name,
                expires=expires,
            )
        )
    world.pass_time(moment(11, day=WEDNESDAY), time_trigger=agent.triggers.on_time)
    assert watched(agent) == [("new", Decimal(21))]
    assert ends(world) == [TriggerEnd.EXPIRED]


def test_a_time_trigger_fires_and_has_no_expiry() -> None:
    world = World(moment(10))
    agent = MonitoringAgent(world.house)
    buy(world, ResolvedTrigger(trigger=TriggerKind.TIME_AT, sessions=1, note="time"))
    [spec] = world.of(TriggerSpec)
    assert spec.expires is None
    world.pass_time(moment(9, 41, MONDAY + timedelta(days=1)), time_trigger=agent.triggers.on_time)
    assert ends(world) == [TriggerEnd.FIRED]


def test_near_the_end_of_the_known_calendar_a_trigger_is_watched_without_an_end() -> None:
    world = World(moment(10, day=date(2026, 12, 30)))
    agent = MonitoringAgent(world.house)
    buy(world, trigger("21.00", sessions=60))
    [spec] = world.of(TriggerSpec)
    assert spec.expires is None
    assert watched(agent) == [("gain", Decimal("21.00"))]
    assert [timer for timer in world.house.timers if timer.name == TIME_TRIGGER] == []


def test_an_add_without_triggers_keeps_the_old_ones() -> None:
    world = World(moment(10))
    agent = MonitoringAgent(world.house)
    buy(world, trigger("21.00"), trigger("22.00", TARGET_NOTE))
    buy(world)
    assert watched(agent) == [("gain", Decimal("21.00")), (TARGET_NOTE, Decimal("22.00"))]
    buy(world, trigger("23.00", TARGET_NOTE))
    assert watched(agent) == [("gain", Decimal("21.00")), (TARGET_NOTE, Decimal("23.00"))]
    buy(world, trigger("21.50"), trigger("24.00", TARGET_NOTE))
    assert watched(agent) == [("gain", Decimal("21.50")), (TARGET_NOTE, Decimal("24.00"))]
