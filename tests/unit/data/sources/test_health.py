"""Health of sources: a score by the stated formula, a rest after failures in a row, one trial after it."""

import pytest

from vnpy_aiagent.data.sources import health
from vnpy_aiagent.data.sources.health import (
    FAILURES,
    HALF_LIFE,
    HEALTHY,
    LONGEST_REST,
    REST,
    SLOW,
    HealthBoard,
)
from vnpy_aiagent.domain.text import say

from .fakes import NOW, Steady, clock

WHY = say("没有应答")


@pytest.fixture
def steady() -> Steady:
    return Steady()


@pytest.fixture
def board(steady: Steady) -> HealthBoard:
    return HealthBoard(clock(), steady)


def fail(board: HealthBoard, times: int, source: str = "a") -> None:
    for _ in range(times):
        board.failed(source, WHY)


def test_a_source_that_was_never_asked_scores_one(board: HealthBoard) -> None:
    state = board.state("a")
    assert (state.score, state.latency, state.rests_for, state.is_healthy) == (1.0, None, 0.0, True)


def test_the_score_is_success_times_speed_with_weights_that_halve(board: HealthBoard, steady: Steady) -> None:
    board.answered("a", 2.0)
    board.answered("a", 4.0)
    board.failed("a", WHY)
    assert board.state("a").score == pytest.approx(3 / 4 * SLOW / (SLOW + 3.0))
    steady.seconds += HALF_LIFE
    state = board.state("a")
    assert state.latency == pytest.approx(3.0)
    assert state.score == pytest.approx((1 + 1) / (1 + 1 + 0.5) * SLOW / (SLOW + 3.0))
    assert state.last_answer == state.last_failure == NOW
    assert str(state.reason) == "没有应答"


def test_failures_make_it_come_after_healthy_ones_and_time_heals(board: HealthBoard, steady: Steady) -> None:
    fail(board, 2)
    assert board.state("a").score < HEALTHY
    assert board.order(["a", "b", "c"]) == ["b", "c", "a"]
    steady.seconds += HALF_LIFE
    assert board.order(["a", "b", "c"]) == ["a", "b", "c"]


def test_a_slow_source_is_worth_less(board: HealthBoard) -> None:
    board.answered("a", 60.0)
    assert board.state("a").score == pytest.approx(1 / 3)
    assert not board.state("a").is_healthy


def test_failures_in_a_row_give_a_rest_and_then_one_trial(board: HealthBoard, steady: Steady) -> None:
    fail(board, FAILURES - 1)
    assert board.admit("a") == 0
    fail(board, 1)
    assert board.admit("a") == REST
    steady.seconds += REST
    assert board.admit("a") == 0, "the trial"
    assert board.admit("a") == REST, "others wait for its outcome"
    board.answered("a", 1.0)
    assert board.admit("a") == board.admit("a") == 0


def test_each_further_failure_doubles_the_rest_up_to_a_bound(board: HealthBoard, steady: Steady) -> None:
    fail(board, FAILURES)
    rests = []
    for _ in range(8):
        steady.seconds += board.admit("a")
        assert board.admit("a") == 0
        fail(board, 1)
        rests.append(board.admit("a"))
    assert rests == [120, 240, 480, 960, 1800, 1800, 1800, 1800]
    assert max(rests) == LONGEST_REST


def test_an_answer_ends_the_run_of_failures(board: HealthBoard) -> None:
    for _ in range(3 * FAILURES):
        board.failed("a", WHY)
        board.answered("a", 0.1)
    assert board.admit("a") == 0
    assert board.state("a").reason is None


def test_sources_do_not_share_a_record(board: HealthBoard) -> None:
    fail(board, FAILURES, "a")
    assert board.admit("b") == 0
    assert board.state("b").score == 1
    assert health.FAILURES == 3, "the documents say so"
