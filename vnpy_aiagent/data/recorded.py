"""Recordings read back: line by line, and as a data folder for simulations.

Daily bars are those that decisions saw, else they are made of the ticks' own figures of the day (open, high,
low, volume and turnover as the exchange counts them); a day whose last tick lies before the close gives none.
Hourly bars are made of ticks; an hour without a tick in its first and last two minutes gives none.
"""

import csv
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

from vnpy_aiagent.data.recorder import SUFFIX, members
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.errors import DataError

HOURS = (
    (time(9, 30), time(10, 30)),
    (time(10, 30), time(11, 30)),
    (time(13), time(14)),
    (time(14), time(15)),
)
CLOSE = time(15)
EDGE = timedelta(minutes=2)
_DAILY = ("vt_symbol", "date", "open", "high", "low", "close", "volume", "turnover", "pre_close")
Rows = Mapping[tuple[str, str], tuple[Any, ...]]
_HOURLY = ("vt_symbol", "bar_end", "open", "high", "low", "close", "volume", "turnover")


@dataclass(slots=True)
class Day:
    """What one file holds. damaged: its end was cut off, and is left out."""

    day: date
    path: Path
    ticks: int = 0
    facts: int = 0
    symbols: set[str] = field(default_factory=set)
    lost: int = 0
    damaged: bool = False


def recordings(folder: Path) -> list[Path]:
    """The files, the earliest first."""
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if _day_of(path) is not None)


def lines_of(path: Path, day: Day | None = None) -> Iterator[list[Any]]:
    """The lines of a file. A cut-off end is left out; DataError where it is no recording at all.

    `day` is told whether there was one.
    """
    whole = 0
    try:
        for end, text in members(path):
            whole = end
            for line in text.splitlines():
                yield json.loads(line)
        if day is not None:
            day.damaged = whole < path.stat().st_size
    except (OSError, ValueError) as error:
        raise DataError(f"the recording {path.name} cannot be read ({error}); remove it") from error


def summary(path: Path) -> Day:
    """Counts of one file."""
    day = Day(_require_day(path), path)
    for line in lines_of(path, day):
        if line[0] == "tick":
            day.ticks += 1
            day.symbols.add(line[1])
        elif line[0] == "fact":
            day.facts += 1
        elif line[0] == "lost":
            day.lost += int(line[1])
    return day


def write_folder(paths: Iterable[Path], target: Path) -> Mapping[str, int]:
    """A data folder of recordings: daily, hourly, facts.jsonl. Numbers of rows; DataError without bars."""
    daily: dict[tuple[str, str], tuple[Any, ...]] = {}
    hourly: dict[tuple[str, str], tuple[Any, ...]] = {}
    facts: list[str] = []
    for path in paths:
        found = _Bars(_require_day(path))
        for line in lines_of(path):
            if line[0] == "fact":
                facts.append(json.dumps({"kind": line[1], **line[2]}, ensure_ascii=False))
            else:
                found.take(line)
        for row in found.daily():
            daily.setdefault((row[0], row[1]), row)
        daily.update({(row[0], row[1]): row for row in found.seen})
        hourly.update({(row[0], row[1]): row for row in found.hourly()})
    if not daily:
        raise DataError("the recordings hold no whole day of any symbol; record one session to its close")
    target.mkdir(parents=True, exist_ok=True)
    _write_table(target / "daily.csv.gz", _DAILY, daily)
    if hourly:
        _write_table(target / "hourly.csv.gz", _HOURLY, hourly)
    if facts:
        (target / "facts.jsonl").write_text("\n".join(dict.fromkeys(facts)) + "\n", encoding="utf-8")
    return {"daily": len(daily), "hourly": len(hourly), "facts": len(dict.fromkeys(facts))}


@dataclass(slots=True)
class _Hour:
    """One hour of one symbol. volume and turnover are the day's counts at its beginning and end."""

    first: datetime
    last: datetime
    prices: list[float]
    before: tuple[float, float]
    after: tuple[float, float]


class _Bars:
    """Bars of one day, made tick by tick."""

    def __init__(self, day: date) -> None:
        self.day = day
        self.seen: list[tuple[Any, ...]] = []
        self._frames: dict[str, list[Any]] = {}
        self._last: dict[str, tuple[datetime, list[Any]]] = {}
        self._hours: dict[tuple[str, time], _Hour] = {}

    def take(self, line: list[Any]) -> None:
        """One line of the recording."""
        kind = line[0]
        if kind == "day":
            self._frames[line[1]] = line[2:]
        elif kind == "bar":
            self.seen.append((line[1], line[2], *line[3:], None))
        elif kind == "tick" and line[4]:
            self._tick(line)

    def _tick(self, line: list[Any]) -> None:
        symbol, price, counts = line[1], line[4], (line[5] or 0, line[6] or 0)
        at = datetime.combine(self.day, time(), MARKET_TZ) + timedelta(milliseconds=line[2])
        before = self._last.get(symbol)
        if before is not None and at < before[0]:
            return  # a late one: its figures are older than what is counted
        self._last[symbol] = at, line
        for start, end in HOURS:
            begin, stop = (datetime.combine(self.day, edge, MARKET_TZ) for edge in (start, end))
            if not begin <= at < stop + EDGE or (end in (time(10, 30), time(14)) and at >= stop):
                continue
            hour = self._hours.get((symbol, end))
            if hour is None:
                base = (before[1][5] or 0, before[1][6] or 0) if before else (0, 0)
                self._hours[symbol, end] = _Hour(at, at, [price], base, counts)
            else:
                hour.last, hour.after = at, counts
                hour.prices.append(price)

    def daily(self) -> Iterator[tuple[Any, ...]]:
        """Days whose close was seen."""
        for symbol, (at, line) in sorted(self._last.items()):
            opened, pre_close, *_ = self._frames.get(symbol, [None, None])
            high, low = line[8], line[9]
            if at >= datetime.combine(self.day, CLOSE, MARKET_TZ) and opened and high and low:
                yield (
                    symbol, self.day.isoformat(), opened, high, low, line[4], line[5], line[6], pre_close,
                )  # fmt: skip

    def hourly(self) -> Iterator[tuple[Any, ...]]:
        """Hours that were seen from beginning to end."""
        for (symbol, end), hour in sorted(self._hours.items()):
            start = next(start for start, stop in HOURS if stop == end)
            begin, stop = (datetime.combine(self.day, edge, MARKET_TZ) for edge in (start, end))
            if hour.first - begin > EDGE or stop - hour.last > EDGE:
                continue
            prices = hour.prices
            volume, turnover = (after - before for after, before in zip(hour.after, hour.before, strict=True))
            yield (
                symbol, f"{stop:%Y-%m-%d %H:%M}", prices[0], max(prices), min(prices), prices[-1], volume,
                round(turnover, 2),
            )  # fmt: skip


def _write_table(path: Path, header: tuple[str, ...], rows: Rows) -> None:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(["" if cell is None else cell for cell in rows[key]] for key in sorted(rows))
    path.write_bytes(gzip.compress(text.getvalue().encode("utf-8"), mtime=0))


def _day_of(path: Path) -> date | None:
    try:
        return date.fromisoformat(path.name.removesuffix(SUFFIX))
    except ValueError:
        return None


def _require_day(path: Path) -> date:
    day = _day_of(path)
    if day is None:
        raise DataError(f"{path.name} is no recording; its name is a day, such as 2026-11-20{SUFFIX}")
    return day
