"""A local model server that speaks the OpenAI protocol over real HTTP, scripted, with faults on demand.

    def handler(body: dict) -> dict | Fault:
        return text_reply("hold") if len(body["messages"]) < 3 else Fault(status=500)

    with ModelServer(handler) as server:
        model = OpenAIModel(server.base_url, "any-name", "any-key")
        ...
    server.requests[0].body["messages"]

It listens on 127.0.0.1 at a free port. An exception of the handler, a failed assertion too, is answered with
status 500 and raised again when the `with` block ends.
"""

import json
import socket
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, ClassVar, Literal, Self

Body = dict[str, Any]

LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
GARBAGE = b"<html><body>502 Bad Gateway</body></html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something other than a good answer.

    `status` with a `message` is an error answer, with Retry-After where `retry_after` (seconds) is given.
    `body` replaces the answer's bytes. `cut` ends the connection in the middle of the body: "truncated" in
    order, "reset" with a TCP reset. `delay` (seconds) comes before the answer, which is `reply` if given.
    """

    status: int = 200
    message: str = "scripted fault"
    code: str | None = None
    retry_after: float | None = None
    delay: float = 0.0
    body: bytes | None = None
    cut: Literal["", "truncated", "reset"] = ""
    reply: Body | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer in pieces, as server-sent events. `pause` (seconds) comes before each piece.

    Then the connection closes, whether all was said or not; with `hold` it stays open until the client or
    the server leaves. `ModelServer.left` is set once a client left a stream.
    """

    pieces: tuple[bytes, ...]
    pause: float = 0.0
    hold: bool = False


Answer = Body | Fault | Stream
Handler = Callable[[Body], Answer]


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request as it came; header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: Body


def text_reply(
    text: str,
    *,
    reasoning: str = "",
    finish_reason: str = "stop",
    usage: tuple[int, int] | None = (100, 20),
    model: str = "test-model",
) -> Body:
    """A completion with text. `usage` is prompt and completion tokens; None leaves it out."""
    message: Body = {"role": "assistant", "content": text}
    if reasoning:
        message["reasoning_content"] = reasoning
    return _completion(message, finish_reason, usage, model)


def tool_reply(
    *calls: tuple[str, Mapping[str, Any] | str],
    usage: tuple[int, int] | None = (100, 20),
    model: str = "test-model",
) -> Body:
    """A completion that calls tools, each as (name, arguments); text arguments are sent as they are."""
    message = {
        "role": "assistant",
        "content": None,
        "tool_calls": [_tool_call(place, name, given) for place, (name, given) in enumerate(calls)],
    }
    return _completion(message, "tool_calls", usage, model)


def streamed(
    reply: Body, *, size: int = 64, pause: float = 0.0, usage: bool = True, share: float = 1.0
) -> Stream:
    """A completion as a stream whose bytes are cut every `size`; `share` of it is sent, 1 for the whole."""
    choice = reply["choices"][0]
    message, finish = choice["message"], choice["finish_reason"]
    events = [_event(reply, {"role": "assistant"})]
    for name in ("reasoning_content", "content"):
        text = message.get(name) or ""
        events += [_event(reply, {name: text[at : at + 3]}) for at in range(0, len(text), 3)]
    for index, call in enumerate(message.get("tool_calls", ())):
        function = call["function"]
        head = {"index": index, "id": call["id"], "type": "function"}
        events.append(
            _event(reply, {"tool_calls": [head | {"function": {"name": function["name"], "arguments": ""}}]})
        )
        said = function["arguments"]
        parts = [said[at : at + 4] for at in range(0, len(said), 4)]
        events += [
            _event(reply, {"tool_calls": [{"index": index, "function": {"arguments": part}}]})
            for part in parts
        ]
    events.append(_event(reply, {}, finish))
    if usage and "usage" in reply:
        events.append({"model": reply["model"], "choices": [], "usage": reply["usage"]})
    lines = [b": keep-alive\n\n"]
    lines += [b"data: " + json.dumps(each, ensure_ascii=False).encode("utf-8") + b"\n\n" for each in events]
    whole = b"".join([*lines, b"data: [DONE]\n\n"])
    sent = whole[: int(len(whole) * share)]
    return Stream(tuple(sent[at : at + size] for at in range(0, len(sent), size)), pause)


def _event(reply: Body, delta: Body, finish: str | None = None) -> Body:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"object": "chat.completion.chunk", "model": reply["model"], "choices": [choice]}


def in_turn(*answers: Answer) -> Handler:
    """A handler that gives these answers in order; one request more is an error."""
    lock = Lock()
    left = list(answers)

    def handler(body: Body) -> Answer:
        with lock:
            if not left:
                raise AssertionError(f"the script has {len(answers)} answers and one more request came")
            return left.pop(0)

    return handler


def garbage() -> Fault:
    """Status 200 with a page that is no JSON."""
    return Fault(body=GARBAGE)


