"""Fees and the price cage: golden cases on the day before and the day of each change."""

from datetime import date
from decimal import Decimal

import pytest

from vnpy_aiagent.errors import RuleUnknown
from vnpy_aiagent.market import CommissionPlan, Fees, Side, instrument_rules

MAIN, SZ, STAR, CHINEXT, BSE = "600519.SSE", "000001.SZSE", "688981.SSE", "300750.SZSE", "920799.BSE"


def fees(vt_symbol: str, day: str, side: Side, price: float = 100.0, volume: int = 1000) -> Fees:
    return instrument_rules(vt_symbol, date.fromisoformat(day)).fees(side, price, volume)


@pytest.mark.parametrize(
    ("day", "buy", "sell"),
    [
        ("1998-06-12", 400, 400),
        ("2001-11-15", 400, 400),
        ("2001-11-16", 200, 200),
        ("2005-01-23", 200, 200),
        ("2005-01-24", 100, 100),
        ("2007-05-29", 100, 100),
        ("2007-05-30", 300, 300),
        ("2008-04-23", 300, 300),
        ("2008-04-24", 100, 100),
        ("2008-09-18", 100, 100),
        ("2008-09-19", 0, 100),
        ("2023-08-27", 0, 100),
        ("2023-08-28", 0, 50),
    ],
)
def test_stamp_duty_on_a_turnover_of_100000(day: str, buy: int, sell: int) -> None:
    assert fees(MAIN, day, Side.BUY).stamp_duty == buy
    assert fees(SZ, day, Side.SELL).stamp_duty == sell


@pytest.mark.parametrize(
    ("vt_symbol", "day", "expected"),
    [
        (MAIN, "2015-07-31", "1.00"),
        (SZ, "2015-07-31", "0.00"),
        (CHINEXT, "2015-07-31", "0.00"),
        (MAIN, "2015-08-01", "2.00"),
        (SZ, "2015-08-01", "2.00"),
        (MAIN, "2022-04-28", "2.00"),
        (MAIN, "2022-04-29", "1.00"),
        (STAR, "2022-04-28", "2.00"),
        (CHINEXT, "2022-04-29", "1.00"),
        (BSE, "2022-04-28", "2.00"),
        (BSE, "2022-04-29", "1.00"),
    ],
)
@pytest.mark.parametrize("side", Side)
def test_transfer_fee_on_a_turnover_of_100000(vt_symbol: str, day: str, expected: str, side: Side) -> None:
    assert fees(vt_symbol, day, side).transfer_fee == Decimal(expected)


def test_the_old_sse_transfer_fee_counts_shares_and_has_a_minimum() -> None:
    assert fees(MAIN, "2010-01-04", Side.BUY, 100.0, 100).transfer_fee == Decimal("1.00")
    assert fees(MAIN, "2010-01-04", Side.BUY, 100.0, 5000).transfer_fee == Decimal("5.00")
    assert fees(MAIN, "2010-01-04", Side.BUY, 5.0, 5000).transfer_fee == Decimal("5.00")


def test_fees_of_a_sale_of_ten_thousand_today() -> None:
    result = fees(MAIN, "2024-01-02", Side.SELL, 10.0, 1000)
    assert result == Fees(
        commission=Decimal("5.00"), stamp_duty=Decimal("5.00"), transfer_fee=Decimal("0.10")
    )
    assert result.total == Decimal("10.10")


def test_each_item_rounds_half_up_to_the_cent() -> None:
    result = fees(MAIN, "2024-01-02", Side.SELL, 66.1, 500)  # turnover 33,050: 8.2625, 16.525, 0.3305
    assert result == Fees(Decimal("8.26"), Decimal("16.53"), Decimal("0.33"))


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("vt_symbol", ["510300.SSE", "159915.SZSE"])
def test_funds_pay_commission_alone(vt_symbol: str, side: Side) -> None:
    for day in ("2010-01-04", "2024-01-02"):
        assert fees(vt_symbol, day, side) == Fees(Decimal("25.00"), Decimal(0), Decimal(0))


def test_a_brokers_own_commission_replaces_the_default() -> None:
    plan = CommissionPlan(rate=Decimal("0.0001"), minimum=Decimal(0))
    rules = instrument_rules(MAIN, date(2024, 1, 2), commission=plan)
    assert rules.fees(Side.BUY, 10.0, 100).commission == Decimal("0.10")
    with pytest.raises(ValueError, match="not negative"):
        CommissionPlan(rate=Decimal(-1))


