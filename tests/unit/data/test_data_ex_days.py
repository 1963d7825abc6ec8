"""Files of ex-days, and bars on the price level of the day on which they are looked at."""

import csv
import gzip
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from vnpy_aiagent.data import MarketData, PointInTime, load_folder
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.corporate_file import (
    is_actions_file,
    keep_actions,
    load_actions,
    load_folder_actions,
    load_kept_actions,
)
from vnpy_aiagent.data.market_data import Instrument
from vnpy_aiagent.domain import MARKET_TZ, BarInterval, VirtualClock
from vnpy_aiagent.errors import BadRow, DataError
from vnpy_aiagent.market import CorporateAction

SYMBOL = "600000.SSE"
HEAD = "vt_symbol,ex_date,shares_per_share,cash_per_share_before_tax"


def write(folder: Path, text: str, name: str = "corporate_actions.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def action(day: str, **figures: str) -> CorporateAction:
    values = {name: Decimal(value) for name, value in figures.items()}
    return CorporateAction(vt_symbol=SYMBOL, ex_date=date.fromisoformat(day), **values)


# files


def test_the_real_table_is_read_with_its_symbol_from_the_files_name(shared: Path) -> None:
    path = shared / "data/long/600000.SSE_corporate_actions.csv"
    assert is_actions_file(path)
    (actions,) = load_actions(path).values()
    assert len(actions) == 12
    assert actions[1] == action("2002-08-22", bonus="0.5", cash="0.2")
    assert [item.ex_date.isoformat() for item in actions if not item.adjusts] == ["2006-05-12"]
    assert load_folder_actions(path.parent) == {SYMBOL: actions}


def test_a_file_of_bars_is_no_file_of_ex_days(tmp_path: Path) -> None:
    assert not is_actions_file(write(tmp_path, "date,open,high,low,close,volume\n"))


def test_rights_and_the_flag_are_columns_of_their_own(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        f"{HEAD},rights_per_share,rights_price,adjusts\n"
        f"{SYMBOL},2024-06-05,,,0.3,6,\n{SYMBOL},2024-06-04,0.3,,,,no\n",
    )
    (actions,) = load_actions(path).values()
    assert actions[0] == replace(action("2024-06-04", bonus="0.3"), adjusts=False)
    assert actions[1] == action("2024-06-05", rights="0.3", rights_price="6")


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ("600000.SSE,2024-06-04,-0.3,0", "line 2: bonus .* must not be"),
        ("600000.SSE,2024-06-04,x,0", "line 2: shares_per_share 'x' is not a number"),
        ("600000.SSE,2024-06-04,NaN,0", "line 2: bonus"),
        ("600000.SSE,2024-06-04,0,0", "line 2: nothing goes ex"),
        ("600000.SSE,someday,0.3,0", "line 2: 'someday' is not a date"),
        ("nobody,2024-06-04,0.3,0", "line 2"),
        ("600000.SSE,2024-06-04,0.3,0\n600000.SSE,2024-06-04,0,0.1", "line 3: .* two rows"),
    ],
)
def test_an_impossible_row_is_refused_with_its_line(tmp_path: Path, rows: str, why: str) -> None:
    with pytest.raises(BadRow, match=why):
        load_actions(write(tmp_path, f"{HEAD}\n{rows}\n"))


def test_a_strange_flag_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRow, match="neither 1 nor 0"):
        load_actions(write(tmp_path, f"{HEAD},adjusts\n{SYMBOL},2024-06-04,0.3,0,perhaps\n"))


def test_a_file_that_does_not_say_whose_ex_days_it_holds_is_refused(tmp_path: Path) -> None:
    head = "ex_date,shares_per_share,cash_per_share_before_tax"
    with pytest.raises(DataError, match="add a column vt_symbol"):
        load_actions(write(tmp_path, f"{head}\n2024-06-04,0.3,0\n"))


def test_two_files_of_a_folder_must_not_contradict_each_other(tmp_path: Path) -> None:
    write(tmp_path, f"{HEAD}\n{SYMBOL},2024-06-04,0.3,0\n")
    write(tmp_path, f"{HEAD}\n{SYMBOL},2024-06-04,0.2,0\n", "other_corporate_actions.csv")
    with pytest.raises(BadRow, match="keep one"):
        load_folder_actions(tmp_path)


def test_what_is_kept_grows_and_a_new_row_replaces_the_old_one(tmp_path: Path) -> None:
    assert load_kept_actions(tmp_path) == {}
    old, other = action("2024-06-04", bonus="0.3"), action("2023-06-01", cash="0.1")
    assert keep_actions(tmp_path, {SYMBOL: (old, other)}) == 2
    new = replace(action("2024-06-04", bonus="0.2", rights="0.3", rights_price="6"), adjusts=False)
    assert keep_actions(tmp_path, {SYMBOL: (new,)}) == 2
    assert load_kept_actions(tmp_path) == {SYMBOL: (other, new)}


# bars on the level of their day


def bars(closes: list[float], first: date = date(2024, 6, 3)) -> BarSeries:
    """Days from a Monday on, without weekends in between."""
    rows = [(first + timedelta(days=n), c, c + 0.1, c - 0.1, c, 1000.0) for n, c in enumerate(closes)]
    return BarSeries.from_rows(SYMBOL, BarInterval.DAILY, rows)


