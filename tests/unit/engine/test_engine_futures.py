"""Futures through the whole engine: real ticks of IF2101, SHFE's offsets, nights, settlement, restarts."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from vnpy.trader.constant import Direction, Offset, Status
from vnpy.trader.object import OrderRequest

from vnpy_aiagent.agents import Broker
from vnpy_aiagent.agents.books_check import differences
from vnpy_aiagent.domain import (
    Alert,
    Fill,
    ParentDone,
    ParentState,
    Sent,
    Settlement,
    Severity,
    Side,
    Text,
    TradeRecord,
)

from .futures_house import CASH, FuturesHouse
from .small_house import at

IF = "IF2101.CFFEX"
RB = "rb2405.SHFE"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


# 2021-01-04, the sheet by hand. One point is 300 CNY, margin 8 %.
#   09:59:59.9 the best ask is 5228.0, 7 contracts traded since the tick before: buy 2 there
#     value 3,136,800.00; fee 0.23 in 10,000 = 72.1464 -> 72.15; cash 4,999,927.85
#     margin 3,136,800.00 x 0.08 = 250,944.00; available 4,748,983.85
#   14:00:04.4 the best bid is 5275.4, 9 traded: sell 1 there
#     gain 47.4 x 300 = 14,220.00; value 1,582,620.00
#     fee of a close of the same day 3.45 in 10,000 = 546.0039 -> 546.00; cash 5,013,601.85
#   settlement of the other at 5260.0, the day's last price: 32 x 300 = 9,600.00; cash 5,023,201.85
#     margin 5,260 x 300 x 0.08 = 126,240.00
# 2021-01-05: sell the other at 5229
#   loss 31 x 300 = 9,300.00; value 1,568,700.00
#   fee of a close of yesterday's 0.23 in 10,000 = 36.0801 -> 36.08; cash 5,013,865.77
#   the round trip: 14,220.00 + 9,600.00 - 9,300.00 - 72.15 - 546.00 - 36.08 = 13,865.77


def test_a_day_of_real_ticks_to_the_cent(shared: Path, journal: Path) -> None:
    with FuturesHouse(journal, "2021-01-04T09:00", IF) as house:
        house.go("2021-01-04T09:29")
        house.play(shared, "09:55", "10:00")
        house.signal(Side.BUY, 2, "5250", stop="5100")
        assert (house.held, house.book.cash) == ({IF: 2}, Decimal("4999927.85"))
        assert house.book.margin == house.account.contracts.margin == Decimal("250944.00")
        assert house.book.available == Decimal("4748983.85")
        house.play(shared, "10:00", "10:05")
        house.play(shared, "13:55", "14:00:04.900")
        house.signal(Side.SELL, 1, "5240")
        house.play(shared, "14:00:04.900", "14:05")
        house.play(shared, "14:55", "15:00:01")
        assert (house.held, house.book.cash) == ({IF: 1}, Decimal("5013601.85"))
        house.go("2021-01-04T15:20")
        [settled] = house.said(Settlement)
        assert (settled.price, settled.basis, settled.volume) == (Decimal("5260.0"), "CLOSE", 1)
        assert (settled.profit, house.book.cash) == (Decimal("9600.00"), Decimal("5023201.85"))
        assert house.book.margin == house.account.contracts.margin == Decimal("126240.00")
        bought, sold = house.said(Fill)
        assert (bought.price, bought.fees) == (Decimal("5228.0"), Decimal("72.15"))
        assert (sold.price, sold.fees) == (Decimal("5275.4"), Decimal("546.00"))
        assert (sold.terms.closed_today, bought.trading_day) == (1, date(2021, 1, 4))
        house.sound()
    with FuturesHouse(journal, "2021-01-05T09:00", IF) as house:
        assert (house.held, house.book.cash) == ({IF: 1}, Decimal("5023201.85"))
        house.go("2021-01-05T09:31")
        house.quote_at(5230, band=(4_700, 5_780))
        house.signal(Side.SELL, 1, "5220")
        assert house.held == {}
        fill = house.said(Fill)[-1]
        assert (fill.price, fill.fees, fill.terms.closed_today) == (5229, Decimal("36.08"), 0)
        assert house.book.cash == Decimal("5013865.77")
        [trip] = house.said(TradeRecord)
        assert (trip.pnl, trip.buy_price) == (Decimal("13865.77"), Decimal("5228.0000"))
        assert house.book.cash == CASH + trip.pnl
        house.sound()


def test_the_exchanges_own_settlement_price_comes_first(shared: Path, journal: Path) -> None:
    with FuturesHouse(journal, "2021-01-04T09:00", IF) as house:
        house.go("2021-01-04T09:29")
        house.play(shared, "09:59", "10:00")
        house.signal(Side.BUY, 2, "5250", stop="5100")
        house.engine.settlement.give(IF, date(2021, 1, 4), Decimal("5258.6"))
        house.go("2021-01-04T15:20")
        [settled] = house.said(Settlement)
        assert (settled.price, settled.basis) == (Decimal("5258.6"), "SETTLEMENT")
        assert settled.profit == Decimal("18360.00")  # 30.6 x 300 x 2
        house.engine.settlement.run(date(2021, 1, 4))
        assert len(house.said(Settlement)) == 1
        house.sound()


def test_a_day_without_a_price_is_settled_with_the_next(journal: Path) -> None:
    with FuturesHouse(journal, "2024-01-02T09:30", RB) as house:
        house.quote_at(4_000)
        house.signal(Side.BUY, 1, "4010", stop="3900")
        house.go("2024-01-03T15:20")  # no tick on the 3rd
        house.go("2024-01-04T09:30")
        house.quote_at(4_051)
        house.go("2024-01-04T15:20")
        days = [(each.trading_day.day, each.profit) for each in house.said(Settlement)]
        assert days == [(2, Decimal("-10.00")), (4, Decimal("510.00"))]  # bought at 4001
        house.sound()


@pytest.mark.parametrize("price", ["0", "-1", "NaN"])
def test_a_settlement_price_that_cannot_be_is_refused(journal: Path, price: str) -> None:
    with (
        FuturesHouse(journal, "2021-01-04T09:00", IF) as house,
        pytest.raises(ValueError, match="must be positive"),
    ):
        house.engine.settlement.give(IF, date(2021, 1, 4), Decimal(price))


def test_on_shfe_one_sale_becomes_two_orders_yesterdays_first(journal: Path) -> None:
    with FuturesHouse(journal, "2024-01-02T09:30", RB) as house:
        house.quote_at(4_000)
        house.signal(Side.BUY, 2, "4010", stop="3900")
        house.quote_at(4_000)
        house.go("2024-01-02T15:20")
        house.go("2024-01-03T09:30")
        house.quote_at(4_020)
        house.signal(Side.BUY, 1, "4030", stop="3900")
        house.quote_at(4_020)
        assert house.held == {RB: 3}
        house.signal(Side.SELL, 3, "4000")
        sent = house.said(Sent)[-1]
        orders = [house.orders[vt_orderid] for vt_orderid in sent.vt_orderids]
        assert [(order.offset, order.volume, order.direction) for order in orders] == [
            (Offset.CLOSEYESTERDAY, 2, Direction.SHORT),
            (Offset.CLOSETODAY, 1, Direction.SHORT),
        ]
        house.quote_at(4_020)
        assert all(house.orders[vt_orderid].status is Status.ALLTRADED for vt_orderid in sent.vt_orderids)
        sales = [fill for fill in house.said(Fill) if fill.side is Side.SELL]
        assert [(fill.volume, fill.terms.closed_today) for fill in sales] == [(2, 0), (1, 1)]
        done = house.said(ParentDone)[-1]
        assert (done.state, done.filled, house.held) == (ParentState.FILLED, 3, {})
        house.sound()


@pytest.mark.parametrize("trouble", ["refused", "raised"])
def test_where_the_second_of_two_orders_does_not_go_out_a_human_is_told(journal: Path, trouble: str) -> None:
    with FuturesHouse(journal, "2024-01-02T09:30", RB) as house:
        house.quote_at(4_000)
        house.signal(Side.BUY, 2, "4010", stop="3900")
        house.go("2024-01-03T09:30")
        house.quote_at(4_020)
        house.signal(Side.BUY, 1, "4030", stop="3900")
        context = house.engine.house
        plain = context.broker

        def send(request: OrderRequest, gateway: str) -> str | Text:
            if request.offset is not Offset.CLOSETODAY:
                return plain.send(request, gateway)
            if trouble == "raised":
                raise ConnectionError("the line is dead")
            return ""

        object.__setattr__(context, "broker", Broker(send, plain.cancel))
        house.signal(Side.SELL, 3, "4000")
        object.__setattr__(context, "broker", plain)
        house.quote_at(4_020)
        assert house.held == {RB: 1}
        [alert] = house.said(Alert)
        word = "未被接口" if trouble == "refused" else "状态不明"
        assert alert.severity is Severity.CRITICAL
        assert word in alert.text.render()
        done = house.said(ParentDone)[-1]
        assert (done.state, done.filled) == (ParentState.DONE_PARTIAL, 2)
        assert house.book.reservations == {}
        assert differences(house.book, house.account) == []


def test_what_is_bought_at_night_is_of_the_next_trading_day(journal: Path) -> None:
    with FuturesHouse(journal, "2024-01-05T21:05", RB) as house:  # a Friday
        assert house.engine.house.in_session(RB)
        house.quote_at(4_000)
        house.signal(Side.BUY, 2, "4010", stop="3900")
        house.quote_at(4_000)
        house.signal(Side.BUY, 1, "3990", stop="3900")
        [fill] = house.said(Fill)
        assert fill.trading_day == date(2024, 1, 8)
        house.go("2024-01-08T09:16")  # Monday's session has begun, the order of the night goes on
        assert [order.status for order in house.orders.values()][-1] is Status.NOTTRADED
        house.go("2024-01-08T09:30")
        house.quote_at(3_989)
        assert house.held == {RB: 3}
        identities = [(fill.trading_day, fill.tradeid) for fill in house.said(Fill)]
        assert len(set(identities)) == 2
        house.signal(Side.SELL, 3, "3900")
        house.quote_at(3_989)
        assert [order.offset for order in house.orders.values()][-1] is Offset.CLOSETODAY
        assert house.held == {}
        house.go("2024-01-08T15:20")
        house.sound()


def test_a_restart_at_night_keeps_todays_contracts_todays(journal: Path) -> None:
    with FuturesHouse(journal, "2024-01-05T21:05", RB) as house:
        house.quote_at(4_000)
        house.signal(Side.BUY, 2, "4010", stop="3900")
        house.quote_at(4_000)
    with FuturesHouse(journal, "2024-01-08T09:40", RB) as house:
        house.quote_at(4_000)
        house.signal(Side.SELL, 2, "3990")
        house.quote_at(4_000)
        assert [order.offset for order in house.orders.values()] == [Offset.CLOSETODAY]
        assert house.held == {}
        house.sound()


def test_a_stop_sells_at_night(journal: Path) -> None:
    with FuturesHouse(journal, "2024-01-05T21:05", RB) as house:
        house.quote_at(4_000)
        house.signal(Side.BUY, 2, "4010", stop="3900")
        house.quote_at(4_000)
        assert house.stop_state(RB) == "ARMED"
        house.go("2024-01-05T22:00")
        house.quote_at(3_899)
        house.quote_at(3_899)
        assert house.held == {}
        house.sound()


def test_an_order_of_the_day_ends_at_the_close_and_none_is_taken_between(journal: Path) -> None:
    with FuturesHouse(journal, "2024-01-05T14:50", RB) as house:
        house.quote_at(4_000)
        house.signal(Side.BUY, 1, "3990", stop="3900")
        house.go("2024-01-05T15:20")
        assert [order.status for order in house.orders.values()] == [Status.CANCELLED]
        assert not house.engine.house.in_session(RB)
        assert house.engine.house.session_end(RB) == at("2024-01-08T15:00")
        house.sound()
