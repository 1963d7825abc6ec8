"""An ex-day on one position of the app's books: new shares, cash, and costs on the new level.

Volumes in shares, money in CNY.
"""

from decimal import Decimal
from typing import TYPE_CHECKING

from vnpy_aiagent.market.corporate import CorporateAction

if TYPE_CHECKING:
    from vnpy_aiagent.portfolio.book import Lot, Position

ZERO = Decimal(0)


def book_action(position: "Position", external: int, action: CorporateAction) -> tuple[int, Decimal, int]:
    """Book an ex-day; the new shares, the cash before tax, and how many of the new shares are external.

    Shares bought on the ex-day or later have no part in it. New shares belong to the lots that brought them,
    so they can be sold at once and their holding time is that of the old ones; what the dividend returned
    and the new shares diluted goes off the cost.
    """
    before = position.volume
    shares, cash = position.shares.apply(action)
    left, held = shares, position.shares.entitled(action.ex_date) - shares
    for lot in position.lots:
        if lot.day >= action.ex_date or not held:
            continue
        more = left * lot.volume // held
        held -= lot.volume
        left -= more
        _on_new_level(lot, more, action)
    position.dividends += cash
    outside = shares if external >= before else int(external * action.bonus)
    return shares, cash, outside


def _on_new_level(lot: "Lot", more: int, action: CorporateAction) -> None:
    worth = max(lot.price - action.cash, ZERO) * lot.volume
    lot.volume += more
    lot.price = worth / lot.volume
    lot.held_from = lot.price
