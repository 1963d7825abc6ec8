"""The simulated exchange through the phases of a day, by quotes as paper trading gets them."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

import pytest
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType, Status
from vnpy.trader.engine import MainEngine
from vnpy.trader.event import EVENT_LOG
from vnpy.trader.object import OrderData, OrderRequest, TickData

from vnpy_aiagent.config import SimSettings
from vnpy_aiagent.domain import MARKET_TZ, VirtualClock, to_decimal
from vnpy_aiagent.market import InstrumentRules, default_calendar, instrument_rules
from vnpy_aiagent.market.order_hours import Handling, handling
from vnpy_aiagent.sim.event_engine import DeterministicEventEngine
from vnpy_aiagent.sim.exchange import SimExchange
from vnpy_aiagent.sim.gateway import SimGateway
from vnpy_aiagent.sim.paper import PaperMarket

MAIN, STAR, CHINEXT, FUND = "600000.SSE", "688001.SSE", "300001.SZSE", "510300.SSE"
NAMES: dict[str, str] = {}
Moment = tuple[Status, float]


def rules_for(vt_symbol: str, day: date) -> InstrumentRules:
    return instrument_rules(vt_symbol, day, NAMES.get(vt_symbol, ""))


def hours(vt_symbol: str, when: datetime) -> Handling:
    return handling(default_calendar(), rules_for(vt_symbol, when.date()), when)


class Day:
    """One day on the exchange, with one account that holds 10,000 shares of each symbol from before."""

    def __init__(self, day: str = "2025-03-03", symbol: str = MAIN) -> None:
        self.day, self.symbol = date.fromisoformat(day), symbol
        self.clock = VirtualClock(self.moment("09:00:00"))
        self.events = DeterministicEventEngine()
        self.main = MainEngine(self.events)
        self.exchange = SimExchange(
            self.clock, rules_for, SimSettings(slippage_ticks=1, participation=0.5), hours
        )
        self.logs: list[str] = []
        self.events.register(EVENT_LOG, lambda event: self.logs.append(event.data.msg))
        self.exchange.restore("a", Decimal(10_000_000), {symbol: (10_000, 0, Decimal(10))}, self.day)
        self.exchange.start_session(self.day)
        self.gateway = self.main.add_gateway(SimGateway, "SIM")
        assert isinstance(self.gateway, SimGateway)
        self.gateway.venue = self.exchange
        self.gateway.connect({"account": "a"})
        self.paper = PaperMarket(
            self.exchange, [symbol], lambda s: rules_for(s, self.day), self.exchange.settings
        )

    def moment(self, at: str) -> datetime:
        return datetime.fromisoformat(f"{self.day}T{at}").replace(tzinfo=MARKET_TZ)

    def at(self, time: str) -> "Day":
        """The clock goes on, and does what is due by it alone, as the engine's timers have it done."""
        self.clock.set(self.moment(time))
        self.exchange.pass_time()
        self.events.drain()
        return self

    def tick(self, time: str, price: float, volume: float, *, book: bool = True, late: int = 1) -> None:
        """A quote of `time` that arrives `late` seconds later; `volume` is the day's so far (shares)."""
        stamp = self.moment(time)
        self.clock.set(max(self.clock.now(), stamp.replace(second=stamp.second + late)))
        code, _, exchange = self.symbol.rpartition(".")
        tick = TickData(
            "Q",
            code,
            Exchange(exchange),
            stamp,
            last_price=price,
            volume=volume,
            pre_close=10.0,
            limit_up=11.0,
            limit_down=9.0,
            bid_price_1=price - 0.01 if book and price else 0,
            ask_price_1=price + 0.01 if book and price else 0,
        )
        if price:
            self.paper.on_tick(tick, to_decimal(price), self.day)
        else:
            self.paper.on_unpriced(tick, self.day)
        self.events.drain()

    def send(self, side: str, price: float, volume: int = 1_000) -> OrderData:
        code, _, exchange = self.symbol.rpartition(".")
        direction = Direction.LONG if side == "buy" else Direction.SHORT
        request = OrderRequest(
            code, Exchange(exchange), direction, OrderType.LIMIT, volume, price, Offset.OPEN
        )
        return self.order(self.main.send_order(request, "SIM"))

    def cancel(self, order: OrderData) -> OrderData:
        self.main.cancel_order(order.create_cancel_request(), "SIM")
        return self.order(order.vt_orderid)

    def order(self, vt_orderid: str) -> OrderData:
        self.events.drain()
        order = self.main.get_order(vt_orderid)
        assert order is not None
        return order

    def now(self, order: OrderData) -> Moment:
        """Status and traded volume."""
        found = self.order(order.vt_orderid)
        return found.status, found.traded

    def reason(self, order: OrderData) -> str:
        return str((self.order(order.vt_orderid).extra or {}).get("reason", ""))

    def prices(self) -> list[tuple[float, float]]:
        return [(trade.price, trade.volume) for trade in self.main.get_all_trades()]

    @property
    def bound(self) -> tuple[float, int]:
        account = self.exchange.account("a")
        return float(account.frozen), account.holding(self.symbol).frozen


