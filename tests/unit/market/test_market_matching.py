"""The matching core, rule by rule."""

from dataclasses import fields, replace
from decimal import Decimal

import pytest

from vnpy_aiagent.market import (
    Execution,
    MarketView,
    Side,
    is_locked,
    match_arrival,
    match_resting,
    share_of_volume,
)
from vnpy_aiagent.market.matching import meets_own

D = Decimal
BARS = MarketView(
    last=D("10.00"),
    bid=None,
    ask=None,
    limit_up=D("11.00"),
    limit_down=D("9.00"),
    liquidity=1000,
    tick_size=D("0.01"),
)
BOOK = replace(BARS, bid=D("9.99"), ask=D("10.01"))
LOCKED_UP = replace(BARS, last=D("11.00"))
LOCKED_DOWN = replace(BARS, last=D("9.00"))


@pytest.mark.parametrize(
    ("side", "limit", "price"),
    [
        (Side.BUY, "10.01", "10.01"),
        (Side.BUY, "10.50", "10.01"),  # never worse than the book
        (Side.BUY, "10.00", None),
        (Side.SELL, "9.99", "9.99"),
        (Side.SELL, "9.50", "9.99"),
        (Side.SELL, "10.00", None),
    ],
)
def test_an_arriving_order_meets_the_other_side_of_the_book(
    side: Side, limit: str, price: str | None
) -> None:
    expected = Execution(D(price), 100) if price else None
    assert match_arrival(side, D(limit), 100, BOOK, slippage_ticks=5) == expected


@pytest.mark.parametrize(
    ("side", "limit", "ticks", "price"),
    [
        (Side.BUY, "10.00", 0, "10.00"),
        (Side.BUY, "10.01", 1, "10.01"),
        (Side.BUY, "10.00", 1, None),
        (Side.BUY, "11.00", 500, "11.00"),  # the adverse price stops at the limit
        (Side.SELL, "9.99", 1, "9.99"),
        (Side.SELL, "10.00", 1, None),
        (Side.SELL, "9.00", 500, "9.00"),
    ],
)
def test_without_a_book_an_arriving_order_pays_slippage(
    side: Side, limit: str, ticks: int, price: str | None
) -> None:
    expected = Execution(D(price), 100) if price else None
    assert match_arrival(side, D(limit), 100, BARS, ticks) == expected


def test_without_price_limits_slippage_never_falls_below_one_tick() -> None:
    view = replace(BARS, last=D("0.05"), limit_up=None, limit_down=None)
    assert match_arrival(Side.SELL, D("0.01"), 100, view, 50) == Execution(D("0.01"), 100)
    assert match_arrival(Side.BUY, D("1.00"), 100, view, 50) == Execution(D("0.55"), 100)


def test_an_empty_side_of_a_book_has_no_counterparty() -> None:
    assert match_arrival(Side.BUY, D("11.00"), 100, replace(BARS, bid=D("10.00")), 1) is None
    assert match_arrival(Side.SELL, D("9.00"), 100, replace(BARS, ask=D("10.00")), 1) is None


@pytest.mark.parametrize("auction", [False, True])
def test_a_locked_limit_closes_one_side_and_leaves_the_other_open(auction: bool) -> None:
    up, down = replace(LOCKED_UP, auction=auction), replace(LOCKED_DOWN, auction=auction)
    assert match_arrival(Side.BUY, D("11.00"), 100, up, 0) is None
    assert match_resting(Side.BUY, D("11.00"), 100, up) is None
    assert match_arrival(Side.SELL, D("9.00"), 100, down, 0) is None
    assert match_resting(Side.SELL, D("9.00"), 100, down) is None
    assert match_arrival(Side.SELL, D("11.00"), 100, up, 0) == Execution(D("11.00"), 100)
    assert match_arrival(Side.BUY, D("9.00"), 100, down, 0) == Execution(D("9.00"), 100)


