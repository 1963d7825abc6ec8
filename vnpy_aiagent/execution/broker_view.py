"""What a broker says of an account, believed or not, and how the book differs from it. Pure functions.

Volumes in shares, amounts in CNY. A broker's figure that cannot be true is never booked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from vnpy.trader.constant import Direction
from vnpy.trader.object import AccountData, PositionData

from vnpy_aiagent.domain import Side, cny, is_number, to_decimal

MAX_VOLUME = 10**11
MAX_CASH = 1e13
LONG = (Direction.LONG, Direction.NET)


@dataclass(slots=True)
class BrokerHoldings:
    """Shares by symbol, an average price of each (0 where none was told), and what is not believed.

    `older` are those held since before today, as far as the broker says so.
    """

    volumes: dict[str, int] = field(default_factory=dict)
    older: dict[str, int] = field(default_factory=dict)
    prices: dict[str, Decimal] = field(default_factory=dict)
    short: list[PositionData] = field(default_factory=list)
    impossible: list[PositionData] = field(default_factory=list)


def is_count(value: float) -> bool:
    """Whether a number is a possible count of shares: finite, whole, not negative, not absurd."""
    return is_number(value) and 0 <= value <= MAX_VOLUME and value == int(value)


def cash_of(accounts: Iterable[AccountData]) -> Decimal | None:
    """Cash that is free to use over all of a gateway's accounts, None where a figure cannot be true.

    `available` is what a new order may use, in XTP and CTP alike; `balance` is not comparable between them.
    """
    total = Decimal(0)
    for account in accounts:
        available: Any = getattr(account, "available", None)  # the host computes it from balance and frozen
        if not is_number(available) or not 0 <= available <= MAX_CASH:
            return None
        total += cny(to_decimal(available))
    return total


def is_credit_account(gateway: object) -> bool:
    """Whether vnpy_xtp's gateway is logged in to a margin account, where an opening buy is one on credit.

    It knows once it was asked for the account's cash (`XtpTdApi.margin_trading`).
    """
    return bool(getattr(getattr(gateway, "td_api", None), "margin_trading", False))


def holdings_of(positions: Iterable[PositionData]) -> BrokerHoldings:
    """A broker's position rows by symbol. Long and net rows are shares; short ones are set apart."""
    found = BrokerHoldings()
    for row in positions:
        if row.direction is Direction.SHORT:
            if row.volume:
                found.short.append(row)
        elif row.direction not in LONG or not is_count(row.volume):
            found.impossible.append(row)
        else:
            symbol = row.vt_symbol
            found.volumes[symbol] = found.volumes.get(symbol, 0) + int(row.volume)
            before = row.yd_volume if is_count(row.yd_volume) else 0
            found.older[symbol] = found.older.get(symbol, 0) + int(min(before, row.volume))
            priced = is_number(row.price) and 0 < row.price < MAX_CASH
            found.prices[symbol] = to_decimal(row.price) if priced else Decimal(0)
    return found


@dataclass(frozen=True, slots=True)
class Difference:
    """Shares that the broker has more (or less) than the book, and whose they are.

    `ours` is the part that an order of ours explains, `managed` the unexplained part that the app's own
    shares lose, `external` the part that other shares gain or lose, `bonus` new shares of a known ex-day.
    """

    symbol: str
    ours: int
    managed: int
    external: int
    bonus: int = 0

    @property
    def volume(self) -> int:
        """The whole difference."""
        return self.ours + self.managed + self.external + self.bonus


def differences(
    book: Mapping[str, int],
    external: Mapping[str, int],
    broker: Mapping[str, int],
    unheard: Mapping[tuple[str, Side], int],
    missing: Mapping[tuple[str, Side], int],
    by_people: Mapping[str, int],
    due: Mapping[str, int] | None = None,
) -> list[Difference]:
    """How a broker's shares differ from the book's, by symbol.

    `unheard` are shares that orders of ours of one side may have traded without a fill that reached the book,
    `missing` those among them that the broker reported as traded; what trades `by_people` explain beyond
    these (bought positive, sold negative) is none of ours. New shares that a known ex-day owes (`due`) are
    taken for these where nothing else is left, or one more: a fraction handed out. Shares beyond that came
    from elsewhere and are external; missing ones are first the external ones, then the app's.
    """
    found = []
    for symbol in sorted({*book, *broker}):
        gap = broker.get(symbol, 0) - book.get(symbol, 0)
        if not gap:
            continue
        side, sign = (Side.BUY, 1) if gap > 0 else (Side.SELL, -1)
        sure = min(abs(gap), missing.get((symbol, side), 0))
        bonus = _bonus(gap - sign * sure - by_people.get(symbol, 0), (due or {}).get(symbol, 0))
        likely = 0 if bonus else max(0, abs(gap) - sure - max(0, sign * by_people.get(symbol, 0)))
        ours = sign * (sure + min(likely, max(0, unheard.get((symbol, side), 0) - sure)))
        rest = gap - ours - bonus
        outside = rest if rest > 0 else max(rest, -external.get(symbol, 0))
        found.append(Difference(symbol, ours, rest - outside, outside, bonus))
    return found


def _bonus(left: int, due: int) -> int:
    """What is left of a difference where it is what an ex-day owes, else 0."""
    return left if due and left in (due, due + 1) else 0
