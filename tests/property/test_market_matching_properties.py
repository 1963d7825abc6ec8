"""Properties of the matching core."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from vnpy_aiagent.market import MarketView, Side, match_arrival, match_resting

TICK = Decimal("0.01")
PRICES = st.integers(900, 1100).map(lambda n: n * TICK)
VIEWS = st.builds(
    MarketView,
    last=PRICES,
    bid=st.none() | PRICES,
    ask=st.none() | PRICES,
    limit_up=st.sampled_from([None, Decimal("11.00")]),
    limit_down=st.sampled_from([None, Decimal("9.00")]),
    liquidity=st.integers(0, 2000),
    tick_size=st.just(TICK),
    auction=st.booleans(),
    suspended=st.booleans(),
)
SIDES = st.sampled_from(Side)
VOLUMES = st.integers(0, 3000)
SLIPPAGES = st.integers(0, 20)


@given(SIDES, PRICES, VOLUMES, VIEWS, SLIPPAGES)
def test_no_fill_is_worse_than_its_limit_or_larger_than_the_market(
    side: Side, limit: Decimal, remaining: int, view: MarketView, slippage: int
) -> None:
    for fill in (
        match_arrival(side, limit, remaining, view, slippage),
        match_resting(side, limit, remaining, view),
    ):
        if fill is None:
            continue
        assert not view.suspended
        assert fill.price <= limit if side is Side.BUY else fill.price >= limit
        assert 0 < fill.volume <= min(remaining, view.liquidity)
        assert view.limit_up is None or fill.price <= view.limit_up
        assert view.limit_down is None or fill.price >= view.limit_down


@given(SIDES, PRICES, PRICES, VOLUMES, VIEWS, SLIPPAGES)
def test_a_more_willing_order_fills_whenever_a_less_willing_one_does(
    side: Side, one: Decimal, other: Decimal, remaining: int, view: MarketView, slippage: int
) -> None:
    modest, willing = (
        (min(one, other), max(one, other)) if side is Side.BUY else (max(one, other), min(one, other))
    )
    if match_arrival(side, modest, remaining, view, slippage) is not None:
        assert match_arrival(side, willing, remaining, view, slippage) is not None
    if match_resting(side, modest, remaining, view) is not None:
        assert match_resting(side, willing, remaining, view) is not None


@given(SIDES, PRICES, VOLUMES, VIEWS, SLIPPAGES)
def test_slippage_never_helps(
    side: Side, limit: Decimal, remaining: int, view: MarketView, slippage: int
) -> None:
    free = match_arrival(side, limit, remaining, view, 0)
    paid = match_arrival(side, limit, remaining, view, slippage)
    if paid is not None:
        assert free is not None
        assert free.price <= paid.price if side is Side.BUY else free.price >= paid.price
