"""Ex-days in a running house: books, exchange, stops, triggers, restarts, and ex-days nobody entered."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from vnpy.event import Event
from vnpy.trader.constant import Exchange
from vnpy.trader.event import EVENT_TICK
from vnpy.trader.object import TickData

from vnpy_aiagent.agents.restore import KINDS, Restorer
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.domain import (
    Alert,
    BarInterval,
    ClosingPrices,
    CorporateActionApplied,
    DividendTaxTaken,
    Fill,
    ReferenceShifted,
    Side,
    StopUpdate,
    TradeRecord,
)
from vnpy_aiagent.market import CorporateAction
from vnpy_aiagent.store.journal import JournalReader
from vnpy_aiagent.wiring import Parts

from .small_house import BANK, SmallHouse, price_trigger

FIRST, SECOND = "2024-06-03", "2024-06-04"
TEN_SEND_THREE = CorporateAction(
    vt_symbol=BANK, ex_date=date(2024, 6, 4), bonus=Decimal("0.3"), cash=Decimal("0.16")
)
MOVED_STOP, MOVED_TRIGGER = Decimal("3.57"), Decimal("4.03")  # (4.80 - 0.16) / 1.3, (5.40 - 0.16) / 1.3


class Bars:
    """One daily bar of the session before."""

    def __init__(self, close: float) -> None:
        self.close = close

    def bars(self, vt_symbol: str, interval: BarInterval, count: int) -> BarSeries:
        row = (date(2024, 6, 3), self.close, self.close, self.close, self.close, 1e6)
        return BarSeries.from_rows(vt_symbol, interval, [row])


class House(SmallHouse):
    """A small house that knows ex-days, and quotes with a previous close of their own."""

    def __init__(
        self,
        journal: Path,
        moment: str,
        actions: Iterable[CorporateAction] = (),
        bars: Bars | None = None,
        **more: Any,
    ) -> None:
        self.known = {BANK: tuple(actions)}
        self.history = bars
        super().__init__(journal, moment, **more)

    def _parts(self, symbols: tuple[str, ...]) -> Parts:
        parts = super()._parts(symbols)
        return replace(parts, actions=lambda: self.known, bars=self.history or parts.bars)

    def see(self, price: float, pre_close: float) -> None:
        """Two quotes of a day whose reference price is `pre_close`."""
        for _ in range(2):
            self.volume += 1e7
            code, _, suffix = BANK.rpartition(".")
            tick = TickData(
                "SIM",
                code,
                Exchange(suffix),
                self.clock.now(),
                volume=self.volume,
                last_price=price,
                pre_close=pre_close,
                limit_up=round(pre_close * 1.1, 2),
                limit_down=round(pre_close * 0.9, 2),
                bid_price_1=round(price - 0.01, 2),
                ask_price_1=round(price + 0.01, 2),
            )
            self.events.put(Event(EVENT_TICK, tick))
            self.events.drain()

    def hold(self, close: float | None = 5.0) -> None:
        """1,000 shares bought on the first day, stop at 4.80, trigger at 5.40; then the close."""
        self.go(f"{FIRST} 10:00")
        self.buy(1000, triggers=(price_trigger("5.40"),))
        assert self.held == {BANK: 1000}
        if close is not None:
            self.go(f"{FIRST} 15:00:02")
            self.see(close, 5.0)

    def stop(self) -> Decimal:
        stop = self.engine.monitoring.stops.get("judge", BANK)
        assert stop is not None
        return stop.price

    def triggers(self) -> list[Decimal | None]:
        return [spec.price for spec in self.engine.monitoring.book.of("judge", BANK)]

    @property
    def cash(self) -> Decimal:
        return self.engine.house.portfolio.books["judge"].cash

    def agree(self) -> None:
        """The exchange says what the book says."""
        exchange = self.engine.parts.exchange
        assert exchange is not None
        account, book = exchange.account("judge"), self.engine.house.portfolio.books["judge"]
        assert (account.cash, account.holding(BANK).volume) == (book.cash, book.volume(BANK))
        assert book.cash_off == 0

    def alerts(self) -> list[tuple[str, str]]:
        return [(alert.severity.name, alert.text.render()) for alert in self.said(Alert)]

    def sales(self) -> list[Fill]:
        return [fill for fill in self.said(Fill) if fill.side is Side.SELL]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def test_an_ex_day_books_shares_and_cash_and_moves_every_level(journal: Path) -> None:
    with House(journal, f"{FIRST} 09:00", [TEN_SEND_THREE]) as house:
        house.hold()
        before = house.cash
        house.go(f"{SECOND} 09:20")
        assert house.held == {BANK: 1300}
        assert house.cash == before + 160
        assert (house.stop(), house.triggers()) == (MOVED_STOP, [MOVED_TRIGGER])
        assert house.engine.house.portfolio.quotes.last_prices[BANK] == Decimal("3.72")
        house.agree()
        house.go(f"{SECOND} 09:31")
        house.see(3.70, 3.72)  # below the old stop, above the new one
        assert house.sales() == []
        assert house.engine.house.portfolio.sellable("judge", BANK) == 1300
        assert not [text for severity, text in house.alerts() if severity != "INFO"]


def test_the_moved_stop_still_protects(journal: Path) -> None:
    with House(journal, f"{FIRST} 09:00", [TEN_SEND_THREE]) as house:
        house.hold()
        house.go(f"{SECOND} 10:00")
        house.see(3.72, 3.72)
        house.see(3.55, 3.72)
        (fill,) = house.sales()
        assert (fill.volume, house.held) == (1300, {})
        house.agree()


def test_the_dividend_tax_is_taken_with_the_sale_in_book_and_exchange_alike(journal: Path) -> None:
    with House(journal, f"{FIRST} 09:00", [TEN_SEND_THREE]) as house:
        house.hold()
        start = house.cash
        house.go(f"{SECOND} 10:00")
        house.see(3.72, 3.72)
        house.see(3.55, 3.72)
        (fill,), (tax,), (trip,) = house.sales(), house.said(DividendTaxTaken), house.said(TradeRecord)
        assert (tax.amount, tax.fill_id) == (Decimal("32.00"), fill.id)  # 20 % of 160, held to one month
        assert house.cash == start + 160 + fill.price * 1300 - fill.fees - 32
        bought = next(fill for fill in house.said(Fill) if fill.side is Side.BUY)
        gain = fill.price * 1300 - bought.price * 1000 - fill.fees - bought.fees
        assert trip.pnl == gain + 160 - 32
        house.agree()
    with House(journal, f"{SECOND} 11:00", [TEN_SEND_THREE]) as again:
        assert again.cash == start + 160 + fill.price * 1300 - fill.fees - 32
        again.agree()


def test_a_restart_in_the_day_keeps_what_was_booked_and_books_nothing_twice(journal: Path) -> None:
    with House(journal, f"{FIRST} 09:00", [TEN_SEND_THREE]) as house:
        house.hold()
        house.go(f"{SECOND} 10:00")
        cash = house.cash
    with House(journal, f"{SECOND} 10:30", [TEN_SEND_THREE]) as again:
        assert (again.held, again.cash) == ({BANK: 1300}, cash)
        assert (again.stop(), again.triggers()) == (MOVED_STOP, [MOVED_TRIGGER])
        again.agree()
        again.see(3.70, 3.72)
        assert again.sales() == []
        assert len(again.said(CorporateActionApplied)) == 1


def test_a_process_that_was_down_on_the_ex_day_takes_it_up_at_its_start(journal: Path) -> None:
    with House(journal, f"{FIRST} 09:00") as house:
        house.hold()
        cash = house.cash
    with House(journal, "2024-06-06 10:00", [TEN_SEND_THREE]) as again:
        assert (again.held, again.cash) == ({BANK: 1300}, cash + 160)
        assert again.stop() == MOVED_STOP
        again.agree()


@pytest.mark.parametrize("kept", range(1, 5))
def test_a_crash_at_any_message_of_the_ex_day_leaves_the_levels_moved_once(journal: Path, kept: int) -> None:
    with House(journal, f"{FIRST} 09:00", [TEN_SEND_THREE]) as house:
        house.hold()
        house.go(f"{SECOND} 09:20")
    with JournalReader.open(journal) as reader:
        entries = [entry for entry in reader.read() if entry.kind in KINDS]
    at = next(n for n, entry in enumerate(entries) if entry.kind == "CorporateActionApplied")
    restored = Restorer().fold(entries[: at + kept])
    assert restored.stops["judge", BANK].stop == MOVED_STOP
    assert {spec.price for spec in restored.triggers.values()} <= {MOVED_TRIGGER}
    assert restored.books["judge"].volume(BANK) == 1300


def test_shares_that_people_hold_receive_their_part(journal: Path) -> None:
    with House(journal, f"{FIRST} 09:00", [TEN_SEND_THREE]) as house:
        house.hold()
        house.engine.take_over("judge", BANK)
        house.events.drain()
        house.go(f"{SECOND} 09:20")
        book = house.engine.house.portfolio.books["judge"]
        assert (book.volume(BANK), book.external[BANK], book.managed(BANK)) == (1300, 1300, 0)
        house.agree()


def test_an_account_of_a_broker_has_its_levels_moved_and_its_figures_left(journal: Path) -> None:
    with House(journal, f"{FIRST} 09:00", [TEN_SEND_THREE]) as house:
        house.hold()
        cash = house.cash
        house.engine.ex_days.simulated = ()
        house.go(f"{SECOND} 09:20")
        assert (house.held, house.cash, house.stop()) == ({BANK: 1000}, cash, MOVED_STOP)
        (applied,) = house.said(CorporateActionApplied)
        assert (applied.booked, applied.shares, applied.amount) == (False, 0, 0)


def test_shares_bought_on_the_ex_day_have_no_part_in_it(journal: Path) -> None:
    with House(journal, f"{SECOND} 09:00", [TEN_SEND_THREE]) as house:
        house.go(f"{SECOND} 10:00")
        house.buy(1000)
        house.go("2024-06-05 10:00")
        assert (house.held, house.said(CorporateActionApplied)) == ({BANK: 1000}, [])


# ex-days that nobody entered


def test_an_ex_day_that_nobody_entered_moves_the_stop_in_proportion_and_is_told(journal: Path) -> None:
    with House(journal, f"{FIRST} 09:00") as house:
        house.hold()
        house.go(f"{SECOND} 09:31")
        house.see(4.45, 4.50)
        assert house.sales() == []
        assert (house.stop(), house.triggers()) == (Decimal("4.32"), [Decimal("4.86")])
        assert house.held == {BANK: 1000}  # what came is not known
        ((severity, text),) = house.alerts()
        assert severity == "WARNING"
        assert "疑似除权除息" in text
        house.see(4.32, 4.50)
        assert len(house.sales()) == 1


def test_the_close_of_the_day_before_outlives_a_restart(journal: Path) -> None:
    with House(journal, f"{FIRST} 09:00") as house:
        house.hold()
        house.go(f"{FIRST} 15:10")
        assert [note.prices for note in house.said(ClosingPrices)] == [{BANK: Decimal("5.0")}]
    with House(journal, f"{SECOND} 09:31") as again:
        again.see(4.45, 4.50)
        assert (again.sales(), again.stop()) == ([], Decimal("4.32"))
    with House(journal, f"{SECOND} 09:40") as third:  # the same day once more: moved already
        third.see(4.45, 4.50)
        assert (third.sales(), third.stop()) == ([], Decimal("4.32"))
        assert len(third.said(ReferenceShifted)) == 1


def test_entering_the_ex_day_afterwards_books_it_without_moving_the_levels_again(journal: Path) -> None:
    late = replace(TEN_SEND_THREE, bonus=Decimal("0.1"), cash=Decimal(0))
    with House(journal, f"{FIRST} 09:00") as house:
        house.hold()
        house.go(f"{SECOND} 09:31")
        house.see(4.55, 4.55)
        moved = house.stop()
        house.known = {BANK: (late,)}
        house.go("2024-06-05 09:20")
        assert (house.held, house.stop()) == ({BANK: 1100}, moved)
        house.agree()


def test_without_the_close_of_the_day_before_a_stop_above_the_reference_waits(journal: Path) -> None:
    with House(journal, f"{FIRST} 09:00") as house:
        house.hold(close=None)
    with House(journal, f"{SECOND} 09:31") as again:
        again.see(4.45, 4.50)
        assert (again.sales(), again.stop()) == ([], Decimal("4.14"))  # 8 % below the reference price
        severity, text = again.alerts()[-1]
        assert severity == "CRITICAL"
        assert "昨日收盘未知" in text
        again.see(4.14, 4.50)
        assert len(again.sales()) == 1


def test_where_the_daily_bar_closed_at_the_reference_price_a_fall_is_a_fall(journal: Path) -> None:
    with House(journal, f"{FIRST} 09:00") as house:
        house.hold(close=None)
    with House(journal, f"{SECOND} 09:31", bars=Bars(4.5)) as again:
        again.see(4.45, 4.50)
        assert len(again.sales()) == 1


def test_a_stop_of_today_is_not_loosened_when_the_process_starts_again(journal: Path) -> None:
    with House(journal, f"{FIRST} 09:00") as house:
        house.hold(close=None)
        house.go(f"{SECOND} 10:00")
        house.see(5.30, 5.00)
        house.engine.monitoring.protect("judge", BANK, Decimal("5.10"))  # above the day's reference price
        house.events.drain()
        assert house.stop() == Decimal("5.10")
    with House(journal, f"{SECOND} 10:30") as again:
        again.see(5.05, 5.00)
        assert (len(again.sales()), again.alerts()) == (1, [])


def test_shares_bought_today_are_in_todays_prices_already(journal: Path) -> None:
    with House(journal, f"{SECOND} 09:00") as house:
        house.go(f"{SECOND} 10:00")
        house.see(5.0, 4.5)
        house.buy(1000, stop="4.80")
    with House(journal, f"{SECOND} 10:30") as again:
        again.see(4.9, 4.5)
        assert (again.stop(), again.said(ReferenceShifted), again.alerts()) == (Decimal("4.80"), [], [])


def test_a_fall_over_night_without_an_ex_day_sells(journal: Path) -> None:
    with House(journal, f"{FIRST} 09:00") as house:
        house.hold(close=5.0)
        house.go(f"{SECOND} 09:31")
        house.see(4.75, 5.0)
        assert len(house.sales()) == 1
        assert house.said(ReferenceShifted) == []


@pytest.mark.parametrize(("price", "pre_close"), [(5.3, 5.3), (5.0, 1.0)])
def test_a_reference_price_that_is_higher_or_absurd_moves_nothing_and_is_told(
    journal: Path, price: float, pre_close: float
) -> None:
    with House(journal, f"{FIRST} 09:00") as house:
        house.hold()
        house.go(f"{SECOND} 09:31")
        tick = TickData(
            "SIM", "601988", Exchange.SSE, house.clock.now(), last_price=price, pre_close=pre_close
        )
        house.events.put(Event(EVENT_TICK, tick))
        house.events.drain()
        assert (house.stop(), house.sales()) == (Decimal("4.80"), [])
        ((severity, text),) = house.alerts()
        assert severity == "WARNING"
        assert "与应有的" in text


def test_a_previous_close_one_tick_off_is_rounding(journal: Path) -> None:
    with House(journal, f"{FIRST} 09:00") as house:
        house.hold()
        house.go(f"{SECOND} 09:31")
        house.see(4.99, 4.99)
        assert (house.stop(), house.alerts()) == (Decimal("4.80"), [])


def test_quotes_before_the_session_are_not_compared(journal: Path) -> None:
    with House(journal, f"{FIRST} 09:00") as house:
        house.hold()
        house.go(f"{SECOND} 08:50")
        house.see(4.45, 4.50)  # what a front sends at login may be of another day
        assert house.said(ReferenceShifted) == []
        assert house.stop() == Decimal("4.80")


def test_the_stop_of_a_moved_level_is_journaled_with_its_reason(journal: Path) -> None:
    with House(journal, f"{FIRST} 09:00", [TEN_SEND_THREE]) as house:
        house.hold()
        house.go(f"{SECOND} 09:20")
        update = house.said(StopUpdate)[-1]
        assert (update.stop, update.volume) == (MOVED_STOP, 1300)
        assert "除权除息" in update.reason.render()
