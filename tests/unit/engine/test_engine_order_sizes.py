"""Orders of three sizes with the settings as they come: one order, slices in time, a share of the market."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from vnpy_aiagent.config import ExecutionSettings, SlicingSettings
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.domain import Algo, BarInterval, ExecutionReport, Intent, ParentState
from vnpy_aiagent.wiring import Parts

from .small_house import BANK, NoBars, SmallHouse

DAY = "2025-03-03"
USUAL = 1_000_000
"""Shares that BANK trades in each of the stored days: 5,000 are a medium order, 20,000 a large one."""


class QuietDays:
    """Twenty daily bars up to Friday; none of another interval."""

    def bars(self, vt_symbol: str, interval: BarInterval, count: int) -> BarSeries:
        days = [date(2025, 2, 28) - timedelta(days=back) for back in range(19, -1, -1)]
        rows = [(day, 5.0, 5.05, 4.95, 5.0, USUAL) for day in days] if interval is BarInterval.DAILY else []
        return BarSeries.from_rows(vt_symbol, interval, rows).tail(count)


class SizedHouse(SmallHouse):
    """A SmallHouse whose data has bars."""

    def __init__(self, folder: Path, bars: Any, moment: str = "10:00:00", **overrides: Any) -> None:
        self.bars = bars
        self.per_quote = 1e7
        super().__init__(folder / "journal.db", f"{DAY} {moment}", **overrides)

    def _parts(self, symbols: tuple[str, ...]) -> Parts:
        return replace(super()._parts(symbols), bars=self.bars)

    def quote(self, price: float = 5.0, symbol: str = BANK) -> None:
        """Two quotes, between which `per_quote` shares trade."""
        for _ in range(2):
            self.tick(price, symbol, traded=self.per_quote)

    def trade(self, minutes: int, shares: float = 10_000) -> None:
        """Every half minute so many shares trade, and there is a quote."""
        for _ in range(2 * minutes):
            self.go(f"{self.clock.moment + timedelta(seconds=30):%Y-%m-%d %H:%M:%S}")
            self.tick(5.0, traded=shares)

    @property
    def sizes(self) -> list[int]:
        """Volumes of the orders so far (shares)."""
        return [intent.volume for intent in self.said(Intent)]

    def only_report(self) -> ExecutionReport:
        """The report of the only parent order, which has ended."""
        [report] = self.said(ExecutionReport)
        assert isinstance(report, ExecutionReport)
        return report


def assert_worked(house: SizedHouse, algo: Algo, volume: int) -> None:
    report = house.only_report()
    assert (report.algo, report.state) == (algo, ParentState.FILLED)
    assert (report.volume, report.filled, report.children) == (volume, volume, len(house.sizes))
    assert house.held == {BANK: volume}
    assert sum(house.sizes) == volume


def test_a_small_order_is_one_limit_order(tmp_path: Path) -> None:
    with SizedHouse(tmp_path, QuietDays()) as house:
        house.buy(4_900)
        house.trade(1, shares=1e6)
        assert house.sizes == [4_900]
        assert_worked(house, Algo.LIMIT, 4_900)


def test_a_medium_order_goes_in_six_slices_over_half_an_hour(tmp_path: Path) -> None:
    with SizedHouse(tmp_path, QuietDays()) as house:
        house.buy(6_000)
        assert house.sizes == [1_000]
        house.trade(4, shares=1e6)
        assert house.sizes == [1_000], "the next slice is due five minutes after the first"
        house.trade(27, shares=1e6)
        assert house.sizes == [1_000] * 6
        assert_worked(house, Algo.TWAP, 6_000)


def test_a_medium_order_shows_a_fifth_where_that_is_set(tmp_path: Path) -> None:
    execution = ExecutionSettings(slicing=SlicingSettings(medium_algo="ICEBERG"))
    with SizedHouse(tmp_path, QuietDays(), execution=execution) as house:
        house.buy(6_000)
        house.trade(5, shares=1e6)
        assert house.sizes == [1_200] * 5
        assert_worked(house, Algo.ICEBERG, 6_000)


def test_a_large_order_takes_its_share_of_what_trades(tmp_path: Path) -> None:
    with SizedHouse(tmp_path, QuietDays()) as house:
        house.buy(20_000)
        assert house.sizes == [], "nothing has traded since it began"
        for _ in range(12):
            before = house.volume
            house.trade(1, shares=40_000)
            assert house.volume == before + 80_000
            assert 0 < sum(house.sizes) <= (house.volume - 2e7) * 0.1, "a tenth of what traded since"
            if sum(house.sizes) == 20_000:
                break
        house.trade(1, shares=1e6)
        assert len(house.sizes) > 2
        assert_worked(house, Algo.PARTICIPATION, 20_000)


@pytest.mark.parametrize(
    ("volume", "algo"),
    [(4_900, Algo.LIMIT), (5_000, Algo.TWAP), (19_900, Algo.TWAP), (20_000, Algo.PARTICIPATION)],
)
def test_the_thresholds_are_half_a_percent_and_two(tmp_path: Path, volume: int, algo: Algo) -> None:
    with SizedHouse(tmp_path, QuietDays()) as house:
        house.buy(volume)
        house.go(f"{DAY} 15:00:01")
        assert house.only_report().algo is algo
        assert sum(house.sizes) <= volume


def test_an_order_of_unknown_size_against_the_market_is_one_limit_order(tmp_path: Path) -> None:
    with SizedHouse(tmp_path, NoBars(), "09:31:00") as house:
        house.per_quote = 500_000
        house.buy(20_000)
        assert house.sizes == [20_000]
        house.trade(2, shares=1e6)
        assert_worked(house, Algo.LIMIT, 20_000)


@pytest.mark.parametrize(
    ("volume", "algo"), [(4_900, Algo.LIMIT), (6_000, Algo.TWAP), (20_000, Algo.PARTICIPATION)]
)
def test_without_bars_the_day_so_far_is_the_measure(tmp_path: Path, volume: int, algo: Algo) -> None:
    with SizedHouse(tmp_path, NoBars()) as house:
        house.per_quote = 62_500  # in 30 minutes 125,000 shares, so a million in a day
        house.buy(volume)
        house.go(f"{DAY} 15:00:01")
        assert house.only_report().algo is algo
