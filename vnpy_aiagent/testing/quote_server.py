"""A quote service on this machine that answers as Sina or Tencent do, for one recorded day, with faults.

    day = QuoteDay([DayTape("600036.SSE", "招商银行", 41.2, bars_of_the_day)])
    with QuoteServer("sina", day, clock) as sina:
        main_engine.connect({"新浪地址": sina.url}, "QUOTE")
        sina.fault = QuoteFault(status=429)

Prices come from the day's recorded hourly bars. What happens inside an hour follows the project's own rule
(docs/adr/0003): open, then the low, then the high, then the close. Each leg takes a third of the hour at an
even speed, the volume spreads evenly over it, turnover is that volume at those prices: nothing else is
invented. No book was recorded, so all five levels are empty. A snapshot moves at the times that `QuoteDay` is
given, every three seconds of the session unless told otherwise, and says that time.
"""

import socket
import time
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Event, Thread
from types import TracebackType
from typing import Literal, NamedTuple, Self

from vnpy_aiagent.data.quote_sources import HAND, TEN_THOUSAND, source_code
from vnpy_aiagent.domain.clock import MARKET_TZ, Clock
from vnpy_aiagent.domain.money import round_to_tick
from vnpy_aiagent.market import Board, board_of

CADENCE = timedelta(seconds=3)
SESSIONS = (((9, 30), (11, 30)), ((13, 0), (15, 0)))
GARBAGE = "<html><body>验证码</body></html>".encode("gbk")
EMPTY_LEVELS = 5


@dataclass(frozen=True, slots=True)
class HourBar:
    """One recorded bar: prices in CNY, volume in shares."""

    start: datetime
    end: datetime
    open: float
    high: float
    low: float
    close: float
    volume: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A symbol's day so far. Prices are 0 before its first trade."""

    at: datetime
    last: float = 0.0
    open: float = 0.0
    high: float = 0.0
    low: float = 0.0
    volume: int = 0
    turnover: float = 0.0


@dataclass(frozen=True, slots=True)
class DayTape:
    """One symbol's day: its bars in order, and the reference price that its limits come from."""

    vt_symbol: str
    name: str
    prev_close: float
    bars: Sequence[HourBar]
    tick: Decimal = Decimal("0.01")

    def at(self, moment: datetime) -> Snapshot:
        """What a service says at a moment."""
        seen = [bar for bar in self.bars if bar.start < moment]
        if not seen:
            return Snapshot(moment)
        highs, lows, volume, turnover, last = [], [], 0, 0.0, 0.0
        for bar in seen:
            share = min(1.0, (moment - bar.start) / (bar.end - bar.start))
            last, passed, mean = _walk(bar, share)
            highs.append(max(passed))
            lows.append(min(passed))
            traded = int(bar.volume * share)
            volume += traded
            turnover += traded * mean
        return Snapshot(
            moment,
            self._grid(last),
            seen[0].open,
            self._grid(max(highs)),
            self._grid(min(lows)),
            volume,
            round(turnover, 2),
        )

    def _grid(self, price: float) -> float:
        return float(round_to_tick(Decimal(repr(price)), self.tick))


def _walk(bar: HourBar, share: float) -> tuple[float, list[float], float]:
    """After a share of the hour: the price, every turning point passed, and the mean price up to here."""
    points = (bar.open, bar.low, bar.high, bar.close)
    legs = share * (len(points) - 1)
    done = min(int(legs), len(points) - 2)
    part = legs - done
    price = points[done] + (points[done + 1] - points[done]) * part
    area = sum((points[n] + points[n + 1]) / 2 for n in range(done)) + (points[done] + price) / 2 * part
    return price, [*points[: done + 1], price], area / legs if legs else bar.open


class QuoteDay:
    """The symbols of a day and the moments at which their snapshots move."""

    def __init__(self, tapes: Sequence[DayTape], times: Sequence[datetime] = ()) -> None:
        """`times` in order; by default every three seconds of both sessions of the tapes' day."""
        self.tapes: Mapping[str, DayTape] = {source_code(tape.vt_symbol): tape for tape in tapes}
        self.times = list(times) or even_times(tapes[0].bars[0].start)

    def snapshot(self, code: str, now: datetime) -> tuple[DayTape, Snapshot] | None:
        """A symbol as it stood at the last moment at which snapshots moved; None for an unknown code."""
        tape = self.tapes.get(code)
        if tape is None:
            return None
        place = bisect_right(self.times, now)
        return tape, tape.at(self.times[place - 1]) if place else Snapshot(now)


def even_times(day: datetime) -> list[datetime]:
    """Every three seconds of both sessions."""
    times = []
    for (hour, minute), (last_hour, last_minute) in SESSIONS:
        at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=MARKET_TZ)
        while at <= at.replace(hour=last_hour, minute=last_minute, second=0):
            times.append(at)
            at += CADENCE
    return times


