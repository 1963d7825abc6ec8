"""Whatever is bought, sold and paid out in whatever order: book and simulated exchange agree to the cent."""

from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from vnpy.trader.constant import Direction, Exchange, OrderType
from vnpy.trader.object import AccountData, OrderData, OrderRequest, PositionData, TradeData

from vnpy_aiagent.config import SimSettings
from vnpy_aiagent.domain import MARKET_TZ, Fill, Side, Style, VirtualClock, to_decimal
from vnpy_aiagent.market import CorporateAction, MarketView, instrument_rules
from vnpy_aiagent.portfolio import AccountBook
from vnpy_aiagent.sim.exchange import MarketPoint, SimExchange

SYMBOL = "600000.SSE"
MONDAY = datetime(2024, 6, 3, 10, tzinfo=MARKET_TZ)
CASH = Decimal(10_000_000)


class Desk:
    """A book that follows one account of a simulated exchange by its trades alone."""

    gateway_name = "SIM"

    def __init__(self) -> None:
        self.clock = VirtualClock(MONDAY)
        self.exchange = SimExchange(self.clock, instrument_rules, SimSettings(slippage_ticks=0))
        self.book = AccountBook("a", Style.JUDGE, CASH)
        self.turnover: dict[str, tuple[Decimal, int]] = {}
        self.exchange.open_account("a", self, CASH)
        self.exchange.start_session(MONDAY.date())

    def on_order(self, order: OrderData) -> None: ...
    def on_position(self, position: PositionData) -> None: ...
    def on_account(self, account: AccountData) -> None: ...
    def write_log(self, msg: str) -> None: ...

    def on_trade(self, trade: TradeData) -> None:
        side = Side.BUY if trade.direction is Direction.LONG else Side.SELL
        price, volume = to_decimal(trade.price), int(trade.volume)
        rules = instrument_rules(SYMBOL, self.clock.now().date())
        value, traded = self.turnover.get(trade.orderid, (Decimal(0), 0))
        before = rules.order_fees(side, value, Decimal(traded))
        value, traded = value + price * volume, traded + volume
        self.turnover[trade.orderid] = value, traded
        fees = rules.order_fees(side, value, Decimal(traded)) - before
        self.book.apply(
            Fill(
                id=trade.tradeid,
                at=self.clock.now(),
                account="a",
                trading_day=self.clock.now().date(),
                exchange="SSE",
                symbol=SYMBOL,
                side=side,
                orderid=trade.orderid,
                tradeid=trade.tradeid,
                intent_id=None,
                parent_id=None,
                price=price,
                volume=volume,
                commission=fees.commission,
                stamp_duty=fees.stamp_duty,
                transfer_fee=fees.transfer_fee,
            )
        )

    def next_day(self, days: int) -> None:
        self.clock.set(self.clock.now() + timedelta(days=days))
        self.exchange.start_session(self.clock.now().date())

    def trade(self, side: Side, volume: int, price: Decimal) -> None:
        view = MarketView(price, None, None, None, None, 10**9, Decimal("0.01"))
        self.exchange.move(MarketPoint(SYMBOL, view, jump=True))
        direction = Direction.LONG if side is Side.BUY else Direction.SHORT
        request = OrderRequest("600000", Exchange.SSE, direction, OrderType.LIMIT, volume, float(price))
        self.exchange.send_order("a", request)

    def pay_out(self, bonus: Decimal, cash: Decimal) -> None:
        day = self.clock.now().date() + timedelta(days=1)
        action = CorporateAction(vt_symbol=SYMBOL, ex_date=day, bonus=bonus, cash=cash)
        self.clock.set(self.clock.now() + timedelta(days=1))
        assert self.book.apply_action(action) == self.exchange.apply_action("a", action)
        self.exchange.start_session(day)

    def restart(self) -> None:
        """The process ends; the exchange begins again from the book."""
        held = {
            s: (p.volume, p.bought_on(self.clock.now().date()), p.cost)
            for s, p in self.book.positions.items()
        }
        lots = {s: p.shares for s, p in self.book.positions.items()}
        self.exchange.restore("a", self.book.cash, held, self.clock.now().date(), lots)

    def check(self) -> None:
        account = self.exchange.account("a")
        assert account.cash == self.book.cash
        assert account.holding(SYMBOL).volume == self.book.volume(SYMBOL)
        assert self.book.cash_off == 0
        position = self.book.positions.get(SYMBOL)
        if position is not None:
            assert position.shares.volume == position.volume == sum(lot.volume for lot in position.lots)
            assert all(lot.volume > 0 and lot.price >= 0 for lot in position.lots)


PRICES = st.decimals("5", "60", places=2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("buy"), st.integers(1, 50).map(lambda n: n * 100), PRICES),
        st.tuples(st.just("sell"), st.integers(0, 100), PRICES),
        st.tuples(st.just("day"), st.integers(1, 200), st.just(Decimal(0))),
        st.tuples(st.just("pay"), st.decimals(0, 1, places=2), st.decimals(0, 2, places=3)),
        st.tuples(st.just("restart"), st.just(0), st.just(Decimal(0))),
    ),
    max_size=25,
)


@given(STEPS)
def test_book_and_exchange_agree_over_trades_ex_days_and_restarts(
    steps: list[tuple[str, int | Decimal, Decimal]],
) -> None:
    desk = Desk()
    for kind, figure, value in steps:
        match kind:
            case "buy":
                desk.trade(Side.BUY, int(figure), value)
            case "sell":
                held = desk.book.volume(SYMBOL)
                desk.trade(Side.SELL, held * int(figure) // 100 // 100 * 100 or max(held, 1), value)
            case "day":
                desk.next_day(int(figure))
            case "pay":
                desk.pay_out(Decimal(figure), value)
            case _:
                desk.restart()
        desk.check()


def test_the_steps_above_do_trade_and_do_tax() -> None:
    desk = Desk()
    desk.trade(Side.BUY, 1000, Decimal("10.00"))
    desk.pay_out(Decimal("0.3"), Decimal("0.16"))
    desk.trade(Side.SELL, 1300, Decimal("8.00"))
    desk.check()
    assert (desk.book.volume(SYMBOL), sum(desk.book.dividend_taxes.values())) == (0, Decimal("32.00"))
