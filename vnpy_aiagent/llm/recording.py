"""Models that record what they are asked, or answer from a record: over a cassette, and for one decision."""

import json
from collections.abc import Callable, Sequence
from decimal import Decimal

from vnpy_aiagent.config import CassetteMode
from vnpy_aiagent.domain import Exchange, Severity, TokenUsage, clean, say
from vnpy_aiagent.errors import BudgetSpent, CassetteMiss, ModelError
from vnpy_aiagent.llm.breaker import Tell
from vnpy_aiagent.llm.budget import used_by
from vnpy_aiagent.llm.cassette import Cassette, answer_text, fingerprint, question_text, reply_digest
from vnpy_aiagent.llm.ledger import Ledger
from vnpy_aiagent.llm.port import ModelPort, ModelReply, ModelRequest, Usage
from vnpy_aiagent.llm.pricing import estimate_prompt
from vnpy_aiagent.llm.roles import RoleModel
from vnpy_aiagent.llm.scope import Scope, ask

HideWords = Callable[[ModelRequest], tuple[ModelRequest, Callable[[ModelReply], ModelReply]]]
"""A request as a model gets it, and what brings its reply back."""

MAX_FAILURE = 2_000
SHORTEST_SECRET = 12


class CassetteModel:
    """A model with a cassette, itself a `ModelPort`.

    "record" asks and records. "replay" answers from the cassette alone; a question that it does not hold is a
    CassetteMiss. "auto" asks and records only what is not there. A recorded answer counts as a call with its
    tokens and costs nothing.
    """

    def __init__(
        self,
        model: ModelPort,
        cassette: Cassette,
        mode: CassetteMode,
        tell: Tell,
        secrets: Sequence[str] = (),
        ledger: Ledger | None = None,
    ) -> None:
        """`tell` hears once when nothing can be recorded. Recorded answers count in the ledger where given.

        No exchange that quotes one of the `secrets` is kept; words such as "ollama", which are no keys, are
        too short.
        """
        self._model = model
        self._cassette = cassette
        self._mode = mode
        self._tell = tell
        self._secrets = [json.dumps(secret)[1:-1] for secret in secrets if len(secret) >= SHORTEST_SECRET]
        self.ledger = ledger
        self._told = False

    @property
    def name(self) -> str:
        """Name of the model that answers, or once answered."""
        return self._model.name

    @property
    def is_llm(self) -> bool:
        """Whether that model is a language model."""
        return self._model.is_llm

    def complete(self, request: ModelRequest) -> ModelReply:
        """Answer from the cassette or by the model, as the mode says; what either raises passes through."""
        return self.answer(request, Scope())

    def answer(self, request: ModelRequest, scope: Scope) -> ModelReply:
        """As `complete`, for one decision. BudgetSpent where not even a recorded answer fits its budget."""
        if self._mode in ("replay", "auto"):
            found = self._cassette.find(fingerprint(self.name, request))
            if found is not None:
                return self._counted(request, found, scope)
        if self._mode == "replay":
            raise CassetteMiss(
                f"{self._cassette.path} holds no answer to this question of {request.task}; "
                "record it with llm.cassette_mode record or auto"
            )
        reply = ask(self._model, request, scope)
        if self._mode != "off":
            self._record(request, reply)
        return reply

    def _counted(self, request: ModelRequest, found: ModelReply, scope: Scope) -> ModelReply:
        scope.cancel.check()
        usage = found.usage.model_copy(update={"cost": Decimal(0)})
        if self.ledger is not None:
            purse = scope.purse or self.ledger.latest
            worst = Usage(
                calls=1, prompt_tokens=estimate_prompt(request), completion_tokens=request.max_tokens
            )
            purse.reserve(worst)
            purse.settle(worst, usage)
        return found.model_copy(update={"usage": usage})

    def close(self) -> None:
        """Close the model and the file."""
        self._model.close()
        self._cassette.close()

    def _record(self, request: ModelRequest, reply: ModelReply) -> None:
        """Keep the exchange; a decision never fails because it cannot be kept."""
        try:
            said = question_text(self.name, request) + answer_text(reply)
            if any(secret in said for secret in self._secrets):
                raise CassetteMiss("the model was told or quoted the API key; such an exchange is not kept")
            self._cassette.add(self.name, request, reply)
        except CassetteMiss as error:
            if not self._told:
                self._told = True
                self._tell(Severity.WARNING, say("模型问答没能录下，这类决策不能重放：{error}", error=error))


class SilentModel:
    """Stands where no model is to be asked: a cassette in mode "replay" goes before it."""

    def __init__(self, name: str) -> None:
        """The name of the model that once answered."""
        self._name = name

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    @property
    def is_llm(self) -> bool:
        """The recorded answers are a language model's."""
        return True

    def complete(self, request: ModelRequest) -> ModelReply:
        """Never answers: CassetteMiss."""
        raise CassetteMiss(f"{self._name} is not asked in mode replay; set llm.cassette_mode to auto")

    def close(self) -> None:
        """Nothing to close."""


class LoggedModel:
    """The model of a decision, or of one role in it: notes exchanges with a language model, failed too.

    For one thread: roles that are asked at the same time have one each over the same model.
    """

    def __init__(self, model: ModelPort, hide: HideWords | None = None) -> None:
        """Nothing was asked yet. `hide` rewrites what the model is asked, and gives the way back."""
        self.model = model
        self._hide = hide
        self.exchanges: list[Exchange] = []

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    @property
    def is_llm(self) -> bool:
        """Whether a language model answers."""
        return self.model.is_llm

    def complete(self, request: ModelRequest) -> ModelReply:
        """Ask the model and note what it was asked; what it raises passes through."""
        if self._hide is None:
            return self._ask(request)
        hidden, show = self._hide(request)
        return show(self._ask(hidden))

    def _ask(self, request: ModelRequest) -> ModelReply:
        if not self.is_llm:
            return self.model.complete(request)
        model = self.model
        if isinstance(model, RoleModel):
            model, request = model.route(request)
        question = fingerprint(model.name, request)
        try:
            reply = model.complete(request)
        except (ModelError, BudgetSpent) as error:
            said = clean(f"{type(error).__name__}: {error}", MAX_FAILURE)
            usage = used_by(error) or Usage()
            self._note(question, model.name, usage, failure=said)
            raise
        self._note(question, reply.answered_by or model.name, reply.usage, reply=reply_digest(reply))
        return reply

    def close(self) -> None:
        """The model is closed by whoever made it."""

    def _note(self, question: str, model: str, usage: Usage, *, reply: str = "", failure: str = "") -> None:
        used = TokenUsage(**usage.model_dump())
        self.exchanges.append(
            Exchange(request=question, reply=reply, usage=used, failure=failure, model=model)
        )