@pytest.fixture
def open_days() -> Iterator[list[Day]]:
    days: list[Day] = []
    yield days
    NAMES.clear()
    for day in days:
        day.main.close()


@pytest.fixture
def day(open_days: list[Day]) -> Day:
    open_days.append(Day())
    return open_days[0]


def begun(open_days: list[Day], day: str, symbol: str = MAIN) -> Day:
    open_days.append(Day(day, symbol))
    return open_days[-1]


@pytest.mark.parametrize(
    ("time", "status", "says"),
    [
        ("09:14:59", Status.REJECTED, "开盘集合竞价 09:15 起接受委托"),
        ("09:15:00", Status.NOTTRADED, ""),
        ("09:24:59", Status.NOTTRADED, ""),
        ("09:25:00", Status.SUBMITTING, ""),
        ("09:29:59", Status.SUBMITTING, ""),
        ("09:30:00", Status.NOTTRADED, ""),
        ("11:29:59", Status.NOTTRADED, ""),
        ("11:30:00", Status.SUBMITTING, ""),
        ("13:00:00", Status.NOTTRADED, ""),
        ("14:57:00", Status.NOTTRADED, ""),
        ("14:59:59", Status.NOTTRADED, ""),
        ("15:00:00", Status.REJECTED, "已收盘，今日不再接受委托"),
        ("15:06:00", Status.REJECTED, "已收盘，今日不再接受委托"),
        ("20:00:00", Status.REJECTED, "已收盘，今日不再接受委托"),
    ],
)
def test_what_becomes_of_an_order_at_each_phase(day: Day, time: str, status: Status, says: str) -> None:
    day.tick("09:14:50", 0, 0)
    day.at(time)
    order = day.send("buy", 9.90)
    assert (order.status, day.reason(order)) == (status, says)


def test_a_day_without_trading_takes_nothing(open_days: list[Day]) -> None:
    sunday = begun(open_days, "2025-03-02").at("10:00:00")
    assert sunday.reason(sunday.send("buy", 9.90)) == "今日不是交易日"


@pytest.mark.parametrize(
    ("sent", "time", "reason"),
    [
        ("09:16:00", "09:19:59", ""),
        ("09:16:00", "09:20:00", "09:20 至 09:25 不接受撤单"),
        ("09:16:00", "09:24:59", "09:20 至 09:25 不接受撤单"),
        ("14:00:00", "14:56:59", ""),
        ("14:00:00", "14:57:00", "14:57 至 15:00 不接受撤单"),
        ("14:58:00", "14:59:59", "14:57 至 15:00 不接受撤单"),
        ("14:58:00", "15:00:01", "已收盘，不再接受撤单"),
    ],
)
def test_auctions_that_are_about_to_match_take_no_cancel(day: Day, sent: str, time: str, reason: str) -> None:
    day.tick("09:15:05", 0, 0)
    day.at(sent)
    order = day.send("buy", 9.90)
    ended = day.at(time).cancel(order)
    assert ended.status is (Status.NOTTRADED if reason else Status.CANCELLED)
    assert reason == "" or any("撤单被拒" in line and reason in line for line in day.logs)


