"""Route CTA in the live CTA engine, on the deterministic event engine and the simulated exchange."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from vnpy_ctastrategy import CtaStrategyApp

from vnpy_aiagent.base import EVENT_AI_SIGNAL
from vnpy_aiagent.config import AccountSettings, RiskLimits, load_settings
from vnpy_aiagent.cta import AiAgentStrategy
from vnpy_aiagent.data import load_folder
from vnpy_aiagent.domain import Mode, Route, Side, Signal, Style, say
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.market.sessions import session_close
from vnpy_aiagent.simulation import Simulation
from vnpy_aiagent.store.journal import Journal

SYMBOLS = ("600030.SSE", "600519.SSE")
START, END = date(2025, 5, 6), date(2025, 9, 30)


class CtaSimulation(Simulation):
    """A simulation in whose process vnpy's CTA engine runs a strategy for each symbol of an account."""

    def __init__(self, *args, account="judge", symbols=SYMBOLS, **kwargs):
        super().__init__(*args, **kwargs)
        self.account, self.cta_symbols = account, symbols
        self.strategies = {}

    def _seed_prices(self, engine):
        super()._seed_prices(engine)
        self.cta = engine.main_engine.add_app(CtaStrategyApp)
        self.cta.register_event()
        self.cta.classes["AiAgentStrategy"] = AiAgentStrategy
        self.events.drain()
        for symbol in self.cta_symbols:
            self.cta.add_strategy("AiAgentStrategy", f"ai {symbol}", symbol, {"account": self.account})
            self.cta._init_strategy(f"ai {symbol}")
            self.cta.start_strategy(f"ai {symbol}")
            self.strategies[symbol] = self.cta.strategies[f"ai {symbol}"]
        self.events.drain()


def settings_with(*accounts: AccountSettings):
    return load_settings(mode=Mode.SIMULATION, accounts=accounts)


def judge(route: Route) -> AccountSettings:
    limits = RiskLimits(max_weight_share=0.4, risk_per_trade=0.03)
    return AccountSettings(name="judge", style=Style.JUDGE, route=route, limits=limits)


@pytest.fixture(scope="module")
def data(shared):
    return load_folder(shared / "data" / "sse50", symbols=list(SYMBOLS))


def entries(journal: Path, kind: str) -> list:
    from vnpy_aiagent.domain import parse_message

    reader = Journal.open(journal, owner="test")
    try:
        return [parse_message(entry.kind, entry.body) for entry in reader.read(kinds=(kind,))]
    finally:
        reader.close()


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    journal = tmp_path_factory.mktemp("cta") / "journal.db"
    simulation = CtaSimulation(data, settings_with(judge(Route.CTA)), journal, start=START, end=END)
    simulation.run()
    return simulation


def facts(fills: list) -> list[tuple]:
    return [(f.trading_day, f.symbol, f.side, f.price, f.volume, f.fees) for f in fills]


def test_the_cta_route_gives_the_fills_of_the_direct_route(run, data, tmp_path):
    direct = Simulation(data, settings_with(judge(Route.DIRECT)), tmp_path / "j.db", start=START, end=END)
    direct.run()
    ours, theirs = entries(run.journal, "Fill"), entries(tmp_path / "j.db", "Fill")
    assert {fill.side for fill in ours} == {Side.BUY, Side.SELL}
    assert facts(ours) == facts(theirs)


def test_every_order_of_the_cta_engine_was_an_intent_first(run):
    sent = {vt_orderid for message in entries(run.journal, "Sent") for vt_orderid in message.vt_orderids}
    assert sent
    assert sent == set(run.cta.orderid_strategy_map)
    order = {}
    reader = Journal.open(run.journal, owner="test")
    for entry in reader.read(kinds=("Intent", "Sent")):
        order.setdefault(entry.kind, []).append((entry.seq, entry.id, entry.cause))
    reader.close()
    written = {name: seq for seq, name, _ in order["Intent"]}
    assert all(written[cause] < seq for seq, _, cause in order["Sent"])


def test_the_strategies_positions_are_those_of_the_book(run):
    book = run.engine.house.portfolio.books["judge"]
    assert {s: strategy.pos for s, strategy in run.strategies.items()} == {s: book.volume(s) for s in SYMBOLS}


def test_no_handler_failed(run):
    assert entries(run.journal, "HandlerFailed") == []


class Scene(CtaSimulation):
    """Runs one action of the test at the first tick of a day, then goes on."""

    def __init__(self, *args, action, **kwargs):
        super().__init__(*args, **kwargs)
        self.action = action

    def _seed_prices(self, engine):
        super()._seed_prices(engine)
        self.done = False
        from vnpy.trader.event import EVENT_TICK

        engine.event_engine.register(EVENT_TICK, self._once)

    def _once(self, event):
        if not self.done and event.data.vt_symbol == "600030.SSE":
            self.done = True
            self.action(self, event.data)


