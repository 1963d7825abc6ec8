"""One account and one symbol around an agent: a clock to move, quotes to give, messages to read."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from vnpy.trader.constant import Exchange
from vnpy.trader.object import TickData

from vnpy_aiagent.agents import AgentContext, Broker, Bus, Universe
from vnpy_aiagent.config import load_settings
from vnpy_aiagent.control import TradingControl
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.domain import (
    MARKET_TZ,
    Action,
    BarInterval,
    Fill,
    IdFactory,
    Message,
    Mode,
    PriceBasis,
    PriceRef,
    Proposal,
    Severity,
    Side,
    Style,
    Text,
    TimerQueue,
    TriggerKind,
    TriggerPlan,
    VirtualClock,
    parse_message,
)
from vnpy_aiagent.errors import UnknownSymbol
from vnpy_aiagent.market import TradingCalendar, instrument_rules
from vnpy_aiagent.memory import LessonBook
from vnpy_aiagent.portfolio import AccountBook, Portfolio
from vnpy_aiagent.sim.event_engine import DeterministicEventEngine
from vnpy_aiagent.store.journal import Draft

SYMBOL = "600036.SSE"
MONDAY = date(2025, 3, 3)
FRIDAY = date(2025, 2, 28)
Kind = TypeVar("Kind", bound=Message)


def moment(hour: int, minute: int = 0, day: date = MONDAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=MARKET_TZ)


class Bars:
    """Daily bars at one close, up to Friday."""

    def __init__(self, close: float = 20.0) -> None:
        days = [FRIDAY - timedelta(days=n) for n in range(40, -1, -1)]
        rows = [(day, close, close * 1.01, close * 0.99, close, 1e7) for day in days]
        self.series = BarSeries.from_rows(SYMBOL, BarInterval.DAILY, rows)

    def bars(self, vt_symbol: str, interval: BarInterval, count: int) -> BarSeries:
        if vt_symbol != SYMBOL:
            raise UnknownSymbol(f"no bars of {vt_symbol}; import them")
        return self.series.tail(count)


class World:
    """An AgentContext, and what happened in it."""

    def __init__(self, now: datetime, mode: Mode = Mode.PAPER, **settings: Any) -> None:
        self.clock = VirtualClock(now)
        self.events = DeterministicEventEngine()
        self.events.start()
        self.journal: list[Message] = []
        self.said: list[str] = []
        self.calendar = TradingCalendar()
        self.portfolio = Portfolio(self.clock, self.calendar, instrument_rules)
        self.book = AccountBook("judge", Style.JUDGE, Decimal(1_000_000))
        self.portfolio.open(self.book)
        self.house = AgentContext(
            settings=load_settings(mode=mode, **settings),
            bus=Bus(self.events, self, IdFactory("r1"), self.clock, self._say),  # type: ignore[arg-type]
            clock=self.clock,
            timers=TimerQueue(),
            calendar=self.calendar,
            portfolio=self.portfolio,
            control=TradingControl(),
            lessons=LessonBook(),
            bars=Bars(),
            universe=Universe((SYMBOL,), {SYMBOL: "招商银行"}, (BarInterval.DAILY,)),
            broker=Broker(send=lambda request, gateway: "", cancel=lambda order, symbol: None),
        )

    def submit(self, draft: Draft, on_durable: Callable[[Draft], None] | None = None) -> None:
        self.journal.append(parse_message(draft.kind, draft.body))

    def _say(self, sentence: Text, severity: Severity) -> None:
        self.said.append(sentence.render())

    def of(self, kind: type[Kind]) -> list[Kind]:
        """All journaled messages of a kind."""
        return [message for message in self.journal if isinstance(message, kind)]

    def quote(self, last: float, at: datetime | None = None, **fields: Any) -> TickData:
        """A tick onto the board of quotes."""
        values: dict[str, Any] = {
            "symbol": "600036",
            "exchange": Exchange.SSE,
            "datetime": at or self.clock.now(),
            "last_price": last,
            "pre_close": 20.0,
            "limit_up": 22.0,
            "limit_down": 18.0,
            "gateway_name": "T",
        }
        tick = TickData(**(values | fields))
        self.portfolio.quotes.update(tick)
        return tick

    def hold(self, volume: int = 1000, price: str = "20.00", day: date = FRIDAY) -> Fill:
        """A bought position."""
        fill = a_fill(volume, price, day)
        self.portfolio.apply(fill)
        return fill

    def pass_time(self, until: datetime, **handlers: Callable[[Any], object]) -> list[str]:
        """Fire the timers due up to a moment; names of those without a handler given come back."""
        others = []
        while (timer := self.house.timers.pop_due(until)) is not None:
            self.clock.set(max(timer.when, self.clock.now()))
            if timer.name in handlers:
                handlers[timer.name](timer.payload)
            else:
                others.append(timer.name)
            self.events.drain()
        self.clock.set(until)
        return others


def a_fill(volume: int, price: str, day: date = FRIDAY, side: Side = Side.BUY, **changes: Any) -> Fill:
    fields: dict[str, Any] = {
        "id": f"f{volume}{price}{day}{side}",
        "at": moment(10, day=day),
        "account": "judge",
        "trading_day": day,
        "exchange": "SSE",
        "symbol": SYMBOL,
        "side": side,
        "orderid": f"{day}{side}{price}",
        "tradeid": "1",
        "intent_id": None,
        "parent_id": None,
        "price": Decimal(price),
        "volume": volume,
        "commission": Decimal(0),
        "stamp_duty": Decimal(0),
        "transfer_fee": Decimal(0),
        "setup": "trend",
    }
    return Fill(**(fields | changes))


def last(offset: float = 0.0) -> PriceRef:
    """So many percent from the last price."""
    return PriceRef(basis=PriceBasis.LAST, offset=offset)


def above(offset: float, note: str = "gain") -> TriggerPlan:
    return TriggerPlan(trigger=TriggerKind.PRICE_AT_OR_ABOVE, price=last(offset), note=note)


def below(offset: float, note: str = "fall") -> TriggerPlan:
    return TriggerPlan(trigger=TriggerKind.PRICE_AT_OR_BELOW, price=last(offset), note=note)


def a_proposal(action: Action = Action.BUY, **changes: Any) -> Proposal:
    """A buy of 5 % at the last price, its stop 5 % below."""
    fields: dict[str, Any] = {
        "id": "p1",
        "at": moment(9, 35),
        "account": "judge",
        "request_id": "q1",
        "decision_id": "d1",
        "symbol": SYMBOL,
        "action": action,
        "target_weight": 0.05,
        "entry": last(),
        "stop": last(-5),
        "confidence": 0.8,
        "valid_until": moment(15),
    }
    return Proposal(**(fields | changes))
