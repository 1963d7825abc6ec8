"""Quotes, the accounts side by side, and baselines."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from vnpy.trader.constant import Exchange
from vnpy.trader.object import TickData

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.domain import MARKET_TZ, BarInterval, Fill, Side, Style, VirtualClock, say
from vnpy_aiagent.market import TradingCalendar, instrument_rules
from vnpy_aiagent.portfolio import AccountBook, Portfolio, QuoteBoard
from vnpy_aiagent.portfolio.baselines import Baseline, equal_weight, index

SYMBOL = "600519.SSE"
NOW = datetime(2024, 5, 7, 10, 0, tzinfo=MARKET_TZ)


def tick(last: float = 10.5, **fields: Any) -> TickData:
    values: dict[str, Any] = {
        "symbol": "600519",
        "exchange": Exchange.SSE,
        "datetime": NOW,
        "last_price": last,
        "open_price": 10.0,
        "high_price": 10.6,
        "low_price": 9.9,
        "pre_close": 10.0,
        "limit_up": 11.0,
        "limit_down": 9.0,
        "volume": 1200.0,
        "gateway_name": "T",
    }
    return TickData(**(values | fields))


@pytest.fixture
def portfolio() -> Portfolio:
    made = Portfolio(VirtualClock(NOW), TradingCalendar(), instrument_rules)
    made.open(AccountBook("judge", Style.JUDGE, Decimal(100_000)))
    return made


def bought(volume: int, day: date, price: str = "10.00", order: str = "o1") -> Fill:
    return Fill(
        id="f",
        at=NOW,
        account="judge",
        trading_day=day,
        exchange="SSE",
        symbol=SYMBOL,
        side=Side.BUY,
        orderid=order,
        tradeid="1",
        intent_id=None,
        parent_id=None,
        price=Decimal(price),
        volume=volume,
        commission=Decimal(5),
        stamp_duty=Decimal(0),
        transfer_fee=Decimal(0),
        setup="trend",
    )


def test_a_tick_becomes_a_quote() -> None:
    board = QuoteBoard()
    assert board.update(tick()) == Decimal("10.5")
    quote = board.get(SYMBOL)
    assert quote is not None
    assert (quote.last, quote.high, quote.limit_down, quote.volume) == (
        Decimal("10.5"),
        Decimal("10.6"),
        Decimal("9.0"),
        1200,
    )
    assert board.at(SYMBOL) == NOW


@pytest.mark.parametrize("last", [0.0, -1.0, nan, inf])
def test_a_tick_without_a_price_changes_nothing(last: float) -> None:
    board = QuoteBoard()
    board.update(tick(10.5))
    assert board.update(tick(last)) is None
    assert board.last_prices[SYMBOL] == Decimal("10.5")


def test_missing_values_of_a_tick_stay_missing() -> None:
    board = QuoteBoard()
    board.update(tick(10.5, pre_close=0.0, limit_up=inf, limit_down=nan, volume=nan, open_price=0.0))
    quote = board.get(SYMBOL)
    assert quote is not None
    assert (quote.prev_close, quote.limit_up, quote.limit_down, quote.volume) == (None, None, None, None)
    assert quote.open == quote.last


def test_numpy_prices_are_prices() -> None:
    board = QuoteBoard()
    assert board.update(tick(np.float64(10.51), high_price=np.float64(10.6))) == Decimal("10.51")
    quote = board.get(SYMBOL)
    assert quote is not None
    assert quote.high == Decimal("10.6")


def test_a_seed_values_holdings_until_the_first_tick() -> None:
    board = QuoteBoard()
    board.seed(SYMBOL, Decimal(9))
    assert board.get(SYMBOL) is None
    board.update(tick(10.5))
    board.seed(SYMBOL, Decimal(9))
    assert board.last_prices[SYMBOL] == Decimal("10.5")


def test_a_holding_is_seen_with_its_sessions_and_locked_shares(portfolio: Portfolio) -> None:
    portfolio.apply(bought(300, date(2024, 4, 30)))
    portfolio.apply(bought(100, date(2024, 5, 7), order="o2"))
    portfolio.quotes.update(tick(11.0))
    view = portfolio.position_view("judge", SYMBOL)
    assert view is not None
    assert (view.volume, view.sellable, view.sessions) == (400, 300, 2)  # 1 to 5 May are closed days
    assert view.return_ratio == pytest.approx(0.1)
    assert portfolio.position_view("judge", "000001.SZSE") is None


def test_weights_are_shares_of_equity_and_empty_without_equity(portfolio: Portfolio) -> None:
    portfolio.apply(bought(1000, date(2024, 5, 6)))
    account = portfolio.account_view("judge", SYMBOL, 0.1)
    assert account.weights[SYMBOL] == pytest.approx(10_000 / float(account.equity))
    portfolio.books["judge"].cash = Decimal(-10_000)
    assert portfolio.account_view("judge", SYMBOL, 0.1).weights == {}


def test_fees_of_partial_fills_add_up_to_those_of_the_whole_order(portfolio: Portfolio) -> None:
    price = Decimal("10.03")
    parts = [portfolio.fill_fees("judge", "o1", Side.SELL, SYMBOL, price, v) for v in (100, 700, 1200)]
    whole = portfolio.rules(SYMBOL).fees(Side.SELL, price, 2000)
    assert sum(part.total for part in parts) == whole.total
    assert parts[0].commission == Decimal("5.00")
    other = portfolio.fill_fees("judge", "o2", Side.SELL, SYMBOL, price, 100)
    assert other.commission == Decimal("5.00")


def test_marking_moves_the_peak_and_a_session_start_notes_equity(portfolio: Portfolio) -> None:
    portfolio.apply(bought(1000, date(2024, 5, 6)))
    portfolio.quotes.update(tick(12.0))
    cash, value = portfolio.mark("judge")
    assert portfolio.books["judge"].peak_equity == cash + value == Decimal("101995")
    portfolio.quotes.update(tick(9.0))
    portfolio.mark("judge")
    assert portfolio.books["judge"].peak_equity == Decimal("101995")
    portfolio.start_session(NOW.date())
    assert portfolio.books["judge"].day_start_equity == Decimal("98995")


def test_the_age_of_a_quote_is_in_seconds(portfolio: Portfolio) -> None:
    assert portfolio.quote_age(SYMBOL, NOW) is None
    portfolio.quotes.update(tick())
    assert portfolio.quote_age(SYMBOL, NOW) == 0


def daily(symbol: str, closes: dict[date, float]) -> BarSeries:
    rows = [(day, close, close, close, close, 100.0) for day, close in closes.items()]
    return BarSeries.from_rows(symbol, BarInterval.DAILY, rows)


DAYS = [date(2024, 5, day) for day in (6, 7, 8, 9)]


def test_equal_weight_holds_every_symbol_from_its_first_close() -> None:
    a = daily("600000.SSE", dict(zip(DAYS, (10, 11, 12, 12), strict=True)))
    b = daily("600001.SSE", dict(zip(DAYS[2:], (20, 10), strict=True)))
    baseline = equal_weight([a, b], DAYS[0], Decimal(1000))
    assert [baseline.value_on(day) for day in DAYS] == [1000, 1050, 1100, 850]


def test_a_baseline_says_nothing_before_its_first_close() -> None:
    series = daily("000300.SSE", dict(zip(DAYS[1:], (10, 11, 12), strict=True)))
    baseline = index("000300", series, DAYS[0], Decimal(1000))
    assert baseline.value_on(DAYS[0]) is None
    assert baseline.value_on(DAYS[1]) == 1000
    assert baseline.value_on(date(2024, 5, 12)) == 1200


@pytest.mark.parametrize("make", [list, lambda: [daily("600000.SSE", {date(2020, 1, 2): 1.0})]])
def test_a_baseline_without_bars_has_no_value(make: Callable[[], list[BarSeries]]) -> None:
    assert Baseline("x", say("x"), make(), DAYS[0], Decimal(1000)).value_on(DAYS[1]) is None


def test_a_session_begins_once_whatever_happens_in_it(portfolio: Portfolio) -> None:
    portfolio.apply(bought(1000, date(2024, 5, 6)))
    portfolio.quotes.update(tick(10.0))
    portfolio.start_session(NOW.date())
    base = portfolio.books["judge"].day_start_equity
    portfolio.quotes.update(tick(9.0))
    portfolio.start_session(NOW.date())
    assert portfolio.books["judge"].day_start_equity == base
    portfolio.start_session(date(2024, 5, 8))
    assert portfolio.books["judge"].day_start_equity == base - 1000


def test_orders_of_the_day_before_are_forgotten(portfolio: Portfolio) -> None:
    portfolio.start_session(date(2024, 5, 7))
    for n in range(50):
        portfolio.fill_fees("judge", f"o{n}", Side.BUY, SYMBOL, Decimal(10), 100)
    assert len(portfolio._orders) == 50
    portfolio.start_session(date(2024, 5, 7))
    assert len(portfolio._orders) == 50
    portfolio.start_session(date(2024, 5, 8))
    assert portfolio._orders == {}


def test_cash_off_the_fills_is_seen_to_the_cent(portfolio: Portfolio) -> None:
    book = portfolio.books["judge"]
    portfolio.apply(bought(100, date(2024, 5, 6)))
    assert book.cash_off == 0
    book.cash += Decimal("0.01")
    assert book.cash_off == Decimal("0.01")


def test_prices_between_ticks_leave_cents_that_add_up(portfolio: Portfolio) -> None:
    """Each fill of one share at 10.004 is booked as 10.00: 50 of them are 0.20 CNY too few."""
    for n in range(50):
        portfolio.apply(bought(1, date(2024, 5, 6), "10.004", order=f"o{n}"))
    assert portfolio.books["judge"].cash_off == Decimal("0.20")


def test_an_index_whose_data_begin_later_says_so() -> None:
    series = daily("000300.SSE", dict(zip(DAYS, (10, 11, 12, 12), strict=True)))
    early = index("000300", series, DAYS[0], Decimal(1000))
    late = index("000300", series, DAYS[0] - timedelta(days=60), Decimal(1000))
    assert "数据自" not in early.label.render()
    assert f"数据自 {DAYS[0]} 起" in late.label.render()
