"""Tools that hold nothing because their sources gave nothing: told to models beside the tools that they have.

A tool without data is not offered, so its own table of what is absent is never read. Where absences say why
its data is missing, they are told in its place.
"""

from collections.abc import Iterable

from vnpy_aiagent.data.facts import ABSENCE_REASONS, Absence
from vnpy_aiagent.tools.registry import Tool
from vnpy_aiagent.tools.snapshot import DecisionSnapshot


def absent_tools(snapshot: DecisionSnapshot, tools: Iterable[Tool]) -> dict[str, tuple[Absence, ...]]:
    """By name the tools without data, each with the known absences of its datasets; none that has no such."""
    if not snapshot.facts.absences:
        return {}
    missing = ((tool, absences_of(snapshot, tool.datasets)) for tool in tools if tool.datasets)
    return {tool.name: found for tool, found in missing if found and not tool.held(snapshot)}


def absences_of(snapshot: DecisionSnapshot, datasets: Iterable[str]) -> tuple[Absence, ...]:
    """What is known to be missing of these datasets at the snapshot's time, in their order."""
    known = {
        each.dataset: each for each in reversed(snapshot.facts.absences) if each.available_at <= snapshot.at
    }
    return tuple(known[name] for name in datasets if name in known)


def told(absences: Iterable[Absence]) -> str:
    """In the words that a model reads: names by reason and day."""
    groups: dict[str, list[str]] = {}
    for each in absences:
        why = f"{ABSENCE_REASONS[each.reason]}, since {each.since.isoformat()}"
        groups.setdefault(why, []).append(each.dataset)
    return "; ".join(f"{', '.join(names)}: {why}" for why, names in groups.items())
