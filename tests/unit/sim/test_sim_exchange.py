"""The simulated exchange as an ordinary vnpy gateway."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from vnpy.event import Event
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType, Status
from vnpy.trader.engine import MainEngine
from vnpy.trader.event import EVENT_LOG, EVENT_TICK
from vnpy.trader.object import CancelRequest, OrderData, OrderRequest, TickData

from vnpy_aiagent.config import SimSettings
from vnpy_aiagent.domain import MARKET_TZ, VirtualClock
from vnpy_aiagent.market import instrument_rules
from vnpy_aiagent.market.matching import MarketView
from vnpy_aiagent.sim.event_engine import DeterministicEventEngine
from vnpy_aiagent.sim.exchange import MarketPoint, SimExchange
from vnpy_aiagent.sim.gateway import SimGateway

DAY = date(2025, 3, 3)
SYMBOL = "600000.SSE"


class Market:
    """Two gateways on one exchange, and what they reported."""

    def __init__(self, cash: float = 100_000) -> None:
        self.clock = VirtualClock(datetime.combine(DAY, datetime.min.time(), MARKET_TZ) + timedelta(hours=10))
        self.events = DeterministicEventEngine()
        self.main = MainEngine(self.events)
        self.exchange = SimExchange(self.clock, instrument_rules, SimSettings(slippage_ticks=0))
        self.exchange.start_session(DAY)
        self.gateways = []
        self.logs: list[str] = []
        self.events.register(EVENT_LOG, lambda event: self.logs.append(event.data.msg))
        for name in ("A", "B"):
            gateway = self.main.add_gateway(SimGateway, name)
            assert isinstance(gateway, SimGateway)
            gateway.venue = self.exchange
            gateway.connect({"account": name.lower(), "cash": cash})
            gateway.announce(SYMBOL, "浦发银行", instrument_rules(SYMBOL, DAY))
            self.gateways.append(gateway)

    def move(self, last: str, liquidity: int = 10_000, **changes: str | None) -> None:
        band = {"limit_up": "11.00", "limit_down": "9.00", "bid": None, "ask": None} | changes
        view = MarketView(
            last=Decimal(last),
            liquidity=liquidity,
            tick_size=Decimal("0.01"),
            **{name: None if value is None else Decimal(value) for name, value in band.items()},
        )
        self.exchange.move(MarketPoint(SYMBOL, view))
        self.events.drain()

    def send(
        self, side: str, price: float, volume: float, account: str = "A", **changes: object
    ) -> OrderData:
        request = OrderRequest(
            symbol="600000",
            exchange=Exchange.SSE,
            direction=Direction.LONG if side == "buy" else Direction.SHORT,
            type=OrderType.LIMIT,
            volume=volume,
            price=price,
            offset=Offset.OPEN if side == "buy" else Offset.CLOSE,
        )
        request = replace(request, **changes)  # type: ignore[arg-type]
        vt_orderid = self.main.send_order(request, account)
        return self.order(vt_orderid)

    def order(self, vt_orderid: str) -> OrderData:
        self.events.drain()
        order = self.main.get_order(vt_orderid)
        assert order is not None
        return order

    def next_day(self) -> None:
        self.exchange.end_session()
        self.clock.set(self.clock.now() + timedelta(days=1))
        self.exchange.start_session(self.clock.now().date())
        self.events.drain()

    def holding(self, account: str = "A") -> tuple[float, float]:
        """Volume and frozen as vnpy's position says."""
        self.events.drain()
        position = self.main.get_position(f"{account}.{SYMBOL}.{Direction.LONG.value}")
        return (position.volume, position.frozen) if position else (0, 0)

    def cash(self, account: str = "A") -> tuple[float, float]:
        """Balance and frozen as vnpy's account says."""
        self.events.drain()
        found = self.main.get_account(f"{account}.{account.lower()}")
        assert found is not None
        return found.balance, found.frozen


@pytest.fixture
def market() -> Iterator[Market]:
    market = Market()
    yield market
    market.main.close()


def test_an_order_is_acknowledged_then_filled_at_the_market(market: Market) -> None:
    states: list[Status] = []
    market.events.register("eOrder.", lambda event: states.append(event.data.status))
    market.move("10.00")
    order = market.send("buy", 10.05, 500)
    assert states == [Status.SUBMITTING, Status.NOTTRADED, Status.ALLTRADED]
    assert order.traded == 500
    [trade] = market.main.get_all_trades()
    assert (trade.price, trade.volume, trade.vt_orderid) == (10.00, 500, order.vt_orderid)
    fees = instrument_rules(SYMBOL, DAY).fees(_side("BUY"), 10.0, 500).total
    assert market.cash() == (float(100_000 - 5000 - fees), 0)
    assert market.holding() == (500, 500)


