"""Price limits: golden cases on the day before and the day of each change."""

import csv
import gzip
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from vnpy_aiagent.errors import RuleUnknown
from vnpy_aiagent.market import Board, PriceBand, instrument_rules

MAIN, SZ, CHINEXT, STAR, BSE = "600519.SSE", "000001.SZSE", "300750.SZSE", "688981.SSE", "920799.BSE"


def ratio(vt_symbol: str, day: str, name: str = "") -> Decimal | None:
    return instrument_rules(vt_symbol, date.fromisoformat(day), name).limit_ratio


@pytest.mark.parametrize(
    ("vt_symbol", "name", "day", "expected"),
    [
        (MAIN, "", "1998-06-12", "0.10"),
        (SZ, "", "2024-01-02", "0.10"),
        (MAIN, "ST某某", "1998-06-12", "0.05"),
        (MAIN, "*ST某某", "2026-07-05", "0.05"),
        (MAIN, "*ST某某", "2026-07-06", "0.10"),
        (SZ, "ST某某", "2026-07-05", "0.05"),
        (SZ, "ST某某", "2026-07-06", "0.10"),
        (CHINEXT, "", "2009-10-30", "0.10"),
        (CHINEXT, "", "2020-08-23", "0.10"),
        (CHINEXT, "", "2020-08-24", "0.20"),
        (CHINEXT, "ST某某", "2020-08-23", "0.05"),
        (CHINEXT, "ST某某", "2020-08-24", "0.20"),
        (STAR, "", "2019-07-22", "0.20"),
        (STAR, "*ST某某", "2024-01-02", "0.20"),
        (BSE, "", "2021-11-15", "0.30"),
        (BSE, "ST某某", "2024-01-02", "0.30"),
        ("510300.SSE", "", "2024-01-02", "0.10"),
        ("588000.SSE", "", "2024-01-02", "0.20"),
        ("159915.SZSE", "", "2020-08-23", "0.10"),
        ("159915.SZSE", "", "2020-08-24", "0.20"),
        ("159949.SZSE", "", "2024-01-02", "0.20"),
        ("159919.SZSE", "", "2024-01-02", "0.10"),
    ],
)
def test_the_limit_ratio_is_that_of_board_status_and_day(
    vt_symbol: str, name: str, day: str, expected: str
) -> None:
    assert ratio(vt_symbol, day, name) == Decimal(expected)


@pytest.mark.parametrize(
    ("vt_symbol", "day"),
    [
        (MAIN, "1996-12-15"),
        (CHINEXT, "2009-10-29"),
        (STAR, "2019-07-21"),
        (BSE, "2021-11-14"),
        ("510300.SSE", "1996-12-15"),
    ],
)
def test_a_day_before_the_first_rule_says_from_when_rules_are_known(vt_symbol: str, day: str) -> None:
    with pytest.raises(RuleUnknown, match="use a later date"):
        ratio(vt_symbol, day)


def test_a_float_and_a_decimal_close_give_the_same_band() -> None:
    rules = instrument_rules(MAIN, on=date(2024, 1, 2), name="", listed=None)
    assert rules.price_band(prev_close=10.0) == PriceBand(down=9.0, up=11.0)  # type: ignore[arg-type]
    assert rules.price_band(Decimal("10.00")) == rules.price_band(10.0)


@pytest.mark.parametrize(
    ("prev_close", "down", "up"),
    [
        ("10.05", "9.05", "11.06"),  # 9.045 and 11.055 round up
        ("1.04", "0.94", "1.14"),
        ("0.04", "0.03", "0.05"),  # at least one tick away
        ("0.01", "0.01", "0.02"),  # never below one tick
    ],
)
def test_a_band_rounds_half_up_and_lies_at_least_a_tick_away(prev_close: str, down: str, up: str) -> None:
    band = instrument_rules(MAIN, date(2024, 1, 2)).price_band(Decimal(prev_close))
    assert band == PriceBand(Decimal(down), Decimal(up))


def test_a_fund_band_uses_ticks_of_a_thousandth() -> None:
    band = instrument_rules("510300.SSE", date(2024, 1, 2)).price_band(3.475)
    assert band == PriceBand(Decimal("3.128"), Decimal("3.823"))


@pytest.mark.parametrize("close", [0.0, -1.0, float("nan"), float("inf")])
def test_an_impossible_previous_close_is_refused(close: float) -> None:
    with pytest.raises(ValueError, match=r"positive|finite"):
        instrument_rules(MAIN, date(2024, 1, 2)).price_band(close)