def test_the_opening_auction_fills_at_its_price_up_to_the_share_of_its_volume(day: Day) -> None:
    day.tick("09:15:05", 0, 0)
    day.at("09:16:00")
    buy, low, sale = day.send("buy", 10.50, 2_000), day.send("buy", 10.19), day.send("sell", 10.60, 500)
    day.tick("09:20:00", 10.40, 0)
    assert day.prices() == [], "quotes before 09:25 are indicative"
    day.tick("09:25:00", 10.20, 3_000, book=False)
    assert day.prices() == [(10.20, 1_500)]
    assert day.now(buy) == (Status.PARTTRADED, 1_500)
    assert [day.now(order)[1] for order in (low, sale)] == [0, 0]
    day.tick("09:30:03", 10.18, 4_000)
    assert day.prices()[1:] == [(10.20, 500)], "traded through from 10.20"
    assert day.now(low) == (Status.NOTTRADED, 0), "the better limit took the share of the volume"
    day.tick("09:30:06", 10.17, 6_000)
    assert day.now(low) == (Status.ALLTRADED, 1_000)


def test_an_order_of_the_pause_reaches_the_exchange_at_half_past_nine(day: Day) -> None:
    day.tick("09:15:05", 0, 0)
    day.tick("09:25:00", 10.20, 3_000, book=False)
    day.at("09:26:00")
    order = day.send("buy", 10.30)
    assert day.now(order) == (Status.SUBMITTING, 0)
    assert day.bound[0] > 10_300
    assert any("已排队" in line for line in day.logs)
    day.tick("09:28:00", 10.20, 3_000, book=False)
    day.at("09:30:00")
    assert day.now(order) == (Status.NOTTRADED, 0), "the auction is over, continuous trading has no price yet"
    day.tick("09:30:03", 10.24, 6_000)
    assert day.now(order) == (Status.ALLTRADED, 1_000)
    assert day.prices() == [(10.25, 1_000)], "it arrives and meets the best ask"


def test_a_cancel_of_the_pause_waits_too_and_comes_behind_the_orders(day: Day) -> None:
    day.tick("09:15:05", 0, 0)
    day.at("09:16:00")
    early = day.send("buy", 9.90)
    day.at("09:26:00")
    late = day.send("buy", 9.91)
    assert day.cancel(early).status is Status.NOTTRADED
    assert day.cancel(late).status is Status.SUBMITTING
    day.at("09:30:00")
    assert [day.now(order)[0] for order in (early, late)] == [Status.CANCELLED, Status.CANCELLED]
    assert day.bound == (0, 0)


def test_an_order_of_the_pause_outside_the_price_cage_is_refused_when_it_arrives(day: Day) -> None:
    day.tick("09:15:05", 0, 0)
    day.tick("09:25:00", 10.00, 3_000)
    day.at("09:26:00")
    order = day.send("buy", 10.22)
    assert order.status is Status.SUBMITTING
    day.at("09:30:00")
    assert day.now(order)[0] is Status.REJECTED
    assert day.reason(order) == "价格 10.22 超出有效申报价格范围（买入不高于 10.21）"
    assert day.bound == (0, 0)


def test_an_order_of_the_lunch_break_waits_for_the_afternoon(day: Day) -> None:
    day.tick("11:29:57", 10.00, 3_000)
    day.at("11:45:00")
    order = day.send("sell", 9.95)
    assert (day.now(order), day.bound) == ((Status.SUBMITTING, 0), (0, 1_000))
    day.at("13:00:00")
    assert day.now(order) == (Status.NOTTRADED, 0)
    day.tick("13:00:02", 10.02, 9_000)
    assert day.prices() == [(10.01, 1_000)]


