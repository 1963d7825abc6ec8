"""Where the brain runs: inline for simulation, in a spawned process for paper and live.

The process gets immutable requests and snapshots and gives back answers; it shares nothing with the trader.
If it dies or hangs, every open request is answered with HOLD and a new process is started.
"""

import multiprocessing
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Lock, Thread

from vnpy_aiagent.brain.decide import Brain, BrainAnswer, failed_answer
from vnpy_aiagent.config import BrainSettings, BudgetSettings, LlmSettings
from vnpy_aiagent.domain import AnalysisRequest
from vnpy_aiagent.llm.factory import build_model
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

Deliver = Callable[[BrainAnswer], None]
POLL_SECONDS = 0.2
GRACE_SECONDS = 30.0
STOP_SECONDS = 3.0
MAX_RESTARTS = 5


class InlineRunner:
    """Decides in the caller's thread; for simulation and backtest."""

    def __init__(self, brain: Brain) -> None:
        """Uses this brain."""
        self.brain = brain

    def submit(self, request: AnalysisRequest, snapshot: DecisionSnapshot, deliver: Deliver) -> None:
        """Decide now and deliver."""
        deliver(self.brain.decide(request, snapshot))

    def close(self) -> None:
        """Give up the model's connections."""
        self.brain.model.close()


@dataclass(frozen=True, slots=True)
class BrainSetup:
    """What the brain process needs to build its brain."""

    llm: LlmSettings
    budget: BudgetSettings
    brain: BrainSettings


@dataclass(slots=True)
class _Pending:
    request: AnalysisRequest
    snapshot: DecisionSnapshot
    deliver: Deliver
    sent_to: Connection | None = None


