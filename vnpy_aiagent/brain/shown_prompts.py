"""The exact prompts of a decision: made again, or from the cassette where that is no longer possible."""

import json
from dataclasses import dataclass
from typing import Any

from vnpy_aiagent.brain.replay import Replayed
from vnpy_aiagent.llm.cassette import Cassette, fingerprint, question_text
from vnpy_aiagent.llm.port import ModelReply


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question. `exact`: it was found to be the recorded one by its fingerprint. `content` is what was
    sent (messages, tools, answer schema, parameters), None where it is not known any more; `outcome` says
    "answered", or the failure. `model` answered, or was asked first; `answer` is what it said and thought
    aloud, from the cassette, None where nothing is there.
    """

    fingerprint: str
    exact: bool
    content: dict[str, Any] | None
    outcome: str
    model: str = ""
    answer: ModelReply | None = None


def prompts_of(replayed: Replayed, cassette: Cassette) -> tuple[Prompt, ...]:
    """All questions of a decision in order; those of the offline analyst are exact where all is identical.

    CassetteMiss where the cassette is needed and damaged.
    """
    decision = replayed.kept.decision
    made = {fingerprint(name, q): question_text(name, q) for name, q in replayed.questions}
    if not decision.is_llm:
        return tuple(
            Prompt(name, replayed.identical, json.loads(text), "answered") for name, text in made.items()
        )
    found = []
    for exchange in decision.exchanges:
        text = made.get(exchange.request) or cassette.question(exchange.request)
        content = json.loads(text) if text is not None else None
        answer = cassette.find(exchange.request, exchange.reply) if exchange.reply else None
        outcome, model = exchange.failure or "answered", exchange.model or decision.model
        found.append(Prompt(exchange.request, content is not None, content, outcome, model, answer))
    return tuple(found)
