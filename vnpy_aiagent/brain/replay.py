"""One decision again, from the journal and the cassette, compared byte for byte with the recorded one.

Nothing is asked of a network. The offline analyst's rules are run anew; a language model's answers, and its
failures, are given again in the place of the model.
"""

import json
from collections import defaultdict, deque
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from vnpy_aiagent import errors
from vnpy_aiagent.brain.decide import Brain, BrainAnswer, failed_answer
from vnpy_aiagent.brain.kept import KeptDecision
from vnpy_aiagent.config import LlmSettings, ModelRole
from vnpy_aiagent.domain import Decision, Exchange, Message, Proposal
from vnpy_aiagent.errors import AiAgentError, BudgetSpent, CassetteMiss, DataError, ModelError
from vnpy_aiagent.llm.budget import BudgetedModel, BudgetLimits, Ledger
from vnpy_aiagent.llm.cassette import Cassette, fingerprint
from vnpy_aiagent.llm.offline import OFFLINE_NAME, OfflineAnalyst
from vnpy_aiagent.llm.port import ModelPort, ModelReply, ModelRequest, Usage
from vnpy_aiagent.llm.pricing import TokenPrice
from vnpy_aiagent.store.chain import Entry

NO_LIMITS = BudgetLimits(10**9, 10**15, Decimal(10**15), 10**9, 1e15)
MAX_SHOWN = 80
Question = tuple[str, ModelRequest]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of it. `difference` says what differs first, empty where all is identical.

    `questions` are the requests that were put to models, each with the model's name. `proposals` counts those
    compared; `unasked` where the recorded decision was never put to a model.
    """

    kept: KeptDecision
    difference: str
    questions: tuple[Question, ...]
    proposals: int
    unasked: bool

    @property
    def identical(self) -> bool:
        """Whether decision and proposals are the recorded ones, byte for byte."""
        return not self.difference


def replay(kept: KeptDecision, cassette: Cassette) -> Replayed:
    """Make the decision again; DataError where it was made by a model that this program does not have."""
    recorded = kept.decision
    unasked = bool(recorded.failures) and not recorded.exchanges and not recorded.prompt_hash
    if unasked:
        answer = _unasked(kept)
        return Replayed(kept, _difference(kept, answer), (), len(kept.proposals), True)
    questions: list[Question] = []
    if recorded.is_llm:
        tape = _Tape(recorded, cassette, questions)
        model, quick, llm = _models(kept, tape)
        answer = Brain(model, llm, kept.brain, quick=quick).decide(kept.request, kept.snapshot)
        difference = tape.problem or _difference(kept, answer)
    else:
        answer = Brain(_rules(kept, questions), kept.llm, kept.brain).decide(kept.request, kept.snapshot)
        difference = _difference(kept, answer)
    return Replayed(kept, difference, tuple(questions), len(kept.proposals), False)


class _Rules:
    """The offline analyst, with its ear."""

    is_llm = False

    def __init__(self, questions: list[Question]) -> None:
        self._analyst = OfflineAnalyst()
        self.name = self._analyst.name
        self._questions = questions

    def complete(self, request: ModelRequest) -> ModelReply:
        """Decide by rules."""
        self._questions.append((self.name, request))
        return self._analyst.complete(request)

    def close(self) -> None:
        """Nothing to close."""


class _Tape:
    """A decision's recorded answers and failures, each given once; notes what does not fit first."""

    def __init__(self, decision: Decision, cassette: Cassette, questions: list[Question]) -> None:
        self.problem = ""
        self._questions = questions
        self._cassette = cassette
        self._left: dict[str, deque[Exchange]] = defaultdict(deque)
        for exchange in decision.exchanges:
            self._left[exchange.request].append(exchange)

    def play(self, name: str, request: ModelRequest) -> ModelReply:
        """What the model of this name answered then; raises what it raised, or CassetteMiss."""
        self._questions.append((name, request))
        waiting = self._left[fingerprint(name, request)]
        if not waiting:
            raise self._given_up(
                f"question {len(self._questions)} ({request.task}) is not the recorded one: the prompts, "
                "tools or settings are others than those of the recorded decision"
            )
        exchange = waiting.popleft()
        if exchange.failure:
            raise _with_use(_error_of(exchange.failure), exchange)
        try:
            reply = self._cassette.find(exchange.request, exchange.reply)
        except CassetteMiss as error:
            raise self._given_up(str(error)) from None
        if reply is None:
            raise self._given_up(
                f"the answer to question {len(self._questions)} ({request.task}) is not in "
                f"{self._cassette.path}; give the file that was recorded with --cassette"
            )
        return reply.model_copy(update={"usage": Usage(**exchange.usage.model_dump())})

    def _given_up(self, problem: str) -> CassetteMiss:
        self.problem = self.problem or problem
        return CassetteMiss(problem)