def test_a_queued_order_ends_when_the_process_slept_through_the_day(day: Day) -> None:
    day.tick("11:29:57", 10.00, 3_000)
    day.at("11:45:00")
    order = day.send("sell", 9.95)
    day.at("15:10:00")
    assert day.now(order)[0] is Status.CANCELLED
    assert day.bound == (0, 0)


def test_the_closing_auction_fills_at_the_closing_price_told_after_the_close(day: Day) -> None:
    day.tick("14:56:57", 10.00, 3_000)
    resting = day.send("buy", 9.95)
    day.tick("14:57:00", 9.99, 3_000)
    day.at("14:58:00")
    late, high = day.send("buy", 10.10, 2_000), day.send("sell", 10.30)
    day.tick("14:58:30", 9.90, 3_000)
    assert day.prices() == [], "nothing trades before 15:00"
    day.at("15:00:00")
    assert day.exchange.end_session(wait=True)
    day.tick("15:00:00", 9.95, 8_000, book=False)
    assert day.prices() == [(9.95, 1_000), (9.95, 1_500)], "one price, half of the auction's 5,000 shares"
    assert not day.exchange.end_session(wait=True)
    assert [day.now(order)[0] for order in (resting, late, high)] == [
        Status.ALLTRADED,
        Status.CANCELLED,
        Status.CANCELLED,
    ]
    assert day.reason(high) == "收盘未成交，自动撤单"
    assert day.bound == (0, 0)


def test_volume_first_told_in_the_closing_auction_was_traded_before_it(day: Day) -> None:
    day.tick("14:56:57", 10.00, 3_000)
    order = day.send("buy", 9.95)
    day.tick("14:57:00", 9.94, 5_000)
    assert day.now(order) == (Status.ALLTRADED, 1_000)


def test_day_orders_end_at_last_where_no_closing_price_is_told(day: Day) -> None:
    day.tick("14:56:57", 10.00, 3_000)
    order = day.send("buy", 9.95)
    day.at("15:01:00")
    assert not day.exchange.end_session()
    assert day.now(order)[0] is Status.CANCELLED


@pytest.mark.parametrize(("when", "continuous"), [("2026-07-03", True), ("2026-07-06", False)])
def test_a_fund_of_shanghai_trades_to_the_close_until_july_2026(
    open_days: list[Day], when: str, continuous: bool
) -> None:
    day = begun(open_days, when, FUND)
    day.tick("14:56:57", 10.00, 3_000)
    day.at("14:58:00")
    order = day.send("buy", 10.01)
    day.tick("14:58:03", 10.00, 6_000)
    assert day.now(order)[1] == (1_000 if continuous else 0)
    resting = day.send("buy", 9.90)
    day.at("14:59:00")
    assert day.cancel(resting).status is (Status.CANCELLED if continuous else Status.NOTTRADED)


@pytest.mark.parametrize(
    ("symbol", "when", "taken"),
    [
        (STAR, "2019-07-22", True),
        (CHINEXT, "2020-08-21", False),
        (CHINEXT, "2020-08-24", True),
        (MAIN, "2026-07-03", False),
        (MAIN, "2026-07-06", True),
        (FUND, "2026-07-03", False),
        (FUND, "2026-07-06", True),
    ],
)
def test_orders_after_hours_are_taken_by_board_and_date(
    open_days: list[Day], symbol: str, when: str, taken: bool
) -> None:
    day = begun(open_days, when, symbol)
    day.tick("15:00:00", 10.00, 3_000)
    day.at("15:05:00")
    order = day.send("sell", 9.90)
    assert order.status is (Status.NOTTRADED if taken else Status.REJECTED)
    assert day.reason(order) == ("" if taken else "已收盘，今日不再接受委托")


