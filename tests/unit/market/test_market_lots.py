"""Order sizes and settlement by board and date."""

from datetime import date

import pytest

from vnpy_aiagent.market import InstrumentRules, Side, instrument_rules

DAY = date(2024, 1, 2)
MAIN = instrument_rules("600519.SSE", DAY)
STAR = instrument_rules("688981.SSE", DAY)
BSE = instrument_rules("920799.BSE", DAY)
CHINEXT = instrument_rules("300750.SZSE", DAY)
ETF = instrument_rules("510300.SSE", DAY)


@pytest.mark.parametrize(
    ("rules", "volume", "allowed"),
    [
        (MAIN, 100, True),
        (MAIN, 150, False),
        (MAIN, 99, False),
        (MAIN, 1_000_000, True),
        (MAIN, 1_000_100, False),
        (ETF, 100, True),
        (ETF, 101, False),
        (STAR, 200, True),
        (STAR, 201, True),
        (STAR, 199, False),
        (STAR, 100_000, True),
        (STAR, 100_001, False),
        (BSE, 100, True),
        (BSE, 101, True),
        (BSE, 99, False),
        (CHINEXT, 300_000, True),
        (CHINEXT, 300_100, False),
    ],
)
def test_buys_follow_the_lots_of_the_board(rules: InstrumentRules, volume: int, allowed: bool) -> None:
    assert (rules.volume_error(Side.BUY, volume=volume, holding=0) is None) is allowed


@pytest.mark.parametrize(
    ("rules", "volume", "holding", "allowed"),
    [
        (MAIN, 100, 250, True),
        (MAIN, 50, 250, True),  # the whole odd remainder
        (MAIN, 150, 250, True),  # a lot with the whole remainder
        (MAIN, 250, 250, True),
        (MAIN, 30, 250, False),  # part of the remainder
        (MAIN, 130, 250, False),
        (MAIN, 50, 200, False),
        (MAIN, 300, 250, False),  # more than held
        (STAR, 200, 450, True),
        (STAR, 333, 450, True),
        (STAR, 150, 450, False),  # below 200 and leaves a remainder
        (STAR, 150, 150, True),
        (STAR, 100, 150, False),
        (BSE, 101, 450, True),
        (BSE, 99, 450, False),
        (BSE, 60, 60, True),
        (BSE, 50, 60, False),
    ],
)
def test_sales_sell_an_odd_remainder_in_one_order(
    rules: InstrumentRules, volume: int, holding: int, allowed: bool
) -> None:
    assert (rules.volume_error(Side.SELL, volume=volume, holding=holding) is None) is allowed


@pytest.mark.parametrize("volume", [0, -100, 100.5, float("nan"), float("inf")])
@pytest.mark.parametrize("side", Side)
def test_a_volume_that_is_no_positive_whole_number_is_refused(side: Side, volume: float) -> None:
    assert MAIN.volume_error(side, volume, 1000) is not None


@pytest.mark.parametrize("holding", [-100, 0.5, float("nan")])
def test_an_impossible_holding_is_refused(holding: float) -> None:
    error = MAIN.volume_error(Side.SELL, 100, holding)
    assert error is not None
    assert "impossible" in error


def test_a_whole_float_volume_counts_as_shares() -> None:
    assert MAIN.volume_error(Side.BUY, 200.0, 0.0) is None


def test_a_refusal_is_one_sentence_with_what_to_do() -> None:
    assert MAIN.volume_error(Side.BUY, 150, 0) == (
        "A buy of 150 shares of 600519.SSE is not a multiple of 100; buy 100 or 200."
    )


def test_selling_more_than_held_is_a_volume_error_and_no_lot_error() -> None:
    assert MAIN.lot_error(Side.SELL, 300, 200) is None
    error = MAIN.volume_error(Side.SELL, 300, 200)
    assert error == "A sale of 300 600519.SSE exceeds the 200 shares held; sell at most that."


@pytest.mark.parametrize(
    ("rules", "volume", "rounded"),
    [
        (MAIN, 99, 0),
        (MAIN, 199.9, 100),
        (MAIN, 2_000_000, 1_000_000),
        (STAR, 199, 0),
        (STAR, 234, 234),
        (STAR, 500_000, 100_000),
        (BSE, 101, 101),
        (BSE, -5, 0),
    ],
)
def test_a_buy_rounds_down_to_an_allowed_volume(rules: InstrumentRules, volume: float, rounded: int) -> None:
    assert rules.round_buy(volume) == rounded


