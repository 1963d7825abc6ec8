"""The exchange of the chaos run: a process of its own that goes on while trading processes die.

    python exchange_process.py FOLDER SHARED REQUEST_PORT PUSH_PORT CASH SEED

Reads one JSON command a line and answers each with one JSON line. Prices walk through the recorded hourly
bars of the day that it is given, there and back again, many times faster than they once did: a kill every
few seconds should meet a moving market. How many shares trade at a step comes from SEED alone.
"""

import json
import os
import sys
import threading
import time
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

SYMBOLS = ("600900.SSE", "601398.SSE", "601988.SSE")
STEP_SECONDS = 0.03
STEPS_A_DAY = 600
LEAST, MOST = 0, 400  # shares that each account may take at one step
GATEWAY, ACCOUNT = "VENUE", "main"


class MovableClock:
    """A SpeedClock that the harness sets anew for each day."""

    def __init__(self) -> None:
        self.clock: Any = None

    def now(self) -> datetime:
        """Market time."""
        found: datetime = self.clock.now()
        return found


class Venue:
    """The exchange, its server, and what moves its prices."""

    def __init__(self, shared: Path, ports: tuple[int, int], cash: Decimal, seed: int) -> None:
        from vnpy.event import EventEngine
        from vnpy.trader.engine import MainEngine

        from vnpy_aiagent.config import SimSettings
        from vnpy_aiagent.data import load_folder
        from vnpy_aiagent.domain import BarInterval
        from vnpy_aiagent.market import TradingCalendar
        from vnpy_aiagent.market.order_hours import Handling, handling
        from vnpy_aiagent.sim.exchange import SimExchange
        from vnpy_aiagent.sim.remote import RemoteExchange
        from vnpy_aiagent.wiring import rules_provider

        folder = shared / "data" / "sse50"
        self.hourly = load_folder(folder, frequency=BarInterval.HOUR, symbols=list(SYMBOLS))
        self.daily = load_folder(folder, symbols=list(SYMBOLS))
        self.rules_for = rules_provider(dict(self.hourly.instruments))
        calendar = TradingCalendar()
        self.clock = MovableClock()

        def hours(vt_symbol: str, when: datetime) -> Handling:
            return handling(calendar, self.rules_for(vt_symbol, when.date()), when)

        self.settings = SimSettings(participation=1.0)
        self.main = MainEngine(EventEngine())
        self.exchange = SimExchange(self.clock, self.rules_for, self.settings, hours)
        self.set_day("2025-10-09", time.monotonic(), 1.0, began=False)
        self.server = RemoteExchange(self.main, self.exchange, {GATEWAY: (ACCOUNT, cash)}, *ports)
        self.venue = self.server.gateways[GATEWAY]
        self.random = Random(seed)
        self.moving = threading.Event()
        self.ended = threading.Event()
        self.place = 0
        self.all_orders: dict[str, Any] = {}
        self.all_trades: list[Any] = []
        self.requests: list[str] = []
        self._record()

    def _record(self) -> None:
        """Keep every order, trade and request of the whole run, for the harness to compare with."""
        told_order, told_trade = self.venue.on_order, self.venue.on_trade
        send = self.venue.send_order

        def on_order(order: Any) -> None:
            self.all_orders[order.orderid] = order
            told_order(order)

        def on_trade(trade: Any) -> None:
            self.all_trades.append(trade)
            told_trade(trade)

        def send_order(request: Any) -> str:
            self.requests.append(request.reference)
            return send(request)

        self.venue.on_order, self.venue.on_trade = on_order, on_trade  # type: ignore[method-assign]
        self.venue.send_order = send_order  # type: ignore[method-assign]

    def set_day(self, day: str, origin: float, rate: float, *, began: bool = True) -> None:
        """The clock stands at 09:35 of a day at the machine's moment `origin`."""
        from vnpy_aiagent.domain import MARKET_TZ
        from vnpy_aiagent.testing.speed_clock import SpeedClock

        start = datetime.fromisoformat(f"{day}T09:35:00").replace(tzinfo=MARKET_TZ)
        if began:
            self.exchange.end_session()
        self.clock.clock = SpeedClock(start, (), after=rate, origin=origin)
        if began:
            self.exchange.start_session(date.fromisoformat(day))
            self.server.begin_day()
            self.place = 0
            self._walk(date.fromisoformat(day))
            for symbol in SYMBOLS:
                name = self.hourly.instruments[symbol].name
                self.venue.announce(symbol, name, self.rules_for(symbol, date.fromisoformat(day)))

    def _walk(self, day: date) -> None:
        """Each symbol's prices of the day, and the close before it, which its limits come from."""
        from vnpy_aiagent.domain import MARKET_TZ, BarInterval
        from vnpy_aiagent.testing.quote_server import DayTape, HourBar

        self.tapes = {}
        for symbol in SYMBOLS:
            bars = self.hourly.bars(symbol, BarInterval.HOUR)
            hours = [
                HourBar(
                    datetime.fromtimestamp(int(bars.start[n]), MARKET_TZ),
                    bars.end_of(n),
                    float(bars.open[n]),
                    float(bars.high[n]),
                    float(bars.low[n]),
                    float(bars.close[n]),
                    int(bars.volume[n]),
                )
                for n in range(len(bars))
                if bars.day_of(n) == day
            ]
            before = self.daily.bars(symbol, BarInterval.DAILY).upto(hours[0].start)
            self.tapes[symbol] = DayTape(symbol, "", float(before.close[-1]), hours)

    def price(self, symbol: str, place: int) -> float:
        """The recorded price at a step of the walk, which turns round at either end."""
        tape = self.tapes[symbol]
        turn, rest = divmod(place, STEPS_A_DAY)
        share = (STEPS_A_DAY - rest if turn % 2 else rest) / STEPS_A_DAY
        hour = min(len(tape.bars) - 1, int(share * len(tape.bars)))
        bar = tape.bars[hour]
        within = share * len(tape.bars) - hour
        moment = bar.start + (bar.end - bar.start) * within + timedelta(microseconds=1)
        return tape.at(moment).last

    def step(self) -> None:
        """Move every symbol once, and publish its quote."""
        from vnpy.trader.constant import Exchange
        from vnpy.trader.object import TickData

        from vnpy_aiagent.domain import to_decimal
        from vnpy_aiagent.market.matching import MarketView
        from vnpy_aiagent.sim.exchange import MarketPoint

        self.place += 1
        now = self.clock.now()
        for symbol in SYMBOLS:
            rules = self.rules_for(symbol, now.date())
            last = to_decimal(self.price(symbol, self.place))
            close = to_decimal(self.tapes[symbol].prev_close)
            up = (close * Decimal("1.1")).quantize(rules.tick_size)
            down = (close * Decimal("0.9")).quantize(rules.tick_size)
            view = MarketView(
                last=last,
                bid=None,
                ask=None,
                limit_up=up,
                limit_down=down,
                liquidity=self.random.randint(LEAST, MOST),
                tick_size=rules.tick_size,
            )
            self.exchange.move(MarketPoint(symbol, view))
            code, _, suffix = symbol.rpartition(".")
            self.venue.on_tick(
                TickData(
                    GATEWAY,
                    code,
                    Exchange(suffix),
                    now,
                    volume=float(self.place * MOST),
                    last_price=float(last),
                    pre_close=float(close),
                    limit_up=float(up),
                    limit_down=float(down),
                )
            )

    def run(self) -> None:
        """Move until ended, whenever that is allowed."""
        while not self.ended.wait(STEP_SECONDS):
            if self.moving.is_set():
                with self.exchange.still():
                    if self.moving.is_set():
                        self.step()

    def state(self) -> dict[str, Any]:
        """Everything that the exchange knows of the account."""
        with self.exchange.still():
            account = self.exchange.account(ACCOUNT)
            return {
                "cash": str(account.cash),
                "holdings": {s: h.volume for s, h in sorted(account.holdings.items()) if h.volume},
                "working": sorted(account.orders),
                "orders": {
                    orderid: {
                        "symbol": o.vt_symbol,
                        "volume": int(o.volume),
                        "traded": int(o.traded),
                        "status": o.status.name,
                        "reference": o.reference,
                    }
                    for orderid, o in self.all_orders.items()
                },
                "trades": [
                    [t.datetime.date().isoformat(), t.orderid, t.tradeid, int(t.volume), str(t.price)]
                    for t in self.all_trades
                ],
                "requests": list(self.requests),
            }

    def working(self) -> int:
        """Orders that work now."""
        with self.exchange.still():
            return len(self.exchange.account(ACCOUNT).orders)

    def still(self, moving: bool) -> None:
        """Let the market move, or hold it: no move is under way when this returns."""
        if moving:
            self.moving.set()
            return
        with self.exchange.still():
            self.moving.clear()

    def hang(self, seconds: float) -> None:
        """Answer nobody for a while; what was asked meanwhile is done afterwards."""

        def hold() -> None:
            with self.exchange.still():
                time.sleep(seconds)

        threading.Thread(target=hold, name="hang").start()

    def close(self) -> None:
        """End all threads."""
        self.ended.set()
        self.server.stop()
        self.main.close()


