"""The collector of a running engine: its timetable, what it makes up for, and what it says once."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from threading import Event

import pytest

from vnpy_aiagent.data.fact_sources.collect import FamilyReport
from vnpy_aiagent.data.fact_sources.collector import MARK_FILE, SETTLE, FactCollector
from vnpy_aiagent.domain import Severity, Text, say
from vnpy_aiagent.domain.clock import MARKET_TZ, VirtualClock
from vnpy_aiagent.errors import DataError
from vnpy_aiagent.market import default_calendar

TIMES = (time(8, 20), time(17, 30))
MONDAY = datetime(2025, 11, 3, 9, 0, tzinfo=MARKET_TZ)


def report(name: str, *, failed: bool = False) -> FamilyReport:
    return FamilyReport(name, 0 if failed else 3, 0, 0, 1, failed, say("没有网络") if failed else None)


class Desk:
    """A collector whose work is a script."""

    def __init__(self, folder: Path, at: datetime, *scripts: Sequence[FamilyReport] | Exception) -> None:
        self.scripts = list(scripts)
        self.calls = 0
        self.told: list[tuple[Severity, Text]] = []
        self.clock = VirtualClock(at)
        self.stopped = Event()
        self.collector = FactCollector(
            self.work,
            self.clock,
            default_calendar(),
            TIMES,
            lambda severity, text: self.told.append((severity, text)),
            folder,
            self.stopped,
        )

    def work(self) -> Sequence[FamilyReport]:
        self.calls += 1
        script = self.scripts[min(self.calls, len(self.scripts)) - 1] if self.scripts else ()
        if isinstance(script, Exception):
            raise script
        return script


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2025-11-03 08:00", "2025-11-03 08:20"),
        ("2025-11-03 08:20", "2025-11-03 17:30"),
        ("2025-11-03 17:30", "2025-11-04 08:20"),
        ("2025-09-30 18:00", "2025-10-09 08:20"),
        ("2025-11-01 12:00", "2025-11-03 08:20"),
    ],
)
def test_it_collects_on_session_days_alone(tmp_path: Path, now: str, due: str) -> None:
    desk = Desk(tmp_path, MONDAY)
    at = datetime.fromisoformat(now).replace(tzinfo=MARKET_TZ)
    assert f"{desk.collector.due_after(at):%Y-%m-%d %H:%M}" == due


def test_a_missed_time_is_made_up_for_soon_after_a_start(tmp_path: Path) -> None:
    desk = Desk(tmp_path, MONDAY)
    assert desk.collector.first_due(MONDAY) == MONDAY + SETTLE
    (tmp_path / MARK_FILE).write_text("2025-11-03T08:20:00+08:00", encoding="utf-8")
    assert f"{desk.collector.first_due(MONDAY):%H:%M}" == "17:30"
    (tmp_path / MARK_FILE).write_text("2025-10-31T17:31:00+08:00", encoding="utf-8")
    assert desk.collector.first_due(MONDAY) == MONDAY + SETTLE


@pytest.mark.parametrize("mark", ["", "yesterday", "2025-11-03T08:20:00"])
def test_a_mark_that_is_no_time_is_none(tmp_path: Path, mark: str) -> None:
    (tmp_path / MARK_FILE).write_text(mark, encoding="utf-8")
    assert Desk(tmp_path, MONDAY).collector.first_due(MONDAY) == MONDAY + SETTLE


def test_a_collection_is_marked(tmp_path: Path) -> None:
    desk = Desk(tmp_path, MONDAY, [report("valuation")])
    desk.collector.collect()
    assert (tmp_path / MARK_FILE).read_text(encoding="utf-8") == MONDAY.isoformat()
    assert desk.told == []


def test_a_failure_and_a_recovery_are_told_once(tmp_path: Path) -> None:
    bad, good = [report("valuation", failed=True), report("news")], [report("valuation"), report("news")]
    desk = Desk(tmp_path, MONDAY, bad, bad, good, good)
    for _ in range(4):
        desk.collector.collect()
    assert [severity for severity, _ in desk.told] == [Severity.WARNING, Severity.INFO]
    assert desk.told[0][1].figures == {"count": "1", "names": "valuation", "why": "没有网络"}
    assert desk.told[1][1].figures == {"names": "valuation"}


@pytest.mark.parametrize("error", [DataError("the disk is full"), KeyError("x")])
def test_what_goes_wrong_is_told_and_is_no_collection(tmp_path: Path, error: Exception) -> None:
    desk = Desk(tmp_path, MONDAY, error)
    desk.collector.collect()
    assert [severity for severity, _ in desk.told] == [Severity.WARNING]
    assert not (tmp_path / MARK_FILE).exists()


def test_what_is_ended_midway_is_neither_marked_nor_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path, MONDAY, [report("valuation", failed=True)])
    desk.stopped.set()
    desk.collector.collect()
    assert desk.told == []
    assert not (tmp_path / MARK_FILE).exists()


def test_the_thread_collects_when_it_is_due_and_ends(tmp_path: Path) -> None:
    done = Event()
    clock = VirtualClock(MONDAY + timedelta(days=1))

    class Jumping(VirtualClock):
        """Each look finds it later, so that nothing is waited for."""

        def now(self) -> datetime:
            clock.set(clock.now() + timedelta(hours=1))
            return clock.now()

    def work() -> tuple[FamilyReport, ...]:
        done.set()
        return ()

    stopped = Event()
    collector = FactCollector(
        work, Jumping(MONDAY), default_calendar(), TIMES, lambda *_: None, tmp_path, stopped
    )
    collector.start()
    assert done.wait(30)
    collector.stop()


def test_an_empty_timetable_starts_nothing(tmp_path: Path) -> None:
    collector = FactCollector(
        lambda: (), VirtualClock(MONDAY), default_calendar(), (), lambda *_: None, tmp_path, Event()
    )
    collector.start()
    collector.stop()
