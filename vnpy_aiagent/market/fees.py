"""Fees of an order: commission, stamp duty, transfer fee, by board, side and date.

Each item is Decimal CNY, rounded half up to the cent on the order's cumulative fills, so the fee of a later
partial fill is the fee of all fills so far less the fee of the fills before it.
"""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from vnpy_aiagent.domain.enums import Side
from vnpy_aiagent.domain.money import CENT
from vnpy_aiagent.market.boards import SHARE_BOARDS, Board
from vnpy_aiagent.market.dated import DatedRow

ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class CommissionPlan:
    """The broker's commission: a ratio of turnover, at least `minimum` CNY an order."""

    rate: Decimal = Decimal("0.00025")
    minimum: Decimal = Decimal(5)

    def __post_init__(self) -> None:
        """Refuse negative and non-finite figures."""
        if not (self.rate.is_finite() and self.minimum.is_finite() and self.rate >= 0 and self.minimum >= 0):
            raise ValueError("a commission's rate and minimum must be finite and not negative")


DEFAULT = CommissionPlan()


@dataclass(frozen=True, slots=True)
class Fees:
    """Fees in CNY."""

    commission: Decimal
    stamp_duty: Decimal
    transfer_fee: Decimal

    @property
    def total(self) -> Decimal:
        """All items together."""
        return self.commission + self.stamp_duty + self.transfer_fee

    def __sub__(self, other: "Fees") -> "Fees":
        """Item by item: what one more fill adds to its order's fees."""
        return Fees(
            self.commission - other.commission,
            self.stamp_duty - other.stamp_duty,
            self.transfer_fee - other.transfer_fee,
        )


NO_FEES = Fees(ZERO, ZERO, ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class StampRow(DatedRow):
    """Stamp duty as ratios of turnover."""

    boards: tuple[Board, ...]
    buy: Decimal
    sell: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRow(DatedRow):
    """Transfer fee on both sides: a ratio of turnover, or CNY a share with a minimum an order."""

    boards: tuple[Board, ...]
    rate: Decimal
    per_share: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)


def _both(effective: date, ratio: str) -> StampRow:
    return StampRow(
        effective=effective,
        source="Ministry of Finance and State Taxation Administration notice on securities stamp duty",
        confirmed=False,
        boards=SHARE_BOARDS,
        buy=Decimal(ratio),
        sell=Decimal(ratio),
    )


STAMP_DUTIES: tuple[StampRow, ...] = (
    _both(date(1998, 6, 12), "0.004"),
    _both(date(2001, 11, 16), "0.002"),
    _both(date(2005, 1, 24), "0.001"),
    _both(date(2007, 5, 30), "0.003"),
    _both(date(2008, 4, 24), "0.001"),
    StampRow(
        effective=date(2008, 9, 19),
        source="Ministry of Finance notice of September 2008: stamp duty on sales only",
        boards=SHARE_BOARDS,
        buy=Decimal(0),
        sell=Decimal("0.001"),
    ),
    StampRow(
        effective=date(2023, 8, 28),
        source="Ministry of Finance and State Taxation Administration notice 2023 No. 39: duty halved",
        boards=SHARE_BOARDS,
        buy=Decimal(0),
        sell=Decimal("0.0005"),
    ),
    StampRow(
        effective=date(1990, 12, 19),
        source="funds pay no stamp duty",
        boards=(Board.ETF,),
        buy=Decimal(0),
        sell=Decimal(0),
    ),
)

TRANSFER_FEES: tuple[TransferRow, ...] = (
    TransferRow(
        effective=date(1990, 12, 19),
        source="SSE transfer fee on par value before August 2015, approximate and unconfirmed",
        confirmed=False,
        boards=(Board.SSE_MAIN,),
        rate=Decimal(0),
        per_share=Decimal("0.001"),
        minimum=Decimal(1),
    ),
    TransferRow(
        effective=date(1990, 12, 19),
        source="SZSE shares before August 2015 and funds: no transfer fee of the investor's own",
        boards=(Board.SZSE_MAIN, Board.CHINEXT, Board.ETF),
        rate=Decimal(0),
    ),
    TransferRow(
        effective=date(2015, 8, 1),
        source="CSDC notice of July 2015 on transfer fees of A-shares",
        boards=SHARE_BOARDS,
        rate=Decimal("0.00002"),
    ),
    TransferRow(
        effective=date(2022, 4, 29),
        source="CSDC notice of April 2022: transfer fee of shares halved",
        boards=SHARE_BOARDS,
        rate=Decimal("0.00001"),
    ),
)


def order_fees(
    plan: CommissionPlan,
    stamp: StampRow,
    transfer: TransferRow,
    *,
    side: Side,
    turnover: Decimal,
    volume: Decimal,
) -> Fees:
    """Fees of an order whose fills so far have this turnover (CNY) and volume (shares)."""
    if turnover < 0 or volume < 0:
        raise ValueError("turnover and volume of an order cannot be negative")
    if not turnover:
        return NO_FEES
    duty = stamp.buy if side is Side.BUY else stamp.sell
    moved = max(turnover * transfer.rate + volume * transfer.per_share, transfer.minimum)
    return Fees(
        commission=_cent(max(turnover * plan.rate, plan.minimum)),
        stamp_duty=_cent(turnover * duty),
        transfer_fee=_cent(moved),
    )


def _cent(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)
