"""A circuit breaker: a server that is down is left alone for a while, so that a scan over it ends at once.

It opens after FAILURES calls in a row without an answer (each with its own retries behind it). While open
every call fails at once; after the rest one call goes through as a probe and closes it or opens it anew.
Live, the rest is COOL_DOWN seconds of a steady clock. In simulation no clock of the machine may decide:
there the rest is COOL_DOWN_CALLS refused calls, which is the same in every run.
"""

from collections.abc import Callable
from threading import Lock

from vnpy_aiagent.domain import Severity, Text, say
from vnpy_aiagent.errors import ModelCancelled, ModelError, ModelTimeout, ModelUnavailable
from vnpy_aiagent.llm.port import ModelPort, ModelReply, ModelRequest
from vnpy_aiagent.llm.scope import Scope, ask

FAILURES = 2
COOL_DOWN = 60.0
COOL_DOWN_CALLS = 20
Tell = Callable[[Severity, Text], None]


class BreakerModel:
    """A model behind a breaker, itself a `ModelPort`. Safe to call from several threads."""

    def __init__(
        self,
        model: ModelPort,
        tell: Tell,
        monotonic: Callable[[], float] | None,
        failures: int = FAILURES,
        *,
        spare: bool = False,
    ) -> None:
        """`tell` hears once of a spell without answers, once of its end. `monotonic` None: rest by calls.

        `spare`: another server is asked meanwhile.
        """
        self._spare = spare
        self._model = model
        self._tell = tell
        self._monotonic = monotonic
        self._limit = failures
        self._lock = Lock()
        self._failures = 0
        self._refused = 0
        self._rested_from = 0.0

    @property
    def name(self) -> str:
        """Name of the model behind the breaker."""
        return self._model.name

    @property
    def is_llm(self) -> bool:
        """Whether the model behind the breaker is a language model."""
        return self._model.is_llm

    def complete(self, request: ModelRequest) -> ModelReply:
        """Ask the model; ModelUnavailable at once while it is left alone."""
        return self.answer(request, Scope())

    def answer(self, request: ModelRequest, scope: Scope) -> ModelReply:
        """As `complete`, for one decision. A call that was cancelled says nothing about the server."""
        with self._lock:
            self._refuse_while_open()
        try:
            reply = ask(self._model, request, scope)
        except ModelCancelled:
            raise
        except (ModelUnavailable, ModelTimeout):
            self._failed()
            raise
        except ModelError:
            self._answered()  # a refusal or nonsense: the server is there
            raise
        self._answered()
        return reply

    def close(self) -> None:
        """Close the model behind the breaker."""
        self._model.close()

    def _refuse_while_open(self) -> None:
        if self._failures < self._limit:
            return
        if self._rested():
            self._rest()  # what comes while the probe is on its way is refused
            return
        self._refused += 1
        raise ModelUnavailable(
            f"model {self.name} gave no answer {self._failures} times in a row and is left alone; "
            "check the server and the network, it is asked again by itself"
        )

    def _rested(self) -> bool:
        if self._monotonic is None:
            return self._refused >= COOL_DOWN_CALLS
        return self._monotonic() - self._rested_from >= COOL_DOWN

    def _rest(self) -> None:
        self._refused = 0
        self._rested_from = self._monotonic() if self._monotonic is not None else 0.0

    def _failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= self._limit:
                self._rest()
            opened = self._failures == self._limit
        if opened:
            self._tell(Severity.WARNING, self._left_alone())

    def _left_alone(self) -> Text:
        if self._spare:
            return say(
                "模型 {model} 连续 {count} 次没有应答，暂停询问，稍后自动重试；其间由后备模型作答",
                model=self.name,
                count=self._limit,
            )
        return say(
            "模型 {model} 连续 {count} 次没有应答，暂停询问，稍后自动重试；其间的决策保持不动",
            model=self.name,
            count=self._limit,
        )

    def _answered(self) -> None:
        with self._lock:
            closed, self._failures = self._failures >= self._limit, 0
        if closed:
            self._tell(Severity.INFO, say("模型 {model} 恢复应答", model=self.name))
