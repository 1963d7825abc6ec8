"""Days without the usual limits, or without trading, from a data folder through the simulated exchange."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType, Status
from vnpy.trader.object import AccountData, OrderData, OrderRequest, PositionData, TickData, TradeData

from vnpy_aiagent.config import SimSettings
from vnpy_aiagent.data import load_folder
from vnpy_aiagent.domain import MARKET_TZ, TimerQueue, VirtualClock
from vnpy_aiagent.domain.enums import BarInterval
from vnpy_aiagent.market import default_calendar
from vnpy_aiagent.sim.event_engine import DeterministicEventEngine
from vnpy_aiagent.sim.exchange import SimExchange
from vnpy_aiagent.sim.replay import BarReplay
from vnpy_aiagent.wiring import rules_provider

LISTED = date(2024, 1, 2)
BARS = "vt_symbol,date,open,high,low,close,volume,pre_close\n"
Floor = Callable[..., "Play"]


class Play:
    """Plays a folder's daily bars; on some days an order is sent at the first tick, or without one."""

    gateway_name = "A"

    def __init__(self, folder: Path, symbol: str, orders: dict[date, float]) -> None:
        data = load_folder(folder)
        first, last = data.span()
        self.symbol, self.orders = symbol, dict(orders)
        self.clock = VirtualClock(datetime(first.year, first.month, first.day, 9, tzinfo=MARKET_TZ))
        self.exchange = SimExchange(
            self.clock, rules_provider(data.instruments), SimSettings(slippage_ticks=0)
        )
        self.fills: dict[date, float] = {}
        self.refused: dict[date, str] = {}
        self.cancelled: list[date] = []
        self.bands: dict[date, tuple[float, float]] = {}
        self.exchange.open_account("a", self, Decimal(10_000_000))
        replay = BarReplay(
            data,
            BarInterval.DAILY,
            self.clock,
            TimerQueue(),
            DeterministicEventEngine(),
            self.exchange,
            self,
            self.exchange.rules_for,
            self.exchange.resting_limits,
            self.exchange.settings,
        )
        for day in default_calendar().sessions(first, max(last, *orders, last)):
            self.exchange.start_session(day)
            replay.run(day, day)
            if day in self.orders:  # the day had no quote at all
                self.clock.set(datetime(day.year, day.month, day.day, 10, tzinfo=MARKET_TZ))
                self.send(day)
            self.exchange.end_session()

    def send(self, day: date) -> None:
        price = self.orders.pop(day)
        code, _, exchange = self.symbol.partition(".")
        request = OrderRequest(
            code, Exchange(exchange), Direction.LONG, OrderType.LIMIT, 200, price, Offset.OPEN
        )
        self.exchange.send_order("a", request)

    def on_tick(self, tick: TickData) -> None:
        day = tick.datetime.date()
        self.bands.setdefault(day, (tick.limit_down, tick.limit_up))
        if day in self.orders:
            self.send(day)

    def on_order(self, order: OrderData) -> None:
        if order.status is Status.CANCELLED:
            self.cancelled.append(self.clock.now().date())

    def on_trade(self, trade: TradeData) -> None:
        self.fills[self.clock.now().date()] = trade.price

    def on_position(self, _: PositionData) -> None: ...

    def on_account(self, _: AccountData) -> None: ...

    def write_log(self, msg: str) -> None:
        if msg.startswith("拒单"):
            self.refused[self.clock.now().date()] = msg


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    """Plays (day, price, previous close[, volume]) of one symbol; each day trades at one price."""

    def play(symbol: str, days: list[tuple[object, ...]], orders: dict[date, float], **facts: object) -> Play:
        rows = [
            f"{symbol},{day},{price},{price},{price},{price},{more[0] if more else 1_000_000},{before}\n"
            for day, price, before, *more in days
        ]
        (tmp_path / "daily.csv").write_text(BARS + "".join(rows), encoding="utf-8")
        members = ",".join(("vt_symbol", *facts)) + "\n" + ",".join(map(str, (symbol, *facts.values())))
        (tmp_path / "members.csv").write_text(members + "\n", encoding="utf-8")
        return Play(tmp_path, symbol, orders)

    return play


