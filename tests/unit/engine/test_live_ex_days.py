"""Ex-days at a broker: new shares and dividends that it books are the app's, once, and stop nothing."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from vnpy.event import Event
from vnpy.trader.constant import Direction, Exchange
from vnpy.trader.event import EVENT_TICK
from vnpy.trader.object import TickData

from vnpy_aiagent.domain import (
    Alert,
    CashAdjusted,
    HandlerFailed,
    HoldingAdjusted,
    ReferenceShifted,
    Severity,
    TradingState,
)
from vnpy_aiagent.market import CorporateAction
from vnpy_aiagent.wiring import Parts

from .live_house import BANK, LiveHouse
from .test_attack_live import Days

BUY_DAY, EX_DAY, NEXT_DAY, LATE_DAY = "2025-07-10", "2025-07-11", "2025-07-14", "2025-07-16"


def action(bonus: str = "1", cash: str = "0") -> CorporateAction:
    return CorporateAction(
        vt_symbol=BANK, ex_date=date(2025, 7, 11), bonus=Decimal(bonus), cash=Decimal(cash)
    )


class ExHouse(LiveHouse):
    """A live house that knows ex-days, and quotes with a previous close."""

    def __init__(
        self, journal: Path, moment: str, desk: Days, actions: Iterable[CorporateAction] = (), **more: Any
    ) -> None:
        self.known = {BANK: tuple(actions)}
        super().__init__(journal, moment, desk, **more)

    def _parts(self, symbols: tuple[str, ...]) -> Parts:
        return replace(super()._parts(symbols), actions=lambda: self.known)

    def see(self, price: float, pre_close: float, bid: float | None = None) -> None:
        """Two quotes of a day whose reference price is `pre_close`."""
        code, _, suffix = BANK.rpartition(".")
        best = round(price - 0.01, 2) if bid is None else bid
        for _ in range(2):
            self.volume += 1e7
            tick = TickData(
                "BROKER",
                code,
                Exchange(suffix),
                self.clock.now(),
                volume=self.volume,
                last_price=price,
                pre_close=pre_close,
                limit_up=round(pre_close * 1.1, 2),
                limit_down=round(pre_close * 0.9, 2),
                bid_price_1=best,
                ask_price_1=round(best + 0.02, 2),
            )
            self.events.put(Event(EVENT_TICK, tick))
            self.events.drain()

    def morning(self, moment: str) -> None:
        """A new day at the broker."""
        self.go(moment)
        self.events.drain()
        self.settle()
        self.settle()

    @property
    def managed(self) -> int:
        return int(self.book.managed(BANK))

    @property
    def is_halted(self) -> bool:
        return self.engine.control.state is TradingState.HALTED

    def stop(self) -> Decimal:
        stop = self.engine.monitoring.stops.get("judge", BANK)
        assert stop is not None
        return stop.price


@contextmanager
def ex_day(journal: Path, desk: Days, *actions: CorporateAction) -> Iterator[ExHouse]:
    """1,000 shares bought for 5.00 the day before, stop at 4.80, close at 5.00; now the ex-day at 09:20."""
    with ExHouse(journal, f"{BUY_DAY}T10:00", desk, actions) as house:
        assert isinstance(house, ExHouse)
        house.settle()
        house.see(5.0, 5.0)
        house.signal(1000)
        house.fill("b1", 1000)
        house.settle()
        house.settle()
        house.go(f"{BUY_DAY}T15:00:02")
        house.see(5.0, 5.0)
        house.go(f"{BUY_DAY}T16:00:00")
        desk.new_day()
        house.morning(f"{EX_DAY}T09:20:00")
        assert house.reconciled
        yield house


def credit(house: ExHouse, shares: int = 0, cash: float = 0.0) -> None:
    """The broker books an ex-day; the app looks twice and more."""
    house.desk.held[BANK] = house.desk.held.get(BANK, 0) + shares
    house.desk.cash += cash
    house.pass_seconds(70)


def critical(house: ExHouse) -> list[str]:
    return [str(a.text) for a in house.said(Alert) if a.severity is Severity.CRITICAL]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def test_new_shares_of_a_known_ex_day_are_the_apps_and_under_its_stop(journal: Path) -> None:
    desk = Days()
    with ex_day(journal, desk, action()) as house:
        start = house.book.day_start_equity
        credit(house, 1000)
        assert (house.held, house.managed) == ({BANK: 2000}, 2000)
        [adjusted] = house.said(HoldingAdjusted)
        assert (adjusted.volume, adjusted.external, adjusted.price) == (1000, 0, 0)
        assert adjusted.ex_date == date(2025, 7, 11)
        assert house.book.positions[BANK].cost == Decimal("2.5")
        assert house.book.day_start_equity == start
        assert not house.is_halted
        assert critical(house) == []
        assert house.reconciled
        house.go(f"{EX_DAY}T10:00:00")
        house.pass_seconds(4)
        house.see(2.39, 2.5)
        assert [r.volume for r in desk.requests if r.direction is Direction.SHORT] == [2000]
        assert house.said(HandlerFailed) == []


@pytest.mark.parametrize("before", [True, False])
def test_new_shares_are_booked_once_over_a_restart(journal: Path, before: bool) -> None:
    """The process ends before the broker credits, or after."""
    desk = Days()
    with ex_day(journal, desk, action()) as house:
        if not before:
            credit(house, 1000)
        house.abandon()
    if before:
        desk.held[BANK] = 2000
    with ExHouse(journal, f"{EX_DAY}T10:00", desk, [action()]) as later:
        assert isinstance(later, ExHouse)
        later.settle()
        later.settle()
        later.pass_seconds(150)
        assert (later.held, later.managed) == ({BANK: 2000}, 2000)
        assert len(later.said(HoldingAdjusted)) == 1
        assert not later.is_halted
        later.see(2.6, 2.5)
        credit(later, 1000)  # the very same difference once more is not the ex-day's
        assert later.managed == 2000
        assert later.book.external == {BANK: 1000}
        assert later.is_halted


def test_new_shares_that_come_in_the_night_are_not_owed_again_in_the_morning(journal: Path) -> None:
    desk = Days()
    with ExHouse(journal, f"{BUY_DAY}T10:00", desk, [action(cash="0.1")]) as house:
        assert isinstance(house, ExHouse)
        house.settle()
        house.see(5.0, 5.0)
        house.signal(1000)
        house.fill("b1", 1000)
        house.settle()
        house.go(f"{EX_DAY}T02:00:00")
        desk.new_day()
        house.settle()
        credit(house, 1000)
        assert house.managed == 2000
        house.morning(f"{EX_DAY}T09:20:00")
        house.abandon()
    with ExHouse(journal, f"{EX_DAY}T09:21", desk, [action(cash="0.1")]) as later:
        assert isinstance(later, ExHouse)
        later.settle()
        later.settle()
        claims = later.engine.ex_days.claims
        assert claims.shares_due("judge", "BROKER", later.held) == {}
        [claim] = claims.cash_due("judge", "BROKER")
        assert claim.cash == Decimal(100)  # of 1,000 shares, not of 2,000
        assert later.managed == 2000


def test_shares_sold_before_the_broker_credits_leave_the_claim_as_it_was(journal: Path) -> None:
    desk = Days()
    with ex_day(journal, desk, action()) as house:
        house.go(f"{EX_DAY}T10:00:00")
        house.pass_seconds(4)
        house.see(2.39, 2.5)
        house.fill("b2", 1000, 2.38)
        house.settle()
        house.settle()
        assert house.held == {}
        house.abandon()
    desk.held[BANK] = 1000
    with ExHouse(journal, f"{EX_DAY}T10:30", desk, [action()]) as later:
        assert isinstance(later, ExHouse)
        later.settle()
        later.settle()
        later.pass_seconds(70)
        assert (later.held, later.managed) == ({BANK: 1000}, 1000)
        assert later.stop_state() != "none"
        assert later.stop() > 1
        assert not later.is_halted


@pytest.mark.parametrize("shares", [333, 334])
def test_a_fraction_may_be_dropped_or_handed_out(journal: Path, shares: int) -> None:
    with ex_day(journal, Days(), action("0.3335")) as house:
        credit(house, shares)
        assert house.managed == 1000 + shares
        assert not house.is_halted


@pytest.mark.parametrize("shares", [600, 999, 1002, 2000])
def test_other_shares_than_those_owed_are_external(journal: Path, shares: int) -> None:
    with ex_day(journal, Days(), action()) as house:
        house.see(2.6, 2.5)
        credit(house, shares)
        assert house.managed == 1000
        assert house.book.external == {BANK: shares}
        assert house.is_halted


def test_new_shares_long_after_the_ex_day_are_external(journal: Path) -> None:
    desk = Days()
    with ex_day(journal, desk, action()) as house:
        for day in (NEXT_DAY, "2025-07-15", LATE_DAY):
            house.morning(f"{day}T09:40:00")
            house.see(2.6, 2.6)
        credit(house, 1000)
        assert house.managed == 1000
        assert house.is_halted


@pytest.mark.parametrize("part", [1.0, 0.9, 0.8])
def test_a_dividend_before_or_after_tax_stops_nothing_and_is_paid_once(journal: Path, part: float) -> None:
    desk = Days()
    with ex_day(journal, desk, action("0", "1.5")) as house:
        house.see(3.6, 3.5)
        credit(house, cash=1500 * part)
        assert house.said(CashAdjusted)[-1].dividends == {BANK: date(2025, 7, 11)}
        assert not house.is_halted
        assert house.book.cash == Decimal(str(round(desk.cash, 2)))
        house.abandon()
    with ExHouse(journal, f"{EX_DAY}T10:00", desk, [action("0", "1.5")]) as later:
        assert isinstance(later, ExHouse)
        later.settle()
        later.settle()
        later.see(3.6, 3.5)
        credit(later, cash=1500 * part)
        assert later.said(CashAdjusted)[-1].dividends == {}
        assert later.is_halted


def test_new_shares_and_a_dividend_of_one_ex_day_are_both_explained(journal: Path) -> None:
    with ex_day(journal, Days(), action("1", "1.5")) as house:
        credit(house, 1000, 1500.0)
        house.pass_seconds(70)
        assert house.managed == 2000
        assert house.said(CashAdjusted)[-1].dividends == {BANK: date(2025, 7, 11)}
        assert not house.is_halted


@pytest.mark.parametrize("quoted", [True, False])
def test_new_shares_of_an_ex_day_that_nobody_entered_are_told_and_stop_nothing(
    journal: Path, quoted: bool
) -> None:
    with ex_day(journal, Days()) as house:
        if quoted:
            house.see(2.5, 2.5)
            assert house.said(ReferenceShifted)
        credit(house, 1000)
        assert house.managed == 1000
        assert house.book.external == {BANK: 1000}
        assert not house.is_halted
        assert any("未录入的除权除息" in text for text in critical(house))


def test_more_shares_where_the_reference_price_is_the_close_stop_all(journal: Path) -> None:
    with ex_day(journal, Days()) as house:
        house.see(5.0, 5.0)
        credit(house, 1000)
        assert house.book.external == {BANK: 1000}
        assert house.is_halted


@pytest.mark.parametrize("bid", [4.85, 4.95, 5.1])
def test_a_stops_first_limit_lies_inside_the_price_cage(journal: Path, bid: float) -> None:
    """2 % below the last price would be refused where the best bid is above it."""
    desk = Days()
    with ex_day(journal, desk) as house:
        house.go(f"{EX_DAY}T10:00:00")
        house.pass_seconds(4)
        house.see(4.79, 5.0, bid)
        rules = house.engine.house.portfolio.rules(BANK)
        edge = rules.cage_rule and round(Decimal(str(bid)) * Decimal("0.98"), 2)
        [sale] = [r for r in desk.requests if r.direction is Direction.SHORT]
        assert edge is not None
        assert min(edge, Decimal(str(bid)) - Decimal("0.10")) <= Decimal(str(sale.price)) <= Decimal(str(bid))
