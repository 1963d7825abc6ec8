"""The surroundings of the paper day: its folder, its stand-ins, and who takes them away at which moment."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.slow.paper_market import SYMBOLS, at, day_clock, decide, load_day
from vnpy_aiagent.testing.model_server import Body, Fault, ModelServer, reset_in_body
from vnpy_aiagent.testing.quote_server import QuoteFault, QuoteServer, garbage
from vnpy_aiagent.testing.speed_clock import SpeedClock

SCRIPT = Path(__file__).with_name("paper_day.py")
POLL_SECONDS = 9
"""Market seconds between polls: at 200 times the speed, a poll every 45 milliseconds."""
LEAD = 1.0  # seconds of the machine between the clock's setting and its start
LONGEST = 400.0  # seconds of the machine

IMPORT = """
import sys
from pathlib import Path
from vnpy.trader.database import get_database
from tests.slow.paper_market import load_history
from vnpy_aiagent.data.vnpy_database import import_market_data
import_market_data(load_history(Path(sys.argv[1])), get_database())
"""


@dataclass
class PaperDay:
    """What a finished day left: the process's own account, its folder, the stand-ins' records."""

    folder: Path
    result: dict[str, Any]
    clock: SpeedClock
    wall_seconds: float
    requests: dict[str, list[tuple[datetime, int]]]
    model_calls: int
    events: list[tuple[str, datetime]] = field(default_factory=list)

    @property
    def journal(self) -> Path:
        """The journal."""
        return self.folder / ".vntrader" / "aiagent" / "journal.db"

    @property
    def report(self) -> Path:
        """The folder of the day's report."""
        return self.folder / ".vntrader" / "aiagent" / "reports" / f"{at(16, 0):%Y-%m-%d}"


class Model:
    """The scripted model, which can be taken away."""

    def __init__(self) -> None:
        self.down = False
        self.calls = 0

    def __call__(self, body: Body) -> Body | Fault:
        """Answer, or break the connection."""
        self.calls += 1
        return reset_in_body() if self.down else decide(body)


def prepare(folder: Path, shared: Path, repo_root: Path) -> None:
    """A vnpy folder with the history of the twenty."""
    (folder / ".vntrader" / "aiagent").mkdir(parents=True)
    settings = {"log.console": False, "log.file": False, "database.timezone": "Asia/Shanghai"}
    _write(folder / ".vntrader" / "vt_setting.json", settings)
    names = {tape.vt_symbol: tape.name for tape in load_day(shared).tapes.values()}
    _write(folder / ".vntrader" / "aiagent" / "quote_names.json", names)
    command = [sys.executable, "-c", IMPORT, str(shared)]
    subprocess.run(command, cwd=folder, env=_environment(repo_root), check=True, timeout=120)


def live_through(folder: Path, shared: Path, repo_root: Path) -> PaperDay:
    """Run the day in its process, taking stand-ins away and bringing them back on time."""
    began = time.monotonic()
    market, model = load_day(shared), Model()
    waiting = SpeedClock(at(6, 0), ())  # nobody is asked before the real clock is set
    with ExitStack() as stack:
        sina = stack.enter_context(QuoteServer("sina", market, waiting))
        tencent = stack.enter_context(QuoteServer("tencent", market, waiting))
        llm = stack.enter_context(ModelServer(model))
        addresses = {"刷新秒数": POLL_SECONDS, "新浪地址": sina.url, "腾讯地址": tencent.url}
        _write(folder / ".vntrader" / "connect_quote.json", addresses)
        _write(folder / ".vntrader" / "aiagent" / "config.json", _settings(llm.base_url))
        process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(folder)],
            env=_environment(repo_root),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        stack.callback(process.kill)
        assert process.stdin is not None
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready, process.stderr.read() if process.stderr else ""
        origin = time.monotonic() + LEAD
        clock = day_clock(origin)
        sina.clock = tencent.clock = clock
        director = Director(clock, sina, tencent, model)
        director.start()
        stack.callback(director.stop)
        try:
            out, err = process.communicate(f"{origin!r}\n", timeout=LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"the day did not end by itself: {out[-2000:]} {err[-6000:]}") from None
        assert out, err[-6000:]
        assert process.returncode == 0, err[-6000:]
        (folder / "stderr.txt").write_text(err, encoding="utf-8")
        requests = {
            server.kind: [(clock.at(asked.at), asked.status) for asked in server.requests]
            for server in (sina, tencent)
        }
    result = json.loads(out.splitlines()[-1])
    wall = round(time.monotonic() - began, 1)
    return PaperDay(folder, result, clock, wall, requests, model.calls, director.done)


class Director(threading.Thread):
    """Takes stand-ins away and brings them back at market times."""

    def __init__(self, clock: SpeedClock, sina: QuoteServer, tencent: QuoteServer, model: Model) -> None:
        super().__init__(name="director", daemon=True)
        self.clock = clock
        self.done: list[tuple[str, datetime]] = []
        self._ended = threading.Event()

        def fault(found: QuoteFault) -> Callable[[], None]:
            return lambda: setattr(sina, "fault", found)

        def both(act: str) -> Callable[[], None]:
            return lambda: [getattr(server, act)() for server in (sina, tencent)] and None

        well = fault(QuoteFault())
        self.plan: tuple[tuple[datetime, str, Callable[[], None]], ...] = (
            (at(10, 0), "sina refuses connections", sina.disconnect),
            (at(10, 4), "sina is back", sina.reconnect),
            (at(10, 28), "both refuse connections", both("disconnect")),
            (at(10, 42), "both are back", both("reconnect")),
            (at(13, 20), "sina answers 429", fault(QuoteFault(status=429, retry_after=60))),
            (at(13, 25), "sina answers well", well),
            (at(13, 40), "sina sends a page", fault(garbage())),
            (at(13, 44), "sina answers well", well),
            (at(14, 3), "the model breaks connections", lambda: setattr(model, "down", True)),
            (at(14, 12), "the model answers", lambda: setattr(model, "down", False)),
            (at(14, 20), "sina sends half a list", fault(QuoteFault(half=True))),
            (at(14, 24), "sina answers well", well),
            (at(14, 35), "sina stands still", fault(QuoteFault(lag=timedelta(minutes=10)))),
            (at(14, 40), "sina answers well", well),
        )

    def run(self) -> None:
        """Do each thing when its time has come."""
        for moment, what, act in self.plan:
            while (wait := self.clock.wall_seconds(moment)) > 0:
                if self._ended.wait(wait):
                    return
            act()
            self.done.append((what, self.clock.now()))

    def stop(self) -> None:
        """Do nothing more."""
        self._ended.set()
        self.join()


def _environment(repo_root: Path) -> dict[str, str]:
    return dict(
        os.environ,
        PYTHONPATH=str(repo_root),
        PYTHONIOENCODING="utf-8",
        QT_QPA_PLATFORM="offscreen",
        no_proxy="127.0.0.1",
    )


def _settings(model_url: str) -> dict[str, Any]:
    """The user's settings file: everything by default but the universe, the model and some room to buy."""
    room = {"max_positions": 12, "max_exposure": 0.9}
    return {
        "language": "zh",
        "universe": SYMBOLS,
        "quote_gateway": "QUOTE",
        "llm": {"base_url": model_url, "model": "test-model", "api_key": "key", "max_retries": 0},
        "accounts": [
            {"name": style.lower(), "style": style, "limits": room | {"max_entries_per_day": entries}}
            for style, entries in (("AGGRESSIVE", 8), ("CONSERVATIVE", 4), ("JUDGE", 7))
        ],
    }


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
