"""On paper and in simulation no gateway but a simulated one takes an order, whoever sends it and however."""

from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from vnpy.event import Event
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType
from vnpy.trader.event import EVENT_LOG
from vnpy.trader.object import CancelRequest, OrderRequest, QuoteRequest
from vnpy_ctastrategy import CtaStrategyApp, CtaTemplate

from vnpy_aiagent.config import AccountSettings
from vnpy_aiagent.cta import AiAgentStrategy
from vnpy_aiagent.domain import Mode, Route, Style, Withheld
from vnpy_aiagent.sim.gateway import SimGateway
from vnpy_aiagent.wiring import Parts

from .broker_gateway import BrokerGateway
from .small_house import BANK, SmallHouse

DAY = "2025-07-10"
CTA_ACCOUNT = AccountSettings(name="judge", style=Style.JUDGE, route=Route.CTA)


@pytest.fixture
def house(tmp_path: Path) -> SmallHouse:
    return SmallHouse(tmp_path / "journal.db", f"{DAY}T10:00", language="zh")


def request() -> OrderRequest:
    return OrderRequest("601988", Exchange.SSE, Direction.LONG, OrderType.LIMIT, 100, 5.0, Offset.OPEN)


def broker(house: SmallHouse) -> Any:
    return house.main.add_gateway(BrokerGateway)


def lines(house: SmallHouse) -> list[str]:
    """The app's and the host's log from now on."""
    seen: list[str] = []

    def note(event: Event) -> None:
        seen.append(event.data.msg)

    house.events.register(EVENT_LOG, note)
    return seen


@pytest.mark.parametrize("early", [True, False], ids=["loaded before the start", "added while it runs"])
def test_an_order_by_any_way_does_not_reach_a_real_gateway(house: SmallHouse, early: bool) -> None:
    gateway = broker(house) if early else None
    with house:
        gateway = gateway or broker(house)
        log = lines(house)
        assert house.main.send_order(request(), "BROKER") == ""  # the trading panel, and every vnpy app
        assert gateway.send_order(request()) == ""  # an app that holds the gateway itself
        quote = QuoteRequest("601988", Exchange.SSE, 4.9, 100, 5.1, 100, Offset.OPEN, Offset.OPEN)
        assert house.main.send_quote(quote, "BROKER") == ""
        house.events.drain()
        assert (gateway.orders, gateway.quotes) == ([], [])
        assert house.engine.status()["paper_guard"] == {"on": True, "gateways": ["BROKER"], "refused": 3}
        told = [line for line in log if "已拒绝" in line]
        assert len(told) == 1
        assert "BROKER" in told[0]
        assert "601988.SSE" in told[0]
        assert "手工交易请先停止 AiAgent" in told[0]


def test_the_log_gets_one_line_a_second_and_the_count_goes_on(house: SmallHouse) -> None:
    with house:
        gateway = broker(house)
        log = lines(house)
        for moment in ("10:00:01", "10:00:01", "10:00:01", "10:00:03"):
            house.go(f"{DAY}T{moment}")
            gateway.send_order(request())
        gateway.send_order(request())
        house.events.drain()
        assert [line.partition("第 ")[2][:1] for line in log if "已拒绝" in line] == ["1", "4"]
        house.engine.close()
        house.events.drain()
        assert [line for line in log if "共拒绝了 5 笔" in line and "1 笔未逐笔记录" in line]


def test_cancels_and_quotes_still_go_through(house: SmallHouse) -> None:
    with house:
        gateway = broker(house)
        house.main.cancel_order(CancelRequest("7", "601988", Exchange.SSE), "BROKER")
        assert [cancel.orderid for cancel in gateway.cancels] == ["7"]
        assert house.engine.guard is not None
        assert house.engine.guard.refused == 0


def test_the_simulated_gateway_is_left_alone_and_the_app_trades_there(house: SmallHouse) -> None:
    with house:
        broker(house)
        simulated = house.main.gateways[house.settings.accounts[0].gateway_name]
        assert isinstance(simulated, SimGateway)
        assert "send_order" not in vars(simulated)
        house.buy(1000)
        assert house.held == {BANK: 1000}


class Buyer(CtaTemplate):
    """A user's own strategy that buys at every tick."""

    def on_init(self) -> None: ...

    def on_tick(self, tick: Any) -> None:
        self.buy(tick.last_price, 100)


def run_strategy(house: SmallHouse, kind: type[CtaTemplate], setting: dict[str, Any]) -> Any:
    cta = house.main.add_app(CtaStrategyApp)
    cta.register_event()  # type: ignore[attr-defined]
    cta.classes[kind.__name__] = kind  # type: ignore[attr-defined]
    house.events.drain()
    cta.add_strategy(kind.__name__, "one", BANK, setting)  # type: ignore[attr-defined]
    cta._init_strategy("one")  # type: ignore[attr-defined]
    cta.start_strategy("one")  # type: ignore[attr-defined]
    house.events.drain()
    return cta


