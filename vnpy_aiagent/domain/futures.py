"""What the books keep of futures: a contract's terms with each fill, and the daily settlement.

Prices in points, volumes in contracts, money in CNY.
"""

from datetime import date
from decimal import Decimal

from vnpy_aiagent.domain.analysis import Part
from vnpy_aiagent.domain.enums import SettledBy
from vnpy_aiagent.domain.message import Message


class ContractTerms(Part):
    """What a fill of a contract is worth. `multiplier` is CNY a point, `margin` a ratio of the value.

    `closed_today` of a closing fill's contracts were opened on the same trading day.
    """

    multiplier: Decimal
    margin: Decimal
    closed_today: int = 0


class Settlement(Message):
    """An account's position in one contract was marked to the day's settlement price, in cash.

    `basis` says where the price is from; the last price of the day is used where the exchange's is not
    known. `profit` (CNY, negative for a loss) moved into cash.
    """

    symbol: str
    trading_day: date
    price: Decimal
    basis: SettledBy
    volume: int
    profit: Decimal
