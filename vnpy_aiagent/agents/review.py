"""The review agent: looks back on each period, turns closed trades into lessons, and posts both.

Lessons are read by the next analysis through the lesson book.
"""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

from vnpy_aiagent.agents.context import AgentContext
from vnpy_aiagent.base import (
    EVENT_AI_FILL,
    EVENT_AI_LESSON,
    EVENT_AI_PROPOSAL,
    EVENT_AI_REVIEW,
    EVENT_AI_SCHEDULE,
    EVENT_AI_TRADE,
    EVENT_AI_VERDICT,
)
from vnpy_aiagent.domain import (
    Action,
    Activity,
    AgentName,
    Fill,
    Lesson,
    Outcome,
    Period,
    Proposal,
    Review,
    ScheduleFired,
    TradeRecord,
    Verdict,
    say,
)

PERIODS = {"sunday": Period.WEEK, "month_end": Period.MONTH, "quarter_end": Period.QUARTER}
KEPT_DAYS = 100


class _DayCount:
    """What happened on one day."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.pnl = Decimal(0)
        self.wins = 0
        self.closed = 0


class ReviewAgent:
    """Counts messages by day, and reviews when its jobs fire."""

    def __init__(self, house: AgentContext) -> None:
        """Subscribe to what a review counts."""
        self.house = house
        self._days: dict[date, _DayCount] = {}
        self._equity: dict[tuple[str, date], Decimal] = {}
        self._decision = ""
        bus = house.bus
        bus.subscribe(EVENT_AI_PROPOSAL, self.on_proposal)
        bus.subscribe(EVENT_AI_VERDICT, self.on_verdict)
        bus.subscribe(EVENT_AI_FILL, self.on_fill)
        bus.subscribe(EVENT_AI_TRADE, self.on_trade)
        bus.subscribe(EVENT_AI_SCHEDULE, self.on_schedule)

    def on_proposal(self, proposal: Proposal) -> None:
        """Count a proposal, and its decision once: proposals of one decision follow each other."""
        counts = self._today().counts
        counts["proposals"] += 1
        if proposal.decision_id != self._decision:
            self._decision = proposal.decision_id
            counts["decisions"] += 1

    def on_verdict(self, verdict: Verdict) -> None:
        """Count a verdict by its outcome; a HOLD that only renews its triggers changes nothing."""
        if verdict.action is Action.HOLD:
            return
        self._today().counts[verdict.outcome.name] += 1

    def on_fill(self, fill: Fill) -> None:
        """Count a fill."""
        self._today().counts["fills"] += 1

    def on_trade(self, trade: TradeRecord) -> None:
        """A closed trade is experience."""
        today = self._today()
        today.closed += 1
        today.wins += trade.pnl > 0
        today.pnl += trade.pnl
        self.house.lessons.add_trade(trade)

    def on_mark(self, account: str, day: date, equity: Decimal) -> None:
        """Remember an account's equity at the close (CNY)."""
        self._equity[account, day] = equity

    def on_schedule(self, fired: ScheduleFired) -> None:
        """Review the period of the job that fired."""
        job = next((job for job in self.house.settings.schedule if job.name == fired.job), None)
        if job is not None and job.task == "review":
            self.review(PERIODS.get(job.on, Period.DAY), fired.id)

    def review(self, period: Period, cause: str | None) -> Review:
        """Post the lessons that are new and the review of a period that ends today."""
        house = self.house
        house.bus.status(AgentName.REVIEW, Activity.ANALYZING, period.name)
        end = house.today()
        start = period_start(period, end)
        days = [self._days[day] for day in sorted(self._days) if start <= day <= end]
        counts: Counter[str] = sum((day.counts for day in days), Counter())
        closed, wins = sum(day.closed for day in days), sum(day.wins for day in days)
        pnl = sum((day.pnl for day in days), Decimal(0))
        lessons = self._new_lessons(cause) if house.settings.brain.lessons else ()
        returns = {name: self._return(name, start, end) for name in house.portfolio.books}
        self._forget(end)
        house.bus.status(AgentName.REVIEW, Activity.COMPLETED, period.name)
        return house.bus.post(
            Review,
            EVENT_AI_REVIEW,
            cause=cause,
            period=period,
            start=start,
            end=end,
            decisions=counts["decisions"],
            proposals=counts["proposals"],
            approved=counts[Outcome.APPROVED.name],
            reduced=counts[Outcome.REDUCED.name],
            rejected=counts[Outcome.REJECTED.name],
            fills=counts["fills"],
            trades_closed=closed,
            pnl=pnl,
            win_rate=round(wins / closed, 4) if closed else None,
            account_returns={name: value for name, value in returns.items() if value is not None},
            lessons=tuple(lesson.id for lesson in lessons),
            text=say(
                "复盘 {start} 至 {end}：提案 {proposals}，通过 {approved}，缩减 {reduced}，拒绝 {rejected}，"
                "了结 {closed} 笔，盈亏 {pnl} 元，新经验 {lessons} 条",
                start=start,
                end=end,
                proposals=counts["proposals"],
                approved=counts[Outcome.APPROVED.name],
                reduced=counts[Outcome.REDUCED.name],
                rejected=counts[Outcome.REJECTED.name],
                closed=closed,
                pnl=pnl,
                lessons=len(lessons),
            ),
        )

    def _new_lessons(self, cause: str | None) -> tuple[Lesson, ...]:
        lessons = []
        for draft in self.house.lessons.drafts():
            lesson = self.house.bus.post(
                Lesson,
                EVENT_AI_LESSON,
                cause=cause,
                setup=draft.setup,
                regime=draft.regime,
                wins=draft.wins,
                losses=draft.losses,
                mean_return=draft.mean_return,
                adjustment=draft.adjustment,
                confirmed=draft.confirmed,
                trades=draft.trades,
                text=draft.text,
            )
            self.house.lessons.add_lesson(lesson)
            lessons.append(lesson)
        return tuple(lessons)

    def _return(self, account: str, start: date, end: date) -> float | None:
        """From the last close before the period to its last close."""
        days = sorted(day for name, day in self._equity if name == account)
        inside = [day for day in days if start <= day <= end]
        before = [day for day in days if day < start]
        if not inside:
            return None
        opening = (
            self._equity[account, before[-1]] if before else self.house.portfolio.books[account].opening_cash
        )
        return round(float(self._equity[account, inside[-1]] / opening - 1), 6) if opening else None

    def _today(self) -> _DayCount:
        return self._days.setdefault(self.house.today(), _DayCount())

    def _forget(self, today: date) -> None:
        """Keep what the longest period needs."""
        horizon = today - timedelta(days=KEPT_DAYS)
        for day in [day for day in self._days if day < horizon]:
            del self._days[day]
        for key in [key for key in self._equity if key[1] < horizon]:
            del self._equity[key]


def period_start(period: Period, end: date) -> date:
    """First day of the period that ends on a day."""
    match period:
        case Period.DAY:
            return end
        case Period.WEEK:
            return end - timedelta(days=6)
        case Period.MONTH:
            return end.replace(day=1)
        case Period.QUARTER:
            return end.replace(month=(end.month - 1) // 3 * 3 + 1, day=1)