def test_contracts_announced_again_lead_a_users_strategy_to_no_real_order(house: SmallHouse) -> None:
    gateway = broker(house)
    with house:
        gateway.connect({})
        house.events.drain()
        cta = run_strategy(house, Buyer, {})
        for _ in range(2):
            gateway.connect({})  # a reconnect
            house.quote()
        assert cta.strategies["one"].trading  # the host's engine stops a strategy whose handler raises
        assert house.main.get_contract(BANK).gateway_name == "BROKER"  # type: ignore[union-attr]
        assert gateway.orders == []
        assert house.engine.guard is not None
        assert house.engine.guard.refused >= 2


def test_contracts_announced_again_lead_the_paper_accounts_strategy_to_no_real_order(tmp_path: Path) -> None:
    house = SmallHouse(tmp_path / "journal.db", f"{DAY}T10:00", accounts=(CTA_ACCOUNT,))
    gateway = broker(house)
    with house:
        cta = run_strategy(house, AiAgentStrategy, {"account": "judge"})
        house.buy(1000)
        assert (house.held, gateway.orders) == ({BANK: 1000}, [])
        gateway.connect({})  # a reconnect wins the contract back
        house.events.drain()
        house.buy(1000)
        assert (house.held, gateway.orders) == ({BANK: 1000}, [])
        assert "属于接口 BROKER" in str(house.said(Withheld)[-1].reason)
        assert cta.strategies["one"].trading


def test_a_gateway_put_into_the_host_without_add_gateway_is_held_back_with_its_contracts(
    house: SmallHouse,
) -> None:
    with house:
        gateway = BrokerGateway(house.events, "BROKER")
        house.main.gateways["BROKER"] = gateway
        gateway.connect({})
        house.events.drain()
        assert house.main.send_order(request(), "BROKER") == ""
        assert gateway.orders == []


def test_a_close_gives_every_method_back_and_a_new_engine_holds_them_again(tmp_path: Path) -> None:
    house = SmallHouse(tmp_path / "journal.db", f"{DAY}T10:00")
    gateway = broker(house)

    def mine(req: OrderRequest) -> str:
        return "mine"

    own = house.main.add_gateway(BrokerGateway, "OWN")
    own.send_order = mine  # type: ignore[method-assign]
    with house:
        assert own.send_order(request()) == ""
        house.engine.close()
        assert not {"send_order", "send_quote"} & set(vars(gateway))
        assert "add_gateway" not in vars(house.main)
        assert own.send_order is mine
        assert house.main.send_order(request(), "BROKER") == "BROKER.1"
        again = SmallHouse(tmp_path / "journal.db", f"{DAY}T11:00")
        again.main.gateways["BROKER"] = gateway
        with again:
            assert gateway.send_order(request()) == ""
        assert len(gateway.orders) == 1


def test_where_another_app_wrapped_the_guard_a_close_lets_orders_pass_through_it(house: SmallHouse) -> None:
    with house:
        gateway = broker(house)
        guarded = gateway.send_order
        gateway.send_order = partial(guarded)
        assert gateway.send_order(request()) == ""
        house.engine.close()
        assert gateway.send_order(request()) == "BROKER.1"


def test_when_the_program_ends_real_gateways_stay_held_back(house: SmallHouse) -> None:
    gateway = broker(house)
    with house:
        pass  # MainEngine.close(): other apps are closed after this one, and may still want to send
    assert gateway.send_order(request()) == ""
    assert gateway.orders == []


def test_a_start_that_fails_leaves_no_gateway_held_back(
    house: SmallHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = broker(house)

    def fail(*_: Any) -> None:
        raise OSError("no")

    with monkeypatch.context() as broken:
        broken.setattr(house.engine, "_open_accounts", fail)
        with pytest.raises(OSError, match="no"):
            house.engine.start()
    assert gateway.send_order(request()) == "BROKER.1"
    house.main.close()


def test_orders_from_several_threads_are_all_refused_and_counted(house: SmallHouse) -> None:
    with house:
        gateway = broker(house)

        def send() -> None:
            for _ in range(50):
                assert gateway.send_order(request()) == ""

        threads = [Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert gateway.orders == []
        assert house.engine.guard is not None
        assert house.engine.guard.refused == 200


class SimulationHouse(SmallHouse):
    """In mode SIMULATION."""

    def _parts(self, symbols: tuple[str, ...]) -> Parts:
        self.settings = self.settings.model_copy(update={"mode": Mode.SIMULATION})
        return super()._parts(symbols)


def test_a_simulation_holds_real_gateways_back_too(tmp_path: Path) -> None:
    house = SimulationHouse(tmp_path / "journal.db", f"{DAY}T10:00")
    gateway = broker(house)
    with house:
        assert house.main.send_order(request(), "BROKER") == ""
        assert gateway.orders == []
    assert house.engine.parts.settings.mode is Mode.SIMULATION
