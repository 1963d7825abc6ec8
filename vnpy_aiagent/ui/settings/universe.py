"""Symbols of the universe from what users type or import; the ambiguous is asked, nonsense is named."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vnpy_aiagent.data.symbols import normalise, parse_symbol
from vnpy_aiagent.errors import DataError, UnknownSymbol

HEADINGS = ("vt_symbol", "symbol", "code", "代码", "证券代码", "股票代码", "标的", "成分券代码")
MAX_BYTES = 5_000_000
SPLIT = re.compile(r"[\s,，;；、]+")


@dataclass(frozen=True, slots=True)
class Refused:
    """A word that is no symbol; `line` counts from 1 in a file, None where it was typed."""

    text: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a text came to: symbols, codes that two exchanges use, and words that are no symbol."""

    symbols: tuple[str, ...]
    ambiguous: tuple[str, ...] = ()
    refused: tuple[Refused, ...] = ()


def choices(code: str) -> tuple[str, str]:
    """What an ambiguous code may mean: the stock on SZSE, the index on SSE."""
    return f"{code}.SZSE", f"{code}.SSE"


def parse_text(text: str, names: Mapping[str, str] | None = None) -> Found:
    """Symbols in a line, parted by spaces, commas or semicolons. `names` maps names to symbols."""
    return parse_words(((word, None) for word in SPLIT.split(text)), names)


def parse_words(words: Iterable[tuple[str, int | None]], names: Mapping[str, str] | None = None) -> Found:
    """Each word, with its line, as a symbol; each once, in order."""
    symbols: dict[str, None] = {}
    ambiguous: dict[str, None] = {}
    refused: list[Refused] = []
    for raw, line in words:
        word = normalise(raw)
        if not word:
            continue
        try:
            symbols[parse_symbol(word, names)] = None
        except UnknownSymbol:
            if _two_homes(word):
                ambiguous[word] = None
            else:
                refused.append(Refused(word, line))
    return Found(tuple(symbols), tuple(ambiguous), tuple(refused))


def read_csv(path: Path, names: Mapping[str, str] | None = None) -> Found:
    """Symbols of a CSV file: of the column that is named for them, else of the first.

    DataError where the file is no text, is too large, or holds no symbol at all.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path.name} is larger than {MAX_BYTES // 1_000_000} MB; give a list of symbols")
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path.name} cannot be read ({error.strerror or error}); check path and rights"
        ) from error
    reader = csv.reader(io.StringIO(_decoded(raw, path.name), newline=""))
    try:
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise DataError(
            f"line {reader.line_num} of {path.name} is no CSV ({error}); export it again"
        ) from error
    column, rows = _column(rows)
    found = parse_words(
        ((row[column] if len(row) > column else "".join(row), line) for line, row in rows), names
    )
    if not found.symbols and not found.ambiguous:
        raise DataError(f"{path.name} holds no symbol; its first column should hold codes such as 600519.SSE")
    return found


def _decoded(raw: bytes, name: str) -> str:
    if b"\0" in raw:
        raise DataError(f"{name} is no text file; export the list as CSV")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DataError(f"{name} is neither UTF-8 nor GB18030 text; export the list as CSV again")


def _column(rows: list[tuple[int, list[str]]]) -> tuple[int, list[tuple[int, list[str]]]]:
    """Place of the symbols' column, and the rows below the headings."""
    if not rows:
        return 0, rows
    heads = [normalise(cell).lower() for cell in rows[0][1]]
    for name in HEADINGS:
        if name in heads:
            return heads.index(name), rows[1:]
    return 0, rows


def _two_homes(word: str) -> bool:
    if not re.fullmatch(r"\d{6}", word):
        return False
    try:
        return all(bool(parse_symbol(choice)) for choice in choices(word))
    except UnknownSymbol:
        return False
