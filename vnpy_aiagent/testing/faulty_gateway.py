"""A simulated gateway whose broker messages get lost, late, doubled or out of order, as a test wants.

    gateway = main_engine.add_gateway(FaultyGateway, "SIM-JUDGE")   # before the AiAgent engine starts
    gateway.use(Faults(seed=7, drop=0.1, duplicate=0.2, delay=0.3))
    ...                        # orders, ticks
    gateway.step()             # one step later: what was delayed so long arrives
    gateway.disconnect(3)      # no connection for three steps; without a number until reconnect()
    gateway.restart(2)         # the gateway's process ends, and is back two steps later
    gateway.reconnect()        # the broker tells today's orders and trades again, as CTP does
    gateway.calm()             # no more faults; all that is still on its way arrives

Chance comes from the seed alone; time is counted in steps, so nothing sleeps and no clock is read. The
exchange behind it is sound: a fault changes what is told, never what happened there. One thread owns it.
"""

from collections import Counter
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from random import Random
from typing import TypeVar

from vnpy.event import EventEngine
from vnpy.trader.constant import Status
from vnpy.trader.object import AccountData, CancelRequest, OrderData, OrderRequest, PositionData, TradeData

from vnpy_aiagent.sim.gateway import SimGateway

__all__ = ["Faults", "FaultyGateway"]

BrokerMessage = TypeVar("BrokerMessage", OrderData, TradeData, PositionData, AccountData)