@pytest.mark.parametrize("symbol", ["688981.SSE", "301001.SZSE", "603999.SSE"])
def test_the_first_five_days_of_a_new_share_have_no_limit_and_the_sixth_has(
    floor: Floor, symbol: str
) -> None:
    days = default_calendar().sessions(LISTED, date(2024, 1, 9))
    assert len(days) == 6
    prices = [round(10 * 1.3**n, 2) for n in range(7)]
    bars = [(day, prices[n + 1], prices[n]) for n, day in enumerate(days[:5])]
    bars.append((days[5], prices[5], prices[5]))
    orders = {day: price for day, price, _ in bars[:5]} | {days[5]: prices[6]}
    play = floor(symbol, bars, orders, listed=LISTED)
    assert play.fills == dict(zip(days[:5], prices[1:6], strict=True))
    assert all(play.bands[day] == (0, 0) for day in days[:5])
    assert list(play.refused) == [days[5]]
    assert "超出涨跌停范围" in play.refused[days[5]]


def test_without_a_listing_day_the_same_share_has_its_limits(floor: Floor) -> None:
    play = floor("603999.SSE", [(LISTED, 10, 10)], {LISTED: 13}, listed="")
    assert play.fills == {}
    assert "超出涨跌停范围 9.00～11.00" in play.refused[LISTED]


@pytest.mark.parametrize(("limit", "taken"), [(14.40, True), (14.41, False)])
def test_a_main_board_share_of_before_2023_rises_44_percent_from_its_issue_price(
    floor: Floor, limit: float, taken: bool
) -> None:
    first = date(2023, 4, 7)
    play = floor("603999.SSE", [(first, 14.2, 10)], {first: limit}, listed=first)
    assert play.bands[first] == (6.4, 14.4)
    assert play.fills == ({first: 14.2} if taken else {})
    assert ("超出涨跌停范围 6.40～14.40" in play.refused.get(first, "")) is not taken


def test_nobody_buys_at_the_locked_limit_of_a_first_day(floor: Floor) -> None:
    first, second = date(2023, 4, 7), date(2023, 4, 10)
    play = floor(
        "603999.SSE", [(first, 14.4, 10), (second, 14.4, 14.4)], {first: 14.4, second: 16}, listed=first
    )
    assert play.fills == {}
    assert "12.96～15.84" in play.refused[second]  # the board's 10 %: the five days are for later listings


def test_the_first_day_of_a_delisting_period_has_no_limit_and_the_second_has(floor: Floor) -> None:
    before, first, second = default_calendar().sessions(date(2024, 6, 3), date(2024, 6, 5))
    days = [(before, 10, 10), (first, 4, 10), (second, 4, 4)]
    play = floor("600999.SSE", days, {before: 4, first: 4, second: 4.5}, delisting=first)
    assert play.fills == {first: 4}
    assert play.bands == {before: (9, 11), first: (0, 0), second: (3.6, 4.4)}
    assert sorted(play.refused) == [before, second]


def test_the_first_day_at_bse_has_no_limit_and_the_second_has_30_percent(floor: Floor) -> None:
    first, second = default_calendar().sessions(date(2024, 3, 4), date(2024, 3, 5))
    days = [(first, 35, 10), (second, 35, 35)]
    play = floor("920799.BSE", days, {first: 35, second: 45.51}, listed=first)
    assert play.fills == {first: 35}
    assert play.bands == {first: (0, 0), second: (24.5, 45.5)}
    assert list(play.refused) == [second]


def test_a_day_without_volume_or_without_a_quote_refuses_orders(floor: Floor) -> None:
    traded, empty, missing, again = default_calendar().sessions(date(2024, 1, 2), date(2024, 1, 5))
    days = [(traded, 10, 10), (empty, 10, 10, 0), (again, 10, 10)]
    play = floor("600000.SSE", days, dict.fromkeys((traded, empty, missing, again), 10.1))
    assert play.fills == {traded: 10, again: 10}
    assert sorted(play.refused) == [empty, missing]
    assert all(play.refused[day].endswith("没有当日行情或停牌") for day in (empty, missing))
    assert play.cancelled == []
