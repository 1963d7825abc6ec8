"""PriceRef: each basis, its bounds, and what cannot be resolved. Money and ticks."""

from decimal import Decimal

import numpy as np
import pytest

from vnpy_aiagent.domain import (
    PriceBasis,
    PriceContext,
    PriceRef,
    UnresolvedPrice,
    ceil_to_tick,
    cny,
    floor_to_tick,
    resolve,
    round_to_tick,
    to_decimal,
)

TICK = Decimal("0.01")
CONTEXT = PriceContext(
    tick=TICK,
    last=Decimal("10.00"),
    prev_close=Decimal("9.90"),
    entry=Decimal("10.10"),
    atr=Decimal("0.333"),
    limit_up=Decimal("10.89"),
    limit_down=Decimal("8.91"),
)
LEVEL = {"evidence": "e1", "level": Decimal("9.77")}


@pytest.mark.parametrize(
    ("basis", "offset", "extra", "price"),
    [
        (PriceBasis.LAST, -1.5, {}, "9.85"),
        (PriceBasis.PREV_CLOSE, 10.0, {}, "10.89"),
        (PriceBasis.ENTRY, 15.0, {}, "11.62"),  # 11.615 rounds half up
        (PriceBasis.ATR, -2.0, {}, "9.43"),  # 10.10 - 0.666 = 9.434
        (PriceBasis.BAND, 0.0, {}, "8.91"),
        (PriceBasis.BAND, 1.0, {}, "10.89"),
        (PriceBasis.BAND, 0.5, {}, "9.90"),
        (PriceBasis.LEVEL, 0.0, LEVEL, "9.77"),
        (PriceBasis.LEVEL, 5.0, LEVEL, "10.26"),  # 10.2585
    ],
)
def test_a_basis_and_an_offset_give_a_price_on_the_tick_grid(
    basis: PriceBasis, offset: float, extra: dict[str, object], price: str
) -> None:
    assert resolve(PriceRef(basis=basis, offset=offset, **extra), CONTEXT) == Decimal(price)


@pytest.mark.parametrize(
    ("basis", "offset", "extra", "sentence"),
    [
        (PriceBasis.LAST, 30.1, {}, "beyond 30 %"),
        (PriceBasis.LEVEL, 5.1, LEVEL, "beyond 5 %"),
        (PriceBasis.ATR, -10.5, {}, "beyond 10"),
        (PriceBasis.BAND, 1.01, {}, "between 0 and 1"),
        (PriceBasis.BAND, -0.01, {}, "between 0 and 1"),
        (PriceBasis.LAST, float("nan"), {}, "finite"),
        (PriceBasis.LAST, float("inf"), {}, "finite"),
        (PriceBasis.LEVEL, 0.0, {}, "level"),
        (PriceBasis.LEVEL, 0.0, {"level": Decimal(9)}, "evidence"),
        (PriceBasis.LAST, 0.0, LEVEL, "belongs to basis LEVEL"),
        (PriceBasis.LAST, 0.0, {"level": Decimal(9)}, "belongs to basis LEVEL"),
        (PriceBasis.LEVEL, 0.0, {"evidence": "e1", "level": Decimal("-3")}, "not positive"),
        (PriceBasis.LEVEL, 0.0, {"evidence": "e1", "level": Decimal("1e60")}, "sensible"),
    ],
)
def test_an_offset_out_of_bounds_is_refused_with_a_sentence(
    basis: PriceBasis, offset: float, extra: dict[str, object], sentence: str
) -> None:
    with pytest.raises(UnresolvedPrice, match=sentence):
        resolve(PriceRef(basis=basis, offset=offset, **extra), CONTEXT)


@pytest.mark.parametrize("basis", [b for b in PriceBasis if b is not PriceBasis.LEVEL])
def test_what_is_not_known_is_never_guessed(basis: PriceBasis) -> None:
    with pytest.raises(UnresolvedPrice, match="not known"):
        resolve(PriceRef(basis=basis), PriceContext(tick=TICK))


def test_an_atr_larger_than_the_price_gives_no_negative_price() -> None:
    wide = PriceContext(tick=TICK, entry=Decimal(1), atr=Decimal(2))
    with pytest.raises(UnresolvedPrice, match="not positive"):
        resolve(PriceRef(basis=PriceBasis.ATR, offset=-3.0), wide)


@pytest.mark.parametrize(
    "number", [10.1, "10.1", Decimal("10.1"), np.float64(10.1)], ids=["float", "text", "decimal", "numpy"]
)
def test_a_number_becomes_the_decimal_that_it_prints_as(number: float | str | Decimal) -> None:
    assert to_decimal(number) == Decimal("10.1")


def test_whole_numbers_of_numpy_become_decimals() -> None:
    assert to_decimal(np.int64(300)) == 300


@pytest.mark.parametrize(
    "number", [float("nan"), float("inf"), "NaN", "-Infinity", Decimal("NaN"), "ten", ""]
)
def test_what_is_no_finite_number_is_a_value_error(number: float | str | Decimal) -> None:
    with pytest.raises(ValueError, match="number"):
        to_decimal(number)


def test_amounts_round_half_up_to_the_cent() -> None:
    assert [cny(x) for x in (0.005, 1.005, "2.675", -0.005)] == [
        Decimal("0.01"),
        Decimal("1.01"),
        Decimal("2.68"),
        Decimal("-0.01"),
    ]


def test_ticks_round_to_nearest_down_and_up() -> None:
    tick = Decimal("0.001")
    assert round_to_tick(1.2345, tick) == Decimal("1.235")
    assert floor_to_tick(1.2349, tick) == Decimal("1.234")
    assert ceil_to_tick(1.2341, tick) == Decimal("1.235")
    assert floor_to_tick(1.234, tick) == ceil_to_tick(1.234, tick) == Decimal("1.234")
