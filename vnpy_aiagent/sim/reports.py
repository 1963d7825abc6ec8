"""What the simulated exchange tells a gateway, as vnpy's own objects. Prices in CNY, volumes in shares."""

from datetime import datetime
from typing import Protocol

from vnpy.trader.constant import Direction, Exchange, Status
from vnpy.trader.object import AccountData, OrderData, OrderRequest, PositionData, TradeData

from vnpy_aiagent.market.matching import Execution
from vnpy_aiagent.sim.account import Holding, SimAccount, SimOrder


class Listener(Protocol):
    """Where an account's reports go: its gateway."""

    gateway_name: str

    def on_order(self, order: OrderData) -> None:
        """An order changed."""
        ...

    def on_trade(self, trade: TradeData) -> None:
        """A fill."""
        ...

    def on_position(self, position: PositionData) -> None:
        """A holding changed."""
        ...

    def on_account(self, account: AccountData) -> None:
        """Cash changed."""
        ...

    def write_log(self, msg: str) -> None:
        """A line for the log."""
        ...


def order_data(
    gateway: str,
    orderid: str,
    request: OrderRequest,
    status: Status,
    traded: int,
    now: datetime,
    reason: str = "",
) -> OrderData:
    """An order as it stands; `reason` goes into `extra`."""
    order = request.create_order_data(orderid, gateway)
    order.status = status
    order.traded = traded
    order.datetime = now
    if reason:
        order.extra = {"reason": reason}
    return order


def trade_data(gateway: str, number: int, order: SimOrder, done: Execution, now: datetime) -> TradeData:
    """A fill; `number` counts the day's trades."""
    request = order.request
    return TradeData(
        symbol=request.symbol,
        exchange=request.exchange,
        orderid=order.orderid,
        tradeid=f"{number:08d}",
        direction=request.direction,
        offset=request.offset,
        price=float(done.price),
        volume=done.volume,
        datetime=now,
        gateway_name=gateway,
    )


def position_data(gateway: str, vt_symbol: str, holding: Holding, t_plus: int) -> PositionData:
    """A holding; what was bought today counts as frozen under T+1."""
    symbol, _, suffix = vt_symbol.rpartition(".")
    return PositionData(
        symbol=symbol,
        exchange=Exchange(suffix),
        direction=Direction.LONG,
        volume=holding.volume,
        frozen=holding.frozen + (holding.today if t_plus else 0),
        price=float(holding.cost),
        yd_volume=holding.volume - holding.today,
        gateway_name=gateway,
    )


def account_data(gateway: str, account: SimAccount) -> AccountData:
    """Cash in CNY."""
    return AccountData(
        accountid=account.name,
        balance=float(account.cash),
        frozen=float(account.frozen),
        gateway_name=gateway,
    )
