"""A simulated exchange for other processes, by the way of vnpy_rpcservice: it outlives those who trade on it.

    server = RemoteExchange(main_engine, exchange, {"SIM": ("main", Decimal(1_000_000))}, 2014, 4102)
    server.start()                                     # RemoteGateway of another process connects
    exchange.move(point)                               # whoever owns the exchange moves its prices

Requests and pushed events are vnpy_rpcservice's own, so its plain gateway can look on. What RemoteGateway
needs beyond them is each account's private flow: every order and trade report of the day under a number, as
CTP numbers its private flow. Who has taken the first n asks for what comes after. A flow begins anew with
each trading day, and has another `run` then.

Loopback only: requests are pickled and nobody is asked who he is.
"""

import signal
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Lock
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

from vnpy.event import EventEngine
from vnpy.trader.engine import MainEngine
from vnpy.trader.object import AccountData, ContractData, OrderData, PositionData, TradeData

from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.sim.exchange import SimExchange
from vnpy_aiagent.sim.gateway import SimGateway

EVENT_FLOW = "eAiRemoteFlow"
LOOPBACK = "127.0.0.1"
BIND_PATIENCE = 5.0

Report = OrderData | TradeData


@dataclass(frozen=True, slots=True)
class FlowItem:
    """One report of an account's private flow; `number` counts from 1 within `run`."""

    gateway_name: str
    run: str
    number: int
    report: Report


@dataclass(frozen=True, slots=True)
class FlowState:
    """An account at one moment: reports after the asked number, holdings, cash; contracts where asked.

    `number` is that of the last report, `run` the flow's name. Of an order only the last report is told.
    """

    run: str
    number: int
    items: tuple[FlowItem, ...]
    positions: tuple[PositionData, ...]
    accounts: tuple[AccountData, ...]
    contracts: tuple[ContractData, ...] = ()


@dataclass(slots=True)
class _Flow:
    run: str = field(default_factory=lambda: uuid4().hex)
    number: int = 0
    orders: dict[str, FlowItem] = field(default_factory=dict)
    trades: list[FlowItem] = field(default_factory=list)


class VenueGateway(SimGateway):
    """A SimGateway that keeps its account's private flow of the day, and its last cash and holdings."""

    default_name = "VENUE"

    def __init__(self, event_engine: EventEngine, gateway_name: str) -> None:
        """As vnpy builds gateways."""
        super().__init__(event_engine, gateway_name)
        self._flow = _Flow()
        self._positions: dict[str, PositionData] = {}
        self._accounts: dict[str, AccountData] = {}
        self._contracts: dict[str, ContractData] = {}
        self._guard = Lock()

    def begin_day(self) -> None:
        """A new trading day: the orders and trades before it are not told any more."""
        with self._guard:
            self._flow = _Flow()

    def on_order(self, order: OrderData) -> None:
        """An order's report: into the flow, and to whoever listens here."""
        with self._guard:
            item = self._next(order)
            self._flow.orders[order.orderid] = item
            self.on_event(EVENT_FLOW, item)
        super().on_order(order)

    def on_trade(self, trade: TradeData) -> None:
        """A trade: into the flow, and to whoever listens here."""
        with self._guard:
            item = self._next(trade)
            self._flow.trades.append(item)
            self.on_event(EVENT_FLOW, item)
        super().on_trade(trade)

    def on_position(self, position: PositionData) -> None:
        """A holding changed."""
        with self._guard:
            self._positions[position.vt_positionid] = position
        super().on_position(position)

    def on_account(self, account: AccountData) -> None:
        """Cash changed."""
        with self._guard:
            self._accounts[account.vt_accountid] = account
        super().on_account(account)

    def on_contract(self, contract: ContractData) -> None:
        """A contract is announced."""
        with self._guard:
            self._contracts[contract.vt_symbol] = contract
        super().on_contract(contract)

    def state(self, run: str, after: int) -> FlowState:
        """The account now, with the reports after number `after` of flow `run`; all, where it is another."""
        with self._guard:
            flow, known = self._flow, run == self._flow.run
            items = [*flow.orders.values(), *flow.trades]
            if known:
                items = [item for item in items if item.number > after]
            return FlowState(
                run=flow.run,
                number=flow.number,
                items=tuple(sorted(items, key=lambda item: item.number)),
                positions=tuple(self._positions.values()),
                accounts=tuple(self._accounts.values()),
                contracts=() if known else tuple(self._contracts.values()),
            )

    def _next(self, report: Report) -> FlowItem:
        flow = self._flow
        flow.number += 1
        return FlowItem(self.gateway_name, flow.run, flow.number, copy(report))


