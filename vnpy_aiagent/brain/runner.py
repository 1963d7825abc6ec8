"""Where the brain runs: inline for simulation, in a spawned process for paper and live.

The process gets immutable requests and snapshots and gives back answers; it shares nothing with the trader.
It works on `brain.concurrency` decisions at a time; answers come as they come. If it dies, what is at work is
answered with HOLD and a new process is started, which is told what models used today. A decision that hangs
is answered with HOLD alone while the process still speaks; a process that does not is replaced.
"""

import multiprocessing
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Event, Lock, Thread

from vnpy_aiagent.brain.build import BrainSetup
from vnpy_aiagent.brain.decide import Brain, BrainAnswer, expired, failed_answer
from vnpy_aiagent.brain.process import AreYouAlive, CancelAll, Job, Used, serve
from vnpy_aiagent.domain import AnalysisRequest, Clock, Text, Thinking, TokenUsage, say
from vnpy_aiagent.errors import ModelCancelled, ModelUnavailable
from vnpy_aiagent.llm.ledger import DayUse
from vnpy_aiagent.llm.port import Usage
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

Deliver = Callable[[BrainAnswer], None]
POLL_SECONDS = 0.2
GRACE_SECONDS = 30.0
ANSWER_SECONDS = 5.0
"""Within which a process says that it is alive when one of its decisions hangs."""
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

    def cancel(self, reason: str) -> None:
        """Nothing is ever under way."""

    def close(self) -> None:
        """Give up the models' connections."""
        self.brain.close()


@dataclass(slots=True)
class _Pending:
    """A request without an answer. `began` (steady clock): when it was sent; `used`: what its calls used."""

    request: AnalysisRequest
    snapshot: DecisionSnapshot
    deliver: Deliver
    began: float | None = None
    used: Usage = field(default_factory=Usage)
    shown: bool = False


