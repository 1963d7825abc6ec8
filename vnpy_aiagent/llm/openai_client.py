"""Any OpenAI-compatible server behind the port: DeepSeek, Qwen, OpenAI, Ollama, vLLM, llama.cpp.

The SDK's own retries are off. Here one deadline bounds the whole call; connection errors, overload and
server errors are retried with exponential backoff, everything else fails at once and says what to do. A call
ends at once when its decision is cancelled.
"""

import asyncio
import json
import logging
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Literal

import httpx2
import openai

from vnpy_aiagent.errors import (
    ConfigError,
    ModelError,
    ModelNonsense,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
    NoModelApi,
)
from vnpy_aiagent.llm.json_protocol import parse_json
from vnpy_aiagent.llm.line import Line
from vnpy_aiagent.llm.port import ModelReply, ModelRequest
from vnpy_aiagent.llm.pricing import TokenPrice
from vnpy_aiagent.llm.recording import SHORTEST_SECRET
from vnpy_aiagent.llm.scope import Scope
from vnpy_aiagent.llm.streamed import EVENT_STREAM, StreamedReply
from vnpy_aiagent.llm.wire import Dialect, Structured, adapt, build_body, read_reply

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
CONNECT_TIMEOUT = 10.0
MAX_BODY_BYTES = 16_000_000
MAX_QUOTE = 300
ADAPTABLE_STATUS = frozenset({400, 404, 422, 500, 501})
RETRYABLE_STATUS = frozenset({408, 409, 425, 429})
NO_SUCH_PLACE = frozenset({404, 405})
NO_KEY = "no-key"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why one attempt gave nothing. `complaint`: the server's sentence where the dialect may be at fault."""

    error: ModelError
    retryable: bool = False
    retry_after: float | None = None
    complaint: str = ""


