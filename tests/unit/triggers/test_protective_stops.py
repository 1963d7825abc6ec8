"""Protective stops: the edges of the state machine, and a price that only rises."""

from decimal import Decimal
from itertools import product
from math import nan

import pytest

from vnpy_aiagent.domain import StopState
from vnpy_aiagent.triggers import ProtectiveStop, StopBook
from vnpy_aiagent.triggers.stops import ALLOWED

ARMED, DEFERRED, QUEUED, WORKING, FLAT, TAKEN_OVER = (
    StopState.ARMED,
    StopState.DEFERRED_T1,
    StopState.QUEUED_AT_LIMIT,
    StopState.WORKING,
    StopState.FLAT,
    StopState.TAKEN_OVER,
)
EDGES = {
    (ARMED, ARMED),
    (ARMED, DEFERRED),
    (ARMED, QUEUED),
    (ARMED, WORKING),
    (DEFERRED, QUEUED),
    (DEFERRED, WORKING),
    (QUEUED, WORKING),
    (QUEUED, DEFERRED),
    (WORKING, DEFERRED),
    (WORKING, QUEUED),
    (DEFERRED, ARMED),  # a flatten that a human takes back
    (QUEUED, ARMED),
    (WORKING, ARMED),
    (ARMED, FLAT),
    (DEFERRED, FLAT),
    (QUEUED, FLAT),
    (WORKING, FLAT),
    *((state, TAKEN_OVER) for state in (ARMED, DEFERRED, QUEUED, WORKING)),
}


def stop_in(state: StopState) -> ProtectiveStop:
    return ProtectiveStop("x", "a.SSE", Decimal("9.50"), state)


@pytest.mark.parametrize(("start", "end"), list(product(StopState, StopState)))
def test_only_drawn_edges_are_taken(start: StopState, end: StopState) -> None:
    stop = stop_in(start)
    if (start, end) in EDGES:
        stop.move(end)
        assert stop.state is end
    else:
        with pytest.raises(ValueError, match="cannot go from"):
            stop.move(end)
        assert stop.state is start


def test_every_state_has_its_edges_and_flat_and_taken_over_are_the_ends() -> None:
    assert set(ALLOWED) == set(StopState)
    ends = {FLAT, TAKEN_OVER}
    assert {state for state, edges in ALLOWED.items() if not edges} == ends
    assert all(ends <= edges for state, edges in ALLOWED.items() if state not in ends)


def test_a_stop_is_raised_and_never_lowered() -> None:
    stop = stop_in(ARMED)
    assert stop.raise_to(Decimal("9.60"))
    assert not stop.raise_to(Decimal("9.60"))
    assert not stop.raise_to(Decimal("9.40"))
    assert stop.price == Decimal("9.60")


@pytest.mark.parametrize("state", [DEFERRED, QUEUED, WORKING, FLAT])
def test_a_stop_that_acts_does_not_move(state: StopState) -> None:
    stop = stop_in(state)
    assert not stop.raise_to(Decimal("9.90"))
    assert stop.price == Decimal("9.50")


@pytest.fixture
def book() -> StopBook:
    made = StopBook()
    made.arm("x", "a.SSE", Decimal("9.50"), "cause")
    made.arm("y", "a.SSE", Decimal("9.00"))
    return made


@pytest.mark.parametrize(("price", "hit"), [(9.51, []), (9.5, ["x"]), (9.1, ["x"]), (9.0, ["x", "y"])])
def test_a_price_at_or_below_hits(book: StopBook, price: float, hit: list[str]) -> None:
    assert [stop.account for stop in book.hit("a.SSE", price)] == hit


@pytest.mark.parametrize("price", [0.0, -1.0, nan])
def test_a_missing_price_hits_nothing(book: StopBook, price: float) -> None:
    assert book.hit("a.SSE", price) == []
    waiting = book.get("x", "a.SSE")
    assert waiting is not None
    waiting.move(DEFERRED)
    book.refresh("a.SSE")
    assert book.hit("a.SSE", price) == []


def test_arming_again_only_tightens(book: StopBook) -> None:
    assert book.arm("x", "a.SSE", Decimal("9.20")).price == Decimal("9.50")
    assert book.arm("x", "a.SSE", Decimal("9.80")).price == Decimal("9.80")
    assert len(list(book)) == 2
    assert [stop.account for stop in book.hit("a.SSE", 9.8)] == ["x"]


def test_a_human_may_put_a_stop_lower_as_well(book: StopBook) -> None:
    assert book.put_at("x", "a.SSE", Decimal("9.10")).price == Decimal("9.10")
    assert book.hit("a.SSE", 9.2) == []
    assert [stop.account for stop in book.hit("a.SSE", 9.1)] == ["x"]
    with pytest.raises(KeyError):
        book.put_at("z", "a.SSE", Decimal("9.10"))


def test_a_deferred_stop_comes_up_at_any_price_and_a_working_one_at_none(book: StopBook) -> None:
    stop = book.get("x", "a.SSE")
    assert stop is not None
    stop.move(DEFERRED)
    book.refresh("a.SSE")
    assert stop.due
    assert book.hit("a.SSE", 50.0) == [stop]
    stop.move(WORKING)
    book.refresh("a.SSE")
    assert book.hit("a.SSE", 9.2) == []
    assert book.levels("a.SSE") == [Decimal("9.00")]


def test_a_flat_position_takes_its_stop_out_of_the_book(book: StopBook) -> None:
    gone = book.flat("x", "a.SSE")
    assert gone is not None
    assert gone.state is FLAT
    assert book.flat("x", "a.SSE") is None
    assert book.get("x", "a.SSE") is None
    assert book.hit("a.SSE", 9.4) == []
    assert [stop.account for stop in book.hit("a.SSE", 8.9)] == ["y"]
    assert book.arm("x", "a.SSE", Decimal("5.00")).price == Decimal("5.00")


def test_an_unknown_symbol_hits_nothing(book: StopBook) -> None:
    assert book.hit("b.SSE", 1.0) == []
    assert book.levels("b.SSE") == []
