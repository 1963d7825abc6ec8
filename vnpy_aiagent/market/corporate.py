"""Corporate actions of shares: what an ex-day does to the reference price, to holdings and to cash.

Whoever holds at the close before the ex-day receives new shares and cash; the exchange measures that day's
price limits from the adjusted reference price. The tax on a dividend depends on how long the shares were held
and is taken when they are sold.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from vnpy_aiagent.domain.money import CENT, round_to_tick
from vnpy_aiagent.errors import RuleUnknown
from vnpy_aiagent.market.dated import DatedRow, latest


@dataclass(frozen=True, slots=True, kw_only=True)
class CorporateAction:
    """One ex-day. Ratios are new shares per share held; cash is CNY per share before tax.

    `adjusts` is False where the exchange set no adjusted reference price, as for share-reform considerations.
    """

    vt_symbol: str
    ex_date: date
    bonus: Decimal = Decimal(0)
    cash: Decimal = Decimal(0)
    rights: Decimal = Decimal(0)
    rights_price: Decimal = Decimal(0)
    adjusts: bool = True

    def __post_init__(self) -> None:
        """Refuse negative and non-finite figures, and rights without a price."""
        for name in ("bonus", "cash", "rights", "rights_price"):
            value: Decimal = getattr(self, name)
            if not value.is_finite() or value < 0:
                raise ValueError(f"{name} of {self.vt_symbol} on {self.ex_date} must not be {value}")
        if self.rights and not self.rights_price:
            raise ValueError(f"the rights of {self.vt_symbol} on {self.ex_date} have no price")


def ex_reference(prev_close: Decimal, action: CorporateAction, tick: Decimal = Decimal("0.01")) -> Decimal:
    """The reference price of the ex-day (CNY), rounded half up to the tick.

    (previous close - cash + rights price x rights) / (1 + bonus + rights): trading rules of SSE and SZSE. The
    previous close itself where the action adjusts nothing. ValueError where nothing positive would be left.
    """
    if not action.adjusts:
        return prev_close
    value = prev_close - action.cash + action.rights_price * action.rights
    if value <= 0:
        raise ValueError(f"a dividend of {action.cash} exceeds the close of {prev_close} before it")
    return round_to_tick(value / (1 + action.bonus + action.rights), tick)


def ex_level(level: Decimal, action: CorporateAction, tick: Decimal = Decimal("0.01")) -> Decimal:
    """Where a price level of the day before (a stop, a trigger, a cost) stands on the ex-day (CNY).

    By the formula of the reference price, rounded half up to the tick and at least one tick. It follows what
    the holder receives, also where the exchange set no reference (`adjusts` is False): the price falls there
    all the same.
    """
    value = level - action.cash + action.rights_price * action.rights
    return max(tick, round_to_tick(value / (1 + action.bonus + action.rights), tick))


def ex_factor(close: Decimal, action: CorporateAction) -> float:
    """Ratio that puts prices up to the close before the ex-day (CNY) on its level; ValueError as there."""
    value = close - action.cash + action.rights_price * action.rights
    if value <= 0:
        raise ValueError(f"a dividend of {action.cash} exceeds the close of {close} before it")
    return float(value / (1 + action.bonus + action.rights) / close)


def new_shares(held: int, action: CorporateAction) -> int:
    """Shares that a holder receives without paying; a fraction of a share is dropped."""
    return int(held * action.bonus)


def cash_dividend(held: int, action: CorporateAction) -> Decimal:
    """Cash that a holder receives before tax (CNY)."""
    return (held * action.cash).quantize(CENT, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True, kw_only=True)
class DividendTaxRow(DatedRow):
    """Individual income tax on dividends as ratios: held to one month, to one year, longer."""

    month: Decimal
    year: Decimal
    longer: Decimal


_NOTICE = "Ministry of Finance, State Taxation Administration and CSRC notice"

DIVIDEND_TAXES: tuple[DividendTaxRow, ...] = (
    DividendTaxRow(
        effective=date(1994, 1, 1),
        source="individual income tax law: 20 % whatever the period, from memory, unconfirmed",
        confirmed=False,
        month=Decimal("0.20"),
        year=Decimal("0.20"),
        longer=Decimal("0.20"),
    ),
    DividendTaxRow(
        effective=date(2005, 6, 13),
        source=f"{_NOTICE} of 2005 No. 102: half of 20 % whatever the period, from memory, unconfirmed",
        confirmed=False,
        month=Decimal("0.10"),
        year=Decimal("0.10"),
        longer=Decimal("0.10"),
    ),
    DividendTaxRow(
        effective=date(2013, 1, 1),
        source=f"{_NOTICE} of 2012 No. 85, from memory, unconfirmed",
        confirmed=False,
        month=Decimal("0.20"),
        year=Decimal("0.10"),
        longer=Decimal("0.05"),
    ),
    DividendTaxRow(
        effective=date(2015, 9, 8),
        source=f"{_NOTICE} of 2015 No. 101, from memory, unconfirmed",
        confirmed=False,
        month=Decimal("0.20"),
        year=Decimal("0.10"),
        longer=Decimal("0"),
    ),
)


def dividend_tax(cash: Decimal, action_day: date, bought: date, sold: date) -> Decimal:
    """Tax (CNY) on a dividend of `cash` CNY for shares held from `bought` until the day before `sold`.

    A month and a year are counted by the calendar. RuleUnknown before the first rule of the table.
    """
    row = latest(DIVIDEND_TAXES, action_day)
    if row is None:
        first = DIVIDEND_TAXES[0].effective.isoformat()
        raise RuleUnknown(f"No dividend tax is known before {first}; use a later date.")
    if sold <= _later(bought, months=1):
        rate = row.month
    elif sold <= _later(bought, months=12):
        rate = row.year
    else:
        rate = row.longer
    return (cash * rate).quantize(CENT, rounding=ROUND_HALF_UP)


def _later(day: date, *, months: int) -> date:
    """The same day of a later month; its last day where that month is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
