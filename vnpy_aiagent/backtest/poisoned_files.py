"""CSV files that a strategy reads by itself, poisoned on their way to it.

A row becomes available at the time in its `available_at` or `bar_end` column; a day alone means its end,
24:00, as in files of facts. Else its `datetime` or `date` is the start of a bar: a day's ends at 15:00, and
only its `open` and `pre_close` are known before. Numbers of rows after the cut are replaced; all else is as
it lies on the disk, which is never written.
"""

import builtins
import csv
import gzip
import io
import os
import site
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from vnpy_aiagent.backtest.poison import Cut, Poison
from vnpy_aiagent.data.csv_files import parse_day
from vnpy_aiagent.domain.clock import MARKET_TZ

ENDS = ("available_at", "bar_end")
STARTS = ("datetime", "date", "trade_date", "day", "time")
KNOWN_AT_OPEN = ("open", "pre_close")
AMOUNTS = ("volume", "turnover", "amount", "vol")
TABLES = (".csv", ".csv.gz")
OTHERS = (
    ".feather",
    ".h5",
    ".hdf5",
    ".json",
    ".jsonl",
    ".npy",
    ".npz",
    ".parquet",
    ".pickle",
    ".pkl",
    ".xlsx",
)
OPEN, CLOSE = time(9, 30), time(15)
WHOLE_DAY = timedelta(days=1)
Span = tuple[datetime, datetime]
"""When a row's open is known, and when all of it is."""
ENCODINGS = ("utf-8-sig", "gb18030")


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file: its header in lower case, which column says the time, all rows, when each is known."""

    header: list[str]
    column: int
    rows: list[list[str]]
    spans: list[Span | None]


class PoisonedFiles:
    """The files of one run. `unpoisoned` collects data files that were read as they are."""

    def __init__(
        self, cut: Cut | None, seed: int, bar_length: timedelta, tables: dict[Path, Table | None]
    ) -> None:
        """`cut` None leaves all as it is; `bar_length` is that of intraday rows dated by their start.

        `tables` keeps what was read between the runs of a check.
        """
        self.unpoisoned: set[Path] = set()
        self._cut = cut
        self._seed = seed
        self._length = bar_length
        self._tables = tables
        self._copies: dict[Path, Path] = {}

    @contextmanager
    def served(self) -> Iterator[None]:
        """While this lasts, `open` gives the poisoned files, to pandas, gzip and pathlib too."""
        real: Any = io.open
        with tempfile.TemporaryDirectory(prefix="aiagent-poison-", ignore_cleanup_errors=True) as name:
            folder = Path(name)

            def opened(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
                return real(self._instead(file, mode, folder, real), mode, *args, **kwargs)

            builtins.open = io.open = opened
            try:
                yield
            finally:
                builtins.open = io.open = real

    def _instead(self, file: Any, mode: str, folder: Path, real: Callable[..., Any]) -> Any:
        """The file to open in place of the one that was asked for."""
        if not isinstance(file, str | os.PathLike) or set(mode) & set("wax+"):
            return file
        path = Path(os.fsdecode(file))
        if not path.name.lower().endswith(TABLES + OTHERS):
            return file
        path = _resolved(str(path))
        if any(own in path.parents for own in _libraries()) or not path.is_file():
            return file
        if path not in self._copies:
            self._copies[path] = self._copy(path, folder, real)
        return self._copies[path]

    def _copy(self, path: Path, folder: Path, real: Callable[..., Any]) -> Path:
        """A poisoned copy, or the file itself where there is nothing to poison."""
        if path not in self._tables:
            self._tables[path] = self._table(path, real)
        table = self._tables[path]
        if table is None:
            self.unpoisoned.add(path)
            return path
        if self._cut is None:
            return path
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(self._rows(table, self._cut))
        content = text.getvalue().encode("utf-8")
        copy = folder / f"{len(self._copies)}-{path.name}"
        with real(copy, "wb") as out:
            out.write(gzip.compress(content, 1) if path.suffix.lower() == ".gz" else content)
        return copy

    def _table(self, path: Path, real: Callable[..., Any]) -> Table | None:
        """A CSV file with the times of its rows; None where it is none, or says no times."""
        rows = _read(path, real) if path.name.lower().endswith(TABLES) else None
        header = [cell.strip().lower() for cell in rows[0]] if rows else []
        column = next((header.index(name) for name in (*ENDS, *STARTS) if name in header), None)
        if rows is None or column is None:
            return None
        spans = [self._span(header[column], row[column]) if len(row) > column else None for row in rows[1:]]
        return Table(header, column, rows, spans)

    def _rows(self, table: Table, cut: Cut) -> Iterator[list[str]]:
        poison = Poison(cut, self._seed)
        yield table.rows[0]
        for row, span in zip(table.rows[1:], table.spans, strict=True):
            if span is None or span[1] <= cut.at:
                yield row
            else:
                kept = KNOWN_AT_OPEN if span[0] < cut.at else ()
                yield _poisoned(table, row, kept, poison)

    def _span(self, name: str, cell: str) -> Span | None:
        """When a row's open is known, and when all of it is; None for a cell that is no time."""
        try:
            when = datetime.fromisoformat(cell.strip())
        except ValueError:
            try:
                when = datetime.combine(parse_day(cell.strip()), time())
            except ValueError:
                return None
        when = when.replace(tzinfo=MARKET_TZ) if when.tzinfo is None else when.astimezone(MARKET_TZ)
        if when.time() == time():
            if name in ENDS:
                return when + WHOLE_DAY, when + WHOLE_DAY
            opened, closed = (datetime.combine(when.date(), moment, MARKET_TZ) for moment in (OPEN, CLOSE))
            return opened, closed
        if name in ENDS:
            return when, when
        return when, when + self._length


def _poisoned(table: Table, row: list[str], kept: Sequence[str], poison: Poison) -> list[str]:
    price, volume = poison.price(), poison.volume()
    result = list(row)
    for number, (name, cell) in enumerate(zip(table.header, row, strict=False)):
        if number != table.column and name not in kept:
            result[number] = _scaled(cell, volume if name in AMOUNTS else price)
    if "open" in kept and {"open", "high", "low"} <= set(table.header):
        first, high, low = (table.header.index(name) for name in ("open", "high", "low"))
        result[high] = max(result[high], row[first], key=float)
        result[low] = min(result[low], row[first], key=float)
    return result


def _scaled(cell: str, factor: float) -> str:
    """A number times a factor, written with as many decimals; a text as it is."""
    try:
        value = float(cell)
    except ValueError:
        return cell
    decimals = len(cell.partition(".")[2]) if "e" not in cell.lower() else 6
    return f"{value * factor:.{max(decimals, 2) if '.' in cell else 0}f}"


def _read(path: Path, real: Callable[..., Any]) -> list[list[str]] | None:
    """Rows of a CSV file; None where it is none that can be read."""
    with real(path, "rb") as source:
        raw: bytes = source.read()
    if path.name.lower().endswith(".gz"):
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError):
            return None
    for encoding in ENCODINGS:
        try:
            rows = list(csv.reader(io.StringIO(raw.decode(encoding), newline="")))
        except (UnicodeDecodeError, csv.Error):
            continue
        return rows or None
    return None


def _resolved(path: str) -> Path:
    return Path(os.path.realpath(path))


@cache
def _libraries() -> frozenset[Path]:
    """Where Python's own and installed packages lie: their data files are part of them."""
    paths = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    own = str(Path(__file__).parent.parent)
    return frozenset(map(_resolved, (*filter(None, paths), *site.getsitepackages(), own)))
