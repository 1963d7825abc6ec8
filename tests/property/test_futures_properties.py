"""Random orders, prices, settlements, nights and restarts: a contract's book is what the exchange says."""

import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from vnpy_aiagent.domain import Fill, Settlement, Side, cny
from vnpy_aiagent.market import contracts
from vnpy_aiagent.sim.contract_book import ContractLot

from ..unit.engine.futures_house import CASH, FuturesHouse  # noqa: TID252 - the test tree is no package

RB = "rb2405.SHFE"
MULTIPLIER, MARGIN = 10, Decimal("0.05")
TIMES = (
    "2024-01-02T21:30",
    "2024-01-03T09:30",
    "2024-01-03T14:00",
    "2024-01-03T15:20",
    "2024-01-03T22:00",
    "2024-01-04T10:40",
    "2024-01-04T15:20",
    "2024-01-05T09:40",
    "2024-01-05T21:20",
    "2024-01-08T09:20",
    "2024-01-08T15:20",
)
ORDER = st.tuples(st.sampled_from(["buy", "sell"]), st.integers(1, 4), st.integers(-3, 3))
STEP = st.tuples(st.lists(ORDER, max_size=2), st.integers(3_900, 4_100), st.booleans())


def check(house: FuturesHouse, *, both_sides: bool) -> None:
    """What always holds, told by the fills and settlements alone."""
    book, account = house.book, house.account
    house.sound(both_sides=both_sides)
    fills = house.said(Fill)
    held = sum(fill.volume if fill.side is Side.BUY else -fill.volume for fill in fills)
    assert book.volume(RB) == account.contracts.volume(RB) == held
    lots = book.positions[RB].lots if held else []
    paid = sum((f.price * f.volume * (-1 if f.side is Side.BUY else 1) for f in fills), Decimal(0))
    marked = sum((lot.held_from * lot.volume for lot in lots), Decimal(0))
    fees = sum((fill.fees for fill in fills), Decimal(0))
    assert book.cash == account.cash == CASH - fees + (paid + marked) * MULTIPLIER
    margin = cny(marked * MULTIPLIER * MARGIN)
    assert book.margin == account.contracts.margin == margin
    held_back = sum((r.cash for r in book.reservations.values()), Decimal(0))
    assert book.available == book.cash - margin - held_back
    assert account.available == account.cash - margin - account.frozen
    assert len({fill.identity for fill in fills}) == len(fills)
    days = [settlement.trading_day for settlement in house.said(Settlement)]
    assert days == sorted(set(days))


@settings(max_examples=25, deadline=None)
@given(st.lists(STEP, min_size=len(TIMES), max_size=len(TIMES)))
def test_the_book_is_what_the_exchange_says(
    steps: list[tuple[list[tuple[str, int, int]], int, bool]],
) -> None:
    journal = Path(tempfile.mkdtemp(prefix="futures-", dir=Path.cwd())) / "journal.db"
    house = FuturesHouse(journal, "2024-01-02T21:10", RB)
    house.__enter__()
    sent: set[Side] = set()
    try:
        for moment, (orders, price, restart) in zip(TIMES, steps, strict=True):
            if restart:
                before = house.book.cash, house.book.margin, house.held
                house.__exit__()
                house = FuturesHouse(journal, f"{house.clock.moment:%Y-%m-%dT%H:%M:%S}", RB)
                house.__enter__()
                assert (house.book.cash, house.book.margin, house.held) == before
            house.go(moment)
            if house.engine.house.in_session(RB):
                house.quote_at(price)
                for kind, volume, away in orders:
                    side = Side.BUY if kind == "buy" else Side.SELL
                    sellable = house.engine.house.portfolio.sellable("judge", RB)
                    if side is Side.BUY or sellable:
                        wanted = volume if side is Side.BUY else min(volume, sellable)
                        stop = "3000" if side is Side.BUY else None
                        sent.add(side)
                        house.signal(side, wanted, str(price + away), stop=stop)
                house.quote_at(price - 1)
            check(house, both_sides=len(sent) == 2)
    finally:
        house.__exit__()


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 9), st.booleans()), min_size=1, max_size=6),
    st.data(),
)
def test_a_close_takes_what_it_says_of_each_day(
    opened: list[tuple[int, int, bool]], data: st.DataObject
) -> None:
    today, before = date(2024, 1, 3), date(2024, 1, 2)
    lots = [ContractLot(today if new else before, n, Decimal(p), Decimal(p)) for n, p, new in opened]
    held, new = sum(lot.volume for lot in lots), contracts.opened_on(lots, today)
    volume = data.draw(st.integers(1, held))
    offset = data.draw(st.sampled_from(["CLOSE", "CLOSETODAY", "CLOSEYESTERDAY"]))
    apart = data.draw(st.booleans())
    total = contracts.margin_base(lots)
    part = contracts.closed_today(offset, apart=apart, today=new, older=held - new, volume=volume)
    assert 0 <= part <= new
    assert 0 <= volume - part <= held - new
    base = contracts.take(lots, volume, part, today)
    assert sum(lot.volume for lot in lots) == held - volume
    assert contracts.opened_on(lots, today) == new - part
    assert contracts.margin_base(lots) == total - base
    assert all(lot.volume > 0 for lot in lots)
