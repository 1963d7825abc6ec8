"""Random orders, cancels and quotes over whole days: what must always hold on the simulated exchange."""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType, Status
from vnpy.trader.object import (
    AccountData,
    CancelRequest,
    OrderData,
    OrderRequest,
    PositionData,
    TickData,
    TradeData,
)

from vnpy_aiagent.config import SimSettings
from vnpy_aiagent.domain import MARKET_TZ, Side, VirtualClock, cny, to_decimal
from vnpy_aiagent.market import default_calendar, instrument_rules
from vnpy_aiagent.market.order_hours import Handling, handling
from vnpy_aiagent.sim.exchange import SimExchange
from vnpy_aiagent.sim.paper import PaperMarket

SYMBOLS = (
    ("688001.SSE", date(2025, 3, 3)),
    ("600000.SSE", date(2026, 7, 3)),
    ("300001.SZSE", date(2023, 4, 7)),
)
CASH, HELD, PARTICIPATION = Decimal(60_000), 3_000, 0.1
TERMINAL = (Status.REJECTED, Status.CANCELLED, Status.ALLTRADED)
MORNING = ["09:10", "09:15", "09:19", "09:21", "09:25", "09:28", "09:30", "09:31", "10:00", "11:29", "11:30"]
AFTERNOON = ["12:00", "13:00", "13:30", "14:56", "14:57", "14:59", "15:00", "15:02", "15:05", "15:20"]
EDGES = [*MORNING, *AFTERNOON, "15:30", "15:40"]

quotes = st.tuples(st.just("quote"), st.integers(-60, 60), st.sampled_from([0, 900, 4_000, 30_000]))
orders = st.tuples(
    st.sampled_from(["buy", "sell"]),
    st.integers(-15, 15) | st.integers(-250, 250),
    st.sampled_from([100, 200, 500, 1_000, 3_000, 77, -100, float("nan")]),
)
cancels = st.tuples(st.just("cancel"), st.integers(0, 30), st.just(0))
steps = st.lists(quotes | quotes | orders | orders | cancels, min_size=1, max_size=4)
days = st.lists(st.fixed_dictionaries({at: steps for at in EDGES}), min_size=1, max_size=2)


def hours(vt_symbol: str, when: datetime) -> Handling:
    return handling(default_calendar(), instrument_rules(vt_symbol, when.date()), when)


class Venue:
    """Two accounts on one exchange; each is its own gateway. Checks after every step."""

    def __init__(self, symbol: str, day: date) -> None:
        self.symbol = symbol
        self.clock = VirtualClock(datetime(day.year, day.month, day.day, 9, tzinfo=MARKET_TZ))
        simulated = SimSettings(slippage_ticks=1, participation=PARTICIPATION)
        self.exchange = SimExchange(self.clock, instrument_rules, simulated, hours)
        self.gateways = {name: Gateway(name) for name in ("a", "b")}
        for name, gateway in self.gateways.items():
            self.exchange.restore(name, CASH, {symbol: (HELD, 0, Decimal(10))}, day)
            self.exchange.open_account(name, gateway, CASH)
        self.paper = PaperMarket(
            self.exchange, [symbol], lambda s: instrument_rules(s, self.today), simulated
        )
        self.last, self.close, self.volume = Decimal(10), Decimal(10), 0.0
        self.sent = 0

    @property
    def today(self) -> date:
        return self.clock.now().date()

    def day(self, day: date, plan: dict[str, list[tuple[Any, ...]]]) -> None:
        self.close, self.volume = self.last, 0.0
        self.clock.set(datetime(day.year, day.month, day.day, 9, 5, tzinfo=MARKET_TZ))
        self.exchange.start_session(day)
        rules = instrument_rules(self.symbol, day)
        band = rules.price_band(self.close)
        assert band is not None
        self.rules, self.band = rules, band
        for at, planned in sorted(plan.items()):
            hour, minute = map(int, at.split(":"))
            self.clock.set(datetime(day.year, day.month, day.day, hour, minute, tzinfo=MARKET_TZ))
            self.exchange.pass_time()
            if at in ("15:00", "15:02"):
                self.exchange.end_session(wait=at == "15:00")
            for step in planned:
                self.clock.set(self.clock.now() + timedelta(seconds=3))
                self.act(*step)
                self.check()
        for name in self.gateways:
            assert not self.exchange.account(name).orders, "every order ends with its day"
            assert self.exchange.account(name).frozen == 0
            assert self.exchange.account(name).holding(self.symbol).frozen == 0

    def act(self, what: str, number: int, volume: float) -> None:
        if what == "quote":
            self.quote(number, volume)
            return
        code, _, exchange = self.symbol.partition(".")
        name = "ab"[self.sent % 2]
        if what == "cancel":
            known = list(self.gateways[name].orders)
            orderid = known[number % len(known)] if known else "none"
            self.exchange.cancel_order(name, CancelRequest(orderid, code, Exchange(exchange)))
            return
        direction = Direction.LONG if what == "buy" else Direction.SHORT
        price = float(self.last + number * self.rules.tick_size)
        self.sent += 1
        self.exchange.send_order(
            name,
            OrderRequest(code, Exchange(exchange), direction, OrderType.LIMIT, volume, price, Offset.OPEN),
        )

    def quote(self, ticks: int, traded: float) -> None:
        band, tick = self.band, self.rules.tick_size
        self.last = min(band.up, max(band.down, self.last + ticks * tick))
        self.volume += traded
        for gateway in self.gateways.values():
            gateway.window = 0
        code, _, exchange = self.symbol.partition(".")
        up, down = self.last >= band.up, self.last <= band.down
        told = TickData(
            "Q",
            code,
            Exchange(exchange),
            self.clock.now(),
            last_price=float(self.last),
            volume=self.volume,
            limit_up=float(band.up),
            limit_down=float(band.down),
            bid_price_1=0 if down else float(self.last - tick),
            ask_price_1=0 if up else float(self.last + tick),
        )
        self.paper.on_tick(told, self.last, self.today)
        for gateway in self.gateways.values():
            assert gateway.window <= traded * PARTICIPATION
            for trade in gateway.fresh:
                side = Side.BUY if trade.direction is Direction.LONG else Side.SELL
                assert not (up and side is Side.BUY), "limit up without offers"
                assert not (down and side is Side.SELL), "limit down without bids"

    def check(self) -> None:
        for name, gateway in self.gateways.items():
            account = self.exchange.account(name)
            holding = account.holding(self.symbol)
            for trade in gateway.fresh:
                assert self.band.down <= to_decimal(trade.price) <= self.band.up
                assert to_decimal(trade.price) % self.rules.tick_size == 0
            gateway.fresh.clear()
            cash, held = gateway.replayed(self.symbol)
            assert (account.cash, holding.volume) == (cash, held)
            assert account.cash == cny(account.cash)
            assert min(account.cash, account.frozen, account.available) >= 0
            assert min(holding.volume, holding.frozen, holding.today) >= 0
            assert holding.sellable(1) >= 0
            if not account.orders:
                assert (int(account.frozen), holding.frozen) == (0, 0)


