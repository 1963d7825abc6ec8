"""MarketData and point-in-time access."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.market_data import Instrument, MarketData
from vnpy_aiagent.data.point_in_time import PointInTime
from vnpy_aiagent.domain.clock import MARKET_TZ, VirtualClock
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.errors import DataError, UnknownSymbol

A, B = "600036.SSE", "600519.SSE"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2024, 1, day, hour, minute, tzinfo=MARKET_TZ)


def series(vt_symbol: str, close: float = 10.0) -> BarSeries:
    days = (2, 3, 4, 5, 8, 9, 10, 11, 12)
    return BarSeries.from_rows(
        vt_symbol, BarInterval.DAILY, [(date(2024, 1, d), 10, 11, 9, close, 100) for d in days]
    )


def market(close: float = 10.0) -> MarketData:
    return MarketData(
        source="two",
        instruments={B: Instrument(B, "贵州茅台"), A: Instrument(A)},
        series={(s, BarInterval.DAILY): series(s, close) for s in (B, A)},
        index={"000016.SSE": series("000016.SSE")},
    )


def test_symbols_are_sorted_and_names_lead_to_them() -> None:
    assert market().symbols == (A, B)
    assert market().names == {"贵州茅台": B}


def test_weekly_bars_are_made_once_from_daily_ones() -> None:
    data = market()
    weeks = data.bars(A, BarInterval.WEEKLY)
    assert len(weeks) == 2
    assert data.bars(A, BarInterval.WEEKLY) is weeks


def test_an_index_can_be_read_like_an_instrument() -> None:
    assert len(market().bars("000016.SSE", BarInterval.WEEKLY)) == 2


def test_missing_symbols_and_finer_bars_are_told_apart() -> None:
    with pytest.raises(UnknownSymbol, match=r"two holds no 000002.SZSE; it holds 2 symbols"):
        market().bars("000002.SZSE", BarInterval.DAILY)
    with pytest.raises(DataError, match=r"has no HOUR bars of 600036.SSE"):
        market().bars(A, BarInterval.HOUR)


def test_the_span_is_first_and_last_day() -> None:
    assert market().span() == (date(2024, 1, 2), date(2024, 1, 12))
    with pytest.raises(DataError, match="no HOUR bars"):
        market().span(BarInterval.HOUR)


def test_restriction_keeps_indices_and_refuses_unknown_symbols() -> None:
    few = market().restrict([A])
    assert few.symbols == (A,)
    assert list(few.series) == [(A, BarInterval.DAILY)]
    assert "000016.SSE" in few.index
    with pytest.raises(UnknownSymbol, match=r"holds no 000002.SZSE"):
        market().restrict(["000002.SZSE"])


def test_a_window_cuts_the_end_and_keeps_history() -> None:
    data = market().window(date(2024, 1, 8), date(2024, 1, 9))
    assert data.span() == (date(2024, 1, 2), date(2024, 1, 9))
    assert data.index["000016.SSE"].day_of(-1) == date(2024, 1, 9)


def test_an_impossible_window_is_refused() -> None:
    with pytest.raises(DataError, match="swap them"):
        market().window(date(2024, 1, 9), date(2024, 1, 8))
    with pytest.raises(DataError, match="no bars from 2025-01-01 to 2025-02-01; it covers 2024-01-02"):
        market().window(date(2025, 1, 1), date(2025, 2, 1))


def test_the_digest_follows_the_contents_and_not_the_label() -> None:
    data = market()
    assert data.digest() == market().digest() == replace(data, source="other").digest()
    assert data.digest() != market(close=10.01).digest()
    assert data.digest() != data.restrict([A]).digest()
    assert data.digest() != replace(data, hypothetical=True).digest()


def test_point_in_time_shows_complete_bars_only() -> None:
    clock = VirtualClock(at(9, 14, 59))
    view = PointInTime(market(), clock)
    assert view.bars(A, BarInterval.DAILY, 3).day_of(-1) == date(2024, 1, 8)
    clock.set(at(9, 15))
    bars = view.bars(A, BarInterval.DAILY, 3)
    assert len(bars) == 3
    assert view.available_at(bars) == at(9, 15)
    assert len(view.bars(A, BarInterval.WEEKLY, 9)) == 1


def test_nothing_available_has_no_availability() -> None:
    view = PointInTime(market(), VirtualClock(at(1, 9)))
    assert view.available_at(view.bars(A, BarInterval.DAILY, 5)) is None


def test_the_past_can_be_asked_for_and_the_future_cannot() -> None:
    view = PointInTime(market(), VirtualClock(at(9, 15)))
    assert view.bars(A, BarInterval.DAILY, 1, as_of=at(3, 15)).day_of(0) == date(2024, 1, 3)
    with pytest.raises(DataError, match="lies after the present"):
        view.bars(A, BarInterval.DAILY, 1, as_of=at(9, 15) + timedelta(seconds=1))
    with pytest.raises(DataError, match="no time zone"):
        view.bars(A, BarInterval.DAILY, 1, as_of=datetime(2024, 1, 3))  # noqa: DTZ001
    with pytest.raises(DataError, match="at least 1"):
        view.bars(A, BarInterval.DAILY, 0)


def test_a_symbol_that_is_not_held_is_told_with_those_that_are() -> None:
    held = {f"60000{i}.SSE": Instrument(f"60000{i}.SSE") for i in range(7)}
    few = MarketData(source="my-folder", instruments=dict([*held.items()][:1]), series={})
    with pytest.raises(
        UnknownSymbol, match=r"my-folder holds no 600519\.SSE; it holds 600000\.SSE: .*--data"
    ):
        few.restrict(["600519.SSE"])
    with pytest.raises(UnknownSymbol, match=r"600004\.SSE and 2 more: "):
        MarketData(source="my-folder", instruments=held, series={}).restrict(["600519.SSE"])
