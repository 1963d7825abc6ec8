"""An account as the simulated exchange keeps it: cash, holdings, frozen parts. Decimal CNY, int shares."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from vnpy.trader.object import OrderRequest

from vnpy_aiagent.domain import Side
from vnpy_aiagent.market.share_lots import ShareLots
from vnpy_aiagent.sim.contract_book import ContractBook

ZERO = Decimal(0)


@dataclass(slots=True)
class Holding:
    """Shares of one symbol. `today` were bought in this session; `frozen` are in working sales."""

    volume: int = 0
    today: int = 0
    frozen: int = 0
    cost: Decimal = ZERO
    lots: ShareLots = field(default_factory=ShareLots)
    """The same shares by the day they were bought, with the dividends that a sale is taxed for."""

    def sellable(self, t_plus: int) -> int:
        """Shares that may be sold now."""
        return self.volume - self.frozen - (self.today if t_plus else 0)


class Stage(StrEnum):
    """Where an order is.

    QUEUED at the broker until the exchange takes orders; PARKED at the exchange outside the price cage;
    ARRIVING, where no market of the present can be met, so that it meets the next as it arrives; RESTING.
    """

    QUEUED = "QUEUED"
    PARKED = "PARKED"
    ARRIVING = "ARRIVING"
    RESTING = "RESTING"


@dataclass(slots=True)
class SimOrder:
    """An order at the simulated exchange.

    `day` is a contract's trading day.
    `after_hours`: for the trading at the closing price alone; `cancel_queued`: its cancel is QUEUED.
    """

    orderid: str
    request: OrderRequest
    side: Side
    limit: Decimal
    volume: int
    traded: int = 0
    turnover: Decimal = ZERO
    fees: Decimal = ZERO
    frozen: Decimal = ZERO
    stage: Stage = Stage.RESTING
    after_hours: bool = False
    cancel_queued: bool = False
    day: date | None = None

    @property
    def remaining(self) -> int:
        """Shares not yet traded."""
        return self.volume - self.traded


@dataclass(slots=True)
class SimAccount:
    """One account. `frozen` is cash held back for working buys; contracts bind margin besides."""

    name: str
    cash: Decimal
    frozen: Decimal = ZERO
    holdings: dict[str, Holding] = field(default_factory=dict)
    orders: dict[str, SimOrder] = field(default_factory=dict)
    contracts: ContractBook = field(default_factory=ContractBook)

    @property
    def available(self) -> Decimal:
        """Cash that a new buy may use; proceeds of a sale count at once."""
        return self.cash - self.frozen - self.contracts.margin

    def holding(self, vt_symbol: str) -> Holding:
        """The holding, made empty where there is none."""
        return self.holdings.setdefault(vt_symbol, Holding())
