"""The analysis agent: scans, asks the brain, and posts its decisions and proposals. It cannot trade."""

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from vnpy_aiagent.agents.context import AgentContext
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
    BarInterval,
    Candidate,
    Decision,
    JobSkipped,
    Note,
    RequestKind,
    ScanResult,
    ScheduleFired,
    Text,
    TradingState,
    say,
)
from vnpy_aiagent.tools.snapshot import DecisionSnapshot, MarketOverview

DEADLINE = timedelta(minutes=10)
NO_MARKET = MarketOverview(scanned=0, breadth=None, regime="UNKNOWN", median_return_5d=None)
Deliver = Callable[[BrainAnswer], None]


class BrainRunner(Protocol):
    """Where the brain runs: inline in simulation, in a process of its own otherwise."""

    def submit(self, request: AnalysisRequest, snapshot: DecisionSnapshot, deliver: Deliver) -> None:
        """Decide, now or later, and deliver the answer once; a failure is an answer that holds."""
        ...


class AnalysisAgent:
    """Handles schedules and requests."""

    def __init__(self, house: AgentContext, runner: BrainRunner, deliver: Deliver) -> None:
        """`deliver` brings an answer back to the event thread, where `on_answer` takes it."""
        self.house = house
        self.runner = runner
        self.deliver = deliver
        self.market = NO_MARKET
        self._asked: dict[str, AnalysisRequest] = {}
        self._picked: tuple[Candidate, ...] = ()
        self._scan_id: str | None = None
        house.bus.subscribe(EVENT_AI_SCHEDULE, self.on_schedule)
        house.bus.subscribe(EVENT_AI_REQUEST, self.on_request)

    def on_schedule(self, fired: ScheduleFired) -> None:
        """Run the job's part that is analysis."""
        job = next((job for job in self.house.settings.schedule if job.name == fired.job), None)
        if job is None:
            return
        if job.task == "plan":
            self._plan(fired)
        elif job.task in ("decide", "update"):
            self._decide(fired, full=job.task == "decide")
        elif job.task == "note":
            self._note(fired)

    def on_request(self, request: AnalysisRequest) -> None:
        """Hand a request with its snapshot to the brain."""
        if self.house.control.paused:
            self.house.bus.post(
                JobSkipped, cause=request.id, job=request.id, reason=say("AI 已暂停，不作新决策")
            )
            return
        self._asked[request.id] = request
        self.house.bus.status(AgentName.ANALYSIS, Activity.ANALYZING, request.symbol)
        self.runner.submit(request, build_snapshot(self.house, request, self.market), self.deliver)

    def on_answer(self, answer: BrainAnswer) -> None:
        """Post the decision and its proposals, in the order of accounts."""
        request = self._asked.pop(answer.request_id, None)
        if request is None:
            return
        bus = self.house.bus
        decision: Decision = bus.adopt(answer.decision, EVENT_AI_DECISION, cause=request.id)
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

    def run_scan(self, cause: str) -> ScanResult:
        """Scan the universe on closed daily bars."""
        house = self.house
        held = {symbol for book in house.portfolio.books.values() for symbol in book.positions}
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
            breadth=found.market.breadth,
            regime=found.market.regime,
        )
        self._scan_id = result.id
        return result

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
            holders = self._holders(candidate.vt_symbol)
            others = tuple(name for name in self.house.portfolio.books if name not in holders)
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
                reason = say(
                    "扫描入选，形态 {setup}，得分 {score}", setup=candidate.setup, score=candidate.score
                )
                self.request(candidate.vt_symbol, RequestKind.OPEN, others, reason, cause, candidate.setup)
        self._scan_id = None

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

    def _holders(self, symbol: str) -> tuple[str, ...]:
        return tuple(name for name, book in self.house.portfolio.books.items() if symbol in book.positions)

    def _working(self, symbol: str) -> bool:
        return any(
            reservation.symbol == symbol
            for book in self.house.portfolio.books.values()
            for reservation in book.reservations.values()
        )