def test_offers_at_limit_up_open_the_locked_side() -> None:
    opened = replace(LOCKED_UP, ask=D("11.00"))
    assert not is_locked(Side.BUY, opened)
    assert match_arrival(Side.BUY, D("11.00"), 100, opened, 0) == Execution(D("11.00"), 100)
    opened = replace(LOCKED_DOWN, bid=D("9.00"))
    assert not is_locked(Side.SELL, opened)
    assert match_arrival(Side.SELL, D("9.00"), 100, opened, 0) == Execution(D("9.00"), 100)


@pytest.mark.parametrize(
    ("side", "limit", "price"),
    [
        (Side.BUY, "10.00", "10.00"),
        (Side.BUY, "10.50", "10.00"),
        (Side.BUY, "9.99", None),
        (Side.SELL, "10.00", "10.00"),
        (Side.SELL, "9.50", "10.00"),
        (Side.SELL, "10.01", None),
    ],
)
def test_an_auction_fills_everyone_at_its_price(side: Side, limit: str, price: str | None) -> None:
    auction = replace(BOOK, auction=True)
    expected = Execution(D(price), 100) if price else None
    assert match_arrival(side, D(limit), 100, auction, 5) == expected
    assert match_resting(side, D(limit), 100, auction) == expected


@pytest.mark.parametrize(
    ("side", "limit", "price"),
    [
        (Side.BUY, "10.01", "10.01"),
        (Side.BUY, "10.00", None),  # a touch is not enough
        (Side.BUY, "9.99", None),
        (Side.SELL, "9.99", "9.99"),
        (Side.SELL, "10.00", None),
        (Side.SELL, "10.01", None),
    ],
)
def test_a_resting_order_fills_at_its_limit_when_traded_through(
    side: Side, limit: str, price: str | None
) -> None:
    expected = Execution(D(price), 100) if price else None
    passed = replace(BARS, moved_from=D("10.05") if side is Side.BUY else D("9.95"))
    assert match_resting(side, D(limit), 100, passed) == expected


@pytest.mark.parametrize(
    ("side", "limit", "moved_from", "price"),
    [
        (Side.BUY, "10.40", None, "10.00"),  # opened below the limit: nobody traded at 10.40
        (Side.BUY, "10.40", "10.20", "10.20"),  # was below the limit all the way; 10.20 is the worst of it
        (Side.BUY, "10.40", "9.80", "10.00"),
        (Side.BUY, "10.40", "10.60", "10.40"),
        (Side.SELL, "9.60", None, "10.00"),
        (Side.SELL, "9.60", "9.80", "9.80"),
        (Side.SELL, "9.60", "10.20", "10.00"),
        (Side.SELL, "9.60", "9.40", "9.60"),
        (Side.BUY, "10.00", None, None),
    ],
)
def test_a_resting_order_fills_only_where_the_market_traded(
    side: Side, limit: str, moved_from: str | None, price: str | None
) -> None:
    view = replace(BARS, moved_from=None if moved_from is None else D(moved_from))
    assert match_resting(side, D(limit), 100, view) == (Execution(D(price), 100) if price else None)


@pytest.mark.parametrize(
    ("side", "last", "limit", "price"),
    [
        (Side.BUY, "10.004", "10.50", "10.01"),
        (Side.SELL, "10.006", "9.50", "10.00"),
        (Side.BUY, "10.004", "10.00", None),  # the next tick up is beyond the limit
        (Side.SELL, "10.006", "10.01", None),
    ],
)
def test_a_price_between_two_ticks_is_rounded_against_the_order(
    side: Side, last: str, limit: str, price: str | None
) -> None:
    view = replace(BARS, last=D(last))
    expected = Execution(D(price), 100) if price else None
    assert match_arrival(side, D(limit), 100, view) == expected
    assert match_arrival(side, D(limit), 100, replace(view, auction=True)) == expected
    assert match_resting(side, D(limit), 100, view) == expected


