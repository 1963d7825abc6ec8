"""Rate limits: a token bucket on a clock of its own."""

import pytest

from vnpy_aiagent.data.sources.absence import AbsenceKind, SourceAbsence
from vnpy_aiagent.data.sources.limits import RateLimits, TokenBucket

from .fakes import Steady


def test_a_burst_goes_at_once_and_then_one_a_second() -> None:
    steady = Steady()
    bucket = TokenBucket(60, steady, burst=3)
    assert [bucket.reserve() for _ in range(4)] == [0, 0, 0, None]
    steady.seconds += 1
    assert [bucket.reserve() for _ in range(2)] == [0, None]
    steady.seconds += 3_600
    assert [bucket.reserve() for _ in range(4)] == [0, 0, 0, None], "it never holds more than the burst"


def test_who_is_patient_takes_a_later_token_in_turn() -> None:
    steady = Steady()
    bucket = TokenBucket(60, steady, burst=1)
    assert [bucket.reserve(2.5) for _ in range(4)] == [0, 1, 2, None]


def test_no_span_of_time_has_more_than_burst_and_rate() -> None:
    steady = Steady()
    limits = RateLimits({"a": 30}, steady, steady.sleep, patience=60)
    begin = steady.seconds
    for _ in range(35):
        limits.take("a")
    assert steady.seconds - begin == pytest.approx((35 - 5) * 2)


def test_beyond_the_patience_it_is_an_absence_that_is_no_failure() -> None:
    steady = Steady()
    limits = RateLimits({"a": 1}, steady, steady.sleep, patience=30)
    for _ in range(5):
        limits.take("a")
    with pytest.raises(SourceAbsence) as caught:
        limits.take("a")
    assert caught.value.kind is AbsenceKind.THROTTLED
    assert not caught.value.kind.is_failure
    assert steady.slept == []
    assert limits.take("b") == 0, "a source without a limit"


def test_a_clock_that_steps_back_gives_nothing_away() -> None:
    steady = Steady()
    bucket = TokenBucket(60, steady, burst=1)
    assert bucket.reserve() == 0
    steady.seconds -= 1_000
    assert bucket.reserve() is None


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_bucket_that_gives_nothing_is_refused(rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match="needs per_minute"):
        TokenBucket(rate, Steady(), burst)
