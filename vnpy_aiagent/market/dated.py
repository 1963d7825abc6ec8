"""Rows of dated rule tables, and how the row in force on a day is found."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from vnpy_aiagent.errors import RuleUnknown


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedRow:
    """One rule, in force from `effective` until a later row of the same table replaces it.

    `source` names where the rule stands. `confirmed` is False where it was written from memory and still
    has to be compared with the exchange's own text before live trading.
    """

    effective: date
    source: str
    confirmed: bool = True


Row = TypeVar("Row", bound=DatedRow)


def latest(rows: Iterable[Row], on: date) -> Row | None:
    """The row with the latest effective date not after `on`; None where every row is later."""
    known = [row for row in rows if row.effective <= on]
    return max(known, key=lambda row: row.effective, default=None)


def in_force(rows: Iterable[Row], on: date, subject: str) -> Row:
    """The row in force on a day; RuleUnknown, naming the subject, where none is known for it."""
    candidates = tuple(rows)
    row = latest(candidates, on)
    if row is not None:
        return row
    if not candidates:
        raise RuleUnknown(f"No {subject} is covered by the rule tables; leave this instrument out.")
    first = min(row.effective for row in candidates)
    raise RuleUnknown(
        f"No {subject} is known for {on.isoformat()}; the first known rule holds from "
        f"{first.isoformat()}, use a later date."
    )
