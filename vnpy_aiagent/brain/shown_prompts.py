"""The exact prompts of a decision: made again, or from the cassette where that is no longer possible."""

import json
from dataclasses import dataclass
from typing import Any

from vnpy_aiagent.brain.replay import Replayed
from vnpy_aiagent.llm.cassette import Cassette, fingerprint, question_text


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question. `exact`: it was found to be the recorded one by its fingerprint. `content` is what was
    sent (messages, tools, answer schema, parameters), None where it is not known any more; `outcome` says
    "answered", or the failure.
    """

    fingerprint: str
    exact: bool
    content: dict[str, Any] | None
    outcome: str


def prompts_of(replayed: Replayed, cassette: Cassette) -> tuple[Prompt, ...]:
    """All questions of a decision in order; those of the offline analyst are exact where all is identical.

    CassetteMiss where the cassette is needed and damaged.
    """
    decision = replayed.kept.decision
    made = {fingerprint(decision.model, q): question_text(decision.model, q) for q in replayed.questions}
    if not decision.is_llm:
        return tuple(
            Prompt(name, replayed.identical, json.loads(text), "answered") for name, text in made.items()
        )
    found = []
    for exchange in decision.exchanges:
        text = made.get(exchange.request) or cassette.question(exchange.request)
        content = json.loads(text) if text is not None else None
        found.append(Prompt(exchange.request, content is not None, content, exchange.failure or "answered"))
    return tuple(found)
