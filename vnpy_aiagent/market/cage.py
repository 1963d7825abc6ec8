"""The price cage: how far a limit order in continuous trading may reach beyond the book.

It concerns shares, not funds, bonds or auctions. The base of a buy is the best ask, where there is none the
best bid, then the last price, then the previous close; a sale mirrors it.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from vnpy_aiagent.domain.enums import Side
from vnpy_aiagent.domain.money import round_to_tick
from vnpy_aiagent.market.boards import MAIN_BOARDS, Board
from vnpy_aiagent.market.dated import DatedRow


@dataclass(frozen=True, slots=True, kw_only=True)
class CageRow(DatedRow):
    """Reach as a ratio of the base price, or `ticks` where that is wider.

    `parks` where an order outside waits at the exchange instead of being refused.
    """

    boards: tuple[Board, ...]
    ratio: Decimal
    ticks: int = 0
    parks: bool = False


_TWO, _FIVE = Decimal("0.02"), Decimal("0.05")

CAGES: tuple[CageRow, ...] = (
    CageRow(
        effective=date(2019, 7, 22),
        source="SSE special rules for trading on STAR, 2019",
        boards=(Board.STAR,),
        ratio=_TWO,
    ),
    CageRow(
        effective=date(2020, 8, 24),
        source="SZSE special rules for trading on ChiNext, 2020",
        boards=(Board.CHINEXT,),
        ratio=_TWO,
        parks=True,
    ),
    CageRow(
        effective=date(2021, 11, 15),
        source="BSE trading rules, 2021",
        boards=(Board.BSE,),
        ratio=_FIVE,
        ticks=10,
    ),
    CageRow(
        effective=date(2023, 4, 10),
        source="SSE and SZSE trading rules, 2023 revision",
        boards=(*MAIN_BOARDS, Board.STAR, Board.CHINEXT),
        ratio=_TWO,
        ticks=10,
    ),
)


def cage_price(row: CageRow, side: Side, base: Decimal, tick: Decimal) -> Decimal:
    """Highest price of a buy, lowest of a sale (CNY), rounded half up to the tick, at least one tick."""
    sign = 1 if side is Side.BUY else -1
    by_ratio = round_to_tick(base * (1 + sign * row.ratio), tick)
    by_ticks = base + sign * row.ticks * tick
    return max(by_ratio, by_ticks) if side is Side.BUY else max(tick, min(by_ratio, by_ticks))
