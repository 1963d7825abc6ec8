"""Properties of every message class, of prices and of texts."""

import types
import typing
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from vnpy_aiagent.domain import (
    MESSAGE_TYPES,
    Message,
    PriceBasis,
    PriceContext,
    PriceRef,
    Text,
    UnresolvedPrice,
    ceil_to_tick,
    floor_to_tick,
    parse_message,
    resolve,
    round_to_tick,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LEAVES: dict[object, st.SearchStrategy[object]] = {
    str: TEXTS,
    bool: st.booleans(),
    int: st.integers(0, 10**9),
    float: st.floats(0, 1, allow_nan=False),
    Decimal: st.decimals(-(10**9), 10**9, places=4, allow_nan=False),
    date: st.dates(),
    typing.Any: st.none() | st.booleans() | st.integers(0, 10**9) | TEXTS | st.lists(TEXTS, max_size=2),
    datetime: st.datetimes(timezones=st.just(UTC)).filter(lambda when: when.year > 1900),
}


def strategy_of(annotation: object) -> st.SearchStrategy[object]:
    """Values of a field's annotation."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return strategy_of(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(st.none() if a is type(None) else strategy_of(a) for a in arguments))
    if origin is tuple:
        return st.lists(strategy_of(arguments[0]), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(strategy_of(arguments[0]), strategy_of(arguments[1]), max_size=2)
    if annotation in LEAVES:
        return LEAVES[annotation]
    if getattr(annotation, "__name__", "") == "AwareDatetime":
        return LEAVES[datetime]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return st.sampled_from(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return model_of(annotation)
    raise AssertionError(f"no values for {annotation!r}")


def model_of(cls: type[BaseModel]) -> st.SearchStrategy[BaseModel]:
    """Instances of a model with every field filled."""
    fields = {name: strategy_of(field.annotation) for name, field in cls.model_fields.items()}
    return st.fixed_dictionaries(fields).map(lambda values: cls(**values))


PACKAGE_TYPES = {
    kind: cls for kind, cls in MESSAGE_TYPES.items() if cls.__module__.startswith("vnpy_aiagent.")
}


@pytest.mark.parametrize("kind", sorted(PACKAGE_TYPES))
@settings(max_examples=15)
@given(data=st.data())
def test_every_message_class_survives_json_is_frozen_and_strict(kind: str, data: st.DataObject) -> None:
    message = data.draw(model_of(PACKAGE_TYPES[kind]))
    assert isinstance(message, Message)
    body = message.model_dump_json()
    assert parse_message(kind, body) == message
    assert parse_message(kind, body).model_dump_json() == body
    with pytest.raises(ValidationError):
        message.id = "other"
    with pytest.raises(ValidationError):
        type(message).model_validate(message.model_dump() | {"surprise": 1})
    with pytest.raises(ValidationError):
        type(message).model_validate(message.model_dump() | {"at": message.at.replace(tzinfo=None)})


PRICES = st.decimals("0.01", "5000", places=2)


@given(
    basis=st.sampled_from([b for b in PriceBasis if b is not PriceBasis.LEVEL]),
    offset=st.floats(),
    last=PRICES,
    atr=PRICES,
    tick=st.sampled_from([Decimal("0.01"), Decimal("0.001")]),
)
def test_a_resolved_price_is_positive_and_on_the_grid_or_refused(
    basis: PriceBasis, offset: float, last: Decimal, atr: Decimal, tick: Decimal
) -> None:
    context = PriceContext(tick, last, last, last, atr, last * 2, last / 2)
    try:
        price = resolve(PriceRef(basis=basis, offset=offset), context)
    except UnresolvedPrice:
        return
    assert price > 0
    assert price % tick == 0


@given(
    price=st.decimals("0.001", "9999", places=4), tick=st.sampled_from([Decimal("0.01"), Decimal("0.001")])
)
def test_ticks_bracket_the_price(price: Decimal, tick: Decimal) -> None:
    low, near, high = floor_to_tick(price, tick), round_to_tick(price, tick), ceil_to_tick(price, tick)
    assert low <= price <= high
    assert high - low in (0, tick)
    assert near in (low, high)
    assert abs(near - price) * 2 <= tick


@given(template=TEXTS, figures=st.dictionaries(TEXTS, TEXTS, max_size=3))
def test_a_text_always_renders(template: str, figures: dict[str, str]) -> None:
    text = Text(template=template, figures=figures)
    assert isinstance(text.render(), str)
    assert Text(template=template).render() == template
