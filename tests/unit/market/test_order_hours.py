"""What becomes of orders and cancels at each moment, by board and date."""

from datetime import date, datetime

import pytest

from vnpy_aiagent.domain import MARKET_TZ
from vnpy_aiagent.market import default_calendar, instrument_rules
from vnpy_aiagent.market.hours import trades
from vnpy_aiagent.market.order_hours import (
    Handling,
    Taking,
    Trading,
    due_moments,
    handling,
    last_closing_price,
)

MAIN, STAR, FUND_SSE, FUND_SZSE = "600000.SSE", "688001.SSE", "510300.SSE", "159919.SZSE"


def held(symbol: str, when: str) -> Handling:
    moment = datetime.fromisoformat(when).replace(tzinfo=MARKET_TZ)
    return handling(default_calendar(), instrument_rules(symbol, moment.date()), moment)


@pytest.mark.parametrize(
    ("at", "orders", "cancels", "trading"),
    [
        ("09:14:59", "REFUSED", "REFUSED", "NONE"),
        ("09:15", "TAKEN", "TAKEN", "NONE"),
        ("09:19:59", "TAKEN", "TAKEN", "NONE"),
        ("09:20", "TAKEN", "REFUSED", "NONE"),
        ("09:25", "QUEUED", "QUEUED", "AUCTION"),
        ("09:30", "TAKEN", "TAKEN", "CONTINUOUS"),
        ("11:30", "QUEUED", "QUEUED", "CONTINUOUS"),
        ("13:00", "TAKEN", "TAKEN", "CONTINUOUS"),
        ("14:57", "TAKEN", "REFUSED", "NONE"),
        ("15:00", "REFUSED", "REFUSED", "AUCTION"),
        ("15:30", "REFUSED", "REFUSED", "NONE"),
    ],
)
def test_an_ordinary_day_of_the_main_board(at: str, orders: str, cancels: str, trading: str) -> None:
    found = held(MAIN, f"2025-03-03T{at}")
    assert (found.orders, found.cancels, found.trading) == (Taking(orders), Taking(cancels), Trading(trading))
    assert bool(found.order_reason) >= (found.orders is Taking.REFUSED)
    assert bool(found.cancel_reason) >= (found.cancels is Taking.REFUSED)


@pytest.mark.parametrize(
    ("symbol", "day", "cancels"),
    [
        (MAIN, "2018-08-17", "TAKEN"),
        (MAIN, "2018-08-20", "REFUSED"),
        (FUND_SSE, "2026-07-03", "TAKEN"),
        (FUND_SSE, "2026-07-06", "REFUSED"),
        (FUND_SZSE, "2025-03-03", "REFUSED"),
    ],
)
def test_the_closing_auction_takes_no_cancel_where_there_is_one(symbol: str, day: str, cancels: str) -> None:
    assert held(symbol, f"{day}T14:58").cancels is Taking(cancels)


@pytest.mark.parametrize(
    ("symbol", "day", "at", "taken", "trading"),
    [
        (STAR, "2025-03-03", "15:01", True, "AUCTION"),
        (STAR, "2025-03-03", "15:05", True, "FIXED"),
        (STAR, "2025-03-03", "15:30", False, "NONE"),
        (MAIN, "2026-07-03", "15:05", False, "AUCTION"),
        (MAIN, "2026-07-06", "15:05", True, "FIXED"),
        (FUND_SSE, "2026-07-03", "15:01", False, "CONTINUOUS"),
        (FUND_SSE, "2026-07-06", "15:05", True, "FIXED"),
    ],
)
def test_after_hours_by_board_and_date(symbol: str, day: str, at: str, taken: bool, trading: str) -> None:
    found = held(symbol, f"{day}T{at}")
    assert (found.orders is Taking.TAKEN, found.after_hours, found.trading) == (
        taken,
        taken,
        Trading(trading),
    )


def test_a_weekend_and_a_holiday_take_nothing() -> None:
    for day in ("2025-03-02", "2025-10-01"):
        found = held(MAIN, f"{day}T10:00")
        assert (found.orders, found.order_reason) == (Taking.REFUSED, "今日不是交易日")


@pytest.mark.parametrize(("at", "orders"), [("10:00", "TAKEN"), ("09:20", "REFUSED"), ("12:00", "REFUSED")])
def test_a_futures_contract_is_taken_while_it_trades(at: str, orders: str) -> None:
    assert held("IF2503.CFFEX", f"2025-03-03T{at}").orders is Taking(orders)


def test_a_fund_of_shenzhen_does_not_trade_continuously_in_its_closing_auction() -> None:
    when = datetime(2025, 3, 3, 14, 58, tzinfo=MARKET_TZ)
    found = [
        trades(default_calendar(), instrument_rules(s, when.date()), when) for s in (FUND_SSE, FUND_SZSE)
    ]
    assert found == [True, False]


def test_what_is_due_by_the_clock_alone() -> None:
    day = date(2025, 3, 3)
    assert [f"{moment:%H:%M}" for moment in due_moments(day)] == ["09:30", "13:00", "15:30"]
    assert f"{last_closing_price(day):%H:%M:%S}" == "15:01:00"
