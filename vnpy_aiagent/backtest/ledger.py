"""One symbol's cash and shares in a backtest: lots by day, what working orders bind, dividends."""

from datetime import date
from decimal import Decimal

from vnpy_aiagent.domain.money import cny
from vnpy_aiagent.market.corporate import CorporateAction
from vnpy_aiagent.market.share_lots import ShareLots

ZERO = Decimal(0)


class Ledger:
    """Cash in CNY and shares; never negative, since the engine refuses what would make them so."""

    def __init__(self, cash: Decimal) -> None:
        """Begin with cash alone."""
        self.cash = cash
        self.volume = 0
        self.bought_today = 0
        self.tax = ZERO
        self._lots = ShareLots()
        self._bound_cash: dict[str, Decimal] = {}
        self._bound_shares: dict[str, int] = {}

    @property
    def available(self) -> Decimal:
        """Cash that no working buy order binds (CNY)."""
        return self.cash - sum(self._bound_cash.values(), ZERO)

    @property
    def unbound(self) -> int:
        """Shares that no working sell order binds, sellable today or not."""
        return self.volume - sum(self._bound_shares.values())

    def sellable(self, t_plus: int) -> int:
        """Shares that may be sold now: under T+1 none of today's."""
        return self.unbound - (self.bought_today if t_plus else 0)

    def new_day(self) -> None:
        """Yesterday's purchases may be sold from now on."""
        self.bought_today = 0

    def bind_cash(self, order: str, amount: Decimal) -> None:
        """Set what a working buy order binds (CNY)."""
        self._bound_cash[order] = amount

    def bind_shares(self, order: str, volume: int) -> None:
        """Set what a working sell order binds (shares)."""
        self._bound_shares[order] = volume

    def release(self, order: str) -> None:
        """An order has ended."""
        self._bound_cash.pop(order, None)
        self._bound_shares.pop(order, None)

    def buy(self, on: date, price: Decimal, volume: int, fees: Decimal) -> None:
        """Book a bought fill."""
        self.cash -= cny(price * volume) + fees
        self.volume += volume
        self.bought_today += volume
        self._lots.buy(on, volume)

    def sell(self, on: date, price: Decimal, volume: int, fees: Decimal) -> Decimal:
        """Book a sold fill, oldest shares first; the dividend tax that became due (CNY)."""
        tax = self._lots.sell(on, volume)
        self.cash += cny(price * volume) - fees - tax
        self.volume -= volume
        self.tax += tax
        return tax

    def apply(self, action: CorporateAction) -> tuple[int, Decimal]:
        """Book an ex-day before its session; new shares and cash before tax (CNY).

        Rights are not taken up: they need a decision and fresh cash.
        """
        shares, cash = self._lots.apply(action)
        self.cash += cash
        self.volume += shares
        return shares, cash
