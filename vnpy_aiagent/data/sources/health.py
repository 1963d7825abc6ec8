"""How well each source answers: a score that forgets, and a rest after failures in a row.

    score   = success x speed
    success = (1 + good) / (1 + good + bad)      good, bad: answers and failures, each weighing
                                                 0.5 ** (age / HALF_LIFE)
    speed   = SLOW / (SLOW + latency)            latency: mean seconds of answers with the same weights

A source that was never asked scores 1. From HEALTHY on it keeps its place in the order of preference; below,
it comes after those that are healthy. FAILURES in a row give it a rest of REST seconds, twice as long after
each further one, at most LONGEST_REST; then one request goes through as a trial.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from vnpy_aiagent.domain.clock import Clock
from vnpy_aiagent.domain.text import Text

HALF_LIFE = 1_800.0
SLOW = 30.0
HEALTHY = 0.4
FAILURES = 3
REST, LONGEST_REST = 60.0, 1_800.0
Monotonic = Callable[[], float]


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """A source as it stands.

    `latency`: mean seconds of its answers. `rests_for`: seconds, 0 where it may be asked now.
    `reason`: why it failed last; None where the last request was answered.
    """

    source: str
    score: float
    failures: int
    latency: float | None
    rests_for: float
    last_answer: datetime | None
    last_failure: datetime | None
    reason: Text | None

    @property
    def is_healthy(self) -> bool:
        """Whether it keeps its place in the order of preference."""
        return self.score >= HEALTHY and not self.rests_for


@dataclass(slots=True)
class _Record:
    good: float = 0.0
    bad: float = 0.0
    seconds: float = 0.0
    at: float = 0.0
    failures: int = 0
    rest_until: float = 0.0
    last_answer: datetime | None = None
    last_failure: datetime | None = None
    reason: Text | None = None

    def fade(self, now: float) -> None:
        """Let what was seen before weigh less."""
        weight = 0.5 ** (max(now - self.at, 0.0) / HALF_LIFE)
        self.good, self.bad, self.seconds = self.good * weight, self.bad * weight, self.seconds * weight
        self.at = now

    def score(self) -> float:
        latency = self.seconds / self.good if self.good else 0.0
        return (1 + self.good) / (1 + self.good + self.bad) * SLOW / (SLOW + latency)


class HealthBoard:
    """The health of all sources of one process. Safe to use from several threads."""

    def __init__(self, clock: Clock, monotonic: Monotonic) -> None:
        """`clock` dates what was seen; `monotonic` gives seconds that never go back."""
        self._clock = clock
        self._monotonic = monotonic
        self._lock = Lock()
        self._records: dict[str, _Record] = {}

    def admit(self, source: str) -> float:
        """0 where the source may be asked now, else the seconds that its rest still lasts.

        The first request after a rest is a trial: until its outcome is told, others are held back.
        """
        with self._lock:
            record = self._record(source)
            now = self._monotonic()
            if record.failures < FAILURES:
                return 0.0
            if now < record.rest_until:
                return record.rest_until - now
            record.rest_until = now + _rest(record.failures)
            return 0.0

    def answered(self, source: str, seconds: float) -> None:
        """The source answered after `seconds`; an answer without rows is one too."""
        with self._lock:
            record = self._record(source)
            record.good += 1
            record.seconds += max(seconds, 0.0)
            record.failures, record.rest_until = 0, 0.0
            record.last_answer, record.reason = self._clock.now(), None

    def failed(self, source: str, reason: Text) -> None:
        """The source failed."""
        with self._lock:
            record = self._record(source)
            record.bad += 1
            record.failures += 1
            if record.failures >= FAILURES:
                record.rest_until = self._monotonic() + _rest(record.failures)
            record.last_failure, record.reason = self._clock.now(), reason

    def state(self, source: str) -> SourceHealth:
        """The source as it stands now."""
        with self._lock:
            record = self._record(source)
            resting = record.failures >= FAILURES
            return SourceHealth(
                source=source,
                score=record.score(),
                failures=record.failures,
                latency=record.seconds / record.good if record.good else None,
                rests_for=max(record.rest_until - self._monotonic(), 0.0) if resting else 0.0,
                last_answer=record.last_answer,
                last_failure=record.last_failure,
                reason=record.reason,
            )

    def order(self, sources: Sequence[str]) -> list[str]:
        """The healthy ones in the order given, then the others in the order given."""
        return sorted(sources, key=lambda source: not self.state(source).is_healthy)

    def _record(self, source: str) -> _Record:
        """The source's record, faded to now; the lock is held."""
        now = self._monotonic()
        record = self._records.setdefault(source, _Record(at=now))
        record.fade(now)
        return record


def _rest(failures: int) -> float:
    return float(min(REST * 2 ** min(failures - FAILURES, 10), LONGEST_REST))
