"""A series of bars of one instrument and interval, with the moment at which each bar becomes available."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import isnan, nan
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from vnpy_aiagent.data.checks import check_series
from vnpy_aiagent.data.times import (
    IntArray,
    daily_times,
    epoch_ceil,
    epoch_floor,
    intraday_times,
    to_datetime,
)
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.errors import BadRow, DataError

FloatArray = npt.NDArray[np.float64]

VALUE_FIELDS = ("open", "high", "low", "close", "volume", "turnover", "pre_close")
"""Names of the float arrays of a series, in order."""


@dataclass(frozen=True, slots=True, eq=False)
class BarSeries:
    """Bars in order of time. Arrays have one length, are read-only, and may be views of a longer series.

    start, end: epoch seconds UTC; a bar is available at its end. open, high, low, close, pre_close: CNY
    (points for an index); volume: shares; turnover: CNY. Volume (of an index), turnover and pre_close are
    NaN where missing.
    """

    vt_symbol: str
    interval: BarInterval
    start: IntArray
    end: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    turnover: FloatArray
    pre_close: FloatArray

    def __post_init__(self) -> None:
        """Lock the arrays; arrays of different lengths raise DataError."""
        arrays = (self.start, self.end, *(getattr(self, name) for name in VALUE_FIELDS))
        if any(len(array) != len(self.start) for array in arrays):
            raise DataError(f"the columns of {self.vt_symbol} differ in length; give one value per bar")
        for array in arrays:
            array.flags.writeable = False

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        """Rebuild through the constructor, so that a copy in another process is read-only too."""
        return type(self), tuple(getattr(self, name) for name in self.__dataclass_fields__)

    @classmethod
    def from_rows(
        cls,
        vt_symbol: str,
        interval: BarInterval,
        rows: Iterable[Sequence[Any]],
        *,
        source: str | None = None,
        volume_required: bool = True,
    ) -> Self:
        """Check rows and make a series of them.

        A row is (when, open, high, low, close, volume[, turnover[, pre_close]]); `when` is the date of a
        daily bar, or the aware end time of an intraday bar; None or NaN is a missing value. An impossible
        row raises BadRow with `source` and the row's number from 1; weekly rows raise DataError.
        """
        label = source or f"rows of {vt_symbol}"
        times: list[tuple[int, int]] = []
        values: list[list[float]] = []
        for number, row in enumerate(rows, 1):
            try:
                times.append(times_of(row[0], interval))
                cells = [nan if cell is None else float(cell) for cell in row[1:]]
            except DataError as error:
                raise BadRow(f"{label}, line {number}: {error}") from error
            except (TypeError, ValueError) as error:
                raise BadRow(f"{label}, line {number}: {error}; correct or remove this row") from error
            values.append(cells + [nan] * (len(VALUE_FIELDS) - len(cells)))
        clock = np.array(times, dtype=np.int64).reshape(-1, 2)
        table = np.array(values, dtype=np.float64).reshape(-1, len(VALUE_FIELDS))
        columns = {name: table[:, i].copy() for i, name in enumerate(VALUE_FIELDS)}
        series = cls(vt_symbol, interval, clock[:, 0].copy(), clock[:, 1].copy(), **columns)
        check_series(series, label, range(1, len(series) + 1), volume_required=volume_required)
        return series

    def __len__(self) -> int:
        """Number of bars."""
        return len(self.start)

    def slice(self, first: int, stop: int) -> Self:
        """Bars first to stop - 1, as views."""
        cut = slice(max(first, 0), max(stop, 0))
        columns = {name: getattr(self, name)[cut] for name in VALUE_FIELDS}
        return type(self)(self.vt_symbol, self.interval, self.start[cut], self.end[cut], **columns)

    def upto(self, when: datetime) -> Self:
        """Bars available at an aware time: those with end <= when."""
        return self.slice(0, int(np.searchsorted(self.end, epoch_floor(when), side="right")))

    def tail(self, n: int) -> Self:
        """The last n bars, or all where there are fewer."""
        return self.slice(len(self) - max(n, 0), len(self))

    def between(self, start: datetime, end: datetime) -> Self:
        """Bars that start at or after `start` and end at or before `end` (aware times)."""
        first = int(np.searchsorted(self.start, epoch_ceil(start), side="left"))
        stop = int(np.searchsorted(self.end, epoch_floor(end), side="right"))
        return self.slice(first, max(first, stop))

    def day_of(self, i: int) -> date:
        """Asia/Shanghai date on which bar i starts; negative i counts from the end."""
        return to_datetime(self.start[i]).date()

    def start_of(self, i: int) -> datetime:
        """Start of bar i, Asia/Shanghai."""
        return to_datetime(self.start[i])

    def end_of(self, i: int) -> datetime:
        """The moment at which bar i becomes available, Asia/Shanghai."""
        return to_datetime(self.end[i])

    def records(self) -> list[dict[str, Any]]:
        """Bars as JSON-safe dicts: ISO start and end times, floats, None where a value is missing."""
        columns = [getattr(self, name).tolist() for name in VALUE_FIELDS]
        return [
            {
                "start": to_datetime(start).isoformat(),
                "end": to_datetime(end).isoformat(),
                **{k: None if isnan(v) else v for k, v in zip(VALUE_FIELDS, cells, strict=True)},
            }
            for start, end, *cells in zip(self.start.tolist(), self.end.tolist(), *columns, strict=True)
        ]


def times_of(when: date | datetime, interval: BarInterval) -> tuple[int, int]:
    """Start and end (epoch seconds) of a daily bar from its date, or of an intraday bar from its end time.

    Weekly bars raise DataError: they are made from daily ones by `resample`.
    """
    if interval is BarInterval.WEEKLY:
        raise DataError("weekly bars are made from daily ones; load daily bars and resample them")
    if interval is BarInterval.DAILY:
        return daily_times(when.date() if isinstance(when, datetime) else when)
    if not isinstance(when, datetime):
        raise DataError(f"a bar of interval {interval} needs its end time, not only the date {when}")
    return intraday_times(when, interval)
