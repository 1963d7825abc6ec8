"""Bar times: when a bar starts and when it becomes available, in epoch seconds UTC.

Sessions of Chinese stock exchanges are 09:30-11:30 and 13:00-15:00, Asia/Shanghai (SSE and SZSE trading
rules). A daily bar starts at 09:30 and ends at 15:00 of its day; an intraday bar never spans the lunch break.
"""

from datetime import date, datetime, time
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.errors import DataError

IntArray = npt.NDArray[np.int64]

DAY_SECONDS = 86_400
MORNING_OPEN = 34_200  # 09:30, seconds of the day
MORNING_CLOSE = 41_400  # 11:30
AFTERNOON_OPEN = 46_800  # 13:00
AFTERNOON_CLOSE = 54_000  # 15:00

INTRADAY_SECONDS = {
    BarInterval.MINUTE: 60,
    BarInterval.MINUTE_5: 300,
    BarInterval.MINUTE_15: 900,
    BarInterval.MINUTE_30: 1_800,
    BarInterval.HOUR: 3_600,
}
"""Length of each intraday interval, in seconds."""

ORDER = (*INTRADAY_SECONDS, BarInterval.DAILY, BarInterval.WEEKLY)
"""Intervals from fine to coarse."""

_STANDARD_OFFSET = 28_800
# China had summer time until 1991-09-15 (IANA time zone database), after the SSE had opened in 1990.
_LAST_SUMMER_TIME = int(datetime(1991, 9, 16, tzinfo=MARKET_TZ).timestamp())


def to_datetime(epoch: int) -> datetime:
    """Aware Asia/Shanghai time of epoch seconds."""
    return datetime.fromtimestamp(int(epoch), MARKET_TZ)


def epoch_floor(when: datetime) -> int:
    """Whole epoch seconds at or before an aware time; a naive time raises DataError."""
    if when.tzinfo is None:
        raise DataError(f"the time {when.isoformat()} has no time zone; give it one, such as Asia/Shanghai")
    return int(when.timestamp() // 1)


def epoch_ceil(when: datetime) -> int:
    """Whole epoch seconds at or after an aware time; a naive time raises DataError."""
    return epoch_floor(when) + (when.microsecond > 0)


@lru_cache(maxsize=20_000)
def midnight(day: date) -> int:
    """Epoch seconds of 00:00 Asia/Shanghai."""
    return int(datetime.combine(day, time(0), MARKET_TZ).timestamp())


def daily_times(day: date) -> tuple[int, int]:
    """Start (09:30) and end (15:00) of a day's bar."""
    start = midnight(day)
    return start + MORNING_OPEN, start + AFTERNOON_CLOSE


def intraday_times(end: datetime, interval: BarInterval) -> tuple[int, int]:
    """Start and end of the intraday bar that ends at an aware time.

    A naive time, an interval that is not intraday, or a bar of five minutes or more that does not end on
    the session's grid raises DataError. One-minute bars may lie outside the session (auctions).
    """
    length = INTRADAY_SECONDS.get(interval)
    if length is None:
        raise DataError(f"{interval} is not an intraday interval; use one from MINUTE to HOUR")
    finish = epoch_floor(end)
    local = end.astimezone(MARKET_TZ)
    second = local.hour * 3_600 + local.minute * 60 + local.second
    if interval is not BarInterval.MINUTE and not _on_grid(second, length):
        raise DataError(
            f"{local:%Y-%m-%d %H:%M} is not the end of a bar of {length // 60} minutes; "
            "such bars end on the grid counted from 09:30 and 13:00, so give end times in Asia/Shanghai"
        )
    return finish - length, finish


def _on_grid(second: int, length: int) -> bool:
    if MORNING_OPEN < second <= MORNING_CLOSE:
        return (second - MORNING_OPEN) % length == 0
    return AFTERNOON_OPEN < second <= AFTERNOON_CLOSE and (second - AFTERNOON_OPEN) % length == 0


def local_seconds(epochs: IntArray) -> IntArray:
    """Seconds since 1970-01-01 00:00 on the Shanghai clock face (summer time until 1991 included)."""
    local = epochs + _STANDARD_OFFSET
    for index in np.flatnonzero(epochs < _LAST_SUMMER_TIME):
        offset = to_datetime(int(epochs[index])).utcoffset()
        local[index] = epochs[index] + (int(offset.total_seconds()) if offset else _STANDARD_OFFSET)
    return local
