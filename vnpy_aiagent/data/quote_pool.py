"""Sources in order of preference: failover within one poll, back-off with jitter, and the way back."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from vnpy_aiagent.data.quote_http import Fetch
from vnpy_aiagent.data.quote_sources import LARGEST_REQUEST, Answer, QuoteSource, SourceFailed

Doubt = Callable[[Answer], str]

FIRST_PAUSE, LONGEST_PAUSE = 3.0, 60.0  # seconds, after a failure
FIRST_REFUSED, LONGEST_REFUSED = 15.0, 900.0  # seconds, after a refusal
JITTER = 0.25  # ratio of the pause


@dataclass(slots=True)
class _Health:
    failures: int = 0
    blocked_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Polled:
    """Result of one poll. `answer` is None where no source gave one; `failures` are label and reason."""

    answer: Answer | None
    failures: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class SourcePool:
    """Asks the first source that is not backing off, and the next one in the same poll where it fails.

    A source that failed is asked again after a pause that doubles; since order is preference, the preferred
    source is used again as soon as it answers.
    """

    sources: Sequence[QuoteSource]
    fetch: Fetch
    monotonic: Callable[[], float] = time.monotonic
    random: Random = field(default_factory=Random)
    _health: dict[str, _Health] = field(default_factory=dict)

    def poll(self, vt_symbols: Sequence[str], doubt: Doubt) -> Polled:
        """Quotes of the symbols from one source.

        `doubt` gives the reason against an answer, empty where there is none. A doubted answer is used only
        where no other source has a better one.
        """
        failures: list[tuple[str, str]] = []
        doubted: list[tuple[QuoteSource, str, Answer]] = []
        for source in self.sources:
            health = self._health.setdefault(source.name, _Health())
            if self.monotonic() < health.blocked_until:
                continue
            try:
                answer = self._ask(source, vt_symbols)
            except SourceFailed as error:
                self._back_off(health, error)
                failures.append((source.label, str(error)))
                continue
            if reason := doubt(answer):
                doubted.append((source, reason, answer))
                continue
            health.failures = 0
            for worse, why, _ in doubted:
                self._back_off(self._health[worse.name], SourceFailed(why))
                failures.append((worse.label, why))
            return Polled(answer, tuple(failures))
        return Polled(doubted[0][2] if doubted else None, tuple(failures))

    def seconds_blocked(self) -> float:
        """Seconds until a source may be asked again; 0 where one may be asked now."""
        now = self.monotonic()
        waits = [self._health.get(source.name, _Health()).blocked_until - now for source in self.sources]
        return max(0.0, min(waits))

    def _ask(self, source: QuoteSource, vt_symbols: Sequence[str]) -> Answer:
        """One request for each LARGEST_REQUEST symbols."""
        answers = []
        for start in range(0, len(vt_symbols), LARGEST_REQUEST):
            batch = vt_symbols[start : start + LARGEST_REQUEST]
            answers.append(source.parse(self.fetch(source.url(batch), source.headers), batch))
        return Answer(
            source.name,
            {symbol: quote for answer in answers for symbol, quote in answer.quotes.items()},
            frozenset().union(*(answer.unknown for answer in answers)),
            {symbol: reason for answer in answers for symbol, reason in answer.bad.items()},
        )

    def _back_off(self, health: _Health, error: SourceFailed) -> None:
        first, longest = (FIRST_REFUSED, LONGEST_REFUSED) if error.refused else (FIRST_PAUSE, LONGEST_PAUSE)
        pause = min(longest, first * 2.0 ** min(health.failures, 30))
        pause *= self.random.uniform(1 - JITTER, 1 + JITTER)
        health.failures += 1
        health.blocked_until = self.monotonic() + max(pause, min(error.retry_after, LONGEST_REFUSED))
