"""An engine in mode LIVE over a scripted broker, whose truth outlives the engine's process."""

import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from vnpy.trader.constant import Direction, Exchange, Status
from vnpy.trader.engine import MainEngine
from vnpy.trader.gateway import BaseGateway
from vnpy.trader.object import (
    AccountData,
    CancelRequest,
    OrderData,
    OrderRequest,
    PositionData,
    SubscribeRequest,
    TradeData,
)

from vnpy_aiagent.base import EVENT_AI_SIGNAL
from vnpy_aiagent.config import AccountSettings, LiveSettings, load_settings
from vnpy_aiagent.domain import MARKET_TZ, Mode, Side, Signal, Style, TimerQueue, say
from vnpy_aiagent.engine import AiAgentEngine
from vnpy_aiagent.market.sessions import session_close
from vnpy_aiagent.sim.event_engine import DeterministicEventEngine

from .small_house import BANK, HandClock, Listener, SmallHouse, at

BROKER = "BROKER"


class Desk:
    """The broker's truth: cash, shares, orders and trades of the day. Nothing is told by itself.

    `fees` are what it really charges for a fill (CNY).
    """

    def __init__(self, cash: float = 100_000.0, held: dict[str, float] | None = None) -> None:
        self.cash: Any = cash
        self.held: dict[str, Any] = dict(held or {})
        self.directions: dict[str, Direction] = {}
        self.orders: dict[str, OrderData] = {}
        self.trades: list[TradeData] = []
        self.requests: list[OrderRequest] = []
        self.cancels: list[str] = []
        self.fees = 0.0

    def take(self, request: OrderRequest, gateway: str, now: datetime, *, reference: bool) -> OrderData:
        """An order arrives at the broker."""
        order = request.create_order_data(f"b{len(self.orders) + 1}", gateway)
        order.status, order.datetime = Status.NOTTRADED, now
        order.reference = request.reference if reference else ""
        self.orders[order.orderid] = order
        self.requests.append(request)
        return order

    def match(self, orderid: str, volume: int, price: float, now: datetime) -> TradeData:
        """Some of an order trades."""
        order = self.orders[orderid]
        sign = 1 if order.direction is Direction.LONG else -1
        self.held[order.vt_symbol] = self.held.get(order.vt_symbol, 0) + sign * volume
        self.cash -= sign * volume * price + self.fees
        traded = order.traded + volume
        status = Status.ALLTRADED if traded >= order.volume else Status.PARTTRADED
        self.orders[orderid] = replace(order, traded=traded, status=status)
        trade = TradeData(
            order.gateway_name,
            order.symbol,
            order.exchange,
            orderid,
            f"t{len(self.trades) + 1}",
            order.direction,
            order.offset,
            price,
            volume,
            now,
        )
        self.trades.append(trade)
        return trade

    def end(self, orderid: str, status: Status = Status.CANCELLED) -> None:
        """An order ends."""
        self.orders[orderid] = replace(self.orders[orderid], status=status)

    def new_day(self) -> None:
        """The broker lists orders and trades of the day alone."""
        self.orders.clear()
        self.trades.clear()


class BrokerGateway(BaseGateway):
    """A line to the desk that speaks when the test lets it."""

    default_name = BROKER
    default_setting: dict[str, str | int | float | bool] = {}  # noqa: RUF012
    exchanges = [Exchange.SSE, Exchange.SZSE]  # noqa: RUF012

    def __init__(self, event_engine: Any, gateway_name: str) -> None:
        super().__init__(event_engine, gateway_name)
        self.desk = Desk()
        self.clock: Any = None
        self.references = False
        self.answers = True
        self.breaks: Exception | None = None
        self.never_left = False
        self.refuses = False
        self.queries = 0

    def connect(self, setting: dict[str, Any]) -> None:
        """Nothing happens by itself."""

    def close(self) -> None:
        """Nothing to close."""

    def subscribe(self, req: SubscribeRequest) -> None:
        """Quotes come from elsewhere."""

    def send_order(self, req: OrderRequest) -> str:
        """To the desk; where the line breaks the order may have arrived."""
        if self.refuses:
            return ""
        if self.breaks is not None and self.never_left:
            raise self.breaks
        order = self.desk.take(req, self.gateway_name, self.clock.now(), reference=self.references)
        if self.breaks is not None:
            raise self.breaks
        return order.vt_orderid

    def cancel_order(self, req: CancelRequest) -> None:
        """The desk notes it."""
        self.desk.cancels.append(req.orderid)

    def query_account(self) -> None:
        """The test decides when the broker answers."""
        self.queries += 1

    def query_position(self) -> None:
        """The test decides when the broker answers."""

    def tell_orders(self) -> None:
        """Today's orders and trades, as at a login."""
        for order in list(self.desk.orders.values()):
            self.on_order(replace(order))
        for trade in list(self.desk.trades):
            self.on_trade(replace(trade))

    def tell_account(self) -> None:
        """Positions and cash, as a poll."""
        for vt_symbol, volume in self.desk.held.items():
            symbol, _, suffix = vt_symbol.rpartition(".")
            direction = self.desk.directions.get(vt_symbol, Direction.NET)
            self.on_position(
                PositionData(self.gateway_name, symbol, Exchange(suffix), direction, volume, price=4.0)
            )
        account = AccountData(self.gateway_name, "1", balance=self.desk.cash)
        self.on_account(account)


