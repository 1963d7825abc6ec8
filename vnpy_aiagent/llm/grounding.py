"""Grounding: what a plan cites must exist, and a level that it copies must stand in the evidence it names."""

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TypeGuard

from vnpy_aiagent.domain import Evidence, PriceBasis, PriceRef, to_decimal
from vnpy_aiagent.errors import ModelNonsense

PRICE_KEYS = frozenset(
    {
        "last",
        "open",
        "high",
        "low",
        "close",
        "prev_close",
        "limit_up",
        "limit_down",
        "sma5",
        "sma20",
        "sma60",
        "boll_upper",
        "boll_middle",
        "boll_lower",
        "high20",
        "low20",
    }
)
"""Keys of tool results whose numbers are prices in CNY."""


def check_citations(cited: Iterable[str], evidence: Mapping[str, Evidence]) -> None:
    """Raise ModelNonsense where an evidence id was never issued in this decision."""
    unknown = sorted(set(cited) - set(evidence))
    if unknown:
        have = ", ".join(evidence) or "none"
        raise ModelNonsense(f"evidence {', '.join(unknown)} does not exist; cite only {have}")


def check_level(ref: PriceRef, evidence: Mapping[str, Evidence], symbol: str) -> None:
    """Raise ModelNonsense where a LEVEL's number is no price of the symbol in the evidence that it names.

    A number beside another basis would count for nothing, which is not what the model meant; it is refused.
    """
    if ref.evidence is not None:
        check_citations([ref.evidence], evidence)
    if ref.basis is not PriceBasis.LEVEL:
        if ref.level is not None:
            raise ModelNonsense(f"`level` belongs to basis LEVEL; leave it out beside {ref.basis}")
        return
    if ref.evidence is None or ref.level is None:
        raise ModelNonsense(
            "basis LEVEL needs the copied `level` and the `evidence` id that it was copied from"
        )
    source = evidence[ref.evidence]
    if source.available_at is None:
        raise ModelNonsense(
            f"evidence {ref.evidence} ({source.tool}) holds no market level; use a market tool's result"
        )
    if _symbol_of(source.result) != symbol:
        raise ModelNonsense(f"evidence {ref.evidence} ({source.tool}) holds no prices of {symbol}")
    if ref.level not in set(price_levels(source.result)):
        raise ModelNonsense(f"the level {ref.level} is no price in evidence {ref.evidence}; copy one exactly")


def price_levels(result: str) -> Iterator[Decimal]:
    """All prices in a tool's JSON result: numbers under a price's key, and price columns of a table.

    A volume, an RSI or a lot size is a number too, but no level that a price may be copied from.
    """
    yield from _walk(json.loads(result))


def _symbol_of(result: str) -> object:
    data = json.loads(result)
    return data.get("symbol") if isinstance(data, dict) else None


def _walk(node: object) -> Iterator[Decimal]:
    if not isinstance(node, dict):
        return
    columns = node.get("columns")
    for key, value in node.items():
        if key == "rows" and isinstance(columns, list) and isinstance(value, list):
            yield from _columns(columns, value)
        elif key in PRICE_KEYS and _is_number(value):
            yield to_decimal(value)
        elif isinstance(value, dict):
            yield from _walk(value)


def _columns(columns: list[object], rows: list[object]) -> Iterator[Decimal]:
    places = [place for place, name in enumerate(columns) if name in PRICE_KEYS]
    for row in rows:
        if isinstance(row, list):
            for place in places:
                if place < len(row) and _is_number(row[place]):
                    yield to_decimal(row[place])


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