def test_fills_are_bounded_by_volume_and_the_rest_waits(market: Market) -> None:
    market.move("10.00", liquidity=300)
    order = market.send("buy", 10.00, 1000)
    assert (order.status, order.traded) == (Status.PARTTRADED, 300)
    assert market.cash()[1] > 0
    market.move("10.00", liquidity=300)
    assert market.order(order.vt_orderid).traded == 300, "a touch does not fill a resting order"
    market.move("9.99", liquidity=300)
    assert market.order(order.vt_orderid).traded == 600
    market.move("9.98", liquidity=9_000)
    done = market.order(order.vt_orderid)
    assert (done.status, done.traded) == (Status.ALLTRADED, 1000)
    assert market.cash()[1] == 0


def test_one_account_cannot_take_a_windows_volume_twice_but_two_accounts_do_not_compete(
    market: Market,
) -> None:
    market.move("10.00", liquidity=300)
    assert market.send("buy", 10.00, 300).traded == 300
    assert market.send("buy", 10.00, 300).traded == 0
    assert market.send("buy", 10.00, 300, account="B").traded == 300


def test_a_cancel_gives_the_frozen_cash_back(market: Market) -> None:
    market.move("10.00")
    order = market.send("buy", 9.50, 1000)
    balance, frozen = market.cash()
    assert balance == 100_000
    assert frozen == pytest.approx(
        9500 + float(instrument_rules(SYMBOL, DAY).fees(_side("BUY"), 9.5, 1000).total)
    )
    market.main.cancel_order(order.create_cancel_request(), "A")
    assert market.order(order.vt_orderid).status is Status.CANCELLED
    assert market.cash() == (100_000, 0)


def test_cancelling_an_unknown_order_is_only_logged(market: Market) -> None:
    market.main.cancel_order(CancelRequest("nothing", "600000", Exchange.SSE), "A")
    market.events.drain()
    assert any("nothing" in line and "不存在" in line for line in market.logs)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"price": 11.01}, "涨跌停"),
        ({"price": 8.99}, "涨跌停"),
        ({"price": 10.005}, "最小变动价位"),
        ({"volume": 150}, "数量不合规"),
        ({"volume": 0}, "数量不合规"),
        ({"volume": -100}, "数量不合规"),
        ({"volume": 100.5}, "数量不合规"),
        ({"volume": float("nan")}, "价格或数量无效"),
        ({"price": float("inf")}, "价格或数量无效"),
        ({"price": 0.0}, "价格或数量无效"),
        ({"volume": 20_000}, "资金不足"),
        ({"type": OrderType.MARKET}, "只接受限价单"),
        ({"direction": Direction.NET}, "方向"),
        ({"direction": Direction.SHORT, "volume": 100}, "数量"),
        ({"symbol": "600001"}, "没有当日行情"),
    ],
)
def test_a_refused_order_says_why_and_changes_nothing(
    market: Market, change: dict[str, object], reason: str
) -> None:
    market.move("10.00")
    values: dict[str, object] = {"price": 10.0, "volume": 1000} | change
    order = market.send("buy", values.pop("price"), values.pop("volume"), **values)  # type: ignore[arg-type]
    assert order.status is Status.REJECTED
    assert reason in order.extra["reason"]
    assert any(reason in line for line in market.logs)
    assert market.cash() == (100_000, 0)
    assert market.main.get_all_trades() == []


def test_shares_bought_today_are_sold_tomorrow(market: Market) -> None:
    market.move("10.00")
    market.send("buy", 10.00, 500)
    refused = market.send("sell", 10.00, 500)
    assert refused.status is Status.REJECTED
    assert "当日买入不可卖" in refused.extra["reason"]
    market.next_day()
    assert market.holding() == (500, 0)
    market.move("10.00")
    assert market.send("sell", 10.00, 500).status is Status.ALLTRADED
    assert market.holding() == (0, 0)


def test_shares_in_a_working_sale_cannot_be_sold_again(market: Market) -> None:
    market.move("10.00")
    market.send("buy", 10.00, 500)
    market.next_day()
    market.move("10.00")
    first = market.send("sell", 10.50, 300)
    assert market.holding() == (500, 300)
    assert market.send("sell", 10.50, 300).status is Status.REJECTED
    market.main.cancel_order(first.create_cancel_request(), "A")
    assert market.send("sell", 10.50, 500).status is Status.NOTTRADED


