"""Mode LIVE beside other apps and other orders on the same account, and what brokers say that cannot be."""

from decimal import Decimal
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType
from vnpy.trader.object import AccountData, OrderRequest, PositionData
from vnpy_ctastrategy import CtaStrategyApp, CtaTemplate

from vnpy_aiagent.domain import Alert, HandlerFailed, HoldingAdjusted, OrderState, OrderUpdate, Sent, Withheld
from vnpy_aiagent.errors import ConfigError

from .live_house import BANK, BROKER, Desk, LiveHouse
from .test_engine_other_apps import PaperAccount, RiskManager

DAY = "2025-07-10"


@pytest.fixture
def house(tmp_path: Path) -> LiveHouse:
    return LiveHouse(tmp_path / "journal.db", f"{DAY}T10:00", Desk())


def ready(house: LiveHouse) -> None:
    house.settle()
    house.quote()


def by_hand(house: LiveHouse, volume: float = 300, price: float = 5.0) -> str:
    """A human's own order in VeighNa's trading panel; the broker's id."""
    side = Direction.LONG, OrderType.LIMIT
    request = OrderRequest(BANK[:6], Exchange.SSE, *side, volume, price, Offset.OPEN)
    vt_orderid = house.main.send_order(request, BROKER)
    house.gateway.tell_orders()
    house.events.drain()
    return vt_orderid.partition(".")[2]


def alerts(house: LiveHouse, part: str) -> list[Alert]:
    return [alert for alert in house.said(Alert) if part in str(alert.text)]


# other apps


def test_no_gateway_is_held_back_and_people_trade_by_hand(house: LiveHouse) -> None:
    with house:
        by_hand(house)
        assert [request.volume for request in house.desk.requests] == [300]
        assert house.engine.status()["paper_guard"] == {"on": False, "gateways": [], "refused": 0}
        assert not {"send_order", "add_gateway"} & {*vars(house.gateway), *vars(house.main)}


@pytest.mark.parametrize("early", [True, False], ids=["loaded before the start", "loaded after it"])
def test_an_order_that_the_risk_manager_refuses_is_withheld_with_its_words_and_a_slip(
    house: LiveHouse, early: bool
) -> None:
    manager = house.main.add_engine(RiskManager) if early else None
    with house:
        manager = manager or house.main.add_engine(RiskManager)
        assert bool([text for text in house.engine.alerts if "500" in text]) is early
        ready(house)
        house.signal(1000)
        [withheld] = house.said(Withheld)
        assert "vnpy_riskmanager" in str(withheld.reason)
        assert "委托数量1000超过上限500；" in str(withheld.reason)
        assert [slip.volume for slip in house.engine.slips()] == [1000]
        assert (house.desk.requests, house.said(Sent)) == ([], [])
        manager.setting = {"委托规模检查": {"order_volume_limit": 10_000}}
        house.signal(1000)
        assert [request.volume for request in house.desk.requests] == [1000]


def test_live_does_not_start_while_a_paper_account_would_swallow_its_orders(house: LiveHouse) -> None:
    house.main.add_engine(PaperAccount)
    with pytest.raises(ConfigError, match="vnpy_paperaccount is loaded"):
        house.engine.start()
    house.__exit__()


def test_a_paper_account_that_is_loaded_later_gets_no_order(house: LiveHouse) -> None:
    with house:
        ready(house)
        paper = house.main.add_engine(PaperAccount)
        house.signal(1000)
        [withheld] = house.said(Withheld)
        assert "vnpy_paperaccount" in str(withheld.reason)
        assert (paper.taken, house.desk.requests) == ([], [])
        assert [slip.volume for slip in house.engine.slips()] == [1000]


def test_an_order_that_another_app_took_elsewhere_is_of_unknown_fate_and_not_sent_again(
    house: LiveHouse,
) -> None:
    with house:
        ready(house)
        house.main.send_order = lambda req, gateway_name: "ELSEWHERE.7"  # type: ignore[method-assign]
        house.signal(1000)
        assert house.said(OrderUpdate)[-1].state is OrderState.UNKNOWN
        assert alerts(house, "ELSEWHERE.7")
        assert house.desk.requests == []


# other orders on the same account


def test_an_order_by_hand_in_the_apps_own_symbol_is_told_and_its_shares_are_external(
    house: LiveHouse,
) -> None:
    with house:
        ready(house)
        house.signal(1000)
        hand = by_hand(house)
        house.fill(hand, 300)
        house.fill("b1", 1000)
        assert [str(alert.severity) for alert in alerts(house, f"{BROKER}.{hand}")] == ["WARNING", "CRITICAL"]
        assert "计入外部持仓" in str(alerts(house, f"{BROKER}.{hand}")[-1].text)
        house.pass_seconds(30)
        assert (house.held, house.book.external) == ({BANK: 1300}, {BANK: 300})
        assert house.engine.status()["accounts"][0]["books_agree"] is True  # type: ignore[index]
        [adjusted] = house.said(HoldingAdjusted)
        assert (adjusted.symbol, adjusted.volume, adjusted.external) == (BANK, 300, 300)
        assert house.book.managed(BANK) == 1000
        assert house.reconciled
        assert house.said(HandlerFailed) == []


