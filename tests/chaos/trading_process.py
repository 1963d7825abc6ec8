"""The trading process of the chaos run: mode LIVE on the remote exchange, real event engine and threads.

    python trading_process.py FOLDER JOURNAL REQUEST_PORT PUSH_PORT

This process imports everything once and then forks a trading process for each plan that it reads (one JSON
object a line), so that a restart costs a fraction of a second. The child shares nothing with the one before
but the journal on the disk. It obeys commands from the same standard input until it is killed:

    {"do": "report"}   what the app believes, once the journal is on the disk
    {"do": "go", "orders": [...], "halt": false}   arm the plan's death, post signals by the ordinary path
    {"do": "resume"}   a human lifts HALTED; answered once it is on the disk
    {"do": "close"}    end in order

The brain's process is left out: decisions come as signals, posted on the app's own bus.
"""

import json
import os
import sys
import time
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.chaos.kill_points import Death, lay

GATEWAY, ACCOUNT = "REMOTE", "main"
SYMBOLS = ("600900.SSE", "601398.SSE", "601988.SSE")
POLL_SECONDS = 0.25


class NoBrain:
    """Stands for the brain's process, which no signal of this run needs."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Nothing to start."""

    def submit(self, *_: Any) -> None:
        """Never asked: the timetable is empty, and signals carry no triggers."""
        raise AssertionError("no decision is asked for in the chaos run")

    def cancel(self, reason: str) -> None:
        """Nothing is under way."""

    def close(self) -> None:
        """Nothing to end."""