def market(series: BarSeries, *actions: CorporateAction) -> MarketData:
    return MarketData(
        "test", {SYMBOL: Instrument(SYMBOL)}, {(SYMBOL, BarInterval.DAILY): series}, actions={SYMBOL: actions}
    )


def seen(data: MarketData, moment: str, interval: BarInterval = BarInterval.DAILY) -> BarSeries:
    clock = VirtualClock(datetime.fromisoformat(moment).replace(tzinfo=MARKET_TZ))
    return PointInTime(data, clock).bars(SYMBOL, interval, 50)


def test_bars_before_an_ex_day_are_put_on_its_level_from_that_day_on_and_not_before() -> None:
    data = market(bars([10.0, 10.0, 5.0, 5.0]), action("2024-06-05", bonus="1"))
    assert seen(data, "2024-06-04 23:59").close.tolist() == [10.0, 10.0]
    assert seen(data, "2024-06-05 08:00").close.tolist() == [5.0, 5.0]
    after = seen(data, "2024-06-06 15:00")
    assert after.close.tolist() == [5.0, 5.0, 5.0, 5.0]
    assert after.low.tolist() == pytest.approx([4.95, 4.95, 4.9, 4.9])
    assert after.volume.tolist() == [2000.0, 2000.0, 1000.0, 1000.0]


def test_what_lies_ahead_changes_nothing() -> None:
    series = bars([10.0, 10.0, 5.0, 5.0])
    data = market(series, action("2024-06-05", bonus="1"), action("2024-06-06", cash="2"))
    without = market(series, action("2024-06-05", bonus="1"))
    for moment in ("2024-06-04 16:00", "2024-06-05 16:00"):
        assert np.array_equal(seen(data, moment).close, seen(without, moment).close)


def test_several_ex_days_multiply() -> None:
    data = market(bars([10.0, 5.0, 4.0]), action("2024-06-04", bonus="1"), action("2024-06-05", cash="1"))
    assert seen(data, "2024-06-05 16:00").close.tolist() == pytest.approx([4.0, 4.0, 4.0])


def test_weeks_are_made_of_bars_of_one_level() -> None:
    data = market(bars([10.0, 10.0, 5.0, 5.0, 5.0]), action("2024-06-05", bonus="1"))
    week = seen(data, "2024-06-07 15:00", BarInterval.WEEKLY)
    assert (week.open.tolist(), week.high.tolist()) == ([5.0], [5.1])
    assert week.low.tolist() == pytest.approx([4.9])


def test_a_series_without_known_ex_days_is_the_same_object() -> None:
    data = market(bars([10.0, 10.0]))
    assert data.bars_on(SYMBOL, BarInterval.DAILY, date(2024, 6, 4)) is data.series[SYMBOL, BarInterval.DAILY]


@pytest.mark.parametrize("day", ["2024-06-01", "2024-06-03"])
def test_an_ex_day_before_all_bars_changes_nothing(day: str) -> None:
    data = market(bars([10.0, 10.0]), action(day, bonus="1"))
    assert seen(data, "2024-06-05 16:00").close.tolist() == [10.0, 10.0]


def test_a_dividend_above_the_price_changes_nothing() -> None:
    data = market(bars([10.0, 10.0]), action("2024-06-04", cash="10"))
    assert seen(data, "2024-06-05 16:00").close.tolist() == [10.0, 10.0]


def test_data_with_ex_days_has_another_digest_and_data_without_the_old_one() -> None:
    series = bars([10.0, 10.0])
    plain, empty = market(series), replace(market(series), actions={})
    assert market(series, action("2024-06-04", bonus="1")).digest() != plain.digest()
    assert empty.digest() == MarketData("x", plain.instruments, plain.series).digest()


def test_on_real_ex_days_no_day_moves_more_than_the_limit_once_adjusted(shared: Path, tmp_path: Path) -> None:
    text = (shared / "data/long/600000.SSE_corporate_actions.csv").read_text(encoding="utf-8")
    write(tmp_path, text, "600000.SSE_corporate_actions.csv")
    with gzip.open(shared / "data/long/600000.SSE_daily.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = ("open", "high", "low", "close", "volume")
    lines = [",".join((SYMBOL, row["date"][:10], *(row[name] for name in columns))) for row in rows]
    write(tmp_path, "\n".join([f"vt_symbol,date,{','.join(columns)}", *lines]), "daily.csv")
    data = load_folder(tmp_path)
    end = date(2011, 6, 30)
    raw = data.bars(SYMBOL, BarInterval.DAILY)
    level = data.bars_on(SYMBOL, BarInterval.DAILY, end)
    days = {raw.day_of(i): i for i in range(len(raw))}
    at = [days[item.ex_date] for item in data.actions[SYMBOL] if item.adjusts and item.ex_date in days]
    assert min(raw.close[i] / raw.close[i - 1] - 1 for i in at) < -0.2
    assert max(abs(level.close[i] / level.close[i - 1] - 1) for i in at) < 0.1