class ProcessRunner:
    """One spawned brain process, a thread that sends to it and one that listens.

    A process that hangs does not read, and a full pipe blocks who writes: so requests wait here, and only the
    sender writes. What waits past its deadline is answered with HOLD.
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
        self.on_thinking: Callable[[Thinking], None] = _unheard
        """Gets what models say while they say it; in the listener."""
        self._clock = clock
        self._context = multiprocessing.get_context("spawn")
        self._lock = Lock()
        self._pending: dict[str, _Pending] = {}
        self._given_up: dict[str, Usage] = {}
        """Decisions that hung: answered already, and still in the process; what they used until then."""
        self._notes: deque[CancelAll | AreYouAlive] = deque()
        self._asked_alive: float | None = None
        self._stopping = False
        self._replacing = False
        """Nothing is sent meanwhile: the old pipe is broken, the new one not there yet."""
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

    @property
    def at_work(self) -> tuple[str, ...]:
        """The ids of requests that the process has and that are not answered."""
        with self._lock:
            return tuple(name for name, pending in self._pending.items() if pending.began is not None)

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

    def cancel(self, reason: str) -> None:
        """End all model calls: what waits is answered with HOLD at once, what is at work by the process."""
        with self._lock:
            waiting = [pending for pending in self._pending.values() if pending.began is None]
            for pending in waiting:
                del self._pending[pending.request.id]
            if self._pending:
                self._notes.append(CancelAll(reason))
        self._wake.put(None)
        for pending in waiting:
            self._fail(pending, ModelCancelled(reason))

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

    # the sender

    def _send(self) -> None:
        """Hand the process what it has a place for; None tells it to end."""
        while True:
            self._wake.get()
            self._drop_expired()
            while True:
                with self._lock:
                    stopping, connection = self._stopping, self._connection
                    pending = self._next()
                    silent = pending or stopping or self._replacing
                    note = self._notes.popleft() if self._notes and not silent else None
                if pending is None and note is None and not stopping:
                    break
                job = (pending.request, pending.snapshot) if pending is not None else note
                self._put(connection, job, pending)
                if stopping:
                    return

    def _next(self) -> _Pending | None:
        """The next request, if the process has a place free; notes go first. Under the lock."""
        busy = sum(pending.began is not None for pending in self._pending.values()) + len(self._given_up)
        if self._stopping or self._replacing or self._notes or busy >= self._setup.brain.concurrency:
            return None
        waiting = (pending for pending in self._pending.values() if pending.began is None)
        pending = next(waiting, None)
        if pending is not None:
            pending.began = time.monotonic()
        return pending

    def _put(
        self, connection: Connection, message: Job | CancelAll | AreYouAlive | None, pending: _Pending | None
    ) -> None:
        try:
            connection.send(message)
        except OSError:
            pass  # the listener sees the broken pipe, answers what is at work and starts a new process
        except Exception as error:  # noqa: BLE001 - what cannot be pickled must not end this thread
            if pending is not None:
                self._not_sent(pending, error)

    def _not_sent(self, pending: _Pending, error: Exception) -> None:
        with self._lock:
            ours = self._pending.pop(pending.request.id, None)
        self._wake.put(None)
        if ours is not None:
            why = f"the request cannot be sent ({type(error).__name__}: {error})"
            self._fail(ours, ModelUnavailable(why))

    def _drop_expired(self) -> None:
        """Answer what waits past its deadline; what is at work has its own bound."""
        now = self._clock.now()
        with self._lock:
            late = [
                pending
                for pending in self._pending.values()
                if pending.began is None and now > pending.request.deadline
            ]
            for pending in late:
                del self._pending[pending.request.id]
        for pending in late:
            self._fail(pending, expired(pending.request))

    # the listener

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
            if self._deaf():
                self._process.kill()
                if not self._replace(hung=True):
                    return

    def _take(self, message: object) -> None:
        self._asked_alive = None  # whatever it says, it speaks
        if isinstance(message, BrainAnswer):
            self._answered(message)
        elif isinstance(message, Used):
            with self._lock:
                pending = self._pending.get(message.request_id)
                if pending is not None:
                    pending.used += message.usage
        elif isinstance(message, Thinking):
            with self._lock:
                pending = self._pending.get(message.request_id)
                if pending is not None:
                    pending.shown = True
            if pending is not None:
                self.on_thinking(message)

    def _answered(self, answer: BrainAnswer) -> None:
        use = Usage(**answer.decision.usage.model_dump())
        with self._lock:
            pending = self._pending.pop(answer.request_id, None)
            counted = self._given_up.pop(answer.request_id, None)
            self._restarts = 0
            if pending is None and counted is not None:
                use = Usage(
                    calls=use.calls - counted.calls,
                    prompt_tokens=use.prompt_tokens - counted.prompt_tokens,
                    completion_tokens=use.completion_tokens - counted.completion_tokens,
                    cost=use.cost - counted.cost,
                )
            self._count(answer, use)
        self._wake.put(None)
        if pending is not None:
            self._deliver(pending, answer)

    def _deaf(self) -> bool:
        """Whether the process must be replaced: it does not answer, or has no place left for decisions.

        A decision that hangs is answered; the process is asked to end it, and whether it is alive.
        """
        limit = self._setup.budget.seconds_per_decision + GRACE_SECONDS
        now, hung = time.monotonic(), []
        with self._lock:
            for pending in list(self._pending.values()):
                if pending.began is not None and now - pending.began > limit:
                    hung.append(self._pending.pop(pending.request.id))
            for pending in hung:
                self._given_up[pending.request.id] = pending.used
                self._notes.append(CancelAll("the decision hung", pending.request.id))
            if hung:
                self._notes.append(AreYouAlive())
                self._asked_alive = self._asked_alive or now
            silent = self._asked_alive is not None and now - self._asked_alive > ANSWER_SECONDS
            full = len(self._given_up) >= self._setup.brain.concurrency
        for pending in hung:
            self._fail(pending, ModelUnavailable("the decision hung and was given up"))
        if hung:
            self._wake.put(None)
        return silent or full

    def _replace(self, *, hung: bool) -> bool:
        """Answer what was at work and start anew; False when stopping or after too many restarts.

        Where no process can be started the connection stays closed, so that the listener comes here again.
        """
        why = "the brain process hung and was ended" if hung else "the brain process ended unexpectedly"
        with self._lock:
            self._restarts += 1
            ending = self._stopping or self._restarts > MAX_RESTARTS
            given_up = ending and not self._stopping
            self._stopping, self._replacing = ending, not ending
            lost = [pending for pending in self._pending.values() if pending.began is not None]
            for pending in lost:
                del self._pending[pending.request.id]
            self._given_up.clear()
            self._notes.clear()
            self._asked_alive = None
        for pending in lost:
            self._fail(pending, ModelUnavailable(why))
        failure = "" if ending else self._start_anew()
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

    def _start_anew(self) -> str:
        """A new process in the place of the old one; why not, where that fails."""
        with self._lock:
            self._connection.close()
        failure, started = "", None
        try:  # without the lock: it takes a while, and the event thread submits
            started = self._launch()
        except Exception as error:  # noqa: BLE001 - no memory, no handles: this thread must go on
            failure = f"{type(error).__name__}: {error}"
        with self._lock:
            self._replacing = False
            if started is not None:
                self._connection, self._process = started
            late = self._stopping and started is not None
        if late:  # `close` waited for the old process
            self._process.kill()
        return failure

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

    def _fail_all(self, why: str) -> None:
        with self._lock:
            lost, self._pending = list(self._pending.values()), {}
        for pending in lost:
            self._fail(pending, ModelUnavailable(why))

    def _fail(self, pending: _Pending, error: Exception) -> None:
        """Answer with HOLD; what its calls used until then counts."""
        answer = failed_answer(pending.request, pending.snapshot, self._model, self._is_llm, error)
        if pending.used.calls:
            usage = TokenUsage(**pending.used.model_dump())
            answer = replace(answer, decision=answer.decision.model_copy(update={"usage": usage}))
            with self._lock:
                self._count(answer, pending.used)
        self._deliver(pending, answer)

    def _deliver(self, pending: _Pending, answer: BrainAnswer) -> None:
        if pending.shown:
            self.on_thinking(Thinking(pending.request.id, pending.request.symbol))
        pending.deliver(answer)

    def _count(self, answer: BrainAnswer, use: TokenUsage) -> None:
        """Add to the day's use. Under the lock."""
        day = answer.decision.at.date()
        self._spent = (self._spent or DayUse(day)).add(day, use)


def _unheard(thinking: Thinking) -> None:
    """Nobody looks."""
