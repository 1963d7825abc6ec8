"""Each rule of the exchange is found where an order breaks it, and nowhere else."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from audit_world import (
    FUND,
    MAIN,
    MONDAY,
    STAR,
    TUESDAY,
    WEDNESDAY,
    bars,
    broken,
    calm,
    init,
    judge,
    step,
    world,
)

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.domain import BarInterval


@pytest.mark.parametrize(
    ("symbol", "action", "volume", "held", "faulty"),
    [
        (MAIN, "buy", 100, 0, False),
        (MAIN, "buy", 150, 0, True),
        (MAIN, "buy", 0, 0, True),
        (MAIN, "sell", 150, 250, False),
        (MAIN, "sell", 120, 250, True),
        (STAR, "buy", 199, 0, True),
        (STAR, "buy", 201, 0, False),
        (STAR, "sell", 100, 300, True),
        (STAR, "sell", 100, 100, False),
    ],
)
def test_lots_are_those_of_the_board(
    tmp_path: Path, symbol: str, action: str, volume: int, held: int, faulty: bool
) -> None:
    found = judge(tmp_path, init({symbol: held}), step(1, action, symbol, volume))
    assert broken(found) == ({"lot_size": 1} if faulty else {})


def test_shares_bought_the_same_day_cannot_be_sold(tmp_path: Path) -> None:
    found = judge(
        tmp_path,
        init({MAIN: 100}),
        step(1, "buy", MAIN, 200, holdings_after={MAIN: 300}),
        step(2, "sell", MAIN, 100, holdings_after={MAIN: 200}),
        step(3, "sell", MAIN, 100, holdings_after={MAIN: 100}),
        step(4, "sell", MAIN, 100, date=WEDNESDAY),
    )
    assert broken(found) == {"t_plus_one": 1}
    assert (found.violations[0].seq, found.violations[0].vt_symbol) == (3, MAIN)
    assert found.violations[0].reason.figures == {
        "volume": "100",
        "sellable": "0",
        "holding": "200",
        "bought": "200",
    }


def test_a_gold_fund_bought_today_is_sold_today(tmp_path: Path) -> None:
    found = judge(
        tmp_path,
        init(),
        step(1, "buy", FUND, 200, holdings_after={FUND: 200}),
        step(2, "sell", FUND, 200),
    )
    assert broken(found) == {}


def test_a_sale_of_more_than_is_held_breaks_two_rules(tmp_path: Path) -> None:
    found = judge(tmp_path, init({MAIN: 100}), step(1, "sell", MAIN, 200, holdings_after={MAIN: -100}))
    assert broken(found) == {"t_plus_one": 1, "holding": 1}
    assert found.orders == 1


def test_a_buy_beyond_the_cash_is_found_and_the_record_goes_on(tmp_path: Path) -> None:
    found = judge(
        tmp_path,
        init(cash_after=1500.0),
        step(1, "buy", MAIN, 200, cash_after=-500.0, holdings_after={MAIN: 200}),
        step(2, "sell", MAIN, 200, date=WEDNESDAY, cash_after=1500.0),
    )
    assert broken(found) == {"cash": 1}
    assert found.mismatches == ()
    assert found.cash_end == Decimal(1500)


def test_cash_that_just_suffices_is_enough(tmp_path: Path) -> None:
    found = judge(
        tmp_path,
        init(cash_after=2000.0),
        step(1, "buy", MAIN, 200, cash_after=0.0, holdings_after={MAIN: 200}),
    )
    assert broken(found) == {}


def moved(symbol: str, at_open: float) -> BarSeries:
    return bars(symbol, [(MONDAY, 10.0, 10.0, 1e6), (TUESDAY, at_open, at_open, 1e6)])


@pytest.mark.parametrize(
    ("symbol", "at_open", "action", "faulty"),
    [
        (MAIN, 11.0, "buy", True),
        (MAIN, 11.0, "sell", False),
        (MAIN, 9.0, "buy", False),
        (MAIN, 9.0, "sell", True),
        (MAIN, 10.99, "buy", False),
        (MAIN, 11.01, "sell", True),
        (STAR, 11.01, "buy", False),
        (STAR, 12.0, "buy", True),
    ],
)
def test_an_open_at_the_limit_is_closed_on_one_side(
    tmp_path: Path, symbol: str, at_open: float, action: str, faulty: bool
) -> None:
    market = world(moved(symbol, at_open))
    found = judge(tmp_path, init({symbol: 200}), step(1, action, symbol, 200), market=market)
    assert broken(found) == ({"price_limit": 1} if faulty else {})


def test_a_share_under_risk_warning_has_its_own_limit(tmp_path: Path) -> None:
    market = world(moved(MAIN, 10.5), name="*ST浦发")
    found = judge(tmp_path, init(), step(1, "buy", MAIN, 200), market=market)
    assert broken(found) == {"price_limit": 1}


def test_a_new_share_has_no_limit(tmp_path: Path) -> None:
    market = world(moved(MAIN, 19.0), listed=date.fromisoformat(MONDAY))
    found = judge(tmp_path, init(), step(1, "buy", MAIN, 200), market=market)
    assert (broken(found), found.without_limit) == ({}, 0)


def test_the_recorded_reference_decides_the_limits_of_an_ex_right_day(tmp_path: Path) -> None:
    row: list[Any] = [date.fromisoformat(TUESDAY), 9.9, 9.9, 9.9, 9.9, 1e6, None, 9.0]
    rows = [[date.fromisoformat(MONDAY), 10.0, 10.0, 10.0, 10.0, 1e6, None, None], row]
    market = world(BarSeries.from_rows(MAIN, BarInterval.DAILY, rows))
    found = judge(tmp_path, init(), step(1, "buy", MAIN, 200), market=market)
    assert broken(found) == {"price_limit": 1}


def test_an_order_without_a_previous_close_is_counted_as_not_compared(tmp_path: Path) -> None:
    found = judge(tmp_path, init(), step(1, "buy", MAIN, 200, date=MONDAY))
    assert (broken(found), found.without_limit) == ({}, 1)


@pytest.mark.parametrize("volume", [None, 0.0])
def test_a_day_without_trading_is_a_suspension_and_its_cash_is_taken_over(
    tmp_path: Path, volume: float | None
) -> None:
    gap = [] if volume is None else [(TUESDAY, 10.0, 10.0, volume)]
    market = world(bars(MAIN, [(MONDAY, 10.0, 10.0, 1e6), *gap, (WEDNESDAY, 10.0, 10.0, 1e6)]))
    found = judge(
        tmp_path,
        init(),
        step(1, "buy", MAIN, 200, cash_after=98_100.0, holdings_after={MAIN: 200}),
        step(2, "sell", MAIN, 200, date=WEDNESDAY, cash_after=100_100.0),
        market=market,
    )
    assert broken(found) == {"suspended": 1}
    assert found.mismatches == ()
    assert found.cash_end == Decimal(100_100)


def hourly() -> BarSeries:
    rows = [(f"{TUESDAY} {end}", 11.0, 11.0, 1e5) for end in ("10:30", "14:00", "15:00")]
    return bars(MAIN, rows, BarInterval.HOUR)


def hourly_market() -> Any:
    return world(hourly(), bars(MAIN, [(MONDAY, 10.0, 10.0, 1e6), (TUESDAY, 10.5, 11.0, 1e6)]))


def test_an_hour_has_the_limits_of_its_day(tmp_path: Path) -> None:
    order = step(1, "buy", MAIN, 200, date=f"{TUESDAY} 14:00:00", cash_after=97_800.0)
    found = judge(
        tmp_path, init(date=f"{TUESDAY} 08:30:00"), order, market=hourly_market(), interval=BarInterval.HOUR
    )
    assert broken(found) == {"price_limit": 1}
    assert found.mismatches == ()


def test_an_hour_without_a_bar_is_a_suspension(tmp_path: Path) -> None:
    order = step(1, "buy", MAIN, 200, date=f"{TUESDAY} 11:30:00")
    found = judge(
        tmp_path, init(date=f"{TUESDAY} 08:30:00"), order, market=hourly_market(), interval=BarInterval.HOUR
    )
    assert broken(found) == {"suspended": 1}
    assert found.violations[0].reason.figures == {"when": f"{TUESDAY} 11:30"}


def test_shares_bought_earlier_the_same_day_stay_bought_at_a_later_hour(tmp_path: Path) -> None:
    found = judge(
        tmp_path,
        init(date=f"{TUESDAY} 08:30:00"),
        step(1, "buy", MAIN, 200, date=f"{TUESDAY} 10:30:00", holdings_after={MAIN: 200}),
        step(2, "sell", MAIN, 200, date=f"{TUESDAY} 15:00:00"),
        market=hourly_market(),
        interval=BarInterval.HOUR,
    )
    assert broken(found)["t_plus_one"] == 1


def test_steps_without_an_order_are_not_counted(tmp_path: Path) -> None:
    found = judge(tmp_path, init(), step(1, "no_trade"), step(2, "no_trade", date="2025-03-08"))
    assert (found.orders, found.violations, found.mismatches) == (0, (), ())


def test_cash_that_is_a_cent_off_is_found(tmp_path: Path) -> None:
    found = judge(
        tmp_path,
        init(),
        step(1, "buy", MAIN, 200, cash_after=97_999.99, holdings_after={MAIN: 200}),
        step(2, "no_trade", cash_after=98_000.000000001, holdings_after={MAIN: 200}),
    )
    assert [(m.seq, m.recorded, m.replayed) for m in found.mismatches] == [
        (1, Decimal("97999.99"), Decimal("98000.00"))
    ]


def test_holdings_that_do_not_follow_from_the_order_are_counted(tmp_path: Path) -> None:
    found = judge(
        tmp_path,
        init(),
        step(1, "buy", MAIN, 200, holdings_after={MAIN: 100, STAR: 0}),
        step(2, "no_trade", holdings_after={MAIN: 100}),
    )
    assert (found.holdings_mismatches, dict(found.holdings_end)) == (1, {MAIN: 100})


def test_every_rule_is_counted_even_where_nothing_is_broken(tmp_path: Path) -> None:
    assert judge(tmp_path, init(), market=calm()).counts() == dict.fromkeys(
        ("lot_size", "t_plus_one", "price_limit", "cash", "holding", "suspended"), 0
    )
