"""Order sizes in shares: lots, odd remainders, the largest order, by board and date."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from vnpy_aiagent.domain.enums import Side
from vnpy_aiagent.market.boards import MAIN_BOARDS, Board
from vnpy_aiagent.market.dated import DatedRow

Number = int | float | Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LotRow(DatedRow):
    """Sizes in shares. Buys: at least `minimum`, then by `step`. Largest limit and market order."""

    boards: tuple[Board, ...]
    minimum: int
    step: int
    max_limit: int
    max_market: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyBuyRow(DatedRow):
    """Most shares of one ST stock that an account may buy in a day."""

    boards: tuple[Board, ...]
    shares: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TickRow(DatedRow):
    """Smallest price step, CNY."""

    boards: tuple[Board, ...]
    tick: Decimal


_SHARE_TICK = "SSE, SZSE and BSE trading rules: shares quote in 0.01 CNY"
_MILLION = 1_000_000
_SPECIAL_CAP = "rules for shares under risk warning; the first day is unconfirmed"

TICKS: tuple[TickRow, ...] = (
    TickRow(
        effective=date(1990, 12, 19),
        source=_SHARE_TICK,
        boards=(*MAIN_BOARDS, Board.CHINEXT, Board.STAR, Board.BSE),
        tick=Decimal("0.01"),
    ),
    TickRow(
        effective=date(1990, 12, 19),
        source="SSE and SZSE trading rules: funds quote in 0.001 CNY",
        boards=(Board.ETF,),
        tick=Decimal("0.001"),
    ),
)

LOTS: tuple[LotRow, ...] = (
    LotRow(
        effective=date(1996, 12, 16),
        source="SSE and SZSE trading rules: lots of 100, orders to 1,000,000",
        boards=(*MAIN_BOARDS, Board.CHINEXT, Board.ETF),
        minimum=100,
        step=100,
        max_limit=_MILLION,
        max_market=_MILLION,
    ),
    LotRow(
        effective=date(2020, 8, 24),
        source="SZSE special rules for trading on ChiNext, 2020",
        boards=(Board.CHINEXT,),
        minimum=100,
        step=100,
        max_limit=300_000,
        max_market=150_000,
    ),
    LotRow(
        effective=date(2019, 7, 22),
        source="SSE special rules for trading on STAR, 2019",
        boards=(Board.STAR,),
        minimum=200,
        step=1,
        max_limit=100_000,
        max_market=50_000,
    ),
    LotRow(
        effective=date(2021, 11, 15),
        source="BSE trading rules, 2021",
        boards=(Board.BSE,),
        minimum=100,
        step=1,
        max_limit=_MILLION,
        max_market=_MILLION,
    ),
)

DAILY_BUYS: tuple[DailyBuyRow, ...] = (
    DailyBuyRow(
        effective=date(2013, 1, 1),
        source=f"SSE {_SPECIAL_CAP}",
        confirmed=False,
        boards=(Board.SSE_MAIN,),
        shares=500_000,
    ),
    DailyBuyRow(
        effective=date(2020, 12, 31),
        source=f"SZSE {_SPECIAL_CAP}",
        confirmed=False,
        boards=(Board.SZSE_MAIN, Board.CHINEXT),
        shares=500_000,
    ),
    DailyBuyRow(
        effective=date(2021, 11, 15),
        source=f"BSE {_SPECIAL_CAP}",
        confirmed=False,
        boards=(Board.BSE,),
        shares=200_000,
    ),
)


def whole(volume: Number) -> int | None:
    """The volume as int; None where it is no whole number (fractions, NaN, infinities)."""
    if isinstance(volume, int):
        return volume
    try:
        shares = int(volume)
    except (ValueError, OverflowError):
        return None
    return shares if shares == volume else None


def lot_error(row: LotRow, side: Side, volume: Number, holding: Number, what: str) -> str | None:
    """Why an order's size is refused whatever the account holds or owns; None where it is allowed.

    `holding` (shares held before the order) decides which odd remainder may be sold in one order.
    """
    shares, held = whole(volume), whole(holding)
    if shares is None:
        return f"A volume of {volume} shares of {what} is not a whole number; use whole shares."
    if held is None or held < 0:
        return f"A holding of {holding} shares of {what} is impossible; reload the account's positions."
    if shares <= 0:
        return f"A volume of {shares} shares of {what} is not positive; name at least one share."
    if shares > row.max_limit:
        return (
            f"An order of {shares} shares of {what} exceeds the largest order of {row.max_limit}; "
            "split it into several orders."
        )
    return _buy_error(row, shares, what) if side is Side.BUY else _sell_error(row, shares, held, what)


def round_buy(row: LotRow, volume: Number) -> int:
    """Largest allowed buy volume not above the given one; 0 where even the smallest is above it."""
    shares = min(_floor(volume), row.max_limit)
    return shares - shares % row.step if shares >= row.minimum else 0


def round_sell(row: LotRow, volume: Number, holding: Number) -> int:
    """Largest allowed sell volume not above the given one nor the holding; 0 where there is none."""
    held = _floor(holding)
    shares = min(_floor(volume), held, row.max_limit)
    if shares <= 0:
        return 0
    if row.step == 1:
        return shares if shares >= row.minimum or shares == held else 0
    lots = shares - shares % row.step
    odd = held % row.step
    with_odd = lots + odd if lots + odd <= shares else lots + odd - row.step
    return max(lots, with_odd, 0)


def _buy_error(row: LotRow, shares: int, what: str) -> str | None:
    if shares < row.minimum:
        return f"A buy of {shares} shares of {what} is below the minimum of {row.minimum}; buy at least that."
    if shares % row.step:
        down = shares - shares % row.step
        return (
            f"A buy of {shares} shares of {what} is not a multiple of {row.step}; "
            f"buy {down} or {down + row.step}."
        )
    return None


def _sell_error(row: LotRow, shares: int, held: int, what: str) -> str | None:
    if row.step == 1:
        if shares >= row.minimum or shares >= held:
            return None
        return (
            f"A sale of {shares} of {held} shares of {what} is below {row.minimum} and leaves a remainder; "
            f"sell at least {row.minimum}, or the whole holding in one order."
        )
    if shares % row.step in (0, held % row.step):
        return None
    return (
        f"A sale of {shares} of {held} shares of {what} is not a multiple of {row.step} and splits the odd "
        f"remainder; sell whole lots, with or without the whole remainder of {held % row.step}."
    )


def _floor(volume: Number) -> int:
    try:
        return max(0, int(volume))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"a volume of {volume} shares is not a finite number") from error
