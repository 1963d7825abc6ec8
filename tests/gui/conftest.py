"""A Qt application without a screen, a finished simulation, and a window over it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from vnpy_aiagent.config import Settings
from vnpy_aiagent.data.hs300 import load_hs300
from vnpy_aiagent.domain import ApprovalAsked, ManualSlip, Mode, VirtualClock
from vnpy_aiagent.engine import AiAgentEngine
from vnpy_aiagent.sim.event_engine import DeterministicEventEngine
from vnpy_aiagent.simulation import Simulation

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
LIBRARIES = "libgl1 libegl1 libxkbcommon0 libfontconfig1 libglib2.0-0 libdbus-1-3 fonts-noto-cjk"
QT_PROBLEM = ""
try:
    from PySide6.QtCore import QEventLoop, QTimer
    from PySide6.QtWidgets import QApplication
    from shiboken6 import delete
except ImportError as error:
    QT_PROBLEM = f"Qt cannot be loaded ({error}): apt-get install {LIBRARIES}"


class NeedsQt(pytest.Module):
    """Stands for a test file that cannot be imported here, and says why."""

    def collect(self) -> list[pytest.Item]:
        """Nothing but the reason."""
        pytest.skip(QT_PROBLEM, allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Any, parent: Any) -> pytest.Module | None:
    """Test files here are imported where Qt is, and skipped with the reason elsewhere."""
    return NeedsQt.from_parent(parent, path=module_path) if QT_PROBLEM else None


START, END = date(2024, 9, 2), date(2024, 11, 20)
PATIENCE = 1_200


@pytest.fixture(scope="session")
def qapp() -> "QApplication":
    """The one application of the process."""
    found = QApplication.instance()
    return found if isinstance(found, QApplication) else QApplication([])


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    """Eleven weeks on the index, three accounts, the offline analyst; positions are held at the end."""
    journal = tmp_path_factory.mktemp("gui") / "journal.db"
    simulation = Simulation(load_hs300(), Settings(mode=Mode.SIMULATION), journal, start=START, end=END)
    simulation.run()
    return simulation


class Recorder:
    """An engine that shows a finished run and notes what it is told. Its clock stands until it is set."""

    COMMANDS = frozenset(
        (
            *("pause", "halt", "flatten", "resume", "run_job", "take_over", "hand_back"),
            *("cancel_trigger", "adjust_trigger", "move_stop", "approve", "refuse"),
        )
    )

    def __init__(self, engine: AiAgentEngine) -> None:
        self.real = engine
        self.closed = False
        self.started = True
        self.clock = VirtualClock(engine.parts.clock.now())
        self.parts = replace(engine.parts, clock=self.clock)
        self.calls: list[tuple[Any, ...]] = []
        self.answers: dict[str, Any] = {"flatten": []}
        self.waiting: list[ApprovalAsked] = []
        self.by_hand: list[ManualSlip] = []

    def __getattr__(self, name: str) -> Any:
        if name in self.COMMANDS:
            return partial(self._note, name)
        return getattr(self.real, name)

    def _note(self, name: str, *args: Any, **named: Any) -> Any:
        self.calls.append((name, *args, *named.values()))
        answer = self.answers.get(name)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def pending_approvals(self) -> list[ApprovalAsked]:
        return list(self.waiting)

    def slips(self) -> list[ManualSlip]:
        return list(self.by_hand)

    def heartbeats(self) -> dict[str, datetime]:
        return {"RISK": self.clock.now() - timedelta(seconds=7)}

    def breadth(self) -> tuple[int, int, int]:
        return 3, 1, 2


@pytest.fixture
def engine(run: Simulation) -> Recorder:
    """The engine of the finished run, as it is shown while it runs."""
    return Recorder(run.engine)


@pytest.fixture
def wait_for(qapp: Any) -> Callable[[Callable[[], Any]], None]:
    """Let the event loop run until something holds; the test fails where it never does."""

    def wait(holds: Callable[[], Any]) -> None:
        for _ in range(PATIENCE):
            if holds():
                return
            loop = QEventLoop()  # exec lets other threads run, which QTest.qWait does not
            QTimer.singleShot(25, loop.quit)
            loop.exec()
        pytest.fail("the window never came to the expected state")

    return wait


@pytest.fixture
def make_window(qapp: Any, wait_for: Callable[..., None]) -> Iterator[Callable[..., Any]]:
    """Windows over an engine; they are closed afterwards, and what they run has ended."""
    from vnpy_aiagent.ui import AiAgentManager

    windows: list[AiAgentManager] = []

    def make(
        engine: Any, events: Any = None, language: str = "zh", journal: str | None = None
    ) -> AiAgentManager:
        main_engine: Any = SimpleNamespace(get_engine=lambda name: engine, gateways={})
        window = AiAgentManager(main_engine, events or DeterministicEventEngine(), language, journal)
        windows.append(window)
        window.show()
        return window

    yield make
    for window in windows:
        window.close()
        wait_for(lambda window=window: window.background.busy == 0)
        window.feed.close()
        window.tail.close()
        delete(window)  # here and now: a collection on another thread must not find it
