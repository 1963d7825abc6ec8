"""The future-poison check by itself: what is poisoned, where it cuts, and no false alarm on finer bars."""

import json
from copy import copy
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from vnpy.trader.constant import Interval
from vnpy.trader.object import BarData

from vnpy_aiagent.backtest.lookahead import LookaheadCheck
from vnpy_aiagent.backtest.poison import Cut, poison_bars
from vnpy_aiagent.backtest.poisoned_files import PoisonedFiles
from vnpy_aiagent.cta import genes
from vnpy_aiagent.data import load_folder
from vnpy_aiagent.data.vnpy_database import to_vnpy_bars
from vnpy_aiagent.domain import MARKET_TZ, BarInterval

SYMBOL = "600036.SSE"
MORNING = datetime(2025, 3, 4, 9, 35, tzinfo=MARKET_TZ)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def days(shared: Path) -> list[BarData]:
    """Real daily bars of 2025."""
    data = load_folder(shared / "data" / "sse50", symbols=[SYMBOL])
    return list(to_vnpy_bars(data.bars(SYMBOL, BarInterval.DAILY)))


def hours_of(days: list[BarData]) -> list[BarData]:
    """Each day as four bars at the hours of the session, through its open, low, high and close."""
    result: list[BarData] = []
    for day in days:
        prices = (day.open_price, day.low_price, day.high_price, day.close_price)
        for begin, end, hour in zip((day.open_price, *prices[:3]), prices, (9, 10, 13, 14), strict=True):
            bar = copy(day)
            bar.datetime = day.datetime.replace(hour=hour, minute=30 if hour < 12 else 0)
            bar.interval, bar.volume = Interval.HOUR, day.volume / 4
            bar.open_price, bar.close_price = begin, end
            bar.high_price, bar.low_price = max(begin, end), min(begin, end)
            result.append(bar)
    return result


@pytest.mark.parametrize("name", sorted(genes.__all__))
def test_no_false_alarm_for_the_gene_strategies_on_hours(name: str, days: list[BarData]) -> None:
    strategy = getattr(genes, name)
    parameters = {"gap_percent": 0.5} if name == "GapStrategy" else {}
    check = LookaheadCheck(lambda: strategy, SYMBOL, hours_of(days), Interval.HOUR, parameters=parameters)
    found = check.run(16)
    assert found.decisions > 0
    assert found.changes == ()
    assert {cut.opening for cut in found.cuts} == {True, False}


def test_only_what_lies_after_the_cut_is_false(days: list[BarData]) -> None:
    false = poison_bars(days, Cut(9, False, days[9].datetime), 0)
    assert false[:10] == days[:10]
    assert all(one.close_price != two.close_price for one, two in zip(false[10:], days[10:], strict=True))
    assert all(bar.low_price <= bar.open_price <= bar.high_price for bar in false)


def test_of_a_bar_under_way_the_open_is_true_and_the_rest_false(days: list[BarData]) -> None:
    ups = set()
    for seed in (0, 1):
        bar = poison_bars(days, Cut(9, True, days[9].datetime), seed, (39.0, 46.0))[9]
        assert bar.open_price == days[9].open_price
        assert bar.close_price != days[9].close_price
        assert 39.0 <= bar.low_price <= bar.open_price <= bar.high_price <= 46.0
        ups.add(bar.close_price > bar.open_price)
    assert ups == {True, False}


def test_the_two_seeds_of_a_cut_lie_on_either_side_of_the_truth(days: list[BarData]) -> None:
    for bar in range(0, 100, 7):
        one, two = (poison_bars(days, Cut(bar, False, days[bar].datetime), seed)[bar + 1] for seed in (0, 1))
        low, high = sorted((one.close_price, two.close_price))
        assert low < days[bar + 1].close_price < high


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Three days of bars."""
    path = tmp_path / "bars.csv.gz"
    rows = {
        "date": ["2025-03-03", "2025-03-04", "2025-03-05"],
        "open": [10.0, 11.0, 12.0],
        "high": [10.5, 11.5, 12.5],
        "low": [9.5, 10.5, 11.5],
        "close": [10.2, 11.2, 12.2],
        "volume": [1000, 1100, 1200],
    }
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def test_a_file_of_bars_is_true_up_to_the_cut_and_todays_row_has_its_open(table: Path) -> None:
    true = pd.read_csv(table)
    with PoisonedFiles(Cut(1, True, MORNING), 0, HOUR, {}).served():
        false = pd.read_csv(table)
    assert false.iloc[0].equals(true.iloc[0])
    assert false.open[1] == true.open[1]
    assert (false.iloc[1][["close", "volume"]] != true.iloc[1][["close", "volume"]]).all()
    assert (false.iloc[2][1:] != true.iloc[2][1:]).all()
    assert (false.high >= false.open).all()
    assert pd.read_csv(table).equals(true)


def test_a_fact_of_a_day_is_known_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "facts.csv"
    path.write_text("available_at,value\n2025-03-03,5\n2025-03-04,6\n2025-03-04 09:00,7\n", encoding="utf-8")
    with PoisonedFiles(Cut(1, True, MORNING), 0, HOUR, {}).served():
        values = [line.split(",")[1] for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    assert (values[0], values[2]) == ("5", "7")
    assert values[1] != "6"


def test_a_file_without_times_is_left_and_named(tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    path.write_text("[1]", encoding="utf-8")
    files = PoisonedFiles(Cut(1, True, MORNING), 0, HOUR, {})
    with files.served(), path.open(encoding="utf-8") as source:
        assert json.load(source) == [1]
    assert files.unpoisoned == {path.resolve()}


def test_what_a_strategy_writes_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    with PoisonedFiles(Cut(1, True, MORNING), 0, HOUR, {}).served():
        path.write_text("date,value\n2025-03-05,5\n", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "date,value\n2025-03-05,5\n"
