"""What a symbol usually trades in a day: from daily bars, else from the day so far, else not known."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from vnpy_aiagent.agents.turnover import minutes_open, usual_volume_of
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.domain import BarInterval
from vnpy_aiagent.errors import DataError, UnknownSymbol

from .risk_world import FRIDAY, SYMBOL, World, moment

NOON = moment(11, 30)


class Days:
    """Daily bars of given volumes, the last one of Friday; or none, as a source that raises."""

    def __init__(self, volumes: Sequence[float] = (), trouble: DataError | None = None) -> None:
        self.volumes = volumes
        self.trouble = trouble
        self.asked: list[tuple[str, BarInterval, int]] = []

    def bars(self, vt_symbol: str, interval: BarInterval, count: int) -> BarSeries:
        self.asked.append((vt_symbol, interval, count))
        if self.trouble is not None:
            raise self.trouble
        first: date = FRIDAY - timedelta(days=len(self.volumes) - 1)
        rows = [
            (first + timedelta(days=number), 20.0, 20.2, 19.8, 20.0, volume)
            for number, volume in enumerate(self.volumes)
        ]
        return BarSeries.from_rows(vt_symbol, interval, rows).tail(count)


def usual(world: World, days: Days | None = None) -> float | None:
    return usual_volume_of(replace(world.house, bars=days or Days()), SYMBOL)


def test_the_mean_of_the_last_twenty_days_counts_whatever_trades_today() -> None:
    world, days = World(NOON), Days([9e9] * 5 + [1e6] * 10 + [3e6] * 10)
    world.quote(20.0, volume=50_000_000)
    assert usual(world, days) == 2e6
    assert days.asked == [(SYMBOL, BarInterval.DAILY, 20)]


@pytest.mark.parametrize(
    "days",
    [
        Days([1e6] * 19),
        Days([0.0] * 20),
        Days(),
        Days(trouble=UnknownSymbol("no bars of 600036.SSE; import them")),
        Days(trouble=DataError("the file of 600036.SSE is damaged; import it again")),
    ],
    ids=["a day too few", "never traded", "no bars", "unknown symbol", "damaged data"],
)
def test_without_enough_days_today_so_far_is_taken_for_a_whole_day(days: Days) -> None:
    world = World(NOON)
    world.quote(20.0, volume=1_200_000)
    assert usual(world, days) == 2_400_000.0
    assert days.asked, "the stored days were looked at first"


@pytest.mark.parametrize(
    ("hour", "minute", "expected"),
    [
        (9, 20, None),  # the opening auction
        (9, 34, None),
        (9, 35, 48e6),
        (10, 30, 4e6),
        (11, 30, 2e6),
        (12, 15, 2e6),  # at lunch nothing trades, and no minute is counted
        (13, 0, 2e6),
        (14, 0, 240e6 / 180),
        (15, 0, 1e6),
        (16, 30, 1e6),  # after the close the day is whole
    ],
)
def test_a_million_shares_so_far_weigh_by_the_minutes_traded(
    hour: int, minute: int, expected: float | None
) -> None:
    world = World(moment(hour, minute))
    world.quote(20.0, volume=1_000_000)
    found = usual(world)
    assert found == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("hour", "minute", "expected"),
    [(8, 0, 0), (9, 30, 0), (11, 30, 120), (12, 59, 120), (13, 0, 120), (13, 1, 121), (15, 0, 240)],
)
def test_lunch_is_no_part_of_the_session(hour: int, minute: int, expected: float) -> None:
    assert minutes_open(moment(hour, minute)) == expected


def test_it_is_unknown_without_a_quote() -> None:
    assert usual(World(NOON)) is None


def test_it_is_unknown_where_nothing_traded_yet() -> None:
    world = World(NOON)
    world.quote(20.0, volume=0)
    assert usual(world) is None


def test_yesterdays_volume_is_not_todays() -> None:
    world = World(NOON)
    world.quote(20.0, at=moment(14, 59, FRIDAY), volume=1_000_000)
    assert usual(world) is None


def test_another_symbols_volume_says_nothing() -> None:
    world = World(NOON)
    world.quote(20.0, symbol="600000", volume=1_000_000)
    assert usual(world) is None
