"""One symbol's cash and shares in a backtest: lots by day, what working orders bind, dividends."""

from collections import deque
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from vnpy_aiagent.domain.money import cny
from vnpy_aiagent.market.corporate import CorporateAction, cash_dividend, dividend_tax, new_shares

ZERO = Decimal(0)


@dataclass(slots=True)
class Lot:
    """Shares bought on one day, and dividends received on them as (day, CNY), taxed on sale."""

    bought: date
    volume: int
    dividends: list[tuple[date, Decimal]] = field(default_factory=list)


class Ledger:
    """Cash in CNY and shares; never negative, since the engine refuses what would make them so."""

    def __init__(self, cash: Decimal) -> None:
        """Begin with cash alone."""
        self.cash = cash
        self.volume = 0
        self.bought_today = 0
        self.tax = ZERO
        self._lots: deque[Lot] = deque()
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
        if self._lots and self._lots[-1].bought == on and not self._lots[-1].dividends:
            self._lots[-1].volume += volume
        else:
            self._lots.append(Lot(on, volume))

    def sell(self, on: date, price: Decimal, volume: int, fees: Decimal) -> Decimal:
        """Book a sold fill, oldest shares first; the dividend tax that became due (CNY)."""
        tax = ZERO
        left = volume
        while left:
            lot = self._lots[0]
            part = min(left, lot.volume)
            rest: list[tuple[date, Decimal]] = []
            for day, cash in lot.dividends:
                share = cny(cash * part / lot.volume)
                tax += dividend_tax(share, day, lot.bought, on)
                rest.append((day, cash - share))
            lot.dividends = rest
            lot.volume -= part
            left -= part
            if not lot.volume:
                self._lots.popleft()
        self.cash += cny(price * volume) - fees - tax
        self.volume -= volume
        self.tax += tax
        return tax

    def apply(self, action: CorporateAction) -> tuple[int, Decimal]:
        """Book an ex-day before its session; new shares and cash before tax (CNY).

        Rights are not taken up: they need a decision and fresh cash.
        """
        shares, cash = new_shares(self.volume, action), cash_dividend(self.volume, action)
        cash_left, shares_left, volume_left = cash, shares, self.volume
        for lot in self._lots:
            held = lot.volume
            if cash:
                part = cny(cash_left * held / volume_left)
                lot.dividends.append((action.ex_date, part))
                cash_left -= part
            more = shares_left * held // volume_left
            lot.volume += more
            shares_left -= more
            volume_left -= held
        self.cash += cash
        self.volume += shares
        return shares, cash
