"""Rebuilds the state of a journal: accounts, stops, triggers, lessons, trading state, open intents."""

import gc
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from vnpy_aiagent.agents.day_counts import DayCounts, count_on
from vnpy_aiagent.agents.ex_day_fold import EX_DAY_KINDS, fold_ex_day
from vnpy_aiagent.agents.order_fold import ORDER_KINDS, OpenIntent, OpenParent, OrderFold
from vnpy_aiagent.domain import (
    MARKET_TZ,
    MESSAGE_TYPES,
    AccountOpened,
    AnalysisRequest,
    ApprovalAnswered,
    ApprovalAsked,
    CancelAsked,
    CashAdjusted,
    ClosingPrices,
    EquityMark,
    Fill,
    HoldingAdjusted,
    Intent,
    JobSkipped,
    Lesson,
    ManualSlip,
    Message,
    Mode,
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
    Settlement,
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
from vnpy_aiagent.errors import JournalError
from vnpy_aiagent.execution.ex_day_claims import Claim
from vnpy_aiagent.portfolio.book import AccountBook, Origin
from vnpy_aiagent.portfolio.portfolio import book_at
from vnpy_aiagent.store.journal import Entry
from vnpy_aiagent.store.verify import Told, verified

KINDS = tuple(
    kind.__name__
    for kind in (
        RunStarted,
        AccountOpened,
        Signal,
        *ORDER_KINDS,
        CancelAsked,
        CashAdjusted,
        Settlement,
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
        ManualSlip,
        PositionTakenOver,
        PositionHandedBack,
        *EX_DAY_KINDS,
    )
)

KNOWN = frozenset(KINDS) & MESSAGE_TYPES.keys()
NOTHING_MORE = (Intent, Withheld, OrderUpdate, ParentDone)
"""Messages on orders that say nothing of anything else."""


@dataclass(slots=True)
class Restored:
    """What a journal says about the present.

    `planned_stops` are those of entries that were filled, for positions whose own stop had not been journaled
    yet. `entries`, `sent` and `cancelled` count approved entries, sent orders and the app's own cancels by
    account and day, `asked` analyses by day. `pool` is the automatic pool, held symbols included. `fired`
    holds jobs and days for which the timetable ran them. `closes` holds each account's equity at its last
    two closes (CNY). `unanswered` are
    triggers that fired on a position and brought no answer yet, by their ids; `replans` account, symbol and
    time of the latest day's analyses for triggers. `approvals` were asked for and led to no order yet, by
    their signals' ids; `slips` are those of the last day that had any. `applied` are ex-days by account and
    symbol, `explained` cash by gateway that shares of our orders, adjusted without a fill, cost since the
    last adjustment of cash (CNY), `shifted` the last day whose reference price showed one that was not known,
    `closing` the last closing prices of what was held. `claims` are what ex-days owe at brokers, `credited`
    their new shares that came and `paid` the dividends, by account, gateway, symbol and ex-date.
    """

    runs: int = 0
    mode: Mode | None = None
    opened_in: dict[str, Mode] = field(default_factory=dict)
    books: dict[str, AccountBook] = field(default_factory=dict)
    stops: dict[tuple[str, str], StopUpdate] = field(default_factory=dict)
    triggers: dict[str, TriggerSpec] = field(default_factory=dict)
    lessons: list[Lesson] = field(default_factory=list)
    trades: list[TradeRecord] = field(default_factory=list)
    state: TradingState = TradingState.ACTIVE
    paused: bool = False
    intents: dict[str, OpenIntent] = field(default_factory=dict)
    parents: dict[str, OpenParent] = field(default_factory=dict)
    peaks: dict[str, Decimal] = field(default_factory=dict)
    planned_stops: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    closes: dict[str, dict[date, Decimal]] = field(default_factory=dict)
    unanswered: dict[str, TriggerFired] = field(default_factory=dict)
    replans: list[tuple[str, str, datetime]] = field(default_factory=list)
    entries: DayCounts = field(default_factory=Counter)
    sent: DayCounts = field(default_factory=Counter)
    cancelled: DayCounts = field(default_factory=Counter)
    asked: Counter[date] = field(default_factory=Counter)
    fired: set[tuple[str, date]] = field(default_factory=set)
    approvals: dict[str, ApprovalAsked] = field(default_factory=dict)
    slips: list[ManualSlip] = field(default_factory=list)
    explained: dict[str, Decimal] = field(default_factory=dict)
    applied: set[tuple[str, str, date]] = field(default_factory=set)
    shifted: dict[tuple[str, str], date] = field(default_factory=dict)
    closing: ClosingPrices | None = None
    claims: dict[tuple[str, str, date], Claim] = field(default_factory=dict)
    credited: dict[tuple[str, str, str, date], int] = field(default_factory=dict)
    paid: set[tuple[str, str, str, date]] = field(default_factory=set)
    pool: PoolChosen | None = None


def restore(target: str | Path) -> Restored:
    """What the journal at `target` says, its hash chain checked entry by entry on the way.

    Raises JournalCorrupt where entries were changed, removed or reordered, JournalError as Restorer does.
    """
    with _no_collection():
        return Restorer().fold(verified(target, frozenset(KINDS)))


@contextmanager
def _no_collection() -> Iterator[None]:
    """Messages hold no cycles: looking for some among a hundred thousand takes longer than reading them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class Restorer:
    """Folds journal entries, in order, into a Restored."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._orders = OrderFold()
        self.result = Restored(intents=self._orders.intents, parents=self._orders.parents)
        self._signals: dict[str, Signal] = {}
        self._planned: set[str] = set()
        self._replans: dict[str, AnalysisRequest] = {}

    def fold(self, entries: Iterable[Entry | Told]) -> Restored:
        """Take all entries; kinds that say nothing about the present are passed over.

        Raises JournalError for an entry that this release cannot understand, or that contradicts the ones
        before it.
        """
        for entry in entries:
            if entry.kind in KNOWN:
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
        if isinstance(message, ORDER_KINDS):
            self._orders.take(message, self._signals)
            if isinstance(message, NOTHING_MORE):
                return
        match message:
            case RunStarted():
                result.runs += 1
                result.mode = message.mode
            case AccountOpened():
                self._opened(message)
            case Signal():
                self._signal(message)
            case Sent():
                count_on(result.sent, message.account, _day(message))
            case CancelAsked():
                count_on(result.cancelled, message.account, _day(message))
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
            case HoldingAdjusted() | CashAdjusted():
                self._adjusted(message)
            case Settlement() if message.account in result.books:
                result.books[message.account].settle(message)
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
                fold_ex_day(result, message)

    def _opened(self, message: AccountOpened) -> None:
        result, name = self.result, message.account
        book = AccountBook(name, message.style, message.cash)
        book.venues.move(message.gateway, "", 0, message.cash)
        result.books.setdefault(name, book)
        if result.mode is not None:
            result.opened_in.setdefault(name, result.mode)

    def _adjusted(self, message: HoldingAdjusted | CashAdjusted) -> None:
        """The broker was right. What came in or went out moves the closes that days are measured from."""
        result, name = self.result, message.account
        book = result.books.get(name)
        if book is None:
            return
        before = book.day_start_equity
        if isinstance(message, CashAdjusted):
            book.adjust_cash(message.amount)
            result.explained.pop(message.gateway, None)
            result.paid.update((name, message.gateway, *item) for item in message.dividends.items())
            book.venues.move(message.gateway, "", 0, message.amount)
        else:
            day = message.bought or _day(message)
            book.adjust_holding(message.symbol, message.volume, message.external, message.price, day)
            if message.ex_date is not None:
                result.credited[name, message.gateway, message.symbol, message.ex_date] = message.volume
            if message.intent_id is not None:
                cost = message.price * message.volume
                result.explained[message.gateway] = result.explained.get(message.gateway, Decimal(0)) - cost
            book.venues.move(message.gateway, message.symbol, message.volume, Decimal(0))
            self._plan_stop(message)
            if not book.managed(message.symbol):
                self._ended(name, message.symbol)
        moved = book.day_start_equity - before
        if name in result.peaks:
            result.peaks[name] += moved
        closes = result.closes.get(name, {})
        for day in closes:
            closes[day] += moved

    def _plan_stop(self, message: HoldingAdjusted) -> None:
        """Shares of an entry that were booked by the broker's holding have the entry's stop."""
        signal, key = self._orders.signal_of(message.intent_id), (message.account, message.symbol)
        if signal is None or signal.stop is None or key in self.result.stops:
            return
        if message.volume > max(0, message.external):
            self.result.planned_stops.setdefault(key, signal.stop)

    def _ended(self, account: str, symbol: str) -> None:
        """Nothing of the app's is left of a position: its stop, triggers and questions are over."""
        result, key = self.result, (account, symbol)
        result.stops.pop(key, None)
        result.planned_stops.pop(key, None)
        result.triggers = {n: s for n, s in result.triggers.items() if (s.account, s.symbol) != key}
        self._flat(account, symbol)

    def _signal(self, signal: Signal) -> None:
        self._signals[signal.id] = signal
        if signal.side is Side.BUY:
            count_on(self.result.entries, signal.account, _day(signal))

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
        if book_at(book, fill, origin, self._orders.gateway_of(fill.intent_id)) is not None:
            self._flat(fill.account, fill.symbol)

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
        self._ended(*key)

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
