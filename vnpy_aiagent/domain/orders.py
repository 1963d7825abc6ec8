"""Messages from verdict to fill. Volumes in shares, prices and fees in CNY."""

from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import AwareDatetime, SerializerFunctionWrapHandler, model_serializer

from vnpy_aiagent.domain.analysis import Part
from vnpy_aiagent.domain.enums import Action, OrderState, Outcome, ParentState, Side, TriggerKind
from vnpy_aiagent.domain.futures import ContractTerms
from vnpy_aiagent.domain.message import Message
from vnpy_aiagent.domain.text import Text

TARGET_NOTE = "target"
"""Note of the trigger at a plan's target."""


class RuleLine(Part):
    """One risk rule's word on a proposal: the largest volume it allows, None where it sets no bound."""

    rule: str
    passed: bool
    max_volume: int | None = None
    text: Text


class ResolvedTrigger(Part):
    """A trigger of an approved plan, its price in CNY.

    `sessions` are trading days from now: when a TIME_AT fires, and how long one on a price is watched.
    """

    trigger: TriggerKind
    price: Decimal | None = None
    sessions: int | None = None
    note: str = ""


class Verdict(Message):
    """The risk check of one proposal. HOLD and ADJUST have no side and volume zero."""

    proposal_id: str
    symbol: str
    action: Action
    side: Side | None
    outcome: Outcome
    requested: int
    volume: int
    price: Decimal | None = None
    stop: Decimal | None = None
    target: Decimal | None = None
    triggers: tuple[ResolvedTrigger, ...] = ()
    lines: tuple[RuleLine, ...]


class ProposalHeld(Message):
    """A proposal made outside the session waits; it is checked and priced anew at `until`."""

    proposal_id: str
    symbol: str
    until: AwareDatetime


class Signal(Message):
    """An approved instruction, the one thing that execution understands.

    Trade `volume` of `symbol` at `limit` or better until `valid_until`. `low` and `high` bound any
    re-pricing. `protective` marks a stop, which waits for no approval.
    """

    symbol: str
    side: Side
    volume: int
    limit: Decimal
    low: Decimal
    high: Decimal
    stop: Decimal | None = None
    target: Decimal | None = None
    protective: bool = False
    setup: str = ""
    regime: str = ""
    confidence: float = 0.0
    proposal_id: str | None = None
    reason: Text
    triggers: tuple[ResolvedTrigger, ...] = ()
    valid_until: AwareDatetime


class ParentOrder(Message):
    """Execution's record of working one signal."""

    signal_id: str
    symbol: str
    side: Side
    volume: int
    protective: bool = False


class Intent(Message):
    """The exact order that will be sent, durably in the journal before it is."""

    parent_id: str
    reference: str
    gateway: str
    symbol: str
    side: Side
    volume: int
    price: Decimal


class Sent(Message):
    """An intent was handed to the gateway. Several ids where the host split it."""

    intent_id: str
    vt_orderids: tuple[str, ...]


class Withheld(Message):
    """An intent was not sent: the state changed, or the gateway took nothing.

    `intent_id` is empty where the signal itself, its cause, became no order at all.
    """

    intent_id: str
    reason: Text


class OrderUpdate(Message):
    """An order of ours changed state. `traded` is cumulative."""

    intent_id: str
    vt_orderid: str
    state: OrderState
    traded: int
    reason: str = ""


class ParentDone(Message):
    """A parent order has ended. `average_price` is None where nothing was filled."""

    parent_id: str
    symbol: str
    side: Side
    state: ParentState
    filled: int
    average_price: Decimal | None = None


class Fill(Message):
    """One execution. Identity: account, trading day, exchange, symbol, side, order id and trade id.

    Fees are the increment that this fill adds to its order's fees. `terms` is set for a futures contract,
    whose volume is in contracts and whose price is in points; its trading day is the exchange's, the next one
    in a night session.
    """

    trading_day: date
    exchange: str
    symbol: str
    side: Side
    orderid: str
    tradeid: str
    intent_id: str | None
    parent_id: str | None
    price: Decimal
    volume: int
    commission: Decimal
    stamp_duty: Decimal
    transfer_fee: Decimal
    signal_id: str | None = None
    setup: str = ""
    terms: ContractTerms | None = None

    @model_serializer(mode="wrap")
    def _without_empty_terms(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A fill of shares is written without `terms`."""
        written: dict[str, Any] = handler(self)
        if self.terms is None:
            written.pop("terms", None)
        return written

    @property
    def identity(self) -> tuple[str, date, str, str, Side, str, str]:
        """What makes a fill the same fill."""
        return (
            self.account,
            self.trading_day,
            self.exchange,
            self.symbol,
            self.side,
            self.orderid,
            self.tradeid,
        )

    @property
    def fees(self) -> Decimal:
        """All fees of this fill."""
        return self.commission + self.stamp_duty + self.transfer_fee


class TradeRecord(Message):
    """A position went flat: the round trip from first buy to last sale. `pnl` is net of fees."""

    symbol: str
    opened: date
    closed: date
    volume: int
    buy_price: Decimal
    sell_price: Decimal
    fees: Decimal
    pnl: Decimal
    return_ratio: float
    sessions: int
    setup: str
    regime: str
    confidence: float
    proposal_id: str | None
    exit_reason: Text
