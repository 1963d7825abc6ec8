"""Messages of ex-days: what a holder received, where price levels went, the tax taken later.

Volumes in shares, prices and amounts in CNY, ratios per share held.
"""

from datetime import date
from decimal import Decimal

from vnpy_aiagent.domain.message import Message


class CorporateActionApplied(Message):
    """An ex-day took effect on an account's position, once, before the session or when it became known.

    `shares` came without payment and `amount` in cash before tax; both are zero where `booked` is False,
    since a broker's own figures are the truth there. Stop and price triggers of the position that were set
    before the ex-day moved by the formula of the reference price, rounded to `tick`.
    """

    symbol: str
    ex_date: date
    bonus: Decimal
    cash: Decimal
    rights: Decimal = Decimal(0)
    rights_price: Decimal = Decimal(0)
    adjusts: bool = True
    booked: bool
    shares: int
    amount: Decimal
    tick: Decimal


class ReferenceShifted(Message):
    """The day's reference price differs from the close before it and no known action explains it.

    Stop and price triggers of the position from before that day moved by reference / close, rounded to
    `tick`.
    """

    symbol: str
    day: date
    close: Decimal
    reference: Decimal
    tick: Decimal


class DividendTaxTaken(Message):
    """Tax on dividends that a sale made due, by the time for which the shares were held."""

    symbol: str
    fill_id: str
    amount: Decimal


class ClosingPrices(Message):
    """Last prices of a day for held symbols, by which the next day's reference price is compared."""

    day: date
    prices: dict[str, Decimal]
