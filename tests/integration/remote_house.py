"""A remote exchange and its clients in one process, each with an event engine and sockets of its own."""

import socket
import time
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from vnpy.event import EventEngine
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType, Status
from vnpy.trader.engine import MainEngine
from vnpy.trader.event import EVENT_LOG, EVENT_ORDER, EVENT_TRADE
from vnpy.trader.object import OrderRequest, TickData

from vnpy_aiagent.config import SimSettings
from vnpy_aiagent.domain import MARKET_TZ, Clock, VirtualClock
from vnpy_aiagent.market import instrument_rules
from vnpy_aiagent.market.matching import MarketView
from vnpy_aiagent.sim import remote_gateway as remote
from vnpy_aiagent.sim.exchange import MarketPoint, SimExchange
from vnpy_aiagent.sim.remote import RemoteExchange
from vnpy_aiagent.sim.remote_gateway import RemoteGateway

SYMBOL = "600036.SSE"
NOW = datetime(2025, 7, 10, 10, 0, tzinfo=MARKET_TZ)

QUICK: Any = 0.1  # seconds between timer events, which the end of an event engine waits for


class House:
    """An exchange with its server, and any number of clients, each with an event engine of its own."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Any = clock or VirtualClock(NOW)
        self.exchange = SimExchange(self.clock, instrument_rules, SimSettings(participation=1.0))
        self.main = MainEngine(EventEngine(QUICK))
        self.ports = free_ports()
        self.server = RemoteExchange(
            self.main, self.exchange, {"VENUE": ("main", Decimal(1_000_000))}, *self.ports
        )
        self.exchange.start_session(self.clock.now().date())
        self.server.gateways["VENUE"].announce(
            SYMBOL, "招商银行", instrument_rules(SYMBOL, self.clock.now().date())
        )
        self.server.start()
        self.price("40.00")
        self.clients: list[Client] = []

    def price(self, last: str, liquidity: int = 100_000) -> None:
        """Move the market."""
        view = MarketView(
            last=Decimal(last),
            bid=None,
            ask=None,
            limit_up=Decimal("44.00"),
            limit_down=Decimal("36.00"),
            liquidity=liquidity,
            tick_size=Decimal("0.01"),
        )
        self.exchange.move(MarketPoint(SYMBOL, view))
        code, _, suffix = SYMBOL.rpartition(".")
        tick = TickData("VENUE", code, Exchange(suffix), self.clock.now(), last_price=float(last))
        tick.pre_close, tick.limit_up, tick.limit_down = 40.0, 44.0, 36.0
        self.server.gateways["VENUE"].on_tick(tick)

    def client(self, **setting: Any) -> "Client":
        """A client that has connected."""
        client = Client(self.ports, setting)
        self.clients.append(client)
        until(lambda: client.gateway.connected)
        return client

    def close(self) -> None:
        """End everything."""
        for client in self.clients:
            client.main.close()
        self.server.stop()
        self.main.close()


class Client:
    """A main engine with a RemoteGateway, and every order and trade event that it heard."""

    def __init__(self, ports: tuple[int, int], setting: dict[str, Any]) -> None:
        self.main = MainEngine(EventEngine(QUICK))
        self.orders: list[Any] = []
        self.trades: list[Any] = []
        self.lines: list[str] = []
        self.main.event_engine.register(EVENT_ORDER, lambda event: self.orders.append(event.data))
        self.main.event_engine.register(EVENT_TRADE, lambda event: self.trades.append(event.data))
        self.main.event_engine.register(EVENT_LOG, lambda event: self.lines.append(event.data.msg))
        gateway = self.main.add_gateway(RemoteGateway)
        assert isinstance(gateway, RemoteGateway)
        self.gateway = gateway
        request_port, push_port = ports
        self.setting = {
            remote.REQUESTS: f"tcp://127.0.0.1:{request_port}",
            remote.PUSHES: f"tcp://127.0.0.1:{push_port}",
            remote.REMOTE_NAME: "VENUE",
            remote.POLL_SECONDS: 0.1,
            **setting,
        }
        self.main.connect(self.setting, "REMOTE")

    def send(self, price: float, volume: int = 100, reference: str = "r1-5/1") -> str:
        """Buy."""
        return self.main.send_order(order(price, volume, reference), "REMOTE")

    def state(self, vt_orderid: str) -> tuple[Status, float] | None:
        """What the host believes of an order."""
        found = self.main.get_order(vt_orderid)
        return (found.status, found.traded) if found else None


def order(price: float, volume: int = 100, reference: str = "") -> OrderRequest:
    code = SYMBOL.partition(".")[0]
    return OrderRequest(
        code, Exchange.SSE, Direction.LONG, OrderType.LIMIT, volume, price, Offset.OPEN, reference
    )


def until(condition: Callable[[], Any]) -> None:
    """Wait for what another thread does."""
    for _ in range(3_000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("this did not happen in thirty seconds")


def free_ports() -> tuple[int, int]:
    """Two ports of this machine that nobody uses now."""
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
