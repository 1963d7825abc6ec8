"""The clock that runs faster and skips, and the driver of timers on it."""

from datetime import datetime, timedelta
from threading import Event

import pytest

from vnpy_aiagent.control.driver import ClockDriver
from vnpy_aiagent.domain import (
    MARKET_TZ,
    LiveClock,
    Timer,
    TimerQueue,
    VirtualClock,
    steady_seconds,
    wall_seconds,
)
from vnpy_aiagent.testing.speed_clock import JUMP, Pace, SpeedClock

SEVEN = datetime(2025, 10, 30, 7, 0, tzinfo=MARKET_TZ)


def at(hour: int, minute: int = 0) -> datetime:
    return SEVEN.replace(hour=hour, minute=minute)


class Machine:
    """The machine's monotonic clock, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def a_clock(machine: Machine) -> SpeedClock:
    """Ten times the speed to eight, nothing to nine, a hundred times the speed to ten, then the machine's."""
    paces = (Pace(at(8), 10.0), Pace(at(9), JUMP), Pace(at(10), 100.0))
    return SpeedClock(SEVEN, paces, monotonic=machine)


def test_market_time_follows_each_pace_and_skips_the_jump() -> None:
    machine = Machine()
    clock = a_clock(machine)
    seen = []
    for seconds in (0, 60, 359, 360, 361, 396, 406):
        machine.seconds = 1000.0 + seconds
        seen.append(f"{clock.now():%H:%M:%S}")
    assert seen == ["07:00:00", "07:10:00", "07:59:50", "09:00:00", "09:01:40", "10:00:00", "10:00:10"]


def test_waiting_is_told_in_seconds_of_the_machine() -> None:
    machine = Machine()
    clock = a_clock(machine)
    assert wall_seconds(clock, at(7, 30)) == pytest.approx(180)
    assert wall_seconds(clock, at(8, 30)) == pytest.approx(360), "what is skipped is over with the jump"
    assert wall_seconds(clock, at(9, 30)) == pytest.approx(378)
    assert wall_seconds(clock, at(10, 1)) == pytest.approx(456)
    machine.seconds += 180
    assert wall_seconds(clock, at(7, 30)) == pytest.approx(0)
    assert clock.now() == at(7, 30)


def test_waiting_on_a_clock_without_a_pace_is_the_difference() -> None:
    clock = VirtualClock(SEVEN)
    assert wall_seconds(clock, SEVEN + timedelta(seconds=90)) == 90
    before = steady_seconds(LiveClock())
    assert 0 <= steady_seconds(LiveClock()) - before < 30


def test_steady_seconds_run_at_the_clocks_pace() -> None:
    machine = Machine()
    clock = a_clock(machine)
    before = steady_seconds(clock)
    machine.seconds += 6
    assert steady_seconds(clock) - before == pytest.approx(60)


def test_two_clocks_with_one_origin_agree() -> None:
    machine = Machine()
    first = SpeedClock(SEVEN, (Pace(at(8), 7.0),), origin=990.0, monotonic=machine)
    second = SpeedClock(SEVEN, (Pace(at(8), 7.0),), origin=990.0, monotonic=machine)
    assert first.now() == second.now() == SEVEN + timedelta(seconds=70)
    assert first.at(991.0) == SEVEN + timedelta(seconds=7)


def test_before_its_origin_a_clock_shows_its_start() -> None:
    clock = SpeedClock(SEVEN, (), origin=1010.0, monotonic=Machine())
    assert clock.now() == SEVEN
    assert clock.wall_seconds(SEVEN + timedelta(seconds=1)) == pytest.approx(11)


@pytest.mark.parametrize(
    ("paces", "after"),
    [
        ((Pace(at(6), 2.0),), 1.0),
        ((Pace(at(8), 0.0),), 1.0),
        ((), JUMP),
        ((Pace(at(8).replace(tzinfo=None), 1.0),), 1.0),
    ],
)
def test_paces_that_make_no_sense_are_refused(paces: tuple[Pace, ...], after: float) -> None:
    with pytest.raises(ValueError, match=r"pace|rate|aware"):
        SpeedClock(SEVEN, paces, after=after)


def test_the_driver_delivers_an_hour_of_timers_in_a_moment_and_in_order() -> None:
    clock = SpeedClock(SEVEN, (Pace(at(8), 36_000.0), Pace(at(9), JUMP)))
    timers, seen, done = TimerQueue(), [], Event()

    def deliver(timer: Timer) -> None:
        seen.append((timer.name, clock.now() - timer.when))
        if len(seen) == 3:
            done.set()

    for name, when in (("later", at(7, 50)), ("skipped", at(8, 30)), ("soon", at(7, 10))):
        timers.set(when, name)
    driver = ClockDriver(clock, timers, deliver)
    driver.start()
    try:
        assert done.wait(30)
    finally:
        driver.stop()
    assert [name for name, _ in seen] == ["soon", "later", "skipped"]
    assert all(late >= timedelta(0) for _, late in seen)
