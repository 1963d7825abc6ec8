"""One account's book: cash to the cent, lots, T+1, identities of fills, reservations, round trips."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from vnpy_aiagent.domain import MARKET_TZ, Fill, Side, Style
from vnpy_aiagent.portfolio import AccountBook, Origin, Reservation

SYMBOL = "600519.SSE"
MONDAY, TUESDAY = date(2024, 5, 6), date(2024, 5, 7)


def fill(
    side: Side,
    volume: int,
    price: str = "10.00",
    *,
    day: date = MONDAY,
    trade: str = "1",
    order: str = "o1",
    fees: tuple[str, str, str] = ("5.00", "0.00", "0.01"),
    intent: str | None = None,
) -> Fill:
    commission, duty, transfer = (Decimal(item) for item in fees)
    return Fill(
        id=f"{day}-{trade}-{side}",
        at=datetime(day.year, day.month, day.day, 10, tzinfo=MARKET_TZ),
        account="judge",
        trading_day=day,
        exchange="SSE",
        symbol=SYMBOL,
        side=side,
        orderid=order,
        tradeid=trade,
        intent_id=intent,
        parent_id=None,
        price=Decimal(price),
        volume=volume,
        commission=commission,
        stamp_duty=duty,
        transfer_fee=transfer,
    )


@pytest.fixture
def book() -> AccountBook:
    return AccountBook("judge", Style.JUDGE, Decimal("100000.00"))


def test_the_position_is_the_sum_of_fills(book: AccountBook) -> None:
    book.apply(fill(Side.BUY, 300, trade="1"))
    book.apply(fill(Side.BUY, 200, trade="2"))
    book.apply(fill(Side.SELL, 100, day=TUESDAY, trade="3"))
    assert book.volume(SYMBOL) == 400


def test_cash_is_exact_to_the_cent(book: AccountBook) -> None:
    book.apply(fill(Side.BUY, 300, "33.33", fees=("5.00", "0.00", "0.10")))
    assert book.cash == Decimal("100000.00") - Decimal("9999.00") - Decimal("5.10")
    book.apply(fill(Side.SELL, 300, "34.01", day=TUESDAY, trade="2", fees=("5.00", "5.10", "0.10")))
    assert book.cash == Decimal("89995.90") + Decimal("10203.00") - Decimal("10.20")


def test_shares_bought_today_are_locked_under_t_plus_one(book: AccountBook) -> None:
    book.apply(fill(Side.BUY, 300))
    assert book.sellable(SYMBOL, MONDAY, 1) == 0
    assert book.sellable(SYMBOL, MONDAY, 0) == 300
    assert book.sellable(SYMBOL, TUESDAY, 1) == 300
    book.apply(fill(Side.BUY, 100, day=TUESDAY, trade="2"))
    assert book.sellable(SYMBOL, TUESDAY, 1) == 300


def test_a_sale_takes_the_oldest_shares_so_todays_stay_locked(book: AccountBook) -> None:
    book.apply(fill(Side.BUY, 300))
    book.apply(fill(Side.BUY, 100, day=TUESDAY, trade="2"))
    book.apply(fill(Side.SELL, 300, day=TUESDAY, trade="3"))
    assert book.volume(SYMBOL) == 100
    assert book.sellable(SYMBOL, TUESDAY, 1) == 0


def test_nothing_held_is_nothing_sellable(book: AccountBook) -> None:
    assert book.sellable(SYMBOL, MONDAY, 1) == book.volume(SYMBOL) == 0


def test_a_fill_is_booked_once(book: AccountBook) -> None:
    first = fill(Side.BUY, 300)
    book.apply(first)
    cash = book.cash
    assert book.knows(first)
    assert book.apply(first.model_copy(update={"id": "again"})) is None
    assert (book.volume(SYMBOL), book.cash) == (300, cash)


def test_the_same_trade_id_on_two_days_is_two_fills(book: AccountBook) -> None:
    book.apply(fill(Side.BUY, 300, day=MONDAY))
    book.apply(fill(Side.BUY, 300, day=TUESDAY))
    assert book.volume(SYMBOL) == 600


def test_both_sides_of_a_self_trade_with_one_id_are_two_fills(book: AccountBook) -> None:
    book.apply(fill(Side.BUY, 300))
    book.apply(fill(Side.BUY, 100, day=TUESDAY, trade="9", order="o9"))
    book.apply(fill(Side.SELL, 100, day=TUESDAY, trade="9", order="o9"))
    assert book.volume(SYMBOL) == 300


def test_one_trade_id_on_two_orders_is_two_fills(book: AccountBook) -> None:
    book.apply(fill(Side.BUY, 300, order="o1"))
    book.apply(fill(Side.BUY, 300, order="o2"))
    assert book.volume(SYMBOL) == 600


def test_a_working_buy_holds_cash_back_until_it_fills_or_ends(book: AccountBook) -> None:
    book.reserve("i1", Reservation(SYMBOL, Side.BUY, 1000, Decimal("10.00"), margin=Decimal("20.00")))
    assert book.available == Decimal("89980.00")
    assert book.working(SYMBOL, Side.BUY) == 1000
    book.apply(fill(Side.BUY, 400, intent="i1"))
    assert book.working(SYMBOL, Side.BUY) == 600
    assert book.available == book.cash - Decimal("6020.00")
    book.release("i1")
    book.release("i1")
    assert book.available == book.cash


def test_a_working_sale_holds_shares_back(book: AccountBook) -> None:
    book.apply(fill(Side.BUY, 300))
    book.reserve("i2", Reservation(SYMBOL, Side.SELL, 200, Decimal("10.00")))
    assert book.sellable(SYMBOL, TUESDAY, 1) == 100
    assert book.available == book.cash
    book.apply(fill(Side.SELL, 200, day=TUESDAY, trade="2", intent="i2"))
    assert book.sellable(SYMBOL, TUESDAY, 1) == 100


def test_a_fill_larger_than_its_reservation_leaves_none(book: AccountBook) -> None:
    book.reserve("i1", Reservation(SYMBOL, Side.BUY, 100, Decimal("10.00")))
    book.apply(fill(Side.BUY, 300, intent="i1"))
    assert book.working(SYMBOL, Side.BUY) == 0


def test_a_round_trip_counts_profit_net_of_all_fees(book: AccountBook) -> None:
    origin = Origin(setup="trend", regime="UP", confidence=0.7, proposal_id="p1")
    assert book.apply(fill(Side.BUY, 200, "10.00"), origin) is None
    assert book.apply(fill(Side.BUY, 100, "11.00", trade="2"), Origin(setup="other")) is None
    sale = fill(Side.SELL, 100, "12.00", day=TUESDAY, trade="3", fees=("5.00", "0.60", "0.01"))
    assert book.apply(sale) is None
    trip = book.apply(fill(Side.SELL, 200, "12.50", day=TUESDAY, trade="4", fees=("5.00", "1.25", "0.03")))
    assert trip is not None
    fees = Decimal("5.01") * 2 + Decimal("5.61") + Decimal("6.28")
    assert trip.pnl == Decimal(1200 + 2500) - Decimal(2000 + 1100) - fees
    assert trip.position.origin == origin
    assert (trip.position.bought, trip.closed, trip.position.opened) == (300, TUESDAY, MONDAY)
    assert book.cash - book.opening_cash == trip.pnl
    assert SYMBOL not in book.positions


def test_selling_more_than_is_held_is_refused_and_changes_nothing(book: AccountBook) -> None:
    book.apply(fill(Side.BUY, 300))
    cash = book.cash
    with pytest.raises(ValueError, match="exceeds the 300 shares held"):
        book.apply(fill(Side.SELL, 400, day=TUESDAY, trade="2"))
    assert (book.volume(SYMBOL), book.cash) == (300, cash)
    assert not book.knows(fill(Side.SELL, 400, day=TUESDAY, trade="2"))


def test_selling_what_was_never_held_is_refused(book: AccountBook) -> None:
    with pytest.raises(ValueError, match="exceeds the 0 shares held"):
        book.apply(fill(Side.SELL, 100))


def test_equity_values_holdings_at_last_prices_or_at_cost(book: AccountBook) -> None:
    book.apply(fill(Side.BUY, 300, "10.00"))
    assert book.equity({}) == book.cash + 3000
    assert book.equity({SYMBOL: Decimal("12.00")}) == book.cash + 3600


def test_cost_is_the_average_price_of_the_shares_still_held(book: AccountBook) -> None:
    book.apply(fill(Side.BUY, 100, "10.00"))
    book.apply(fill(Side.BUY, 300, "14.00", day=TUESDAY, trade="2"))
    assert book.positions[SYMBOL].cost == 13
    book.apply(fill(Side.SELL, 100, "14.00", day=TUESDAY, trade="3"))
    assert book.positions[SYMBOL].cost == 14


def test_shares_taken_over_are_held_and_valued_but_not_for_sale(book: AccountBook) -> None:
    book.apply(fill(Side.BUY, 300, trade="1"))
    assert book.take_over(SYMBOL) == 300
    assert (book.volume(SYMBOL), book.managed(SYMBOL), book.sellable(SYMBOL, TUESDAY, 1)) == (300, 0, 0)
    assert book.market_value({SYMBOL: Decimal(11)}) == 3300


def test_what_is_bought_beside_them_is_the_apps_and_sold_alone(book: AccountBook) -> None:
    book.apply(fill(Side.BUY, 300, trade="1"))
    book.take_over(SYMBOL)
    book.apply(fill(Side.BUY, 200, trade="2"))
    assert book.sellable(SYMBOL, MONDAY, 1) == 0
    assert book.sellable(SYMBOL, TUESDAY, 1) == book.managed(SYMBOL) == 200
    book.apply(fill(Side.SELL, 200, day=TUESDAY, trade="3"))
    assert (book.managed(SYMBOL), book.external) == (0, {SYMBOL: 300})


def test_a_late_sale_of_shares_taken_over_leaves_fewer_and_the_last_none(book: AccountBook) -> None:
    book.apply(fill(Side.BUY, 300, trade="1"))
    book.take_over(SYMBOL)
    book.apply(fill(Side.SELL, 100, day=TUESDAY, trade="2"))
    assert (book.volume(SYMBOL), book.managed(SYMBOL)) == (200, 0)
    book.apply(fill(Side.SELL, 200, day=TUESDAY, trade="3"))
    assert book.external == {}
    book.apply(fill(Side.BUY, 100, day=TUESDAY, trade="4"))
    assert book.managed(SYMBOL) == 100


def test_a_late_buy_of_an_order_that_was_taken_over_too_is_the_humans_until_handed_back(
    book: AccountBook,
) -> None:
    late = fill(Side.BUY, 200, trade="2").model_copy(update={"parent_id": "p1"})
    book.apply(fill(Side.BUY, 300, trade="1"))
    book.take_over(SYMBOL, ("p1",))
    book.apply(late)
    assert (book.managed(SYMBOL), book.external) == (0, {SYMBOL: 500})
    assert book.hand_back(SYMBOL) == 500
    book.apply(late.model_copy(update={"tradeid": "3"}))
    assert book.managed(SYMBOL) == 700
