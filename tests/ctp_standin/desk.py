"""A trader at vnpy's unmodified CtpGateway, and the stand-in exchange behind it."""

import ctypes
import threading
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

QUIET = 0.3  # seconds in which callbacks that are under way end
PATIENCE = 30.0  # seconds until something awaited counts as missing
INDEX, REBAR = "IF2101.CFFEX", "rb2105.SHFE"
SETTING = {
    "用户名": "demo",
    "密码": "right",
    "经纪商代码": "9999",
    "交易服务器": "127.0.0.1:1",
    "行情服务器": "127.0.0.1:2",
    "产品名称": "client_aiagent_1.0",
    "授权编码": "0000000000000000",
    "柜台环境": "测试",
}
CONTRACTS_KNOWN = "合约信息查询成功"
NETWORK_READ_FAILED = 0x1001


class Exchange:
    """The stand-in's handle: the library that both gateway modules have loaded."""

    def __init__(self, quotes: str) -> None:
        self.library = ctypes.CDLL("libctp_standin.so")
        self.rows = self.library.standin_load(quotes.encode())
        assert self.rows > 0, f"no quotes in {quotes}"

    def publish(self, count: int = 1) -> None:
        """Show the next quotes."""
        shown = self.library.standin_publish(count)
        assert shown == count, "the recorded quotes are used up"

    def settle(self) -> None:
        """Let orders that wait reach the book."""
        self.library.standin_settle_orders()

    def save(self, path: str) -> None:
        """Keep the exchange's day for the next process."""
        assert self.library.standin_save(path.encode()) == 0, f"{path} was not written"

    def restore(self, path: str) -> None:
        """Take up a day that a process before this one kept."""
        assert self.library.standin_restore(path.encode()) == 0, f"{path} was not read"

    def orders(self) -> list[list[str]]:
        """Every order the exchange was given: id, symbol, side, offset, price, volume, traded, state."""
        size = self.library.standin_orders(None, 0) + 1
        buffer = ctypes.create_string_buffer(size)
        self.library.standin_orders(buffer, size)
        return [line.split(",") for line in buffer.value.decode().splitlines()]


