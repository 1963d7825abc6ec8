"""The chaos run: kills the trading process at seeded moments while the exchange goes on, and checks all.

    python -m tests.chaos.chaos_run --kills 200 --seed 1 --table chaos.md --shared ../shared

Each kill has a number; it and the seed decide where the process dies, which orders it has posted before, and
whether a human halted it. After each restart, with the market held for a moment, the journal, the app and the
exchange must agree. The table goes to a file; the exit status says whether all is well.
"""

import argparse
import json
import os
import platform
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.chaos.kill_points import BOUNDARIES, CANCEL, FILL, RANDOM, RECONCILE
from tests.chaos.ledger_check import Finding, Ledger

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SYMBOLS = ("600900.SSE", "601398.SSE", "601988.SSE")
DAYS = tuple(f"2025-10-{day}" for day in (13, 14, 15, 16, 17, 20, 21, 22, 23, 24, 27, 28))
KILLS_A_DAY = 25
RATE = 5.0  # market seconds in a second of the machine
CASH = 20_000_000
PATIENCE = 20.0
ATTEMPTS = 5
CYCLE = (*BOUNDARIES, *(RANDOM,) * len(BOUNDARIES))


class ChaosError(Exception):
    """The run itself cannot go on: a process hangs or died by itself."""


class Peer:
    """A child process that answers lines of JSON with lines of JSON."""

    def __init__(self, script: str, *arguments: str, log: Path) -> None:
        """Start it, and wait until it is ready."""
        self.log = log
        with log.open("w", encoding="utf-8") as errors:
            self.process = subprocess.Popen(
                [sys.executable, str(HERE / script), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=dict(
                    os.environ, PYTHONPATH=str(ROOT), PYTHONIOENCODING="utf-8", OPENBLAS_NUM_THREADS="1"
                ),
            )
        self._read = b""
        self.expect("ready", 60)

    def tell(self, **command: Any) -> None:
        """Send a command."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()

    def hear(self, seconds: float = PATIENCE) -> dict[str, Any] | None:
        """The next line, None where none came in time."""
        assert self.process.stdout is not None
        give_up = time.monotonic() + seconds
        while b"\n" not in self._read:
            left = give_up - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return None
            more = os.read(self.process.stdout.fileno(), 65_536)
            if not more:
                raise ChaosError(f"a process ended by itself: {self.errors()}")
            self._read += more
        line, _, self._read = self._read.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found

    def ask(self, **command: Any) -> dict[str, Any]:
        """Send a command and hear its answer."""
        self.tell(**command)
        answer = self.hear()
        if answer is None or "died" in answer:
            raise ChaosError(f"no answer to {command} but {answer}: {self.errors()}")
        return answer

    def expect(self, key: str, seconds: float = PATIENCE) -> Any:
        """Hear lines until one has a key."""
        while (answer := self.hear(seconds)) is not None:
            if key in answer:
                return answer[key]
        raise ChaosError(f"no {key!r} within {seconds} s: {self.errors()}")

    def errors(self) -> str:
        """The end of what it wrote to standard error."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-3_000:]

    def close(self) -> None:
        """End it, kindly first."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.close()
            self.process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


@dataclass(slots=True)
class Row:
    """What came of the kills at one boundary."""

    kills: int = 0
    live: int = 0
    found: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Result:
    """The whole run."""

    rows: dict[str, Row] = field(default_factory=lambda: {name: Row() for name in (*BOUNDARIES, RANDOM)})
    problems: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    halts: int = 0
    nights: int = 0
    away: int = 0
    hung: int = 0
    seconds: float = 0.0
    totals: dict[str, int] = field(default_factory=dict)

    @property
    def kills(self) -> int:
        """All kills."""
        return sum(row.kills for row in self.rows.values())

    @property
    def live(self) -> int:
        """Kills with orders working at the exchange."""
        return sum(row.live for row in self.rows.values())


class ChaosRun:
    """One exchange, one journal, many trading processes."""

    def __init__(self, folder: Path, shared: Path, kills: int, seed: int) -> None:
        """Nothing runs before `run`."""
        self.folder, self.shared, self.kills, self.seed = folder, shared, kills, seed
        self.journal = folder / "chaos.db"
        self.result = Result()
        self.ledger = Ledger(self.journal)
        self.day = -1
        self.origin = 0.0
        self.pid = 0
        self.halted = False
        self.away = False
        self.last = ""

    def run(self) -> Result:
        """All kills, and the last restart that is ended in order."""
        began = time.monotonic()
        make_folders(self.folder)
        ports = free_ports(2)
        words = [str(self.folder / "exchange"), str(self.shared), *map(str, ports), str(CASH), str(self.seed)]
        self.exchange = Peer("exchange_process.py", *words, log=self.folder / "exchange.log")
        words = [str(self.folder / "trader"), str(self.journal), *map(str, ports)]
        try:
            self.trader = Peer("trading_process.py", *words, log=self.folder / "trader.log")
            try:
                self._run()
            finally:
                self.trader.close()
        finally:
            self.exchange.close()
            self.ledger.close()
        self.result.seconds = time.monotonic() - began
        return self.result

    def _run(self) -> None:
        self._next_day()
        self.exchange.ask(do="serve", on=True)
        self.exchange.ask(do="move", on=True)
        for number in range(self.kills):
            if number and number % KILLS_A_DAY == 0:
                self._night()
            self._kill(number)
            print(
                f"{number + 1}/{self.kills} {self.last}: {self.result.live} live", file=sys.stderr, flush=True
            )
        self._start(plan_of(self.seed, self.kills, RANDOM))
        self._check("the end")
        for boundary in self.ledger.open_after_kill.values():
            self.result.rows[boundary].found["still open"] += 1
        self.trader.tell(do="close")
        if self.trader.expect("died") != 0:
            self.result.problems.append(f"the last process did not end by itself: {self.trader.errors()}")

    # days

    def _next_day(self) -> None:
        self.day += 1
        self.origin = time.monotonic()
        day = DAYS[self.day % len(DAYS)]
        self.exchange.ask(do="day", day=day, origin=self.origin, rate=RATE)

    def _night(self) -> None:
        """The day ends: the process is killed with orders that work, and comes back on another day."""
        plan = plan_of(self.seed, self.kills + 1 + self.day, RANDOM)
        self._start(plan)
        self._check(f"the evening of {DAYS[self.day]}")
        os.kill(self.pid, signal.SIGKILL)
        self._died()
        self.result.nights += 1
        self._next_day()
        self.exchange.ask(do="move", on=True)

    # one kill

    def _kill(self, number: int) -> None:
        boundary = CYCLE[number % len(CYCLE)]
        plan = plan_of(self.seed, number, boundary)
        chance = Random(f"{self.seed} {number} harness")
        if boundary == RECONCILE:
            self._launch(plan)
            self._back()
            self._await_death(boundary, plan, chance)
        else:
            self._start(plan, hold=chance.random() < 0.5)
            self._check(f"kill {number}")
            self.exchange.ask(do="move", on=True)
            orders = orders_of(chance, boundary)
            if boundary == RANDOM:
                self._kill_somewhere(chance, orders)
            else:
                self.trader.tell(do="go", orders=orders, halt=False)
                self._await_death(boundary, plan, chance)
        self._note(boundary)
        time.sleep(chance.uniform(0.05, 0.3))

    def _kill_somewhere(self, chance: Random, orders: list[dict[str, Any]]) -> None:
        """At a random moment; some lives are halted first, or lose the exchange, or get no answer from it."""
        trouble = chance.choices(("", "halt", "away", "hang"), (70, 12, 9, 9))[0]
        if trouble == "hang":
            self.result.hung += 1
            self.exchange.ask(do="hang", seconds=1.2)
        self.trader.tell(do="go", orders=orders, halt=trouble == "halt")
        if trouble == "halt":
            self.trader.expect("halted")
            self.halted = True
        if trouble == "away":
            self.result.away += 1
            self.exchange.ask(do="serve", on=False)
            self.away = True
        time.sleep(chance.uniform(0.0, 1.5 if trouble == "hang" else 0.5))
        os.kill(self.pid, signal.SIGKILL)
        self._died()

    def _back(self) -> None:
        """An exchange that was away is there again, a moment after the trader is."""
        if self.away:
            time.sleep(0.3)
            self.exchange.ask(do="serve", on=True)
            self.away = False

    def _await_death(self, boundary: str, plan: dict[str, Any], chance: Random) -> None:
        """The process dies by itself at its boundary; more orders are posted where it lives on.

        Where that does not help, it is told and killed.
        """
        for _ in range(ATTEMPTS):
            deadline = time.monotonic() + PATIENCE / ATTEMPTS
            while time.monotonic() < deadline:
                answer = self.trader.hear(0.2)
                if answer is not None and "died" in answer:
                    self._require_killed(answer["died"])
                    return
            if boundary != RECONCILE:
                self.trader.tell(do="go", orders=orders_of(chance, boundary), halt=False)
        self.result.missed.append(f"{boundary} was not reached: {plan}")
        os.kill(self.pid, signal.SIGKILL)
        self._died()

    def _died(self) -> None:
        self._require_killed(self.trader.expect("died"))

    def _require_killed(self, status: int) -> None:
        if status != -signal.SIGKILL:
            raise ChaosError(f"the trading process ended with {status}: {self.trader.errors()}")

    def _note(self, boundary: str) -> None:
        """What the kill left behind."""
        row = self.result.rows[boundary]
        row.kills += 1
        row.live += self.exchange.ask(do="working")["working"] > 0
        self.last = boundary
        self.ledger.after_kill(boundary)

    # restarts

    def _launch(self, plan: dict[str, Any]) -> None:
        plan |= {"day": DAYS[self.day % len(DAYS)], "origin": self.origin, "rate": RATE}
        plan["reference"] = self.day % 2 == 0
        self.trader.tell(**plan)
        self.pid = self.trader.expect("pid")

    def _start(self, plan: dict[str, Any], *, hold: bool = True) -> None:
        """A new process, until it has agreed with the exchange. `hold` stops the market at once."""
        self._launch(plan)
        self.trader.expect("started")
        self._back()
        if hold:
            self.exchange.ask(do="move", on=False)
        deadline = time.monotonic() + PATIENCE
        while not (report := self.trader.ask(do="report"))["reconciled"]:
            if time.monotonic() > deadline - PATIENCE / 2:
                self.exchange.ask(do="move", on=False)  # ever new fills keep it from a quiet moment
            if time.monotonic() > deadline:
                raise ChaosError(f"the account was never reconciled: {report}; {self.trader.errors()}")
            time.sleep(0.1)

    def _check(self, when: str) -> None:
        """Hold the market; journal, app and exchange must agree within a moment."""
        self.exchange.ask(do="move", on=False)
        deadline = time.monotonic() + 8.0
        while True:
            time.sleep(0.05)
            state, report = self.exchange.ask(do="state"), self.trader.ask(do="report")
            finding = self.ledger.compare(state, report, halted=self.halted)
            if finding.settled or time.monotonic() > deadline:
                break
        self._take(finding, f"{when}, after one {self.last or 'start'}")
        if report["state"] == "HALTED":
            self.halted = False
            self.result.halts += 1
            self.trader.ask(do="resume")

    def _take(self, finding: Finding, when: str) -> None:
        if self.last:
            self.result.rows[self.last].found.update(finding.counts)
        for boundary, fate in finding.fates:
            self.result.rows[boundary].found[fate] += 1
        self.result.problems += [f"{when}: {problem}" for problem in finding.problems]
        self.result.totals = finding.totals
        for problem in finding.problems:
            tell(f"PROBLEM {when}: {problem}")


def tell(line: str) -> None:
    """Progress, for whoever watches."""
    print(line, file=sys.stderr, flush=True)


def plan_of(seed: int, number: int, boundary: str) -> dict[str, Any]:
    """Where one process dies: the boundary, which side of it, and at which passing."""
    chance = Random(f"{seed} {number} plan")
    several = boundary not in (RECONCILE, CANCEL)
    return {
        "number": number,
        "boundary": boundary,
        "variant": number // len(CYCLE),
        "passings": chance.choice((1, 1, 2)) if several else 1,
        "algo": chance.choice(("LIMIT", "LIMIT", "LIMIT", "ICEBERG", "TWAP", "PARTICIPATION")),
    }


def orders_of(chance: Random, boundary: str) -> list[dict[str, Any]]:
    """Signals of one life: some that rest below the market, some that trade, some that lapse soon."""

    def order(side: str, offset: float, seconds: float) -> dict[str, Any]:
        return {
            "symbol": chance.choice(SYMBOLS),
            "side": side,
            "volume": chance.randint(1, 12) * 100,
            "offset": round(offset, 5),
            "stop": round(chance.uniform(0.001, 0.025), 5),
            "seconds": seconds,
            "room": chance.choice((0, 0, 0.004)),
        }

    orders = [order("BUY", -chance.uniform(0.002, 0.02), 3_600) for _ in range(chance.choice((0, 1, 1, 2)))]
    orders += [order("SELL", chance.uniform(-0.004, 0.01), 1_800) for _ in range(chance.randint(0, 2))]
    if boundary == CANCEL:
        orders.append(order("BUY", -chance.uniform(0.03, 0.05), 3))
    orders += [order("BUY", chance.uniform(0.003, 0.008), 600) for _ in range(2 if boundary != FILL else 3)]
    chance.shuffle(orders)
    return orders


def make_folders(folder: Path) -> None:
    """vnpy's folder of each process."""
    settings = {"log.console": False, "log.file": False, "database.timezone": "Asia/Shanghai"}
    for name in ("exchange", "trader"):
        place = folder / name / ".vntrader"
        place.mkdir(parents=True)
        (place / "vt_setting.json").write_text(json.dumps(settings), encoding="utf-8")


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody uses now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


OUTCOMES = ("lost fills", "doubled fills", "doubled orders")
FATES = ("adopted", "never sent", "told first", "still open")
COLUMNS = (*OUTCOMES, *FATES)


def table(result: Result, seed: int) -> str:
    """The run as a Markdown table, with what it ran on."""
    names = [*OUTCOMES, *(f"unknown: {fate}" for fate in FATES)]
    head = ["moment of the kill", "kills", "with live orders", *names]
    lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    whole: Counter[str] = Counter()
    for name, row in result.rows.items():
        figures = [row.kills, row.live, *(row.found[column] for column in COLUMNS)]
        lines.append(f"| {name} | {' | '.join(map(str, figures))} |")
        whole.update(row.found)
    figures = [result.kills, result.live, *(whole[column] for column in COLUMNS)]
    lines.append(f"| **all** | {' | '.join(map(str, figures))} |")
    totals = ", ".join(f"{count} {what}" for what, count in result.totals.items())
    lines += [
        "",
        f"Seed {seed}, {result.seconds:.0f} s, Python {platform.python_version()}, {os.cpu_count()} cores; "
        f"at the end {totals}. Among the kills at random moments: {result.halts} while HALTED, {result.away} "
        f"while the exchange was away, {result.hung} while it gave no answer. {result.nights} more kills "
        "while the market was closed.",
        f"Checks that failed: {len(result.problems)}; boundaries not reached: {len(result.missed)}.",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run, write the table, say whether all is well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--shared", type=Path, default=ROOT / ".." / "shared")
    parser.add_argument("--keep", type=Path, help="keep journal and logs in this new folder")
    given = parser.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="aiagent-chaos-"))
    run = ChaosRun(folder.resolve(), given.shared.resolve(), given.kills, given.seed)
    try:
        result = run.run()
    finally:
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)
    given.table.write_text(table(result, given.seed), encoding="utf-8")
    print(table(result, given.seed))
    for line in (*result.problems, *result.missed):
        print(line)
    return 1 if result.problems or result.missed else 0


if __name__ == "__main__":
    sys.exit(main())
