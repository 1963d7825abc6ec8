"""Bars whose prices lie between two ticks are noted when they are loaded, not refused."""

from datetime import date
from pathlib import Path

from vnpy_aiagent.data import load_folder
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.checks import off_tick_notes
from vnpy_aiagent.data.market_data import Instrument
from vnpy_aiagent.domain import BarInterval

HEAD = "vt_symbol,date,open,high,low,close,volume"


def daily(symbol: str, *closes: float) -> BarSeries:
    rows = [(date(2025, 3, 3 + n), close, close, close, close, 100.0) for n, close in enumerate(closes)]
    return BarSeries.from_rows(symbol, BarInterval.DAILY, rows)


def test_prices_on_the_grid_need_no_note() -> None:
    series = [daily("600000.SSE", 10.01, 1499.99, 0.07), daily("510300.SSE", 3.999, 4.001)]
    assert off_tick_notes(series, {}) == ()


def test_bars_off_the_grid_are_counted_with_an_example() -> None:
    series = [daily("600000.SSE", 10.01, 10.005, 10.123), daily("510300.SSE", 3.9995)]
    [note] = off_tick_notes(series, {})
    assert note.figures["count"] == "3"
    assert note.figures["example"] == "600000.SSE 2025-03-04 10.005/10.005/10.005/10.005"


def test_the_tick_is_that_of_the_board_that_the_source_names() -> None:
    series = [daily("600000.SSE", 10.005)]
    assert off_tick_notes(series, {"600000.SSE": Instrument("600000.SSE", board="ETF")}) == ()


def test_a_symbol_without_known_rules_and_an_empty_series_are_passed_over() -> None:
    assert off_tick_notes([daily("999999.SSE", 10.005), daily("600000.SSE")], {}) == ()


def test_loading_a_folder_tells_of_them(tmp_path: Path) -> None:
    rows = [
        "600000.SSE,2025-03-03,10.0,10.2,9.9,10.1,1000",
        "600000.SSE,2025-03-04,10.015,10.2,9.9,10.1,1000",
    ]
    (tmp_path / "daily.csv").write_text("\n".join([HEAD, *rows]), encoding="utf-8")
    [note] = load_folder(tmp_path).notes
    assert "有 1 根K线的价格不是最小变动价位的整数倍" in note.render()
    assert "2025-03-04 10.015/10.2/9.9/10.1" in note.render()
    (tmp_path / "daily.csv").write_text("\n".join([HEAD, rows[0]]), encoding="utf-8")
    assert load_folder(tmp_path).notes == ()
