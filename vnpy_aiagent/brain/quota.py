"""A bound on the model use of one debate, checked before each call."""

from vnpy_aiagent.errors import ModelError, ModelNonsense, ModelTimeout, QuotaSpent
from vnpy_aiagent.llm.port import ModelPort, ModelReply, ModelRequest
from vnpy_aiagent.llm.pricing import estimate_prompt


class DebateQuota:
    """A model, itself a `ModelPort`, that is asked so often and reads so many tokens at most.

    A call counts with the prompt tokens that were reported. One that timed out or came back unusable counts
    as estimated, as the budget counts it.
    """

    def __init__(self, model: ModelPort, calls: int, prompt_tokens: int) -> None:
        """Nothing is used yet."""
        self._model = model
        self._calls = calls
        self._tokens = prompt_tokens
        self.calls = 0
        self.prompt_tokens = 0

    @property
    def name(self) -> str:
        """Name of the model behind the quota."""
        return self._model.name

    @property
    def is_llm(self) -> bool:
        """Whether the model behind the quota is a language model."""
        return self._model.is_llm

    def complete(self, request: ModelRequest) -> ModelReply:
        """Ask the model; QuotaSpent before the call that would go beyond the quota."""
        estimate = estimate_prompt(request)
        if self.calls >= self._calls:
            raise QuotaSpent(
                f"the {self._calls} model calls of this debate are used up; it ends with the last plans "
                "(brain.debate_calls)"
            )
        if self.prompt_tokens + estimate > self._tokens:
            raise QuotaSpent(
                f"the {self._tokens} prompt tokens of this debate do not cover the next call; it ends with "
                "the last plans (brain.debate_prompt_tokens)"
            )
        self.calls += 1
        try:
            reply = self._model.complete(request)
        except ModelError as error:
            if isinstance(error, ModelTimeout | ModelNonsense):
                self.prompt_tokens += estimate
            raise
        self.prompt_tokens += reply.usage.prompt_tokens
        return reply

    def close(self) -> None:
        """The model is closed by whoever made it."""
