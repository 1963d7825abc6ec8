"""The last ticks of one symbol: a bounded ring that costs the event thread next to nothing."""

from collections import deque
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from math import isfinite
from numbers import Real

from vnpy.trader.object import TickData

from vnpy_aiagent.domain import MARKET_TZ, to_decimal
from vnpy_aiagent.tools.snapshot import TickWindow

CAPACITY = 60
"""Ticks of one symbol; three minutes of snapshots every three seconds."""
MIN_TICKS = 2
CENT = Decimal("0.01")

Row = tuple[datetime, float, float, float, float, float, float, float]
"""Time, last price, volume and turnover of the day, best bid and ask, and what stands there."""


class TickRing:
    """Keeps the figures of the last CAPACITY ticks; adding one is a tuple and an append."""

    def __init__(self) -> None:
        """Nothing was seen."""
        self._rows: deque[Row] = deque(maxlen=CAPACITY)

    def add(self, tick: TickData) -> None:
        """Take a tick as it is; it is judged when it is read."""
        self._rows.append(
            (
                tick.datetime,
                tick.last_price,
                tick.volume,
                tick.turnover,
                tick.bid_price_1,
                tick.ask_price_1,
                tick.bid_volume_1,
                tick.ask_volume_1,
            )
        )

    def window(self, day: date) -> TickWindow | None:
        """What the ticks of a day add up to; None below two of them."""
        rows = [row for row in self._rows if row[0].astimezone(MARKET_TZ).date() == day]
        if len(rows) < MIN_TICKS:
            return None
        first, last = rows[0], rows[-1]
        imbalances = [part for part in map(_imbalance, rows) if part is not None]
        at_ask, at_bid = _aggression(rows)
        return TickWindow(
            ticks=len(rows),
            seconds=round((last[0] - first[0]).total_seconds(), 3),
            volume=_traded(first[2], last[2]),
            turnover=_money(first[3], last[3]),
            at_ask=at_ask,
            at_bid=at_bid,
            mean_imbalance=round(sum(imbalances) / len(imbalances), 6) if imbalances else None,
        )


def _aggression(rows: list[Row]) -> tuple[int | None, int | None]:
    """Shares that traded at or above the ask before, and at or below the bid before."""
    at_ask = at_bid = 0
    known = False
    for before, now in pairwise(rows):
        traded, bid, ask = _traded(before[2], now[2]), known_figure(before[4]), known_figure(before[5])
        if traded is None or bid is None or ask is None:
            continue
        known = True
        if now[1] >= ask:
            at_ask += traded
        elif now[1] <= bid:
            at_bid += traded
    return (at_ask, at_bid) if known else (None, None)


def _imbalance(row: Row) -> float | None:
    """(bid - ask) / (bid + ask) of what stands at the best prices, from -1 to 1."""
    bid, ask = known_figure(row[6]), known_figure(row[7])
    return (bid - ask) / (bid + ask) if bid is not None and ask is not None else None


def _traded(before: float, after: float) -> int | None:
    """Shares between two figures of the day's volume; None where one is missing or it falls."""
    first, last = known_figure(before), known_figure(after)
    return None if first is None or last is None or last < first else int(last - first)


def _money(before: float, after: float) -> Decimal | None:
    first, last = known_figure(before), known_figure(after)
    if first is None or last is None or last < first:
        return None
    return (to_decimal(last) - to_decimal(first)).quantize(CENT)


def known_figure(value: object) -> float | None:
    """A figure above zero as a float; None where a gateway gives none: 0, NaN, infinity or no number."""
    if not isinstance(value, Real):
        return None
    figure = float(value)
    return figure if isfinite(figure) and figure > 0 else None