class ProcessRunner:
    """One spawned brain process, a thread that sends to it and one that listens. One decision after another.

    A process at work does not read, and a full pipe blocks who writes: so the caller of `submit` never does.
    """

    def __init__(
        self, setup: BrainSetup, model: str, is_llm: bool, on_trouble: Callable[[str], None]
    ) -> None:
        """`on_trouble` gets a sentence whenever the process had to be replaced; it runs in the listener."""
        self._setup = setup
        self._model = model
        self._is_llm = is_llm
        self._on_trouble = on_trouble
        self._context = multiprocessing.get_context("spawn")
        self._lock = Lock()
        self._pending: dict[str, _Pending] = {}
        self._progress = time.monotonic()
        self._stopping = False
        self._restarts = 0
        self._unsent: SimpleQueue[str | None] = SimpleQueue()
        self._connection, self._process = self._launch()
        self._sender = Thread(target=self._send, name="aiagent-brain-sender", daemon=True)
        self._sender.start()
        self._listener = Thread(target=self._listen, name="aiagent-brain-listener", daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int | None:
        """Process id of the brain."""
        return self._process.pid

    def submit(self, request: AnalysisRequest, snapshot: DecisionSnapshot, deliver: Deliver) -> None:
        """Queue a request; `deliver` is called once, from one of the runner's threads.

        Once the runner is closed, or has given up, the answer holds and comes at once in the caller's thread.
        """
        pending = _Pending(request, snapshot, deliver)
        with self._lock:
            stopped = self._stopping
            if not stopped:
                if not self._pending:
                    self._progress = time.monotonic()
                self._pending[request.id] = pending
                self._unsent.put(request.id)
        if stopped:
            self._fail(pending, "the brain process is not running")

    def close(self) -> None:
        """End the process; requests that are open are answered with HOLD."""
        with self._lock:
            self._stopping = True
        self._unsent.put(None)
        self._process.join(STOP_SECONDS)
        if self._process.is_alive():
            self._process.kill()  # a stopped process is deaf to a polite request
            self._process.join(STOP_SECONDS)
        self._listener.join(STOP_SECONDS)
        self._sender.join(STOP_SECONDS)
        self._connection.close()

    def _send(self) -> None:
        """Hand queued requests to the process; None passes on that it shall end."""
        while True:
            request_id = self._unsent.get()
            connection, job = self._job(request_id)
            if request_id is not None and job is None:
                continue
            try:
                connection.send(job)
            except OSError:
                pass  # the listener sees the broken pipe, answers what is pending and starts a new process
            except Exception as error:  # noqa: BLE001 - what cannot be pickled must not end this thread
                self._fail_one(request_id, f"the request cannot be sent ({type(error).__name__}: {error})")
            if request_id is None:
                return

    def _job(
        self, request_id: str | None
    ) -> tuple[Connection, tuple[AnalysisRequest, DecisionSnapshot] | None]:
        """What to send where; no job where the request is answered, sent already, or the end has come."""
        with self._lock:
            pending = self._pending.get(request_id or "")
            if pending is None or pending.sent_to is self._connection or self._stopping:
                return self._connection, None
            pending.sent_to = self._connection
            return self._connection, (pending.request, pending.snapshot)

    def _launch(self) -> tuple[Connection, multiprocessing.process.BaseProcess]:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=serve, args=(theirs, self._setup), name="aiagent-brain", daemon=True
        )
        process.start()
        theirs.close()
        return ours, process

    def _listen(self) -> None:
        while True:
            try:
                if self._connection.poll(POLL_SECONDS):
                    self._take(self._connection.recv())
                    continue
            except (EOFError, OSError):
                if not self._replace("the brain process ended unexpectedly"):
                    return
                continue
            if self._stopping and not self._process.is_alive():
                self._fail_all("the system is shutting down")
                return
            if self._hung():
                self._process.kill()
                if not self._replace("the brain process hung and was ended"):
                    return

    def _take(self, answer: BrainAnswer) -> None:
        with self._lock:
            pending = self._pending.pop(answer.request_id, None)
            self._progress = time.monotonic()
        if pending is not None:
            pending.deliver(answer)

    def _hung(self) -> bool:
        limit = self._setup.budget.seconds_per_decision + GRACE_SECONDS
        with self._lock:
            return bool(self._pending) and time.monotonic() - self._progress > limit

    def _replace(self, why: str) -> bool:
        """Answer what is open and start anew; False when stopping or after too many restarts."""
        self._fail_all(why)
        if self._stopping:
            return False
        self._restarts += 1
        if self._restarts > MAX_RESTARTS:
            with self._lock:
                self._stopping = True
            self._fail_all(why)
            self._on_trouble(f"{why}; it failed {MAX_RESTARTS} times, no new decisions until restart")
            return False
        with self._lock:
            self._connection.close()
            self._connection, self._process = self._launch()
            for request_id in self._pending:  # came in after the old process had ended
                self._unsent.put(request_id)
        self._on_trouble(f"{why}; a new one was started")
        return True

    def _fail_all(self, why: str) -> None:
        with self._lock:
            lost, self._pending = list(self._pending.values()), {}
            self._progress = time.monotonic()
        for pending in lost:
            self._fail(pending, why)

    def _fail_one(self, request_id: str | None, why: str) -> None:
        with self._lock:
            pending = self._pending.pop(request_id or "", None)
        if pending is not None:
            self._fail(pending, why)

    def _fail(self, pending: _Pending, why: str) -> None:
        """Answer with HOLD."""
        pending.deliver(
            failed_answer(
                pending.request, pending.snapshot, self._model, self._is_llm, f"ModelUnavailable: {why}"
            )
        )


def serve(connection: Connection, setup: BrainSetup) -> None:
    """The brain process: answers requests until it gets None or its pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    model = build_model(setup.llm, setup.budget)
    brain = Brain(model, setup.llm, setup.brain)
    while True:
        try:
            job = connection.recv()
        except EOFError:
            break
        if job is None:
            break
        request, snapshot = job
        try:
            answer = brain.decide(request, snapshot)
        except Exception as error:  # noqa: BLE001 - a bug in one decision must not end the others
            why = f"{type(error).__name__}: {error}"
            answer = failed_answer(request, snapshot, model.name, model.is_llm, why)
        connection.send(answer)
    model.close()
