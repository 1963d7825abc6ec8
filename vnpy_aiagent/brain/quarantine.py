"""Where texts from outside are read, and the little that leaves it.

A text is cleaned, its copies are merged, and each document is read alone: by a model that has no tools and
may only fill in a closed schema, or by rules where there is no model, no budget, or no valid answer. What a
decision gets of it is one number from -1 to 1. It changes how much a plan buys by at most
`brain.text_weight_cap`, and nothing else: no analyst and no speaker of the debate reads a text, a span or a
reading. With no other fresh finding the number counts zero.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from vnpy_aiagent.brain.conversation import Trace
from vnpy_aiagent.brain.prompts import bare_prompt
from vnpy_aiagent.brain.reading import CERTAINTY_WEIGHT, Reading, parse_reading
from vnpy_aiagent.brain.schemas import schema_of
from vnpy_aiagent.brain.text_rules import read_by_rules
from vnpy_aiagent.config import BrainSettings, LlmSettings
from vnpy_aiagent.data.text_clean import Document, documents
from vnpy_aiagent.domain import Action, Evidence, Finding, Proposal, Reason, Stance, say
from vnpy_aiagent.errors import BudgetSpent, ModelError, ModelNonsense
from vnpy_aiagent.llm.port import ChatMessage, ModelPort, ModelRequest
from vnpy_aiagent.tools.snapshot import AccountView, DecisionSnapshot

READER = "quarantine_reader"
SENTIMENT = "sentiment_analyst"
TOOL = "read_texts"
EVIDENCE = "s1"
READER_TOKENS, READER_SECONDS = 300, 20.0
MAX_DIGITS = 4


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """A document and its reading. `refused` says why a model's own answer was not taken."""

    document: Document
    reading: Reading
    by: str
    refused: str = ""


@dataclass(frozen=True, slots=True)
class TextView:
    """What the texts of a decision came to. `score` is a number from -1 to 1."""

    read: tuple[ReadDocument, ...]
    score: float

    @property
    def certainty(self) -> float:
        """Mean weight of certainty, a ratio."""
        weights = [CERTAINTY_WEIGHT[each.reading.certainty] for each in self.read]
        return round(sum(weights) / len(weights), MAX_DIGITS) if weights else 0.0


class Quarantine:
    """Reads the texts of one decision."""

    def __init__(self, model: ModelPort, llm: LlmSettings, settings: BrainSettings, trace: Trace) -> None:
        """The model is asked only where it is a language model."""
        self.model = model
        self.llm = llm
        self.settings = settings
        self.trace = trace

    def read(self, snapshot: DecisionSnapshot) -> TextView:
        """Read at most `brain.text_reads` documents. Never raises for what a model does."""
        known = [fact for fact in snapshot.facts.texts if fact.available_at <= snapshot.at]
        chosen = choose(documents(known), self.settings.text_reads)
        read = tuple(self._read_one(document, snapshot) for document in chosen)
        return TextView(read, total_score([(each.document.source, each.reading) for each in read]))

    def _read_one(self, document: Document, snapshot: DecisionSnapshot) -> ReadDocument:
        refused = ""
        if self.model.is_llm:
            try:
                return ReadDocument(document, self._ask(document.text, snapshot), "model")
            except (ModelError, BudgetSpent) as error:
                refused = type(error).__name__
        return ReadDocument(document, read_by_rules(document.text), "rules", refused)

    def _ask(self, text: str, snapshot: DecisionSnapshot) -> Reading:
        """One question about one text, without tools and without a second try."""
        asked = {"subject": snapshot.instrument.name, "text": text}
        request = ModelRequest(
            task=READER,
            messages=(
                ChatMessage(role="system", content=bare_prompt(READER, snapshot.language)),
                ChatMessage(role="user", content=json.dumps(asked, ensure_ascii=False)),
            ),
            schema_name=Reading.__name__,
            answer_schema=schema_of(Reading),
            max_tokens=min(READER_TOKENS, self.llm.max_tokens),
            temperature=self.llm.temperature,
            seed=self.llm.seed,
            timeout=min(READER_SECONDS, self.llm.timeout),
        )
        reply = self.model.complete(request)
        self.trace.add(request, reply)
        if reply.tool_calls:
            raise ModelNonsense("the reader has no tools")
        return parse_reading(reply.text, text)


