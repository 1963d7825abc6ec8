"""Every number of an order worked out again from the journal: the plan's references, the snapshot, rules.

Arithmetic in fractions, written from docs and design; no function of the product resolves a price here.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from vnpy_aiagent.brain.kept import KeptDecision, decision_entry, read_kept
from vnpy_aiagent.data.atr import average_true_range
from vnpy_aiagent.domain import (
    BarInterval,
    Decision,
    Intent,
    Message,
    ParentOrder,
    PriceBasis,
    PriceRef,
    Proposal,
    Side,
    Signal,
    Verdict,
)
from vnpy_aiagent.store.journal import JournalReader
from vnpy_aiagent.tools.snapshot import DecisionSnapshot

from .loop_helpers import Played

SLIPPAGE = Fraction(2, 1000)


@dataclass(frozen=True)
class Grounded:
    """How many intents were followed back, those of plans and others (stops, triggers); what is wrong."""

    plans: int
    others: int
    wrong: tuple[str, ...]


def reground(played: Played, messages: dict[str, Message] | None = None) -> Grounded:
    """Follow every intent of a run on daily bars; `messages` stand in for the run's own, to try this out."""
    known = played.messages if messages is None else messages
    wrong: list[str] = []
    counts = {True: 0, False: 0}
    with JournalReader.open(played.result.journal) as reader:
        for intent in (each for each in known.values() if isinstance(each, Intent)):
            signal = _signal(known, intent)
            counts[signal.proposal_id is not None] += 1
            wrong += [f"{intent.id}: {reason}" for reason in _reasons(played, reader, known, intent, signal)]
    return Grounded(counts[True], counts[False], tuple(wrong))


def _signal(known: dict[str, Message], intent: Intent) -> Signal:
    parent = known[intent.parent_id]
    assert isinstance(parent, ParentOrder)
    signal = known[parent.signal_id]
    assert isinstance(signal, Signal)
    return signal


def _present(played: Played, verdict: Verdict, proposal: Proposal) -> Fraction | None:
    """The last price when a plan without an entry was judged: some seconds after the snapshot, a real one."""
    if proposal.entry is not None or verdict.price is None:
        return None
    series = played.simulation.data.bars(verdict.symbol, BarInterval.DAILY)
    day = next(i for i in range(len(series)) if series.day_of(i) == verdict.at.date())
    assert series.low[day] <= float(verdict.price) <= series.high[day]
    return Fraction(verdict.price)


def _reasons(
    played: Played, reader: JournalReader, known: dict[str, Message], intent: Intent, signal: Signal
) -> Iterator[str]:
    if not signal.low <= intent.price <= signal.high:
        yield f"price {intent.price} outside {signal.low} to {signal.high}"
    if (intent.symbol, intent.side) != (signal.symbol, signal.side) or intent.volume > signal.volume:
        yield "not what the signal says"
    if signal.proposal_id is None:
        return
    proposal = known[signal.proposal_id]
    assert isinstance(proposal, Proposal)
    kept = read_kept(reader, decision_entry(reader, proposal.id))
    verdict = next(m for m in known.values() if isinstance(m, Verdict) and m.proposal_id == proposal.id)
    if signal.volume > verdict.volume or proposal.symbol != intent.symbol:
        yield "more than the verdict allows, or another symbol"
    yield from _prices(kept, proposal, signal, _present(played, verdict, proposal))


def _prices(
    kept: KeptDecision, proposal: Proposal, signal: Signal, present: Fraction | None
) -> Iterator[str]:
    """The limit from the plan's entry (a buy) or the last price (a sale); stop and target from the plan."""
    quote = kept.snapshot.quote
    assert quote is not None
    tick, last = Fraction(kept.snapshot.instrument.tick), Fraction(quote.last)
    entry = last if proposal.entry is None else resolved(proposal.entry, kept.snapshot, kept.decision, last)
    if signal.side is Side.BUY:
        limit = entry * (1 + SLIPPAGE) // tick * tick
    else:
        limit = -(-(last if present is None else present) * (1 - SLIPPAGE) // tick) * tick
    if quote.limit_up is not None and quote.limit_down is not None:
        limit = min(max(limit, Fraction(quote.limit_down)), Fraction(quote.limit_up))
    if Fraction(signal.limit) != limit:
        yield f"limit {signal.limit} is not {float(limit)}"
    for name in ("stop", "target"):
        ref, price = getattr(proposal, name), getattr(signal, name)
        if signal.side is Side.BUY and ref is not None and price is not None:
            expected = resolved(ref, kept.snapshot, kept.decision, entry)
            if Fraction(price) != expected:
                yield f"{name} {price} is not {float(expected)}"


def resolved(ref: PriceRef, snapshot: DecisionSnapshot, decision: Decision, entry: Fraction) -> Fraction:
    """On the tick grid; the upper of two ticks that are equally near. A LEVEL must stand in its evidence."""
    quote, tick = snapshot.quote, Fraction(snapshot.instrument.tick)
    assert quote is not None
    offset = Fraction(str(ref.offset))
    bases: dict[PriceBasis, Decimal | Fraction | None] = {
        PriceBasis.LAST: quote.last,
        PriceBasis.PREV_CLOSE: quote.prev_close,
        PriceBasis.ENTRY: entry,
        PriceBasis.LEVEL: ref.level,
    }
    if ref.basis is PriceBasis.LEVEL:
        evidence = {each.id: each for each in decision.evidence}[str(ref.evidence)]
        assert float(str(ref.level)) in set(_numbers(json.loads(evidence.result)))
    if ref.basis is PriceBasis.ATR:
        atr = average_true_range(snapshot.bars[BarInterval.DAILY].upto(snapshot.at))
        assert atr is not None
        raw = entry + offset * Fraction(str(atr))
    elif ref.basis is PriceBasis.BAND:
        assert quote.limit_up is not None
        assert quote.limit_down is not None
        low, high = Fraction(quote.limit_down), Fraction(quote.limit_up)
        raw = low + offset * (high - low)
    else:
        base = bases[ref.basis]
        assert base is not None
        raw = Fraction(base) * (1 + offset / 100)
    ticks, rest = divmod(raw, tick)
    return (ticks + (1 if rest * 2 >= tick else 0)) * tick


def _numbers(node: Any) -> Iterator[float]:
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _numbers(each)
    elif isinstance(node, int | float) and not isinstance(node, bool):
        yield float(node)
