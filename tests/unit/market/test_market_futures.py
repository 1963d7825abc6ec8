"""Futures: specifications by date, limits, margin, settlement, hours, trading day; real IF2101 ticks."""

import csv
import gzip
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from vnpy_aiagent.domain import MARKET_TZ
from vnpy_aiagent.errors import RuleUnknown, UnknownSymbol
from vnpy_aiagent.market import (
    Board,
    PriceBand,
    Side,
    default_calendar,
    futures_rules,
    hours,
    instrument_rules,
    require_cash_market,
)
from vnpy_aiagent.market.futures_fees import fee_row
from vnpy_aiagent.market.futures_hours import futures_open, has_night, trading_day
from vnpy_aiagent.market.futures_tables import PRODUCTS

CALENDAR = default_calendar()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=MARKET_TZ)


@pytest.mark.parametrize(
    ("vt_symbol", "day", "multiplier", "tick"),
    [
        ("IF2101.CFFEX", "2021-01-04", "300", "0.2"),
        ("IC2101.CFFEX", "2021-01-04", "200", "0.2"),
        ("rb2405.SHFE", "2024-01-02", "10", "1"),
        ("au2406.SHFE", "2024-01-02", "1000", "0.02"),
        ("sc2403.INE", "2024-01-02", "1000", "0.1"),
        ("i2405.DCE", "2024-01-02", "100", "0.5"),
        ("TA405.CZCE", "2024-01-02", "5", "2"),
        ("si2403.GFEX", "2024-01-02", "5", "5"),
    ],
)
def test_a_contract_has_its_multiplier_and_tick(vt_symbol: str, day: str, multiplier: str, tick: str) -> None:
    rules = futures_rules(vt_symbol, date.fromisoformat(day))
    assert (rules.multiplier, rules.tick_size) == (Decimal(multiplier), Decimal(tick))
    assert (rules.board, rules.t_plus) == (Board.FUTURES, 0)


@pytest.mark.parametrize("row", PRODUCTS, ids=lambda row: f"{row.product}.{row.exchange}")
def test_each_product_is_unknown_the_day_before_it_began(row) -> None:
    first = row.effective
    digits = f"{first.year % 10}12" if row.exchange == "CZCE" else f"{first.year % 100:02d}12"
    symbol = f"{row.product}{digits}.{row.exchange}"
    assert futures_rules(symbol, first).row is row
    with pytest.raises(RuleUnknown, match=first.isoformat()):
        futures_rules(symbol, date.fromordinal(first.toordinal() - 1))
    assert row.source
    rules = futures_rules(symbol, first)
    assert row.confirmed or row.source in rules.unconfirmed
    assert rules.charges.source in rules.unconfirmed


def test_the_band_of_a_real_day_is_what_the_exchange_published(shared: Path) -> None:
    with gzip.open(shared / "data/cffex/IF2101_ticks_20210104.csv.gz", "rt", encoding="utf-8") as file:
        ticks = list(csv.DictReader(file))
    rules = futures_rules("IF2101.CFFEX", date(2021, 1, 4))
    band = rules.price_band(Decimal("5216.2"))
    published = {(Decimal(tick["limit_down"]), Decimal(tick["limit_up"])) for tick in ticks}
    assert published == {(band.down, band.up)}
    assert all(Decimal(tick["last_price"]) % rules.tick_size == 0 for tick in ticks)


def test_limits_never_reach_beyond_the_ratio() -> None:
    band = futures_rules("IF2101.CFFEX", date(2021, 1, 4)).price_band(Decimal("5216.6"))
    assert band.up == Decimal("5738.2")  # 5738.26
    assert band.down == Decimal("4695.0")  # 4694.94


def test_margin_and_daily_settlement_by_hand() -> None:
    rules = futures_rules("IF2101.CFFEX", date(2021, 1, 4))
    assert rules.value(5000, 2) == 3_000_000
    assert rules.margin(5000, 2) == Decimal("240000.00")
    assert rules.daily_profit(5000, Decimal("5010.2"), 2) == Decimal("6120.0")
    assert rules.daily_profit(5000, Decimal("5010.2"), -2) == Decimal("-6120.0")


@pytest.mark.parametrize("volume", [0, -1, 1.5, float("nan"), 21])
def test_a_bad_size_is_refused(volume: float) -> None:
    assert futures_rules("IF2101.CFFEX", date(2021, 1, 4)).volume_error(volume)


def test_a_good_size_is_taken() -> None:
    assert futures_rules("IF2101.CFFEX", date(2021, 1, 4)).volume_error(20) is None


def test_only_shanghai_closes_today_apart() -> None:
    day = date(2024, 1, 2)
    apart = {s: futures_rules(s, day).close_today_apart for s in ("rb2405.SHFE", "sc2403.INE", "i2405.DCE")}
    assert apart == {"rb2405.SHFE": True, "sc2403.INE": True, "i2405.DCE": False}


