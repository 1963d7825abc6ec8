"""Where the brain runs: inline for simulation, in a spawned process for paper and live.

The process gets immutable requests and snapshots and gives back answers; it shares nothing with the trader.
If it dies or hangs, the open requests are answered with HOLD and a new process is started, which is told
what models used today.
"""

import multiprocessing
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Event, Lock, Thread

from vnpy_aiagent.brain.build import BrainSetup, build_brain
from vnpy_aiagent.brain.decide import Brain, BrainAnswer, expired, failed_answer
from vnpy_aiagent.domain import AnalysisRequest, Clock, Text, say
from vnpy_aiagent.errors import ModelUnavailable
from vnpy_aiagent.llm.budget import DayUse
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

Deliver = Callable[[BrainAnswer], None]
POLL_SECONDS = 0.2
GRACE_SECONDS = 30.0
STOP_SECONDS = 3.0
MAX_RESTARTS = 5
RETRY_SECONDS = 2.0


class InlineRunner:
    """Decides in the caller's thread; for simulation and backtest."""

    def __init__(self, brain: Brain) -> None:
        """Uses this brain."""
        self.brain = brain

    def submit(self, request: AnalysisRequest, snapshot: DecisionSnapshot, deliver: Deliver) -> None:
        """Decide now and deliver."""
        deliver(self.brain.decide(request, snapshot))

    def close(self) -> None:
        """Give up the models' connections."""
        self.brain.close()


@dataclass(slots=True)
class _Pending:
    request: AnalysisRequest
    snapshot: DecisionSnapshot
    deliver: Deliver


