"""What brokers' gateways do in their own way: they speak in log lines, and give an id to a refused order."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from vnpy.trader.constant import Direction, Exchange, OrderType, Status
from vnpy.trader.object import AccountData, OrderRequest, PositionData

from vnpy_aiagent.domain import Alert, OrderUpdate, Sent, Severity, Side, Withheld
from vnpy_aiagent.i18n import show, translator

from .live_house import BANK, BROKER, Desk, LiveHouse

OPEN = "2025-03-03 10:00:00"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[LiveHouse]:
    with LiveHouse(tmp_path / "journal.db", OPEN, Desk()) as house:
        house.settle()
        house.quote()
        yield house


def alerts(house: LiveHouse, severity: Severity | None = None) -> list[str]:
    found = [each for each in house.said(Alert) if severity in (None, each.severity)]
    return [show(each.text, translator("zh")) for each in found]


def say(house: LiveHouse, line: str, times: int = 1) -> None:
    for _ in range(times):
        house.gateway.write_log(line)
    house.events.drain()


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ("交易服务器登录失败，代码：3，信息：CTP:不合法的登录", Severity.CRITICAL),
        ("交易服务器授权验证失败，代码：63，信息：CTP:客户端认证失败", Severity.CRITICAL),
        ("行情服务器登录失败，原因：connect to server failed", Severity.CRITICAL),
        ("交易服务器连接断开，原因4097", Severity.WARNING),
        ("交易委托失败，代码：31，信息：CTP:资金不足", Severity.WARNING),
        ("委托 1_1_1 状态更新，已撤单报单被拒绝 CFFEX:报单价格超出涨跌停板", Severity.WARNING),
        ("委托请求发送失败，错误代码：-1", Severity.WARNING),
        ("撤单失败，代码：11000327，信息：撤单失败", Severity.WARNING),
    ],
)
def test_what_the_gateway_says_of_a_failure_is_an_alert(
    house: LiveHouse, line: str, severity: Severity
) -> None:
    say(house, line)
    assert [text for text in alerts(house, severity) if line in text]


def test_a_refused_login_says_what_to_do(house: LiveHouse) -> None:
    say(house, "交易服务器登录失败，代码：3，信息：CTP:不合法的登录")
    [text] = [text for text in alerts(house) if "登录失败" in text]
    assert "核对连接设置里的用户名、密码、授权码和服务器地址，改好后重新启动" in text


def test_ordinary_news_is_no_alert(house: LiveHouse) -> None:
    before = alerts(house)
    for line in ("交易服务器登录成功", "结算信息确认成功", "合约信息查询成功"):
        say(house, line)
    assert alerts(house) == before


def test_the_same_line_is_told_once_a_minute(house: LiveHouse) -> None:
    line = "行情订阅失败，代码：1，信息：x"
    say(house, line, times=3)
    assert len([text for text in alerts(house) if line in text]) == 1
    house.pass_seconds(61)
    say(house, line)
    assert len([text for text in alerts(house) if line in text]) == 2


def test_a_gateway_of_nobody_here_is_not_listened_to(house: LiveHouse) -> None:
    line = "交易服务器登录失败，代码：3"
    house.main.write_log(line, "OTHER")
    house.events.drain()
    assert not [text for text in alerts(house) if line in text]


def refuse_as_xtp(house: LiveHouse) -> None:
    """As vnpy_xtp where its library takes no order: a submitting order of id 0, whatever was asked."""

    def send(request: OrderRequest) -> str:
        order = request.create_order_data("0", house.gateway.gateway_name)
        house.gateway.on_order(order)
        return str(order.vt_orderid)

    house.gateway.send_order = send  # type: ignore[method-assign]


def test_an_order_of_id_0_was_not_taken(house: LiveHouse) -> None:
    refuse_as_xtp(house)
    house.signal(1000)
    [withheld] = house.said(Withheld)
    assert show(withheld.reason, translator("zh")) == "接口 BROKER 未接受委托"
    assert house.said(Sent) == house.said(OrderUpdate) == []
    assert house.book.available == house.book.cash
    assert not [text for text in alerts(house) if "非本系统" in text]


def test_the_host_does_not_show_it_as_submitting_for_ever(house: LiveHouse) -> None:
    refuse_as_xtp(house)
    house.signal(1000)
    assert house.main.get_order("BROKER.0").status is Status.REJECTED
    assert house.main.get_all_active_orders() == []


def test_a_trade_that_is_counted_again_after_the_orders_end_changes_nothing(house: LiveHouse) -> None:
    """vnpy_xtp adds a trade to what the order's own report had counted already."""
    house.signal(1000)
    desk, line = house.desk, house.gateway
    desk.end("b1")
    line.on_order(replace(desk.orders["b1"], traded=300))
    line.on_order(replace(desk.orders["b1"], traded=600, status=Status.PARTTRADED))
    desk.orders["b1"] = replace(desk.orders["b1"], traded=0)
    trade = desk.match("b1", 300, 5.0, house.clock.now())
    line.on_trade(trade)
    house.events.drain()
    assert [(each.state.name, each.traded) for each in house.said(OrderUpdate)] == [("CANCELLED", 300)]
    assert house.book.volume(BANK) == 300
    assert not house.engine.execution.desk.parents, "it has ended"


def test_every_order_of_the_app_is_a_limit_order(house: LiveHouse) -> None:
    house.signal(1000)
    house.fill("b1", 1000)
    house.go("2025-03-04 10:00:00")
    house.settle()
    house.quote()
    house.signal(300, Side.SELL, "4.90")
    house.fill("b2", 300, 4.9)
    house.quote(4.7)
    house.quote(4.7)
    requests: list[Any] = house.desk.requests
    assert [request.direction.name for request in requests] == ["LONG", "SHORT", "SHORT"], (
        "the last is a stop"
    )
    assert {request.type for request in requests} == {OrderType.LIMIT}
    assert all(request.price > 0 for request in requests)


def test_shares_held_since_yesterday_may_be_sold_today_once_they_are_handed_over(tmp_path: Path) -> None:
    """On the first day the broker says how many of the shares that it has are older than that day."""

    def told(gateway: Any) -> None:
        gateway.on_position(
            PositionData(BROKER, "601988", Exchange.SSE, Direction.NET, 1000, price=4.0, yd_volume=600)
        )
        gateway.on_account(AccountData(BROKER, "1", balance=100_000.0))

    for moment in (OPEN, "2025-03-03 10:30:00"):
        with LiveHouse(tmp_path / "journal.db", moment, Desk(held={BANK: 1000})) as house:
            house.gateway.tell_account = partial(told, house.gateway)  # type: ignore[method-assign]
            house.settle()
            house.quote()
            if moment == OPEN:
                assert house.book.external == {BANK: 1000}
                house.engine.hand_back("judge", BANK)
            assert house.engine.house.portfolio.sellable("judge", BANK) == 600
            assert house.book.volume(BANK) == 1000


def test_a_margin_account_of_xtp_gets_no_order(house: LiveHouse) -> None:
    house.gateway.td_api = SimpleNamespace(margin_trading=True)  # type: ignore[attr-defined]
    house.signal(1000)
    assert house.desk.requests == []
    reasons = [show(each.reason, translator("zh")) for each in house.said(Withheld)]
    assert [reason for reason in reasons if "融资融券账户" in reason]
    house.gateway.td_api.margin_trading = False  # type: ignore[attr-defined]
    house.signal(900)
    assert [request.volume for request in house.desk.requests] == [900]