@dataclass(frozen=True, slots=True)
class QuoteFault:
    """What a service does instead of answering well.

    `status` with `retry_after` (seconds) refuses; `delay` (the machine's seconds) comes before the answer;
    `body` replaces it; `lag` makes all quotes that old; `half` leaves out every other symbol.
    """

    status: int = 200
    retry_after: int = 0
    delay: float = 0.0
    body: bytes | None = None
    lag: timedelta = timedelta(0)
    half: bool = False


def timed_out() -> QuoteFault:
    """No answer within any client's patience."""
    return QuoteFault(delay=60.0)


def garbage() -> QuoteFault:
    """A page that is no quotes."""
    return QuoteFault(body=GARBAGE)


class Asked(NamedTuple):
    """One request: the machine's moment (`time.monotonic()`), its path, the status that the fault gave it."""

    at: float
    path: str
    status: int


class QuoteServer:
    """One service, as a context manager. `requests` holds each request in the order of arrival."""

    def __init__(self, kind: Literal["sina", "tencent"], day: QuoteDay, clock: Clock) -> None:
        self.kind = kind
        self.day = day
        self.clock = clock
        self.fault = QuoteFault()
        self.requests: list[Asked] = []
        self.stopping = Event()
        self._port = 0
        self._server: _Server | None = None
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        """Its address; the same after `disconnect` and `reconnect`."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        """Start to listen."""
        self.reconnect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; answers that wait are dropped."""
        self.disconnect()

    def reconnect(self) -> None:
        """Listen, at the old port after `disconnect`."""
        if self._server is not None:
            return
        self.stopping.clear()
        self._server = _Server(self, self._port)
        self._port = int(self._server.server_address[1])
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def disconnect(self) -> None:
        """Close the port: connections are refused from now on."""
        if self._server is None or self._thread is None:
            return
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server = self._thread = None

    def answer(self, codes: Sequence[str], fault: QuoteFault) -> bytes:
        """The rows of some symbols; an unknown one has an empty row, as the services give it."""
        now = self.clock.now() - fault.lag
        row = _sina if self.kind == "sina" else _tencent
        shown = codes[::2] if fault.half else codes
        return "".join(row(code, self.day.snapshot(code, now)) for code in shown).encode("gbk")


Found = tuple[DayTape, Snapshot] | None


def _sina(code: str, found: Found) -> str:
    if found is None:
        return f'var hq_str_{code}="";\n'
    tape, now = found
    prices = (now.open, tape.prev_close, now.last, now.high, now.low, 0.0, 0.0)
    head = ",".join([tape.name, *(f"{price:.3f}" for price in prices), str(now.volume)])
    book = "0,0.000," * (2 * EMPTY_LEVELS)
    return f'var hq_str_{code}="{head},{now.turnover:.3f},{book}{now.at:%Y-%m-%d,%H:%M:%S},00";\n'


def _tencent(code: str, found: Found) -> str:
    if found is None:
        return f'v_{code}="";\n'
    tape, now = found
    volume = now.volume if board_of(tape.vt_symbol) is Board.STAR else now.volume // HAND
    last = now.last or tape.prev_close  # before the first trade it repeats the reference price
    before = f"{tape.prev_close:.2f}"
    fields = ["0"] * 38
    fields[:7] = ["1", tape.name, code[2:], f"{last:.2f}", before, f"{now.open:.2f}", str(volume)]
    fields[9:29] = ["0.00", "0"] * (2 * EMPTY_LEVELS)
    fields[30] = f"{now.at:%Y%m%d%H%M%S}"
    fields[33:35] = [f"{now.high:.2f}", f"{now.low:.2f}"]
    rounded = f"{now.turnover / TEN_THOUSAND:.0f}"
    fields[35:38] = [f"{last:.2f}/{volume}/{now.turnover:.0f}", str(volume), rounded]
    return f'v_{code}="{"~".join(fields)}~";\n'


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    request_queue_size = 16

    def __init__(self, owner: QuoteServer, port: int) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        """Bind without the name lookup of HTTPServer, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gave up waiting is part of the play."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5

    def do_GET(self) -> None:
        """GET /list=sh600036 or /q=sh600036, several separated by commas."""
        owner = self.server.owner
        fault = owner.fault
        owner.requests.append(Asked(time.monotonic(), self.path, fault.status))
        if fault.delay and owner.stopping.wait(fault.delay):
            return
        codes = self.path.partition("=")[2].split(",")
        body = owner.answer(codes, fault) if fault.body is None else fault.body
        self.send_response(fault.status)
        if fault.retry_after:
            self.send_header("Retry-After", str(fault.retry_after))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error."""
