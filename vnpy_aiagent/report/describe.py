"""Each kind of message as one labelled line with details, for chains and reports."""

from dataclasses import dataclass
from datetime import datetime

from vnpy_aiagent.domain import Message
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report.kinds import (
    certainty,
    debate_text,
    finder,
    model_name,
    plan_lines,
    price_text,
    speaker,
    speech,
    sum_lines,
    trigger_text,
    verdict_lines,
    words,
)

__all__ = [
    "Line",
    "certainty",
    "debate_text",
    "describe",
    "finder",
    "model_name",
    "plan_lines",
    "price_text",
    "speaker",
    "speech",
    "sum_lines",
    "trigger_text",
    "verdict_lines",
]


@dataclass(frozen=True, slots=True)
class Line:
    """A message for people: what it is, what it says, and further lines."""

    id: str
    at: datetime
    account: str
    label: str
    text: str
    details: tuple[str, ...] = ()


def describe(message: Message, say: Localizer) -> Line:
    """A message as a line in the localizer's language."""
    said = words(message, say)
    return Line(message.id, message.at, message.account, said.label, said.text, said.details)
