"""An account as the simulated exchange keeps it: cash, holdings, frozen parts. Decimal CNY, int shares."""

from dataclasses import dataclass, field
from decimal import Decimal

from vnpy.trader.object import OrderRequest

from vnpy_aiagent.domain import Side

ZERO = Decimal(0)


@dataclass(slots=True)
class Holding:
    """Shares of one symbol. `today` were bought in this session; `frozen` are in working sales."""

    volume: int = 0
    today: int = 0
    frozen: int = 0
    cost: Decimal = ZERO

    def sellable(self, t_plus: int) -> int:
        """Shares that may be sold now."""
        return self.volume - self.frozen - (self.today if t_plus else 0)


@dataclass(slots=True)
class SimOrder:
    """An order at the simulated exchange."""

    orderid: str
    request: OrderRequest
    side: Side
    limit: Decimal
    volume: int
    traded: int = 0
    turnover: Decimal = ZERO
    fees: Decimal = ZERO
    frozen: Decimal = ZERO

    @property
    def remaining(self) -> int:
        """Shares not yet traded."""
        return self.volume - self.traded


@dataclass(slots=True)
class SimAccount:
    """One account. `frozen` is cash held back for working buys."""

    name: str
    cash: Decimal
    frozen: Decimal = ZERO
    holdings: dict[str, Holding] = field(default_factory=dict)
    orders: dict[str, SimOrder] = field(default_factory=dict)

    @property
    def available(self) -> Decimal:
        """Cash that a new buy may use; proceeds of a sale count at once."""
        return self.cash - self.frozen

    def holding(self, vt_symbol: str) -> Holding:
        """The holding, made empty where there is none."""
        return self.holdings.setdefault(vt_symbol, Holding())
