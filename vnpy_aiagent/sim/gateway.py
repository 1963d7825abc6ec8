"""The simulated exchange as an ordinary vnpy gateway: one gateway an account, quotes published once."""

from decimal import Decimal

from vnpy.event import EventEngine
from vnpy.trader.constant import Exchange, Product
from vnpy.trader.gateway import BaseGateway
from vnpy.trader.object import CancelRequest, ContractData, OrderRequest, SubscribeRequest

from vnpy_aiagent.market import Board, InstrumentRules
from vnpy_aiagent.market.boards import FUTURES_EXCHANGES
from vnpy_aiagent.sim.exchange import SimExchange

PRODUCTS = {Board.ETF: Product.ETF, Board.CONVERTIBLE_BOND: Product.BOND, Board.FUTURES: Product.FUTURES}


class SimGateway(BaseGateway):
    """An account of the simulated exchange.

    `venue` is set by whoever owns the exchange before connect() is called; several gateways share it.
    """

    default_name = "SIM"
    default_setting: dict[str, str | int | float | bool] = {"account": "sim", "cash": 1_000_000}  # noqa: RUF012
    exchanges = [  # noqa: RUF012 (the host's own attribute)
        Exchange.SSE,
        Exchange.SZSE,
        Exchange.BSE,
        *(Exchange(name) for name in FUTURES_EXCHANGES),
    ]

    def __init__(self, event_engine: EventEngine, gateway_name: str) -> None:
        """As vnpy builds gateways."""
        super().__init__(event_engine, gateway_name)
        self.venue: SimExchange | None = None
        self.account = ""

    def connect(self, setting: dict[str, str | int | float | bool]) -> None:
        """Open the account named in `setting` with its cash (CNY) and report what it holds."""
        if self.venue is None:
            self.write_log("模拟交易所未启动：请先启动 AiAgent")
            return
        if not self.account:  # once connected it keeps its account, whatever the menu's setting names
            self.account = str(setting.get("account", self.gateway_name))
        self.venue.open_account(self.account, self, Decimal(str(setting.get("cash", 1_000_000))))
        self.write_log(f"模拟账户 {self.account} 已连接")

    def announce(self, vt_symbol: str, name: str, rules: InstrumentRules) -> None:
        """Publish a contract."""
        symbol, _, suffix = vt_symbol.rpartition(".")
        self.on_contract(
            ContractData(
                symbol=symbol,
                exchange=Exchange(suffix),
                name=name or symbol,
                product=PRODUCTS.get(rules.board, Product.EQUITY),
                size=float(rules.multiplier),
                pricetick=float(rules.tick_size),
                min_volume=rules.min_buy,
                net_position=rules.futures is None,
                gateway_name=self.gateway_name,
            )
        )

    def subscribe(self, req: SubscribeRequest) -> None:
        """Quotes of every symbol of the venue are published already."""

    def send_order(self, req: OrderRequest) -> str:
        """Hand an order to the exchange; the vt_orderid, or an empty string before connect()."""
        if self.venue is None or not self.account:
            self.write_log("模拟账户未连接，委托未发送")
            return ""
        return f"{self.gateway_name}.{self.venue.send_order(self.account, req)}"

    def cancel_order(self, req: CancelRequest) -> None:
        """Cancel an order."""
        if self.venue is not None and self.account:
            self.venue.cancel_order(self.account, req)

    def query_account(self) -> None:
        """Report cash and holdings."""
        if self.venue is not None and self.account:
            self.venue.report(self.account)

    def query_position(self) -> None:
        """Report cash and holdings."""
        self.query_account()

    def close(self) -> None:
        """Nothing to close: the exchange lives in this process."""