class Buyer(CtaTemplate):
    """Another strategy on the same account and symbol: it buys once."""

    done = False

    def on_init(self) -> None: ...

    def on_tick(self, tick: Any) -> None:
        if not self.done:
            self.done = True
            self.buy(5.0, 200)


def test_another_cta_strategys_order_on_the_same_account_is_its_own(house: LiveHouse) -> None:
    with house:
        ready(house)
        cta: Any = house.main.add_app(CtaStrategyApp)
        cta.register_event()
        cta.classes["Buyer"] = Buyer
        announce(house)
        cta.add_strategy("Buyer", "one", BANK, {})
        cta._init_strategy("one")
        cta.start_strategy("one")
        house.signal(1000)
        house.quote()
        assert [request.volume for request in house.desk.requests] == [1000, 200]
        house.fill("b2", 200)
        house.fill("b1", 1000)
        assert cta.strategies["one"].pos == 200
        house.pass_seconds(30)
        assert (house.held, house.book.external) == ({BANK: 1200}, {BANK: 200})
        house.engine.halt("test")
        house.events.drain()
        assert "b2" not in house.desk.cancels


def announce(house: LiveHouse) -> None:
    from vnpy.trader.constant import Product
    from vnpy.trader.object import ContractData

    contract = ContractData(BROKER, BANK[:6], Exchange.SSE, "中国银行", Product.EQUITY, 1, 0.01, min_volume=1)
    house.gateway.on_contract(contract)
    house.events.drain()


# what brokers say of cash and positions

BAD_FIGURES: dict[str, Any] = {
    "no number": nan,
    "infinite": inf,
    "negative": -1000.0,
    "huge": 1e300,
    "none": None,
    "text": "1000",
    "an integer that no float holds": 10**400,
}


@pytest.mark.parametrize("case", BAD_FIGURES)
def test_cash_that_cannot_be_is_told_and_no_order_is_sent_on_it(house: LiveHouse, case: str) -> None:
    with house:
        account = AccountData(BROKER, "1", balance=100_000.0)
        account.available = account.balance = BAD_FIGURES[case]
        for _ in range(10):
            house.gateway.on_account(account)
            house.events.drain()
            house.pass_seconds(1, polls=False)
        house.quote()
        house.signal(100)
        assert (house.reconciled, house.desk.requests) == (False, [])
        assert len(alerts(house, "报来的资金不可信")) == 1
        assert house.said(HandlerFailed) == []
        ready(house)
        house.signal(100)
        assert len(house.desk.requests) == 1


@pytest.mark.parametrize("what", ["volume", "price"])
@pytest.mark.parametrize("case", [*BAD_FIGURES, "fractional"])
def test_a_position_that_cannot_be_is_told_and_never_booked(house: LiveHouse, case: str, what: str) -> None:
    figure = {**BAD_FIGURES, "fractional": 100.5}[case]
    with house:
        position = PositionData(BROKER, "600000", Exchange.SSE, Direction.LONG, 700, price=4.0)
        setattr(position, what, figure)
        house.gateway.on_position(position)
        house.events.drain()
        house.settle()
        assert house.said(HandlerFailed) == []
        if what == "volume":
            assert len(alerts(house, "持仓不可信")) == 1
            assert "600000.SSE" not in house.held
        else:
            assert house.held["600000.SSE"] == 700
        position = PositionData(BROKER, "600000", Exchange.SSE, Direction.LONG, 700, price=4.0)
        house.gateway.on_position(position)
        house.events.drain()
        house.pass_seconds(130)  # the next look, and one more that says the same
        assert (house.held, house.book.external) == ({"600000.SSE": 700}, {"600000.SSE": 700})
        assert house.book.cash == Decimal(100_000)


def test_a_position_without_a_direction_is_told_and_never_booked(house: LiveHouse) -> None:
    with house:
        position = PositionData(BROKER, "600000", Exchange.SSE, Direction.LONG, 700, price=4.0)
        position.direction = None  # type: ignore[assignment]
        house.gateway.on_position(position)
        house.events.drain()
        house.settle()
        assert len(alerts(house, "持仓不可信")) == 1
        assert (house.held, house.reconciled, house.said(HandlerFailed)) == ({}, True, [])
