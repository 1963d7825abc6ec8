"""The machine's clock may step back; a job for one day runs once."""

from pathlib import Path

import pytest
from vnpy.event import Event

from vnpy_aiagent.base import EVENT_AI_TIMER
from vnpy_aiagent.config import Job
from vnpy_aiagent.domain import EquityMark, ScheduleFired

from .small_house import SmallHouse, at

DAY, NEXT = "2025-07-10", "2025-07-11"
REVIEW = Job.model_validate({"name": "review", "at": "10:00", "on": "session", "task": "review"})


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def fire(house: SmallHouse, due: str, *, shown: str) -> None:
    """Deadlines come, and their handlers see a clock that was put back meanwhile."""
    timers = []
    while (timer := house.timers.pop_due(at(due))) is not None:
        timers.append(timer)
    house.clock.moment = at(shown)
    for timer in timers:
        house.events.put(Event(EVENT_AI_TIMER, timer))
    house.events.drain()


def days(house: SmallHouse) -> list[str]:
    return [fired.due.date().isoformat() for fired in house.said(ScheduleFired)]


def test_a_job_does_not_run_again_after_the_clock_stepped_back(journal: Path) -> None:
    with SmallHouse(journal, f"{DAY}T09:59", schedule=(REVIEW,)) as house:
        fire(house, f"{DAY}T10:00", shown=f"{DAY}T09:59")
        house.go(f"{DAY}T10:05")
        assert days(house) == [DAY]
        house.go(f"{NEXT}T10:05")
        assert days(house) == [DAY, NEXT]


def test_a_job_does_not_run_again_after_a_restart_before_its_time(journal: Path) -> None:
    with SmallHouse(journal, f"{DAY}T09:59", schedule=(REVIEW,)) as house:
        house.go(f"{DAY}T10:01")
    with SmallHouse(journal, f"{DAY}T09:58", schedule=(REVIEW,)) as house:
        house.go(f"{DAY}T10:30")
        assert days(house) == [DAY]
        house.go(f"{NEXT}T10:00")
        assert days(house) == [DAY, NEXT]


def test_a_humans_own_run_does_not_replace_that_of_the_timetable(journal: Path) -> None:
    with SmallHouse(journal, f"{DAY}T09:30", schedule=(REVIEW,)) as house:
        house.engine.run_job("review")
    with SmallHouse(journal, f"{DAY}T09:40", schedule=(REVIEW,)) as house:
        house.go(f"{DAY}T10:05")
        assert len(days(house)) == 2


def test_a_session_is_valued_once_although_the_clock_stepped_back_at_its_close(journal: Path) -> None:
    with SmallHouse(journal, f"{DAY}T14:59") as house:
        fire(house, f"{DAY}T15:00", shown=f"{DAY}T14:59")
        house.go(f"{DAY}T15:30")
        house.go(f"{NEXT}T15:30")
        assert [mark.day.isoformat() for mark in house.said(EquityMark)] == [DAY, NEXT]