@pytest.mark.parametrize(
    ("vt_symbol", "listed", "free_days"),
    [
        (MAIN, date(2014, 6, 12), 1),
        (MAIN, date(2023, 4, 10), 5),
        (SZ, date(2023, 4, 10), 5),
        (CHINEXT, date(2014, 6, 12), 1),
        (CHINEXT, date(2020, 8, 24), 5),
        (STAR, date(2019, 7, 22), 5),
        (BSE, date(2021, 11, 15), 1),
    ],
)
def test_first_days_without_a_limit_depend_on_the_listing_date(
    vt_symbol: str, listed: date, free_days: int
) -> None:
    days = instrument_rules(vt_symbol, listed, listed=listed)
    assert days.price_band(10.0) is None
    by_count = [
        instrument_rules(vt_symbol, listed, listed=listed, trading_days_since_listing=n).limit_ratio is None
        for n in range(7)
    ]
    assert by_count == [n < free_days for n in range(7)]


@pytest.mark.parametrize("vt_symbol", [MAIN, SZ, CHINEXT])
def test_a_first_day_from_june_2014_is_bounded_by_the_issue_price(vt_symbol: str) -> None:
    listed = date(2014, 6, 13)
    assert instrument_rules(vt_symbol, listed, listed=listed).price_band(10.0) == PriceBand(
        Decimal("6.40"), Decimal("14.40")
    )
    assert instrument_rules(vt_symbol, date(2014, 6, 16), listed=listed).limit_ratio == Decimal("0.10")


def test_a_main_board_share_listed_the_session_before_april_2023_reform_keeps_its_first_day_rule() -> None:
    listed = date(2023, 4, 7)
    assert instrument_rules(MAIN, listed, listed=listed).limit_up_ratio == Decimal("0.44")
    assert instrument_rules(MAIN, date(2023, 4, 10), listed=listed).limit_ratio == Decimal("0.10")


def test_first_days_are_counted_in_trading_days_across_a_holiday() -> None:
    listed = date(2024, 2, 7)  # the New Year holiday closed the exchanges from 2024-02-09 to 2024-02-18
    fifth, sixth = date(2024, 2, 21), date(2024, 2, 22)
    assert instrument_rules(STAR, fifth, listed=listed).limit_ratio is None
    assert instrument_rules(STAR, sixth, listed=listed).limit_ratio == Decimal("0.20")


def test_marks_of_new_shares_in_a_name_lift_the_limit() -> None:
    assert ratio(MAIN, "2024-01-02", "N某某") is None
    assert ratio(MAIN, "2024-01-02", "C某某") is None
    assert ratio(MAIN, "2024-01-02", "某某") == Decimal("0.10")
    assert instrument_rules(MAIN, date(2015, 1, 5), "N某某").limit_up_ratio == Decimal("0.44")


def test_a_share_cannot_trade_before_it_is_listed() -> None:
    with pytest.raises(RuleUnknown, match="was not listed"):
        instrument_rules(MAIN, date(2024, 1, 2), listed=date(2024, 1, 3))


def test_a_share_listed_long_ago_needs_no_calendar() -> None:
    assert instrument_rules(MAIN, date(2024, 1, 2), listed=date(1991, 1, 1)).limit_ratio == Decimal("0.10")


def test_a_hypothetical_fund_takes_the_rules_of_the_named_board() -> None:
    rules = instrument_rules("CSI300.SSE", date(2010, 1, 4), "CSI 300", board=Board.ETF)
    assert (rules.board, rules.tick_size, rules.lot_size, rules.t_plus) == (
        Board.ETF,
        Decimal("0.001"),
        100,
        1,
    )
    assert rules.limit_ratio == Decimal("0.10")


def test_rules_rest_on_confirmed_rows_today_and_name_the_unconfirmed_of_earlier_years() -> None:
    assert instrument_rules(MAIN, date(2024, 1, 2)).unconfirmed == ()
    assert any("par value" in source for source in instrument_rules(MAIN, date(2010, 1, 4)).unconfirmed)


def test_real_prices_of_fifty_members_stay_inside_their_bands(shared: Path) -> None:
    checked = 0
    with gzip.open(shared / "data" / "sse50" / "daily.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if not row["pre_close"]:
                continue
            rules = instrument_rules(row["vt_symbol"], date.fromisoformat(row["date"]))
            band = rules.price_band(Decimal(row["pre_close"]))
            assert band is not None
            assert band.contains(Decimal(row["high"])), row
            assert band.contains(Decimal(row["low"])), row
            checked += 1
    assert checked > 1000
