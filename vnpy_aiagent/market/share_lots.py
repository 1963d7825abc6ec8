"""Shares of one symbol by the day they were bought, with the dividends that are taxed when they are sold.

The backtest ledger, the simulated exchange and the app's books all count by this one class, so that they
agree to the cent. Volumes in shares, money in CNY.
"""

from collections import deque
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from vnpy_aiagent.domain.money import cny
from vnpy_aiagent.market.corporate import CorporateAction, cash_dividend, dividend_tax, new_shares

ZERO = Decimal(0)


@dataclass(slots=True)
class ShareLot:
    """Shares bought on one day, and dividends received on them as (day, CNY), taxed on sale."""

    bought: date
    volume: int
    dividends: list[tuple[date, Decimal]] = field(default_factory=list)


class ShareLots:
    """Lots in the order of their days; the oldest are sold first."""

    def __init__(self, lots: Iterable[ShareLot] = ()) -> None:
        """Begin with nothing, or with lots that are known."""
        self._lots: deque[ShareLot] = deque(lots)

    @property
    def volume(self) -> int:
        """Shares in all lots."""
        return sum(lot.volume for lot in self._lots)

    def copy(self) -> "ShareLots":
        """The same lots, which change apart from these."""
        return ShareLots(deepcopy(list(self._lots)))

    def entitled(self, ex_date: date) -> int:
        """Shares that were bought before an ex-day."""
        return sum(lot.volume for lot in self._lots if lot.bought < ex_date)

    def buy(self, on: date, volume: int) -> None:
        """Add a bought fill."""
        if self._lots and self._lots[-1].bought == on and not self._lots[-1].dividends:
            self._lots[-1].volume += volume
        else:
            self._lots.append(ShareLot(on, volume))

    def sell(self, on: date, volume: int) -> Decimal:
        """Take a sold fill, oldest shares first; the dividend tax that became due (CNY).

        Shares that no lot knows (found at a broker) bring no tax.
        """
        tax, left = ZERO, volume
        while left and self._lots:
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
        return tax

    def apply(self, action: CorporateAction) -> tuple[int, Decimal]:
        """Book an ex-day on the shares bought before it; new shares and cash before tax (CNY).

        The fraction of a share is dropped on the whole holding, the cent rounded on the whole dividend.
        Rights are not taken up: they need a decision and fresh cash. New shares count as bought with those
        that brought them.
        """
        held = self.entitled(action.ex_date)
        shares, cash = new_shares(held, action), cash_dividend(held, action)
        cash_left, shares_left, volume_left = cash, shares, held
        for lot in self._lots:
            if lot.bought >= action.ex_date:
                continue
            volume = lot.volume
            if cash:
                part = cny(cash_left * volume / volume_left)
                lot.dividends.append((action.ex_date, part))
                cash_left -= part
            more = shares_left * volume // volume_left
            lot.volume += more
            shares_left -= more
            volume_left -= volume
        return shares, cash
