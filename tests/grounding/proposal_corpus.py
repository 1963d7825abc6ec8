"""The hand-made corpus: answers, what they answer, and how they are to be judged.

A case takes a base plan (`base`), changes it (`drop`, `set` with dotted paths), writes it as JSON, changes
the text (`swap`, `cut`, `before`, `after`) or gives a whole text (`text`). `@get_quote` and the like stand
for the id of that tool's evidence, `@symbol` for the symbol. `ok` states prices of a sound plan, `bad` the
word of `answer_shape.WORDS` by which it is refused; `rule` the risk rule that lets no order come of a sound
plan, `rest` that it asks for none.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from house import PROPOSALS, Situation, situations
from scripted_team import evidence_of

NOT_FAMILIES = ("bases.json", "situations.json")
CASE_KEYS = frozenset(
    (
        "why",
        "at",
        "base",
        "set",
        "drop",
        "swap",
        "before",
        "after",
        "cut",
        "text",
        "ok",
        "bad",
        "rule",
        "rest",
    )
)


@dataclass(frozen=True)
class Case:
    """One answer and its judgement."""

    family: str
    number: int
    why: str
    situation: Situation
    change: dict[str, Any] = field(repr=False)
    states: dict[str, Any] | None = None
    bad: str = ""
    rule: str = ""
    rest: bool = False

    @property
    def name(self) -> str:
        """For a test's report."""
        return f"{self.family}-{self.number:02}"

    @property
    def trades(self) -> bool:
        """Whether an order is to come of it."""
        return self.states is not None and not self.rule and not self.rest

    def write(self, facts: dict[str, Any]) -> str:
        """The answer, as the judge of these facts would give it."""
        return written(self.change, facts)


@cache
def bases() -> dict[str, dict[str, Any]]:
    """Plans to change, by name."""
    found: dict[str, dict[str, Any]] = json.loads((PROPOSALS / "bases.json").read_text(encoding="utf-8"))
    return found


@cache
def cases() -> tuple[Case, ...]:
    """The whole corpus, family by family."""
    found = []
    for file in sorted(PROPOSALS.glob("*.json")):
        if file.name in NOT_FAMILIES:
            continue
        given = json.loads(file.read_text(encoding="utf-8"))
        for number, case in enumerate(given["cases"], 1):
            unknown = set(case) - CASE_KEYS
            if unknown or ("ok" in case) == ("bad" in case):
                raise ValueError(f"{file.name} {number}: {unknown or 'either ok or bad'}")
            found.append(
                Case(
                    file.stem,
                    number,
                    case["why"],
                    situations()[case.get("at", "main")],
                    case,
                    case.get("ok"),
                    case.get("bad", ""),
                    case.get("rule", ""),
                    case.get("rest", False),
                )
            )
    return tuple(found)


def families() -> dict[str, list[Case]]:
    """Cases by family, in the order of their files."""
    found: dict[str, list[Case]] = {}
    for case in cases():
        found.setdefault(case.family, []).append(case)
    return found


def about(family: str) -> str:
    """What a family is about, as its file says."""
    text: str = json.loads((PROPOSALS / f"{family}.json").read_text(encoding="utf-8"))["about"]
    return text


def written(change: dict[str, Any], facts: dict[str, Any]) -> str:
    """The text of a case for a speaker's facts."""
    if "text" in change:
        return _special(change["text"])
    plan = copy.deepcopy(bases()[change.get("base", "buy")])
    for path in change.get("drop", ()):
        holder, key = _holder(plan, path)
        del holder[key]
    for path, value in change.get("set", {}).items():
        holder, key = _holder(plan, path)
        holder[key] = value
    text = json.dumps(_filled(plan, facts), ensure_ascii=False)
    for old, new in change.get("swap", ()):
        if old not in text:
            raise ValueError(f"{old} does not stand in {text}")
        text = text.replace(old, _special(new))
    cut: int | None = change.get("cut")
    return str(change.get("before", "")) + text[:cut] + str(change.get("after", ""))


def writer(change: dict[str, Any]) -> Callable[[dict[str, Any]], str]:
    """A judge who answers so."""
    return lambda facts: written(change, facts)


def _special(text: str) -> str:
    """`$deep1000`: a thousand opening brackets; `1$zeros300`: a one and three hundred zeros."""
    if text.startswith("$deep"):
        return "[" * int(text.removeprefix("$deep"))
    before, mark, count = text.partition("$zeros")
    return before + "0" * int(count) if mark else text


def _holder(plan: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    *parts, key = path.split(".")
    holder = plan
    for part in parts:
        holder = holder[part]
    return holder, key


def _filled(value: Any, facts: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        if "$repeat" in value:
            text, count = value["$repeat"]
            return text * count
        if "$times" in value:
            part, count = value["$times"]
            return [_filled(part, facts)] * count
        return {key: _filled(part, facts) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, facts) for part in value]
    if isinstance(value, str) and value.startswith("@"):
        return _name(value[1:], facts)
    return value


def _name(name: str, facts: dict[str, Any]) -> str:
    if name == "symbol":
        symbol: str = facts["request"]["symbol"]
        return symbol
    evidence = evidence_of(facts, name)
    if evidence is None:
        raise ValueError(f"nobody has called {name} in this situation")
    return evidence