class ProcessRunner:
    """One spawned brain process, a thread that sends to it and one that listens. One decision after another.

    A process at work does not read, and a full pipe blocks who writes: so requests wait here, and only the
    sender writes, when the process has answered. What waits past its deadline is answered with HOLD.
    """

    def __init__(
        self, setup: BrainSetup, model: str, is_llm: bool, on_trouble: Callable[[Text], None], clock: Clock
    ) -> None:
        """`on_trouble` gets a sentence whenever the process had to be replaced; it runs in the listener.

        `clock` shows the market time that deadlines are in.
        """
        self._setup = setup
        self._spent = setup.spent
        self._model = model
        self._is_llm = is_llm
        self._on_trouble = on_trouble
        self._clock = clock
        self._context = multiprocessing.get_context("spawn")
        self._lock = Lock()
        self._pending: dict[str, _Pending] = {}
        self._at_work: str | None = None
        self._began = time.monotonic()
        self._stopping = False
        self._closing = Event()
        self._restarts = 0
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._connection, self._process = self._launch()
        self._sender = Thread(target=self._send, name="aiagent-brain-sender", daemon=True)
        self._sender.start()
        self._listener = Thread(target=self._listen, name="aiagent-brain-listener", daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int | None:
        """Process id of the brain."""
        return self._process.pid

    @property
    def spent(self) -> DayUse | None:
        """The day's model use as far as answers told it; None before the first of a day without any."""
        with self._lock:
            return self._spent

    def submit(self, request: AnalysisRequest, snapshot: DecisionSnapshot, deliver: Deliver) -> None:
        """Queue a request; `deliver` is called once, from one of the runner's threads.

        Once the runner is closed, or has given up, the answer holds and comes at once in the caller's thread.
        """
        pending = _Pending(request, snapshot, deliver)
        with self._lock:
            stopped = self._stopping
            if not stopped:
                self._pending[request.id] = pending
        if stopped:
            self._fail(pending, ModelUnavailable("the brain process is not running"))
        self._wake.put(None)

    def close(self) -> None:
        """End the process; requests that are open are answered with HOLD."""
        with self._lock:
            self._stopping = True
        self._closing.set()
        self._wake.put(None)
        self._process.join(STOP_SECONDS)
        if self._process.is_alive():
            self._process.kill()  # a stopped process is deaf to a polite request
            self._process.join(STOP_SECONDS)
        self._listener.join(STOP_SECONDS)
        self._sender.join(STOP_SECONDS)
        self._connection.close()

    def _send(self) -> None:
        """Hand the next request to the process whenever it is idle; None tells it to end."""
        while True:
            self._wake.get()
            self._drop_expired()
            with self._lock:
                stopping, connection = self._stopping, self._connection
                pending = None if stopping or self._at_work else next(iter(self._pending.values()), None)
                if pending is not None:
                    self._at_work, self._began = pending.request.id, time.monotonic()
            if pending is None and not stopping:
                continue
            try:
                connection.send((pending.request, pending.snapshot) if pending is not None else None)
            except OSError:
                pass  # the listener sees the broken pipe, answers what is at work and starts a new process
            except Exception as error:  # noqa: BLE001 - what cannot be pickled must not end this thread
                if pending is not None:
                    self._not_sent(pending, error)
            if stopping:
                return

    def _not_sent(self, pending: _Pending, error: Exception) -> None:
        with self._lock:
            ours = self._pending.pop(pending.request.id, None)
            self._at_work = None
        self._wake.put(None)
        if ours is not None:
            why = f"the request cannot be sent ({type(error).__name__}: {error})"
            self._fail(ours, ModelUnavailable(why))

    def _drop_expired(self) -> None:
        """Answer what waits past its deadline; the one at work has its own bound."""
        now = self._clock.now()
        with self._lock:
            late = [
                pending
                for name, pending in self._pending.items()
                if name != self._at_work and now > pending.request.deadline
            ]
            for pending in late:
                del self._pending[pending.request.id]
        for pending in late:
            self._fail(pending, expired(pending.request))

    def _launch(self) -> tuple[Connection, multiprocessing.process.BaseProcess]:
        ours, theirs = self._context.Pipe()
        setup = replace(self._setup, spent=self._spent)
        process = self._context.Process(target=serve, args=(theirs, setup), name="aiagent-brain", daemon=True)
        try:
            process.start()
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return ours, process

    def _listen(self) -> None:
        while True:
            try:
                if self._connection.poll(POLL_SECONDS):
                    self._take(self._connection.recv())
                    continue
            except (EOFError, OSError):
                if not self._replace(hung=False):
                    return
                continue
            if self._stopping and not self._process.is_alive():
                self._fail_all("the system is shutting down")
                return
            self._drop_expired()
            if self._hung():
                self._process.kill()
                if not self._replace(hung=True):
                    return

    def _take(self, answer: BrainAnswer) -> None:
        with self._lock:
            pending = self._pending.pop(answer.request_id, None)
            self._at_work = None
            self._restarts = 0
            day, use = answer.decision.at.date(), answer.decision.usage
            self._spent = (self._spent or DayUse(day)).add(day, use)
        self._wake.put(None)
        if pending is not None:
            pending.deliver(answer)

    def _hung(self) -> bool:
        limit = self._setup.budget.seconds_per_decision + GRACE_SECONDS
        with self._lock:
            return self._at_work is not None and time.monotonic() - self._began > limit

    def _replace(self, *, hung: bool) -> bool:
        """Answer what was at work and start anew; False when stopping or after too many restarts.

        Where no process can be started the connection stays closed, so that the listener comes here again.
        """
        why = "the brain process hung and was ended" if hung else "the brain process ended unexpectedly"
        with self._lock:
            self._restarts += 1
            ending = self._stopping or self._restarts > MAX_RESTARTS
            given_up = ending and not self._stopping
            self._stopping = ending
            lost = self._pending.pop(self._at_work or "", None)
            self._at_work = None
            failure = ""
            if not ending:
                self._connection.close()
                try:
                    self._connection, self._process = self._launch()
                except Exception as error:  # noqa: BLE001 - no memory, no handles: this thread must go on
                    failure = f"{type(error).__name__}: {error}"
        if lost is not None:
            self._fail(lost, ModelUnavailable(why))
        if not failure:
            self._wake.put(None)
        if ending:
            self._fail_all(why)
        if given_up:
            self._on_trouble(
                say("决策进程接连失败 {count} 次，不再启动；重启系统之前没有新决策", count=MAX_RESTARTS)
            )
        elif failure:
            self._on_trouble(say("决策进程无法启动（{why}），稍后再试", why=failure))
            self._closing.wait(RETRY_SECONDS)
        elif not ending:
            restarted = say("决策进程没有反应，已结束并启动新进程")
            self._on_trouble(restarted if hung else say("决策进程意外退出，已启动新进程"))
        return not ending

    def _fail_all(self, why: str) -> None:
        with self._lock:
            lost, self._pending = list(self._pending.values()), {}
            self._at_work = None
        for pending in lost:
            self._fail(pending, ModelUnavailable(why))

    def _fail(self, pending: _Pending, error: Exception) -> None:
        """Answer with HOLD."""
        pending.deliver(failed_answer(pending.request, pending.snapshot, self._model, self._is_llm, error))


def serve(connection: Connection, setup: BrainSetup) -> None:
    """The brain process: answers requests until it gets None or its pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    brain = build_brain(setup)
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
            answer = brain.failed(request, snapshot, error)
        connection.send(answer)
    brain.close()