def choose(found: Sequence[Document], most: int) -> tuple[Document, ...]:
    """The newest document of each source, then the second newest of each, and so on: no source crowds out."""
    turns: dict[str, int] = {}
    ranked: list[tuple[int, int, Document]] = []
    for place, document in enumerate(found):
        turn = turns.get(document.source, 0)
        turns[document.source] = turn + 1
        ranked.append((turn, place, document))
    ranked.sort(key=lambda each: each[:2])
    return tuple(document for _, _, document in ranked[:most])


def total_score(readings: Sequence[tuple[str, Reading]]) -> float:
    """The mean over sources of each source's mean, from -1 to 1: many texts of one source weigh as one."""
    by_source: dict[str, list[float]] = {}
    for source, reading in readings:
        by_source.setdefault(source, []).append(reading.score)
    means = [sum(scores) / len(scores) for scores in by_source.values()]
    return round(sum(means) / len(means), MAX_DIGITS) if means else 0.0


def text_evidence(view: TextView, cap: float) -> Evidence:
    """The readings with their spans and sources, for people and the journal."""
    result = {
        "score": view.score,
        "cap": cap,
        "readings": [
            {
                "texts": [fact.id for fact in each.document.facts],
                "sources": list(dict.fromkeys(fact.source for fact in each.document.facts)),
                "available_at": each.document.facts[0].available_at.isoformat(timespec="seconds"),
                "read_by": each.by,
                "refused": each.refused,
                **each.reading.model_dump(mode="json"),
            }
            for each in view.read
        ],
    }
    texts = [fact.id for each in view.read for fact in each.document.facts]
    return Evidence(
        id=EVIDENCE,
        tool=TOOL,
        arguments=json.dumps({"texts": texts}),
        available_at=_newest(view),
        result=json.dumps(result, ensure_ascii=False, separators=(",", ":")),
    )


def text_finding(view: TextView, other: Finding, cap: float, evidence: Evidence) -> Finding:
    """The texts' finding: its strength is at most the cap, and zero without another fresh finding."""
    stance = Stance.BULLISH if view.score > 0 else Stance.BEARISH if view.score < 0 else Stance.NEUTRAL
    return Finding(
        role=SENTIMENT,
        stance=stance,
        strength=round(cap * abs(view.score), MAX_DIGITS) if other.strength > 0 else 0.0,
        confidence=view.certainty,
        text=say(
            "消息面：读了 {count} 篇，评分 {score}，只能把买入数量增减 {cap} 以内",
            count=len(view.read),
            score=f"{view.score:+.2f}",
            cap=f"{cap * 100:g}%",
        ),
        evidence=(evidence.id,),
        available_at=evidence.available_at,
        fresh=True,
        weight=cap if other.strength > 0 else 0.0,
    )


def sized(
    proposal: Proposal, account: AccountView, view: TextView, other: Finding, cap: float, evidence: str
) -> Proposal:
    """The same proposal with what it buys scaled by 1 + cap * score; an ADD by what it adds.

    Never above the account's `max_weight`, unless the plan itself was. Everything but the target weight and
    one more reason stays as it is.
    """
    if proposal.action not in (Action.BUY, Action.ADD) or other.strength <= 0 or not view.score:
        return proposal
    held = account.weights.get(proposal.symbol, 0.0)
    before = proposal.target_weight
    bought = before - held
    if bought <= 0:
        return proposal
    after = float(f"{held + bought * (1 + cap * view.score):.8g}")
    after = min(after, max(before, account.max_weight), 1.0)
    reason = Reason(
        text=say("消息面评分 {score}，目标仓位由 {before} 调为 {after}",
                 score=f"{view.score:+.2f}", before=f"{before:.2%}", after=f"{after:.2%}"),
        evidence=(evidence,),
    )  # fmt: skip
    return proposal.model_copy(update={"target_weight": after, "reasons": (*proposal.reasons, reason)})


def _newest(view: TextView) -> datetime | None:
    moments = [fact.available_at for each in view.read for fact in each.document.facts]
    return max(moments, default=None)


def without_texts(snapshot: DecisionSnapshot) -> DecisionSnapshot:
    """The snapshot as analysts and their tools get it: no tool can ever return a text."""
    if not snapshot.facts.texts:
        return snapshot
    return replace(snapshot, facts=replace(snapshot.facts, texts=()))