def test_the_delivery_month_is_refused_for_physical_delivery() -> None:
    before, inside = (
        futures_rules("rb2405.SHFE", date(2024, 4, 30)),
        futures_rules("rb2405.SHFE", date(2024, 5, 6)),
    )
    assert before.opening_error(CALENDAR) is None
    assert "delivery month" in str(inside.opening_error(CALENDAR))


def test_index_futures_trade_to_their_third_friday() -> None:
    last = futures_rules("IF2101.CFFEX", date(2021, 1, 15))
    assert last.last_trading_day(CALENDAR) == date(2021, 1, 15)
    assert last.opening_error(CALENDAR) is None
    assert "stopped trading" in str(futures_rules("IF2101.CFFEX", date(2021, 1, 18)).opening_error(CALENDAR))


def test_a_holiday_moves_the_last_day_to_the_next_session() -> None:
    rules = futures_rules("IF1502.CFFEX", date(2015, 2, 2))  # 2015-02-20 lies in the Spring Festival
    assert rules.last_trading_day(CALENDAR) == date(2015, 2, 25)


def test_one_year_digit_means_the_nearest_year_ahead() -> None:
    assert futures_rules("SR405.CZCE", date(2024, 1, 2)).delivery_year == 2024
    assert futures_rules("SR405.CZCE", date(2019, 1, 2)).delivery_year == 2024
    assert futures_rules("SR005.CZCE", date(2019, 9, 2)).delivery_year == 2020


@pytest.mark.parametrize(
    "symbol", ["IF2113.CFFEX", "XX2405.SHFE", "rb2405.DCE", "600519.SSE", "rb.SHFE", "RB2405.SHFE"]
)
def test_what_is_no_known_contract_is_refused(symbol: str) -> None:
    with pytest.raises(UnknownSymbol):
        futures_rules(symbol, date(2024, 1, 2))


def test_the_rules_of_any_instrument_know_a_contract() -> None:
    rules = instrument_rules("IF2101.CFFEX", date(2021, 1, 4))
    assert (rules.board, rules.t_plus, rules.min_buy, rules.tick_size) == (
        Board.FUTURES,
        0,
        1,
        Decimal("0.2"),
    )
    assert (rules.multiplier, rules.margin_ratio) == (300, Decimal("0.08"))
    assert rules.price_band(Decimal("5216.2")) == PriceBand(down=Decimal("4694.6"), up=Decimal("5737.8"))
    assert rules.volume_error(Side.SELL, 1, holding=0) is None  # a sale may open a short
    assert "not a whole number" in str(rules.volume_error(Side.BUY, 0.5, holding=0))
    assert rules.round_buy(25) == 20
    assert rules.cage(Side.BUY, None, None, Decimal(5000), Decimal(5000)) is None
    assert rules.unconfirmed == ("CFFEX fee notices, from memory, unconfirmed",)


def test_where_only_what_is_paid_in_full_is_kept_a_contract_is_refused() -> None:
    share = instrument_rules("600519.SSE", date(2024, 1, 2))
    assert require_cash_market(share) is share
    with pytest.raises(RuleUnknown, match="futures contract, which is not known here"):
        require_cash_market(instrument_rules("rb2405.SHFE", date(2024, 1, 2)))


def test_a_contract_in_its_delivery_month_may_not_be_opened() -> None:
    assert instrument_rules("rb2405.SHFE", date(2024, 4, 30)).opening_error(CALENDAR) is None
    assert "delivery month" in str(instrument_rules("rb2405.SHFE", date(2024, 5, 6)).opening_error(CALENDAR))
    assert instrument_rules("600519.SSE", date(2024, 5, 6)).opening_error(CALENDAR) is None


@pytest.mark.parametrize(
    ("vt_symbol", "day", "opening", "closing", "today"),
    [
        ("IF2101.CFFEX", "2021-01-04", "36.09", "36.09", "541.31"),  # 5230 x 300 = 1,569,000
        ("IF2401.CFFEX", "2024-01-02", "36.09", "36.09", "360.87"),
        ("rb2405.SHFE", "2024-01-02", "5.23", "5.23", "5.23"),
        ("au2406.SHFE", "2024-01-02", "10.00", "10.00", "0.00"),
        ("AP405.CZCE", "2024-01-02", "5.00", "5.00", "20.00"),
    ],
)
def test_a_fill_is_charged_for_what_it_opens_or_closes(
    vt_symbol: str, day: str, opening: str, closing: str, today: str
) -> None:
    rules = futures_rules(vt_symbol, date.fromisoformat(day))
    value = rules.value(5230, 1)
    charged = (
        rules.fees(value, 1, opening=True).total,
        rules.fees(value, 1, opening=False).total,
        rules.fees(value, 1, opening=False, today=1).total,
    )
    assert charged == (Decimal(opening), Decimal(closing), Decimal(today))


