"""The rules of one instrument on one day, gathered from the dated tables.

Left to the caller: the previous close is the adjusted reference price on an ex-right day (`ex_reference`);
the first day of a delisting period, on which no limit holds, is not seen from a code and a name.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from vnpy_aiagent.domain.enums import Side
from vnpy_aiagent.domain.money import to_decimal
from vnpy_aiagent.errors import RuleUnknown
from vnpy_aiagent.market import cage as cages
from vnpy_aiagent.market import fees as fee_tables
from vnpy_aiagent.market import limits, lots
from vnpy_aiagent.market.boards import SHARE_BOARDS, Board, board_of, split_symbol
from vnpy_aiagent.market.calendar import default_calendar
from vnpy_aiagent.market.dated import DatedRow, in_force, latest
from vnpy_aiagent.market.fees import DEFAULT, CommissionPlan, Fees
from vnpy_aiagent.market.funds import GROWTH_FUNDS, INTRADAY_FUNDS, FundRow
from vnpy_aiagent.market.limits import MAX_LISTING_DAYS, DelistingRow, LimitRow, ListingRow, PriceBand
from vnpy_aiagent.market.lots import Number
from vnpy_aiagent.market.names import name_facts

COVERED_BOARDS = (*SHARE_BOARDS, Board.ETF)


@dataclass(frozen=True, slots=True)
class InstrumentRules:
    """What the exchange allows for one instrument on one day. Prices in CNY, volumes in shares.

    `limit_up_ratio` and `limit_down_ratio` are None on a day without a price limit; on a main-board first
    day of 2014 to 2023 they are ratios of the issue price. `daily_buy_max` is the most an account may buy of
    an ST stock in a day, None where no such bound holds. `listing_day` counts trading days since listing (0
    is the first), None where the share is not known to be new.
    """

    vt_symbol: str
    board: Board
    on: date
    special_treatment: bool
    listing_day: int | None
    tick_size: Decimal
    t_plus: int
    limit_up_ratio: Decimal | None
    limit_down_ratio: Decimal | None
    daily_buy_max: int | None
    commission: CommissionPlan
    lots: lots.LotRow
    stamp_duty: fee_tables.StampRow
    transfer_fee: fee_tables.TransferRow
    cage_rule: cages.CageRow | None
    unconfirmed: tuple[str, ...]

    @property
    def lot_size(self) -> int:
        """Shares below which a remainder is sold in one order: 100, on STAR 200."""
        return self.lots.minimum

    @property
    def min_buy(self) -> int:
        """Smallest buy order in shares."""
        return self.lots.minimum

    @property
    def buy_step(self) -> int:
        """Step of buy volumes above the smallest, in shares."""
        return self.lots.step

    @property
    def max_order(self) -> int:
        """Largest limit order in shares."""
        return self.lots.max_limit

    @property
    def max_market_order(self) -> int:
        """Largest market order in shares."""
        return self.lots.max_market

    @property
    def limit_ratio(self) -> Decimal | None:
        """Upward limit as a ratio of the previous close; None on a day without a limit."""
        return self.limit_up_ratio

    def price_band(self, prev_close: float | Decimal) -> PriceBand | None:
        """The day's limits around the reference price (CNY); None where no limit holds.

        The reference is the previous close; adjusted on an ex-right day, the issue price on the first day.
        ValueError where it is not a positive number.
        """
        reference = to_decimal(prev_close)
        if self.limit_up_ratio is None or self.limit_down_ratio is None:
            return None
        return limits.price_band(reference, self.limit_up_ratio, self.limit_down_ratio, self.tick_size)

    def volume_error(self, side: Side, volume: Number, holding: Number) -> str | None:
        """Why an order's volume is refused: its size, or a sale of more than `holding`; None if allowed.

        T+1 is not judged here: `holding` is all shares held, sellable today or not.
        """
        error = self.lot_error(side, volume, holding)
        if error is None and side is Side.SELL and volume > holding:
            return (
                f"A sale of {volume} {self.vt_symbol} exceeds the {holding} shares held; sell at most that."
            )
        return error

    def lot_error(self, side: Side, volume: Number, holding: Number) -> str | None:
        """As `volume_error`, for lots, odd remainders and the largest order alone."""
        return lots.lot_error(self.lots, side, volume, holding, self.vt_symbol)

    def round_buy(self, volume: Number) -> int:
        """Largest allowed buy volume not above the given one; 0 where there is none."""
        return lots.round_buy(self.lots, volume)

    def round_sell(self, volume: Number, holding: Number) -> int:
        """Largest allowed sell volume not above the given one nor the holding; 0 where there is none."""
        return lots.round_sell(self.lots, volume, holding)

    def fees(self, side: Side, price: float | Decimal, volume: Number) -> Fees:
        """Fees of one order filled at once at one price (CNY)."""
        shares = to_decimal(volume)
        return self.order_fees(side, to_decimal(price) * shares, shares)

    def order_fees(self, side: Side, turnover: Decimal, volume: Number) -> Fees:
        """Fees of an order on its cumulative turnover (CNY) and volume; zero while nothing is filled.

        What one more fill adds is `order_fees(after) - order_fees(before)`.
        """
        return fee_tables.order_fees(
            self.commission,
            self.stamp_duty,
            self.transfer_fee,
            side=side,
            turnover=turnover,
            volume=to_decimal(volume),
        )

    def cage(
        self,
        side: Side,
        best_bid: Decimal | None,
        best_ask: Decimal | None,
        last: Decimal | None,
        prev_close: Decimal | None,
    ) -> Decimal | None:
        """Highest price of a buy, lowest of a sale, that continuous trading takes (CNY).

        None where no cage holds for the board and day, or no price is known to measure it from.
        """
        if self.cage_rule is None:
            return None
        book = (best_ask, best_bid) if side is Side.BUY else (best_bid, best_ask)
        base = next((price for price in (*book, last, prev_close) if price is not None), None)
        return None if base is None else cages.cage_price(self.cage_rule, side, base, self.tick_size)


def instrument_rules(
    vt_symbol: str,
    on: date,
    name: str = "",
    listed: date | None = None,
    *,
    board: Board | None = None,
    t_plus: int | None = None,
    trading_days_since_listing: int | None = None,
    delisting_day: int | None = None,
    commission: CommissionPlan = DEFAULT,
) -> InstrumentRules:
    """The rules of an instrument on a day.

    `name` is the short name of that day, from which ST status and the marks N and C of new shares are read.
    `listed` is the first trading day; `trading_days_since_listing` (0 on that day) says it without a
    calendar. With none of them the share counts as listed long ago. `delisting_day` counts the trading days
    of a delisting period (0 is its first), None outside one. `board` and `t_plus` override the tables,
    for a hypothetical instrument or a fund that the lists do not know.

    UnknownSymbol for a code of no known board; RuleUnknown for an instrument or a day that the tables do not
    cover.
    """
    if t_plus not in (None, 0, 1):
        raise ValueError(f"t_plus is 0 or 1, not {t_plus}")
    return _build(
        vt_symbol=vt_symbol,
        on=on,
        name=name,
        listed=listed,
        board=board,
        t_plus=t_plus,
        listing_day=trading_days_since_listing,
        delisting_day=delisting_day,
        commission=commission,
    )


@lru_cache(maxsize=32_768)
def _build(
    *,
    vt_symbol: str,
    on: date,
    name: str,
    listed: date | None,
    board: Board | None,
    t_plus: int | None,
    listing_day: int | None,
    delisting_day: int | None,
    commission: CommissionPlan,
) -> InstrumentRules:
    board = board or board_of(vt_symbol)
    _require_covered(vt_symbol, board)
    is_share = board in SHARE_BOARDS
    facts = name_facts(name if is_share else "")
    subject = f"rule for {board.name} (asked for {vt_symbol})"
    limit = in_force(
        (row for row in limits.LIMITS if row.covers(board, facts.special_treatment)),
        on,
        f"price-limit {subject}",
    )
    if is_share and listing_day is None:
        listing_day = facts.listing_day if listed is None else _days_since(listed, on, vt_symbol)
    listing = _listing(board, on, listed, listing_day) if is_share else None
    growth = None if is_share else _fund_row(GROWTH_FUNDS, vt_symbol, on)
    intraday = None if is_share else _fund_row(INTRADAY_FUNDS, vt_symbol, on)
    delisting = _delisting(board, on, delisting_day) if is_share else None
    up, down = (None, None) if delisting is not None else _ratios(limit, growth, listing)
    tick = in_force((row for row in lots.TICKS if board in row.boards), on, f"tick {subject}")
    lot = in_force((row for row in lots.LOTS if board in row.boards), on, f"lot {subject}")
    stamp = in_force(
        (row for row in fee_tables.STAMP_DUTIES if board in row.boards), on, f"stamp-duty {subject}"
    )
    transfer = in_force(
        (row for row in fee_tables.TRANSFER_FEES if board in row.boards), on, f"transfer-fee {subject}"
    )
    cage = latest((row for row in cages.CAGES if board in row.boards), on)
    daily = (
        latest((row for row in lots.DAILY_BUYS if board in row.boards), on)
        if facts.special_treatment
        else None
    )
    return InstrumentRules(
        vt_symbol=vt_symbol,
        board=board,
        on=on,
        special_treatment=facts.special_treatment,
        listing_day=listing_day if is_share else None,
        tick_size=tick.tick,
        t_plus=_settlement(t_plus, intraday),
        limit_up_ratio=up,
        limit_down_ratio=down,
        daily_buy_max=daily.shares if daily else None,
        commission=commission,
        lots=lot,
        stamp_duty=stamp,
        transfer_fee=transfer,
        cage_rule=cage,
        unconfirmed=_unconfirmed(
            (limit, listing, delisting, growth, intraday, tick, lot, stamp, transfer, cage, daily)
        ),
    )


def _require_covered(vt_symbol: str, board: Board) -> None:
    if board is Board.INDEX:
        raise RuleUnknown(
            f"{vt_symbol} is an index and cannot be traded; "
            "choose a fund that follows it, or name the board that it should be treated as."
        )
    if board is Board.FUTURES:
        raise RuleUnknown(
            f"{vt_symbol} is a futures contract, which this app's accounts do not trade; "
            "its rules are those of vnpy_aiagent.market.futures_rules."
        )
    if board not in COVERED_BOARDS:
        raise RuleUnknown(
            f"The rules of {board.name} are not in the tables yet (asked for {vt_symbol}); "
            "use shares or exchange-traded funds."
        )


def _days_since(listed: date, on: date, vt_symbol: str) -> int | None:
    """Trading days from the first to `on`; None where that is certainly past every first-days rule."""
    if on < listed:
        raise RuleUnknown(
            f"{vt_symbol} was not listed on {on.isoformat()}, its first trading day is {listed.isoformat()}; "
            "use a later date."
        )
    if (on - listed).days > 31:
        return None
    return len(default_calendar().sessions(listed, on)) - 1


def _listing(board: Board, on: date, listed: date | None, listing_day: int | None) -> ListingRow | None:
    """The first-days rule that holds today; None for a share past its first days."""
    if listing_day is None or not 0 <= listing_day < MAX_LISTING_DAYS:
        return None
    first = listed or default_calendar().session_offset(on, -listing_day)
    row = latest((row for row in limits.LISTINGS if board in row.boards), first)
    return row if row is not None and listing_day < row.days else None


def _delisting(board: Board, on: date, day: int | None) -> DelistingRow | None:
    """The rule of the first days of a delisting period, None outside them."""
    if day is None:
        return None
    row = latest((row for row in limits.DELISTINGS if board in row.boards), on)
    return row if row is not None and 0 <= day < row.days else None


def _ratios(
    limit: LimitRow, growth: FundRow | None, listing: ListingRow | None
) -> tuple[Decimal | None, Decimal | None]:
    if listing is not None:
        return listing.up, listing.down
    ratio = growth.ratio if growth is not None and growth.ratio is not None else limit.ratio
    return ratio, ratio


def _settlement(override: int | None, intraday: FundRow | None) -> int:
    """0 where shares bought today can be sold today, else 1 (in force since 1995-01-01)."""
    if override is not None:
        return override
    return 1 if intraday is None or intraday.t_plus is None else intraday.t_plus


def _fund_row(rows: tuple[FundRow, ...], vt_symbol: str, on: date) -> FundRow | None:
    code, exchange = split_symbol(vt_symbol)
    return latest((row for row in rows if row.covers(code, exchange)), on)


def _unconfirmed(rows: Iterable[DatedRow | None]) -> tuple[str, ...]:
    """Sources of the rows used that still have to be confirmed."""
    return tuple(row.source for row in rows if row is not None and not row.confirmed)