@pytest.mark.parametrize(
    ("rules", "volume", "holding", "rounded"),
    [
        (MAIN, 180, 250, 150),
        (MAIN, 120, 250, 100),
        (MAIN, 70, 250, 50),
        (MAIN, 30, 250, 0),
        (MAIN, 999, 250, 250),
        (STAR, 150, 450, 0),
        (STAR, 150, 150, 150),
        (STAR, 300, 450, 300),
        (BSE, 50, 60, 0),
        (BSE, 60, 60, 60),
        (MAIN, 100, 0, 0),
        (MAIN, 2_000_000, 2_000_050, 1_000_000),
    ],
)
def test_a_sale_rounds_down_to_an_allowed_volume(
    rules: InstrumentRules, volume: int, holding: int, rounded: int
) -> None:
    assert rules.round_sell(volume, holding) == rounded


def test_rounding_refuses_what_is_no_number() -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        MAIN.round_buy(float("nan"))


def test_the_largest_order_on_chinext_fell_in_august_2020() -> None:
    before = instrument_rules("300750.SZSE", date(2020, 8, 23))
    after = instrument_rules("300750.SZSE", date(2020, 8, 24))
    assert (before.max_order, after.max_order, after.max_market_order) == (1_000_000, 300_000, 150_000)


def test_sizes_are_readable_as_attributes() -> None:
    assert (MAIN.lot_size, MAIN.min_buy, MAIN.buy_step, MAIN.max_order) == (100, 100, 100, 1_000_000)
    assert (STAR.lot_size, STAR.min_buy, STAR.buy_step, STAR.max_order) == (200, 200, 1, 100_000)
    assert (BSE.lot_size, BSE.min_buy, BSE.buy_step) == (100, 100, 1)
    assert STAR.max_market_order == 50_000


@pytest.mark.parametrize(
    ("vt_symbol", "day", "name", "cap"),
    [
        ("600519.SSE", "2012-12-31", "ST某某", None),
        ("600519.SSE", "2013-01-01", "ST某某", 500_000),
        ("600519.SSE", "2024-01-02", "某某", None),
        ("000001.SZSE", "2020-12-30", "ST某某", None),
        ("000001.SZSE", "2020-12-31", "ST某某", 500_000),
        ("920799.BSE", "2024-01-02", "ST某某", 200_000),
    ],
)
def test_daily_buys_of_st_shares_are_bounded(vt_symbol: str, day: str, name: str, cap: int | None) -> None:
    assert instrument_rules(vt_symbol, date.fromisoformat(day), name).daily_buy_max == cap


@pytest.mark.parametrize(
    ("vt_symbol", "day", "t_plus"),
    [
        ("600519.SSE", "2024-01-02", 1),
        ("688981.SSE", "2024-01-02", 1),
        ("920799.BSE", "2024-01-02", 1),
        ("510300.SSE", "2024-01-02", 1),
        ("511880.SSE", "2024-01-02", 0),
        ("513100.SSE", "2015-01-18", 1),
        ("513100.SSE", "2015-01-19", 0),
        ("518880.SSE", "2024-01-02", 0),
        ("520500.SSE", "2024-01-02", 0),
        ("159941.SZSE", "2015-01-18", 1),
        ("159941.SZSE", "2024-01-02", 0),
        ("159919.SZSE", "2024-01-02", 1),
    ],
)
def test_shares_settle_the_next_day_and_some_funds_at_once(vt_symbol: str, day: str, t_plus: int) -> None:
    assert instrument_rules(vt_symbol, date.fromisoformat(day)).t_plus == t_plus


def test_settlement_can_be_overridden_by_who_knows_the_fund() -> None:
    assert instrument_rules("159919.SZSE", DAY, t_plus=0).t_plus == 0
    assert instrument_rules("511880.SSE", DAY, t_plus=1).t_plus == 1
    with pytest.raises(ValueError, match="0 or 1"):
        instrument_rules("159919.SZSE", DAY, t_plus=2)
