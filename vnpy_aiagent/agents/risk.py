"""The risk agent: resolves a proposal's prices, asks the rules, and posts the verdict and the signal.

A proposal that comes outside continuous trading is held and taken up at the next session's first moment, with
that moment's prices and limits.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.day_counts import DayCounts, count_on
from vnpy_aiagent.base import EVENT_AI_PROPOSAL, EVENT_AI_SIGNAL, EVENT_AI_VERDICT
from vnpy_aiagent.data.atr import average_true_range
from vnpy_aiagent.data.volumes import VOLUME_DAYS, average_volume
from vnpy_aiagent.domain import (
    Action,
    Activity,
    AgentName,
    BarInterval,
    Mode,
    Outcome,
    Proposal,
    ProposalHeld,
    ResolvedTrigger,
    RuleLine,
    Severity,
    Side,
    Signal,
    Text,
    TriggerKind,
    UnresolvedPrice,
    Verdict,
    ceil_to_tick,
    floor_to_tick,
    say,
    to_decimal,
)
from vnpy_aiagent.portfolio.portfolio import FUND_BOARDS
from vnpy_aiagent.risk import Assessment, RiskContext, RiskEngine
from vnpy_aiagent.risk.plan_prices import plan_prices

ENTRIES = (Action.BUY, Action.ADD)
EXITS = (Action.REDUCE, Action.CLOSE)
HELD_TIMER = "held_proposal"
QUOTE_WAIT, QUOTE_PATIENCE = timedelta(seconds=3), timedelta(minutes=5)
SETTLED = ("confidence", "entries_per_day", "liquidity")
"""Rules that an approval does not ask again: a verdict sized by confidence, counted itself among the day's
entries, and took its volume against an average that does not change within a day."""
WaitingSales = Callable[[str, str], int]


def _no_ex_day(vt_symbol: str, when: datetime) -> bool:
    return False


def _no_sales(account: str, vt_symbol: str) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Prices:
    """A proposal's prices in CNY, resolved at one moment.

    `triggers` are those that will be watched, `reach` the one at the target; `too_near` lie so close to the
    last price that the next ticks would fire them, or beyond it, and are left out.
    """

    last: Decimal
    entry: Decimal
    stop: Decimal | None
    target: Decimal | None
    limit_buy: Decimal
    limit_sell: Decimal
    triggers: tuple[ResolvedTrigger, ...]
    reach: ResolvedTrigger | None
    too_near: tuple[ResolvedTrigger, ...]


class RiskAgent:
    """Turns proposals into verdicts and signals. The regime of the last scan is set by the engine."""

    def __init__(self, house: AgentContext, rules: RiskEngine) -> None:
        """`rules` decides; this agent only gathers the figures.

        `waiting_sales(account, symbol)`, the execution agent's, are shares in sales that wait for a human;
        `ex_day_since(symbol, when)` says whether a share went ex after a proposal was made.
        """
        self.house = house
        self.rules = rules
        self.regime = "UNKNOWN"
        self.entries: DayCounts = DayCounts()
        self.waiting_sales: WaitingSales = _no_sales
        self.ex_day_since: Callable[[str, datetime], bool] = _no_ex_day
        house.bus.subscribe(EVENT_AI_PROPOSAL, self.on_proposal)

    def on_proposal(self, proposal: Proposal) -> None:
        """Judge now, or hold until the market trades."""
        house = self.house
        held = house.portfolio.books[proposal.account].managed(proposal.symbol)
        if proposal.action is Action.HOLD and not (proposal.triggers and held):
            return
        if not house.in_session(proposal.symbol):
            until = house.next_session_moment(proposal.symbol)
            if proposal.valid_until < until:
                sentence = say("提案在下一交易时段 {until} 之前失效", until=f"{until:%Y-%m-%d %H:%M}")
                self._reject(proposal, None, 0, (_line("validity", sentence),))
                return
            house.bus.post(
                ProposalHeld,
                cause=proposal.id,
                account=proposal.account,
                proposal_id=proposal.id,
                symbol=proposal.symbol,
                until=until,
            )
            house.timers.set(until, HELD_TIMER, (proposal, until))
            return
        house.bus.status(AgentName.RISK, Activity.DECIDING, proposal.symbol)
        self.judge(proposal)
        house.bus.status(AgentName.RISK, Activity.COMPLETED, proposal.symbol)

    def on_held(self, payload: tuple[Proposal, datetime]) -> None:
        """The session is on: judge with its prices, waiting a little for the first quote."""
        proposal, until = payload
        house = self.house
        now, seen = house.clock.now(), house.portfolio.quotes.at(proposal.symbol)
        fresh = seen is not None and seen >= until
        live = house.settings.mode is not Mode.SIMULATION
        if live and not fresh and now < until + QUOTE_PATIENCE:
            house.timers.set(now + QUOTE_WAIT, HELD_TIMER, payload)
            return
        if self.ex_day_since(proposal.symbol, proposal.at):
            line = _line("ex_day", say("提案之后除权除息，其价格依据已变，提案作废"))
            self._reject(proposal, None, 0, (line,))
            return
        self.judge(proposal)

    def judge(self, proposal: Proposal) -> None:
        """Post the verdict, and the signal where something may be traded."""
        if self.house.control.paused:
            self._reject(proposal, None, 0, (_line("paused", say("AI 已暂停，提案作废")),))
            return
        if proposal.valid_until < self.house.clock.now():
            self._reject(proposal, None, 0, (_line("validity", say("提案已过期")),))
            return
        try:
            prices = self._prices(proposal)
        except UnresolvedPrice as error:
            self._reject(proposal, None, 0, (_line("grounding", say("价格无法落实：{why}", why=error)),))
            return
        if proposal.action in ENTRIES:
            self._entry(proposal, prices)
        elif proposal.action in EXITS:
            self._exit(proposal, prices)
        else:
            self._adjust(proposal, prices)

    def preview(self, proposal: Proposal, volume: int) -> tuple[Prices, Assessment]:
        """What a buy of a volume would meet now; nothing is posted. Raises UnresolvedPrice."""
        prices = self._prices(proposal)
        context = self._context(proposal, proposal.action, Side.BUY, volume, prices.limit_buy, prices)
        return prices, self.rules.assess(context)

    def recheck(self, signal: Signal) -> Text | None:
        """Why the rules do not allow a signal any more that has waited, None where they do.

        What its verdict `SETTLED` stays so. What it held back must have been released.
        """
        action = Action.BUY if signal.side is Side.BUY else Action.REDUCE
        context = self._context(signal, action, signal.side, signal.volume, signal.limit, None)
        slippage = to_decimal(self.house.settings.execution.slippage)
        context = replace(
            context,
            stop=signal.stop,
            reference=signal.limit / (1 + slippage),
        )
        assessment = RiskEngine([rule for rule in self.rules.rules if rule.name not in SETTLED]).assess(
            context
        )
        if assessment.volume >= signal.volume:
            return None
        for line in assessment.lines:
            if not line.passed or (line.max_volume is not None and line.max_volume < signal.volume):
                return line.text
        return say("风控只允许 {most} 股，不足 {volume} 股", most=assessment.volume, volume=signal.volume)

    def _entry(self, proposal: Proposal, prices: Prices) -> None:
        house, account = self.house, proposal.account
        book = house.portfolio.books[account]
        price = prices.limit_buy
        held = book.volume(proposal.symbol)
        working = book.working(proposal.symbol, Side.BUY)
        equity = house.portfolio.equity(account)
        target = int(equity * to_decimal(proposal.target_weight) / self._bound(proposal.symbol, price))
        wanted = target - held - working
        if wanted <= 0:
            figures = {"target": target, "held": held + working}
            sentence = say("目标仓位 {target} 股不高于已有 {held} 股", **figures)
            if house.portfolio.rules(proposal.symbol).futures is not None:
                sentence = say("目标仓位 {target} 手不高于已有 {held} 手", **figures)
            self._reject(proposal, Side.BUY, 0, (_line("target_weight", sentence),))
            return
        context = self._context(proposal, proposal.action, Side.BUY, wanted, price, prices)
        assessment = self.rules.assess(context)
        verdict = self._verdict(
            proposal, Side.BUY, assessment.outcome, wanted, assessment.volume, assessment.lines, prices
        )
        if not assessment.volume:
            return
        count_on(self.entries, account, house.today())
        self._signal(proposal, verdict, Side.BUY, assessment.volume, price, prices)

    def _exit(self, proposal: Proposal, prices: Prices) -> None:
        house, account = self.house, proposal.account
        held = house.portfolio.books[account].managed(proposal.symbol)
        if not held:
            self._reject(proposal, Side.SELL, 0, (self._not_held(proposal, say("没有持仓可卖")),))
            return
        price = prices.limit_sell
        selling = house.portfolio.books[account].working(proposal.symbol, Side.SELL)
        wanted = held - selling - self.waiting_sales(account, proposal.symbol)
        if wanted <= 0:
            self._reject(proposal, Side.SELL, 0, (_line("holding", say("全部持仓已在卖出")),))
            return
        if proposal.action is Action.REDUCE:
            equity = house.portfolio.equity(account)
            target = int(
                equity * to_decimal(proposal.target_weight) / self._bound(proposal.symbol, prices.last)
            )
            lot = house.portfolio.rules(proposal.symbol).lot_size
            wanted = (wanted - target) // lot * lot
        if wanted <= 0:
            self._reject(proposal, Side.SELL, 0, (_line("target_weight", say("减仓数量不足一手")),))
            return
        context = self._context(proposal, proposal.action, Side.SELL, wanted, price, None)
        assessment = self.rules.assess(context)
        verdict = self._verdict(
            proposal, Side.SELL, assessment.outcome, wanted, assessment.volume, assessment.lines, prices
        )
        if assessment.volume:
            self._signal(proposal, verdict, Side.SELL, assessment.volume, price, prices)

    def _adjust(self, proposal: Proposal, prices: Prices) -> None:
        """New stop or triggers for a position; a stop may be tightened, never loosened."""
        held = self.house.portfolio.books[proposal.account].managed(proposal.symbol)
        if not held:
            self._reject(proposal, None, 0, (self._not_held(proposal, say("没有持仓，无需调整")),))
            return
        present = self.house.portfolio.stops.get((proposal.account, proposal.symbol))
        sentence = say(
            "持仓计划更新：止损 {stop}，触发条件 {count} 个",
            stop=prices.stop or "不变",
            count=len(prices.triggers),
        )
        outcome = Outcome.APPROVED
        if prices.stop is not None and present is not None and prices.stop < present:
            prices = replace(prices, stop=None)
            outcome = Outcome.REDUCED
            sentence = say(
                "止损只能上移：{present} 不变，触发条件 {count} 个",
                present=present,
                count=len(prices.triggers),
            )
        line = RuleLine(rule="plan", passed=True, text=sentence)
        self._verdict(proposal, None, outcome, 0, 0, (line,), prices)

    def _bound(self, symbol: str, price: Decimal) -> Decimal:
        """What one share costs or one contract binds as margin (CNY)."""
        rules = self.house.portfolio.rules(symbol)
        return rules.value(price, 1) * rules.margin_ratio

    def _not_held(self, proposal: Proposal, sentence: Text) -> RuleLine:
        """There is nothing that the app manages; a human may hold the symbol all the same."""
        if proposal.symbol in self.house.portfolio.books[proposal.account].external:
            sentence = say("持仓已由人工接管，系统不再管理")
        return _line("holding", sentence)

    def _context(
        self,
        wish: Proposal | Signal,
        action: Action,
        side: Side,
        wanted: int,
        price: Decimal,
        plan: Prices | None,
    ) -> RiskContext:
        """The figures of a trade at `price`; `plan` holds the entry and stop of a buy."""
        house, account, symbol = self.house, wish.account, wish.symbol
        book, settings = house.portfolio.books[account], house.settings
        rules = house.portfolio.rules(symbol)
        pending = sum(
            (r.value * r.part for r in book.reservations.values() if r.side is Side.BUY), Decimal(0)
        )
        buying = {r.symbol for r in book.reservations.values() if r.side is Side.BUY}
        live = settings.live
        return RiskContext(
            account=account,
            symbol=symbol,
            action=action,
            side=side,
            wanted=wanted,
            price=price,
            stop=None if plan is None else plan.stop,
            confidence=wish.confidence,
            mode=settings.mode,
            state=house.control.state,
            limits=house.account(account).risk,
            rules=rules,
            fund=rules.board in FUND_BOARDS,
            quote=house.portfolio.quotes.get(symbol),
            equity=house.portfolio.equity(account),
            available=book.available - house.portfolio.floating_loss(account),
            held=book.volume(symbol),
            sellable=house.portfolio.sellable(account, symbol),
            working=book.working(symbol, Side.BUY),
            exposure=book.bound(house.portfolio.quotes.last_prices) + pending,
            positions=len(set(book.positions) | buying),
            entries_today=self.entries[account, house.today()],
            day_start_equity=book.day_start_equity,
            peak_equity=book.peak_equity,
            average_volume=average_volume(house.bars.bars(symbol, BarInterval.DAILY, VOLUME_DAYS)),
            allowlist=live.allowlist if live else None,
            capital_limit=live.capital_limit if live else None,
            quote_age=house.portfolio.quote_age(symbol, house.clock.now()) or 0.0,
            reference=None if plan is None else plan.entry,
            external=book.external.get(symbol, 0),
            beside_external=settings.execution.beside_external,
            margin=book.margin,
            sized_down=isinstance(wish, Proposal) and wish.planned_weight is not None,
        )

    def _prices(self, proposal: Proposal) -> Prices:
        """Every reference of the proposal at this moment's prices, on the tick grid and inside the band."""
        house, symbol = self.house, proposal.symbol
        quote = house.portfolio.quotes.get(symbol)
        if quote is None or quote.at.date() != house.today():
            raise UnresolvedPrice("there is no quote today")
        rules = house.portfolio.rules(symbol)
        tick = rules.tick_size
        plan = plan_prices(proposal, quote, tick, self._atr(symbol))
        entry = plan.entry
        if _inside(entry, quote.limit_down, quote.limit_up) != entry:
            raise UnresolvedPrice(f"the entry {entry} lies outside today's limits")
        if proposal.action in ENTRIES and plan.stop is not None and plan.stop >= quote.last:
            raise UnresolvedPrice(f"the stop is not below the last price {quote.last}")
        execution = house.settings.execution
        buy = floor_to_tick(entry * (1 + to_decimal(execution.slippage)), tick)
        sell = ceil_to_tick(quote.last * (1 - to_decimal(execution.slippage)), tick)
        all_triggers = plan.triggers if plan.reach is None else (*plan.triggers, plan.reach)
        too_near = tuple(trigger for trigger in all_triggers if self._too_near(trigger, quote.last, tick))
        return Prices(
            last=quote.last,
            entry=entry,
            stop=plan.stop,
            target=plan.target,
            limit_buy=_inside(max(buy, tick), quote.limit_down, quote.limit_up),
            limit_sell=_inside(max(sell, tick), quote.limit_down, quote.limit_up),
            triggers=tuple(trigger for trigger in plan.triggers if trigger not in too_near),
            reach=None if plan.reach in too_near else plan.reach,
            too_near=too_near,
        )

    def _too_near(self, trigger: ResolvedTrigger, last: Decimal, tick: Decimal) -> bool:
        """Whether a price trigger lies nearer to the last price than it may, or holds already."""
        if trigger.price is None:
            return False
        away = (
            trigger.price - last if trigger.trigger is TriggerKind.PRICE_AT_OR_ABOVE else last - trigger.price
        )
        return away < self._least_distance(last, tick)

    def _least_distance(self, last: Decimal, tick: Decimal) -> Decimal:
        limits = self.house.settings.reanalysis
        return ceil_to_tick(max(last * to_decimal(limits.min_distance), tick * limits.min_ticks), tick)

    def _atr(self, symbol: str) -> Decimal | None:
        series = self.house.bars.bars(symbol, BarInterval.DAILY, self.house.settings.brain.history_bars)
        return average_true_range(series)

    def _reject(
        self, proposal: Proposal, side: Side | None, wanted: int, lines: tuple[RuleLine, ...]
    ) -> None:
        self._verdict(proposal, side, Outcome.REJECTED, wanted, 0, lines, None)

    def _verdict(
        self,
        proposal: Proposal,
        side: Side | None,
        outcome: Outcome,
        wanted: int,
        volume: int,
        lines: tuple[RuleLine, ...],
        prices: Prices | None,
    ) -> Verdict:
        if prices is not None and prices.too_near:
            lines = (*lines, self._left_out(proposal.symbol, prices))
        verdict = self.house.bus.post(
            Verdict,
            EVENT_AI_VERDICT,
            cause=proposal.id,
            account=proposal.account,
            proposal_id=proposal.id,
            symbol=proposal.symbol,
            action=proposal.action,
            side=side,
            outcome=outcome,
            requested=wanted,
            volume=volume,
            price=None if prices is None else prices.entry,
            stop=None if prices is None else prices.stop,
            target=None if prices is None else prices.target,
            triggers=() if prices is None else prices.triggers,
            lines=lines,
        )
        if outcome is Outcome.REJECTED:
            why = next((line.text for line in lines if not line.passed), say("未通过"))
            self.house.bus.say_log(
                say(
                    "未下单 {account} {symbol}：{why}",
                    account=proposal.account,
                    symbol=proposal.symbol,
                    why=why,
                ),
                Severity.INFO,
            )
        return verdict

    def _signal(
        self, proposal: Proposal, verdict: Verdict, side: Side, volume: int, limit: Decimal, prices: Prices
    ) -> None:
        house = self.house
        quote = house.portfolio.quotes.get(proposal.symbol)
        bound = to_decimal(house.settings.execution.bounds)
        tick = house.portfolio.rules(proposal.symbol).tick_size
        down, up = (quote.limit_down, quote.limit_up) if quote else (None, None)
        low = _inside(ceil_to_tick(limit * (1 - bound), tick), down, up)
        high = _inside(floor_to_tick(limit * (1 + bound), tick), down, up)
        reason = proposal.main_reason or say("无说明")
        house.bus.post(
            Signal,
            EVENT_AI_SIGNAL,
            cause=verdict.id,
            account=proposal.account,
            symbol=proposal.symbol,
            side=side,
            volume=volume,
            limit=limit,
            low=low,
            high=high,
            stop=prices.stop,
            target=prices.target,
            setup=proposal.setup,
            regime=self.regime,
            confidence=proposal.confidence,
            proposal_id=proposal.id,
            reason=reason,
            triggers=prices.triggers if prices.reach is None else (*prices.triggers, prices.reach),
            valid_until=min(proposal.valid_until, house.orders_end(proposal.symbol)),
        )

    def _left_out(self, symbol: str, prices: Prices) -> RuleLine:
        """The line that says which triggers are not watched, and why."""
        least = self._least_distance(prices.last, self.house.portfolio.rules(symbol).tick_size)
        sentence = say(
            "触发价 {prices} 离现价 {last} 不足 {least} 元或已越过，不予登记",
            prices="、".join(str(trigger.price) for trigger in prices.too_near),
            last=prices.last,
            least=least,
        )
        return RuleLine(rule="trigger_distance", passed=True, text=sentence)


def _line(rule: str, sentence: Text) -> RuleLine:
    return RuleLine(rule=rule, passed=False, max_volume=0, text=sentence)


def _inside(price: Decimal, down: Decimal | None, up: Decimal | None) -> Decimal:
    if up is not None and price > up:
        return up
    if down is not None and price < down:
        return down
    return price
