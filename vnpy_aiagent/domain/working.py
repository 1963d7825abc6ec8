"""Messages on how a parent order was worked. Volumes in shares, prices in CNY (of a contract: points)."""

from decimal import Decimal

from vnpy_aiagent.domain.enums import Algo, ParentState, Side
from vnpy_aiagent.domain.message import Message
from vnpy_aiagent.domain.text import Text


class CancelAsked(Message):
    """The app asks the broker to cancel an order, to replace it or to give up; it may still fill."""

    intent_id: str
    parent_id: str
    vt_orderids: tuple[str, ...]
    reason: Text


class ExecutionReport(Message):
    """How a parent order was worked, when it ended.

    `arrival` is the middle of bid and ask when the signal came, the last price where there was no book, None
    without a quote. `slippage` is the average price against it as a ratio, positive where it was worse for
    us; None without a fill. `fill_rate` is filled over approved. `first_fill` and `last_fill` are seconds
    from the signal. `cancels` are those of the `children` that ended cancelled after they were sent.
    `reason` says why a rest was not filled.
    """

    parent_id: str
    signal_id: str
    symbol: str
    side: Side
    algo: Algo
    state: ParentState
    volume: int
    filled: int
    arrival: Decimal | None
    average_price: Decimal | None
    slippage: float | None
    fill_rate: float
    first_fill: float | None
    last_fill: float | None
    children: int
    cancels: int
    reason: Text | None = None
