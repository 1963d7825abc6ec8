"""Order states and the explicit, complete table of their transitions.

Broker messages may be late, doubled, out of order or unknown. A state never goes back, and a terminal one
stays: only a real fill that completes the order makes a cancelled or refused one FILLED, since the shares
are there. Volumes are not the table's matter: a fill is booked by its own identity in whatever state.
"""

from enum import StrEnum
from typing import Final

from vnpy_aiagent.domain import OrderState

TERMINAL: Final = frozenset({OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED})


class Report(StrEnum):
    """What can be heard of an order: from its gateway as it is sent, from the broker, or as a fill."""

    SENT = "SENT"
    """The gateway took it, or the broker reports it as submitting."""
    ACCEPTED = "ACCEPTED"
    PARTIAL = "PARTIAL"
    FILLED = "FILLED"
    """The broker says that all is traded; the fills may still be on their way."""
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"
    """The gateway raised while it had the order."""
    WITHHELD = "WITHHELD"
    """It was not sent, for certain."""
    SOME_FILL = "SOME_FILL"
    """A fill that leaves volume open."""
    LAST_FILL = "LAST_FILL"
    """A fill after which nothing is open."""


STATUS_REPORTS: Final[dict[str, Report]] = {
    "SUBMITTING": Report.SENT,
    "NOTTRADED": Report.ACCEPTED,
    "PARTTRADED": Report.PARTIAL,
    "ALLTRADED": Report.FILLED,
    "CANCELLED": Report.CANCELLED,
    "REJECTED": Report.REJECTED,
}
"""vnpy's Status by member name (never by value, which vnpy translates)."""

_I, _S, _A, _P = OrderState.INTENDED, OrderState.SENT, OrderState.ACCEPTED, OrderState.PARTIAL
_F, _C, _R, _U = OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.UNKNOWN

# fmt: off
_ROWS: Final[dict[OrderState, tuple[OrderState, ...]]] = {
    # in        SENT ACCE PART FILL CANC REJE UNKN WITH SOME LAST   heard
    _I:        (_S,  _A,  _P,  _F,  _C,  _R,  _U,  _C,  _P,  _F),
    _S:        (_S,  _A,  _P,  _F,  _C,  _R,  _U,  _S,  _P,  _F),
    _A:        (_A,  _A,  _P,  _F,  _C,  _R,  _U,  _A,  _P,  _F),
    _P:        (_P,  _P,  _P,  _F,  _C,  _R,  _U,  _P,  _P,  _F),
    _U:        (_S,  _A,  _P,  _F,  _C,  _R,  _U,  _U,  _P,  _F),
    _F:        (_F,  _F,  _F,  _F,  _F,  _F,  _F,  _F,  _F,  _F),
    _C:        (_C,  _C,  _C,  _C,  _C,  _C,  _C,  _C,  _C,  _F),
    _R:        (_R,  _R,  _R,  _R,  _R,  _R,  _R,  _R,  _R,  _F),
}
# fmt: on

TRANSITIONS: Final[dict[tuple[OrderState, Report], OrderState]] = {
    (state, report): after for state, row in _ROWS.items() for report, after in zip(Report, row, strict=True)
}
"""Every pair of a state and a report, and the state after it."""


def next_state(state: OrderState, report: Report) -> OrderState:
    """The state after a report."""
    return TRANSITIONS[state, report]
