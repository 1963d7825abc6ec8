"""Clocks, timers and ids."""

from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest

from vnpy_aiagent.domain import MARKET_TZ, IdFactory, LiveClock, TimerQueue, VirtualClock

T0 = datetime(2024, 5, 6, 9, 30, tzinfo=MARKET_TZ)


def test_a_virtual_clock_stands_still_until_it_is_moved() -> None:
    clock = VirtualClock(T0)
    assert clock.now() == T0
    clock.set(T0 + timedelta(minutes=5))
    assert clock.now() == T0 + timedelta(minutes=5)


def test_a_virtual_clock_refuses_to_go_back() -> None:
    clock = VirtualClock(T0)
    clock.set(T0)
    with pytest.raises(ValueError, match="cannot go back"):
        clock.set(T0 - timedelta(microseconds=1))
    assert clock.now() == T0


def test_a_clock_needs_an_aware_time() -> None:
    with pytest.raises(ValueError, match="aware"):
        VirtualClock(T0.replace(tzinfo=None))


def test_clocks_speak_shanghai_time() -> None:
    assert VirtualClock(T0.astimezone(UTC)).now().utcoffset() == timedelta(hours=8)
    assert LiveClock().now().utcoffset() == timedelta(hours=8)


def test_deadlines_come_in_order_of_time_then_of_setting() -> None:
    queue = TimerQueue()
    for minutes, name in ((5, "c"), (1, "a"), (5, "d"), (3, "b")):
        queue.set(T0 + timedelta(minutes=minutes), name, {"unorderable": name})
    assert [timer.name for timer in queue] == ["a", "b", "c", "d"]
    taken = []
    while timer := queue.pop_due(T0 + timedelta(minutes=5)):
        taken.append(timer.name)
    assert taken == ["a", "b", "c", "d"]
    assert queue.next_deadline() is None


def test_a_deadline_is_due_at_its_moment_and_not_before() -> None:
    queue = TimerQueue()
    queue.set(T0, "x")
    assert queue.next_deadline() == T0
    assert queue.pop_due(T0 - timedelta(microseconds=1)) is None
    assert queue.pop_due(T0) is not None
    assert queue.pop_due(T0) is None


def test_a_new_deadline_wakes_a_waiting_thread() -> None:
    queue = TimerQueue()
    waiting, woken = Event(), Event()

    def wait() -> None:
        with queue.changed:
            waiting.set()
            if queue.changed.wait(30):
                woken.set()

    thread = Thread(target=wait)
    thread.start()
    assert waiting.wait(30)
    queue.set(T0, "x")
    thread.join(30)
    assert woken.is_set()


def test_ids_are_the_run_and_a_counter_that_goes_on_after_a_restart() -> None:
    ids = IdFactory("r2", start=41)
    assert [ids.next(), ids.next()] == ["r2-0000042", "r2-0000043"]


def test_ids_taken_by_many_threads_never_repeat() -> None:
    ids, taken = IdFactory("r1"), []
    threads = [Thread(target=lambda: taken.extend(ids.next() for _ in range(200))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(set(taken)) == 800
