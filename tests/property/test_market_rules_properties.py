"""Properties of bands, cages, volumes, fees, ex-days and dividend tax: rounding, symmetry, monotonicity."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from vnpy_aiagent.market import (
    CorporateAction,
    InstrumentRules,
    ShareLots,
    Side,
    ex_level,
    ex_reference,
    instrument_rules,
)

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


@given(RULES, CLOSES)
def test_a_band_is_symmetric_but_for_rounding_and_never_wider_than_a_tick_more(
    rules: InstrumentRules, close: Decimal
) -> None:
    band = rules.price_band(close)
    assert band is not None
    up, down = band.up - close, close - band.down
    assert abs(up - down) <= rules.tick_size or band.down == rules.tick_size


@given(RULES, SIDES, CLOSES, CLOSES)
def test_a_cage_lies_on_the_grid_beyond_its_base_and_follows_it(
    rules: InstrumentRules, side: Side, one: Decimal, other: Decimal
) -> None:
    edges = [rules.cage(side, base, base, None, None) for base in sorted((one, other))]
    if rules.cage_rule is None:
        assert edges == [None, None]
        return
    for base, edge in zip(sorted((one, other)), edges, strict=True):
        assert edge is not None
        assert edge % rules.tick_size == 0
        assert edge >= base if side is Side.BUY else edge <= base
        assert edge >= rules.tick_size
    assert edges[0] is not None
    assert edges[1] is not None
    assert edges[0] <= edges[1]


@given(RULES, CLOSES)
def test_a_cage_reaches_as_far_up_as_down_but_for_rounding(rules: InstrumentRules, base: Decimal) -> None:
    assume(rules.cage_rule is not None and base > 1)
    up, down = (rules.cage(side, base, base, None, None) for side in (Side.BUY, Side.SELL))
    assert up is not None
    assert down is not None
    assert abs((up - base) - (base - down)) <= rules.tick_size


@given(OLD_RULES, SIDES, CLOSES, VOLUMES, VOLUMES)
def test_more_turnover_never_costs_less(
    rules: InstrumentRules, side: Side, price: Decimal, one: int, other: int
) -> None:
    less, more = (rules.fees(side, price, volume) for volume in sorted((one, other)))
    assert less.commission <= more.commission
    assert less.stamp_duty <= more.stamp_duty
    assert less.transfer_fee <= more.transfer_fee


@given(OLD_RULES, SIDES, CLOSES, VOLUMES)
def test_each_fee_is_its_rate_rounded_half_up_to_the_cent(
    rules: InstrumentRules, side: Side, price: Decimal, volume: int
) -> None:
    fees, turnover = rules.fees(side, price, volume), price * volume
    rate = rules.stamp_duty.buy if side is Side.BUY else rules.stamp_duty.sell
    half = Decimal("0.005")
    assert -half < fees.stamp_duty - turnover * rate <= half
    moved = turnover * rules.transfer_fee.rate + volume * rules.transfer_fee.per_share
    assert -half < fees.transfer_fee - max(moved, rules.transfer_fee.minimum) <= half


# ex-days

RATIOS = st.decimals(0, 2, places=2)
ACTIONS = st.builds(
    CorporateAction,
    vt_symbol=st.just("600519.SSE"),
    ex_date=st.just(date(2024, 6, 4)),
    bonus=RATIOS,
    cash=st.decimals(0, 5, places=3),
    rights=RATIOS,
    rights_price=st.decimals("0.01", 20, places=2),
)
PRICES = st.decimals("6", 300, places=2)


@given(ACTIONS, PRICES, PRICES)
def test_levels_keep_their_order_over_an_ex_day(
    action: CorporateAction, one: Decimal, other: Decimal
) -> None:
    low, high = sorted((one, other))
    assert ex_level(low, action) <= ex_level(high, action)
    assert ex_reference(low, action) <= ex_reference(high, action)


@given(ACTIONS, PRICES)
def test_the_reference_price_lies_on_the_grid_and_a_level_follows_it(
    action: CorporateAction, close: Decimal
) -> None:
    reference = ex_reference(close, action)
    assert reference % Decimal("0.01") == 0
    assert ex_level(close, action) == reference
    if not action.rights:
        assert reference <= close
        worth = reference * (1 + action.bonus) + action.cash
        assert abs(worth - close) <= Decimal("0.005") * (1 + action.bonus)  # value neither made nor lost


@given(ACTIONS, st.lists(st.integers(1, 5_000), min_size=1, max_size=6), st.integers(0, 9))
def test_an_ex_day_gives_whole_shares_and_cents_to_the_lots_of_before_alone(
    action: CorporateAction, volumes: list[int], late: int
) -> None:
    lots = ShareLots()
    for n, volume in enumerate(volumes):
        lots.buy(action.ex_date - timedelta(days=len(volumes) - n), volume)
    if late:
        lots.buy(action.ex_date, late)
    held = sum(volumes)
    shares, cash = lots.apply(action)
    assert shares == int(held * action.bonus)
    assert abs(cash - held * action.cash) <= Decimal("0.005")
    assert lots.volume == held + late + shares
    assert lots.entitled(action.ex_date) == held + shares


@given(
    ACTIONS,
    st.lists(st.integers(1, 5_000), min_size=1, max_size=4),
    st.lists(st.integers(1, 3_000), max_size=6),
    st.integers(0, 500),
)
def test_the_tax_of_all_sales_is_at_most_a_fifth_of_the_dividend_and_falls_with_time(
    action: CorporateAction, volumes: list[int], sales: list[int], waited: int
) -> None:
    lots = ShareLots()
    for n, volume in enumerate(volumes):
        lots.buy(action.ex_date - timedelta(days=len(volumes) - n), volume)
    _, cash = lots.apply(action)
    sold = action.ex_date + timedelta(days=waited)
    at_once, later = lots.copy(), lots.copy()
    now = at_once.sell(sold, lots.volume)
    assert 0 <= now <= cash / 5 + Decimal("0.01") * len(volumes)
    assert later.sell(sold + timedelta(days=366), lots.volume) <= now
    parts = sum((lots.sell(sold, min(part, lots.volume)) for part in sales), Decimal(0))
    parts += lots.sell(sold, lots.volume)
    assert abs(parts - now) <= Decimal("0.02") * (len(volumes) + len(sales))
    assert lots.volume == 0
