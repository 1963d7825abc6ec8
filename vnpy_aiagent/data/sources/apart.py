"""A process of its own for packages that would stop the trading process: their import and their tables.

akshare and baostock work with pandas, which holds Python's lock for long stretches. So a job, a function of
a module with what it is given, is sent to a spawned process, and its answer or exception comes back. The
process starts with the first job and ends when it had none for a while. Where it dies, or says nothing for
too long and is killed, FetchLost is raised; the next job has a new one.
"""

import multiprocessing
import os
import pickle
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Event, Lock
from time import monotonic
from typing import Any

from vnpy_aiagent.control.priority import give_way
from vnpy_aiagent.errors import DataError

POLL = 0.1
SILENCE = 150.0
"""Seconds without a word after which a process at work counts as hung; a table has a bound of 60 s."""
START_SECONDS = 120.0
"""Within which a process takes its job."""
IDLE = 120.0
"""Seconds without a job after which a process ends by itself."""
END_SECONDS = 3.0
Tell = Callable[[object], None]
"""Sends something to the caller and waits until it was heard; raises what the caller raised."""
Job = Callable[[Any, Tell], Any]


class FetchLost(DataError):
    """The process ended or hung in the middle of a job."""


class FetchEnded(DataError):
    """The process was closed, since the program ends."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """The process has taken the job."""


@dataclass(frozen=True, slots=True)
class _News:
    """What a job tells."""

    content: object


@dataclass(frozen=True, slots=True)
class _Done:
    """What a job gave, or raised."""

    value: Any = None
    error: Exception | None = None


class FetchProcess:
    """Runs jobs one at a time. `call` waits: never on the event thread."""

    def __init__(self, name: str, silence: float = SILENCE, idle: float = IDLE) -> None:
        """`silence`, `idle`: seconds. Nothing is started yet."""
        self._name, self._silence, self._idle = name, silence, idle
        self._context = multiprocessing.get_context("spawn")
        self._lock = Lock()
        self._closed = Event()
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None

    @property
    def pid(self) -> int | None:
        """Its process id; None while there is none."""
        process = self._process
        return None if process is None else process.pid

    def call(self, job: Job, given: object, heard: Callable[[Any], object] = lambda _: None) -> Any:
        """What `job` gives. `heard` gets what it tells, in this thread. FetchLost, FetchEnded, or its own."""
        with self._lock:
            try:
                while True:
                    fresh = self._process is None
                    connection = self._ready()
                    try:
                        return self._converse(connection, job, given, heard)
                    except _NotBegun:
                        self._end()
                        if fresh:
                            raise FetchLost("the process that fetches data did not start") from None
            except (FetchLost, FetchEnded):
                self._end()
                raise

    def close(self) -> None:
        """End the process at once, whatever it does; a call under way raises FetchEnded."""
        self._closed.set()
        if self._lock.acquire(timeout=END_SECONDS):  # a call sees it within POLL, but for what hears
            try:
                self._end()
            finally:
                self._lock.release()
        elif (process := self._process) is not None:
            process.kill()

    def _ready(self) -> Connection:
        if self._closed.is_set():
            raise FetchEnded("the program is closing; nothing is fetched any more")
        if self._connection is None:
            ours, theirs = self._context.Pipe()
            process = self._context.Process(
                target=serve, args=(theirs, self._idle), name=self._name, daemon=True
            )
            try:
                process.start()
            except OSError as error:
                ours.close()
                raise FetchLost(f"no process for fetching data can be started ({error})") from error
            finally:
                theirs.close()
            self._process, self._connection = process, ours
        return self._connection

    def _converse(
        self, connection: Connection, job: Job, given: object, heard: Callable[[Any], object]
    ) -> Any:
        try:
            connection.send((job, given))
        except OSError:
            raise _NotBegun from None
        began, patience, last = False, START_SECONDS, monotonic()
        while not self._closed.is_set():
            try:
                if not connection.poll(POLL):
                    if monotonic() - last > patience:
                        raise FetchLost(f"the process that fetches data said nothing for {patience:g} s")
                    continue
                message = connection.recv()
            except (EOFError, OSError):
                self._ended(began)
                break
            if isinstance(message, _Done):
                if message.error is not None:
                    raise message.error
                return message.value
            if isinstance(message, _News):
                self._hear(connection, message.content, heard)
            began, patience, last = True, self._silence, monotonic()
        raise FetchEnded("the program is closing; nothing is fetched any more")

    def _hear(self, connection: Connection, content: object, heard: Callable[[Any], object]) -> None:
        error: Exception | None = None
        try:
            heard(content)
        except Exception as raised:  # noqa: BLE001 - raised again in the job, which ends or goes on
            error = _sendable(raised)
        with suppress(OSError):  # the next look at the pipe finds its end
            connection.send(error)

    def _ended(self, began: bool) -> None:
        """The pipe has ended. Nothing to say where it was closed; _NotBegun where it had rested too long."""
        if self._closed.is_set() or self._process is None:
            return
        self._process.join(END_SECONDS)
        code = self._process.exitcode
        if code == 0 and not began:
            raise _NotBegun
        raise FetchLost(f"the process that fetches data ended unexpectedly (exit code {code})")

    def _end(self) -> None:
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if connection is not None:
            connection.close()
        if process is not None:
            process.kill()
            process.join(END_SECONDS)
            if not process.is_alive():
                process.close()


class _NotBegun(Exception):
    """The process ended before it took the job."""


def serve(connection: Connection, idle: float) -> None:
    """The process: jobs until there is none for `idle` seconds, or whoever asked is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    give_way()

    def tell(content: object) -> None:
        try:
            connection.send(_News(content))
            answer = connection.recv()
        except (EOFError, OSError):
            os._exit(1)  # the trading process is gone, and nobody waits for an answer
        if answer is not None:
            raise answer

    while True:
        try:
            if not connection.poll(idle):
                return
            job, given = connection.recv()
            connection.send(_Begun())
        except (EOFError, OSError):
            return
        try:
            answer = _Done(job(given, tell))
            pickle.dumps(answer)
        except Exception as error:  # noqa: BLE001 - raised again where the job was asked for
            answer = _Done(error=_sendable(error))
        try:
            connection.send(answer)
        except OSError:
            return


def _sendable(error: Exception) -> Exception:
    """An exception that can be sent: itself where it can, else a DataError with its words."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    except Exception:  # noqa: BLE001 - whatever its class does to be rebuilt
        return DataError(f"{type(error).__name__}: {error}")
    return error