class LiveHouse(SmallHouse):
    """A SmallHouse in mode LIVE: use as a context manager."""

    def __init__(  # super's builds a house on paper
        self,
        journal: Path,
        moment: str,
        desk: Desk,
        symbols: Iterable[str] = (BANK,),
        *,
        desks: dict[str, Desk] | None = None,
        **overrides: Any,
    ) -> None:
        """`desks` are those of further gateways, by their names."""
        names = tuple(symbols)
        live = LiveSettings(
            capital_limit=Decimal(1_000_000), allowlist=names, approvals="none", program_trading_reported=True
        )
        accounts = (AccountSettings(name="judge", style=Style.JUDGE, gateway=BROKER),)
        given: dict[str, Any] = {"schedule": (), "accounts": accounts, "live": live} | overrides
        self.settings = load_settings(mode=Mode.LIVE, universe=list(names), **given)
        self.journal = journal
        self.clock = HandClock(at(moment))
        self.timers = TimerQueue()
        self.events = DeterministicEventEngine()
        self.brain = Listener()
        self.threaded = False
        self.volume = 0.0
        self._folder = os.getcwd()
        self.main = MainEngine(self.events)
        self.gateways: dict[str, BrokerGateway] = {}
        for account in self.settings.accounts:
            for name in account.gateways:
                gateway: Any = self.main.add_gateway(BrokerGateway, name)
                gateway.desk = (desks or {}).get(name, desk)
                gateway.clock = self.clock
                self.gateways[name] = gateway
        self.desk = desk
        parts = replace(self._parts(names), exchange=None)
        make: Any = partial(AiAgentEngine, parts=parts)
        self.engine: AiAgentEngine = self.main.add_engine(make)

    @property
    def gateway(self) -> BrokerGateway:
        """The only gateway."""
        return self.gateways[BROKER]

    def pass_seconds(self, seconds: float, *, polls: bool = True) -> None:
        """Time passes; every second the timers run, and every other one the broker is polled."""
        for number in range(int(seconds)):
            if polls and number % 2 == 0:
                for gateway in self.gateways.values():
                    gateway.tell_account()
                self.events.drain()
            self.go(f"{self.clock.moment + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}")
            self.events.drain()

    def settle(self) -> None:
        """The broker tells everything, and rests until it is believed."""
        for gateway in self.gateways.values():
            gateway.tell_orders()
        self.events.drain()
        self.pass_seconds(12)

    def signal(self, volume: int, side: Side = Side.BUY, limit: str = "5.00", **more: Any) -> None:
        """An approved signal."""
        price = Decimal(limit)
        self.engine.bus.post(
            Signal,
            EVENT_AI_SIGNAL,
            cause=None,
            account="judge",
            symbol=BANK,
            side=side,
            volume=volume,
            limit=price,
            low=price,
            high=price,
            stop=price - Decimal("0.20") if side is Side.BUY else None,
            reason=say("测试"),
            valid_until=session_close(self.clock.moment.astimezone(MARKET_TZ).date()),
            **more,
        )
        self.events.drain()

    def fill(self, orderid: str, volume: int, price: float = 5.0, gateway: str = BROKER) -> None:
        """An order trades at the desk, and the gateway tells order and trade."""
        line = self.gateways[gateway]
        trade = line.desk.match(orderid, volume, price, self.clock.now())
        line.on_order(replace(line.desk.orders[orderid]))
        line.on_trade(replace(trade))
        self.events.drain()

    @property
    def book(self) -> Any:
        """The account's book."""
        return self.engine.house.portfolio.books["judge"]

    @property
    def reconciled(self) -> bool:
        """Whether orders may be sent."""
        assert self.engine.reconciler is not None
        return self.engine.reconciler.is_reconciled("judge")

    def abandon(self) -> None:
        """The process is gone: nothing is closed in order, only what the operating system takes back."""
        self.engine.bus.unsubscribe_all()
        self.events.discard()
        self.engine.closed = True
        self.engine.parts.writer.close()
        self.__exit__()
