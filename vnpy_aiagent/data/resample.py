"""Coarser bars from finer ones, without ever showing a bar before it is complete.

A resampled bar ends when the last bar planned for it ends, whether or not that bar is in the data: 15:00
for a day, Friday 15:00 for a week (also where Friday is a holiday). `BarSeries.upto` therefore leaves out a
bar that is still under construction.
"""

from dataclasses import replace

import numpy as np

from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.times import (
    AFTERNOON_CLOSE,
    AFTERNOON_OPEN,
    DAY_SECONDS,
    INTRADAY_SECONDS,
    MORNING_CLOSE,
    MORNING_OPEN,
    ORDER,
    IntArray,
    local_seconds,
)
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.errors import DataError

_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday, and Monday is 0
_FRIDAY = 4


def resample(series: BarSeries, interval: BarInterval) -> BarSeries:
    """Bars of a coarser interval; the same interval returns the series itself, a finer one raises DataError.

    Open and pre_close are the first bar's, close the last bar's, high and low the extremes, volume and
    turnover sums (missing where one is missing). Auction bars outside the session join the nearest bar.
    """
    if interval is series.interval:
        return series
    if ORDER.index(interval) < ORDER.index(series.interval):
        raise DataError(
            f"{interval} bars of {series.vt_symbol} cannot be made from {series.interval} bars; "
            f"load data of interval {interval} or finer"
        )
    if not len(series):
        return replace(series, interval=interval)
    planned_start, planned_end = _planned(series, interval)
    heads = np.flatnonzero(np.diff(planned_end, prepend=planned_end[0] - 1))
    tails = np.append(heads[1:], len(series)) - 1
    return BarSeries(
        vt_symbol=series.vt_symbol,
        interval=interval,
        start=np.minimum(planned_start[heads], series.start[heads]),
        end=np.maximum(planned_end[heads], series.end[tails]),
        open=series.open[heads],
        high=np.maximum.reduceat(series.high, heads),
        low=np.minimum.reduceat(series.low, heads),
        close=series.close[tails],
        volume=np.add.reduceat(series.volume, heads),
        turnover=np.add.reduceat(series.turnover, heads),
        pre_close=series.pre_close[heads],
    )


def _planned(series: BarSeries, interval: BarInterval) -> tuple[IntArray, IntArray]:
    """Planned start and end (epoch seconds) of the coarse bar to which each fine bar belongs."""
    local = local_seconds(series.start)
    shift = series.start - local
    day = local // DAY_SECONDS * DAY_SECONDS
    if interval is BarInterval.WEEKLY:
        weekday = (day // DAY_SECONDS + _EPOCH_WEEKDAY) % 7
        monday = day - weekday * DAY_SECONDS
        friday = monday + _FRIDAY * DAY_SECONDS
        return monday + MORNING_OPEN + shift, friday + AFTERNOON_CLOSE + shift
    if interval is BarInterval.DAILY:
        return day + MORNING_OPEN + shift, day + AFTERNOON_CLOSE + shift
    length = INTRADAY_SECONDS[interval]
    second = local - day
    afternoon = second >= AFTERNOON_OPEN
    opening = np.where(afternoon, AFTERNOON_OPEN, MORNING_OPEN)
    closing = np.where(afternoon, AFTERNOON_CLOSE, MORNING_CLOSE)
    bounded = np.clip(second, opening, closing - 1)
    start = opening + (bounded - opening) // length * length
    return day + start + shift, day + start + length + shift