class RemoteExchange:
    """Serves a simulated exchange's accounts to other processes of this machine.

    Each account is a VenueGateway of the given main engine. `stop` and `start` may alternate: the exchange
    and what it knows stay. ConfigError without vnpy_rpcservice, or where a port is taken.
    """

    def __init__(
        self,
        main_engine: MainEngine,
        exchange: SimExchange,
        accounts: Mapping[str, tuple[str, Decimal]],
        request_port: int,
        push_port: int,
    ) -> None:
        """`accounts` gives the account's name and cash (CNY) of each gateway name. Main thread only."""
        self.main_engine = main_engine
        self.exchange = exchange
        self.addresses = tuple(f"tcp://{LOOPBACK}:{port}" for port in (request_port, push_port))
        self.gateways: dict[str, VenueGateway] = {}
        self._rpc: Any = _rpc_engine()(main_engine, main_engine.event_engine)
        main_engine.event_engine.unregister_general(self._rpc.process_event)
        _give_back(self._rpc.server)  # `start` makes a server of its own
        for gateway_name, (account, cash) in accounts.items():
            gateway = main_engine.add_gateway(VenueGateway, gateway_name)
            assert isinstance(gateway, VenueGateway)
            gateway.venue = exchange
            gateway.connect({"account": account, "cash": float(cash)})
            self.gateways[gateway_name] = gateway

    def start(self) -> None:
        """Answer and push; a port that was just given up is waited for."""
        give_up = monotonic() + BIND_PATIENCE
        while True:
            self._rpc.init_server()
            self._rpc.server.register(self.private_flow)
            try:
                self._rpc.server.start(*self.addresses)
                break
            except OSError as error:  # zmq's errors are
                _give_back(self._rpc.server)
                if monotonic() >= give_up:
                    raise ConfigError(
                        f"the remote exchange cannot listen on {' and '.join(self.addresses)} ({error}); "
                        "choose other ports"
                    ) from error
                sleep(0.1)
        self.main_engine.event_engine.register_general(self._rpc.process_event)

    def stop(self) -> None:
        """Answer nobody any more; the exchange itself goes on."""
        if not self._rpc.server.is_active():
            return
        self.main_engine.event_engine.unregister_general(self._rpc.process_event)
        self._rpc.server.stop()
        self._rpc.server.join()
        _give_back(self._rpc.server)

    def begin_day(self) -> None:
        """The exchange's trading day has changed: private flows begin anew."""
        for gateway in self.gateways.values():
            gateway.begin_day()

    def private_flow(self, gateway_name: str, run: str, after: int) -> FlowState:
        """One account for RemoteGateway: see VenueGateway.state. KeyError for an unknown name."""
        gateway = self.gateways[gateway_name]
        with self.exchange.still():
            return gateway.state(run, after)


def _rpc_engine() -> Any:
    """vnpy_rpcservice's engine. Its import makes Ctrl+C end the process at once: that is put back."""
    before = signal.getsignal(signal.SIGINT)
    try:
        from vnpy_rpcservice.rpc_service.engine import RpcEngine
    except ImportError as error:
        raise ConfigError(
            "the remote exchange needs vnpy_rpcservice: pip install vnpy_aiagent[rpc]"
        ) from error
    if signal.getsignal(signal.SIGINT) is not before:
        signal.signal(signal.SIGINT, before)
    return RpcEngine


def _give_back(server: Any) -> None:
    """vnpy's server closes its sockets in its thread, and never its context."""
    for socket in (server._socket_rep, server._socket_pub):
        socket.close(linger=0)
    server._context.term()
