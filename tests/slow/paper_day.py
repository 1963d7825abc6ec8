"""The trading process of the paper day: VeighNa's window, the app, real clicks, and a stopwatch on it all.

    python paper_day.py FOLDER

FOLDER holds `.vntrader` with history, settings and the addresses of the stand-ins. Says `{"ready": true}`,
reads the clock's origin (seconds of the machine's monotonic clock) from standard input, lives through the
day, and prints one JSON object.
"""

import faulthandler
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

Step = datetime | Callable[[], Any]
Silence = tuple[float, float, str]
"""Seconds, what the process computed meanwhile (CPU seconds), and the market time of its end."""
PATIENCE = 40.0  # seconds of the machine that a click's effect may take
BEAT_MS, PING_SECONDS = 20, 0.05


class Stopwatch:
    """The longest silence of the GUI thread and of the event thread, and when each was."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.gaps: list[Silence] = []
        self.stalls: list[Silence] = []
        self.pings = self.beats = 0
        self._beat, self._used = time.monotonic(), time.process_time()
        self._stop = threading.Event()

    def restart(self) -> None:
        """Silence counts from now."""
        self._beat, self._used = time.monotonic(), time.process_time()

    def beat(self) -> None:
        """The GUI thread's timer came."""
        self.beats += 1
        moment, used = time.monotonic(), time.process_time()
        self._note(self.gaps, moment - self._beat, used - self._used)
        self._beat, self._used = moment, used

    def echo(self, event: Any) -> None:
        """The event thread handled a ping."""
        self.pings += 1
        self._note(self.stalls, time.monotonic() - event.data[0], time.process_time() - event.data[1])

    def ping(self, events: Any) -> threading.Thread:
        """Ping the event thread until `stop`."""
        from vnpy.event import Event

        def run() -> None:
            while not self._stop.wait(PING_SECONDS):
                events.put(Event("eTestPing", (time.monotonic(), time.process_time())))

        events.register("eTestPing", self.echo)
        thread = threading.Thread(target=run, name="test-ping", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """No more pings."""
        self._stop.set()

    def _note(self, kept: list[Silence], seconds: float, used: float) -> None:
        kept.append((round(seconds, 4), round(used, 4), f"{self.now():%H:%M:%S}"))

    @staticmethod
    def worst(kept: list[Silence], count: int = 5) -> list[Silence]:
        """The longest ones, longest first."""
        return sorted(kept, reverse=True)[:count]

    @staticmethod
    def percentile(kept: list[Silence], share: float) -> float:
        """The value below which a share of them lies, in seconds."""
        values = sorted(seconds for seconds, *_ in kept)
        return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


class Day:
    """VeighNa's own window over a main engine with the app, driven by a script."""

    def __init__(self, folder: Path) -> None:
        from PySide6.QtCore import QTimer
        from PySide6.QtWidgets import QApplication
        from vnpy.event import EventEngine
        from vnpy.trader.engine import MainEngine
        from vnpy.trader.ui import create_qapp
        from vnpy.trader.ui.mainwindow import MainWindow

        from vnpy_aiagent import AiAgentApp

        self.folder = folder
        self.shots: list[str] = []
        self.missed: list[str] = []
        self.errors: list[str] = []
        self.clock: Any = None
        self.app: QApplication = create_qapp()
        sys.excepthook = lambda kind, error, _: self.errors.append(f"{kind.__name__}: {error}")
        threading.excepthook = lambda args: self.errors.append(f"{args.thread}: {args.exc_value!r}")
        self.events = EventEngine()
        self.main = MainEngine(self.events)
        self.engine: Any = self.main.add_app(AiAgentApp)
        self.host = MainWindow(self.main, self.events)
        self.watch = Stopwatch(self._now)
        self.heart, self.hand = QTimer(), QTimer()

    def _now(self) -> datetime:
        found: datetime = self.clock.now()
        return found

    # hands

    def click(self, button: Any, name: str) -> None:
        """Press a button as a mouse does; one that is hidden or greyed is noted as missed."""
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest

        if not button.isVisible() or not button.isEnabled():
            self.missed.append(f"{name} cannot be pressed at {self.clock.now():%H:%M:%S}")
            return
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def click_tab(self, place: int) -> None:
        """Press a tab's head."""
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest

        heads = self.window.tabs.tabBar()
        QTest.mouseClick(heads, Qt.MouseButton.LeftButton, pos=heads.tabRect(place).center())

    def click_row(self, table: Any, row: int) -> None:
        """Press a row of a table."""
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest

        spot = table.visualRect(table.model().index(row, 0)).center()
        QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=spot)

    def shoot(self, name: str, widget: Any = None) -> None:
        """Keep a picture."""
        path = self.folder / "shots" / f"{len(self.shots):02d}-{name}.png"
        path.parent.mkdir(exist_ok=True)
        (widget or self.window).grab().save(str(path))
        self.shots.append(str(path))

    def dialog(self) -> Any:
        """The question that is open, None without one."""
        from vnpy_aiagent.ui.confirm import ConfirmDialog

        return next((each for each in self.window.findChildren(ConfirmDialog) if each.isVisible()), None)

    # the day

    def run(self, clock: Any) -> dict[str, Any]:
        """Live through it and tell."""
        from vnpy_aiagent.base import APP_NAME
        from vnpy_aiagent.ui import AiAgentManager

        self.clock = clock
        start = self.engine.start
        self.engine.start = lambda settings=None: start(settings, clock)  # the window's button calls this
        self.watch.restart()
        self.host.showMaximized()
        self.host.open_widget(AiAgentManager, APP_NAME)
        self.window: Any = self.host.widgets[APP_NAME]
        self.watch.ping(self.events)
        self.heart.timeout.connect(self.watch.beat)
        self.hand.timeout.connect(self._step)
        self._script = self.script()
        self._waits: Step = self.window.isVisible
        self._since = time.monotonic()
        self.heart.start(BEAT_MS)
        self.hand.start(BEAT_MS)
        self.app.exec()
        return self._result()

    def _step(self) -> None:
        waits = self._waits
        if isinstance(waits, datetime):
            if self.clock.now() < waits:
                return
        elif not waits():
            if time.monotonic() - self._since < PATIENCE:
                return
            self.missed.append(f"line {self._script.gi_frame.f_lineno} at {self.clock.now():%H:%M:%S}")
        try:
            self._waits = next(self._script)
        except StopIteration:
            self.hand.stop()
            self.heart.stop()
            self.app.exit(0)  # quit() would close VeighNa's window, which asks first
        self._since = time.monotonic()

    def script(self) -> Any:
        """What the user does; each step waits for a market time or for a state of the window."""
        from tests.slow.paper_market import at

        window, engine = self.window, self.engine
        self.shoot("before-start", self.host)
        self.click(window.bar.start, "start")
        yield lambda: engine.started and window.bar.pause.isEnabled()
        yield at(7, 1)
        for place in range(window.tabs.count()):
            self.click_tab(place)
            yield lambda place=place: window.tabs.currentIndex() == place
        self.click_tab(0)
        self.shoot("plan")
        yield at(9, 38)
        self.shoot("deciding")
        yield lambda: window.decisions.model.rowCount() > 0
        self.click_tab(1)
        yield at(9, 46)
        filled = next((n for n in range(window.decisions.model.rowCount()) if self._filled(n)), 0)
        self.click_row(window.decisions.table, filled)
        yield lambda: len(window.decisions.detail.toPlainText()) > 200
        self.shoot("decision")
        yield from self._cancel_a_trigger()
        self.click_tab(0)
        yield at(10, 3)
        self.shoot("source-a-down")
        yield at(10, 41)
        self.click_tab(window.tabs.count() - 1)
        yield at(10, 41, 30)
        self.shoot("both-down-log")
        yield at(10, 46)
        self.click(window.bar.pause, "pause")
        yield lambda: self.dialog() or engine.control.paused
        if self.dialog():
            self.shoot("pause-question", self.dialog())
            self.click(self.dialog().do_it, "pause's answer")
        yield lambda: engine.control.paused and window.bar.resume.isEnabled()
        self.shoot("paused")
        self.click(window.bar.resume, "resume")
        yield self.dialog
        self.shoot("resume-question", self.dialog())
        self.click(self.dialog().do_it, "resume's answer")
        yield lambda: not engine.control.paused and window.bar.pause.isEnabled()
        yield at(11, 34, 50)
        yield lambda: engine.analysis._asked
        os.kill(engine.parts.runner.pid, 9)
        yield at(11, 42)
        self.click_tab(0)
        self.shoot("noon")
        yield at(13, 8)
        window.close()
        yield lambda: not window.isVisible()
        yield at(13, 40)
        from vnpy_aiagent.base import APP_NAME
        from vnpy_aiagent.ui import AiAgentManager

        self.host.open_widget(AiAgentManager, APP_NAME)
        yield window.isVisible
        yield at(13, 50)
        self.shoot("reopened")
        yield at(14, 11)
        yield from self._ask_why_not()
        yield at(15, 10)
        self.click_tab(0)
        self.shoot("after-the-close")
        yield at(16, 0, 20)
        yield lambda: list((engine_folder() / "reports").glob("*/report.html"))
        yield at(16, 4)
        self.shoot("review")
        self.click_tab(window.tabs.count() - 1)
        yield lambda: window.log.model.rowCount() > 0
        self.shoot("log")
        self.shoot("veighna", self.host)

    def _filled(self, row: int) -> bool:
        return bool(self.window.decisions.model.row_at(row).filled)

    def _cancel_a_trigger(self) -> Iterator[Any]:
        window = self.window
        self.click_tab(2)
        yield lambda: window.triggers.triggers.rowCount() > 0
        before = {spec.id for account in self._accounts() for spec in self._specs(account)}
        row = next(
            n
            for n in range(window.triggers.triggers.rowCount())
            if window.triggers.triggers.row_at(n).note == "far away"
        )
        self.cancelled = window.triggers.triggers.row_at(row).id
        window.triggers.table.scrollTo(window.triggers.triggers.index(row, 0))
        self.click_row(window.triggers.table, row)
        yield window.triggers.cancel.isEnabled
        self.shoot("triggers")
        self.click(window.triggers.cancel, "cancel the trigger")
        yield self.dialog
        self.click(self.dialog().do_it, "cancel's answer")
        yield (
            lambda: (
                self.cancelled
                not in {spec.id for account in self._accounts() for spec in self._specs(account)}
            )
        )
        if self.cancelled not in before:
            self.missed.append("the chosen trigger was not in the book")

    def _accounts(self) -> list[str]:
        return list(self.engine.house.portfolio.books)

    def _specs(self, account: str) -> list[Any]:
        book = self.engine.monitoring.book
        held = list(self.engine.house.portfolio.books[account].positions)
        return [spec for symbol in held for spec in book.of(account, symbol)]

    def _ask_why_not(self) -> Iterator[Any]:
        from PySide6.QtTest import QTest

        window = self.window
        self.click_tab(3)
        yield lambda: window.funnel.news.text().startswith("从扫描")
        yield lambda: True  # one more turn of the loop lays out what was shown
        self.shoot("why-not")
        QTest.keyClicks(window.funnel.symbol, "601288")
        self.click(window.funnel.again, "why-not again")
        yield lambda: window.funnel.news.text().startswith("从扫描")
        self.shoot("why-not-one")

    # the end

    def _result(self) -> dict[str, Any]:
        engine, watch = self.engine, self.watch
        watch.stop()
        exchange = engine.parts.exchange
        books = {
            name: [
                float(book.cash),
                {symbol: position.volume for symbol, position in sorted(book.positions.items())},
            ]
            for name, book in engine.house.portfolio.books.items()
        }
        venue = {
            name: [
                float(exchange.account(name).cash),
                {
                    symbol: exchange.account(name).holding(symbol).volume
                    for symbol in engine.parts.universe.symbols
                    if exchange.account(name).holding(symbol).volume
                },
            ]
            for name in books
        }
        status = engine.status()
        self.window.close()
        self.host.close = lambda: None  # its own close asks a human
        began = time.monotonic()
        self.main.close()
        return {
            "books": books,
            "venue": venue,
            "status": {key: status[key] for key in ("state", "mode", "alerts", "handler_failures")},
            "missed": self.missed,
            "errors": self.errors,
            "shots": self.shots,
            "cancelled": self.cancelled,
            "gui": {
                "beats": watch.beats,
                "p99": watch.percentile(watch.gaps, 0.99),
                "worst": watch.worst(watch.gaps),
            },
            "events": {
                "pings": watch.pings,
                "p50": watch.percentile(watch.stalls, 0.50),
                "p99": watch.percentile(watch.stalls, 0.99),
                "worst": watch.worst(watch.stalls),
            },
            "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,
            "closing_seconds": round(time.monotonic() - began, 2),
            "threads": sorted(
                t.name for t in threading.enumerate() if t is not threading.main_thread() and not t.daemon
            ),
        }

    cancelled = ""


def engine_folder() -> Path:
    """The app's own folder."""
    from vnpy_aiagent.wiring import app_folder

    return app_folder()


def main() -> None:
    """Prepare, wait for the clock's origin, live through the day."""
    faulthandler.enable()
    faulthandler.dump_traceback_later(360, exit=True)
    folder = Path(sys.argv[1])
    os.chdir(folder)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    try:
        day = Day(folder)
        print(json.dumps({"ready": True}), flush=True)
        origin = float(sys.stdin.readline())
        from tests.slow.paper_market import day_clock

        result = day.run(day_clock(origin))
    except Exception:  # noqa: BLE001 - told on standard error, where the test looks
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # vnpy's threads would keep a failed day alive
    print(json.dumps(result, ensure_ascii=False), flush=True)
    os._exit(0)  # Qt's own end is not what is tested here


if __name__ == "__main__":
    main()