@pytest.mark.parametrize(("side", "last", "price"), [("buy", "11.00", 11.0), ("sell", "9.00", 9.0)])
def test_nothing_fills_on_the_closed_side_of_a_locked_limit(
    market: Market, side: str, last: str, price: float
) -> None:
    market.move("10.00")
    market.send("buy", 10.00, 500)
    market.next_day()
    market.move(last)
    assert market.send(side, price, 100).status is Status.NOTTRADED
    market.move(last)
    assert len(market.main.get_all_trades()) == 1


def test_day_orders_end_at_the_close(market: Market) -> None:
    market.move("10.00")
    order = market.send("buy", 9.50, 1000)
    market.exchange.end_session()
    ended = market.order(order.vt_orderid)
    assert ended.status is Status.CANCELLED
    assert "收盘" in ended.extra["reason"]
    assert market.cash() == (100_000, 0)


def test_an_order_left_from_yesterday_ends_when_the_close_was_missed(market: Market) -> None:
    market.move("10.00")
    order = market.send("buy", 9.50, 1000)
    market.clock.set(market.clock.now() + timedelta(days=1))
    market.exchange.start_session(market.clock.now().date())
    assert market.order(order.vt_orderid).status is Status.CANCELLED
    assert market.cash() == (100_000, 0)


def test_a_restart_in_mid_session_keeps_todays_shares_locked_and_ids_apart(market: Market) -> None:
    market.move("10.00")
    first = market.send("buy", 10.00, 500)
    again = SimExchange(market.clock, instrument_rules, SimSettings(slippage_ticks=0), run="r2")
    again.restore("a", Decimal(95_000), {SYMBOL: (500, 500, Decimal(10))}, DAY)
    market.gateways[0].venue = again
    market.gateways[0].connect({"account": "a", "cash": 100_000})
    again.start_session(DAY)
    market.exchange = again
    market.move("10.00")
    assert market.cash() == (95_000, 0)
    refused = market.send("sell", 10.00, 500)
    assert "当日买入不可卖" in refused.extra["reason"]
    second = market.send("buy", 10.00, 100)
    assert second.status is Status.ALLTRADED
    assert second.vt_orderid not in {first.vt_orderid, refused.vt_orderid}
    market.next_day()
    market.move("10.00")
    assert market.send("sell", 10.00, 600).status is Status.ALLTRADED


def test_a_gateway_that_is_not_connected_takes_no_order() -> None:
    events = DeterministicEventEngine()
    main = MainEngine(events)
    gateway = main.add_gateway(SimGateway, "LONE")
    gateway.connect({"account": "lone", "cash": 1})
    request = OrderRequest("600000", Exchange.SSE, Direction.LONG, OrderType.LIMIT, 100, 10.0)
    assert main.send_order(request, "LONE") == ""
    main.close()


def test_a_tick_is_published_once_for_all_accounts(market: Market) -> None:
    seen: list[Event] = []
    market.events.register(EVENT_TICK, seen.append)
    tick = TickData("A", "600000", Exchange.SSE, market.clock.now(), last_price=10.0)
    market.gateways[0].on_tick(tick)
    market.events.drain()
    assert [event.data.vt_symbol for event in seen] == [SYMBOL]


def _side(name: str):  # type: ignore[no-untyped-def]
    from vnpy_aiagent.domain import Side

    return Side[name]


def test_an_order_that_would_meet_ones_own_is_refused(market: Market) -> None:
    market.move("10.00")
    market.send("buy", 10.05, 500)
    market.next_day()
    market.move("10.12")
    sale = market.send("sell", 10.20, 200)
    for price in (10.20, 10.30):
        refused = market.send("buy", price, 100)
        assert refused.status is Status.REJECTED
        number = sale.vt_orderid.partition(".")[2]
        reason = f"自成交：同一账户的卖单 {number}（限价 10.2）尚未成交，请先撤单"
        assert (refused.extra or {})["reason"] == reason
    resting = market.send("buy", 9.95, 100)
    assert resting.status is Status.NOTTRADED, "they do not meet"
    refused = market.send("sell", 9.95, 100)
    assert refused.status is Status.REJECTED
    assert "自成交：同一账户的买单" in (refused.extra or {})["reason"]
    assert market.send("buy", 10.20, 100, account="B").traded == 100, "another account's is another's"
