"""A completion that comes in pieces (server-sent events), put together into the body of a whole one.

Bytes may be cut anywhere: inside a character, an escape, a line, the arguments of a tool call.
"""

import json
from typing import Any

from vnpy_aiagent.domain import without_surrogates
from vnpy_aiagent.errors import ModelNonsense, ModelUnavailable

EVENT_STREAM = "text/event-stream"
DONE = "[DONE]"
TEXTS = ("content", "reasoning_content", "reasoning", "refusal")
MOST_CALLS = 128
"""Tools that one answer may ask for: a model that asks for more went mad."""
SPOKEN = ("content", "reasoning_content", "reasoning")


class StreamedReply:
    """Takes the bytes as they come; `body` is the completion once it is `whole`."""

    def __init__(self) -> None:
        """Nothing came yet."""
        self._left = b""
        self._texts: dict[str, list[str]] = {}
        self._calls: list[_Call] = []
        self._finish = ""
        self._model = ""
        self._usage: dict[str, Any] | None = None
        self._done = False

    @property
    def whole(self) -> bool:
        """Whether the server said that it has ended."""
        return self._done or bool(self._finish)

    def feed(self, chunk: bytes) -> str:
        """Take bytes; the words in them, answer or thought.

        ModelUnavailable where the server breaks off, ModelNonsense where it asks for tools without end.
        """
        *lines, self._left = (self._left + chunk).split(b"\n")
        return "".join(self._line(line) for line in lines)

    def end(self) -> None:
        """The connection has ended in order: what is left is a line of its own."""
        line, self._left = self._left, b""
        self._line(line)

    def body(self) -> dict[str, Any]:
        """As the server would have sent it in one piece."""
        message: dict[str, Any] = {"role": "assistant", "content": None}
        for name, parts in self._texts.items():
            message[name] = without_surrogates("".join(parts))
        if self._calls:
            message["tool_calls"] = [call.body() for call in self._calls]
        choice = {"index": 0, "message": message, "finish_reason": self._finish or None}
        body: dict[str, Any] = {"object": "chat.completion", "choices": [choice]}
        if self._model:
            body["model"] = self._model
        if self._usage is not None:
            body["usage"] = self._usage
        return body

    def _line(self, line: bytes) -> str:
        text = line.decode("utf-8", "replace").strip()
        if not text.startswith("data:"):
            return ""  # a comment that keeps the line open, the name of an event, an empty line
        data = text[len("data:") :].strip()
        if data == DONE:
            self._done = True
            return ""
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):
            return ""  # a piece that says nothing; what lacks for it shows in the answer
        return self._event(event) if isinstance(event, dict) else ""

    def _event(self, event: dict[str, Any]) -> str:
        if event.get("error"):
            error = event["error"]
            said = error.get("message") if isinstance(error, dict) else error
            raise ModelUnavailable(f"broke off while it answered ({str(said)[:200]})")
        if isinstance(event.get("model"), str):
            self._model = self._model or event["model"]
        if isinstance(event.get("usage"), dict):
            self._usage = event["usage"]
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            return ""
        if isinstance(choice.get("finish_reason"), str):
            self._finish = choice["finish_reason"]
        delta = choice.get("delta") or choice.get("message")
        return self._delta(delta) if isinstance(delta, dict) else ""

    def _delta(self, delta: dict[str, Any]) -> str:
        for name in TEXTS:
            if isinstance(delta.get(name), str):
                self._texts.setdefault(name, []).append(delta[name])
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else []:
            if isinstance(call, dict):
                self._call(call)
        spoken = (delta[name] for name in SPOKEN if isinstance(delta.get(name), str))
        return without_surrogates(next(spoken, ""))

    def _call(self, given: dict[str, Any]) -> None:
        """A piece of a tool call. Servers number calls, or name an id with each, or send each whole."""
        index, id_ = given.get("index"), given.get("id")
        function = given.get("function")
        function = function if isinstance(function, dict) else {}
        name = function.get("name")
        call = self._open(index if isinstance(index, int) else None, id_, name)
        if isinstance(id_, str):
            call.id = call.id or id_
        if isinstance(name, str):
            call.name = call.name or name
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            call.arguments.append(arguments)
        elif arguments is not None:
            call.arguments.append(json.dumps(arguments, ensure_ascii=False))

    def _open(self, index: int | None, id_: object, name: object) -> "_Call":
        """The call that a piece belongs to; a new one where number or id are new."""
        known = [call for call in self._calls if index is None or call.index == index]
        last = known[-1] if known else None
        another = bool(id_) and last is not None and bool(last.id) and last.id != id_ and bool(name)
        if last is None or another or (index is None and not id_ and bool(name)):
            if len(self._calls) >= MOST_CALLS:
                raise ModelNonsense(f"the model asked for more than {MOST_CALLS} tools at once; use another")
            last = _Call(index)
            self._calls.append(last)
        return last


class _Call:
    """A tool call of which pieces come."""

    def __init__(self, index: int | None) -> None:
        self.index = index
        self.id = ""
        self.name = ""
        self.arguments: list[str] = []

    def body(self) -> dict[str, Any]:
        function = {"name": self.name, "arguments": without_surrogates("".join(self.arguments))}
        return {"id": self.id, "type": "function", "function": function}
