"""The threads that bring deadlines and commands in, and the watchdog; every wait is for an event."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from threading import Event, Lock
from types import SimpleNamespace

import pytest

from vnpy_aiagent.control import watchdog as watchdog_module
from vnpy_aiagent.control.driver import ClockDriver, InboxPoller
from vnpy_aiagent.control.watchdog import Watchdog
from vnpy_aiagent.domain import MARKET_TZ, Timer, TimerQueue
from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.store.inbox import Command

T0 = datetime(2024, 5, 6, 9, 30, tzinfo=MARKET_TZ)
LONG = 30.0


class Gathered:
    """Things that a thread handed over, and a flag once there are enough."""

    def __init__(self, enough: int) -> None:
        self.items: list[object] = []
        self._enough = enough
        self._lock = Lock()
        self.done = Event()

    def __call__(self, item: object = None) -> None:
        with self._lock:
            self.items.append(item)
            if len(self.items) >= self._enough:
                self.done.set()


class StillClock:
    """A clock of which a test moves the hands."""

    def __init__(self) -> None:
        self.time = T0

    def now(self) -> datetime:
        return self.time


def test_due_deadlines_are_handed_over_in_order() -> None:
    timers, got = TimerQueue(), Gathered(2)
    timers.set(T0, "second-set", 1)
    timers.set(T0 - timedelta(seconds=5), "earlier", 2)
    timers.set(T0 + timedelta(days=1), "tomorrow")
    driver = ClockDriver(StillClock(), timers, got)
    driver.start()
    assert got.done.wait(LONG)
    driver.stop()
    assert [timer.name for timer in got.items if isinstance(timer, Timer)] == ["earlier", "second-set"]
    assert timers.next_deadline() == T0 + timedelta(days=1)


def test_a_deadline_that_is_set_later_wakes_the_driver() -> None:
    timers, got = TimerQueue(), Gathered(1)
    driver = ClockDriver(StillClock(), timers, got)
    driver.start()
    timers.set(T0 + timedelta(days=1), "far")
    timers.set(T0, "now")
    assert got.done.wait(LONG)
    driver.stop()
    assert [timer.name for timer in got.items if isinstance(timer, Timer)] == ["now"]


def test_a_driver_that_was_never_started_can_be_stopped() -> None:
    ClockDriver(StillClock(), TimerQueue(), lambda timer: None).stop()
    InboxPoller(FakeInbox([]), lambda command: None, lambda text: None).stop()
    Watchdog(lambda: None, lambda seconds: None, lambda: None).stop()


def command(number: int) -> Command:
    return Command(number, "pause", {}, "test", T0.isoformat())


class FakeInbox:
    """Answers `take` from a script; afterwards it is empty."""

    def __init__(self, script: Sequence[list[Command] | Exception]) -> None:
        self._script: Iterator[list[Command] | Exception] = iter(script)
        self.exhausted = Event()

    def take(self) -> list[Command]:
        answer = next(self._script, None)
        if answer is None:
            self.exhausted.set()
            return []
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_command_that_is_listed_until_done_is_handed_over_once() -> None:
    inbox, got = FakeInbox([[command(1)], [command(1), command(2)], [command(2)]]), Gathered(2)
    poller = InboxPoller(inbox, got, pytest.fail, interval=0.001)
    poller.start()
    assert inbox.exhausted.wait(LONG)
    poller.stop()
    assert [item.id for item in got.items if isinstance(item, Command)] == [1, 2]


def test_a_command_is_answered_once_what_it_did_is_on_the_disk() -> None:
    story: list[str] = []
    inbox = FakeInbox([])
    inbox.done = lambda number, result: story.append(f"{number} {result}")  # type: ignore[attr-defined]
    poller = InboxPoller(inbox, pytest.fail, pytest.fail, interval=0.001, settle=lambda: story.append("disk"))  # type: ignore[arg-type]
    poller.start()
    poller.answer(7, "ok")
    poller.stop()
    assert story == ["disk", "7 ok"]


def test_storage_trouble_is_reported_once_a_spell_and_polling_goes_on() -> None:
    script = [
        JournalError("disk full"),
        JournalError("disk full"),
        [command(1)],
        JournalError("gone"),
        [command(2)],
    ]
    inbox, got, troubles = FakeInbox(script), Gathered(2), Gathered(2)
    poller = InboxPoller(inbox, got, troubles, interval=0.001)
    poller.start()
    assert inbox.exhausted.wait(LONG)
    poller.stop()
    assert troubles.items == ["disk full", "gone"]
    assert [item.id for item in got.items if isinstance(item, Command)] == [1, 2]


def test_any_other_error_is_told_once_a_spell_too_and_commands_still_come() -> None:
    inbox = FakeInbox([TypeError("no bytes"), ValueError("bad row"), [command(1)]])
    got, troubles = Gathered(1), Gathered(1)

    def tell(text: str) -> None:
        troubles(text)
        raise RuntimeError("nobody listens")

    poller = InboxPoller(inbox, got, tell, interval=0.001)
    poller.start()
    assert inbox.exhausted.wait(LONG)
    poller.stop()
    assert troubles.items == ["TypeError: no bytes"]
    assert [item.id for item in got.items if isinstance(item, Command)] == [1]


def test_a_silent_event_thread_is_noticed_once_and_its_return_too(monkeypatch: pytest.MonkeyPatch) -> None:
    hands = SimpleNamespace(seconds=100.0, pings=0, echo=True)
    monkeypatch.setattr(watchdog_module, "time", SimpleNamespace(monotonic=lambda: hands.seconds))
    stalled, recovered, calm = Gathered(1), Gathered(1), Event()

    def ping() -> None:
        hands.pings += 1
        hands.seconds += 1.0
        hands.echo = not 3 <= hands.pings < 14
        if hands.echo:
            dog.echo()
        if hands.pings > 20:
            calm.set()

    dog = Watchdog(ping, stalled, recovered, interval=0.001, patience=5.0)
    dog.start()
    assert calm.wait(LONG)
    dog.stop()
    assert stalled.items == [6.0]
    assert recovered.items == [None]
    assert not dog.stalled


def test_an_event_thread_that_never_answers_stays_stalled(monkeypatch: pytest.MonkeyPatch) -> None:
    hands = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(watchdog_module, "time", SimpleNamespace(monotonic=lambda: hands.seconds))
    stalled, many = Gathered(1), Gathered(20)

    def ping() -> None:
        hands.seconds += 1.0
        many()

    dog = Watchdog(ping, stalled, pytest.fail, interval=0.001, patience=5.0)
    dog.start()
    assert many.done.wait(LONG)
    dog.stop()
    assert dog.stalled
    assert len(stalled.items) == 1
