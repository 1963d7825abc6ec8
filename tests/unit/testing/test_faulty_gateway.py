"""Each switch of the faulty gateway: what the client hears, and that the exchange behind it stays sound."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType, Status
from vnpy.trader.engine import MainEngine
from vnpy.trader.event import EVENT_ACCOUNT, EVENT_ORDER, EVENT_POSITION, EVENT_TRADE
from vnpy.trader.object import CancelRequest, OrderRequest

from vnpy_aiagent.config import SimSettings
from vnpy_aiagent.domain import MARKET_TZ, VirtualClock
from vnpy_aiagent.market import instrument_rules
from vnpy_aiagent.market.matching import MarketView
from vnpy_aiagent.sim.event_engine import DeterministicEventEngine
from vnpy_aiagent.sim.exchange import MarketPoint, SimExchange
from vnpy_aiagent.testing.faulty_gateway import Faults, FaultyGateway

DAY = date(2025, 3, 3)
SYMBOL = "600000.SSE"
KINDS = {EVENT_ORDER: "order", EVENT_TRADE: "trade", EVENT_POSITION: "position", EVENT_ACCOUNT: "account"}


class Line:
    """A faulty gateway in front of an exchange, and what its client hears in `heard`."""

    def __init__(self, faults: Faults | None = None) -> None:
        self.clock = VirtualClock(datetime.combine(DAY, datetime.min.time(), MARKET_TZ) + timedelta(hours=10))
        self.events = DeterministicEventEngine()
        self.main = MainEngine(self.events)
        self.exchange = SimExchange(self.clock, instrument_rules, SimSettings(slippage_ticks=0))
        self.exchange.start_session(DAY)
        gateway = self.main.add_gateway(FaultyGateway, "SIM")
        assert isinstance(gateway, FaultyGateway)
        self.gateway = gateway
        gateway.venue = self.exchange
        gateway.connect({"account": "a", "cash": 100_000})
        self.events.drain()
        self.heard: list[str] = []
        for event, kind in KINDS.items():
            self.events.register(event, self._listen(kind))
        gateway.use(faults or Faults())
        self.move("10.00")

    def _listen(self, kind: str) -> Callable[..., None]:
        def listen(event: object) -> None:
            data = event.data  # type: ignore[attr-defined]
            detail = data.status.name if kind == "order" else data.tradeid if kind == "trade" else ""
            self.heard.append(f"{kind} {detail}".strip())

        return listen

    def move(self, last: str, liquidity: int = 10_000) -> None:
        view = MarketView(
            last=Decimal(last),
            bid=None,
            ask=None,
            limit_up=Decimal(11),
            limit_down=Decimal(9),
            liquidity=liquidity,
            tick_size=Decimal("0.01"),
        )
        self.exchange.move(MarketPoint(SYMBOL, view))
        self.events.drain()

    def send(self, volume: int = 100, price: float = 10.0) -> str:
        request = OrderRequest(
            "600000", Exchange.SSE, Direction.LONG, OrderType.LIMIT, volume, price, Offset.OPEN
        )
        order = self.gateway.send_order(request)
        self.events.drain()
        return order

    def hears(self) -> list[str]:
        """What arrived since the last call."""
        self.events.drain()
        heard, self.heard = self.heard, []
        return heard

    @property
    def holding(self) -> int:
        return self.exchange.account("a").holding(SYMBOL).volume


BOUGHT = [
    "order SUBMITTING",
    "order NOTTRADED",
    "account",
    "order ALLTRADED",
    "trade 00000001",
    "position",
    "account",
]


def test_without_faults_it_is_a_simulated_gateway() -> None:
    line = Line()
    assert line.send() == "SIM.20250303-000001"
    assert line.hears() == BOUGHT
    assert line.gateway.counts == {}


def test_reject_refuses_the_order_before_the_exchange_sees_it() -> None:
    line = Line(Faults(reject=1))
    order = line.send()
    assert line.hears() == ["order SUBMITTING", "order REJECTED"]
    assert (order, line.holding, line.gateway.counts["reject"]) == ("SIM.refused-000001", 0, 1)
    line.gateway.calm()
    line.send()
    assert (line.hears(), line.holding) == (BOUGHT, 100)


def test_drop_loses_the_message_and_not_the_trade() -> None:
    line = Line(Faults(drop=1))
    line.send()
    assert (line.hears(), line.holding) == ([], 100)
    line.gateway.calm()
    line.gateway.reconnect()
    assert line.hears() == ["order ALLTRADED", "trade 00000001", "position", "account"]


def test_duplicate_tells_everything_twice() -> None:
    line = Line(Faults(duplicate=1))
    line.send()
    assert line.hears() == [kind for kind in BOUGHT for _ in range(2)]
    assert line.holding == 100


def test_delay_lets_a_message_arrive_steps_later() -> None:
    line = Line(Faults(delay=1, most_steps=1))
    line.send()
    assert (line.hears(), line.gateway.on_the_way) == ([], len(BOUGHT))
    line.gateway.step()
    assert (line.hears(), line.gateway.on_the_way) == (BOUGHT, 0)


def test_delayed_messages_overtake_each_other() -> None:
    line = Line(Faults(seed=1, delay=1, most_steps=5))
    line.send()
    heard = []
    for _ in range(5):
        line.gateway.step()
        heard += line.hears()
    assert sorted(heard) == sorted(BOUGHT)
    assert heard != BOUGHT


def test_reorder_puts_a_message_behind_the_one_that_follows() -> None:
    line = Line(Faults(seed=3, reorder=0.5))
    line.send()
    line.gateway.step()  # the last one waits for no successor
    heard = line.hears()
    assert sorted(heard) == sorted(BOUGHT)
    assert heard != BOUGHT
    assert line.gateway.on_the_way == 0


def test_without_a_connection_no_order_is_taken_and_what_is_told_is_lost() -> None:
    line = Line()
    resting = line.send(price=9.9)
    line.hears()
    line.gateway.disconnect()
    assert line.send() == ""
    line.move("9.80")  # the resting order is filled meanwhile
    line.gateway.cancel_order(CancelRequest(resting.partition(".")[2], "600000", Exchange.SSE))
    line.gateway.query_account()
    assert (line.hears(), line.holding) == ([], 100)
    line.gateway.reconnect()
    assert line.hears() == ["order ALLTRADED", "trade 00000001", "position", "account"]
    assert line.gateway.counts["lost"] > 0


def test_a_connection_that_breaks_as_the_order_leaves_raises_and_the_order_is_there() -> None:
    line = Line(Faults(disconnect=1))
    with pytest.raises(ConnectionError, match="as the order left"):
        line.send()
    assert (line.hears(), line.holding, line.gateway.connected) == ([], 100, False)


def test_a_restart_loses_what_was_on_its_way_and_tells_the_day_again() -> None:
    line = Line(Faults(delay=1))
    line.send()
    line.gateway.faults = Faults()
    line.gateway.restart()
    assert line.hears() == ["order ALLTRADED", "trade 00000001", "position", "account"]
    line.gateway.step(10)
    assert line.hears() == []


def test_a_connection_that_is_lost_for_a_time_comes_back_by_itself_and_tells_what_happened() -> None:
    line = Line()
    line.send(price=9.9)
    line.hears()
    line.gateway.disconnect(2)
    line.move("9.80")
    line.gateway.step()
    assert (line.gateway.connected, line.send(), line.hears()) == (False, "", [])
    line.gateway.step()
    assert line.gateway.connected
    assert line.hears() == ["order ALLTRADED", "trade 00000001", "position", "account"]
    line.gateway.step(5)
    assert line.hears() == [], "it is told once"


def test_a_break_as_the_order_leaves_ends_after_its_outage() -> None:
    line = Line(Faults(disconnect=1, outage=3))
    with pytest.raises(ConnectionError):
        line.send()
    line.gateway.step(2)
    assert (line.gateway.connected, line.hears()) == (False, [])
    line.gateway.faults = Faults()
    line.gateway.step()
    assert line.hears() == ["order ALLTRADED", "trade 00000001", "position", "account"]


def test_a_restart_that_takes_its_time_loses_what_comes_meanwhile_and_the_exchange_goes_on() -> None:
    line = Line(Faults(delay=1, most_steps=9))
    resting = line.send(price=9.9)
    line.gateway.faults = Faults()
    line.gateway.restart(2)
    assert (line.gateway.on_the_way, line.send()) == (0, "")
    line.move("9.80")
    line.gateway.cancel_order(CancelRequest(resting.partition(".")[2], "600000", Exchange.SSE))
    line.gateway.step(2)
    assert line.hears() == ["order ALLTRADED", "trade 00000001", "position", "account"]
    assert line.holding == 100


def test_a_restart_keeps_orders_that_still_work() -> None:
    line = Line()
    resting = line.send(price=9.9)
    line.hears()
    line.gateway.restart()
    assert line.hears() == ["order NOTTRADED", "account"]
    line.gateway.cancel_order(CancelRequest(resting.partition(".")[2], "600000", Exchange.SSE))
    assert line.hears() == ["order CANCELLED", "position", "account"]


def test_restarts_come_by_chance_at_steps() -> None:
    line = Line(Faults(restart=1, outage=2))
    line.gateway.step()
    assert (line.gateway.connected, line.gateway.counts["restart"]) == (False, 1)
    line.gateway.step()
    assert (line.gateway.connected, line.gateway.counts["restart"]) == (False, 2)
    line.gateway.calm()
    line.gateway.step(2)
    assert line.gateway.connected


def test_a_reconnect_tells_only_of_the_exchanges_day() -> None:
    line = Line()
    line.send()
    line.exchange.start_session(DAY + timedelta(days=1))
    line.hears()
    line.gateway.reconnect()
    assert line.hears() == ["position", "account"]


def test_calm_brings_all_that_is_on_its_way() -> None:
    line = Line(Faults(seed=2, delay=0.5, reorder=0.5, most_steps=9))
    line.send()
    heard = line.hears()
    line.gateway.calm()
    assert sorted(heard + line.hears()) == sorted(BOUGHT)


def test_a_message_keeps_the_state_of_its_moment() -> None:
    line = Line(Faults(delay=1, most_steps=1))
    order = line.send(price=9.9)
    line.gateway.faults = Faults()
    line.move("9.80")
    assert line.main.get_order(order).status is Status.ALLTRADED
    line.gateway.step()
    line.events.drain()
    assert line.main.get_order(order).status is Status.NOTTRADED  # the host believes what comes last


@pytest.mark.parametrize("seed", range(3))
def test_the_same_seed_gives_the_same_day(seed: int) -> None:
    def day() -> list[str]:
        line = Line(
            Faults(seed=seed, reject=0.2, drop=0.2, duplicate=0.2, delay=0.3, reorder=0.3, most_steps=4)
        )
        for _ in range(10):
            line.send()
            line.gateway.step()
        line.gateway.calm()
        return line.hears()

    assert day() == day()


def test_another_seed_gives_another_day() -> None:
    days = []
    for seed in range(2):
        line = Line(Faults(seed=seed, drop=0.5))
        for _ in range(5):
            line.send()
        days.append(line.hears())
    assert days[0] != days[1]


@pytest.mark.parametrize(
    "wrong",
    [{"drop": 1.1}, {"reject": -0.1}, {"delay": 0.5, "most_steps": 0}, {"restart": 2}, {"outage": -1}],
)
def test_a_ratio_or_a_delay_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"ratio|most_steps|outage"):
        Faults(**wrong)  # type: ignore[arg-type]
