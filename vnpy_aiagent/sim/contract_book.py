"""The futures contracts of one simulated account, by direction and day. Points, contracts, CNY."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from vnpy.trader.constant import Direction

SIGN = {Direction.LONG: 1, Direction.SHORT: -1}
"""What a rise of the price is to each direction."""


@dataclass(slots=True)
class ContractLot:
    """Contracts opened in one fill and still held; `held_from` is their price since the last settlement."""

    day: date
    volume: int
    price: Decimal
    held_from: Decimal


@dataclass(slots=True)
class ContractBook:
    """Lots by contract and direction; `margin` is what they bind, `settled` their last settlements."""

    lots: dict[tuple[str, Direction], list[ContractLot]] = field(default_factory=dict)
    settled: dict[str, tuple[date, Decimal]] = field(default_factory=dict)
    margin: Decimal = Decimal(0)

    def volume(self, vt_symbol: str, direction: Direction = Direction.LONG) -> int:
        """Contracts held in one direction."""
        return sum(lot.volume for lot in self.lots.get((vt_symbol, direction), []))

    @property
    def symbols(self) -> list[str]:
        """Contracts that are or were held, in order."""
        return sorted({symbol for symbol, _ in self.lots})
