"""A vnpy gateway to a simulated exchange in another process (sim.remote), which outlives the trader.

To the app it is a broker like any other: mode LIVE trades through it. At every connect and reconnect it tells
the day's orders and trades again, as CTP does, then holdings and cash; the latter again every few seconds.

`send_order` returns an empty string only where the order certainly did not leave, and raises where nobody
can say: TimeoutError without an answer, Refused where the exchange itself failed on it. No call waits longer
than the timeout, which is below a second; sockets are touched by the link's own threads alone.
"""

from concurrent.futures import CancelledError
from copy import copy
from dataclasses import replace
from threading import Lock
from typing import Any, TypeVar

from vnpy.event import Event, EventEngine
from vnpy.trader.constant import Exchange
from vnpy.trader.event import EVENT_CONTRACT, EVENT_TICK
from vnpy.trader.gateway import BaseGateway
from vnpy.trader.object import (
    AccountData,
    CancelRequest,
    ContractData,
    OrderData,
    OrderRequest,
    PositionData,
    SubscribeRequest,
    TickData,
    TradeData,
)

from vnpy_aiagent.sim.remote import EVENT_FLOW, FlowItem, FlowState, Report
from vnpy_aiagent.sim.remote_link import NotSent, Refused, RemoteLink, is_loopback

BrokerData = TypeVar(
    "BrokerData", OrderData, TradeData, PositionData, AccountData, ContractData, TickData, Report
)

REQUESTS, PUSHES = "主动请求地址", "推送订阅地址"
REMOTE_NAME, KEEP_REFERENCE = "远端接口", "传递委托备注"
POLL_SECONDS, TIMEOUT_SECONDS = "查询间隔", "超时"
YES, NO = "是", "否"
RETRY_SECONDS = 0.25
LONGEST_TIMEOUT = 0.95


