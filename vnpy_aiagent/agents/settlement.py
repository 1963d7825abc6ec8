"""The daily settlement of futures: after the close every contract held is marked to a price, in cash.

The exchange's settlement price is used where somebody gave it, else the day's last price stands in; the
journal says which. A day is settled once; one without any price is settled with the next.
"""

from datetime import date
from decimal import Decimal

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.domain import SettledBy, Settlement
from vnpy_aiagent.market.futures import is_contract
from vnpy_aiagent.portfolio import AccountBook
from vnpy_aiagent.sim.contract_book import ContractLot
from vnpy_aiagent.sim.exchange import SimExchange


class DailySettlement:
    """Settles the books and, in simulation and on paper, the simulated exchange by the same prices."""

    def __init__(self, house: AgentContext, exchange: SimExchange | None) -> None:
        """`exchange` is None where the broker settles for itself."""
        self.house = house
        self.exchange = exchange
        self._given: dict[tuple[str, date], Decimal] = {}

    def give(self, vt_symbol: str, day: date, price: Decimal) -> None:
        """The exchange's settlement price (points) of a trading day, told before the day is settled."""
        if not price.is_finite() or price <= 0:
            raise ValueError(f"the settlement price of {vt_symbol} must be positive, not {price}")
        self._given[vt_symbol, day] = price

    def run(self, day: date) -> None:
        """Settle what is held of a trading day, in every book and at the simulated exchange."""
        held = {s for book in self.house.portfolio.books.values() for s in book.positions if is_contract(s)}
        if self.exchange is not None:
            held |= self.exchange.contract_symbols()
        prices = {symbol: found for symbol in sorted(held) if (found := self._price(symbol, day)) is not None}
        for name, book in self.house.portfolio.books.items():
            for symbol, (price, basis) in prices.items():
                self._settle(name, book, symbol, day, price, basis)
        if self.exchange is not None and prices:
            self.exchange.settle(day, {symbol: price for symbol, (price, _) in prices.items()})
        self._given = {key: price for key, price in self._given.items() if key[1] > day}

    def _settle(
        self, name: str, book: AccountBook, symbol: str, day: date, price: Decimal, basis: SettledBy
    ) -> None:
        profit = book.settlement_profit(symbol, day, price)
        if profit is None:
            return
        settlement = self.house.bus.post(
            Settlement,
            cause=None,
            account=name,
            symbol=symbol,
            trading_day=day,
            price=price,
            basis=basis,
            volume=book.volume(symbol),
            profit=profit,
        )
        book.settle(settlement)

    def _price(self, symbol: str, day: date) -> tuple[Decimal, SettledBy] | None:
        given = self._given.get((symbol, day))
        if given is not None:
            return given, SettledBy.SETTLEMENT
        portfolio = self.house.portfolio
        seen = portfolio.quotes.at(symbol)
        if seen is None or portfolio.trading_day(symbol, seen) != day:
            return None
        return portfolio.quotes.last_prices[symbol], SettledBy.CLOSE


def restore_contracts(exchange: SimExchange, book: AccountBook) -> None:
    """Give the simulated exchange an account's contracts as the book has them, after a restart."""
    lots = {
        symbol: [ContractLot(lot.day, lot.volume, lot.price, lot.held_from) for lot in position.lots]
        for symbol, position in book.positions.items()
        if position.terms is not None
    }
    exchange.contracts.restore(exchange.account(book.name), lots, book.settled)
