"""Bars in the journal: written as the standard library writes them, whatever the numbers, and read back."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vnpy_aiagent.data.bars import VALUE_FIELDS, BarSeries
from vnpy_aiagent.domain import BarInterval
from vnpy_aiagent.tools.snapshot_codec import COLUMNS, continues, dump_rows, load_rows

FLOATS = st.floats(width=64)
EDGES = [0.0, -0.0, 1e-4, 9.999e-5, 5e-324, 1e16, 9999999999999998.0, 1e22, 0.1 + 0.2, 12.34, math.nan]


def series(values: list[float]) -> BarSeries:
    """Bars that hold these values in every column: what a writer must be able to write, sound or not."""
    times = np.arange(len(values), dtype=np.int64) * 86_400
    columns = {name: np.array(values, dtype=np.float64) for name in VALUE_FIELDS}
    return BarSeries("600036.SSE", BarInterval.DAILY, times, times + 3_600, **columns)


@given(st.lists(FLOATS, max_size=30))
@example(EDGES)
@example([math.inf])
def test_rows_are_written_as_json_writes_them(values: list[float]) -> None:
    bars = series(values)
    expected = json.dumps([getattr(bars, name).tolist() for name in COLUMNS], separators=(",", ":"))
    assert dump_rows(bars) == expected


@given(st.lists(st.floats(min_value=0, max_value=1e12), min_size=1, max_size=30))
def test_rows_are_read_back_without_loss(values: list[float]) -> None:
    bars = series(values)
    back = load_rows(bars.vt_symbol, bars.interval, [dump_rows(bars)])
    assert all(np.array_equal(getattr(back, name), getattr(bars, name)) for name in COLUMNS)


@pytest.mark.parametrize("name", VALUE_FIELDS)
def test_one_changed_number_ends_a_chain_and_a_missing_one_does_not(name: str) -> None:
    bars = series([10.0, math.nan, 12.0])
    assert continues(bars, series([10.0, math.nan, 12.0, 13.0])) == 1
    other = getattr(bars, name).copy()
    other[0] = 10.01
    assert continues(bars, replace(bars, **{name: other})) is None


def test_a_zero_with_a_sign_is_the_same_zero() -> None:
    assert continues(series([0.0, 1.0]), series([-0.0, 1.0])) == 0
