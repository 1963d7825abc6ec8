"""What the journal keeps of a decision: its request, the snapshot it saw, how decisions were made then."""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from vnpy_aiagent.config import BrainSettings, LlmSettings
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.domain import (
    AnalysisRequest,
    BarInterval,
    Decision,
    KeptSeries,
    Lesson,
    Proposal,
    RunStarted,
    SnapshotKept,
)
from vnpy_aiagent.errors import DataError
from vnpy_aiagent.store.chain import Entry
from vnpy_aiagent.store.reader import JournalReader
from vnpy_aiagent.tools.snapshot import DecisionSnapshot
from vnpy_aiagent.tools.snapshot_codec import load_rows, load_snapshot, long_facts, resolve

LONGEST_CHAIN = 1_000
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class KeptDecision:
    """A decision as the journal has it, with all that it was made from but the model's answers.

    `entry` and `proposals` are journal entries. `llm` is the settings of the models, without addresses.
    """

    entry: Entry
    decision: Decision
    request: AnalysisRequest
    snapshot: DecisionSnapshot
    proposals: tuple[Entry, ...]
    brain: BrainSettings
    llm: LlmSettings


def decision_entry(reader: JournalReader, entry_id: str) -> Entry:
    """The decision of this id, or that of a proposal or request; DataError where there is none."""
    entry = reader.get(entry_id)
    if entry is not None and entry.kind == Proposal.kind:
        entry = reader.get(Proposal.model_validate_json(entry.body).decision_id)
    elif entry is not None and entry.kind == AnalysisRequest.kind:
        found = [child for child in reader.children(entry_id) if child.kind == Decision.kind]
        entry = found[-1] if found else None
    if entry is None or entry.kind != Decision.kind:
        raise DataError(
            f"the journal holds no decision {entry_id}; find ids with "
            "`aiagent journal show FILE --kind Decision`"
        )
    return entry


def read_kept(reader: JournalReader, entry: Entry) -> KeptDecision:
    """All that the journal holds on a decision; DataError where that is not enough to make it again."""
    decision = Decision.model_validate_json(entry.body)
    asked = reader.get(decision.request_id)
    if asked is None or asked.kind != AnalysisRequest.kind:
        raise DataError(f"the request of decision {entry.id} is not in the journal; verify the journal")
    request = AnalysisRequest.model_validate_json(asked.body)
    kept = [child for child in reader.children(asked.id) if child.kind == SnapshotKept.kind]
    if not kept:
        raise DataError(
            f"the journal keeps no snapshot for decision {entry.id}: an older version wrote it; "
            "choose a later decision"
        )
    brain, llm = _mind(reader, entry)
    return KeptDecision(
        entry,
        decision,
        request,
        _snapshot(reader, SnapshotKept.model_validate_json(kept[-1].body)),
        tuple(child for child in reader.children(entry.id) if child.kind == Proposal.kind),
        brain,
        llm,
    )


def _snapshot(reader: JournalReader, kept: SnapshotKept) -> DecisionSnapshot:
    bars = {part.interval: _series(reader, kept.symbol, part) for part in kept.series}
    lessons = []
    for lesson_id in kept.lessons:
        found = reader.get(lesson_id)
        if found is None or found.kind != Lesson.kind:
            raise DataError(f"lesson {lesson_id} is not in the journal; verify the journal")
        lessons.append(Lesson.model_validate_json(found.body))
    return load_snapshot(resolve(kept.view, lambda *where: _fact(reader, *where)), bars, tuple(lessons))


def _fact(reader: JournalReader, entry_id: str, name: str) -> Any:
    entry = reader.get(entry_id)
    kept = SnapshotKept.model_validate_json(entry.body) if entry and entry.kind == SnapshotKept.kind else None
    facts = long_facts(kept.view) if kept is not None else {}
    if name not in facts:
        raise DataError(f"fact {name[:12]} is not kept in entry {entry_id}; verify the journal")
    return facts[name]


def _series(reader: JournalReader, symbol: str, part: KeptSeries) -> BarSeries:
    """The bars of a part and of those before it, as many as the decision saw."""
    rows, after = [part.rows], part.after
    while after is not None:
        before = _part_before(reader, after, symbol, part.interval)
        if before is None or len(rows) > LONGEST_CHAIN:
            raise DataError(f"the bars of {symbol} before {after} are not in the journal; verify the journal")
        rows.append(before.rows)
        after = before.after
    series = load_rows(symbol, part.interval, rows[::-1])
    if len(series) < part.bars:
        raise DataError(f"the journal keeps {len(series)} of {part.bars} bars of {symbol}; verify it")
    return series.tail(part.bars)


def _part_before(
    reader: JournalReader, entry_id: str, symbol: str, interval: BarInterval
) -> KeptSeries | None:
    entry = reader.get(entry_id)
    if entry is None or entry.kind != SnapshotKept.kind:
        return None
    kept = SnapshotKept.model_validate_json(entry.body)
    parts = (part for part in kept.series if part.interval is interval and kept.symbol == symbol)
    return next(parts, None)


def _mind(reader: JournalReader, entry: Entry) -> tuple[BrainSettings, LlmSettings]:
    """The brain's settings and those of the models, by the run that made the decision."""
    runs = list(reader.read(kinds=(RunStarted.kind,), until=entry.seq))
    mind: dict[str, Any] | None = RunStarted.model_validate_json(runs[-1].body).mind if runs else None
    if mind is None:
        raise DataError(
            f"the journal does not say by which settings decision {entry.id} was made: "
            "an older version wrote it"
        )
    try:
        return BrainSettings.model_validate(mind["brain"]), _models(mind)
    except (ValidationError, KeyError, TypeError) as error:
        raise DataError(
            f"the settings of decision {entry.id} are not those of this version "
            f"({str(error).splitlines()[0]}); use the version that wrote the journal"
        ) from None


def _models(mind: dict[str, Any]) -> LlmSettings:
    """Both models' settings with a place in the address' stead, which the journal does not keep."""
    deep, quick = _asked(mind["deep"]), mind["quick"]
    if not deep.get("model"):
        return LlmSettings.model_validate({**deep, "base_url": "", "fallbacks": ()})
    made = _asked(quick) if quick else None
    return LlmSettings.model_validate({**deep, "quick": made, "roles": mind.get("roles", {})})


def _asked(facts: dict[str, Any]) -> dict[str, Any]:
    spares = [{**spare, "base_url": UNKNOWN} for spare in facts.get("fallbacks", ())]
    return {**facts, "base_url": UNKNOWN, "fallbacks": spares}