def test_a_sale_at_less_than_a_tick_gets_one_tick() -> None:
    view = replace(BARS, last=D("0.004"), limit_down=None)
    assert match_arrival(Side.SELL, D("0.01"), 100, view) == Execution(D("0.01"), 100)


@pytest.mark.parametrize(
    ("remaining", "liquidity", "volume"), [(1500, 1000, 1000), (300, 1000, 300), (100, 0, 0), (0, 1000, 0)]
)
def test_the_volume_is_bounded_by_order_and_liquidity(remaining: int, liquidity: int, volume: int) -> None:
    view = replace(BARS, liquidity=liquidity)
    expected = Execution(D("10.00"), volume) if volume else None
    assert match_arrival(Side.BUY, D("10.00"), remaining, view) == expected
    through = match_resting(Side.BUY, D("10.01"), remaining, view)
    assert (through.volume if through else 0) == volume


def test_a_suspended_instrument_fills_nothing() -> None:
    view = replace(BOOK, suspended=True)
    assert match_arrival(Side.BUY, D("11.00"), 100, view, 0) is None
    assert match_resting(Side.BUY, D("11.00"), 100, view) is None


def test_liquidity_is_a_share_of_traded_volume_in_whole_lots() -> None:
    assert share_of_volume(12_345, D("0.10")) == 1234
    assert share_of_volume(12_345, D("0.10"), lot=100) == 1200
    assert share_of_volume(0, D("0.10")) == 0
    with pytest.raises(ValueError, match="negative"):
        share_of_volume(-1, D("0.10"))


@pytest.mark.parametrize(
    ("side", "limit", "own", "meets"),
    [
        (Side.BUY, "10.00", "10.00", True),
        (Side.BUY, "10.01", "10.00", True),
        (Side.BUY, "9.99", "10.00", False),
        (Side.SELL, "10.00", "10.00", True),
        (Side.SELL, "9.99", "10.00", True),
        (Side.SELL, "10.01", "10.00", False),
    ],
)
def test_an_order_meets_ones_own_of_the_other_side_alone(
    side: Side, limit: str, own: str, meets: bool
) -> None:
    other = Side.SELL if side is Side.BUY else Side.BUY
    assert meets_own(side, D(limit), other, D(own)) is meets
    assert not meets_own(side, D(limit), side, D(own))


@pytest.mark.parametrize(
    ("side", "limit", "price"),
    [
        (Side.BUY, "10.01", "10.01"),  # it stood inside the spread, at its own limit
        (Side.BUY, "10.50", "10.02"),  # what was left of it after the volume was gone goes on at the ask
        (Side.SELL, "9.99", "9.99"),
        (Side.SELL, "9.50", "9.98"),
    ],
)
def test_with_a_book_a_resting_order_fills_no_better_than_the_other_side(
    side: Side, limit: str, price: str
) -> None:
    view = replace(BARS, bid=D("9.98"), ask=D("10.02"), moved_from=D("10.00"))
    assert match_resting(side, D(limit), 100, view) == Execution(D(price), 100)


def test_slippage_leads_to_no_price_outside_the_bar() -> None:
    bar = replace(BARS, low=D("9.99"), high=D("10.01"))
    assert match_arrival(Side.BUY, D("10.10"), 100, bar, 5) == Execution(D("10.01"), 100)
    assert match_arrival(Side.SELL, D("9.90"), 100, bar, 5) == Execution(D("9.99"), 100)
    assert match_arrival(Side.BUY, D("10.04"), 100, bar, 5) is None, "its limit does not reach the slippage"


def test_a_view_that_comes_from_a_price_keeps_all_else() -> None:
    view = MarketView(*(object() for _ in fields(MarketView)))  # type: ignore[arg-type]
    before = Decimal("9.99")
    assert view.coming_from(before) == replace(view, moved_from=before)
