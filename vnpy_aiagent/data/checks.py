"""Checks on bars: the first impossible row is refused with its file and line; odd ones are noted."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vnpy_aiagent.domain.text import Text, say
from vnpy_aiagent.errors import BadRow, RuleUnknown, UnknownSymbol
from vnpy_aiagent.market import Board, instrument_rules

if TYPE_CHECKING:
    from vnpy_aiagent.data.bars import BarSeries
    from vnpy_aiagent.data.market_data import Instrument

BoolArray = npt.NDArray[np.bool_]

PRICES = ("open", "high", "low", "close")
TICK_TOLERANCE = 1e-4
"""Part of a tick by which a price may miss the grid: what binary fractions leave of it."""


def check_series(
    series: "BarSeries", source: str, lines: Sequence[int], *, volume_required: bool = True
) -> None:
    """Raise BadRow for the first row that cannot be true.

    `lines` holds the line number of each bar in `source`. Checked: prices finite and above zero, high not
    below low, open and close inside [low, high], volume finite (or missing where not required) and not
    negative, turnover not negative, pre_close above zero, times strictly rising.
    """
    faults = _faults(series, volume_required)
    bad = np.zeros(len(series), dtype=np.bool_)
    for _, rows in faults:
        bad |= rows
    if not bad.any():
        return
    index = int(np.flatnonzero(bad)[0])
    text = next(text for text, rows in faults if rows[index])
    values = {
        name: float(getattr(series, name)[index]) for name in (*PRICES, "volume", "turnover", "pre_close")
    }
    detail = text.format(day=series.day_of(index), vt_symbol=series.vt_symbol, **values)
    raise BadRow(f"{source}, line {lines[index]}: {detail}; correct or remove this row")


def off_tick_notes(
    series: Iterable["BarSeries"], instruments: Mapping[str, "Instrument"]
) -> tuple[Text, ...]:
    """One note on the bars whose prices are no whole number of ticks (adjusted prices, for instance).

    The tick is that of each symbol's last day. A symbol or day without known rules is passed over.
    """
    count, example = 0, ""
    for bars in series:
        tick = _tick_of(bars, instruments.get(bars.vt_symbol))
        if tick is None:
            continue
        prices = np.stack([getattr(bars, name) for name in PRICES]) / float(tick)
        rows = np.flatnonzero((np.abs(prices - np.rint(prices)) > TICK_TOLERANCE).any(axis=0))
        if len(rows) and not example:
            values = "/".join(f"{float(getattr(bars, name)[rows[0]]):.10g}" for name in PRICES)
            example = f"{bars.vt_symbol} {bars.day_of(int(rows[0]))} {values}"
        count += len(rows)
    if not count:
        return ()
    note = say(
        "有 {count} 根K线的价格不是最小变动价位的整数倍（如 {example}），可能是复权价；"
        "模拟成交价按不利方向取到最小变动价位。",
        count=count,
        example=example,
    )
    return (note,)


def _tick_of(bars: "BarSeries", item: "Instrument | None") -> Decimal | None:
    if not len(bars):
        return None
    board = Board[item.board] if item is not None and item.board else None
    try:
        return instrument_rules(bars.vt_symbol, bars.day_of(-1), board=board).tick_size
    except (RuleUnknown, UnknownSymbol):
        return None


def _faults(series: "BarSeries", volume_required: bool) -> list[tuple[str, BoolArray]]:
    """Fault texts with the rows that have the fault, gravest first."""
    faults: list[tuple[str, BoolArray]] = []
    for name in PRICES:
        values = getattr(series, name)
        faults.append((f"{name} {{{name}}} is not a finite number", ~np.isfinite(values)))
        faults.append((f"{name} {{{name}}} is not above zero", values <= 0))
    faults.append(("high {high} is below low {low}", series.high < series.low))
    for name in ("open", "close"):
        values = getattr(series, name)
        outside = (values < series.low) | (values > series.high)
        faults.append((f"{name} {{{name}}} lies outside low {{low}} to high {{high}}", outside))
    broken = ~np.isfinite(series.volume) if volume_required else np.isinf(series.volume)
    faults.append(("volume {volume} is not a finite number", broken))
    faults.append(("volume {volume} is negative", series.volume < 0))
    faults.append(
        ("turnover {turnover} is not a finite, non-negative number", _impossible(series.turnover, 0))
    )
    faults.append(("pre_close {pre_close} is not a finite number above zero", _impossible(series.pre_close)))
    step = np.diff(series.start, prepend=series.start[:1] - 1)
    faults.append(("a second bar of {vt_symbol} at the same time on {day}", step == 0))
    faults.append(("the bar of {vt_symbol} on {day} is older than the one before it", step < 0))
    return faults


def _impossible(values: npt.NDArray[np.float64], lowest: float | None = None) -> BoolArray:
    """Rows that are infinite, or below `lowest` (not above zero where that is None); NaN is missing."""
    low = values <= 0 if lowest is None else values < lowest
    return np.asarray(np.isinf(values) | low, dtype=np.bool_)
