"""Futures at the simulated exchange: offsets, margin, both directions, settlement, nights, refusals."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

import pytest
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType, Product, Status
from vnpy.trader.engine import MainEngine
from vnpy.trader.event import EVENT_CONTRACT, EVENT_POSITION
from vnpy.trader.object import OrderData, OrderRequest, PositionData

from vnpy_aiagent.config import SimSettings
from vnpy_aiagent.domain import MARKET_TZ, VirtualClock
from vnpy_aiagent.market import default_calendar, instrument_rules
from vnpy_aiagent.market.matching import MarketView
from vnpy_aiagent.market.order_hours import Handling, handling
from vnpy_aiagent.sim.event_engine import DeterministicEventEngine
from vnpy_aiagent.sim.exchange import MarketPoint, SimExchange
from vnpy_aiagent.sim.gateway import SimGateway

IF, RB, SC = "IF2402.CFFEX", "rb2405.SHFE", "sc2404.INE"
OPEN, CLOSE, TODAY, YESTERDAY = Offset.OPEN, Offset.CLOSE, Offset.CLOSETODAY, Offset.CLOSEYESTERDAY
LONG, SHORT = Direction.LONG, Direction.SHORT
PRICES = {IF: "3400.0", RB: "4000", SC: "550.0"}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=MARKET_TZ)


class Pit:
    """One account on an exchange with hours."""

    def __init__(self, cash: int = 1_000_000, at: str = "2024-01-02 09:40") -> None:
        self.clock = VirtualClock(moment(at))
        self.events = DeterministicEventEngine()
        self.main = MainEngine(self.events)
        self.contracts: list = []
        self.events.register(EVENT_CONTRACT, lambda event: self.contracts.append(event.data))
        self.exchange = SimExchange(
            self.clock, instrument_rules, SimSettings(participation=1.0, slippage_ticks=0), self.hours
        )
        self.exchange.start_session(self.clock.now().date())
        self.gateway = self.main.add_gateway(SimGateway, "SIM")
        self.gateway.venue = self.exchange
        self.gateway.connect({"account": "a", "cash": cash})
        for symbol, price in PRICES.items():
            self.move(symbol, price)

    @staticmethod
    def hours(vt_symbol: str, when: datetime) -> Handling:
        return handling(default_calendar(), instrument_rules(vt_symbol, when.date()), when)

    @property
    def account(self):
        return self.exchange.account("a")

    def at(self, text: str) -> None:
        self.clock.set(moment(text))

    def move(self, symbol: str, price: str, liquidity: int = 1_000) -> None:
        last, tick = Decimal(price), instrument_rules(symbol, self.clock.now().date()).tick_size
        band = last * Decimal("0.9") // tick * tick, last * Decimal("1.1") // tick * tick
        view = MarketView(last, last, last, band[1], band[0], liquidity, tick)
        self.exchange.move(MarketPoint(symbol, view))
        self.events.drain()

    def send(
        self, symbol: str, direction: Direction, offset: Offset, volume: float, price: str = ""
    ) -> OrderData:
        code, _, suffix = symbol.rpartition(".")
        worth = float(price or PRICES[symbol])
        request = OrderRequest(
            code, Exchange(suffix), direction, OrderType.LIMIT, volume, worth, offset=offset
        )
        vt_orderid = self.gateway.send_order(request)
        self.events.drain()
        order = self.main.get_order(vt_orderid)
        assert order is not None
        return order

    def held(self, symbol: str, direction: Direction) -> PositionData:
        self.exchange.report("a")
        self.events.drain()
        code = symbol.rpartition(".")[0]
        [found] = [p for p in self.main.get_all_positions() if (p.symbol, p.direction) == (code, direction)]
        return found

    def next_day(self, day: str, **settlement: str) -> None:
        """The close of the present day with settlement prices, and the opening of the next."""
        self.exchange.end_session()
        today = self.clock.now().date()
        self.exchange.settle(
            today, {f"{name.replace('_', '.')}": Decimal(p) for name, p in settlement.items()}
        )
        self.at(f"{day} 09:40")
        self.exchange.start_session(self.clock.now().date())
        for symbol, price in PRICES.items():
            self.move(symbol, price)


@pytest.fixture
def pit() -> Iterator[Pit]:
    found = Pit()
    yield found
    found.main.close()


def why(order: OrderData) -> str:
    return (order.extra or {}).get("reason", "")


def test_opening_binds_margin_and_pays_the_fee(pit: Pit) -> None:
    order = pit.send(IF, LONG, OPEN, 2)
    assert order.status is Status.ALLTRADED
    # 3400 x 300 x 2 = 2,040,000; 8 % = 163,200; fee 0.23 in 10,000 = 46.92
    assert (pit.account.contracts.margin, pit.account.cash) == (Decimal("163200.00"), Decimal("999953.08"))
    assert pit.account.available == Decimal("836753.08")
    told = pit.main.get_account("SIM.a")
    assert told is not None
    assert (told.balance, told.available) == (999953.08, pytest.approx(836753.08))


def test_a_working_order_freezes_margin_and_fee_until_it_is_cancelled(pit: Pit) -> None:
    order = pit.send(IF, LONG, OPEN, 2, "3390")
    assert order.status is Status.NOTTRADED
    # 3390 x 300 x 2 x 0.08 = 162,720.00; 2,034,000 x 0.000023 = 46.782 -> 46.78
    assert (pit.account.frozen, pit.account.contracts.margin) == (Decimal("162766.78"), 0)
    pit.gateway.cancel_order(order.create_cancel_request())
    assert (pit.account.frozen, pit.account.available) == (0, Decimal(1_000_000))


def test_margin_that_is_not_there_is_refused(pit: Pit) -> None:
    order = pit.send(IF, LONG, OPEN, 13)  # 81,600 each
    assert order.status is Status.REJECTED
    assert "保证金不足：需要 1061104.98，可用 1000000" in why(order)
    assert pit.send(IF, LONG, OPEN, 12).status is Status.ALLTRADED


def test_what_is_lost_since_the_settlement_opens_nothing(pit: Pit) -> None:
    pit.send(IF, LONG, OPEN, 6)  # margin 489,600, fee 140.76
    pit.move(IF, "3200.0")  # 200 x 300 x 6 = 360,000 lost
    # available 1,000,000 - 140.76 - 489,600 - 360,000 = 150,259.24; each needs 76,800 and 22.08
    assert "可用 150259.24" in why(pit.send(IF, LONG, OPEN, 2, "3200"))
    assert pit.send(IF, LONG, OPEN, 1, "3200").status is Status.ALLTRADED
    told = pit.main.get_account("SIM.a")
    assert told is not None
    assert told.balance == float(pit.account.cash - 360_000)
    assert told.available < 150_259.24 - 76_800


def test_a_short_gains_when_the_price_falls(pit: Pit) -> None:
    pit.send(RB, SHORT, OPEN, 2)  # fee 8.00
    pit.move(RB, "3950")
    order = pit.send(RB, LONG, TODAY, 2, "3950")  # 50 x 10 x 2 = 1,000 gained, fee 7.90
    assert order.status is Status.ALLTRADED
    assert pit.account.cash == Decimal("1000984.10")
    assert (pit.held(RB, SHORT).volume, pit.account.contracts.margin) == (0, 0)


def test_long_and_short_stand_beside_each_other(pit: Pit) -> None:
    pit.send(RB, LONG, OPEN, 3)
    pit.send(RB, SHORT, OPEN, 1)
    assert (pit.held(RB, LONG).volume, pit.held(RB, SHORT).volume) == (3, 1)
    assert pit.account.contracts.margin == Decimal("8000.00")  # 4 x 4000 x 10 x 5 %
    assert "最多 1 手" in why(pit.send(RB, LONG, TODAY, 2))


@pytest.mark.parametrize("symbol", [RB, SC])
def test_shfe_and_ine_close_today_and_yesterday_apart(pit: Pit, symbol: str) -> None:
    pit.send(symbol, LONG, OPEN, 2)
    assert "最多 0 手" in why(pit.send(symbol, SHORT, CLOSE, 1))
    assert "最多 0 手" in why(pit.send(symbol, SHORT, YESTERDAY, 1))
    pit.next_day("2024-01-03", **{symbol.replace(".", "_"): PRICES[symbol]})
    pit.send(symbol, LONG, OPEN, 1)
    held = pit.held(symbol, LONG)
    assert (held.volume, held.yd_volume) == (3, 2)
    assert "最多 1 手" in why(pit.send(symbol, SHORT, TODAY, 2))
    assert "最多 2 手" in why(pit.send(symbol, SHORT, YESTERDAY, 3))
    assert pit.send(symbol, SHORT, CLOSE, 1).status is Status.ALLTRADED
    assert pit.send(symbol, SHORT, TODAY, 1).status is Status.ALLTRADED
    held = pit.held(symbol, LONG)
    assert (held.volume, held.yd_volume) == (1, 1)


def test_cffex_closes_todays_first(pit: Pit) -> None:
    pit.send(IF, LONG, OPEN, 1)
    pit.next_day("2024-01-03", IF2402_CFFEX="3400.0")
    pit.send(IF, LONG, OPEN, 1)
    before = pit.account.cash
    pit.send(IF, SHORT, CLOSE, 1)
    assert before - pit.account.cash == Decimal("234.60")  # 1,020,000 x 2.3 in 10,000
    assert pit.held(IF, LONG).yd_volume == 1
    before = pit.account.cash
    pit.send(IF, SHORT, CLOSE, 1)
    assert before - pit.account.cash == Decimal("23.46")


def test_working_closes_hold_their_contracts_back(pit: Pit) -> None:
    pit.send(RB, LONG, OPEN, 3)
    working = pit.send(RB, SHORT, TODAY, 2, "4050")
    assert pit.held(RB, LONG).frozen == 2
    assert "最多 1 手" in why(pit.send(RB, SHORT, TODAY, 2, "4060"))
    pit.gateway.cancel_order(working.create_cancel_request())
    assert pit.held(RB, LONG).frozen == 0
    assert pit.send(RB, SHORT, TODAY, 3).status is Status.ALLTRADED


def test_settlement_moves_gains_into_cash_once(pit: Pit) -> None:
    pit.send(IF, LONG, OPEN, 1)
    pit.send(RB, SHORT, OPEN, 2)
    cash = pit.account.cash
    day = date(2024, 1, 2)
    pit.exchange.settle(day, {IF: Decimal("3410.4"), RB: Decimal(4020)})
    assert pit.account.cash - cash == Decimal("2720.00")  # 10.4 x 300 - 20 x 10 x 2
    # 3410.4 x 300 x 8 % = 81,849.60; 4020 x 10 x 2 x 5 % = 4,020
    assert pit.account.contracts.margin == Decimal("85869.60")
    pit.exchange.settle(day, {IF: Decimal(3500), RB: Decimal(4100)})
    assert pit.account.cash - cash == Decimal("2720.00")


def test_a_position_of_yesterday_is_closed_from_its_settlement_price(pit: Pit) -> None:
    pit.send(IF, LONG, OPEN, 1)
    pit.next_day("2024-01-03", IF2402_CFFEX="3410.4")
    cash = pit.account.cash
    pit.send(IF, SHORT, CLOSE, 1)  # at 3400: 10.4 x 300 lost, fee 23.46
    assert pit.account.cash - cash == Decimal("-3143.46")
    assert pit.account.cash == Decimal("999953.08")  # in all two fees of 23.46


def test_a_night_fill_is_not_settled_with_the_day_before(pit: Pit) -> None:
    pit.at("2024-01-02 21:10")
    pit.move(RB, "4000")
    pit.send(RB, LONG, OPEN, 1)
    cash = pit.account.cash
    pit.exchange.settle(date(2024, 1, 2), {RB: Decimal(4100)})
    assert pit.account.cash == cash
    assert pit.held(RB, LONG).yd_volume == 0
    pit.at("2024-01-03 09:40")
    pit.exchange.start_session(date(2024, 1, 3))
    assert pit.held(RB, LONG).yd_volume == 0
    pit.exchange.settle(date(2024, 1, 3), {RB: Decimal(4100)})
    assert pit.account.cash - cash == 1000


def test_what_is_opened_after_its_days_settlement_is_marked_at_once() -> None:
    pit = Pit(at="2024-01-02 15:05")  # bond futures trade to 15:15
    try:
        symbol = "T2403.CFFEX"
        PRICES[symbol] = "102.000"
        pit.exchange.settle(date(2024, 1, 2), {symbol: Decimal("102.1")})
        pit.move(symbol, "102.000")
        pit.send(symbol, LONG, OPEN, 1)
        assert pit.account.cash == 1_000_000 + 1_000 - 3  # 0.1 x 10,000, less the fee
    finally:
        del PRICES[symbol]
        pit.main.close()


@pytest.mark.parametrize(
    ("symbol", "offset", "volume", "price", "reason"),
    [
        (RB, Offset.NONE, 1, "4000", "须指明开仓或平仓"),
        (RB, OPEN, 0.5, "4000", "not a whole number"),
        (RB, OPEN, 501, "4000", "largest order"),
        (IF, OPEN, 1, "3400.1", "最小变动价位 0.2"),
        (IF, OPEN, 1, "3800", "超出涨跌停"),
        (IF, OPEN, float("nan"), "3400", "价格或数量无效"),
    ],
)
def test_a_bad_order_is_refused(
    pit: Pit, symbol: str, offset: Offset, volume: float, price: str, reason: str
) -> None:
    order = pit.send(symbol, LONG, offset, volume, price)
    assert order.status is Status.REJECTED
    assert reason in why(order)
    assert pit.account.available == 1_000_000


def test_the_delivery_month_opens_nothing_and_still_closes() -> None:
    pit = Pit(at="2024-04-30 09:40")
    try:
        pit.send(RB, LONG, OPEN, 1)
        pit.next_day("2024-05-06", rb2405_SHFE="4000")
        order = pit.send(RB, LONG, OPEN, 1)
        assert "delivery month" in why(order)
        assert pit.send(RB, SHORT, YESTERDAY, 1).status is Status.ALLTRADED
    finally:
        pit.main.close()


def test_outside_its_hours_a_contract_takes_no_order(pit: Pit) -> None:
    pit.at("2024-01-02 21:10")
    assert "非交易时段" in why(pit.send(IF, LONG, OPEN, 1))
    assert pit.send(RB, LONG, OPEN, 1).status is Status.ALLTRADED


def test_one_does_not_trade_with_oneself(pit: Pit) -> None:
    pit.send(RB, SHORT, OPEN, 1, "4010")
    assert "自成交" in why(pit.send(RB, LONG, OPEN, 1, "4010"))


def test_the_first_price_of_a_night_tells_yesterdays_contracts(pit: Pit) -> None:
    pit.send(RB, LONG, OPEN, 2)
    told: list[PositionData] = []
    pit.events.register(EVENT_POSITION, lambda event: told.append(event.data))
    pit.at("2024-01-02 21:00")
    pit.move(RB, "4000")
    assert [(position.volume, position.yd_volume) for position in told] == [(2, 2)]
    pit.move(RB, "4001")
    assert len(told) == 1


def test_a_contract_is_announced_with_its_size(pit: Pit) -> None:
    pit.gateway.announce(IF, "", instrument_rules(IF, date(2024, 1, 2)))
    pit.events.drain()
    [told] = pit.contracts
    assert (told.size, told.pricetick, told.min_volume) == (300, 0.2, 1)
    assert (told.product, told.net_position) == (Product.FUTURES, False)