class Desk:
    """MainEngine with the CTP gateway, what it said, and the exchange behind it."""

    def __init__(self, quotes: str, interval: int | float = 1) -> None:
        """`interval` is vnpy's timer in seconds: its gateway asks for cash or positions every other time."""
        from vnpy.event import EventEngine
        from vnpy.trader.engine import MainEngine
        from vnpy.trader.event import EVENT_LOG, EVENT_ORDER, EVENT_TICK, EVENT_TRADE
        from vnpy_ctp import CtpGateway

        self.logs: list[str] = []
        self.ticks: list[Any] = []
        self.trades: list[Any] = []
        self.states: dict[str, list[str]] = {}
        self.events = EventEngine(interval=interval)  # type: ignore[arg-type]
        self.main: Any = MainEngine(self.events)
        self.events.register(EVENT_LOG, lambda event: self.logs.append(event.data.msg))
        self.events.register(EVENT_TICK, lambda event: self.ticks.append(event.data))
        self.events.register(EVENT_TRADE, lambda event: self.trades.append(event.data))
        self.events.register(EVENT_ORDER, self._on_order)
        self.gateway: Any = self.main.add_gateway(CtpGateway)
        self.exchange = Exchange(quotes)

    def _on_order(self, event: Any) -> None:
        self.states.setdefault(event.data.vt_orderid, []).append(event.data.status.name)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"this did not happen: {what}; log: {self.logs}"
            time.sleep(0.01)

    def until_logged(self, text: str, times: int = 1) -> str:
        """Wait until a line with `text` was logged that often; the last such line."""
        self.until(lambda: sum(text in line for line in self.logs) >= times, f"{text!r} in the log")
        return next(line for line in reversed(self.logs) if text in line)

    def connect(self, changes: Mapping[str, str] = MappingProxyType({})) -> None:
        """Connect without waiting."""
        self.main.connect({**SETTING, **changes}, "CTP")

    def open(self) -> None:
        """Connect, wait for the contracts, subscribe both, show the invented quote and two recorded ones."""
        self.connect()
        self.until_logged(CONTRACTS_KNOWN)
        self.until_logged("行情服务器登录成功")
        self.until(lambda: self.main.get_contract(REBAR) is not None, "contracts are announced")
        self.subscribe()
        self.exchange.publish(3)
        self.until(lambda: len(self.ticks) == 3, "three ticks")

    def subscribe(self) -> None:
        """Ask for the quotes of both contracts."""
        from vnpy.trader.object import SubscribeRequest

        for vt_symbol in (INDEX, REBAR):
            contract = self.main.get_contract(vt_symbol)
            self.main.subscribe(SubscribeRequest(contract.symbol, contract.exchange), "CTP")

    def request(self, vt_symbol: str, direction: str, offset: str, price: float, volume: int) -> Any:
        """A limit order, not sent."""
        from vnpy.trader.constant import Direction, Offset, OrderType
        from vnpy.trader.object import OrderRequest

        contract = self.main.get_contract(vt_symbol)
        return OrderRequest(
            contract.symbol,
            contract.exchange,
            Direction[direction],
            OrderType.LIMIT,
            volume,
            price,
            Offset[offset],
        )

    def send(self, vt_symbol: str, direction: str, offset: str, price: float, volume: int) -> str:
        """Send a limit order; its vt_orderid."""
        request = self.request(vt_symbol, direction, offset, price, volume)
        return str(self.main.send_order(request, "CTP"))

    def send_and_settle(self, *order: Any, until: str) -> str:
        """Send a limit order, let it reach the book, wait for its state; its vt_orderid."""
        vt_orderid = self.send(*order)
        self.exchange.settle()
        self.until_state(vt_orderid, until)
        return vt_orderid

    def until_state(self, vt_orderid: str, state: str) -> None:
        """Wait for the last event of an order."""
        found = self.states.get
        self.until(lambda: found(vt_orderid, [""])[-1] == state, f"{vt_orderid} {state}")

    def cancel(self, vt_orderid: str) -> None:
        """Ask to cancel."""
        self.main.cancel_order(self.main.get_order(vt_orderid).create_cancel_request(), "CTP")

    def volumes(self) -> dict[str, list[float]]:
        """Ask for positions and wait for both contracts; volume, yesterday's and frozen volume of each."""
        from vnpy.trader.event import EVENT_POSITION

        seen: set[str] = set()

        def on_position(event: Any) -> None:
            seen.add(event.data.vt_symbol)

        self.events.register(EVENT_POSITION, on_position)
        self.gateway.query_position()
        self.until(lambda: seen == {INDEX, REBAR}, "positions of both contracts")
        self.events.unregister(EVENT_POSITION, on_position)
        return {
            f"{each.vt_symbol}.{each.direction.name}": [each.volume, each.yd_volume, each.frozen]
            for each in self.main.get_all_positions()
        }

    def close(self) -> list[str]:
        """End, and say which Python threads are left.

        vnpy_ctp waits for its callback thread while it keeps Python's lock: a callback at that moment hangs
        the process (docs/gateways.md). So the timed queries stop first, and callbacks get time to end.
        """
        from vnpy.event import EVENT_TIMER

        if hasattr(self.gateway, "query_functions"):
            self.events.unregister(EVENT_TIMER, self.gateway.process_timer_event)
        time.sleep(QUIET)
        self.main.close()
        return sorted(t.name for t in threading.enumerate() if t is not threading.main_thread())

    def fills(self, vt_orderid: str) -> list[list[Any]]:
        """Offset name, price and volume of an order's distinct fills."""
        fills = {t.vt_tradeid: t for t in self.trades if t.vt_orderid == vt_orderid}
        return [[t.offset.name, t.price, t.volume] for t in fills.values()]
