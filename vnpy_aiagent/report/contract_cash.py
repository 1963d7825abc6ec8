"""What futures moved in cash, recomputed from the journal: fees, realised gains and daily settlements."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from vnpy_aiagent.domain import ContractTerms, Fill, Settlement, Side, cny
from vnpy_aiagent.market import contracts
from vnpy_aiagent.report.read import RunRecord

ZERO = Decimal(0)


@dataclass(slots=True)
class _Lot:
    day: date
    volume: int
    price: Decimal
    held_from: Decimal


def contract_cash(record: RunRecord, until: date | None = None) -> dict[str, Decimal]:
    """Cash that contracts moved by account (CNY), up to a day's valuation, which its settlement follows."""
    known = {fill.id for fill in record.fills}
    lots: dict[tuple[str, str], list[_Lot]] = {}
    terms: dict[tuple[str, str], ContractTerms] = {}
    settled: dict[tuple[str, str], tuple[date, Decimal]] = {}
    moved: dict[str, Decimal] = {}
    for message in record.messages:
        if isinstance(message, Fill) and message.terms is not None and message.id in known:
            if until is not None and message.trading_day > until:
                continue
            key = message.account, message.symbol
            terms[key] = message.terms
            gain = _filled(lots.setdefault(key, []), message, message.terms, settled.get(key))
            moved[message.account] = moved.get(message.account, ZERO) + gain - message.fees
        elif isinstance(message, Settlement) and (until is None or message.trading_day < until):
            key = message.account, message.symbol
            settled[key] = (message.trading_day, message.price)
            if key in terms:
                gain = _gain(contracts.settle(lots[key], message.trading_day, message.price), terms[key])
                moved[message.account] = moved.get(message.account, ZERO) + gain
    return moved


def _filled(
    lots: list[_Lot], fill: Fill, terms: ContractTerms, settled: tuple[date, Decimal] | None
) -> Decimal:
    if fill.side is Side.SELL:
        base = contracts.take(lots, fill.volume, terms.closed_today, fill.trading_day)
        return _gain(fill.price * fill.volume - base, terms)
    lot = _Lot(fill.trading_day, fill.volume, fill.price, fill.price)
    lots.append(lot)
    if settled is None or fill.trading_day > settled[0]:
        return ZERO
    return _gain(contracts.settle([lot], *settled), terms)


def _gain(points: Decimal, terms: ContractTerms) -> Decimal:
    return cny(points * terms.multiplier)