def test_after_hours_an_order_fills_at_the_closing_price_by_the_volume_of_then(open_days: list[Day]) -> None:
    day = begun(open_days, "2025-03-03", STAR)
    day.tick("14:56:57", 10.00, 3_000)
    day.at("15:00:01")
    assert day.reason(day.send("buy", 10.10)) == "收盘价尚未产生，盘后定价委托请稍后再报"
    day.tick("15:00:02", 10.05, 8_000, book=False)
    low, high = day.send("buy", 10.04), day.send("sell", 10.06)
    assert "买入限价 10.04 低于收盘价" in day.reason(low)
    assert "卖出限价 10.06 高于收盘价" in day.reason(high)
    order = day.send("buy", 10.50, 1_200)
    assert order.status is Status.NOTTRADED, "the cage is of continuous trading"
    day.tick("15:00:03", 10.05, 9_000, book=False, late=2)
    assert day.prices() == [], "that was the closing auction's volume"
    day.tick("15:06:00", 10.05, 10_000, book=False)
    assert day.prices() == [(10.05, 500)]
    assert not day.exchange.end_session(), "the close of the day's orders is not the close of these"
    assert day.now(order) == (Status.PARTTRADED, 500)
    withdrawn = day.send("buy", 10.05, 300)
    assert day.cancel(withdrawn).status is Status.CANCELLED
    day.at("15:30:00")
    assert day.now(order) == (Status.CANCELLED, 500)
    assert "盘后定价交易已结束" in day.reason(order)
    assert day.bound == (0, 0)


@pytest.mark.parametrize(
    ("symbol", "when", "refused"),
    [
        (MAIN, "2023-04-07", False),
        (MAIN, "2023-04-10", True),
        (STAR, "2019-07-22", True),
        (CHINEXT, "2020-08-21", False),
        (CHINEXT, "2023-04-10", True),
        (FUND, "2025-03-03", False),
    ],
)
def test_the_price_cage_holds_by_board_and_date(
    open_days: list[Day], symbol: str, when: str, refused: bool
) -> None:
    day = begun(open_days, when, symbol)
    day.tick("10:00:00", 10.00, 3_000)
    for side, price, edge in (("buy", 10.22, "不高于 10.21"), ("sell", 9.78, "不低于 9.79")):
        order = day.send(side, price)
        assert (order.status is Status.REJECTED) is refused
        assert (edge in day.reason(order)) is refused
        day.cancel(order)
    assert day.send("buy", 10.21).status is not Status.REJECTED, "the edge itself is inside"


def test_an_order_outside_the_cage_of_chinext_is_parked_until_the_cage_reaches_it(
    open_days: list[Day],
) -> None:
    day = begun(open_days, "2023-04-07", CHINEXT)
    day.tick("10:00:00", 10.00, 3_000)
    order = day.send("buy", 10.40)
    assert day.now(order) == (Status.NOTTRADED, 0), "the best ask is 10.01, the edge 10.21"
    day.tick("10:00:03", 10.18, 9_000)
    assert day.now(order) == (Status.NOTTRADED, 0), "10.19 gives 10.39"
    day.tick("10:00:06", 10.19, 12_000)
    assert day.now(order) == (Status.ALLTRADED, 1_000)
    assert day.prices() == [(10.20, 1_000)]


def test_an_account_buys_at_most_the_daily_sum_of_a_share_under_risk_warning(open_days: list[Day]) -> None:
    NAMES[MAIN] = "*ST浦发"
    day = begun(open_days, "2026-07-06")
    day.tick("10:00:00", 10.00, 3_000)
    assert day.send("buy", 9.90, 300_000).status is Status.NOTTRADED
    refused = day.send("buy", 9.89, 200_100)
    assert refused.status is Status.REJECTED
    assert day.reason(refused) == "超出风险警示股票单日买入上限 500000 股"
    assert day.send("buy", 9.89, 200_000).status is Status.NOTTRADED
