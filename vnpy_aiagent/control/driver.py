"""Threads that bring the outside to the event thread: deadlines of the clock, commands of the inbox."""

import logging
from collections import deque
from collections.abc import Callable
from threading import Event as Flag
from threading import Thread

from vnpy_aiagent.domain import Clock, Timer, TimerQueue, wall_seconds
from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.store.inbox import Command, Inbox

LONGEST_WAIT = 60.0

_log = logging.getLogger(__name__)


class ClockDriver:
    """Waits for the next deadline, not in steps, and hands due timers over."""

    def __init__(self, clock: Clock, timers: TimerQueue, deliver: Callable[[Timer], None]) -> None:
        """`deliver` puts the timer on the event engine."""
        self._clock = clock
        self._timers = timers
        self._deliver = deliver
        self._stopped = False
        self._thread = Thread(target=self._run, name="aiagent-clock", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        with self._timers.changed:
            self._stopped = True
            self._timers.changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(2)

    def _run(self) -> None:
        while not self._stopped:
            timer = self._timers.pop_due(self._clock.now())
            if timer is not None:
                self._deliver(timer)
                continue
            with self._timers.changed:  # re-entrant; a timer set meanwhile wakes the wait
                due = self._timers.next_deadline()
                wait = LONGEST_WAIT if due is None else wall_seconds(self._clock, due)
                if not self._stopped and wait > 0:
                    self._timers.changed.wait(min(wait, LONGEST_WAIT))


class InboxPoller:
    """Takes commands that other processes left and hands each over once."""

    def __init__(
        self,
        inbox: Inbox,
        deliver: Callable[[Command], None],
        on_error: Callable[[str], None],
        *,
        interval: float = 0.2,
        settle: Callable[[], object] = lambda: None,
    ) -> None:
        """`deliver` puts the command on the event engine; `on_error` hears of storage trouble.

        `settle` waits, in this thread, until what a command did is on the disk; its answer comes after that.
        """
        self._inbox = inbox
        self._deliver = deliver
        self._on_error = on_error
        self._interval = interval
        self._settle = settle
        self._stop = Flag()
        self._seen: set[int] = set()
        self._answers: deque[tuple[int, str]] = deque()
        self._failing = False
        self._thread = Thread(target=self._run, name="aiagent-inbox", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def answer(self, number: int, result: str) -> None:
        """Keep a command's result; this thread stores it, so the caller never waits for the disk."""
        self._answers.append((number, result))

    def stop(self) -> None:
        """End the thread, once the answers that are known are stored."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        running = True
        while running:
            running = not self._stop.wait(self._interval)
            try:
                self._look(taking=running)
                self._failing = False
            except Exception as error:  # noqa: BLE001 - whatever failed, the next command must still be heard
                self._tell(error)

    def _look(self, *, taking: bool) -> None:
        self._store_answers()
        for command in self._inbox.take() if taking else []:
            if command.id not in self._seen:
                self._seen.add(command.id)
                self._deliver(command)

    def _tell(self, error: Exception) -> None:
        """Trouble is told once a spell."""
        if self._failing:
            return
        self._failing = True
        known = isinstance(error, JournalError)
        try:
            self._on_error(str(error) if known else f"{type(error).__name__}: {error}")
        except Exception:  # noqa: BLE001 - telling may fail as well, and the thread goes on
            _log.exception("trouble of the inbox could not be told")

    def _store_answers(self) -> None:
        """Store answers in order; one that could not be stored stays first."""
        if self._answers:
            self._settle()
        while self._answers:
            self._inbox.done(*self._answers[0])
            self._answers.popleft()
