"""Whatever the bars and the moment: nothing that ends later is ever seen."""

from datetime import date, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vnpy_aiagent.data.bars import VALUE_FIELDS, BarSeries
from vnpy_aiagent.data.market_data import Instrument, MarketData
from vnpy_aiagent.data.point_in_time import PointInTime
from vnpy_aiagent.data.resample import resample
from vnpy_aiagent.data.times import INTRADAY_SECONDS, ORDER
from vnpy_aiagent.domain.clock import MARKET_TZ, VirtualClock
from vnpy_aiagent.domain.enums import BarInterval

SYMBOL = "600519.SSE"
MONDAY = datetime(2024, 1, 8, tzinfo=MARKET_TZ)
INTRADAY = tuple(INTRADAY_SECONDS)


def session_ends(interval: BarInterval) -> list[datetime]:
    """Ends of all bars of the interval in two weeks of sessions."""
    step = timedelta(seconds=INTRADAY_SECONDS[interval])
    per_half = timedelta(hours=2) // step
    days = [MONDAY + timedelta(days=d) for d in range(14) if d % 7 < 5]
    opens = [day + timedelta(hours=h) for day in days for h in (9.5, 13)]
    return [opening + step * n for opening in opens for n in range(1, per_half + 1)]


@st.composite
def bar_series(draw: st.DrawFn) -> BarSeries:
    """Bars at some of the planned times, with random prices."""
    interval = draw(st.sampled_from((*INTRADAY, BarInterval.DAILY)))
    whens: list[date] | list[datetime]
    if interval is BarInterval.DAILY:
        whens = [(MONDAY + timedelta(days=d)).date() for d in range(60) if d % 7 < 5]
    else:
        whens = session_ends(interval)
    places = draw(st.sets(st.integers(0, len(whens) - 1), max_size=30))
    prices = st.integers(100, 10_000).map(lambda ticks: ticks / 100)
    rows = []
    for place in sorted(places):
        low, first, second, high = sorted(draw(st.tuples(prices, prices, prices, prices)))
        rows.append((whens[place], first, high, low, second, draw(st.integers(0, 1_000))))
    return BarSeries.from_rows(SYMBOL, interval, rows)


moments = st.integers(0, 61 * 86_400).map(lambda seconds: MONDAY + timedelta(seconds=seconds))


def same(left: BarSeries, right: BarSeries) -> bool:
    """Whether two series hold the same bars, missing values included."""
    return all(
        np.array_equal(getattr(left, name), getattr(right, name), equal_nan=True)
        for name in ("start", "end", *VALUE_FIELDS)
    )


@given(bar_series(), moments)
def test_upto_splits_the_bars_at_the_moment(series: BarSeries, when: datetime) -> None:
    seen = series.upto(when)
    assert all(seen.end_of(i) <= when for i in range(len(seen)))
    assert all(series.end_of(i) > when for i in range(len(seen), len(series)))


@given(bar_series(), moments, st.sampled_from(ORDER))
def test_resampled_bars_do_not_depend_on_what_comes_later(
    series: BarSeries, when: datetime, interval: BarInterval
) -> None:
    if ORDER.index(interval) < ORDER.index(series.interval):
        return
    from_all = resample(series, interval).upto(when)
    from_known = resample(series.upto(when), interval).upto(when)
    assert same(from_all, from_known)
    assert all(from_all.end_of(i) <= when for i in range(len(from_all)))


@given(bar_series(), st.sampled_from(ORDER))
def test_resampling_loses_no_volume_and_keeps_order(series: BarSeries, interval: BarInterval) -> None:
    if ORDER.index(interval) < ORDER.index(series.interval):
        return
    coarse = resample(series, interval)
    assert coarse.volume.sum() == series.volume.sum()
    assert np.all(np.diff(coarse.start) > 0)
    assert np.all(np.diff(coarse.end) > 0)
    assert np.all(coarse.end > coarse.start)


@given(bar_series(), moments, st.sampled_from(ORDER), st.integers(1, 50))
def test_a_poisoned_future_changes_nothing_at_the_present(
    series: BarSeries, when: datetime, interval: BarInterval, count: int
) -> None:
    if ORDER.index(interval) < ORDER.index(series.interval):
        return
    future = series.end > int(when.timestamp())
    columns = {name: np.where(future, 1e9, getattr(series, name)) for name in VALUE_FIELDS}
    poisoned = BarSeries(SYMBOL, series.interval, series.start, series.end, **columns)

    def view(bars: BarSeries) -> BarSeries:
        held = MarketData("x", {SYMBOL: Instrument(SYMBOL)}, {(SYMBOL, bars.interval): bars})
        return PointInTime(held, VirtualClock(when)).bars(SYMBOL, interval, count)

    assert same(view(series), view(poisoned))
