"""Cancels that fail keep nothing else back; each entry keeps its own plan, and a lowered stop stays low."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from vnpy.trader.object import CancelRequest

from vnpy_aiagent.base import EVENT_AI_SIGNAL
from vnpy_aiagent.domain import Alert, ResolvedTrigger, Severity, Side, Signal, say
from vnpy_aiagent.market.sessions import session_close

from .small_house import BANK, SmallHouse, price_trigger

DAY, NEXT = "2025-07-10", "2025-07-11"
OTHER, THIRD = "601288.SSE", "601398.SSE"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def enter(
    house: SmallHouse,
    symbol: str = BANK,
    *,
    volume: int = 1000,
    limit: str = "5.05",
    stop: str = "4.80",
    triggers: tuple[ResolvedTrigger, ...] = (),
) -> None:
    house.engine.bus.post(
        Signal,
        EVENT_AI_SIGNAL,
        cause=None,
        account="judge",
        symbol=symbol,
        side=Side.BUY,
        volume=volume,
        limit=Decimal(limit),
        low=Decimal("4.80"),
        high=Decimal("5.05"),
        stop=Decimal(stop),
        triggers=triggers,
        reason=say("测试"),
        valid_until=session_close(house.clock.now().date()),
    )
    house.events.drain()


def failing_first(house: SmallHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway raises at the first cancel that it gets."""
    gateway: Any = house.main.gateways[house.settings.accounts[0].gateway_name]
    cancel, calls = gateway.cancel_order, []

    def order(request: CancelRequest) -> None:
        calls.append(request)
        if len(calls) == 1:
            raise RuntimeError("gateway down")
        cancel(request)

    monkeypatch.setattr(gateway, "cancel_order", order)


def working(house: SmallHouse) -> int:
    return len(list(house.engine.execution.desk.working()))


def alerts(house: SmallHouse, severity: Severity) -> list[str]:
    return [alert.text.render() for alert in house.said(Alert) if alert.severity is severity]


def test_a_halt_cancels_what_it_can_and_still_tells_of_unprotected_holdings(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SmallHouse(journal, f"{DAY}T10:00", symbols=(BANK, OTHER, THIRD)) as house:
        house.buy(1000)
        for symbol in (BANK, OTHER, THIRD):
            house.quote(symbol=symbol)
            enter(house, symbol, limit="4.90")
        failing_first(house, monkeypatch)
        house.engine.halt("测试")
        house.events.drain()
        assert working(house) == 1
        [told] = alerts(house, Severity.CRITICAL)
        assert told.startswith("1 笔委托撤单失败")
        assert "RuntimeError: gateway down" in told
        assert any("止损单不会发出" in text for text in alerts(house, Severity.WARNING))


def test_taking_over_and_expiry_go_on_after_a_failed_cancel(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.buy(1000)
        enter(house, limit="4.90")
        enter(house, limit="4.91")
        failing_first(house, monkeypatch)
        assert house.engine.take_over("judge", BANK) == 1000
        house.events.drain()
        assert working(house) == 1
        assert len(alerts(house, Severity.CRITICAL)) == 1
        assert any("已由人工接管" in text for text in alerts(house, Severity.WARNING))


def test_an_entry_that_ends_leaves_the_plan_of_another_in_the_symbol(journal: Path) -> None:
    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.quote()
        enter(house, limit="4.95", stop="4.85", triggers=(price_trigger("5.40"),))
        enter(house, stop="4.70")
        house.quote()
        assert house.held == {BANK: 1000}
        house.quote(4.92)
        assert house.held == {BANK: 2000}
        stop = house.engine.monitoring.stops.get("judge", BANK)
        assert stop is not None
        assert stop.price == Decimal("4.85")
        assert len(house.engine.monitoring.book.of("judge", BANK)) == 1


def test_a_stop_that_a_human_lowered_stays_low_at_the_next_fill_and_after_a_restart(journal: Path) -> None:
    def price(house: SmallHouse) -> Decimal | None:
        stop = house.engine.monitoring.stops.get("judge", BANK)
        return stop.price if stop else None

    with SmallHouse(journal, f"{DAY}T10:00") as house:
        house.tick(5.0)
        house.tick(5.0, traded=20_000)
        enter(house, volume=10_000)
        house.tick(5.0, traded=20_000)
        before = house.held[BANK]
        assert price(house) == Decimal("4.80")
        house.engine.move_stop("judge", BANK, Decimal("4.60"))
        house.events.drain()
        house.tick(5.0, traded=1e7)
        assert before < house.held[BANK] == 10_000
        assert price(house) == Decimal("4.60")
    with SmallHouse(journal, f"{NEXT}T10:00") as house:
        assert price(house) == Decimal("4.60")
