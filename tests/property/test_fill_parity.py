"""The simulated exchange and the backtest engine fill the same orders over the same bars alike.

Both meet a bar at its open, low, high and close, and an order reaches the market with the bar after the one
at which it was sent. Slippage in the opening auction is an assumption of the backtest alone (the exchange's
auction has one price for all), so with slippage nothing is sent at a day's last bar.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st
from vnpy.trader.constant import Direction, Exchange, Interval, Offset, OrderType, Status
from vnpy.trader.object import (
    AccountData,
    BarData,
    CancelRequest,
    OrderData,
    OrderRequest,
    PositionData,
    TradeData,
)
from vnpy_ctastrategy.template import CtaTemplate

from vnpy_aiagent.backtest import AShareBacktestingEngine
from vnpy_aiagent.config import SimSettings
from vnpy_aiagent.domain import MARKET_TZ, VirtualClock, to_decimal
from vnpy_aiagent.market import MarketView, PriceBand, default_calendar, instrument_rules, share_of_volume
from vnpy_aiagent.sim.exchange import MarketPoint, SimExchange

MARKETS = [
    ("600000.SSE", date(2025, 3, 3)),
    ("000001.SZSE", date(2023, 4, 6)),  # the price cage comes on the third day
    ("688001.SSE", date(2024, 9, 30)),
    ("300001.SZSE", date(2022, 5, 5)),  # orders outside the cage are parked
    ("510300.SSE", date(2025, 3, 3)),
    ("518880.SSE", date(2025, 3, 3)),  # sold on the day it was bought
]
ENDS = ((10, 30), (11, 30), (14, 0), (15, 0))
PARTICIPATION = Decimal("0.1")
CAPITAL = 200_000
Fill = tuple[int, str, float, float]


@dataclass(frozen=True)
class Action:
    """What is sent after a bar: a side, a distance from its close in ticks, shares; or a cancel."""

    kind: str
    ticks: int
    volume: int


@dataclass
class Story:
    """Bars of some days of a symbol, and what is sent after each bar."""

    symbol: str
    bars: list[BarData]
    actions: dict[int, list[Action]]
    slippage: int

    @property
    def tick(self) -> Decimal:
        return instrument_rules(self.symbol, self.bars[0].datetime.date()).tick_size


@dataclass
class Told:
    """What became of everything: fills as (bar, direction, price, volume), orders as (refused, traded)."""

    fills: list[Fill] = field(default_factory=list)
    orders: list[tuple[bool, float]] = field(default_factory=list)
    cash: Decimal = Decimal(0)
    held: int = 0


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Bars anywhere inside the day's limits, some of them locked there; gaps between them are the rule."""
    symbol, first = draw(st.sampled_from(MARKETS))
    code, _, exchange = symbol.partition(".")
    days = default_calendar().sessions(first, first + timedelta(days=14))[: draw(st.integers(2, 4))]
    close, bars, actions = Decimal("10.00"), [], {}
    for day in days:
        rules = instrument_rules(symbol, day)
        tick, band = rules.tick_size, rules.price_band(close)
        assert band is not None
        for hour, minute in ENDS:
            most = int((band.up - close) / tick) if draw(st.booleans()) else 20
            least = int((close - band.down) / tick) if draw(st.booleans()) else 20
            steps = st.integers(
                -min(least, int((close - band.down) / tick)), min(most, int((band.up - close) / tick))
            )
            shape = draw(st.sampled_from(["free", "free", "free", "one price", "limit up", "limit down"]))
            if shape == "free":
                low, *inside, high = sorted(draw(st.lists(steps, min_size=4, max_size=4)))
                first_price, last_price = draw(st.permutations(inside))
                prices = [close + tick * n for n in (first_price, high, low, last_price)]
            else:
                only = {"one price": close, "limit up": band.up, "limit down": band.down}[shape]
                prices = [only] * 4
            volume = draw(st.sampled_from([0, 900, 6_000, 30_000, 1_000_000]))
            start = datetime(day.year, day.month, day.day, hour, minute, tzinfo=MARKET_TZ) - timedelta(
                hours=1
            )
            bars.append(
                BarData(
                    "TEST",
                    code,
                    Exchange(exchange),
                    start,
                    Interval.HOUR,
                    volume,
                    0,
                    0,
                    *map(float, (prices[0], prices[1], prices[2], prices[3])),
                )
            )
            close = prices[3]
    slippage = draw(st.sampled_from([0, 0, 1, 2]))
    one = st.builds(
        Action,
        st.sampled_from(["buy", "buy", "sell", "sell", "cancel"]),
        st.integers(-30, 30) | st.integers(-400, 400),
        st.sampled_from([100, 200, 300, 500, 700, 1_000, 5_000, 137]),
    )
    for n, bar in enumerate(bars):
        if n == len(bars) - 1 or (slippage and bars[n + 1].datetime.date() != bar.datetime.date()):
            continue
        sent = draw(st.lists(one, max_size=3))
        actions[n] = sorted(sent, key=lambda action: action.kind != "cancel")
    return Story(symbol, bars, actions, slippage)


