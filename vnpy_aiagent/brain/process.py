"""The brain's own process: takes requests from its pipe, works on several at a time, each in its thread.

What goes up the pipe: `Used` after each model call, `Thinking` while a model writes (at most TOLD_PER_SECOND
times a second for a decision), a `BrainAnswer` at the end, `Alive` when asked. The pipe is read by one thread
that does nothing else, so that a cancel reaches every decision at once.
"""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from threading import Event, Lock, Thread

from vnpy_aiagent.brain.build import BrainSetup, build_brain
from vnpy_aiagent.brain.decide import Brain, failed_answer
from vnpy_aiagent.control.priority import give_way
from vnpy_aiagent.domain import AnalysisRequest, Thinking, TokenUsage, clean
from vnpy_aiagent.llm.port import Usage
from vnpy_aiagent.llm.scope import Cancel, Heard, Watch
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

TOLD_PER_SECOND = 10
LAST_WORDS = 80
"""Characters of what a model says that are shown."""
ENDED = "the system is shutting down"
Job = tuple[AnalysisRequest, DecisionSnapshot]


@dataclass(frozen=True, slots=True)
class CancelAll:
    """End the model calls of a decision, or of all at work (`request_id` empty)."""

    reason: str
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class AreYouAlive:
    """Asks for `Alive`."""


@dataclass(frozen=True, slots=True)
class Alive:
    """The process reads its pipe."""


@dataclass(frozen=True, slots=True)
class Used:
    """What one model call of a decision used."""

    request_id: str
    usage: TokenUsage


class Teller:
    """Tells what models say while they say it; the newest words alone, however fast they come."""

    def __init__(self, send: Callable[[object], None]) -> None:
        """`send` is called from the teller's thread; it may wait, no model does."""
        self._send = send
        self._lock = Lock()
        self._open: set[str] = set()
        self._news: dict[str, Thinking] = {}
        self._tails: dict[tuple[str, str], str] = {}
        self._wake, self._ending = Event(), Event()
        self._thread = Thread(target=self._run, name="aiagent-brain-teller", daemon=True)
        self._thread.start()

    def listener(self, request: AnalysisRequest) -> Heard:
        """What hears the models of one decision."""

        with self._lock:
            self._open.add(request.id)

        def heard(role: str, words: str) -> None:
            with self._lock:
                if request.id not in self._open:
                    return
                tail = (self._tails.get((request.id, role), "") + words)[-LAST_WORDS:]
                self._tails[request.id, role] = tail
                self._news[request.id] = Thinking(request.id, request.symbol, role, tail)
            self._wake.set()

        return heard

    def forget(self, request_id: str) -> None:
        """The decision is made: nothing of it is told any more."""
        with self._lock:
            self._open.discard(request_id)
            self._news.pop(request_id, None)
            for key in [key for key in self._tails if key[0] == request_id]:
                del self._tails[key]

    def close(self) -> None:
        """End the thread."""
        self._ending.set()
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._ending.is_set():
                return
            with self._lock:
                news, self._news = self._news, {}
            for thinking in news.values():
                words = " ".join(clean(thinking.words).split())
                self._send(replace(thinking, words=words))
            self._ending.wait(1 / TOLD_PER_SECOND)


class Desk:
    """The decisions at work in this process."""

    def __init__(self, connection: Connection, brain: Brain, width: int) -> None:
        """`width` decisions are worked on at a time."""
        self._connection = connection
        self._brain = brain
        self._sending = Lock()
        self._lock = Lock()
        self._cancels: dict[str, Cancel] = {}
        self._pool = ThreadPoolExecutor(width, thread_name_prefix="aiagent-decision")
        self._teller = Teller(self._send)

    def run(self) -> None:
        """Take what comes until the pipe says None or closes; what is at work then ends first."""
        while True:
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                break
            if message is None:
                break
            if isinstance(message, CancelAll):
                self._cancel(message)
            elif isinstance(message, AreYouAlive):
                self._send(Alive())
            else:
                self._begin(*message)
        self._cancel(CancelAll(ENDED))
        self._pool.shutdown()
        self._teller.close()
        self._brain.close()

    def _begin(self, request: AnalysisRequest, snapshot: DecisionSnapshot) -> None:
        cancel = Cancel()
        with self._lock:
            self._cancels[request.id] = cancel
        self._pool.submit(self._decide, request, snapshot, cancel)

    def _decide(self, request: AnalysisRequest, snapshot: DecisionSnapshot, cancel: Cancel) -> None:
        used: list[Usage] = []

        def settled(usage: Usage) -> None:
            used.append(usage)
            self._send(Used(request.id, TokenUsage(**usage.model_dump())))

        try:
            watch = Watch(cancel, self._teller.listener(request), settled)
            answer = self._brain.decide(request, snapshot, watch)
        except Exception as error:  # noqa: BLE001 - a bug in one decision must not end the others
            model = self._brain.model
            answer = failed_answer(request, snapshot, model.name, model.is_llm, error)
            usage = TokenUsage(**sum(used, Usage()).model_dump())
            answer = replace(answer, decision=answer.decision.model_copy(update={"usage": usage}))
        with self._lock:
            del self._cancels[request.id]
        self._teller.forget(request.id)
        self._send(answer)

    def _cancel(self, message: CancelAll) -> None:
        with self._lock:
            cancels = [each for name, each in self._cancels.items() if message.request_id in ("", name)]
        for cancel in cancels:
            cancel.cancel(message.reason)

    def _send(self, message: object) -> None:
        with self._sending, suppress(OSError):  # the trader is gone; the reading thread sees it and ends
            self._connection.send(message)


def serve(connection: Connection, setup: BrainSetup) -> None:
    """The brain process: answers requests until it gets None or its pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    give_way()
    Desk(connection, build_brain(setup), setup.brain.concurrency).run()
