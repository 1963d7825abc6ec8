"""A folder of CSV files as market data: layout, encodings, broken rows."""

import gzip
from datetime import date
from pathlib import Path

import pytest

from vnpy_aiagent.data.folder import load_folder
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.errors import BadRow, DataError, UnknownSymbol

HEADER = "vt_symbol,date,open,high,low,close,volume\n"
ROW = "600519.SSE,2025-01-02,10,11,9,10.5,400\n"
HOURS = "vt_symbol,bar_end,open,high,low,close,volume\n" + "".join(
    f"600519.SSE,2025-01-02 {end},10,11,9,10.5,{{volume}}\n" for end in ("10:30", "11:30", "14:00", "15:00")
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one daily bar."""
    target = tmp_path / "mine"
    target.mkdir()
    write(target, "daily.csv", HEADER + ROW)
    return target


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> None:
    (folder / name).write_bytes(text.encode(encoding))


def test_plain_daily_bars_are_enough(folder: Path) -> None:
    data = load_folder(folder)
    assert data.source == "mine"
    assert data.symbols == ("600519.SSE",)
    assert data.notes == ()
    assert not data.hypothetical


def test_gzip_goes_before_plain_text(folder: Path) -> None:
    (folder / "daily.csv.gz").write_bytes(gzip.compress((HEADER + ROW.replace("600519", "600036")).encode()))
    assert load_folder(folder).symbols == ("600036.SSE",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_names_are_read_in_every_accepted_encoding(folder: Path, encoding: str) -> None:
    write(folder, "members.csv", "vt_symbol,name\n600519.SSE,贵州茅台\n", encoding)
    data = load_folder(folder, symbols=["贵州茅台"])
    assert data.instruments["600519.SSE"].name == "贵州茅台"


def test_another_encoding_is_refused(folder: Path) -> None:
    write(folder, "daily.csv", HEADER + ROW, "utf-16")
    with pytest.raises(DataError, match="neither UTF-8 nor GB18030"):
        load_folder(folder)


def test_members_carry_board_and_listing_day(folder: Path) -> None:
    write(folder, "members.csv", "vt_symbol,name,board,listed\n600519.SSE,,ETF,20010827\n")
    item = load_folder(folder).instruments["600519.SSE"]
    assert (item.name, item.board, item.listed) == ("", "ETF", date(2001, 8, 27))


def test_members_carry_the_first_day_of_a_delisting_period(folder: Path) -> None:
    write(folder, "members.csv", "vt_symbol,delisting\n600519.SSE,2025-06-03\n")
    leaving = load_folder(folder)
    write(folder, "members.csv", "vt_symbol,delisting\n600519.SSE,\n")
    staying = load_folder(folder)
    assert leaving.instruments["600519.SSE"].delisting == date(2025, 6, 3)
    assert staying.instruments["600519.SSE"].delisting is None
    assert leaving.digest() != staying.digest()


def test_later_members_are_noted_as_survivors(folder: Path) -> None:
    write(folder, "members.csv", "vt_symbol,as_of\n600519.SSE,20250930\n")
    assert "存活者" in str(load_folder(folder).notes[0])


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere does not exist"):
        load_folder(tmp_path / "nowhere")


def test_missing_daily_bars_are_named_with_their_columns(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"has no daily\.csv or daily\.csv\.gz; expected columns are vt_symbol, date"
    ):
        load_folder(tmp_path)


def test_missing_hourly_bars_are_named_only_where_they_are_needed(folder: Path) -> None:
    with pytest.raises(DataError, match=r"has no hourly\.csv"):
        load_folder(folder, frequency=BarInterval.HOUR)


def test_a_frequency_that_folders_do_not_have_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="not MINUTE"):
        load_folder(folder, frequency=BarInterval.MINUTE)


def test_an_unknown_symbol_is_refused(folder: Path) -> None:
    with pytest.raises(UnknownSymbol, match=r"no daily bars of 600036.SSE"):
        load_folder(folder, symbols=["600036"])


def test_hands_become_shares_where_whole_days_show_it(folder: Path) -> None:
    write(folder, "hourly.csv", HOURS.format(volume=1))
    data = load_folder(folder, frequency=BarInterval.HOUR)
    assert data.bars("600519.SSE", BarInterval.HOUR).volume.tolist() == [100.0] * 4
    assert "手" in str(data.notes[0])


def test_shares_stay_shares(folder: Path) -> None:
    write(folder, "hourly.csv", HOURS.format(volume=100))
    data = load_folder(folder, frequency=BarInterval.HOUR)
    assert data.bars("600519.SSE", BarInterval.HOUR).volume.tolist() == [100.0] * 4
    assert data.notes == ()


def test_volumes_that_fit_neither_are_refused(folder: Path) -> None:
    write(folder, "hourly.csv", HOURS.format(volume=10))
    with pytest.raises(DataError, match="do not fit the daily ones"):
        load_folder(folder, frequency=BarInterval.HOUR)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("600519.SSE,2025-01-03,10,9,9.5,9.2,1\n", "daily.csv, line 3: high 9.0 is below low 9.5"),
        ("600519.SSE,2025-01-03,ten,11,9,10,1\n", "daily.csv, line 3: open 'ten' is not a number"),
        ("600519.SSE,2025-01-03,10,11,9,10,\n", "daily.csv, line 3: volume nan is not a finite number"),
        ("600519.SSE,2025-13-03,10,11,9,10,1\n", "daily.csv, line 3: '2025-13-03' is not a date"),
        ("600519.SSE,yesterday,10,11,9,10,1\n", "daily.csv, line 3: 'yesterday' is not a date"),
        ("600519.SSE,2025-01-02,10,11,9,10,1\n", "daily.csv, line 3: a second bar of 600519.SSE"),
        (
            "600519.SSE,2025-01-01,10,11,9,10,1\n",
            "daily.csv, line 3: the bar of 600519.SSE on 2025-01-01 is older",
        ),
        ("600519.SSE,2025-01-03,10,11\n", "daily.csv, line 3: 4 columns where the header has 7"),
        ("茅台,2025-01-03,10,11,9,10,1\n", "daily.csv, line 3: '茅台' is not a known symbol"),
    ],
)
def test_a_broken_row_is_named_with_file_and_line(folder: Path, row: str, text: str) -> None:
    write(folder, "daily.csv", HEADER + ROW + row)
    with pytest.raises(BadRow) as caught:
        load_folder(folder)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        (HEADER, "has no rows"),
        ("vt_symbol,date,open\n600519.SSE,2025-01-02,1\n", "has no column high, low, close, volume"),
        ("date,date\n1,2\n", "names a column twice"),
    ],
)
def test_a_file_without_bars_is_refused(folder: Path, text: str, problem: str) -> None:
    write(folder, "daily.csv", text)
    with pytest.raises(DataError, match=problem):
        load_folder(folder)


def test_a_damaged_gzip_file_is_refused(folder: Path) -> None:
    (folder / "daily.csv.gz").write_bytes(gzip.compress(b"x" * 100)[:-9])
    with pytest.raises(DataError, match="damaged gzip file"):
        load_folder(folder)


def test_an_index_needs_no_volume(folder: Path) -> None:
    write(folder, "index_000016.csv", "date,open,high,low,close\n2025-01-02,10,11,9,10\n")
    write(folder, "index_399006.csv", "date,open,high,low,close\n2025-01-02,10,11,9,10\n")
    data = load_folder(folder)
    assert sorted(data.index) == ["000016.SSE", "399006.SZSE"]
    assert data.bars("000016.SSE", BarInterval.DAILY).records()[0]["volume"] is None


@pytest.mark.parametrize("day", ["2025/1/2", "20250102", "2025-01-02"])
def test_dates_are_read_as_people_write_them(folder: Path, day: str) -> None:
    write(folder, "daily.csv", HEADER + ROW.replace("2025-01-02", day))
    assert load_folder(folder).span() == (date(2025, 1, 2), date(2025, 1, 2))