class Gateway:
    """What one account is told, and the rules of the telling: terminal stays terminal, traded only grows."""

    def __init__(self, name: str) -> None:
        self.gateway_name = name
        self.orders: dict[str, OrderData] = {}
        self.trades: list[TradeData] = []
        self.fresh: list[TradeData] = []
        self.window = 0.0

    def on_order(self, order: OrderData) -> None:
        before = self.orders.get(order.orderid)
        if before is not None:
            assert before.status not in TERMINAL
            assert order.traded >= before.traded
        self.orders[order.orderid] = order
        assert 0 <= order.traded <= max(order.volume, 0) or order.status in TERMINAL or order.traded == 0

    def on_trade(self, trade: TradeData) -> None:
        order = self.orders[trade.orderid]
        better = (
            trade.price <= order.price if trade.direction is Direction.LONG else trade.price >= order.price
        )
        assert better
        self.window += trade.volume
        self.trades.append(trade)
        self.fresh.append(trade)

    def replayed(self, symbol: str) -> tuple[Decimal, int]:
        """Cash and shares as the trades alone give them, fees on each order's sum."""
        cash, held = CASH, HELD
        sums: dict[str, list[TradeData]] = defaultdict(list)
        for trade in self.trades:
            sums[trade.orderid].append(trade)
        for orderid, trades in sums.items():
            side = Side.BUY if trades[0].direction is Direction.LONG else Side.SELL
            turnover = sum((to_decimal(t.price) * int(t.volume) for t in trades), Decimal(0))
            volume = sum(int(t.volume) for t in trades)
            day = date.fromisoformat(f"{orderid[:4]}-{orderid[4:6]}-{orderid[6:8]}")
            fees = instrument_rules(symbol, day).order_fees(side, turnover, Decimal(volume)).total
            cash += (turnover if side is Side.SELL else -turnover) - fees
            held += volume if side is Side.BUY else -volume
            assert self.orders[orderid].traded == volume
        assert max(Counter(t.tradeid + t.orderid[:8] for t in self.trades).values(), default=1) == 1
        return cash, held

    def on_position(self, position: PositionData) -> None:
        assert 0 <= position.frozen <= position.volume

    def on_account(self, account: AccountData) -> None:
        assert round(account.available, 6) >= 0

    def write_log(self, msg: str) -> None: ...


def play(market: tuple[str, date], plans: list[dict[str, list[tuple[Any, ...]]]]) -> Venue:
    venue = Venue(*market)
    sessions = default_calendar().sessions(market[1], market[1] + timedelta(days=14))
    for day, plan in zip(sessions, plans, strict=False):
        venue.day(day, plan)
    return venue


@given(st.sampled_from(SYMBOLS), days)
@settings(max_examples=60, deadline=None)
def test_what_must_hold_holds_at_every_moment(
    market: tuple[str, date], plans: list[dict[str, list[tuple[Any, ...]]]]
) -> None:
    play(market, plans)


def test_such_days_have_fills_in_every_part_of_the_day() -> None:
    """A day of STAR: each part has an order that its own trading fills."""
    plan: dict[str, list[tuple[Any, ...]]] = {at: [] for at in EDGES}
    plan["09:15"] = [("quote", 0, 0), ("buy", 0, 200)]
    plan["09:25"] = [("quote", 0, 30_000)]
    plan["10:00"] = [("quote", 1, 30_000), ("sell", -5, 500)]
    plan["14:59"] = [("buy", 3, 200)]
    plan["15:00"] = [("quote", 0, 30_000)]
    plan["15:05"] = [("sell", -1, 200)]
    plan["15:20"] = [("quote", 0, 30_000)]
    venue = play(SYMBOLS[0], [plan])
    told = [
        (f"{trade.datetime:%H:%M}", trade.direction.name if trade.direction else "", trade.volume)
        for gateway in venue.gateways.values()
        for trade in gateway.trades
        if trade.datetime
    ]
    assert sorted(told) == [
        ("09:25", "LONG", 200),
        ("10:00", "SHORT", 500),
        ("15:00", "LONG", 200),
        ("15:20", "SHORT", 200),
    ]
