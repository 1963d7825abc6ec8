"""A paper-trading process for the tests beside it: real event engine, real threads, a clock of its own.

    python paper_process.py FOLDER SCENARIO MOMENT [BASE_URL]

FOLDER holds `.vntrader`; MOMENT is where the shifted clock begins. Prints one JSON object. What lies in
FOLDER (database, journal) stays for the next process.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

SYMBOL = "600519.SSE"
CHEAP = "601988.SSE"


class ShiftedClock:
    """Real seconds from a chosen moment on."""

    begin: datetime
    origin = time.monotonic()

    def now(self) -> datetime:
        """The chosen moment and the seconds since."""
        return self.begin + timedelta(seconds=time.monotonic() - self.origin)


def main() -> None:
    """Run one scenario."""
    folder, scenario, moment, *rest = sys.argv[1:]
    os.chdir(folder)
    from vnpy_aiagent import wiring
    from vnpy_aiagent.domain import MARKET_TZ

    ShiftedClock.begin = datetime.fromisoformat(moment).replace(tzinfo=MARKET_TZ)
    wiring.LiveClock = ShiftedClock  # type: ignore[misc, assignment]
    if rest and rest[0]:
        os.environ |= {
            "AIAGENT_LLM__BASE_URL": rest[0],
            "AIAGENT_LLM__MODEL": "test-model",
            "AIAGENT_LLM__API_KEY": "key",
        }
    os.environ["AIAGENT_UNIVERSE"] = json.dumps([CHEAP])
    os.environ["AIAGENT_QUOTE_GATEWAY"] = "QUOTES"
    house = House()
    try:
        result = SCENARIOS[scenario](house)
    finally:
        house.main.close()  # twice is harmless; vnpy's threads would keep a failed scenario alive
    print(json.dumps(result, ensure_ascii=False))


class House:
    """MainEngine with a quote gateway that the scenario feeds, and the app."""

    def __init__(self) -> None:
        from vnpy.event import EventEngine
        from vnpy.trader.engine import MainEngine
        from vnpy.trader.gateway import BaseGateway

        from vnpy_aiagent import AiAgentApp

        sent: list[str] = []

        class Quotes(BaseGateway):
            """Quotes come from the scenario; orders must never arrive here in paper mode."""

            default_name = "QUOTES"
            exchanges = []  # noqa: RUF012

            def connect(self, setting: dict[str, Any]) -> None: ...
            def close(self) -> None: ...
            def subscribe(self, req: Any) -> None: ...
            def query_account(self) -> None: ...
            def query_position(self) -> None: ...
            def cancel_order(self, req: Any) -> None: ...

            def send_order(self, req: Any) -> str:
                sent.append(req.vt_symbol)
                return "QUOTES.1"

        self.sent = sent
        self.events = EventEngine()
        self.main = MainEngine(self.events)
        self.quotes = self.main.add_gateway(Quotes)
        self.engine = self.main.add_app(AiAgentApp)
        self.volume = 1_000_000.0

    def tick(self, price: float, *, traded: float = 1_000_000.0) -> None:
        """One quote of the cheap symbol; the limits are 10 % around 5.00."""
        from vnpy.trader.constant import Exchange
        from vnpy.trader.object import TickData

        self.volume += traded
        symbol = CHEAP.split(".", maxsplit=1)[0]
        self.quotes.on_tick(
            TickData(
                "QUOTES",
                symbol,
                Exchange.SSE,
                ShiftedClock().now(),
                volume=self.volume,
                last_price=price,
                pre_close=5.0,
                open_price=5.0,
                high_price=max(price, 5.0),
                low_price=min(price, 5.0),
                limit_up=5.5,
                limit_down=4.5,
                bid_price_1=round(price - 0.01, 2),
                ask_price_1=round(price + 0.01, 2),
            )
        )

    def until(self, condition: Callable[[], bool], what: str, *, price: float = 5.0) -> None:
        """Feed quotes until something holds."""
        for _ in range(200):
            if condition():
                return
            self.tick(price)
            time.sleep(0.1)
        raise AssertionError(
            f"this did not happen: {what}; {json.dumps(self.engine.status(), ensure_ascii=False)}"
        )

    def held(self) -> dict[str, int]:
        """Shares of the cheap symbol by account."""
        found = {a["name"]: a["positions"].get(CHEAP, 0) for a in self.engine.status()["accounts"]}
        return {name: volume for name, volume in found.items() if volume}

    def close(self) -> list[str]:
        """End, and say which threads are left."""
        self.main.close()
        return sorted(t.name for t in threading.enumerate() if t is not threading.main_thread())

    def buy(self) -> dict[str, int]:
        """Start, ask for a decision, and wait for the fills."""
        self.engine.start()
        self.until(lambda: self.engine.house.portfolio.quotes.get(CHEAP) is not None, "a quote")
        self.engine.analyze(CHEAP)
        self.until(lambda: len(self.held()) == 3, "three accounts hold the symbol")
        return self.held()


def start_and_stop(house: House) -> dict[str, Any]:
    """Start, look, stop."""
    house.engine.start()
    status = house.engine.status()
    children = [process.pid for process in _children()]
    return {"status": status, "threads": house.close(), "children": len(children), "left": len(_children())}


def trade_and_stop_out(house: House) -> dict[str, Any]:
    """Decision, order, fill; a stop is hit on the same day, which T+1 defers; nothing reached the gateway."""
    held = house.buy()
    house.until(lambda: _stop_states(house) == {"DEFERRED_T1"}, "stops deferred by T+1", price=4.6)
    return {"held": held, "sent": house.sent, "threads": house.close()}


def sell_deferred(house: House) -> dict[str, Any]:
    """The next day, after a restart: restored stops that are due are sold."""
    house.engine.start()
    before, states = house.held(), sorted(_stop_states(house))
    house.until(lambda: house.held() == {}, "deferred stops are sold", price=4.6)
    return {"before": before, "states": states, "sent": house.sent, "threads": house.close()}


def hold_and_die(house: House) -> None:
    """Hold positions with triggers, halt, and die without any goodbye."""
    held = house.buy()
    house.engine.halt("before the crash")
    assert house.engine.parts.writer.flush()
    triggers = len(list(house.engine.monitoring.book.levels(CHEAP)))
    stops = sorted(str(stop.price) for stop in house.engine.monitoring.stops)
    print(json.dumps({"held": held, "triggers": triggers, "stops": stops}), flush=True)
    os.kill(os.getpid(), 9)


def come_back(house: House) -> dict[str, Any]:
    """What a later process restored."""
    house.engine.start()
    engine = house.engine
    result = {
        "held": house.held(),
        "triggers": len(list(engine.monitoring.book.levels(CHEAP))),
        "stops": sorted(str(stop.price) for stop in engine.monitoring.stops),
        "state": engine.status()["state"],
        "cash": {a["name"]: a["cash"] for a in engine.status()["accounts"]},
        "exchange": {
            name: [
                float(engine.parts.exchange.account(name).cash),
                engine.parts.exchange.account(name).holding(CHEAP).volume,
            ]
            for name in engine.house.portfolio.books
        },
        "sellable": {
            name: engine.parts.exchange.account(name).holding(CHEAP).sellable(1) for name in house.held()
        },
    }
    result["threads"] = house.close()
    return result


def hold_the_lease(house: House) -> dict[str, Any]:
    """Start and stay until standard input ends."""
    house.engine.start()
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.read()
    return {"threads": house.close()}


def refused(house: House) -> dict[str, Any]:
    """Try to start while another process writes."""
    from vnpy_aiagent.errors import JournalLocked

    try:
        house.engine.start()
    except JournalLocked as error:
        return {"error": str(error), "threads": house.close()}
    raise AssertionError("two processes hold one journal")


def broken_handler(house: House) -> dict[str, Any]:
    """A handler of ours that raises costs its event, nothing else."""
    house.engine.start()

    def broken(_: object) -> None:
        raise ZeroDivisionError("broken on purpose")

    house.engine.bus.subscribe("eTick.", broken)
    house.until(lambda: house.engine.bus.failures >= 3, "failures are counted")
    assert house.engine.parts.writer.flush()
    alive = house.events._thread.is_alive()
    return {"alive": alive, "alerts": house.engine.status()["alerts"], "threads": house.close()}


def foreign_handler(house: House) -> dict[str, Any]:
    """A foreign handler ends the event thread: the watchdog cancels the entries that work."""
    from vnpy.event import Event

    house.engine.start()
    house.until(lambda: house.engine.house.portfolio.quotes.get(CHEAP) is not None, "a quote")
    house.engine.analyze(CHEAP)
    for _ in range(100):  # no volume trades, so the entries rest
        house.tick(5.0, traded=0)
        if len(list(house.engine.execution.desk.working())) == 3:
            break
        time.sleep(0.1)
    time.sleep(0.5)
    exchange = house.engine.parts.exchange
    working = sum(len(exchange.account(name).orders) for name in house.engine.house.portfolio.books)
    threading.excepthook = lambda _: None

    def foreign(_: object) -> None:
        raise RuntimeError("somebody else's bug")

    house.events.register("eForeign", foreign)
    house.events.put(Event("eForeign"))
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        left = sum(len(exchange.account(name).orders) for name in house.engine.house.portfolio.books)
        if not left:
            break
        time.sleep(0.1)
    alerts = house.engine.alerts[-3:]
    dead = not house.events._thread.is_alive()
    return {"working": working, "left": left, "dead": dead, "alerts": alerts, "threads": house.close()}


def disk_full(house: House) -> dict[str, Any]:
    """The journal's disk is full while a decision is made: no order leaves before it can be written."""
    from vnpy_aiagent.errors import JournalError
    from vnpy_aiagent.store.journal import Journal

    house.engine.start()
    house.until(lambda: house.engine.house.portfolio.quotes.get(CHEAP) is not None, "a quote")
    append = Journal.append
    full = threading.Event()

    def failing(self: Journal, drafts: Any, wall: str | None = None) -> Any:
        if full.is_set():
            raise JournalError("cannot write to the journal (database or disk is full)")
        return append(self, drafts, wall)

    Journal.append = failing  # type: ignore[method-assign]
    full.set()
    house.engine.analyze(CHEAP)
    desk = house.engine.execution.desk
    house.until(lambda: len(list(desk.working())) == 3, "three intents wait")
    for _ in range(5):
        house.tick(5.0)
        time.sleep(0.1)
    states = sorted({child.state.name for _, child in desk.working()})
    exchange = house.engine.parts.exchange
    at_exchange = sum(len(exchange.account(name).orders) for name in house.engine.house.portfolio.books)
    alerts = list(house.engine.alerts)
    full.clear()
    house.until(lambda: len(house.held()) == 3, "orders leave once the disk has room")
    return {
        "states": states,
        "at_exchange": at_exchange,
        "alerts": alerts,
        "held": house.held(),
        "threads": house.close(),
    }


def _stop_states(house: House) -> set[str]:
    return {stop.state.name for stop in house.engine.monitoring.stops}


def _children() -> list[Any]:
    import multiprocessing

    return multiprocessing.active_children()


SCENARIOS: dict[str, Callable[[House], Any]] = {
    each.__name__: each
    for each in (
        start_and_stop,
        trade_and_stop_out,
        sell_deferred,
        hold_and_die,
        come_back,
        hold_the_lease,
        refused,
        broken_handler,
        foreign_handler,
        disk_full,
    )
}

if __name__ == "__main__":
    main()
