"""Replayed bars: whatever the bar and the orders, fills are at prices that the market traded at."""

from datetime import date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType
from vnpy.trader.object import AccountData, OrderData, OrderRequest, PositionData, TickData, TradeData

from vnpy_aiagent.config import SimSettings
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.market_data import Instrument, MarketData
from vnpy_aiagent.domain import MARKET_TZ, BarInterval, Side, TimerQueue, VirtualClock, to_decimal
from vnpy_aiagent.market import instrument_rules
from vnpy_aiagent.sim.event_engine import DeterministicEventEngine
from vnpy_aiagent.sim.exchange import SimExchange
from vnpy_aiagent.sim.replay import BarReplay

SYMBOL, DAY = "600000.SSE", date(2025, 3, 3)
ENDS = ((10, 30), (11, 30), (14, 0), (15, 0))
TICK = Decimal("0.01")
HELD = 100_000
Bar = tuple[Decimal, Decimal, Decimal, Decimal]


@st.composite
def bars(draw: st.DrawFn, *, step: str = "0.01") -> list[Bar]:
    """Four hours, each anywhere inside the day's limits: gaps between them are the rule."""
    found = []
    for _ in ENDS:
        cents = sorted(draw(st.lists(st.integers(920, 1080), min_size=4, max_size=4)))
        low, *inside, high = (number * TICK + Decimal(step) - TICK for number in cents)
        first, last = draw(st.permutations(inside))
        found.append((first, high, low, last))
    return found


ORDERS = st.lists(
    st.tuples(st.integers(0, 20), st.sampled_from(Side), st.integers(915, 1085).map(lambda n: n * TICK)),
    max_size=6,
)
"""At the n-th tick, an order of a side at a limit."""


class Play:
    """Plays four hourly bars as their publisher and as the account's gateway; sends orders at given ticks."""

    gateway_name = "A"

    def __init__(
        self, hours: list[Bar], orders: list[tuple[int, Side, Decimal]], ticks: int, volume: float
    ) -> None:
        self.orders = orders
        self.clock = VirtualClock(datetime(2025, 3, 3, 9, 0, tzinfo=MARKET_TZ))
        simulated = SimSettings(slippage_ticks=ticks, participation=0.1)
        self.exchange = SimExchange(self.clock, instrument_rules, simulated)
        self.exchange.restore("a", Decimal(10_000_000), {SYMBOL: (HELD, 0, Decimal(10))}, DAY)
        self.limits: dict[str, Decimal] = {}
        self.fills: list[tuple[TradeData, Bar]] = []
        self.hours = hours
        self.count = 0
        self.exchange.open_account("a", self, Decimal(0))
        self.exchange.start_session(DAY)
        times = [datetime(2025, 3, 3, *end, tzinfo=MARKET_TZ) for end in ENDS]
        rows = [(end, *map(float, prices), volume) for end, prices in zip(times, hours, strict=True)]
        before = [(date(2025, 2, 28), 10.0, 10.0, 10.0, 10.0, 1e6)]
        series = {
            (SYMBOL, BarInterval.HOUR): BarSeries.from_rows(SYMBOL, BarInterval.HOUR, rows),
            (SYMBOL, BarInterval.DAILY): BarSeries.from_rows(SYMBOL, BarInterval.DAILY, before),
        }
        BarReplay(
            MarketData("test", {SYMBOL: Instrument(SYMBOL)}, series),
            BarInterval.HOUR,
            self.clock,
            TimerQueue(),
            DeterministicEventEngine(),
            self.exchange,
            self,
            instrument_rules,
            self.exchange.resting_limits,
            simulated,
        ).run(DAY, DAY)

    def on_tick(self, _: TickData) -> None:
        for at, side, limit in self.orders:
            if at == self.count:
                self.exchange.send_order("a", order(side, limit))
        self.count += 1

    def on_order(self, data: OrderData) -> None:
        self.limits[data.orderid] = to_decimal(data.price)

    def on_trade(self, trade: TradeData) -> None:
        now = self.clock.now()
        number = next(n for n, end in enumerate(ENDS) if (now.hour, now.minute) < end)
        self.fills.append((trade, self.hours[number]))

    def on_position(self, _: PositionData) -> None: ...

    def on_account(self, _: AccountData) -> None: ...

    def write_log(self, msg: str) -> None: ...

    def in_limit(self, trade: TradeData) -> bool:
        price, limit = to_decimal(trade.price), self.limits[trade.orderid]
        return price <= limit if trade.direction is Direction.LONG else price >= limit


def order(side: Side, limit: Decimal) -> OrderRequest:
    return OrderRequest(
        symbol="600000",
        exchange=Exchange.SSE,
        direction=Direction.LONG if side is Side.BUY else Direction.SHORT,
        type=OrderType.LIMIT,
        volume=100,
        price=float(limit),
        offset=Offset.OPEN,
    )


@given(bars(), ORDERS, st.sampled_from([0.0, 2_000.0, 1e6]))
def test_a_fill_is_at_a_price_of_its_bar_and_never_through_its_limit(
    hours: list[Bar], orders: list[tuple[int, Side, Decimal]], volume: float
) -> None:
    play = Play(hours, orders, 0, volume)
    for trade, (_, high, low, _) in play.fills:
        assert low <= to_decimal(trade.price) <= high
        assert play.in_limit(trade)


@given(bars(step="0.0137"), ORDERS, st.integers(0, 2))
def test_off_the_tick_grid_a_fill_is_on_it_and_at_most_slippage_and_rounding_worse(
    hours: list[Bar], orders: list[tuple[int, Side, Decimal]], ticks: int
) -> None:
    play = Play(hours, orders, ticks, 1e6)
    worse = TICK * (ticks + 1)
    for trade, (_, high, low, _) in play.fills:
        price = to_decimal(trade.price)
        assert price % TICK == 0
        assert low - worse < price < high + worse
        assert play.in_limit(trade)


def test_these_bars_and_orders_do_fill() -> None:
    """Half of a buy at 10.40 fits into its hour's volume; the next hour opens at 9.90 and stays below 10."""
    first = (Decimal("10.00"), Decimal("10.30"), Decimal("9.95"), Decimal("10.20"))
    later = (Decimal("9.90"), Decimal("9.98"), Decimal("9.85"), Decimal("9.95"))
    play = Play([first, later, later, later], [(3, Side.BUY, Decimal("10.40"))], 0, 2_000)
    fills = [(to_decimal(trade.price), trade.volume, bar) for trade, bar in play.fills]
    assert fills == [(Decimal("10.20"), 50, first), (Decimal("9.90"), 50, later)]
