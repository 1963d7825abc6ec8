"""Real bars: the SSE 50 folder and long histories."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from vnpy_aiagent.data.csv_import import load_csv
from vnpy_aiagent.data.folder import load_folder
from vnpy_aiagent.data.resample import resample
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.errors import BadRow


def test_the_sse50_folder_loads_whole(shared: Path) -> None:
    data = load_folder(shared / "data" / "sse50", frequency=BarInterval.HOUR)
    assert len(data.symbols) == 50
    counts = {BarInterval.DAILY: 0, BarInterval.HOUR: 0}
    for (_, interval), bars in data.series.items():
        counts[interval] += len(bars)
    assert counts == {BarInterval.DAILY: 10_618, BarInterval.HOUR: 6_000}
    assert data.span() == (date(2025, 1, 2), date(2025, 11, 19))
    assert data.span(BarInterval.HOUR)[0] == date(2025, 10, 9)
    assert list(data.index) == ["000016.SSE"]
    assert data.instruments["600519.SSE"].name == "贵州茅台"


def test_hourly_bars_add_up_to_the_daily_ones(shared: Path) -> None:
    data = load_folder(shared / "data" / "sse50", frequency=BarInterval.HOUR)
    for symbol in data.symbols:
        whole = resample(data.bars(symbol, BarInterval.HOUR), BarInterval.DAILY)
        daily = data.bars(symbol, BarInterval.DAILY)
        _, left, right = np.intersect1d(daily.start, whole.start, return_indices=True)
        assert len(right) == 30
        assert np.allclose(whole.volume[right], daily.volume[left], rtol=0.02)
        assert np.array_equal(whole.end[right], daily.end[left])


def test_missing_reference_prices_stay_missing(shared: Path) -> None:
    bars = load_folder(shared / "data" / "sse50").bars("600519.SSE", BarInterval.DAILY)
    first = next(i for i in range(len(bars)) if np.isfinite(bars.pre_close[i]))
    assert bars.day_of(first) == date(2025, 10, 9)
    assert np.isnan(bars.turnover[:first]).all()


def test_names_choose_members(shared: Path) -> None:
    data = load_folder(shared / "data" / "sse50", symbols=["贵州茅台", "sh600036"])
    assert data.symbols == ("600036.SSE", "600519.SSE")


def test_twenty_five_years_of_one_share_load(shared: Path) -> None:
    data = load_csv(shared / "data" / "long" / "600000.SSE_daily.csv.gz")
    bars = data.bars("600000.SSE", BarInterval.DAILY)
    assert (len(bars), data.span()) == (6_119, (date(1999, 11, 10), date(2025, 8, 5)))


def test_a_close_outside_the_day_is_found_in_a_real_file(shared: Path) -> None:
    with pytest.raises(BadRow, match=r"index_daily\.csv\.gz, line 99: close 109.29 lies outside low 109.31"):
        load_csv(shared / "data" / "long" / "000001.SSE_index_daily.csv.gz")