class OpenAIModel:
    """A language model on an OpenAI-compatible server, a `ModelPort`.

    `timeout` (seconds) bounds each whole call, together with the request's own; the shorter counts.
    `price` in CNY per million tokens, None where not known: costs are then 0. `structured` fixes how typed
    answers are asked for; "auto" begins with a JSON schema and steps down where the server refuses it.
    What a server turned out not to take is remembered for all later calls. `stream`: answers come in pieces,
    where the server can. `patience` is the longest pause (seconds) before a retry: a server that asks for
    more has failed. `sleep`, `monotonic` and `seed` (of the jitter) are there for tests. Raises ConfigError
    for a base_url or key that cannot work. Safe to call from several threads.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str,
        *,
        timeout: float = 60.0,
        max_retries: int = 3,
        price: TokenPrice | None = None,
        structured: Literal["auto"] | Structured = "auto",
        stream: bool = False,
        patience: float = LONGEST_PAUSE,
        sleep: Callable[[float], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        seed: int = 0,
    ) -> None:
        self._model = model
        self._timeout = timeout
        self._max_retries = max_retries
        self._price = price
        self._dialect = Dialect(
            structured="json_schema" if structured == "auto" else structured, stream=stream
        )
        self._patience = patience
        self._sleep = sleep
        self._monotonic = monotonic
        self._jitter = random.Random(seed)  # noqa: S311 - spreads retries, guards nothing
        self._place = _place(base_url)
        self._key = _checked_key(api_key)
        self._client = _client(base_url, self._key, timeout)
        self._line = Line()

    def __repr__(self) -> str:
        """Server and model; never the key."""
        return f"OpenAIModel(base_url={self._place!r}, model={self._model!r})"

    @property
    def name(self) -> str:
        """The model's name as configured."""
        return self._model

    @property
    def is_llm(self) -> bool:
        """A language model answers."""
        return True

    def complete(self, request: ModelRequest) -> ModelReply:
        """Ask the server.

        Raises ModelTimeout past the deadline, ModelUnavailable without connection or under overload after
        the retries, ModelRefused where key, model name or request were refused, ModelNonsense where the
        answer is none.
        """
        return self.answer(request, Scope())

    def answer(self, request: ModelRequest, scope: Scope) -> ModelReply:
        """As `complete`, for one decision: ModelCancelled at once when it is cancelled."""
        deadline = self._monotonic() + min(request.timeout, self._timeout)
        dialect = self._dialect
        retries = 0
        while True:
            body = build_body(request, self._model, dialect)
            outcome = self._attempt(body, deadline, request.task, scope)
            if not isinstance(outcome, _Failure):
                self._dialect = dialect
                return self._read(outcome, request, dialect)
            adapted = adapt(dialect, body, outcome.complaint) if outcome.complaint else None
            if adapted is not None:
                _log.info("%s refused part of a request; asking another way: %s", self._place, adapted)
                dialect = adapted
                continue
            pause = self._pause(retries, outcome.retry_after)
            late = pause > self._patience or self._monotonic() + pause >= deadline
            if late or not outcome.retryable or retries >= self._max_retries:
                raise outcome.error
            _log.info("%s; retry %d in %.1f s", outcome.error, retries + 1, pause)
            (self._sleep or scope.cancel.wait)(pause)
            scope.cancel.check()
            retries += 1

    @property
    def native_tools(self) -> bool:
        """Whether tools are asked for by the server's own means, as far as calls until now have shown."""
        return self._dialect.native_tools

    def close(self) -> None:
        """Close the connections; calls that are under way fail."""
        self._line.close(self._client.close())

    def _read(self, body: object, request: ModelRequest, dialect: Dialect) -> ModelReply:
        try:
            reply = read_reply(body, request, model=self._model, dialect=dialect, price=self._price)
        except ModelError as error:
            failure = type(error)(self._clean(str(error)))
        else:
            return self._without_key(reply)
        raise failure

    def _without_key(self, reply: ModelReply) -> ModelReply:
        """The reply as it is kept: a server that says the key again does not bring it into a record.

        A key of a few letters, as local servers take them, is a word like others and stays.
        """
        spoken, key = reply.model_dump_json(), json.dumps(self._key, ensure_ascii=False)[1:-1]
        if self._key == NO_KEY or len(self._key) < SHORTEST_SECRET or key not in spoken:
            return reply
        return ModelReply.model_validate_json(spoken.replace(key, "***"))

    def _attempt(self, body: dict[str, Any], deadline: float, task: str, scope: Scope) -> object | _Failure:
        """The response body, or why there is none. The SDK's errors end here: they hold request and key."""
        try:
            return self._line.run(self._receive(body, deadline, task, scope), scope.cancel)
        except TimeoutError:
            return self._timed_out()
        except openai.APIStatusError as error:
            return self._refused(error)
        except openai.APIConnectionError as error:
            timed_out = isinstance(error, openai.APITimeoutError)
            connected = not isinstance(error.__cause__, httpx2.ConnectTimeout)
            return self._timed_out() if timed_out and connected else self._unreachable()
        except httpx2.HTTPError as error:
            timed_out = isinstance(error, httpx2.TimeoutException)
            return self._timed_out() if timed_out else self._unreachable()
        except UnicodeEncodeError:
            return _Failure(ModelRefused("the request holds text that is no valid Unicode; clean its source"))

    async def _receive(
        self, body: dict[str, Any], deadline: float, task: str, scope: Scope
    ) -> object | _Failure:
        """Bounded as a whole: a server that sends blanks to stay alive cannot outlast the deadline."""
        left = deadline - self._monotonic()
        if left <= 0:
            raise TimeoutError
        timeout = httpx2.Timeout(left, connect=min(left, CONNECT_TIMEOUT))
        return await asyncio.wait_for(self._exchange(body, timeout, deadline, task, scope), left)

    async def _exchange(
        self, body: dict[str, Any], timeout: httpx2.Timeout, deadline: float, task: str, scope: Scope
    ) -> object | _Failure:
        """Send the request, read the answer as it comes, whole or in pieces."""
        received, size = bytearray(), 0
        streamed: StreamedReply | None = None
        completions = self._client.chat.completions.with_streaming_response
        async with completions.create(**body, timeout=timeout) as response:
            if response.headers.get("content-type", "").lower().startswith(EVENT_STREAM):
                streamed = StreamedReply()
            async for chunk in response.iter_bytes():
                size += len(chunk)
                if self._monotonic() > deadline:
                    return self._timed_out()
                if size > MAX_BODY_BYTES:
                    return _Failure(ModelNonsense(f"{self._place} sent more than 16 MB; check base_url"))
                if streamed is None:
                    received += chunk
                    continue
                try:
                    words = streamed.feed(chunk)
                except ModelUnavailable as error:
                    text = self._clean(f"{self._place} {error}; try later")
                    return _Failure(ModelUnavailable(text), retryable=True)
                if words and scope.heard is not None:
                    scope.heard(task, words)
        if streamed is None:
            body_read: object = parse_json(bytes(received))
            return body_read
        streamed.end()
        return streamed.body() if streamed.whole else self._unreachable()

    def _pause(self, retries: int, retry_after: float | None) -> float:
        """Seconds to wait: what the server asked for, else doubling with jitter; never above the cap."""
        if retry_after is not None:
            return min(retry_after, LONGEST_PAUSE)
        longest: float = min(FIRST_PAUSE * 2**retries, LONGEST_PAUSE)
        return longest * (0.5 + self._jitter.random() / 2)

    def _refused(self, error: openai.APIStatusError) -> _Failure:
        """The failure of a status code."""
        status, said = error.status_code, self._clean(_server_message(error))
        if status in NO_SUCH_PLACE and not isinstance(error.body, dict):
            text = f"{self._place} is no model server (HTTP {status}); check that llm.base_url ends in /v1"
            return _Failure(NoModelApi(text))
        complaint = said if status in ADAPTABLE_STATUS else ""
        out_of_credit = error.code == "insufficient_quota"
        if (status in RETRYABLE_STATUS or status >= 500) and not out_of_credit:
            text = f"{self._place} is overloaded or failing (HTTP {status}: {said}); try later"
            return _Failure(
                _with_status(ModelUnavailable(text), status),
                retryable=True,
                retry_after=_retry_after(error.response.headers.get("retry-after")),
                complaint=complaint,
            )
        refused = ModelRefused(self._refusal(status, said, out_of_credit))
        return _Failure(_with_status(refused, status), complaint=complaint)

    def _refusal(self, status: int, said: str, out_of_credit: bool) -> str:
        if out_of_credit or status == 402:
            return (
                f"{self._place} says that the account has no credit ({said}); top it up or use another model"
            )
        if status == 401:
            return f"{self._place} refused the API key ({said}); check llm.api_key"
        if status == 403:
            return f"{self._place} does not let this API key use model {self._model} ({said}); check both"
        if status == 404:
            return (
                f"{self._place} does not know model {self._model} ({said}); check llm.model and llm.base_url"
            )
        return f"{self._place} refused the request (HTTP {status}: {said}); check llm.model and its limits"

    def _timed_out(self) -> _Failure:
        return _Failure(
            ModelTimeout(f"{self._place} did not answer in time; raise llm.timeout or use a faster model")
        )

    def _unreachable(self) -> _Failure:
        text = f"no answer came from {self._place}; check that the server runs and the network reaches it"
        return _Failure(ModelUnavailable(text), retryable=True)

    def _clean(self, text: str) -> str:
        """Server text for an error: one line, short, without the key."""
        line = " ".join(text.split())
        if self._key != NO_KEY:
            line = line.replace(self._key, "***")
        return line[:MAX_QUOTE]


