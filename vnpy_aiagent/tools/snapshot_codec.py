"""A snapshot as plain JSON values and back, without loss; bars and lessons are kept apart."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from hashlib import sha256
from itertools import pairwise
from typing import Any, get_type_hints

import numpy as np
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from vnpy_aiagent.data.bars import VALUE_FIELDS, BarSeries
from vnpy_aiagent.domain import BarInterval, Lesson
from vnpy_aiagent.errors import DataError
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

APART = ("bars", "lessons")
KEPT = "kept"
LONG_FACT = 400
"""Characters from which on a fact, or a list of SHARED, is kept once and referred to afterwards."""
SHARED = ("market", "industry", "absences", "text_counts")
"""Facts that many symbols have in common; a list of them is referred to as a whole."""
SMALLEST, LARGEST = 1e-4, 1e16
"""Python writes numbers of this range without an exponent."""
TIMES = ("start", "end")
COLUMNS = (*TIMES, *VALUE_FIELDS)


@cache
def _adapters() -> dict[str, TypeAdapter[Any]]:
    hints = get_type_hints(DecisionSnapshot)
    return {name: TypeAdapter(hint) for name, hint in hints.items() if name not in APART}


def dump_view(snapshot: DecisionSnapshot) -> dict[str, Any]:
    """All of a snapshot but its bars and lessons, as JSON values."""
    return {
        name: adapter.dump_python(getattr(snapshot, name), mode="json")
        for name, adapter in _adapters().items()
    }


def load_snapshot(
    view: dict[str, Any], bars: dict[BarInterval, BarSeries], lessons: tuple[Lesson, ...]
) -> DecisionSnapshot:
    """The snapshot again; DataError where the view is not that of a snapshot of this version."""
    adapters = _adapters()
    unknown = sorted(set(view) - set(adapters))
    if unknown:
        raise DataError(
            f"the kept snapshot has {unknown[0]!r}, which this version does not know; use the newer one"
        )
    try:
        values = {name: adapters[name].validate_python(value) for name, value in view.items()}
        return DecisionSnapshot(bars=bars, lessons=lessons, **values)
    except (ValidationError, TypeError) as error:
        raise DataError(
            f"the kept snapshot is not one ({_first(error)}); check the journal with `aiagent journal verify`"
        ) from None


def digest(value: Any) -> str:
    """SHA-256 (hex) of a JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode("ascii")).hexdigest()


def refer(view: dict[str, Any], known: Mapping[str, str]) -> dict[str, Any]:
    """The view with a reference for each long fact or shared list that was kept before.

    `known` is the entry by digest.
    """
    facts = view["facts"].items()
    short = {
        name: _referred(items, known) if name in SHARED else [_referred(item, known) for item in items]
        for name, items in facts
    }
    return view | {"facts": short}


def resolve(view: dict[str, Any], find: Callable[[str, str], Any]) -> dict[str, Any]:
    """The view with the facts themselves; `find` gives one by the entry that keeps it and its digest."""

    def found(item: Any) -> Any:
        return find(item[KEPT], item["digest"]) if KEPT in item else item

    facts = view.get("facts", {}).items()
    full = {
        name: found(items) if name in SHARED else [found(item) for item in items] for name, items in facts
    }
    return view | {"facts": full}


def long_facts(view: dict[str, Any]) -> dict[str, Any]:
    """The long facts and shared lists that a view holds itself, by digest."""
    return {digest(item): item for _, item in _parts(view) if KEPT not in item and _is_long(item)}


def shared_lists(view: dict[str, Any]) -> tuple[str, ...]:
    """Digests of the long shared lists that a view holds itself."""
    held = (item for name, item in _parts(view) if name in SHARED and KEPT not in item)
    return tuple(digest(item) for item in held if _is_long(item))


def referred_to(view: dict[str, Any]) -> frozenset[str]:
    """Digests of what a view only refers to."""
    return frozenset(item["digest"] for _, item in _parts(view) if KEPT in item)


def _parts(view: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What may be kept once: shared lists as a whole, and each fact of the others."""
    for name, items in view["facts"].items():
        yield from [(name, items)] if name in SHARED else ((name, item) for item in items)


def _is_long(item: Any) -> bool:
    return len(json.dumps(item)) >= LONG_FACT


def _referred(item: Any, known: Mapping[str, str]) -> Any:
    if not _is_long(item):
        return item
    name = digest(item)
    return {KEPT: known[name], "digest": name} if name in known else item


def dump_rows(series: BarSeries) -> str:
    """Bars as JSON, one list a column; every number is written in full, as `json` writes it.

    It runs on the event thread. pydantic's writer takes a fifth of the time and writes the same but for very
    large and very small numbers, which `json` then writes.
    """
    columns = [getattr(series, name) for name in COLUMNS]
    values = [column.tolist() for column in columns]
    size = np.abs(np.concatenate(columns[len(TIMES) :]))
    if bool(np.any((size >= LARGEST) | ((size > 0) & (size < SMALLEST)))):
        return json.dumps(values, separators=(",", ":"))
    return to_json(values, inf_nan_mode="constants").decode("ascii")


def load_rows(vt_symbol: str, interval: BarInterval, parts: list[str]) -> BarSeries:
    """The bars of several dumps, one after the other; DataError where they are none."""
    try:
        tables = [json.loads(part) for part in parts]
        joined = [[value for table in tables for value in table[place]] for place in range(len(COLUMNS))]
        series = BarSeries(
            vt_symbol,
            interval,
            np.array(joined[0], dtype=np.int64),
            np.array(joined[1], dtype=np.int64),
            *(np.array(column, dtype=np.float64) for column in joined[len(TIMES) :]),
        )
    except (ValueError, TypeError, IndexError, KeyError, DataError) as error:
        raise DataError(
            f"the kept bars of {vt_symbol} cannot be read ({_first(error)}); check the journal with "
            "`aiagent journal verify`"
        ) from None
    if any(later <= earlier for earlier, later in pairwise(series.start.tolist())):
        raise DataError(f"the kept bars of {vt_symbol} are not in order; check the journal")
    return series


def continues(known: BarSeries, series: BarSeries) -> int | None:
    """How many of the last bars of `series` are new after `known`, which must hold all others unchanged.

    None where that is not so: history was adjusted, or the series reaches back further.
    """
    if not len(known) or not len(series) or known.end[-1] > series.end[-1]:
        return None
    old = int(np.searchsorted(series.start, known.start[-1], side="right"))
    if old == 0 or old > len(known):
        return None
    before, now = known.tail(old), series.slice(0, old)
    same = all(_same(getattr(before, name), getattr(now, name)) for name in COLUMNS)
    return len(series) - old if same else None


def _same(one: Any, other: Any) -> bool:
    """Whether two columns hold equal numbers; equal bytes, the usual case, are found at once."""
    return one.tobytes() == other.tobytes() or np.array_equal(one, other, equal_nan=True)


def _first(error: Exception) -> str:
    return str(error).splitlines()[0]
