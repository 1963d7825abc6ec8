"""A snapshot as plain JSON values and back, without loss; bars and lessons are kept apart."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from itertools import pairwise
from typing import Any, get_type_hints

import numpy as np
from pydantic import TypeAdapter, ValidationError

from vnpy_aiagent.data.bars import VALUE_FIELDS, BarSeries
from vnpy_aiagent.domain import BarInterval, Lesson
from vnpy_aiagent.errors import DataError
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

APART = ("bars", "lessons")
KEPT = "kept"
LONG_FACT = 400
"""Characters from which on a fact is kept once and referred to afterwards."""
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
    """The view with a reference for each long fact that was kept before; `known` is entry by digest."""
    facts = view["facts"].items()
    return view | {"facts": {name: [_referred(item, known) for item in items] for name, items in facts}}


def resolve(view: dict[str, Any], find: Callable[[str, str], Any]) -> dict[str, Any]:
    """The view with the facts themselves; `find` gives one by the entry that keeps it and its digest."""
    facts = view.get("facts", {}).items()
    full = {
        name: [find(item[KEPT], item["digest"]) if KEPT in item else item for item in items]
        for name, items in facts
    }
    return view | {"facts": full}


def long_facts(view: dict[str, Any]) -> dict[str, Any]:
    """The long facts that a view holds itself, by digest."""
    items = [item for items in view["facts"].values() for item in items if KEPT not in item]
    return {digest(item): item for item in items if len(json.dumps(item)) >= LONG_FACT}


def _referred(item: Any, known: Mapping[str, str]) -> Any:
    if len(json.dumps(item)) < LONG_FACT:
        return item
    name = digest(item)
    return {KEPT: known[name], "digest": name} if name in known else item


def dump_rows(series: BarSeries) -> str:
    """Bars as JSON, one list a column; every number is written in full."""
    return json.dumps([getattr(series, name).tolist() for name in COLUMNS], separators=(",", ":"))


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
    same = all(
        np.array_equal(getattr(before, name), getattr(now, name), equal_nan=name not in TIMES)
        for name in COLUMNS
    )
    return len(series) - old if same else None


def _first(error: Exception) -> str:
    return str(error).splitlines()[0]
