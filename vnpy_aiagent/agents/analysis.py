"""The analysis agent: scans, asks the brain, and posts its decisions and proposals. It cannot trade."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Protocol

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.agents.reanalysis import ReanalysisLimit
from vnpy_aiagent.agents.snapshot_keeper import SnapshotKeeper
from vnpy_aiagent.agents.snapshots import build_snapshot
from vnpy_aiagent.base import (
    EVENT_AI_DECISION,
    EVENT_AI_PROPOSAL,
    EVENT_AI_REQUEST,
    EVENT_AI_SCHEDULE,
)
from vnpy_aiagent.brain import BrainAnswer, scan
from vnpy_aiagent.domain import (
    Activity,
    AgentName,
    AnalysisRequest,
    AnalysisSkipped,
    BarInterval,
    Candidate,
    Decision,
    JobSkipped,
    Note,
    RequestKind,
    ScanResult,
    ScheduleFired,
    Severity,
    Text,
    TradingState,
    TriggerFired,
    say,
)
from vnpy_aiagent.tools.snapshot import DecisionSnapshot, MarketOverview

DEADLINE = timedelta(hours=1)
"""Longest wait for an answer to a scheduled or human request: by then the next update asks anew."""

ASK_AGAIN_TIMER = "ask_again"
ASK_AGAIN_AFTER = timedelta(seconds=30)
NO_MARKET = MarketOverview(scanned=0, breadth=None, regime="UNKNOWN", median_return_5d=None)
Deliver = Callable[[BrainAnswer], None]
RefreshPool = Callable[[ScheduleFired, Callable[[ScheduleFired], None]], None]


class BrainRunner(Protocol):
    """Where the brain runs: inline in simulation, in a process of its own otherwise."""

    def submit(self, request: AnalysisRequest, snapshot: DecisionSnapshot, deliver: Deliver) -> None:
        """Decide, now or later, and deliver the answer once; a failure is an answer that holds."""
        ...

    def cancel(self, reason: str) -> None:
        """End the decisions under way: they are answered at once, and hold."""
        ...


class AnalysisAgent:
    """Handles schedules and requests."""

    def __init__(self, house: AgentContext, runner: BrainRunner, deliver: Deliver) -> None:
        """`deliver` brings an answer back to the event thread, where `on_answer` takes it."""
        self.house = house
        self.runner = runner
        self.deliver = deliver
        self.market = NO_MARKET
        self.limit = ReanalysisLimit(house.settings.reanalysis)
        self._keeper = SnapshotKeeper(house.bus)
        self._asked: dict[str, AnalysisRequest] = {}
        self._picked: tuple[Candidate, ...] = ()
        self._scan_id: str | None = None
        self.asked_on_day: Counter[date] = Counter()
        self._capped_on: date | None = None
        self.refresh_pool: RefreshPool | None = None
        """Chooses the automatic pool off the event thread, then plans with it; None without such a pool."""
        house.bus.subscribe(EVENT_AI_SCHEDULE, self.on_schedule)
        house.bus.subscribe(EVENT_AI_REQUEST, self.on_request)

    def on_schedule(self, fired: ScheduleFired) -> None:
        """Run the job's part that is analysis."""
        job = next((job for job in self.house.settings.schedule if job.name == fired.job), None)
        if job is None:
            return
        if job.task == "plan" and self.refresh_pool is not None:
            self.refresh_pool(fired, self._plan)
        elif job.task == "plan":
            self._plan(fired)
        elif job.task in ("decide", "update"):
            self._decide(fired, full=job.task == "decide")
        elif job.task == "note":
            self._note(fired)

    def on_request(self, request: AnalysisRequest) -> None:
        """Hand a request with its snapshot to the brain, unless the AI is paused or was asked just now."""
        if self.house.control.paused:
            self._skip(request, say("AI 已暂停，不作新决策"))
            return
        if self._too_often(request):
            return
        self.house.bus.status(AgentName.ANALYSIS, Activity.ANALYZING, request.symbol)
        snapshot = build_snapshot(self.house, request, self.market)
        self._keeper.keep(request, snapshot)
        self._asked[request.id] = request
        try:
            self.runner.submit(request, snapshot, self.deliver)
        except Exception:
            del self._asked[request.id]
            raise

    def on_answer(self, answer: BrainAnswer) -> None:
        """Post the decision and its proposals, in the order of accounts.

        A decision that comes after its request's deadline is kept for the record; its proposals are not.
        """
        request = self._asked.pop(answer.request_id, None)
        if request is None:
            return
        bus = self.house.bus
        decision: Decision = bus.adopt(answer.decision, EVENT_AI_DECISION, cause=request.id)
        for severity, sentence in answer.alerts:
            bus.alert(severity, sentence, cause=decision.id)
        if self.house.clock.now() > request.deadline:
            late = say(
                "{symbol} 的答复晚于 {deadline}，不采用",
                symbol=request.symbol,
                deadline=_minute(request.deadline),
            )
            self._skip(request, late)
        else:
            for proposal in answer.proposals:
                bus.adopt(proposal, EVENT_AI_PROPOSAL, cause=decision.id, decision_id=decision.id)
        if not self._asked:
            bus.status(AgentName.ANALYSIS, Activity.COMPLETED, request.symbol)

    def request(
        self,
        symbol: str,
        kind: RequestKind,
        accounts: tuple[str, ...],
        reason: Text,
        cause: str | None,
        setup: str = "",
    ) -> AnalysisRequest:
        """Post a request for one symbol."""
        self.asked_on_day[self.house.today()] += 1
        return self.house.bus.post(
            AnalysisRequest,
            EVENT_AI_REQUEST,
            cause=cause,
            account=accounts[0] if len(accounts) == 1 else "",
            request=kind,
            symbol=symbol,
            accounts=accounts,
            reason=reason,
            setup=setup,
            deadline=self.house.clock.now() + DEADLINE,
        )

    def ask_again_later(self, fired: TriggerFired) -> None:
        """A trigger fired, and the process ended before the model answered: ask with the session's prices."""
        when = self.house.next_session_moment(fired.symbol) + ASK_AGAIN_AFTER
        self.house.timers.set(when, ASK_AGAIN_TIMER, fired)

    def ask_again(self, fired: TriggerFired) -> None:
        """Ask what was not answered before the process ended, if the position is still held."""
        book = self.house.portfolio.books[fired.account]
        if not book.managed(fired.symbol):
            return
        position = book.positions[fired.symbol]
        self.house.bus.post(
            AnalysisRequest,
            EVENT_AI_REQUEST,
            cause=fired.id,
            account=fired.account,
            request=RequestKind.REPLAN,
            symbol=fired.symbol,
            accounts=(fired.account,),
            reason=say(
                "触发 {note} 于 {at}，重启前没有得到答复，再次请求分析",
                note=fired.note or "—",
                at=_minute(fired.at),
            ),
            setup=position.origin.setup,
            trigger_id=fired.trigger_id,
            deadline=self.house.session_end(fired.symbol),
        )

    def run_scan(self, cause: str) -> ScanResult:
        """Scan the universe on closed daily bars."""
        house = self.house
        books = house.portfolio.books.values()
        held = {symbol for book in books for symbol in book.positions if book.managed(symbol)}
        history = house.settings.brain.history_bars
        found = scan(
            house.universe.symbols,
            lambda symbol: house.bars.bars(symbol, BarInterval.DAILY, history),
            held,
            max_symbols=house.settings.scan.max_symbols,
            min_history=house.settings.scan.min_history,
        )
        self.market, self._picked = found.market, found.picked
        result = house.bus.post(
            ScanResult,
            cause=cause,
            scanned=found.market.scanned,
            picked=found.picked,
            left_out=found.left_out,
            left_out_symbols=found.left_out_symbols,
            breadth=found.market.breadth,
            regime=found.market.regime,
        )
        self._scan_id = result.id
        return result

    def _too_often(self, request: AnalysisRequest) -> bool:
        """Whether a trigger's request comes too soon after the last one, or too often today; else note it."""
        if request.trigger_id is None:
            return False
        now = self.house.clock.now()
        why = self.limit.refusal(request.account, request.symbol, now)
        if why is None:
            self.limit.note(request.account, request.symbol, now)
            return False
        self._skip(request, why)
        return True

    def _skip(self, request: AnalysisRequest, reason: Text) -> None:
        """A request leads to nothing; journaled and told."""
        self.house.bus.post(
            JobSkipped, cause=request.id, account=request.account, job=request.id, reason=reason
        )
        self.house.bus.say_log(reason, Severity.INFO)

    def _plan(self, fired: ScheduleFired) -> None:
        """Before the open: scan and note what is worth a decision today."""
        self.house.bus.status(AgentName.ANALYSIS, Activity.FETCHING)
        result = self.run_scan(fired.id)
        lines = tuple(
            say(
                "{symbol} {name} {setup}{held}",
                symbol=candidate.vt_symbol,
                name=self.house.universe.names.get(candidate.vt_symbol, ""),
                setup=candidate.setup or "—",
                held="（持仓）" if candidate.held else "",
            )
            for candidate in result.picked
        )
        title = say(
            "盘前计划：扫描 {scanned} 只，选出 {picked} 只，市场 {regime}",
            scanned=result.scanned,
            picked=len(result.picked),
            regime=result.regime,
        )
        self.house.bus.post(Note, cause=result.id, title=title, lines=lines)

    def _decide(self, fired: ScheduleFired, *, full: bool) -> None:
        """Ask for a decision on each pick: manage what is held, consider the rest."""
        if self.house.control.paused:
            self.house.bus.post(
                JobSkipped, cause=fired.id, job=fired.job, reason=say("AI 已暂停，不作新决策")
            )
            return
        if self._scan_id is None or not full:
            self.run_scan(fired.id)
        cause = self._scan_id or fired.id
        entries = self.house.control.state is TradingState.ACTIVE
        for candidate in self._picked:
            holders, others = (
                self.house.holders(candidate.vt_symbol),
                self.house.seekers(candidate.vt_symbol),
            )
            if holders:
                self.request(
                    candidate.vt_symbol,
                    RequestKind.MANAGE,
                    holders,
                    say("定时检查持仓"),
                    cause,
                    candidate.setup,
                )
            if entries and candidate.setup and others and not self._working(candidate.vt_symbol):
                if self._capped(candidate.vt_symbol, others, cause):
                    continue
                reason = say(
                    "扫描入选，形态 {setup}，得分 {score}", setup=candidate.setup, score=candidate.score
                )
                self.request(candidate.vt_symbol, RequestKind.OPEN, others, reason, cause, candidate.setup)
        self._scan_id = None

    def _capped(self, symbol: str, accounts: tuple[str, ...], cause: str) -> bool:
        """Whether the day's number of analyses is reached; journaled for each symbol, told once a day."""
        today, cap = self.house.today(), self.house.settings.budget.decisions_per_day
        if self.asked_on_day[today] < cap:
            return False
        self.house.bus.post(AnalysisSkipped, cause=cause, symbol=symbol, accounts=accounts, cap=cap)
        if self._capped_on != today:
            self._capped_on = today
            sentence = say("今日分析已达上限 {cap} 次，不再寻找新的买入机会；持仓照常分析", cap=cap)
            self.house.bus.alert(Severity.WARNING, sentence, cause=cause)
        return True

    def _note(self, fired: ScheduleFired) -> None:
        """A short account of the morning."""
        lines = []
        for name, book in self.house.portfolio.books.items():
            equity, start = self.house.portfolio.equity(name), book.day_start_equity
            change = float(equity / start - 1) if start else 0.0
            lines.append(
                say(
                    "{account}：权益 {equity} 元，当日 {change}，持仓 {count} 只",
                    account=name,
                    equity=f"{equity:.2f}",
                    change=f"{change * 100:+.2f}%",
                    count=len(book.positions),
                )
            )
        self.house.bus.post(Note, cause=fired.id, title=say("午间小结"), lines=tuple(lines))

    def _working(self, symbol: str) -> bool:
        return any(
            reservation.symbol == symbol
            for book in self.house.portfolio.books.values()
            for reservation in book.reservations.values()
        )


def _minute(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M}"
