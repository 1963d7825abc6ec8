"""Daily price limits by board and date, the first days after listing, and the band they give."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from vnpy_aiagent.market.boards import MAIN_BOARDS, Board
from vnpy_aiagent.market.dated import DatedRow

_WHOLE = Decimal(1)


@dataclass(frozen=True, slots=True)
class PriceBand:
    """Lowest and highest price of a day, CNY, both inclusive."""

    down: Decimal
    up: Decimal

    def contains(self, price: Decimal) -> bool:
        """Whether an order at this price is inside the band."""
        return self.down <= price <= self.up


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRow(DatedRow):
    """Ratio of the previous close; `special` is True for ST shares only, False for others, None for all."""

    boards: tuple[Board, ...]
    ratio: Decimal
    special: bool | None = None

    def covers(self, board: Board, special: bool) -> bool:
        """Whether the row speaks of this board and status."""
        return board in self.boards and self.special in (None, special)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingRow(DatedRow):
    """The first `days` trading days of a share listed on or after `effective`.

    `up` and `down` are ratios of the issue price; None where no limit holds.
    """

    boards: tuple[Board, ...]
    days: int
    up: Decimal | None = None
    down: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DelistingRow(DatedRow):
    """The first `days` trading days of a delisting period, on which no limit holds."""

    boards: tuple[Board, ...]
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltRow(DatedRow):
    """On a day without a limit trading stops for `minutes` when a price first lies a ratio off the open."""

    boards: tuple[Board, ...]
    ratios: tuple[Decimal, ...]
    minutes: int


_FIVE, _TEN, _TWENTY, _THIRTY = Decimal("0.05"), Decimal("0.10"), Decimal("0.20"), Decimal("0.30")
_LIMITS_1996 = "SSE and SZSE notices on price limits of December 1996"
_REGISTRATION_2020 = "SZSE special rules for trading on ChiNext, 2020"
_REGISTRATION_2023 = "SSE and SZSE trading rules, 2023 revision"
_STAR_2019 = "SSE special rules for trading on STAR, 2019"
_BSE_2021 = "BSE trading rules, 2021"
_FIRST_DAY_2014 = "SSE and SZSE notices on trading in the first days of new shares, June 2014"

LIMITS: tuple[LimitRow, ...] = (
    LimitRow(
        effective=date(1996, 12, 16),
        source=_LIMITS_1996,
        boards=(*MAIN_BOARDS, Board.ETF),
        ratio=_TEN,
        special=False,
    ),
    LimitRow(
        effective=date(1998, 4, 22),
        source="SSE and SZSE listing rules of 1998 on special treatment; the first day is unconfirmed",
        confirmed=False,
        boards=MAIN_BOARDS,
        ratio=_FIVE,
        special=True,
    ),
    LimitRow(
        effective=date(2026, 7, 6),
        source="SSE and SZSE trading rules, 2026 revision: 10 % for shares under risk warning",
        boards=MAIN_BOARDS,
        ratio=_TEN,
        special=True,
    ),
    LimitRow(
        effective=date(2009, 10, 30),
        source="SZSE trading rules at the opening of ChiNext",
        boards=(Board.CHINEXT,),
        ratio=_TEN,
        special=False,
    ),
    LimitRow(
        effective=date(2009, 10, 30),
        source="SZSE trading rules at the opening of ChiNext",
        boards=(Board.CHINEXT,),
        ratio=_FIVE,
        special=True,
    ),
    LimitRow(effective=date(2020, 8, 24), source=_REGISTRATION_2020, boards=(Board.CHINEXT,), ratio=_TWENTY),
    LimitRow(effective=date(2019, 7, 22), source=_STAR_2019, boards=(Board.STAR,), ratio=_TWENTY),
    LimitRow(effective=date(2021, 11, 15), source=_BSE_2021, boards=(Board.BSE,), ratio=_THIRTY),
)

LISTINGS: tuple[ListingRow, ...] = (
    ListingRow(
        effective=date(1996, 12, 16),
        source=f"{_LIMITS_1996}: none on the first day (unconfirmed)",
        confirmed=False,
        boards=(*MAIN_BOARDS, Board.CHINEXT),
        days=1,
    ),
    ListingRow(
        effective=date(2014, 6, 13),
        source=_FIRST_DAY_2014,
        boards=MAIN_BOARDS,
        days=1,
        up=Decimal("0.44"),
        down=Decimal("0.36"),
    ),
    ListingRow(
        effective=date(2014, 6, 13),
        source=f"{_FIRST_DAY_2014}; for ChiNext unconfirmed",
        confirmed=False,
        boards=(Board.CHINEXT,),
        days=1,
        up=Decimal("0.44"),
        down=Decimal("0.36"),
    ),
    ListingRow(effective=date(2019, 7, 22), source=_STAR_2019, boards=(Board.STAR,), days=5),
    ListingRow(effective=date(2020, 8, 24), source=_REGISTRATION_2020, boards=(Board.CHINEXT,), days=5),
    ListingRow(effective=date(2021, 11, 15), source=_BSE_2021, boards=(Board.BSE,), days=1),
    ListingRow(effective=date(2023, 4, 10), source=_REGISTRATION_2023, boards=MAIN_BOARDS, days=5),
)

DELISTINGS: tuple[DelistingRow, ...] = (
    DelistingRow(
        effective=date(2020, 12, 31),
        source="SSE and SZSE delisting rules of 2020: none on the first day; the first date is unconfirmed",
        confirmed=False,
        boards=(*MAIN_BOARDS, Board.CHINEXT, Board.STAR),
        days=1,
    ),
    DelistingRow(
        effective=date(2021, 11, 15),
        source=f"{_BSE_2021}: none on the first day of the delisting period (unconfirmed)",
        confirmed=False,
        boards=(Board.BSE,),
        days=1,
    ),
)

_HALTS = (_THIRTY, Decimal("0.60"))
_HALT_NOTE = "halts at 30 % and 60 % on days without a limit; day and length are unconfirmed"

HALTS: tuple[HaltRow, ...] = (
    HaltRow(
        effective=date(2019, 7, 22),
        source=f"{_STAR_2019}: {_HALT_NOTE}",
        confirmed=False,
        boards=(Board.STAR,),
        ratios=_HALTS,
        minutes=10,
    ),
    HaltRow(
        effective=date(2020, 8, 24),
        source=f"{_REGISTRATION_2020}: {_HALT_NOTE}",
        confirmed=False,
        boards=(Board.CHINEXT,),
        ratios=_HALTS,
        minutes=10,
    ),
    HaltRow(
        effective=date(2021, 11, 15),
        source=f"{_BSE_2021}: {_HALT_NOTE}",
        confirmed=False,
        boards=(Board.BSE,),
        ratios=_HALTS,
        minutes=10,
    ),
    HaltRow(
        effective=date(2023, 4, 10),
        source=f"{_REGISTRATION_2023}: {_HALT_NOTE}",
        confirmed=False,
        boards=MAIN_BOARDS,
        ratios=_HALTS,
        minutes=10,
    ),
)

MAX_LISTING_DAYS = max(row.days for row in LISTINGS)


def price_band(prev_close: Decimal, up: Decimal, down: Decimal, tick: Decimal) -> PriceBand:
    """Band around the previous close by two ratios.

    Each side is rounded half up to the tick, lies at least one tick away, and is at least one tick.
    """
    if prev_close <= 0:
        raise ValueError(f"the previous close must be positive, not {prev_close}")
    high = (prev_close * (1 + up) / tick).quantize(_WHOLE, rounding=ROUND_HALF_UP) * tick
    low = (prev_close * (1 - down) / tick).quantize(_WHOLE, rounding=ROUND_HALF_UP) * tick
    return PriceBand(down=max(tick, min(low, prev_close - tick)), up=max(high, prev_close + tick))
