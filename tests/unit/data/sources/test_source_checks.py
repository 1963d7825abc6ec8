"""The hourly self-check of a running engine: a deadline, a thread, one at a time."""

from datetime import timedelta
from pathlib import Path
from threading import Event
from threading import enumerate as threads
from typing import Any

import pytest

from vnpy_aiagent.data.sources.notebook import SourceNotebook
from vnpy_aiagent.data.sources.port import BarRequest
from vnpy_aiagent.data.sources.router import BarRouter
from vnpy_aiagent.domain import Severity, TimerQueue
from vnpy_aiagent.source_checks import SOURCES_TIMER, SourceChecks

from .fakes import NOW, Source, clock, series, unreachable


class Probed(Source):
    """Keeps the requests; waits until it may go on."""

    def __init__(self, fault: Exception | None = None) -> None:
        super().__init__("a", fault=fault)
        self.go_on, self.requests = Event(), list[BarRequest]()
        self.go_on.set()

    def fetch(self, request: BarRequest, now: Any, turn: Any) -> Any:
        self.requests.append(request)
        assert self.go_on.wait(30)
        if isinstance(self.fault, Exception):
            raise self.fault
        return series(request, now)


class House:
    def __init__(self, source: Probed, folder: Path, minutes: float = 60) -> None:
        self.timers, self.said, self.source = TimerQueue(), list[tuple[Severity, str]](), source
        self.checks = SourceChecks(
            BarRouter([source], clock()),
            clock(),
            self.timers,
            lambda severity, text: self.said.append((severity, str(text))),
            minutes,
            SourceNotebook(folder / "sources.db"),
            lambda: ("510300.SSE", "600519.SSE"),
        )

    def run(self) -> None:
        self.checks.on_timer(None)
        self.join()

    def join(self) -> None:
        for thread in threads():
            if thread.name == "aiagent-sources":
                thread.join(30)


def test_a_check_comes_every_hour_and_asks_for_what_runs(tmp_path: Path) -> None:
    house = House(Probed(), tmp_path)
    house.checks.plan()
    assert [(timer.name, timer.when) for timer in house.timers] == [(SOURCES_TIMER, NOW + timedelta(hours=1))]
    house.run()
    assert len(list(house.timers)) == 2, "the next one is planned"
    assert [request.vt_symbol for request in house.source.requests] == ["510300.SSE"]
    assert [note.source for note in SourceNotebook(tmp_path / "sources.db").health()] == ["a"]
    assert house.said == []


def test_zero_minutes_is_never(tmp_path: Path) -> None:
    house = House(Probed(), tmp_path, minutes=0)
    house.checks.plan()
    assert list(house.timers) == []


def test_a_loss_is_an_alert(tmp_path: Path) -> None:
    house = House(Probed(unreachable("a")), tmp_path)
    house.run()
    house.run()
    assert [severity for severity, _ in house.said] == [Severity.WARNING]


def test_two_checks_never_run_at_a_time(tmp_path: Path) -> None:
    house = House(Probed(), tmp_path)
    house.source.go_on.clear()
    house.checks.on_timer(None)
    house.checks.on_timer(None)
    house.source.go_on.set()
    house.join()
    assert len(house.source.requests) == 1
    house.run()
    assert len(house.source.requests) == 2


def test_what_nobody_expected_is_told_and_the_next_check_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(Probed(KeyError("x")), tmp_path)
    house.run()
    assert len(house.said) == 1
    assert "数据来源没能自检" in house.said[0][1]
    house.source.fault = None
    house.run()
    assert len(house.said) == 1
