"""What the window costs, in one process and one run; prints a table. Nothing here is asserted.

    python benchmarks/gui.py

Needs no screen (Qt's offscreen plugin). docs/benchmarks.md holds a measured table. Figures of a loaded
machine differ; compare what stands side by side in one run.
"""

import os
import sys
import threading
import time
from datetime import date, datetime, timedelta
from statistics import median
from types import SimpleNamespace
from typing import Any

from scratch import enter

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = enter()

from PySide6.QtCore import QEventLoop, QTimer  # noqa: E402
from PySide6.QtWidgets import QApplication, QTableView  # noqa: E402
from shiboken6 import delete  # noqa: E402
from vnpy.event import Event, EventEngine  # noqa: E402
from vnpy.trader.event import EVENT_LOG  # noqa: E402
from vnpy.trader.object import LogData  # noqa: E402

from vnpy_aiagent.base import APP_NAME, EVENT_AI_STATUS  # noqa: E402
from vnpy_aiagent.config import Settings  # noqa: E402
from vnpy_aiagent.data.hs300 import load_hs300  # noqa: E402
from vnpy_aiagent.domain import (  # noqa: E402
    MARKET_TZ,
    Action,
    Activity,
    AgentName,
    AgentStatus,
    Mode,
    Proposal,
)
from vnpy_aiagent.simulation import Simulation  # noqa: E402
from vnpy_aiagent.store.chain import Draft  # noqa: E402
from vnpy_aiagent.store.journal import Journal  # noqa: E402
from vnpy_aiagent.store.writer import JournalWriter  # noqa: E402
from vnpy_aiagent.ui.decision_rows import DecisionStream  # noqa: E402
from vnpy_aiagent.ui.decisions import decision_columns  # noqa: E402
from vnpy_aiagent.ui.rows import RowsModel, table_of  # noqa: E402
from vnpy_aiagent.ui.window import AiAgentManager  # noqa: E402
from vnpy_aiagent.ui.words import Words  # noqa: E402

AT = datetime(2025, 1, 2, 9, 35, tzinfo=MARKET_TZ)
EVENT_PROBE = "eProbe"
RATE, SECONDS, ROUNDS = 2_000, 3.0, 9
STATUS_EVERY, LOG_EVERY = 20, 100
"""Of the events each 20th is an agent's status; each 100th brings a line of the log and a decision."""


def proposal(number: int) -> Proposal:
    """One decision for the stream."""
    return Proposal(
        id=f"b{number}",
        at=AT + timedelta(seconds=number),
        account="judge",
        request_id="q",
        decision_id=f"d{number}",
        symbol="600519.SSE",
        action=Action.BUY,
        confidence=0.7,
        valid_until=AT + timedelta(days=1),
    )


# the list of decisions


def list_of(app: QApplication, rows: int) -> tuple[QTableView, RowsModel[Any], DecisionStream]:
    """A visible list with so many decisions."""
    stream = DecisionStream()
    model = RowsModel(decision_columns(Words("zh")), lambda row: row.id, newest_first=True, limit=20_000)
    model.append(stream.fold([proposal(number) for number in range(rows)]))
    table = table_of(model, (98, 95, 112, 58, 88, 84, 76, 76, 200, 115))
    table.resize(1240, 320)
    table.show()
    app.processEvents()
    return table, model, stream


def per_insert(app: QApplication, rows: int, count: int = 300) -> float:
    """Milliseconds to add one decision to so many and paint, median."""
    table, model, stream = list_of(app, rows)
    costs = []
    for number in range(rows, rows + count):
        began = time.perf_counter()
        model.append(stream.fold([proposal(number)]))
        app.processEvents()
        costs.append(time.perf_counter() - began)
    delete(table)
    return median(costs) * 1_000


def per_scroll(app: QApplication, rows: int, count: int = 300) -> float:
    """Milliseconds for one step of the scroll bar with its painting, median."""
    table, _, _ = list_of(app, rows)
    bar = table.verticalScrollBar()
    costs = []
    for number in range(count):
        began = time.perf_counter()
        bar.setValue(number * 7 % bar.maximum())
        app.processEvents()
        costs.append(time.perf_counter() - began)
    delete(table)
    return median(costs) * 1_000


def per_reload(app: QApplication, rows: int, count: int = 5) -> float:
    """Milliseconds to give a list all its rows anew and paint, median: what the window never does."""
    table, model, _ = list_of(app, rows)
    kept = [model.row_at(number) for number in range(rows)]
    costs = []
    for _ in range(count):
        began = time.perf_counter()
        model._replace(kept)
        app.processEvents()
        costs.append(time.perf_counter() - began)
    delete(table)
    return median(costs) * 1_000


# the event thread


class Shown:
    """A finished run as an engine that still runs, on a real event engine."""

    def __init__(self, simulation: Simulation) -> None:
        self.real = simulation.engine
        self.started, self.closed = True, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def heartbeats(self) -> dict[str, datetime]:
        """None."""
        return {}

    def breadth(self) -> tuple[int, int, int]:
        """None."""
        return 0, 0, 0

    def pending_approvals(self) -> list[Any]:
        """None."""
        return []

    def slips(self) -> list[Any]:
        """None."""
        return []


