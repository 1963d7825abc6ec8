"""The router: order of preference, failover, rest, cache, old answers that are told, and nothing made up."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.data.sources.cache import AnswerCache
from vnpy_aiagent.data.sources.health import FAILURES, REST
from vnpy_aiagent.data.sources.port import BarRequest, NoSource
from vnpy_aiagent.data.sources.router import BarRouter
from vnpy_aiagent.domain.clock import MARKET_TZ, VirtualClock
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.errors import BadRow, DataError

from .fakes import NOW, REQUEST, Source, Steady, absence, clock, unreachable


class House:
    """A router over fake sources, with all that a test wants to move."""

    def __init__(
        self, *sources: Source, folder: Path | None = None, now: datetime = NOW, **more: object
    ) -> None:
        self.steady = Steady()
        self.clock: VirtualClock = clock(now)
        self.sources = sources
        self.cache = AnswerCache(folder / "sources.db") if folder else None
        self.router = BarRouter(
            sources,
            self.clock,
            cache=self.cache,
            monotonic=self.steady,
            sleep=self.steady.sleep,
            **more,  # type: ignore[arg-type]
        )

    @property
    def asked(self) -> list[int]:
        return [source.asked for source in self.sources]


def failing(router: BarRouter, request: BarRequest = REQUEST) -> NoSource:
    with pytest.raises(NoSource) as caught:
        router.bars(request)
    return caught.value


def test_the_first_source_answers_with_units_and_provenance() -> None:
    house = House(Source("a"), Source("b"))
    found = house.router.bars(REQUEST)
    assert house.asked == [1, 0]
    assert found.provenance.facts() == {
        "source": "a",
        "fetched_at": NOW.isoformat(),
        "available_at": NOW.replace(hour=15).isoformat(),
        "units": {"price": "CNY", "volume": "share", "turnover": "CNY", "adjusted": "none"},
        "cached": False,
        "old": False,
    }
    assert (found.absences, found.notes) == ((), ())


@pytest.mark.parametrize(
    "fault", [unreachable("a"), absence("a", AbsenceKind.NO_ROWS), BadRow("line 2: high below low; correct")]
)
def test_the_next_source_stands_in_and_the_first_ones_absence_is_kept(fault: Exception) -> None:
    house = House(Source("a", fault=fault), Source("b", close=20.0))
    found = house.router.bars(REQUEST)
    assert found.series.close.tolist() == [20.0] * 3
    assert found.provenance.source == "b"
    assert [each.source for each in found.absences] == ["a"]


def test_an_impossible_row_counts_against_its_source_and_no_rows_does_not() -> None:
    bad = House(Source("a", fault=BadRow("line 2: high below low; correct")))
    assert failing(bad.router).absences[0].kind is AbsenceKind.BAD_DATA
    assert bad.router.board.state("a").failures == 1
    bare = House(Source("a", fault=absence("a", AbsenceKind.NO_ROWS)))
    assert failing(bare.router).absences[0].kind is AbsenceKind.NO_ROWS
    state = bare.router.board.state("a")
    assert (state.failures, state.score) == (0, 1.0)


def test_what_is_not_set_up_is_passed_over_and_has_no_health() -> None:
    house = House(Source("a", lack=AbsenceKind.NOT_SET_UP), Source("b", fault=unreachable("b")))
    error = failing(house.router)
    assert house.asked == [0, 1]
    assert [each.kind.name for each in error.absences] == ["NOT_SET_UP", "UNREACHABLE"]
    assert str(error.text) == "数据来源 b UNREACHABLE 恢复应答", "only what can be mended by waiting is told"
    assert house.router.board.state("a").score == 1.0


def test_without_any_source_the_way_on_is_told_and_nothing_is_made_up() -> None:
    error = failing(House().router)
    assert "data.order" in str(error)
    assert error.is_outage
    both = failing(House(Source("a", fault=unreachable("a")), Source("b", fault=unreachable("b"))).router)
    assert str(both.text).splitlines()[0] == "没有数据来源给出 600519.SSE 的日线："
    assert str(both) == (
        "no source gave daily bars of 600519.SSE: data source a UNREACHABLE answers again; "
        "data source b UNREACHABLE answers again"
    )
    assert both.is_outage
    mixed = House(Source("a", fault=unreachable("a")), Source("b", fault=absence("b", AbsenceKind.NO_ROWS)))
    assert not failing(mixed.router).is_outage, "b would answer for another symbol"


def test_a_source_that_keeps_failing_rests_and_is_tried_again() -> None:
    first, second = Source("a", fault=unreachable("a")), Source("b")
    house = House(first, second)
    for _ in range(FAILURES + 5):
        assert house.router.bars(REQUEST).provenance.source == "b"
    assert first.asked <= FAILURES, "b comes first once a is unhealthy"
    second.fault = unreachable("b")
    for _ in range(FAILURES):
        failing(house.router)
    asked = first.asked
    error = failing(house.router)
    assert first.asked == asked
    assert {each.kind for each in error.absences} == {AbsenceKind.RESTING}
    house.steady.seconds += REST
    first.fault = None
    assert house.router.bars(REQUEST).provenance.source == "a"


def test_the_time_of_an_answer_is_measured_without_the_wait_for_a_turn() -> None:
    house = House(Source("a"), per_minute={"a": 60}, patience=30)
    house.sources[0].takes = lambda: house.steady.sleep(3.0)
    for _ in range(10):
        house.router.bars(REQUEST)
    assert house.router.board.state("a").latency == pytest.approx(3.0)


def test_a_source_at_its_limit_hands_over_without_losing_health() -> None:
    house = House(Source("a"), Source("b"), per_minute={"a": 1}, patience=0)
    used = [house.router.bars(REQUEST).provenance.source for _ in range(7)]
    assert used == ["a"] * 5 + ["b"] * 2
    assert house.router.board.state("a").is_healthy


def test_a_fresh_answer_comes_from_the_cache_and_says_so(tmp_path: Path) -> None:
    house = House(Source("a"), folder=tmp_path)
    first = house.router.bars(REQUEST)
    house.clock.set(NOW + timedelta(days=6))
    again = house.router.bars(REQUEST)
    assert house.asked == [1]
    assert again.series.records() == first.series.records()
    assert again.provenance.cached
    assert not again.provenance.old
    assert again.provenance.fetched_at == NOW
    assert again.provenance.units == first.provenance.units
    assert house.router.bars(REQUEST, anew=True).provenance.cached is False


def test_after_its_days_an_answer_is_asked_for_again(tmp_path: Path) -> None:
    house = House(Source("a"), folder=tmp_path)
    house.router.bars(REQUEST)
    house.clock.set(NOW + timedelta(days=7, seconds=1))
    assert house.router.bars(REQUEST).provenance.fetched_at > NOW
    assert house.asked == [2]


def test_a_request_that_reaches_the_present_is_fresh_until_a_bar_is_added(tmp_path: Path) -> None:
    house = House(Source("a"), folder=tmp_path, now=NOW.replace(hour=10))
    assert len(house.router.bars(REQUEST).series) == 2
    house.clock.set(NOW.replace(hour=14, minute=59))
    assert house.router.bars(REQUEST).provenance.cached
    house.clock.set(NOW.replace(hour=15, minute=5))
    found = house.router.bars(REQUEST)
    assert (found.provenance.cached, len(found.series)) == (False, 3)
    house.clock.set(NOW + timedelta(days=3))
    assert house.router.bars(REQUEST).provenance.cached, "the range is over: it grows no more"


def test_hours_are_asked_for_again_after_an_hour(tmp_path: Path) -> None:
    house = House(Source("a"), folder=tmp_path, now=NOW.replace(hour=11))
    request = BarRequest("600519.SSE", BarInterval.HOUR, date(2025, 11, 18), date(2025, 11, 19))
    house.router.bars(request)
    house.clock.set(NOW.replace(hour=11, minute=59))
    assert house.router.bars(request).provenance.cached
    house.clock.set(NOW.replace(hour=12))
    assert not house.router.bars(request).provenance.cached


def test_where_every_source_fails_an_old_answer_is_used_and_told(tmp_path: Path) -> None:
    source = Source("a")
    house = House(source, Source("b", lack=AbsenceKind.NOT_SET_UP), folder=tmp_path)
    house.router.bars(REQUEST)
    source.fault = unreachable("a")
    house.clock.set(NOW + timedelta(days=20))
    found = house.router.bars(REQUEST)
    assert found.provenance.old
    assert found.provenance.cached
    assert [str(note) for note in found.notes] == [
        "现在没有数据来源应答；600519.SSE 的日线来自 a 在 2025-11-19 16:00 的缓存，可能不是最新的"
    ]
    assert [each.source for each in found.absences] == ["a", "b"]
    other = BarRequest("600036.SSE", BarInterval.DAILY, REQUEST.start, REQUEST.end)
    assert failing(house.router, other).absences, "another request has no old answer"


def test_a_damaged_cache_is_told_and_bypassed(tmp_path: Path) -> None:
    (tmp_path / "sources.db").write_bytes(b"no database at all, but long enough to be read as one" * 50)
    house = House(Source("a"), folder=tmp_path)
    found = house.router.bars(REQUEST)
    assert found.provenance.source == "a"
    assert len(found.notes) == 1
    assert "数据缓存不能用" in str(found.notes[0])


def test_what_is_not_kept_is_never_cached(tmp_path: Path) -> None:
    house = House(Source("database", is_kept=False), folder=tmp_path)
    house.router.bars(REQUEST)
    house.router.bars(REQUEST)
    assert house.asked == [2]
    assert not (tmp_path / "sources.db").exists()


def test_sources_can_be_left_out() -> None:
    house = House(Source("database"), Source("a"))
    assert house.router.bars(REQUEST, skip=("database",)).provenance.source == "a"


def test_requests_that_make_no_sense_are_refused() -> None:
    with pytest.raises(DataError, match="not WEEKLY"):
        BarRequest("600519.SSE", BarInterval.WEEKLY, REQUEST.start, REQUEST.end)
    with pytest.raises(DataError, match="swap them"):
        BarRequest("600519.SSE", BarInterval.DAILY, REQUEST.end, REQUEST.start)


def test_units_of_an_index_are_points_and_of_a_future_lots() -> None:
    index = BarRequest("000300.SSE", BarInterval.DAILY, REQUEST.start, REQUEST.end)
    future = BarRequest("IF2512.CFFEX", BarInterval.DAILY, REQUEST.start, REQUEST.end)
    assert index.units()["price"] == "point"
    assert future.units()["volume"] == "lot"


def test_asking_one_source_goes_past_the_cache(tmp_path: Path) -> None:
    house = House(Source("a"), folder=tmp_path)
    house.router.bars(REQUEST)
    house.router.ask("a", REQUEST)
    assert house.asked == [2]
    with pytest.raises(SourceAbsence):
        House(Source("a", fault=unreachable("a"))).router.ask("a", REQUEST)


def test_a_day_that_the_source_has_not_published_yet_is_asked_for_again_within_the_hour(
    tmp_path: Path,
) -> None:
    source = Source("a", lags=1)
    house = House(source, folder=tmp_path)
    assert len(house.router.bars(REQUEST).series) == 2
    house.clock.set(NOW + timedelta(minutes=59))
    assert house.router.bars(REQUEST).provenance.cached
    house.clock.set(NOW + timedelta(hours=1))
    source.lags = 0
    found = house.router.bars(REQUEST)
    assert (found.provenance.cached, len(found.series)) == (False, 3)
    house.clock.set(NOW + timedelta(days=3))
    source.lags = 1
    house.router.bars(REQUEST, anew=True)
    house.clock.set(NOW + timedelta(days=6))
    assert house.router.bars(REQUEST).provenance.cached, "long after the day it stays as it is"


def test_the_day_of_a_close_is_that_of_shanghai(tmp_path: Path) -> None:
    house = House(Source("a"), folder=tmp_path, now=datetime(2025, 11, 19, 0, 30, tzinfo=MARKET_TZ))
    request = BarRequest("600519.SSE", BarInterval.DAILY, date(2025, 11, 17), date(2025, 11, 20))
    house.router.bars(request)
    house.clock.set(NOW.replace(hour=14))
    assert house.router.bars(request).provenance.cached
    house.clock.set(NOW.replace(hour=15))
    assert not house.router.bars(request).provenance.cached
