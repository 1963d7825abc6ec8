"""The stream of decisions as rows: one for each proposal, completed by its verdict and its fills."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from vnpy_aiagent.domain import (
    MARKET_TZ,
    Action,
    Decision,
    Fill,
    Message,
    Outcome,
    Proposal,
    ProposalHeld,
    Signal,
    Text,
    Verdict,
    say,
)

LIMIT = 10_000
KEPT_DAYS = 5
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One proposal. Volumes in shares; `outcome` is None until risk has judged."""

    id: str
    at: datetime
    account: str
    symbol: str
    action: Action
    confidence: float
    weight: float
    setup: str
    model: str
    reason: Text
    low_certainty: bool = False
    outcome: Outcome | None = None
    waits: bool = False
    volume: int = 0
    filled: int = 0


class DecisionStream:
    """Folds messages, in the journal's order, into rows. Memory is bounded."""

    def __init__(self, limit: int = LIMIT) -> None:
        """Keep the last `limit` proposals."""
        self._limit = limit
        self._rows: OrderedDict[str, DecisionRow] = OrderedDict()
        self._signals: OrderedDict[str, str] = OrderedDict()
        self._costs: dict[date, Decimal] = {}
        self._fills: OrderedDict[str, None] = OrderedDict()

    def fold(self, messages: Iterable[Message]) -> list[DecisionRow]:
        """Rows that are new or changed, each once, in order."""
        changed: dict[str, DecisionRow] = {}
        for message in messages:
            row = self._row_of(message)
            if row is not None:
                _keep(self._rows, row.id, row, self._limit)
                changed[row.id] = row
        return list(changed.values())

    def cost_on(self, day: date) -> Decimal:
        """What models cost on a market date, CNY."""
        return self._costs.get(day, Decimal(0))

    def _row_of(self, message: Message) -> DecisionRow | None:
        match message:
            case Decision():
                self._count(message)
            case Proposal():
                return _new_row(message)
            case ProposalHeld() if message.proposal_id in self._rows:
                return replace(self._rows[message.proposal_id], waits=True)
            case Verdict() if message.proposal_id in self._rows:
                return _judged(self._rows[message.proposal_id], message)
            case Signal() if message.proposal_id in self._rows:
                _keep(self._signals, message.id, message.proposal_id or "", self._limit)
            case Fill():
                return self._filled(message)
            case _:
                pass
        return None

    def _count(self, decision: Decision) -> None:
        day = decision.at.astimezone(MARKET_TZ).date()
        self._costs[day] = self._costs.get(day, Decimal(0)) + decision.usage.cost
        for old in sorted(self._costs)[:-KEPT_DAYS]:
            del self._costs[old]

    def _filled(self, fill: Fill) -> DecisionRow | None:
        row = self._rows.get(self._signals.get(fill.signal_id or "", ""))
        if row is None or fill.id in self._fills:
            return None
        _keep(self._fills, fill.id, None, self._limit)
        return replace(row, filled=row.filled + fill.volume)


def _new_row(proposal: Proposal) -> DecisionRow:
    if proposal.abstained:
        reason = Text(template="放弃：{why}", figures={"why": proposal.abstained})
    else:
        reason = proposal.main_reason or say("无说明")
    return DecisionRow(
        id=proposal.id,
        at=proposal.at,
        account=proposal.account,
        symbol=proposal.symbol,
        action=proposal.action,
        confidence=proposal.confidence,
        weight=proposal.target_weight,
        setup=proposal.setup,
        model=proposal.model,
        reason=reason,
        low_certainty=proposal.low_certainty,
    )


def _judged(row: DecisionRow, verdict: Verdict) -> DecisionRow:
    refused = next((line.text for line in verdict.lines if not line.passed), None)
    reason = refused if verdict.outcome is Outcome.REJECTED and refused is not None else row.reason
    return replace(row, outcome=verdict.outcome, volume=verdict.volume, reason=reason, waits=False)


def _keep(kept: OrderedDict[str, Value], key: str, value: Value, limit: int) -> None:
    kept[key] = value
    while len(kept) > limit:
        kept.popitem(last=False)
