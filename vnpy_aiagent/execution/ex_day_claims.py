"""What an ex-day owes a holder whose broker books it: shares and cash that are still to come.

Volumes in shares, amounts in CNY. Pure functions; which claims are open: `agents.claims`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from vnpy_aiagent.market.corporate import CorporateAction, cash_dividend, new_shares
from vnpy_aiagent.portfolio.book import AccountBook

TAX_RATES = (Decimal(0), Decimal("0.1"), Decimal("0.2"))
"""Parts that a broker may keep back of a dividend: nothing, or a rate of the dividend tax."""
CASH_OFF = Decimal("0.001")
"""How far a dividend that is paid may be off, as a ratio, for it was computed on other roundings."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An account's part in an ex-day: `held` shares from before it, `external` ones among them.

    `last` is when the latest of them were bought, `since` the day from which the claim is looked for.
    """

    action: CorporateAction
    held: int
    external: int
    last: date
    since: date

    def shares(self, held: int) -> int:
        """New shares on `held` ones, the fraction of a share dropped."""
        return new_shares(min(held, self.held), self.action)

    def outside(self, shares: int) -> int:
        """How many of `shares` new ones belong to the external ones."""
        if self.external >= self.held:
            return shares
        return min(shares, int(self.external * self.action.bonus))

    @property
    def cash(self) -> Decimal:
        """The dividend before tax (CNY)."""
        return cash_dividend(self.held, self.action)


def claim_of(book: AccountBook, action: CorporateAction, since: date, credited: int = 0) -> Claim | None:
    """A book's claim, None where it held nothing before the ex-day; `credited` shares of it are booked."""
    position = book.positions.get(action.vt_symbol)
    if position is None or position.terms is not None:
        return None
    lots = [lot for lot in position.lots if lot.day < action.ex_date]
    held = sum(lot.volume for lot in lots) - credited
    if held <= 0:
        return None
    external = min(held, book.external.get(action.vt_symbol, 0))
    return Claim(action, held, external, max(lot.day for lot in lots), since)


def paid_by(amount: Decimal, claims: Iterable[Claim], tolerance: Decimal) -> tuple[Claim, ...]:
    """The claims whose dividends an amount (CNY) is, before or after tax: one of them, or all together."""
    owed = tuple(claim for claim in claims if claim.cash)
    for group in (*((claim,) for claim in owed), owed):
        total = sum((claim.cash for claim in group), Decimal(0))
        off = total * CASH_OFF + tolerance
        if total and any(abs(amount - total * (1 - rate)) <= off for rate in TAX_RATES):
            return group
    return ()