class Scripted(CtaTemplate):
    """Sends what the story says."""

    author = "tests"
    story: ClassVar[Story]

    def on_init(self) -> None:
        self.n = -1
        self.sent: list[str] = []
        self.fills: list[Fill] = []
        self.states: dict[str, Status] = {}
        self.traded: dict[str, float] = {}

    def on_bar(self, bar: BarData) -> None:
        self.n += 1
        for action in self.story.actions.get(self.n, ()):
            if action.kind == "cancel":
                if self.sent:
                    self.cancel_order(self.sent[action.volume % len(self.sent)])
                continue
            send = self.buy if action.kind == "buy" else self.sell
            self.sent += send(price_of(self.story, self.n, action), action.volume)

    def on_order(self, order: OrderData) -> None:
        self.states[order.vt_orderid] = order.status
        self.traded[order.vt_orderid] = order.traded

    def on_trade(self, trade: TradeData) -> None:
        direction = trade.direction.name if trade.direction else ""
        self.fills.append((self.n + 1, direction, trade.price, trade.volume))


def price_of(story: Story, bar: int, action: Action) -> float:
    return float(max(to_decimal(story.bars[bar].close_price) + action.ticks * story.tick, story.tick))


def backtest(story: Story) -> Told:
    engine: Any = AShareBacktestingEngine(participation=float(PARTICIPATION))
    engine.output = lambda msg: None
    engine.set_parameters(
        vt_symbol=story.symbol,
        interval=Interval.HOUR,
        start=story.bars[0].datetime,
        rate=0.00025,
        slippage=float(story.tick * story.slippage),
        size=1,
        pricetick=float(story.tick),
        capital=CAPITAL,
        end=story.bars[-1].datetime,
    )
    engine.add_strategy(type("Story", (Scripted,), {"story": story}), {})
    engine.history_data = story.bars
    engine.run_backtesting()
    told, strategy = Told(cash=engine.cash, held=engine.holding), engine.strategy
    told.fills = strategy.fills
    for vt_orderid in strategy.sent:
        state = strategy.states.get(vt_orderid)
        told.orders.append((state is Status.REJECTED, strategy.traded.get(vt_orderid, 0)))
    return told