class RemoteGateway(BaseGateway):
    """One account of a remote simulated exchange.

    Setting: both addresses (loopback), the account's gateway name at the exchange, whether an order's
    reference is passed on (real CTP and XTP gateways drop it), seconds between queries, timeout in seconds.
    """

    default_name = "REMOTE"
    default_setting: dict[str, str | int | float | bool] = {  # noqa: RUF012 (the host's own attribute)
        REQUESTS: "tcp://127.0.0.1:2014",
        PUSHES: "tcp://127.0.0.1:4102",
        REMOTE_NAME: "SIM",
        KEEP_REFERENCE: YES,
        POLL_SECONDS: 4.0,
        TIMEOUT_SECONDS: 0.8,
    }
    exchanges = list(Exchange)  # noqa: RUF012

    def __init__(self, event_engine: EventEngine, gateway_name: str) -> None:
        """As vnpy builds gateways."""
        super().__init__(event_engine, gateway_name)
        self.connected = False
        self._link: RemoteLink | None = None
        self._remote = ""
        self._keeps_reference = True
        self._timeout = 0.8
        self._pause = 4.0
        self._told_down = False
        self._run, self._number = "", 0
        self._turn = Lock()

    def connect(self, setting: dict[str, Any]) -> None:
        """Begin to connect; an exchange that is not there yet is waited for."""
        if self._link is not None:
            self.write_log("已在连接远程交易所")
            return
        given = {**self.default_setting, **setting}
        addresses = str(given[REQUESTS]), str(given[PUSHES])
        if not all(map(is_loopback, addresses)):
            self.write_log(
                f"地址 {'、'.join(addresses)} 不在本机：远程交易所没有身份验证，只接受 tcp://127.0.0.1"
            )
            return
        self._remote = str(given[REMOTE_NAME])
        self._keeps_reference = str(given[KEEP_REFERENCE]) != NO
        self._pause = max(0.05, float(given[POLL_SECONDS]))
        self._timeout = min(LONGEST_TIMEOUT, max(0.1, float(given[TIMEOUT_SECONDS])))
        self._link = RemoteLink(*addresses, self._timeout, self._poll, self._on_push, self._on_trouble)
        self._link.start()

    def close(self) -> None:
        """End the link; the exchange goes on without us."""
        link, self._link = self._link, None
        self.connected = False
        if link is not None:
            link.close()

    def subscribe(self, req: SubscribeRequest) -> None:
        """The exchange pushes the quotes of all its symbols."""

    def send_order(self, req: OrderRequest) -> str:
        """Hand an order to the exchange; the vt_orderid, or an empty string where it certainly did not leave.

        Raises TimeoutError or Refused where it may have left.
        """
        link = self._link
        if link is None or not self.connected:
            self.write_log("未连接远程交易所，委托未发送")
            return ""
        if not self._keeps_reference:
            req = replace(req, reference="")
        future = link.submit("send_order", req, self._remote)
        try:
            vt_orderid = str(future.result(self._timeout + 0.1) or "")
        except (NotSent, CancelledError) as error:
            self.write_log(f"委托未发送：{error}")
            self._is_down(str(error))
            link.hurry()
            return ""
        except TimeoutError:
            if future.cancel():  # it still waited behind another request
                self.write_log("委托未发送：远程交易所忙")
                return ""
            link.hurry()
            raise
        if not vt_orderid:
            self.write_log(f"远端接口 {self._remote} 未接受委托")
            return ""
        return f"{self.gateway_name}.{vt_orderid.partition('.')[2]}"

    def cancel_order(self, req: CancelRequest) -> None:
        """Ask for a cancel; nobody waits for the answer, the order's report tells what came of it.

        Raises ConnectionError while there is no connection.
        """
        link = self._link
        if link is None or not self.connected:
            raise ConnectionError("未连接远程交易所，撤单未发送")
        link.submit("cancel_order", req, self._remote)

    def query_account(self) -> None:
        """Ask for cash and holdings now."""
        if self._link is not None:
            self._link.hurry()

    def query_position(self) -> None:
        """Ask for cash and holdings now."""
        self.query_account()

    # what the exchange says; in the link's threads

    def _poll(self, link: RemoteLink) -> float:
        """Ask for what is new; returns the seconds until the next time."""
        try:
            state = link.call("private_flow", self._remote, self._run if self.connected else "", self._number)
        except (NotSent, TimeoutError, Refused) as error:
            self._is_down(str(error))
            return RETRY_SECONDS
        self._take_state(link, state)
        return self._pause

    def _on_trouble(self, error: Exception) -> None:
        """Something came that is no exchange's; what was missed is asked for again."""
        self._is_down(f"收到无法识别的数据（{type(error).__name__}: {error}），请核对地址与版本")

    def _is_down(self, why: str) -> None:
        with self._turn:
            was, self.connected = self.connected, False
        if was or not self._told_down:
            self._told_down = True
            self.write_log(f"与远程交易所的连接已断开：{why}")

    def _take_state(self, link: RemoteLink, state: FlowState) -> None:
        with self._turn:
            anew = not self.connected or state.run != self._run
            if anew:
                self._run, self._number = state.run, 0
                for contract in state.contracts:
                    self.on_contract(self._ours(contract))
            for item in state.items:
                if item.number > self._number:
                    self._tell(item)
            self._number = max(self._number, state.number)
            for position in state.positions:
                self.on_position(self._ours(position))
            for account in state.accounts:
                self.on_account(self._ours(account))
            again, self.connected = not self.connected, True
        if again:
            link.renew_pushes()
            self._told_down = False
            self.write_log("远程交易所连接成功，当日委托与成交已重新获取")

    def _on_push(self, event: Any) -> None:
        if not isinstance(event, Event):
            return
        if event.type == EVENT_FLOW and isinstance(event.data, FlowItem):
            self._on_flow(event.data)
        elif event.type == EVENT_TICK:
            self.on_tick(self._ours(event.data))
        elif event.type == EVENT_CONTRACT and event.data.gateway_name == self._remote:
            self.on_contract(self._ours(event.data))

    def _on_flow(self, item: FlowItem) -> None:
        """The next report of our flow; after a gap the exchange is asked for what is missing."""
        if item.gateway_name != self._remote:
            return
        with self._turn:
            if not self.connected or (item.run == self._run and item.number <= self._number):
                return
            if item.run == self._run and item.number == self._number + 1:
                self._number = item.number
                self._tell(item)
                return
        if self._link is not None:
            self._link.hurry()

    def _tell(self, item: FlowItem) -> None:
        report = self._ours(item.report)
        if isinstance(report, OrderData):
            self.on_order(report)
        else:
            self.on_trade(report)

    def _ours(self, data: BrokerData) -> BrokerData:
        """The same under our gateway's name."""
        data = copy(data)
        data.gateway_name = self.gateway_name
        after = getattr(data, "__post_init__", None)
        if after is not None:
            after()
        return data
