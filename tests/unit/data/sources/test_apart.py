"""Fetching in a process of its own: answers and exceptions come back, and it never outlives its use."""

import os
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from threading import Event, Thread

import pytest

from vnpy_aiagent.config import load_settings
from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.data.sources.apart import FetchEnded, FetchLost, FetchProcess
from vnpy_aiagent.data.sources.apart_bars import ApartBars
from vnpy_aiagent.data.sources.build import build_router
from vnpy_aiagent.data.sources.port import BarRequest
from vnpy_aiagent.domain import BarInterval
from vnpy_aiagent.domain.clock import MARKET_TZ, VirtualClock
from vnpy_aiagent.errors import DataError

from . import apart_jobs as jobs

NOW = datetime(2025, 11, 20, 20, tzinfo=MARKET_TZ)
ASKED = BarRequest("600519.SSE", BarInterval.DAILY, date(2025, 11, 19), date(2025, 11, 19))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


@pytest.fixture(autouse=True)
def _jobs_can_be_found(repo_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other process looks for modules where this one does."""
    monkeypatch.syspath_prepend(repo_root)


@pytest.fixture
def process() -> Iterator[FetchProcess]:
    made = FetchProcess("tests")
    yield made
    made.close()
    assert made.pid is None


def test_jobs_are_done_in_one_other_process(process: FetchProcess) -> None:
    assert process.pid is None
    first, second = process.call(jobs.double, 4), process.call(jobs.double, 5)
    assert (first[0], second[0]) == (8, 10)
    assert first[1] == second[1] == process.pid != os.getpid()


def test_what_a_job_tells_is_heard_here_and_a_refusal_is_raised_there(process: FetchProcess) -> None:
    heard: list[str] = []
    assert process.call(jobs.chat, ["a", "b"], heard.append) == "heard"
    assert heard == ["a", "b"]

    def refuse(word: str) -> None:
        raise ValueError(f"not {word}")

    assert process.call(jobs.chat, ["c"], refuse) == "not c"


def test_exceptions_come_back_as_they_are_or_in_words(process: FetchProcess) -> None:
    with pytest.raises(SourceAbsence) as absence:
        process.call(jobs.absent, None)
    assert (absence.value.source, absence.value.kind) == ("x", AbsenceKind.LIMITED)
    assert absence.value.text.render() == "x 太忙"
    with pytest.raises(DataError, match="Odd: ab"):
        process.call(jobs.odd, None)


def test_a_process_that_dies_is_told_and_the_next_job_has_a_new_one(process: FetchProcess) -> None:
    with pytest.raises(FetchLost, match="exit code 7"):
        process.call(jobs.die, None)
    assert process.call(jobs.double, 1)[0] == 2


def test_a_process_that_says_nothing_is_killed() -> None:
    pids: list[int | None] = []
    process = FetchProcess("tests", silence=3.0)
    with pytest.raises(FetchLost, match="said nothing for 3 s"):
        process.call(jobs.hang, None, lambda _: pids.append(process.pid))
    assert pids[0] is not None
    assert not is_alive(pids[0])
    process.close()


def test_a_process_that_rested_is_replaced() -> None:
    process = FetchProcess("tests", idle=0.0)
    kept = process.call(jobs.double, 1)[1]
    assert process._process is not None
    process._process.join(60)
    process._idle = 60.0
    assert process.call(jobs.double, 2)[1] != kept
    process.close()


def test_closing_ends_a_job_under_way_at_once(process: FetchProcess) -> None:
    begun = Event()
    raised: list[FetchEnded] = []
    pids: list[int] = []

    def heard(_: str) -> None:
        pids.append(process.pid or 0)
        begun.set()

    def work() -> None:
        try:
            process.call(jobs.hang, None, heard)
        except FetchEnded as error:
            raised.append(error)

    thread = Thread(target=work)
    thread.start()
    assert begun.wait(60)
    process.close()
    thread.join(60)
    assert len(raised) == 1
    assert not is_alive(pids[0])
    with pytest.raises(FetchEnded):
        process.call(jobs.double, 1)


def test_bars_are_fetched_there_and_turns_are_taken_here(process: FetchProcess) -> None:
    turns: list[int] = []
    source = ApartBars(jobs.FakeBars, process)
    bars = source.fetch(ASKED, NOW, lambda: turns.append(1))
    assert bars.turnover[0] == process.pid
    assert (source.name, source.is_kept, source.missing(), len(turns)) == ("akshare", True, None, 2)


def test_a_lost_process_is_an_absence_of_bars(process: FetchProcess) -> None:
    with pytest.raises(SourceAbsence) as absence:
        ApartBars(jobs.DyingBars, process).fetch(ASKED, NOW, lambda: None)
    assert absence.value.kind is AbsenceKind.UNREACHABLE
    assert "exit code 7" in absence.value.text.render()


def test_the_router_of_an_engine_asks_heavy_packages_there(process: FetchProcess, tmp_path: Path) -> None:
    router = build_router(load_settings(), tmp_path, VirtualClock(NOW), process=process)
    assert router.names == ("akshare", "tushare", "baostock", "gateway")
    assert process.pid is None
