"""Accounts, lots with dates, holdings and exposure."""

from vnpy_aiagent.portfolio.book import AccountBook, Origin, Position, Reservation, RoundTrip
from vnpy_aiagent.portfolio.portfolio import Portfolio, RulesFor
from vnpy_aiagent.portfolio.quotes import QuoteBoard

__all__ = [
    "AccountBook",
    "Origin",
    "Portfolio",
    "Position",
    "QuoteBoard",
    "Reservation",
    "RoundTrip",
    "RulesFor",
]
