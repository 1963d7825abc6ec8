"""Counts by account and day that are asked for today alone."""

from collections import Counter
from datetime import date

DayCounts = Counter[tuple[str, date]]


def count_on(counts: DayCounts, account: str, day: date) -> None:
    """Count one more, and forget the other days, so that a process may run for years."""
    for key in [key for key in counts if key[1] != day]:
        del counts[key]
    counts[account, day] += 1
