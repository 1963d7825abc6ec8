"""The one port behind which every model stands: messages and tool schemas in; text, tool calls, usage out."""

import hashlib
import json
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from vnpy_aiagent.domain import TokenUsage

Role = Literal["system", "user", "assistant", "tool"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ToolSpec(_Frozen):
    """A tool that the model may call. `parameters` is the JSON schema of its arguments, an object."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    description: str
    parameters: dict[str, Any]


class ToolCall(_Frozen):
    """A tool that the model wants called. `arguments` is the raw JSON text, unchecked."""

    id: str
    name: str
    arguments: str


class ChatMessage(_Frozen):
    """One message of a conversation.

    `tool_calls` belong to the assistant; `tool_call_id` to the tool message that answers one of them.
    `reasoning` is what a reasoning model thought aloud; it goes back only to servers that insist on it.
    """

    role: Role
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    reasoning: str = ""


class ModelRequest(_Frozen):
    """What is asked of a model.

    `task` is a role label such as "technical_analyst": it is for records and is never sent as content.
    `answer_schema` is the JSON schema that the final text must follow, `schema_name` its name.
    `timeout` is the longest wait for the whole call in seconds, retries included.
    """

    task: str
    messages: tuple[ChatMessage, ...] = Field(min_length=1)
    tools: tuple[ToolSpec, ...] = ()
    schema_name: str = ""
    answer_schema: dict[str, Any] | None = None
    max_tokens: int = Field(2000, gt=0)
    temperature: float = Field(0.0, ge=0, allow_inf_nan=False)
    seed: int | None = None
    timeout: float = Field(60.0, gt=0, allow_inf_nan=False)

    def fingerprint(self) -> str:
        """SHA-256 (hex) of the request as canonical JSON; the timeout does not count."""
        content = self.model_dump(exclude={"timeout"})
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode("ascii")).hexdigest()


class Usage(TokenUsage):
    """Model use that adds up; cost in CNY.

    `calls` counts answered requests, not the attempts behind them. `estimated` where any part of the
    figures was counted from characters because the server reported none.
    """

    def __add__(self, other: TokenUsage) -> "Usage":
        """Both uses together."""
        return Usage(
            calls=self.calls + other.calls,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cost=self.cost + other.cost,
            estimated=self.estimated or other.estimated,
        )

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens."""
        return self.prompt_tokens + self.completion_tokens


class ModelReply(_Frozen):
    """What a model answered: text, or tool calls that it wants made before it goes on.

    `answered_by` names the model of a fallback that answered in the place of the one that was asked.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage(calls=1)
    model: str = ""
    finish_reason: str = "stop"
    reasoning: str = ""
    answered_by: str = ""

    def as_message(self) -> ChatMessage:
        """The reply as the assistant's message of the conversation that goes on."""
        return ChatMessage(
            role="assistant", content=self.text, tool_calls=self.tool_calls, reasoning=self.reasoning
        )


class ModelPort(Protocol):
    """Any model: a server, the offline analyst, a recording, a fake."""

    @property
    def name(self) -> str:
        """The model's name as it appears in reports and journals."""

    @property
    def is_llm(self) -> bool:
        """Whether a language model answers; False for rules and fakes."""

    def complete(self, request: ModelRequest) -> ModelReply:
        """Answer one request. Raises ModelError, or BudgetSpent where a budget stands before the model."""

    def close(self) -> None:
        """Give up connections; the model is not used afterwards."""
