"""Messages of the watch over positions: triggers and protective stops."""

from decimal import Decimal

from pydantic import AwareDatetime

from vnpy_aiagent.domain.enums import StopState, TriggerEnd, TriggerKind
from vnpy_aiagent.domain.message import Message
from vnpy_aiagent.domain.text import Text


class TriggerSpec(Message):
    """A trigger enters the book. `price` in CNY for the price kinds, `when` for TIME_AT.

    One on a price that has not fired until `expires`, the end of its plan, leaves the book.
    """

    symbol: str
    trigger: TriggerKind
    price: Decimal | None = None
    when: AwareDatetime | None = None
    note: str = ""
    expires: AwareDatetime | None = None


class TriggerFired(Message):
    """A trigger's condition held; it has left the book (one shot)."""

    trigger_id: str
    symbol: str
    price: Decimal | None
    note: str = ""


class TriggerEnded(Message):
    """A trigger left the book."""

    trigger_id: str
    symbol: str
    end: TriggerEnd


class StopUpdate(Message):
    """A protective stop entered a state. `volume`: the shares it protects; `flatten`: a human made it due."""

    symbol: str
    state: StopState
    stop: Decimal
    volume: int
    reason: Text
    flatten: bool = False
