"""Messages of the reconciliation with a broker. Volumes in shares, prices and amounts in CNY."""

from datetime import date
from decimal import Decimal

from pydantic import Field

from vnpy_aiagent.domain.message import Message
from vnpy_aiagent.domain.text import Text


class HoldingAdjusted(Message):
    """The book's shares of a symbol were set to what the broker says.

    `volume` is the change of all shares, `external` that of those which are not the app's to sell. Shares
    that were added cost `price` and count as bought on `bought`, None for the day of the message. `gateway`
    is where they lie; `intent_id` the order of ours that traded them, as far as one explains them, `ex_date`
    the ex-day that brought them.
    """

    symbol: str
    volume: int
    external: int
    price: Decimal
    gateway: str
    reason: Text
    bought: date | None = None
    intent_id: str | None = None
    ex_date: date | None = None


class CashAdjusted(Message):
    """The book's cash was set to what the broker says; `amount` is the change.

    `dividends` are the ex-days by symbol whose cash it is, as far as known ones explain it.
    """

    amount: Decimal
    gateway: str
    reason: Text
    dividends: dict[str, date] = Field(default_factory=dict)


class AccountChecked(Message):
    """Whether an account agrees with its broker at a gateway, so that orders may be sent there."""

    gateway: str
    reconciled: bool
    reason: Text
