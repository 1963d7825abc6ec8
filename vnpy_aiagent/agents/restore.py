"""Rebuilds the state of a journal: accounts, stops, triggers, lessons, trading state, open intents."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from vnpy_aiagent.domain import (
    MARKET_TZ,
    MESSAGE_TYPES,
    AccountOpened,
    EquityMark,
    Fill,
    Intent,
    Lesson,
    Message,
    OrderUpdate,
    ParentDone,
    RunStarted,
    Sent,
    Side,
    Signal,
    StateChanged,
    StopState,
    StopUpdate,
    TradeRecord,
    TradingState,
    TriggerEnded,
    TriggerSpec,
    Withheld,
    parse_message,
)
from vnpy_aiagent.execution import TERMINAL
from vnpy_aiagent.portfolio.book import AccountBook, Origin
from vnpy_aiagent.store.journal import Entry

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
    yet. `entries` and `sent` count approved entries and sent orders by account and day.
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
    entries: Counter[tuple[str, date]] = field(default_factory=Counter)
    sent: Counter[tuple[str, date]] = field(default_factory=Counter)


class Restorer:
    """Folds journal entries, in order, into a Restored."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.result = Restored()
        self._signals: dict[str, Signal] = {}
        self._parents: dict[str, str] = {}

    def fold(self, entries: Iterable[Entry]) -> Restored:
        """Take all entries; kinds that say nothing about the present are passed over."""
        for entry in entries:
            if entry.kind in KINDS and entry.kind in MESSAGE_TYPES:
                self._take(parse_message(entry.kind, entry.body))
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
            case StateChanged():
                result.state, result.paused = message.state, message.paused
            case EquityMark():
                peak = result.peaks.get(message.account, Decimal(0))
                result.peaks[message.account] = max(peak, message.equity)
            case _:
                pass

    def _signal(self, signal: Signal) -> None:
        self._signals[signal.id] = signal
        if signal.side is Side.BUY:
            self.result.entries[signal.account, _day(signal)] += 1

    def _sent(self, sent: Sent) -> None:
        self.result.sent[sent.account, _day(sent)] += 1
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
            if signal.stop is not None:
                self.result.planned_stops[fill.account, fill.symbol] = signal.stop
        book.apply(fill, origin)
        pending = self.result.intents.get(fill.intent_id or "")
        if pending is not None:
            pending.filled += fill.volume

    def _stop(self, update: StopUpdate) -> None:
        key = update.account, update.symbol
        if update.state is StopState.FLAT:
            self.result.stops.pop(key, None)
        else:
            self.result.stops[key] = update
            self.result.planned_stops.pop(key, None)


def _day(message: Message) -> date:
    return message.at.astimezone(MARKET_TZ).date()
