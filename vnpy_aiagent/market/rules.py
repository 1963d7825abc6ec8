"""The rules of one instrument on one day, gathered from the dated tables.

A futures contract has the same shape with `futures` set: volumes are contracts, prices points, and the value
of a contract is its price times `multiplier`.

Left to the caller: the previous close is the adjusted reference price on an ex-right day (`ex_reference`);
the first day of a delisting period, on which no limit holds, is not seen from a code and a name: `delisting`.
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
from vnpy_aiagent.market.calendar import TradingCalendar, default_calendar
from vnpy_aiagent.market.dated import DatedRow, in_force, latest
from vnpy_aiagent.market.fees import DEFAULT, CommissionPlan, Fees
from vnpy_aiagent.market.funds import GROWTH_FUNDS, INTRADAY_FUNDS, FundRow
from vnpy_aiagent.market.futures import FuturesRules, futures_rules
from vnpy_aiagent.market.limits import MAX_LISTING_DAYS, DelistingRow, LimitRow, ListingRow, PriceBand
from vnpy_aiagent.market.lots import Number
from vnpy_aiagent.market.names import name_facts

COVERED_BOARDS = (*SHARE_BOARDS, Board.ETF)
BOND_REFUSAL = (
    "{symbol} is a convertible bond, which this app does not trade: its lot, first-day limits, halts and "
    "hours are not confirmed, and redemption and conversion are not handled; use shares or "
    "exchange-traded funds."
)
"""Why convertible bonds are refused, everywhere."""
_ONE = Decimal(1)
NO_DUTY = "futures pay no stamp duty and no transfer fee"


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
    futures: FuturesRules | None = None
    halt_ratios: tuple[Decimal, ...] = ()
    """On a day without a limit: how far off the open trading stops for ten minutes, once each."""

    @property
    def multiplier(self) -> Decimal:
        """CNY per point of price and unit of volume: 1 for shares and funds."""
        return _ONE if self.futures is None else self.futures.multiplier

    @property
    def margin_ratio(self) -> Decimal:
        """Part of the value that a position binds: 1 for shares and funds, the exchange's minimum else."""
        return _ONE if self.futures is None else self.futures.row.margin

    def value(self, price: Decimal, volume: Number) -> Decimal:
        """What a volume is worth at a price, CNY."""
        worth = price * to_decimal(volume)
        return worth if self.futures is None else worth * self.futures.multiplier

    def opening_error(self, calendar: TradingCalendar) -> str | None:
        """Why nothing may be opened in this instrument today: a contract in its last days; None else."""
        return None if self.futures is None else self.futures.opening_error(calendar)

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
        if self.futures is not None:
            return self.futures.price_band(prev_close)
        reference = to_decimal(prev_close)
        if self.limit_up_ratio is None or self.limit_down_ratio is None:
            return None
        return limits.price_band(reference, self.limit_up_ratio, self.limit_down_ratio, self.tick_size)

    def volume_error(self, side: Side, volume: Number, holding: Number) -> str | None:
        """Why an order's volume is refused: its size, or a sale of more than `holding`; None if allowed.

        T+1 is not judged here: `holding` is all shares held, sellable today or not. A futures order may open
        on either side, so its `holding` says nothing.
        """
        if self.futures is not None:
            return self.futures.volume_error(volume)
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
        return self.order_fees(side, self.value(to_decimal(price), shares), shares)

    def order_fees(self, side: Side, turnover: Decimal, volume: Number) -> Fees:
        """Fees of an order on its cumulative turnover (CNY) and volume; zero while nothing is filled.

        What one more fill adds is `order_fees(after) - order_fees(before)`. For a futures contract it is an
        estimate: a buy opens, and a sale closes a position of today or of before, whichever costs more.
        """
        if self.futures is not None:
            closes = [self.futures.fees(turnover, volume, opening=False, today=n) for n in (0, volume)]
            opens = self.futures.fees(turnover, volume, opening=True)
            return opens if side is Side.BUY else max(closes, key=lambda fees: fees.total)
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
    delisting: date | None = None,
    delisting_day: int | None = None,
    commission: CommissionPlan = DEFAULT,
) -> InstrumentRules:
    """The rules of an instrument on a day.

    `name` is the short name of that day, from which ST status and the marks N and C of new shares are read.
    `listed` is the first trading day; `trading_days_since_listing` (0 on that day) says it without a
    calendar. With none of them the share counts as listed long ago. `delisting_day` counts the trading days
    of a delisting period (0 is its first), None outside one; `delisting`, the period's first trading day,
    says it with the calendar. `board` and `t_plus` override the tables,
    for a hypothetical instrument or a fund that the lists do not know.

    UnknownSymbol for a code of no known board; RuleUnknown for an instrument or a day that the tables do not
    cover.
    """
    if t_plus not in (None, 0, 1):
        raise ValueError(f"t_plus is 0 or 1, not {t_plus}")
    if delisting_day is None and delisting is not None and on >= delisting:
        delisting_day = _days_since(delisting, on)
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