class Venue:
    """The simulated exchange under the same bars: each is played as open, low, high and close."""

    gateway_name = "A"

    def __init__(self, story: Story) -> None:
        self.story = story
        self.told = Told()
        self.n = 0
        self.orders: dict[str, OrderData] = {}
        self.band: PriceBand | None = None
        self.clock = VirtualClock(story.bars[0].datetime - timedelta(hours=2))
        simulated = SimSettings(slippage_ticks=story.slippage, participation=float(PARTICIPATION))
        self.exchange = SimExchange(self.clock, instrument_rules, simulated)
        self.exchange.open_account("a", self, Decimal(CAPITAL))

    def play(self) -> Told:
        story, sent, day, close = self.story, [], None, None
        for n, bar in enumerate(story.bars):
            self.n = n
            opening = bar.datetime.date() != day
            if opening:
                day = bar.datetime.date()
                self.clock.set(bar.datetime - timedelta(minutes=30))
                self.exchange.end_session()
                self.exchange.start_session(day)
                self.band = instrument_rules(story.symbol, day).price_band(close) if close else None
                if close is not None:
                    self.move(bar, close, liquidity=0, auction=True)
            sent += [
                self.send(n - 1, action) for action in story.actions.get(n - 1, ()) if action.kind != "cancel"
            ]
            self.clock.set(bar.datetime)
            low, high, close = (to_decimal(p) for p in (bar.low_price, bar.high_price, bar.close_price))
            self.move(bar, to_decimal(bar.open_price), auction=opening, jump=True)
            for price in (low, high, close):
                self.move(bar, price, new_window=False)
            self.exchange.close_window(story.symbol)
            for action in story.actions.get(n, ()):
                if action.kind == "cancel" and sent:
                    self.cancel(sent[action.volume % len(sent)])
        account = self.exchange.account("a")
        self.told.orders = [
            (self.orders[orderid].status is Status.REJECTED, self.orders[orderid].traded) for orderid in sent
        ]
        self.told.cash, self.told.held = account.cash, account.holding(story.symbol).volume
        return self.told

    def move(
        self,
        bar: BarData,
        price: Decimal,
        *,
        liquidity: int | None = None,
        auction: bool = False,
        new_window: bool = True,
        jump: bool = False,
    ) -> None:
        rules = instrument_rules(self.story.symbol, bar.datetime.date())
        share = share_of_volume(int(bar.volume), PARTICIPATION, rules.buy_step)
        view = MarketView(
            last=price,
            bid=None,
            ask=None,
            limit_up=self.band.up if self.band else None,
            limit_down=self.band.down if self.band else None,
            liquidity=share if liquidity is None else liquidity,
            tick_size=rules.tick_size,
            auction=auction,
            low=to_decimal(bar.low_price),
            high=to_decimal(bar.high_price),
        )
        self.exchange.move(MarketPoint(self.story.symbol, view, new_window, jump))

    def send(self, at: int, action: Action) -> str:
        code, _, exchange = self.story.symbol.partition(".")
        direction = Direction.LONG if action.kind == "buy" else Direction.SHORT
        price = price_of(self.story, at, action)
        request = OrderRequest(
            code, Exchange(exchange), direction, OrderType.LIMIT, action.volume, price, Offset.NONE
        )
        return self.exchange.send_order("a", request)

    def cancel(self, orderid: str) -> None:
        code, _, exchange = self.story.symbol.partition(".")
        self.exchange.cancel_order("a", CancelRequest(orderid, code, Exchange(exchange)))

    def on_order(self, order: OrderData) -> None:
        self.orders[order.orderid] = order

    def on_trade(self, trade: TradeData) -> None:
        direction = trade.direction.name if trade.direction else ""
        self.told.fills.append((self.n, direction, trade.price, trade.volume))

    def on_position(self, position: PositionData) -> None: ...

    def on_account(self, account: AccountData) -> None: ...

    def write_log(self, msg: str) -> None: ...


def test_both_give_the_same_fills_refusals_cash_and_holdings() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=250, deadline=None)
    @given(stories())
    def both_agree(story: Story) -> None:
        tested, traded = backtest(story), Venue(story).play()
        assert tested.fills == traded.fills
        assert tested.orders == traded.orders
        assert (tested.cash, tested.held) == (traded.cash, traded.held)
        volumes = {action.volume for sent in story.actions.values() for action in sent}
        seen["refused"] += sum(refused for refused, _ in tested.orders)
        seen["in part"] += sum(1 for _, traded in tested.orders if traded and traded not in volumes)
        seen.update(direction for _, direction, _, _ in tested.fills)

    both_agree()
    assert min(seen[what] for what in ("LONG", "SHORT", "refused", "in part")) > 20, seen
