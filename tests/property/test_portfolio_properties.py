"""Whatever fills arrive, in whatever repetition: positions and cash are their sums."""

from datetime import date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from vnpy_aiagent.domain import MARKET_TZ, Fill, Side, Style
from vnpy_aiagent.portfolio import AccountBook

AT = datetime(2024, 5, 6, 10, tzinfo=MARKET_TZ)
CENTS = st.decimals("0", "50", places=2)


@st.composite
def fills(draw: st.DrawFn) -> Fill:
    return Fill(
        id="f",
        at=AT,
        account="a",
        trading_day=draw(st.sampled_from([date(2024, 5, 6), date(2024, 5, 7)])),
        exchange="SSE",
        symbol=draw(st.sampled_from(["600519.SSE", "600036.SSE"])),
        side=draw(st.sampled_from(Side)),
        orderid=draw(st.sampled_from("ab")),
        tradeid=draw(st.sampled_from("123456")),
        intent_id=None,
        parent_id=None,
        price=draw(st.decimals("0.01", "2000", places=2)),
        volume=draw(st.integers(1, 1000)),
        commission=draw(CENTS),
        stamp_duty=draw(CENTS),
        transfer_fee=draw(CENTS),
    )


@given(st.lists(fills(), max_size=25))
def test_cash_and_positions_are_the_sums_of_the_distinct_fills_that_were_taken(stream: list[Fill]) -> None:
    book = AccountBook("a", Style.JUDGE, Decimal(10**9))
    taken: dict[tuple[object, ...], Fill] = {}
    pnl = Decimal(0)
    for fill in stream:
        known = book.knows(fill)
        try:
            trip = book.apply(fill)
        except ValueError:
            assert fill.side is Side.SELL
            continue
        if known:
            assert trip is None
            continue
        taken[fill.identity] = fill
        pnl += trip.pnl if trip else Decimal(0)
    sign = {Side.BUY: 1, Side.SELL: -1}
    for symbol in ("600519.SSE", "600036.SSE"):
        assert book.volume(symbol) == sum(
            sign[f.side] * f.volume for f in taken.values() if f.symbol == symbol
        )
        assert 0 <= book.sellable(symbol, date(2024, 5, 7), 1) <= book.volume(symbol)
    flow = sum((-sign[f.side] * f.price * f.volume - f.fees for f in taken.values()), Decimal(0))
    assert book.cash == 10**9 + flow
    if not book.positions:
        assert pnl == flow