def require_cash_market(rules: InstrumentRules) -> InstrumentRules:
    """The rules themselves; RuleUnknown for a futures contract, where only what is paid in full is kept."""
    if rules.futures is not None:
        raise RuleUnknown(
            f"{rules.vt_symbol} is a futures contract, which is not known here; simulate it with "
            "`aiagent demo --data`, trade it on paper, or backtest it with vnpy's own rules (rules=False)."
        )
    return rules


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
    if board is Board.FUTURES:
        return _of_contract(futures_rules(vt_symbol, on), commission)
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
        listing_day = facts.listing_day if listed is None else _listing_day(listed, on, vt_symbol)
    listing = _listing(board, on, listed, listing_day) if is_share else None
    growth = None if is_share else _fund_row(GROWTH_FUNDS, vt_symbol, on)
    intraday = None if is_share else _fund_row(INTRADAY_FUNDS, vt_symbol, on)
    delisting = _delisting(board, on, delisting_day) if is_share else None
    up, down = (None, None) if delisting is not None else _ratios(limit, growth, listing)
    halt = latest((row for row in limits.HALTS if board in row.boards), on) if up is None else None
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
        halt_ratios=halt.ratios if halt is not None else (),
        unconfirmed=_unconfirmed(
            (limit, listing, delisting, halt, growth, intraday, tick, lot, stamp, transfer, cage, daily)
        ),
    )


def _of_contract(futures: FuturesRules, commission: CommissionPlan) -> InstrumentRules:
    """A futures contract in the shape of any instrument: lots of 1, no duty, no cage, fees by contract."""
    row = futures.row
    boards = (Board.FUTURES,)
    return InstrumentRules(
        vt_symbol=futures.vt_symbol,
        board=Board.FUTURES,
        on=futures.on,
        special_treatment=False,
        listing_day=None,
        tick_size=row.tick,
        t_plus=0,
        limit_up_ratio=row.limit,
        limit_down_ratio=row.limit,
        daily_buy_max=None,
        commission=commission,
        lots=lots.LotRow(
            effective=row.effective,
            source=row.source,
            confirmed=row.confirmed,
            boards=boards,
            minimum=1,
            step=1,
            max_limit=futures.max_order,
            max_market=futures.max_order,
        ),
        stamp_duty=fee_tables.StampRow(
            effective=row.effective, source=NO_DUTY, boards=boards, buy=Decimal(0), sell=Decimal(0)
        ),
        transfer_fee=fee_tables.TransferRow(
            effective=row.effective, source=NO_DUTY, boards=boards, rate=Decimal(0)
        ),
        cage_rule=None,
        unconfirmed=futures.unconfirmed,
        futures=futures,
    )


def _require_covered(vt_symbol: str, board: Board) -> None:
    if board is Board.INDEX:
        raise RuleUnknown(
            f"{vt_symbol} is an index and cannot be traded; "
            "choose a fund that follows it, or name the board that it should be treated as."
        )
    if board is Board.CONVERTIBLE_BOND:
        raise RuleUnknown(BOND_REFUSAL.format(symbol=vt_symbol))
    if board not in COVERED_BOARDS:
        raise RuleUnknown(
            f"The rules of {board.name} are not in the tables yet (asked for {vt_symbol}); "
            "use shares or exchange-traded funds."
        )


def _listing_day(listed: date, on: date, vt_symbol: str) -> int | None:
    """Trading days from the first to `on`; None where that is certainly past every first-days rule."""
    if on < listed:
        raise RuleUnknown(
            f"{vt_symbol} was not listed on {on.isoformat()}, its first trading day is {listed.isoformat()}; "
            "use a later date."
        )
    return _days_since(listed, on)


def _days_since(first: date, on: date) -> int | None:
    """Trading days from a day to a later one; None where that is past every rule for first days."""
    return None if (on - first).days > 31 else len(default_calendar().sessions(first, on)) - 1


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
