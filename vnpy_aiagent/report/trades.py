"""Round trips: from a position's first buy until it is flat, with every message that belongs to them."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from vnpy_aiagent.domain import (
    CancelAsked,
    Decision,
    ExecutionReport,
    Fill,
    Intent,
    Message,
    OrderUpdate,
    ParentDone,
    ParentOrder,
    Proposal,
    Sent,
    Side,
    StopUpdate,
    TradeRecord,
    TriggerEnded,
    TriggerFired,
    TriggerSpec,
    Withheld,
)
from vnpy_aiagent.report.read import RunRecord

WATCH = (StopUpdate, TriggerSpec, TriggerFired, TriggerEnded)
ORDERS = (ParentOrder, Intent, Sent, Withheld, CancelAsked, OrderUpdate, Fill, ExecutionReport, ParentDone)


@dataclass(frozen=True, slots=True)
class Trade:
    """One account's round trip in a symbol; `record` is None while the position is open.

    `chain` is every message from the schedule or tick that began it to its last, in the journal's order.
    """

    account: str
    symbol: str
    fills: tuple[Fill, ...]
    record: TradeRecord | None
    proposal: Proposal | None
    decision: Decision | None
    chain: tuple[Message, ...]

    @property
    def pnl(self) -> Decimal | None:
        """Profit net of fees (CNY), None while open."""
        return self.record.pnl if self.record else None


def trades_of(record: RunRecord) -> list[Trade]:
    """All round trips, in the order of their first fills."""
    trips = sorted(_trips(record.fills), key=lambda fills: record.place[fills[0].id])
    watch = _watch_messages(record)
    return [_trade(record, fills, watch.get((fills[0].account, fills[0].symbol), [])) for fills in trips]


def best_and_worst(trades: Iterable[Trade]) -> tuple[Trade | None, Trade | None]:
    """The closed trades with the highest and the lowest profit; the same one where there is only one."""
    closed = [(trade.pnl, trade) for trade in trades if trade.pnl is not None]
    if not closed:
        return None, None
    return max(closed, key=lambda pair: pair[0])[1], min(closed, key=lambda pair: pair[0])[1]


def _trips(fills: Iterable[Fill]) -> list[list[Fill]]:
    """Fills of each account and symbol, cut where the position is flat."""
    open_trips: dict[tuple[str, str], tuple[int, list[Fill]]] = {}
    found: list[list[Fill]] = []
    for fill in fills:
        key = fill.account, fill.symbol
        held, trip = open_trips.pop(key, (0, []))
        if not trip:
            found.append(trip)
        trip.append(fill)
        held += fill.volume if fill.side is Side.BUY else -fill.volume
        if held:
            open_trips[key] = held, trip
    return found


def _trade(record: RunRecord, fills: list[Fill], watch: list[Message]) -> Trade:
    first, last = fills[0], fills[-1]
    closing = record.caused(TradeRecord, last.id)
    ended = closing[0] if closing else None
    proposal = record.origin(Proposal, first.id)
    chain: dict[str, Message] = {}
    for fill in fills:
        for message in record.ancestors(fill.id):
            chain[message.id] = message
    for message in list(chain.values()):
        if isinstance(message, ParentOrder):
            chain.update({each.id: each for each in _orders_below(record, message)})
    chain.update({each.id: each for each in _watched(record, watch, first, ended)})
    if ended is not None:
        chain[ended.id] = ended
    return Trade(
        account=first.account,
        symbol=first.symbol,
        fills=tuple(fills),
        record=ended,
        proposal=proposal,
        decision=record.get(Decision, proposal.decision_id) if proposal else None,
        chain=tuple(sorted(chain.values(), key=lambda message: record.place[message.id])),
    )


def _orders_below(record: RunRecord, parent: ParentOrder) -> list[Message]:
    """Everything that working a parent order led to, down to its fills."""
    found: list[Message] = []
    queue: list[Message] = [parent]
    while queue:
        message = queue.pop()
        below = [each for each in record.by_cause.get(message.id, ()) if isinstance(each, ORDERS)]
        found += below
        queue += below
    return found


def _watch_messages(record: RunRecord) -> dict[tuple[str, str], list[Message]]:
    """Messages of stops and triggers by account and symbol, each list in the journal's order."""
    found: dict[tuple[str, str], list[Message]] = {}
    for message in record.messages:
        if isinstance(message, WATCH):
            found.setdefault((message.account, message.symbol), []).append(message)
    return found


def _watched(
    record: RunRecord, watch: list[Message], first: Fill, ended: TradeRecord | None
) -> list[Message]:
    """Messages of stops and triggers from the first fill on, and those that the closing fill caused."""

    def place(message: Message) -> int:
        return record.place[message.id]

    start = bisect_left(watch, place(first), key=place)
    if ended is None:
        return watch[start:]
    during = watch[start : bisect_left(watch, place(ended), key=place)]
    return during + [each for each in record.by_cause.get(ended.cause or "", ()) if isinstance(each, WATCH)]
