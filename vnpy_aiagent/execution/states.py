"""Order states and the explicit table of their transitions.

Broker messages may be late, doubled or out of order. A state never goes back, and a terminal state stays
terminal; a real fill that arrives after it is still booked by its own identity.
"""

from vnpy_aiagent.domain import OrderState

TERMINAL = frozenset({OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED})

STATUS_STATES: dict[str, OrderState] = {
    "SUBMITTING": OrderState.SENT,
    "NOTTRADED": OrderState.ACCEPTED,
    "PARTTRADED": OrderState.PARTIAL,
    "ALLTRADED": OrderState.FILLED,
    "CANCELLED": OrderState.CANCELLED,
    "REJECTED": OrderState.REJECTED,
}
"""vnpy's Status by member name (never by value, which vnpy translates)."""

_LATER: dict[OrderState, frozenset[OrderState]] = {
    OrderState.INTENDED: frozenset({OrderState.SENT, OrderState.UNKNOWN}),
    OrderState.SENT: frozenset({OrderState.ACCEPTED, OrderState.PARTIAL, OrderState.UNKNOWN}),
    OrderState.ACCEPTED: frozenset({OrderState.PARTIAL, OrderState.UNKNOWN}),
    OrderState.PARTIAL: frozenset({OrderState.PARTIAL, OrderState.UNKNOWN}),
    OrderState.UNKNOWN: frozenset({OrderState.SENT, OrderState.ACCEPTED, OrderState.PARTIAL}),
}


def next_state(state: OrderState, reported: OrderState) -> OrderState:
    """The state after a report: the reported one where the table allows it, else the present one."""
    if state in TERMINAL:
        return state
    if reported in TERMINAL or reported in _LATER[state]:
        return reported
    return state
