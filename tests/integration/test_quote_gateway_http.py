"""The quote gateway against two stand-in services on this machine, with the faults that real ones show."""

import queue
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from threading import enumerate as threads

import pytest
from vnpy.event import Event as HostEvent
from vnpy.event import EventEngine
from vnpy.trader.constant import Exchange
from vnpy.trader.object import ContractData, LogData, SubscribeRequest, TickData

from vnpy_aiagent.data.quote_gateway import QuoteGateway
from vnpy_aiagent.data.quote_http import fetch_within
from vnpy_aiagent.data.quote_sources import SourceFailed
from vnpy_aiagent.domain.clock import MARKET_TZ

NOW = datetime(2025, 11, 19, 10, 0, 5, tzinfo=MARKET_TZ)
PATIENCE = 20.0  # seconds; a test that needs them has failed
NAMES = {"sh600000": "浦发银行", "sz000001": "平安银行", "sh510300": "300ETF"}


@dataclass
class Fault:
    """What a service does instead of answering well."""

    status: int = 200
    body: bytes | None = None
    cut: int = 0
    slow: float = 0.0
    drip: bool = False
    headers: dict[str, str] = field(default_factory=dict)


class Service(ThreadingHTTPServer):
    """Sina or Tencent on 127.0.0.1. `at` is the time of its quotes, `price` their last price."""

    daemon_threads = True

    def __init__(self, kind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.kind = kind
        self.at = NOW
        self.price = 10.0
        self.fault: Fault | None = None
        self.requests: list[tuple[str, str]] = []
        self.released = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gave up is part of these tests."""

    def answer(self, codes: list[str]) -> bytes:
        row = self._sina if self.kind == "sina" else self._tencent
        return "".join(row(code) for code in codes).encode("gbk")

    def _sina(self, code: str) -> str:
        book = "100,9.99," * 5 + "100,10.01," * 5
        head = f"{NAMES[code]},10.0,9.95,{self.price},20.0,1.0,9.99,10.01,123400,1234000.5"
        return f'var hq_str_{code}="{head},{book}{self.at:%Y-%m-%d,%H:%M:%S},00";\n'

    def _tencent(self, code: str) -> str:
        book = "9.99~1~" * 5 + "10.01~1~" * 5
        head = f"1~{NAMES[code]}~{code[2:]}~{self.price}~9.95~10.0~1234~0~0~{book}~{self.at:%Y%m%d%H%M%S}~0~0"
        return f'v_{code}="{head}~20.0~1.0~{self.price}/1234/1234000~1234~123.4~";\n'


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        service = self.server
        service.requests.append((self.path, self.headers.get("Referer", "")))
        fault = service.fault or Fault()
        if fault.slow:
            service.released.wait(fault.slow)
        body = service.answer(self.path.partition("=")[2].split(",")) if fault.body is None else fault.body
        self.send_response(fault.status)
        for name, value in fault.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault.drip:
            self._drip(body)
        else:
            self.wfile.write(body[: len(body) - fault.cut])

    def _drip(self, body: bytes) -> None:
        for n in range(len(body)):
            self.wfile.write(body[n : n + 1])
            if self.server.released.wait(0.1):
                return

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output quiet."""


class Events(EventEngine):
    """Sorts what a gateway puts; starts no thread."""

    def __init__(self) -> None:
        super().__init__()
        self.ticks: queue.Queue[TickData] = queue.Queue()
        self.contracts: list[ContractData] = []
        self.logs: queue.Queue[str] = queue.Queue()

    def put(self, event: HostEvent) -> None:
        match event.data:
            case TickData() if event.type == "eTick.":
                self.ticks.put(event.data)
            case ContractData():
                self.contracts.append(event.data)
            case LogData():
                self.logs.put(event.data.msg)

    def wait_for_log(self, text: str) -> str:
        """The next line of the log with a text in it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            line = self.logs.get(timeout=max(0.01, deadline - time.monotonic()))
            if text in line:
                return line


class StepClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.value = NOW
        self.reads = 0

    def now(self) -> datetime:
        self.reads += 1
        return self.value


class QuickGateway(QuoteGateway):
    """Polls several times a second."""

    shortest_interval = 0.05


@dataclass
class Scene:
    """Both services, the gateway, what it put, and its clock."""

    sina: Service
    tencent: Service
    gateway: QuoteGateway
    events: Events
    clock: StepClock
    folder: Path

    def connect(self, *symbols: str, **setting: str | float) -> None:
        for symbol in symbols or ("600000.SSE",):
            code, _, suffix = symbol.partition(".")
            self.gateway.subscribe(SubscribeRequest(symbol=code, exchange=Exchange[suffix]))
        addresses = {"新浪地址": self.sina.url, "腾讯地址": self.tencent.url}
        self.gateway.connect({"刷新秒数": 0.05, "缓存文件夹": str(self.folder), **addresses, **setting})

    def move(self, seconds: float) -> None:
        """Let market time pass at the services and here."""
        self.clock.value += timedelta(seconds=seconds)
        self.sina.at = self.tencent.at = self.clock.value

    def tick(self) -> TickData:
        return self.events.ticks.get(timeout=PATIENCE)


@contextmanager
def running(service: Service) -> Iterator[Service]:
    thread = Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield service
    finally:
        service.released.set()
        service.shutdown()
        thread.join()
        service.server_close()


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    events, clock = Events(), StepClock()
    gateway = QuickGateway(events, "QUOTE")
    gateway.clock = clock
    with running(Service("sina")) as sina, running(Service("tencent")) as tencent:
        yield Scene(sina, tencent, gateway, events, clock, tmp_path)
        gateway.close()


def source(tick: TickData) -> str:
    assert tick.extra is not None
    return str(tick.extra["source"])


def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_ticks_and_contracts_of_the_subscribed_universe_arrive(scene: Scene) -> None:
    scene.connect("600000.SSE", "000001.SZSE", "510300.SSE")
    ticks = {tick.vt_symbol: tick for tick in (scene.tick(), scene.tick(), scene.tick())}
    assert set(ticks) == {"600000.SSE", "000001.SZSE", "510300.SSE"}
    tick = ticks["600000.SSE"]
    assert (tick.name, tick.last_price, tick.volume, tick.datetime) == ("浦发银行", 10.0, 123_400, NOW)
    assert (tick.limit_down, tick.limit_up) == (8.96, 10.95)
    assert source(tick) == "sina"
    assert {c.vt_symbol: c.name for c in scene.events.contracts} == {
        "600000.SSE": "浦发银行",
        "000001.SZSE": "平安银行",
        "510300.SSE": "300ETF",
    }


def test_one_poll_is_one_request_to_one_source(scene: Scene) -> None:
    scene.connect("600000.SSE", "000001.SZSE", "510300.SSE")
    scene.tick()
    path, referer = scene.sina.requests[0]
    assert path == "/list=sh600000,sz000001,sh510300"
    assert "sina.com.cn" in referer
    assert scene.tencent.requests == []


def test_a_price_is_published_once_until_its_time_moves(scene: Scene) -> None:
    scene.connect()
    scene.tick()
    asked = len(scene.sina.requests)
    wait_until(lambda: len(scene.sina.requests) > asked + 2)
    assert scene.events.ticks.empty()
    scene.sina.price = 10.2
    scene.move(3)
    assert scene.tick().last_price == 10.2


def test_the_next_start_knows_the_names_without_a_network(scene: Scene) -> None:
    scene.connect()
    scene.tick()
    scene.gateway.close()
    events = Events()
    offline = QuickGateway(events, "QUOTE")
    offline.clock = scene.clock
    offline.subscribe(SubscribeRequest(symbol="600000", exchange=Exchange.SSE))
    nowhere = closed_port()
    offline.connect({"缓存文件夹": str(scene.folder), "新浪地址": nowhere, "腾讯地址": nowhere})
    offline.close()
    assert [contract.name for contract in events.contracts] == ["浦发银行"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(status=403), "被拒绝（HTTP 403）"),
        (Fault(status=429, headers={"Retry-After": "5"}), "被拒绝（HTTP 429）"),
        (Fault(status=456), "被拒绝（HTTP 456）"),
        (Fault(status=500), "服务器错误（HTTP 500）"),
        (Fault(body=b"<html>Kinsoku jikou desu!</html>"), "不是行情"),
        (Fault(body=b""), "不是行情"),
        (Fault(body='var hq_str_sh600000="浦发银行,10.0";\n'.encode("gbk")), "只有2个字段"),
        (Fault(body=b'var hq_str_sh600000="\xff\xff\xff",1;\n'), "新浪"),
        (Fault(cut=40), "新浪"),
        (Fault(slow=60.0), "2秒内没有答复"),
        (Fault(drip=True), "新浪"),
    ],
)
def test_a_fault_of_the_first_source_is_told_and_the_second_answers(
    scene: Scene, fault: Fault, reason: str
) -> None:
    scene.sina.fault = fault
    scene.connect()
    assert source(scene.tick()) == "tencent"
    assert reason in scene.events.wait_for_log("新浪行情失败")


def test_a_closed_port_is_no_obstacle(scene: Scene) -> None:
    scene.connect(新浪地址=closed_port())
    tick = scene.tick()
    assert (source(tick), tick.volume, tick.turnover) == ("tencent", 123_400, 1_234_000)


def test_a_source_whose_quotes_stand_still_is_left_for_one_that_moves(scene: Scene) -> None:
    scene.sina.at = NOW - timedelta(minutes=5)
    scene.clock.value = NOW
    scene.connect()
    assert source(scene.tick()) == "tencent"
    assert "过期" in scene.events.wait_for_log("新浪行情失败")


def test_the_preferred_source_is_used_again_when_it_answers(scene: Scene) -> None:
    scene.sina.fault = Fault(status=500)
    scene.connect()
    assert source(scene.tick()) == "tencent"
    scene.sina.fault = None
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        scene.move(1)
        if source(scene.tick()) == "sina":
            break
    else:
        pytest.fail("the preferred source was not used again")
    scene.events.wait_for_log("行情来源：新浪")


def test_old_and_backward_quotes_are_not_published(scene: Scene) -> None:
    scene.connect(来源="sina")
    scene.tick()
    scene.sina.at = NOW - timedelta(seconds=3)
    scene.events.wait_for_log("行情时间倒退")
    scene.clock.value = NOW + timedelta(minutes=3)
    scene.events.wait_for_log("行情过期")
    assert scene.events.ticks.empty()


def test_a_share_without_a_price_gives_no_tick(scene: Scene) -> None:
    scene.sina.price = scene.tencent.price = 0.0
    scene.connect()
    assert "600000.SSE" in scene.events.wait_for_log("停牌或尚无成交")
    assert scene.events.ticks.empty()


def test_while_every_source_is_lost_nothing_is_published(scene: Scene) -> None:
    scene.sina.fault = scene.tencent.fault = Fault(status=429)
    scene.connect()
    scene.events.wait_for_log("没有可用的行情源")
    assert scene.events.ticks.empty()
    asked = len(scene.sina.requests), len(scene.tencent.requests)
    assert asked == (1, 1)


def test_outside_the_session_nobody_is_asked_unless_set(scene: Scene) -> None:
    scene.clock.value = scene.sina.at = NOW.replace(hour=20)
    scene.connect()
    read = scene.clock.reads
    wait_until(lambda: scene.clock.reads > read + 3)
    scene.gateway.close()
    assert scene.sina.requests == []
    scene.connect(全天轮询="是")
    assert scene.tick().datetime == NOW.replace(hour=20)


def test_a_later_subscription_joins_the_polls(scene: Scene) -> None:
    scene.connect()
    scene.tick()
    scene.gateway.subscribe(SubscribeRequest(symbol="000001", exchange=Exchange.SZSE))
    assert scene.tick().vt_symbol == "000001.SZSE"


def test_closing_does_not_wait_for_a_slow_source(scene: Scene) -> None:
    scene.sina.fault = Fault(slow=60.0)
    scene.connect()
    wait_until(lambda: bool(scene.sina.requests))
    scene.gateway.close()
    assert "quotes" not in [thread.name for thread in threads()]
    assert scene.events.ticks.empty()


def test_after_closing_it_can_connect_again(scene: Scene) -> None:
    scene.connect()
    scene.tick()
    scene.gateway.close()
    scene.move(3)
    scene.connect()
    assert scene.tick().datetime == scene.clock.value


def test_a_bad_address_is_a_failed_source() -> None:
    with pytest.raises(SourceFailed, match="连接失败"):
        fetch_within("http://[oops/list=sh600000", {}, 5.0, Event())


def test_the_host_keeps_tick_and_contract_and_ends_by_itself(scene: Scene) -> None:
    from vnpy.trader.engine import MainEngine

    main_engine = MainEngine(EventEngine(interval=1))
    gateway = main_engine.add_gateway(QuickGateway)
    assert isinstance(gateway, QuickGateway)
    gateway.clock = scene.clock
    main_engine.subscribe(SubscribeRequest(symbol="600000", exchange=Exchange.SSE), "QUOTE")
    main_engine.connect({"新浪地址": scene.sina.url, "缓存文件夹": str(scene.folder)}, "QUOTE")
    wait_until(lambda: main_engine.get_tick("600000.SSE") is not None)
    wait_until(lambda: main_engine.get_contract("600000.SSE") is not None)
    main_engine.close()
    assert "quotes" not in [thread.name for thread in threads()]


def test_a_request_ends_in_time_while_the_body_drips(scene: Scene) -> None:
    scene.sina.fault = Fault(drip=True)
    with pytest.raises(SourceFailed):
        fetch_within(f"{scene.sina.url}/list=sh600000", {}, 0.3, Event())


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail("what was waited for did not happen")
        time.sleep(0.01)
