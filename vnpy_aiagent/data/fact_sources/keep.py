"""What is new of fetched facts, into the store; and absences, once for each spell.

A fact that says what the newest held version of its source says is known already, whenever it was fetched.
One that contradicts a held version of the same moment is a correction: it counts from its fetching on.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from vnpy_aiagent.data.facts import (
    FACT_KINDS,
    Absence,
    AbsenceReason,
    EventFact,
    Fact,
    ValueFact,
)
from vnpy_aiagent.data.facts_store import store_facts
from vnpy_aiagent.errors import DataError

SOURCE = "collector"
_NEWEST = (
    "SELECT content FROM facts WHERE vt_symbol = ? AND kind = ? AND name = ? AND day = ? AND source = ? "
    "ORDER BY available_at DESC"
)
_ABSENCE = (
    "SELECT content FROM facts WHERE vt_symbol = ? AND kind = 'absence' AND name = ? "
    "ORDER BY available_at DESC, id DESC LIMIT 1"
)
_LATER = (
    "SELECT 1 FROM facts WHERE vt_symbol = ? AND kind != 'absence' AND name = ? AND available_at > ? LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Keeping:
    """What became of a batch: the facts that are new, how many were known, how many could not be kept."""

    new: tuple[Fact, ...]
    known: int
    refused: int


def keep(path: Path, facts: Iterable[Fact], seen: datetime) -> Keeping:
    """Store what is new. `seen`: when it was fetched. DataError where the file cannot be used."""
    fresh: list[Fact] = []
    known = 0
    with _reading(path) as held:
        for fact in dict.fromkeys(facts):
            before = _newest(held, fact, seen)
            if before is not None and _says(before) == _says(fact):
                known += 1
            elif (
                before is not None and before.available_at >= fact.available_at and seen > before.available_at
            ):
                fresh.append(fact.model_copy(update={"available_at": seen}))
            else:
                fresh.append(fact)
    if not fresh:
        return Keeping((), known, 0)
    stored = store_facts(path, list(enumerate(fresh)))
    refused = {line for line, _ in stored.refused}
    new = tuple(fact for line, fact in enumerate(fresh) if line not in refused)
    return Keeping(new, known, len(refused))


def absences(
    path: Path,
    found: Mapping[str, Mapping[str, AbsenceReason]],
    optional: frozenset[str],
    seen: datetime,
) -> list[Absence]:
    """Absences that are news: another reason than the last one told, or the first after a later fact.

    Of `optional` items a mere lack is told only where it ends a failure.
    """
    fresh: list[Absence] = []
    with _reading(path) as held:
        for subject, items in sorted(found.items()):
            for item, reason in sorted(items.items()):
                last = _last_absence(held, subject, item)
                if last is not None and last.reason == reason:
                    continue
                if last is None and reason in ("no_data", "no_source") and item in optional:
                    continue
                fresh.append(
                    Absence(
                        vt_symbol=subject,
                        source=SOURCE,
                        available_at=seen,
                        dataset=item,
                        since=seen.date(),
                        reason=reason,
                    )
                )
    return fresh


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """The store for reading; one without any facts where it does not exist yet. DataError for damage."""
    if not path.exists():
        store_facts(path, ())
    try:
        address = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=10.0)) as held:
            yield held
    except (sqlite3.Error, ValidationError) as error:
        raise DataError(
            f"facts cannot be read from {path} ({error}); import them again, or remove the file"
        ) from error


def _newest(held: sqlite3.Connection, fact: Fact, seen: datetime) -> Fact | None:
    """The newest version held; none that is dated after both: its source has mended the date since."""
    rows = held.execute(_NEWEST, (fact.vt_symbol, fact.kind, *fact.key, fact.source))
    versions = (FACT_KINDS[fact.kind].model_validate_json(content) for (content,) in rows)
    return next((each for each in versions if each.available_at <= max(seen, fact.available_at)), None)


def _last_absence(held: sqlite3.Connection, subject: str, item: str) -> Absence | None:
    """The last absence told; None where a later fact ended it."""
    row = held.execute(_ABSENCE, (subject, item)).fetchone()
    if row is None:
        return None
    absence = Absence.model_validate_json(row[0])
    stamp = held.execute("SELECT available_at FROM facts WHERE id = ?", (absence.id,)).fetchone()[0]
    ended = held.execute(_LATER, (subject, item, stamp)).fetchone()
    return None if ended else absence


def _says(fact: Fact) -> object:
    """What a fact says, whenever it was known."""
    if isinstance(fact, ValueFact | EventFact):
        return fact.value, fact.unit
    return fact.id
