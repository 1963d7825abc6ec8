"""What a broker says, believed or not; whose a difference is; which order a lost intent may be."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from vnpy.trader.constant import Direction, Exchange
from vnpy.trader.object import AccountData, OrderData, PositionData, TradeData

from vnpy_aiagent.agents.broker_link import link_news
from vnpy_aiagent.domain import MARKET_TZ, Intent, Side
from vnpy_aiagent.execution.adoption import candidates
from vnpy_aiagent.execution.broker_view import cash_of, differences, holdings_of
from vnpy_aiagent.execution.strangers import strange_sums

SYMBOL = "601988.SSE"
NOW = datetime(2025, 7, 10, 10, 0, tzinfo=MARKET_TZ)
NAN, INF = float("nan"), float("inf")


def row(volume: float, direction: Direction = Direction.LONG, **more: Any) -> PositionData:
    return PositionData("B", "601988", Exchange.SSE, direction, volume, **more)


def account(available: float) -> AccountData:
    data = AccountData("B", "1", balance=5.0)
    data.available = available
    return data


@pytest.mark.parametrize(
    ("told", "cash"),
    [
        ([1_000.004], Decimal("1000.00")),
        ([10.0, 5.5], Decimal("15.50")),
        ([0.0], Decimal(0)),
        ([NAN], None),
        ([-0.01], None),
        ([INF], None),
        ([2e13], None),
        ([10.0, NAN], None),
    ],
)
def test_cash_is_what_is_available_over_all_accounts_or_not_believed(
    told: list[float], cash: Decimal | None
) -> None:
    assert cash_of([account(available) for available in told]) == cash


@pytest.mark.parametrize("direction", [Direction.LONG, Direction.NET])
def test_long_and_net_rows_are_shares_and_add_up(direction: Direction) -> None:
    found = holdings_of([row(300, direction, price=4.5), row(200)])
    assert found.volumes == {SYMBOL: 500}
    assert (found.short, found.impossible) == ([], [])


@pytest.mark.parametrize("volume", [NAN, INF, -100, 0.5, 1e12])
def test_impossible_rows_are_set_apart(volume: float) -> None:
    found = holdings_of([row(volume)])
    assert found.volumes == {}
    assert len(found.impossible) == 1


def test_short_rows_are_set_apart_and_empty_ones_forgotten() -> None:
    found = holdings_of([row(3, Direction.SHORT), row(0, Direction.SHORT)])
    assert (found.volumes, len(found.short)) == ({}, 1)


@pytest.mark.parametrize(
    ("book", "external", "broker", "explained", "expected"),
    [
        # book, external of it, broker, orders may have traded -> ours, managed, external
        (1000, 0, 1000, 0, None),
        (0, 0, 500, 0, (0, 0, 500)),
        (0, 0, 500, 500, (500, 0, 0)),
        (0, 0, 500, 300, (300, 0, 200)),
        (0, 0, 500, 900, (500, 0, 0)),
        (0, 0, 500, -900, (0, 0, 500)),
        (1000, 400, 800, 0, (0, 0, -200)),
        (1000, 400, 500, 0, (0, -100, -400)),
        (1000, 0, 400, 0, (0, -600, 0)),
        (1000, 0, 400, -600, (-600, 0, 0)),
        (1000, 400, 100, -600, (-600, 0, -300)),
        (1000, 400, 0, 0, (0, -600, -400)),
    ],
)
def test_whose_a_difference_is(
    book: int, external: int, broker: int, explained: int, expected: tuple[int, int, int] | None
) -> None:
    unheard = {(SYMBOL, Side.BUY if explained > 0 else Side.SELL): abs(explained)}
    found = differences({SYMBOL: book}, {SYMBOL: external}, {SYMBOL: broker}, unheard, unheard, {})
    assert [(item.ours, item.managed, item.external) for item in found] == ([expected] if expected else [])
    assert sum(item.volume for item in found) == broker - book


def test_what_people_traded_is_no_order_of_ours() -> None:
    unheard = {(SYMBOL, Side.BUY): 1000, (SYMBOL, Side.SELL): 1000}
    [bought] = differences({}, {}, {SYMBOL: 300}, unheard, {}, {SYMBOL: 200})
    assert (bought.ours, bought.managed, bought.external) == (100, 0, 200)
    [sold] = differences({SYMBOL: 300}, {}, {}, unheard, {}, {SYMBOL: -200})
    assert (sold.ours, sold.managed, sold.external) == (-100, -200, 0)


def test_what_the_broker_reported_as_ours_is_ours_before_what_people_traded() -> None:
    side = (SYMBOL, Side.BUY)
    [found] = differences({}, {}, {SYMBOL: 500}, {side: 1000}, {side: 300}, {SYMBOL: 500})
    assert (found.ours, found.managed, found.external) == (300, 0, 200)


def intent(**more: Any) -> Intent:
    given: dict[str, Any] = {
        "id": "r1-0000007",
        "at": NOW,
        "account": "a",
        "parent_id": "r1-0000006",
        "reference": "r1-0000006/1",
        "gateway": "B",
        "symbol": SYMBOL,
        "side": Side.BUY,
        "volume": 100,
        "price": Decimal("5.00"),
    }
    return Intent(**(given | more))


def order(**more: Any) -> OrderData:
    given: dict[str, Any] = {
        "gateway_name": "B",
        "symbol": "601988",
        "exchange": Exchange.SSE,
        "orderid": "1",
        "direction": Direction.LONG,
        "price": 5.0,
        "volume": 100,
        "datetime": NOW,
    }
    return OrderData(**(given | more))


def nobodys(_: str) -> bool:
    return False


@pytest.mark.parametrize(
    "unlike",
    [
        {"gateway_name": "C"},
        {"symbol": "600000"},
        {"direction": Direction.SHORT},
        {"price": 5.01},
        {"volume": 200},
        {"datetime": NOW - timedelta(seconds=6)},
        {"datetime": (NOW - timedelta(seconds=6)).replace(tzinfo=None)},
        {"reference": "r1-0000009/1"},
    ],
)
def test_an_order_that_differs_in_anything_is_no_candidate(unlike: dict[str, Any]) -> None:
    assert len(candidates(intent(), [order()], nobodys)) == 1
    assert candidates(intent(), [order(**unlike)], nobodys) == []


@pytest.mark.parametrize(
    "alike", [{"datetime": None}, {"datetime": NOW - timedelta(seconds=4)}, {"reference": "ManualTrading"}]
)
def test_what_does_not_speak_against_an_order_leaves_it_a_candidate(alike: dict[str, Any]) -> None:
    assert len(candidates(intent(), [order(**alike)], nobodys)) == 1


def test_an_owned_order_is_none_and_a_reference_decides() -> None:
    both = [order(), order(orderid="2", reference="r1-0000006/1")]
    assert [found.orderid for found in candidates(intent(), both, nobodys)] == ["2"]
    assert [found.orderid for found in candidates(intent(), both, lambda name: name == "B.2")] == ["1"]


def test_strange_trades_add_up_and_impossible_ones_explain_nothing() -> None:
    def trade(volume: float, price: float, direction: Direction) -> TradeData:
        return TradeData("B", "601988", Exchange.SSE, "1", "1", direction, price=price, volume=volume)

    found = strange_sums(
        [
            trade(300, 5.0, Direction.LONG),
            trade(100, 6.0, Direction.SHORT),
            trade(NAN, 5.0, Direction.LONG),
            trade(100, NAN, Direction.LONG),
            trade(100, -1.0, Direction.LONG),
        ]
    )
    assert (found.volumes, found.cash, found.turnover) == ({SYMBOL: 200}, Decimal(-900), Decimal(2100))


@pytest.mark.parametrize(
    ("line", "news"),
    [
        ("交易服务器连接断开，原因4097", False),
        ("交易服务器连接断开, 原因10200", False),
        ("交易服务器登录成功", True),
        ("交易服务器连接成功", True),
        ("与远程交易所的连接已断开：timed out", False),
        ("交易服务器登录失败，代码：3，信息：CTP:不合法的登录", None),
        ("行情服务器连接断开，原因4097", None),
        ("合约信息查询成功", None),
        ("委托 1 状态更新，全部成交", None),
    ],
)
def test_what_gateways_say_of_their_connection(line: str, news: bool | None) -> None:
    assert link_news(line) is news