def test_every_product_has_its_fee_from_its_first_day() -> None:
    for row in PRODUCTS:
        assert fee_row(row.exchange, row.product, row.effective).exchange == row.exchange


@pytest.mark.parametrize(
    ("vt_symbol", "moment", "opens"),
    [
        ("IF2101.CFFEX", "2021-01-04 08:00", "2021-01-04 09:30"),
        ("IF2101.CFFEX", "2021-01-04 12:00", "2021-01-04 13:00"),
        ("IF2101.CFFEX", "2021-01-08 15:30", "2021-01-11 09:30"),
        ("rb2405.SHFE", "2024-01-02 10:20", "2024-01-02 10:30"),
        ("rb2405.SHFE", "2024-01-02 15:00", "2024-01-02 21:00"),
        ("rb2405.SHFE", "2024-01-05 23:00", "2024-01-08 09:00"),  # Friday's night is over
        ("rb2405.SHFE", "2024-02-08 15:30", "2024-02-19 09:00"),  # no night before the Spring Festival
        ("rb2405.SHFE", "2024-01-02 21:30", "2024-01-02 21:30"),
        ("600519.SSE", "2024-01-02 15:30", "2024-01-03 09:30"),
    ],
)
def test_the_next_moment_of_trading_is_known(vt_symbol: str, moment: str, opens: str) -> None:
    rules = instrument_rules(vt_symbol, at(moment).date())
    assert hours.next_trade(CALENDAR, rules, at(moment)) == at(opens)
    assert hours.trades(CALENDAR, rules, at(opens))


@pytest.mark.parametrize(
    ("vt_symbol", "moment", "close"),
    [
        ("rb2405.SHFE", "2024-01-05 21:30", "2024-01-08 15:00"),
        ("au2406.SHFE", "2024-01-06 01:00", "2024-01-08 15:00"),
        ("T2403.CFFEX", "2024-01-02 10:00", "2024-01-02 15:15"),
        ("600519.SSE", "2024-01-02 10:00", "2024-01-02 15:00"),
    ],
)
def test_a_session_ends_with_its_trading_day(vt_symbol: str, moment: str, close: str) -> None:
    rules = instrument_rules(vt_symbol, at(moment).date())
    assert hours.close_of(CALENDAR, rules, at(moment)) == at(close)
    assert hours.trading_day(CALENDAR, rules, at(moment)) == at(close).date()


@pytest.mark.parametrize(
    ("vt_symbol", "moment", "trades"),
    [
        ("IF1512.CFFEX", "2015-12-01 09:20", True),
        ("IF1601.CFFEX", "2015-12-31 15:10", True),
        ("IF1601.CFFEX", "2016-01-04 09:20", False),
        ("IF2101.CFFEX", "2021-01-04 09:30", True),
        ("IF2101.CFFEX", "2021-01-04 15:00", False),
        ("T2103.CFFEX", "2021-01-04 15:10", True),
        ("T2009.CFFEX", "2020-07-17 09:20", True),
        ("T2009.CFFEX", "2020-07-20 09:20", False),
        ("rb2405.SHFE", "2024-01-02 10:20", False),
        ("rb2405.SHFE", "2024-01-02 13:10", False),
        ("rb2405.SHFE", "2024-01-02 22:59", True),
        ("rb2405.SHFE", "2024-01-02 23:00", False),
        ("cu2403.SHFE", "2024-01-03 00:59", True),
        ("cu2403.SHFE", "2024-01-03 01:00", False),
        ("au2406.SHFE", "2024-01-06 02:29", True),  # Saturday after Friday's night
        ("au2406.SHFE", "2024-01-08 00:30", False),  # Monday before dawn: no night began on Sunday
        ("jd2405.DCE", "2024-01-02 21:30", False),
        ("rb2405.SHFE", "2024-02-08 21:30", False),  # the eve of the Spring Festival
    ],
)
def test_a_contract_trades_in_its_hours(vt_symbol: str, moment: str, trades: bool) -> None:
    when = at(moment)
    assert futures_open(CALENDAR, futures_rules(vt_symbol, when.date()), when) is trades


def test_no_night_opens_before_a_holiday() -> None:
    assert has_night(CALENDAR, date(2024, 1, 5))  # Friday, Monday trades
    assert not has_night(CALENDAR, date(2024, 2, 8))
    assert not has_night(CALENDAR, date(2024, 1, 6))


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2024-01-02 10:00", date(2024, 1, 2)),
        ("2024-01-02 21:00", date(2024, 1, 3)),
        ("2024-01-03 01:00", date(2024, 1, 3)),
        ("2024-01-05 21:00", date(2024, 1, 8)),
        ("2024-01-06 02:00", date(2024, 1, 8)),
    ],
)
def test_the_night_belongs_to_the_next_trading_day(moment: str, day: date) -> None:
    assert trading_day(CALENDAR, at(moment)) == day
