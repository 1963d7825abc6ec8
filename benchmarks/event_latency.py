"""How long an event waits for the host's event thread while the app is at work.

    python benchmarks/event_latency.py [--seconds 10] [--rate 200] [--model-seconds 1] [--json]

Three cases, in a folder that is removed afterwards: VeighNa alone with ticks of twenty symbols; the same with
the app in paper mode, its brain, journal and threads; the same while it decides on all twenty at once, 16 at
a time. The offline analyst decides, or with --model-seconds a stand-in of a language model in a process of
its own, whose answers take so long. A ping goes through the event engine every 2 milliseconds; its delay is
what any other handler would feel. Figures and what they mean: docs/paper-day.md and docs/benchmarks.md.
"""

import argparse
import json
import threading
import time
from contextlib import nullcontext
from datetime import date, datetime, timedelta
from typing import Any

from scratch import enter
from slow_model import slow_model

SYMBOLS = tuple(f"{600000 + number:06d}" for number in range(20))
PING_SECONDS = 0.002
AT_WORK, WAVES = 16, 3
SETTLE_SECONDS = 3
"""Until what a start does, such as the brain's imports, is done."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="seconds of each case")
    parser.add_argument("--rate", type=float, default=200.0, help="ticks a second")
    parser.add_argument("--model-seconds", type=float, default=0.0, help="seconds of an answer; 0: offline")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    given = parser.parse_args()
    enter()
    with slow_model(given.model_seconds) if given.model_seconds else nullcontext("") as base_url:
        results = measure(given.seconds, given.rate, base_url)
    if given.json:
        print(json.dumps(results))
        return
    for case, found in results.items():
        print(
            f"{case:20s} p50 {found['p50_us']:7.0f} µs   p99 {found['p99_us']:7.0f} µs   "
            f"max {found['max_us']:7.0f} µs   {found['ticks']:5.0f} ticks/s"
            + (f"   {found['decisions']:.0f} decisions" if "decisions" in found else "")
        )


def measure(seconds: float, rate: float, base_url: str = "") -> dict[str, dict[str, float]]:
    """The three cases, in order; with a model at `base_url`, else with the offline analyst."""
    from vnpy.event import EventEngine
    from vnpy.trader.engine import MainEngine

    from vnpy_aiagent import AiAgentApp
    from vnpy_aiagent.config import BrainSettings, LlmSettings, Settings
    from vnpy_aiagent.domain import MARKET_TZ, Mode
    from vnpy_aiagent.testing.speed_clock import SpeedClock

    store_history()
    events = EventEngine()
    main_engine = MainEngine(events)
    clock = SpeedClock(
        datetime.combine(date(2025, 10, 30), datetime.min.time(), MARKET_TZ).replace(hour=10), ()
    )
    ticks = Ticks(main_engine, clock, rate)
    try:
        engine: Any = main_engine.add_app(AiAgentApp)
        results = {"VeighNa alone": listen(events, seconds, ticks)}
        universe = tuple(f"{symbol}.SSE" for symbol in SYMBOLS)
        llm = LlmSettings(base_url=base_url, model="stand-in") if base_url else LlmSettings()
        brain = BrainSettings(concurrency=AT_WORK)
        engine.start(Settings(mode=Mode.PAPER, language="zh", universe=universe, llm=llm, brain=brain), clock)
        time.sleep(SETTLE_SECONDS)
        results["with the app"] = listen(events, seconds, ticks)
        for symbol in universe * (WAVES if base_url else 1):
            engine.analyze(symbol)
        results["while it decides"] = listen(events, seconds, ticks)
        decided = engine.review._today().counts["decisions"]
        results["while it decides"]["decisions"] = decided
    finally:
        ticks.stop()
        main_engine.close()
    return results


def store_history() -> None:
    """A year of made-up daily bars in vnpy's database: their content does not matter to a delay."""
    from vnpy.trader.constant import Exchange, Interval
    from vnpy.trader.database import get_database
    from vnpy.trader.object import BarData

    from vnpy_aiagent.domain import MARKET_TZ

    first = datetime(2024, 11, 1, 9, 30, tzinfo=MARKET_TZ)
    for number, symbol in enumerate(SYMBOLS):
        bars = []
        for day in range(362):
            moment = first + timedelta(days=day)
            if moment.weekday() < 5:
                price = 10 + number + day / 100
                bars.append(
                    BarData(
                        gateway_name="DB",
                        symbol=symbol,
                        exchange=Exchange.SSE,
                        datetime=moment,
                        interval=Interval.DAILY,
                        volume=1e7,
                        turnover=1e7 * price,
                        open_price=price,
                        high_price=price * 1.01,
                        low_price=price * 0.99,
                        close_price=price,
                    )
                )
        get_database().save_bar_data(bars)


class Ticks:
    """Publishes ticks of the twenty in turn from a thread of its own, as a gateway does."""

    def __init__(self, main_engine: Any, clock: Any, rate: float) -> None:
        from vnpy.event import Event
        from vnpy.trader.constant import Exchange
        from vnpy.trader.event import EVENT_TICK
        from vnpy.trader.object import TickData

        self._stop = threading.Event()
        self.count = 0

        def run() -> None:
            number = 0
            due = time.perf_counter()
            while not self._stop.is_set():
                due = max(due + 1 / rate, time.perf_counter() - 0.01)
                if due > time.perf_counter():
                    time.sleep(max(0.0, due - time.perf_counter()))
                price = 13.5 + number % len(SYMBOLS)
                tick = TickData(
                    gateway_name="BENCH",
                    symbol=SYMBOLS[number % len(SYMBOLS)],
                    exchange=Exchange.SSE,
                    datetime=clock.now(),
                    last_price=price,
                    volume=number * 100.0,
                    pre_close=price,
                    open_price=price,
                    high_price=price,
                    low_price=price,
                    limit_up=price * 1.1,
                    limit_down=price * 0.9,
                )
                main_engine.event_engine.put(Event(EVENT_TICK, tick))
                main_engine.event_engine.put(Event(EVENT_TICK + tick.vt_symbol, tick))
                number += 1
                self.count = number

        self._thread = threading.Thread(target=run, name="bench-ticks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """No more ticks."""
        self._stop.set()
        self._thread.join()


def listen(events: Any, seconds: float, ticks: Ticks) -> dict[str, float]:
    """Ping for some seconds; delays in microseconds."""
    from vnpy.event import Event

    delays: list[float] = []

    def echo(event: Any) -> None:
        delays.append(time.perf_counter() - event.data)

    events.register("eBenchPing", echo)
    first = ticks.count
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        events.put(Event("eBenchPing", time.perf_counter()))
        time.sleep(PING_SECONDS)
    sent = (ticks.count - first) / seconds
    time.sleep(0.2)
    events.unregister("eBenchPing", echo)
    delays.sort()
    found = {"p50": 0.5, "p99": 0.99}
    result = {f"{name}_us": delays[int(len(delays) * share)] * 1e6 for name, share in found.items()}
    return {**result, "max_us": delays[-1] * 1e6, "pings": len(delays), "ticks": sent}


if __name__ == "__main__":
    main()
