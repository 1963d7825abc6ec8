"""A durable intent goes out through the CTA engine as it was journaled, or not at all."""

from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
from vnpy.event import EventEngine
from vnpy.trader.constant import Direction, Offset

from vnpy_aiagent.base import APP_NAME
from vnpy_aiagent.cta import AiAgentStrategy
from vnpy_aiagent.cta.live import LiveRoute, running_engine
from vnpy_aiagent.domain import MARKET_TZ, Intent, Mode, Side, Text
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.sim.gateway import SimGateway

SYMBOL = "600519.SSE"


class Desk:
    """Stands for the execution agent's register."""

    def __init__(self) -> None:
        self.routes: dict[tuple[str, str], object] = {}
        self.refusal = ""

    def register_route(self, account, symbol, route):
        if self.refusal:
            raise ConfigError(self.refusal)
        self.routes[account, symbol] = route

    def release_route(self, account, symbol, route):
        assert self.routes.pop((account, symbol)) == route


class Cta:
    """Stands for the CTA engine: keeps what it is told to send."""

    def __init__(self, main_engine) -> None:
        self.main_engine = main_engine
        self.sent: list[tuple] = []
        self.logs: list[str] = []
        self.answer = ["SIM-JUDGE.1"]

    def get_engine_type(self):
        from vnpy_ctastrategy.base import EngineType

        return EngineType.LIVE

    def send_limit_order(self, strategy, contract, direction, offset, price, volume, lock, net):
        self.sent.append((direction, offset, price, volume, lock, net))
        return self.answer

    def write_log(self, msg, strategy):
        self.logs.append(msg)

    def put_strategy_event(self, strategy):
        pass


@pytest.fixture
def house():
    """An AiAgent engine, a main engine and a CTA engine, as far as the strategy looks at them."""
    gateway = SimGateway(EventEngine(), "SIM-JUDGE")
    contract = SimpleNamespace(gateway_name="SIM-JUDGE", pricetick=0.01, min_volume=100)
    main = SimpleNamespace(engines={}, gateways={"SIM-JUDGE": gateway}, get_contract=lambda symbol: contract)
    book = SimpleNamespace(volume=lambda symbol: 300)
    portfolio = SimpleNamespace(books={"judge": book}, stops={("judge", SYMBOL): Decimal("9.5")})
    engine = SimpleNamespace(
        started=True,
        closed=False,
        execution=Desk(),
        main_engine=main,
        house=SimpleNamespace(portfolio=portfolio),
        parts=SimpleNamespace(settings=SimpleNamespace(mode=Mode.PAPER)),
    )
    main.engines[APP_NAME] = engine
    return SimpleNamespace(main=main, engine=engine, contract=contract, cta=Cta(main))


def strategy_of(house, **setting) -> AiAgentStrategy:
    strategy = AiAgentStrategy(house.cta, "ai", SYMBOL, {"account": "judge", **setting})
    strategy.on_init()
    strategy.inited = True
    return strategy


def intent_of(side: Side = Side.BUY, volume: int = 200) -> Intent:
    return Intent(
        id="r1-1",
        at=datetime(2024, 5, 6, 10, tzinfo=MARKET_TZ),
        account="judge",
        parent_id="r1-0",
        reference="r1-0/1",
        gateway="SIM-JUDGE",
        symbol=SYMBOL,
        side=side,
        volume=volume,
        price=Decimal("1500.05"),
    )


def started(house) -> tuple[AiAgentStrategy, LiveRoute]:
    strategy = strategy_of(house)
    strategy.on_start()
    strategy.trading = True
    assert strategy._route is not None
    return strategy, strategy._route


def test_a_started_strategy_takes_its_accounts_symbol_and_a_stopped_one_gives_it_back(house):
    strategy, _ = started(house)
    assert strategy.connected
    assert list(house.engine.execution.routes) == [("judge", SYMBOL)]
    strategy.on_stop()
    assert house.engine.execution.routes == {}
    assert not strategy.connected
    assert "300" in house.cta.logs[-1]


@pytest.mark.parametrize(
    ("side", "direction", "offset"),
    [(Side.BUY, Direction.LONG, Offset.OPEN), (Side.SELL, Direction.SHORT, Offset.CLOSE)],
)
def test_an_intent_is_sent_exactly_as_journaled(house, side, direction, offset):
    _, route = started(house)
    assert route.send(intent_of(side, volume=137)) == ("SIM-JUDGE.1",)
    assert house.cta.sent == [(direction, offset, 1500.05, 137, False, False)]


def test_an_order_that_the_host_split_is_told_with_all_its_ids(house):
    house.cta.answer = ["SIM-JUDGE.1", "SIM-JUDGE.2"]
    _, route = started(house)
    assert route.send(intent_of()) == ("SIM-JUDGE.1", "SIM-JUDGE.2")


def test_nothing_goes_to_another_accounts_gateway(house):
    _, route = started(house)
    house.contract.gateway_name = "SIM-AGGRESSIVE"
    answer = route.send(intent_of())
    assert isinstance(answer, Text)
    assert "SIM-AGGRESSIVE" in str(answer)
    assert house.cta.sent == []


@pytest.mark.parametrize(
    ("mode", "sends"), [(Mode.PAPER, False), (Mode.SIMULATION, False), (Mode.LIVE, True)]
)
def test_a_real_gateway_gets_orders_in_live_mode_alone(house, mode, sends):
    house.main.gateways["SIM-JUDGE"] = object()
    house.engine.parts.settings.mode = mode
    _, route = started(house)
    assert isinstance(route.send(intent_of()), tuple) is sends
    assert bool(house.cta.sent) is sends


def test_an_unknown_contract_and_a_stopped_strategy_are_reasons(house):
    strategy, route = started(house)
    house.main.get_contract = lambda symbol: None
    assert "找不到合约" in str(route.send(intent_of()))
    strategy.trading = False
    assert "未启动" in str(route.send(intent_of()))
    assert house.cta.sent == []


def test_a_strategy_started_first_joins_when_the_app_runs(house):
    house.engine.started = False
    strategy = strategy_of(house)
    strategy.on_start()
    strategy.trading = True
    assert not strategy.connected
    strategy.on_tick(SimpleNamespace())
    assert not strategy.connected
    house.engine.started = True
    strategy.on_tick(SimpleNamespace())
    assert strategy.connected


def test_a_refused_strategy_says_why_once_and_stays_out(house):
    house.engine.execution.refusal = "account 'judge' is no account of route CTA"
    strategy = strategy_of(house)
    strategy.on_start()
    strategy.trading = True
    for _ in range(3):
        strategy.on_tick(SimpleNamespace())
    assert not strategy.connected
    assert sum("no account of route CTA" in line for line in house.cta.logs) == 1


def test_position_and_stop_follow_the_apps_book(house):
    strategy, _ = started(house)
    strategy.pos = 700
    strategy.on_tick(SimpleNamespace())
    assert (strategy.pos, strategy.stop_price) == (300, 9.5)


def test_a_closed_or_missing_app_is_not_running(house):
    assert running_engine(house.main) is house.engine
    house.engine.closed = True
    assert running_engine(house.main) is None
    house.main.engines.clear()
    assert running_engine(house.main) is None