def truncated() -> Fault:
    """An answer that ends in the middle, the connection closed in order."""
    return Fault(cut="truncated")


def reset_in_body() -> Fault:
    """An answer that ends in the middle with a TCP reset."""
    return Fault(cut="reset")


def empty_choices() -> Fault:
    """A completion without choices."""
    return Fault(reply={"object": "chat.completion", "model": "test-model", "choices": []})


def closed_port_url() -> str:
    """A base URL on this machine where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/v1"


class ModelServer:
    """The server, as a context manager. `requests` records every completion request in order of arrival."""

    def __init__(self, handler: Handler, *, models: tuple[str, ...] = ("test-model",)) -> None:
        self.requests: list[RecordedRequest] = []
        self.models = models
        self._handler = handler
        self.failures: list[Exception] = []
        self._lock = Lock()
        self.left = Event()
        self.stopping = Event()
        self._server = _Server(self)
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def base_url(self) -> str:
        """What a client takes as base_url."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        """Start to listen."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and raise what the handler raised unless the block itself failed."""
        self.stop()
        if error is None and self.failures:
            raise self.failures[0]

    def stop(self) -> None:
        """Close the port: later connections are refused. Waiting answers are dropped."""
        if self.stopping.is_set():
            return
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: RecordedRequest) -> Answer:
        """Record a request and ask the handler."""
        with self._lock:
            self.requests.append(request)
        try:
            return self._handler(request.body)
        except Exception as error:  # noqa: BLE001 - kept, and raised again by __exit__
            self.failures.append(error)
            return Fault(status=500, message=f"the handler failed: {error!r}")


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True

    def __init__(self, owner: ModelServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _RequestHandler)

    def server_bind(self) -> None:
        """Bind without the name lookup of HTTPServer, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is part of the tests; anything else is kept for the end."""
        error = sys.exception()
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self.owner.failures.append(error)


class _RequestHandler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout: ClassVar[float | None] = 5

    def do_GET(self) -> None:
        """GET /v1/models."""
        if self.path != "/v1/models":
            self._send(404, _error(f"no such path {self.path}"))
            return
        names = [{"id": name, "object": "model"} for name in self.server.owner.models]
        self._send(200, json.dumps({"object": "list", "data": names}).encode("utf-8"))

    def do_POST(self) -> None:
        """POST /v1/chat/completions."""
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path != "/v1/chat/completions":
            self._send(404, _error(f"no such path {self.path}"))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.owner.answer(RecordedRequest(self.path, headers, json.loads(raw)))
        if isinstance(answer, Fault):
            self._fail(answer)
        elif isinstance(answer, Stream):
            self._stream(answer)
        else:
            self._send(200, json.dumps(answer).encode("utf-8"))

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error."""

    def _fail(self, fault: Fault) -> None:
        if fault.delay and self.server.owner.stopping.wait(fault.delay):
            self.close_connection = True
            return
        body = _fault_body(fault)
        if fault.cut:
            self._cut(fault, body)
        else:
            self._send(fault.status, body, fault.retry_after)

    def _stream(self, stream: Stream) -> None:
        owner = self.server.owner
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            for piece in stream.pieces:
                if stream.pause and owner.stopping.wait(stream.pause):
                    return
                self.wfile.write(piece)
                self.wfile.flush()
            while stream.hold and not owner.stopping.wait(0.01):
                self.wfile.write(b": still there\n\n")
        except OSError:
            owner.left.set()

    def _send(self, status: int, body: bytes, retry_after: float | None = None) -> None:
        self._head(status, len(body), retry_after)
        self.wfile.write(body)

    def _head(self, status: int, length: int, retry_after: float | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        if retry_after is not None:
            self.send_header("Retry-After", f"{retry_after:g}")
        self.end_headers()

    def _cut(self, fault: Fault, body: bytes) -> None:
        self._head(fault.status, len(body), fault.retry_after)
        self.wfile.write(body[: len(body) // 2])
        self.wfile.flush()
        if fault.cut == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
            self.connection.close()


def _fault_body(fault: Fault) -> bytes:
    if fault.body is not None:
        return fault.body
    if fault.status >= 400:
        return _error(fault.message, fault.code)
    return json.dumps(fault.reply or text_reply("an answer that comes late or not whole")).encode("utf-8")


def _error(message: str, code: str | None = None) -> bytes:
    return json.dumps({"error": {"message": message, "type": "test", "code": code}}).encode("utf-8")


def _completion(message: Body, finish_reason: str, usage: tuple[int, int] | None, model: str) -> Body:
    body: Body = {
        "id": "chatcmpl-test",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
    }
    if usage is not None:
        prompt, completion = usage
        body["usage"] = {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }
    return body


def _tool_call(place: int, name: str, given: Mapping[str, Any] | str) -> Body:
    arguments = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    return {
        "id": f"call_test_{place}",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }
