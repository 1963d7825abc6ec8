"""Whatever people answer, and when: a signal leads to one order at most, and never after its time."""

from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from vnpy.trader.constant import Exchange
from vnpy.trader.object import TickData

from vnpy_aiagent.agents import AgentContext, Broker, Bus, ExecutionAgent, Universe
from vnpy_aiagent.agents.approval import APPROVAL_TIMER
from vnpy_aiagent.base import EVENT_AI_SIGNAL
from vnpy_aiagent.config import AccountSettings, load_settings
from vnpy_aiagent.control import TradingControl
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.domain import (
    MARKET_TZ,
    ApprovalAnswered,
    BarInterval,
    IdFactory,
    Message,
    Mode,
    ParentOrder,
    Severity,
    Side,
    Signal,
    Style,
    Text,
    TimerQueue,
    TradingState,
    VirtualClock,
    parse_message,
    say,
)
from vnpy_aiagent.market import TradingCalendar, instrument_rules
from vnpy_aiagent.memory import LessonBook
from vnpy_aiagent.portfolio import AccountBook, Portfolio
from vnpy_aiagent.portfolio.book import Lot, Origin, Position
from vnpy_aiagent.sim.event_engine import DeterministicEventEngine
from vnpy_aiagent.store.journal import Draft

SYMBOL = "600036.SSE"
START = datetime(2025, 3, 3, 10, tzinfo=MARKET_TZ)
LAPSE = 60
CALENDAR = TradingCalendar()
SETTINGS = load_settings(
    mode=Mode.PAPER,
    approvals="all",
    approval_lapse=LAPSE,
    accounts=(AccountSettings(name="judge", style=Style.JUDGE),),
)

Step = tuple[str, int]
"""What is done, and to which signal or after how many seconds."""


class Desk:
    """The execution agent with a journal in memory; orders go nowhere."""

    def __init__(self) -> None:
        self.clock, self.timers, self.events = VirtualClock(START), TimerQueue(), DeterministicEventEngine()
        self.journal: list[Message] = []
        self.control = TradingControl()
        portfolio = Portfolio(self.clock, CALENDAR, instrument_rules)
        book = AccountBook("judge", Style.JUDGE, Decimal(1_000_000))
        day = date(2025, 2, 28)
        book.positions[SYMBOL] = Position(SYMBOL, day, Origin(), [Lot(day, 100_000, Decimal(20))])
        portfolio.open(book)
        self.house = AgentContext(
            settings=SETTINGS,
            bus=Bus(self.events, self, IdFactory("r1"), self.clock, self._quiet),  # type: ignore[arg-type]
            clock=self.clock,
            timers=self.timers,
            calendar=portfolio.calendar,
            portfolio=portfolio,
            control=self.control,
            lessons=LessonBook(),
            bars=self,
            universe=Universe((SYMBOL,), {}, (BarInterval.DAILY,)),
            broker=Broker(send=lambda *_: "", cancel=lambda *_: None),
        )
        portfolio.quotes.update(
            TickData("SIM", "600036", Exchange.SSE, START, last_price=20.0, limit_up=22.0, limit_down=18.0)
        )
        self.execution = ExecutionAgent(self.house)

    def submit(self, draft: Draft, on_durable: object = None) -> None:
        """As a journal writer."""
        self.journal.append(parse_message(draft.kind, draft.body))

    def bars(self, vt_symbol: str, interval: BarInterval, count: int) -> BarSeries:
        """As a source of bars."""
        return BarSeries.from_rows(vt_symbol, interval, [])

    def _quiet(self, sentence: Text, severity: Severity) -> None: ...

    def signal(self, *, protective: bool) -> None:
        """A signal of the risk agent, or of a stop."""
        price = Decimal(20)
        self.house.bus.post(
            Signal,
            EVENT_AI_SIGNAL,
            cause=None,
            account="judge",
            symbol=SYMBOL,
            side=Side.SELL if protective else Side.BUY,
            volume=100,
            limit=price,
            low=price,
            high=price,
            stop=None if protective else Decimal(19),
            protective=protective,
            reason=say("x"),
            valid_until=START + timedelta(hours=1),
        )
        self.events.drain()

    def do(self, step: Step, asked: list[str]) -> None:
        """One step; the clock moves with its timers late or in time."""
        what, number = step
        approvals = self.execution.approvals
        target = asked[number % len(asked)] if asked else "r1-none"
        match what:
            case "signal":
                self.signal(protective=False)
            case "stop":
                self.signal(protective=True)
            case "approve":
                approvals.approve(target, "test")
            case "refuse":
                approvals.refuse(target, "test", "")
            case "wait":
                self.clock.set(self.clock.now() + timedelta(seconds=number))
            case "timers":
                while (timer := self.timers.pop_due(self.clock.now())) is not None:
                    if timer.name == APPROVAL_TIMER:
                        approvals.on_lapse(timer.payload)
            case "halt":
                self.control.set(TradingState.HALTED, paused=True)
                approvals.lapse("halt", say("x"))
            case "resume":
                self.control.set(TradingState.ACTIVE, paused=False)
        self.events.drain()


KINDS = st.sampled_from(
    ["signal", "stop", "approve", "approve", "refuse", "wait", "timers", "halt", "resume"]
)


@given(st.lists(st.tuples(KINDS, st.integers(0, 45)), max_size=40))
def test_an_approval_leads_to_one_order_at_most_and_never_after_its_time(steps: list[Step]) -> None:
    desk = Desk()
    asked_at: dict[str, datetime] = {}
    halted: set[str] = set()
    for step in steps:
        desk.do(step, list(asked_at))
        for asked in desk.execution.approvals.waiting():
            asked_at.setdefault(asked.id, asked.at)
        if step[0] == "halt":
            answered = [a for a in desk.journal if isinstance(a, ApprovalAnswered) and a.approved]
            halted |= set(asked_at) - {answer.approval_id for answer in answered}
            assert desk.execution.approvals.waiting() == []
    answers: list[ApprovalAnswered] = [a for a in desk.journal if isinstance(a, ApprovalAnswered)]
    assert max(Counter(answer.approval_id for answer in answers).values(), default=0) <= 1
    approved = {answer.signal_id: answer for answer in answers if answer.approved}
    orders: list[ParentOrder] = [o for o in desk.journal if isinstance(o, ParentOrder)]
    assert max(Counter(order.signal_id for order in orders).values(), default=0) <= 1
    asked_orders = [order for order in orders if not order.protective]
    assert {order.signal_id for order in asked_orders} == set(approved)
    for order in asked_orders:
        answer = approved[order.signal_id]
        assert order.cause == answer.id
        assert answer.at < asked_at[answer.approval_id] + timedelta(seconds=LAPSE)
        assert answer.approval_id not in halted
    protective = [s for s in desk.journal if isinstance(s, Signal) and s.protective]
    assert len(orders) - len(asked_orders) == len(protective)
    waiting = {asked.id for asked in desk.execution.approvals.waiting()}
    reserved = set(desk.house.portfolio.books["judge"].reservations)
    assert waiting <= reserved
    assert not reserved & {answer.approval_id for answer in answers}
