"""The trigger book against a flat loop; stops never fall."""

from datetime import datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from vnpy_aiagent.domain import MARKET_TZ, TriggerKind, TriggerSpec
from vnpy_aiagent.triggers import StopBook, TriggerBook

AT = datetime(2024, 5, 6, 10, tzinfo=MARKET_TZ)
PRICES = st.integers(90, 110).map(lambda n: Decimal(n) / 10)
SYMBOLS = st.sampled_from(["a.SSE", "b.SSE"])
KINDS = st.sampled_from([TriggerKind.PRICE_AT_OR_ABOVE, TriggerKind.PRICE_AT_OR_BELOW])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), SYMBOLS, KINDS, PRICES),
        st.tuples(st.just("remove"), st.integers(0, 30)),
        st.tuples(st.just("price"), SYMBOLS, PRICES),
    ),
    max_size=60,
)


def reached(spec: TriggerSpec, price: Decimal) -> bool:
    assert spec.price is not None
    return price >= spec.price if spec.trigger is TriggerKind.PRICE_AT_OR_ABOVE else price <= spec.price


@given(STEPS)
def test_the_book_fires_what_a_flat_loop_fires(steps: list[tuple[object, ...]]) -> None:
    book, flat = TriggerBook(), {}
    for number, step in enumerate(steps):
        match step:
            case ("add", str(symbol), TriggerKind() as kind, Decimal() as price):
                spec = TriggerSpec(id=str(number), at=AT, symbol=symbol, trigger=kind, price=price)
                book.add(spec)
                flat[spec.id] = spec
            case ("remove", int(which)):
                assert book.remove(str(which)) == flat.pop(str(which), None)
            case ("price", str(symbol), Decimal() as price):
                due = [spec for spec in flat.values() if spec.symbol == symbol and reached(spec, price)]
                for spec in due:
                    del flat[spec.id]
                assert book.on_price(symbol, float(price)) == due
    assert list(book) == list(flat.values())


@given(st.lists(PRICES, min_size=1, max_size=20))
def test_an_armed_stop_stands_at_the_highest_price_it_was_given(prices: list[Decimal]) -> None:
    book = StopBook()
    for price in prices:
        book.arm("x", "a.SSE", price)
    assert book.levels("a.SSE") == [max(prices)]
    assert len(book.hit("a.SSE", float(max(prices)))) == 1
    assert book.hit("a.SSE", float(max(prices)) + 0.01) == []
