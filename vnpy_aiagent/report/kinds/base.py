"""What a message's kind says of it in words; each kind registers its own, any other shows its raw fields."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import singledispatch

from vnpy_aiagent.domain import Message
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.market.futures import is_contract

MAX_RAW = 300
"""Characters of a message without words of its own that are shown."""


@dataclass(frozen=True, slots=True)
class Words:
    """The name of a kind, what one message of it says, and further lines."""

    label: str
    text: str
    details: tuple[str, ...] = ()


@singledispatch
def words(message: Message, say: Localizer) -> Words:
    """A message in the localizer's language."""
    raw = message.model_dump_json(exclude={"id", "at", "cause", "account"})
    return Words(message.kind, raw[:MAX_RAW])


def joined(parts: Iterable[tuple[str, object]]) -> str:
    """Names with their values; those without one are left out."""
    return ", ".join(f"{name} {value}" for name, value in parts if value is not None)


def counted(volume: int | str, vt_symbol: str, say: Localizer) -> str:
    """A volume (its figure may be written already) with its unit: shares, or contracts of futures."""
    if is_contract(vt_symbol):
        return say("{volume} 手", volume=volume)
    return say("{volume} 股", volume=volume)