class Trader:
    """MainEngine, the gateway and the app."""

    def __init__(self, plan: dict[str, Any], journal: str, ports: tuple[int, int]) -> None:
        from vnpy.event import EventEngine
        from vnpy.trader.engine import MainEngine

        from vnpy_aiagent import AiAgentApp, wiring
        from vnpy_aiagent.config import load_settings
        from vnpy_aiagent.domain import MARKET_TZ
        from vnpy_aiagent.sim import remote_gateway as remote
        from vnpy_aiagent.testing.speed_clock import SpeedClock

        wiring.ProcessRunner = NoBrain  # type: ignore[misc, assignment]
        self.death = Death(plan["boundary"], plan["variant"], plan["passings"])
        lay(self.death)
        start = datetime.fromisoformat(f"{plan['day']}T09:35:00").replace(tzinfo=MARKET_TZ)
        self.clock = SpeedClock(start, (), after=plan["rate"], origin=plan["origin"])
        self.main = MainEngine(EventEngine())
        self.gateway: Any = self.main.add_gateway(remote.RemoteGateway, GATEWAY)
        self.engine: Any = self.main.add_app(AiAgentApp)
        self.settings = load_settings(
            mode="LIVE",
            universe=SYMBOLS,
            accounts=[{"name": ACCOUNT, "style": "JUDGE", "gateway": GATEWAY}],
            live={"capital_limit": 50_000_000, "allowlist": SYMBOLS, "approvals": "none"},
            schedule=[],
            store={"journal": journal},
            execution={
                "max_orders_per_second": 100,
                "max_orders_per_day": 19_999,
                "max_cancel_ratio": 1.0,
                "timeout": {"after": 1.0, "replacements": 2},
                "slicing": {"algo": plan["algo"], "visible": 0.4, "slices": 3, "minutes": 1, "every": 1},
            },
        )
        request_port, push_port = ports
        self.connection = {
            remote.REQUESTS: f"tcp://127.0.0.1:{request_port}",
            remote.PUSHES: f"tcp://127.0.0.1:{push_port}",
            remote.REMOTE_NAME: "VENUE",
            remote.KEEP_REFERENCE: remote.YES if plan["reference"] else remote.NO,
            remote.POLL_SECONDS: POLL_SECONDS,
        }

    def start(self) -> None:
        """As a user's script does: connect the gateway, start the app."""
        self.main.connect(self.connection, GATEWAY)
        self.engine.start(self.settings, self.clock)

    def report(self) -> dict[str, Any]:
        """What the app believes now; the journal is on the disk."""
        engine = self.engine
        with engine.bus.turn:
            book = engine.house.portfolio.books[ACCOUNT]
            found = {
                "state": engine.control.state.name,
                "reconciled": engine.reconciler.is_reconciled(ACCOUNT),
                "why": [str(reason) for reason in engine.reconciler.reasons(ACCOUNT)],
                "cash": str(book.cash),
                "positions": {s: p.volume for s, p in sorted(book.positions.items()) if p.volume},
                "managed": sorted(s for s in book.positions if book.managed(s)),
                "stops": {stop.symbol: stop.state.name for stop in engine.monitoring.stops},
                "open": [
                    [child.intent.id, child.state.name, list(child.vt_orderids)]
                    for _, child in engine.execution.desk.working()
                ],
                "failures": engine.bus.failures,
            }
        found["flushed"] = engine.parts.writer.flush()
        return found

    def go(self, command: dict[str, Any]) -> None:
        """Arm the death, then post the signals."""
        self.death.armed = True
        for order in command["orders"]:
            self._signal(order)
        if command["halt"]:
            time.sleep(0.1)
            self.engine.halt("chaos")
            say({"halted": self.engine.parts.writer.flush()})

    def _signal(self, order: dict[str, Any]) -> None:
        """One signal at a ratio from the last price; a sale of no more than may be sold."""
        from vnpy_aiagent.base import EVENT_AI_SIGNAL
        from vnpy_aiagent.domain import Side, Signal, ceil_to_tick, floor_to_tick
        from vnpy_aiagent.domain import say as sentence

        house, symbol, side = self.engine.house, order["symbol"], Side[order["side"]]
        quote = house.portfolio.quotes.get(symbol)
        if quote is None:
            return
        rules, volume = house.portfolio.rules(symbol), order["volume"]
        if side is Side.SELL:
            volume = min(volume, house.portfolio.sellable(ACCOUNT, symbol) // rules.lot_size * rules.lot_size)
            if volume <= 0:
                return
        limit = floor_to_tick(quote.last * (1 + Decimal(str(order["offset"]))), rules.tick_size)
        stop, room = None, Decimal(str(order["room"]))
        if side is Side.BUY:
            stop = ceil_to_tick(limit * (1 - Decimal(str(order["stop"]))), rules.tick_size) - rules.tick_size
        self.engine.bus.post(
            Signal,
            EVENT_AI_SIGNAL,
            cause=None,
            account=ACCOUNT,
            symbol=symbol,
            side=side,
            volume=volume,
            limit=limit,
            low=floor_to_tick(limit * (1 - room), rules.tick_size) if side is Side.SELL else limit,
            high=floor_to_tick(limit * (1 + room), rules.tick_size) if side is Side.BUY else limit,
            stop=stop,
            reason=sentence("{why}", why="chaos"),
            valid_until=house.clock.now() + timedelta(seconds=order["seconds"]),
        )


def read_line() -> dict[str, Any] | None:
    """One line of standard input, and not a byte more: the next one may be another process's."""
    line = bytearray()
    while (byte := os.read(0, 1)) not in (b"", b"\n"):
        line += byte
    found: dict[str, Any] | None = json.loads(line) if line else None
    return found


def say(answer: dict[str, Any]) -> None:
    """One JSON line, in one write."""
    os.write(1, json.dumps(answer, ensure_ascii=False).encode() + b"\n")


def trade(plan: dict[str, Any], journal: str, ports: tuple[int, int]) -> None:
    """A trading process's whole life."""
    trader = Trader(plan, journal, ports)
    say({"pid": os.getpid()})
    try:
        trader.start()
        say({"started": True})
        while (command := read_line()) is not None:
            match command["do"]:
                case "report":
                    say(trader.report())
                case "go":
                    trader.go(command)
                case "resume":
                    trader.engine.resume()
                    say({"done": trader.engine.parts.writer.flush()})
                case "close":
                    break
    finally:
        trader.main.close()


def main() -> None:
    """Fork a trading process for each plan, and say how it ended."""
    folder, journal, request_port, push_port = sys.argv[1:]
    os.chdir(folder)
    import_all()
    ports = int(request_port), int(push_port)
    say({"ready": True})
    while (plan := read_line()) is not None:
        child = os.fork()
        if not child:
            status = 1
            try:
                trade(plan, journal, ports)
                status = 0
            except BaseException:  # noqa: BLE001 - a forked child never returns into its parent's frames
                import traceback

                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        _, status = os.waitpid(child, 0)
        say({"died": os.waitstatus_to_exitcode(status)})


def import_all() -> None:
    """Everything that a trading process needs, so that a fork has it."""
    import vnpy_sqlite  # noqa: F401
    from vnpy.trader.engine import MainEngine  # noqa: F401

    import vnpy_aiagent.engine
    import vnpy_aiagent.sim.remote_gateway
    import vnpy_aiagent.testing.speed_clock  # noqa: F401
    from vnpy_aiagent.market import TradingCalendar

    TradingCalendar()


if __name__ == "__main__":
    main()