def _with_status(error: ModelError, status: int) -> ModelError:
    error.status = status
    return error


def _client(base_url: str, key: str, timeout: float) -> openai.AsyncOpenAI:
    """The SDK's client without its retries and without other accounts' settings from the environment."""
    client = openai.AsyncOpenAI(
        api_key=key,
        base_url=base_url.strip(),
        max_retries=0,
        timeout=timeout,
        http_client=openai.DefaultAsyncHttpxClient(trust_env=not _is_loopback(base_url)),
    )
    client.organization = None
    client.project = None
    return client


def _place(base_url: str) -> str:
    """The server's address for people: without user, password and query."""
    try:
        url = httpx2.URL(base_url.strip())
    except httpx2.InvalidURL:
        url = httpx2.URL("")
    if url.scheme not in {"http", "https"} or not url.host or "%" in url.host:
        raise ConfigError("llm.base_url is no web address; give one such as https://api.deepseek.com/v1")
    port = f":{url.port}" if url.port else ""
    return f"{url.scheme}://{url.host}{port}{url.path.rstrip('/')}"


def _checked_key(api_key: str) -> str:
    """The key as it is sent; local servers need none, but the SDK wants a word."""
    key = api_key.strip()
    if not (key.isascii() and key.isprintable()):
        raise ConfigError("llm.api_key holds a character that no key has; copy it again from the provider")
    return key or NO_KEY


def _is_loopback(base_url: str) -> bool:
    """Whether the server is this machine, which no proxy of the environment can reach."""
    host = httpx2.URL(base_url.strip()).host
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _server_message(error: openai.APIStatusError) -> str:
    """The server's own sentence: `error.message`, `message` or `detail` of the body, else the body."""
    body = error.body
    if isinstance(body, dict):
        for key in ("message", "detail", "error"):
            if body.get(key):
                return str(body[key])
    return str(body) if body else "no reason given"


def _retry_after(header: str | None) -> float | None:
    """Seconds of a Retry-After header; None for a date, which would need the wall clock, or nonsense."""
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
