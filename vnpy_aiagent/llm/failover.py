"""A list of servers for one role: where one is down, refuses or is over its quota, the next is asked."""

from collections.abc import Sequence
from threading import Lock

from vnpy_aiagent.domain import Severity, say
from vnpy_aiagent.errors import (
    BudgetSpent,
    ModelCancelled,
    ModelError,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
    NoModelApi,
)
from vnpy_aiagent.llm.breaker import Tell
from vnpy_aiagent.llm.budget import BudgetedModel, Ledger, used_by
from vnpy_aiagent.llm.port import ModelReply, ModelRequest, Usage
from vnpy_aiagent.llm.scope import Scope, ask

BACK = 20
"""Answers of the first server in a row after which people hear that it is back: it may come and go."""
GONE = (ModelUnavailable, ModelTimeout, ModelRefused, NoModelApi)


class FailoverModel:
    """Servers in order, each behind its own breaker and priced on its own; itself a `ModelPort`.

    A bad answer is no reason to ask the next one: the conversation objects to it. A decision asks the whole
    list anew at every question; the breakers keep it from waiting for what is known to be down.
    """

    def __init__(self, servers: Sequence[BudgetedModel], labels: Sequence[str], tell: Tell) -> None:
        """`labels` name the servers in journals. `tell` hears when another than the first answers, and again
        when the first is back. All servers share a ledger.
        """
        self._servers = list(zip(servers, labels, strict=True))
        self._tell = tell
        self._lock = Lock()
        self._spared = False
        self._in_a_row = 0

    @property
    def name(self) -> str:
        """Name of the first model."""
        return self._servers[0][0].name

    @property
    def is_llm(self) -> bool:
        """Language models answer."""
        return self._servers[0][0].is_llm

    @property
    def ledger(self) -> Ledger:
        """The budget that all servers share."""
        return self._servers[0][0].ledger

    def complete(self, request: ModelRequest) -> ModelReply:
        """Ask for the decision that the ledger began last."""
        return self.answer(request, Scope())

    def answer(self, request: ModelRequest, scope: Scope) -> ModelReply:
        """The first answer that comes. Its use holds that of the servers that failed before.

        Raises the last server's error, with the sentences of all, where none answers.
        """
        lost: list[ModelError] = []
        for place, (server, label) in enumerate(self._servers):
            try:
                reply = ask(server, request, scope)
            except GONE as error:
                lost.append(error)
                continue
            except (ModelCancelled, ModelError, BudgetSpent) as error:
                error.usage = _sum(lost) + (used_by(error) or Usage())
                raise
            self._note(place)
            return self._named(reply, label if place else "", lost)
        raise self._all(lost)

    def close(self) -> None:
        """Close all."""
        for server, _ in self._servers:
            server.close()

    def _named(self, reply: ModelReply, label: str, lost: Sequence[ModelError]) -> ModelReply:
        if not (label or lost):
            return reply
        return reply.model_copy(update={"answered_by": label, "usage": _sum(lost) + reply.usage})

    def _all(self, lost: Sequence[ModelError]) -> ModelError:
        if len(lost) == 1:
            return lost[0]
        said = "; ".join(f"{label}: {error}" for (_, label), error in zip(self._servers, lost, strict=True))
        error = type(lost[-1])(said)
        error.status, error.usage = lost[-1].status, _sum(lost)
        return error

    def _note(self, place: int) -> None:
        """Tell of the first answer of a spare, and of the first server's return once it lasts."""
        with self._lock:
            self._in_a_row = self._in_a_row + 1 if place == 0 else 0
            began = place > 0 and not self._spared
            ended = self._spared and self._in_a_row >= BACK
            self._spared = began or (self._spared and not ended)
        if began:
            name = self._servers[place][1]
            sentence = say("模型 {model} 没有应答或拒绝，现由后备 {spare} 作答", model=self.name, spare=name)
            self._tell(Severity.WARNING, sentence)
        elif ended:
            self._tell(Severity.INFO, say("模型 {model} 恢复作答，不再用后备", model=self.name))


def _sum(lost: Sequence[ModelError]) -> Usage:
    return sum((used_by(error) or Usage() for error in lost), Usage())
