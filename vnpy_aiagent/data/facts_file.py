"""Files of facts: CSV with a header, or JSON (an array of objects, or one object a line).

    kind            value, event, text or absence
    vt_symbol       600519.SSE, A.MARKET or 801780.SWS; the fact's own subject, whatever a text names
    available_at    when it could first be known: a day (its end, 24:00 Asia/Shanghai) or a time
    source          who says it: letters, digits, `_`, `-`, `.`, at most 40
    metric, period, value, unit        of a value
    event, on, value, unit             of an event; value and unit may be empty
    text_kind, title, body             of a text; news, filing, policy or social; the first 300 and 8,000
                                       characters are kept
    dataset, since, reason             of an absence; what is missing, from which day on, and why

A cell that a row's kind does not have must be empty. Bad rows are named by line; good ones are kept.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vnpy_aiagent.data.csv_files import parse_day, parse_time, read_table
from vnpy_aiagent.data.facts import (
    FACT_KINDS,
    INDUSTRY_SUBJECT,
    MARKET_SUBJECT,
    MAX_BODY,
    MAX_TITLE,
    Fact,
)
from vnpy_aiagent.data.symbols import parse_symbol
from vnpy_aiagent.domain import clean, without_surrogates
from vnpy_aiagent.domain.clock import MARKET_TZ
from vnpy_aiagent.errors import DataError, UnknownSymbol

REQUIRED = ("kind", "vt_symbol", "available_at", "source")
_COLUMNS = frozenset({*REQUIRED, *(name for kind in FACT_KINDS.values() for name in kind.model_fields)})
MAX_FILE = 200_000_000
MAX_COMPLAINT = 200


@dataclass(frozen=True, slots=True)
class ReadFacts:
    """Facts with their line numbers, and the refused lines with the reasons."""

    name: str
    facts: tuple[tuple[int, Fact], ...]
    refused: tuple[tuple[int, str], ...]


def read_facts(path: Path, now: datetime) -> ReadFacts:
    """Read a file. DataError where it is no such file at all; single bad rows are returned as refused.

    A fact that becomes known after `now` is refused: nobody can know it yet.
    """
    rows = _csv_rows(path) if path.name.lower().endswith((".csv", ".csv.gz")) else _json_rows(path)
    facts: list[tuple[int, Fact]] = []
    refused: list[tuple[int, str]] = []
    for line, row in rows:
        try:
            facts.append((line, _fact(row, now)))
        except (ValueError, UnknownSymbol) as error:
            refused.append((line, _sentence(error)))
    return ReadFacts(path.name, tuple(facts), tuple(refused))


def _csv_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    table = read_table(path)
    table.require(REQUIRED)
    unknown = sorted(set(table.columns) - _COLUMNS)
    if unknown:
        raise DataError(f"{table.name} has columns that no fact has: {', '.join(unknown)}; remove them")
    for row, line in enumerate(table.lines):
        yield line, {name: cells[row] for name, cells in table.columns.items() if cells[row]}


def _json_rows(path: Path) -> Iterator[tuple[int, Any]]:
    try:
        if path.stat().st_size > MAX_FILE:
            raise DataError(f"{path.name} is above {MAX_FILE // 1_000_000} MB; split it")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name} cannot be read ({error}); save it as JSON in UTF-8") from error
    decoder = json.JSONDecoder(parse_float=str, parse_int=str)
    place, line = 0, 1
    array = text.lstrip().startswith("[")
    while True:
        start = _next(text, place, array=array)
        line += text.count("\n", place, start)
        if start >= len(text):
            return
        try:
            row, place = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            raise DataError(
                f"{path.name}, line {line}: this is no JSON; write an array of objects, or one object a line"
            ) from None
        yield line, row
        line += text.count("\n", start, place)


def _next(text: str, place: int, *, array: bool) -> int:
    """Where the next value begins, over spaces and, in an array, its commas and brackets."""
    skipped = " \t\r\n,[]" if array else " \t\r\n"
    while place < len(text) and text[place] in skipped:
        place += 1
    return place


def _fact(row: Any, now: datetime) -> Fact:
    if not isinstance(row, Mapping):
        raise ValueError('is no object with keys; write {"kind": …}')
    given = {str(name): value for name, value in row.items() if value not in (None, "")}
    missing = [name for name in REQUIRED if not isinstance(given.get(name), str)]
    if missing:
        raise ValueError(f"{', '.join(missing)} is missing")
    kind = FACT_KINDS.get(given.pop("kind"))
    if kind is None:
        raise ValueError(f"kind is none of {', '.join(FACT_KINDS)}")
    known = _moment(given["available_at"])
    if known > now:
        raise ValueError(f"available_at {known:%Y-%m-%d %H:%M} lies after the present; nobody knows it yet")
    given |= {"available_at": known, "vt_symbol": parse_subject(given["vt_symbol"])}
    for name in ("period", "on", "since"):
        if isinstance(given.get(name), str):
            given[name] = parse_day(given[name])
    for name, most in (("title", MAX_TITLE), ("body", MAX_BODY)):
        if isinstance(given.get(name), str):
            given[name] = without_surrogates(given[name])[:most]
    return kind.model_validate(given)


def parse_subject(text: str) -> str:
    """A symbol as `parse_symbol` reads it, the whole market, or an industry; UnknownSymbol for others."""
    name = text.strip().upper()
    if name == MARKET_SUBJECT or INDUSTRY_SUBJECT.fullmatch(name):
        return name
    return parse_symbol(text)


def _moment(text: str) -> datetime:
    """A time, or the end of a day: what is known only by its day was known once that day was over."""
    try:
        day = parse_day(text)
    except ValueError:
        return parse_time(text)
    return datetime.combine(day, time(), MARKET_TZ) + timedelta(days=1)


def _sentence(error: Exception) -> str:
    """One short line without invisible characters; the file's own words in it are cut."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        return clean(" ".join(f"{where} {message}".split()), MAX_COMPLAINT)
    return clean(" ".join(str(error).split()), MAX_COMPLAINT)
