"""How often a source is asked: a token bucket on a clock that never goes back."""

from collections.abc import Callable, Mapping
from threading import Lock

from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.domain.text import say

BURST = 5


class TokenBucket:
    """`per_minute` requests a minute on average, at most `burst` at once. Safe in several threads."""

    def __init__(self, per_minute: float, monotonic: Callable[[], float], burst: int = BURST) -> None:
        """The bucket begins full."""
        if per_minute <= 0 or burst < 1:
            raise ValueError("a bucket needs per_minute above 0 and a burst of 1 or more")
        self._per_second = per_minute / 60
        self._burst = burst
        self._monotonic = monotonic
        self._tokens = float(burst)
        self._at = monotonic()
        self._lock = Lock()

    def reserve(self, patience: float = 0.0) -> float | None:
        """Take a token: the seconds to wait before it is valid, 0 for at once.

        None, and nothing taken, where that is longer than `patience` seconds.
        """
        with self._lock:
            now = self._monotonic()
            self._tokens = min(self._burst, self._tokens + max(now - self._at, 0.0) * self._per_second)
            self._at = now
            wait = max(1 - self._tokens, 0.0) / self._per_second
            if wait > patience:
                return None
            self._tokens -= 1
            return wait


class RateLimits:
    """The buckets of several sources; a source that is not named has no limit."""

    def __init__(
        self,
        per_minute: Mapping[str, float],
        monotonic: Callable[[], float],
        sleep: Callable[[float], object],
        patience: float = 30.0,
    ) -> None:
        """`patience`: the longest wait for a turn, in seconds."""
        self._buckets = {name: TokenBucket(rate, monotonic) for name, rate in per_minute.items()}
        self._sleep = sleep
        self._patience = patience

    def take(self, source: str) -> float:
        """Wait for the source's next turn and say how many seconds that took.

        SourceAbsence (THROTTLED) at once where it would be longer than the patience.
        """
        bucket = self._buckets.get(source)
        if bucket is None:
            return 0.0
        wait = bucket.reserve(self._patience)
        if wait is None:
            raise SourceAbsence(
                source,
                AbsenceKind.THROTTLED,
                say("{source} 的请求次数已达设定的每分钟上限，稍后再试", source=source),
            )
        if wait > 0:
            self._sleep(wait)
        return wait
