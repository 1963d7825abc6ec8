"""One HTTP request that is over in time: name look-up, connection and a dripping body included."""

import time
from collections.abc import Callable, Mapping
from http.client import HTTPException, HTTPResponse
from queue import Empty, SimpleQueue
from threading import Event, Thread
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from vnpy_aiagent.data.quote_sources import SourceFailed

Fetch = Callable[[str, Mapping[str, str]], bytes]

TIMEOUT = 2.0  # seconds a source has; two sources then take less than five
LARGEST_BODY = 4_000_000  # bytes
REFUSALS = (403, 429, 456)  # 456 is Sina's own "too many requests"

_CHUNK = 65_536
_LOOK = 0.05  # seconds between looks at `stopped`


def fetcher(stopped: Event, timeout: float = TIMEOUT) -> Fetch:
    """A function that fetches an address, giving up when `stopped` is set. It raises SourceFailed."""

    def fetch(url: str, headers: Mapping[str, str]) -> bytes:
        return fetch_within(url, headers, timeout, stopped)

    return fetch


def fetch_within(url: str, headers: Mapping[str, str], timeout: float, stopped: Event) -> bytes:
    """The body of an answer within `timeout` seconds. SourceFailed otherwise.

    The request runs in a thread of its own, since no timeout of the standard library bounds a name look-up;
    one that is late is left to end by itself, and nobody hears its answer.
    """
    outcome: SimpleQueue[bytes | SourceFailed] = SimpleQueue()
    deadline = time.monotonic() + timeout
    Thread(
        target=lambda: outcome.put(_attempt(url, headers, timeout, deadline)), name="quote-http", daemon=True
    ).start()
    while not stopped.is_set():
        try:
            result = outcome.get(timeout=_LOOK)
        except Empty:
            if time.monotonic() < deadline:
                continue
            raise SourceFailed(f"{timeout:g}秒内没有答复") from None
        if isinstance(result, SourceFailed):
            raise result
        return result
    raise SourceFailed("接口正在关闭")


def _attempt(url: str, headers: Mapping[str, str], timeout: float, deadline: float) -> bytes | SourceFailed:
    try:
        request = Request(url, headers=dict(headers))  # noqa: S310 (the settings allow http and https alone)
        with urlopen(request, timeout=timeout) as response:  # noqa: S310
            return _body(response, deadline)
    except HTTPError as error:
        with error:
            return _http_failure(error)
    except TimeoutError:
        return SourceFailed(f"{timeout:g}秒内没有答复")
    except (OSError, HTTPException, ValueError) as error:
        return SourceFailed(f"连接失败（{getattr(error, 'reason', None) or error}）")
    except SourceFailed as error:
        return error


def _body(response: HTTPResponse, deadline: float) -> bytes:
    expected = response.headers.get("Content-Length")
    parts: list[bytes] = []
    size = 0
    while part := response.read1(_CHUNK):
        parts.append(part)
        size += len(part)
        if size > LARGEST_BODY:
            raise SourceFailed("返回的内容过大")
        if time.monotonic() > deadline:
            raise SourceFailed("返回太慢")
    if expected is not None and expected.isdecimal() and int(expected) != size:
        raise SourceFailed(f"返回被截断（{size}/{expected}字节）")
    return b"".join(parts)


def _http_failure(error: HTTPError) -> SourceFailed:
    pause = error.headers.get("Retry-After", "") if error.headers else ""
    if error.code in REFUSALS:
        seconds = float(pause) if pause.isdecimal() else 0.0
        return SourceFailed(f"被拒绝（HTTP {error.code}）", refused=True, retry_after=seconds)
    return SourceFailed(f"服务器错误（HTTP {error.code}）")
