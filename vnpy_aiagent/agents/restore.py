"""Rebuilds the state of a journal: accounts, stops, triggers, lessons, trading state, open intents."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from vnpy_aiagent.agents.day_counts import DayCounts, count_on
from vnpy_aiagent.domain import (
    MARKET_TZ,
    MESSAGE_TYPES,
    AccountOpened,
    AnalysisRequest,
    ApprovalAnswered,
    ApprovalAsked,
    EquityMark,
    Fill,
    Intent,
    JobSkipped,
    Lesson,
    ManualSlip,
    Message,
    OrderUpdate,
    ParentDone,
    ParentOrder,
    PoolChosen,
    PositionHandedBack,
    PositionTakenOver,
    Proposal,
    RunStarted,
    ScheduleFired,
    Sent,
    Side,
    Signal,
    StateChanged,
    StopState,
    StopUpdate,
    TradeRecord,
    TradingState,
    TriggerEnded,
    TriggerFired,
    TriggerSpec,
    Withheld,
    parse_message,
)
from vnpy_aiagent.errors import JournalCorrupt, JournalError
from vnpy_aiagent.execution import TERMINAL
from vnpy_aiagent.portfolio.book import AccountBook, Origin
from vnpy_aiagent.store.database import describe
from vnpy_aiagent.store.journal import Entry, Journal, verify

KINDS = tuple(
    kind.__name__
    for kind in (
        RunStarted,
        AccountOpened,
        Signal,
        Intent,
        Sent,
        Withheld,
        OrderUpdate,
        ParentDone,
        Fill,
        TriggerSpec,
        TriggerEnded,
        StopUpdate,
        Lesson,
        TradeRecord,
        StateChanged,
        EquityMark,
        ScheduleFired,
        PoolChosen,
        AnalysisRequest,
        TriggerFired,
        Proposal,
        JobSkipped,
        ApprovalAsked,
        ApprovalAnswered,
        ParentOrder,
        ManualSlip,
        PositionTakenOver,
        PositionHandedBack,
    )
)


@dataclass(slots=True)
class OpenIntent:
    """An intent whose order has not ended, and what is known of it."""

    intent: Intent
    signal: Signal | None
    sent: tuple[str, ...] = ()
    filled: int = 0


@dataclass(slots=True)
class Restored:
    """What a journal says about the present.

    `planned_stops` are those of entries that were filled, for positions whose own stop had not been journaled
    yet. `entries` and `sent` count approved entries and sent orders by account and day, `asked` analyses by
    day. `pool` is the automatic pool, held symbols included. `fired` holds jobs and days for which the
    timetable ran them. `closes` holds each account's equity at its last two closes (CNY). `unanswered` are
    triggers that fired on a position and brought no answer yet, by their ids; `replans` account, symbol and
    time of the latest day's analyses for triggers. `approvals` were asked for and led to no order yet, by
    their signals' ids; `slips` are those of the last day that had any.
    """

    runs: int = 0
    books: dict[str, AccountBook] = field(default_factory=dict)
    stops: dict[tuple[str, str], StopUpdate] = field(default_factory=dict)
    triggers: dict[str, TriggerSpec] = field(default_factory=dict)
    lessons: list[Lesson] = field(default_factory=list)
    trades: list[TradeRecord] = field(default_factory=list)
    state: TradingState = TradingState.ACTIVE
    paused: bool = False
    intents: dict[str, OpenIntent] = field(default_factory=dict)
    peaks: dict[str, Decimal] = field(default_factory=dict)
    planned_stops: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    closes: dict[str, dict[date, Decimal]] = field(default_factory=dict)
    unanswered: dict[str, TriggerFired] = field(default_factory=dict)
    replans: list[tuple[str, str, datetime]] = field(default_factory=list)
    entries: DayCounts = field(default_factory=Counter)
    sent: DayCounts = field(default_factory=Counter)
    asked: Counter[date] = field(default_factory=Counter)
    fired: set[tuple[str, date]] = field(default_factory=set)
    approvals: dict[str, ApprovalAsked] = field(default_factory=dict)
    slips: list[ManualSlip] = field(default_factory=list)
    pool: PoolChosen | None = None


def restore(journal: Journal, target: str | Path) -> Restored:
    """What the open journal at `target` says, once its hash chain is found whole.

    Raises JournalCorrupt where entries were changed, removed or reordered, JournalError as Restorer does.
    """
    checked = verify(target)
    if not checked.ok:
        raise JournalCorrupt(
            f"the journal {describe(target)} cannot be trusted from entry {checked.first_bad} on: "
            f"{checked.reason}; look with `aiagent journal verify`, and restore the file from a copy or set "
            "`store.journal` to another one"
        )
    return Restorer().fold(journal.read(kinds=KINDS))


class Restorer:
    """Folds journal entries, in order, into a Restored."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.result = Restored()
        self._signals: dict[str, Signal] = {}
        self._planned: set[str] = set()
        self._replans: dict[str, AnalysisRequest] = {}

    def fold(self, entries: Iterable[Entry]) -> Restored:
        """Take all entries; kinds that say nothing about the present are passed over.

        Raises JournalError for an entry that this release cannot understand, or that contradicts the ones
        before it.
        """
        for entry in entries:
            if entry.kind in KINDS and entry.kind in MESSAGE_TYPES:
                try:
                    self._take(parse_message(entry.kind, entry.body))
                except ValueError as error:  # pydantic's ValidationError is one
                    why = f"{error}".splitlines()[0]
                    raise JournalError(
                        f"entry {entry.seq} ({entry.kind}) cannot be restored: {why}; continue with the "
                        "release that wrote the journal, or start with a new one"
                    ) from error
        return self.result

    def _take(self, message: Message) -> None:  # noqa: C901, PLR0912 - one arm a kind
        result = self.result
        match message:
            case RunStarted():
                result.runs += 1
            case AccountOpened():
                result.books.setdefault(
                    message.account, AccountBook(message.account, message.style, message.cash)
                )
            case Signal():
                self._signal(message)
            case Intent():
                result.intents[message.id] = OpenIntent(message, None)
            case Sent():
                self._sent(message)
            case Withheld():
                result.intents.pop(message.intent_id, None)
            case OrderUpdate() if message.state in TERMINAL:
                result.intents.pop(message.intent_id, None)
            case Fill():
                self._fill(message)
            case TriggerSpec():
                result.triggers[message.id] = message
            case TriggerEnded():
                result.triggers.pop(message.trigger_id, None)
            case StopUpdate():
                self._stop(message)
            case Lesson():
                result.lessons.append(message)
            case TradeRecord():
                result.trades.append(message)
            case AnalysisRequest():
                result.asked[_day(message)] += 1
                self._request(message)
            case TriggerFired():
                self._fired(message)
            case Proposal():
                self._answered(message.request_id)
            case JobSkipped():
                self._skipped(message)
            case ScheduleFired() if message.cause is None:  # one with a cause is a human's own run
                result.fired.add((message.job, message.due.astimezone(MARKET_TZ).date()))
            case PoolChosen():
                result.pool = message
            case StateChanged():
                result.state, result.paused = message.state, message.paused
            case EquityMark():
                self._mark(message)
            case _:
                self._by_people(message)

    def _by_people(self, message: Message) -> None:
        """Approvals, slips and positions taken over."""
        result = self.result
        match message:
            case ApprovalAsked():
                result.approvals[message.signal_id] = message
            case ApprovalAnswered() if not message.approved:
                result.approvals.pop(message.signal_id, None)
            case ParentOrder():
                result.approvals.pop(message.signal_id, None)
            case ManualSlip():
                result.slips = [slip for slip in result.slips if _day(slip) == _day(message)] + [message]
            case PositionTakenOver():
                self._taken_over(message)
            case PositionHandedBack() if message.account in result.books:
                result.books[message.account].hand_back(message.symbol)
                result.planned_stops[message.account, message.symbol] = message.stop
            case _:
                pass

    def _signal(self, signal: Signal) -> None:
        self._signals[signal.id] = signal
        if signal.side is Side.BUY:
            count_on(self.result.entries, signal.account, _day(signal))

    def _sent(self, sent: Sent) -> None:
        count_on(self.result.sent, sent.account, _day(sent))
        if sent.intent_id in self.result.intents:
            self.result.intents[sent.intent_id].sent = sent.vt_orderids

    def _fill(self, fill: Fill) -> None:
        book = self.result.books.get(fill.account)
        if book is None:
            return
        signal = self._signals.get(fill.signal_id or "")
        origin = None
        if signal is not None and fill.side is Side.BUY:
            origin = Origin(signal.setup, signal.regime, signal.confidence, signal.proposal_id)
            first = signal.id not in self._planned
            self._planned.add(signal.id)
            key = fill.account, fill.symbol
            if signal.stop is not None and (first or key not in self.result.stops):
                self.result.planned_stops[key] = signal.stop
        if book.apply(fill, origin) is not None:
            self._flat(fill.account, fill.symbol)
        pending = self.result.intents.get(fill.intent_id or "")
        if pending is not None:
            pending.filled += fill.volume
            if pending.filled >= pending.intent.volume:  # also where the process ended before it said so
                del self.result.intents[pending.intent.id]

    def _flat(self, account: str, symbol: str) -> None:
        """What was asked about a position ends with it."""
        unanswered = self.result.unanswered
        for trigger_id, fired in list(unanswered.items()):
            if (fired.account, fired.symbol) == (account, symbol):
                del unanswered[trigger_id]

    def _mark(self, mark: EquityMark) -> None:
        peaks, closes = self.result.peaks, self.result.closes.setdefault(mark.account, {})
        peaks[mark.account] = max(peaks.get(mark.account, Decimal(0)), mark.equity)
        closes[mark.day] = mark.equity
        for day in sorted(closes)[:-2]:
            del closes[day]

    def _taken_over(self, taken: PositionTakenOver) -> None:
        """Its stop and triggers are over, even where the process ended before it said so."""
        result, key = self.result, (taken.account, taken.symbol)
        if taken.account in result.books:
            result.books[taken.account].take_over(taken.symbol, taken.orders)
        result.stops.pop(key, None)
        result.planned_stops.pop(key, None)
        result.triggers = {n: s for n, s in result.triggers.items() if (s.account, s.symbol) != key}
        result.unanswered = {n: f for n, f in result.unanswered.items() if (f.account, f.symbol) != key}

    def _fired(self, fired: TriggerFired) -> None:
        """One shot: it is gone from the book, even where the process ended before it said so."""
        self.result.triggers.pop(fired.trigger_id, None)
        book = self.result.books.get(fired.account)
        if book is not None and fired.symbol in book.positions:
            self.result.unanswered[fired.trigger_id] = fired

    def _request(self, request: AnalysisRequest) -> None:
        if request.trigger_id is None:
            return
        day = _day(request)
        replans = [asked for asked in self.result.replans if asked[2].date() == day]
        self.result.replans = [*replans, _replan(request)]
        self._replans[request.id] = request

    def _answered(self, request_id: str) -> AnalysisRequest | None:
        request = self._replans.pop(request_id, None)
        if request is not None:
            self.result.unanswered.pop(request.trigger_id or "", None)
        return request

    def _skipped(self, skipped: JobSkipped) -> None:
        """A request that was not handed to the model is no re-analysis, and is not asked again."""
        request = self._answered(skipped.cause or "")
        if request is not None and _replan(request) in self.result.replans:
            self.result.replans.remove(_replan(request))

    def _stop(self, update: StopUpdate) -> None:
        key = update.account, update.symbol
        if update.state in (StopState.FLAT, StopState.TAKEN_OVER):
            self.result.stops.pop(key, None)
        else:
            self.result.stops[key] = update
            self.result.planned_stops.pop(key, None)


def _replan(request: AnalysisRequest) -> tuple[str, str, datetime]:
    return request.account, request.symbol, request.at.astimezone(MARKET_TZ)


def _day(message: Message) -> date:
    return message.at.astimezone(MARKET_TZ).date()
