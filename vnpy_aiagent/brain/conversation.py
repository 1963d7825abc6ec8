"""One bounded conversation with a model: tool calls, then one answer of a schema, one repair at most."""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeVar

from vnpy_aiagent.brain.schemas import Answer, read_answer, schema_of
from vnpy_aiagent.config import LlmSettings
from vnpy_aiagent.errors import ModelNonsense, QuotaSpent, ToolError
from vnpy_aiagent.llm.port import ChatMessage, ModelPort, ModelReply, ModelRequest, ToolCall, Usage
from vnpy_aiagent.tools.registry import Toolbox, as_message

AnswerType = TypeVar("AnswerType", bound=Answer)
MAX_CALLS_A_STEP = 12


@dataclass(slots=True)
class Trace:
    """What all conversations of a decision used, and a running hash over their requests."""

    usage: Usage = field(default_factory=Usage)
    digest: str = ""

    def add(self, request: ModelRequest, reply: ModelReply) -> None:
        """Count one exchange."""
        self.usage = self.usage + reply.usage
        self.digest = sha256((self.digest + request.fingerprint()).encode("ascii")).hexdigest()

    def merge(self, other: "Trace") -> None:
        """Count what another conversation used; the order of merging is part of the hash."""
        if other.digest:
            self.usage = self.usage + other.usage
            self.digest = sha256((self.digest + other.digest).encode("ascii")).hexdigest()


class Conversation:
    """Messages with one role. Raises ModelError where no valid answer comes of it."""

    def __init__(
        self,
        model: ModelPort,
        settings: LlmSettings,
        trace: Trace,
        task: str,
        system: str,
        user: str,
        toolbox: Toolbox | None = None,
        steps: int = 1,
        calls: int | None = None,
    ) -> None:
        """`steps` bounds the turns in which tools may be called, `calls` the questions to the model.

        The last call is for the answer: no tools are offered with it.
        """
        self.model = model
        self.settings = settings
        self.trace = trace
        self.task = task
        self.toolbox = toolbox
        self.steps = steps
        self.calls = calls
        self.messages: list[ChatMessage] = [
            ChatMessage(role="system", content=system),
            ChatMessage(role="user", content=user),
        ]
        self._repaired = False

    def ask(self, answer: type[AnswerType]) -> AnswerType:
        """Run tools as the model wishes, then parse its answer; one repair where it does not parse."""
        for step in range(self.steps + 2):
            tools = step < self.steps and self.calls != 1
            reply = self._complete(answer, tools=tools)
            self.messages.append(reply.as_message())
            if reply.tool_calls:
                self._run_tools(reply.tool_calls, allowed=tools)
                continue
            try:
                return read_answer(answer, reply.text, is_llm=self.model.is_llm)
            except ModelNonsense as error:
                self.object(str(error))
        raise ModelNonsense(f"{self.task}: no answer after {self.steps + 2} turns")

    def object(self, problem: str) -> None:
        """Tell the model what is wrong with its last answer; a second objection raises ModelNonsense."""
        if self._repaired:
            raise ModelNonsense(f"{self.task}: {problem}")
        self._repaired = True
        self.messages.append(
            ChatMessage(
                role="user", content=json.dumps({"refused": problem, "do": "answer again, corrected"})
            )
        )

    def _complete(self, answer: type[Answer], *, tools: bool) -> ModelReply:
        if self.calls is not None:
            if self.calls < 1:
                raise QuotaSpent(f"{self.task}: no model call is left for an answer; raise brain.study_calls")
            self.calls -= 1
        specs = self.toolbox.specs() if self.toolbox is not None and tools else ()
        request = ModelRequest(
            task=self.task,
            messages=tuple(self.messages),
            tools=specs,
            schema_name=answer.__name__,
            answer_schema=schema_of(answer),
            max_tokens=self.settings.max_tokens,
            temperature=self.settings.temperature,
            seed=self.settings.seed,
            timeout=self.settings.timeout,
        )
        reply = self.model.complete(request)
        self.trace.add(request, reply)
        return reply

    def _run_tools(self, calls: tuple[ToolCall, ...], *, allowed: bool) -> None:
        for number, call in enumerate(calls):
            if self.toolbox is None or not allowed or number >= MAX_CALLS_A_STEP:
                content = json.dumps({"error": "no more tool calls; answer now with what you have"})
            else:
                try:
                    content = as_message(self.toolbox.call(call.name, call.arguments))
                except ToolError as error:
                    content = json.dumps({"error": str(error)}, ensure_ascii=False)
            self.messages.append(ChatMessage(role="tool", content=content, tool_call_id=call.id))
