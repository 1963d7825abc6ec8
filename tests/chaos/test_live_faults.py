"""A live engine while something around it breaks: gateway, clock, event thread, disk, another process."""

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from vnpy.event import Event

from tests.chaos.live_house import JumpClock, LiveHouse
from tests.integration.remote_house import until
from vnpy_aiagent import wiring
from vnpy_aiagent.control.watchdog import Watchdog
from vnpy_aiagent.domain import Severity
from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.recovery import Recovery
from vnpy_aiagent.store.journal import Journal

Make = Callable[..., LiveHouse]
LOCK = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
database.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
database.execute("ROLLBACK")
database.close()
"""


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes the one house of a test, and closes it."""
    made: list[LiveHouse] = []

    def build(**given: Any) -> LiveHouse:
        made.append(LiveHouse(tmp_path, monkeypatch, **given))
        return made[-1]

    yield build
    for house in made:
        house.close()


def test_a_gateway_gone_for_minutes_loses_no_fill_and_doubles_no_order(make: Make) -> None:
    house = make()
    house.rest("39.60", 200)
    house.server.stop()
    until(lambda: not house.trader.gateway.connected)
    house.clock.jump(timedelta(minutes=4))
    house.price("39.40")  # the order that rests is filled while nobody hears
    until(lambda: not house.reconciled())
    house.signal("40.10", 300)
    until(lambda: len(house.reasons()) == 1)
    assert "尚未与柜台核对一致" in house.reasons()[0]
    house.server.start()
    until(house.reconciled)
    assert house.held() == 200
    house.signal("40.10", 100)
    house.until(lambda: house.working() or house.held() == 300)
    house.price("40.00")
    house.until(lambda: house.held() == 300)
    house.agree()
    assert len(house.messages("Sent")) == 2


def test_a_blocked_event_thread_leaves_no_entry_at_the_exchange(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "Watchdog", partial(Watchdog, interval=0.1, patience=2.0))
    house = make()
    house.rest("39.60", 200)
    free = threading.Event()
    house.trader.main.event_engine.register("eBlock", lambda _: free.wait(20) and None)
    house.trader.main.event_engine.put(Event("eBlock"))
    until(lambda: not house.working())  # the watchdog cancelled it, from a thread of its own
    free.set()
    house.until(lambda: house.states() == [])
    house.until(lambda: any("恢复响应" in str(text) for text in house.alerts(Severity.INFO)))
    assert any("无响应" in str(text) for text in house.alerts(Severity.CRITICAL))
    house.until(house.reconciled)
    house.signal("40.10", 100)
    house.until(lambda: house.working() or house.held())
    house.price("40.00")
    house.until(lambda: house.held() == 100)
    house.agree()


@pytest.mark.parametrize(
    "by", [timedelta(minutes=20), timedelta(minutes=-20), timedelta(seconds=-4)], ids=str
)
def test_orders_and_stops_live_through_a_jump_of_the_machines_clock(make: Make, by: timedelta) -> None:
    clock = JumpClock()
    house = make(trader_clock=clock)
    house.rest("39.60", 200)
    clock.jump(by)
    house.price("39.40")
    house.until(lambda: house.held() == 200, price="39.40")
    clock.jump(-by)  # the machine's time service puts it right
    house.until(house.reconciled)
    house.signal("40.10", 100)
    house.until(lambda: house.working() or house.held() == 300)
    house.price("40.00")
    house.until(lambda: house.held() == 300)
    house.agree()


@pytest.mark.parametrize("by", [timedelta(minutes=30), timedelta(minutes=-30)], ids=str)
def test_trading_goes_on_by_the_new_time_after_a_jump(make: Make, by: timedelta) -> None:
    house = make()
    house.clock.jump(by)
    until(lambda: house.messages("AccountChecked")[-1].reconciled)
    house.until(house.reconciled)
    house.signal("40.10", 100)
    house.until(lambda: house.working() or house.held())
    house.price("40.00")
    house.until(lambda: house.held() == 100)
    house.agree()


def test_a_journal_that_another_process_locks_delays_orders_and_loses_none(make: Make) -> None:
    house = make()
    command = [sys.executable, "-c", LOCK, str(house.journal)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        house.signal("39.60", 200)
        house.until(lambda: house.states() == ["INTENDED"])
        time.sleep(1.0)
        assert house.working() == 0
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            _write(house.journal)
        other.communicate("")
    house.until(lambda: house.working() == 1)
    house.price("39.40")
    house.until(lambda: house.held() == 200)
    house.agree()
    assert len(house.messages("Sent")) == 1


def _write(journal: Path) -> None:
    database = sqlite3.connect(journal, isolation_level=None, timeout=0)
    try:
        database.execute("BEGIN IMMEDIATE")
    finally:
        database.close()


def test_on_a_full_disk_nothing_new_is_sent_and_what_fills_meanwhile_is_booked_later(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make()
    house.rest("39.60", 200)
    append, full = Journal.append, threading.Event()

    def failing(journal: Journal, drafts: Any, wall: str | None = None) -> Any:
        if full.is_set():
            raise JournalError("cannot write to the journal (database or disk is full)")
        return append(journal, drafts, wall)

    monkeypatch.setattr(Journal, "append", failing)
    full.set()
    house.signal("39.50", 300)
    house.until(lambda: "INTENDED" in house.states())
    house.price("39.40")
    house.until(lambda: house.held() == 200, price="39.40")
    assert house.working() == 0
    full.clear()
    house.until(lambda: any("日志写不进去" in str(text) for text in house.alerts(Severity.CRITICAL)))
    house.until(lambda: house.states() == [] or house.working() == 1)
    house.price("39.30")
    house.until(lambda: house.held() == 500, price="39.45")
    house.agree()
    assert len(house.messages("Fill")) == 2


def test_the_event_thread_acts_on_nothing_while_the_journal_is_being_restored(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop that the market hits in that moment once closed an order that was just being brought back."""
    run, heard, meanwhile = Recovery.run, [], []

    def slow(recovery: Any, restored: Any) -> None:
        recovery.house.bus.subscribe("eProbe", heard.append)
        recovery.house.bus.events.put(Event("eProbe", "probe"))
        time.sleep(0.5)
        meanwhile.append(list(heard))
        run(recovery, restored)

    monkeypatch.setattr(Recovery, "run", slow)
    house = make()
    assert meanwhile == [[]]
    house.until(lambda: heard == ["probe"])
