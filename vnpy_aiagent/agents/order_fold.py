"""Orders as a journal tells them: parents, intents and what became of each; for a restart."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from vnpy_aiagent.domain import (
    MARKET_TZ,
    Fill,
    HoldingAdjusted,
    Intent,
    Message,
    OrderState,
    OrderUpdate,
    ParentDone,
    ParentOrder,
    Sent,
    Signal,
    Withheld,
)
from vnpy_aiagent.execution import TERMINAL

ORDER_KINDS = (ParentOrder, Intent, Sent, Withheld, OrderUpdate, Fill, HoldingAdjusted, ParentDone)


@dataclass(slots=True)
class OpenIntent:
    """An intent, and what is known of its order: ids, state, shares reported, filled and adjusted."""

    intent: Intent
    signal: Signal | None
    sent: tuple[str, ...] = ()
    filled: int = 0
    adjusted: int = 0
    state: OrderState = OrderState.INTENDED
    reported: int = 0
    reason: str = ""
    fills: list[Fill] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        """Terminal, and every reported share is there as a fill; or all of it is filled."""
        booked = self.filled + self.adjusted
        if booked >= self.intent.volume:  # also where the process ended before it said so
            return True
        return self.state in TERMINAL and booked >= self.reported

    @property
    def turnover(self) -> Decimal:
        """What its fills cost, before fees (CNY)."""
        return sum((fill.price * fill.volume for fill in self.fills), Decimal(0))


@dataclass(slots=True)
class OpenParent:
    """A parent order that is not done, or was done on the last day on which any was worked."""

    order: ParentOrder
    signal: Signal | None
    intents: dict[str, OpenIntent] = field(default_factory=dict)
    done: bool = False


class OrderFold:
    """Folds a journal's order messages, in order. `parents` are by id, `intents` the open ones by theirs."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.parents: dict[str, OpenParent] = {}
        self.intents: dict[str, OpenIntent] = {}
        self._known: dict[str, OpenIntent] = {}
        self._day: date | None = None

    def take(self, message: Message, signals: dict[str, Signal]) -> None:
        """Take one message; other kinds say nothing here."""
        match message:
            case ParentOrder():
                self._begin_day(message)
                signal = signals.get(message.signal_id)
                self.parents[message.id] = OpenParent(message, signal)
            case Intent():
                self._intend(message)
            case Sent():
                if (known := self._known.get(message.intent_id)) is not None:
                    known.sent = message.vt_orderids
            case Withheld() | OrderUpdate():
                self._update(message)
            case Fill():
                self._fill(message)
            case HoldingAdjusted():
                self._adjusted(message)
            case ParentDone() if message.parent_id in self.parents:
                self.parents[message.parent_id].done = True
            case _:
                pass

    def gateway_of(self, intent_id: str | None) -> str:
        """Where an intent was sent, empty for one that is not known (any more)."""
        known = self._known.get(intent_id or "")
        return known.intent.gateway if known is not None else ""

    def signal_of(self, intent_id: str | None) -> Signal | None:
        """What an intent works for, None for one that is not known (any more)."""
        known = self._known.get(intent_id or "")
        return known.signal if known is not None else None

    def _begin_day(self, order: ParentOrder) -> None:
        """Orders that ended on an earlier day are forgotten: nothing more can come for them."""
        day = order.at.astimezone(MARKET_TZ).date()
        if day == self._day:
            return
        self._day = day
        for parent_id in [parent_id for parent_id, parent in self.parents.items() if parent.done]:
            for intent_id in self.parents.pop(parent_id).intents:
                self._known.pop(intent_id, None)

    def _intend(self, intent: Intent) -> None:
        parent = self.parents.get(intent.parent_id)
        known = OpenIntent(intent, parent.signal if parent else None)
        self.intents[intent.id] = self._known[intent.id] = known
        if parent is not None:
            parent.intents[intent.id] = known

    def _update(self, message: Withheld | OrderUpdate) -> None:
        known = self._known.get(message.intent_id)
        if known is None:
            return
        if isinstance(message, OrderUpdate):
            known.state, known.reported, known.reason = message.state, message.traded, message.reason
        else:
            known.state = OrderState.CANCELLED
        self._close(known)

    def _fill(self, fill: Fill) -> None:
        known = self._known.get(fill.intent_id or "")
        if known is None or any(fill.identity == booked.identity for booked in known.fills):
            return
        known.fills.append(fill)
        known.filled += fill.volume
        self._close(known)

    def _adjusted(self, message: HoldingAdjusted) -> None:
        known = self._known.get(message.intent_id or "")
        if known is not None:
            known.adjusted += abs(message.volume)
            self._close(known)

    def _close(self, known: OpenIntent) -> None:
        if known.ended:
            self.intents.pop(known.intent.id, None)