class Feeder:
    """Puts events at a steady rate from a thread of its own, and measures from put to handler."""

    def __init__(self, events: EventEngine, writer: JournalWriter) -> None:
        self.events, self.writer = events, writer
        self.delays: list[float] = []
        self._number = 0
        events.register(EVENT_PROBE, self._measure)

    def _measure(self, event: Event) -> None:
        self.delays.append(time.perf_counter() - event.data)

    def run(self, seconds: float) -> list[float]:
        """Delays in seconds of what was put meanwhile."""
        self.delays = []
        began = time.perf_counter()
        for number in range(int(seconds * RATE)):
            pause = began + number / RATE - time.perf_counter()
            if pause > 0:
                time.sleep(pause)
            self._put()
        time.sleep(0.3)
        return self.delays

    def _put(self) -> None:
        self._number += 1
        if self._number % STATUS_EVERY == 0:
            agent = AgentName.ANALYSIS if self._number % (2 * STATUS_EVERY) else AgentName.RISK
            status = AgentStatus(id="", at=AT, agent=agent, activity=Activity.ANALYZING, detail="600519.SSE")
            self.events.put(Event(EVENT_AI_STATUS, status))
        elif self._number % LOG_EVERY == 1:
            self.events.put(Event(EVENT_LOG, LogData(msg="一行", level=20, gateway_name=APP_NAME)))
            each = proposal(self._number)
            body = each.model_dump_json()
            self.writer.submit(Draft(each.id, each.at.isoformat(), each.kind, each.account, None, body))
        self.events.put(Event(EVENT_PROBE, time.perf_counter()))


def measured(feeder: Feeder, seconds: float) -> list[float]:
    """What the feeder measures while Qt's loop runs here."""
    found: list[float] = []
    loop = QEventLoop()

    def work() -> None:
        found.extend(feeder.run(seconds))

    thread = threading.Thread(target=work)
    watch = QTimer()
    watch.timeout.connect(lambda: None if thread.is_alive() else loop.quit())
    watch.start(50)
    thread.start()
    loop.exec()
    thread.join()
    return found


def percentile(values: list[float], share: float) -> float:
    """Microseconds below which this share lies."""
    return sorted(values)[int(share * (len(values) - 1))] * 1e6


def open_window(app: QApplication, events: EventEngine, simulation: Simulation) -> tuple[Any, float]:
    """The window over a finished run, and the seconds until it is painted."""
    host: Any = SimpleNamespace(get_engine=lambda _: Shown(simulation))
    began = time.perf_counter()
    window = AiAgentManager(host, events, "zh", str(simulation.journal))
    window.show()
    app.processEvents()
    return window, time.perf_counter() - began


def close_window(app: QApplication, window: Any) -> None:
    """End it and what it runs."""
    window._timer.stop()
    window.close()
    while window.background.busy:
        app.processEvents()
    window.feed.close()
    window.tail.close()
    delete(window)


def event_thread(app: QApplication, simulation: Simulation) -> None:
    """Delays with and without the window, in turns; prints them."""
    events = EventEngine()
    events.start()
    writer = JournalWriter(Journal.open(str(simulation.journal), owner="bench"))
    feeder = Feeder(events, writer)
    delays: dict[bool, list[list[float]]] = {False: [], True: []}
    openings, rows = [], 0
    for _ in range(ROUNDS):
        measured(feeder, 0.5)
        delays[False].append(measured(feeder, SECONDS))
        window, opening = open_window(app, events, simulation)
        openings.append(opening)
        measured(feeder, 2.0)  # it reads the history meanwhile, as once after its opening
        delays[True].append(measured(feeder, SECONDS))
        rows = window.decisions.model.rowCount()
        close_window(app, window)
    writer.close()
    events.stop()
    show("the window opens (constructed, shown, painted), slowest", max(openings) * 1_000, "ms")
    show("decisions in its list at the end", rows, "")
    for shown, name in ((False, "without the window"), (True, "with the window")):
        for tag, at in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
            found = [percentile(each, at) for each in delays[shown]]
            spread = f"rounds {min(found):,.0f} to {max(found):,.0f}"
            show(f"put to handle, {RATE} events/s, {name}, {tag}", median(found), "µs", spread)
    both = zip(delays[False], delays[True], strict=True)
    added = [percentile(shown, 0.99) - percentile(without, 0.99) for without, shown in both]
    show("added by the window at p99, median of the rounds", median(added), "µs")


def show(name: str, value: float, unit: str, beside: str = "") -> None:
    """One line of the table."""
    print(f"{name:<62} {value:>10,.2f} {unit:<3} {beside}".rstrip(), flush=True)


def main() -> None:
    """Measure and print."""
    found = QApplication.instance()
    app = found if isinstance(found, QApplication) else QApplication(sys.argv)
    few, many = 100, 10_000
    for name, work in (("insert one decision and paint", per_insert), ("one scroll step", per_scroll)):
        small, large = work(app, few), work(app, many)
        show(f"{name}, {few:,} rows", small, "ms")
        show(f"{name}, {many:,} rows", large, "ms", f"ratio {large / small:.2f}")
    reload, insert = per_reload(app, many), per_insert(app, many)
    show(
        f"full reload of {many:,} rows, which the window never does",
        reload,
        "ms",
        f"ratio {reload / insert:.1f} to an insert",
    )
    simulation = Simulation(
        load_hs300(), Settings(mode=Mode.SIMULATION), ROOT / "journal.db",
        start=date(2024, 9, 2), end=date(2024, 12, 31),
    )  # fmt: skip
    simulation.run()
    event_thread(app, simulation)


if __name__ == "__main__":
    main()
