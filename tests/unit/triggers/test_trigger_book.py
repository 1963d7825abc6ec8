"""The trigger book: one shot, in order of registration, exact at the price."""

from datetime import datetime
from decimal import Decimal
from math import nan

import pytest

from vnpy_aiagent.domain import MARKET_TZ, TriggerKind, TriggerSpec
from vnpy_aiagent.triggers import TriggerBook

AT = datetime(2024, 5, 6, 10, tzinfo=MARKET_TZ)
ABOVE, BELOW, TIME = TriggerKind.PRICE_AT_OR_ABOVE, TriggerKind.PRICE_AT_OR_BELOW, TriggerKind.TIME_AT


def spec(
    name: str, kind: TriggerKind, price: str | None = None, symbol: str = "a.SSE", account: str = "x"
) -> TriggerSpec:
    return TriggerSpec(
        id=name,
        at=AT,
        account=account,
        symbol=symbol,
        trigger=kind,
        price=None if price is None else Decimal(price),
        when=AT if kind is TIME else None,
    )


@pytest.fixture
def book() -> TriggerBook:
    made = TriggerBook()
    for name, kind, price in (("1", ABOVE, "11"), ("2", BELOW, "9"), ("3", ABOVE, "12"), ("4", BELOW, "8.5")):
        made.add(spec(name, kind, price))
    return made


def fired(book: TriggerBook, price: float, symbol: str = "a.SSE") -> list[str]:
    return [trigger.id for trigger in book.on_price(symbol, price)]


def test_a_price_between_fires_nothing(book: TriggerBook) -> None:
    assert fired(book, 10.0) == []
    assert len(book) == 4


@pytest.mark.parametrize(
    ("price", "names"),
    [(10.999, []), (11.0, ["1"]), (11.5, ["1"]), (12.0, ["1", "3"]), (9.0, ["2"]), (8.0, ["2", "4"])],
)
def test_a_price_fires_what_it_reaches(book: TriggerBook, price: float, names: list[str]) -> None:
    assert fired(book, price) == names


def test_a_trigger_fires_once(book: TriggerBook) -> None:
    assert fired(book, 11.0) == ["1"]
    assert fired(book, 11.0) == []
    assert book.get("1") is None
    assert len(book) == 3


def test_a_removed_trigger_never_fires_and_the_next_one_still_does(book: TriggerBook) -> None:
    assert book.remove("1") is not None
    assert book.remove("1") is None
    assert fired(book, 11.5) == []
    assert fired(book, 12.5) == ["3"]


def test_removing_the_nearest_moves_the_guard_away(book: TriggerBook) -> None:
    book.remove("2")
    assert fired(book, 8.9) == []
    book.add(spec("5", BELOW, "9.9"))
    assert fired(book, 9.9) == ["5"]


def test_a_trigger_registered_twice_fires_once(book: TriggerBook) -> None:
    book.add(spec("1", ABOVE, "11"))
    assert len(book) == 4
    assert fired(book, 11.0) == ["1"]


def test_fired_triggers_come_in_order_of_registration_across_runs() -> None:
    book = TriggerBook()
    for name in ("r9-0000001", "r10-0000001", "r10-0000002"):
        book.add(spec(name, ABOVE, "11"))
    assert fired(book, 11.0) == ["r9-0000001", "r10-0000001", "r10-0000002"]


def test_symbols_do_not_touch_each_other(book: TriggerBook) -> None:
    book.add(spec("5", ABOVE, "11", symbol="b.SSE"))
    assert fired(book, 11.0, "b.SSE") == ["5"]
    assert fired(book, 11.0, "unknown.SSE") == []
    assert book.get("1") is not None


def test_a_time_trigger_is_kept_and_never_fired_by_a_price(book: TriggerBook) -> None:
    book.add(spec("t", TIME))
    assert fired(book, 1000.0) == ["1", "3"]
    assert book.get("t") is not None
    assert [trigger.id for trigger in book] == ["2", "4", "t"]


def test_a_price_that_is_missing_fires_nothing(book: TriggerBook) -> None:
    assert fired(book, nan) == []
    assert len(book) == 4


def test_a_price_trigger_without_price_is_refused(book: TriggerBook) -> None:
    with pytest.raises(ValueError, match="no price"):
        book.add(spec("5", ABOVE))
    assert len(book) == 4


def test_triggers_are_found_by_position_and_their_levels_by_symbol(book: TriggerBook) -> None:
    book.add(spec("5", ABOVE, "13", account="y"))
    assert [trigger.id for trigger in book.of("y", "a.SSE")] == ["5"]
    assert sorted(book.levels("a.SSE")) == [Decimal(p) for p in ("8.5", "9", "11", "12", "13")]
