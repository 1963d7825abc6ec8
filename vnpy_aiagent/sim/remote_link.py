"""The client's end of vnpy_rpcservice's way of working: one thread for requests, one for pushed events.

vnpy's own RpcClient waits 30 s for an answer in the caller's thread, and after one missing answer its socket
refuses every further request. Here a request has less than a second, a socket that missed an answer is
thrown away with whatever it has not delivered, and callers only ever wait for a Future.
"""

import pickle
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Event as Flag
from threading import Thread
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import zmq

HOSTS = ("127.0.0.1", "localhost", "::1")
CONNECT_SECONDS = 0.2
LISTEN_MILLISECONDS = 100


class NotSent(Exception):
    """The request certainly did not reach the server."""


class Refused(Exception):
    """The server raised while it worked on the request; its own words."""


@dataclass(slots=True)
class _Job:
    name: str
    arguments: tuple[Any, ...]
    give_up: float
    future: "Future[Any]" = field(default_factory=Future)


def is_loopback(address: str) -> bool:
    """Whether an address such as tcp://127.0.0.1:2014 stays on this machine."""
    parts = urlsplit(address)
    return parts.scheme == "tcp" and parts.hostname in HOSTS


class RemoteLink:
    """Requests one after the other, each within `timeout` seconds; pushed events as they come.

    `idle` is called in the request thread between requests whenever its last return value, in seconds, has
    passed: the place for polling. `on_push(event)` is called in the listening thread. `on_trouble` hears of
    what cannot be understood, in either thread; both go on.
    """

    def __init__(
        self,
        request_address: str,
        push_address: str,
        timeout: float,
        idle: Callable[["RemoteLink"], float],
        on_push: Callable[[Any], None],
        on_trouble: Callable[[Exception], None],
    ) -> None:
        """Nothing runs before `start`."""
        self._request_address = request_address
        self._push_address = push_address
        self._timeout = timeout
        self._idle = idle
        self._on_push = on_push
        self._on_trouble = on_trouble
        self._context = zmq.Context()
        self._socket: zmq.Socket[bytes] | None = None
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._ended = Flag()
        self._renew_pushes = Flag()
        self._threads = [
            Thread(target=self._ask, name="aiagent-remote-requests", daemon=True),
            Thread(target=self._listen, name="aiagent-remote-pushes", daemon=True),
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End both threads; requests that wait are not sent."""
        self._ended.set()
        self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        self._context.term()

    def submit(self, name: str, *arguments: Any) -> "Future[Any]":
        """Queue a request; its Future gets the answer, NotSent, TimeoutError (fate unknown) or Refused."""
        job = _Job(name, arguments, monotonic() + self._timeout)
        self._jobs.put(job)
        return job.future

    def hurry(self) -> None:
        """Let `idle` be called as soon as the requests that wait are done."""
        self._jobs.put(None)

    def renew_pushes(self) -> None:
        """Listen on a new socket: the old connection may be half dead."""
        self._renew_pushes.set()

    # the request thread

    def call(self, name: str, *arguments: Any) -> Any:
        """A request by the request thread itself, from within `idle`."""
        return self._request(_Job(name, arguments, monotonic() + self._timeout))

    def _ask(self) -> None:
        due = monotonic()
        while not self._ended.is_set():
            try:
                job = self._jobs.get(timeout=max(0.0, due - monotonic()))
            except Empty:
                job = None
            if job is not None:
                self._work(job)
                continue
            if not self._ended.is_set():
                due = monotonic() + self._poll()
        self._drop()
        while True:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return
            if job is not None and job.future.set_running_or_notify_cancel():
                job.future.set_exception(NotSent("the connection was closed"))

    def _poll(self) -> float:
        try:
            return self._idle(self)
        except Exception as error:  # noqa: BLE001 - an answer of another release, or of no exchange at all
            self._drop()
            self._on_trouble(error)
            return self._timeout

    def _work(self, job: _Job) -> None:
        if not job.future.set_running_or_notify_cancel():
            return
        try:
            answer = self._request(job)
        except Exception as error:  # noqa: BLE001 - whoever waits for the future gets it
            job.future.set_exception(error)
        else:
            job.future.set_result(answer)

    def _request(self, job: _Job) -> Any:
        if monotonic() >= job.give_up:
            raise NotSent("the requests before it took too long")
        message = pickle.dumps([job.name, job.arguments, {}])
        socket = self._socket or self._open()
        try:
            socket.send(message)
        except zmq.ZMQError as error:  # no connection within the time: with IMMEDIATE nothing is queued
            self._drop()
            raise NotSent(f"no connection to {self._request_address}") from error
        left = max(0.05, job.give_up - monotonic())
        if not socket.poll(int(left * 1000)):
            self._drop()
            raise TimeoutError(f"no answer from {self._request_address} within {self._timeout} s")
        done, answer = pickle.loads(socket.recv())  # noqa: S301 - loopback only, see is_loopback
        if not done:
            raise Refused(str(answer).strip().splitlines()[-1] if answer else "no reason was given")
        return answer

    def _open(self) -> "zmq.Socket[bytes]":
        self._socket = self._context.socket(zmq.REQ)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.IMMEDIATE, 1)
        self._socket.setsockopt(zmq.SNDTIMEO, int(min(CONNECT_SECONDS, self._timeout / 2) * 1000))
        self._socket.connect(self._request_address)
        return self._socket

    def _drop(self) -> None:
        """Close the socket; what it has not delivered is thrown away."""
        if self._socket is not None:
            self._socket.close(linger=0)
            self._socket = None

    # the listening thread

    def _listen(self) -> None:
        socket: zmq.Socket[bytes] | None = None
        while not self._ended.is_set():
            if socket is None:
                socket = self._context.socket(zmq.SUB)
                socket.setsockopt(zmq.LINGER, 0)
                socket.setsockopt(zmq.SUBSCRIBE, b"")
                socket.connect(self._push_address)
            if self._renew_pushes.is_set():
                self._renew_pushes.clear()
                socket.close(linger=0)
                socket = None
            elif socket.poll(LISTEN_MILLISECONDS):
                self._hear(socket.recv_multipart())
        if socket is not None:
            socket.close(linger=0)

    def _hear(self, frames: list[bytes]) -> None:
        """An event comes as topic and content."""
        if len(frames) != 2:
            return
        try:
            self._on_push(pickle.loads(frames[1]))  # noqa: S301 - loopback only
        except Exception as error:  # noqa: BLE001 - as above; the next event may be a good one
            self._on_trouble(error)
