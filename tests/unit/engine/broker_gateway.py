"""A broker's gateway in the test's own hands: it notes what reaches it and can announce contracts again."""

from typing import Any

from vnpy.trader.constant import Exchange, Product
from vnpy.trader.gateway import BaseGateway
from vnpy.trader.object import CancelRequest, ContractData, OrderRequest, QuoteRequest, SubscribeRequest


class BrokerGateway(BaseGateway):
    """Takes every order, without a market behind it."""

    default_name = "BROKER"
    default_setting: dict[str, Any] = {}  # noqa: RUF012 (the host's own attribute)
    exchanges = [Exchange.SSE, Exchange.SZSE]  # noqa: RUF012 (the host's own attribute)

    def __init__(self, event_engine: Any, gateway_name: str) -> None:
        """Nothing has reached it."""
        super().__init__(event_engine, gateway_name)
        self.orders: list[OrderRequest] = []
        self.quotes: list[QuoteRequest] = []
        self.cancels: list[CancelRequest] = []
        self.subscribed: list[str] = []

    def connect(self, setting: dict[str, Any]) -> None:
        """Login: contracts are announced, as after every reconnect."""
        self.announce("601988.SSE")

    def announce(self, vt_symbol: str) -> None:
        """A contract's data, once more."""
        symbol, _, suffix = vt_symbol.rpartition(".")
        contract = ContractData(
            self.gateway_name, symbol, Exchange(suffix), symbol, Product.EQUITY, 1, 0.01, min_volume=100
        )
        contract.net_position = True
        self.on_contract(contract)

    def subscribe(self, req: SubscribeRequest) -> None:
        """A symbol's quotes."""
        self.subscribed.append(req.vt_symbol)

    def send_order(self, req: OrderRequest) -> str:
        """An order reached the broker."""
        self.orders.append(req)
        order = req.create_order_data(str(len(self.orders)), self.gateway_name)
        self.on_order(order)
        return order.vt_orderid

    def send_quote(self, req: QuoteRequest) -> str:
        """A two-sided quote reached the broker."""
        self.quotes.append(req)
        return f"{self.gateway_name}.q{len(self.quotes)}"

    def cancel_order(self, req: CancelRequest) -> None:
        """A cancel reached the broker."""
        self.cancels.append(req)

    def query_account(self) -> None: ...

    def query_position(self) -> None: ...

    def close(self) -> None: ...