def test_the_minimum_commission_is_paid_once_an_order() -> None:
    rules = instrument_rules(MAIN, date(2024, 1, 2))
    first = rules.order_fees(Side.BUY, Decimal(1000), 100)
    both = rules.order_fees(Side.BUY, Decimal(2000), 200)
    assert first.commission == Decimal("5.00")
    assert (both - first).commission == 0


def test_an_unfilled_order_costs_nothing_and_negative_figures_are_refused() -> None:
    rules = instrument_rules(MAIN, date(2010, 1, 4))
    assert rules.order_fees(Side.BUY, Decimal(0), 0).total == 0
    with pytest.raises(ValueError, match="negative"):
        rules.order_fees(Side.BUY, Decimal(-1), 100)


def test_a_day_before_the_first_known_duty_is_refused() -> None:
    with pytest.raises(RuleUnknown, match=r"stamp-duty.*1998-06-12"):
        instrument_rules(MAIN, date(1998, 6, 11))


@pytest.mark.parametrize(
    ("vt_symbol", "hint"),
    [
        ("113050.SSE", "convertible bond"),
        ("000001.SSE", "an index and cannot be traded"),
    ],
)
def test_what_the_tables_do_not_cover_is_said_in_a_sentence(vt_symbol: str, hint: str) -> None:
    with pytest.raises(RuleUnknown, match=hint):
        instrument_rules(vt_symbol, date(2024, 1, 2))


@pytest.mark.parametrize(
    ("vt_symbol", "day", "buy", "sell"),
    [
        (STAR, "2019-07-22", "102.00", "98.00"),
        (CHINEXT, "2020-08-23", None, None),
        (CHINEXT, "2020-08-24", "102.00", "98.00"),
        (MAIN, "2023-04-09", None, None),
        (MAIN, "2023-04-10", "102.00", "98.00"),
        (SZ, "2023-04-10", "102.00", "98.00"),
        (BSE, "2021-11-15", "105.00", "95.00"),
        ("510300.SSE", "2024-01-02", None, None),
    ],
)
def test_the_cage_reaches_beyond_the_book_by_board_and_day(
    vt_symbol: str, day: str, buy: str | None, sell: str | None
) -> None:
    rules, base = instrument_rules(vt_symbol, date.fromisoformat(day)), Decimal(100)
    assert rules.cage(Side.BUY, None, base, None, None) == (Decimal(buy) if buy else None)
    assert rules.cage(Side.SELL, base, None, None, None) == (Decimal(sell) if sell else None)


@pytest.mark.parametrize(
    ("vt_symbol", "day", "expected"),
    [(STAR, "2023-04-09", "2.04"), (STAR, "2023-04-10", "2.10"), (CHINEXT, "2023-04-10", "2.10")],
)
def test_ten_ticks_widen_the_cage_of_cheap_shares_from_april_2023(
    vt_symbol: str, day: str, expected: str
) -> None:
    rules = instrument_rules(vt_symbol, date.fromisoformat(day))
    assert rules.cage(Side.BUY, None, Decimal(2), None, None) == Decimal(expected)


def test_the_cage_is_measured_from_the_first_price_that_is_known() -> None:
    rules = instrument_rules(MAIN, date(2024, 1, 2))
    bid, ask, last, close = Decimal(100), Decimal(101), Decimal(102), Decimal(103)
    assert rules.cage(Side.BUY, bid, ask, last, close) == Decimal("103.02")
    assert rules.cage(Side.BUY, bid, None, last, close) == Decimal("102.00")
    assert rules.cage(Side.SELL, bid, ask, last, close) == Decimal("98.00")
    assert rules.cage(Side.SELL, None, ask, last, close) == Decimal("98.98")
    assert rules.cage(Side.BUY, None, None, last, close) == Decimal("104.04")
    assert rules.cage(Side.SELL, None, None, None, close) == Decimal("100.94")
    assert rules.cage(Side.BUY, None, None, None, None) is None


def test_orders_outside_the_cage_were_parked_on_chinext_until_april_2023() -> None:
    before = instrument_rules(CHINEXT, date(2023, 4, 9)).cage_rule
    after = instrument_rules(CHINEXT, date(2023, 4, 10)).cage_rule
    assert before is not None
    assert after is not None
    assert (before.parks, after.parks) == (True, False)