def approve(scene: Scene, tick, account: str = "judge") -> Signal:
    """Post a buy as the risk agent does."""
    limit = Decimal(str(tick.last_price))
    return scene.engine.bus.post(
        Signal,
        EVENT_AI_SIGNAL,
        cause=None,
        account=account,
        symbol="600030.SSE",
        side=Side.BUY,
        volume=300,
        limit=limit + Decimal("0.05"),
        low=limit,
        high=limit + Decimal("0.1"),
        stop=limit - 2,
        reason=say("测试"),
        valid_until=session_close(tick.datetime.date()),
    )


def scene_of(data, tmp_path, action, accounts, **kwargs) -> Scene:
    quiet = settings_with(*accounts).model_copy(update={"schedule": ()})
    scene = Scene(data, quiet, tmp_path / "j.db", start=START, end=date(2025, 5, 7), action=action, **kwargs)
    scene.run()
    return scene


def test_an_approved_signal_becomes_an_order_a_fill_and_a_protected_position(data, tmp_path):
    scene = scene_of(data, tmp_path, approve, [judge(Route.CTA)])
    (fill,) = entries(scene.journal, "Fill")
    assert (fill.symbol, fill.side, fill.volume) == ("600030.SSE", Side.BUY, 300)
    assert scene.engine.house.portfolio.books["judge"].volume("600030.SSE") == 300
    assert scene.strategies["600030.SSE"].pos == 300
    assert scene.strategies["600030.SSE"].stop_price > 0


def test_without_a_strategy_the_order_is_withheld_and_a_human_is_asked_once(data, tmp_path):
    def twice(scene, tick):
        approve(scene, tick)
        approve(scene, tick)

    scene = scene_of(data, tmp_path, twice, [judge(Route.CTA)], symbols=("600519.SSE",))
    withheld = entries(scene.journal, "Withheld")
    assert [message.reason.template for message in withheld] == ["没有 CTA 策略承接，委托未发送"] * 2
    alerts = [str(alert.text) for alert in entries(scene.journal, "Alert")]
    assert sum("请在 CTA 策略中启动" in text for text in alerts) == 1
    assert sum("请人工处理" in text for text in alerts) == 1
    assert entries(scene.journal, "Sent") == []


def test_an_order_never_goes_to_the_account_that_owns_the_contract(data, tmp_path):
    other = AccountSettings(name="first", style=Style.JUDGE)
    scene = scene_of(data, tmp_path, approve, [other, judge(Route.CTA)])
    owner = scene.engine.main_engine.get_contract("600030.SSE").gateway_name
    sent_by = {vt_orderid.split(".")[0] for vt_orderid in scene.cta.orderid_strategy_map}
    assert sent_by <= {"SIM-JUDGE"}
    assert scene.engine.house.portfolio.books["first"].positions == {}
    if owner != "SIM-JUDGE":
        (withheld,) = entries(scene.journal, "Withheld")
        assert owner in str(withheld.reason)


def test_a_strategy_of_an_account_on_the_direct_route_is_refused(data, tmp_path):
    def register(scene, tick):
        with pytest.raises(ConfigError, match=r"'judge' is no account of route CTA.*set `route: CTA`"):
            scene.engine.execution.register_route("judge", "600030.SSE", lambda intent: ())
        scene.connected = scene.strategies["600030.SSE"].connected

    scene = scene_of(data, tmp_path, register, [judge(Route.DIRECT)])
    assert scene.connected is False


def test_a_second_strategy_of_one_account_and_symbol_is_refused(data, tmp_path):
    def register(scene, tick):
        with pytest.raises(ConfigError, match=r"another strategy trades 600030\.SSE"):
            scene.engine.execution.register_route("judge", "600030.SSE", lambda intent: ())
        scene.engine.execution.release_route("judge", "600030.SSE", lambda intent: ())
        approve(scene, tick)
        scene.connected = scene.strategies["600030.SSE"].connected

    scene = scene_of(data, tmp_path, register, [judge(Route.CTA)])
    assert scene.connected is True
    assert len(entries(scene.journal, "Fill")) == 1


def test_stopping_the_strategy_leaves_the_order_withheld(data, tmp_path):
    def stop(scene, tick):
        scene.cta.stop_strategy("ai 600030.SSE")
        approve(scene, tick)

    scene = scene_of(data, tmp_path, stop, [judge(Route.CTA)])
    assert len(entries(scene.journal, "Withheld")) == 1
    assert entries(scene.journal, "Fill") == []