def main() -> None:
    """Serve commands until told to quit, or until nobody is there to tell."""
    folder, shared, request_port, push_port, cash, seed = sys.argv[1:]
    os.chdir(folder)
    venue = Venue(Path(shared), (int(request_port), int(push_port)), Decimal(cash), int(seed))
    mover = threading.Thread(target=venue.run, name="market")
    mover.start()
    try:
        say({"ready": True})
        for line in sys.stdin:
            command = json.loads(line)
            if command["do"] == "quit":
                break
            say(obey(venue, command))
    finally:
        venue.close()
        mover.join()


def obey(venue: Venue, command: dict[str, Any]) -> dict[str, Any]:
    """Do one command."""
    match command["do"]:
        case "day":
            venue.still(moving=False)
            venue.set_day(command["day"], command["origin"], command["rate"])
            venue.step()
        case "move":
            venue.still(moving=command["on"])
        case "working":
            return {"working": venue.working()}
        case "state":
            return venue.state()
        case "hang":
            venue.hang(command["seconds"])
        case "serve":
            venue.server.start() if command["on"] else venue.server.stop()
        case other:
            raise ValueError(f"no command {other!r}")
    return {"done": command["do"]}


def say(answer: dict[str, Any]) -> None:
    """One JSON line."""
    print(json.dumps(answer, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
