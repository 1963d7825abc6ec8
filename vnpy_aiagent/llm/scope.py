"""What belongs to one decision while its models are asked: its budget, its end, who listens.

Models are shared by all decisions at work; a model that wants to know for which one it is asked has `answer`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Protocol, runtime_checkable

from vnpy_aiagent.errors import ModelCancelled
from vnpy_aiagent.llm.ledger import Purse, Settled
from vnpy_aiagent.llm.port import ModelPort, ModelReply, ModelRequest

Heard = Callable[[str, str], None]
"""Gets the role and each piece of what a model says while it says it; from several threads."""


class Cancel:
    """Whether a decision's model calls are to end. Safe to use from several threads."""

    def __init__(self) -> None:
        """Nobody has cancelled."""
        self._lock = Lock()
        self._set = Event()
        self._reason = ""
        self._stops: list[Callable[[], object]] = []

    @property
    def cancelled(self) -> bool:
        """Whether somebody has."""
        return self._set.is_set()

    def cancel(self, reason: str) -> None:
        """End what is running; calls that come later fail at once. The first reason stays."""
        with self._lock:
            if self._set.is_set():
                return
            self._reason = reason
            self._set.set()
            stops = list(self._stops)
        for stop in stops:
            stop()

    def check(self) -> None:
        """Raise ModelCancelled once it is cancelled."""
        if self._set.is_set():
            raise ModelCancelled(self._reason)

    def wait(self, seconds: float) -> None:
        """Wait, or raise ModelCancelled as soon as it is cancelled."""
        self._set.wait(seconds)
        self.check()

    @contextmanager
    def calling(self, stop: Callable[[], object]) -> Iterator[None]:
        """While this lasts, `stop` is called when it is cancelled; ModelCancelled where it already is."""
        with self._lock:
            self.check()
            self._stops.append(stop)
        try:
            yield
        finally:
            with self._lock:
                self._stops.remove(stop)


@dataclass(frozen=True, slots=True)
class Scope:
    """One decision among those at work. Without a `purse` the ledger's latest decision is meant."""

    purse: Purse | None = None
    cancel: Cancel = field(default_factory=Cancel)
    heard: Heard | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """Who looks after a decision from outside: may cancel it, hears it, and counts what it uses."""

    cancel: Cancel = field(default_factory=Cancel)
    heard: Heard | None = None
    settled: Settled | None = None


@runtime_checkable
class ScopedModel(Protocol):
    """A model that takes the decision along."""

    def answer(self, request: ModelRequest, scope: Scope) -> ModelReply:
        """As `complete`, for this decision. Raises ModelCancelled when the decision is cancelled."""


def ask(model: ModelPort, request: ModelRequest, scope: Scope) -> ModelReply:
    """Ask a model for a decision. Raises ModelCancelled once the decision is cancelled."""
    scope.cancel.check()
    return model.answer(request, scope) if isinstance(model, ScopedModel) else model.complete(request)
