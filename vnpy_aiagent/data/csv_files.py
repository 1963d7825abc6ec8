"""Reading CSV files, plain or gzip, into columns of text with line numbers, and those into bars."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import nan
from pathlib import Path

import numpy as np

from vnpy_aiagent.data.bars import VALUE_FIELDS, BarSeries, FloatArray, times_of
from vnpy_aiagent.data.checks import check_series
from vnpy_aiagent.data.symbols import parse_symbol
from vnpy_aiagent.data.times import IntArray
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.errors import BadRow, DataError, UnknownSymbol

_ENCODINGS = ("utf-8-sig", "gb18030")
_DAY = re.compile(r"(\d{4})(?:([-/])(\d{1,2})\2(\d{1,2})|(\d\d)(\d\d))")


@dataclass(frozen=True, slots=True)
class Table:
    """One CSV file: its name, columns of text by lower-case header, and each row's line number."""

    name: str
    columns: dict[str, list[str]]
    lines: list[int]

    def require(self, names: Iterable[str]) -> None:
        """Raise DataError where a column is missing."""
        missing = [name for name in names if name not in self.columns]
        if missing:
            raise DataError(
                f"{self.name} has no column {', '.join(missing)}; its columns are {', '.join(self.columns)}"
            )

    def numbers(self, name: str) -> FloatArray:
        """A column as floats; empty cells, or a column that is not there, give NaN."""
        cells = self.columns.get(name)
        if cells is None:
            return np.full(len(self.lines), nan)
        try:
            return np.array([float(cell) if cell else nan for cell in cells], dtype=np.float64)
        except ValueError:
            rows = zip(self.lines, cells, strict=True)
            line, cell = next((line, cell) for line, cell in rows if cell and not _is_number(cell))
            raise BadRow(f"{self.name}, line {line}: {name} {cell!r} is not a number; correct it") from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_table(path: Path, name: str | None = None) -> Table:
    """Read a .csv or .csv.gz file in UTF-8 (with or without BOM) or GB18030.

    A file that cannot be read, decoded, or that has no header raises DataError; a row with another number
    of columns than the header raises BadRow.
    """
    label = name or path.name
    reader = csv.reader(io.StringIO(_decode(_read_bytes(path, label), label), newline=""))
    rows: list[list[str]] = []
    lines: list[int] = []
    header: list[str] = []
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise BadRow(
                    f"{label}, line {reader.line_num}: {len(row)} columns where the header has "
                    f"{len(header)}; correct or remove this row"
                )
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error as error:
        raise BadRow(f"{label}, line {reader.line_num}: {error}; save the file as plain CSV") from error
    if not any(header):
        raise DataError(f"{label} is empty; a first line with column names is expected")
    if len(set(header)) < len(header):
        raise DataError(f"{label} names a column twice; give each column its own name")
    cells = zip(*rows, strict=True) if rows else ([] for _ in header)
    return Table(
        label, {key: [c.strip() for c in column] for key, column in zip(header, cells, strict=True)}, lines
    )


def _read_bytes(path: Path, label: str) -> bytes:
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except FileNotFoundError:
        raise DataError(f"the file {path} does not exist; check the path") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{label} is a damaged gzip file ({error}); download or pack it again") from error
    except OSError as error:
        raise DataError(
            f"{label} cannot be read ({error.strerror}); check the path and its permissions"
        ) from error


def _decode(raw: bytes, label: str) -> str:
    for encoding in _ENCODINGS:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise DataError(f"{label} is neither UTF-8 nor GB18030 text; save it as CSV in UTF-8")


def parse_day(text: str) -> date:
    """The date in 2025-01-02, 20250102 or 2025/1/2; other text raises ValueError."""
    match = _DAY.fullmatch(text)
    try:
        if match is not None:
            return date(int(match[1]), int(match[3] or match[5]), int(match[4] or match[6]))
    except ValueError:
        match = None
    raise ValueError(f"{text!r} is not a date; write it as 2025-01-02")


def parse_time(text: str) -> datetime:
    """An aware time from text such as 2025-01-02 10:30[:00][+08:00]; without a zone it is Asia/Shanghai."""
    day, _, clock = text.replace("T", " ").partition(" ")
    try:
        when = datetime.fromisoformat(f"{parse_day(day).isoformat()}T{clock.strip() or '00:00'}")
    except ValueError:
        raise ValueError(f"{text!r} is not a time; write it as 2025-01-02 10:30") from None
    return when.astimezone(MARKET_TZ) if when.tzinfo else when.replace(tzinfo=MARKET_TZ)


def row_times(table: Table, column: str, interval: BarInterval) -> IntArray:
    """Start and end of each row's bar (two columns, epoch seconds), from its date or its end time."""
    daily = interval is BarInterval.DAILY
    known: dict[str, tuple[int, int]] = {}
    for line, cell in zip(table.lines, table.columns[column], strict=True):
        if cell not in known:
            try:
                known[cell] = times_of(parse_day(cell) if daily else parse_time(cell), interval)
            except (ValueError, DataError) as error:
                raise BadRow(f"{table.name}, line {line}: {error}") from error
    times = [known[cell] for cell in table.columns[column]]
    return np.array(times, dtype=np.int64).reshape(-1, 2)


def vt_symbols_of(table: Table) -> list[str]:
    """Each row's vt_symbol from the column vt_symbol; one that is not a symbol raises BadRow."""
    known: dict[str, str] = {}
    for line, cell in zip(table.lines, table.columns["vt_symbol"], strict=True):
        if cell not in known:
            try:
                known[cell] = parse_symbol(cell)
            except UnknownSymbol as error:
                raise BadRow(f"{table.name}, line {line}: {error}") from error
    return [known[cell] for cell in table.columns["vt_symbol"]]


def split_by_symbol(
    table: Table,
    times: IntArray,
    vt_symbols: Sequence[str],
    interval: BarInterval,
    *,
    volume_required: bool = True,
) -> dict[str, BarSeries]:
    """Checked series of each symbol of a table; `times` and `vt_symbols` have one entry per row."""
    rows_of: dict[str, list[int]] = {}
    for index, vt_symbol in enumerate(vt_symbols):
        rows_of.setdefault(vt_symbol, []).append(index)
    values = {name: table.numbers(name) for name in VALUE_FIELDS}
    result: dict[str, BarSeries] = {}
    for vt_symbol, indices in rows_of.items():
        rows = np.array(indices)
        columns = {name: column[rows] for name, column in values.items()}
        series = BarSeries(vt_symbol, interval, times[rows, 0], times[rows, 1], **columns)
        lines = [table.lines[index] for index in indices]
        check_series(series, table.name, lines, volume_required=volume_required)
        result[vt_symbol] = series
    return result