@dataclass(frozen=True, slots=True)
class Faults:
    """How often what goes wrong: ratios 0..1 of all orders (`reject`, `disconnect`), of all messages, or of
    all steps (`restart`).

    reject: the broker refuses the order before the exchange sees it.
    disconnect: the connection breaks as the order leaves: it is at the exchange, and `send_order` raises.
    drop: the message never arrives (a `reconnect` tells orders and trades again).
    duplicate: it arrives twice.
    delay: it arrives 1 to `most_steps` steps later.
    reorder: it arrives behind the one that follows it.
    restart: the gateway's process ends and begins anew; what was on its way is lost.
    After a `disconnect` or `restart` the connection is back by itself `outage` steps later; with 0 after a
    `restart` at once, after a `disconnect` once `reconnect` is called.
    """

    seed: int = 0
    reject: float = 0.0
    disconnect: float = 0.0
    drop: float = 0.0
    duplicate: float = 0.0
    delay: float = 0.0
    reorder: float = 0.0
    restart: float = 0.0
    most_steps: int = 3
    outage: int = 0

    def __post_init__(self) -> None:
        """ValueError for a ratio outside 0..1, a delay without a step or an outage below 0."""
        for name in ("reject", "disconnect", "drop", "duplicate", "delay", "reorder", "restart"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a ratio between 0 and 1, not {getattr(self, name)}")
        if self.most_steps < 1:
            raise ValueError(f"most_steps is at least 1, not {self.most_steps}")
        if self.outage < 0:
            raise ValueError(f"outage counts steps, from 0, not {self.outage}")


class FaultyGateway(SimGateway):
    """A SimGateway with switches for what can go wrong between a broker and its client.

    `requests` are the orders that reached it, in order. `counts` says how often each switch acted, and how
    many messages got `lost` while there was no connection.
    """

    default_name = "FAULTY"

    def __init__(self, event_engine: EventEngine, gateway_name: str) -> None:
        """Begin without faults."""
        super().__init__(event_engine, gateway_name)
        self.faults = Faults()
        self.connected = True
        self.requests: list[OrderRequest] = []
        self.counts: Counter[str] = Counter()
        self._random = Random(0)  # noqa: S311 - chance of a test, no secret
        self._step = 0
        self._back_at: int | None = None
        self._late: list[tuple[int, Callable[[], None]]] = []
        self._overtaken: list[Callable[[], None]] = []
        self._orders: dict[str, OrderData] = {}
        self._trades: list[TradeData] = []
        self._refused = 0

    # switches

    def use(self, faults: Faults) -> None:
        """From now on these faults, with the chance of their own seed."""
        self.faults = faults
        self._random = Random(faults.seed)  # noqa: S311

    def calm(self) -> None:
        """No more faults; what is on its way arrives, in its present order."""
        self.faults = Faults()
        self._let_go(self._take_overtaken())
        late, self._late = self._late, []
        self._let_go([deliver for _, deliver in sorted(late, key=lambda item: item[0])])

    def step(self, count: int = 1) -> None:
        """Let some steps pass: what was delayed so long arrives, and whatever nothing has overtaken."""
        for _ in range(count):
            self._one_step()

    def _one_step(self) -> None:
        self._step += 1
        if self._back_at is not None and self._back_at <= self._step:
            self.reconnect()
        elif self._happens("restart", self.faults.restart):
            self.restart(self.faults.outage)
        self._let_go(self._take_overtaken())
        due = sorted((item for item in self._late if item[0] <= self._step), key=lambda item: item[0])
        self._late = [item for item in self._late if item[0] > self._step]
        self._let_go([deliver for _, deliver in due])

    def disconnect(self, steps: int = 0) -> None:
        """Break the connection: messages are lost, orders are not taken, cancels do not arrive.

        It is back by itself after so many steps; with 0 once `reconnect` is called.
        """
        self.connected = False
        self._back_at = self._step + steps if steps else None
        self.write_log("连接已断开")

    def reconnect(self) -> None:
        """Connect (again): the broker tells today's orders at their last state, today's trades, the account.

        The day is that of the exchange. Messages pass through the faults that are switched on.
        """
        self.connected = True
        self._back_at = None
        self.write_log("连接已恢复")
        for order in list(self._orders.values()):
            if self._is_of_today(order.datetime):
                self._pass_order(order)
        for trade in list(self._trades):
            if self._is_of_today(trade.datetime):
                self._pass_trade(trade)
        self.query_account()

    def restart(self, steps: int = 0) -> None:
        """The gateway's process ends and begins anew: what was on its way is lost; then as `reconnect`.

        It is back after so many steps, with 0 at once. The exchange goes on meanwhile with all it knows: what
        became of orders is told when the gateway is back.
        """
        self._late.clear()
        self._overtaken.clear()
        if steps:
            self.disconnect(steps)
        else:
            self.reconnect()

    @property
    def on_the_way(self) -> int:
        """Messages that are late or overtaken and have not arrived yet."""
        return len(self._late) + len(self._overtaken)

    # orders

    def send_order(self, req: OrderRequest) -> str:
        """As SimGateway; ConnectionError where the connection breaks as the order leaves."""
        if not self.connected:
            self.write_log("连接已断开，委托未发送")
            return ""
        self.requests.append(req)
        if self._happens("reject", self.faults.reject):
            return self._refuse(req)
        if self._happens("disconnect", self.faults.disconnect):
            self.disconnect(self.faults.outage)
            super().send_order(req)
            raise ConnectionError("the connection broke as the order left")
        return super().send_order(req)

    def cancel_order(self, req: CancelRequest) -> None:
        """As SimGateway; without a connection nothing arrives."""
        if not self.connected:
            self.write_log("连接已断开，撤单未发送")
            return
        super().cancel_order(req)

    def query_account(self) -> None:
        """As SimGateway; without a connection there is no answer."""
        if self.connected:
            super().query_account()

    def _refuse(self, req: OrderRequest) -> str:
        self._refused += 1
        order = req.create_order_data(f"refused-{self._refused:06d}", self.gateway_name)
        if self.venue is not None:
            order.datetime = self.venue.clock.now()
        self.on_order(order)
        refused = copy(order)
        refused.status = Status.REJECTED
        refused.extra = {"reason": "柜台拒单（测试）"}
        self.on_order(refused)
        return order.vt_orderid

    # what the exchange reports

    def on_order(self, order: OrderData) -> None:
        """An order's report, on its way to the client."""
        self._orders[order.vt_orderid] = order
        self._pass_order(order)

    def on_trade(self, trade: TradeData) -> None:
        """A trade, on its way to the client."""
        self._trades.append(trade)
        self._pass_trade(trade)

    def on_position(self, position: PositionData) -> None:
        """A holding, on its way to the client."""
        self._pass(position, super().on_position)

    def on_account(self, account: AccountData) -> None:
        """Cash, on its way to the client."""
        self._pass(account, super().on_account)

    def _pass_order(self, order: OrderData) -> None:
        self._pass(order, super().on_order)

    def _pass_trade(self, trade: TradeData) -> None:
        self._pass(trade, super().on_trade)

    def _pass(self, data: BrokerMessage, deliver: Callable[[BrokerMessage], None]) -> None:
        """Deliver a message as the faults want it: a copy each time, since hosts keep what they get."""
        if not self.connected:
            self.counts["lost"] += 1
            return
        faults = self.faults
        if self._happens("drop", faults.drop):
            return
        for _ in range(2 if self._happens("duplicate", faults.duplicate) else 1):
            arrive = partial(deliver, copy(data))
            if self._happens("delay", faults.delay):
                self._late.append((self._step + self._random.randint(1, faults.most_steps), arrive))
            elif self._happens("reorder", faults.reorder):
                self._overtaken.append(arrive)
            else:
                self._let_go([arrive, *self._take_overtaken()])

    def _happens(self, name: str, ratio: float) -> bool:
        happens = ratio > 0 and self._random.random() < ratio
        if happens:
            self.counts[name] += 1
        return happens

    def _take_overtaken(self) -> list[Callable[[], None]]:
        taken, self._overtaken = self._overtaken, []
        return taken

    def _let_go(self, deliveries: list[Callable[[], None]]) -> None:
        """Messages arrive, or are lost where the connection is down."""
        for deliver in deliveries:
            if self.connected:
                deliver()
            else:
                self.counts["lost"] += 1

    def _is_of_today(self, moment: datetime | None) -> bool:
        day = self.venue.day if self.venue is not None else None
        return day is None or moment is None or moment.date() == day
