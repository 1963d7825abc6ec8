"""What a model may call: typed tools over one snapshot, each result an evidence with its availability.

A tool is a function of the snapshot and of validated arguments. Its result is JSON; numbers in it are the
only ones that a plan may copy.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from vnpy_aiagent.domain import Evidence, clean
from vnpy_aiagent.errors import DataError, ToolError
from vnpy_aiagent.llm.port import ToolSpec
from vnpy_aiagent.tools.snapshot import DecisionSnapshot


class Arguments(BaseModel):
    """Base of every tool's arguments; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoArguments(Arguments):
    """Nothing."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """Data for the model, and when the newest of it became available (None: no market data in it)."""

    data: Mapping[str, Any]
    available_at: datetime | None


ToolFunction = Callable[[DecisionSnapshot, Any], ToolResult]


def always(snapshot: DecisionSnapshot) -> bool:
    """For tools that are offered whatever the snapshot holds."""
    return True


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: its name, what it tells the model about itself, its arguments and its function.

    `held` says whether a snapshot has anything for it: a tool is offered only then. A result is at most
    `max_chars` characters of JSON. `datasets` are the facts that it tells, by their names.
    """

    name: str
    description: str
    arguments: type[Arguments]
    run: ToolFunction
    held: Callable[[DecisionSnapshot], bool] = always
    max_chars: int = 2_000
    datasets: tuple[str, ...] = ()

    def spec(self) -> ToolSpec:
        """The schema that a model sees."""
        return _spec(self.name, self.description, self.arguments)


@cache
def _spec(name: str, description: str, arguments: type[Arguments]) -> ToolSpec:
    schema = arguments.model_json_schema()
    schema.pop("title", None)
    schema.pop("description", None)
    return ToolSpec(name=name, description=description, parameters=schema)


class Toolbox:
    """The tools of one role in a decision. Numbers its evidence e1, e2, … in order of calls.

    The same call again gives the same evidence and is not run twice.
    """

    def __init__(
        self,
        snapshot: DecisionSnapshot,
        tools: Mapping[str, Tool],
        letter: str = "e",
        known: Iterable[Evidence] = (),
    ) -> None:
        """`tools` is the role's allowlist by name, `letter` begins its evidence ids.

        A call that is in `known`, gathered by others before, gives that evidence.
        """
        self.snapshot = snapshot
        self.tools = dict(tools)
        self.letter = letter
        self.evidence: list[Evidence] = []
        self._known = {(evidence.tool, evidence.arguments): evidence for evidence in known}

    def specs(self) -> tuple[ToolSpec, ...]:
        """Schemas of all tools."""
        return tuple(tool.spec() for tool in self.tools.values())

    def call(self, name: str, arguments: str) -> Evidence:
        """Run a tool on JSON arguments. Raises ToolError with a text that tells the model what to do."""
        tool = self.tools.get(name)
        if tool is None:
            raise ToolError(f"there is no tool {name[:64]!r}; use one of {', '.join(self.tools)}")
        parsed = self._parse(tool, arguments)
        canonical = json.dumps(parsed.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        known = self._known.get((name, canonical))
        if known is not None:
            return known
        try:
            result = tool.run(self.snapshot, parsed)
        except DataError as error:
            raise ToolError(str(error)) from None
        except (
            ArithmeticError
        ):  # a figure of a source that nothing can be divided by, or too small to be true
            raise ToolError(f"{name} cannot work with the figures that are held; go on without it") from None
        if result.available_at is not None and result.available_at > self.snapshot.at:
            raise ToolError(
                f"{name} returned data of {result.available_at}, after the present; it was withheld"
            )
        try:
            text = json.dumps(result.data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        except ValueError:
            raise ToolError(f"{name} gave a number that is not finite; go on without it") from None
        if len(text) > tool.max_chars:
            raise ToolError(f"{name} gave {len(text)} characters, above its {tool.max_chars}; ask for less")
        evidence = Evidence(
            id=f"{self.letter}{len(self.evidence) + 1}",
            tool=name,
            arguments=canonical,
            available_at=result.available_at,
            result=text,
        )
        self.evidence.append(evidence)
        self._known[name, canonical] = evidence
        return evidence

    def _parse(self, tool: Tool, arguments: str) -> Arguments:
        try:
            return tool.arguments.model_validate_json(arguments or "{}")
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = clean(".".join(str(part) for part in first["loc"]), 64) or "arguments"
            raise ToolError(f"{tool.name}: {where}: {first['msg']}; correct the arguments") from None


def as_message(evidence: Evidence) -> str:
    """A tool result as the model reads it."""
    available = evidence.available_at.isoformat() if evidence.available_at else None
    head = json.dumps({"evidence_id": evidence.id, "available_at": available}, ensure_ascii=False)
    return f'{head[:-1]}, "data": {evidence.result}}}'
