"""Properties of bands, volumes and fees."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from vnpy_aiagent.market import InstrumentRules, Side, instrument_rules

SYMBOLS = ("600519.SSE", "000001.SZSE", "300750.SZSE", "688981.SSE", "920799.BSE", "510300.SSE")
DAYS = st.dates(date(2021, 11, 15), date(2026, 12, 31))
RULES = st.builds(instrument_rules, st.sampled_from(SYMBOLS), DAYS)
OLD_RULES = st.builds(
    instrument_rules, st.sampled_from(SYMBOLS[:2]), st.dates(date(1999, 1, 1), date(2026, 12, 31))
)
CLOSES = st.decimals(Decimal("0.02"), Decimal(3000), places=2)
VOLUMES = st.integers(1, 400_000)
SIDES = st.sampled_from(Side)


@given(RULES, CLOSES)
def test_a_band_holds_its_close_on_the_tick_grid_within_the_ratio(
    rules: InstrumentRules, close: Decimal
) -> None:
    band = rules.price_band(close)
    assert band is not None
    assert rules.limit_ratio is not None
    tick = rules.tick_size
    assert band.down < close < band.up
    assert band.down % tick == 0
    assert band.up % tick == 0
    assert abs(band.up - close * (1 + rules.limit_ratio)) <= max(tick / 2, tick - close * rules.limit_ratio)
    assert abs(band.down - close * (1 - rules.limit_ratio)) <= max(tick / 2, tick - close * rules.limit_ratio)


@given(RULES, CLOSES, CLOSES)
def test_a_higher_close_never_gives_a_lower_band(
    rules: InstrumentRules, one: Decimal, other: Decimal
) -> None:
    low, high = rules.price_band(min(one, other)), rules.price_band(max(one, other))
    assert low is not None
    assert high is not None
    assert low.up <= high.up
    assert low.down <= high.down


@given(RULES, VOLUMES)
def test_a_rounded_buy_is_the_largest_allowed(rules: InstrumentRules, volume: int) -> None:
    rounded = rules.round_buy(volume)
    assert 0 <= rounded <= volume
    assert rounded == 0 or rules.volume_error(Side.BUY, rounded, 0) is None
    between = range(rounded + 1, min(volume, rounded + 250) + 1)
    assert all(rules.volume_error(Side.BUY, v, 0) is not None for v in between)


@given(RULES, st.integers(1, 1200), st.integers(0, 1200))
def test_a_rounded_sale_is_the_largest_allowed(rules: InstrumentRules, volume: int, holding: int) -> None:
    rounded = rules.round_sell(volume, holding)
    assert 0 <= rounded <= min(volume, holding)
    assert rounded == 0 or rules.volume_error(Side.SELL, rounded, holding) is None
    better = range(rounded + 1, volume + 1)
    assert all(rules.volume_error(Side.SELL, v, holding) is not None for v in better)


@given(RULES, st.integers(1, 1200))
def test_a_whole_holding_can_always_be_sold_at_once(rules: InstrumentRules, holding: int) -> None:
    assert rules.volume_error(Side.SELL, holding, holding) is None


FILLS = st.lists(
    st.tuples(st.decimals("0.01", 500, places=2), st.integers(1, 20_000)), min_size=1, max_size=6
)


@given(OLD_RULES, SIDES, FILLS)
def test_partial_fills_add_up_to_the_fees_of_the_whole_order(
    rules: InstrumentRules, side: Side, fills: list[tuple[Decimal, int]]
) -> None:
    turnover, volume, paid = Decimal(0), 0, Decimal(0)
    before = rules.order_fees(side, turnover, volume)
    for price, shares in fills:
        turnover, volume = turnover + price * shares, volume + shares
        after = rules.order_fees(side, turnover, volume)
        added = after - before
        assert min(added.commission, added.stamp_duty, added.transfer_fee) >= 0
        paid, before = paid + added.total, after
    assert paid == rules.order_fees(side, turnover, volume).total


@given(OLD_RULES, SIDES, CLOSES, VOLUMES)
def test_fees_are_whole_cents_and_a_sale_costs_at_least_a_buy(
    rules: InstrumentRules, side: Side, price: Decimal, volume: int
) -> None:
    fees = rules.fees(side, price, volume)
    assert all(item == item.quantize(Decimal("0.01")) for item in (fees.commission, fees.stamp_duty))
    assert fees.commission >= 5
    assert rules.fees(Side.BUY, price, volume).total <= rules.fees(Side.SELL, price, volume).total
    assert fees == rules.fees(side, float(price), float(volume))
