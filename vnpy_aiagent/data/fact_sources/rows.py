"""Tables of sources as plain rows of JSON values, and the cells of them: numbers, days, times, codes.

A missing cell (NaN, NaT, None, "", "-", "--") is None and stays missing; it never becomes a zero.
"""

import math
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.domain.text import say

Row = Mapping[str, Any]
MISSING = frozenset({"", "-", "--", "nan", "NaN", "NaT", "None"})
_DAY = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?")
_TIME = re.compile(r"\D+(\d{1,2}):(\d{2})(?::(\d{2}))?")
_A_SHARES = {
    "SSE": ("600", "601", "603", "605", "688", "689"),
    "SZSE": ("000", "001", "002", "003", "300", "301", "302"),
    "BSE": ("920", "43", "83", "87", "88"),
}


class BadCell(ValueError):
    """A cell that is neither missing nor what its column should hold."""


def rows_of(frame: Any, columns: Collection[str], source: str) -> list[dict[str, Any]]:
    """The documented columns of a DataFrame, row by row. SourceAbsence (BAD_DATA) where one is missing.

    A frame without any rows may have no columns either: it gives no rows.
    """
    if frame is None or len(frame) == 0:
        return []
    names = list(frame.columns)
    lacking = sorted({name for name in columns if names.count(name) != 1})
    if lacking:
        raise SourceAbsence(
            source,
            AbsenceKind.BAD_DATA,
            say("{source} 的表缺少列 {columns}", source=source, columns=", ".join(lacking)),
        )
    chosen = list(columns)
    return [
        {name: plain(cell) for name, cell in zip(chosen, cells, strict=True)}
        for cells in frame[chosen].itertuples(index=False, name=None)
    ]


def plain(cell: Any) -> Any:
    """A cell as a JSON value; None where it is missing."""
    if type(cell).__name__ == "NAType":  # pandas.NA, which compares with nothing
        return None
    if hasattr(cell, "item") and not isinstance(cell, (str, bytes)):
        cell = cell.item()
    if cell is None or cell != cell:  # noqa: PLR0124 - NaN and NaT differ from themselves
        return None
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    if isinstance(cell, str):
        text = cell.strip()
        return None if text in MISSING else text
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    return cell if isinstance(cell, (bool, int, float)) else str(cell)


def number(row: Row, name: str) -> Decimal | None:
    """A number, exactly as written; None where it is missing. BadCell for anything else."""
    cell = row.get(name)
    if cell is None:
        return None
    if isinstance(cell, bool) or not isinstance(cell, (int, float, str)):
        raise BadCell(f"{name} is no number")
    try:
        value = Decimal(str(cell).replace(",", ""))
    except InvalidOperation:
        raise BadCell(f"{name} is no number") from None
    if not value.is_finite():
        raise BadCell(f"{name} is no number")
    return value


def day(row: Row, name: str) -> date | None:
    """A day, written 2025-10-30, 20251030, 2025/10/30 or 2025年10月30日; None where it is missing."""
    cell = row.get(name)
    if cell is None:
        return None
    match = _DAY.match(str(cell))
    if match is None:
        raise BadCell(f"{name} is no day")
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise BadCell(f"{name} is no day") from None


def moment(row: Row, name: str) -> datetime | None:
    """A time of market time; where only a day stands, the end of that day. None where it is missing."""
    on = day(row, name)
    if on is None:
        return None
    rest = str(row[name])[_DAY.match(str(row[name])).end() :]  # type: ignore[union-attr]
    match = _TIME.match(rest)
    if match is None:
        return end_of(on)
    try:
        at = time(int(match[1]), int(match[2]), int(match[3] or 0))
    except ValueError:
        raise BadCell(f"{name} is no time") from None
    return datetime.combine(on, at, MARKET_TZ)


def words(row: Row, name: str) -> str:
    """A text, empty where it is missing."""
    cell = row.get(name)
    return "" if cell is None else str(cell)


def end_of(on: date) -> datetime:
    """24:00 of a day, Asia/Shanghai."""
    return datetime.combine(on, time(), MARKET_TZ) + timedelta(days=1)


def share_of(code: Any) -> str | None:
    """The vt_symbol of an A share by its code, or a tushare code such as 600519.SH; None for others."""
    text = str(code or "").split(".", maxsplit=1)[0]
    if not (text.isascii() and text.isdigit()) or len(text) > 6:
        return None
    text = text.zfill(6)
    return next((f"{text}.{name}" for name, heads in _A_SHARES.items() if text.startswith(heads)), None)


def shares_among(vt_symbols: Iterable[str]) -> tuple[str, ...]:
    """The A shares among symbols: no funds, indices or futures."""
    return tuple(s for s in vt_symbols if share_of(s.partition(".")[0]) == s)
