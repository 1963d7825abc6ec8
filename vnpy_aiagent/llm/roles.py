"""The deep and the quick model as one, for one decision: each question goes to the model of its role."""

from typing import TypeVar

from vnpy_aiagent.config import LlmSettings, ModelRole
from vnpy_aiagent.llm.port import ModelPort, ModelReply, ModelRequest
from vnpy_aiagent.llm.scope import Scope, ask

Bound = TypeVar("Bound", int, float)


class RoleModel:
    """A `ModelPort` over both models of one decision. Safe to call from several threads.

    `usual` answers for the roles that `llm.roles` does not name. A question that goes to the other model gets
    that model's max_tokens, temperature, seed and timeout.
    """

    def __init__(
        self, deep: ModelPort, quick: ModelPort | None, llm: LlmSettings, usual: ModelRole, scope: Scope
    ) -> None:
        """`quick` None: one model for all."""
        self._models: dict[ModelRole, ModelPort] = {"deep": deep, "quick": quick or deep}
        self._llm = llm
        self._roles: dict[str, ModelRole] = dict(llm.roles.items())
        self.usual = usual
        self.scope = scope

    @property
    def name(self) -> str:
        """Name of the usual model."""
        return self._models[self.usual].name

    @property
    def is_llm(self) -> bool:
        """Whether the usual model is a language model."""
        return self._models[self.usual].is_llm

    @property
    def settings(self) -> LlmSettings:
        """Settings of the usual model."""
        return self._llm.of(self.usual)

    def route(self, request: ModelRequest) -> tuple[ModelPort, ModelRequest]:
        """The model that a question goes to, and the question as it is put to it."""
        role = self._roles.get(request.task, self.usual)
        model = _InScope(self._models[role], self.scope)
        if role == self.usual:
            return model, request
        own, usual = self._llm.of(role), self.settings
        changes = {
            "max_tokens": _own(request.max_tokens, usual.max_tokens, own.max_tokens),
            "temperature": own.temperature,
            "seed": own.seed,
            "timeout": _own(request.timeout, usual.timeout, own.timeout),
        }
        return model, request.model_copy(update=changes)

    def complete(self, request: ModelRequest) -> ModelReply:
        """Ask the model of the question's role; what it raises passes through."""
        model, request = self.route(request)
        return model.complete(request)

    def close(self) -> None:
        """The models are closed by whoever made them."""


class _InScope:
    """A model for one decision."""

    def __init__(self, model: ModelPort, scope: Scope) -> None:
        self._model = model
        self._scope = scope

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def is_llm(self) -> bool:
        return self._model.is_llm

    def complete(self, request: ModelRequest) -> ModelReply:
        return ask(self._model, request, self._scope)

    def close(self) -> None:
        """The model is closed by whoever made it."""


def _own(asked: Bound, usual: Bound, own: Bound) -> Bound:
    """The model's own bound, unless the question has a tighter one of its own."""
    return own if asked == usual else min(asked, own)