class _Recorded:
    """One of the models that were asked."""

    is_llm = True

    def __init__(self, name: str, tape: _Tape) -> None:
        self.name = name
        self._tape = tape

    def complete(self, request: ModelRequest) -> ModelReply:
        """As the tape has it."""
        return self._tape.play(self.name, request)

    def close(self) -> None:
        """Nothing to close."""


def _models(kept: KeptDecision, tape: _Tape) -> tuple[ModelPort, ModelPort | None, LlmSettings]:
    """The deep and the quick model with the prices and names of then, behind a budget without limits."""
    ledger = Ledger(NO_LIMITS, lambda: 0.0)

    def recorded(role: ModelRole) -> ModelPort:
        own = kept.llm.of(role)
        price = TokenPrice(input=own.input_price, output=own.output_price)
        return BudgetedModel(_Recorded(own.model, tape), ledger, price=price)

    return recorded("deep"), recorded("quick") if kept.llm.quick is not None else None, kept.llm


def _rules(kept: KeptDecision, questions: list[Question]) -> _Rules:
    if kept.decision.model != OFFLINE_NAME:
        raise DataError(
            f"decision {kept.entry.id} was made by {kept.decision.model}, which is neither the offline "
            "analyst nor a language model; it cannot be made again"
        )
    return _Rules(questions)


def _unasked(kept: KeptDecision) -> BrainAnswer:
    """The answer of a decision that never reached a model: too late, or its process ended."""
    recorded = kept.decision
    error = _error_of(recorded.failures[0])
    answer = failed_answer(kept.request, kept.snapshot, recorded.model, recorded.is_llm, error)
    decision = answer.decision.model_copy(update={"usage": recorded.usage})
    return BrainAnswer(answer.request_id, decision, answer.proposals)


def _error_of(failure: str) -> Exception:
    """An error of the kind and with the sentence that a trace keeps."""
    name, _, text = failure.partition(": ")
    known = getattr(errors, name, None)
    if isinstance(known, type) and issubclass(known, AiAgentError):
        return known(text)
    other: Exception = type(name, (Exception,), {"__str__": lambda _: text})()
    return other


def _with_use(error: Exception, exchange: Exchange) -> Exception:
    """The error with what the failed calls used; an older journal leaves it to be reckoned."""
    if exchange.model and isinstance(error, ModelError | BudgetSpent):
        error.usage = exchange.usage
    return error


def _difference(kept: KeptDecision, answer: BrainAnswer) -> str:
    """The first difference between the journal and the new answer."""
    found = _compare("decision", kept.entry, kept.decision, answer.decision)
    again = {proposal.account: proposal for proposal in answer.proposals}
    for entry in kept.proposals:
        if found:
            break
        recorded = Proposal.model_validate_json(entry.body)
        label = f"proposal of {recorded.account}"
        other = again.get(recorded.account)
        if other is None:
            return f"{label}: there is none now"
        other = other.model_copy(update={"decision_id": recorded.decision_id})
        found = _compare(label, entry, recorded, other)
    return found


def _compare(label: str, entry: Entry, recorded: Message, again: Message) -> str:
    """Where the new message differs from the entry once it has the entry's id, time and cause."""
    place = {"id": recorded.id, "at": recorded.at, "cause": recorded.cause, "account": recorded.account}
    body = again.model_copy(update=place).model_dump_json()
    if body == entry.body:
        return ""
    return f"{label}{_first(json.loads(entry.body), json.loads(body)) or ': written differently'}"


def _first(before: Any, now: Any, path: str = "") -> str:
    """The first place, in order of the recorded one, where two JSON values differ; empty where none does."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in [*before, *(key for key in now if key not in before)]:
            found = _first(before.get(key), now.get(key), f"{path}.{key}")
            if found:
                return found
        return ""
    if isinstance(before, list) and isinstance(now, list):
        for number, (old, new) in enumerate(zip(before, now, strict=False)):
            found = _first(old, new, f"{path}[{number}]")
            if found:
                return found
        return "" if len(before) == len(now) else f"{path}: {len(before)} entries then, {len(now)} now"
    return "" if before == now else f"{path}: {_shown(before)} then, {_shown(now)} now"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
