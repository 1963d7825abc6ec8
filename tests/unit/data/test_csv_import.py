"""One CSV file of bars."""

from datetime import date, datetime
from pathlib import Path

import pytest

from vnpy_aiagent.data.csv_import import load_csv
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.errors import BadRow, DataError


def save(folder: Path, text: str, name: str = "bars.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_daily_bars_with_a_symbol_column(tmp_path: Path) -> None:
    text = "vt_symbol,date,open,high,low,close,volume\n600519.SH,2025-01-02,10,11,9,10,5\n"
    data = load_csv(save(tmp_path, text))
    assert data.bars("600519.SSE", BarInterval.DAILY).day_of(0) == date(2025, 1, 2)


def test_the_symbol_comes_from_the_caller_or_the_file_name(tmp_path: Path) -> None:
    text = "date,open,high,low,close,volume\n2025-01-02,10,11,9,10,5\n"
    assert load_csv(save(tmp_path, text), "600519").symbols == ("600519.SSE",)
    assert load_csv(save(tmp_path, text, "600000.SSE_daily.csv")).symbols == ("600000.SSE",)
    with pytest.raises(DataError, match="does not say which instrument"):
        load_csv(save(tmp_path, text))


def test_a_file_of_vnpys_data_manager_is_dated_by_bar_start(tmp_path: Path) -> None:
    header = "symbol,exchange,datetime,open,high,low,close,volume,turnover,open_interest\n"
    rows = (
        "600519,SSE,2025-01-02 09:30:00,10,11,9,10,5,50,0\n600519,SSE,2025-01-02 09:31:00,10,11,9,10,5,50,0\n"
    )
    bars = load_csv(save(tmp_path, header + rows)).bars("600519.SSE", BarInterval.MINUTE)
    assert bars.end_of(0) == datetime(2025, 1, 2, 9, 31, tzinfo=MARKET_TZ)
    assert bars.turnover[0] == 50


def test_daily_bars_of_vnpys_data_manager_are_recognised(tmp_path: Path) -> None:
    header = "symbol,exchange,datetime,open,high,low,close,volume\n"
    rows = "600519,SSE,2025-01-02 00:00:00,10,11,9,10,5\n600519,SSE,2025-01-03 00:00:00,10,11,9,10,5\n"
    bars = load_csv(save(tmp_path, header + rows)).bars("600519.SSE", BarInterval.DAILY)
    assert bars.end_of(1) == datetime(2025, 1, 3, 15, tzinfo=MARKET_TZ)


def test_bars_dated_by_their_end(tmp_path: Path) -> None:
    header = "bar_end,open,high,low,close,volume\n"
    rows = "2025-01-02 10:30,10,11,9,10,5\n2025-01-02T11:30:00+08:00,10,11,9,10,5\n"
    bars = load_csv(save(tmp_path, header + rows), "600519.SSE").bars("600519.SSE", BarInterval.HOUR)
    assert bars.start_of(1) == datetime(2025, 1, 2, 10, 30, tzinfo=MARKET_TZ)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("open,high,low,close,volume\n1,1,1,1,1\n", "has no time column"),
        ("date,open,high,low,close\n2025-01-02,1,1,1,1\n", "has no column volume"),
        ("date,open,high,low,close,volume\n", "has no rows"),
        (
            "datetime,open,high,low,close,volume\n2025-01-02 09:30,1,1,1,1,1\n2025-01-02 09:37,1,1,1,1,1\n",
            "420 seconds apart",
        ),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        load_csv(save(tmp_path, text), "600519.SSE")


def test_broken_times_are_named_with_their_line(tmp_path: Path) -> None:
    text = "datetime,open,high,low,close,volume\n2025-01-02 09:30,1,1,1,1,1\n2025-01-02 25:00,1,1,1,1,1\n"
    with pytest.raises(BadRow, match=r"bars\.csv, line 3: '2025-01-02 25:00' is not a time"):
        load_csv(save(tmp_path, text), "600519.SSE")
    with pytest.raises(BadRow, match=r"bars\.csv, line 2: 2025-01-02 10:15 is not the end"):
        load_csv(
            save(tmp_path, text.replace("09:30", "09:15").replace("25:00", "13:00")),
            "600519.SSE",
            interval=BarInterval.HOUR,
        )


def test_dates_alone_cannot_be_hours(tmp_path: Path) -> None:
    text = "date,open,high,low,close,volume\n2025-01-02,10,11,9,10,5\n"
    with pytest.raises(DataError, match="its bars are daily, not HOUR"):
        load_csv(save(tmp_path, text), "600519.SSE", interval=BarInterval.HOUR)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv does not exist"):
        load_csv(tmp_path / "none.csv")
