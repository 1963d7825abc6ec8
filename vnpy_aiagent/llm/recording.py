"""Models that record what they are asked, or answer from a record: over a cassette, and for one decision."""

import json
from decimal import Decimal

from vnpy_aiagent.config import CassetteMode
from vnpy_aiagent.domain import Exchange, Severity, TokenUsage, clean, say
from vnpy_aiagent.errors import BudgetSpent, CassetteMiss, ModelError
from vnpy_aiagent.llm.breaker import Tell
from vnpy_aiagent.llm.cassette import Cassette, answer_text, fingerprint, question_text, reply_digest
from vnpy_aiagent.llm.port import ModelPort, ModelReply, ModelRequest

MAX_FAILURE = 2_000
SHORTEST_SECRET = 12


class CassetteModel:
    """A model with a cassette, itself a `ModelPort`.

    "record" asks and records. "replay" answers from the cassette alone; a question that it does not hold is a
    CassetteMiss. "auto" asks and records only what is not there. A recorded answer counts as a call with its
    tokens and costs nothing.
    """

    def __init__(
        self, model: ModelPort, cassette: Cassette, mode: CassetteMode, tell: Tell, secret: str = ""
    ) -> None:
        """`tell` hears once when nothing can be recorded.

        No exchange that quotes `secret` is kept; words such as "ollama", which are no keys, are too short.
        """
        self._model = model
        self._cassette = cassette
        self._mode = mode
        self._tell = tell
        self._secret = json.dumps(secret)[1:-1] if len(secret) >= SHORTEST_SECRET else ""
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
        if self._mode in ("replay", "auto"):
            found = self._cassette.find(fingerprint(self.name, request))
            if found is not None:
                usage = found.usage.model_copy(update={"cost": Decimal(0)})
                return found.model_copy(update={"usage": usage})
        if self._mode == "replay":
            raise CassetteMiss(
                f"{self._cassette.path} holds no answer to this question of {request.task}; "
                "record it with llm.cassette_mode record or auto"
            )
        reply = self._model.complete(request)
        if self._mode != "off":
            self._record(request, reply)
        return reply

    def close(self) -> None:
        """Close the model and the file."""
        self._model.close()
        self._cassette.close()

    def _record(self, request: ModelRequest, reply: ModelReply) -> None:
        """Keep the exchange; a decision never fails because it cannot be kept."""
        try:
            if self._secret and self._secret in question_text(self.name, request) + answer_text(reply):
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
    """The model of one decision: notes every exchange with a language model, failed ones too."""

    def __init__(self, model: ModelPort) -> None:
        """Nothing was asked yet."""
        self.model = model
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
        """Ask the model and note it; what it raises passes through."""
        if not self.is_llm:
            return self.model.complete(request)
        question = fingerprint(self.name, request)
        try:
            reply = self.model.complete(request)
        except (ModelError, BudgetSpent) as error:
            said = clean(f"{type(error).__name__}: {error}", MAX_FAILURE)
            self.exchanges.append(Exchange(request=question, failure=said))
            raise
        usage = TokenUsage(**reply.usage.model_dump())
        self.exchanges.append(Exchange(request=question, reply=reply_digest(reply), usage=usage))
        return reply

    def close(self) -> None:
        """The model is closed by whoever made it."""
