"""How tools tell facts: one row a value with unit, period, availability and source; what is missing is null.

Many values of a table share period, availability and source, so each row names a place in `as_of` instead.
Only what was known at the snapshot's time is told, whatever the snapshot holds.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from vnpy_aiagent.data.facts import ABSENCE_REASONS, EventFact, ValueFact
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

COLUMNS = ("name", "value", "unit", "as_of")
AS_OF = ("period", "available_at", "source")
EVENT_COLUMNS = ("event", "on", "value", "unit", "as_of")
EVENT_AS_OF = ("available_at", "source")
NOT_HELD = "not held"
PLAIN_SOURCE = re.compile(r"[A-Za-z0-9_.\-]{1,40}")
DIGITS = 6
WHOLE_FROM = 1_000_000


def known_values(snapshot: DecisionSnapshot) -> dict[str, ValueFact]:
    """Values of the symbol, its industry and the market that were known, by metric."""
    facts = snapshot.facts
    found = (*facts.values, *facts.industry, *facts.market)
    return {fact.metric: fact for fact in found if fact.available_at <= snapshot.at}


def known_events(snapshot: DecisionSnapshot, names: Iterable[str] = ()) -> list[EventFact]:
    """Events that were known, of these kinds or of all, in order of their days."""
    wanted = set(names)
    return [
        fact
        for fact in snapshot.facts.events
        if fact.available_at <= snapshot.at and (not wanted or fact.event in wanted)
    ]


def holds_any(snapshot: DecisionSnapshot, metrics: Iterable[str]) -> bool:
    """Whether any of the values is known."""
    return not known_values(snapshot).keys().isdisjoint(metrics)


def table(snapshot: DecisionSnapshot, metrics: Sequence[str]) -> dict[str, Any]:
    """The values as a table; `absent` names those that are missing, each null with the reason."""
    known = known_values(snapshot)
    shared = _Shared()
    rows = [
        [
            name,
            number(float(fact.value)),
            fact.unit,
            shared.place(fact.period.isoformat(), minute(fact.available_at), source_of(fact)),
        ]
        for name in metrics
        if (fact := known.get(name)) is not None
    ]
    why = {name: absence_of(snapshot, name) for name in metrics}
    return {
        "columns": list(COLUMNS),
        "values": rows,
        "as_of_columns": list(AS_OF),
        "as_of": shared.rows,
        "absent": {
            name: {"value": None, "reason": reason or NOT_HELD}
            for name, reason in why.items()
            if name not in known or reason is not None
        },
    }


class _Shared:
    """Rows that others refer to by their place."""

    def __init__(self) -> None:
        self.rows: list[list[str]] = []

    def place(self, *cells: str) -> int:
        if list(cells) not in self.rows:
            self.rows.append(list(cells))
        return self.rows.index(list(cells))


def event_table(events: Sequence[EventFact]) -> dict[str, Any]:
    """Events as a table."""
    shared = _Shared()
    rows = [
        [
            fact.event,
            fact.on.isoformat(),
            None if fact.value is None else number(float(fact.value)),
            fact.unit,
            shared.place(minute(fact.available_at), source_of(fact)),
        ]
        for fact in events
    ]
    return {
        "columns": list(EVENT_COLUMNS),
        "events": rows,
        "as_of_columns": list(EVENT_AS_OF),
        "as_of": shared.rows,
    }


def absence_of(snapshot: DecisionSnapshot, dataset: str) -> str | None:
    """Why a dataset is missing, since when; None where nothing says so."""
    found = (
        each
        for each in snapshot.facts.absences
        if each.dataset == dataset and each.available_at <= snapshot.at
    )
    absence = next(found, None)
    if absence is None:
        return None
    return f"{ABSENCE_REASONS[absence.reason]}, since {absence.since.isoformat()}"


def source_of(fact: ValueFact | EventFact) -> str:
    """The name of the source where it is plain; else `other`: a page may have chosen it."""
    return fact.source if PLAIN_SOURCE.fullmatch(fact.source) else "other"


def newest(
    snapshot: DecisionSnapshot, metrics: Iterable[str], events: Iterable[EventFact] = ()
) -> datetime | None:
    """When the newest of the values and events became available; None where none is held."""
    known = known_values(snapshot)
    moments = [known[name].available_at for name in metrics if name in known]
    return max([*moments, *(fact.available_at for fact in events)], default=None)


def number(value: float) -> int | float:
    """A number for a model: whole where it is, and from a million on; else six digits after the point."""
    if value.is_integer() or abs(value) >= WHOLE_FROM:
        return round(value)
    return round(value, DIGITS)


def minute(moment: datetime) -> str:
    """A time to the minute."""
    return moment.isoformat(timespec="minutes")
