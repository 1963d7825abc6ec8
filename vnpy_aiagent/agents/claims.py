"""Open claims of ex-days on brokers: what explains more shares and cash than the book has, once."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.restore import Restored
from vnpy_aiagent.data.corporate_file import Actions
from vnpy_aiagent.errors import CalendarError
from vnpy_aiagent.execution.ex_day_claims import Claim, claim_of
from vnpy_aiagent.market import CorporateAction
from vnpy_aiagent.portfolio import AccountBook

Place = tuple[str, str, str, date]
"""Account, gateway, symbol and ex-date."""


class Claims:
    """Claims by account, symbol and ex-day, from the ex-day until the day after the next session.

    Those of ex-days that took effect while the app did not run are open as long from the day it applied them.
    """

    def __init__(
        self,
        house: AgentContext,
        actions: Callable[[], Actions],
        shifted: Mapping[tuple[str, str], date],
    ) -> None:
        """`shifted` are the last days on which a position's reference price showed an unknown ex-day."""
        self.house = house
        self.actions = actions
        self.shifted = shifted
        self._claims: dict[tuple[str, str, date], Claim] = {}
        self._credited: dict[Place, int] = {}
        self._paid: set[Place] = set()

    def restore(self, restored: Restored) -> None:
        """What the journal says of claims."""
        self._claims.update(restored.claims)
        self._credited.update(restored.credited)
        self._paid.update(restored.paid)

    def note(self, book: AccountBook, action: CorporateAction) -> None:
        """An ex-day took effect: what was held before it is what the broker pays on."""
        claim = self._now(book, action)
        if claim is not None:
            self._claims.setdefault((book.name, action.vt_symbol, action.ex_date), claim)

    def shares_due(self, account: str, gateway: str, held: Mapping[str, int]) -> dict[str, int]:
        """New shares still to come at a gateway that holds `held`, by symbol."""
        several = len(self.house.account(account).gateways) > 1
        due: dict[str, int] = {}
        for claim in self._open(account):
            symbol = claim.action.vt_symbol
            shares = claim.shares(held.get(symbol, 0) if several else claim.held)
            if shares and (account, gateway, symbol, claim.action.ex_date) not in self._credited:
                due.setdefault(symbol, shares)
        return due

    def cash_due(self, account: str, gateway: str) -> list[Claim]:
        """Claims whose dividends are still to come at a gateway."""
        return [
            claim
            for claim in self._open(account)
            if (account, gateway, claim.action.vt_symbol, claim.action.ex_date) not in self._paid
        ]

    def claim(self, account: str, gateway: str, symbol: str) -> Claim | None:
        """The claim on new shares of a symbol that is open at a gateway."""
        for claim in self._open(account):
            place = account, gateway, symbol, claim.action.ex_date
            if claim.action.vt_symbol == symbol and claim.shares(claim.held) and place not in self._credited:
                return claim
        return None

    def credit(self, account: str, gateway: str, claim: Claim, shares: int) -> None:
        """New shares came; they do not come again."""
        self._credited[account, gateway, claim.action.vt_symbol, claim.action.ex_date] = shares

    def pay(self, account: str, gateway: str, claim: Claim) -> None:
        """The dividend came; it does not come again."""
        self._paid.add((account, gateway, claim.action.vt_symbol, claim.action.ex_date))

    def may_be_unknown(self, account: str, symbol: str) -> bool:
        """Whether more shares of a managed symbol may be those of an ex-day that nobody entered.

        Its reference price shifted today or on the session before, or today's is not known yet.
        """
        if not self.house.portfolio.books[account].managed(symbol):
            return False
        today = self.house.today()
        seen = self.house.portfolio.quotes.at(symbol)
        if seen is None or seen.date() < today:
            return True
        shifted = self.shifted.get((account, symbol))
        return shifted is not None and shifted >= self._before(today)

    def _open(self, account: str) -> list[Claim]:
        """Claims of today, those of ex-days that no session has applied yet among them."""
        today, book = self.house.today(), self.house.portfolio.books[account]
        found = [
            claim
            for (name, _, _), claim in self._claims.items()
            if name == account and today <= self._last(claim.since)
        ]
        for symbol in book.positions:
            for action in self.actions().get(symbol, ()):
                if action.ex_date <= today and (account, symbol, action.ex_date) not in self._claims:
                    claim = self._now(book, action)
                    found += [claim] if claim is not None else []
        return found

    def _now(self, book: AccountBook, action: CorporateAction) -> Claim | None:
        key = book.name, action.vt_symbol, action.ex_date
        credited = sum(shares for (name, _, *rest), shares in self._credited.items() if (name, *rest) == key)
        return claim_of(book, action, self.house.today(), credited)

    def _last(self, since: date) -> date:
        try:
            return self.house.calendar.next_session(since) + timedelta(days=1)
        except CalendarError:  # no session is known after it: nothing is credited later either
            return since

    def _before(self, today: date) -> date:
        try:
            return self.house.calendar.previous_session(today)
        except CalendarError:
            return today - timedelta(days=1)
