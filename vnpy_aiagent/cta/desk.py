"""One account and one symbol inside a backtester, day by day, with the engine's own brain and risk rules.

After a session's close the brain is asked, and what it wants is priced, checked by the risk rules and turned
into orders for the next session. As with a proposal that comes to the engine outside trading hours, the last
price and the previous close are then both the close, and the limit band is that of the next session. The
host's bars carry no reference price, so bars across an ex-right day should be adjusted.

Shares bought in a session are sold in a later one (T+1), whatever the backtester would allow.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from vnpy.trader.constant import Direction
from vnpy.trader.object import BarData, TradeData

from vnpy_aiagent.brain import Brain
from vnpy_aiagent.brain.scan import classify
from vnpy_aiagent.config import RiskLimits, Settings
from vnpy_aiagent.cta.daily_bars import DailyBars, market_time
from vnpy_aiagent.cta.session_plan import (
    Entry,
    SessionPlan,
    Ticket,
    closing_quote,
    next_session,
    priced,
    reached,
)
from vnpy_aiagent.data.atr import average_true_range
from vnpy_aiagent.data.bars import BarSeries
from vnpy_aiagent.data.volumes import average_volume
from vnpy_aiagent.domain import (
    MARKET_TZ,
    Action,
    AnalysisRequest,
    BarInterval,
    Fill,
    IdFactory,
    Mode,
    Proposal,
    RequestKind,
    ResolvedTrigger,
    Side,
    Text,
    TradingState,
    UnresolvedPrice,
    VirtualClock,
    say,
    to_decimal,
)
from vnpy_aiagent.market import InstrumentRules, TradingCalendar
from vnpy_aiagent.market.sessions import session_close
from vnpy_aiagent.portfolio import AccountBook, Portfolio
from vnpy_aiagent.portfolio.book import Origin
from vnpy_aiagent.portfolio.portfolio import FUND_BOARDS
from vnpy_aiagent.risk import RiskContext, RiskEngine
from vnpy_aiagent.tools.snapshot import DecisionSnapshot, MarketOverview, QuoteView
from vnpy_aiagent.triggers import fallback_stop

RulesFor = Callable[[str, date], InstrumentRules]
DEADLINE = timedelta(minutes=10)
ENTRIES = (Action.BUY, Action.ADD)
EXITS = (Action.REDUCE, Action.CLOSE)
LONG_AGO = datetime(1990, 1, 1, tzinfo=MARKET_TZ)
ONE_SYMBOL = MarketOverview(scanned=1, breadth=None, regime="UNKNOWN", median_return_5d=None)
NO_ENTRY = Entry(None, (), Origin())
NOTHING = say("")


class BacktestDesk:
    """Keeps the account, asks the brain at its cadence, and says what to send. It sends nothing itself."""

    def __init__(
        self,
        vt_symbol: str,
        book: AccountBook,
        limits: RiskLimits,
        brain: Brain,
        settings: Settings,
        calendar: TradingCalendar,
        rules_for: RulesFor,
        cadence: int,
    ) -> None:
        """`cadence` is how many trading days pass between two decisions, at least 1."""
        self.vt_symbol = vt_symbol
        self.book = book
        self.limits = limits
        self.brain = brain
        self.settings = settings
        self.cadence = cadence
        self.clock = VirtualClock(LONG_AGO)
        self.portfolio = Portfolio(self.clock, calendar, rules_for)
        self.portfolio.open(book)
        self.days = DailyBars(vt_symbol, settings.brain.history_bars)
        self.plans: list[SessionPlan] = []
        self.stop: Decimal | None = None
        self.locked = 0
        self._triggers: tuple[ResolvedTrigger, ...] = ()
        self._entry = NO_ENTRY
        self._since_decision = cadence
        self._ids = IdFactory("backtest")
        self._risk = RiskEngine()

    # what the backtester reports

    def add_bar(self, bar: BarData) -> bool:
        """Take in a bar; whether a day is complete and `plan` should be called."""
        complete = self.days.add(bar)
        if complete:
            self._to(session_close(self.days.last.day))
        self._to(market_time(bar.datetime))
        return complete

    def on_trade(self, trade: TradeData) -> int:
        """Book a fill; returns how many of its shares may be sold in the same session."""
        when = market_time(trade.datetime) if trade.datetime else self.clock.now()
        self._to(when)
        side = Side.BUY if trade.direction is Direction.LONG else Side.SELL
        price, volume = to_decimal(trade.price), int(trade.volume)
        fees = self.portfolio.fill_fees(self.book.name, trade.vt_orderid, side, self.vt_symbol, price, volume)
        fill = Fill(
            id=self._ids.next(),
            at=self.clock.now(),
            account=self.book.name,
            trading_day=when.date(),
            exchange=trade.exchange.name,
            symbol=self.vt_symbol,
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
        self.portfolio.apply(fill, self._entry.origin)
        if side is Side.BUY:
            rules = self.portfolio.rules(self.vt_symbol)
            self._arm(self._entry.stop or fallback_stop(price, rules.tick_size))
            self._triggers = self._entry.triggers or self._triggers
            return 0 if rules.t_plus else volume
        if not self.held:
            self.stop, self._triggers = None, ()
        return 0

    @property
    def held(self) -> int:
        """Shares held."""
        return self.book.volume(self.vt_symbol)

    @property
    def equity(self) -> Decimal:
        """Cash and holding at the last close, CNY, fees paid by the exchange's own rules."""
        return self.portfolio.equity(self.book.name)

    def unlocked(self) -> Ticket | None:
        """At a day's first bar: the stop for shares that T+1 locked when the last plan was made."""
        volume = min(self.locked, self._sellable())
        self.locked = 0
        return Ticket(self.stop, volume) if self.stop is not None and volume > 0 else None

    # after the close

    def plan(self) -> SessionPlan:
        """Decide if it is time, and say what is to work in the next session."""
        series = self.days.series()
        rules = self.portfolio.rules_for(self.vt_symbol, self.days.last.day)
        quote = closing_quote(series, rules)
        self.portfolio.quotes.last_prices[self.vt_symbol] = quote.last
        self.portfolio.mark(self.book.name)
        self._entry = NO_ENTRY
        self._since_decision += 1
        proposal = self._ask(series, quote)
        plan = SessionPlan(self.days.last.day)
        if proposal is not None:
            plan = self._judge(proposal, series, next_session(quote, rules))
        plan = replace(plan, stop=self._stop_ticket(plan.sell))
        self.portfolio.start_session(self.days.last.day)
        self.plans.append(plan)
        return plan

    def _ask(self, series: BarSeries, quote: QuoteView) -> Proposal | None:
        kind, setup, reason = self._occasion(series, fired=self._fired())
        if kind is None:
            return None
        self._since_decision = 0
        now = self.clock.now()
        request = AnalysisRequest(
            id=self._ids.next(),
            at=now,
            account=self.book.name,
            request=kind,
            symbol=self.vt_symbol,
            accounts=(self.book.name,),
            reason=reason,
            setup=setup,
            deadline=now + DEADLINE,
        )
        answer = self.brain.decide(request, self._snapshot(series, quote))
        return answer.proposals[0]

    def _occasion(self, series: BarSeries, *, fired: bool) -> tuple[RequestKind | None, str, Text]:
        """Which question is due now, the setup (that of the position, or what a scan finds), and why."""
        due = self._since_decision >= self.cadence
        if self.held:
            kind = RequestKind.REPLAN if fired else RequestKind.MANAGE if due else None
            return kind, self.book.positions[self.vt_symbol].origin.setup, say("定时检查持仓")
        if not due or len(series) < self.settings.scan.min_history:
            return None, "", NOTHING
        setup, score = classify(series)
        reason = say("扫描入选，形态 {setup}，得分 {score}", setup=setup, score=score)
        return (RequestKind.OPEN if setup else None), setup, reason

    def _fired(self) -> bool:
        """Take the triggers that the latest day reached out of the plan; whether there were any."""
        if not self.held:
            return False
        day = self.days.last
        sessions = self.portfolio.sessions_since(self.book.positions[self.vt_symbol].opened)
        left = tuple(t for t in self._triggers if not reached(t, day.low, day.high, sessions))
        fired = len(left) < len(self._triggers)
        self._triggers = left
        return fired

    def _snapshot(self, series: BarSeries, quote: QuoteView) -> DecisionSnapshot:
        key = self.book.name, self.vt_symbol
        self.portfolio.triggers[key] = len(self._triggers)
        if self.stop is not None:
            self.portfolio.stops[key] = self.stop
        else:
            self.portfolio.stops.pop(key, None)
        instrument = self.portfolio.instrument_view(self.vt_symbol, "", hypothetical=False)
        cap = self.limits.max_weight_fund if instrument.fund else self.limits.max_weight_share
        view = self.portfolio.account_view(self.book.name, self.vt_symbol, cap)
        return DecisionSnapshot(
            at=self.clock.now(),
            instrument=instrument,
            bars={BarInterval.DAILY: series},
            quote=quote,
            accounts=(replace(view, low_confidence_scale=self.limits.low_confidence_scale),),
            market=ONE_SYMBOL,
            language=self.settings.brain.language,
            session=self.days.last.day,
        )

    # from proposal to orders

    def _judge(self, proposal: Proposal, series: BarSeries, view: QuoteView) -> SessionPlan:
        """The proposal's orders, checked by the risk rules. `view` is the next session's beginning."""
        day = self.days.last.day
        rules = self.portfolio.rules_for(self.vt_symbol, day)
        plan = SessionPlan(day, proposal.action, _why(proposal))
        atr = average_true_range(series)
        try:
            prices = priced(proposal, view, rules.tick_size, atr, self.settings.execution)
        except UnresolvedPrice as error:
            return replace(plan, refused=say("价格无法落实：{why}", why=error))
        if proposal.action in ENTRIES:
            target = int(self.equity * to_decimal(proposal.target_weight) / prices.buy_limit)
            buy = self._context(proposal, Side.BUY, target - self.held, prices.buy_limit, view, series)
            ticket, refused = self._assess(replace(buy, stop=prices.stop, reference=prices.entry))
            if ticket is not None:
                origin = Origin(proposal.setup, ONE_SYMBOL.regime, proposal.confidence)
                self._entry = Entry(prices.stop, prices.triggers, origin)
            return replace(plan, buy=ticket, refused=refused)
        if proposal.action in EXITS:
            wanted = self._to_sell(proposal, view.last, rules.lot_size)
            sale = self._context(proposal, Side.SELL, wanted, prices.sell_limit, view, series)
            ticket, refused = self._assess(sale)
            return replace(plan, sell=ticket, refused=refused)
        if self.held:
            self._arm(prices.stop)
            self._triggers = prices.triggers or self._triggers
        return plan

    def _to_sell(self, proposal: Proposal, last: Decimal, lot: int) -> int:
        """All shares on CLOSE; on REDUCE the whole lots above the target."""
        if proposal.action is Action.CLOSE:
            return self.held
        target = int(self.equity * to_decimal(proposal.target_weight) / last)
        return (self.held - target) // lot * lot

    def _assess(self, context: RiskContext) -> tuple[Ticket | None, Text | None]:
        """The allowed order, or the sentence of the first rule that refuses it."""
        if context.wanted <= 0:
            return None, say("目标仓位与持仓相同，无需交易")
        assessment = self._risk.assess(context)
        if assessment.volume:
            return Ticket(context.price, assessment.volume), None
        return None, next((line.text for line in assessment.lines if not line.passed), None)

    def _context(
        self, proposal: Proposal, side: Side, wanted: int, price: Decimal, view: QuoteView, series: BarSeries
    ) -> RiskContext:
        rules = self.portfolio.rules_for(self.vt_symbol, self.days.last.day)
        return RiskContext(
            account=self.book.name,
            symbol=self.vt_symbol,
            action=proposal.action,
            side=side,
            wanted=wanted,
            price=price,
            stop=None,
            confidence=proposal.confidence,
            mode=Mode.SIMULATION,
            state=TradingState.ACTIVE,
            limits=self.limits,
            rules=rules,
            fund=rules.board in FUND_BOARDS,
            quote=view,
            equity=self.equity,
            available=self.book.available,
            held=self.held,
            sellable=self._sellable(),
            working=0,
            exposure=self.book.market_value(self.portfolio.quotes.last_prices),
            positions=len(self.book.positions),
            entries_today=0,
            day_start_equity=self.book.day_start_equity,
            peak_equity=self.book.peak_equity,
            average_volume=average_volume(series),
            sized_down=proposal.planned_weight is not None,
        )

    # the stop, and T+1

    def _sellable(self) -> int:
        """Shares that an order sent now may sell. With daily bars it works in the next session: all of them.

        Finer bars may go on today, so what was bought today stays out of it until `unlocked`.
        """
        if not self.days.intraday:
            return self.held
        return self.portfolio.sellable(self.book.name, self.vt_symbol)

    def _stop_ticket(self, sell: Ticket | None) -> Ticket | None:
        """The stop for what no other sale covers; what T+1 locks now waits for the next day."""
        sellable = self._sellable()
        self.locked = self.held - sellable
        volume = sellable - (sell.volume if sell else 0)
        return Ticket(self.stop, volume) if self.stop is not None and volume > 0 else None

    def _arm(self, price: Decimal | None) -> None:
        """Set the stop, or tighten it; it is never loosened."""
        if price is not None and (self.stop is None or price > self.stop):
            self.stop = price

    def _to(self, when: datetime) -> None:
        if when > self.clock.now():
            self.clock.set(when)


def _why(proposal: Proposal) -> Text | None:
    return proposal.main_reason
